"""The consolidated report: how many different users were attended, and what came of it."""

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct, field
from sqlalchemy import Connection

from diadema.figures import callers
from diadema.figures.days import day_at
from diadema.figures.facts import facts, running
from diadema.figures.rows import Calls, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics.fcr import WINDOW_DAYS, Fcr, Looked, Visit, look, tally, tally_by
from diadema.metrics.rounding import percent
from diadema.report.context import ReportContext
from diadema.report.kinds.dispositions import (
    COUNT,
    Counted,
    coded,
    flag_word,
)
from diadema.report.model import Chart, Ratio, Section
from diadema.report.tables import (
    AGENT,
    Line,
    Part,
    Stated,
    agent_lines,
    queue_name,
    summary,
    table,
    unmapped,
)
from diadema.store import open_reader

FLAGS = ("resuelto", "seguimiento", "reclamo", "negativa", "")
_DAY_MS = 86_400_000
FCR: list[Part[Fcr]] = [
    Part("fcr_n", lambda one: one.n),
    Part("resolved", lambda one: one.resolved),
    Part("pending", lambda one: one.pending),
    Part("fcr", lambda one: one.rate, "percent", Ratio(["resolved"], ["fcr_n"])),
]


class _Seen(Struct):
    """Of segments with a conversation those with a reference: how many, and whose. `looked` and
    `unknown`: what FCR is made of; `times`: of each caller the calls of the span, those that hung
    up in a queue too. The last three of the whole floor only.
    """

    referred: int = 0
    references: set[str] = field(default_factory=set)
    looked: Looked = field(default_factory=list)
    unknown: int = 0
    times: Counter[str] = field(default_factory=Counter)


def make(context: ReportContext) -> list[Section]:
    whole = context.scope.of == "floor" and context.sees_all
    seen = _look(context, whole)
    calls = context.total.calls(context.queue)
    handled = of_calls.handled(calls)
    stated = [
        Stated("handled", "count", handled),
        Stated("distinct", "count", of_calls.distinct(calls)),
        Stated("referred", "count", seen.referred, handled),
        Stated("users", "count", len(seen.references), seen.referred),
    ]
    notes = [context.say("note.users", n=len(seen.references), m=seen.referred, all=handled)]
    notes += unmapped(context)
    if not whole:
        notes.append(context.say("note.fcr_of_all", days=WINDOW_DAYS))
        return [summary(context, stated, notes), _flags(context, calls), _agents(context)]
    said = tally(seen.looked, seen.unknown)
    again = sum(n > 1 for n in seen.times.values())
    stated += [
        Stated("fcr", "percent", said.rate, said.n),
        Stated("again", "count", again, len(seen.times)),
        Stated("again_share", "percent", percent(again, len(seen.times)), len(seen.times)),
    ]
    notes.append(
        context.say("note.fcr", days=said.days, pending=said.pending, unknown=said.unknown)
    )
    return [
        summary(context, stated, notes),
        _flags(context, calls),
        _agents(context),
        *_fcr(context, seen),
    ]


def _look(context: ReportContext, whole: bool) -> _Seen:
    """In one pass, as a month has many. For the whole floor as far beyond the span as a second
    call counts as one.
    """
    start, end = context.bounds_ms
    until = end + WINDOW_DAYS * _DAY_MS if whole else end
    seen, joined = _Seen(), callers.Joined()
    for one in callers.attended(context.data, start, until, context.now_ms):
        if one.reference and one.utc < end and _is_ours(context, one):
            seen.referred += 1
            seen.references.add(one.reference)
        if whole:
            joined.take(one, one.motive_of(context.people.motive_of))
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        for reference, continued in _of_the_switch(context, tx):
            seen.referred += 1
            seen.references.add(reference)
            seen.times[reference] += not continued
        left = callers.abandons(tx, start, until) if whole else {}
    visits = []
    for call in joined.calls:
        inside = start <= call.utc < end
        if call.motive is not None:
            queue = context.people.queue(call.queue, call.utc)
            visits.append(Visit(call.reference, call.motive, call.utc, queue, call.agent))
        if inside:
            seen.times[call.reference] += 1
    for reference, times in left.items():
        if inside_n := sum(start <= utc < end for utc in times):
            seen.times[reference] += inside_n
    seen.looked = look(visits, left, start, end, context.now_ms)
    seen.unknown = max(of_calls.distinct(context.total.calls()) - len(seen.looked), 0)
    return seen


def _of_the_switch(context: ReportContext, tx: Connection) -> Iterator[tuple[str, bool]]:
    """Of calls that somebody of these took, and only the switch told so: whose each is, where that
    is known, and whether it was taken before.
    """
    if not context.total.calls(context.queue).by_switch:
        return
    on, aliases = running(tx, context.now_ms), context.people.switch_names
    for day in context.figures.days:
        theirs = [a for a, sums in day.agents.items() if sums.calls(context.queue).by_switch]
        if not theirs:
            continue
        for its in facts(tx, day.start_ms, day.end_ms, on, aliases, theirs).values():
            for call in its.switch.served:
                inside = day.start_ms <= (call.connected_utc or 0) < day.end_ms
                queue = context.people.queue(call.queue, call.start_utc)
                if inside and call.reference and context.queue in (None, queue):
                    yield call.reference, id(call) in its.switch.continued


def _is_ours(context: ReportContext, one: callers.Segment) -> bool:
    ours = context.has_at(one.agent, one.utc)
    queue = context.people.queue(one.queue, one.utc)
    return ours and context.queue in (None, queue)


def _fcr(context: ReportContext, seen: _Seen) -> list[Section]:
    """By the queue and the team that took the call first, and by its level-1 motive."""
    people = context.people

    def team(visit: Visit) -> str:
        code = people.on(visit.agent, day_at(visit.utc // 1000, context.zone)).team
        return people.teams.get(code, code) or context.say("no_team_of")

    found = {
        "queue": tally_by(seen.looked, lambda one: queue_name(context, one.queue)),
        "team": tally_by(seen.looked, team),
        "motive": tally_by(seen.looked, lambda one: people.motives.get(one.motive, one.motive)),
    }
    return [
        table(context, f"fcr_{name}s", [(name, "text")], FCR,
              [([key], its[key]) for key in sorted(its)])
        for name, its in found.items()
    ]  # fmt: skip


def _flag(context: ReportContext, code: str) -> str:
    given = context.people.flags.get(code, "")
    if not given and code in context.people.negative_codes:
        return "negativa"
    return given if given in FLAGS else ""


def _by_flag(context: ReportContext, calls: Calls) -> Counter[str]:
    counted: Counter[str] = Counter()
    for code, n in coded(calls).items():
        counted[_flag(context, code)] += n
    return counted


def _word(context: ReportContext, flag: str) -> str:
    return flag_word(context, flag) or context.say("flag.none")


def _flags(context: ReportContext, calls: Calls) -> Section:
    counted = _by_flag(context, calls)
    whole = sum(counted.values())
    lines: list[Line[Counted]] = [
        ([_word(context, flag)], Counted(counted[flag], whole)) for flag in FLAGS
    ]
    drawn = Chart(
        title=context.say("chart.flags"), x="flag", bars=["count"],
        unit=context.say("unit.contacts"), n=whole,
    )  # fmt: skip
    return table(context, "flags", [("flag", "text")], COUNT, lines, charts=[drawn])


class _AgentLine(Struct):
    """Of one agent; each adds up over queues."""

    handled: int
    distinct: int
    flags: Counter[str]


def _agents(context: ReportContext) -> Section:
    def line(sums: Sums) -> _AgentLine | None:
        queues = (
            sums.queues if context.queue is None else {context.queue: sums.calls(context.queue)}
        )
        flags: Counter[str] = Counter()
        for its in queues.values():
            flags.update(_by_flag(context, its))
        handled = sum(map(of_calls.handled, queues.values()))
        distinct = sum(map(of_calls.distinct, queues.values()))
        return _AgentLine(handled, distinct, flags) if handled else None

    def counted(flag: str) -> Part[_AgentLine]:
        return Part(f"flag_{flag or 'none'}", lambda one: one.flags[flag])

    parts = [
        Part[_AgentLine]("handled", lambda one: one.handled),
        Part[_AgentLine]("distinct", lambda one: one.distinct),
        *(counted(flag) for flag in FLAGS),
    ]
    return table(context, "consolidated_agents", AGENT, parts, agent_lines(context, line))
