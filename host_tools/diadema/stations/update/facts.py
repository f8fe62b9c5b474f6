"""What a roll-out has to know of a station, as the ingest has it."""

from sqlalchemy import Connection, select

from diadema.stations.boards.builds import NEEDS_IMAGE, needs_image
from diadema.stations.update.rollout import Fact
from diadema.store import tables
from diadema.store.host_rows import Seat, Step
from diadema.store.station_state import Station
from diadema.wire.letters import from_columns

# faults that come and go with the desk or the network, whatever the program
_OF_THE_DESK = ("headset", "uplink", "wifi", "config")


def fact_of(station: Station, followed: tuple[int, int]) -> Fact:
    """`followed`: journal and number up to which what it told was acted on."""
    state, hello = station.state, station.hello
    up = station.link == "up"
    e, n = followed
    told = e == hello.epoch and n >= hello.last  # else it may be busy, or done
    faults = [part for part in state.faults if part not in _OF_THE_DESK]
    return Fact(
        station.station,
        hello.board or state.board,
        hello.firmware or state.firmware,
        up,
        up and told and state.session is None and not state.open,
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
    """Why it needs another image, if it does."""
    state, hello = station.state, station.hello
    if hello.safe and hello.cause in NEEDS_IMAGE:
        return hello.cause
    return needs_image(state.build, state.psram)


def told_since(tx: Connection, seat: Seat) -> list[Step]:
    row = tables.updates.c
    later = (row.s == seat.station) & (row.e == seat.epoch) & (row.n > seat.sequence)
    told = tx.execute(select(tables.updates).where(later).order_by(row.n))
    return [from_columns(Step, one._mapping) for one in told]
