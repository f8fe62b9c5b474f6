"""What a configuration must be like. Loaded to check one, and dropped afterwards."""

from binascii import a2b_base64

from lib.errors import ConfigError

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
_OPTIONAL = {"key": -64, "sntp": 259, "wifi": {"ssid": 32, "password": 63}}
_BROKER = {"host": 253, "port": (1, 65535), "ca": 2048, "user": 64, "password": 64}


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
    badges: set[str] = set()
    for key, agent in _rows("agents", data.get("agents"), 400, 3, set(), 1):
        if not isinstance(agent[2], list) or not isinstance(agent[-1], list):
            raise ConfigError(key, "its badges are a list")
        if len(agent[-1]) > len(agent[2]):
            raise ConfigError(key, "more card keys than badges")
        for card_key in agent[3:] and agent[3]:
            check(key, card_key, -32)
        for badge in agent[2]:
            check(key, badge, -32)
            _once(key, badge, badges)
    for key, reason in _rows("reasons", data.get("reasons"), 60, 3, set()):
        check(key, reason[2], (0, 1))
    tree = data.get("tree")
    named = isinstance(tree, dict) and isinstance(tree.get("version"), str)
    check("tree", tree, {"version": 16 if named else _VERSIONS})
    _nodes("tree.nodes", tree.get("nodes"), 3, set())


def _rows(key, rows, most, width, codes, more=0):
    """Rows of code, label and more, `more` of it optional; yields each with its key."""
    if not isinstance(rows, list) or len(rows) > most:
        raise ConfigError(key, "a list of at most %d" % most)
    for at, row in enumerate(rows):
        here = "%s[%d]" % (key, at)
        if not isinstance(row, list) or not width <= len(row) <= width + more:
            raise ConfigError(here, "a list of %d things" % width)
        check(here, row[0], 24)
        check(here, row[1], 16)
        _once(here, row[0], codes)
        yield here, row


def _once(key, code, seen):
    if code in seen:
        raise ConfigError(key, code + " is there twice")
    seen.add(code)


def _nodes(key, nodes, levels, codes):
    for here, node in _rows(key, nodes, 60, 3 if levels > 1 else 2, codes):
        if levels > 1:
            if not node[2]:
                raise ConfigError(here, "no codes below it; the tree has three levels")
            _nodes(here, node[2], levels - 1, codes)
