"""A write that names itself by `Idempotency-Key` is done once: asked again, also of a hub that was
silent and of processes that were started again, it gets the same answer.
"""

import asyncio
import secrets
import signal
import sqlite3

import httpx
import pytest

from tests.host.web.test_acting import Stage, stage  # noqa: F401
from tests.support.scripted_station import S
from tests.support.web_stage import BEARER, Hub, Web
from tests.support.web_viewer import OpenPage

shared = pytest.mark.asyncio(loop_scope="session")
NOTE = {"action": "note", "kind": "orientacion", "note": "dicho en persona"}
DAY = {"kind": "justified", "day": "2026-11-18", "reason": "cita médica"}
ORDER = {"name": "diario", "kind": "asistencia", "at": "06:00"}


def named(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or secrets.token_hex(16)}


async def test_what_a_silent_hub_did_all_the_same_is_not_done_again(
    stage: Stage,  # noqa: F811
) -> None:
    """Nor what it did before the web lost its answer, or both were started again."""
    switch = {"Authorization": f"Bearer {stage.broker.secrets.api}"}
    ring = {"cmd": "ring", "contact": "c-9", "direction": "in"}
    asked = [
        ("/agents/a001/actions", NOTE, {}),
        ("/agents/a001/corrections", DAY, {}),
        (f"/stations/{S}/commands", ring, switch),
    ]
    heads = [named() | more for *_, more in asked]

    async def all_of_them(api: httpx.AsyncClient) -> list[httpx.Response]:
        each = zip(asked, heads, strict=True)
        sent = [api.post(path, json=body, headers=head) for (path, body, _), head in each]
        return list(await asyncio.gather(*sent))

    async with stage.as_() as api:
        stage.ingest.process.send_signal(signal.SIGSTOP)
        try:
            silent = await all_of_them(api)
        finally:
            stage.ingest.process.send_signal(signal.SIGCONT)
        assert {one.status_code for one in silent} == {503}
        done = await all_of_them(api)
        while 503 in [one.status_code for one in done]:  # it still works off what waited
            done = await all_of_them(api)
        assert [one.status_code for one in done] == [202, 201, 202]
        with sqlite3.connect(stage.broker.data.accounts) as accounts:
            assert accounts.execute("DELETE FROM answers").rowcount == 3
        again = [await all_of_them(api)]
        await stage.ingest.stop(kill=True)
        await stage.ingest.start()
        stage.web.kill()
        stage.web.start()
    async with httpx.AsyncClient(
        base_url=f"{stage.web.url}/api/v1", cookies=api.cookies, timeout=60
    ) as after:
        after.headers.update(api.headers)
        again.append(await all_of_them(after))
    told = [(one.status_code, one.json()) for one in done]
    assert [[(one.status_code, one.json()) for one in each] for each in again] == [told, told]
    assert (len(stage.reader.acts()), len(stage.reader.corrections())) == (1, 1)
    with sqlite3.connect(stage.broker.data.store) as store:
        count = "SELECT count(*) FROM commands WHERE cmd = 'ring'"
        assert store.execute(count).fetchone() == (1,)


@shared
async def test_a_key_is_of_one_request_and_of_one_person(web: Web, hub: Hub) -> None:
    head = named("clave-1")
    first, second = ({**BEARER, **head}, web.login())
    async with httpx.AsyncClient(base_url=f"{web.url}/api/v1", timeout=300) as api:
        path = f"/stations/{S}/commands"
        ring = {"cmd": "ring", "contact": "c-1", "direction": "in"}
        hub.answer = lambda _: {"i": len(hub.asked), "of": ["HUB-test", 1, 1]}
        one = await api.post(path, json=ring, headers=first)
        assert (await api.post(path, json=ring, headers=first)).json() == one.json()
        other = await api.post(path, json=ring | {"contact": "c-2"}, headers=first)
        assert other.status_code == 422
        assert other.json()["detail"].startswith("Esa Idempotency-Key")
        assert len(hub.asked) == 1
        hers = {"Cookie": f"diadema_session={second['diadema_session']}",
                "x-csrf-token": second["diadema_csrf"], **head}  # fmt: skip
        assert (await api.post("/agents/a001/actions", json=NOTE, headers=hers)).status_code == 202
        assert len(hub.asked) == 2
        bad = await api.post(path, json=ring, headers=first | {"Idempotency-Key": "x" * 300})
        assert bad.status_code == 422


@shared
async def test_what_was_refused_may_be_tried_again_by_the_same_key(web: Web, hub: Hub) -> None:
    head = {**BEARER, **named()}
    path, ring = f"{web.url}/api/v1/stations/{S}/commands", {"cmd": "ring", "contact": "c-1"}
    usual = hub.answer
    hub.answer = lambda _: {"error": "unknown_station", "detail": "", "status": 404}
    async with httpx.AsyncClient(timeout=300) as api:
        assert (await api.post(path, json=ring, headers=head)).status_code == 404
        hub.answer = usual
        assert (await api.post(path, json=ring, headers=head)).status_code == 202


def test_what_needs_no_hub_is_done_once_too(worked_web: Web) -> None:
    head = {**BEARER, **named()}
    path = f"{worked_web.url}/api/v1/reports/schedules"
    answers = [httpx.post(path, json=ORDER, headers=head, timeout=300) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    gone = [httpx.delete(f"{path}/diario", headers=head | named(), timeout=300) for _ in range(2)]
    assert [one.status_code for one in gone] == [204, 404]


@shared
async def test_an_answer_is_not_to_be_read_in_the_file(web: Web, hub: Hub) -> None:
    """It may hold a code for one use; only who has the key gets it again, and for a day."""
    hub.answer = lambda _: {"i": None, "of": ["HUB-test", 1, 1], "code": "GEHEIM"}
    head = {**BEARER, **named("nicht-lesbar")}
    body = {"action": "pin_reset", "reason": "olvidó"}
    async with httpx.AsyncClient(base_url=f"{web.url}/api/v1", headers=head, timeout=300) as api:
        assert (await api.post("/agents/a001/actions", json=body)).json()["code"] == "GEHEIM"
        assert (await api.post("/agents/a001/actions", json=body)).json()["code"] == "GEHEIM"
        with sqlite3.connect(web.folder / "accounts.sqlite3") as accounts:
            kept = b"".join(
                str(one).encode() if not isinstance(one, bytes) else one
                for row in accounts.execute("SELECT * FROM answers")
                for one in row
            )
            assert b"GEHEIM" not in kept and b"nicht-lesbar" not in kept
            accounts.execute("UPDATE answers SET at_ms = at_ms - 86400001")
        await api.post("/agents/a001/actions", json=body)
        assert len(hub.asked) == 2


@shared
async def test_the_pages_say_which_write_it_is_until_it_is_answered(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    """Pressed again after a failure it is the same write; after an answer it is another."""
    page = await open_page(f"{web.url}/ui/")
    keys: list[str] = []
    page.on("request", lambda one: keys.append(one.headers.get("idempotency-key", ""))
            if one.method == "POST" and "/actions" in one.url else None)  # fmt: skip
    press = """async () => {
      const { ask } = await import("/static/ask.js");
      try {
        await ask("POST", "/api/v1/agents/a001/actions",
                  { action: "note", kind: "orientacion", note: "x" });
      } catch (error) { return error.status; }
      return 200;
    }"""
    hub.silent = True
    assert await page.evaluate(press) == 503
    hub.silent = False
    assert [await page.evaluate(press) for _ in range(2)] == [200, 200]
    assert len(keys) == 3 and all(len(key) >= 32 for key in keys)
    assert keys[0] == keys[1] != keys[2]
