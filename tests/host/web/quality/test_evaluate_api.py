"""`/api/v1/quality/assignments`: drafts, the code that is named first, and what is final."""

import json
from typing import Any

import httpx
import pytest
from diadema.web.quality.drafts import Drafts

from tests.support.broker_fixtures import until
from tests.support.evaluation_stage import EvaluationStage, api
from tests.support.web_stage import (
    ACCOUNT_PASSWORD,
    TESTER,
    Hub,
    Web,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIST = "/api/v1/quality/assignments"
ANSWERS = {"saluda": "1", "escucha": "5", "valida": "1", "tipifica": "0", "cierra": "2"}
CLOSING = {"item": "cierra", "about": "praise", "text": "Pregunta con calma", "from_ms": 60_000}


async def read(client: httpx.AsyncClient, q: str) -> dict[str, Any]:
    answer = await client.get(f"{LIST}/{q}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def refused(
    client: httpx.AsyncClient, path: str, body: Any, status: int, method: str = "POST"
) -> str:
    answer = await client.request(method, f"{LIST}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return str(answer.json()["detail"])


async def named(client: httpx.AsyncClient, q: str, code: str = "111") -> dict[str, Any]:
    answer = await client.post(f"{LIST}/{q}/code", json={"code": code})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_sheet_has_what_happened_since_the_call_began(
    ana: httpx.AsyncClient, stage: EvaluationStage
) -> None:
    sheet = await read(ana, stage.assign(0))
    said = [(one["ms"], one["kind"], one.get("to"), one.get("step")) for one in sheet["marks"]]
    assert said == [
        (3000, "answer", None, None),
        (7000, "step", None, "greeting"),
        (19_000, "step", None, "identity"),
        (19_500, "step", None, "need"),
        (25_000, "hold", 34_000, None),
        (40_000, "pause", 48_000, None),
        (52_000, "help", None, None),
        (65_000, "end", None, None),
    ]
    assert sheet["ms"] == 65_000
    assert sheet["indicators"] == {
        "longest_silence_ms": 7000, "interruptions": 2, "agent_share": 50.0, "clipping": 3,
        "holds": 1, "longest_hold_ms": 9000, "untyped": None,
        "steps": [{"step": "greeting", "how": "key"}, {"step": "identity", "how": "block"},
                  {"step": "need", "how": "block"}],
    }  # fmt: skip
    assert [one["code"] for one in sheet["form"]["sections"]] == ["trato", "proceso", "cierre"]
    assert sheet["recording"] == "none" and sheet["answers"] == {}


async def test_nothing_in_it_says_whose_call_it_is(
    ana: httpx.AsyncClient, stage: EvaluationStage
) -> None:
    q = stage.assign(1)
    await read(ana, q)
    listed = [one for one in (await ana.get(LIST)).json() if one["state"] != "released"]
    answer = await ana.get(f"{LIST}/{q}")
    words = "DIA-", "a001", "Rosa", "Quispe", "RQ", "Mañana", "A-01", '"call"', '"112"'
    for told in (json.dumps(listed, ensure_ascii=False), answer.text):
        for word in words:
            assert word not in told.replace('"code":"112"', ""), word
    assert '"agent_code":null' in answer.text


async def test_the_agents_code_is_told_once_another_was_named(
    ana: httpx.AsyncClient, stage: EvaluationStage
) -> None:
    q = stage.assign(2)
    body = {"answers": {"tipifica": "1"}}
    said = await refused(ana, f"{q}/draft", body, 422, "PUT")
    assert "diga qué código correspondía" in said
    assert "no está en el árbol" in await refused(ana, f"{q}/code", {"code": "9"}, 422)
    told = await named(ana, q)
    assert (told["right_code"]["code"], told["agent_code"]["code"]) == ("111", "112")
    assert told["agent_code"]["labels"] == ["Consulta", "Saldo", "CTS"]
    again = await named(ana, q, "112")
    assert again["right_code"]["code"] == "111", "what was said first stands"
    sheet = await read(ana, q)
    assert sheet["agent_code"]["code"] == "112" and sheet["indicators"]["untyped"] is False


async def test_a_draft_is_there_again_and_the_score_is_the_formulas(
    ana: httpx.AsyncClient, stage: EvaluationStage, quality_web: Web
) -> None:
    q = stage.assign(3)
    await named(ana, q)
    body: dict[str, Any] = {"answers": ANSWERS | {"escucha": "3"}, "notes": [CLOSING]}
    answer = await ana.put(f"{LIST}/{q}/draft", json=body)
    outcome = answer.json()["outcome"]
    assert outcome["missing"] == [] and outcome["comments"] == ["escucha"]
    assert outcome["raw"] == outcome["score"] == 780  # 20 + 30·3/5 + 30 + 0 + 10 of 100
    assert outcome["sections"] == {"trato": 760, "proceso": 750, "cierre": 1000}
    body["answers"]["valida"] = "0"
    answer = await ana.put(f"{LIST}/{q}/draft", json=body)
    outcome = answer.json()["outcome"]
    assert (outcome["raw"], outcome["score"], outcome["failed"]) == (480, 480, "section")
    async with api(quality_web, "ana") as other:
        sheet = await read(other, q)
    assert sheet["answers"] == body["answers"] and sheet["notes"][0]["text"] == CLOSING["text"]
    listed = {one["q"]: one["state"] for one in (await ana.get(LIST)).json()}
    assert listed[q] == "draft"


@pytest.mark.parametrize(
    ("answers", "notes", "said"),
    [
        ({"saluda": "2"}, [], "no admite esa respuesta en: Saluda y dice su nombre"),
        ({"saluda": "-"}, [], "no admite esa respuesta"),
        ({"canta": "1"}, [], "no admite esa respuesta en: canta"),
        ({}, [CLOSING | {"item": "canta"}], "la planilla no tiene"),
        ({}, [CLOSING | {"from_ms": 71_000}], "después del final de la llamada"),
        ({}, [CLOSING | {"from_ms": 9000, "to_ms": 8000}], "termina antes de empezar"),
        ({}, [CLOSING | {"text": ""}], ""),
        ({}, [CLOSING | {"text": "x" * 1001}], ""),
        ({}, [CLOSING] * 101, ""),
        ({"saluda": "7"}, [], ""),
    ],
)
async def test_what_the_form_does_not_take_is_said(
    ana: httpx.AsyncClient, stage: EvaluationStage, answers: Any, notes: Any, said: str
) -> None:
    q = stage.assign(4)
    body = {"answers": answers, "notes": notes}
    assert said in await refused(ana, f"{q}/draft", body, 422, "PUT")
    assert (await read(ana, q))["saved_utc"] == 0


async def test_what_is_submitted_is_whole_and_final(
    ana: httpx.AsyncClient, stage: EvaluationStage
) -> None:
    q = stage.assign(5)
    await named(ana, q)
    bare = {"answers": {"saluda": "1"}}
    said = await refused(ana, f"{q}/submit", bare, 422)
    assert "Falta responder: Escucha sin interrumpir, Valida la identidad" in said
    said = await refused(ana, f"{q}/submit", {"answers": ANSWERS}, 422)
    assert "Falta el comentario" in said and "alguna duda" in said
    asked = len(stage.asked)
    done = await ana.post(f"{LIST}/{q}/submit", json={"answers": ANSWERS, "notes": [CLOSING]})
    assert done.status_code == 200, done.text
    (body,) = stage.asked[asked:]
    assert body == {
        "action": "evaluation_submitted", "of": ["HUB-main", 1, int(q.split("-")[1])],
        "answers": "15102", "right_code": "111", "notes": [CLOSING], "by": "ana",
        "who": "Ana Paz",
    }  # fmt: skip
    sheet = await read(ana, q)
    assert sheet["task"]["state"] == "done" and sheet["task"]["score"] == 900
    assert sheet["final"]["answers"] == ANSWERS and sheet["task"]["agent"] is None
    assert sheet["right_code"]["code"] == "111" and sheet["notes"][0]["text"] == CLOSING["text"]
    with Drafts(stage.data.evaluation_drafts) as drafts:
        assert drafts.of("ana", ("HUB-main", 1, int(q.split("-")[1]))).utc == 0
    for path, method in (("draft", "PUT"), ("submit", "POST")):
        said = await refused(ana, f"{q}/{path}", {"answers": ANSWERS}, 409, method)
        assert "ya se envió" in said
    stage.release(q)
    assert (await read(ana, q))["task"]["agent"] == "Rosa Quispe Huamán"
    assert "ya se publicó" in await refused(ana, f"{q}/submit", {"answers": ANSWERS}, 409)


async def test_it_is_over_when_it_is_due_or_its_draw_is_annulled(
    ana: httpx.AsyncClient, stage: EvaluationStage
) -> None:
    q = stage.assign(6, days=-0.1)
    said = await refused(ana, f"{q}/submit", {"answers": ANSWERS}, 409)
    assert "El plazo de esta llamada terminó" in said
    drawn = stage.monitor.drawn(stage.monitor.planned(), draw="9" * 12)
    q = stage.assign(6, draw="9" * 12)
    await read(ana, q)
    stage.monitor.annulled(drawn, reason="se pidió otra planilla")
    assert (await ana.get(f"{LIST}/{q}")).status_code == 404, "nothing is to be seen of it"


async def test_anothers_is_not_to_be_opened_by_its_address(
    ana: httpx.AsyncClient, stage: EvaluationStage
) -> None:
    q = stage.assign(7, to="noe")
    for path, method, body in (
        ("", "GET", None), ("/draft", "PUT", {}), ("/submit", "POST", {}),
        ("/code", "POST", {"code": "111"}), ("/replace", "POST", {"why": "nobodys"}),
    ):  # fmt: skip
        answer = await ana.request(method, f"{LIST}/{q}{path}", json=body)
        assert answer.status_code == 404 and "no está entre" in answer.json()["detail"]
    page = await ana.get(f"/ui/quality/evaluate/{q}")
    assert page.status_code == 404 and "no está entre" in page.text


async def test_another_call_comes_in_place_of_one_that_cannot_be_evaluated(
    ana: httpx.AsyncClient, stage: EvaluationStage
) -> None:
    q = stage.assign(8)
    await ana.put(f"{LIST}/{q}/draft", json={"answers": {"saluda": "1"}})
    before = {one["q"] for one in (await ana.get(LIST)).json()}
    done = await ana.post(f"{LIST}/{q}/replace", json={"why": "unplayable"})
    assert done.status_code == 200, done.text
    after = {one["q"] for one in (await ana.get(LIST)).json()}
    assert before - after == {q} and len(after - before) == 1
    assert (await ana.get(f"{LIST}/{q}")).status_code == 404
    assert stage.asked[-1]["why"] == "unplayable"


async def test_a_silent_hub_keeps_the_draft(
    ana: httpx.AsyncClient, stage: EvaluationStage, hub: Hub
) -> None:
    q = stage.assign(9)
    await named(ana, q)
    hub.answer = lambda _: {"error": "not_assigned", "status": 409}
    body = {"answers": ANSWERS, "notes": [CLOSING]}
    answer = await ana.post(f"{LIST}/{q}/submit", json=body)
    assert answer.status_code == 409
    assert (await read(ana, q))["answers"] == ANSWERS


async def test_an_account_that_is_out_of_use_submits_nothing(
    stage: EvaluationStage, quality_web: Web, ana: httpx.AsyncClient
) -> None:
    quality_web.accounts.book.add(TESTER, "eva", "Eva Paz", "monitor", password=ACCOUNT_PASSWORD)
    q, asked = stage.assign(10, to="eva"), len(stage.asked)
    client = api(quality_web, "eva")
    quality_web.accounts.book.disable(TESTER, "eva")
    async with client:

        async def is_out() -> bool:
            body = {"answers": ANSWERS, "notes": [CLOSING]}
            answer = await client.post(f"{LIST}/{q}/submit", json=body)
            return answer.status_code == 401

        await until(is_out)
    assert len(stage.asked) == asked
