"""The second way to the host, and which of the two is used: the cable while the host is heard
there, else Wi-Fi. Its own task keeps radio and broker connected, for ever and never in a hurry.

The uplink keeps its one window and one cursor.
"""

import asyncio
import json
import random

from lib.errors import LinkError, StationError
from lib.mqtt import Client
from lib.time_server import keep_hour
from micropython import const

_TOPIC = const("diadema/v1/")
_FIRST_MS = const(1_000)
_MOST_MS = const(60_000)
_TOLD_MS = const(60_000)  # the first wait after what only a person can mend
_TOLD_MOST_MS = const(600_000)
_HOLD_MS = const(30_000)  # a cable that did not answer is not used again for so long
_HOLD_MOST_MS = const(600_000)
# a person can mend the first three; the others are told, as they do not mend themselves
_FAULTS = ("wrong_password", "certificate", "refused", "no_memory", "radio")


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
        self._wait_ms = _FIRST_MS
        self.reconnects = 0
        self.tasks = [asyncio.create_task(app.keep(self._run))]
        if settings[2]:
            self.tasks.append(asyncio.create_task(app.keep(keep_hour, app, self.joined)))

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
        try:
            while True:
                try:
                    self.radio = self.radio or self._app.parts.make("wifi")
                    wifi = self.settings[0]
                    await self.radio.connect(wifi["ssid"], wifi["password"])
                    await self.client.run()
                except (StationError, OSError, MemoryError) as error:
                    self._ended(error)
                wait_ms = self._wait_ms
                await asyncio.sleep_ms(wait_ms + (wait_ms * random.getrandbits(8) >> 11))
        finally:
            if self.radio:
                self.radio.off()

    def _up(self):
        self.reconnects += 1
        self._wait_ms = _FIRST_MS
        self._app.fault("wifi", None)
        self.greet = True
        self.wireless = not self._cable
        self._app.uplink.changed()

    def _ended(self, error):
        code = getattr(error, "code", "no_memory" if isinstance(error, MemoryError) else "")
        self._app.serial.log("wifi: {}".format(error))
        if code in _FAULTS:
            self._app.fault("wifi", code)
            self._wait_ms = min(max(self._wait_ms * 2, _TOLD_MS), _TOLD_MOST_MS)
        else:
            self._wait_ms = min(self._wait_ms * 2, _MOST_MS)
        self._use(False)
