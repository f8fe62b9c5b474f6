"""/ui/quality/evaluations: an evaluation that was submitted, revised for an error or annulled;
what it was stays to be seen, by the coordinator and by the agent.
"""

from typing import Any

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.support.evaluation_stage import EvaluationStage, api, entered
from tests.support.web_stage import Web, headers_of
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
API = "/api/v1/quality/evaluations"
PAGE = "/ui/quality/evaluations"
LIST = "/api/v1/quality/assignments"
ANSWERS = {"saluda": "1", "escucha": "5", "valida": "0", "tipifica": "1", "cierra": "2"}
NOTE = {"item": "cierra", "about": "improve", "text": "Cierra muy rápido", "from_ms": 60_000}
RIGHT = ANSWERS | {"valida": "1"}
BODY = {"answers": RIGHT, "reason": "sí pidió el segundo dato"}


async def submitted(web: Web, q: str, who: str = "ana", **other: str) -> str:
    """That assignment is evaluated; how its evaluation is called."""
    async with api(web, who) as client:
        assert (await client.post(f"{LIST}/{q}/code", json={"code": "111"})).status_code == 200
        body = {"answers": ANSWERS | other, "notes": [NOTE, NOTE | {"item": "escucha"}]}
        done = await client.post(f"{LIST}/{q}/submit", json=body)
    assert done.status_code == 200, done.text
    name: str = done.json()["evaluation"]
    return name


async def sent(client: httpx.AsyncClient, path: str, body: Any, status: int) -> str:
    """What is said of it."""
    answer = await client.post(f"{API}/{path}", json=body, headers={"accept-language": "es"})
    assert answer.status_code == status, answer.text
    return str(answer.json().get("detail", ""))


async def read(client: httpx.AsyncClient, evaluation: str) -> dict[str, Any]:
    answer = await client.get(f"{API}/{evaluation}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("basis", ["random", "targeted"])
async def test_an_error_is_revised_and_both_answers_stay_to_be_seen(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web, basis: str
) -> None:
    of_rule = {"draw": None, "stratum": None, "rank": None, "pool": None, "reason": "long"}
    number = int(basis == "targeted")
    q = stage.assign(number, **of_rule if number else {})
    name = await submitted(quality_web, q)
    first = await read(luz, name)
    assert first["answers"] == ANSWERS and first["before"] is None and first["revisions"] == []
    assert (first["by"], first["by_name"], first["agent"]) == ("ana", "Ana Paz", "a001")
    assert first["scores"] == {"raw": 700, "score": 600, "failed": "section"}
    assert (first["right_code"]["code"], first["agent_code"]["code"]) == ("111", "112")
    assert first["notes"][0]["text"] == "Cierra muy rápido" and first["marks"]
    assert (first["pair"], first["waits"], first["recording"]) == (None, False, "none")
    await sent(luz, f"{name}/revision", BODY | {"right_code": "112"}, 200)
    assert stage.asked[-1] == {
        "action": "evaluation_revised", "of": list(stage.submitted(q)), "answers": "15112",
        "cause": "error", "reason": "sí pidió el segundo dato", "right_code": "112",
        "by": "luz", "who": "Luz Paz",
    }  # fmt: skip
    now = await read(luz, name)
    assert (now["answers"], now["before"]) == (RIGHT, ANSWERS)
    assert (now["scores"]["raw"], now["scores_before"]["raw"]) == (1000, 700)
    assert (now["right_code"]["code"], now["right_code_before"]["code"]) == ("112", "111")
    (step,) = now["revisions"]
    assert (step["cause"], step["reason"]) == ("error", "sí pidió el segundo dato")
    assert (step["by"], step["by_name"]) == ("luz", "Luz Paz") and step["utc"] > 0
    again = BODY | {"answers": RIGHT | {"saluda": "0"}, "reason": "no saludó"}
    await sent(luz, f"{name}/revision", again, 200)
    assert [one["reason"] for one in (await read(luz, name))["revisions"]] == [
        "sí pidió el segundo dato", "no saludó",
    ]  # fmt: skip


async def test_what_is_wrong_with_a_revision_is_said(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    name = await submitted(quality_web, stage.assign(2))
    path, asked = f"{name}/revision", len(stage.asked)
    bare = {code: answer for code, answer in RIGHT.items() if code != "cierra"}
    assert "alguna duda" in await sent(luz, path, BODY | {"answers": bare}, 422)
    wrong = BODY | {"answers": RIGHT | {"valida": "2"}}
    assert "no admite" in await sent(luz, path, wrong, 422)
    assert "no admite" in await sent(luz, path, BODY | {"answers": RIGHT | {"otro": "1"}}, 422)
    assert "No cambió" in await sent(luz, path, BODY | {"answers": ANSWERS}, 422)
    same = BODY | {"answers": ANSWERS, "right_code": "111"}
    assert "No cambió" in await sent(luz, path, same, 422)
    assert "árbol" in await sent(luz, path, BODY | {"right_code": "9"}, 422)
    for odd in ({"reason": ""}, {"reason": "x" * 65}, {"cause": "dispute"}, {"answers": []},
                {"answers": RIGHT | {"valida": "6"}}):  # fmt: skip
        await sent(luz, path, BODY | odd, 422)
    await sent(luz, f"{name}/annulment", {"reason": ""}, 422)
    await sent(luz, f"{name}/annulment", {}, 422)
    assert len(stage.asked) == asked, "the hub has heard of none of it"
    english = await luz.post(
        f"{API}/{path}", json=BODY | {"answers": ANSWERS}, headers={"accept-language": "en"}
    )
    assert "No answer has changed" in english.json()["detail"]


async def test_what_was_sent_twice_is_done_once(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    name = await submitted(quality_web, stage.assign(3))
    await sent(luz, f"{name}/revision", BODY, 200)
    asked = len(stage.asked)
    assert "No cambió" in await sent(luz, f"{name}/revision", BODY, 422)
    await sent(luz, f"{name}/annulment", {"reason": "era de otro"}, 200)
    assert "ya no se cambia" in await sent(luz, f"{name}/annulment", {"reason": "otra vez"}, 409)
    assert "ya no se cambia" in await sent(
        luz, f"{name}/revision", BODY | {"answers": ANSWERS}, 409
    )
    assert len(stage.asked) == asked + 1
    found = await read(luz, name)
    gone = found["annulled"]
    assert (gone["reason"], gone["by_name"]) == ("era de otro", "Luz Paz")
    assert found["before"] == ANSWERS and len(found["revisions"]) == 1, "it stays to be seen"


async def test_nobody_else_reads_or_changes_one(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    name = await submitted(quality_web, stage.assign(4))
    asked = len(stage.asked)
    others = {role: headers_of(quality_web.login(role, **more)) for role, more in (
        ("agent", {"agent": "a001"}), ("supervisor", {"teams": ["Mañana"]}), ("hr", {}),
        ("admin", {}), ("technician", {}), ("area", {}),
    )}  # fmt: skip
    others["ana"] = headers_of(entered(quality_web, "ana"))
    for who, headers in others.items():
        async with httpx.AsyncClient(
            base_url=quality_web.url, headers=headers, timeout=60
        ) as client:
            for path in (f"{API}/{name}", f"{PAGE}/{name}"):
                assert (await client.get(path)).status_code == 403, (who, path)
            for what, body in (
                ("revision", BODY),
                ("annulment", {"reason": "x"}),
                ("hearing", {}),
            ):
                answer = await client.post(f"{API}/{name}/{what}", json=body)
                assert answer.status_code == 403, (who, what)
    assert len(stage.asked) == asked
    teams = headers_of(quality_web.login("quality_lead", teams=["Tarde"]))
    async with httpx.AsyncClient(base_url=quality_web.url, headers=teams, timeout=60) as client:
        assert (await client.get(f"{API}/{name}")).status_code == 404, "another team's"
        assert (await client.get(f"{PAGE}/{name}")).status_code == 404
        await sent(client, f"{name}/annulment", {"reason": "x"}, 404)


async def test_one_that_is_not_there_is_said_to_be_gone(luz: httpx.AsyncClient) -> None:
    for path, status in (("0" * 12, 404), ("nadie", 422), ("DIA-01234567", 422)):
        assert (await luz.get(f"{API}/{path}")).status_code == status
        for what, body in (("revision", BODY), ("annulment", {"reason": "x"}), ("hearing", {})):
            await sent(luz, f"{path}/{what}", body, status)
    page = await luz.get(f"{PAGE}/{'0' * 12}?lang=es")
    assert page.status_code == 404 and "no está entre las que usted puede ver" in page.text


async def test_a_lead_who_has_to_evaluate_the_call_blind_does_not_see_it(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    name = await submitted(quality_web, stage.assign(5))
    mine = stage.assign(5, to="luz", second=True)
    asked = len(stage.asked)
    for path in (f"{API}/{name}", f"{PAGE}/{name}"):
        assert (await luz.get(path)).status_code == 404
    for what, body in (("revision", BODY), ("annulment", {"reason": "x"}), ("hearing", {})):
        await sent(luz, f"{name}/{what}", body, 404)
    assert len(stage.asked) == asked
    await submitted(quality_web, mine, "luz")
    assert (await luz.get(f"{API}/{name}")).status_code == 200


async def test_half_of_a_pair_that_waits_leads_to_the_pair_and_names_nobody(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    q = stage.assign(6)
    names = [
        await submitted(quality_web, q),
        await submitted(quality_web, stage.assign(6, to="noe", second=True), "noe", valida="1"),
    ]
    for name in names:
        found = await read(luz, name)
        assert (found["pair"], found["waits"]) == (q, True)
        assert found["start"] is None
        for word in ("DIA-", "a001", "Rosa", "Quispe", "Ana", "Noe", '"ana"', '"noe"'):
            assert word not in str(found), word
        page = await luz.get(f"{PAGE}/{name}")
        assert page.status_code == 200 and "Quispe" not in page.text
        assert "decida el par" in await sent(luz, f"{name}/revision", BODY, 409)
    body = {"answers": RIGHT, "reason": "se oye"}
    assert (await luz.post(f"/api/v1/quality/pairs/{q}/decision", json=body)).status_code == 200
    first, second = [await read(luz, name) for name in names]
    assert (first["waits"], first["stands"], second["stands"]) == (False, True, False)
    assert first["revisions"][0]["cause"] == "pair" and second["by_name"] == "Noe Paz"
    await sent(luz, f"{names[0]}/revision", BODY | {"answers": ANSWERS | {"saluda": "0"}}, 200)
    pair = (await luz.get(f"/api/v1/quality/pairs/{q}")).json()
    assert pair["decided"] == RIGHT and pair["score"] == 1000, "the decision stays as it was"


async def test_it_is_found_by_its_call_and_in_the_agents_record(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    q = stage.assign(7)
    name = await submitted(quality_web, q)
    s, e, n = stage.calls[7]
    call = (await luz.get(f"/api/v1/calls/{s}/{e}/{n}")).json()["call"]
    assert call["evaluations"] == [name]
    supervisor = headers_of(quality_web.login("supervisor", teams=["Mañana"]))
    async with httpx.AsyncClient(
        base_url=quality_web.url, headers=supervisor, timeout=60
    ) as client:
        theirs = (await client.get(f"/api/v1/calls/{s}/{e}/{n}")).json()["call"]
        assert theirs["evaluations"] == []
        assert name not in (await client.get("/ui/agents/a001/quality")).text
    stage.release(q)
    own = (await luz.get("/ui/agents/a001/quality?lang=es")).text
    assert f"{PAGE}/{name}" in own


async def test_the_agent_reads_what_changed_when_and_why(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    q = stage.assign(8)
    name = await submitted(quality_web, q)
    stage.release(q)
    await sent(luz, f"{name}/revision", BODY, 200)
    own = headers_of(quality_web.login("agent", agent="a001"))
    async with httpx.AsyncClient(base_url=quality_web.url, headers=own, timeout=60) as client:
        told = (await client.get("/api/v1/agents/a001/quality")).json()["evaluations"]
        page = (await client.get("/ui/agents/a001/quality?lang=es")).text
    revised = next(one for one in told if one["evaluation"] == name)["revised"]
    step = (await read(luz, name))["revisions"][0]
    assert revised == {"cause": "error", "reason": BODY["reason"], "utc": step["utc"]}
    card = page.partition(f'id="{name}"')[2].partition("</details>")[0]
    assert "Antes: no" in card and "había un error" in card and BODY["reason"] in card
    assert f"{PAGE}/" not in page, "the way to it is the coordinator's"


@pytest.mark.parametrize("width", [1366, 390])
async def test_it_is_revised_and_annulled_on_the_page(
    luz: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web, open_page: OpenPage,
    width: int,
) -> None:  # fmt: skip
    name = await submitted(quality_web, stage.assign(9 + (width == 390)))
    page = await open_page(
        f"{quality_web.url}{PAGE}/{name}?lang=es", cookies=entered(quality_web, "luz"),
        viewport={"width": width, "height": 844},
    )  # fmt: skip

    async def is_well() -> None:
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
        assert found.response["violations"] == []

    await expect(page.get_by_text("Valida la identidad")).to_be_visible()
    await expect(page.get_by_text("Ana Paz")).to_be_visible()
    await is_well()
    await page.get_by_role("button", name="Corregir un error").click()
    await page.get_by_role("button", name="Guardar la corrección").click()
    await expect(page.get_by_role("alert")).to_contain_text("No cambió ninguna respuesta")
    await is_well()
    await (
        page.get_by_role("group", name="Valida la identidad")
        .get_by_text("Sí", exact=True)
        .last.click()
    )
    await page.get_by_label("¿Qué código").select_option("112")
    await page.get_by_role("button", name="Guardar la corrección").click()
    await expect(page.get_by_role("alert")).to_contain_text("Escriba qué error había")
    await page.get_by_label("Motivo").fill("sí pidió el segundo dato")
    await page.get_by_role("button", name="Guardar la corrección").click()
    await expect(page.get_by_text("(error): sí pidió el segundo dato")).to_be_visible()
    assert stage.asked[-1]["answers"] == "15112" and stage.asked[-1]["right_code"] == "112"
    changed = page.locator(".item[data-differs]")
    await expect(changed).to_have_count(1)
    await expect(changed).to_contain_text("AntesNoAhoraSí")
    await expect(page.get_by_text("Correspondía: 112 · CTS (antes: 111 · Ahorro)")).to_be_visible()
    await page.get_by_text("Anular evaluación").first.click()
    await page.get_by_label("Motivo").fill("era de otro")
    await page.get_by_role("button", name="Anular evaluación").click()
    await expect(page.get_by_text("no cuenta: era de otro")).to_be_visible()
    await expect(page.get_by_role("button", name="Corregir un error")).to_have_count(0)
    await is_well()
