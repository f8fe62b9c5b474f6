"""`/ui/quality/pairs/{Q}` and its API: two evaluations of one call, item by item, and what the
coordinator decides. `Q` is the assignment of the first, which stands.
"""

import asyncio
from typing import Any, Literal

import msgspec
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse
from msgspec import Struct
from pydantic import BaseModel, ConfigDict

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.quality.call_marks import contact_of
from diadema.quality.pairs import PAIR, decision_of
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.store.assistance import key_of
from diadema.web.actions.models import Reason
from diadema.web.api import WebAppDep
from diadema.web.assets import modules_of
from diadema.web.guard import language_of
from diadema.web.quality import deciding
from diadema.web.quality.api import REFUSED, Q
from diadema.web.quality.deciding import AGAIN, Decision, Lead, call_shown, page_words
from diadema.web.quality.pairing import Pair, pairs, sides
from diadema.web.quality.sheet import by_item, form_of, given
from diadema.web.recordings.sound import Hearing, begin
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section, text

PATH = "/ui/quality/pairs/{q}"
router = APIRouter()
api = APIRouter(prefix="/api/v1/quality/pairs", tags=["quality"])
_MODULES = modules_of("pair.js")


class Annulment(BaseModel):
    """`which` of both."""

    model_config = ConfigDict(extra="forbid")
    which: Literal["first", "second"]
    reason: Reason


class _Read(Struct):
    pair: Pair
    plain: dict[str, Any]


@router.get(PATH, include_in_schema=False)
async def pair_page(q: Q, request: Request, person: Lead) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    words = section("quality", language)
    try:
        read = await _found(web_app, request, person, q)
    except HTTPException as error:
        return plain_page(
            web_app, request, "quality_gone.html", words["pairs"], error.status_code,
            said=error.detail, words=words,
        )  # fmt: skip
    web_app.audit(person, "quality.pair")
    options = {"pair": read.plain, "language": language, "words": page_words(language)}
    return plain_page(
        web_app, request, "decide.html", words["pair.title"], options=options, modules=_MODULES
    )


@api.get("/{q}", summary="Two evaluations of one call, item by item", responses=REFUSED)
async def one_pair(q: Q, web_app: WebAppDep, person: Lead, request: Request) -> dict[str, Any]:
    web_app.audit(person, "quality.pair")
    return (await _found(web_app, request, person, q)).plain


@api.post("/{q}/hearing", summary="Hear the call that both evaluated", responses=REFUSED)
async def hearing(q: Q, web_app: WebAppDep, person: Lead, request: Request) -> Hearing:
    pair = (await _found(web_app, request, person, q)).pair
    return await begin(web_app, request, person, pair.call, AGAIN)


@api.post(
    "/{q}/decision",
    summary="Decide what counts, with a reason; both answers stay to be seen",
    responses=REFUSED,
)
async def decide(
    q: Q, body: Decision, web_app: WebAppDep, person: Lead, request: Request
) -> dict[str, Any]:
    pair = (await _found(web_app, request, person, q)).pair
    if pair.decided or not pair.differs:
        word = "pair.decided_already" if pair.decided else "pair.alike"
        raise HTTPException(409, text(f"quality.{word}", language_of(request)))
    of, form = key_of(pair.one.submitted), pair.scorecard
    deciding.check(form, body, web_app.people(), language_of(request))
    done = await deciding.revise(web_app, request, person, of, form, body, PAIR)
    web_app.audit(person, "quality.decide")
    return done


@api.post(
    "/{q}/annulment",
    summary="Annul one of both, with a reason; it stays to be seen and no longer counts",
    responses=REFUSED,
)
async def annul(
    q: Q, body: Annulment, web_app: WebAppDep, person: Lead, request: Request
) -> dict[str, Any]:
    pair = (await _found(web_app, request, person, q)).pair
    its = pair.one if body.which == "first" else pair.other
    return await deciding.annul(web_app, request, person, key_of(its.submitted), body.reason)


async def _found(web_app: WebApp, request: Request, person: Person, q: str) -> _Read:
    """That pair and what is shown of it. Raises HTTPException."""
    now_ms = web_app.pace.now_ms()
    found = await asyncio.to_thread(_read, web_app.data, web_app.people(), person, now_ms, q)
    if found is None:
        raise HTTPException(404, text("quality.pair.gone", language_of(request)))
    return found


def _read(data: DataDir, people: People, person: Person, now_ms: int, q: str) -> _Read | None:
    if not data.store.exists():
        return None
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        its = pairs(tx, people, person, now_ms)
        pair = next((one for one in its if one.q == q), None)
        if pair is None:
            return None
        both = sides(tx, pair)
        shown = call_shown(tx, people, pair.scorecard, pair.call, contact_of(tx, pair.call))
    decision = decision_of(pair.one)
    plain = shown | {
        "q": q,
        "form": form_of(pair.scorecard),
        "sides": [
            msgspec.to_builtins(one)
            | {"right_code": msgspec.to_builtins(given(people, one.right_code))}
            for one in both
        ],
        "differs": pair.differs,
        "decided": by_item(pair.scorecard, decision.answers or "") if decision else None,
        "reason": decision.reason if decision else None,
        "score": decision.raw if decision else None,
    }
    return _Read(pair, plain)
