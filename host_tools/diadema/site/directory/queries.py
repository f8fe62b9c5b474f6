"""What the web asks the directory, each question a function that a worker process can run."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from diadema.base.locks import locked
from diadema.base.paths import DataDir
from diadema.site.directory import exporting, publishing
from diadema.site.directory.book import Change, Directory, Entry
from diadema.site.directory.fields import badge
from diadema.site.directory.freezing import Freezable, Fresh, publish_quality
from diadema.site.directory.importing import plan_import, problem_row, run_import
from diadema.site.directory.kinds import KINDS, Body
from diadema.site.directory.labels import plain
from diadema.site.directory.people_of import day_at
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.publishing import open_directory
from diadema.site.directory.sheets import read_sheet
from diadema.wire.ask_hub import ask_hub

_DAYS = 7
_WAIT_S = 10.0  # for somebody else's publication


class Listed(Struct, kw_only=True):
    """`next`: what to go on after; None at the end. `total`: of all that was asked for."""

    entries: list[Entry]
    total: int
    next: str | None = None


def listed(
    data: DataDir,
    kind: str,
    now_ms: int,
    *,
    search: str = "",
    after: str | None = None,
    limit: int = 100,
    retired: bool = False,
    first: date | None = None,
    last: date | None = None,
) -> Listed:
    """A page of a kind, in order of codes: as of today, or each one's newest version with those
    that were retired. `first`, `last`: of a kind by days.
    """
    with open_directory(data, now_ms) as book:
        if KINDS[kind].many:
            begin = first.isoformat() if first else ""
            end = (last + timedelta(1)).isoformat() if last and last < date.max else ""
            found = book.entries(kind, first=begin, last=end or None, after=after, limit=limit + 1)
            total = book.count(kind, None, begin, end)
        else:
            day = None if retired else day_at(data, now_ms)
            wanted = plain(_sought(book, search))
            every = [
                one
                for one in book.entries(kind, day, retired=retired)
                if not wanted or wanted in _words(book, one)
            ]
            total = len(every)
            found = [one for one in every if after is None or one.code > after][: limit + 1]
    more = found[limit - 1].code if len(found) > limit else None
    return Listed(entries=found[:limit], total=total, next=more)


def _sought(book: Directory, search: str) -> str:
    """A badge's id is found by what is kept of it."""
    with suppress(ValueError):
        return book.badge_keys.stored(badge(search.strip()))
    return search


def _words(book: Directory, entry: Entry) -> str:
    body = entry.body if entry.body is not None else last_body(book, entry.kind, entry.code)
    values = [entry.code]
    for value in (body or {}).values():
        values += value if isinstance(value, list) else [str(value)]
    return plain(" ".join(values))


def last_body(book: Directory, kind: str, code: str) -> Body | None:
    """What it said last, before it was retired."""
    bodies = (one.body for one in book.history(kind, code))
    return next((body for body in bodies if body is not None), None)


def one(data: DataDir, kind: str, code: str, now_ms: int) -> tuple[Entry, int] | None:
    """As it is today, else its newest version, as of what begins later or was retired; and the
    number of the newest one.
    """
    with open_directory(data, now_ms) as book:
        newest = book.entry(kind, code)
        if newest is None:
            return None
        return book.entry(kind, code, day_at(data, now_ms)) or newest, newest.version


def history(data: DataDir, kind: str, code: str, now_ms: int) -> list[Entry]:
    with open_directory(data, now_ms) as book:
        return book.history(kind, code)


def put(data: DataDir, change: Change, *, by: str, reason: str, now_ms: int) -> Entry:
    """Do one change; gives the entry as it is then. Raises Wrong."""
    with open_directory(data, now_ms) as book:
        if change.restores:
            change = Change(
                kind=change.kind, code=change.code, restores=True, valid_from=change.valid_from,
                body=last_body(book, change.kind, change.code),
            )  # fmt: skip
            if change.body is None:
                raise Wrong(Problem(word="unknown_code", kind=change.kind, value=change.code))
        book.apply([change], by=by, reason=reason, at_ms=now_ms)
        newest = book.entry(change.kind, change.code)
        assert newest is not None
        return newest


def take_table(
    data: DataDir,
    kind: str,
    given: bytes,
    *,
    by: str,
    reason: str,
    now_ms: int,
    dry_run: bool,
    skip_bad: bool,
    whole: bool,
    since: date | None,
    language: str,
) -> dict[str, Any]:
    """The plan of a table as JSON, or what became of it. Raises Wrong."""
    with open_directory(data, now_ms) as book:
        day = since or day_at(data, now_ms)
        plan = plan_import(book, kind, read_sheet(given), day, whole=whole, skip_bad=skip_bad)
        if not dry_run:
            run_import(book, plan, by=by, reason=reason, at_ms=now_ms, skip_bad=skip_bad)
    edits = [
        {"row": one.row, "code": one.code, "column": one.column, "old": one.old, "new": one.new}
        for one in plan.edits
    ]
    retired = [one.code for one in plan.changes if one.body is None]
    return plan.summary(language) | {"edits": edits, "retired_codes": retired}


def table(
    data: DataDir,
    kind: str,
    form: str,
    language: str,
    now_ms: int,
    first: date | None = None,
    last: date | None = None,
) -> bytes:
    write = exporting.as_xlsx if form == "xlsx" else exporting.as_csv
    with open_directory(data, now_ms) as book:
        entries = exporting.rows_of(book, kind, day_at(data, now_ms), first, last)
        return write(kind, entries, language)


def week(
    data: DataDir,
    now_ms: int,
    first: date,
    *,
    team: str = "",
    search: str = "",
    after: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """Agents and their seven days from `first`, as the page's grid has them."""
    days = [first + timedelta(at) for at in range(_DAYS)]
    with open_directory(data, now_ms) as book:
        wanted = plain(search)
        agents = [
            (one.code, one.body)
            for one in book.entries("agents", days[-1])
            if one.body is not None
            and (not team or one.body.get("team") == team)
            and (not wanted or wanted in plain(f"{one.code} {one.body['name']}"))
        ]
        total = len(agents)
        page = [one for one in agents if after is None or one[0] > after]
        more = page[limit - 1][0] if len(page) > limit else None
        page = page[:limit]
        codes = [f"{day}/{code}" for day in days for code, _ in page]
        rows = book.some("roster", codes)
        shifts = [one.body for one in book.entries("shifts", days[0]) if one.body is not None]
        teams = [one.code for one in book.entries("teams", days[0])]
    cells: dict[str, dict[str, Any]] = {code: {} for code, _ in page}
    for row in rows:
        day, _, agent = row.code.partition("/")
        if row.body is not None:
            cells[agent][day] = row.body | {"version": row.version}
    return {
        "days": [day.isoformat() for day in days],
        "agents": [
            {"code": code, "name": body["name"], "team": body.get("team"), "days": cells[code]}
            for code, body in page
        ],
        "shifts": shifts,
        "teams": teams,
        "total": total,
        "next": more,
    }


def publication(data: DataDir, now_ms: int, language: str) -> dict[str, Any]:
    """What stations would be told, and which generation each has."""
    with open_directory(data, now_ms) as book:
        try:
            made = publishing.draft(book, data, day_at(data, now_ms))
            found, problems = publishing.differences(made, data), []
            without_pin = made.without_pin
        except Wrong as error:
            found, without_pin = [], []
            problems = [_in_words(one, language) for one in error.problems]
        last, by_hand = book.published(), publishing.changed_by_hand(book, data)
    current, stations = publishing.generations(data)
    return {
        "differences": found,
        "problems": problems,
        "changed_by_hand": by_hand,
        "without_pin": without_pin,
        "generation": current,
        "stations": stations,
        "last": last and {"at_ms": last.at_ms, "by": last.by, "generation": last.generation},
    }


def _in_words(problem: Problem, language: str) -> dict[str, Any]:
    return problem_row(problem, language) | {
        "kind": problem.kind, "code": problem.code, "detail": problem.whole(language),
    }  # fmt: skip


def take_in(data: DataDir, now_ms: int, by: str) -> int:
    """How many entries `site.json` has changed. Raises DiademaError."""
    with open_directory(data, now_ms) as book:
        return publishing.take_in(book, data, day_at(data, now_ms), by=by, at_ms=now_ms)


def publish(data: DataDir, now_ms: int, by: str) -> publishing.Published:
    """Put it in force, also at a hub that runs. Raises DiademaError."""

    async def ask(subject: str, body: dict[str, Any]) -> dict[str, Any]:
        return await ask_hub(data, subject, body)

    runs = data.read_hub() is not None
    with open_directory(data, now_ms) as book:
        work = publishing.publish(
            book, data, day_at(data, now_ms), by=by, at_ms=now_ms, ask=ask if runs else None
        )
        return asyncio.run(work)


def freeze(
    data: DataDir, kind: Freezable, now_ms: int, by: str, codes: Collection[str] = ()
) -> list[Fresh]:
    """Publish scorecards or notices, at a hub that runs. Raises DiademaError."""

    async def ask(subject: str, body: dict[str, Any]) -> dict[str, Any]:
        return await ask_hub(data, subject, body)

    lock = data.directory.with_suffix(".lock")
    with locked(lock, wait_s=_WAIT_S), open_directory(data, now_ms) as book:
        work = publish_quality(book, kind, by=by, at_ms=now_ms, ask=ask, codes=codes)
        return asyncio.run(work)
