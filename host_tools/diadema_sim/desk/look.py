"""What a person sees of a station: screen, lights, and how its switches stand.

The badges that lie beside the virtual desk: people of the site, and one that no site knows.
"""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from diadema_sim.people import Person
from diadema_sim.station import NoPower, Station

LOOK_S = 0.05  # between two looks: at most 20 a second
_ANSWER_S = 8.0  # a busy board takes a moment
_PAGES = 8
_DARK = bytes(128 * _PAGES)


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
    hub keeps; `crashed`: the program ended, or does not answer.
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


class Eyes:
    """Look at one station again and again. What they ask takes of the station's own small heap, so
    it is a page of the screen at a time, and all pages only after something was drawn.
    """

    def __init__(self, station: Station, limit_s: float = _ANSWER_S) -> None:
        self._station = station
        self._limit_s = limit_s
        self._ram = bytearray(_DARK)
        self._written: int | None = None

    async def look(self) -> Face:
        """Dark without power, and where a screen is off. Raises TimeoutError when the board does
        not answer, as one whose program ended.
        """
        try:
            async with asyncio.timeout(self._limit_s):
                first = await self._page(0)
                if first["written"] != self._written:
                    for at in range(1, _PAGES):
                        await self._page(at)
                lights = await self._station.lights()
        except NoPower:
            self._written = None
            return DARK
        self._written = first["written"]
        ram = bytes(self._ram) if first["on"] else _DARK
        ready, busy, ring = (bool(lights.get(name)) for name in ("ready", "busy", "ring"))
        return Face(base64.b64encode(ram).decode(), bool(first["on"]), (ready, busy, ring))

    async def _page(self, at: int) -> dict[str, Any]:
        page = await self._station.ask({"do": "screen", "page": at})
        self._ram[128 * at : 128 * at + 128] = bytes.fromhex(page["ram"])
        return page


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
