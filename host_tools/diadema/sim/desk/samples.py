"""The badges that lie beside the virtual desk: people of the site, and one that no site knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diadema.sim.people import Person

_STRANGER = "04DEADC0FFEE77"


@dataclass(frozen=True)
class Sample:
    """`card` is what the reader reads; the page only learns the rest."""

    id: str
    name: str | None
    team: str
    card: str

    def message(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "team": self.team}


def tray(people: Sequence[Person]) -> list[Sample]:
    """A badge for each, and the unknown one."""
    known = [Sample(person.id, person.name, person.team, person.badge) for person in people]
    return [*known, Sample("unknown", None, "", _STRANGER)]
