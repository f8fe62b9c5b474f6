"""/ui/quality/pairs: two evaluations of one call, item by item, and what the lead decides."""

from typing import Any

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.support.evaluation_stage import EvaluationStage, api, entered
from tests.support.web_stage import Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAIRS = "/api/v1/quality/pairs"
LIST = "/api/v1/quality/assignments"
FIRST = {"saluda": "1", "escucha": "5", "valida": "1", "tipifica": "1", "cierra": "2"}
NOTE = {"item": "cierra", "about": "improve", "text": "Cierra muy rápido", "from_ms": 60_000}


async def paired(stage: EvaluationStage, web: Web, number: int, **other: str) -> str:
    """Ana and Noe have evaluated a call; Noe answered these otherwise. How Ana's is called."""
    qs = {
        "ana": stage.assign(number, to="ana"),
        "noe": stage.assign(number, to="noe", second=True),
    }
    for account, answers in (("ana", FIRST), ("noe", FIRST | other)):
        path = f"{LIST}/{qs[account]}"
        async with api(web, account) as client:
            code = "111" if account == "ana" else "112"
            assert (await client.post(f"{path}/code", json={"code": code})).status_code == 200
            body = {"answers": answers, "notes": [NOTE, NOTE | {"item": "escucha"}]}
            done = await client.post(f"{path}/submit", json=body)
            assert done.status_code == 200, done.text
    return qs["ana"]


async def decided(client: httpx.AsyncClient, q: str, body: Any, status: int) -> Any:
    answer = await client.post(f"{PAIRS}/{q}/decision", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_pair_that_differs_is_decided_item_by_item(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    q = await paired(stage, quality_web, 0, valida="0", cierra="1")
    assert f"/ui/quality/pairs/{q}" in (await luz.get("/ui/quality")).text
    pair = (await luz.get(f"{PAIRS}/{q}")).json()
    assert [one["answers"]["valida"] for one in pair["sides"]] == ["1", "0"]
    assert [one["score"] for one in pair["sides"]] == [1000, 650]
    assert [one["right_code"]["code"] for one in pair["sides"]] == ["111", "112"]
    assert pair["agent_code"]["code"] == "112" and pair["differs"] and pair["decided"] is None
    for word in ("DIA-", "a001", "Rosa", "Quispe", "Ana", "Noe", "Mañana"):
        assert word not in str(pair)
    body: dict[str, Any] = {
        "answers": FIRST | {"valida": "0"},
        "reason": "faltó el segundo dato",
    }
    bare = {name: one for name, one in body["answers"].items() if name != "cierra"}
    wrong = await decided(luz, q, body | {"answers": bare}, 422)
    assert "alguna duda" in wrong["detail"]
    wrong = await decided(luz, q, body | {"answers": FIRST | {"valida": "2"}}, 422)
    assert "no admite" in wrong["detail"]
    await decided(luz, q, body | {"reason": ""}, 422)
    wrong = await decided(luz, q, body | {"right_code": "9"}, 422)
    assert "árbol" in wrong["detail"]
    await decided(luz, q, body | {"right_code": "112"}, 200)
    assert stage.asked[-1] == {
        "action": "evaluation_revised", "of": list(stage.submitted(q)), "answers": "15012",
        "cause": "pair", "reason": "faltó el segundo dato", "right_code": "112",
        "by": "luz", "who": "Luz Paz",
    }  # fmt: skip
    after = (await luz.get(f"{PAIRS}/{q}")).json()
    assert after["decided"]["valida"] == "0" and after["score"] == 700
    assert [one["answers"]["valida"] for one in after["sides"]] == ["1", "0"], "both are shown"
    assert "ya se decidió" in (await decided(luz, q, body, 409))["detail"]
    async with api(quality_web, "ana") as client:
        sheet = (await client.get(f"{LIST}/{q}")).json()
    assert sheet["final"]["revised"]["valida"] == "0" and sheet["final"]["cause"] == "pair"
    assert sheet["final"]["answers"]["valida"] == "1"


async def test_one_that_agrees_needs_no_decision(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    q = await paired(stage, quality_web, 1, cierra="1")
    body = {"answers": FIRST, "reason": "x"}
    assert "coinciden" in (await decided(luz, q, body, 409))["detail"]


async def test_one_of_both_is_annulled_with_a_reason(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    q = await paired(stage, quality_web, 2, valida="0")
    path = f"{PAIRS}/{q}/annulment"
    assert (await luz.post(path, json={"which": "first", "reason": ""})).status_code == 422
    done = await luz.post(path, json={"which": "second", "reason": "oyó otra llamada"})
    assert done.status_code == 200, done.text
    assert stage.asked[-1]["reason"] == "oyó otra llamada"
    gone = await luz.get(f"{PAIRS}/{q}")
    assert gone.status_code == 404 and "se anuló" in gone.json()["detail"]
    assert (await luz.get(f"/ui/quality/pairs/{q}")).status_code == 404


async def test_a_monitor_sees_no_pair(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    q = await paired(stage, quality_web, 3, valida="0")
    async with api(quality_web, "ana") as client:
        for path in (f"{PAIRS}/{q}", f"/ui/quality/pairs/{q}"):
            assert (await client.get(path)).status_code == 403
        assert "pair" not in (await client.get(f"{LIST}/{q}")).text


@pytest.mark.parametrize("width", [1366, 390])
async def test_it_is_decided_on_the_page(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web, open_page: OpenPage,
    width: int,
) -> None:  # fmt: skip
    q = await paired(stage, quality_web, 4 + (width == 390), valida="0", cierra="1")
    page = await open_page(
        f"{quality_web.url}/ui/quality/pairs/{q}?lang=es", cookies=entered(quality_web, "luz"),
        viewport={"width": width, "height": 844},
    )  # fmt: skip
    await expect(page.get_by_text("Valida la identidad")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert found.response["violations"] == []
    await page.get_by_role("button", name="Decidir").click()
    await expect(page.get_by_role("alert")).to_contain_text("Decida cada ítem")
    await (
        page.get_by_role("group", name="Valida la identidad")
        .get_by_text("No", exact=True)
        .last.click()
    )
    await (
        page.get_by_role("group", name="alguna duda")
        .get_by_text("Cumple", exact=True)
        .last.click()
    )
    await page.get_by_label("¿Qué código").select_option("111")
    await page.get_by_label("Motivo").first.fill("faltó el segundo dato")
    await page.get_by_role("button", name="Decidir").click()
    await expect(page.get_by_text("Motivo de la decisión: faltó el segundo dato")).to_be_visible()
    assert stage.asked[-1]["answers"] == "15012" and stage.asked[-1]["right_code"] == "111"
