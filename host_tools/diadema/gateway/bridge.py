"""The gateway: speaks MQTT for the stations on its cables. A bridge, it keeps nothing: what cannot
be delivered now is dropped and counted, for the journal is the station's.

A port belongs to the station whose hello came over it; frames of another one are refused.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections import Counter, deque

import aiomqtt
import msgspec
from msgspec import Struct

from diadema.base.certificates import ca_mark
from diadema.base.clock import backoff_s
from diadema.base.credentials import is_gateway
from diadema.base.errors import DiademaError, first_of
from diadema.base.locks import AlreadyLocked, locked
from diadema.base.paths import DataDir
from diadema.gateway.access import Access, here
from diadema.gateway.cable import Cable
from diadema.gateway.console import ENDLESS, meaning
from diadema.gateway.serial_port import port_paths
from diadema.wire.events import UNREADABLE
from diadema.wire.frames import DOWN_LIMIT
from diadema.words import Sentence

KEEPALIVE_S = 10
_ANSWER_S = 3.0  # for what the broker must confirm
_RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0)
PATH_LIMIT = 200  # of a port, its end
_HELLO_EVERY_S = 2.0  # ask a port that has not said who it is
_WINDOW = 64  # messages that the broker has not confirmed
_WAITING = 512  # events that wait for the window; more are dropped

log = logging.getLogger("diadema.gateway")
_mqtt_log = logging.getLogger("diadema.gateway.mqtt")
# an answer that came when the end of the gateway had cancelled who waited for it
_mqtt_log.addFilter(lambda record: "Unexpected message ID" not in record.getMessage())


class _Message(Struct):
    """One message for the broker; `topic` without the gateway's own level."""

    topic: str
    body: bytes
    retain: bool = False


class _Retained(Struct):
    """What is looked at in a link's retained greeting."""

    up: bool = False


class Running(Struct):
    """What a gateway that runs writes into its file."""

    pid: int
    ports: list[str] = []


class Gateway:
    """`run` serves until cancelled."""

    def __init__(
        self, data: DataDir, ports: list[str], name: str, access: Access | None = None
    ) -> None:
        """`access`: to a hub elsewhere; else the one that runs on `data` is looked for."""
        if not is_gateway(name):
            raise DiademaError(Sentence("errors.gateway.name_name_use_lower_case", name=name))
        self.name = name
        self._access = access
        self._topic = f"diadema/v1/gw-{name}/"
        self.counts: Counter[str] = Counter()
        self._data = data
        self._cables = [
            Cable(path, self, data.log, number) for number, path in enumerate(port_paths(ports))
        ]
        self._by_station: dict[str, Cable] = {}
        self._twins: set[str] = set()  # ids that more than one open port claimed
        self._connected = False
        self._out: deque[_Message] = deque()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Serves until cancelled. Raises DiademaError when it cannot begin."""
        # or a mistyped --data would wait for ever
        if self._access is None and not self._data.secrets.exists():
            raise DiademaError(Sentence("errors.gateway.no_hub_ever_ran_on", root=self._data.root))
        self._data.make()
        own_file = self._data.gateway(self.name)
        ports = [cable.line.path for cable in self._cables]
        note = msgspec.json.encode(Running(os.getpid(), ports)).decode()
        try:
            with locked(own_file, note=note):
                try:
                    async with asyncio.TaskGroup() as tasks:
                        for cable in self._cables:
                            tasks.create_task(cable.line.run())
                        tasks.create_task(self._ask_names())
                        tasks.create_task(self._bridge_for_ever())
                finally:
                    for cable in self._cables:
                        cable.log_unnamed()
                    own_file.unlink(missing_ok=True)
        except AlreadyLocked as error:
            raise DiademaError(
                Sentence(
                    "errors.gateway.gateway_named_name_runs_already",
                    name=self.name,
                    process=_process(error.owner),
                )
            ) from error

    def dump(self) -> dict[str, object]:
        """Counters, and each port with its station and its line."""
        return {
            "connected": self._connected,
            **self.counts,
            "ports": {
                cable.line.path: {
                    "station": cable.station,
                    "open": cable.line.is_open,
                    "error": cable.line.error,
                    **cable.line.dump(),
                }
                for cable in self._cables
            },
        }

    # -- from the cables

    def event(self, s: str, body: bytes) -> None:
        if len(self._out) < _WAITING:
            self._put(_Message(f"{s}/ev", body))
        else:
            self.counts["dropped"] += 1

    def hello(self, cable: Cable, s: str, greeting: dict[str, object]) -> None:
        """The station `s` is on this cable now; it may have been on another one of ours."""
        for other_s, other in list(self._by_station.items()):
            if other is cable and other_s != s:
                self._gone(other_s)
            elif other_s == s and other is not cable:
                other.station = None
                self._look_for_twin(s, cable, other)
        self._by_station[s] = cable
        mine = {"port": cable.number, "at": cable.line.path[-PATH_LIMIT:]}
        mine["gw_ca"] = "" if self._access is None else ca_mark(self._access.ca)
        body = msgspec.json.encode(greeting | mine)
        self._put(_Message(f"{s}/st", body, retain=True))

    def _look_for_twin(self, s: str, cable: Cable, other: Cable) -> None:
        """Of a cable that was moved the port before is closed."""
        if other.line.is_open and s not in self._twins:
            self._twins.add(s)
            log.warning(
                "%s is on %s and on %s: two boards have that id, or one port has two names here",
                s,
                other.line.path,
                cable.line.path,
            )

    def cable_gone(self, cable: Cable) -> None:
        for s, other in list(self._by_station.items()):
            if other is cable:
                self._gone(s)
        cable.station = None

    def silent(self, cable: Cable, kind: str) -> None:
        """The console says why no program speaks; where nothing starts, the hub is told too."""
        whose = f" ({cable.station})" if cable.station else ""
        log.warning("%s%s: %s", cable.line.path, whose, meaning(kind, "en"))
        if cable.station is not None and kind in ENDLESS:
            self._say_gone(cable.station, safe=True, cause=kind)

    def refuse(self, cable: Cable, why: str) -> None:
        self.counts["refused"] += 1
        log.warning("%s: refused %s", cable.line.path, why)

    def _gone(self, s: str) -> None:
        del self._by_station[s]
        self._say_gone(s)

    def _say_gone(self, s: str, **more: object) -> None:
        body = msgspec.json.encode({"up": False, "s": s, **more})
        self._put(_Message(f"{s}/st", body, retain=True))

    def _said_before(self, s: str, body: object) -> None:
        """Take back a greeting that we gave on and whose cable went while nobody could be told."""
        try:
            greeting = msgspec.json.decode(
                body if isinstance(body, bytes) else b"", type=_Retained
            )
        except UNREADABLE:
            self.counts["not_for_us"] += 1
            return
        if greeting.up and s not in self._by_station:
            self._say_gone(s)

    def _put(self, message: _Message) -> None:
        if self._connected:
            self._out.append(message)
            self._wake.set()
        else:
            self.counts["dropped"] += 1

    async def _ask_names(self) -> None:
        while True:
            await asyncio.sleep(_HELLO_EVERY_S)
            for cable in self._cables:
                if cable.line.is_open and cable.station is None:
                    cable.log_unnamed()
                    cable.greet()

    # -- the broker

    async def _bridge_for_ever(self) -> None:
        attempt = 0
        while True:
            access, why = self._way_in()
            if access is None:
                if attempt == 0:
                    log.warning("%s", why)
            else:
                try:
                    await self._bridge(access)
                except (aiomqtt.MqttError, OSError, DiademaError) as error:
                    log.warning("the broker is gone or refuses: %s", error)
                    attempt = 0 if self._connected else attempt
                finally:
                    self._connected = False
                    self.counts["dropped"] += len(self._out)
                    self._out.clear()
            await asyncio.sleep(backoff_s(attempt, _RETRY_S))
            attempt += 1

    def _way_in(self) -> tuple[Access | None, str]:
        """Else why there is none."""
        try:
            access = self._access or here(self._data, self.name)
        except DiademaError as error:
            return None, str(error)
        return access, f"no hub runs on {self._data.root}: waiting for `diadema hub`"

    async def _bridge(self, access: Access) -> None:
        state, links = self._topic + "st", self._topic + "+/st"
        down = b'{"up":false}'
        async with aiomqtt.Client(
            access.host,
            access.port,
            username=access.user,
            password=access.password,
            identifier=access.user,
            keepalive=KEEPALIVE_S,
            timeout=_ANSWER_S,
            will=aiomqtt.Will(state, down, qos=1, retain=True),
            max_inflight_messages=_WINDOW,
            tls_context=access.context(),
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            logger=_mqtt_log,
        ) as client:
            client.pending_calls_threshold = _WINDOW + 10
            log.info("connected to the broker on port %d", access.port)
            try:
                await client.publish(state, b'{"up":true}', qos=1, retain=True)
                await client.subscribe(links)  # what stands there, in `_receive`; nothing newer
                await client.unsubscribe(links)
                ways = [(f"{self._topic}+/+/{way}", 0) for way in ("ack", "cmd")]
                await client.subscribe(ways)
                self._connected = True
                for cable in self._cables:
                    cable.greet()
                await self._carry(client)
            except asyncio.CancelledError:  # an orderly end, after which no will is read out
                with contextlib.suppress(aiomqtt.MqttError, OSError, TimeoutError):
                    async with asyncio.timeout(1.0):
                        await client.publish(state, down, qos=1, retain=True)
                raise

    async def _carry(self, client: aiomqtt.Client) -> None:
        """Both ways until one breaks. Raises what broke it."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(client))
                tasks.create_task(self._send(client))
        except ExceptionGroup as group:
            raise first_of(group) from None

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            words = str(message.topic).removeprefix(self._topic).split("/")
            if words[1:] == ["st"]:
                self._said_before(words[0], message.payload)
                continue
            cable = self._by_station.get(words[0])
            # not to another cable that has taken that name since
            body = message.payload
            if cable is None or str(cable.number) != words[1] or not isinstance(body, bytes):
                self.counts["not_for_us"] += 1
            elif len(body) > DOWN_LIMIT:
                self.counts["too_long"] += 1
            else:
                cable.down(body)

    async def _send(self, client: aiomqtt.Client) -> None:
        """Publish in order, up to a window of messages that the broker has not confirmed."""
        slots = asyncio.Semaphore(_WINDOW)
        async with asyncio.TaskGroup() as tasks:
            while True:
                while not self._out:
                    self._wake.clear()
                    await self._wake.wait()
                message = self._out.popleft()
                await slots.acquire()
                topic = self._topic + message.topic
                tasks.create_task(_publish(client, topic, message, slots))


def _process(owner: str) -> Sentence:
    """What a gateway wrote into its file, for people."""
    try:
        pid = msgspec.json.decode(owner.encode(), type=Running).pid
        return Sentence("errors.gateway.process", pid=pid)
    except msgspec.DecodeError:
        return Sentence("errors.gateway.another_process")


async def _publish(
    client: aiomqtt.Client, topic: str, message: _Message, slots: asyncio.Semaphore
) -> None:
    try:
        await client.publish(topic, message.body, qos=1, retain=message.retain)
    finally:
        slots.release()
