"""The files of a program joined: a slot has them so, since each file of a littlefs takes whole
blocks, and is found by a walk through others. `firmware/packed.py` reads it.

    where the files begin (u16 little endian); the index; the files one after the other, in the
    index's order. The index is a line a file: path, its bytes, its bytes here.

What a start does not load is deflated, where that makes it smaller (RFC 1951, a raw stream with a
window of 1 KiB): of the rest it would save 40 KB, and take a chip a quarter of a second.
"""

import zlib
from collections.abc import Mapping

from diadema.base.errors import ImageError

_LATER = ("start_files/", "lib/safe_page.", "lib/words_en.")
_WINDOW = -10  # bits, and raw
_DAMAGED = "the program's files are damaged"


def join(files: Mapping[str, bytes]) -> bytes:
    """`files` by path, relative to the program's folder."""
    held = {name: _held(name, data) for name, data in sorted(files.items())}
    lines = [f"/{name} {len(files[name])} {len(data)}" for name, data in held.items()]
    index = "\n".join(lines).encode()
    return (len(index) + 2).to_bytes(2, "little") + index + b"".join(held.values())


def split(data: bytes) -> dict[str, bytes]:
    """The files by path. Raises ImageError."""
    files: dict[str, bytes] = {}
    try:
        at = int.from_bytes(data[:2], "little")
        for line in data[2:at].decode().split("\n"):
            path, whole, here = line.split()
            content = data[at : at + int(here)]
            if here != whole:
                content = _inflated(content)
            if len(content) != int(whole):
                raise ImageError(_DAMAGED)
            files[path.removeprefix("/")] = content
            at += int(here)
    except (zlib.error, ValueError) as error:
        raise ImageError(f"{_DAMAGED}: {error}") from error
    if at != len(data):
        raise ImageError(f"{_DAMAGED}: {len(data) - at} bytes are too many")
    return files


def _held(name: str, data: bytes) -> bytes:
    if not name.startswith(_LATER):
        return data
    deflating = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, 9)
    return min(deflating.compress(data) + deflating.flush(), data, key=len)


def _inflated(data: bytes) -> bytes:
    inflating = zlib.decompressobj(_WINDOW)
    content = inflating.decompress(data) + inflating.flush()
    if not inflating.eof:
        raise ValueError("one is cut short")
    return content
