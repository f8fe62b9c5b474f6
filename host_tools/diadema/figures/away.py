"""Time in which an agent could take no call, from what was shown of her: her pauses by reason, and
what of them is shrinkage.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from diadema.figures.load import Stretch
from diadema.metrics.states import TECHNICAL, Shrinkage
from diadema.site.directory.people import Planned, Reason
from diadema.wire.live_rows import PRIVATE

TOGETHER = 10  # people, of whom private reasons may be told apart

type Pause = tuple[int, int, str]  # [start, end) and the reason


class Spent(Struct, array_like=True):
    """Of one agent and reason: seconds, pauses, and of those that went over the limit of their
    reason how many and their seconds beyond it; None of private ones, and where there is no limit.
    """

    seconds: int = 0
    pauses: int | None = None
    over_n: int | None = None
    over_s: int | None = None

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.seconds + other.seconds,
            _added(self.pauses, other.pauses),
            _added(self.over_n, other.over_n),
            _added(self.over_s, other.over_s),
        )


def pauses(stretches: Iterable[Stretch]) -> list[Pause]:
    """Each time she was not ready, whole; what goes on for the same reason is one."""
    found: list[Pause] = []
    for one in stretches:
        if one.state != "not_ready":
            continue
        reason = one.reason or ""
        if found and found[-1][1:] == (one.start_s, reason):
            found[-1] = found[-1][0], one.end_s, reason
        else:
            found.append((one.start_s, one.end_s, reason))
    return found


def spent(
    its: Iterable[Pause], reasons: Mapping[str, Reason], start_s: int, end_s: int
) -> dict[str, Spent]:
    """Of [start_s, end_s), by reason: seconds where they passed, a pause counted where it began.
    The private ones are one, time only.
    """
    found: defaultdict[str, Spent] = defaultdict(Spent)
    for start, end, code in its:
        first, last = max(start, start_s), min(end, end_s)
        if first >= last:
            continue
        reason = reasons.get(code)
        if reason is not None and reason.private:
            found[PRIVATE].seconds += last - first
            continue
        one, begins = found[code], start_s <= start
        one.seconds += last - first
        one.pauses = (one.pauses or 0) + begins
        if reason is not None and reason.limit_s:
            over = max(0, last - max(first, start + reason.limit_s))
            one.over_s = (one.over_s or 0) + over
            one.over_n = (one.over_n or 0) + (begins and end - start > reason.limit_s)
    return dict(found)


def lost(
    stretches: Sequence[Stretch],
    its: Iterable[Pause],
    technical: Sequence[tuple[int, int]],
    reasons: Mapping[str, Reason],
    start_s: int,
    end_s: int,
) -> Shrinkage:
    """Of [start_s, end_s) what is shrinkage at the desk, with its basis; without absences."""
    found = Shrinkage()
    for one in stretches:
        first, last = max(one.start_s, start_s), min(one.end_s, end_s)
        if first < last:
            found.basis_s += last - first
            found.technical_s += (last - first) * (one.state == "off")
    for start, end, code in its:
        first, last = max(start, start_s), min(end, end_s)
        if first >= last:
            continue
        reason = reasons.get(code)
        limit_s = reason.limit_s if reason is not None else 0
        beyond = max(first, start + limit_s) if limit_s else last
        if code in TECHNICAL:
            found.technical_s += last - first
            continue
        faults = _common(technical, first, last)
        found.technical_s += faults
        if reason is not None and reason.productive:
            found.training_s += last - first - faults
            continue
        over = max(0, last - beyond) - _common(technical, beyond, last)
        within = last - first - faults - over
        found.over_s += over
        if is_paid(reason):
            found.auxiliary_s += within
        else:
            found.basis_s -= within
    return found


def is_paid(reason: Reason | None) -> bool:
    return reason is None or reason.system or reason.paid


def owed_s(plan: Planned, reasons: Mapping[str, Reason], now_s: int) -> int:
    """Seconds of a shift until now without its pauses that are not paid."""
    if plan.start_s is None or plan.end_s is None:
        return 0
    at, end = plan.start_s, min(plan.end_s, now_s)
    seconds = max(0, end - at)
    for start, until, code in sorted(plan.pauses):
        start, until = max(start, at), min(until, end)
        if start < until and not is_paid(reasons.get(code)):
            seconds -= until - start
            at = until
    return seconds


def _added(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)


def _common(times: Sequence[tuple[int, int]], start: int, end: int) -> int:
    return sum(max(0, min(until, end) - max(begin, start)) for begin, until in times)
