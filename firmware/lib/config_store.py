"""The configuration's way in and its two files. Its blocks are gathered in memory; what is right
goes into a new file, which takes the older one's place by its name, so that a cut leaves the one
before. The older one goes first: a small vfs has no room for three.

A file is `DCFG` + serial (8 hex) + SHA-256 of the JSON (64 hex) + CRC-32 of all that (8 hex) +
newline + JSON. The valid file with the higher serial counts.
"""

import json
import os
from binascii import a2b_base64, crc32, hexlify
from hashlib import sha256
from io import BytesIO

from lib import checked, memory, saved_wifi
from lib.config import Config
from lib.config_check import ConfigError, check, validate
from lib.errors import StationError
from micropython import const

_MARK = const(b"DCFG")
_CHECKED = const(76)  # of the head: mark, serial, SHA-256
_HEAD = const(85)  # with the CRC and the newline
_ENOENT = const(2)
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
    try:
        config = store.add(details, app.machine.config.key)
    except (StationError, MemoryError) as error:
        if not done:
            why = str(error) or "too large for this station"
            app.host.refuse(u, details, "bad_config", why)
        app.intake = None
        return
    except OSError as error:
        app.fault("config", "not_written")
        app.host.refuse(u, details, "bad_config", "flash: {}".format(error))
        app.intake = None
        return
    if config is None:
        return
    app.intake = None
    app.adopt(config)
    event = {"k": "station.config", "generation": config.generation,
             "hash": details["sha256"][:16], "i": details["i"]}  # fmt: skip
    if config.ca:
        event["ca"] = config.ca
    app.record(event, u)
    app.fault("config", None)
    app.settle_links()
    app.machine.refresh()


class ConfigStore:
    """The two files; `folder` ends with a slash. `broken`: files that were damaged when this was
    made or loaded.
    """

    def __init__(self, station, folder=""):
        self._station = station
        self._paths = (folder + "config.0", folder + "config.1")
        self._new_path = folder + "config.new"
        self._key_path = folder + "update.key"
        self._coming: "tuple | None" = None  # (i, sha256, parts)
        self._part = 0
        self._text = bytearray()
        self._look()

    def _look(self):
        heads = self._heads = [_head(path) for path in self._paths]
        self.broken = sum(1 for serial in heads if serial == 0)
        self._newer = 1 if (heads[1] or 0) > (heads[0] or 0) else 0

    def load(self):
        """The newest valid Config; an empty one when there is none. Beside a valid one what is
        damaged goes: it is told once.
        """
        for at in (self._newer, 1 - self._newer):
            if self._heads[at]:
                try:
                    config = self._read(self._paths[at])
                except (StationError, OSError):
                    self.broken += 1  # written by a firmware that asked for less
                    continue
                if self._heads[1 - at] == 0:
                    _remove(self._paths[1 - at])
                return self._settled(config)
        return self._settled(Config())

    def erase(self):
        """Forget both generations; only an explicit order may ask for it."""
        for path in self._paths:
            _remove(path)
        _remove(self._new_path)
        saved_wifi.remove()
        self._look()

    def _settled(self, config):
        try:
            saved_wifi.settle(config)
        except checked.Damaged:
            self.broken += 1
            saved_wifi.remove()
        return config

    def _read(self, path):
        with open(path, "rb") as file:
            file.read(_HEAD)
            data = self._checked(file)
        try:
            self._keep_key(data.get("update_key"))
        except OSError:
            pass  # no room: the next update waits for it, a start does not
        return Config(data)

    def _checked(self, file):
        try:
            data = _parsed(file)
        except ValueError:
            raise ConfigError("data", "not JSON") from None
        validate(data, self._station)
        return data

    def _keep_key(self, key):
        """In a file of its own, where safe mode finds it too. One that is cut or damaged is
        written again at the next start.
        """
        if not key:
            return
        key = key.encode()
        try:
            with open(self._key_path, "rb") as file:
                if file.read() == key:
                    return
        except OSError:
            pass  # the first one
        with open(self._key_path, "wb") as file:
            file.write(key)

    def expects(self, number):
        """Whether more blocks of that command are to come."""
        return self._coming is not None and self._coming[0] == number

    def add(self, command, key=None):
        """Take one block; the new Config once the last one is there and all is right, else None.
        `key`: the station's, which stays where the configuration brings none.

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
            self._coming, self._text = coming, bytearray()
        elif coming != self._coming or part != self._part + 1:
            return None  # a block got lost: the host sends all again after the next hello
        self._text.extend(block)
        self._part = part
        if part < parts:
            return None
        text, self._coming, self._text = self._text, None, bytearray()
        memory.collect()  # to read it takes a quarter of a megabyte
        return self._take(command, digest, text, key)

    def _take(self, command, digest, text, key):
        if hexlify(sha256(text).digest()).decode() != digest:
            raise ConfigError("sha256", "the parts do not add up to it")
        data = self._checked(BytesIO(text))
        if key and "key" not in data:
            data["key"] = hexlify(key).decode()
            text = text[: text.rfind(b"}")] + b',"key":"%s"}' % data["key"].encode()
            digest = hexlify(sha256(text).digest()).decode()
        config = Config(data)
        if config.generation != command.get("generation"):
            raise ConfigError("generation", "the command and the text differ")
        self._keep_key(data.get("update_key"))
        self._write(digest, text)
        self._look()
        return self._settled(config)

    def _write(self, digest, text):
        older = self._paths[1 - self._newer]
        serial = (self._heads[self._newer] or 0) + 1
        head = _MARK + b"%08X" % serial + digest.encode()
        _remove(older)
        _remove(self._new_path)  # truncated, it would keep its blocks until the new one is there
        try:
            with open(self._new_path, "wb") as file:
                file.write(head + b"%08X\n" % crc32(head))
                file.write(text)
        except OSError:
            _remove(self._new_path)
            raise
        os.rename(self._new_path, older)


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # it was not there


def _parsed(file):
    """The JSON from where `file` stands. Agents that stand in it a row a line stay text: as
    objects they would take four times the memory.
    """
    at = file.tell()
    begin = file.readline(_BEGIN_LIMIT)
    if begin[-len(_AGENTS) :] != _AGENTS:
        file.seek(at)
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
    """Serial of a file that is whole, 0 of one that is damaged, None of none."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
            digest = sha256()
            while True:
                block = file.read(256)
                if not block:
                    break
                digest.update(block)
    except OSError as error:
        return None if error.args[0] == _ENOENT else 0
    if head[:4] != _MARK or head[_CHECKED:] != b"%08X\n" % crc32(head[:_CHECKED]):
        return 0
    return int(head[4:12], 16) if head[12:_CHECKED] == hexlify(digest.digest()) else 0
