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
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from tests.support.asterisk.core import BUSY, NORMAL, Core
from tests.support.asterisk.manager import Manager
from tests.support.asterisk.parts import (
    Channel,
    Clock,
    Device,
    Fields,
    User,
    bridge_hears,
    message,
)
from tests.support.asterisk.queues import Queue, Queues, Waiting
from tests.support.asterisk.rest import Account, Rest

SECRET = "clave-de-prueba"
USER = "diadema"
QUEUES = ("ventas", "soporte")
TELEPHONES = ("101", "102", "103", "104")
TRUNK = "PJSIP/troncal"
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
            self._core.take_place(channel, exten)

    def press_hold(self, on: bool) -> None:
        """Its own button: whoever it talks with gets music, and the application is told."""
        for channel in self.device.channels:
            kind = "ChannelHold" if on else "ChannelUnhold"
            self._core.publish(kind, [channel], channel=channel.json())
            for other in channel.bridge.channels if channel.bridge else []:
                if other is not channel:
                    other.music = on
            channel.muted = {"in"} if on else set()


class Caller:
    """Somebody who called a queue."""

    def __init__(self, core: Core, channel: Channel) -> None:
        self._core, self.channel = core, channel

    @property
    def uniqueid(self) -> str:
        return self.channel.id

    @property
    def there(self) -> bool:
        return not self.channel.gone

    @property
    def hears(self) -> frozenset[str]:
        """Names of devices, `music` or `tone`; nothing is silence."""
        return frozenset() if self.channel.gone else self._core.heard(self.channel)

    @property
    def agent(self) -> str | None:
        """Who talks with him, as the queue sees it."""
        call = self.channel.runs
        if isinstance(call, Waiting) and call.connected is not None:
            return call.connected.member.name
        return None

    def hang_up(self) -> None:
        waits = isinstance(self.channel.runs, Waiting) and not self.agent
        self._core.hang_up(self.channel, 0 if waits else NORMAL, "remote")


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


class AsteriskPeer:
    """`ami_port` and `ari_port` stay over a restart; `lag_s`: by how much the two interfaces may
    tell of the same thing one after the other.
    """

    def __init__(
        self, seed: int = 0, clock: Clock = time.time, log: Path | None = None,
        tls: ssl.SSLContext | None = None, lag_s: float = 0.003, persistent: bool = False,
        second_s: float = 1.0,
    ) -> None:  # fmt: skip
        self._tls, self._lag_s, self._lags = tls, lag_s, random.Random(seed)
        self.persistent = persistent  # dynamic members outlive a restart
        self.core = Core(clock, lambda of, event: self.manager.hear(of, event))
        rng = random.Random(seed)
        self.queues = Queues(self.core, rng)
        self.core.second_s = second_s
        self.manager = Manager(self.core, self.queues, rng)
        self.rest = Rest(self.core, self.manager)
        self.manager.lag = self.rest.lag = self._lag
        self.console = Console(self)
        self.ami_port = self.ari_port = 0
        self._servers: list[asyncio.Server] = []
        self._changed: dict[str, tuple[float, str | None]] = {}
        self._states: dict[str, str | None] = {}
        self.trunk = Telephone(self.core, self._device(TRUNK, mode="always"))
        if log is not None:
            self.queues.written = lambda line: _append(log, line)
        everything = frozenset({"all"})
        own = frozenset({"agent", "call", "reporting"})
        self.manager.users = {
            USER: User(SECRET, own, bridge_hears),
            "sin_filtro": User(SECRET, own),
            "todo": User(SECRET, everything),
        }
        self.rest.users = {USER: Account(SECRET), "solo_leer": Account(SECRET, read_only=True)}
        for name in QUEUES:
            self.queue(name)
        self.queue("todos", strategy="ringall")
        for number in TELEPHONES:
            self._device(f"PJSIP/{number}", mode="always" if number == "104" else "auto")
        self.core.changed.append(self._remember)

    # -- from start to end

    @classmethod
    @asynccontextmanager
    async def start(cls, **options: object) -> AsyncIterator[Self]:
        """`options`: of the constructor."""
        peer = cls(**options)  # type: ignore[arg-type]
        await peer._listen()
        try:
            yield peer
        finally:
            await peer.stop(kill=True)

    async def _listen(self) -> None:
        self._servers = [
            await asyncio.start_server(serve, "127.0.0.1", port, ssl=self._tls)
            for serve, port in (
                (self.manager.serve, self.ami_port),
                (self.rest.serve, self.ari_port),
            )
        ]
        ports = [one.sockets[0].getsockname()[1] for one in self._servers]
        self.ami_port, self.ari_port = ports
        self.manager.started = self.core.clock()
        self.queues.write("NONE", "NONE", "NONE", "QUEUESTART")

    async def stop(self, kill: bool = False) -> None:
        """In an orderly way the calls end first, and the log has it; killed, nothing is told, and
        the telephones go on as if they talked.
        """
        if not self._servers:
            return
        for server in self._servers:
            server.close()
        if kill:
            self._lose()
        else:
            self._shut_down()
        for session in [*self.manager.sessions]:
            self.manager.flush(session)
            if kill:
                session.writer.transport.abort()
            else:
                session.writer.close()
        await asyncio.sleep(0)
        self.rest.close()
        for timer in [*self.core.timers]:
            self.core.forget(timer)
        for server in self._servers:
            await server.wait_closed()
        self._servers = []
        self.core.channels.clear()
        self.core.bridges.clear()
        self.core.applications.clear()
        self.core.globals.clear()
        self.queues.pending.clear()
        for device in self.core.devices.values():
            device.channels.clear()
            device.told = device.state
        for queue in self.queues.queues.values():
            queue.waiting.clear()
            for one in [*queue.members.values()]:
                one.in_call = False
                if one.dynamic and not self.persistent:
                    del queue.members[one.interface]

    def _shut_down(self) -> None:
        calls = self.manager.queues_calls()
        for call in sorted(calls, key=lambda one: one.connected is not None):
            call.shut_down()
        for channel in [*self.core.channels.values()]:
            self.core.hang_up(channel, NORMAL, "self")

    def _lose(self) -> None:
        """What was not written yet."""
        for channel in self.core.channels.values():
            channel.gone = True
        for device, (moment, before) in self._changed.items():
            if self.core.clock() - moment >= _SAVED_S:
                continue
            if before is None:
                self.core.custom.pop(device, None)
            else:
                self.core.custom[device] = before

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
        await self.stop(kill)
        self.core.began_anew()
        await self._listen()

    # -- what there is

    def queue(
        self, name: str, strategy: str = "rrmemory", timeout_s: float = 25, retry_s: float = 1,
        recheck_s: float = 1, members: Iterable[str] = (),
    ) -> Queue:  # fmt: skip
        """Make a queue, or change one; `members`: agents that queues.conf gives it."""
        queue = self.queues.queues.setdefault(name, Queue(name))
        queue.strategy, queue.timeout_s = strategy, timeout_s
        queue.retry_s, queue.recheck_s = retry_s, recheck_s
        for agent in members:
            self.queues.add(name, member(agent), agent, f"Custom:diadema-{agent}")
            queue.members[member(agent)].dynamic = False
            self.queues.log.pop()
        return queue

    def _device(self, name: str, mode: str) -> Device:
        device = self.core.devices[name] = Device(name, mode=mode)
        device.told = device.state
        return device

    def telephone(self, name: str) -> Telephone:
        """`PJSIP/101`; it is made if it is not there."""
        device = self.core.devices.get(name) or self._device(name, "auto")
        return Telephone(self.core, device)

    @property
    def channels(self) -> list[Channel]:
        return [*self.core.channels.values()]

    def queue_log(self) -> list[str]:
        """Its lines, from the first start on."""
        return [*self.queues.log]

    def call(
        self, queue: str, number: str = "", recorded: bool = False, gives_up_s: float | None = None
    ) -> Caller:
        """Somebody calls; `recorded`: by the exchange itself; `gives_up_s`: the queue does."""
        core, device = self.core, self.trunk.device
        channel = core.new_leg(device, None, None)
        channel.context, channel.exten = "entrante", "200"
        channel.number, channel.state = number, "Up"
        core.update(device)
        if recorded:
            channel.priority, channel.monitor = 2, 0
            core.tell("MixMonitorStart", "call", channel.fields())
        channel.priority = 3 if recorded else 2
        limit = "" if gives_up_s is None else f",,,,{gives_up_s:g}"
        self.queues.join(channel, f"{queue}{limit}")
        return Caller(core, channel)

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for what the exchange does; it is looked at after each event of it."""
        async with asyncio.timeout(_LIMIT_S):
            while not true():
                self.core.moved.clear()
                await self.core.moved.wait()

    def _lag(self) -> float:
        return self._lags.choice([0.0, self._lags.uniform(0, self._lag_s)])

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


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{line}\n")
