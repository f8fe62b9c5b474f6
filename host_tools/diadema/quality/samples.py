"""Samples as pages, reports and commands read them: each plan with its load and its periods, each
draw with what became of its calls. Reading only; what is done is the hub's.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from sqlalchemy import Connection

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.quality.commitments import SecretLost, secret_of
from diadema.quality.kept_draws import draw_id, late_count, short_stratum, stored_draw
from diadema.quality.load import Load, evaluating_ms, load_of
from diadema.quality.pairs import Seen, seen_calls
from diadema.quality.periods import period_at
from diadema.quality.sample_file import Listed
from diadema.quality.sample_plans import PlanVersion, plans_of
from diadema.quality.sampling import SamplePeriod, overlap
from diadema.site.directory.people import People
from diadema.site.directory.quality import SamplePlan
from diadema.store.assistance import key_of
from diadema.store.quality import AssignedCall, Draw, assigned_calls, call_of, draws

type State = Literal["open", "to_draw", "no_secret", "drawn", "annulled"]


class StratumState(Struct, frozen=True, kw_only=True):
    """Of a draw, one agent's stratum: `size` in the frame, `drawn` of it, and of these: evaluated,
    not evaluated when due, still waiting; `unassigned`: nobody may or can evaluate them.
    """

    agent: str
    stratum: str
    size: int
    drawn: int
    evaluated: int
    missed: int
    waiting: int
    unassigned: int


class DrawState(Struct, kw_only=True):
    """One draw. `arrived`: contacts that came after it and could have been drawn; `late`: it is
    that of such contacts. `strata`: in order of agents. `calls`: those that count, in the order in
    which they were assigned.
    """

    draw: Draw
    id: str
    late: bool
    form: str
    form_version: int
    chosen: int
    replaced: int
    arrived: int
    strata: list[StratumState] = field(default_factory=list)
    calls: list[Seen] = field(default_factory=list)
    short: dict[str, tuple[int, int]] = field(default_factory=dict)  # wanted, had
    whole: bool = True  # what it was made from is there to be exported

    @property
    def evaluated(self) -> int:
        return sum(one.evaluated for one in self.strata)

    @property
    def missed(self) -> int:
        """«No evaluadas»."""
        return sum(one.missed for one in self.strata)

    @property
    def waiting(self) -> int:
        return sum(one.waiting for one in self.strata)

    @property
    def unassigned(self) -> int:
        return sum(one.unassigned for one in self.strata)


class PeriodState(Struct, kw_only=True):
    """One period of a plan that was committed to. `open`: it goes on; `to_draw`: it is over;
    `no_secret`: it never will be drawn, as its secret is lost or was altered. `drawn` is null
    before, and `supplement` the draw of what came after it.
    """

    plan: str
    version: int
    period: SamplePeriod
    commit: str
    state: State
    planned: Draw
    drawn: DrawState | None = None
    supplement: DrawState | None = None


class PlanState(Struct, kw_only=True):
    """`plan` is null where it was retired. `beside`: plans that may draw from the same calls.
    `periods`: the newest first.
    """

    code: str
    version: int
    plan: SamplePlan | None
    beside: list[str]
    load: Load | None
    periods: list[PeriodState]


def overview(
    tx: Connection,
    data: DataDir,
    people: People,
    zone: ZoneInfo,
    now_ms: int,
    *,
    plan: str | None = None,
    periods: int | None = None,
) -> list[PlanState]:
    """By code; `plan`: that one alone; `periods`: so many of each, the newest. Raises DiademaError
    where the directory cannot be read.
    """
    known = plans_of(data)
    planned: dict[str, list[Draw]] = {}
    for one in draws(tx, plan=plan):
        if one.planned is not None and one.planned.plan is not None:
            planned.setdefault(one.planned.plan, []).append(one)
    codes = sorted({*known, *planned} if plan is None else {plan} & {*known, *planned})
    duration = evaluating_ms(tx, now_ms) if known else (None, False)  # the same for all
    return [
        PlanState(
            code=code,
            version=known[code].version if code in known else 0,
            plan=known[code].plan if code in known else None,
            beside=beside_of(known, code),
            load=load_of(known[code].plan, people, zone, now_ms, duration)
            if code in known
            else None,
            periods=_periods(tx, data, people, zone, now_ms, planned.get(code, []), periods),
        )
        for code in codes
    ]


def beside_of(known: dict[str, PlanVersion], code: str) -> list[str]:
    """The codes of the plans that may draw from the same calls."""
    its = known.get(code)
    return overlap(its.plan, [one.plan for one in known.values()]) if its else []


def _periods(
    tx: Connection,
    data: DataDir,
    people: People,
    zone: ZoneInfo,
    now_ms: int,
    its: Iterable[Draw],
    most: int | None,
) -> list[PeriodState]:
    together: dict[str, list[Draw]] = {}
    for one in its:
        assert one.planned is not None
        together.setdefault(one.planned.commitment or "", []).append(one)
    ordered = sorted(together.values(), key=lambda some: -(some[0].planned.start_utc or 0))  # type: ignore[union-attr]
    return [_period(tx, data, people, zone, now_ms, some) for some in ordered[:most]]


def _period(
    tx: Connection,
    data: DataDir,
    people: People,
    zone: ZoneInfo,
    now_ms: int,
    its: Sequence[Draw],
) -> PeriodState:
    step = its[0].planned
    assert step is not None
    commit = step.commitment or ""
    period = period_at(step.start_utc or 0, step.end_utc or 0, zone, step.utc)
    drawn, of_late = [one for one in its if one.drawn is not None], draw_id(commit, late=True)
    first = next((one for one in drawn if one.drawn and one.drawn.draw != of_late), None)
    later = next((one for one in drawn if one is not first), None)
    if first is not None:
        state: State = "annulled" if first.annulled else "drawn"
    elif its[0].annulled:
        state = "annulled"
    elif not has_secret(data, step.plan or "", period.word, commit):
        state = "no_secret"
    else:
        state = "open" if now_ms < period.end_ms else "to_draw"
    return PeriodState(
        plan=step.plan or "",
        version=step.version or 0,
        period=period,
        commit=commit,
        state=state,
        planned=its[0],
        drawn=_draw_state(tx, data, people, now_ms, first, late=False) if first else None,
        supplement=_draw_state(tx, data, people, now_ms, later, late=True) if later else None,
    )


def has_secret(data: DataDir, plan: str, period: str, commit: str) -> bool:
    try:
        secret_of(data, plan, period, commit)
    except SecretLost:
        return False
    return True


def draw_state(
    tx: Connection, data: DataDir, people: People, now_ms: int, draw: str
) -> DrawState | None:
    """One draw by its id."""
    found = draws(tx, ids=[draw])
    if not found:
        return None
    commit = (found[0].planned.commitment if found[0].planned else None) or ""
    is_late = draw == draw_id(commit, late=True)
    return _draw_state(tx, data, people, now_ms, found[0], late=is_late)


def _draw_state(
    tx: Connection, data: DataDir, people: People, now_ms: int, draw: Draw, *, late: bool
) -> DrawState:
    step = draw.drawn
    assert step is not None and step.draw is not None
    try:
        stored = stored_draw(data, step.draw)
    except DiademaError:
        stored = None  # the page says that it cannot be exported
    assigned = assigned_calls(tx, draws=[step.draw])
    calls = seen_calls(tx, people, now_ms, draws=[step.draw])
    forms = [(one.assignment.form, one.assignment.version) for one in assigned[:1]]
    form = (stored.form, stored.form_version) if stored else forms[0] if forms else ("", 0)
    counted = None if late else late_count(data, step.draw)
    strata = (
        {}
        if stored is None
        else {
            (one.agent, short_stratum(one.stratum)): (one.size, one.taken)
            for one in stored.sample.strata
            if one.taken
        }
    )
    return DrawState(
        draw=draw,
        id=step.draw,
        late=late,
        form=form[0],
        form_version=form[1],
        chosen=step.chosen or 0,
        replaced=len({call_of(one.assignment) for one in assigned if one.replaced}),
        arrived=counted.late if counted else 0,
        strata=_strata(strata, calls),
        calls=calls,
        short=stored.short if stored else {},
        whole=stored is not None,
    )


def _strata(
    drawn: dict[tuple[str, str], tuple[int, int]], calls: Iterable[Seen]
) -> list[StratumState]:
    """Those of which anything was drawn; without the list that was kept, by what was assigned."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    sizes = dict(drawn)
    for one in calls:
        row = one.first.assignment
        key = row.agent, row.stratum or ""
        sizes.setdefault(key, (row.pool or 0, 0))
        word = one.state if one.state in ("missed", "waiting") else "evaluated"
        word = "evaluated" if one.stands is not None else word
        counts.setdefault(key, Counter())[word] += 1
    found = []
    for key in sorted(sizes):
        its, (size, taken) = counts.get(key, Counter()), sizes[key]
        taken = max(taken, its.total())
        found.append(
            StratumState(
                agent=key[0],
                stratum=key[1],
                size=size,
                drawn=taken,
                evaluated=its["evaluated"],
                missed=its["missed"],
                waiting=its["waiting"],
                unassigned=taken - its.total(),
            )
        )
    return found


def list_of(stored: Sequence[Listed], assigned: Iterable[AssignedCall]) -> list[Listed]:
    """The list of a draw as it is now: as it was drawn, with what was replaced and by what.
    Strata of what came later have their whole name by those that were drawn.
    """
    found = {(one.s, one.e, one.n): one for one in stored}
    strata = {(one.agent, short_stratum(one.stratum)): one.stratum for one in stored}
    rows = [one.assignment for one in assigned]
    by_key = {key_of(row): row for row in rows}
    for row in rows:
        if row.of_s is None or row.of_e is None or row.of_n is None:
            continue
        key = call_of(row)
        stratum = strata.get((row.agent, row.stratum or ""), row.stratum or "")
        found.setdefault(key, Listed(row.agent, stratum, row.rank or 0, *key))
        before = by_key.get((row.of_s, row.of_e, row.of_n))
        if before is None:
            continue
        was = found.get(call_of(before))
        if was is not None:
            gone = Listed(was.agent, was.stratum, was.rank, was.s, was.e, was.n, row.reason or "")
            found[call_of(before)] = gone
    return sorted(found.values(), key=lambda one: (one.agent, one.stratum, one.rank))
