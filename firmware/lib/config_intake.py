"""The blocks of a configuration on their way into a file. Loaded with the first, then dropped.

They go straight into the file, whose head is written last: until then it does not count. So a
configuration never lies in memory as text.
"""

from binascii import a2b_base64, crc32, hexlify
from hashlib import sha256

from lib.config import HEAD, MARK
from lib.config_check import hex_digits, number
from lib.errors import ConfigError

_PARTS_LIMIT = 70  # of 480 bytes
_BLOCK_LIMIT = 480


class Intake:
    def __init__(self):
        self._coming = None  # (i, sha256, parts)
        self._part = 0
        self._hash = sha256()
        self._check = 0

    def add(self, command, path, serial, read):
        """Take a block into `path`; what `read(path)` makes of it after the last one."""
        part, parts, digest = command.get("part"), command.get("parts"), command.get("sha256")
        number("parts", parts, 1, _PARTS_LIMIT)
        number("part", part, 1, parts)
        hex_digits("sha256", digest, 64)
        try:
            block = a2b_base64(command.get("data"))
        except (ValueError, TypeError):
            raise ConfigError("data", "not base64") from None
        if len(block) > _BLOCK_LIMIT:
            raise ConfigError("data", "at most 480 bytes a part")
        coming = (command["i"], digest, parts)
        if part == 1:
            self._begin(coming, path, serial)
        elif coming != self._coming or part != self._part + 1:
            return None  # a block got lost: the host sends all again after the next hello
        with open(path, "ab") as file:
            file.write(block)
        self._hash.update(block)
        self._check = crc32(block, self._check)
        self._part = part
        if part < parts:
            return None
        self._coming = None
        if hexlify(self._hash.digest()).decode() != digest:
            raise ConfigError("sha256", "the parts do not add up to it")
        config = read(path)
        if config.generation != command.get("generation"):
            raise ConfigError("generation", "the command and the text differ")
        with open(path, "r+b") as file:
            file.write(MARK + b"%08X%08X\n" % (serial, self._check))
        return config

    def _begin(self, coming, path, serial):
        self._coming = coming
        self._hash = sha256()
        self._check = crc32(b"%08X" % serial)
        with open(path, "wb") as file:
            file.write(bytes(HEAD))
