"""The badges that lie beside the virtual desk: people of the site, and one that no site knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diadema_sim.people import Person

_STRANGER = "04DEADC0FFEE77"


@dataclass(frozen=True)
class Sample:
    """`card` is what the reader reads; the page learns the rest, to train with also the PIN."""

    id: str
    name: str | None
    team: str
    pin: str | None
    card: str

    def message(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "team": self.team, "pin": self.pin}


def tray(people: Sequence[Person]) -> list[Sample]:
    """A badge for each, and the unknown one."""
    known = [
        Sample(person.id, person.name, person.team, person.pin, person.badge) for person in people
    ]
    return [*known, Sample("unknown", None, "", None, _STRANGER)]
