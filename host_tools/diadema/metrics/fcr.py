"""A proxy of first contact resolution: nobody asked again about the same thing soon after.

It knows callers only by the keyed hash of their reference, and the matter only by the level-1
code of its motive.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from diadema.metrics.rounding import percent

WINDOW_DAYS = 7  # callcentrehelper.com; practice ranges from 1 to 30, so it is always printed
_DAY_MS = 86_400_000


class Visit(NamedTuple):
    """One call that was attended, its segments joined: who, the level-1 code of its matter, UTC
    milliseconds of its beginning, and the queue and the agent that took it first.
    """

    reference: str
    motive: str
    utc: int
    queue: str = ""
    agent: str = ""


class Fcr(Struct):
    """`n` calls whose window has closed, and of them those `resolved`; `pending`: the window is
    open; `unknown`: without a reference or a motive, so nothing can be said.
    """

    days: int = WINDOW_DAYS
    n: int = 0
    resolved: int = 0
    pending: int = 0
    unknown: int = 0

    @property
    def rate(self) -> float | None:
        return percent(self.resolved, self.n)

    def add(self, resolved: bool | None) -> None:
        """One more call; None: its window is open."""
        if resolved is None:
            self.pending += 1
        else:
            self.n += 1
            self.resolved += resolved


type Looked = list[tuple[Visit, bool | None]]  # resolved; None while its window is open


def look(
    visits: Iterable[Visit],
    abandons: Mapping[str, Sequence[int]],
    start_ms: int,
    end_ms: int,
    now_ms: int,
    days: int = WINDOW_DAYS,
) -> Looked:
    """Of each call begun in [start_ms, end_ms) whether it resolved: within `days` of it the same
    reference neither was attended again with the same level-1 motive, nor hung up in a queue,
    about whatever (`abandons`: UTC milliseconds by reference, in order). Both must reach `days`
    beyond `end_ms`, as far as there are any.
    """
    by_matter: defaultdict[tuple[str, str], list[Visit]] = defaultdict(list)
    for visit in visits:
        by_matter[visit.reference, visit.motive].append(visit)
    window = days * _DAY_MS
    found: Looked = []
    for (reference, _), its in by_matter.items():
        its.sort(key=_begin)
        left = abandons.get(reference, ())
        for visit, after in zip(its, [*its[1:], None], strict=True):
            if not start_ms <= visit.utc < end_ms:
                continue
            if visit.utc + window > now_ms:
                found.append((visit, None))
                continue
            again = after is not None and after.utc - visit.utc <= window
            at = bisect_right(left, visit.utc)
            again |= at < len(left) and left[at] - visit.utc <= window
            found.append((visit, not again))
    return found


def tally(looked: Looked, unknown: int = 0, days: int = WINDOW_DAYS) -> Fcr:
    """FCR = resolved / n of the calls whose window has closed, see `look`. callcentrehelper's «no
    repeat within 7 days»; others ask the caller.
    """
    found = Fcr(days=days, unknown=unknown)
    for _, resolved in looked:
        found.add(resolved)
    return found


def tally_by(looked: Looked, of: Callable[[Visit], str]) -> dict[str, Fcr]:
    """The same in parts, that sum to the whole."""
    found: defaultdict[str, Fcr] = defaultdict(Fcr)
    for visit, resolved in looked:
        found[of(visit)].add(resolved)
    return dict(found)


def _begin(visit: Visit) -> int:
    return visit.utc
