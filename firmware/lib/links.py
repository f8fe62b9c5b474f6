"""The second way to the host, and which of the two is used: the cable while the host is heard
there, else Wi-Fi. Its own task keeps radio and broker connected, for ever and never in a hurry.

Loaded only when the configuration has Wi-Fi. The uplink keeps its one window and one cursor.
"""

import asyncio
import json
import random

from lib.errors import LinkError, StationError
from lib.mqtt import Client
from lib.once import forget
from micropython import const

_TOPIC = "diadema/v1/"
_FIRST_MS = const(1_000)
_MOST_MS = const(60_000)
_TOLD_MS = const(60_000)  # the first wait after what only a person can mend
_TOLD_MOST_MS = const(600_000)
_HOLD_MS = const(30_000)  # a cable that did not answer is not used again for so long
_HOLD_MOST_MS = const(600_000)
_TIME_MS = const(120_000)  # without an hour before a time server is asked
_TIME_MOST_MS = const(3_600_000)
_STALE_MS = const(3_900_000)  # the host tells the time each hour
_FAULTS = ("wrong_password", "certificate", "refused")  # only these a person can mend


def settle(app):
    """Begin, change or end the app's way over Wi-Fi, as the configuration has it."""
    config = app.machine.config
    wanted = config.wifi and (config.wifi, config.broker, config.sntp)
    uplink = app.uplink
    links = uplink.links
    if links:
        if links.settings == wanted:
            return
        links.task.cancel()
        if links.time_task:
            links.time_task.cancel()
        uplink.links = None
        uplink.changed()
        app.fault("wifi", None)
    if wanted:
        wifi = app.parts.make("wifi")
        links = uplink.links = Links(
            wanted, wifi, app.station_id, app.host.hear, uplink.changed, app.fault, app.clock.now,
            app.serial.log,
        )  # fmt: skip
        links.task = asyncio.create_task(app.keep(links.run))
        if config.sntp:
            links.time_task = asyncio.create_task(app.keep(lambda: _ask_time(app, wifi)))


async def _ask_time(app, wifi):
    """Ask the time server while the host gives no time; the host's is the better one."""
    clock = app.clock
    wait_ms = _TIME_MS
    while True:
        await asyncio.sleep_ms(wait_ms + (wait_ms * random.getrandbits(8) >> 11))
        wait_ms = min(wait_ms * 2, _TIME_MOST_MS)
        if not wifi.connected or (clock.known and clock.now() - clock.anchored < _STALE_MS):
            wait_ms = _TIME_MS
            continue
        from lib.sntp import ask

        try:
            utc, u, uncertainty_ms = await ask(app.machine.config.sntp, clock.now)
            if app.anchor(utc, u, "sntp", uncertainty_ms):
                wait_ms = _TIME_MS
        except (LinkError, OSError) as error:
            app.serial.log(str(error))
        finally:
            forget("sntp")


class Links:
    """`hear(payload)` is awaited; `changed()` is called when the uplink must say hello anew."""

    def __init__(self, settings, wifi, station, hear, changed, on_fault, now, log):
        self.settings = settings  # wifi, broker and time server of the configuration
        self.task: "asyncio.Task | None" = None
        self.time_task: "asyncio.Task | None" = None
        self._wifi = wifi
        self._topic = _TOPIC + station + "/"
        self._changed = changed
        self._on_fault = on_fault
        self._now = now
        self._log = log
        self.client = Client(
            settings[1], station, [self._topic + "ack", self._topic + "cmd"],
            (self._topic + "st/wifi", '{"up":false}'), hear, self._up, now,
        )  # fmt: skip
        self.wireless = False  # the way in use
        self.greet = False  # a hello is owed to the broker, whichever way is in use
        self._cable = False  # the host was heard there, and what we sent was answered
        self._hold_ms = _HOLD_MS
        self._hold_until = 0
        self._wait_ms = _FIRST_MS
        self.reconnects = 0

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
            self._changed()

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

    async def run(self):
        try:
            while True:
                try:
                    wifi = self.settings[0]
                    await self._wifi.connect(wifi["ssid"], wifi["password"])
                    await self.client.run()
                except StationError as error:
                    self._ended(error)
                wait_ms = self._wait_ms
                await asyncio.sleep_ms(wait_ms + (wait_ms * random.getrandbits(8) >> 11))
        finally:
            self._wifi.off()

    def _up(self):
        self.reconnects += 1
        self._wait_ms = _FIRST_MS
        self._on_fault("wifi", None)
        self.greet = True
        self.wireless = not self._cable
        self._changed()

    def _ended(self, error):
        code = getattr(error, "code", "")
        self._log("wifi: {}".format(error))
        if code in _FAULTS:
            self._on_fault("wifi", code)
            self._wait_ms = min(max(self._wait_ms * 2, _TOLD_MS), _TOLD_MOST_MS)
        else:
            self._wait_ms = min(self._wait_ms * 2, _MOST_MS)
        self._use(False)

    def dump(self):
        return {
            "wireless": self.wireless, "reconnects": self.reconnects,
            "radio": self._wifi.dump(), "broker": self.client.dump(),
        }  # fmt: skip
