"""The board's parts by role: each driver is imported and made when it is first needed, as the
board's table says (`boards/sim/board.py` explains it), and again after a failure.

One dead part is a fault that is told, never the end of the rest; a role that the table lacks is
something this station cannot do, and everybody lives without it.
"""

from lib.errors import StationError
from micropython import const

_RETRY_MS = const(10_000)


class Parts:
    """`table` and `pins` are the board's; `make_bus(name)` makes one of its buses."""

    def __init__(self, table, pins, make_bus):
        self._table = table
        self._pins = pins
        self._make_bus = make_bus
        self._buses = {}
        self._devices = {}
        self._retry_at = {}

    def attach(self, now, on_fault, log):
        """Whom to ask for the time, and whom to tell: `on_fault(role, code or None)`."""
        self._now = now
        self._on_fault = on_fault
        self._log = log

    def has(self, role):
        return role in self._table

    def get(self, role):
        """The driver, if it is made."""
        return self._devices.get(role)

    def make(self, role):
        """A new driver, in place of the one there may be. Raises PartError, OSError."""
        device = self._devices[role] = self._build(role)
        return device

    def _build(self, role):
        module, name, bus, pins, options = self._table[role]
        arguments = [self._pins[pin] for pin in pins]
        if bus:
            arguments.insert(0, self._bus(bus))
        driver = getattr(__import__("drivers." + module, None, None, (name,)), name)
        return driver(*arguments, **options)

    def _bus(self, name):
        """One of the board's buses, or the part that others hang on."""
        if name in self._table:
            return self.get(name) or self.make(name)
        if name not in self._buses:
            self._buses[name] = self._make_bus(name)
        return self._buses[name]

    def use(self, role, action):
        """Let `action(driver)` use a part; one that fails is set up again 10 s later."""
        now = self._now()
        if role in self._table and now >= self._retry_at.get(role, 0):
            try:
                action(self._devices.get(role) or self.make(role))
                self._on_fault(role, None)
            except (StationError, OSError) as error:
                self._retry_at[role] = now + _RETRY_MS
                self.failed(role, error)

    def failed(self, role, error):
        self._log(str(error))
        self._devices.pop(role, None)
        self._on_fault(role, getattr(error, "code", "no_answer"))

    def dump(self):
        return {role: device.dump() for role, device in self._devices.items()}
