"""Acting over the API: the real web, the real ingest and broker; a script plays the stations."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from diadema.base.clock import SharedClock
from diadema.base.paths import write_whole
from diadema.report.kinds import KINDS
from diadema.store import Reader, open_reader

from tests.host.test_ingest_service import Play
from tests.support.broker_fixtures import IngestProcess, RunningBroker, running_broker, until
from tests.support.scripted_station import T0, S, Script
from tests.support.web_stage import TESTER, Web, headers_of

BODY = {"action": "presence", "reason": "refrigerio", "note": "cubre Luis"}


class Stage:
    def __init__(
        self, web: Web, broker: RunningBroker, ingest: IngestProcess, play: Play, reader: Reader
    ) -> None:
        self.web, self.ingest, self.play, self.reader = web, ingest, play, reader
        self.script = Script().boot().clock().mark("in").login(mark=True).ready()
        self.broker = broker

    async def settle(self) -> None:
        await self.play.hello(self.script)
        await self.play.send(self.script)
        await self.play.acked(self.script)

    async def tell(self, add: Callable[[Script], object]) -> None:
        """The station tells more."""
        first = self.script.n + 1
        add(self.script)
        await self.play.send(self.script, first=first)
        await self.play.acked(self.script)

    @contextlib.asynccontextmanager
    async def as_(self, role: str = "admin", **more: Any) -> AsyncIterator[httpx.AsyncClient]:
        cookies = self.web.login(role, **more)  # type: ignore[arg-type]
        url = f"{self.web.url}/api/v1"
        async with httpx.AsyncClient(
            base_url=url, cookies=cookies, headers=headers_of(cookies), timeout=300
        ) as api:
            yield api


async def _connected(api: httpx.AsyncClient) -> bool:
    """The web follows NATS."""
    return bool((await api.get("/status")).json()["nats"])


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with contextlib.AsyncExitStack() as held, asyncio.timeout(300):
        broker = await held.enter_async_context(running_broker(tmp_path))
        clock = tmp_path / "clock"
        SharedClock(clock, create=True).set(T0, 0)
        ingest = await held.enter_async_context(IngestProcess(broker, clock))
        play = await held.enter_async_context(Play(broker))
        web = Web(tmp_path, broker.url, clock)
        web.start()
        held.callback(web.kill)
        reader = open_reader(broker.data.store)
        held.callback(reader.close)
        made = Stage(web, broker, ingest, play, reader)
        async with made.as_() as api:
            await until(lambda: _connected(api))
        await made.settle()
        yield made


async def test_a_pause_is_forced_noted_and_its_end_is_told(stage: Stage) -> None:
    async with stage.as_() as api:
        answer = await api.post("/agents/a001/actions", json=BODY)
        assert answer.status_code == 202, answer.text
        done = answer.json()
        command = await stage.play.command("presence")
        assert (command["i"], command["reason"], command["note"], command["who"]) == (
            done["i"], "refrigerio", "cubre Luis", "Prueba",
        )  # fmt: skip
        s, e, n = done["of"]
        entry = (await api.get(f"/actions/{s}/{e}/{n}")).json()
        assert (entry["action"], entry["a"], entry["outcome"]) == (
            "presence", "a001", {"result": "waiting"},
        )  # fmt: skip
        told = {"by": "supervisor", "who": "Prueba", "i": done["i"]}
        await stage.tell(lambda one: one.presence("ready", "not_ready", "refrigerio", **told))
        page = (await api.get("/actions", params={"agent": "a001"})).json()
        assert [one["outcome"]["event"] for one in page["items"]] == ["presence.changed"]
        assert page["next"] is None


async def test_a_message_and_who_has_read_it(stage: Stage) -> None:
    async with stage.as_() as api:
        body = {"agents": ["a001", "a002"], "text": "Reunión a las 15:00", "reason": "aviso"}
        sent = (await api.post("/messages", json=body)).json()
        assert [one["a"] for one in sent["sent"]] == ["a001"]
        assert sent["refused"][0]["detail"].startswith("a002 no tiene sesión")
        await stage.tell(lambda one: one.add("message.shown", a="a001", m=sent["m"]).add(
            "message.acknowledged", a="a001", m=sent["m"], answer="read", how="key"))  # fmt: skip
        (one,) = (await api.get("/messages", params={"m": sent["m"]})).json()
        assert (one["shown"], one["answer"], one["how"]) == (True, "read", "key")
    async with stage.as_("agent", agent="a001") as hers:
        assert [one["text"] for one in (await hers.get("/messages")).json()] == [body["text"]]
        answer = await hers.get("/messages", params={"agent": "a002"})
        assert answer.status_code == 403
        assert (await hers.get("/actions")).json()["items"] == []
        assert (await hers.post("/agents/a001/actions", json=BODY)).status_code == 403


async def test_a_correction_stands_beside_its_mark(stage: Stage) -> None:
    async with stage.as_("hr") as api:
        body = {"kind": "corrected", "direction": "in", "time": T0 - 600_000, "reason": "cola"}
        answer = await api.post("/attendance/1/corrections", json=body)
        assert answer.status_code == 201, answer.text
        day = {"kind": "justified", "day": "2026-11-18", "reason": "cita médica"}
        assert (await api.post("/agents/a002/corrections", json=day)).status_code == 201
        first, second = (await api.get("/corrections")).json()
        assert (first["of"], first["a"], first["time_utc"]) == (
            [S, stage.script.e, 3], "a001", T0 - 600_000,
        )  # fmt: skip
        assert (first["direction"], first["event"]) == ("in", answer.json()["of"])
        assert (second["a"], second["day"], second["number"]) == ("a002", "2026-11-18", 2)
        missing = await api.post("/attendance/99/corrections", json=body)
        assert (missing.status_code, missing.json()["detail"]) == (
            404, "Ninguna marca tiene ese número en el libro de asistencia.",
        )  # fmt: skip
        late = await api.post("/attendance/1/corrections", json=body | {"time": T0 + 9})
        assert late.status_code == 422
    assert len(stage.reader.marks()) == 1


async def test_nobody_acts_on_those_of_another_team(stage: Stage) -> None:
    async with stage.as_("supervisor", teams=["Tarde"]) as api:
        for path, body in (
            ("/agents/a001/actions", BODY),
            ("/messages", {"agents": ["a001"], "text": "x", "reason": "y"}),
            ("/attendance/1/corrections",
             {"kind": "justified", "reason": "x"}),
        ):  # fmt: skip
            assert (await api.post(path, json=body)).status_code == 403, path
        assert (await api.get("/actions", params={"agent": "a001"})).status_code == 403
    async with stage.as_("supervisor", teams=["Mañana"]) as api:
        assert (await api.post("/agents/a001/actions", json=BODY)).status_code == 202
        assert [one["a"] for one in (await api.get("/actions")).json()["items"]] == ["a001"]
    async with stage.as_("supervisor", teams=["Tarde"]) as api:
        assert (await api.get("/actions")).json() == {"items": [], "next": None}
    async with stage.as_("monitor") as api:
        assert (await api.post("/agents/a001/actions", json=BODY)).status_code == 403
        assert len((await api.get("/actions")).json()["items"]) == 1


async def test_a_press_is_answered_by_who_sees_its_agent_whatever_the_body_says(
    stage: Stage,
) -> None:
    """a001 of «Mañana» asks; a supervisor of «Tarde» names her press under his own agent."""
    await stage.tell(
        lambda one: one.add("help.requested", a="a001", c=None).add(
            "fault.reported", a="a001", c=None, area="headset", part="mic"
        )
    )
    site = json.loads(stage.broker.data.site.read_bytes())
    site["agents"][1]["team"] = "Tarde"
    write_whole(stage.broker.data.site, json.dumps(site).encode())
    n = {one.kind: one.sequence for one in stage.reader.presses()}
    help_, fault = ([S, stage.script.e, n[kind]] for kind in ("help", "fault"))
    station = f"/stations/{S}/actions"
    async with stage.as_("supervisor", teams=["Tarde"]) as api:
        for path, body in (
            ("/agents/a002/actions", {"action": "help", "state": "resolved", "of": help_}),
            ("/agents/a002/actions", {"action": "fault", "state": "resolved", "of": fault}),
            (station, {"action": "fault", "state": "rejected"}),
            (station, {"action": "fault", "state": "rejected", "of": fault}),
            (station, {"action": "acknowledge", "rule": "fault"}),
        ):
            answer = await api.post(path, json=body)
            assert answer.status_code in (403, 404), (path, body, answer.text)
    assert stage.reader.acts() == []
    async with stage.as_("technician") as api:
        body = {"action": "fault", "state": "accepted"}
        assert (await api.post(station, json=body)).status_code == 202
    async with stage.as_("supervisor", teams=["Mañana"]) as api:
        for path, body in (
            ("/agents/a001/actions", {"action": "help", "state": "accepted", "of": help_}),
            (station, {"action": "fault", "state": "resolved"}),
            (station, {"action": "acknowledge", "rule": "fault"}),
        ):
            answer = await api.post(path, json=body)
            assert answer.status_code == 202, (path, body, answer.text)


async def test_a_command_goes_to_the_station_of_its_path(stage: Stage) -> None:
    async with stage.as_() as api:
        other = "DIA-0123456789ac"
        await stage.play.hello(Script(s=other))
        ring = {"cmd": "ring", "contact": "c-9", "direction": "in", "s": other}
        head = {"Authorization": f"Bearer {stage.broker.secrets.api}"}
        answer = await api.post(f"/stations/{S}/commands", json=ring, headers=head)
        assert answer.status_code == 202, answer.text
        assert (await stage.play.command("ring"))["contact"] == "c-9"
        assert not [to for to, one in stage.play.commands if one["cmd"] == "ring" and to != S]


async def test_what_is_refused_says_what_to_do(stage: Stage) -> None:
    async with stage.as_() as api:

        async def said(
            body: dict[str, Any], path: str = "/agents/a001/actions"
        ) -> tuple[int, str]:
            answer = await api.post(path, json=body)
            return answer.status_code, answer.json()["detail"]

        assert await said({"action": "presence", "reason": "siesta"}) == (
            422,
            "Ese motivo de auxiliar no existe en el centro. Elija uno de: refrigerio, sshh.",
        )
        assert await said({"action": "logout", "reason": ""}) == (
            422,
            "Diga el motivo, de 1 a 64 letras: el asesor lo ve y queda en el registro.",
        )
        assert (await said({"action": "help", "state": "accepted"}))[0] == 404
        assert (await said(BODY, "/agents/a009/actions"))[0] == 404
        assert (await said(BODY, "/agents/a002/actions"))[0] == 409
        english = await api.post(
            "/agents/a002/actions", json=BODY, headers={"accept-language": "en"}
        )
        assert english.json()["detail"].startswith("a002 is logged in nowhere.")


async def test_pages_of_the_register_follow_each_other(stage: Stage) -> None:
    async with stage.as_() as api:
        for kind in ("orientacion", "novedad_turno", "cambio_pausa"):
            body = {"action": "note", "kind": kind, "note": "dicho en persona"}
            assert (await api.post("/agents/a001/actions", json=body)).status_code == 202
        kinds, after = [], 0
        while after is not None:
            page = (await api.get("/actions", params={"limit": 2, "after": after})).json()
            kinds += [one["kind"] for one in page["items"]]
            after = page["next"]
        assert kinds == ["orientacion", "novedad_turno", "cambio_pausa"]


SECRET = "colgó a un cliente XQ-7"
REPRIMAND = {"action": "note", "kind": "llamada_atencion", "note": SECRET}
TODAY = datetime.fromtimestamp(T0 / 1000, ZoneInfo("America/Lima")).date()


async def reprimanded(stage: Stage) -> str:
    """A supervisor of «Mañana» reprimands a001; the entry's path."""
    async with stage.as_("supervisor", teams=["Mañana"]) as api:
        answer = await api.post("/agents/a001/actions", json=REPRIMAND)
        assert answer.status_code == 202, answer.text
        command = await stage.play.command("text")
        assert "no es amonestación" in command["text"] and SECRET not in command["text"]
        return "/actions/" + "/".join(map(str, answer.json()["of"]))


async def test_a_reprimand_is_told_answered_and_annulled_among_those_concerned(
    stage: Stage,
) -> None:
    path = await reprimanded(stage)
    async with stage.as_("agent", agent="a001") as hers:
        page = (await hers.get("/agents/a001/page", params={"day": str(TODAY)})).json()
        (mine,) = page["reprimands"]
        assert (mine["note"], page["own"]) == (SECRET, True)
        (one,) = (await hers.get("/actions")).json()["items"]
        assert one["note"] == SECRET
        too_long = await hers.post(f"{path}/reply", json={"text": "x" * 201})
        assert too_long.status_code == 422
        text = {"text": "Se cayó la llamada."}
        assert (await hers.post(f"{path}/reply", json=text)).status_code == 202
        again = await hers.post(f"{path}/reply", json=text)
        assert (again.status_code, again.json()["detail"]) == (
            409, "Esa llamada de atención ya tiene respuesta; se responde una sola vez.",
        )  # fmt: skip
        refused = await hers.post(f"{path}/annulment", json={"reason": "no fui"})
        assert refused.status_code == 403
    async with stage.as_("supervisor", teams=["Mañana"]) as colleague:
        one = (await colleague.get(path)).json()
        assert (one["note"], one["reply"]["text"]) == (SECRET, text["text"])
        others = await colleague.post(f"{path}/annulment", json={"reason": "x"})
        assert others.status_code == 403  # neither the author nor human resources
        page = (await colleague.get("/agents/a001/page", params={"day": str(TODAY)})).json()
        assert [one["note"] for one in page["reprimands"]] == [SECRET] and not page["own"]
    async with stage.as_("hr") as hr:
        everything = (await hr.get("/actions")).json()["items"]
        assert {one["kind"] for one in everything} == {"llamada_atencion"}
        done = await hr.post(f"{path}/annulment", json={"reason": "fue otra persona"})
        assert done.status_code == 202, done.text
        one = (await hr.get(path)).json()
        assert one["note"] == SECRET
        assert (one["annulled"]["who"], one["annulled"]["reason"]) == (
            "Prueba",
            "fue otra persona",
        )


async def test_nobody_else_reads_answers_or_annuls_a_reprimand(stage: Stage) -> None:
    path = await reprimanded(stage)
    tokens: dict[str, dict[str, str]] = {}
    for role in ("supervisor", "monitor", "hr", "admin", "switch"):
        teams = ["Mañana"] if role == "supervisor" else []
        token = stage.web.accounts.tokens.add(TESTER, f"x-{role}", role, teams=teams)
        tokens[f"token {role}"] = {"Authorization": f"Bearer {token}"}
    strangers: dict[str, dict[str, Any]] = {
        "another agent": {"role": "agent", "agent": "a002"},
        "another team": {"role": "supervisor", "teams": ["Tarde"]},
        "monitor": {"role": "monitor"},
        "admin": {"role": "admin"},
        "technician": {"role": "technician"},
        "hr of another team": {"role": "hr", "teams": ["Tarde"]},
    }
    heads = {name: headers_of(stage.web.login(**its)) for name, its in strangers.items()}
    day = str(TODAY)
    spans = [
        f"/api/v1/reports/{kind}?span={day}&format={form}"
        for kind in KINDS
        for form in ("json", "csv")
    ]
    reads = [
        "/api/v1" + path, "/api/v1/actions", "/api/v1/actions?agent=a001", "/api/v1/messages",
        "/api/v1/live", "/api/v1/alerts", f"/api/v1/agents/a001/page?day={day}",
        f"/api/v1/agents/a001/events?from={T0 - 10**8}&to={T0 + 10**8}", f"/handover?day={day}",
        f"/ui/register?day={day}", "/wall", *spans,
    ]  # fmt: skip
    async with httpx.AsyncClient(base_url=stage.web.url, timeout=60) as api:
        for name, head in (heads | tokens).items():
            for url in reads:
                text = (await api.get(url, headers=head)).text
                assert SECRET not in text and "Llamada de atención:" not in text, (name, url)
            for verb, body in (("reply", {"text": "x"}), ("annulment", {"reason": "x"})):
                answer = await api.post(f"/api/v1{path}/{verb}", json=body, headers=head)
                assert answer.status_code == 403, (name, verb, answer.text)
        hers = headers_of(stage.web.login("supervisor", teams=["Mañana"]))
        for url in (f"/handover?day={day}", *spans):  # on no sheet or report of hers either
            assert SECRET not in (await api.get(url, headers=hers)).text, url
        assert SECRET in (await api.get(f"/api/v1{path}", headers=hers)).text
    assert [one.act.action for one in stage.reader.acts()] == ["note"]


async def test_a_note_is_annulled_by_its_author_or_who_administers(stage: Stage) -> None:
    note = {"action": "note", "kind": "orientacion", "note": "saludo"}
    async with stage.as_("supervisor", teams=["Mañana"]) as author:
        first, second = [
            (await author.post("/agents/a001/actions", json=note)).json()["of"] for _ in range(2)
        ]
        paths = ["/actions/" + "/".join(map(str, of)) + "/annulment" for of in (first, second)]
        blank = await author.post(paths[0], json={"reason": "  "})
        assert (blank.status_code, blank.json()["detail"][:14]) == (422, "Diga el motivo")
        assert (await author.post(paths[0], json={"reason": "error"})).status_code == 202
    async with stage.as_("supervisor", teams=["Mañana"]) as other:
        assert (await other.post(paths[1], json={"reason": "error"})).status_code == 403
    async with stage.as_("monitor") as monitor:
        assert (await monitor.post(paths[1], json={"reason": "error"})).status_code == 403
    async with stage.as_("admin") as admin:
        assert (await admin.post(paths[1], json={"reason": "doble"})).status_code == 202
        items = (await admin.get("/actions")).json()["items"]
        assert [one["annulled"]["reason"] for one in items if one["action"] == "note"] == [
            "error", "doble",
        ]  # fmt: skip
        report = await admin.get("/reports/supervision", params={"span": str(TODAY)})
        register, actions = report.json()["sections"][:2]
        assert len(register["rows"]) == 2 and not actions["rows"]
        assert "anulada por Prueba" in report.text


async def test_help_is_taken_by_one_who_may_and_the_others_are_told(stage: Stage) -> None:
    await stage.tell(lambda one: one.add("help.requested", a="a001"))
    of = [S, stage.script.e, stage.script.n]
    taken = {"action": "help", "of": of, "state": "accepted"}
    for role, more in (
        ("technician", {}),
        ("agent", {"agent": "a001"}),
        ("hr", {}),
        ("supervisor", {"teams": ["Tarde"]}),
        ("monitor", {"teams": ["Tarde"]}),
    ):
        async with stage.as_(role, **more) as api:
            assert (await api.post("/help/actions", json=taken)).status_code == 403, role
    async with stage.as_("monitor") as api, stage.as_("supervisor", teams=["Mañana"]) as other:
        answer = await api.post("/help/actions", json=taken)
        assert answer.status_code == 202, answer.text
        command = await stage.play.command("help")
        assert (command["of"], command["by"]) == (of[2], "Prueba")
        refused = await other.post("/help/actions", json=taken)
        assert (refused.status_code, refused.json()["detail"]) == (
            409, "Prueba ya tiene este pedido. Tome otro, o pídale que se lo derive.",
        )  # fmt: skip
        english = await other.post("/help/actions", json=taken, headers={"Accept-Language": "en"})
        assert english.status_code == 409
        text = {"action": "message", "of": of, "reason": "ayuda", "text": "Es la opción 3"}
        assert (await api.post("/help/actions", json=text)).status_code == 202
        assert (await stage.play.command("text"))["agent"] == "a001"
        for wrong, status in (
            (text | {"text": "x" * 85}, 422),
            (text | {"agents": ["a002"]}, 422),
            ({"action": "help_noted", "of": of, "gap": "lost"}, 422),
            ({"action": "help_noted", "of": of, "gap": "none", "text": "x" * 1001}, 422),
            ({"action": "help_noted", "of": of}, 422),
            ({"action": "help_assigned", "of": of, "to": "nobody", "reason": "x"}, 422),
            ({"action": "help_assigned", "to": "nobody", "reason": "x"}, 422),
            (taken | {"state": "resolved", "result": "resuelto"}, 422),
            (taken | {"state": "resolved", "result": "a b"}, 422),
            ({"action": "logout", "reason": "x"}, 422),
            (taken | {"of": ["DIA-ffffffffffff", 1, 1]}, 404),
            (taken | {"of": ["x", 1, 1]}, 404),
        ):
            answer = await api.post("/help/actions", json=wrong)
            assert answer.status_code == status, (wrong, answer.text)
            assert answer.json()["detail"]
        note = {"action": "help_noted", "of": of, "gap": "missing", "text": "ñ" * 1000}
        assert (await api.post("/help/actions", json=note)).status_code == 202
        done = taken | {"state": "resolved", "result": "resuelta"}
        assert (await other.post("/help/actions", json=done)).status_code == 202
        gone = await api.post("/help/actions", json=taken)
        assert (gone.status_code, gone.json()["detail"].split(":")[0]) == (
            404, "Ese pedido ya no está abierto",
        )  # fmt: skip
