"""The desk's own small files: JSON with its CRC-32 (`*` and 8 hex digits) behind it, so that what
flash did to one is known.
"""

import json
import os
from binascii import crc32

from lib.errors import StationError
from micropython import const

_ENOENT = const(2)
_CHECK = const(9)  # bytes


class Damaged(StationError):
    """The file is not as it was written."""


def read(name):
    """What was kept; None where nothing is. Raises Damaged."""
    try:
        with open(name, "rb") as file:
            text = file.read()
    except OSError as error:
        if error.args[0] == _ENOENT:
            return None
        raise Damaged("{}: {}".format(name, error)) from None
    body = text[:-_CHECK]
    if text[-_CHECK:] != b"*%08X" % crc32(body):
        raise Damaged(name)
    return json.loads(body)


def write(name, content):
    """A cut leaves what was there before. Raises OSError."""
    body = json.dumps(content).encode()
    with open(name + ".new", "wb") as file:
        file.write(body + b"*%08X" % crc32(body))
    os.rename(name + ".new", name)


def remove(name):
    for file in (name, name + ".new"):
        try:
            os.remove(file)
        except OSError:
            pass  # it was not there
