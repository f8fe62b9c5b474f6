"""The document «Aplicativos, herramientas y materiales operativos»: by shift and team what the
self-test at the beginning of each session found, seat by seat. It names no person.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, text

from diadema.report.context import ReportContext
from diadema.report.model import Cell, Column, Kind, Section
from diadema.report.tables import Line, Part, share, table
from diadema.store import open_reader
from diadema.words import text as said

_SKIPPED = "CAST(x.body AS TEXT) ->> 'skipped' IS NOT NULL"


def _first(events: int, where: str = "") -> str:
    """Of a session the first self-test among so many events after its login, if one can be one
    that was not skipped.
    """
    return f"""(SELECT x.body FROM events x
    WHERE x.s = o.s AND x.e = o.e AND x.n > o.n AND x.n < min(o.n + {events}, coalesce(
        (SELECT min(p.n) FROM sessions p WHERE p.s = o.s AND p.e = o.e AND p.n > o.n),
        o.n + {events}))
    AND x.k = 'station.selftest' AND coalesce(CAST(x.body AS TEXT) ->> 'bench', 0) = 0 {where}
    ORDER BY {_SKIPPED}, x.n LIMIT 1)"""


_TESTS = text(  # nearly all are found at once; to look on takes its time
    f"""SELECT o.s, o.a, o.open_utc, coalesce({_first(20, f"AND NOT {_SKIPPED}")}, {_first(200)})
    FROM sessions o WHERE o.open_utc >= :start AND o.open_utc < :end ORDER BY o.open_utc, o.s"""
)
type Lack = Literal["tools", "missing"]
_LACKS: tuple[Lack, ...] = ("tools", "missing")
_HEADS: tuple[tuple[str, Kind], ...] = (
    ("at", "moment"), ("shift", "text"), ("team", "text"), ("seat", "text"), ("outcome", "text"),
    ("test_failed", "text"), ("tools_missing", "text"), ("materials_missing", "text"),
    ("why", "text"),
)  # fmt: skip


class _Result(Struct):
    """Of the station's event."""

    checks: dict[str, str] = {}
    fit: bool = False
    reason: str | None = None
    missing: list[str] | None = None
    tools: list[str] | None = None
    skipped: str | None = None

    def lacks(self, kind: Lack) -> list[str]:
        return (self.tools if kind == "tools" else self.missing) or []


class Test(Struct):
    """`result` None: there was none in that session."""

    station: str
    utc: int
    shift: str
    team: str
    result: _Result | None

    @property
    def findings(self) -> _Result:
        return self.result or _Result()

    @property
    def outcome(self) -> str:
        if self.result is None:
            return "none"
        if self.result.skipped is not None:
            return "skipped"
        return "fit" if self.result.fit else "unfit"


class Group(Struct):
    tests: list[Test] = field(default_factory=list)

    def count(self, *outcomes: str) -> int:
        return sum(one.outcome in outcomes for one in self.tests)


class Tool(Struct):
    """One that agents were asked for, or a material. `ran`: the tests that were run to their
    end, as each asks for all of them; `fails`: those of them in which it did not work, or was not
    there.
    """

    ran: int = 0
    fails: int = 0

    @property
    def works(self) -> int:
        return self.ran - self.fails


PARTS: list[Part[Group]] = [
    Part("test_sessions", lambda its: len(its.tests)),
    Part("test_fit", lambda its: its.count("fit")),
    Part("test_unfit", lambda its: its.count("unfit")),
    Part("test_none", lambda its: its.count("skipped", "none")),
    Part("test_share", lambda its: share(its.count("fit"), its.count("fit", "unfit")), "percent",
         "given", interval=True),
]  # fmt: skip
TOOL: list[Part[Tool]] = [
    Part("tool_asked", lambda its: its.ran),
    Part("tool_works", lambda its: its.works if its.ran else None),
    Part("tool_fails", lambda its: its.fails if its.ran else None),
    Part("tool_share", lambda its: share(its.works, its.ran), "percent", "given",
         interval=True),
]  # fmt: skip


def make(context: ReportContext) -> list[Section]:
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        tests = _tests(context, tx)
    parted: defaultdict[tuple[str, str, str], list[Test]] = defaultdict(list)
    for one in tests:
        parted[_day(context, one.utc).isoformat(), one.shift, one.team].append(one)
    lines: list[Line[Group]] = [([*key], Group(parted[key])) for key in sorted(parted)]
    heads: tuple[tuple[str, Kind], ...] = (("day", "day"), ("shift", "text"), ("team", "text"))
    given: dict[str, Cell] = {part.key: part.get(Group(tests)) for part in PARTS}
    notes = [context.say("note.operational"), context.say("note.interval")]
    return [
        table(context, "operational", heads, PARTS, lines, given=given, notes=notes),
        _tools(context, tests),
        Section(
            key="operational_seats",
            title=context.say("table.operational_seats"),
            columns=[Column(key=k, word=context.heading(k), kind=kind) for k, kind in _HEADS],
            rows=[_row(context, one) for one in tests],
        ),
    ]


def _tools(context: ReportContext, tests: Sequence[Test]) -> Section:
    """All that there are, also those that nobody was asked for."""
    campaigns = {one.code: one.label for one in context.campaigns}
    used: defaultdict[str, list[str]] = defaultdict(list)
    for tool in context.people.tools:
        used[tool.code].append(campaigns.get(tool.campaign, tool.campaign))
    labels = {tool.code: tool.label for tool in context.people.tools}
    known: dict[tuple[Lack, str], tuple[str, str | None]] = {
        ("tools", code): (label, ", ".join(used[code])) for code, label in labels.items()
    }
    known |= {("missing", code): (label, None) for code, label in context.materials.items()}
    parted: defaultdict[tuple[str | None, str | None], list[_Result]] = defaultdict(list)
    for one in tests:
        parted[one.shift, one.team] += [one.findings] if one.outcome in ("fit", "unfit") else []
        for kind in _LACKS:
            codes = one.findings.lacks(kind)
            known |= {(kind, code): (code, None) for code in codes if (kind, code) not in known}
    if not tests:
        parted[None, None] = []
    lines: list[Line[Tool]] = []
    whole = Tool()
    for shift, team in sorted(parted, key=lambda key: (key[0] or "", key[1] or "")):
        results = parted[shift, team]
        for (kind, code), (label, campaign) in known.items():
            fails = sum(code in one.lacks(kind) for one in results)
            lines.append(([shift, team, label, campaign], Tool(len(results), fails)))
            whole.ran += len(results)
            whole.fails += fails
    heads: tuple[tuple[str, Kind], ...] = (
        ("shift", "text"), ("team", "text"), ("tool", "text"), ("campaign", "text"),
    )  # fmt: skip
    given: dict[str, Cell] = {part.key: part.get(whole) for part in TOOL}
    notes = [context.say("note.operational_tools"), context.say("note.interval")]
    return table(context, "operational_tools", heads, TOOL, lines, given=given, notes=notes)


def _tests(context: ReportContext, tx: Connection) -> list[Test]:
    start, end = context.bounds_ms
    people, found = context.people, list[Test]()
    for station, agent, utc, body in tx.execute(_TESTS, {"start": start, "end": end}):
        if not context.has_at(agent, utc):
            continue
        day = _day(context, utc)
        plan = people.roster.get((agent, day))
        team = people.on(agent, day).team
        result = None if body is None else msgspec.json.decode(body, type=_Result)
        shift = plan.shift if plan is not None and plan.shift else context.say("no_shift")
        found.append(Test(station, utc, shift, people.teams.get(team, team), result))
    return found


def _day(context: ReportContext, utc: int) -> date:
    return datetime.fromtimestamp(utc / 1000, context.zone).date()


def _row(context: ReportContext, one: Test) -> list[Cell]:
    result = one.findings
    labels = {tool.code: tool.label for tool in context.people.tools}
    failed = [name for name, check in result.checks.items() if check == "failed"]
    why = result.skipped or result.reason
    return [
        one.utc,
        one.shift,
        one.team,
        context.people.seats.get(one.station, one.station),
        context.say(f"test.{one.outcome}"),
        ", ".join(_check(context, name) for name in failed) or None,
        ", ".join(labels.get(code, code) for code in result.lacks("tools")) or None,
        ", ".join(context.materials.get(code, code) for code in result.lacks("missing")) or None,
        None if why is None else _check(context, why),
    ]


def _check(context: ReportContext, name: str) -> str:
    """The word of a self-test's check, or of why it was not run."""
    try:
        return said(f"selftest.check.{name}", context.language)
    except KeyError:
        return context.known("test_why", name)
