"""What a campaign is told and what it comes to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Plan:
    """`share`: of a campaign's usual length. `only`: what a failure printed, to repeat it alone.

    `say` gets a line for whoever watches.
    """

    seed: int
    share: float = 1.0
    only: str | None = None
    say: Callable[[str], None] = _silent


@dataclass
class Outcome:
    """`lost` and `doubled` count events; a failure that is neither counts as lost."""

    campaign: str
    counts: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, number: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + number

    def fail(self, only: str, what: str, *, lost: int = 0, doubled: int = 0) -> None:
        """One failure; `only` repeats it with `--campaign NAME --seed N --only ONLY`."""
        self.lost += lost if lost or doubled else 1
        self.doubled += doubled
        self.failures.append({"campaign": self.campaign, "only": only, "what": what})

    def row(self) -> dict[str, Any]:
        return {
            "campaign": self.campaign,
            **self.counts,
            "lost": self.lost,
            "doubled": self.doubled,
            "seconds": round(self.seconds, 1),
        }
