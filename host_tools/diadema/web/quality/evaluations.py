"""`/ui/quality/evaluations/{evaluation}` and its API: an evaluation that was submitted, however
its call was chosen, for the coordinator to revise for an error, or to annul. What it was stays.

Who evaluated, and whose call it is, is left out as long as two monitors differ in it: who decides
between both does not know.
"""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import HTMLResponse
from msgspec import Struct
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.quality.blind import hidden_in
from diadema.quality.call_marks import contact_of
from diadema.quality.pairs import Seen, seen_calls
from diadema.site.directory.people import People
from diadema.site.directory.scorecards import Scorecard
from diadema.store import open_reader
from diadema.store.assistance import Key, key_of
from diadema.store.quality import (
    AssignedCall,
    Evaluated,
    assigned_call,
    call_of,
    evaluations,
    notes,
    right_codes,
)
from diadema.store.quality_rows import EvaluationStep
from diadema.web.actions.models import Reason
from diadema.web.api import WebAppDep
from diadema.web.assets import modules_of
from diadema.web.guard import language_of
from diadema.web.quality import deciding
from diadema.web.quality.api import REFUSED
from diadema.web.quality.cards import name_of
from diadema.web.quality.deciding import AGAIN, Decision, Lead, call_shown, page_words
from diadema.web.quality.sheet import by_item, form_of, given, in_order, said_note
from diadema.web.quality.tasks import q_of
from diadema.web.recordings.sound import Hearing, begin
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section, text

PATH = "/ui/quality/evaluations/{evaluation}"
router = APIRouter()
api = APIRouter(prefix="/api/v1/quality/evaluations", tags=["quality"])
_MODULES = modules_of("evaluation.js")

EvaluationId = Annotated[str, Path(pattern=r"^[0-9a-z]{12}$", examples=["3f9a01c2d4e5"])]


class Annulling(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: Reason


class _Read(Struct):
    """`waits`: two monitors differ in its call, and nobody has decided."""

    one: Evaluated
    form: Scorecard
    waits: bool
    right_code: str | None
    plain: dict[str, Any]


@router.get(PATH, include_in_schema=False)
async def evaluation_page(
    evaluation: EvaluationId, request: Request, person: Lead
) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    words = section("quality", language)
    title = words["evaluation.title"]
    try:
        plain = await _shown(web_app, request, person, evaluation)
    except HTTPException as error:
        return plain_page(
            web_app, request, "quality_gone.html", title, error.status_code,
            said=error.detail, words=words,
        )  # fmt: skip
    options = {
        "evaluation": plain,
        "language": language,
        "zone": web_app.zone.key,
        "words": page_words(language),
    }
    return plain_page(web_app, request, "decide.html", title, options=options, modules=_MODULES)


@api.get("/{evaluation}", summary="One evaluation as it was and as it is now", responses=REFUSED)
async def one_evaluation(
    evaluation: EvaluationId, web_app: WebAppDep, person: Lead, request: Request
) -> dict[str, Any]:
    """`before`: the answers as they were submitted, where they were revised. `pair`: where two
    evaluated the call, how that is called; `stands`: this is the one of both that counts; `waits`:
    they differ, and nobody has decided; then it is not said who evaluated, nor whose call it is.
    """
    return await _shown(web_app, request, person, evaluation)


@api.post("/{evaluation}/hearing", summary="Hear the call that was evaluated", responses=REFUSED)
async def hearing(
    evaluation: EvaluationId, web_app: WebAppDep, person: Lead, request: Request
) -> Hearing:
    found = await _found(web_app, request, person, evaluation)
    return await begin(web_app, request, person, call_of(found.one.submitted), AGAIN)


@api.post(
    "/{evaluation}/revision",
    summary="Revise it for an error, with a reason; what was submitted stays to be seen",
    responses=REFUSED,
)
async def revise(
    evaluation: EvaluationId,
    body: Decision,
    web_app: WebAppDep,
    person: Lead,
    request: Request,
) -> dict[str, Any]:
    language = language_of(request)
    found = await _found(web_app, request, person, evaluation)
    _check_counts(found, language)
    if found.waits:
        raise HTTPException(409, text("errors.quality.pair_open", language))
    deciding.check(found.form, body, web_app.people(), language)
    same_code = body.right_code in (None, found.right_code)
    if same_code and in_order(found.form, body.answers) == found.one.answers:
        raise HTTPException(422, text("quality.evaluation.same", language))
    of = key_of(found.one.submitted)
    done = await deciding.revise(web_app, request, person, of, found.form, body, "error")
    web_app.audit(person, "quality.revise", [found.one.submitted.agent])
    return done


@api.post(
    "/{evaluation}/annulment",
    summary="Annul it, with a reason; it stays to be seen and no longer counts",
    responses=REFUSED,
)
async def annul(
    evaluation: EvaluationId,
    body: Annulling,
    web_app: WebAppDep,
    person: Lead,
    request: Request,
) -> dict[str, Any]:
    found = await _found(web_app, request, person, evaluation)
    _check_counts(found, language_of(request))
    return await deciding.annul(web_app, request, person, key_of(found.one.submitted), body.reason)


def _check_counts(found: _Read, language: str) -> None:
    if found.one.annulled is not None:
        raise HTTPException(409, text("errors.quality.evaluation_annulled", language))


async def _shown(
    web_app: WebApp, request: Request, person: Person, evaluation: str
) -> dict[str, Any]:
    """With the names of who said what. Raises HTTPException."""
    found = await _found(web_app, request, person, evaluation)
    web_app.audit(person, "quality.evaluation", [found.one.submitted.agent])
    plain = found.plain
    steps = [plain, *plain["revisions"], *([plain["annulled"]] if plain["annulled"] else [])]
    for one in steps:
        one["by_name"] = None if one["by"] is None else name_of(web_app, one["by"])
    return plain


async def _found(web_app: WebApp, request: Request, person: Person, evaluation: str) -> _Read:
    """Raises HTTPException: 404 also where the person may not see it."""
    language, now_ms = language_of(request), web_app.pace.now_ms()
    found = await asyncio.to_thread(
        _read, web_app.data, web_app.people(), person, now_ms, evaluation
    )
    if found is None:
        raise HTTPException(404, text("quality.evaluation.gone", language))
    if isinstance(found, AssignedCall):
        its = found.assignment
        said = text("errors.quality.form_gone", language, form=its.form, version=its.version)
        raise HTTPException(409, said)
    return found


def _read(
    data: DataDir, people: People, person: Person, now_ms: int, evaluation: str
) -> _Read | AssignedCall | None:
    """None where there is none for this person; the assignment, where its form is gone."""
    if not data.store.exists():
        return None
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        one = next(iter(evaluations(tx, ids=[evaluation])), None)
        if one is None or not person.sees(one.submitted.agent, people):
            return None
        if call_of(one.submitted) in hidden_in(tx, person, now_ms):
            return None
        its = one.submitted
        assigned = assigned_call(tx, (its.of_s, its.of_e, its.of_n))
        if assigned is None:
            return None
        form = people.scorecard(assigned.assignment.form, assigned.assignment.version)
        if form is None:
            return assigned
        pair = _pair(tx, people, now_ms, assigned, key_of(its))
        waits = pair is not None and pair.state == "differs"
        code = right_codes(tx, [evaluation]).get(evaluation)
        return _Read(one, form, waits, code, _plain(tx, people, one, form, pair, code))


def _pair(
    tx: Connection, people: People, now_ms: int, assigned: AssignedCall, key: Key
) -> Seen | None:
    """Its call with the evaluations of both, where it is one of two."""
    its = assigned.assignment
    if its.draw is None:
        return None
    for seen in seen_calls(tx, people, now_ms, draws=[its.draw], calls=[call_of(its)]):
        both = seen.first_said, seen.second_said
        if None not in both and any(one and key_of(one.submitted) == key for one in both):
            return seen
    return None


def _plain(
    tx: Connection,
    people: People,
    one: Evaluated,
    form: Scorecard,
    pair: Seen | None,
    right_code: str | None,
) -> dict[str, Any]:
    sent, call = one.submitted, call_of(one.submitted)
    contact = contact_of(tx, call)
    revised = bool(one.revisions)
    first = right_codes(tx, [sent.evaluation], first=True)
    waits = pair is not None and pair.state == "differs"
    return call_shown(tx, people, form, call, contact) | {
        "evaluation": sent.evaluation,
        "form": form_of(form),
        "basis": sent.basis,
        "utc": sent.utc,
        "by": None if waits else sent.by,
        "agent": None if waits else sent.agent,
        "agent_name": None if waits else people.name(sent.agent),
        "start": None if waits or contact is None else contact.start_utc,
        "answers": by_item(form, one.answers),
        "before": by_item(form, sent.answers) if revised else None,
        "scores": {"raw": one.raw, "score": one.score, "failed": one.failed},
        "scores_before": {"raw": sent.raw, "score": sent.score, "failed": sent.failed}
        if revised
        else None,
        "right_code": msgspec.to_builtins(given(people, right_code)),
        "right_code_before": msgspec.to_builtins(given(people, first.get(sent.evaluation))),
        "notes": [
            msgspec.to_builtins(said_note(its))
            for its in notes(tx, [sent.evaluation]).get(sent.evaluation, [])
        ],
        "revisions": [_step(step) for step in one.revisions],
        "annulled": _step(one.annulled) if one.annulled is not None else None,
        "released": one.released_utc,
        "stands": pair is None
        or pair.first_said is None
        or key_of(pair.first_said.submitted) == key_of(sent),
        "pair": q_of(key_of(pair.first.assignment)) if pair is not None else None,
        "waits": waits,
    }


def _step(step: EvaluationStep) -> dict[str, Any]:
    return {"cause": step.cause, "reason": step.reason, "by": step.by, "utc": step.utc}
