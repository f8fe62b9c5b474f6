"""Somebody in front of a station, who does what each step of its bench test asks for."""

import asyncio
from pathlib import Path

from diadema_sim import sound
from diadema_sim.station import Station

BADGE = "04a1b2c3d4e5f6"
_KEY = bytes(range(16))  # of a DESFire card
_HELD_DB = -20  # of the earphone at the microphone
_ENDS = ("ok", "failed", "skipped")


class Technician:
    """Reads the steps in the station's console, where a gateway keeps it."""

    def __init__(self, station: Station, log: Path) -> None:
        self._station = station
        self._log = log
        self._sound = None
        self.steps: dict[str, str] = {}  # how each ended

    @property
    def written(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    async def plays(self) -> None:
        """Until it is cancelled."""
        seen = 0
        while True:
            lines = self.written.split("\n")
            for line in lines[seen:-1]:
                if line.startswith("selftest: "):
                    await self._reads(line.strip().removeprefix("selftest: "))
            seen = len(lines) - 1
            await asyncio.sleep(0.05)

    async def _reads(self, step: str) -> None:
        name, _, word = step.rpartition(" ")
        if word in _ENDS:
            self.steps[name] = word
            if self._sound is not None:
                await self._sound.__aexit__(None, None, None)
                self._sound = None
            return
        name, _, which = step.partition(" ")
        if name == "keys":
            await self._station.press(int(which))
        elif name in ("lights", "screen"):
            await self._station.press(3)
        elif name == "headset_out":
            await self._station.unplug()
        elif name == "headset_in":
            await self._station.plug()
        elif name == "microphone":
            self._sound = sound.listen(self._station, held_db=_HELD_DB)
            await self._sound.__aenter__()
        elif name == "badge":
            await self._station.tap(BADGE, key=_KEY if which == "secure" else None)
