"""What a configuration must be like. Loaded to check one, and dropped afterwards."""

from binascii import a2b_base64

from lib.errors import ConfigError

LANGUAGES = ("es", "en")


def text(key, value, longest):
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise ConfigError(key, "text of 1 to %d characters" % longest)


def number(key, value, low, high):
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigError(key, "a whole number from %d to %d" % (low, high))


def hex_digits(key, value, digits):
    if not isinstance(value, str) or len(value) != digits or value.strip("0123456789abcdef"):
        raise ConfigError(key, "%d lower-case hex digits" % digits)


def _rows(key, rows, most, width, codes):
    """Rows of code, label and more; yields each with its key."""
    if not isinstance(rows, list) or len(rows) > most:
        raise ConfigError(key, "a list of at most %d" % most)
    for at, row in enumerate(rows):
        here = "%s[%d]" % (key, at)
        if not isinstance(row, list) or len(row) != width:
            raise ConfigError(here, "a list of %d things" % width)
        text(here, row[0], 24)
        text(here, row[1], 16)
        _once(here, row[0], codes)
        yield here, row


def _once(key, code, seen):
    if code in seen:
        raise ConfigError(key, code + " is there twice")
    seen.add(code)


def validate(data, station):
    """Raises ConfigError for the first thing that is missing or wrong."""
    if not isinstance(data, dict):
        raise ConfigError("data", "not an object")
    get = data.get
    number("generation", get("generation"), 1, 0x3FFFFFFF)
    text("site", get("site"), 32)
    if get("station") != station:
        raise ConfigError("station", "this one is " + station)
    text("seat", get("seat"), 16)
    if get("language") not in LANGUAGES:
        raise ConfigError("language", "es or en")
    number("utc_offset_min", get("utc_offset_min"), -720, 840)
    hex_digits("badge_key", get("badge_key"), 64)
    if "key" in data:
        hex_digits("key", data["key"], 64)
    if "wifi" in data:
        _texts("wifi", data["wifi"], (("ssid", 32), ("password", 63)))
        _broker(get("broker"))
    elif "broker" in data:
        _broker(data["broker"])
    if "sntp" in data:
        _server("sntp", data["sntp"])
    number("ring_limit_s", get("ring_limit_s"), 1, 600)
    number("wrapup_limit_s", get("wrapup_limit_s"), 1, 7200)
    badges: set[str] = set()
    for key, agent in _rows("agents", get("agents"), 400, 3, set()):
        if not isinstance(agent[2], list):
            raise ConfigError(key, "its badges are a list")
        for badge in agent[2]:
            hex_digits(key, badge, 32)
            _once(key, badge, badges)
    for key, reason in _rows("reasons", get("reasons"), 60, 3, set()):
        number(key, reason[2], 0, 1)
    tree = get("tree")
    if not isinstance(tree, dict):
        raise ConfigError("tree", "not an object")
    version = tree.get("version")
    if isinstance(version, str):
        text("tree.version", version, 16)
    else:
        number("tree.version", version, 1, 0x3FFFFFFF)
    _nodes("tree.nodes", tree.get("nodes"), 3, set())


def _texts(key, data, limits):
    if not isinstance(data, dict):
        raise ConfigError(key, "not an object")
    for name, longest in limits:
        text(key + "." + name, data.get(name), longest)


def _broker(data):
    _texts("broker", data, (("host", 253), ("ca", 2048), ("user", 64), ("password", 64)))
    number("broker.port", data.get("port"), 1, 65535)
    try:
        a2b_base64(data["ca"])
    except ValueError:
        raise ConfigError("broker.ca", "not base64") from None


def _server(key, value):
    text(key, value, 259)
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(key, "host:port")


def _nodes(key, nodes, levels, codes):
    for here, node in _rows(key, nodes, 60, 3 if levels > 1 else 2, codes):
        if levels > 1:
            if not node[2]:
                raise ConfigError(here, "no codes below it; the tree has three levels")
            _nodes(here, node[2], levels - 1, codes)
