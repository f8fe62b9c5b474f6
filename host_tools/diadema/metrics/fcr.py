"""A proxy of first contact resolution: nobody asked again about the same thing soon after.

It knows callers only by the keyed hash of their reference, and the matter only by its motive.
"""

from collections.abc import Iterable

from msgspec import Struct

from diadema.metrics.rounding import percent

WINDOW_DAYS = 7  # callcentrehelper.com; practice ranges from 1 to 30, so it is always printed
_DAY_MS = 86_400_000

type Visit = tuple[str, str, int]  # reference, motive, UTC milliseconds of its beginning


class Fcr(Struct, frozen=True):
    """`n` contacts whose window has closed, and of them those `resolved`; `pending`: the window is
    open; `unknown`: without a reference or a motive, so nothing can be said.
    """

    days: int
    n: int
    resolved: int
    pending: int
    unknown: int

    @property
    def rate(self) -> float | None:
        return percent(self.resolved, self.n)


def fcr(
    visits: Iterable[Visit],
    start_ms: int,
    end_ms: int,
    now_ms: int,
    unknown: int = 0,
    days: int = WINDOW_DAYS,
) -> Fcr:
    """Share of contacts begun in [start_ms, end_ms) after which the same reference did not come
    with the same motive within `days`, computed only once these have passed. `visits` must reach
    `days` beyond `end_ms`, as far as there are any.
    """
    by_matter: dict[tuple[str, str], list[int]] = {}
    for reference, motive, utc in visits:
        by_matter.setdefault((reference, motive), []).append(utc)
    window = days * _DAY_MS
    n = resolved = pending = 0
    for times in by_matter.values():
        times.sort()
        for utc, after in zip(times, [*times[1:], None], strict=True):
            if not start_ms <= utc < end_ms:
                continue
            if utc + window > now_ms:
                pending += 1
                continue
            n += 1
            resolved += after is None or after - utc > window
    return Fcr(days, n, resolved, pending, unknown)
