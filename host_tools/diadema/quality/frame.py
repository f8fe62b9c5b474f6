"""Which contacts of a period a sample is drawn from: every closed one that began in it, less those
that nobody could hear or judge, each counted by the first reason that holds.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from urllib.parse import quote
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Connection, select

from diadema.quality.sampling import SamplePeriod
from diadema.site.directory.people import People
from diadema.site.directory.quality import SamplePlan
from diadema.store import contact_rows, tables
from diadema.store.contact_rows import Key, key_of
from diadema.store.rows import Contact

EXCLUSIONS = (  # in this order
    "not_answered", "interrupted", "fault", "short", "no_notice", "no_recording",
    "agent_excluded", "drawn",
)  # fmt: skip
DURATIONS_S = (600, 300, 120, 0)  # bands, by their least talk

type Open = Mapping[str, list[tuple[int, int | None]]]  # by station: since when, until when


def _always(_: Contact) -> bool:
    return True


def _never(_: Contact) -> bool:
    return False


class Conditions(Struct, frozen=True):
    """What decides beside the contact itself. `noticed`: at its hour its caller and its agent were
    informed; `recorded`: there is something to hear; `left_out`: its agent is in no sample of that
    day; `drawn`: by another plan.
    """

    noticed: Callable[[Contact], bool] = _always
    recorded: Callable[[Contact], bool] = _always
    left_out: Callable[[Contact], bool] = _never
    drawn: Collection[Key] = frozenset()


class Frame(Struct, frozen=True):
    """`rows`: as `sampling` has them, in the order of their bytes. `hash`: SHA-256 of them, each
    with a line feed. `excluded`: how many by reason.
    """

    rows: list[bytes]
    hash: str
    excluded: dict[str, int]


def frame_of(
    tx: Connection,
    plan: SamplePlan,
    period: SamplePeriod,
    people: People,
    zone: ZoneInfo,
    conditions: Conditions,
) -> Frame:
    """`people`: of the period's days, as teams, shifts and names of queues are those of then."""
    row = tables.contacts.c
    within = (row.start_utc >= period.from_ms) & (row.start_utc < period.end_ms)
    again = {key_of(one) for one in contact_rows.running(tx)}
    faults = _faults(tx, period)
    strata = _Strata(plan, people, zone)
    rows: list[bytes] = []
    excluded = Counter[str]()
    for contact in contact_rows.ended(tx, within):
        if key_of(contact) in again or not strata.of_plan(contact):
            continue
        if why := _excluded(contact, plan, faults, conditions):
            excluded[why] += 1
        else:
            rows.append(strata.row(contact))
    rows.sort()
    counts = {why: excluded[why] for why in EXCLUSIONS if excluded[why]}
    return Frame(rows, hash_of(rows), counts)


def late_of(frame: Frame, first: Iterable[bytes]) -> Frame:
    """What of it was not in the frame that was drawn from first; both in the order of their bytes,
    in which keys alone decide. The excluded were counted there.
    """
    drawn = (_key_of(row) for row in first)
    last = next(drawn, b"")
    rows = []
    for row in frame.rows:
        key = _key_of(row)
        while last and last < key:
            last = next(drawn, b"")
        if last != key:
            rows.append(row)
    return Frame(rows, hash_of(rows), {})


def _key_of(row: bytes) -> bytes:
    """With the comma that ends it, so that no key begins another."""
    return row[: row.index(b",", row.index(b",", row.index(b",") + 1) + 1) + 1]


def hash_of(rows: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for row in rows:
        found.update(row + b"\n")
    return found.hexdigest()


def _excluded(contact: Contact, plan: SamplePlan, faults: Open, conditions: Conditions) -> str:
    """The first reason that holds, or ""."""
    if contact.outcome != "answered":
        return "not_answered"
    if contact.interrupted or contact.estimated:
        return "interrupted"
    if _at_fault(contact, faults):
        return "fault"
    if contact.talk_ms < plan.least_talk_s * 1000:
        return "short"
    if not conditions.noticed(contact):
        return "no_notice"
    if not conditions.recorded(contact):
        return "no_recording"
    if conditions.left_out(contact):
        return "agent_excluded"
    return "drawn" if key_of(contact) in conditions.drawn else ""


def _faults(tx: Connection, period: SamplePeriod) -> Open:
    """Those that were open in the period."""
    row = tables.presses.c
    goes_on = (row.outcome == "open") | (row.closed_utc > period.from_ms)
    query = select(row.s, row.open_utc, row.closed_utc).where(
        row.kind == "fault", row.open_utc < period.end_ms, goes_on
    )
    found: defaultdict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for s, since, until in tx.execute(query):
        found[s].append((since, until))
    return found


def _at_fault(contact: Contact, faults: Open) -> bool:
    """Whether a fault of its station was open while it went on, or was reported in it."""
    if contact.more is not None and contact.more.fault:
        return True
    start, end = contact.start_utc or 0, contact.end_utc
    return any(
        (end is None or since < end) and (until is None or until > start)
        for since, until in faults.get(contact.station, ())
    )


class _Strata:
    """What parts the contacts of a plan."""

    def __init__(self, plan: SamplePlan, people: People, zone: ZoneInfo) -> None:
        self._people, self._zone = people, zone
        self._teams, self._queues = frozenset(plan.teams), frozenset(plan.queues)
        kinds = {"motive": self._motive, "half": self._half, "duration": self._duration}
        self._parts = [kinds[kind] for kind in plan.strata]

    def of_plan(self, contact: Contact) -> bool:
        """By its queue and its agent's team, when it began."""
        if self._queues:
            queue = self._people.queue(contact.queue or "", contact.start_utc)
            if queue not in self._queues:
                return False
        if not self._teams:
            return True
        return self._people.on(contact.agent, self._day(contact)).team in self._teams

    def row(self, contact: Contact) -> bytes:
        stratum = "/".join(_safe(part(contact)) for part in self._parts)
        s, e, n = key_of(contact)
        return f"{_safe(s)},{e},{n},{_safe(contact.agent)},{stratum}".encode()

    def _day(self, contact: Contact) -> date:
        return datetime.fromtimestamp((contact.start_utc or 0) / 1000, self._zone).date()

    def _motive(self, contact: Contact) -> str:
        """The one that was chosen in it, else that of its code."""
        chosen = contact.more.motive if contact.more else None
        return chosen or self._people.motive_of.get(contact.code or "", "")

    def _half(self, contact: Contact) -> str:
        """1 or 2, of the agent's shift by the roster; empty outside of any."""
        at, day = (contact.start_utc or 0) // 1000, self._day(contact)
        for one in (day, day - timedelta(days=1)):  # a night's began on the day before
            shift = self._people.planned(contact.agent, one)
            if shift is None or shift.start_s is None or shift.end_s is None:
                continue
            if shift.start_s <= at < shift.end_s:
                return "1" if 2 * at < shift.start_s + shift.end_s else "2"
        return ""

    def _duration(self, contact: Contact) -> str:
        talk_s = contact.talk_ms // 1000
        return str(next((least for least in DURATIONS_S if talk_s >= least), 0))


@cache
def _safe(text: str) -> str:
    """Nothing in it ends a field or a row."""
    return quote(text, safe="")
