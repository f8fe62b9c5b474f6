"""Somebody at the keys of a station who waits for nothing: gestures by chance.

Most of them fit what the station last wrote, so that there is always something to lose.
"""

import random

from diadema.errors import DiademaError
from diadema.sim.at_desk import AtDesk
from diadema.sim.centre import Centre
from diadema.sim.hub_client import HubUnreachable

_PAUSE_MS = (60, 900)
_DARK_MS = 100
_ASTRAY = 0.08  # of the gestures: any key at all
# what to do in each situation: keys, or the exchange's ring, or the badge (twice as likely twice)
_GESTURES: dict[str, tuple[str, ...]] = {
    "logged_out": ("badge",),
    "not_ready": ("3", "3", "3", "4", "badge"),
    "ready": ("ring", "ring", "ring", "ring", "4", "3"),
    "offered": ("1", "1", "1", "2"),
    "dialing": ("3", "3", "1"),
    "talking": ("1", "1", "2", "4", "3", "6"),
    "held": ("4", "4", "1"),
    "wrapup": ("3", "4", "5", "3", "1"),
}


class Monkey:
    """One for each desk. `work` goes on until it is cancelled."""

    def __init__(self, centre: Centre, desk: AtDesk, chance: random.Random) -> None:
        self.gestures = 0
        self._centre = centre
        self._desk = desk
        self._chance = chance
        self._calls = 0

    async def work(self) -> None:
        world, station = self._centre.world, self._desk.station
        while True:
            if station.crash:
                return
            if not station.powered:
                await world.sleep(_DARK_MS)
                continue
            try:
                await self._gesture()
                self.gestures += 1
            except DiademaError:
                # the power went in the middle of it, or the hub refused: that is what we are for
                if station.crash:
                    return
            await world.sleep(self._chance.uniform(*_PAUSE_MS))

    async def _gesture(self) -> None:
        work, _ = self._desk.work
        situation = self._desk.presence if work == "idle" else work
        gesture = self._chance.choice(_GESTURES[situation])
        if self._chance.random() < _ASTRAY:
            gesture = self._chance.choice("123456")
        if gesture == "badge":
            await self._desk.station.tap(self._desk.desk.person.badge, ms=300)
        elif gesture == "ring":
            await self._ring()
        else:
            await self._desk.station.press(int(gesture))

    async def _ring(self) -> None:
        self._calls += 1
        contact = f"{self._desk.desk.seat}-{self._calls}"
        try:
            await self._centre.hub.command(
                self._desk.desk.station, cmd="ring", contact=contact, direction="in", queue="Banca"
            )
        except HubUnreachable:
            await self._desk.station.press(4)  # no exchange: call somebody
