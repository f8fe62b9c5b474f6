"""The Wi-Fi station: one association at a time, tried when asked; our own task decides when again.

The chip's own endless reconnecting is off, so that a wrong password is seen and told.
"""

import asyncio

import network
from lib.errors import PartError
from micropython import const

_LOOK_MS = const(200)
_LIMIT_MS = const(15_000)
_NO_MEMORY = const("0x0101")  # ESP_ERR_NO_MEM, in «Wifi Unknown Error»
_WRONG = (network.STAT_WRONG_PASSWORD, network.STAT_HANDSHAKE_TIMEOUT)


class Wifi:
    """All that the chip says of its radio is a PartError here: its own are OSError, RuntimeError
    and MemoryError for the same things.
    """

    def __init__(self):
        try:
            self._wlan = network.WLAN(network.STA_IF)
        except (OSError, RuntimeError, MemoryError) as error:
            raise _named(error) from None
        self.tries = 0

    async def connect(self, ssid, password):
        """Returns when there is an address; PartError wrong_password, no_network, no_answer,
        no_memory, radio.
        """
        try:
            await self._connect(ssid, password)
        except (OSError, RuntimeError, MemoryError) as error:
            raise _named(error) from None

    async def _connect(self, ssid, password):
        wlan = self._wlan
        if wlan.isconnected() and wlan.config("ssid") == ssid:
            return
        self.tries += 1
        wlan.active(True)
        wlan.disconnect()
        wlan.config(reconnects=0)
        wlan.connect(ssid, password)
        for _ in range(_LIMIT_MS // _LOOK_MS):
            await asyncio.sleep_ms(_LOOK_MS)
            if wlan.isconnected():
                return
            status = wlan.status()
            if status in _WRONG:
                raise PartError("wifi", "wrong_password", "correct it in the site's file")
            if status == network.STAT_NO_AP_FOUND:
                raise PartError("wifi", "no_network", "is the access point on?")
        raise PartError("wifi", advice="look at the access point's list")

    def scan(self):
        """(ssid, bssid, channel, dBm, security, hidden) of each access point; nothing else goes
        on meanwhile, for about two seconds.
        """
        try:
            self._wlan.active(True)
            return self._wlan.scan()
        except (OSError, RuntimeError, MemoryError) as error:
            raise _named(error) from None

    def off(self):
        try:
            self._wlan.active(False)
        except (OSError, RuntimeError):
            return  # it did not go on either, and is asked again before its next use

    @property
    def connected(self):
        return self._wlan.isconnected()

    def dump(self):
        up = self.connected
        return {"connected": up, "rssi": self._wlan.status("rssi") if up else None}

    def selftest(self):
        return bool(self._wlan.active())


def _named(error):
    if isinstance(error, MemoryError) or _NO_MEMORY in str(error):
        return PartError("wifi", "no_memory", "is the image for its PSRAM? ({})".format(error))
    return PartError("wifi", "radio", str(error))
