"""/ui/calls and its API: a call is found by what one knows of it, by whoever may; its recording is
held, heard elsewhere and handed over, and each of that is written down first.
"""

import array
import hashlib
import io
import json
import wave
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio
from diadema.access.authenticator import csrf
from diadema.recordings.index import Index
from diadema.words import section
from playwright.async_api import expect

from tests.support.broker_fixtures import until
from tests.support.calls_stage import CALLER, NOW, OTHERS, PAUSED, PBX, CallsStage
from tests.support.recorded_calls import RATE
from tests.support.web_stage import Hub, Nats, Web, content, headers_of, wait_for
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallsStage]:
    stage = CallsStage(tmp_path_factory.mktemp("calls"), many=60)
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def calls_web(made: CallsStage, nats_server: Nats) -> Iterator[Web]:
    """Elena supervises a001 and a003, Tito a002; Luz leads quality, Ana is a monitor."""
    web = Web(made.data.root, nats_server.url, made.centre.folder / "clock")
    web.start()
    made.begin(web)
    yield web
    web.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(made: CallsStage, hub: Hub, calls_web: Web) -> AsyncIterator[CallsStage]:
    await made.serve(hub)
    yield made
    await made.leave()


def entered(web: Web, account: str) -> dict[str, str]:
    secret = web.accounts.sessions.begin(account, "127.0.0.1")
    return {"diadema_session": secret, "diadema_csrf": csrf(secret)}


def api(web: Web, account: str, **more: str) -> httpx.AsyncClient:
    headers = headers_of(entered(web, account)) | more
    return httpx.AsyncClient(base_url=f"{web.url}/api/v1", headers=headers, timeout=60)


async def found(web: Web, account: str, **wanted: Any) -> list[dict[str, Any]]:
    days = {"start": "2026-11-18T00:00", "end": "2026-11-19T23:59"}
    async with api(web, account) as client:
        answer = await client.post("/calls/search", json=days | wanted)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def names(web: Web, account: str, **wanted: Any) -> list[str]:
    return [one["c"] for one in await found(web, account, **wanted)]


def path_of(stage: CallsStage, c: str) -> str:
    return "/calls/" + "/".join(map(str, stage.calls[c]))


# -- finding


async def test_by_what_one_knows_of_a_call(stage: CallsStage, calls_web: Web) -> None:
    web = calls_web
    assert await names(web, "luz", agent="a002") == ["c2"]
    assert await names(web, "luz", queue="soporte") == ["c3"]
    assert await names(web, "luz", code="112") == ["c3"]
    assert await names(web, "luz", call="c2") == ["c2"]
    assert await names(web, "luz", call=PBX) == ["c1"]
    assert await names(web, "luz", call="c") == []
    assert await names(web, "luz", number=CALLER) == ["c1"]
    assert await names(web, "luz", number="+51 987-654-321") == ["c1"]
    assert await names(web, "luz", number="999999999") == []
    (c1,) = await found(web, "luz", call="c1")
    first = {"start": "2026-11-18T00:00", "end": lima(c1["start"])}
    assert await names(web, "luz", **first) == ["c1"], "the minute that was written is in it"
    later = {"start": lima(c1["start"] + 60_000), "end": lima(c1["start"] + 600_000)}
    assert await names(web, "luz", **later) == ["c3", "c2"]


def lima(utc_ms: int) -> str:
    at = datetime.fromtimestamp(utc_ms / 1000, ZoneInfo("America/Lima"))
    return f"{at:%Y-%m-%dT%H:%M}"


async def test_page_by_page_the_newest_first_and_each_once(
    stage: CallsStage, calls_web: Web
) -> None:
    days = {"start": "2026-11-18T00:00", "end": "2026-11-19T23:59"}
    async with api(calls_web, "luz") as client:
        first = (await client.post("/calls/search", json=days)).json()
        rest = (await client.post("/calls/search", json=days | {"after": first["next"]})).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (50, 13, None)
    starts = [one["start"] for one in first["items"] + rest["items"]]
    assert starts == sorted(starts, reverse=True)
    assert len({one["c"] for one in first["items"] + rest["items"]}) == 63


async def test_of_each_call_how_it_stands_with_its_recording(
    stage: CallsStage, calls_web: Web
) -> None:
    by_name = {one["c"]: one for one in await found(calls_web, "luz", start="2026-11-18T00:00")}
    (c1,) = await found(calls_web, "luz", call="c1")
    (c3,) = await found(calls_web, "luz", call="c3")
    assert by_name and (c1["recording"], c1["pauses"], c1["hear"]) == ("linked", "respected", True)
    assert (c3["recording"], c3["reason"], c3["hear"]) == ("missing", "no_file", False)
    assert c1["label"] == "Consulta › Saldo › Ahorro"
    assert (c1["name"], c1["team"], c1["queue"]) == ("Rosa Quispe Huamán", "Mañana", "Ventas")
    assert c1["outside"] and not c1["held"] and not c1["expired"]


async def test_a_supervisor_finds_the_own_teams_calls_alone(
    stage: CallsStage, calls_web: Web
) -> None:
    assert await names(calls_web, "tito") == ["c2"]
    assert {one["a"] for one in await found(calls_web, "elena")} == {"a001"}
    async with api(calls_web, "tito") as client:
        assert (await client.get(path_of(stage, "c1"))).status_code == 403
        asked = {"agent": "a001"}
        assert (await client.post("/calls/search", json=asked)).status_code == 403
        assert (await client.get(path_of(stage, "c2"))).status_code == 200


async def test_a_monitor_does_not_find_what_is_to_be_evaluated_blind(
    stage: CallsStage, calls_web: Web
) -> None:
    assert await names(calls_web, "ana", agent="a002") == ["c2"]
    of = stage.monitor.assigned(stage.calls["c2"], agent="a002", to="ana", due=NOW + 60_000)
    for wanted in ({}, {"call": "c2"}, {"call": OTHERS}, {"agent": "a002"}):
        assert "c2" not in await names(calls_web, "ana", **wanted)
    async with api(calls_web, "ana") as client:
        answer = await client.get(path_of(stage, "c2"))
        assert answer.status_code == 404 and "c2" not in answer.text
    assert "c2" in await names(calls_web, "luz", agent="a002"), "another's are found"
    stage.monitor.submitted(of, stage.calls["c2"], agent="a002")
    assert await names(calls_web, "ana", agent="a002") == ["c2"], "once it was submitted"


async def test_a_number_is_in_no_address_answer_log_or_record(
    stage: CallsStage, calls_web: Web
) -> None:
    async with api(calls_web, "luz") as client:
        answer = await client.post("/calls/search", json={"number": CALLER})
        assert CALLER not in answer.text
        refused = await client.post("/calls/search", json={"number": CALLER * 9})
        assert refused.status_code == 422 and CALLER not in refused.text
        nobody = await client.post("/calls/search", json={"number": "anonymous"})
        assert nobody.status_code == 422 and "teléfono" in nobody.json()["detail"]
    async with api(calls_web, "luz", **{"idempotency-key": "abc"}) as client:
        named = await client.post("/calls/search", json={"number": CALLER})
        assert named.status_code == 422, "else a hash of it would be kept for a day"
    rows = audited(calls_web)
    assert any(what == "calls.number" for what, _ in rows)
    stores = [one for one in stage.data.root.rglob("*") if one.is_file()]
    index = {stage.data.recordings_index.name, stage.data.recordings_index.name + "-wal"}
    told = [one for one in stores if one.name not in index]
    assert told and not [one for one in told if CALLER.encode() in content(one)]


def audited(web: Web) -> list[tuple[str, list[str]]]:
    wait_for(lambda: any(one.what == "calls.number" for one in web.accounts.audit.rows()), "rows")
    return [(one.what, one.agents) for one in web.accounts.audit.rows()]


async def test_what_is_no_search_says_what_to_do(stage: CallsStage, calls_web: Web) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"start": "2026-11-19T00:00", "end": "2026-11-18T00:00"},
        {"start": "2026-01-01T00:00", "end": "2026-11-18T00:00"},
        {"start": "0001-01-01T00:00"},
        {"end": "0001-01-01T00:00:00Z"},
        {"start": "9999-12-31T23:00"},
        {"start": "9999-12-31T23:00:00-11:00"},
        {"agent": "no such!"},
        {"after": "x"},
        {"seat": "A-01"},
    )
    async with api(calls_web, "luz") as client:
        for one in wrong:
            answer = await client.post("/calls/search", json=one)
            assert answer.status_code == 422 and answer.json()["detail"], one
        assert "92 días" in (await client.post("/calls/search", json=wrong[0])).json()["detail"]
        gone = await client.get("/calls/DIA-0123456789ab/7/99999")
        assert gone.status_code == 404
        by_program = {"start": "2026-11-17T05:00:00Z"}
        assert (await client.post("/calls/search", json=by_program)).status_code == 200
    async with httpx.AsyncClient(base_url=calls_web.url, timeout=60) as nobody:
        answer = await nobody.post("/api/v1/calls/search", json={})
        assert answer.status_code == 401
    cookies = calls_web.login("admin")
    async with httpx.AsyncClient(
        base_url=calls_web.url, headers=headers_of(cookies), timeout=60
    ) as admin:
        answer = await admin.post("/api/v1/calls/search", json={})
        assert answer.status_code == 403, "administrar no es escuchar"


# -- holding and handing over


async def test_a_recording_is_held_and_let_go_with_a_reason(
    stage: CallsStage, calls_web: Web
) -> None:
    async with api(calls_web, "luz") as client:
        held = await client.post(
            f"{path_of(stage, 'c1')}/hold", json={"reason": "reclamo 118", "until": "2026-12-31"}
        )
        assert held.status_code == 202, held.text
        call = held.json()["call"]
        assert call["held"] and call["held_until"] == 1_798_779_600_000  # midnight in Lima
        act = [one for one in held.json()["acts"] if one["kind"] == "held"][-1]
        assert (act["kind"], act["by"], act["reason"]) == ("held", "luz", "reclamo 118")
        terms = (await client.get("/calls/terms")).json()
        assert terms == {"due": [], "held": 1, "instruction": ""}
        past = await client.post(
            f"{path_of(stage, 'c1')}/hold", json={"reason": "x", "until": "2026-11-01"}
        )
        assert past.status_code == 422 and "ya pasó" in past.json()["detail"]
        gone = await client.post(
            f"{path_of(stage, 'c1')}/hold", json={"reason": "se resolvió", "let_go": True}
        )
        assert not gone.json()["call"]["held"]
        missing = await client.post(f"{path_of(stage, 'c3')}/hold", json={"reason": "x"})
        assert missing.status_code == 409 and "no tiene grabación" in missing.json()["detail"]
    async with api(calls_web, "elena") as client:
        answer = await client.post(f"{path_of(stage, 'c1')}/hold", json={"reason": "x"})
        assert answer.status_code == 403


async def test_a_copy_is_registered_then_given_with_its_paused_stretch_silent(
    stage: CallsStage, calls_web: Web
) -> None:
    said = {"purpose": "arco", "receiver": "Teo Paz", "reason": "ARCO-12"}
    async with api(calls_web, "luz") as client:
        answer = await client.post(f"{path_of(stage, 'c1')}/copies", json=said)
        assert answer.status_code == 202, answer.text
        given = answer.json()
        assert stage.register()[-1]["k"] == "recording.released"
        acts = (await client.get(path_of(stage, "c1"))).json()["acts"]
        act = [one for one in acts if one["kind"] == "released"][-1]
        assert act["hash"] == given["hash"] and act["receiver"] == "Teo Paz"
        file = await client.get(given["file"].removeprefix("/api/v1"))
        assert file.status_code == 200
        assert hashlib.sha256(file.content).hexdigest() == given["hash"]
        assert file.headers["cache-control"] == "no-store"
        for name in (CALLER, "Rosa", "a001"):
            assert name not in file.headers["content-disposition"]
        with wave.open(io.BytesIO(file.content)) as sound:
            samples = array.array("h", sound.readframes(sound.getnframes()))
            assert (sound.getframerate(), sound.getnchannels()) == (RATE, 1)
        first, last = (round(at * RATE) for at in PAUSED)
        assert not any(samples[first:last]) and any(samples[: first - 2 * RATE])
        sheet = await client.get(f"{calls_web.url}{given['sheet']}?lang=es")
        assert sheet.status_code == 200
        for words in ("Teo Paz", "ARCO-12", "Luz Paz", "Rosa Quispe Huamán", given["hash"][:8]):
            assert words in sheet.text
        assert "<script" not in sheet.text.replace('<script src="', "").replace(
            '<script type="', ""
        )
        again = await client.get(given["file"].removeprefix("/api/v1"))
        assert again.content == file.content, "the same each time"
    async with api(calls_web, "elena") as client:
        answer = await client.post(f"{path_of(stage, 'c1')}/copies", json=said)
        assert answer.status_code == 403
        assert (await client.get(given["file"].removeprefix("/api/v1"))).status_code == 403
        assert (await client.get(f"{calls_web.url}{given['sheet']}")).status_code == 403


async def test_no_copy_of_what_may_not_be_heard_or_is_another_file_by_now(
    stage: CallsStage, calls_web: Web
) -> None:
    said = {"purpose": "judicial", "receiver": "Juzgado 3", "reason": "oficio 9"}
    async with api(calls_web, "luz") as client:
        before = len(stage.register())
        none = await client.post(f"{path_of(stage, 'c3')}/copies", json=said)
        assert none.status_code == 409 and "no tiene grabación" in none.json()["detail"]
        for wrong in ({"purpose": "curiosidad"}, {"receiver": ""}, {"reason": "x" * 41}):
            answer = await client.post(f"{path_of(stage, 'c1')}/copies", json=said | wrong)
            assert answer.status_code == 422
        assert len(stage.register()) == before
        given = (await client.post(f"{path_of(stage, 'c2')}/copies", json=said)).json()
        with Index(stage.data.recordings_index) as index:
            link = index.link(stage.calls["c2"])
            assert link is not None and link.file is not None
            file = index.file(link.file)
            assert file is not None
        place = stage.centre.root / file.found.path
        kept = place.read_bytes()
        try:
            place.write_bytes(kept[:-2] + b"\x01\x02")
            changed = await client.get(given["file"].removeprefix("/api/v1"))
            assert changed.status_code == 409 and "cambió" in changed.json()["detail"]
        finally:
            place.write_bytes(kept)
        other = await client.get("/calls/copies/HUB-main/1/999999")
        assert other.status_code == 404


# -- hearing


async def test_who_may_hears_it_with_its_marks_and_the_register_has_it(
    stage: CallsStage, calls_web: Web
) -> None:
    async with api(calls_web, "elena") as client:
        answer = await client.post(
            f"{path_of(stage, 'c1')}/listening", json={"purpose": "complaint"}
        )
        assert answer.status_code == 202, answer.text
        heard = answer.json()
        kinds = {(one["kind"], one["ms"], one["to"]) for one in heard["marks"]}
        assert {("answer", 2000, None), ("pause", 10_000, 15_000)} <= kinds
        sound = heard["sound"]
        part = await client.get(
            sound["sound"].removeprefix("/api/v1"), headers={"Range": "bytes=0-31999"}
        )
        assert part.status_code == 206 and any(part.content)
        ended = await client.post(f"/listenings/{sound['listening']}/end")
        assert ended.status_code == 202
        begun, over = stage.register()[-2:]
        assert (begun["k"], begun["purpose"]) == ("listening.started", "complaint")
        assert (over["k"], over["heard_ms"]) == ("listening.ended", 2000)
        none = await client.post(f"{path_of(stage, 'c3')}/listening", json={"purpose": "help"})
        assert none.status_code == 409 and "no tiene grabación" in none.json()["detail"]
        wrong = await client.post(f"{path_of(stage, 'c1')}/listening", json={"purpose": "case"})
        assert wrong.status_code == 403 and "propósito" in wrong.json()["detail"]
    for account in ("tito", "ana"):
        async with api(calls_web, account) as client:
            answer = await client.post(
                f"{path_of(stage, 'c1')}/listening", json={"purpose": "complaint"}
            )
            assert answer.status_code == 403


async def test_from_the_page_it_is_found_heard_and_closed(
    stage: CallsStage, calls_web: Web, open_page: OpenPage
) -> None:
    page = await open_page(f"{calls_web.url}/ui/calls", cookies=entered(calls_web, "luz"))
    await page.get_by_label("Desde").fill("2026-11-18T00:00")
    await page.get_by_label("Teléfono del usuario").fill(CALLER)
    await page.get_by_role("button", name="Buscar", exact=True).click()
    await expect(page.locator(".status")).to_have_text("1 llamada")
    call = page.locator(".call")
    await expect(call).to_contain_text("Rosa Quispe Huamán")
    assert CALLER not in page.url
    await call.get_by_role("button", name="Escuchar").click()
    await page.get_by_label("¿Para qué la escucha?").select_option("coaching")
    await page.get_by_role("button", name="Empezar a escuchar").click()
    await expect(page.locator(".player .mark[data-kind=pause]")).to_be_visible()
    assert stage.register()[-1]["purpose"] == "coaching"
    await page.get_by_role("button", name="Terminar de escuchar").click()
    await expect(page.locator(".player")).to_have_count(0)
    await until(lambda: stage.register()[-1]["k"] == "listening.ended")
    await call.get_by_role("button", name="Entregar copia").click()
    await page.get_by_label("Quién la recibe").fill("Teo Paz")
    await page.get_by_label("Documento o razón").fill("ARCO-13")
    await page.get_by_role("button", name="Registrar y preparar").click()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Descargar el audio (WAV)").click()
    file = await (await download.value).path()
    assert file.read_bytes()[:4] == b"RIFF"
    await call.get_by_role("button", name="Detalle").click()
    await expect(page.locator(".acts")).to_contain_text("copia para Teo Paz")


# -- where another platform has it


async def test_the_other_platforms_address_comes_after_the_register_has_it(
    stage: CallsStage, calls_web: Web
) -> None:
    async with api(calls_web, "elena") as client:
        answer = await client.post(f"{path_of(stage, 'c1')}/outside", json={"purpose": "coaching"})
        assert answer.status_code == 202, answer.text
        told = answer.json()
        assert told["address"] == f"https://graba.example/ver?id={PBX}"
        begun = stage.register()[-1]
        assert (begun["k"], begun["via"], begun["by"]) == ("listening.started", "outside", "elena")
        said = await client.post(f"/calls/outside/{told['listening']}", json={"minutes": 0})
        assert said.status_code == 202, said.text
        assert stage.register()[-1]["k"] == "listening.ended"
        again = await client.post(f"/calls/outside/{told['listening']}", json={"minutes": 1})
        assert again.status_code == 404 and "terminó" in again.json()["detail"]
        drawn = await client.post(
            f"{path_of(stage, 'c1')}/outside", json={"purpose": "evaluation"}
        )
        assert drawn.status_code == 403 and "propósito" in drawn.json()["detail"]
        assert stage.register()[-1]["k"] == "listening.refused"
    async with api(calls_web, "ana") as client:
        answer = await client.post(f"{path_of(stage, 'c1')}/outside", json={"purpose": "coaching"})
        assert answer.status_code == 403


async def test_both_languages_have_every_word() -> None:
    for area in ("calls", "listening"):
        es, en = section(area, "es"), section(area, "en")
        assert es.keys() == en.keys() and json.dumps(dict(es))
