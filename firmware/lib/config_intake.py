"""The blocks of a configuration on their way into a file. Loaded with the first, then dropped.

They go straight into the file, whose head is written last: until then it does not count. So a
configuration never lies in memory as text.
"""

from binascii import a2b_base64, crc32, hexlify
from hashlib import sha256

from lib.config import HEAD, MARK
from lib.config_check import hex_digits, number
from lib.errors import ConfigError
from lib.once import forget

_PARTS_LIMIT = 70  # of 480 bytes
_BLOCK_LIMIT = 480


def configure(app, u, details):
    """The command with a block. A configuration that is here already changes nothing."""
    done = details["i"] <= app.desk.command
    if done and details.get("generation") == app.machine.config.generation:
        forget("config_intake")
        return
    try:
        config = app.store.add(details)
    except (ConfigError, MemoryError) as error:
        if not done:
            app.refuse(u, details, "bad_config", str(error) or "too large for this station")
        return
    except OSError as error:
        app.fault("config", "not_written")
        app.refuse(u, details, "bad_config", "flash: {}".format(error))
        return
    if config is None:
        return
    app.adopt(config)
    app.record(
        {"k": "station.config", "generation": config.generation,
         "hash": details["sha256"][:16], "i": details["i"]}, u,
    )  # fmt: skip
    app.fault("config", None)
    app.settle_links()
    app.machine.refresh()


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
