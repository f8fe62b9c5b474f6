"""What a person sees of a station: screen, lights, and how its switches stand."""

import base64
from dataclasses import asdict, dataclass
from typing import Any

from diadema.sim.at_desk import AtDesk
from diadema.sim.station import NoPower

LOOK_S = 0.05  # between two looks: at most 20 a second
_DARK = bytes(1024)


@dataclass(frozen=True)
class Face:
    """The screen's 1024 bytes as the page draws them, and ready, busy, ring."""

    screen: str
    lights: tuple[bool, bool, bool]

    def message(self) -> dict[str, Any]:
        return {"face": asdict(self)}


@dataclass(frozen=True)
class Standing:
    """Everything else that the page draws. `volume` is None until somebody changed it."""

    powered: bool
    plugged: bool
    cable: bool
    reading: bool
    presence: str
    work: str
    who: str | None
    volume: int | None
    crashed: bool

    def message(self) -> dict[str, Any]:
        return {"standing": asdict(self)}


DARK = Face(base64.b64encode(_DARK).decode(), (False, False, False))


async def face(desk: AtDesk) -> Face:
    """One look at the station. Dark without power, and where a screen is off."""
    try:
        shown = await desk.station.ask({"do": "screen"})
        lights = await desk.station.lights()
    except NoPower:
        return DARK
    ram = bytes.fromhex(shown["ram"]) if shown["on"] else _DARK
    lit = (bool(lights.get(name)) for name in ("ready", "busy", "ring"))
    return Face(base64.b64encode(ram).decode(), tuple(lit))  # type: ignore[arg-type]
