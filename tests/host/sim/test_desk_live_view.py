"""How the virtual desk looks at its station: little of its heap, and never for ever."""

import asyncio
import base64
from typing import Any

import pytest
from diadema_sim.desk.live_view import BLANK, ScreenReader
from diadema_sim.station import NoPower


class Station:
    def __init__(self) -> None:
        self.ram = bytearray(1024)
        self.written = 0
        self.powered = self.on = self.answers = True
        self.pages: list[int] = []

    def draw(self, at: int) -> None:
        self.ram[at] ^= 0xFF
        self.written += 1

    async def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        if not self.powered:
            raise NoPower("dark")
        if not self.answers:
            await asyncio.Event().wait()
        at = command["page"]
        self.pages.append(at)
        ram = self.ram[128 * at : 128 * at + 128].hex()
        return {"on": self.on, "written": self.written, "ram": ram}

    async def lights(self) -> dict[str, bool]:
        return {"ready": True, "busy": False}


async def test_all_pages_are_read_only_after_something_was_drawn() -> None:
    station = Station()
    eyes = ScreenReader(station)  # type: ignore[arg-type]
    for at in (0, 700, 1023):
        station.draw(at)
        face = await eyes.read()
        assert base64.b64decode(face.screen) == station.ram
        assert (face.on, face.lights) == (True, (True, False, False))
        assert sorted(station.pages) == [*range(8)]
        station.pages.clear()
        assert await eyes.read() == face
        assert station.pages == [0]
        station.pages.clear()


async def test_it_is_dark_without_power_and_where_the_screen_is_off() -> None:
    station = Station()
    eyes = ScreenReader(station)  # type: ignore[arg-type]
    station.draw(5)
    lit = await eyes.read()
    station.on = False
    off = await eyes.read()
    assert (off.screen, off.on, off.lights) == (BLANK.screen, False, lit.lights)
    station.powered = False
    assert await eyes.read() == BLANK
    station.powered = station.on = True
    assert await eyes.read() == lit


async def test_a_board_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    station = Station()
    station.answers = False
    with pytest.raises(TimeoutError):
        await ScreenReader(station, limit_s=0.01).read()  # type: ignore[arg-type]
