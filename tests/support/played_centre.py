"""A centre without firmware and without a hub: the real bridge, journal and exchange's driver
between stations that are played and the exchange of `asterisk_peer`, on a clock that skips what
nobody does (`skipping_loop`).

    with played(data, seed) as centre: ...
"""

import asyncio
import random
from contextlib import asynccontextmanager

from diadema.base import credentials
from diadema.site.directory.people import Area, People, Worker
from diadema.switch.asterisk.exchange import Asterisk
from diadema.switch.bridge import Bridge
from diadema.switch.dialing import Guard
from diadema.switch.journal import Journal
from diadema.switch.names import Names
from diadema.switch.settings import Settings
from diadema.wire.switching import Floor, OpenContact, SeatState

from tests.support.asterisk_peer import SECRET, AsteriskPeer
from tests.support.scripted_station import T0

RING_S = 20
AREAS = {"soporte": "104", "cobros": "103", "otra cola": "cola-soporte", "nadie": "199"}
_QUEUES = {
    "a001": ["ventas", "todos"],
    "a002": ["ventas", "soporte", "todos"],
    "a003": ["soporte"],
}


class Desk:
    """A station, as far as a bridge is told of it: it keeps the firmware's rules."""

    def __init__(self, centre, number, agent):
        self.centre, self.agent, self.s = centre, agent, f"DIA-0123456789a{number}"
        self.phone = f"PJSIP/{100 + number}"
        self.presence, self.work, self.contact = "ready", "idle", ""
        self.area = self.heard = ""
        self.pbx = ""
        self.muted = self.paused = None
        self.last = []
        self._limit = None
        self._failed = 0

    def state(self):
        """As the store would have it."""
        open_ = [*self.last]
        if self.work not in ("idle", "wrapup"):
            open_ = [
                OpenContact(
                    contact=self.contact, phase=self.work, direction="in",
                    heard=self.heard or None, area=self.area or None, muted=self.muted,
                    paused=self.paused,
                )
            ]  # fmt: skip
        return SeatState(station=self.s, agent=self.agent, presence=self.presence, open=open_)

    def say(self, what, /, **fields):
        event = {"s": self.s, "k": what, "a": self.agent, "t": self.centre.now_ms(), **fields}
        self.centre.later(self.s, lambda: self.centre.bridge.station_said(event))

    def _say(self, what, /, **fields):
        self.say(f"contact.{what}", c=self.contact, **fields)

    # -- what the hub commands

    def obey(self, i, cmd, contact, **fields):
        if cmd == "ring":
            self._ring(i, contact, fields["pbx"])
        elif contact != self.contact:
            return
        elif cmd == "withdraw" and self.work == "offered":
            self._missed(fields["cause"])
        elif cmd == "failed" and self.work not in ("offered", "wrapup"):
            self._failed += 1
            self._say("ended", by="technical")
            self.work = "idle"
            if self._failed == 1:
                self.presence = "not_ready"
                self.say("presence.changed", to="not_ready", reason="fault")
                self.centre.loop.call_later(5, self.get_ready)
        elif cmd == "hangup" and self.work not in ("offered", "wrapup"):
            self._ended(fields["by"])
        elif cmd == "consult_end" and self.work == "consulting":
            self._back(fields["result"], "host")

    def _ring(self, i, contact, pbx):
        if self.presence != "ready" or self.work != "idle":
            self.say("command.refused", i=i, command="ring", reason="busy")
            return
        self.contact, self.work, self.pbx = contact, "offered", pbx
        self.heard, self.muted, self.paused, self.last = "", None, None, []
        self._say("offered", via="host", i=i)
        self._limit = self.centre.loop.call_later(RING_S, lambda: self._missed("no_answer"))
        self.centre.rung(self)

    def _missed(self, cause):
        self._limit.cancel()
        self.work = "idle"
        self._say("missed", cause=cause)

    def _ended(self, by, transfer=None, target=None):
        if self.work == "consulting" and by != "transfer":
            self._back("dropped", "key")
        self._say("ended", by=by)
        self.last = [
            OpenContact(
                contact=self.contact, phase="closed", direction="in", by=by, transfer=transfer,
                target=target,
            )
        ]  # fmt: skip
        self.work, self.area = "wrapup", ""
        self.say("wrapup.started", c=self.contact)
        self.centre.loop.call_later(self.centre.rng.choice([1, 7]), self._wrapped_up)

    def _wrapped_up(self):
        self.work = "idle"
        self.say("wrapup.ended", c=self.contact)

    # -- what its agent does; what the keys do not do just now is left

    def get_ready(self):
        self.presence = "ready"
        self.say("presence.changed", to="ready", reason=None)

    def answer(self):
        if self.work == "offered":
            self._limit.cancel()
            self.work = "talking"
            self._say("answered", via="key")

    def reject(self):
        if self.work == "offered":
            self._missed("rejected")

    def hold(self):
        if self.work in ("talking", "held"):
            held, self.work = self.work == "held", "talking" if self.work == "held" else "held"
            self._say("resumed" if held else "held", via="key")

    def mute(self, on=True):
        if self.work in ("talking", "held", "consulting"):
            self.muted = on
            self._say("muted" if on else "unmuted", via="key")

    def record(self, on):
        if self.work in ("talking", "held", "consulting"):
            self.paused = not on
            self._say("recording_resumed" if on else "recording_paused", via="key")

    def consult(self, area):
        if self.work == "talking" and not self.area:
            self.work, self.area, self.heard = "consulting", area, "area"
            self._say("consulted", via="key", area=area, heard="area")

    def swap(self):
        if self.work == "consulting":
            self.heard = "caller" if self.heard == "area" else "area"
            self._say("consulted", via="key", area=self.area, heard=self.heard)

    def drop(self):
        if self.work == "consulting":
            self._back("back", "key")

    def _back(self, result, via):
        self.work = "talking" if result == "back" or self.heard == "caller" else "held"
        self.area = self.heard = ""
        self._say("consult_ended", via=via, result=result)

    def confer(self):
        if self.work == "consulting":
            self.work, self.heard = "talking", "both"
            self._say(
                "transferred", via="key", kind="conference", target=self.area, completed=True
            )

    def hand_over(self):
        if self.work == "consulting":
            self._say("transferred", via="key", kind="consulted", target=self.area, completed=True)
            self._ended("transfer", "consulted", self.area)

    def transfer(self, area):
        if self.work == "talking" and not self.area:
            self._say("transferred", via="key", kind="blind", target=area, completed=True)
            self._ended("transfer", "blind", area)

    def hang_up(self):
        if self.work in ("talking", "held", "consulting"):
            self._ended("agent")


class PlayedCentre:
    """`plans`: what whoever is rung does with that caller's call, by the caller's Uniqueid."""

    def __init__(self, data, peer, rng):
        self.data, self.peer, self.rng = data, peer, rng
        self.loop = asyncio.get_running_loop()
        self.plans = {}
        self.desks = [Desk(self, n, agent) for n, agent in enumerate(_QUEUES, 1)]
        self._last, self._i = {}, 0
        self.bridge = self.journal = None
        self._running = None

    def now_ms(self):
        return now_ms()

    def later(self, way, call):
        """One after the other on each way, each some milliseconds on it."""
        at = max(self._last.get(way, 0) + 1e-6, self.loop.time() + self.rng.uniform(0.001, 0.04))
        self._last[way] = at
        self.loop.call_at(at, call)

    async def command(self, station, cmd, **fields):
        self._i += 1
        number = self._i
        (desk,) = [one for one in self.desks if one.s == station]
        self.later(f"to {station}", lambda: desk.obey(number, cmd, **fields))
        return number

    def report_at_once(self):
        pass

    def ask_anew(self):
        seats = [desk.state() for desk in self.desks]
        self.later(
            "floor", lambda: asyncio.ensure_future(self.bridge.floor(Floor(number=0, seats=seats)))
        )

    def rung(self, desk):
        plan = self.plans.get(desk.pbx)
        if plan is not None:
            plan(desk)

    async def start_bridge(self):
        people = People(
            workers={
                agent: Worker(id=agent, name=agent, queues=queues)
                for agent, queues in _QUEUES.items()
            },
            queues={"ventas": "Ventas", "soporte": "Soporte", "todos": "Todos"},
            areas={code: Area(label=code, number=number) for code, number in AREAS.items()},
            seats={desk.s: f"P-{desk.s[-1]}" for desk in self.desks},
            phones={desk.s: (desk.phone, "auto_answer") for desk in self.desks},
        )
        self.journal = Journal(self.data.switch_journal, "central")
        self.bridge = Bridge(
            lambda: Names(people), self.journal, self, puts_right=False,
            guard=Guard([], 0, self.now_ms, self.journal), reference=lambda number: None,
            listeners={},
        )  # fmt: skip
        secrets = credentials.load_or_create(self.data)
        secrets.exchange = {"ami": SECRET, "ari": SECRET}
        settings = Settings(ami_port=self.peer.ami_port, ari_port=self.peer.ari_port)
        exchange = Asterisk(settings, secrets, self.bridge.hear, self, self.journal.known())
        self.bridge.join(exchange, self)
        self._running = asyncio.create_task(self.bridge.exchange.run())
        await self.bridge.floor(Floor(number=0, seats=[desk.state() for desk in self.desks]))
        await self.settled()

    async def stop_bridge(self):
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.bridge.close()
        self.journal.close()

    async def settled(self):
        """Nothing is on its way: a second without work."""
        await asyncio.sleep(1)
        while not self.bridge.is_up or self.bridge._ends.lines:
            await asyncio.sleep(1)


def now_ms():
    return T0 + int(1000 * asyncio.get_running_loop().time())


@asynccontextmanager
async def played(data, seed):
    """Three agents are ready in their queues."""
    rng = random.Random(seed)
    async with AsteriskPeer.start(
        seed=seed, clock=lambda: T0 / 1000 + asyncio.get_running_loop().time()
    ) as peer:
        peer.rest.idle_s = 1e9  # the clients' own patience is of another clock
        centre = PlayedCentre(data, peer, rng)
        await centre.start_bridge()
        try:
            yield centre
        finally:
            await centre.stop_bridge()
