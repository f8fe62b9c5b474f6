"""`/ui/calls`, «Buscar llamada», and `/api/v1/calls`: to find a call, see how it stands with its
recording, and hold that.

A phone number that is looked for is hashed at once: it comes in a body, and is in no address, no
answer, no log and no record.
"""

import asyncio
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.base import credentials
from diadema.base.errors import DiademaError
from diadema.exchange.queue_log_events import caller_reference
from diadema.quality.hearing import LEADING, SUPERVISING, is_held
from diadema.recordings import settings as recording_settings
from diadema.site.directory.people import People
from diadema.store.contact_rows import Key, key_of
from diadema.store.quality_rows import RecordingAct
from diadema.web.actions.api import check_seen, scope_of, signed
from diadema.web.api import WebAppDep
from diadema.web.assets import modules_of
from diadema.web.guard import language_of
from diadema.web.once_only import once_of
from diadema.web.paging import FIRST, LAST, after_of, cursor
from diadema.web.permissions import need, person_of
from diadema.web.quality.blind import hidden_from
from diadema.web.recordings import found
from diadema.web.recordings.asking import ask
from diadema.web.recordings.found import FoundCall, Search
from diadema.web.recordings.player import player_words
from diadema.web.shell import live_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section, text

PATH = "/ui/calls"
MOST_DAYS = 92
LINKED = ("linked", "by_hour")
_LIMIT = 50
_DAY_MS = 86_400_000
_MODULES = modules_of("calls.js")
router = APIRouter()

Finder = Annotated[Person, Depends(need("listen", "evaluate", "quality"))]
Lead = Annotated[Person, Depends(need("quality"))]
CallStation = Annotated[str, Path(pattern=r"^DIA-[0-9a-f]{12}$", examples=["DIA-0a1b2c3d4e5f"])]
CallEpoch = Annotated[int, Path(ge=0, le=2**32 - 1)]
CallNumber = Annotated[int, Path(ge=1, le=2**53 - 1)]
REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"description": "not yours to see or do"},
    404: {"description": "no such call, or none that you may see"},
    409: {"description": "it cannot be done; `detail` says why"},
    503: {"description": "the hub is silent"},
}


class CallSearch(BaseModel):
    """`start` and `end` are the site's own time; what is left out is not looked for. `number`: of
    who called, or was called.
    """

    model_config = ConfigDict(extra="forbid")
    start: datetime | None = None
    end: datetime | None = None
    agent: str = Field("", pattern=r"^[A-Za-z0-9_-]{0,24}$")
    queue: str = Field("", max_length=64)
    code: str = Field("", max_length=32)
    call: str = Field("", max_length=64)
    number: str = Field("", max_length=32)
    after: str | None = Field(None, max_length=200)


class CallItem(BaseModel):
    """Times are UTC ms. `recording`: linked, by_hour, ambiguous, missing or none, with why there
    is none; `expired`: not to be heard any more; `held`: kept for longer, until `held_until` or
    for good. `hear`: there is sound that one may ask for; `outside`: another platform has it.
    `evaluations`: the ids of those of it, for the coordinator.
    """

    s: str
    e: int
    n: int
    c: str
    a: str
    name: str
    team: str
    queue: str
    direction: str
    outcome: str
    start: int | None
    answered: int | None
    end: int | None
    talk_ms: int
    hold_ms: int
    code: str | None
    label: str | None
    recording: str
    reason: str | None
    pauses: str | None
    ms: int | None
    expired: bool
    held: bool
    held_until: int | None
    copies: int
    hear: bool
    outside: bool
    evaluations: list[str]


class CallPage(BaseModel):
    items: list[CallItem]
    next: str | None


class ActItem(BaseModel):
    """What was done with a recording. `of`: the event."""

    of: tuple[str, int, int]
    kind: str
    at: int
    by: str
    reason: str
    purpose: str | None
    receiver: str | None
    hash: str | None
    until: int | None


class OneCall(BaseModel):
    call: CallItem
    acts: list[ActItem]


class Hold(BaseModel):
    """Until the end of that day of the site, or for good; `let_go`: not any longer."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=64)
    until: date | None = Field(None, ge=FIRST, le=LAST)
    let_go: bool = False


class Terms(BaseModel):
    """`due`: recordings that may be deleted now, by the month in which they were made."""

    due: list[tuple[str, int]]
    held: int
    instruction: str


@router.get(PATH, include_in_schema=False)
async def calls_page(request: Request) -> HTMLResponse:
    web_app, person = web_app_of(request), person_of(request)
    options = None
    if person.may("listen", "evaluate", "quality"):
        options = await asyncio.to_thread(_options, web_app, person, language_of(request))
    return live_page(
        web_app, request, "calls", PATH, options, mode="calls", modules=_MODULES,
        sheets=("recordings", "player"),
    )  # fmt: skip


def _options(web_app: WebApp, person: Person, language: str) -> dict[str, Any]:
    """What `static/calls.js` is given."""
    people, moment = web_app.people(), web_app.moment()
    agents = [(one.id, one.name) for one in people.workers.values() if person.sees(one.id, people)]
    return {
        "words": dict(section("calls", language)),
        "player": player_words(language),
        "zone": web_app.zone.key,
        "start": f"{moment:%Y-%m-%dT00:00}",
        "end": f"{moment:%Y-%m-%dT23:59}",
        "agents": sorted(agents, key=lambda one: one[1].casefold()),
        "queues": sorted(people.queues.items(), key=lambda one: one[1].casefold()),
        "codes": [(code, " › ".join(labels)) for code, labels in people.codes.items()],
        "purposes": [*purposes_of(person)],
        "lead": person.may("quality"),
        "listens": person.may("listen"),
    }


def purposes_of(person: Person) -> tuple[str, ...]:
    """For which the person may hear calls that nobody assigned."""
    if not person.may("listen"):
        return ()
    return LEADING if person.may("quality") else SUPERVISING


def platform(web_app: WebApp) -> recording_settings.Settings | None:
    """Where another platform records, its settings."""
    try:
        settings = recording_settings.read(web_app.data)
    except DiademaError:
        return None
    return settings if settings is not None and settings.link else None


@router.post("/api/v1/calls/search", summary="Find calls that are over; the newest first")
async def search(
    wanted: Annotated[CallSearch, Body()], web_app: WebAppDep, person: Finder, request: Request
) -> CallPage:
    """It changes nothing. It is a POST so that a number stands in no address."""
    language = language_of(request)
    if wanted.number and once_of(request) is not None:
        raise HTTPException(422, text("calls.named", language))  # else a hash of it would be kept
    reference = ""
    if wanted.number:
        reference = _reference(web_app, wanted.number) or ""
        if not reference:
            raise HTTPException(422, text("calls.no_number", language))
    start_ms, end_ms = _span(web_app, wanted, language)
    agents = scope_of(request, web_app, person, wanted.agent or None)
    web_app.audit(
        person, "calls.number" if reference else "calls", [wanted.agent] if wanted.agent else ALL
    )
    place = after_of(request, wanted.after)
    wanted_calls = Search(
        start_ms=start_ms,
        end_ms=end_ms,
        agents=None if agents is None else [*agents],
        queue=wanted.queue,
        code=wanted.code,
        call=wanted.call.strip(),
        reference=reference,
        hidden=await hidden_from(web_app, person),
    )
    calls = await web_app.worker.ask(
        found.find, web_app.data, web_app.today(), wanted_calls, place, _LIMIT
    )
    following = None
    if len(calls) == _LIMIT:
        last = calls[-1].contact
        following = cursor((last.start_utc or 0, *key_of(last)))
    elsewhere = platform(web_app) is not None
    items = [item_of(web_app, person, one, elsewhere) for one in calls]
    return CallPage(items=items, next=following)


@router.get(
    "/api/v1/calls/{s}/{e}/{n}",
    summary="One call, and what was done with its recording",
    responses=REFUSED,
)
async def one_call(
    web_app: WebAppDep, person: Finder, request: Request,
    s: CallStation, e: CallEpoch, n: CallNumber,
) -> OneCall:  # fmt: skip
    call = await call_of(request, web_app, person, (s, e, n))
    web_app.audit(person, "calls.one", [call.contact.agent])
    return OneCall(
        call=item_of(web_app, person, call, platform(web_app) is not None),
        acts=[_act(one) for one in call.recorded.acts] if person.may("quality") else [],
    )


@router.post(
    "/api/v1/calls/{s}/{e}/{n}/hold",
    summary="Keep a recording beyond its time, with a reason; or let it go",
    status_code=202,
    responses=REFUSED,
)
async def hold(
    body: Annotated[Hold, Body()], web_app: WebAppDep, person: Lead, request: Request,
    s: CallStation, e: CallEpoch, n: CallNumber,
) -> OneCall:  # fmt: skip
    call = await call_of(request, web_app, person, (s, e, n))
    now_ms = web_app.pace.now_ms()
    until = now_ms if body.let_go else None
    if body.until is not None and not body.let_go:
        after = datetime.combine(body.until + timedelta(1), datetime.min.time(), web_app.zone)
        until = int(after.timestamp() * 1000)
        if until <= now_ms:
            raise HTTPException(422, text("calls.until_past", language_of(request)))
    said = {"action": "recording_held", "call": [s, e, n], "reason": body.reason, "until": until}
    await ask(web_app, request, "hub.act", said | signed(person))
    web_app.audit(person, "calls.hold", [call.contact.agent])
    return await one_call(web_app, person, request, s, e, n)


@router.get(
    "/api/v1/calls/terms",
    summary="Recordings whose time is over, by month, and how many are held",
)
async def terms(web_app: WebAppDep, person: Lead) -> Terms | None:
    known = await web_app.worker.ask(found.terms, web_app.data, web_app.pace.now_ms())
    if known is None:
        return None
    return Terms(due=known.due, held=known.held, instruction=known.instruction)


# -- for what stands beside this


async def call_of(request: Request, web_app: WebApp, person: Person, key: Key) -> FoundCall:
    """Raises HTTPException: 404 also where it is one that the person may not find, 403 where it is
    another team's.
    """
    known = await web_app.worker.ask(found.one, web_app.data, key)
    if known is None or key in await hidden_from(web_app, person):
        raise HTTPException(404, text("calls.no_such", language_of(request)))
    check_seen(request, web_app, person, [known.contact.agent])
    return known


def item_of(web_app: WebApp, person: Person, call: FoundCall, elsewhere: bool) -> CallItem:
    """`elsewhere`: another platform records too."""
    contact, people = call.contact, web_app.people()
    now_ms = web_app.pace.now_ms()
    held, held_until = _held(call, now_ms)
    state, reason = state_of(call)
    queue = people.queue(contact.queue, contact.start_utc) if contact.queue else ""
    expired = not held and is_expired(people, queue, contact.start_utc, now_ms)
    recording = call.recorded.recording
    labels = people.codes.get(contact.code or "")
    linked = state in LINKED
    return CallItem(
        s=contact.station, e=contact.epoch, n=contact.sequence, c=contact.contact,
        a=contact.agent, name=people.name(contact.agent),
        team=people.teams.get(people.team(contact.agent), people.team(contact.agent)),
        queue=people.queues.get(queue, queue), direction=contact.direction,
        outcome=contact.outcome, start=contact.start_utc, answered=contact.answered_utc,
        end=contact.end_utc, talk_ms=contact.talk_ms, hold_ms=contact.hold_ms,
        code=contact.code, label=" › ".join(labels) if labels else None,
        recording=state, reason=reason, pauses=recording.pauses if recording else None,
        ms=recording.ms if recording else None, expired=expired, held=held,
        held_until=held_until,
        copies=sum(one.kind == "released" for one in call.recorded.acts),
        hear=linked and not expired and person.may("listen"),
        outside=bool(contact.pbx) and elsewhere and person.may("listen"),
        evaluations=call.evaluations if person.may("quality") else [],
    )  # fmt: skip


def _held(call: FoundCall, now_ms: int) -> tuple[bool, int | None]:
    """Whether it is kept beyond its time, and until when; None: for good."""
    until = [one.opened.until_utc for one in call.cases if one.is_open(now_ms)]
    if is_held(call.recorded.acts, now_ms):
        until += [one.until_utc for one in call.recorded.acts if one.kind == "held"][-1:]
    return bool(until), None if None in until else max(filter(None, until), default=None)


def state_of(call: FoundCall) -> tuple[str, str | None]:
    """How it stands with the recording, and why there is none."""
    known = call.recorded.recording
    if known is None:
        return "none", None
    if known.kind == "linked":
        return ("linked" if known.how == "pbx" else "by_hour"), None
    return ("ambiguous" if known.reason == "ambiguous" else "missing"), known.reason


def is_expired(people: People, queue: str, start_utc: int | None, now_ms: int) -> bool:
    return now_ms >= (start_utc or 0) + people.retention_days(queue) * _DAY_MS


def _act(one: RecordingAct) -> ActItem:
    return ActItem(
        of=(one.station, one.epoch, one.sequence), kind=one.kind, at=one.utc, by=one.by,
        reason=one.reason, purpose=one.purpose, receiver=one.receiver, hash=one.hash,
        until=one.until_utc,
    )  # fmt: skip


def _reference(web_app: WebApp, number: str) -> str | None:
    """As the store has callers."""
    return caller_reference(credentials.load(web_app.data).badge_key, number)


def _span(web_app: WebApp, wanted: CallSearch, language: str) -> tuple[int, int]:
    """[from, to) in UTC ms; today where nothing is said. Raises HTTPException."""
    today = datetime.combine(web_app.today(), datetime.min.time())
    given = [_here(web_app, one) for one in (wanted.start, wanted.end)]
    if any(one is not None and not FIRST <= one.date() <= LAST for one in given):
        raise HTTPException(422, text("calls.span", language, days=MOST_DAYS))
    start = given[0] or (given[1] and given[1] - timedelta(1)) or today
    end = given[1] or max(start, today) + timedelta(1)
    first, last = (
        int(one.replace(tzinfo=web_app.zone).timestamp() * 1000) for one in (start, end)
    )
    if last % 60_000 == 0 and wanted.end is not None:
        last += 60_000  # the minute that was written is in it
    if not 0 < last - first <= MOST_DAYS * _DAY_MS + 60_000:
        raise HTTPException(422, text("calls.span", language, days=MOST_DAYS))
    return first, last


def _here(web_app: WebApp, moment: datetime | None) -> datetime | None:
    """By the clocks of the site; one at the end of all time as it is, which is refused."""
    if moment is None or moment.tzinfo is None:
        return moment
    with suppress(OverflowError):
        moment = moment.astimezone(web_app.zone)
    return moment.replace(tzinfo=None)
