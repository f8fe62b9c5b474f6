"""/ui/quality/cases and its API: the lead opens one call, with its evaluation, to a case of human
resources, who hear and read it while that is open, and nothing else; the agent is told.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.access.authenticator import csrf
from diadema.store.quality import cases
from diadema.words import section
from playwright.async_api import expect

from tests.support.broker_fixtures import until
from tests.support.calls_stage import CALLER, NOW, CallsStage
from tests.support.evaluation_stage import publish_scorecard
from tests.support.targeted import put
from tests.support.web_stage import ACCOUNT_PASSWORD, TESTER, Hub, Nats, Web, headers_of
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DAY_MS = 86_400_000
TODAY = datetime.fromtimestamp(NOW / 1000, ZoneInfo("America/Lima")).date()
CASES = "/quality/cases"
ROLES = {
    "hugo": ("Hugo Ramos", "hr", {}),
    "tania": ("Tania Cruz", "hr", {"teams": ["Tarde"]}),
    "rosa": ("Rosa Quispe", "agent", {"agent": "a001"}),
    "sol": ("Sol Vera", "quality_lead", {}),
    "tec": ("Teo Luna", "technician", {}),
}
NOTE = "Escucha sin interrumpir a la usuaria."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallsStage]:
    """Rosa's call c1 was evaluated, and c2 of another team was not released."""
    stage = CallsStage(tmp_path_factory.mktemp("cases"))
    publish_scorecard(stage.data)
    for c, agent, release in (("c1", "a001", True), ("c2", "a002", False)):
        of = stage.monitor.assigned(stage.calls[c], agent, to="noe", due=NOW, version=1)
        evaluation = f"{c:0>12}"
        told = {
            "evaluation": evaluation, "answers": "14111", "version": 1, "raw": 925,
            "score": 925, "failed": "none", "critical": [None, None, 0], "notes": 1,
        }  # fmt: skip
        done = stage.monitor.submitted(of, stage.calls[c], agent, by="noe", **told)
        stage.monitor.noted(NOTE, evaluation=evaluation, item="escucha", about="praise", by="noe")
        if release:
            stage.monitor.released(done)
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def cases_web(made: CallsStage, nats_server: Nats) -> Iterator[Web]:
    web = Web(made.data.root, nats_server.url, made.centre.folder / "clock")
    web.start()
    for account, (name, role, more) in ROLES.items():
        web.accounts.book.add(TESTER, account, name, role, password=ACCOUNT_PASSWORD, **more)
    made.begin(web)
    yield web
    web.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(made: CallsStage, hub: Hub, cases_web: Web) -> AsyncIterator[CallsStage]:
    """Nothing is open."""
    await made.serve(hub)
    made.clock.set(NOW, 0)
    with made._reader.engine.connect() as tx:
        going = [one for one in cases(tx) if one.is_open(NOW)]
    for one in going:
        of = one.opened.station, one.opened.epoch, one.opened.sequence
        made.answer({"action": "case_closed", "by": "luz", "of": of, "reason": "otra prueba"})
    yield made
    made.clock.set(NOW, 0)
    await made.leave()


def entered(web: Web, account: str) -> dict[str, str]:
    secret = web.accounts.sessions.begin(account, "127.0.0.1")
    return {"diadema_session": secret, "diadema_csrf": csrf(secret)}


def api(web: Web, account: str) -> httpx.AsyncClient:
    headers = headers_of(entered(web, account)) | {"accept-language": "es"}
    return httpx.AsyncClient(base_url=f"{web.url}/api/v1", headers=headers, timeout=300)


async def opened(stage: CallsStage, web: Web, c: str = "c1", **more: Any) -> dict[str, Any]:
    """The lead does; the newest case of that call."""
    async with api(web, "luz") as client:
        answer = await client.post(CASES, json=asked(stage, c, **more))
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()["items"][0]
    return found


def asked(stage: CallsStage, c: str = "c1", **more: Any) -> dict[str, Any]:
    until = (TODAY + timedelta(5)).isoformat()
    given = {"call": stage.calls[c], "number": "RH-12", "reason": "queja por trato"}
    return given | {"until": until, "evaluation": False} | more


async def listed(web: Web, account: str) -> list[dict[str, Any]]:
    async with api(web, account) as client:
        answer = await client.get(CASES)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def hear(web: Web, account: str, case: str) -> httpx.Response:
    async with api(web, account) as client:
        return await client.post(f"{CASES}/{case}/hearing")


# -- what is opened


async def test_human_resources_hears_and_reads_what_was_opened(
    stage: CallsStage, cases_web: Web
) -> None:
    case = await opened(stage, cases_web, evaluation=True)
    end = datetime.combine(TODAY + timedelta(6), datetime.min.time(), ZoneInfo("America/Lima"))
    assert case["until"] == int(end.timestamp() * 1000), "to the end of that day"
    (one,) = await listed(cases_web, "hugo")
    assert (one["number"], one["reason"], one["state"]) == ("RH-12", "queja por trato", "open")
    assert (one["a"], one["name"], one["who"]) == ("a001", "Rosa Quispe Huamán", "Luz Paz")
    assert one["hear"] and one["evaluation"]["raw"] == 925
    item = next(its for its in one["evaluation"]["items"] if its["item"] == "escucha")
    assert (item["answer"], item["notes"][0]["text"]) == ("4", NOTE)
    async with api(cases_web, "hugo") as client:
        answer = await client.post(f"{CASES}/{case['case']}/hearing")
        assert answer.status_code == 202, answer.text
        sound = answer.json()["sound"]
        assert {"answer", "pause"} <= {mark["kind"] for mark in answer.json()["marks"]}
        for name in ("peaks", "sound"):
            part = await client.get(
                sound[name].removeprefix("/api/v1"), headers={"Range": "bytes=0-31999"}
            )
            assert part.status_code in (200, 206) and any(part.content)
        ended = await client.post(f"/listenings/{sound['listening']}/end")
        assert ended.status_code == 202
    begun, over = stage.register()[-2:]
    assert (begun["k"], begun["purpose"], begun["by"]) == ("listening.started", "case", "hugo")
    assert (over["k"], over["heard_ms"]) == ("listening.ended", 2000)


async def test_without_its_evaluation_there_is_none_to_read(
    stage: CallsStage, cases_web: Web
) -> None:
    await opened(stage, cases_web)
    (one,) = await listed(cases_web, "hugo")
    assert one["evaluation"] is None and NOTE not in str(one)
    async with api(cases_web, "hugo") as client:
        assert NOTE not in (await client.get(f"{cases_web.url}/ui/quality/cases")).text


async def test_the_lead_sees_what_can_be_opened_of_a_call(
    stage: CallsStage, cases_web: Web
) -> None:
    await opened(stage, cases_web)
    found = {}
    async with api(cases_web, "luz") as client:
        for c, (s, e, n) in stage.calls.items():
            answer = await client.get(f"{CASES}/calls/{s}/{e}/{n}")
            known = answer.json()
            open_ones = [one for one in known["cases"] if one["state"] == "open"]
            found[c] = known["recording"], known["evaluation"], len(open_ones)
    assert found == {"c1": (True, True, 1), "c2": (True, False, 0), "c3": (False, False, 0)}


@pytest.mark.parametrize(
    ("c", "more", "status", "word"),
    [
        ("c2", {"evaluation": True}, 409, "refused.not_released"),
        ("c3", {}, 409, "refused.nothing_to_open"),
        ("c1", {"number": "  "}, 422, "refused.no_number"),
        ("c1", {"reason": "  "}, 422, "refused.no_reason"),
        ("c1", {"until": str(TODAY - timedelta(1))}, 422, "refused.bad_until"),
        ("c1", {"until": str(TODAY + timedelta(400))}, 422, "refused.bad_until"),
    ],
)
@pytest.mark.parametrize("language", ["es", "en"])
async def test_what_cannot_be_opened_is_refused_in_words(
    stage: CallsStage, cases_web: Web, c: str, more: dict[str, Any], status: int, word: str,
    language: str,
) -> None:  # fmt: skip
    async with api(cases_web, "luz") as client:
        client.headers["accept-language"] = language
        answer = await client.post(CASES, json=asked(stage, c, **more))
    assert (answer.status_code, answer.json()["detail"]) == (
        status, section("cases", language)[word],
    )  # fmt: skip
    assert await listed(cases_web, "hugo") == []


async def test_a_number_opens_a_call_once_and_is_closed_with_a_reason(
    stage: CallsStage, cases_web: Web
) -> None:
    case = await opened(stage, cases_web)
    words = section("cases", "es")
    async with api(cases_web, "luz") as client:
        again = await client.post(CASES, json=asked(stage))
        assert (again.status_code, again.json()["detail"]) == (409, words["refused.open_already"])
        path = f"{CASES}/{case['case']}/close"
        assert (await client.post(path, json={"reason": ""})).status_code == 422
        blank = await client.post(path, json={"reason": "  "})
        assert (blank.status_code, blank.json()["detail"]) == (422, words["refused.no_reason"])
        closed = await client.post(path, json={"reason": "se resolvió"})
        assert closed.status_code == 202 and closed.json()["state"] == "closed"
        assert closed.json()["closed"]["reason"] == "se resolvió"
        twice = await client.post(path, json={"reason": "se resolvió"})
        assert (twice.status_code, twice.json()["detail"]) == (409, words["refused.case_over"])
        none = await client.post(f"{CASES}/{'0' * 12}/close", json={"reason": "x"})
        assert (none.status_code, none.json()["detail"]) == (404, words["refused.no_such_case"])
    assert (await listed(cases_web, "luz"))[0]["state"] == "closed", "the lead sees it on"


# -- who gets nothing


async def test_nobody_else_hears_or_reads_it(stage: CallsStage, cases_web: Web) -> None:
    case = await opened(stage, cases_web, evaluation=True)
    path = f"{CASES}/{case['case']}"
    token = cases_web.accounts.tokens.add(TESTER, "rrhh", "hr")
    program = {"Authorization": f"Bearer {token}"}
    clients = {who: api(cases_web, who) for who in ("elena", "tito", "ana", "rosa", "tec")}
    clients["token"] = httpx.AsyncClient(
        base_url=f"{cases_web.url}/api/v1", headers=program, timeout=300
    )
    for who, client in clients.items():
        async with client:
            for method, where in (
                ("GET", CASES), ("GET", path), ("POST", f"{path}/hearing"),
                ("POST", f"{path}/close"), ("POST", CASES),
                ("GET", f"{cases_web.url}/ui/quality/cases"),
            ):  # fmt: skip
                body = asked(stage) if where == CASES else {"reason": "x"}
                answer = await client.request(
                    method, where, json=body if method == "POST" else None
                )
                assert answer.status_code == 403, f"{who} {method} {where}"
                assert NOTE not in answer.text and "RH-12" not in answer.text
    async with api(cases_web, "luz") as client:
        assert (await client.post(f"{path}/hearing")).status_code == 403, "the lead has the search"
    async with api(cases_web, "hugo") as client:
        assert (await client.post(CASES, json=asked(stage, number="RH-1"))).status_code == 403
        assert (await client.post(f"{path}/close", json={"reason": "x"})).status_code == 403


async def test_human_resources_gets_nothing_else(stage: CallsStage, cases_web: Web) -> None:
    await opened(stage, cases_web, evaluation=True)
    s, e, n = stage.calls["c1"]
    call = f"/calls/{s}/{e}/{n}"
    async with api(cases_web, "hugo") as client:
        for method, path, body in (
            ("POST", "/calls/search", {"start": "2026-11-18T00:00"}),
            ("GET", call, None),
            ("POST", f"{call}/listening", {"purpose": "case"}),
            ("POST", f"{call}/outside", {"purpose": "case"}),
            ("POST", f"{call}/hold", {"reason": "x"}),
            ("GET", f"{CASES}/calls/{s}/{e}/{n}", None),
            ("GET", "/agents/a001/quality", None),
            ("GET", "/agents/a001/listenings", None),
            ("GET", "/listenings", None),
            ("GET", "/quality/assignments", None),
            ("GET", "/reports/calidad?scope=floor", None),
        ):
            answer = await client.request(method, path, json=body)
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
        for page in ("/ui/calls", "/ui/listening", "/ui/quality", "/ui/agents/a001/quality"):
            assert (await client.get(f"{cases_web.url}{page}")).status_code == 403, page


async def test_of_other_teams_and_in_conflict_there_is_no_case(
    stage: CallsStage, cases_web: Web
) -> None:
    case = await opened(stage, cases_web)
    other = await opened(stage, cases_web, "c2", number="RH-13")
    assert [one["case"] for one in await listed(cases_web, "tania")] == [other["case"]]
    assert (await hear(cases_web, "tania", case["case"])).status_code == 404
    put(stage.data, "conflicts", account="hugo", agent="a002")

    async def is_gone() -> bool:
        return [one["case"] for one in await listed(cases_web, "hugo")] == [case["case"]]

    await until(is_gone)
    assert (await hear(cases_web, "hugo", other["case"])).status_code == 404


async def test_after_it_is_closed_or_its_end_has_come_there_is_nothing(
    stage: CallsStage, cases_web: Web
) -> None:
    case = await opened(stage, cases_web)
    over = await opened(stage, cases_web, "c2", number="RH-14")
    async with api(cases_web, "luz") as client:
        await client.post(f"{CASES}/{over['case']}/close", json={"reason": "se resolvió"})
    assert [one["case"] for one in await listed(cases_web, "hugo")] == [case["case"]]
    assert (await hear(cases_web, "hugo", over["case"])).status_code == 404
    stage.clock.set(case["until"], 0)
    assert await listed(cases_web, "hugo") == []
    answer = await hear(cases_web, "hugo", case["case"])
    assert answer.status_code == 404
    assert answer.json()["detail"] == section("cases", "es")["refused.no_such_case"]
    states = {one["case"]: one["state"] for one in await listed(cases_web, "luz")}
    assert (states[case["case"]], states[over["case"]]) == ("ended", "closed")


async def test_what_is_heard_ends_when_the_case_is_closed(
    stage: CallsStage, cases_web: Web
) -> None:
    case = await opened(stage, cases_web)
    async with api(cases_web, "hugo") as client, api(cases_web, "luz") as lead:
        heard = (await client.post(f"{CASES}/{case['case']}/hearing")).json()
        sound = heard["sound"]["sound"].removeprefix("/api/v1")
        part = await client.get(sound, headers={"Range": "bytes=0-15999"})
        assert part.status_code == 206
        closed = await lead.post(f"{CASES}/{case['case']}/close", json={"reason": "ya"})
        assert closed.status_code == 202
        assert (await client.get(sound, headers={"Range": "bytes=0-15999"})).status_code == 404
    over = stage.register()[-1]
    assert (over["k"], over["cause"], over["heard_ms"]) == ("listening.ended", "no_case", 1000)


async def test_who_is_to_evaluate_a_call_blindly_finds_no_case_of_it(
    stage: CallsStage, cases_web: Web
) -> None:
    case = await opened(stage, cases_web, "c2", number="RH-15")
    of = stage.monitor.assigned(stage.calls["c2"], "a002", to="sol", due=NOW + DAY_MS)
    s, e, n = stage.calls["c2"]
    try:
        assert case["case"] not in [one["case"] for one in await listed(cases_web, "sol")]
        async with api(cases_web, "sol") as client:
            for method, path, body in (
                ("GET", f"{CASES}/{case['case']}", None),
                ("GET", f"{CASES}/calls/{s}/{e}/{n}", None),
                ("POST", CASES, asked(stage, "c2", number="RH-16")),
                ("POST", f"{CASES}/{case['case']}/close", {"reason": "x"}),
            ):
                answer = await client.request(method, path, json=body)
                assert answer.status_code == 404, f"{method} {path}"
                assert "Luis" not in answer.text
    finally:
        stage.monitor.submitted(of, stage.calls["c2"], "a002", evaluation="9" * 12, by="sol")
    assert case["case"] in [one["case"] for one in await listed(cases_web, "sol")]


# -- who is told


async def test_the_agent_is_told_and_the_register_has_who_heard_it(
    stage: CallsStage, cases_web: Web
) -> None:
    case = await opened(stage, cases_web, number="RH-20", reason="queja de Sol", evaluation=True)
    assert (await hear(cases_web, "hugo", case["case"])).status_code == 202
    async with api(cases_web, "luz") as client:
        await client.post(f"{CASES}/{case['case']}/close", json={"reason": "se archivó"})
        register = await client.get(
            "/listenings", params={"purpose": "case", "from": str(TODAY), "to": str(TODAY)}
        )
        assert [one["by"] for one in register.json()["items"]][:1] == ["hugo"]
        report = await client.get(
            "/reports/escuchas", params={"span": str(TODAY), "scope": "floor", "format": "json"}
        )
        assert report.status_code == 200 and "caso de Recursos Humanos" in report.text
    async with api(cases_web, "rosa") as client:
        told = (await client.get("/agents/a001/listenings")).json()
        page = (await client.get(f"{cases_web.url}/ui/agents/a001/quality?lang=es")).text
    one = next(its for its in told["cases"] if its["number"] == "RH-20")
    assert (one["reason"], one["evaluation"], one["by"]) == ("queja de Sol", True, "luz")
    assert one["closed"]["reason"] == "se archivó"
    assert told["listenings"][0]["purpose"] == "case"
    for said in (
        "y su evaluación se abrieron a Recursos Humanos",
        "caso N.º RH-20, «queja de Sol»",
        f"hasta el {TODAY + timedelta(5)}",
        "El caso se cerró el",
        "«se archivó»",
    ):
        assert said in page, said
    async with api(cases_web, "elena") as client:
        told = (await client.get("/agents/a001/listenings")).json()
        page = (await client.get(f"{cases_web.url}/ui/agents/a001/quality?lang=es")).text
    assert told["cases"] == [] and "RH-20" not in page, "a case may be about the supervisor"


# -- the pages


async def test_from_the_search_to_human_resources_and_the_agent(
    stage: CallsStage, cases_web: Web, open_page: OpenPage
) -> None:
    page = await open_page(f"{cases_web.url}/ui/calls", cookies=entered(cases_web, "luz"))
    await page.get_by_label("Desde").fill("2026-11-18T00:00")
    await page.get_by_label("Teléfono del usuario").fill(CALLER)
    await page.get_by_role("button", name="Buscar", exact=True).click()
    call = page.locator(".call")
    await call.get_by_role("button", name="Abrir a Recursos Humanos").click()
    await page.get_by_label("Número del caso").fill("RH-2026-7")
    await page.get_by_label("Motivo", exact=True).fill("Queja por trato")
    await page.get_by_label("Hasta el día").fill(str(TODAY + timedelta(3)))
    await page.get_by_label("Con su evaluación").check()
    await page.get_by_role("button", name="Abrir la llamada").click()
    await expect(call.locator(".done")).to_have_text("Abierta.")
    await expect(call.locator("[data-sign=held]")).to_be_visible()

    page = await open_page(f"{cases_web.url}/ui/attendance", cookies=entered(cases_web, "hugo"))
    await page.goto(f"{cases_web.url}/ui/quality/cases?lang=es")
    case = page.locator(".case")
    await expect(case).to_contain_text("Caso N.º RH-2026-7")
    await expect(case).to_contain_text("Rosa Quispe Huamán · Mañana")
    await case.locator(".own-card summary").click()
    await expect(case).to_contain_text(NOTE)
    await case.get_by_role("button", name="Escuchar").click()
    await expect(case.locator(".player .mark[data-kind=pause]")).to_be_visible()
    assert (stage.register()[-1]["purpose"], stage.register()[-1]["by"]) == ("case", "hugo")
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert found.violations_count == 0, found.generate_report()
    await case.get_by_role("button", name="Terminar de escuchar").click()
    await expect(case.get_by_role("button", name="Escuchar")).to_be_enabled()
    await until(lambda: stage.register()[-1]["k"] == "listening.ended")

    page = await open_page(
        f"{cases_web.url}/ui/agents/a001/quality?lang=es", cookies=entered(cases_web, "rosa")
    )
    told = page.locator(".own-opened li").first
    await expect(told).to_contain_text("caso N.º RH-2026-7, «Queja por trato»")
    await expect(page.locator("#listened ~ .own-scroll").first).to_contain_text("Hugo Ramos")

    page = await open_page(
        f"{cases_web.url}/ui/quality/cases?lang=es", cookies=entered(cases_web, "luz")
    )
    case = page.locator(".case").first
    await case.get_by_text("Cerrar el caso").click()
    await case.get_by_label("¿Por qué se cierra?").fill("Se resolvió")
    await case.get_by_role("button", name="Cerrar", exact=True).click()
    await expect(page.locator("section .case").first).to_contain_text("«Se resolvió»")


@pytest.mark.parametrize("width", [1366, 390])
@pytest.mark.parametrize("account", ["luz", "hugo"])
async def test_the_page_is_whole_and_axe_finds_nothing(
    stage: CallsStage, cases_web: Web, open_page: OpenPage, account: str, width: int
) -> None:
    await opened(stage, cases_web, evaluation=True, reason="Queja por trato en la llamada")
    await opened(stage, cases_web, "c2", number="EXP-2026-000123-RRHH-LIMA-NORTE")
    page = await open_page(
        f"{cases_web.url}/ui/quality/cases?lang=es", cookies=entered(cases_web, account),
        viewport={"width": width, "height": 800},
    )  # fmt: skip
    await expect(page.locator(".case").first).to_be_visible()
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert found.violations_count == 0, found.generate_report()
