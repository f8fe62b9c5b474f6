"""The second way to the host, and which of the two is used: the cable while the host is heard
there, else Wi-Fi. Its own task keeps radio and broker connected, for ever; a hub that comes back
is met within 20 s however long it was away, and hundreds of stations do not come at once.

The uplink keeps its one window and one cursor.
"""

import asyncio
import json
import random
import socket

from lib.errors import LinkError, StationError
from lib.mqtt import Client
from lib.radio import beside, join
from lib.time_server import sync_time
from micropython import const

_TOPIC = const("diadema/v1/")
# waits grow from the first to the last, each by up to half of it
_FIRST_MS = const(1_000)
_MOST_MS = const(7_000)
_MEND_MS = const(60_000)  # the first wait after what only a person can mend
_MEND_MOST_MS = const(360_000)
_HOLD_MS = const(30_000)  # a cable that did not answer is not used again for so long
_HOLD_MOST_MS = const(600_000)
_WATCH_MS = const(5_000)
_SURE = const(3)  # failures in a row
# faults: of the chip; of the access point and of the broker, which may only be on their way back
_CHIP = ("no_memory", "radio")
_NETWORK = ("wrong_password", "other_security", "no_network", "too_weak")
_BROKER = ("certificate", "refused", "tls", "no_name")
_PASSING = ("no_network", "too_weak", "no_name")  # nobody has to mend anything


def settle(app):
    """Begin, change or end the app's way over Wi-Fi, as the configuration has it."""
    config = app.machine.config
    wanted = config.wifi and config.broker and (config.wifi, config.broker, config.sntp)
    uplink = app.uplink
    if uplink.links:
        if uplink.links.settings == wanted:
            return
        for task in uplink.links.tasks:
            task.cancel()
        uplink.links = None
        uplink.changed()
        app.fault("wifi", None)
    if wanted:
        uplink.links = Links(app, wanted)


class Links:
    """`settings`: Wi-Fi, broker and time server of the configuration."""

    def __init__(self, app, settings):
        self.settings = settings
        self._app = app
        self._now = app.clock.now
        self.radio = None  # until it could be made
        self._topic = topic = _TOPIC + app.station_id + "/"
        self.client = Client(
            settings[1], app.station_id, [topic + "ack", topic + "cmd"],
            (topic + "st/wifi", '{"up":false}'), app.host.hear, self._up, self._now,
        )  # fmt: skip
        self.wireless = False  # the way in use
        self.greet = False  # a hello is owed to the broker, whichever way is in use
        self._cable = False  # the host was heard there, and what we sent was answered
        self._hold_ms = _HOLD_MS
        self._hold_until = 0
        self._wait_ms = 0
        self._address = None  # of the hub, where it answered last
        self._trying = None
        self._joined = False  # that password was right
        self._failures = 0  # in a row …
        self._code = ""  # … of this kind
        self._unanswered = 0  # in a row, of a broker that does not answer
        self._renew = _SURE
        self._since = 0
        self.reconnects = 0
        self.tasks = [asyncio.create_task(app.keep(self._run))]
        if settings[2]:
            self.tasks.append(asyncio.create_task(app.keep(sync_time, app, self.joined)))

    def joined(self):
        """There is a network to ask in."""
        return self.radio and self.radio.connected

    # ------------------------------------------------------------------ the choice

    def heard(self, fresh=False):
        """The host spoke over the cable; `fresh`: the gateway has just opened it."""
        if fresh:
            self._hold_until = 0
            self._hold_ms = _HOLD_MS
        if self._now() >= self._hold_until:
            self._cable = True
            self._use(False)

    def failed(self):
        """What was sent is not answered: the other way, if there is one."""
        if not self.wireless and self.client.connected:
            self._cable = False
            self._hold_until = self._now() + self._hold_ms
            self._hold_ms = min(self._hold_ms * 2, _HOLD_MOST_MS)
            self._use(True)

    def _use(self, wireless):
        if wireless != self.wireless:
            self.wireless = wireless
            self._app.uplink.changed()

    # ------------------------------------------------------------------ for the uplink

    async def event(self, message):
        await self._publish("ev", message, 0)

    async def hello(self, hello):
        self.greet = False
        await self._publish("st/wifi", json.dumps(hello).encode(), 1)

    async def _publish(self, topic, message, retain):
        try:
            await self.client.publish(self._topic + topic, message, retain)
        except LinkError:
            pass  # the journal has it; the uplink says it again after the next hello

    # ------------------------------------------------------------------ the task

    async def _run(self):
        async with self._app.radio_lock:  # who had it before has let go
            try:
                while True:
                    try:
                        await self._connect()
                    except (StationError, OSError, RuntimeError, ValueError, MemoryError) as error:
                        self._ended(error)
                    wait_ms = self._wait_ms
                    await asyncio.sleep_ms(wait_ms + (wait_ms * random.getrandbits(8) >> 9))
            finally:
                radio = self._app.parts.get("wifi")
                if radio:
                    radio.off()

    async def _connect(self):
        app, client = self._app, self.client
        self._since = self._now()
        self.radio = await join(app, self.settings[0])
        self._joined = True
        if app.desk.faults.get("wifi") in _NETWORK:
            app.fault("wifi", None)
        self._trying = await self._find()
        watch = asyncio.create_task(self._watch())
        try:
            await client.run(self._trying)
        finally:
            watch.cancel()

    async def _find(self):
        """The hub's address: where it was last, and each other time by its name."""
        if self._address and not self._unanswered & 1:
            return self._address
        broker = self.settings[1]
        try:
            found = await beside(
                socket.getaddrinfo, broker["host"], broker["port"], 0, socket.SOCK_STREAM
            )
            return found[0][-1][0]
        except OSError:
            if self._address:
                return self._address
            advice = "{}: no such name; mend the name server, or name the hub by its address"
            raise LinkError(advice.format(broker["host"]), "no_name") from None

    async def _watch(self):
        """An access point that is gone is seen by the chip long before TCP sees it."""
        while True:
            await asyncio.sleep_ms(_WATCH_MS)
            if not self.joined():
                self.client.end(LinkError("the access point is gone", "lost"))

    def _up(self):
        app = self._app
        self.reconnects += 1
        self._wait_ms = self._failures = self._unanswered = 0
        self._renew = _SURE
        self._address = self._trying
        app.serial.log("wifi: the hub answers, after {} ms".format(self._now() - self._since))
        app.fault("wifi", None)
        self.greet = True
        self.wireless = not self._cable
        app.uplink.changed()

    def _ended(self, error):
        code = getattr(error, "code", "no_memory" if isinstance(error, MemoryError) else "radio")
        self._app.serial.log("wifi: {}".format(error))
        self._failures = self._failures + 1 if code == self._code else 1
        self._code = code
        # what worked before may work again by itself
        worked = self._joined if code in _NETWORK else self.reconnects and code in _BROKER
        mend = code in _CHIP + _NETWORK + _BROKER
        if self._failures < _SURE and (worked or code in _PASSING):
            mend = False
        if mend:
            self._app.fault("wifi", code)
        if mend and code not in _PASSING:
            self._wait_ms = min(max(self._wait_ms * 2, _MEND_MS), _MEND_MOST_MS)
        else:
            self._wait_ms = min(max(self._wait_ms * 2, _FIRST_MS), _MOST_MS)
        if code in ("no_answer", "lost"):
            self._unanswered += 1
            if self.radio and self._unanswered >= self._renew:
                self._renew *= 2
                self.radio.off()  # an association may be dead while its beacons come
        self._use(False)
