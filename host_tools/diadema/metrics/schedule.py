"""What was planned beside what was done: adherence, conformance, lateness. Times are seconds of
UTC; a plan is `directory.people.Planned`. None where nothing was planned or nothing can be said.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from msgspec import Struct

from diadema.metrics.rounding import percent
from diadema.metrics.states import TECHNICAL

type Times = Sequence[tuple[int, int]]  # [start, end), in order, none over another
type Pause = tuple[int, int, str]

SHORT_S = 300  # an exception of less is summed, and not listed
WORK, BUSY, LOGGED_OUT, OFF = "work", "busy", "logged_out", "off"
_AWAY = ("not_ready", OFF, LOGGED_OUT)


class Plan(Protocol):
    """One agent's shift with its pauses (start, end, reason)."""

    start_s: int | None
    end_s: int | None
    pauses: list[Pause]
    absence: str | None
    tolerance_s: int


class Stretch(Protocol):
    """Seconds [start_s, end_s) in one state; `by`: agent, system or supervisor."""

    start_s: int
    end_s: int
    state: str
    reason: str | None
    by: str | None


class Reason(Protocol):
    private: bool
    productive: bool


class Deviation(Struct, kw_only=True, array_like=True):
    """Seconds [start_s, end_s) of a shift in which the agent did not do as planned. `planned`: the
    reason of the pause, None for work; `did`: work, logged_out, off, or the reason of not
    being ready. `excuse`: None, or why it is not the agent's doing: technical, productive,
    supervisor, private, or what somebody said of it.
    """

    start_s: int
    end_s: int
    planned: str | None
    did: str
    excuse: str | None = None

    @property
    def seconds(self) -> int:
        return self.end_s - self.start_s


def worked(stretches: Iterable[Stretch], reasons: Mapping[str, Reason]) -> list[tuple[int, int]]:
    """When the agent worked: in any state but not ready, or not ready for a productive reason."""
    times: list[tuple[int, int]] = []
    for one in stretches:
        if not _works(one.state, one.reason, reasons):
            continue
        if times and times[-1][1] == one.start_s:
            times[-1] = times[-1][0], one.end_s
        else:
            times.append((one.start_s, one.end_s))
    return times


def slid(plan: Plan, stretches: Sequence[Stretch]) -> tuple[list[Pause], int]:
    """The planned pauses as they are due, and how many slid: one at whose beginning a call was
    under way that had begun before («por llamada»: from ringing to the end of its wrap-up, and on
    into a call that follows it at once: state `busy`) begins when that is over, and keeps its
    length.
    """
    pauses: list[Pause] = []
    count = 0
    for start, end, reason in plan.pauses:
        due, at = start, bisect_right(stretches, start, key=lambda one: one.end_s)
        if at < len(stretches) and stretches[at].state == BUSY and stretches[at].start_s < start:
            due = stretches[at].end_s
            count += 1
        pauses.append((due, due + end - start, reason))
    return pauses, count


def deviations(
    plan: Plan,
    stretches: Sequence[Stretch],
    reasons: Mapping[str, Reason],
    technical: Times = (),
) -> list[Deviation]:
    """Exceptions of a shift, in order: each second in which work was planned and the agent did
    not work (`worked`), or a pause was planned and the agent did. Only that counts, as in Amazon
    Connect: a break while a meeting is planned is none. Nothing outside of the shift is one.

    By themselves excuse: technical time (`technical`: of faults reported; or not ready for a
    technical reason), a private reason, planned or given, what a supervisor set, a productive
    reason (training, feedback, meeting).
    """
    if plan.start_s is None or plan.end_s is None or plan.absence is not None:
        return []
    found: list[Deviation] = []
    cuts = sorted({bound for times in technical for bound in times})
    faults = _Cursor(technical)
    for start, end, one in _cut(_whole(stretches, plan.start_s, plan.end_s), plan, cuts):
        state, reason = (one.state, one.reason) if one is not None else (LOGGED_OUT, None)
        planned = _pause_at(plan, start)
        works = _works(state, reason, reasons)
        if works == (planned is None):
            continue
        did = WORK if state not in _AWAY else (reason or "") if state == "not_ready" else state
        known = reasons.get(did) if state == "not_ready" else None
        excuse = None
        if faults.has(start) or (state == "not_ready" and did in TECHNICAL):
            excuse = "technical"
        elif any(one is not None and one.private for one in (known, reasons.get(planned or ""))):
            excuse = "private"
        elif one is not None and one.by == "supervisor":
            excuse = "supervisor"
        elif known is not None and known.productive:
            excuse = "productive"
        last = found[-1] if found else None
        if last and (last.end_s, last.planned, last.did, last.excuse) == (
            start, planned, did, excuse,
        ):  # fmt: skip
            last.end_s = end
        else:
            found.append(
                Deviation(start_s=start, end_s=end, planned=planned, did=did, excuse=excuse)
            )
    return found


def scheduled_s(plan: Plan) -> int:
    """Seconds of work in the shift, without its pauses; none on a day of absence."""
    return length_s(_work(plan))


def followed(plan: Plan, its: Iterable[Deviation]) -> tuple[int, int] | None:
    """Seconds of the shift in which the agent did as planned or was excused, of how many: what
    adherence is made of, so that days add up. None without a shift.
    """
    if plan.start_s is None or plan.end_s is None or plan.absence is not None:
        return None
    shift_s = plan.end_s - plan.start_s
    return shift_s - sum(one.seconds for one in its if one.excuse is None), shift_s


def adherence(followed_s: int, shift_s: int) -> float | None:
    """1 - exceptions without an excuse / shift, in percent, of all shifts with a login
    (`followed`). Genesys' formula, which likewise takes out what was excused and leaves out who
    was not there at all; Amazon Connect counts 0 there, so unplanned absence stands beside it
    here. Genesys ignores exceptions under a threshold; here they count, and are only not listed.
    """
    return percent(followed_s, shift_s)


def conformance(worked_s: int, credited_s: int, scheduled_s: int) -> float | None:
    """(Time worked, whenever it was, + planned work that a fault took) / time scheduled without
    its pauses; more than 100 can be. Without a schedule it is undefined, whatever was worked
    (Genesys: 0/0 undefined, x/0 infinite); of who did not come it is 0 (Genesys: undefined).
    """
    return percent(worked_s + credited_s, scheduled_s)


def length_s(times: Times) -> int:
    """Seconds of all of them."""
    return sum(end - start for start, end in times)


class Lateness(Struct, frozen=True):
    """Seconds late, as measured: `raw_s` beyond the tolerance, `whole_s` from the start of the
    shift on; `explained` says who said why, and changes nothing of them.
    """

    raw_s: int
    whole_s: int
    explained: str | None = None

    @property
    def unexplained_s(self) -> int:
        return 0 if self.explained is not None else self.raw_s

    @property
    def whole_unexplained_s(self) -> int:
        return 0 if self.explained is not None else self.whole_s


def lateness(plan: Plan, first_s: int | None, explained: str | None = None) -> Lateness | None:
    """Both ways: beyond the tolerance = max(0, first mark or login - start of the shift -
    tolerance); whole = first mark - start, once the tolerance has passed, as payrolls take it.
    Whoever comes within the tolerance is 0 late both ways. None without a shift or without a
    mark: who did not come is absent, not late.
    """
    if plan.start_s is None or plan.absence is not None or first_s is None:
        return None
    late = first_s - plan.start_s
    beyond = max(0, late - plan.tolerance_s)
    return Lateness(beyond, late if beyond else 0, explained)


def _work(plan: Plan) -> list[tuple[int, int]]:
    if plan.start_s is None or plan.end_s is None or plan.absence is not None:
        return []
    times, at = [], plan.start_s
    for start, end, _ in sorted(plan.pauses):
        start, end = max(start, at), min(end, plan.end_s)
        if start < end:
            if at < start:
                times.append((at, start))
            at = end
    if at < plan.end_s:
        times.append((at, plan.end_s))
    return times


def _works(state: str, reason: str | None, reasons: Mapping[str, Reason]) -> bool:
    if state not in _AWAY:
        return True
    known = reasons.get(reason or "") if state == "not_ready" else None
    return known is not None and known.productive


class _Cursor:
    """Whether a second lies in any of some times; seconds are asked in order."""

    def __init__(self, times: Times) -> None:
        self._times, self._at = times, 0

    def has(self, second: int) -> bool:
        while self._at < len(self._times) and self._times[self._at][1] <= second:
            self._at += 1
        return self._at < len(self._times) and self._times[self._at][0] <= second


def _whole(
    stretches: Sequence[Stretch], start: int, end: int
) -> Iterator[tuple[int, int, Stretch | None]]:
    """[start, end) as stretches, with what lies between them."""
    at = start
    for one in stretches:
        first, last = max(one.start_s, at), min(one.end_s, end)
        if first >= last:
            continue
        if at < first:
            yield at, first, None
        yield first, last, one
        at = last
    if at < end:
        yield at, end, None


def _cut(
    pieces: Iterable[tuple[int, int, Stretch | None]], plan: Plan, more: Sequence[int]
) -> Iterator[tuple[int, int, Stretch | None]]:
    """The same cut where a pause or a fault begins or ends."""
    bounds = sorted({*more, *(bound for start, end, _ in plan.pauses for bound in (start, end))})
    for start, end, one in pieces:
        inside = [start, *(bound for bound in bounds if start < bound < end), end]
        yield from ((begin, until, one) for begin, until in pairwise(inside))


def _pause_at(plan: Plan, second: int) -> str | None:
    return next((reason for start, end, reason in plan.pauses if start <= second < end), None)
