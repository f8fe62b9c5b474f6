"""The station's configuration: blocks come in, are checked whole, and rest in two files by turns.

A file is `DCFG` + serial (8 hex) + CRC-32 (8 hex) + newline + JSON; the CRC is over serial and
JSON. The valid file with the higher serial counts, so a cut while writing leaves the other one.
"""

import json
import os
from binascii import a2b_base64, crc32, hexlify, unhexlify
from hashlib import sha256

from lib.badges import badge_hash
from lib.errors import ConfigError

_PARTS_LIMIT = 70  # of 480 bytes
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


class ConfigStore:
    """The two generation files; `folder` ends without a slash.

    Blocks go straight into the older file, whose head is written last: until then it does not
    count. So a configuration never lies in memory as text.
    """

    def __init__(self, station, folder=""):
        self._station = station
        self._paths = (folder + "/config.0", folder + "/config.1")
        self._serial = 0
        self._older = 0
        self._coming = None  # (i, sha256, parts) of the configuration on its way
        self._part = 0
        self._hash = sha256()
        self._check = 0
        self.broken = 0  # files found that do not check

    def load(self):
        """The newest valid Config; an empty one when there is none."""
        heads = [_head(path) for path in self._paths]
        self.broken = sum(1 for serial in heads if serial == 0)
        newer = 1 if (heads[1] or 0) > (heads[0] or 0) else 0
        self._older = 1 - newer
        self._serial = heads[newer] or 0
        for at in (newer, 1 - newer):
            if heads[at]:
                try:
                    return self._read(self._paths[at])
                except ConfigError:
                    self.broken += 1  # written by a firmware that asked for less
                    self._older = at
        return Config()

    def erase(self):
        """Forget both generations; only an explicit order may ask for it."""
        for path in self._paths:
            try:
                os.remove(path)
            except OSError:
                pass  # it was not there

    def _read(self, path):
        with open(path, "rb") as file:
            file.read(_HEAD)
            try:
                data = json.load(file)
            except ValueError:
                raise ConfigError("data", "not JSON") from None
        validate(data, self._station)
        return Config(data)

    def add(self, command):
        """Take one block; the new Config once the last one is there and all is right, else None.

        Blocks come in order; the first begins anew. Raises ConfigError, OSError.
        """
        part, parts, digest = command.get("part"), command.get("parts"), command.get("sha256")
        _number("parts", parts, 1, _PARTS_LIMIT)
        _number("part", part, 1, parts)
        _hex("sha256", digest, 64)
        try:
            block = a2b_base64(command.get("data"))
        except (ValueError, TypeError):
            raise ConfigError("data", "not base64") from None
        if len(block) > _BLOCK_LIMIT:
            raise ConfigError("data", "at most 480 bytes a part")
        coming = (command["i"], digest, parts)
        if part == 1:
            self._begin(coming)
        elif coming != self._coming or part != self._part + 1:
            return None  # a block got lost: the host sends all again after the next hello
        with open(self._paths[self._older], "ab") as file:
            file.write(block)
        self._hash.update(block)
        self._check = crc32(block, self._check)
        self._part = part
        return self._finish(digest, command.get("generation")) if part == parts else None

    def _begin(self, coming):
        self._coming = coming
        self._hash = sha256()
        self._check = crc32(b"%08X" % (self._serial + 1))
        with open(self._paths[self._older], "wb") as file:
            file.write(bytes(_HEAD))

    def _finish(self, digest, generation):
        self._coming = None
        if hexlify(self._hash.digest()).decode() != digest:
            raise ConfigError("sha256", "the parts do not add up to it")
        path = self._paths[self._older]
        config = self._read(path)
        if config.generation != generation:
            raise ConfigError("generation", "the command and the text differ")
        with open(path, "r+b") as file:
            file.write(_MARK + b"%08X%08X\n" % (self._serial + 1, self._check))
        self._serial += 1
        self._older = 1 - self._older
        return config


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


def _text(key, value, longest):
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise ConfigError(key, "text of 1 to %d characters" % longest)


def _number(key, value, low, high):
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigError(key, "a whole number from %d to %d" % (low, high))


def _hex(key, value, digits):
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
        _text(here, row[0], 24)
        _text(here, row[1], 16)
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
    _number("generation", get("generation"), 1, 0x3FFFFFFF)
    _text("site", get("site"), 32)
    if get("station") != station:
        raise ConfigError("station", "this one is " + station)
    _text("seat", get("seat"), 16)
    if get("language") not in LANGUAGES:
        raise ConfigError("language", "es or en")
    _number("utc_offset_min", get("utc_offset_min"), -720, 840)
    _hex("badge_key", get("badge_key"), 64)
    _number("ring_limit_s", get("ring_limit_s"), 1, 600)
    _number("wrapup_limit_s", get("wrapup_limit_s"), 1, 7200)
    badges: set[str] = set()
    for key, agent in _rows("agents", get("agents"), 400, 3, set()):
        if not isinstance(agent[2], list):
            raise ConfigError(key, "its badges are a list")
        for badge in agent[2]:
            _hex(key, badge, 32)
            _once(key, badge, badges)
    for key, reason in _rows("reasons", get("reasons"), 60, 3, set()):
        _number(key, reason[2], 0, 1)
    tree = get("tree")
    if not isinstance(tree, dict):
        raise ConfigError("tree", "not an object")
    version = tree.get("version")
    if isinstance(version, str):
        _text("tree.version", version, 16)
    else:
        _number("tree.version", version, 1, 0x3FFFFFFF)
    _nodes("tree.nodes", tree.get("nodes"), 3, set())


def _nodes(key, nodes, levels, codes):
    for here, node in _rows(key, nodes, 60, 3 if levels > 1 else 2, codes):
        if levels > 1:
            if not node[2]:
                raise ConfigError(here, "no codes below it; the tree has three levels")
            _nodes(here, node[2], levels - 1, codes)
