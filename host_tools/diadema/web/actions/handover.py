"""`/handover`: what one shift hands to the next, for paper: a plain page without NiceGUI."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from msgspec import Struct

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.base.sanitize import visible
from diadema.store.register import Acted, counted
from diadema.web.actions.queries import Register, Shift, register
from diadema.web.actions.words import (
    Words,
    by_of,
    outcome_of,
    reason_of,
    summary_of,
)
from diadema.web.floor.queue_alerts import is_for
from diadema.web.guard import language_of
from diadema.web.paging import Day
from diadema.web.permissions import need
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section, text
from diadema.words.formatting import NOTHING, local_time

router = APIRouter()


@router.get("/handover", include_in_schema=False)
async def handover(
    request: Request,
    person: Annotated[Person, Depends(need("register"))],
    day: Day = None,
    shift: Annotated[str | None, Query(max_length=40)] = None,
) -> HTMLResponse:
    web_app = web_app_of(request)
    sheet = _Sheet(web_app, person, language_of(request), day or web_app.today())
    values = await sheet.values(shift)
    title = text("register.handover", language_of(request))
    return plain_page(web_app, request, "handover.html", title, **values)


class _Part(Struct):
    """A section of the sheet: a table, or where it has no rows `line` or that there is nothing."""

    name: str
    columns: Sequence[str] = ()
    rows: list[list[str]] = []
    line: str = ""


class _Sheet:
    def __init__(self, web_app: WebApp, person: Person, language: str, day: date) -> None:
        self._web_app, self._person, self._day = web_app, person, day
        self._words: Words = section("register", language)
        self._said: Words = section("reports", language)
        self._people = web_app.people()
        self._zone = ZoneInfo(web_app.floor.site.zone)

    async def values(self, shift: str | None) -> dict[str, Any]:
        """What `handover.html` is given."""
        web_app, person, words = self._web_app, self._person, self._words
        scope = person.scope(self._people)
        agents = None
        if scope is not None:
            agents = [one for one in self._people.workers if person.sees(one, self._people)]
        now_ms = web_app.pace.now_ms()
        web_app.audit(person, "handover", ALL)
        made = await web_app.worker.ask(
            register,
            web_app.data,
            self._day,
            self._zone.key,
            shift,
            agents,
            person,
            now_ms,
            "none",  # the sheet goes from hand to hand
        )
        about = words["handover.of"].format(
            site=web_app.floor.site.site, day=self._day.isoformat(), shift=self._name(made.shift)
        )
        by = visible(person.name or person.id)
        return {
            "words": words,
            "day": self._day.isoformat(),
            "about": visible(about),
            "made": words["handover.made"].format(by=by, time=self._time(now_ms)),
            "shifts": self._shifts(made),
            "parts": list(self._parts(made)),
        }

    def _parts(self, made: Register) -> Iterable[_Part]:
        acts = [one for one in counted(made.acts) if one.act.action != "acknowledge"]
        notes = [one for one in acts if one.act.action == "note"]
        yield self._table("notes", ("at", "agent", "kind", "by", "contact", "note"), notes)
        others = [one for one in acts if one.act.action != "note"]
        yield self._table(
            "acts", ("at", "agent", "kind", "by", "reason", "note", "outcome"), others
        )
        if self._person.may("floor"):
            yield self._open()
            yield self._alerts()
        rows = [[one.seat, self._time(one.since_utc)] for one in made.cut.pending_stations]
        yield _Part("owing", ("seat", "handover.heard"), rows)

    def _table(self, name: str, columns: Sequence[str], acts: list[Acted]) -> _Part:
        return _Part(name, columns, [[self._cell(one, key) for key in columns] for one in acts])

    def _cell(self, one: Acted, key: str) -> str:
        act = one.act
        match key:
            case "at":
                return self._time(act.utc)
            case "agent":
                return visible(self._people.name(act.agent)) if act.agent else NOTHING
            case "kind":
                return summary_of(one, self._said)
            case "by":
                return by_of(one)
            case "reason":
                return reason_of(one, self._people, self._said)
            case "contact":
                return visible(act.contact or "") or NOTHING
            case "outcome":
                return outcome_of(one, self._said, self._zone)
        return visible(act.note or "") or NOTHING

    def _open(self) -> _Part:
        """Who waits for help and which desks are out of order, of the live rows."""
        rows: list[list[str]] = []
        for row in self._web_app.floor.rows.values():
            if not self._person.sees(row.agent, self._people):
                continue
            for kind, since, by, topic in (
                ("help", row.help, row.help_by, row.help_topic),
                ("fault", row.fault, row.fault_by, None),
            ):
                if since is not None:
                    said = self._words[f"handover.{kind}"]
                    who = visible(row.name or row.agent)
                    fields = [row.seat, said, self._time(since or None), topic, by]
                    rows.append([who, *(visible(one or "") or NOTHING for one in fields)])
        columns = ("agent", "seat", "handover.kind", "handover.since", "handover.topic")
        return _Part("open", (*columns, "handover.accepted"), sorted(rows))

    def _alerts(self) -> _Part:
        watch, teams = self._web_app.watch, self._person.scope(self._people)
        n = sum(
            one.key not in watch.seen and is_for(one, teams, self._people) for one in watch.alerts
        )
        return _Part("alerts", line=self._words["handover.alerts.n"].format(n=n) if n else "")

    def _shifts(self, made: Register) -> list[dict[str, object]]:
        """The links to the shifts of the day."""
        return [
            {
                "query": quote(one.code),
                "name": self._name(one),
                "chosen": one == made.shift,
            }
            for one in made.shifts
        ]

    def _name(self, shift: Shift) -> str:
        if not shift.code:
            return self._words["handover.whole"]
        start, end = self._time(shift.start_ms)[:5], self._time(shift.end_ms)[:5]
        said = self._words["handover.shift"]
        return said.format(name=visible(shift.code), start=start, end=end)

    def _time(self, utc_ms: int | None) -> str:
        if utc_ms is None:
            return NOTHING
        return local_time(utc_ms, self._zone, "hour")
