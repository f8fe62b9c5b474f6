"""Where a station's boots lie in UTC: its anchors, its crystal's drift, and how far an hour may be
off. Nobody's `t` is changed here; this is about where the host places what was measured by (b, u).

Before a drift is measured a crystal is held to be within ±50 ppm: Espressif's hardware design
guidelines ask for one within ±10 ppm, and IEEE 802.11 lets no 2.4 GHz radio be off by more than
±25 ppm; twice that leaves room for age and heat.
"""

from collections.abc import Iterable

from msgspec import Struct

ASSUMED_PPB = 50_000
WANDER_PPB = 1_000  # what a measured drift may have changed by from one boot to the next
UNTOLD_MS = 250  # of an hour that only an event's `t` tells, as its anchor is lost
STEP_MS = 1_000  # beyond all doubt by more than this: a clock was set, not a crystal slow
BOOTS_KEPT = 512  # that wait for an hour


class BootClock(Struct, kw_only=True, omit_defaults=True):
    """One boot's clock: the newest anchor (`u`, `utc`), and the oldest one (`from_…`) that no jump
    divides from it, against which drift is measured. `source` is host, sntp, event (the `t` of
    one), between (see `between`), or empty: no hour is known.
    """

    source: str = ""
    u: int = 0
    utc: int = 0
    uncertainty_ms: int = 0
    from_u: int = 0
    from_utc: int = 0
    from_uncertainty_ms: int = 0
    drift_ppb: int = 0  # UTC milliseconds gained in 10⁹ of the station's
    drift_error_ppb: int = ASSUMED_PPB
    jumps: int = 0  # of this station so far

    def utc_at(self, u: int) -> int:
        return self.utc + (u - self.u) + (u - self.u) * self.drift_ppb // 1_000_000_000

    def uncertainty_at(self, u: int) -> int:
        """How far `utc_at(u)` may be off; it grows with the distance from the anchor."""
        aged = abs(u - self.u) * self.drift_error_ppb
        return self.uncertainty_ms + -(-aged // 1_000_000_000)

    def next_boot(self) -> "BootClock":
        """Nothing is known of another boot but its crystal."""
        error = min(ASSUMED_PPB, self.drift_error_ppb + WANDER_PPB)
        return BootClock(drift_ppb=self.drift_ppb, drift_error_ppb=error, jumps=self.jumps)

    def anchor(self, u: int, utc: int, source: str, uncertainty_ms: int) -> int | None:
        """Take a newer anchor. Milliseconds by which a clock was set since the last one, or None
        when they agree."""
        jump = None
        if self.source:
            off = utc - self.utc_at(u)
            if abs(off) > self.uncertainty_at(u) + uncertainty_ms + STEP_MS:
                jump = off
                self.jumps += 1
        if not self.source or jump is not None:
            self.from_u, self.from_utc, self.from_uncertainty_ms = u, utc, uncertainty_ms
        self.source, self.u, self.utc, self.uncertainty_ms = source, u, utc, uncertainty_ms
        self._measure()
        return jump

    def _measure(self) -> None:
        """Drift from the oldest to the newest anchor, if that tells more than was known."""
        span = self.u - self.from_u
        if span <= 0:
            return
        doubt = self.from_uncertainty_ms + self.uncertainty_ms
        error = -(-doubt * 1_000_000_000 // span)
        drift = (self.utc - self.from_utc - span) * 1_000_000_000 // span
        if error < self.drift_error_ppb and abs(drift) <= ASSUMED_PPB:
            self.drift_ppb, self.drift_error_ppb = drift, error


class Adrift(Struct, array_like=True):
    """A boot that ended without an hour, `ms` after it began."""

    e: int
    b: int
    ms: int


def between(
    boots: list[Adrift], after_utc: int, before_utc: int, doubt_ms: int
) -> list[BootClock]:
    """Clocks for boots, in their order, that lie between two hours, known to `doubt_ms`.

    What they measured and their order stand; the rest of the interval may be before, between or
    after them. Each is put in the middle of where it can be, and may be off by half of the rest.
    When there is no room, as an hour was wrong, they end at the later one.
    """
    rest = before_utc - after_utc - sum(boot.ms for boot in boots)
    start = after_utc + rest // 2 if rest >= 0 else after_utc + rest
    doubt = doubt_ms + ((rest + 1) // 2 if rest >= 0 else -rest)
    clocks = []
    for boot in boots:
        clocks.append(BootClock(source="between", utc=start, uncertainty_ms=doubt))
        start += boot.ms
    return clocks


def summary(clocks: Iterable[BootClock], now_ms: int) -> dict[str, int | None]:
    """The stations' clocks in numbers; `worst_ms` is the largest uncertainty now."""
    known = unknown = jumps = 0
    worst: int | None = None
    for clock in clocks:
        jumps += clock.jumps
        if not clock.source:
            unknown += 1
            continue
        known += 1
        worst = max(worst or 0, now_uncertainty(clock, now_ms))
    return {"known": known, "unknown": unknown, "worst_ms": worst, "jumps": jumps}


def now_uncertainty(clock: BootClock, now_ms: int) -> int:
    """By the hub's clock, since the station's own is not at hand."""
    return clock.uncertainty_at(clock.u + max(now_ms - clock.utc, 0))


def told(clock: BootClock, now_ms: int) -> dict[str, str | int | float | None]:
    """What a person asks of one station's clock; ppm null while the drift is only assumed."""
    measured = clock.drift_error_ppb < ASSUMED_PPB
    known = bool(clock.source)
    return {
        "source": clock.source or None,
        "anchored_utc": clock.utc if known else None,
        "offset_ms": clock.utc - clock.u if known else None,
        "uncertainty_ms": now_uncertainty(clock, now_ms) if known else None,
        "drift_ppm": clock.drift_ppb / 1000 if measured else None,
        "drift_error_ppm": clock.drift_error_ppb / 1000,
        "jumps": clock.jumps,
    }
