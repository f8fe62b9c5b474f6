"""A supervisor and a station at work, nothing left out but the browser: the real firmware in the
VM, gateway, NATS, ingest and web. What he does is on her screen and in the register.
"""

import asyncio
import contextlib
import time

import httpx
from diadema_sim import people
from diadema_sim import sample_assistance as assistance
from diadema_sim.centre import open_centre

from tests.support.screen_words import as_text, find
from tests.support.supervisor import bearer

HERS = "253416"
SPANISH = {"accept-language": "es"}


class Supervisor:
    def __init__(self, centre, api, agent):
        self.centre, self._api, self._agent = centre, api, agent

    async def act(self, **body):
        answer = await self._api.post(f"/agents/{self._agent}/actions", json=body)
        assert answer.status_code == 202, answer.text
        return answer.json()["of"]

    async def outcome(self, of):
        """What became of it, once it is known."""
        async with asyncio.timeout(300):
            while True:
                s, e, n = of
                entry = (await self._api.get(f"/actions/{s}/{e}/{n}")).json()
                if entry["outcome"]["result"] != "waiting":
                    return entry
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def at_work(tmp_path, **more):
    desks = people.desks(2)
    async with open_centre(
        desks,
        name="Centro de muestra",
        zone="America/Lima",
        tree=people.LIMA_TREE,
        start_utc_ms=int(time.time() * 1000),
        data=tmp_path / "data",
        **more,
    ) as centre:
        await centre.switch_on()
        desk = centre.agents[0]
        if "pins" in more:
            await tapped_in(desk, desk.desk.person.pin)
        else:
            await desk.log_in()
        await desk.get_ready()
        url = f"{centre.web}/api/v1"
        headers = bearer(centre) | SPANISH
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=300) as api:
            yield desk, Supervisor(centre, api, desks[0].person.id), api


async def shows(desk, *texts):
    """All of these stand on the station's screen."""
    try:
        async with asyncio.timeout(300):
            screen = b""
            while not screen or not all(find(screen, text) for text in texts):
                screen = await desk.station.screen()
    except TimeoutError:
        raise AssertionError(as_text(await desk.station.screen())) from None


def code_of(desk):
    nodes = desk.site["tree"]["nodes"]
    return nodes[0][2][0][2][0][0]


async def test_what_a_supervisor_does_is_on_her_screen_and_in_the_register(tmp_path):
    async with at_work(tmp_path) as (desk, supervisor, api):
        since = desk.seen
        of = await supervisor.act(action="message", text="Llame al anexo 14", reason="aviso")
        await desk.expect("message.shown", since)
        await shows(desk, "Llame al anexo 14")
        await desk.keys([6])
        await desk.expect("message.acknowledged", since, answer="read")
        entry = await supervisor.outcome(of)
        assert entry["outcome"]["event"] == "message.shown"
        async with asyncio.timeout(300):
            while not (await api.get("/messages")).json()[0]["answer"]:
                await asyncio.sleep(0.05)

        since = desk.seen
        reason = desk.site["reasons"][0]["code"]
        of = await supervisor.act(action="presence", reason=reason, note="cubre la otra sala")
        await desk.expect("presence.changed", since, reason=reason, by="supervisor")
        await shows(desk, "cubre la otra sala")
        entry = await supervisor.outcome(of)
        assert (entry["outcome"]["event"], entry["reason"]) == ("presence.changed", reason)
        await desk.get_ready()

        await desk.ring("C-1", queue="Consultas")
        await desk.answer("C-1")
        since = desk.seen
        of = await supervisor.act(action="logout", reason="fin de turno")
        await desk.expect("session.corrected", since, reason="supervisor")
        entry = await supervisor.outcome(of)
        assert (entry["outcome"]["result"], entry["by"]) == ("done", "hub")
        await desk.hang_up("C-1")
        assert not [one for one in told(desk, since) if one["k"] == "session.closed"]
        await desk.typify_after("C-1", code_of(desk))
        closed = (await desk.expect("session.closed", since)).event
        assert (closed["reason"], closed["by"]) == ("supervisor", "supervisor")
        assert closed["who"] == entry["who"]
        await shows(desk, "La cerró hub", "fin de turno")
        kinds = [one["k"] for one in told(desk, since)]
        assert kinds.index("wrapup.ended") < kinds.index("session.closed")
        refused = await api.post(f"/agents/{desk.desk.person.id}/actions",
                                 json={"action": "logout", "reason": "otra vez"})  # fmt: skip
        assert refused.status_code == 409


async def test_help_is_answered_from_the_register_and_a_wrap_up_is_ended(tmp_path):
    async with at_work(tmp_path) as (desk, supervisor, _):
        since = desk.seen
        request = await desk.request_help("sistema")
        await supervisor.outcome(await supervisor.act(action="help", state="accepted"))
        await desk.expect("help.accepted", since)
        await supervisor.outcome(await supervisor.act(action="help", state="resolved"))
        await desk.expect("help.resolved", since)
        await shows(desk, "¿Le sirvió?", "Sí", "No")
        rated = (await desk.rate_help(served=False)).event
        assert rated["of"] == [desk.station.id, request.epoch, request.sequence]
        await desk.ring("C-1", queue="Consultas")
        await desk.answer("C-1")
        await desk.hang_up("C-1")
        entry = await supervisor.outcome(
            await supervisor.act(action="wrapup_closed", reason="cola llena")
        )
        assert entry["outcome"]["event"] == "wrapup.ended"
        await desk.expect("wrapup.ended", since, c="C-1", cause="supervisor")


async def test_a_fault_that_is_not_mended_is_reported_anew(tmp_path):
    async with at_work(tmp_path) as (desk, supervisor, _):
        await desk.report_fault("audio", "ruido")
        for works, answer in ((False, "no"), (True, "yes")):
            since = desk.seen
            await supervisor.outcome(await supervisor.act(action="fault", state="resolved"))
            confirmed = await desk.confirm_fault(works=works)
            assert confirmed.event["answer"] == answer
            kinds = [one["k"] for one in told(desk, since)]
            assert ("fault.reported" in kinds) == (not works)
        assert desk.presence == "not_ready"
        await desk.get_ready()


async def test_a_supervisor_leaves_out_the_self_test_of_a_shift(tmp_path):
    tools = {"tools": assistance.TOOLS}
    async with at_work(tmp_path, selftest=True, catalogues=tools) as (desk, supervisor, api):
        assert ("station.selftest", True) in {
            (one["k"], one.get("fit")) for one in told(desk, 0)
        }  # each tool took a key
        late = supervisor.centre.agents[1]
        since = late.seen
        await late.station.tap(late.desk.person.badge, 600)
        await shows(late, "Autoprueba", "Empezar")
        of = await Supervisor(supervisor.centre, api, late.desk.person.id).act(
            action="selftest_skipped", reason="colas llenas"
        )
        skipped = (await late.expect("station.selftest", since)).event
        assert (skipped["skipped"], "tools" in skipped) == ("supervisor", False)
        assert (await supervisor.outcome(of))["outcome"]["event"] == "station.selftest"
        await late.get_ready()


async def test_who_wants_to_go_on_answers_what_is_asked_first(tmp_path):
    async with at_work(tmp_path) as (desk, supervisor, _):
        await desk.request_help("sistema")
        await supervisor.outcome(await supervisor.act(action="help", state="resolved"))
        await shows(desk, "¿Le sirvió?")
        since = desk.seen
        await desk.pause("break")
        assert [one["k"] for one in told(desk, since)] == ["help.rated", "presence.changed"]


async def typed(desk, pin):
    for digit in pin:
        await desk.keys([int(digit)])
        await desk.world.sleep(200)


async def tapped_in(desk, *pins):
    """By badge and PIN."""
    since = desk.seen
    await desk.station.tap(desk.desk.person.badge)
    for words, pin in zip(("PIN", "Elija su PIN", "Otra vez el mismo"), pins, strict=False):
        await shows(desk, words)
        await typed(desk, pin)
    await desk.expect("session.opened", since, method="badge_pin")
    await desk.expect("presence.changed", since)


async def test_a_pin_that_was_reset_is_chosen_anew_at_the_station(tmp_path):
    async with at_work(tmp_path, pins=True) as (desk, _, api):
        since = desk.seen
        answer = await api.post(
            f"/agents/{desk.desk.person.id}/actions",
            json={"action": "pin_reset", "reason": "la olvidó"},
        )
        code = answer.json()["code"]
        await desk.expect("message.shown", since)
        await desk.expect("station.config", since)
        await desk.keys([6])
        await desk.log_out()
        await desk.world.sleep(6_000)
        since = desk.seen
        await tapped_in(desk, code, HERS, HERS)
        await desk.expect("pin.chosen", since)
        everything = str(told(desk, 0))
        assert HERS not in everything and code not in everything
        await desk.expect("station.config", since)  # with hers in place of the code
        await desk.log_out()
        await desk.world.sleep(6_000)
        since = desk.seen
        await desk.station.tap(desk.desk.person.badge)
        await shows(desk, "PIN")
        await typed(desk, code)
        await desk.expect("session.denied", since, reason="wrong_pin")
        await desk.world.sleep(500)
        await typed(desk, HERS)
        await desk.expect("session.opened", since)


def told(desk, since):
    return [seen.event for seen in desk.world.witness.events(desk.desk.station)[since:]]
