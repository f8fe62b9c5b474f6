"""The Wi-Fi station: one association at a time, tried when asked; our own task decides when again.

The chip's own endless reconnecting is off, so that a wrong password is seen and told. It wakes for
every beacon: asleep it hears a ring 100 to 300 ms late, and GPIO 36 and 39 feel each time it wakes
(ESP32 errata 3.11).
"""

import asyncio
from binascii import hexlify

import machine
import network
from lib.errors import PartError
from micropython import const

_LOOK_MS = const(200)
_LIMIT_MS = const(15_000)
_UNHEARD_MS = const(4_000)  # where the scan heard nothing at all
_NO_MEMORY = ("0x0101", "Out of Memory")  # ESP_ERR_NO_MEM, until 1.28 and from then on
_RAISED = (OSError, RuntimeError, MemoryError, ValueError)
_FIRST_STATE = const(1000)  # below it, status() tells a reason (esp_wifi_types.h) …
# … and a scan which security asks for more than a password: 802.1X
_ENTERPRISE = (5, 10, 14, 15, 16)
_REASONS = {
    15: "wrong_password",  # of ESP-IDF 5: the handshake's time is over
    202: "wrong_password",  # for MicroPython also 205, a connection that failed
    204: "wrong_password",
    201: "no_network",
    210: "other_security",
    211: "other_security",
    212: "too_weak",
}
_ADVICE = {
    "wrong_password": "correct it in the site's file",
    "no_network": "is the access point on, is its name right, does it send on 2.4 GHz?",
    "other_security": "a station speaks WPA2 or WPA3 with a password, no 802.1X, no WEP",
    "too_weak": "bring an access point nearer",
}


class Wifi:
    """All that the chip says of its radio is a PartError here: its own are OSError, RuntimeError,
    MemoryError and ValueError for the same things.
    """

    def __init__(self):
        try:
            self._wlan = network.WLAN(network.STA_IF)
        except _RAISED as error:
            raise _named(error) from None
        self.tries = 0
        self._ready = False
        self._joined = None  # ssid and password
        self._failed = None  # the access point that did not let us in the last time

    def is_on(self, ssid, password):
        """It has an address in that network."""
        return self._joined == (ssid, password) and self.connected

    def scan(self):
        """(ssid, bssid, channel, dBm, security, hidden) of each access point. Takes two seconds
        and lets go of MicroPython's lock: run it in a thread.
        """
        try:
            self._start()
            return self._wlan.scan()
        except _RAISED as error:
            raise self._broken(error) from None

    async def connect(self, ssid, password, heard):
        """Join the strongest of that name of what a scan heard. Returns when there is an address;
        PartError wrong_password, no_network, other_security, too_weak, no_answer, no_memory,
        radio.
        """
        self._joined = None
        bssid = self._best(ssid.encode(), heard)
        self.tries += 1
        try:
            self._start()
            self._wlan.disconnect()
            status = await self._try(ssid, password, bssid, _LIMIT_MS if heard else _UNHEARD_MS)
            if status is not None:
                self._failed = bssid
                self._wlan.disconnect()  # or it would go on
        except _RAISED as error:
            raise self._broken(error) from None
        if status is not None:
            code = _REASONS.get(status, "no_answer")
            advice = _ADVICE.get(code, "look at the access point's list")
            raise PartError("wifi", code, "{} ({})".format(advice, status))
        self._joined = (ssid, password)
        self._failed = None

    def _start(self):
        if not self._ready:
            wlan = self._wlan
            network.hostname("diadema-" + hexlify(machine.unique_id()).decode()[-6:])
            wlan.active(True)
            wlan.config(pm=wlan.PM_NONE, reconnects=0)
            self._ready = True

    def _best(self, name, heard):
        """The bssid to ask for; None where the scan does not tell it."""
        there = [one for one in heard if one[0] == name]
        if not there:
            if heard and all(one[0] for one in heard):  # none that hides its name
                raise PartError("wifi", "no_network", _ADVICE["no_network"])
            return None
        others = [one for one in there if one[1] != self._failed]
        best = max(others or there, key=lambda one: one[3])
        if best[4] in _ENTERPRISE:
            raise PartError("wifi", "other_security", _ADVICE["other_security"])
        return best[1]

    async def _try(self, ssid, password, bssid, limit_ms):
        """None with an address, else what status() says. It may still tell of the try before."""
        wlan = self._wlan
        before: "int | None" = wlan.status()
        wlan.connect(ssid, password or None, bssid=bssid)
        for _ in range(limit_ms // _LOOK_MS):
            await asyncio.sleep_ms(_LOOK_MS)
            if wlan.isconnected():
                return None
            status = wlan.status()
            if status != before:
                before = None  # from here on it is of this one
                if status < _FIRST_STATE:
                    break
        return wlan.status()

    def off(self):
        self._ready = False
        self._joined = None
        try:
            self._wlan.active(False)
        except _RAISED:
            return  # it did not go on either, and is asked again before its next use

    def _broken(self, error):
        self.off()  # the next one begins anew
        return _named(error)

    @property
    def connected(self):
        try:
            return self._wlan.isconnected()
        except _RAISED:
            return False

    def dump(self):
        try:
            rssi = self._wlan.status("rssi") if self.connected else None
        except _RAISED:
            rssi = None  # it went meanwhile
        return {"connected": self.connected, "rssi": rssi, "tries": self.tries}

    def selftest(self):
        return self._ready


def _named(error):
    text = str(error)
    if isinstance(error, MemoryError) or any(mark in text for mark in _NO_MEMORY):
        return PartError("wifi", "no_memory", "is the image for its PSRAM? ({})".format(text))
    return PartError("wifi", "radio", text)
