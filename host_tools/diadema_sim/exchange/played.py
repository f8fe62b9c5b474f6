"""The exchange as a whole, on free ports of this process: what it has, who calls, and its end.

exchange = PlayedExchange(clock, secret)
exchange.add_queue("Banca")
async with exchange.running():
    caller = exchange.call("Banca", "999000111")
    caller.hang_up()
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from diadema_sim.exchange.core import NORMAL, Core
from diadema_sim.exchange.manager import Manager, Session
from diadema_sim.exchange.parts import Channel, Clock, Device, User, bridge_hears
from diadema_sim.exchange.queues import Queue, Queues, Waiting
from diadema_sim.exchange.rest import Account, Rest

USER = "diadema"  # by which the bridge comes in
CLASSES = frozenset({"agent", "call", "reporting"})
TRUNK = "PJSIP/troncal"
_LAG_S = 0.003

type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Caller:
    """Somebody who called a queue."""

    def __init__(self, core: Core, channel: Channel) -> None:
        self.core, self.channel = core, channel

    @property
    def uniqueid(self) -> str:
        return self.channel.id

    @property
    def there(self) -> bool:
        return not self.channel.gone

    @property
    def agent(self) -> str | None:
        """Who talks with him, as the queue sees it."""
        call = self.channel.runs
        if isinstance(call, Waiting) and call.connected is not None:
            return call.connected.member.name
        return None

    def hang_up(self) -> None:
        waits = isinstance(self.channel.runs, Waiting) and not self.agent
        self.core.hang_up(self.channel, 0 if waits else NORMAL, "remote")


class PlayedExchange:
    """`clock` in seconds. Where the real one leaves an order open, `seed` says which it is;
    `lag_s`: by how much the two interfaces may tell of the same thing one after the other.
    """

    def __init__(
        self,
        clock: Clock,
        secret: str,
        seed: int = 0,
        lag_s: float = _LAG_S,
    ) -> None:
        self.secret = secret
        self._lag_s, self._lags = lag_s, random.Random(seed)
        self.core = Core(clock, lambda of, event: self.manager.hear(of, event))
        rng = random.Random(seed)
        self.queues = Queues(self.core, rng)
        self.manager = Manager(self.core, self.queues, rng)
        self.rest = Rest(self.core, self.manager)
        self.manager.lag = self.rest.lag = self._lag
        self.manager.users = {USER: User(secret, CLASSES, bridge_hears)}
        self.rest.users = {USER: Account(secret)}
        self.ami_port = self.ari_port = 0
        self._servers: list[asyncio.Server] = []
        self._trunk = self.add_device(TRUNK, "always")

    # -- from start to end

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.listen()
        try:
            yield
        finally:
            await self.stop()

    async def listen(self) -> None:
        """The ports stay the same from the first time on."""
        self._servers = [
            await self.open_port(serve, port)
            for serve, port in (
                (self.manager.serve, self.ami_port),
                (self.rest.serve, self.ari_port),
            )
        ]
        ports = [one.sockets[0].getsockname()[1] for one in self._servers]
        self.ami_port, self.ari_port = ports
        self.manager.started = self.core.clock()
        self.queues.write("NONE", "NONE", "NONE", "QUEUESTART")

    async def open_port(self, serve: Serve, port: int) -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", port)

    @property
    def is_up(self) -> bool:
        """Somebody may call."""
        return bool(self._servers)

    async def stop(self) -> None:
        """In an orderly way: the calls end first, and the log has it."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        self.end_calls()
        for session in [*self.manager.sessions]:
            self.manager.flush(session)
            self.end_session(session)
        await asyncio.sleep(0)
        self.rest.close()
        for timer in [*self.core.timers]:
            self.core.forget(timer)
        for server in servers:
            await server.wait_closed()

    def end_calls(self) -> None:
        calls = self.manager.queues_calls()
        for call in sorted(calls, key=lambda one: one.connected is not None):
            call.shut_down()
        for channel in [*self.core.channels.values()]:
            self.core.hang_up(channel, NORMAL, "self")

    def end_session(self, session: Session) -> None:
        session.writer.close()

    # -- what there is

    def add_queue(self, name: str) -> Queue:
        queue = self.queues.queues[name] = Queue(name)
        return queue

    def add_device(self, name: str, mode: str) -> Device:
        """A telephone, `PJSIP/101`; `mode` as of `parts.Device`."""
        device = self.core.devices[name] = Device(name, mode=mode)
        device.last_state = device.state
        return device

    def write_log(self, path: Path) -> None:
        """Its queue_log, from here on, to the end of that file."""
        self.queues.written = lambda line: _append(path, line)

    def queue_log(self) -> list[str]:
        """Its lines, from the first start on."""
        return [*self.queues.log]

    def call(self, queue: str, number: str) -> Caller:
        """Somebody calls."""
        channel = self.come_in(number)
        self.queues.join(channel, queue)
        return Caller(self.core, channel)

    def come_in(self, number: str) -> Channel:
        """The leg of somebody who calls from outside, before the dialplan does anything."""
        channel = self.core.new_leg(self._trunk, None, None)
        channel.context, channel.exten, channel.priority = "entrante", "200", 2
        channel.number, channel.state = number, "Up"
        self.core.update(self._trunk)
        return channel

    def _lag(self) -> float:
        return self._lags.choice([0.0, self._lags.uniform(0, self._lag_s)])


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{line}\n")
