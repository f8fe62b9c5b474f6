"""`network` of the simulated board: a Wi-Fi station among the access points it is told of.

The `wifi` command gives {"networks": {name: password}}; an open one has an empty password, and an
empty table is radio silence. The radio takes of the chip's memory, and is not there without.
"""

import memory
import pins
import wire

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_BEACON_TIMEOUT = 200
STAT_ASSOC_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204

_NO_MEMORY = "Wifi Unknown Error 0x0101"  # ESP_ERR_NO_MEM
_ASSOCIATION_MS = 300  # a WPA2 handshake with DHCP on a quiet channel takes no less
_networks = {}
_radios = {}  # by interface: each is there once, whoever asks for it
_connections = []  # functions to be called when their air is gone


_failing = {}  # "made", "active", "connect": what it raises there


def _radio(command):
    """The `radio` command gives {"fails": {where: name of an error}}, until the next one."""
    _failing.clear()
    _failing.update(command["fails"])


def _attempt(where):
    failure = _failing.get(where)
    if failure == "OSError":
        raise OSError("Wifi Internal Error")
    if failure == "RuntimeError":
        raise RuntimeError("Wifi Unknown Error 0x0102")
    if failure:
        raise MemoryError("memory allocation failed, allocating 1024 bytes")


def _wifi(command):
    _networks.clear()
    _networks.update(command["networks"])
    for radio in _radios.values():
        radio._air_changed()


wire.on("wifi", _wifi)
wire.on("radio", _radio)


def on_cut(function):
    """Call `function()` when the association over which a connection goes has ended."""
    _connections.append(function)


def off_cut(function):
    if function in _connections:
        _connections.remove(function)


def _cut():
    while _connections:
        _connections.pop()()


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1  # where nobody says otherwise
    PM_POWERSAVE = 2

    def __new__(cls, interface_id=STA_IF):
        if interface_id not in _radios:
            _attempt("made")
            if not memory.radio():
                raise RuntimeError(_NO_MEMORY)
            _radios[interface_id] = object.__new__(cls)
            _radios[interface_id]._begin()
        return _radios[interface_id]

    def _begin(self):
        self._active = False
        self._status = STAT_IDLE
        self._wanted = None
        self._entry = None
        self._config = {"hostname": "mpy-esp32", "reconnects": -1, "pm": WLAN.PM_PERFORMANCE}

    def active(self, is_active=None):
        if is_active is None:
            return self._active
        if is_active:
            _attempt("active")
        if not memory.joined(is_active):
            raise RuntimeError(_NO_MEMORY)
        self._active = bool(is_active)
        if not is_active:
            self.disconnect()
        self._look_at_sleep()

    def _look_at_sleep(self):
        pins.sleep_modem(self._active and self._config["pm"] != WLAN.PM_NONE)

    def connect(self, ssid=None, key=None, *, bssid=None):
        if not self._active:
            raise OSError("Wifi Not Started")
        _attempt("connect")
        if ssid is not None:
            self._wanted = (ssid, key)
        self._try()

    def _try(self):
        self._status = STAT_CONNECTING
        if self._entry:
            wire.cancel(self._entry)
        self._entry = wire.alarm(wire.now() + _ASSOCIATION_MS, self._associated)

    def _associated(self):
        self._entry = None
        name, key = self._wanted
        if name not in _networks:
            self._status = STAT_NO_AP_FOUND
        elif _networks[name] != key:
            self._status = STAT_WRONG_PASSWORD
        else:
            self._status = STAT_GOT_IP
            return
        if self._config["reconnects"]:
            self._entry = wire.alarm(wire.now() + 1000, self._try)

    def _air_changed(self):
        if self._status == STAT_GOT_IP and _networks.get(self._wanted[0]) != self._wanted[1]:
            self._status = STAT_BEACON_TIMEOUT
            _cut()
            self._try()

    def disconnect(self):
        if self._entry:
            wire.cancel(self._entry)
            self._entry = None
        if self._status == STAT_GOT_IP:
            _cut()
        self._status = STAT_IDLE

    def isconnected(self):
        return self._status == STAT_GOT_IP

    def status(self, parameter=None):
        if parameter == "rssi":
            return -55 if self.isconnected() else 0
        return self._status

    def scan(self):
        if not self._active:
            raise OSError("Wifi Not Started")
        return [
            (name.encode(), b"\2\0\0\0\0\1", 6, -55, 3 if _networks[name] else 0, False)
            for name in _networks
        ]

    def config(self, name=None, **values):
        if name == "ssid":
            return self._wanted[0] if self._wanted else ""
        if name is not None:
            return self._config.get(name)
        self._config.update(values)
        self._look_at_sleep()

    def ifconfig(self, *values):
        address = "127.0.0.1" if self.isconnected() else "0.0.0.0"
        return (address, "255.0.0.0", "127.0.0.1", "127.0.0.1")


def hostname(name=None):
    return "diadema"


def country(code=None):
    return "PE"
