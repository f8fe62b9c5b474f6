"""/ui/listening: who may be heard now, how one's own listening stands until it ends with its
cause, and the register of who heard whom, read by those who may.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.host.web.test_calls_page import api, entered
from tests.support.broker_fixtures import until
from tests.support.calls_stage import LIVE, NOW, CallsStage
from tests.support.web_stage import Hub, Nats, Web, headers_of
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1366, "height": 768}
BROAD = "document.documentElement.scrollWidth > innerWidth"
SMALL = """() => [...document.querySelectorAll('main :is(button, select, input)')]
  .filter((one) => one.offsetParent).map((one) => [one.textContent, one.getBoundingClientRect()])
  .filter(([, box]) => box.height < 38 || box.width < 38).map(([name]) => name)"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallsStage]:
    stage = CallsStage(tmp_path_factory.mktemp("listening"))
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def heard_web(made: CallsStage, nats_server: Nats) -> Iterator[Web]:
    """Elena supervises a003, who talks; Tito does not; Luz leads quality, Ana is a monitor."""
    web = Web(made.data.root, nats_server.url, made.centre.folder / "clock")
    web.start()
    made.begin(web)
    yield web
    web.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(made: CallsStage, hub: Hub, heard_web: Web) -> AsyncIterator[CallsStage]:
    await made.serve(hub)
    async with api(heard_web, "luz") as client:
        while (await client.get("/listenings/live")).status_code == 503:
            pass  # the web has not found its hub
    yield made
    await made.leave()


async def live(web: Web, account: str) -> dict[str, Any]:
    async with api(web, account) as client:
        answer = await client.get("/listenings/live")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def talks(web: Web, account: str, *agents: str) -> dict[str, Any]:
    """Once the floor has come to the web."""
    while True:
        found = await live(web, account)
        if tuple(one["a"] for one in found["calls"]) == agents:
            return found


async def register(web: Web, account: str, **wanted: str) -> list[dict[str, Any]]:
    days = {"from": "2026-11-18", "to": "2026-11-19"}
    async with api(web, account) as client:
        answer = await client.get("/listenings", params=days | wanted)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


# -- a call that goes on


async def test_it_rings_is_heard_and_ends_with_its_cause(
    stage: CallsStage, heard_web: Web
) -> None:
    found = await talks(heard_web, "elena", "a003")
    assert (found["switch"], found["mine"]) == ("up", None)
    assert (found["calls"][0]["c"], found["calls"][0]["state"]) == (LIVE, "talking")
    async with api(heard_web, "elena") as client:
        wanted = {"a": "a003", "c": LIVE, "mode": "whisper", "purpose": "coaching"}
        begun = await client.post("/listenings/live", json=wanted)
        assert begun.status_code == 202, begun.text
        mine = begun.json()["mine"]
        assert (mine["since"], mine["announced"], mine["confirmed"]) == (None, True, False)
        stage.lift()
        await stage.step()
        assert (await live(heard_web, "elena"))["mine"]["since"] == NOW
        stage.confirm()
        assert (await live(heard_web, "elena"))["mine"]["confirmed"]
        assert (await live(heard_web, "luz"))["calls"][0]["heard_by"] == ["Elena Ríos"]
        ended = await client.post(f"/listenings/live/{mine['listening']}/end")
        assert ended.status_code == 202, ended.text
    await stage.step(2)
    found = await live(heard_web, "elena")
    assert found["mine"] is None
    last = found["last"]
    assert (last["listening"], last["cause"]) == (mine["listening"], "stopped")
    assert (last["heard_ms"], last["why"]) == (4000, "quien escuchaba la terminó")


async def test_what_is_refused_says_why_and_is_in_the_register(
    stage: CallsStage, heard_web: Web
) -> None:
    await talks(heard_web, "elena", "a003")
    wanted = {"a": "a003", "c": LIVE, "mode": "silent", "purpose": "coaching"}
    async with api(heard_web, "tito") as client:
        answer = await client.post("/listenings/live", json=wanted)
        assert answer.status_code == 403 and "no es de sus equipos" in answer.json()["detail"]
    async with api(heard_web, "elena") as client:
        for more, status, words in (
            ({"purpose": "drill"}, 403, "no es de su rol"),
            ({"c": "1.1"}, 409, "ya terminó"),
            ({"mode": "loud"}, 422, "mode"),
            ({"a": "a001", "c": None}, 409, "no está en llamada"),
        ):
            answer = await client.post("/listenings/live", json=wanted | more)
            assert answer.status_code == status and words in answer.json()["detail"], more
        stage.bridge.is_up = False
        answer = await client.post("/listenings/live", json=wanted)
        assert answer.status_code == 409 or "central" in answer.json()["detail"]
        assert (await live(heard_web, "elena"))["switch"] == "away"
        stage.no_switch = True
        assert (await live(heard_web, "elena"))["switch"] == "none"
    async with api(heard_web, "ana") as client:
        assert (await client.get("/listenings/live")).status_code == 403
        assert (await client.post("/listenings/live", json=wanted)).status_code == 403
    refused = await register(heard_web, "luz", source="refused")
    assert {(one["by"], one["why"]) for one in refused} >= {
        ("tito", "este asesor no es de sus equipos"),
        ("elena", "ese propósito no es de su rol; elija uno de los suyos"),
    }


async def test_spying_at_the_exchange_is_told_as_outside(
    stage: CallsStage, heard_web: Web
) -> None:
    await talks(heard_web, "elena", "a003")
    stage.stray()
    await stage.step()
    assert (await live(heard_web, "elena"))["calls"][0]["heard_by"] == [""]
    (stray,) = await register(heard_web, "luz", source="outside")
    assert (stray["stray"], stray["who"], stray["a"], stray["purpose"]) == (True, "", "a003", None)
    stage.bridge.listeners["stray"].until_utc_ms = NOW + 7000
    await stage.step()
    await stage.step(4)
    (stray,) = await register(heard_web, "luz", source="outside")
    assert (stray["heard_ms"], stray["cause"]) == (7000, "hung_up")


# -- who reads the register


async def test_supervisors_read_of_their_teams_and_agents_and_monitors_nothing(
    stage: CallsStage, heard_web: Web
) -> None:
    stage.monitor.heard(stage.calls["c2"], agent="a002", listening="aaaaaaaaaaaa")
    stage.monitor.heard(stage.calls["c1"], listening="bbbbbbbbbbbb", by="luz", purpose="complaint")
    days = {"from": "2026-11-17", "to": "2026-11-19"}
    assert {one["a"] for one in await register(heard_web, "tito", **days)} == {"a002"}
    assert "a002" not in {one["a"] for one in await register(heard_web, "elena", **days)}
    everything = await register(heard_web, "luz", **days)
    assert {"a001", "a002"} <= {one["a"] for one in everything}
    assert {one["by"] for one in await register(heard_web, "luz", by="luz", **days)} == {"luz"}
    (of_one,) = await register(heard_web, "luz", agent="a002", **days)
    assert (of_one["c"], of_one["who"], of_one["source"]) == ("c2", "Ana Torres", "recording")
    assert not await register(heard_web, "luz", purpose="dispute", **days)
    async with api(heard_web, "tito") as client:
        answer = await client.get("/listenings", params=days | {"agent": "a001"})
        assert answer.status_code == 403
    async with api(heard_web, "ana") as client:
        assert (await client.get("/listenings", params=days)).status_code == 403
    cookies = heard_web.login("agent", agent="a001")
    async with httpx.AsyncClient(
        base_url=f"{heard_web.url}/api/v1", headers=headers_of(cookies), timeout=60
    ) as agent:
        assert (await agent.get("/listenings", params=days)).status_code == 403


async def test_a_lead_who_evaluates_blindly_does_not_read_of_that_call(
    stage: CallsStage, heard_web: Web
) -> None:
    stage.monitor.heard(stage.calls["c3"], listening="cccccccccccc", by="luz")
    days = {"from": "2026-11-17", "to": "2026-11-19"}
    assert [one["c"] for one in await register(heard_web, "luz", **days)].count("c3") == 1
    stage.monitor.assigned(stage.calls["c3"], to="luz", due=NOW + 60_000)
    assert "c3" not in [one["c"] for one in await register(heard_web, "luz", **days)]
    assert "c3" in [one["c"] for one in await register(heard_web, "elena", **days)]


async def test_page_by_page(stage: CallsStage, heard_web: Web) -> None:
    for _ in range(3):
        stage.monitor.heard(stage.calls["c1"])
    days = {"from": "2026-11-17", "to": "2026-11-19", "limit": "2"}
    places: list[Any] = []
    async with api(heard_web, "luz") as client:
        after: dict[str, str] = {}
        while True:
            page = (await client.get("/listenings", params=days | after)).json()
            places += [one["of"] for one in page["items"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
    assert len(places) == len({str(one) for one in places}) > 2


# -- the page


async def page_of(web: Web, open_page: OpenPage, account: str, **options: Any) -> Page:
    return await open_page(f"{web.url}/ui/listening", cookies=entered(web, account), **options)


async def test_one_listens_from_the_page_and_sees_how_it_ended(
    stage: CallsStage, heard_web: Web, open_page: OpenPage
) -> None:
    page = await page_of(heard_web, open_page, "elena")
    call = page.locator(".live-call")
    await expect(call.locator("b")).to_have_text("Carmen Soto Ríos")
    await expect(page.locator(".live-listening > .note").first).to_have_text(
        "La estación lo muestra al asesor mientras dura."
    )
    await page.get_by_label("Para qué").select_option("coaching")
    await page.get_by_label("Modo").select_option("whisper")
    await page.get_by_role("button", name="Escuchar a Carmen Soto Ríos").click()
    mine = page.locator(".live-mine .state")
    await expect(mine).to_have_text(
        "Su teléfono suena: levántelo para escuchar a Carmen Soto Ríos."
    )
    stage.lift()
    await stage.step()
    await expect(mine).to_have_text("Escucha a Carmen Soto Ríos")
    stage.confirm()
    sign = page.locator(".live-mine small")
    await expect(sign).to_have_text("La estación lo muestra al asesor.")

    async def ended() -> bool:
        return any(one.get("do") == "end" for one in stage.asked)

    await page.get_by_role("button", name="Terminar").click()
    await until(ended)
    await stage.step(2)
    await expect(page.locator(".live-listening .done")).to_have_text(
        "Terminó la escucha de Carmen Soto Ríos: quien escuchaba la terminó. Escuchó 0:04."
    )
    await expect(page.locator(".hearing").first).to_contain_text("escuchó 0:04")
    await expect(page.locator(".live-mine")).to_be_empty()


async def test_without_an_exchange_there_is_no_button_and_the_page_says_why(
    stage: CallsStage, heard_web: Web, open_page: OpenPage
) -> None:
    stage.no_switch = True
    page = await page_of(heard_web, open_page, "elena")
    await expect(page.locator(".live-listening")).to_contain_text("no hay una central configurada")
    assert await page.get_by_role("button", name="Escuchar").count() == 0
    stage.no_switch, stage.bridge.is_up = False, False
    await expect(page.locator(".live-listening")).to_contain_text("no responde")
    stage.bridge.is_up = True
    await expect(page.locator(".live-call")).to_have_count(1)


@pytest.mark.parametrize(
    ("path", "language", "scheme", "viewport"),
    [
        ("listening", "es", "light", DESK), ("listening", "en", "dark", PHONE),
        ("calls", "es", "light", DESK), ("calls", "es", "dark", PHONE),
    ],
)  # fmt: skip
async def test_both_pages_fit_and_axe_finds_nothing(
    stage: CallsStage,
    heard_web: Web,
    open_page: OpenPage,
    path: str,
    language: str,
    scheme: str,
    viewport: dict[str, int],
) -> None:
    stage.monitor.heard(stage.calls["c1"])
    page = await open_page(
        f"{heard_web.url}/ui/{path}?lang={language}",
        cookies=entered(heard_web, "luz"),
        color_scheme=scheme,
        viewport=viewport,
    )
    line = ".hearing" if path == "listening" else ".call"
    if path == "calls":
        await page.locator("[type=datetime-local]").first.fill("2026-11-18T00:00")
        await page.locator(".looked-for .send").click()
        await expect(page.locator(line).nth(1)).to_be_visible()
        await page.locator(line).last.locator(".choice").nth(2).click()
    else:
        await page.locator("[type=date]").first.fill("2026-11-17")
        await page.locator(".looked-for .send").click()
    await expect(page.locator(line).first).to_be_visible()
    assert not await page.evaluate(BROAD)
    assert await page.evaluate(SMALL) == []
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert not found.response["violations"], found.generate_report()
