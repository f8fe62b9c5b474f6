"""The Wi-Fi station: one association at a time, tried when asked; our own task decides when again.

The chip's own endless reconnecting is off, so that a wrong password is seen and told.
"""

import asyncio

import network
from lib.errors import PartError
from micropython import const

_LOOK_MS = const(200)
_LIMIT_MS = const(15_000)
_WRONG = (network.STAT_WRONG_PASSWORD, network.STAT_HANDSHAKE_TIMEOUT)


class Wifi:
    def __init__(self):
        self._wlan = network.WLAN(network.STA_IF)
        self.tries = 0

    async def connect(self, ssid, password):
        """Returns when there is an address; PartError wrong_password, no_network or no_answer."""
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
        """{name: (dBm, whether it asks for a password)} as heard now, each name at its loudest.
        Nothing else goes on meanwhile, for about two seconds.
        """
        wlan = self._wlan
        wlan.active(True)
        found: "dict[str, tuple[int, bool]]" = {}
        for heard, _, _, rssi, security, _ in wlan.scan():
            try:
                name = str(heard, "utf-8")
            except ValueError:
                continue  # nobody could choose it
            if name and (name not in found or found[name][0] < rssi):
                found[name] = (rssi, security != 0)
        return found

    def off(self):
        self._wlan.active(False)

    @property
    def connected(self):
        return self._wlan.isconnected()

    def dump(self):
        up = self.connected
        return {"connected": up, "rssi": self._wlan.status("rssi") if up else None}

    def selftest(self):
        return bool(self._wlan.active())
