"""Figures of the time logged in (`figures.rows.Load`), in percent with one decimal; None where
there is nothing to divide by. Never over flow: these are seconds of states.
"""

from typing import Protocol

from msgspec import Struct

from diadema.metrics.rounding import percent

TECHNICAL = ("fault", "link")  # reasons of the system


class Load(Protocol):
    """What is asked of it here."""

    ready: int

    @property
    def logged_s(self) -> int: ...
    @property
    def handling_s(self) -> int: ...


def occupancy(load: Load) -> float | None:
    """Handling / (handling + ready); handling = talk + hold + consult + wrap-up + dialling, in and
    out alike.

    Amazon Connect: on contact / (on contact + idle), ringing is in neither; Genesys counts
    dialling too. Avaya counts ringing, and ICMI's definition meetings and training.
    """
    return percent(load.handling_s, load.handling_s + load.ready)


def utilisation(load: Load) -> float | None:
    """(Handling + ready) / logged in, handling as in `occupancy` (ICMI: idle counts). Others use
    the word for occupancy, so it is never shown without its formula.
    """
    return percent(load.handling_s + load.ready, load.logged_s)


def absenteeism(unplanned_s: int, due_s: int) -> float | None:
    """Unplanned absence = shifts in which the agent never logged in / all shifts that had begun by
    the cut-off, planned absences apart; both until then and without pauses that are not paid.
    Usual definitions count whole days; here a shift that goes on counts as far as it has come.
    """
    return percent(unplanned_s, due_s)


class Shrinkage(Struct, array_like=True):
    """Time not available / basis, all in seconds; the seven parts add up to the total.

    `basis_s` = time logged in without pauses that are not paid + the three absences, each of them
    the shift without its pauses that are not paid: so an absent agent and a present one stand on
    one basis.

    At the desk: `technical_s`, not ready while a reported fault cost time or for a
    technical reason, and the time without power; of the rest of not ready `training_s`, productive
    reasons; `over_s`, of each pause what lies beyond its reason's limit, paid or not;
    `auxiliary_s`, all else that is paid or that the system gave. Away: `paid_absence_s` and
    `unpaid_absence_s`, planned ones; `unplanned_s`, shifts in which the agent never logged in. Who
    comes late or leaves early is seen in adherence, not here.

    Amazon Connect's forecasts split it in office and out of office likewise, of paid time; leave
    without pay is in the basis here, as whoever plans people lacks it too.
    """

    basis_s: int = 0
    technical_s: int = 0
    training_s: int = 0
    over_s: int = 0
    auxiliary_s: int = 0
    paid_absence_s: int = 0
    unpaid_absence_s: int = 0
    unplanned_s: int = 0

    @property
    def in_office_s(self) -> int:
        return self.technical_s + self.training_s + self.over_s + self.auxiliary_s

    @property
    def out_office_s(self) -> int:
        return self.paid_absence_s + self.unpaid_absence_s + self.unplanned_s

    @property
    def total(self) -> float | None:
        return percent(self.in_office_s + self.out_office_s, self.basis_s)

    @property
    def in_office(self) -> float | None:
        return percent(self.in_office_s, self.basis_s)

    @property
    def out_office(self) -> float | None:
        return percent(self.out_office_s, self.basis_s)
