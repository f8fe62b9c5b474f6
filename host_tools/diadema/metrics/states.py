"""Figures of the time logged in (`figures.rows.Load`), in percent with one decimal; None where
there is nothing to divide by. Never over flow: these are seconds of states.
"""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from diadema.metrics.rounding import percent

FORMULAS = {  # for who reads the figure
    "occupancy": "(talk + hold + wrap-up) / (talk + hold + wrap-up + ready)",
    "utilisation": "(talk + hold + wrap-up + ready) / logged in",
    "shrinkage": "paid time not available / paid time",
}


class Load(Protocol):
    """What is asked of it here."""

    ready: int
    not_ready: int
    reasons: dict[str, int]

    @property
    def logged_s(self) -> int: ...
    @property
    def handling_s(self) -> int: ...


class Reason(Protocol):
    paid: bool
    productive: bool
    system: bool


class People(Protocol):
    @property
    def reasons(self) -> Mapping[str, Reason]: ...


def occupancy(load: Load) -> float | None:
    """Handling / (handling + ready); handling = talk + hold + consult + wrap-up.

    Amazon Connect: on contact / (on contact + idle), ringing is in neither. Avaya counts ringing,
    and ICMI's definition meetings and training.
    """
    return percent(load.handling_s, load.handling_s + load.ready)


def utilisation(load: Load) -> float | None:
    """(Handling + ready) / logged in (ICMI: idle counts). Others use the word for occupancy, so
    it is never shown without its formula.
    """
    return percent(load.handling_s + load.ready, load.logged_s)


class Shrinkage(Struct, frozen=True):
    """Seconds of paid time, and of those what was not available: at the desk, and away from it."""

    paid_s: int
    in_office_s: int
    out_office_s: int

    @property
    def total(self) -> float | None:
        return percent(self.in_office_s + self.out_office_s, self.paid_s)

    @property
    def in_office(self) -> float | None:
        return percent(self.in_office_s, self.paid_s)

    @property
    def out_office(self) -> float | None:
        return percent(self.out_office_s, self.paid_s)


def shrinkage(load: Load, people: People, absent_s: int = 0) -> Shrinkage:
    """(Paid time not available) / paid time, split as Amazon Connect's forecasts do.

    In office: not ready for a reason that is paid, or that the system gave (she is there). Out of
    office: `absent_s`, paid absences of the roster. What is not paid is in neither part.
    """
    unpaid = sum(
        seconds for code, seconds in load.reasons.items() if not _paid(people.reasons.get(code))
    )
    paid_s = load.logged_s - unpaid + absent_s
    return Shrinkage(paid_s, load.not_ready - unpaid, absent_s)


def _paid(reason: Reason | None) -> bool:
    return reason is None or reason.system or reason.paid
