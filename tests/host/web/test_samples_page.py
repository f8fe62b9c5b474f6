"""/ui/quality/samples: what comes first, what was committed to, drawn, exported, annulled; what a
rule points at; and nothing of it to whoever evaluates it blind.
"""

import asyncio
import io
import re
import shlex
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.quality.drawing import Wanted, count_late
from diadema.quality.periods import period_at
from diadema.quality.sample_file import verify
from diadema.store import open_reader
from diadema.store.quality import draws
from playwright.async_api import Page, expect

from tests.support.command_line import parse
from tests.support.quality_stage import LIMA, QualityStage, at
from tests.support.web_stage import Hub, Nats, headers_of
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PATH, API = "/ui/quality/samples", "/api/v1/quality/samples"
WEEK = "2026-W48"
AFTER = (2026, 11, 30, 10, 30)


@pytest_asyncio.fixture(loop_scope="session")
async def stage(own_nats: Nats, tmp_path: Path) -> AsyncIterator[QualityStage]:
    hub = await Hub.open(own_nats.url)
    await hub.site()
    await hub.client.close()  # the stage answers in its place
    made = QualityStage(tmp_path / "stage", own_nats.url)
    client = await made.listen()
    yield made
    await client.close()
    made.close()


def api(stage: QualityStage, account: str = "luz", language: str = "es") -> httpx.AsyncClient:
    headers = headers_of(stage.cookies(account)) | {"accept-language": language}
    return httpx.AsyncClient(base_url=stage.web.url, headers=headers, timeout=300)


async def opened(
    stage: QualityStage, open_page: OpenPage, path: str, account: str = "luz", **options: Any
) -> Page:
    url = f"{stage.web.url}{path}{'&' if '?' in path else '?'}lang=es"
    return await open_page(url, cookies=stage.cookies(account), role="quality_lead", **options)


async def get(stage: QualityStage, path: str, account: str = "luz") -> Any:
    async with api(stage, account) as client:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_what_comes_first_is_said_in_order_until_it_is_there(
    stage: QualityStage, open_page: OpenPage
) -> None:
    page = await opened(stage, open_page, PATH)
    steps = page.locator(".steps li")
    await expect(steps).to_have_count(3)
    assert [await one.locator("a").inner_text() for one in await steps.all()] == [
        "Avisos", "Planilla", "Plan de muestreo",
    ]  # fmt: skip
    await expect(page.locator("[aria-current=step]")).to_contain_text("Avisos")
    await stage.inform()
    await page.reload()
    await expect(page.locator("[aria-current=step]")).to_contain_text("Planilla")
    stage.scorecard()
    stage.plan("semanal", monitors=["ana", "nadie"])
    await page.reload()
    await expect(page.locator("[data-done]")).to_have_count(2)
    plan = page.locator("[data-plan=semanal]")
    await expect(plan).to_contain_text("Su planilla «atencion» no está publicada")
    await expect(plan).to_contain_text("Sin cuenta activa: nadie")
    await stage.publish("scorecards")
    await page.reload()
    await expect(page.locator(".steps")).to_have_count(0)
    await expect(plan).to_contain_text("2 por asesor, cada semana · todo el centro")
    await expect(plan).to_contain_text("todavía no se sabe cuánto toma cada una")


async def test_plans_that_nobody_could_work_off_are_refused(stage: QualityStage) -> None:
    stage.scorecard()
    stage.put("supervisors", account="sonia", teams=["Mañana"])
    given = {"code": "x", "name": "X", "scorecard": "atencion", "per_agent": 2}
    async with api(stage) as client:
        for change, word in (
            ({"monitors": []}, "monitores"),
            ({"monitors": ["sonia"], "teams": ["Mañana"]}, "monitor"),
            ({"monitors": ["ana"], "per_agent": None}, "llamadas"),
        ):
            body = {"entry": given | change, "reason": "prueba"}
            refused = await client.put("/api/v1/people/sample_plans/x", json=body)
            assert refused.status_code == 422, refused.text
            assert word in refused.json()["detail"].lower(), refused.text


async def test_a_period_is_committed_to_drawn_and_checked_by_its_file_alone(
    stage: QualityStage, open_page: OpenPage, tmp_path: Path
) -> None:
    await stage.set_up("semanal")
    stage.plan("tarde", name="Tarde", teams=["Tarde"])
    stage.at(2026, 11, 24, 8)  # in the middle of the week
    where = f"{PATH}/semanal/{WEEK}"
    page = await opened(stage, open_page, where)
    committed = (await get(stage, f"{API}/semanal/{WEEK}"))["commit"]
    await expect(page.locator("main")).to_contain_text(committed)
    await expect(page.locator("main")).to_contain_text("sellado hasta el 30/11/2026 00:00:00")
    await expect(page.locator("main")).to_contain_text("se publicó antes de que empezaran")
    await expect(page.locator("main")).to_contain_text("Sortea de las mismas llamadas: tarde")
    late = await opened(stage, open_page, f"{PATH}/tarde/{WEEK}")
    await expect(late.locator("main")).to_contain_text("después del 24/11/2026 08:00:00")

    stage.week(5)
    stage.calls(1, at(2026, 11, 28, 12), talk=5000)
    stage.put("sample_exclusions", agent="a006", why="leave")
    stage.at(*AFTER)
    found = await get(stage, f"{API}/semanal/{WEEK}")
    (draw,) = found["draws"]
    assert (found["state"], draw["frame"], draw["chosen"]) == ("drawn", 26, 10)
    assert draw["excluded"]["agent_excluded"] == 5
    assert sum(one["assigned"] for one in draw["monitors"]) == 10 + 5, "five are seen twice"
    await page.reload()
    main = page.locator("main")
    for said in ("5 de asesores excluidos", draw["frame_hash"], draw["secret"], "Ana Ríos"):
        await expect(main).to_contain_text(said)
    await page.get_by_text("Por estrato: 5 estratos").click()
    await expect(page.get_by_role("rowheader", name="Inventada 1")).to_be_visible()

    command = await page.locator("pre.command").inner_text()
    assert parse(shlex.split(command)[1:])
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Exportar (ZIP)").click()
    file = tmp_path / (await download.value).suggested_filename
    await (await download.value).save_as(file)
    assert file.name in command
    verified = verify(file, committed, draw["frame_hash"])
    assert (verified.faults, verified.chosen, verified.sample.period.word) == ([], 10, WEEK)
    assert verify(file, "0" * 64).faults != []

    listed = await opened(stage, open_page, PATH)
    await expect(listed.locator("[data-plan=semanal]")).to_contain_text("0 de 10 evaluadas")
    await expect(listed.locator("[data-plan=semanal]")).to_contain_text(re.compile(
        r"\d+ escuchas ≈ \d+ h; su equipo: 2 × \d+ h"))  # fmt: skip
    paper = await opened(stage, open_page, f"{where}/commitment")
    await paper.emulate_media(media="print")
    await expect(paper.locator(".hash.large")).to_have_text(committed)
    await expect(paper.locator(".crumbs")).to_be_hidden()


async def test_no_answer_says_how_anybody_was_scored(
    stage: QualityStage, open_page: OpenPage
) -> None:
    await stage.set_up("semanal")
    stage.week(3)
    stage.at(*AFTER)
    mine = next(one for one in stage.assigned() if one.assignment.assignee == "ana")
    stage.submit(mine, "1111111222211")  # of the template, section by section
    found = await get(stage, f"{API}/semanal/{WEEK}")
    assert {one["account"]: one["done"] for one in found["draws"][0]["monitors"]} == {
        "ana": 1, "noe": 0,
    }  # fmt: skip
    page = await opened(stage, open_page, f"{PATH}/semanal/{WEEK}")
    texts = [str(found), str(await get(stage, API)), await page.content()]
    for word in ("score", "answers", "raw"):
        assert not any(f"'{word}'" in text or f">{word}" in text for text in texts)
    assert not any("100.0" in text for text in texts)


async def test_it_is_drawn_by_hand_once_it_is_over_and_once_only(
    stage: QualityStage, open_page: OpenPage
) -> None:
    await stage.set_up("semanal")
    stage.week(2)
    wanted = {"plan": "semanal", "period": WEEK}
    for language, said in (("es", "no ha terminado"), ("en", "not over")):
        async with api(stage, language=language) as client:
            refused = await client.post(f"{API}/draws", json=wanted)
            assert refused.status_code == 422 and said in refused.json()["detail"], refused.text
    async with api(stage) as client:
        for wrong, status in (({"plan": "nada"}, 404), ({"period": "2026-W20"}, 409),
                              ({"period": "ayer"}, 422)):  # fmt: skip
            answer = await client.post(f"{API}/draws", json=wanted | wrong)
            assert answer.status_code == status, answer.text
    stage.at(2026, 11, 30, 0, 30)  # before the clock draws it
    page = await opened(stage, open_page, f"{PATH}/semanal/{WEEK}")
    await expect(page.locator(".standing")).to_contain_text("por sortear")
    await page.get_by_role("button", name="Sortear ahora").click()
    await expect(page.locator(".standing")).to_contain_text("sorteado")
    async with api(stage) as client:
        again = await client.post(f"{API}/draws", json=wanted)
        assert again.status_code == 409, again.text
    stage.at(*AFTER)
    assert len((await get(stage, f"{API}/semanal/{WEEK}"))["draws"]) == 1


async def test_of_two_who_draw_at_once_there_is_one_draw(stage: QualityStage) -> None:
    await stage.set_up("semanal")
    stage.web.accounts.book.add(
        stage.tester, "eva", "Eva Ruiz", "quality_lead", password="una frase de prueba"
    )
    stage.week(2)
    stage.at(2026, 11, 30, 0, 30)
    wanted = {"plan": "semanal", "period": WEEK}
    async with api(stage) as luz, api(stage, "eva") as eva:
        answers = await asyncio.gather(
            *(client.post(f"{API}/draws", json=wanted) for client in (luz, eva, luz, eva))
        )
    codes = {one.status_code for one in answers}
    assert codes <= {202, 409} and 202 in codes, [one.text for one in answers]
    (draw,) = (await get(stage, f"{API}/semanal/{WEEK}"))["draws"]
    assert draw["chosen"] == 12
    with open_reader(stage.data.store) as reader, reader.engine.connect() as tx:
        assert len([one for one in draws(tx, plan="semanal") if one.drawn]) == 1


async def test_what_arrives_after_the_draw_is_counted_and_drawn_for_itself(
    stage: QualityStage, open_page: OpenPage
) -> None:
    await stage.set_up("semanal")
    for n in range(2, 7):
        stage.calls(n, at(2026, 11, 25, 9), at(2026, 11, 26, 9), at(2026, 11, 27, 9))
    stage.at(*AFTER)
    stage.calls(1, *(at(2026, 11, 25, 9, k) for k in range(7)))  # of a station that was away
    with open_reader(stage.data.store) as reader, reader.engine.connect() as tx:
        step = next(one.planned for one in draws(tx, plan="semanal") if one.drawn)
    period = period_at(step.start_utc, step.end_utc, LIMA, step.utc)
    count_late(stage.data, Wanted(plan="semanal", version=step.version, period=period,
                                  commit=step.commitment))  # fmt: skip
    page = await opened(stage, open_page, PATH)
    await expect(page.locator("[data-plan=semanal]")).to_contain_text(
        f"De {WEEK} llegaron 7 después del sorteo."
    )
    await page.get_by_role("link", name=WEEK).click()
    await page.get_by_role("button", name="Sortear las que llegaron").click()
    await expect(page.locator("section.draw")).to_have_count(2)
    await expect(page.locator("main")).to_contain_text("El sorteo de las que llegaron después")
    first, later = (await get(stage, f"{API}/semanal/{WEEK}"))["draws"]
    assert (first["chosen"], later["chosen"], later["late"]) == (10, 2, True)
    await expect(page.get_by_role("button", name="Sortear las que llegaron")).to_have_count(0)
    for draw in (first, later):
        async with api(stage) as client:
            made = await client.get(f"/api/v1/quality/draws/{draw['draw']}.zip")
        assert zipfile.ZipFile(io.BytesIO(made.content)).testzip() is None


async def test_what_is_annulled_stays_with_its_reason(
    stage: QualityStage, open_page: OpenPage
) -> None:
    await stage.set_up("semanal")
    stage.week(2)
    stage.at(*AFTER)
    page = await opened(stage, open_page, f"{PATH}/semanal/{WEEK}")
    secret = (await get(stage, f"{API}/semanal/{WEEK}"))["draws"][0]["secret"]
    await page.locator("summary", has_text="Anular").click()
    await page.get_by_role("button", name="Anular").click()
    assert not [one for one in stage.asked if one.get("action") == "sample_annulled"]
    await page.get_by_label("Razón").fill("se cortó la grabación de <todo> el día")
    await page.get_by_role("button", name="Anular").click()
    await expect(page.locator(".standing")).to_contain_text("anulado")
    await expect(page.locator("main")).to_contain_text(
        "por Luz Paz: se cortó la grabación de <todo> el día"
    )
    await expect(page.locator("main")).to_contain_text(secret)
    (draw,) = (await get(stage, f"{API}/semanal/{WEEK}"))["draws"]
    async with api(stage) as client:
        body = {"of": draw["of"], "reason": "otra vez"}
        assert (await client.post(f"{API}/annulments", json=body)).status_code == 409
        gone = await client.post(f"{API}/annulments", json=body | {"of": ["HUB-main", 1, 1]})
        assert gone.status_code == 404
        blank = await client.post(f"{API}/annulments", json=body | {"reason": "  "})
        assert blank.status_code == 422
        wanted = {"plan": "semanal", "period": WEEK}
        assert (await client.post(f"{API}/draws", json=wanted)).status_code == 409


async def test_who_evaluates_calls_of_it_blind_is_not_told_whose_they_are(
    stage: QualityStage, open_page: OpenPage
) -> None:
    """With one monitor the coordinator is the second one."""
    await stage.set_up()
    stage.plan("semanal", monitors=["ana"])
    stage.at(2026, 11, 23)
    stage.week(3)
    stage.calls(3, at(2026, 11, 29, 9), talk=20 * 60_000)
    stage.at(*AFTER)
    mine = [one.assignment for one in stage.assigned() if one.assignment.assignee == "luz"]
    assert mine
    (draw,) = (await get(stage, f"{API}/semanal/{WEEK}"))["draws"]
    assert draw["strata"] is None
    page = await opened(stage, open_page, f"{PATH}/semanal/{WEEK}")
    await expect(page.locator(".blind")).to_contain_text("hasta que las entregue")
    texts = [await page.content(), str(draw)]
    texts.append(await (await opened(stage, open_page, PATH)).content())
    assert not [n for n in range(1, 7) if any(f"Inventada {n}" in text for text in texts)]
    assert not any(re.search(r"\ba00\d\b", text) for text in texts)  # a hash may have such letters
    async with api(stage) as client:
        kept = await client.get(f"/api/v1/quality/draws/{draw['draw']}.zip")
    assert kept.status_code == 409 and "a ciegas" in kept.json()["detail"]
    hidden = {(one.call_s, one.call_e, one.call_n) for one in mine}
    for day in range(23, 30):
        calls = await get(stage, f"/api/v1/quality/targeted?day=2026-11-{day}")
        assert not hidden & {tuple(one["call"]) for one in calls}
    stage.at(2026, 12, 10)  # due, and gone
    assert (await get(stage, f"{API}/semanal/{WEEK}"))["draws"][0]["strata"] is not None


async def test_what_a_rule_points_at_is_assigned_and_what_cannot_be_says_why(
    stage: QualityStage, open_page: OpenPage
) -> None:
    await stage.set_up()
    stage.calls(1, at(2026, 11, 24, 9), at(2026, 11, 24, 11), talk=20 * 60_000)
    stage.calls(2, at(2026, 11, 24, 10), talk=16 * 60_000)
    stage.put("conflicts", account="noe", agent="a002")
    stage.clock.set(at(*AFTER), 0)
    page = await opened(stage, open_page, "/ui/quality/targeted?day=2026-11-24")
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(3)
    await expect(rows.first).to_contain_text("larga")
    await expect(rows.first).to_contain_text("20:00")
    await rows.first.get_by_role("checkbox").check()
    await rows.nth(1).get_by_role("checkbox").check()
    await page.get_by_label("Monitor").select_option("noe")
    await page.get_by_role("button", name="Asignar las marcadas").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert "conflicto" in await page.get_by_role("alert").inner_text()
    await expect(rows.first.get_by_role("checkbox")).not_to_be_checked()
    await expect(rows.nth(1).get_by_role("checkbox")).to_be_checked()
    await page.get_by_label("Monitor").select_option("ana")
    await page.get_by_role("button", name="Asignar las marcadas").click()
    await expect(rows.nth(1)).to_contain_text("Ana Ríos")
    await expect(rows.first).to_contain_text("Noé Silva")
    given = [(one.assignment.agent, one.assignment.assignee, one.assignment.reason)
             for one in stage.assigned()]  # fmt: skip
    assert given == [("a001", "noe", "long_call"), ("a002", "ana", "long_call")]
    due = datetime.fromtimestamp(stage.assigned()[0].assignment.due_utc / 1000, LIMA)
    assert (due.date().isoformat(), due.hour) == ("2026-12-06", 0), "the whole last day"
    calls = await get(stage, "/api/v1/quality/targeted?day=2026-11-24&rule=untyped")
    assert calls == []
    body = {"call": ["DIA-0123456789ab", 1, 1], "to": "ana", "form": "atencion",
            "due": "2026-12-05", "why": "long_call"}  # fmt: skip
    async with api(stage) as client:
        for change, status in (({}, 404), ({"why": "azar"}, 422), ({"due": "2026-11-01"}, 404)):
            answer = await client.post("/api/v1/quality/targeted", json=body | change)
            assert answer.status_code == status, answer.text


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1366, "light")])
async def test_forty_plans_fit_and_axe_finds_nothing(
    stage: QualityStage, open_page: OpenPage, width: int, theme: str
) -> None:
    await stage.set_up(*(f"plan-{n:02}" for n in range(40)))
    stage.week(3)
    stage.at(*AFTER)
    its = f"/plan-03/{WEEK}"
    paths = ("", "/plan-03", its, "/plan-03/2026-W49", f"{its}/commitment")
    for path in (*(PATH + one for one in paths), "/ui/quality/targeted?day=2026-11-24"):
        page = await opened(stage, open_page, path, viewport={"width": width, "height": 844},
                            color_scheme=theme)  # fmt: skip
        for fold in await page.locator("details.fold > summary").all():
            await fold.click()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
        results = await Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
        assert results.violations_count == 0, (path, results.generate_report())
    page = await opened(stage, open_page, PATH)
    await expect(page.locator(".plans > li")).to_have_count(40)
