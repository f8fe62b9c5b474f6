"""Calls for help (`ayudas`): how long they waited and took, who came, what was lacking."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter

from msgspec import Struct, field

from diadema.access.roles import Person
from diadema.metrics import calls as of_calls
from diadema.metrics.rounding import percent, quantile, whole_seconds
from diadema.report.context import ReportContext
from diadema.report.model import Cell, Kind, Section
from diadema.report.tables import Line, Part, Stated, share, summary, table
from diadema.store import open_reader
from diadema.store.assistance import HelpCase, help_cases
from diadema.store.contact_rows import LONGEST_MS
from diadema.store.rows import Press
from diadema.wire.actions import GAPS

TARGET_S = 60  # where no target says otherwise
RATED = 10  # answers, from which on they say something of a helper
_SETS = "help_wait_s"  # the target's name
_CHIEFS = ("supervisor", "admin")


class Group(Struct):
    """Some calls for help, and what came of them. `waits`, `solves`: whole seconds, of those of
    which they are known, in order. `due`: those of which it is known whether somebody came in
    time, `met`; one that the agent took back before that is in neither. `never`: nobody came, and
    nobody will. `open_rating`: how agents answered may be shown.
    """

    requests: int = 0
    taken: int = 0
    never: int = 0
    waiting: int = 0
    due: int = 0
    met: int = 0
    served: int = 0
    rated: int = 0
    open_rating: bool = False
    waits: list[int] = field(default_factory=list)
    solves: list[int] = field(default_factory=list)


def group(
    cases: Iterable[HelpCase], target_s: int, now_ms: int, *, open_rating: bool = False
) -> Group:
    """One that nobody took for longer than any shift is forgotten."""
    found = Group(open_rating=open_rating)
    for case in cases:
        press = case.press
        age_ms = now_ms - (press.open_utc or now_ms)
        found.requests += 1
        found.rated += press.answer is not None
        found.served += press.answer == "yes"
        solved = solved_s(press)
        if solved is not None:
            found.solves.append(solved)
        if press.accepted_b is not None:
            found.taken += 1
            if press.wait_ms is not None:
                wait_s = whole_seconds(press.wait_ms)
                found.waits.append(wait_s)
                found.due += 1
                found.met += wait_s <= target_s
        elif press.outcome == "open" and press.over_b is None and age_ms < LONGEST_MS:
            found.waiting += 1
            found.due += age_ms > 1000 * target_s
        else:
            found.never += 1
            found.due += not _taken_back(press, target_s)
    found.waits.sort()
    found.solves.sort()
    return found


def solved_s(press: Press) -> int | None:
    """From the moment at which the first one came."""
    if press.outcome != "resolved" or press.accepted_b is None:
        return None
    if press.accepted_b == press.closed_b:
        return whole_seconds((press.closed_u or 0) - (press.accepted_u or 0))
    if press.accepted_utc is None or press.closed_utc is None:
        return None
    return whole_seconds(max(press.closed_utc - press.accepted_utc, 0))


def _taken_back(press: Press, target_s: int) -> bool:
    """By the agent, before somebody had to be there."""
    if press.outcome != "cancelled" or press.closed_b != press.open_b:
        return False
    return (press.closed_u or 0) - press.open_u <= 1000 * target_s


PARTS: list[Part[Group]] = [
    Part("help_asked", lambda its: its.requests),
    Part("help_taken", lambda its: its.taken),
    Part("help_never", lambda its: its.never),
    Part("help_waiting", lambda its: its.waiting),
    Part("help_met", lambda its: share(its.met, its.due), "percent", "given", interval=True),
    Part("help_wait_n", lambda its: len(its.waits)),
    Part("help_wait_p50_s", lambda its: quantile(its.waits, 50), "seconds", "given"),
    Part("help_wait_p90_s", lambda its: quantile(its.waits, 90), "seconds", "given"),
    Part("help_solve_n", lambda its: len(its.solves)),
    Part("help_solve_p50_s", lambda its: quantile(its.solves, 50), "seconds", "given"),
    Part("help_solve_p90_s", lambda its: quantile(its.solves, 90), "seconds", "given"),
]


def make(context: ReportContext) -> list[Section]:
    cases = covered(context)
    target_s = _target_s(context)
    whole = group(cases, target_s, context.now_ms)
    by = partial(_by, context, cases, target_s, whole)
    notes = [context.say("note.help_target", seconds=target_s), context.say("note.interval")]
    if context.queue is not None:
        notes.append(context.say("note.not_of_queue"))
    return [
        summary(context, stated(context, whole), notes),
        by("topics", "topic", lambda one: topic_name(context, one.press.topic)),
        _helpers(context, cases, target_s, whole),
        by("help_teams", "team", lambda one: _team(context, one.press)),
        by("help_halves", "half", lambda one: _half(context, one.press)),
        _gaps(context, cases),
    ]


def stated(context: ReportContext, whole: Group) -> list[Stated]:
    met = share(whole.met, whole.due)
    waits, solves = whole.waits, whole.solves
    calls = of_calls.handled(context.total.calls())
    return [
        Stated("help_asked", "count", whole.requests),
        Stated("help_met", "percent", percent(whole.met, whole.due), whole.due, within=met.within),
        Stated("help_wait_p50_s", "seconds", quantile(waits, 50), len(waits), _SETS),
        Stated("help_wait_p90_s", "seconds", quantile(waits, 90), len(waits)),
        Stated("help_solve_p50_s", "seconds", quantile(solves, 50), len(solves)),
        Stated("help_solve_p90_s", "seconds", quantile(solves, 90), len(solves)),
        Stated("help_never", "count", whole.never, whole.requests),
        Stated("help_share", "percent", percent(whole.requests, calls), calls),
    ]


def covered(context: ReportContext) -> list[HelpCase]:
    """What the report covers, in order."""
    start, end = context.bounds_ms
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        found = help_cases(tx, start_utc=start, end_utc=end)
    return [one for one in found if _is_covered(context, one.press)]


def _is_covered(context: ReportContext, press: Press) -> bool:
    return press.open_utc is not None and context.has_at(press.agent or "", press.open_utc)


def _target_s(context: ReportContext) -> int:
    aim = context.target(_SETS)
    return TARGET_S if aim is None else round(aim.value)


def _by(
    context: ReportContext,
    cases: Iterable[HelpCase],
    target_s: int,
    whole: Group,
    key: str,
    head: str,
    of: Callable[[HelpCase], str],
) -> Section:
    parted: defaultdict[str, list[HelpCase]] = defaultdict(list)
    for case in cases:
        parted[of(case)].append(case)
    lines: list[Line[Group]] = [
        ([name], group(parted[name], target_s, context.now_ms))
        for name in sorted(parted, key=str.casefold)
    ]
    return table(context, key, [(head, "text")], PARTS, lines, given=_given(PARTS, whole))


def _given(parts: Sequence[Part[Group]], whole: Group) -> dict[str, Cell]:
    return {part.key: part.get(whole) for part in parts}


def topic_name(context: ReportContext, code: str | None) -> str:
    known = context.people.topics.get(code or "")
    return known.label if known else code or context.say("no_topic")


def _team(context: ReportContext, press: Press) -> str:
    day = datetime.fromtimestamp((press.open_utc or 0) / 1000, context.zone).date()
    code = context.people.on(press.agent or "", day).team
    return context.people.teams.get(code, code) or context.say("no_team_of")


def _half(context: ReportContext, press: Press) -> str:
    at = datetime.fromtimestamp((press.open_utc or 0) / 1000, context.zone)
    return f"{at:%H}:{at.minute // 30 * 30:02}"


def _helpers(
    context: ReportContext,
    cases: Iterable[HelpCase],
    target_s: int,
    whole: Group,
) -> Section:
    """By who had it last. How the agents rated it is the helper's own and the chiefs'."""
    parted: defaultdict[tuple[str, str], list[HelpCase]] = defaultdict(list)
    for case in cases:
        name = case.press.accepted_by or ""
        account = next((one.by for one in reversed(case.acts) if one.state == "accepted"), "")
        parted[name, account if name else ""].append(case)
    names = sorted(parted, key=lambda one: (not one[0], one[0].casefold(), one[1]))
    parts = [*PARTS, Part("help_served", _rating, "percent", None, interval=True)]
    lines: list[Line[Group]] = [
        (
            [name or context.say("nobody_came")],
            group(
                parted[name, account], target_s, context.now_ms,
                open_rating=_may_read(context.person, account),
            ),
        )
        for name, account in names
    ]  # fmt: skip
    heads: list[tuple[str, Kind]] = [("helper", "text")]
    notes = [context.say("note.help_served", n=RATED)]
    return table(context, "helpers", heads, parts, lines, given=_given(PARTS, whole), notes=notes)


def _rating(its: Group) -> Cell:
    return share(its.served, its.rated) if its.open_rating and its.rated >= RATED else None


def _may_read(person: Person | None, account: str) -> bool:
    return person is not None and (person.role in _CHIEFS or person.id == account)


def _gaps(context: ReportContext, cases: Iterable[HelpCase]) -> Section:
    """What the helpers said that playbooks lack; of each request what was said last."""
    noted: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for case in cases:
        if (note := case.note) is not None:
            noted[note.playbook or "", note.version or ""][note.gap or ""] += 1
    lines: list[Line[Counter[str]]] = [
        (
            [
                playbook or context.say("no_playbook"),
                version or None,
                context.people.owners.get(playbook),
            ],
            noted[playbook, version],
        )
        for playbook, version in sorted(noted)
    ]
    parts = [Part[Counter[str]]("gaps", lambda its: its.total())]
    parts += [Part(f"gap_{gap}", itemgetter(gap)) for gap in GAPS]
    heads: list[tuple[str, Kind]] = [
        ("playbook", "text"), ("version", "text"), ("playbook_owner", "text"),
    ]  # fmt: skip
    return table(context, "gaps", heads, parts, lines)
