"""The board's parts behind their makers: made when first needed, and again after a failure.

One dead part is a fault that is told, never the end of the rest.
"""

from lib.errors import StationError
from micropython import const

_RETRY_MS = const(10_000)


class Parts:
    """`makers`: part name → function that makes its driver. `on_fault(part, code or None)`."""

    def __init__(self, makers, now, on_fault, log):
        self._makers = makers
        self._now = now
        self._on_fault = on_fault
        self._log = log
        self._devices = {}
        self._retry_at = {}

    def has(self, part):
        return part in self._makers

    def get(self, part):
        """The driver, if it is made."""
        return self._devices.get(part)

    def make(self, part):
        device = self._devices[part] = self._makers[part]()
        return device

    def use(self, part, action):
        """Let `action(driver)` use a part; one that fails is set up again 10 s later."""
        now = self._now()
        if part in self._makers and now >= self._retry_at.get(part, 0):
            try:
                action(self._devices.get(part) or self.make(part))
                self._on_fault(part, None)
            except (StationError, OSError) as error:
                self._retry_at[part] = now + _RETRY_MS
                self.failed(part, error)

    def failed(self, part, error):
        self._log(str(error))
        self._devices.pop(part, None)
        self._on_fault(part, getattr(error, "code", "no_answer"))

    def dump(self):
        return {name: device.dump() for name, device in self._devices.items()}
