"""The board's parts by role: each driver is made when it is first needed, as the board's table
says (`boards/sim/board.py` explains it), and again after a failure; what people do to keys, reader
and headset socket becomes an input.

One dead part is a fault that is told, never the end of the rest; a role that the table lacks is
something this station cannot do, and everybody lives without it.
"""

import asyncio

from lib.desfire import prove
from lib.errors import StationError
from micropython import const

_RETRY_MS = const(10_000)
_FIRST_MS = const(1_000)
_MOST_MS = const(60_000)


class Parts:
    """`table` and `pins` are the board's; `make_bus(name)` makes one of its buses."""

    def __init__(self, table, pins, make_bus):
        self.table = table
        self.pins = pins
        self.make_bus = make_bus
        self._buses = {}
        self.made = {}
        self._retry_at = {}

    def attach(self, app):
        """For whom they work: faults and inputs go there."""
        self._app = app

    def load(self):
        """Bring in every driver that the table names."""
        for module, name, *_ in self.table.values():
            driver(module, name)

    def has(self, role):
        return role in self.table

    def get(self, role):
        """The driver, if it is made."""
        return self.made.get(role)

    def make(self, role):
        """A new driver, in place of the one there may be. Raises PartError, OSError."""
        device = self.made[role] = self._build(role)
        if role == "audio" and hasattr(device, "watch"):
            device.watch(self._clocked)
        if role == "codec" and getattr(device, "needs_clock", False):
            (self.get("audio") or self.make("audio")).keep_clock()
        return device

    def _clocked(self):
        """The codec's clocks run; one to which that matters is told. Nobody wanted anything of it,
        so a failure is no fault yet: whoever uses it next finds it.
        """
        codec = self.get("codec")
        if hasattr(codec, "clocked"):
            try:
                codec.clocked()
            except StationError as error:
                self._app.serial.log(str(error))

    def _build(self, role):
        module, name, bus, pins, options = self.table[role]
        arguments = [self.pins[pin] for pin in pins]
        if bus:
            arguments.insert(0, self._bus(bus))
        return driver(module, name)(*arguments, **options)

    def _bus(self, name):
        """One of the board's buses, or the part that others hang on."""
        if name in self.table:
            return self.get(name) or self.make(name)
        if name not in self._buses:
            self._buses[name] = self.make_bus(name)
        return self._buses[name]

    def use(self, role, action):
        """Let `action(driver)` use a part; one that fails is set up again 10 s later."""
        now = self._app.clock.now()
        if role in self.table and now >= self._retry_at.get(role, 0):
            try:
                action(self.made.get(role) or self.make(role))
                self._app.fault(role, None)
            except (StationError, OSError) as error:
                self._retry_at[role] = now + _RETRY_MS
                self._failed(role, error)

    async def attend(self, role):
        """Pass on what a part says, for ever; one that fails is told, and made again."""
        now = self._app.clock.now
        wait_ms = _FIRST_MS
        present = None  # the badge that lay there when the reader failed: it stays no tap
        while True:
            since = now()
            try:
                device = self.make(role)
                if present is not None:
                    device.present = present
                await INPUTS[role](self._app, device)
            except (StationError, OSError) as error:
                present = getattr(self.made.get(role), "present", None)
                self._failed(role, error)
            if now() - since > wait_ms:  # it did work
                wait_ms = _FIRST_MS
            await asyncio.sleep_ms(wait_ms)
            wait_ms = min(wait_ms * 2, _MOST_MS)

    def _failed(self, role, error):
        self._app.serial.log(str(error))
        self.made.pop(role, None)
        self._app.fault(role, getattr(error, "code", "no_answer"))


def driver(module, name):
    """What the module `module` of the drivers calls so."""
    return getattr(__import__("drivers." + module, None, None, (name,)), name)


async def _keys(app, keys):
    app.fault("keys", None)
    async for name, ticks in keys:
        if name == "inputs_unsure":
            app.fault("keys", "inputs_unsure")
        else:
            app.post(name, app.clock.at(ticks))
            app.fault("keys", None)


async def _headset(app, headset):
    app.fault("headset", None)
    app.desk.plugged = headset.plugged  # what was so before we looked is no event
    async for plugged in headset:
        app.post("headset", app.clock.now(), plugged)


async def _badges(app, reader):
    await reader.start()
    if not getattr(reader, "only_sends", False):
        app.fault("badge_reader", None)
    async for kind, identity, _quality in reader:
        u = app.clock.now()
        details = None
        if identity is not None:
            app.fault("badge_reader", None)
        if identity:
            # no name here for the configuration: it would stay until the next badge
            if app.bench:
                await app.bench.tapped(reader, identity)
            elif app.machine.config.secure and kind == "iso14443a":
                details = await prove(app.machine.config, reader, identity)
            else:
                details = app.machine.config.find(kind, identity)
        if details is None:
            app.post("bad_read", u, "two_badges" if identity == b"" else None)
        else:
            app.post("badge", u, details)


INPUTS = {"keys": _keys, "headset": _headset, "badge_reader": _badges}
