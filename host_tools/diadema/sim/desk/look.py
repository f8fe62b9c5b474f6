"""What a person sees of a station: screen, lights, and how its switches stand."""

import base64
from dataclasses import asdict, dataclass
from typing import Any

from diadema.sim.station import NoPower, Station

LOOK_S = 0.05  # between two looks: at most 20 a second
_DARK = bytes(1024)


@dataclass(frozen=True)
class Face:
    """The screen's 1024 bytes as the page draws them, whether it is on, and ready, busy, ring."""

    screen: str
    on: bool
    lights: tuple[bool, bool, bool]

    def message(self) -> dict[str, Any]:
        return {"face": asdict(self)}


@dataclass(frozen=True)
class Standing:
    """Everything else that the page draws. `reading`: the badge that is held to the reader;
    `volume` is None until somebody changed it; `stored`: the newest of the events below that the
    hub keeps.
    """

    powered: bool
    plugged: bool
    cable: bool
    reading: str | None
    state: str
    who: str | None
    volume: int | None
    stored: int
    crashed: bool

    def message(self) -> dict[str, Any]:
        return {"standing": asdict(self)}


DARK = Face(base64.b64encode(_DARK).decode(), False, (False, False, False))


async def face(station: Station) -> Face:
    """One look at the station. Dark without power, and where a screen is off."""
    try:
        shown = await station.ask({"do": "screen"})
        lights = await station.lights()
    except NoPower:
        return DARK
    ram = bytes.fromhex(shown["ram"]) if shown["on"] else _DARK
    ready, busy, ring = (bool(lights.get(name)) for name in ("ready", "busy", "ring"))
    return Face(base64.b64encode(ram).decode(), bool(shown["on"]), (ready, busy, ring))
