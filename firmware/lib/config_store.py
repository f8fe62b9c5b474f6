"""The configuration's way in and its two files: blocks go straight into the older file, whose head
is written last, after the check of the whole; until then it does not count. So a configuration
never lies in memory as text, and a cut leaves the other file.

A file is `DCFG` + serial (8 hex) + CRC-32 (8 hex) + newline + JSON; the CRC is over serial and
JSON. The valid file with the higher serial counts.
"""

import json
import os
from binascii import a2b_base64, crc32, hexlify
from hashlib import sha256

from lib import kept_wifi
from lib.config import Config
from lib.config_check import ConfigError, check, validate
from lib.errors import StationError
from micropython import const

_MARK = const(b"DCFG")
_HEAD = const(21)  # mark, serial, CRC, newline
_PARTS_LIMIT = const(70)  # of 480 bytes
_BLOCK_LIMIT = const(480)
_AGENTS = const(b'"agents":[\n')
_BEGIN_LIMIT = const(512)  # bytes, of what stands before them


def configure(app, u, details):
    """The command with a block. A number passed over changes nothing, unless its blocks began to
    come before another command was done.
    """
    done = details["i"] <= app.desk.command
    if done and not (app.intake and app.intake.expects(details["i"])):
        return
    app.intake = store = app.intake or app.open_store()
    config = None
    dropped = []

    def room():
        """Two of a large site do not fit: if the new one is refused, the old one is on flash."""
        dropped.append(1)
        app.machine.config = Config()

    try:
        config = store.add(details, room)
    except (StationError, MemoryError) as error:
        if not done:
            why = str(error) or "too large for this station"
            app.host.refuse(u, details, "bad_config", why)
        app.intake = None
    except OSError as error:
        app.fault("config", "not_written")
        app.host.refuse(u, details, "bad_config", "flash: {}".format(error))
    if config is None:
        if dropped:
            app.adopt(store.load())
        return
    app.intake = None
    app.adopt(config)
    app.record(
        {"k": "station.config", "generation": config.generation,
         "hash": details["sha256"][:16], "i": details["i"]}, u,
    )  # fmt: skip
    app.fault("config", None)
    app.settle_links()
    app.machine.refresh()


class ConfigStore:
    """The two files; `folder` ends without a slash."""

    def __init__(self, station, folder=""):
        self._station = station
        self._paths = (folder + "/config.0", folder + "/config.1")
        self._key_path = folder + "/update.key"
        self._coming: "tuple | None" = None  # (i, sha256, parts)
        self._part = self._check = 0
        self._look()

    def _look(self):
        heads = self._heads = [_head(path) for path in self._paths]
        self.broken = sum(1 for serial in heads if serial == 0)  # files that do not check
        self._newer = 1 if (heads[1] or 0) > (heads[0] or 0) else 0

    def load(self):
        """The newest valid Config; an empty one when there is none."""
        for at in (self._newer, 1 - self._newer):
            if self._heads[at]:
                try:
                    return _settled(self._read(self._paths[at], False))
                except StationError:
                    self.broken += 1  # written by a firmware that asked for less
        return _settled(Config())

    def erase(self):
        """Forget both generations; only an explicit order may ask for it."""
        for path in self._paths:
            try:
                os.remove(path)
            except OSError:
                pass  # it was not there
        kept_wifi.remove()
        self._look()

    def _read(self, path, sure=True):
        with open(path, "rb") as file:
            file.read(_HEAD)
            try:
                data = _parsed(file)
            except ValueError:
                raise ConfigError("data", "not JSON") from None
        validate(data, self._station)
        try:
            self._keep_key(data.get("update_key"))
        except OSError:  # no room: the next update waits for it, a start does not
            if sure:
                raise
        return Config(data)

    def _keep_key(self, key):
        """In a file of its own, where safe mode finds it too."""
        try:
            with open(self._key_path) as file:
                key = key != file.read() and key
        except OSError:
            pass  # the first one
        if key:  # one that a cut leaves unfinished is written again at the next start
            with open(self._key_path, "w") as file:
                file.write(key)

    def expects(self, number):
        """Whether more blocks of that command are to come."""
        return self._coming is not None and self._coming[0] == number

    def add(self, command, room=None):
        """Take one block; the new Config once the last one is there and all is right, else None.
        `room()` is called before it is read.

        Blocks come in order; the first begins anew. Raises ConfigError, OSError.
        """
        part, parts, digest = command.get("part"), command.get("parts"), command.get("sha256")
        check("parts", parts, (1, _PARTS_LIMIT))
        check("part", part, (1, parts))
        check("sha256", digest, -64)
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
        with open(self._path, "ab") as file:
            file.write(block)
        self._hash.update(block)
        self._check = crc32(block, self._check)
        self._part = part
        if part < parts:
            return None
        self._coming = None
        return self._finish(command, digest, room)

    def _begin(self, coming):
        older = 1 - self._newer
        self._path = self._paths[older]
        self._serial = (self._heads[self._newer] or 0) + 1
        self._coming = coming
        self._hash = sha256()
        self._check = crc32(b"%08X" % self._serial)
        with open(self._path, "wb") as file:
            file.write(bytes(_HEAD))

    def _finish(self, command, digest, room):
        if hexlify(self._hash.digest()).decode() != digest:
            raise ConfigError("sha256", "the parts do not add up to it")
        if room:
            room()
        config = self._read(self._path)
        if config.generation != command.get("generation"):
            raise ConfigError("generation", "the command and the text differ")
        with open(self._path, "r+b") as file:
            file.write(_MARK + b"%08X%08X\n" % (self._serial, self._check))
        self._look()
        return _settled(config)


def _settled(config):
    kept_wifi.settle(config)
    return config


def _parsed(file):
    """The file's JSON. Agents that stand in it a row a line stay text: as objects those of a whole
    site have no room.
    """
    begin = file.readline(_BEGIN_LIMIT)
    if begin[-len(_AGENTS) :] != _AGENTS:
        file.seek(_HEAD)
        return json.load(file)
    rows = []
    line = file.readline()
    while line and line[:1] != b"]":
        rows.append(line.rstrip(b",\n"))
        line = file.readline()
    data = json.loads(begin + line + file.read())
    data["agents"] = rows
    return data


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
