"""What a roll-out is to do, and what it has to know of the stations that it is for, as the ingest
has it.
"""

import math
import re
from typing import NamedTuple

from msgspec import Struct, field
from sqlalchemy import Connection, select

from diadema.stations.boards.table import NEEDS_IMAGE, needs_image
from diadema.store import tables
from diadema.store.host_rows import Seat, Step
from diadema.store.station_state import Station
from diadema.wire.letters import from_columns

_STAGE = re.compile(r"(\d{1,5})(%?)\Z")
# faults that come and go with the desk or the network, whatever the program
_OF_THE_DESK = ("headset", "uplink", "wifi", "config", "telephone", "switch")


class RolloutPlan(Struct, kw_only=True, frozen=True):
    """`stages`: how many stations in all have it after each: «2», «25%», «all». `only`: no others
    than these, if any are named.
    """

    sha256: str
    board: str
    version: str
    what: str | None = None  # of the program, or micropython
    build: str | None = None  # of MicroPython
    stages: list[str]
    stop_after: int = 1
    quiet_ms: int = 0
    only: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.stages or not all(_is_stage(stage) for stage in self.stages):
            raise ValueError("a stage is a number of stations, a share as 25%, or all")
        if self.stop_after < 1:
            raise ValueError("it stops after one failure or more")

    def goal(self, stage: int, total: int) -> int:
        """How many of `total` stations have it after a stage."""
        wanted = self.stages[stage]
        if wanted == "all":
            return total
        number, percent = _STAGE.match(wanted).groups()  # type: ignore[union-attr]
        return math.ceil(total * int(number) / 100) if percent else min(int(number), total)


class StationFacts(NamedTuple):
    """What is known of a station now. `idle`: there, and nobody is logged in or in a call. `e`,
    `n`: the last event that is stored of it. `build` is its MicroPython's; `psram` in bytes;
    `needs_image`: why, if it does.
    """

    station: str
    board: str
    version: str
    up: bool
    idle: bool
    fault: str | None = None
    fault_utc: int | None = None
    epoch: int | None = None
    sequence: int = 0
    micropython: str = ""
    build: str = ""
    psram: int | None = None
    needs_image: str | None = None

    def has(self, plan: RolloutPlan) -> bool:
        return self.of(plan) == plan.version and not self._other_build(plan)

    def unfit(self, plan: RolloutPlan) -> str | None:
        """Why a roll-out passes over it."""
        if self.needs_image:
            return self.needs_image
        return f"other_build: {self.build}" if self._other_build(plan) else None

    def of(self, plan: RolloutPlan) -> str:
        """What it has of what the plan brings."""
        return self.micropython if plan.what else self.version

    def _other_build(self, plan: RolloutPlan) -> bool:
        return bool(plan.build and self.build) and plan.build != self.build


def _is_stage(stage: str) -> bool:
    found = _STAGE.match(stage)
    return stage == "all" or (found is not None and int(found[1]) > 0)


def facts_of(station: Station, followed: tuple[int, int]) -> StationFacts:
    """The facts of a station. `followed`: epoch and sequence of the last event acted on."""
    state, hello = station.state, station.hello
    up = station.link == "up"
    e, n = followed
    up_to_date = e == hello.epoch and n >= hello.last  # else it may be busy, or done
    faults = [part for part in state.faults if part not in _OF_THE_DESK]
    return StationFacts(
        station.station,
        hello.board or state.board,
        hello.firmware or state.firmware,
        up,
        up and up_to_date and state.session is None and not state.open,
        faults[0] if faults else None,
        state.fault_utc if faults else None,
        e,
        n,
        state.micropython,
        state.build,
        state.psram,
        image_needed(station),
    )


def image_needed(station: Station) -> str | None:
    """Why the station needs another image; None when it does not."""
    state, hello = station.state, station.hello
    if hello.safe and hello.cause in NEEDS_IMAGE:
        return hello.cause
    return needs_image(state.build, state.psram)


def steps_since(tx: Connection, seat: Seat) -> list[Step]:
    row = tables.updates.c
    later = (row.s == seat.station) & (row.e == seat.epoch) & (row.n > seat.sequence)
    rows = tx.execute(select(tables.updates).where(later).order_by(row.n))
    return [from_columns(Step, one._mapping) for one in rows]
