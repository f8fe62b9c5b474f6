"""What a configuration must be like."""

import json
from binascii import a2b_base64, crc32

from lib.errors import StationError

_VERSIONS = (1, 0x3FFFFFFF)
_LANGUAGES = ("es", "en")
# the shape of a value: text of 1 to 16 characters is 16, of 64 hex digits −64, a whole number from
# 1 to 600 is (1, 600), an object the shapes of its members
_SHAPE = {
    "generation": _VERSIONS,
    "site": 32,
    "station": 16,
    "seat": 16,
    "utc_offset_min": (-720, 840),
    "badge_key": -64,
    "ring_limit_s": (1, 600),
    "wrapup_limit_s": (1, 7200),
}
_OPTIONAL = {
    "key": -64, "sntp": 259, "firmware": 16, "wifi": {"ssid": 32}, "selftest": (0, 1),
    "update_key": 512,
}  # fmt: skip
_PINS = ("none", "always", "clonable")
_STEPS = "greeting identity need information doubts closing".split()  # noqa: SIM905
_DAY_MIN = (0, 1440)
_BROKER = {"host": 253, "port": (1, 65535), "ca": 2048, "user": 64, "password": 64}


class ConfigError(StationError):
    """A configuration that does not validate: which key, and what is wrong with it."""

    def __init__(self, key, reason):
        super().__init__("{}: {}".format(key, reason))
        self.key = key
        self.reason = reason


def check(key, value, shape):
    """Raises ConfigError when a value has another shape."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise ConfigError(key or "data", "not an object")
        for name in shape:
            check(key + "." + name if key else name, value.get(name), shape[name])
        return
    if isinstance(shape, tuple):
        right = isinstance(value, int) and not isinstance(value, bool)
        right = right and shape[0] <= value <= shape[1]
        reason = "a whole number from %d to %d" % shape
    elif shape < 0:
        right = isinstance(value, str) and len(value) == -shape
        right = right and not value.strip("0123456789abcdef")
        reason = "%d lower-case hex digits" % -shape
    else:
        right = isinstance(value, str) and 0 < len(value) <= shape
        reason = "text of 1 to %d characters" % shape
    if not right:
        raise ConfigError(key, reason)


def validate(data, station):
    """Raises ConfigError for the first thing that is missing or wrong."""
    check("", data, _SHAPE)
    if data["station"] != station:
        raise ConfigError("station", "this one is " + station)
    if data.get("language") not in _LANGUAGES:
        raise ConfigError("language", "es or en")
    for key in _OPTIONAL:
        if key in data:
            check(key, data[key], _OPTIONAL[key])
    if "wifi" in data:
        _wifi(data["wifi"]["ssid"], data["wifi"].get("password"))
    if "wifi" in data or "broker" in data:
        broker = data.get("broker")
        check("broker", broker, _BROKER)
        try:
            a2b_base64(broker["ca"])
        except ValueError:
            raise ConfigError("broker.ca", "not base64") from None
    if "sntp" in data:
        host, _, port = data["sntp"].rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ConfigError("sntp", "host:port")
    if data.get("pin", "none") not in _PINS:
        raise ConfigError("pin", "none, always or clonable")
    ids: set[int] = set()
    badges: set[int] = set()
    codes: set[int] = set()
    for key, agent in _rows("agents", data.get("agents"), 400, 3, None, 3):
        _once_of_many(key, agent[0], ids)
        _agent(key, (agent + [[], "", ""][len(agent) - 3 :])[2:], badges, codes)
    for key, reason in _rows("reasons", data.get("reasons"), 60, 3, set(), 1):
        check(key, reason[2], (0, 7))
        if len(reason) > 3:  # who is private is not counted by the minute
            check(key, reason[3], (0, 0 if reason[2] & 1 else 28_800))
    _work(data)
    tree = data.get("tree")
    named = isinstance(tree, dict) and isinstance(tree.get("version"), str)
    check("tree", tree, {"version": 16 if named else _VERSIONS})
    _nodes("tree.nodes", tree.get("nodes"), 3, set())


def _wifi(ssid, password):
    """Wi-Fi counts bytes, and takes 64 digits for the key itself."""
    if len(ssid.encode()) > 32:
        raise ConfigError("wifi.ssid", "more than 32 bytes")
    size = len(password.encode()) if isinstance(password, str) else 1
    key = size == 64 and not password.lower().strip("0123456789abcdef")
    if size and not key and not 8 <= size <= 63:
        raise ConfigError("wifi.password", "empty, 8 to 63 bytes, or 64 hex digits")


def _agent(key, rest, badges, codes):
    """`rest`: all that stands behind the name."""
    hashes, card_keys, pin, code = rest
    if not isinstance(hashes, list) or not isinstance(card_keys, list):
        raise ConfigError(key, "its badges are a list")
    if len(card_keys) > len(hashes):
        raise ConfigError(key, "more card keys than badges")
    for card_key in card_keys:
        check(key, card_key, -32)
    for badge in hashes:
        check(key, badge, -32)
        _once_of_many(key, badge, badges)
    try:
        if pin != "" and (not isinstance(pin, str) or len(a2b_base64(pin)) not in (24, 28)):
            raise ValueError
    except ValueError:
        raise ConfigError(key, "its PIN is no salt and hash") from None
    if code != "":
        if not isinstance(code, str) or len(code) != 4 or code.strip("123456") or not pin:
            raise ConfigError(key, "its code: four digits from 1 to 6, and a PIN")
        _once_of_many(key, code, codes)


def _work(data):
    """The lists that a site need not have."""
    for name in ("help", "methods", "materials", "tools"):
        for _ in _rows(name, data.get(name, []), 60, 2, set()):
            pass
    for key, area in _rows("areas", data.get("areas", []), 60, 3, set()):
        check(key, area[2], (0, 1))
    for key, area in _rows("faults", data.get("faults", []), 60, 3, set()):
        for _ in _rows(key, area[2], 60, 2, set()):
            pass
    for key, book in _rows("playbooks", data.get("playbooks", []), 60, 3, set()):
        check(key, book[2], 16 if isinstance(book[2], str) else _VERSIONS)
    for key, campaign in _rows("campaigns", data.get("campaigns", []), 60, 5, set()):
        steps, window = campaign[2], campaign[3]
        seen: set[str] = set()
        for step in _pairs(key, steps):
            if step[0] not in _STEPS:
                raise ConfigError(key, "a step: one of " + " ".join(_STEPS))
            check(key, step[1], (0, 1))
            _once(key, step[0], seen)
        if window is not None:
            if not isinstance(window, list) or len(window) != 3:
                raise ConfigError(key, "its hours: from, to, days")
            check(key, window[0], _DAY_MIN)
            check(key, window[1], _DAY_MIN)
            check(key, window[2], (0, 127))
        check(key, campaign[4], (0, 1))


def _pairs(key, rows):
    if not isinstance(rows, list) or not all(isinstance(r, list) and len(r) == 2 for r in rows):
        raise ConfigError(key, "its steps are a list of pairs")
    return rows


def _rows(key, rows, most, width, codes, more=0):
    """Rows of code, label and more, `more` of it optional; yields each with its key."""
    if not isinstance(rows, list) or len(rows) > most:
        raise ConfigError(key, "a list of at most %d" % most)
    for at, row in enumerate(rows):
        here = "%s[%d]" % (key, at)
        if isinstance(row, bytes):
            try:
                row = json.loads(row)
            except ValueError:
                raise ConfigError(here, "not JSON") from None
        if not isinstance(row, list) or not width <= len(row) <= width + more:
            raise ConfigError(here, "a list of %d things" % width)
        check(here, row[0], 24)
        check(here, row[1], 16)
        if codes is not None:
            _once(here, row[0], codes)
        yield here, row


def _once(key, code, seen):
    if code in seen:
        raise ConfigError(key, code + " is there twice")
    seen.add(code)


def _once_of_many(key, code, seen):
    """The same for what lies nowhere as an object: a small number takes no memory."""
    mark = crc32(code.encode()) >> 2
    if mark in seen:
        raise ConfigError(key, code + " is there twice")
    seen.add(mark)


def _nodes(key, nodes, levels, codes):
    for here, node in _rows(key, nodes, 60, 3 if levels > 1 else 2, codes):
        if levels > 1:
            if not node[2]:
                raise ConfigError(here, "no codes below it; the tree has three levels")
            _nodes(here, node[2], levels - 1, codes)
