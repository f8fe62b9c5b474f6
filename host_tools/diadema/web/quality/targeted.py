"""`/ui/quality/targeted`: the calls of a day that a rule names, for the coordinator to assign
some. They coach and are in no mean. What one has to evaluate blind oneself is in no list.
"""

import asyncio
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.audit import ALL
from diadema.access.roles import RIGHTS, Person
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.sanitize import visible
from diadema.figures.days import span_of
from diadema.quality.blind import hidden
from diadema.quality.targeted import RULES, Pointed, Rule, pointed
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.store.contact_rows import Key, key_of
from diadema.store.quality import assigned_calls, call_of
from diadema.web.actions.api import REFUSED, ask, signed
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.paging import FIRST, LAST
from diadema.web.quality.samples_api import Event, Lead, Said
from diadema.web.quality.samples_view import PATH as SAMPLES
from diadema.web.refusals import trouble
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section
from diadema.words.formatting import NOTHING, clock, grouped, local_time

router = APIRouter()

PATH, API = "/ui/quality/targeted", "/api/v1/quality/targeted"
SHOWN = 50
_DUE_DAYS = 5
OnDay = Annotated[date | None, Query(ge=FIRST, le=LAST, description="yesterday if left out")]
ByRule = Annotated[list[Rule] | None, Query(description="all if left out")]


class Assigning(BaseModel):
    """`call`: its key. `due`: the last day on which it can be evaluated."""

    model_config = ConfigDict(extra="forbid")

    call: Event
    to: Annotated[str, Field(min_length=1, max_length=32, examples=["ana"])]
    form: Annotated[str, Field(min_length=1, max_length=14, examples=["atencion"])]
    due: Annotated[date, Field(ge=FIRST, le=LAST)]
    why: Rule


class Found(BaseModel):
    """A call that a rule names. `to`: who has it already, of a rule's list."""

    call: list[Any]
    agent: str
    queue: str | None
    start_ms: int | None
    talk_ms: int
    code: str | None
    rules: list[Rule]
    to: list[str]


@router.get(API, summary="The calls of a day that a rule names", responses=REFUSED)
async def targeted(
    web_app: WebAppDep, person: Lead, request: Request, day: OnDay = None, rule: ByRule = None
) -> list[Found]:
    calls, given = await _found(web_app, request, person, _day(web_app, day), rule or RULES)
    return [
        Found(
            call=[*key_of(one.contact)],
            agent=one.contact.agent,
            queue=one.contact.queue,
            start_ms=one.contact.start_utc,
            talk_ms=one.contact.talk_ms,
            code=one.contact.code,
            rules=[*one.rules],
            to=given.get(key_of(one.contact), []),
        )
        for one in calls
    ]


@router.post(
    API,
    summary="Give a call that a rule named to a monitor",
    status_code=202,
    responses=REFUSED,
)
async def assign(wanted: Assigning, web_app: WebAppDep, person: Lead, request: Request) -> Said:
    end = datetime.combine(wanted.due + timedelta(days=1), time(), web_app.zone)
    body = {
        "action": "sample_assigned",
        "call": wanted.call,
        "to": wanted.to,
        "form": wanted.form,
        "due": int(end.timestamp() * 1000),
        "why": wanted.why,
    }
    answer = await ask(web_app, request, "hub.act", body | signed(person))
    web_app.audit(person, "quality.assigned")
    return Said(of=answer.get("of"))


@router.get(PATH, include_in_schema=False)
async def targeted_page(
    request: Request, person: Lead, day: OnDay = None, rule: ByRule = None
) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    shown = _day(web_app, day)
    calls, given = await _found(web_app, request, person, shown, rule or RULES)
    words, people = section("samples", language), web_app.people()
    accounts = await asyncio.to_thread(web_app.accounts.book.all)
    names = {one.id: visible(one.name or one.id) for one in accounts}
    monitors = [
        (one.id, names[one.id])
        for one in accounts
        if not one.disabled and "evaluate" in RIGHTS[one.role]
    ]
    newest = {code: its.label for (code, _), its in sorted(people.scorecards.items())}
    return plain_page(
        web_app,
        request,
        "targeted.html",
        words["targeted"],
        words=words,
        day=shown.isoformat(),
        rules=[(one, words[f"rule.{one}"], rule is None or one in rule) for one in RULES],
        rows=[_row(web_app, people, one, given, names, language) for one in calls[:SHOWN]],
        more=grouped(len(calls) - SHOWN) if len(calls) > SHOWN else "",
        monitors=sorted(monitors, key=lambda one: one[1].casefold()),
        forms=sorted(newest.items(), key=lambda one: one[1].casefold()),
        due=(web_app.today() + timedelta(days=_DUE_DAYS)).isoformat(),
        today=web_app.today().isoformat(),
        api=API,
        back=f"{SAMPLES}?lang={language}",
    )


def _row(
    web_app: WebApp,
    people: People,
    one: Pointed,
    given: dict[Key, list[str]],
    names: dict[str, str],
    language: str,
) -> dict[str, Any]:
    words, its = section("samples", language), one.contact
    start = its.start_utc
    to = given.get(key_of(its), [])
    labels = people.codes.get(its.code or "", [])
    return {
        "call": [*key_of(its)],
        "at": NOTHING if start is None else local_time(start, web_app.zone, "hour"),
        "agent": visible(people.name(its.agent)),
        "queue": visible(people.queue(its.queue or "", start) or "") or NOTHING,
        "talk": clock((its.talk_ms + its.hold_ms) // 1000),
        "code": visible(labels[-1] if labels else its.code or "") or NOTHING,
        "rules": [words[f"rule.{rule}"] for rule in one.rules],
        "why": one.rules[0],
        "to": ", ".join(names.get(account, visible(account)) for account in to),
    }


def _day(web_app: WebApp, given: date | None) -> date:
    return given or web_app.today() - timedelta(days=1)


async def _found(
    web_app: WebApp, request: Request, person: Person, day: date, rules: Collection[Rule]
) -> tuple[list[Pointed], dict[Key, list[str]]]:
    """Raises HTTPException 409 with the reason."""
    web_app.audit(person, "quality.targeted", ALL)
    people, now_ms = web_app.people(), web_app.pace.now_ms()
    try:
        calls, given = await web_app.worker.ask(
            _read, web_app.data, people, web_app.zone.key, day, rules, person, now_ms
        )
    except DiademaError as error:
        raise HTTPException(409, trouble(error, language_of(request))) from error
    return [one for one in calls if person.sees(one.contact.agent, people)], given


def _read(
    data: DataDir,
    people: People,
    zone: str,
    day: date,
    rules: Collection[Rule],
    person: Person,
    now_ms: int,
) -> tuple[list[Pointed], dict[Key, list[str]]]:
    """The calls, and of each who has it by a rule already."""
    if not data.store.exists():
        return [], {}
    unseen, its = hidden(data, person, now_ms), span_of(day, ZoneInfo(zone))
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        calls = [
            one
            for one in pointed(
                tx, people, ZoneInfo(zone), its.start_s * 1000, its.end_s * 1000, rules
            )
            if key_of(one.contact) not in unseen
        ]
        keys = [key_of(one.contact) for one in calls]
        given: dict[Key, list[str]] = {}
        for one in assigned_calls(tx, calls=keys):
            row = one.assignment
            if row.draw is None and not one.annulled and not one.replaced:
                given.setdefault(call_of(row), []).append(row.assignee)
    return calls, given
