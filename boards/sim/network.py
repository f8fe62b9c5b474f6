"""`network` of the simulated board: a Wi-Fi station among the access points it is told of, as
MicroPython 1.27 and newer (ports/esp32/network_wlan.c) on ESP-IDF 5 has it.

The `wifi` command gives {"networks": {name: password}}, an open one with an empty password, or
{name: [{"key", "bssid", "channel", "rssi", "security", "hidden", "fails"}, …]} for each access
point of that name; all but `fails`, a reason that it gives whoever comes, have their usual value.
An empty table is radio silence. The radio takes of the chip's memory, and is not there without.
"""

import manners
import memory
import pins
import threads
import wire

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
# esp_wifi_types.h: wifi_err_reason_t
STAT_BEACON_TIMEOUT = 200
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_ASSOC_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204
STAT_CONNECT_FAIL = 205  # MicroPython says 202 for it, and has no such name
STAT_NO_AP_FOUND_W_COMPATIBLE_SECURITY = 210
STAT_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD = 211
STAT_NO_AP_FOUND_IN_RSSI_THRESHOLD = 212
_LEFT = 8  # WIFI_REASON_ASSOC_LEAVE
# told whatever goes on, until there is an address; the others only when no more is tried
_STALE = (STAT_NO_AP_FOUND, 210, 211, 212, STAT_WRONG_PASSWORD, STAT_CONNECT_FAIL)

_WPA2, _WPA2_ENTERPRISE = 3, 5  # wifi_auth_mode_t
_SSID, _KEY = 32, 64  # bytes of wifi_sta_config_t
_HOSTNAME = 32
_NO_MEMORY = "Wifi Unknown Error 0x0101"  # ESP_ERR_NO_MEM
_ASSOCIATION_MS = 300  # a WPA2 handshake with DHCP on a quiet channel takes no less
_points = []
_radios = {}  # by interface: each is there once, whoever asks for it
_connections = []  # functions to be called when their air is gone
_failing = {}  # where: what is raised there
_hostname = "mpy-esp32"


class _Point:
    """An access point; `told`: as the command has it."""

    def __init__(self, name, number, entry):
        self.name = name.encode()
        self.key = entry.get("key", "").encode()
        usual = "0200000000%02x" % number
        self.bssid = bytes.fromhex(entry.get("bssid", usual))
        self.channel = entry.get("channel", 6)
        self.rssi = entry.get("rssi", -55)
        self.security = entry.get("security", _WPA2 if self.key else 0)
        self.hidden = entry.get("hidden", False)
        self.fails = entry.get("fails")

    def refuses(self, key):
        """Why a station with that key is refused, None when it is not."""
        if self.fails:
            return self.fails
        if key and self.security < _WPA2:  # a password makes WPA2 the least that is taken
            return STAT_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD
        if self.security == _WPA2_ENTERPRISE or (self.security and not key):
            return STAT_NO_AP_FOUND_W_COMPATIBLE_SECURITY
        return None if key == self.key else manners.wrong_password


def _radio(command):
    """The `radio` command gives {"fails": {where: name of an error}}, until the next one: where is
    "made" or a call's name. {"dead": true}: over the association that is there nothing passes any
    more, and the chip does not know it.
    """
    _failing.clear()
    _failing.update(command.get("fails", {}))
    if command.get("dead"):
        for radio in _radios.values():
            radio.dead = True
        _cut()


def _attempt(where):
    failure = _failing.get(where)
    if failure == "OSError":
        raise OSError("Wifi Internal Error")
    if failure == "RuntimeError":
        raise RuntimeError("Wifi Unknown Error 0x0102")
    if failure:
        raise MemoryError("memory allocation failed, allocating 1024 bytes")


def _wifi(command):
    _points.clear()
    for name, entry in command["networks"].items():
        for one in [{"key": entry}] if isinstance(entry, str) else entry:
            _points.append(_Point(name, len(_points) + 1, one))
    for radio in _radios.values():
        radio._air_changed()


def _air(command):
    """What somebody beside the station sees of its radio."""
    radio = _radios.get(STA_IF)
    return {"hostname": _hostname} if radio is None else radio.seen()


wire.on("wifi", _wifi)
wire.on("radio", _radio)
wire.on("air", _air)


def on_cut(function):
    """Call `function()` when the association over which a connection goes has ended."""
    _connections.append(function)


def off_cut(function):
    if function in _connections:
        _connections.remove(function)


def _cut():
    while _connections:
        _connections.pop()()


def passing():
    """Whether anything gets to the network and back."""
    return any(radio._point and not radio.dead for radio in _radios.values())


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2
    SEC_OPEN = 0
    SEC_WPA2 = _WPA2
    SEC_WPA2_ENT = _WPA2_ENTERPRISE

    def __new__(cls, interface_id=STA_IF):
        if interface_id not in _radios:
            _attempt("made")
            if not memory.radio():
                raise RuntimeError(_NO_MEMORY)
            pins.stall(manners.radio_ms)
            _radios[interface_id] = object.__new__(cls)
            _radios[interface_id]._begin()
        return _radios[interface_id]

    def _begin(self):
        self._active = False
        self._pm = self.PM_PERFORMANCE
        self._reason = 0  # of the last disconnection, until there is an address
        self._requested = False
        self._most = 0  # tries; 0: for ever
        self._tries = 0
        self._ssid = self._key = b""
        self._bssid = None
        self._point = None  # where it is associated and has an address
        self.dead = False
        self._entry = None
        self._name = None  # that the DHCP server was told

    def seen(self):
        point = self._point
        return {
            "active": self._active, "pm": self._pm, "hostname": self._name,
            "bssid": point and point.bssid.hex(), "reason": self._reason,
            "stood_ms": threads.stood_ms,
        }  # fmt: skip

    def active(self, is_active=None):
        _attempt("active")
        if is_active is None:
            return self._active
        if not memory.joined(is_active):
            raise RuntimeError(_NO_MEMORY)
        if is_active and not self._active:
            self._pm = self.PM_PERFORMANCE
            self._tries = 0
        self._active = bool(is_active)
        if not is_active:
            self._requested = False
            self._leave()
        self._look_at_sleep()
        return self._active

    def _look_at_sleep(self):
        pins.sleep_modem(self._active and self._pm != self.PM_NONE)

    # ------------------------------------------------------------------ an association

    def connect(self, ssid=None, key=None, *, bssid=None):
        _attempt("connect")
        self._started()
        if self._entry and not self._point:  # esp_wifi_set_config of one that is connecting
            raise OSError("Wifi Internal State Error")
        if bssid is not None and len(bssid) != 6:
            raise ValueError
        if ssid is not None:
            self._ssid = _bytes(ssid)[:_SSID]
            self._key = _bytes(key or "")[:_KEY]
            self._bssid = bssid
        self._name = _hostname
        self._tries = 0
        self._requested = True
        self._try()

    def _started(self):
        if not self._active:
            raise OSError("Wifi Not Started")

    def _choose(self):
        """(point, None) of the first that is heard and suits, or (None, reason)."""
        found = STAT_NO_AP_FOUND
        for point in sorted(_points, key=lambda point: point.channel):
            if point.name == self._ssid and self._bssid in (None, point.bssid):
                found = point.refuses(self._key)
                if found is None:
                    return point, None
                if found < 210:  # it suits, but does not let us in
                    break
        return None, found

    def _try(self):
        _, reason = self._choose()
        wait_ms = _ASSOCIATION_MS
        if reason == manners.wrong_password:
            wait_ms = manners.wrong_password_ms
        elif reason:
            wait_ms = manners.scan_ms
        self._after(wait_ms, self._tried)

    def _after(self, wait_ms, function):
        if self._entry:
            wire.cancel(self._entry)
        self._entry = wire.alarm(wire.now() + wait_ms, function)

    def _tried(self):
        self._entry = None
        point, reason = self._choose()
        if point:
            self._point = point
            self.dead = False
            self._reason = 0
        else:
            self._disconnected(reason)

    def _disconnected(self, reason):
        """WIFI_EVENT_STA_DISCONNECTED."""
        self._entry = None
        self._reason = reason
        if self._point:
            self._point = None
            _cut()
        if self._requested and self._active:
            if self._most:
                self._tries += 1
                if self._tries >= self._most:
                    return
            self._try()

    def _air_changed(self):
        point = self._point
        if point and not self.dead:
            for other in _points:
                if (other.bssid, other.name, other.key) == (point.bssid, point.name, point.key):
                    self._point = other
                    return
            self.dead = True
            _cut()
            self._after(manners.beacon_ms, self._unheard)

    def _unheard(self):
        self._disconnected(STAT_BEACON_TIMEOUT)

    def disconnect(self):
        _attempt("disconnect")
        self._started()
        self._requested = False
        self._leave()

    def _leave(self):
        if self._entry:
            wire.cancel(self._entry)
        if self._entry or self._point:
            self._disconnected(_LEFT)

    def isconnected(self):
        _attempt("isconnected")
        return self._point is not None

    def status(self, parameter=None):
        _attempt("status")
        if parameter == "rssi":
            if not self._point:
                raise OSError("Wifi Not Connected")
            return self._point.rssi
        reason = self._reason
        if self._point:
            return STAT_GOT_IP
        if reason in _STALE:
            return STAT_WRONG_PASSWORD if reason == STAT_CONNECT_FAIL else reason
        if reason == _LEFT:
            return STAT_IDLE
        if self._requested and not (self._most and self._tries >= self._most):
            return STAT_CONNECTING
        return reason or STAT_IDLE

    def scan(self):
        _attempt("scan")
        if not self._active:
            raise OSError("STA must be active")
        if self._entry and not self._point:  # esp_wifi_scan_start of one that is connecting
            return []
        threads.let_go(manners.scan_ms)
        return [
            (b"" if at.hidden else at.name, at.bssid, at.channel, at.rssi, at.security, False)
            for at in _points
        ]

    # ------------------------------------------------------------------ settings

    def config(self, name=None, **values):
        _attempt("config")
        if name is not None:
            if name == "ssid":  # taken as a C string, which one of 32 bytes is not
                text = self._ssid + (self._key if len(self._ssid) == _SSID else b"")
                return text.decode()
            return {"reconnects": self._most - 1, "pm": self._pm, "hostname": _hostname}[name]
        if self._entry and not self._point:  # esp_wifi_set_config, whatever was asked
            raise OSError("Wifi Internal State Error")
        for name, value in values.items():
            if name == "reconnects":
                self._most = 0 if value == -1 else value + 1
            elif name == "pm":
                self._pm = value
                self._look_at_sleep()
            elif name in ("hostname", "dhcp_hostname"):
                hostname(value)
            else:
                raise ValueError("unknown config param")

    def ifconfig(self, *values):
        address = "127.0.0.1" if self._point else "0.0.0.0"
        return (address, "255.0.0.0", "127.0.0.1", "127.0.0.1")


def _bytes(text):
    return text.encode() if isinstance(text, str) else bytes(text)


def hostname(name=None):
    """What the next connect tells the DHCP server."""
    global _hostname
    if name is None:
        return _hostname
    if len(name) > _HOSTNAME:
        raise ValueError
    _hostname = name


def country(code=None):
    return "PE"
