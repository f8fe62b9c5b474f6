"""Improv Wi-Fi over the USB serial line (improv-wifi.com/serial), by which whoever writes a board
from a browser gives a station that has no hub yet its Wi-Fi. Who says nothing for a minute is
gone.

A packet is `IMPROV`, version 1, type, length, data, and the low byte of the sum of all that. It
stands between our frames; a newline behind it ends what a console makes of it.
"""

import asyncio
from collections import deque

from lib import saved_wifi
from lib.errors import PartError, StationError
from lib.radio import beside, join, made
from lib.timekeeping import wait
from micropython import const

_HEAD = const(b"IMPROV\x01")
# types of packets
_STATE = const(1)
_ERROR = const(2)
_COMMAND = const(3)
_RESULT = const(4)
# states
_READY = const(2)
_JOINING = const(3)
_JOINED = const(4)
# errors
_NO_ERROR = const(0)
_INVALID = const(1)
_UNKNOWN = const(2)
_UNABLE = const(3)
_NOT_AUTHORIZED = const(4)
_OTHER = const(255)
# commands
_WIFI = const(1)
_TELL = const(2)
_ABOUT = const(3)
_SCAN = const(4)
_SILENCE_MS = const(60_000)
_WAITING = const(4)  # packets, while one is answered


def packet(kind, data):
    """The packet of that type around `data`."""
    text = _HEAD + bytes((kind, len(data))) + data
    return text + bytes((sum(text) & 255,))


def result(command, strings):
    """What answers a command: its number, and strings, each behind its length."""
    data = b""
    for string in strings:
        string = string.encode()
        data += bytes((len(string),)) + string
    return packet(_RESULT, bytes((command, len(data))) + data)


def credentials(data):
    """(ssid, password) of the command that sends them; ValueError when it does not hold them."""
    found = []
    for _ in range(2):
        if not data or len(data) <= data[0]:
            raise ValueError
        size = data[0] + 1
        found.append(str(data[1:size], "utf-8"))
        data = data[size:]
    ssid, password = found
    if data or not ssid or len(ssid.encode()) > 32 or len(password.encode()) > 64:
        raise ValueError
    return ssid, password


def loudest(heard):
    """{ssid: (dBm, security, 0 for none)} of what a radio heard, each network once."""
    found: "dict[str, tuple[int, int]]" = {}
    for ssid, _, _, rssi, security, _ in heard:
        try:
            name = str(ssid, "utf-8")
        except ValueError:
            continue  # nobody could choose it
        if name and (name not in found or found[name][0] < rssi):
            found[name] = (rssi, security)
    return found


class Packets:
    """Incremental: feed it what arrived, take (type, data) of each packet that became whole; type
    None is one whose sum is wrong. One that was cut off ends where the next whole one begins.
    """

    def __init__(self):
        self._held = b""

    def feed(self, data):
        self._held += data
        found = []
        ended = self._ended()
        while ended:
            at, end, right = ended
            held = self._held
            found.append((held[at + 7], held[at + 9 : end - 1]) if right else (None, b""))
            self._held = held[end if right else at + 1 :]
            ended = self._ended()
        return found

    def _ended(self):
        """(begin, end, whether its sum is right) of what ended first, None for nothing. In one
        that has not ended only whole ones count.
        """
        begin = self._held.find(_HEAD)
        self._held = held = self._held[begin if begin >= 0 else 1 - len(_HEAD) :]
        ended, at = None, held.find(_HEAD)
        while at >= 0:
            end = at + 10 + (held[at + 8] if len(held) > at + 8 else 255)
            if end <= len(held) and not (ended and ended[1] <= end):
                right = sum(held[at : end - 1]) & 255 == held[end - 1]
                if right or not at:
                    ended = (at, end, right)
            at = held.find(_HEAD, at + 1)
        return ended


class Improv:
    """`host.improv` while it is there: what comes over the cable is fed to it too."""

    def __init__(self, app):
        self._app = app
        self._packets = Packets()
        self._waiting = deque((), _WAITING)  # type: ignore[var-annotated]  # noqa: RUF037
        self._flag = asyncio.Event()
        asyncio.create_task(app.keep(self._run))

    def feed(self, data):
        for request in self._packets.feed(data):
            if len(self._waiting) < _WAITING:
                self._waiting.append(request)
            self._flag.set()

    async def _run(self):
        while True:
            self._flag.clear()
            while self._waiting:
                await self._answer(*self._waiting.popleft())
            await wait(self._flag, _SILENCE_MS)
            if not self._flag.is_set():
                break
        app = self._app
        app.host.improv = None
        if not app.uplink.links and app.parts.get("wifi"):
            app.parts.get("wifi").off()

    async def _answer(self, kind, data):
        if kind not in (_COMMAND, None):
            return  # a line that gives our own back
        if len(data) < 2 or data[1] != len(data) - 2:
            await self._error(_INVALID)
            return
        await self._error(_NO_ERROR)
        command = data[0]
        if command == _TELL:
            await self._tell(command)
        elif command == _ABOUT:
            app = self._app
            name = "Diadema " + app.board  # as the manifest of the browser's page has it
            names = (name, app.machine.firmware, app.board, app.station_id)
            await self._result(command, names)
        elif command not in (_WIFI, _SCAN):
            await self._error(_UNKNOWN)
        elif self._owned:
            await self._error(_NOT_AUTHORIZED)
        else:
            try:
                await (self._join(data[2:]) if command == _WIFI else self._scan())
            except ValueError:
                await self._error(_INVALID)
            except (StationError, OSError, MemoryError) as error:
                self._app.serial.log("wifi: {}".format(error))
                failed = isinstance(error, PartError) and command == _WIFI
                if getattr(error, "code", "no_memory") in ("no_memory", "radio"):
                    self._app.fault("wifi", getattr(error, "code", "no_memory"))
                await self._error(_UNABLE if failed else _OTHER)
                await self._tell()

    # ------------------------------------------------------------------ what is asked

    @property
    def _owned(self):
        """A hub has configured this station: its Wi-Fi is the hub's."""
        config = self._app.machine.config
        return bool(config.key or config.broker)

    async def _scan(self):
        app = self._app
        app.settle_links()  # those of a hub that is forgotten
        async with app.radio_lock:
            heard = await beside(made(app).scan)
        for name, (rssi, security) in loudest(heard).items():
            await self._result(_SCAN, (name, str(rssi), "YES" if security else "NO"))
        await self._result(_SCAN, ())

    async def _join(self, data):
        ssid, password = credentials(data)
        wifi = {"ssid": ssid, "password": password}
        app = self._app
        await self._say(_STATE, bytes((_JOINING,)))
        app.settle_links()  # those of a hub that is forgotten
        async with app.radio_lock:
            made(app).off()
            try:
                await join(app, wifi)
            except (StationError, MemoryError):
                if not self._owned:
                    made(app).off()
                raise
        app.fault("wifi", None)
        if self._owned:  # meanwhile, over the same cable
            await self._error(_NOT_AUTHORIZED)
            return
        saved_wifi.save(wifi)
        app.machine.config.wifi = wifi
        app.wake()  # the screen tells it
        await self._tell(_WIFI)

    # ------------------------------------------------------------------ what is told

    async def _tell(self, command=None):
        """The state, and where the station has its Wi-Fi also the answer to a command."""
        config = self._app.machine.config
        joined = config.wifi or self._owned
        await self._say(_STATE, bytes((_JOINED if joined else _READY,)))
        if joined and command:
            await self._result(command, ())  # no page to go to; an empty one would be a link

    async def _error(self, code):
        await self._say(_ERROR, bytes((code,)))

    async def _say(self, kind, data):
        await self._app.serial.write(packet(kind, data) + b"\n")

    async def _result(self, command, strings):
        await self._app.serial.write(result(command, strings) + b"\n")
