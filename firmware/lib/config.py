"""The station's configuration: blocks come in, are checked whole, and rest in two files by turns.

A file is `DCFG` + serial (8 hex) + CRC-32 (8 hex) + newline + JSON; the CRC is over serial and
JSON. The valid file with the higher serial counts, so a cut while writing leaves the other one.
"""

import json
import os
from binascii import crc32, unhexlify

from lib.badges import badge_hash
from lib.errors import ConfigError
from lib.once import forget

MARK = b"DCFG"
HEAD = 21  # mark, serial, CRC, newline


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
        self.key = unhexlify(data["key"]) if "key" in data else None  # seals what comes down
        self.wifi = data.get("wifi")
        self.broker = data.get("broker")
        self.sntp = data.get("sntp")  # host:port
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
    """The two generation files; `folder` ends without a slash."""

    def __init__(self, station, folder=""):
        self._station = station
        self._paths = (folder + "/config.0", folder + "/config.1")
        self._serial = 0
        self._older = 0
        self._intake = None  # of a configuration on its way
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
            file.read(HEAD)
            try:
                data = json.load(file)
            except ValueError:
                raise ConfigError("data", "not JSON") from None
        from lib.config_check import validate

        try:
            validate(data, self._station)
        finally:
            forget("config_check")
        return Config(data)

    def add(self, command):
        """Take one block; the new Config once the last one is there and all is right, else None.

        Blocks come in order; the first begins anew. Raises ConfigError, OSError.
        """
        if self._intake is None:
            from lib.config_intake import Intake

            self._intake = Intake()
        try:
            done = self._intake.add(
                command, self._paths[self._older], self._serial + 1, self._read
            )
        except ConfigError:
            self._forget_intake()
            raise
        if done:
            self._serial += 1
            self._older = 1 - self._older
            self._forget_intake()
        return done

    def _forget_intake(self):
        self._intake = None
        forget("config_intake")


def _head(path):
    """Serial of a file that checks, 0 of one that does not, None of none."""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
            check = crc32(head[4:12])
            while True:
                block = file.read(256)
                if not block:
                    break
                check = crc32(block, check)
    except OSError:
        return None
    if len(head) == HEAD and head[:4] == MARK and head[12:] == b"%08X\n" % check:
        return int(head[4:12], 16)
    return 0
