"""Attendance marks of one agent, with what corrections say of them, paired in their order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct, field

from diadema.store.attendance import Mark
from diadema.store.contact_rows import LONGEST_MS
from diadema.store.host_rows import Correction

type Key = tuple[str, int, int]
type DayOf = Callable[[int, bool], date]  # of an hour, and whether it is an exit


class MarkTime(Struct, kw_only=True):
    """A time that counts: a mark, as corrected, or one that a correction gives. `made`: the
    agent's own mark in that direction. `fixes`: the corrections of it, oldest first.
    """

    key: Key
    utc: int
    direction: str
    made: int | None = None
    fixes: list[Correction] = field(default_factory=list)


class Stay(Struct, kw_only=True):
    """An entry and the exit that follows it, UTC milliseconds; None where there is none.

    `state`: "" for both; `going`: the agent is still there (the last mark is an entry, of no more
    than 16 h ago, and the agent is logged in, or in the shift, or has none); `no_entry`,
    `no_exit`: a mark is missing and somebody has to settle it («por regularizar»). `keys`: of its
    times, those repeated too.
    """

    day: date
    entry: int | None = None
    exit: int | None = None
    made_in: int | None = None
    made_out: int | None = None
    fixes: list[Correction] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    state: str = ""

    @property
    def seconds(self) -> int | None:
        """Its length; None while entry or exit is missing."""
        if self.entry is None or self.exit is None:
            return None
        return self.exit // 1000 - self.entry // 1000

    def within(self, start_s: int, end_s: int) -> int:
        """Seconds of it that lie in [start_s, end_s)."""
        if self.entry is None or self.exit is None:
            return 0
        return max(0, min(self.exit // 1000, end_s) - max(self.entry // 1000, start_s))


def mark_times(marks: Iterable[Mark], corrections: Sequence[Correction]) -> list[MarkTime]:
    """Of one agent, in order. The last word on a mark counts; a correction of no mark gives one
    that is missing, one of another person's mark gives nothing.
    """
    known: dict[Key, MarkTime] = {}
    for mark in marks:
        if mark.utc is not None:
            key = mark.station, mark.epoch, mark.sequence
            known[key] = MarkTime(key=key, utc=mark.utc, direction=mark.direction, made=mark.utc)
    made = {key: one.direction for key, one in known.items()} if corrections else {}
    for fix in corrections:
        if fix.kind != "corrected" or fix.time_utc is None or fix.direction is None:
            continue
        own = fix.station, fix.epoch, fix.sequence
        key = own if (of := of_mark(fix)) is None else of
        one = known.get(key)
        if one is None:
            if key != own:
                continue
            one = known[key] = MarkTime(key=key, utc=0, direction="")
        one.utc, one.direction = fix.time_utc, fix.direction
        one.made = one.made if made.get(key) == fix.direction else None
        one.fixes.append(fix)
    return sorted(known.values(), key=lambda one: one.utc)


def of_mark(fix: Correction) -> Key | None:
    if fix.of_s is None or fix.of_e is None or fix.of_n is None:
        return None
    return fix.of_s, fix.of_e, fix.of_n


def paired(its: Iterable[MarkTime], day_of: DayOf) -> list[Stay]:
    """Each entry with the exit that follows it within 16 h, over midnight too; its day is that of
    the entry. Of entries in a row on one business day the first counts, or the last where only
    that one is within 16 h of the exit. Of exits in a row on one business day the last counts,
    within 16 h of the entry too. What has no partner is a stay of its own, without it.
    """
    stays: list[Stay] = []
    again: MarkTime | None = None  # an entry after another one
    for one in its:
        last = stays[-1] if stays else None
        if one.direction == "out":
            _end(_ended_by(one, stays, again, day_of), one)
            again = None
        elif last is not None and last.exit is None and last.day == day_of(one.utc, False):
            _begin(last, one)
            again = one
        else:
            stays.append(_begun(one, day_of))
            again = None
    return stays


def _ended_by(one: MarkTime, stays: list[Stay], again: MarkTime | None, day_of: DayOf) -> Stay:
    """The stay that an exit belongs to, which may be a new one."""
    last = stays[-1] if stays else None
    if last is not None and last.exit is None:
        if _near(last.entry, one):
            return last
        if again is not None and _near(again.utc, one):
            last.keys.remove(again.key)
            stays.append(_begun(again, day_of))
            return stays[-1]
    elif last is not None and last.exit is not None and _near(last.entry, one):
        same = day_of(last.exit, True) == day_of(one.utc, True)
        if same:
            return last
    stays.append(Stay(day=day_of(one.utc, True), state="no_entry"))
    return stays[-1]


def _near(entry: int | None, one: MarkTime) -> bool:
    return entry is None or one.utc - entry <= LONGEST_MS


def _begun(one: MarkTime, day_of: DayOf) -> Stay:
    stay = Stay(day=day_of(one.utc, False), entry=one.utc, state="no_exit")
    _begin(stay, one)
    return stay


def _begin(stay: Stay, one: MarkTime) -> None:
    if stay.made_in is None:
        stay.made_in = one.made
    stay.fixes += one.fixes
    stay.keys.append(one.key)


def _end(stay: Stay, one: MarkTime) -> None:
    stay.exit = one.utc
    if one.made is not None:
        stay.made_out = one.made
    stay.fixes += one.fixes
    stay.keys.append(one.key)
    if stay.entry is not None:
        stay.state = ""


def by_key(stays: Iterable[Stay]) -> Mapping[Key, Stay]:
    return {key: stay for stay in stays for key in stay.keys}
