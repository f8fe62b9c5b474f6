"""/ui/quality: what a monitor has to evaluate, and what the coordinator sees besides."""

from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from diadema.base.paths import DataDir
from playwright.async_api import expect

from tests.support.evaluation_stage import EvaluationStage, api, entered
from tests.support.web_stage import Hub, Web, headers_of
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EvaluationStage]:
    made = EvaluationStage(DataDir(tmp_path_factory.mktemp("desk")), calls=6)
    for number in range(3):
        made.assign(number)
    made.assign(3, days=-1)
    made.assign(4, draw=None, stratum=None, rank=None, pool=None)
    made.assign(0, to="noe", second=True)
    yield made
    made.close()


async def shown(web: Web, account: str, language: str = "es") -> str:
    async with api(web, account) as client:
        answer = await client.get("/ui/quality", params={"lang": language})
    assert answer.status_code == 200
    return answer.text


async def test_a_monitor_reads_what_is_to_be_done(quality_web: Web, hub: Hub) -> None:
    page = await shown(quality_web, "ana")
    for number in (1, 2, 3):
        assert f"Llamada {number} de 4" in page
    assert "Llamada 1 de 1" in page and "dirigida" in page
    assert "venció sin evaluar" in page and "1 no evaluadas a tiempo" in page
    assert "Pares por decidir" not in page
    assert "Call 1 of 4" in await shown(quality_web, "ana", "en")


async def test_nothing_there_says_whose_they_are(
    quality_web: Web, hub: Hub, stage: EvaluationStage
) -> None:
    page = await shown(quality_web, "ana")
    for word in ("DIA-", "Rosa", "Quispe", "a001", "A-01", "Mañana", stage.calls[0][0]):
        assert word not in page


async def test_the_coordinator_sees_how_far_all_are(quality_web: Web, hub: Hub) -> None:
    page = await shown(quality_web, "luz")
    assert "No tiene llamadas por evaluar." in page and "Ningún par difiere." in page
    assert "Ana Paz" in page and "Noe Paz" in page and "second" not in page


async def test_another_reads_none_of_it(quality_web: Web, hub: Hub) -> None:
    headers = headers_of(quality_web.login("supervisor", teams=["Mañana"]))
    async with httpx.AsyncClient(base_url=quality_web.url, headers=headers, timeout=300) as client:
        assert (await client.get("/ui/quality")).status_code == 403


@pytest.mark.parametrize("width", [1366, 390])
async def test_axe_finds_nothing(
    quality_web: Web, hub: Hub, open_page: OpenPage, width: int
) -> None:
    for account in ("ana", "luz"):
        for scheme in ("light", "dark"):
            page = await open_page(
                f"{quality_web.url}/ui/quality?lang=es", cookies=entered(quality_web, account),
                viewport={"width": width, "height": 844}, color_scheme=scheme,
            )  # fmt: skip
            await expect(page.get_by_role("heading", name="Sus llamadas")).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
            assert found.response["violations"] == []
