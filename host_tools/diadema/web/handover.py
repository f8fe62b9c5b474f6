"""`/handover`: what one shift hands to the next, for paper: a plain page without NiceGUI."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from html import escape
from typing import Annotated
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.base.sanitize import visible
from diadema.store.register import Acted
from diadema.web.acted import Words, by_of, outcome_of, reason_of, told
from diadema.web.asking import need
from diadema.web.paging import Day
from diadema.web.register_reads import Register, Shift, register
from diadema.web.service import Service
from diadema.words import known, section
from diadema.words.durations import NOTHING

router = APIRouter()

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · {about}</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/fonts.css">
<link rel="stylesheet" href="/static/floor.css">
<link rel="stylesheet" href="/static/handover.css">
<script src="/static/theme.js"></script>
<script type="module" src="/static/print.js"></script>
</head>
<body class="handover">
<nav>{ways}</nav>
<main>
<h1>{title}</h1>
<p class="about">{about}</p>
<p class="soft">{made}</p>
{body}
<p class="signs"><span>{gives}</span><span>{takes}</span></p>
</main>
</body>
</html>
"""


@router.get("/handover", include_in_schema=False)
async def handover(
    request: Request,
    person: Annotated[Person, Depends(need("register"))],
    day: Day = None,
    shift: Annotated[str | None, Query(max_length=40)] = None,
) -> HTMLResponse:
    service: Service = request.app.state.service
    asked = request.query_params.get("lang") or person.language or service.floor.site.language
    sheet = _Sheet(service, person, known(asked), day or service.today())
    return HTMLResponse(await sheet.page(shift), headers={"cache-control": "no-store"})


class _Sheet:
    def __init__(self, service: Service, person: Person, language: str, day: date) -> None:
        self._service, self._person, self._day = service, person, day
        self._language = language
        self._words: Words = section("register", language)
        self._said: Words = section("reports", language)
        self._people = service.people()
        self._zone = ZoneInfo(service.floor.site.zone)

    async def page(self, shift: str | None) -> str:
        service, person, words = self._service, self._person, self._words
        scope = person.scope(self._people)
        agents = None
        if scope is not None:
            agents = [one for one in self._people.workers if person.sees(one, self._people)]
        now_ms = service.pace.now_ms()
        service.audit(person, "handover", ALL)
        made = await service.worker.ask(
            register, service.data, self._day, self._zone.key, shift, agents, person.id, now_ms
        )
        about = words["handover.of"].format(
            site=service.floor.site.site, day=self._day.isoformat(), shift=self._name(made.shift)
        )
        by = visible(person.name or person.id)
        return _PAGE.format(
            language=self._language,
            title=escape(words["handover.title"]),
            about=escape(visible(about)),
            made=escape(words["handover.made"].format(by=by, time=self._hour(now_ms))),
            ways=self._ways(made),
            body="\n".join(self._sections(made)),
            gives=escape(words["handover.gives"]),
            takes=escape(words["handover.takes"]),
        )

    def _sections(self, made: Register) -> Iterable[str]:
        acts = [one for one in made.acts if one.act.action != "acknowledge"]
        notes = [one for one in acts if one.act.action == "note"]
        yield self._table("notes", ("at", "agent", "kind", "by", "contact", "note"), notes)
        others = [one for one in acts if one.act.action != "note"]
        yield self._table(
            "acts", ("at", "agent", "kind", "by", "reason", "note", "outcome"), others
        )
        if self._person.may("floor"):
            yield self._open()
            yield self._alerts()
        rows = [[one.seat, self._hour(one.since_utc)] for one in made.cut.owing]
        yield self._made("owing", ("seat", "handover.heard"), rows)

    def _table(self, name: str, columns: Sequence[str], acts: list[Acted]) -> str:
        return self._made(
            name, columns, [[self._cell(one, key) for key in columns] for one in acts]
        )

    def _cell(self, one: Acted, key: str) -> str:
        act = one.act
        match key:
            case "at":
                return self._hour(act.utc)
            case "agent":
                return visible(self._people.name(act.agent)) if act.agent else NOTHING
            case "kind":
                return told(one, self._said)
            case "by":
                return by_of(one)
            case "reason":
                return reason_of(one, self._people, self._said)
            case "contact":
                return visible(act.contact or "") or NOTHING
            case "outcome":
                return outcome_of(one, self._said)
        return visible(act.note or "") or NOTHING

    def _open(self) -> str:
        """Who waits for help and which desks are out of order, of the live rows."""
        rows: list[list[str]] = []
        for row in self._service.floor.rows.values():
            if not self._person.sees(row.agent, self._people):
                continue
            for kind, since, by, topic in (
                ("help", row.help, row.help_by, row.help_topic),
                ("fault", row.fault, row.fault_by, None),
            ):
                if since is not None:
                    said = self._words[f"handover.{kind}"]
                    who = visible(row.name or row.agent)
                    told_of = [row.seat, said, self._hour(since or None), topic, by]
                    rows.append([who, *(visible(one or "") or NOTHING for one in told_of)])
        columns = ("agent", "seat", "handover.kind", "handover.since", "handover.topic")
        return self._made("open", (*columns, "handover.accepted"), sorted(rows))

    def _alerts(self) -> str:
        watch = self._service.watch
        n = sum(
            one.key not in watch.seen and self._person.sees(one.agent, self._people)
            for one in watch.alerts
        )
        said = (
            self._words["handover.alerts.n"].format(n=n) if n else self._words["handover.nothing"]
        )
        head = escape(self._words["handover.alerts"])
        return f"<section><h2>{head}</h2><p>{escape(said)}</p></section>"

    def _made(self, name: str, columns: Sequence[str], rows: list[list[str]]) -> str:
        head = f"<h2>{escape(self._words[f'handover.{name}'])}</h2>"
        if not rows:
            return f"<section>{head}<p>{escape(self._words['handover.nothing'])}</p></section>"
        heads = "".join(f'<th scope="col">{escape(self._words[one])}</th>' for one in columns)
        lines = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
        )
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
        return f"<section>{head}{table}</section>"

    def _ways(self, made: Register) -> str:
        words, day = self._words, self._day.isoformat()
        links = "".join(
            f'<a href="?day={day}&amp;shift={quote(one.code)}&amp;lang={self._language}"'
            f"{' aria-current=page' if one == made.shift else ''}>{escape(self._name(one))}</a>"
            for one in made.shifts
        )
        back = f'<a href="/ui/register?day={day}&amp;lang={self._language}">'
        return (
            f"{back}{escape(words['handover.back'])}</a>{links}"
            f'<button type="button" data-print>{escape(words["handover.print"])}</button>'
        )

    def _name(self, shift: Shift) -> str:
        if not shift.code:
            return self._words["handover.whole"]
        start, end = self._hour(shift.start_ms)[:5], self._hour(shift.end_ms)[:5]
        said = self._words["handover.shift"]
        return said.format(name=visible(shift.code), start=start, end=end)

    def _hour(self, utc_ms: int | None) -> str:
        if utc_ms is None:
            return NOTHING
        return f"{datetime.fromtimestamp(utc_ms / 1000, self._zone):%H:%M:%S}"
