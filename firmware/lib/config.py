"""The station's configuration: blocks come in, are checked whole, and rest in two files by turns.

A file is `DCFG` + serial (8 hex) + CRC-32 (8 hex) + newline + JSON; the CRC is over serial and
JSON. The valid file with the higher serial counts, so a cut while writing leaves the other one.
"""

import json
from binascii import a2b_base64, crc32, hexlify, unhexlify
from hashlib import sha256

from lib.badges import badge_hash
from lib.errors import ConfigError

_PARTS_LIMIT = 40  # 40 × 480 bytes
_BLOCK_LIMIT = 480
_MARK = b"DCFG"
_HEAD = 21  # mark, serial, CRC, newline
LANGUAGES = ("es", "en")


class Config:
    """What the station was told, with a default for each thing it was not."""

    def __init__(self, data=None):
        data = data or {}
        self.generation = data.get("generation", 0)
        self.seat = data.get("seat", "")
        self.language = data.get("language", "es")
        self.utc_offset_min = data.get("utc_offset_min", -300)
        self.ring_limit_ms = data.get("ring_limit_s", 20) * 1000
        self.wrapup_limit_ms = data.get("wrapup_limit_s", 60) * 1000
        self.agents = data.get("agents", [])
        self.reasons = data.get("reasons", [])
        self.tree = data.get("tree", {}).get("nodes", [])
        self.tree_version = data.get("tree", {}).get("version", 0)
        self._badge_key = unhexlify(data["badge_key"]) if data else None

    def find(self, kind, identity):
        """(keyed hash, agent id) of a badge; None for what is not known."""
        if self._badge_key is None:
            return None, None
        badge = badge_hash(self._badge_key, kind, identity)
        for agent in self.agents:
            if badge in agent[2]:
                return badge, agent[0]
        return badge, None

    def name_of(self, agent):
        return _label(self.agents, agent)

    def reason_label(self, code):
        return _label(self.reasons, code)


def _label(rows, code):
    for row in rows:
        if row[0] == code:
            return row[1]
    return code or ""


class Assembler:
    """Puts the blocks of one configuration together, in whatever order they come."""

    def __init__(self):
        self._key = None
        self._blocks = []

    def add(self, command):
        """The whole text once the last block is there, else None. Raises ConfigError."""
        part, parts = command.get("part"), command.get("parts")
        if not isinstance(parts, int) or not 1 <= parts <= _PARTS_LIMIT:
            raise ConfigError("parts", "1 to {}".format(_PARTS_LIMIT))
        if not isinstance(part, int) or not 1 <= part <= parts:
            raise ConfigError("part", "1 to {}".format(parts))
        key = (command.get("i"), command.get("sha256"), parts)
        if key != self._key:
            self._key = key
            self._blocks = [None] * parts
        try:
            block = a2b_base64(command.get("data"))
        except (ValueError, TypeError):
            raise ConfigError("data", "not base64") from None
        if len(block) > _BLOCK_LIMIT:
            raise ConfigError("data", "at most 480 bytes a part")
        self._blocks[part - 1] = block
        if None in self._blocks:
            return None
        text = b"".join(self._blocks)
        self._key, self._blocks = None, []
        if hexlify(sha256(text).digest()).decode() != command.get("sha256"):
            raise ConfigError("sha256", "the parts do not add up to it")
        return text


def parse(text, station):
    """The validated Config of `text` (bytes of JSON). Raises ConfigError with key and reason."""
    try:
        data = json.loads(text)
    except ValueError:
        raise ConfigError("data", "not JSON") from None
    validate(data, station)
    return Config(data)


class ConfigStore:
    """The two generation files; `folder` ends without a slash."""

    def __init__(self, station, folder=""):
        self._station = station
        self._paths = (folder + "/config.0", folder + "/config.1")
        self._serial = 0
        self._next = 0
        self.broken = 0  # files found that do not check

    def load(self):
        """The newest valid Config; an empty one when there is none."""
        heads = [_head(path) for path in self._paths]
        self.broken = sum(1 for serial in heads if serial == 0)
        order = sorted((0, 1), key=lambda at: -(heads[at] or 0))
        self._next = order[1]
        self._serial = heads[order[0]] or 0
        for at in order:
            if heads[at]:
                with open(self._paths[at], "rb") as file:
                    file.read(_HEAD)
                    text = file.read()
                try:
                    return parse(text, self._station)
                except ConfigError:
                    self.broken += 1  # written by a firmware that asked for less
                    self._next = at
        return Config()

    def save(self, text):
        """Write `text` over the older file."""
        self._serial += 1
        serial = b"%08X" % self._serial
        with open(self._paths[self._next], "wb") as file:
            file.write(_MARK + serial + b"%08X\n" % crc32(text, crc32(serial)))
            file.write(text)
        self._next = 1 - self._next


def _head(path):
    """Serial of a file that checks, 0 of one that does not, None of none."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
            check = crc32(head[4:12])
            while True:
                block = file.read(256)
                if not block:
                    break
                check = crc32(block, check)
    except OSError:
        return None
    if len(head) == _HEAD and head[:4] == _MARK and head[12:] == b"%08X\n" % check:
        return int(head[4:12], 16)
    return 0


# ---------------------------------------------------------------------- validation


def _fail(key, reason):
    raise ConfigError(key, reason)


def _text(key, value, longest):
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        _fail(key, "text of 1 to {} characters".format(longest))


def _number(key, value, low, high):
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        _fail(key, "a whole number from {} to {}".format(low, high))


def _hex(key, value, digits):
    if not isinstance(value, str) or len(value) != digits:
        _fail(key, "{} hex digits".format(digits))
    for digit in value:
        if digit not in "0123456789abcdef":
            _fail(key, "{} lower-case hex digits".format(digits))


def _rows(key, value, most, width):
    if not isinstance(value, list) or len(value) > most:
        _fail(key, "a list of at most {}".format(most))
    for at, row in enumerate(value):
        if not isinstance(row, list) or len(row) != width:
            _fail("{}[{}]".format(key, at), "a list of {} things".format(width))


def _once(key, code, seen):
    if code in seen:
        _fail(key, "{} is there twice".format(code))
    seen.add(code)


def validate(data, station):
    """Raises ConfigError for the first thing that is missing or wrong."""
    if not isinstance(data, dict):
        _fail("data", "not an object")
    _number("generation", data.get("generation"), 1, 0x3FFFFFFF)
    _text("site", data.get("site"), 32)
    if data.get("station") != station:
        _fail("station", "is for {}, this is {}".format(data.get("station"), station))
    _text("seat", data.get("seat"), 12)
    if data.get("language") not in LANGUAGES:
        _fail("language", "one of es, en")
    _number("utc_offset_min", data.get("utc_offset_min"), -720, 840)
    _hex("badge_key", data.get("badge_key"), 64)
    _number("ring_limit_s", data.get("ring_limit_s"), 5, 600)
    _number("wrapup_limit_s", data.get("wrapup_limit_s"), 5, 3600)
    _agents(data.get("agents"))
    _reasons(data.get("reasons"))
    _tree(data.get("tree"))


def _agents(agents):
    _rows("agents", agents, 120, 3)
    codes, badges = set(), set()
    for at, (code, name, held) in enumerate(agents):
        key = "agents[{}]".format(at)
        _text(key, code, 24)
        _text(key, name, 16)
        _once(key, code, codes)
        if not isinstance(held, list):
            _fail(key, "its badges are a list")
        for badge in held:
            _hex(key, badge, 32)
            _once(key, badge, badges)


def _reasons(reasons):
    _rows("reasons", reasons, 24, 3)
    codes = set()
    for at, (code, label, private) in enumerate(reasons):
        key = "reasons[{}]".format(at)
        _text(key, code, 24)
        _text(key, label, 16)
        _number(key, private, 0, 1)
        _once(key, code, codes)


def _tree(tree):
    if not isinstance(tree, dict):
        _fail("tree", "not an object")
    _number("tree.version", tree.get("version"), 0, 0x3FFFFFFF)
    _nodes("tree.nodes", tree.get("nodes"), 3, set())


def _nodes(key, nodes, levels, seen):
    _rows(key, nodes, 48, 3 if levels > 1 else 2)
    for at, node in enumerate(nodes):
        here = "{}[{}]".format(key, at)
        _text(here, node[0], 24)
        _text(here, node[1], 16)
        _once(here, node[0], seen)
        if levels > 1:
            if not node[2]:
                _fail(here, "has no codes below it; the tree has three levels")
            _nodes(here, node[2], levels - 1, seen)
