"""`/ui/quality/scorecards`: what is written, what was published of it, and what is different; one
as the monitor will see it, to be published and printed. The rows themselves are edited and
imported among people and places.
"""

from collections.abc import Awaitable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from diadema.access.roles import Person, Right
from diadema.base.errors import DiademaError
from diadema.base.sanitize import visible
from diadema.site.directory import queries, scorecard_board
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.labels import choice_label, label
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.scorecard_board import Board, Different
from diadema.site.directory.scorecards import OPTIONS, Item, Scorecard
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.people.models import REFUSED
from diadema.web.permissions import need
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section, text
from diadema.words.formatting import NOTHING, grouped, local_time, percent

router = APIRouter()

PATH = "/ui/quality/scorecards"
API = "/api/v1/quality/scorecards"
_CHANGES: tuple[Right, ...] = KINDS["scorecards"].rights
_READS: tuple[Right, ...] = (*_CHANGES, "people")  # who administers sees what is in force
_TABLES = ("scorecards", "scorecard_sections", "scorecard_items")
_CHOICES = ("kind", "scale", "comment", "auto_fail", "checks", "step")

Reader = Annotated[Person, Depends(need(*_READS))]
Lead = Annotated[Person, Depends(need(*_CHANGES))]
Code = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,14}$", examples=["atencion"])]
Number = Annotated[int, Path(ge=1, le=9_999_999)]


class NewScorecard(BaseModel):
    """From the template, under a code that was never used."""

    code: Annotated[str, Field(max_length=64, examples=["atencion"])]
    reason: Annotated[str, Field(min_length=1, max_length=200, examples=["campaña nueva"])]


class Begun(BaseModel):
    code: str
    items: int


class InForce(BaseModel):
    """`version` null: nothing was other than it was published last."""

    code: str
    version: int | None
    hash: str | None


# -- the API


@router.get(API, summary="Scorecards: what is written, published, and different")
async def scorecards(web_app: WebAppDep, person: Reader, request: Request) -> list[dict[str, Any]]:
    language = language_of(request)
    return [_plain(one, language) for one in await _boards(web_app, request)]


@router.post(API, summary="Begin a scorecard from the template", responses=REFUSED)
async def begin(wanted: NewScorecard, web_app: WebAppDep, person: Lead, request: Request) -> Begun:
    web_app.audit(person, "people_change_scorecards")
    items = await _done(
        request,
        web_app.worker.ask(
            scorecard_board.begin,
            web_app.data,
            wanted.code,
            language_of(request),
            by=person.id,
            reason=wanted.reason,
            now_ms=web_app.pace.now_ms(),
        ),
    )
    return Begun(code=wanted.code, items=items)


@router.get(f"{API}/{{code}}/versions/{{n}}", summary="A published version", responses=REFUSED)
async def version(
    code: Code, n: Number, web_app: WebAppDep, person: Reader, request: Request
) -> dict[str, Any]:
    return _whole(await _version(web_app, request, code, n))


@router.post(
    f"{API}/{{code}}/publish",
    summary="Publish what is written as the next version, whole",
    responses=REFUSED,
)
async def publish(code: Code, web_app: WebAppDep, person: Lead, request: Request) -> InForce:
    """The hub has to run: since when a version is in force stands in its journal."""
    web_app.audit(person, "people_publish")
    now_ms = web_app.pace.now_ms()
    work = web_app.worker.file(
        queries.freeze, web_app.data, "scorecards", now_ms, person.id, [code]
    )
    done = await _done(request, work)
    if not done:
        return InForce(code=code, version=None, hash=None)
    return InForce(code=code, version=done[0].version, hash=done[0].hash)


async def _done[T](request: Request, work: Awaitable[T], status: int = 409) -> T:
    """Raises Wrong, or HTTPException with the reason."""
    try:
        return await work
    except Wrong:
        raise
    except DiademaError as error:
        raise HTTPException(status, error.say(language_of(request))) from error


async def _boards(web_app: WebApp, request: Request) -> list[Board]:
    now_ms = web_app.pace.now_ms()
    work = web_app.worker.ask(scorecard_board.boards, web_app.data, now_ms)
    return await _done(request, work, 503)


async def _board(web_app: WebApp, request: Request, code: str) -> Board:
    """Raises HTTPException 404."""
    for one in await _boards(web_app, request):
        if one.code == code:
            return one
    raise _none(request, code)


async def _version(web_app: WebApp, request: Request, code: str, n: int) -> Scorecard:
    """Raises HTTPException 404."""
    now_ms = web_app.pace.now_ms()
    work = web_app.worker.ask(scorecard_board.version_of, web_app.data, code, n, now_ms)
    found = await _done(request, work, 503)
    if found is None:
        raise _none(request, f"{code} v{n}")
    return found


def _none(request: Request, code: str) -> HTTPException:
    return HTTPException(404, text("scorecards.none_such", language_of(request), code=code))


def _plain(one: Board, language: str) -> dict[str, Any]:
    return {
        "code": one.code,
        "name": one.shown.label,
        "state": one.state,
        "items": len(one.shown.items),
        "version": one.versions[-1].version if one.versions else None,
        "versions": [
            {"version": its.version, "at_ms": its.at_ms, "by": its.by, "hash": its.hash}
            for its in one.versions
        ],
        "changed_ms": one.changed_ms,
        "differences": [
            {
                "what": its.what,
                "kind": its.kind,
                "code": its.code,
                "fields": [
                    {"field": name, "old": old, "new": new} for name, old, new in its.fields
                ],
            }
            for its in one.differences
        ],
        "problems": [its.say(language) for its in one.problems],
        "plans": one.plans,
    }


def _whole(card: Scorecard) -> dict[str, Any]:
    return {
        "code": card.code,
        "name": card.label,
        "version": card.version,
        "contract": card.contract,
        "sections": [
            {"code": its.code, "name": its.label, "order": its.order} for its in card.sections
        ],
        "items": [
            {name: getattr(its, name) for name in Item.__struct_fields__} for its in card.items
        ],
    }


# -- the pages


@router.get(PATH, include_in_schema=False)
async def scorecards_page(request: Request, person: Reader) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    found = await _boards(web_app, request)
    words = section("scorecards", language)
    return plain_page(
        web_app,
        request,
        "scorecards.html",
        words["title"],
        words=words,
        may_change=person.may(*_CHANGES),
        rows=[_row(web_app, one, language) for one in found],
        tables=_tables(language),
        notices=_in_people("notices", language),
        api=API,
    )


@router.get(f"{PATH}/{{code}}", include_in_schema=False)
async def scorecard_page(
    request: Request,
    person: Reader,
    code: Code,
    version: Annotated[int | None, Query(ge=1, le=9_999_999)] = None,
) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    board = await _board(web_app, request, code)
    shown = board.shown
    if version is not None:
        shown = await _version(web_app, request, code, version)
    words = section("scorecards", language)
    title = words["title.version" if shown.version else "title.one"]
    return plain_page(
        web_app,
        request,
        "scorecard.html",
        title.format(name=visible(shown.label), n=shown.version),
        words=words,
        may_change=person.may(*_CHANGES),
        card=_row(web_app, board, language),
        is_version=version is not None,
        is_draft=not shown.version,
        number=shown.version,
        next_number=board.versions[-1].version + 1 if board.versions else 1,
        problems=[_problem(one, language) for one in board.problems],
        differences=[_different(one, language) for one in board.differences],
        form=_form(shown, language),
        versions=[
            {
                "n": one.version,
                "at": _at(web_app, one.at_ms),
                "by": visible(one.by),
                "hash": one.hash,
                "link": f"{PATH}/{code}?version={one.version}&lang={language}",
                "here": one.version == shown.version,
            }
            for one in reversed(board.versions)
        ],
        edits=[_edit(kind, code, language) for kind in _TABLES],
        back=f"{PATH}?lang={language}",
        draft=f"{PATH}/{code}?lang={language}",
        api=f"{API}/{code}/publish",
    )


def _at(web_app: WebApp, utc_ms: int) -> str:
    return local_time(utc_ms, web_app.zone, "date_minute") if utc_ms else NOTHING


def _row(web_app: WebApp, one: Board, language: str) -> dict[str, Any]:
    card, words = one.shown, section("scorecards", language)
    last = one.versions[-1] if one.versions else None
    said = words[f"state.{one.state}.what"].format(
        n=last.version if last else 0,
        at=_at(web_app, last.at_ms if last else 0),
        by=visible(last.by) if last else NOTHING,
        changed=_at(web_app, one.changed_ms),
        changed_by=visible(one.changed_by),
        count=len(one.differences),
    )
    return {
        "code": visible(one.code),
        "name": visible(card.label),
        "link": f"{PATH}/{one.code}?lang={language}",
        "state": one.state,
        "word": words[f"state.{one.state}"],
        "said": said,
        "items": len(card.items),
        "sections": len(card.sections),
        "weight": grouped(sum(item.weight for item in card.items)),
        "critical": sum(item.kind != "normal" for item in card.items),
        "plans": ", ".join(map(visible, one.plans)) or NOTHING,
        "contract": card.contract,
    }


def _in_people(kind: str, language: str, search: str = "") -> str:
    """Where rows of that kind are read and changed."""
    query = {"kind": kind, "lang": language} | ({"q": search} if search else {})
    return f"/ui/people?{urlencode(query)}"


def _tables(language: str) -> list[dict[str, str]]:
    """Each table as a file, and where it is taken in."""
    return [
        {
            "name": text(f"people.kind.{kind}", language),
            "xlsx": f"/api/v1/people/export/{kind}?format=xlsx&lang={language}",
            "csv": f"/api/v1/people/export/{kind}?format=csv&lang={language}",
            "edit": _in_people(kind, language),
        }
        for kind in _TABLES
    ]


def _edit(kind: str, code: str, language: str) -> dict[str, str]:
    return {
        "name": text(f"people.kind.{kind}", language),
        "link": _in_people(kind, language, code),
    }


def _problem(one: Problem, language: str) -> str:
    return visible(one.say(language))


def _form(card: Scorecard, language: str) -> list[dict[str, Any]]:
    """Its sections with their items, as the monitor has them."""
    whole = sum(item.weight for item in card.items)
    form = []
    number = 0
    for part in card.sections:
        items = []
        for item in card.items:
            if item.section == part.code:
                number += 1
                items.append(_item(item, number, whole, language))
        weight = sum(item.weight for item in card.items if item.section == part.code)
        form.append(
            {
                "name": visible(part.label),
                "items": items,
                "weight": weight,
                "share": _share(weight, whole),
            }
        )
    return form


def _share(weight: int, whole: int) -> str:
    return percent(100 * weight / whole) if whole else NOTHING


def _item(item: Item, number: int, whole: int, language: str) -> dict[str, Any]:
    words = section("scorecards", language)
    least, most = OPTIONS[item.scale]
    options = [str(at) for at in range(least, most + 1)]
    if item.scale == "yes_no":
        options = [words["yes"], words["no"]]
    rules = []
    if item.comment != "never":
        rules.append(words[f"comment.{item.comment}"])
    if item.step:
        rules.append(words["step"].format(step=choice_label(item.step, language)))
    if item.playbook:
        rules.append(words["playbook"].format(playbook=visible(item.playbook)))
    if item.checks:
        rules.append(words[f"checks.{item.checks}"])
    return {
        "number": number,
        "code": visible(item.code),
        "text": visible(item.text),
        "guide": visible(item.guide, lines=True),
        "kind": "" if item.kind == "normal" else choice_label(item.kind, language),
        "fails": "" if item.auto_fail == "none" else words[f"fails.{item.auto_fail}"],
        "weight": item.weight,
        "share": _share(item.weight, whole),
        "options": options + ([words["na"]] if item.na else []),
        "rules": rules,
    }


def _different(one: Different, language: str) -> dict[str, Any]:
    words = section("scorecards", language)
    return {
        "what": one.what,
        "word": words[f"what.{one.what}"],
        "kind": words[f"of.{one.kind}"],
        "code": visible(one.code),
        "label": visible(one.label),
        "fields": [
            {
                "name": label(one.kind, name, language),
                "old": _value(name, old, language),
                "new": _value(name, new, language),
            }
            for name, old, new in one.fields
        ],
    }


def _value(name: str, value: object, language: str) -> str:
    if isinstance(value, bool):
        return text(f"scorecards.{'yes' if value else 'no'}", language)
    if value in ("", None, "none", "never"):
        return NOTHING
    if name in _CHOICES:
        return choice_label(str(value), language, name)
    return visible(str(value))
