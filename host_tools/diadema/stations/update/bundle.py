"""A bundle: one line of JSON that says what it is, one with its signature in base64, and the body,
the file system of a program slot, or MicroPython's own app image. `firmware/update.py` takes it
apart the same way.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from diadema.base.errors import ImageError, UpdateError
from diadema.stations.boards.builds import OLDEST
from diadema.stations.boards.table import Board
from diadema.stations.image.files import (
    pack_slot,
    program_files,
    program_version,
    unpack_slot,
)
from diadema.stations.update.keys import PrivateKey, PublicKey

PART = 480  # bytes of the bundle in a command, `firmware/update.py` has it
LINES_LIMIT = 2048  # bytes
MICROPYTHON = ".".join(map(str, OLDEST))
_PARTS = 0xFFFF


class Manifest(Struct, kw_only=True, frozen=True):
    """`made`: UTC seconds; a station takes no program that was made before the one it runs.
    `micropython`: what runs there must be that new. With `what`, it is MicroPython itself of
    `version`, for `chip` (as an image's header has it), that loads `mpy` files: of the `build`
    that the station's `sys.implementation` tells, with a driver for that `psram`.
    """

    board: Annotated[str, Meta(min_length=1, max_length=24)]
    length: Annotated[int, Meta(gt=0)]
    made: Annotated[int, Meta(gt=0, lt=2**32)]
    micropython: Annotated[str, Meta(pattern=r"^\d{1,3}(\.\d{1,3}){1,2}\Z")]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    version: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,16}\Z")]
    what: Literal["micropython"] | None = None
    chip: Annotated[int, Meta(ge=0, lt=2**16)] | None = None
    mpy: Annotated[str, Meta(pattern=r"^\d{1,2}\.\d\Z")] | None = None
    build: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,40}\Z")] | None = None
    psram: Literal["none", "quad", "octal"] | None = None

    @property
    def named(self) -> str:
        """For people."""
        if not self.what:
            return self.version
        return f"MicroPython {self.version}" + (f" ({self.build})" if self.build else "")


@dataclass(frozen=True)
class Bundle:
    """`data` is the whole file; `signed_line` what the signature is over."""

    data: bytes
    manifest: Manifest
    signed_line: bytes
    signature: bytes

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def parts(self) -> int:
        return -(-len(self.data) // PART)

    @property
    def body(self) -> bytes:
        return self.data[-self.manifest.length :]

    def by(self, key: PublicKey) -> bool:
        """Whether the owner of that key signed it."""
        return key.signed(self.signed_line, self.signature)

    def part(self, number: int) -> dict[str, Any]:
        """The fields of the command that brings part `number`, from 1 on, but for its `i`."""
        block = self.data[(number - 1) * PART : number * PART]
        told = {"sha256": self.sha256, "part": number, "parts": self.parts}
        return told | {"data": b64encode(block).decode()}

    def commands(self) -> list[dict[str, Any]]:
        """All that bring it, in order, but for their `i`."""
        return [{"cmd": "update", **self.part(number + 1)} for number in range(self.parts)]


def make(board: Board, key: PrivateKey, made: int) -> bytes:
    """The program of this checkout for a board, signed. Raises ImageError or UpdateError."""
    version = program_version()
    size = next(one.size for one in board.partitions if one.name == "slot_a")
    body = pack_slot(program_files(board), size)
    return sign(body, key, board=board.name, version=version, made=made)


def sign(
    body: bytes, key: PrivateKey, *, board: str, version: str, made: int,
    micropython: str = MICROPYTHON, **more: Any,
) -> bytes:  # fmt: skip
    """`more`: what else the manifest says. Raises UpdateError when the result would not be a right
    bundle.
    """
    told = {
        "board": board,
        "length": len(body),
        "made": made,
        "micropython": micropython,
        "sha256": hashlib.sha256(body).hexdigest(),
        "version": version,
        **more,
    }
    line = json.dumps(told, separators=(",", ":")).encode()
    data = line + b"\n" + b64encode(key.sign(line)) + b"\n" + body
    if not read(data).by(key.public):
        raise UpdateError("the signature does not verify: is the key file whole?")
    return data


def read(data: bytes) -> Bundle:
    """Everything but whose it is. Raises UpdateError."""
    line, newline, rest = data[:LINES_LIMIT].partition(b"\n")
    code, second, _ = rest.partition(b"\n")
    if not newline or not second:
        raise UpdateError("it is no bundle: it does not begin with a manifest and a signature")
    try:
        manifest = msgspec.json.decode(line, type=Manifest)
        signature = b64decode(code, validate=True)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UpdateError(f"the manifest is wrong: {error}") from error
    except Base64Error as error:
        raise UpdateError("the signature is no base64") from error
    body = data[len(line) + len(code) + 2 :]
    if len(body) != manifest.length:
        raise UpdateError(
            f"the program has {len(body)} bytes, the manifest says {manifest.length}: "
            "copy the bundle again"
        )
    if hashlib.sha256(body).hexdigest() != manifest.sha256:
        raise UpdateError("the program is not what was signed: copy the bundle again")
    made = Bundle(data, manifest, line, signature)
    if made.parts > _PARTS:
        raise UpdateError(f"it has {made.parts} parts, at most {_PARTS} can be sent")
    return made


def files_of(bundle: Bundle) -> dict[str, int]:
    """Bytes of each file of the program. Raises UpdateError when it is no file system."""
    try:
        return {name: len(data) for name, data in unpack_slot(bundle.body).items()}
    except ImageError as error:
        raise UpdateError(f"the program cannot be read: {error}") from error
