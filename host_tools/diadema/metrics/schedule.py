"""What was planned beside what was done: adherence, conformance, lateness. Times are seconds of
UTC; a plan is `directory.people.Planned`. None where nothing was planned or nothing can be said.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from diadema.metrics.rounding import percent

type Times = Sequence[tuple[int, int]]  # [start, end), in order, none over another

_AWAY = ("not_ready", "off")


class Plan(Protocol):
    """One agent's shift with its pauses (start, end, reason)."""

    start_s: int | None
    end_s: int | None
    pauses: list[tuple[int, int, str]]
    absence: str | None
    tolerance_s: int


class Stretch(Protocol):
    """Seconds [start_s, end_s) in one state."""

    start_s: int
    end_s: int
    state: str
    reason: str | None


class Reason(Protocol):
    productive: bool


def worked(stretches: Iterable[Stretch], reasons: Mapping[str, Reason]) -> list[tuple[int, int]]:
    """When she worked: in any state but not ready, or not ready for a productive reason."""
    times: list[tuple[int, int]] = []
    for one in stretches:
        if one.state in _AWAY:
            reason = reasons.get(one.reason or "")
            if one.state == "off" or reason is None or not reason.productive:
                continue
        if times and times[-1][1] == one.start_s:
            times[-1] = times[-1][0], one.end_s
        else:
            times.append((one.start_s, one.end_s))
    return times


def scheduled_s(plan: Plan) -> int:
    """Seconds of work in the shift, without its pauses; none on a day of absence."""
    return length_s(_work(plan))


def followed(plan: Plan, work: Times) -> tuple[int, int] | None:
    """Seconds of the shift in which she did as planned, of how many: what adherence is made of,
    so that days add up. None as there.
    """
    if plan.start_s is None or plan.end_s is None or plan.absence is not None or not work:
        return None
    shift_s = plan.end_s - plan.start_s
    planned = _work(plan)
    inside = _cut(work, plan.start_s, plan.end_s)
    agreed = _common(planned, inside)
    exceptions = length_s(planned) + length_s(inside) - 2 * agreed
    return max(shift_s - exceptions, 0), shift_s


def adherence(plan: Plan, work: Times) -> float | None:
    """1 - exceptions / scheduled, not below 0, in percent (Genesys' formula). An exception is a
    second of the shift in which she worked in a planned pause, or did not when work was planned.
    Only productive or not counts, as in Amazon Connect: a break while a meeting is planned does
    not matter. What is done outside of the shift is in neither. Undefined when she did not work.
    """
    found = followed(plan, work)
    return None if found is None else percent(*found)


def conformance(plan: Plan, work: Times) -> float | None:
    """Time worked / time scheduled, whenever it was; more than 100 can be. Without a schedule it
    is undefined, whatever was worked (Genesys: 0/0 undefined, x/0 infinite).
    """
    return percent(length_s(work), scheduled_s(plan))


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


def _cut(times: Times, start: int, end: int) -> list[tuple[int, int]]:
    cut = [(max(begin, start), min(until, end)) for begin, until in times]
    return [(begin, until) for begin, until in cut if begin < until]


def length_s(times: Times) -> int:
    """Seconds of all of them."""
    return sum(end - start for start, end in times)


def _common(one: Times, other: Times) -> int:
    return sum(
        max(0, min(end, until) - max(start, begin)) for start, end in one for begin, until in other
    )
