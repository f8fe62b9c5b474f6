"""A draw, from the committed secret to who evaluates what, and kept on the disk. Of a month of a
million contacts it takes many seconds: whoever has other things to do calls it in a thread.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, func, select

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.quality.assigning import Assigned, Bars, assign
from diadema.quality.commitments import secret_of
from diadema.quality.frame import Conditions, Frame, frame_of, late_of
from diadema.quality.hearing import Grounds, not_informed, published_of
from diadema.quality.kept_draws import (
    LateCount,
    StoredDraw,
    draw_id,
    earlier_of,
    frame_rows,
    keep,
    keep_late_count,
    late_count,
    stored_draw,
)
from diadema.quality.periods import days_of, due_ms, midnights
from diadema.quality.sample_file import listed, sample_of
from diadema.quality.sample_plans import plan_as_of, plans_of
from diadema.quality.sampling import Draw, Earlier, SamplePeriod, check_over, draw, overlap
from diadema.site.context import zone_of
from diadema.site.directory.people import People
from diadema.site.directory.people_of import day_at, people
from diadema.site.directory.quality import SamplePlan
from diadema.store import open_reader, tables
from diadema.store.contact_rows import Key
from diadema.store.quality import draws, notices, signatures
from diadema.store.rows import Contact
from diadema.words import Sentence

_LINKED = (
    "SELECT kind FROM recordings WHERE call_s = ? AND call_e = ? AND call_n = ?"
    " ORDER BY utc DESC, e DESC, n DESC LIMIT 1"
)
_DAY_MS = 86_400_000

type Staff = tuple[Collection[str], Sequence[str], Mapping[str, str]]
"""Accounts that may evaluate, those of coordinators, and the agents that some are."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be drawn. `late`: of what came after the first draw of that period."""

    plan: str
    version: int
    period: SamplePeriod
    commit: str
    late: bool = False

    @property
    def id(self) -> str:
        return draw_id(self.commit, late=self.late)


def make(
    data: DataDir, wanted: Wanted, staff: Staff, now_ms: int, *, empty: bool = False
) -> StoredDraw:
    """Draws, keeps and gives it; one that was kept before is given as it is. `empty`: that there
    is nothing to draw from is a draw too. Raises DiademaError, then nothing is kept.
    """
    if (known := stored_draw(data, wanted.id)) is not None:
        return known
    zone = zone_of(data)
    plan = _committed_plan(data, wanted)
    check_over(plan, wanted.period, now_ms)
    secret = secret_of(data, wanted.plan, wanted.period.word, wanted.commit)
    form = people(data, None, day_at(data, now_ms)).scorecard(plan.scorecard)
    if form is None:
        raise DiademaError(
            Sentence("errors.quality.unpublished", plan=plan.code, form=plan.scorecard)
        )
    with closing(open_reader(data.store)) as reader, reader.engine.connect() as tx:
        frame, contacts = _frame(tx, data, plan, wanted, zone)
    earlier = Earlier()
    of: str | None = None
    if wanted.late:
        first = _first_of(data, wanted)
        of, earlier = first.sample.draw, earlier_of(first)
        frame = late_of(frame, frame_rows(data, first.sample.draw))
        if not frame.rows:
            raise DiademaError(
                Sentence("errors.quality.no_late", plan=plan.code, period=wanted.period.word)
            )
    nothing = empty and not frame.rows
    drawn = Draw([], {}) if nothing else draw(plan, frame.rows, secret, earlier)
    given = _assigned(data, plan, wanted, drawn, secret, staff, day_at(data, now_ms))
    known_plans = {code: one.plan for code, one in plans_of(data).items()}
    sample = sample_of(
        wanted.id, plan, wanted.version, wanted.period, secret, frame, drawn, of=of,
        earlier=earlier, beside=overlap(plan, known_plans.values()),
    )  # fmt: skip
    stored = StoredDraw(
        sample=sample, form=form.code, form_version=form.version,
        due_ms=due_ms(now_ms, plan.days, zone), calls=given.calls, left=given.left,
        alone=given.alone, listed=listed(drawn), short=drawn.short, cut_ms=now_ms,
        contacts=contacts,
    )  # fmt: skip
    keep(data, stored, frame)
    return stored


def count_late(data: DataDir, wanted: Wanted) -> LateCount:
    """How many contacts came after the draw of that period which could have been drawn; kept, for
    whoever reads it. Raises DiademaError.
    """
    first = _first_of(data, wanted)
    plan, zone = _committed_plan(data, wanted), zone_of(data)
    with closing(open_reader(data.store)) as reader, reader.engine.connect() as tx:
        frame, contacts = _frame(tx, data, plan, wanted, zone)
    its = late_of(frame, frame_rows(data, first.sample.draw))
    found = LateCount(contacts, len(its.rows))
    keep_late_count(data, first.sample.draw, found)
    return found


def has_news(tx: Connection, data: DataDir, stored: StoredDraw) -> bool:
    """Whether contacts of the period came that nobody has counted."""
    counted = late_count(data, stored.sample.draw)
    known = counted.contacts if counted else stored.contacts
    return _contacts(tx, stored.sample.period) != known


def _first_of(data: DataDir, wanted: Wanted) -> StoredDraw:
    found = stored_draw(data, draw_id(wanted.commit))
    if found is None:
        raise DiademaError(
            Sentence("errors.quality.no_first", plan=wanted.plan, period=wanted.period.word)
        )
    return found


def _committed_plan(data: DataDir, wanted: Wanted) -> SamplePlan:
    """As it was when its period began; who evaluates, for how long and how many a day, as now."""
    plan = plan_as_of(data, wanted.plan, wanted.version)
    if plan is None:
        raise DiademaError(Sentence("errors.quality.no_plan", plan=wanted.plan))
    now = plans_of(data).get(wanted.plan)
    if now is None:
        return plan
    its = now.plan
    return replace(plan, monitors=its.monitors, cap_per_day=its.cap_per_day, days=its.days)


def _contacts(tx: Connection, period: SamplePeriod) -> int:
    """Of the period, those that are over; few seconds of a month's, by the index."""
    row = tables.contacts.c
    within = (row.start_utc >= period.start_ms) & (row.start_utc < period.end_ms)
    return int(tx.execute(select(func.count()).where(within)).scalar_one())


def _frame(
    tx: Connection, data: DataDir, plan: SamplePlan, wanted: Wanted, zone: ZoneInfo
) -> tuple[Frame, int]:
    """With how many contacts the period has."""
    period = wanted.period
    known = people(data, *days_of(period, zone))
    conditions = Conditions(
        noticed=_noticed(tx, known, period, zone),
        recorded=_recorded(tx, data),
        left_out=_left_out(known, zone),
        drawn=_drawn(tx, wanted),
    )
    return frame_of(tx, plan, period, known, zone, conditions), _contacts(tx, period)


def _left_out(known: People, zone: ZoneInfo) -> Callable[[Contact], bool]:
    def is_left_out(one: Contact) -> bool:
        if one.agent not in known.sample_exclusions:
            return False
        day = datetime.fromtimestamp((one.start_utc or 0) / 1000, zone).date()
        return known.left_out(one.agent, day) is not None

    return is_left_out


def _recorded(tx: Connection, data: DataDir) -> Callable[[Contact], bool]:
    """Whether a recording is linked. Where none are set up at all nobody is held out by that: the
    site hears its calls in another way.
    """
    if not data.recordings.exists():
        return lambda _: True
    driver = tx.connection.driver_connection
    assert driver is not None

    def is_recorded(one: Contact) -> bool:
        found = driver.execute(_LINKED, (one.station, one.epoch, one.sequence)).fetchone()
        return found is not None and found[0] == "linked"

    return is_recorded


def _drawn(tx: Connection, wanted: Wanted) -> frozenset[Key]:
    """What other draws that count have, of this time."""
    counted = [
        one.drawn.draw
        for one in draws(tx)
        if one.drawn is not None
        and one.annulled is None
        and one.planned is not None
        and one.planned.commitment != wanted.commit
        and (one.planned.end_utc or 0) > wanted.period.start_ms
        and (one.planned.start_utc or 0) < wanted.period.end_ms
    ]
    row = tables.assignments.c
    query = select(row.call_s, row.call_e, row.call_n)
    found: set[Key] = set()
    for one in counted:
        found.update((s, e, n) for s, e, n in tx.execute(query.where(row.draw == one)))
    return frozenset(found)


def _noticed(
    tx: Connection, known: People, period: SamplePeriod, zone: ZoneInfo
) -> Callable[[Contact], bool]:
    """Whether caller and agent were informed. Between two moments at which anything of that could
    change it is asked once of each agent, queue and campaign.
    """
    published = published_of(notices(tx))
    signed = defaultdict(list)
    for one in signatures(tx):
        signed[one.agent].append(one)
    grounds: dict[str, Grounds] = {}
    moments = sorted(
        {
            *midnights(period, zone),
            *published.values(),
            *(one.utc for some in signed.values() for one in some),
            *(one.at_ms for its in known.notices.versions.values() for one in its),
            *(since for turns in known.switch_queues.values() for since, _ in turns),
        }
    )
    first, last = period.start_ms - _DAY_MS, period.end_ms + _DAY_MS
    answers: dict[tuple[str, str | None, str | None, int, int], bool] = {}

    def is_informed(one: Contact) -> bool:
        its = grounds.get(one.agent)
        if its is None:
            its = grounds[one.agent] = Grounds(
                people=known, zone=zone, now_ms=period.end_ms, published=published,
                signatures=signed.get(one.agent, ()),
            )  # fmt: skip
        return not not_informed(one, its)

    def is_noticed(one: Contact) -> bool:
        utc, doubt = one.start_utc or 0, one.uncertainty_ms or 0
        if utc - doubt < first or utc + doubt >= last:
            return is_informed(one)
        campaign = one.more.campaign if one.more else None
        places = bisect_right(moments, utc - doubt), bisect_right(moments, utc + doubt)
        key = one.agent, one.queue, campaign, *places
        if key not in answers:
            answers[key] = is_informed(one)
        return answers[key]

    return is_noticed


def _assigned(
    data: DataDir,
    plan: SamplePlan,
    wanted: Wanted,
    drawn: Draw,
    secret: bytes,
    staff: Staff,
    today: date,
) -> Assigned:
    may, leads, agents = staff
    plan = replace(plan, monitors=tuple(one for one in plan.monitors if one in may))
    known, now = people(data, *days_of(wanted.period, zone_of(data))), people(data, None, today)
    conflicts = defaultdict(set)
    for account, agent in now.conflicts | known.conflicts:
        conflicts[account].add(agent)
    supervised = defaultdict(set)
    for of_then_or_now in (known.supervised, now.supervised):
        for account, teams in of_then_or_now.items():
            supervised[account].update(teams)
    bars = Bars(
        own=agents,
        supervised=supervised,
        conflicts=conflicts,
        teams_of=known.teams_of,
    )
    return assign(plan, wanted.period, drawn, secret, bars, leads)
