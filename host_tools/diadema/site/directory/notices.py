"""Which notice that calls are recorded and heard was in force at a call's hour.

A version is in force on its days, and from its publication on: none is given for the time before,
and one that is withdrawn for a day is not in force on it, whenever that was said.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

type Side = Literal["caller", "agent"]
type Spoken = Literal["recording", "agent"]
type Published = Mapping[tuple[str, str], int]  # code and hash of a notice → first UTC ms

SIDES: tuple[Side, ...] = ("caller", "agent")
SPOKEN: tuple[Spoken, ...] = ("recording", "agent")


class Notice(Struct, frozen=True, kw_only=True):
    """One version, of the days from `first` to `last`, made at `at_ms`. `hash` empty: withdrawn.
    `spoken`: by whom the caller is told it. No queue and no campaign named: of all.
    """

    code: str
    side: Side = "caller"
    spoken: Spoken = "recording"
    queues: frozenset[str] = frozenset()
    campaigns: frozenset[str] = frozenset()
    hash: str = ""
    first: date | None = None
    last: date | None = None
    at_ms: int = 0

    def holds_on(self, day: date) -> bool:
        return (self.first or day) <= day <= (self.last or day)

    def is_of(self, queue: str, campaign: str) -> bool:
        everywhere = not self.queues and not self.campaigns
        return everywhere or queue in self.queues or campaign in self.campaigns


class Notices(Struct, frozen=True, kw_only=True):
    """`versions` by code, the newest first."""

    versions: Mapping[str, Sequence[Notice]] = {}

    def in_force(self, utc_ms: int, day: date, published: Published) -> list[Notice]:
        """At that moment, which is of that day of the site's zone."""
        found = (_at(its, utc_ms, day, published) for its in self.versions.values())
        return [one for one in found if one is not None]


def _at(versions: Iterable[Notice], utc_ms: int, day: date, published: Published) -> Notice | None:
    its = [one for one in versions if one.holds_on(day)]
    if its and not its[0].hash:
        return None
    for one in its:
        if not one.hash:
            if one.at_ms <= utc_ms:
                return None
        elif published.get((one.code, one.hash), utc_ms + 1) <= utc_ms:
            return one
    return None
