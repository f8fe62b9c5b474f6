"""Somebody at the keys of a station who waits for nothing: gestures by chance.

Most of them fit what the station last wrote, so that there is always something to lose.
"""

import random

from diadema.base.errors import DiademaError

from diadema_sim.at_desk import AtDesk
from diadema_sim.centre import Centre
from diadema_sim.hub_client import HubUnreachable

_PAUSE_MS = (60, 900)
_DARK_MS = 100
_ASTRAY = 0.08  # of the gestures: any key at all
# what to do in each situation, the one as likely as the other: keys, with the own badge (b) or a
# colleague's (c) among them, the exchange's ring, or what a supervisor does. A list that one opens
# may still be open for the next.
_GESTURES = {
    "logged_out": "b b b c supervisor",
    "not_ready": "3 3 3 4 5 66 b b4 b5 c supervisor",
    "ready": "ring ring ring ring ring ring 43 43 33 54 63 b b5 supervisor",
    "offered": "1 1 1 2",
    "dialing": "3 3 1",
    "talking": "1 1 2 4 3 33 53 6 633 634 644 6653 b b5 c supervisor",
    "held": "4 4 1 634 53 supervisor",
    "consulting": "3 4 5 6 1 supervisor",
    "wrapup": "3 4 5 3 1 supervisor",
}
_SUPERVISOR = "Sra. Palta"
_MESSAGE = "Reunión a las once en la sala «Paracas»."


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
        gesture = self._chance.choice(_GESTURES[situation].split())
        if self._chance.random() < _ASTRAY:
            gesture = self._chance.choice("123456")
        if gesture == "ring":
            await self._ring()
        elif gesture == "supervisor":
            await self._supervise()
        else:
            for act in gesture:
                await self._act(act)

    async def _act(self, act: str) -> None:
        if act in "bc":
            whose = self._desk if act == "b" else self._chance.choice(self._centre.desks)
            await self._desk.station.tap(whose.desk.person.badge, ms=300)
        else:
            await self._desk.station.press(int(act))

    async def _supervise(self) -> None:
        """What somebody who walks the floor might do, whether it fits or not."""
        self._calls += 1
        asked = {"of": self._asked("help.requested"), "by": _SUPERVISOR}
        bodies: list[dict[str, object]] = [
            {"cmd": "help", "state": "accepted", **asked},
            {"cmd": "help", "state": "resolved", **asked},
            {"cmd": "text", "m": f"m{self._calls}", "text": _MESSAGE},
            {"cmd": "presence", "to": "not_ready", "reason": "reunion", "who": _SUPERVISOR},
        ]
        await self._centre.hub.command(self._desk.desk.station, **self._chance.choice(bodies))

    def _asked(self, kind: str) -> int:
        """The number of the newest such event, 1 before there is one."""
        events = self._centre.world.witness.events(self._desk.desk.station)
        return next((seen.n for seen in reversed(events) if seen.event["k"] == kind), 1)

    async def _ring(self) -> None:
        self._calls += 1
        contact = f"{self._desk.desk.seat}-{self._calls}"
        try:
            await self._centre.hub.command(
                self._desk.desk.station, cmd="ring", contact=contact, direction="in", queue="Banca"
            )
        except HubUnreachable:
            await self._desk.station.press(4)  # no exchange: call somebody
