"""An exchange that speaks AMI and ARI over real sockets, as a recorded Asterisk 22 does.

    async with AsteriskPeer.start() as peer:
        peer.telephone("PJSIP/101").mode = "auto"
        caller = peer.call("ventas", number="999000111")
        await peer.until(lambda: caller.hears == {"PJSIP/101"})
        caller.hang_up()
        assert peer.queue_log()[-1].endswith("|COMPLETECALLER|0|3|1")

It is in this process and on free ports. `queue(...)` gives times that a test need not wait for;
where the real one leaves an order open, `seed` says which it is. What it does not have is answered
as unknown. `host/test_asterisk_peer.py` holds it to the recordings.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from diadema_sim.exchange import played
from diadema_sim.exchange.core import BUSY, NORMAL, Core, Origin
from diadema_sim.exchange.manager import Session
from diadema_sim.exchange.parts import Channel, Clock, Device, Fields, User, message
from diadema_sim.exchange.played import CLASSES, TRUNK, PlayedExchange, Serve
from diadema_sim.exchange.queues import Queue
from diadema_sim.exchange.rest import Account

SECRET = "clave-de-prueba"
QUEUES = ("ventas", "soporte")
TELEPHONES = ("101", "102", "103", "104")
_LIMIT_S = 300.0
_SAVED_S = 1.0  # a device's state that is younger is lost when the machine is
_NOT_OURS = {"SystemRuntime", "RTCPSent", "PresenceStatus"}


def member(agent: str) -> str:
    """The interface by which a queue reaches an agent."""
    return f"Local/{agent}@diadema/n"


class Telephone:
    """What its user does; `mode` says what it does by itself (`parts.Device`)."""

    def __init__(self, core: Core, device: Device) -> None:
        self._core, self.device = core, device

    @property
    def mode(self) -> str:
        return self.device.mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self.device.mode = mode

    @property
    def state(self) -> str:
        return self.device.state

    @property
    def hears(self) -> frozenset[str]:
        """Whom its user hears; nothing is silence."""
        found = [self._core.heard(one) for one in self.device.channels if one.state == "Up"]
        return frozenset().union(*found)

    def register(self) -> None:
        self._core.register(self.device, True)

    def unregister(self) -> None:
        self._core.register(self.device, False)

    def lift(self) -> None:
        """The user takes a call that rings."""
        for channel in [*self.device.channels]:
            if channel.state == "Ringing":
                self._core.set_state(channel, "Up")

    def hang_up(self, cause: int = NORMAL) -> None:
        """A call that rings is refused."""
        for channel in [*self.device.channels]:
            if channel.state == "Up":
                listens = channel.app_name == "ChanSpy"  # that leaves no cause
                self._core.hang_up(channel, 0 if listens else cause, "remote")
            elif channel.state == "Ringing":
                self._core.hang_up(channel, BUSY if cause == NORMAL else cause, "refused")

    def transfer(self, exten: str) -> None:
        """By its own button."""
        for channel in [*self.device.channels]:
            _take_place(self._core, channel, exten)

    def press_hold(self, on: bool) -> None:
        """Its own button: whoever it talks with gets music, and the application is told."""
        for channel in self.device.channels:
            kind = "ChannelHold" if on else "ChannelUnhold"
            self._core.publish(kind, [channel], channel=channel.json())
            for other in channel.bridge.channels if channel.bridge else []:
                if other is not channel:
                    other.music = on
            channel.muted = {"in"} if on else set()


class Caller(played.Caller):
    @property
    def hears(self) -> frozenset[str]:
        """Names of devices, `music` or `tone`; nothing is silence."""
        return frozenset() if self.channel.gone else self.core.heard(self.channel)


class Console:
    """Somebody at the exchange's own console."""

    def __init__(self, peer: "AsteriskPeer") -> None:
        self._peer = peer

    def pause(self, interface: str, queue: str = "", reason: str = "") -> None:
        self._peer.queues.pause(interface, True, queue, reason)

    def unpause(self, interface: str, queue: str = "") -> None:
        self._peer.queues.pause(interface, False, queue)

    def add(self, queue: str, interface: str, name: str = "", penalty: int = 0) -> None:
        self._peer.queues.add(queue, interface, name, penalty=penalty, by="CLI")

    def remove(self, queue: str, interface: str) -> None:
        self._peer.queues.remove(queue, interface, by="CLI")

    def set_penalty(self, interface: str, penalty: int, queue: str = "") -> None:
        self._peer.queues.set_penalty(interface, penalty, queue)

    def listen(self, telephone: str, caller: Caller) -> None:
        """A supervisor's telephone is called, and listens in."""
        core = self._peer.core
        channel = core.new_leg(core.devices[telephone], None, None)
        channel.variables["OBJETIVO"] = caller.channel.name
        channel.state = "Up"
        core.run(channel, "pruebas", "escucha")


class AsteriskPeer(PlayedExchange):
    """`persistent`: dynamic members outlive a restart."""

    def __init__(
        self, seed: int = 0, clock: Clock = time.time, log: Path | None = None,
        tls: ssl.SSLContext | None = None, lag_s: float = 0.003, persistent: bool = False,
        second_s: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__(clock, SECRET, seed, lag_s)
        if log is not None:
            self.write_log(log)
        self._tls, self.persistent, self._killed = tls, persistent, False
        self.core.second_s = second_s
        self.console = Console(self)
        self._changed: dict[str, tuple[float, str | None]] = {}
        self._states: dict[str, str | None] = {}
        self.trunk = self.telephone(TRUNK)
        self.manager.users["sin_filtro"] = User(SECRET, CLASSES)
        self.manager.users["todo"] = User(SECRET, frozenset({"all"}))
        self.rest.users["solo_leer"] = Account(SECRET, read_only=True)
        for name in QUEUES:
            self.queue(name)
        self.queue("todos", strategy="ringall")
        for number in TELEPHONES:
            self.add_device(f"PJSIP/{number}", "always" if number == "104" else "auto")
        self.core.changed.append(self._remember)

    # -- from start to end

    @classmethod
    @asynccontextmanager
    async def start(cls, **options: object) -> AsyncIterator[Self]:
        """`options`: of the constructor."""
        peer = cls(**options)  # type: ignore[arg-type]
        await peer.listen()
        try:
            yield peer
        finally:
            await peer.stop(kill=True)

    async def open_port(self, serve: Serve, port: int) -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", port, ssl=self._tls)

    async def stop(self, kill: bool = False) -> None:
        """Killed, nothing is told, and the telephones go on as if they talked."""
        self._killed = kill
        await super().stop()
        self.core.channels.clear()
        self.core.bridges.clear()
        self.core.applications.clear()
        self.core.globals.clear()
        self.queues.pending.clear()
        for device in self.core.devices.values():
            device.channels.clear()
            device.last_state = device.state
        for queue in self.queues.queues.values():
            queue.waiting.clear()
            for one in [*queue.members.values()]:
                one.in_call = False
                if one.dynamic and not self.persistent:
                    del queue.members[one.interface]

    def end_calls(self) -> None:
        if not self._killed:
            super().end_calls()
            return
        for channel in self.core.channels.values():
            channel.gone = True
        for device, (moment, before) in self._changed.items():  # what was not written yet
            if self.core.clock() - moment >= _SAVED_S:
                continue
            if before is None:
                self.core.custom.pop(device, None)
            else:
                self.core.custom[device] = before

    def end_session(self, session: Session) -> None:
        if self._killed:
            session.writer.transport.abort()
        else:
            super().end_session(session)

    def _remember(self, device: str) -> None:
        """What a custom device's state was a second ago."""
        if not device.startswith("Custom:"):
            return
        now, state = self.core.clock(), self.core.custom.get(device)
        moment, before = self._changed.get(device, (0.0, None))
        if now - moment >= _SAVED_S:
            before = self._states.get(device)
        self._states[device] = state
        self._changed[device] = (now, before)

    async def restart(self, kill: bool = False) -> None:
        """Uniqueids count from 0 again, unless that would give one out twice."""
        await self.stop(kill)
        core = self.core
        if int(core.clock()) > core.second:
            core.count = 0
        core.numbers = dict.fromkeys(core.numbers, 0)
        await self.listen()

    # -- what there is

    def queue(
        self, name: str, strategy: str = "rrmemory", timeout_s: float = 25, retry_s: float = 1,
        recheck_s: float = 1, members: Iterable[str] = (),
    ) -> Queue:  # fmt: skip
        """Make a queue, or change one; `members`: agents that queues.conf gives it."""
        queue = self.queues.queues.get(name) or self.add_queue(name)
        queue.strategy, queue.timeout_s = strategy, timeout_s
        queue.retry_s, queue.recheck_s = retry_s, recheck_s
        for agent in members:
            self.queues.add(name, member(agent), agent, f"Custom:diadema-{agent}")
            queue.members[member(agent)].dynamic = False
            self.queues.log.pop()
        return queue

    def telephone(self, name: str) -> Telephone:
        """`PJSIP/101`; it is made if it is not there."""
        device = self.core.devices.get(name) or self.add_device(name, "auto")
        return Telephone(self.core, device)

    @property
    def channels(self) -> list[Channel]:
        return [*self.core.channels.values()]

    def call(
        self, queue: str, number: str = "", recorded: bool = False, gives_up_s: float | None = None
    ) -> Caller:
        """Somebody calls; `recorded`: by the exchange itself; `gives_up_s`: the queue does."""
        channel = self.come_in(number)
        if recorded:
            channel.monitor = 0
            self.core.tell("MixMonitorStart", "call", channel.fields())
            channel.priority = 3
        limit = "" if gives_up_s is None else f",,,,{gives_up_s:g}"
        self.queues.join(channel, f"{queue}{limit}")
        return Caller(self.core, channel)

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for what the exchange does; it is looked at after each event of it."""
        async with asyncio.timeout(_LIMIT_S):
            while not true():
                self.core.moved.clear()
                await self.core.moved.wait()

    # -- mischief

    def cut(self) -> None:
        """Every connection is gone, with what is still in the buffers; calls go on."""
        for session in [*self.manager.sessions]:
            session.writer.transport.abort()
        self.rest.cut()

    def say(self, **fields: str) -> None:
        """Any event, to everybody who is in, as it is."""
        for session in self.manager.sessions:
            if session.user is not None:
                self.manager.out(session, message(fields))

    async def flood(self, count: int) -> None:
        """Events of all kinds, as fast as they are taken."""
        kinds = sorted(_NOT_OURS)
        for number in range(count):
            states = ("INUSE", "NOT_INUSE")
            event: Fields = {"Event": kinds[number % len(kinds)], "Number": str(number)}
            if number % 2:
                event = {"Event": "DeviceStateChange", "Device": "PJSIP/999",
                         "State": states[number // 2 % 2]}  # fmt: skip
            for session in self.manager.sessions:
                if session.user is not None:
                    self.manager.flush(session)
                    session.say(event)
            if number % 500 == 499:
                for session in [*self.manager.sessions]:
                    await session.writer.drain()

    def stop_in_the_middle_of_an_event(self, close: bool = False) -> None:
        """And say nothing more, or go."""
        for session in [*self.manager.sessions]:
            self.manager.flush(session)
            session.writer.write(b"Event: QueueCallerJoin\r\nQueue: vent")
            session.user = None
            if close:
                session.writer.close()


def _take_place(core: Core, channel: Channel, exten: str) -> None:
    """A telephone's own blind transfer: who is called joins in its place, and it is left
    alone. Nobody ends the other one when he goes.
    """
    bridge = channel.bridge
    if bridge is None:
        return
    context = "telefonos"
    one, two = core.new_local(exten, context, None, None, channel.linked)
    one.owner = Origin(core, one, "", 0, lambda _: None)
    channel.originated = False  # to its end the application hears of the other one
    other = next(found for found in bridge.channels if found is not channel)
    core.publish("ChannelUnhold", [channel], channel=channel.json())
    core.begin_stasis(one, "diadema", [], replace_channel=channel.json())
    core.leave(channel)
    core.enter(one, bridge)
    where = {"IsExternal": "Yes", "Context": context, "Extension": exten}
    both = {**channel.fields("Transferer"), **other.fields("Transferee")}
    core.tell("BlindTransfer", "call", {"Result": "Success", **both, **bridge.fields(), **where})
    core.publish(
        "BridgeBlindTransfer", [channel], bridge, channel=channel.json(), exten=exten,
        context=context, result="Success", is_external=True, transferee=other.json(),
        replace_channel=one.json(), bridge=bridge.json(),
    )  # fmt: skip
    core.soon(lambda: core.run(two, context, exten))
