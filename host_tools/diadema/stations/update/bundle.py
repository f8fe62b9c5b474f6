"""A bundle: one line of JSON that says what it is, one with its signature in base64, and the body:
the file system of a program slot, or MicroPython's app of a stock image for the second app
partition. `firmware/update.py` takes it apart the same way, `firmware/interpreter.py` takes a
MicroPython.

A station reports what it waits for once it has the manifest, after every 32nd part, and once when
a part comes that is not the next. So a bundle is sent as far as the station will report, and no
further: what it then waits for was lost or was not sent yet, and either way goes out next.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from diadema.base.errors import ImageError, UpdateError
from diadema.stations.boards.table import OLDEST, Board
from diadema.stations.image.files import (
    SECTOR,
    pack_slot,
    program_files,
    program_version,
    unpack_slot,
)
from diadema.stations.update.keys import PrivateKey, PublicKey
from diadema.words import Sentence

if TYPE_CHECKING:  # esptool is behind it, which a hub never needs
    from diadema.stations.image.stock import Stock

PART = 480  # bytes of the bundle in a command, `firmware/update.py` has it
LINES_LIMIT = 2048  # bytes
MICROPYTHON = ".".join(map(str, OLDEST))
_PARTS = 0xFFFF
GROUP = 32
_AGAIN_S = 4.0
_LONGEST_S = 60.0
_REST_S, _LONGEST_REST_S = 30.0, 600.0
_ROUND = 256  # bytes: a body's length is a multiple of it
# of `.mpy` files, docs/reference/mpyfiles.rst of MicroPython: 1.23 and every one since loads 6.3
_MPY = "6.3"
_NEWEST = (1, 29)  # of which that is known


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
        """The version as people read it."""
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
        fields = {"sha256": self.sha256, "part": number, "parts": self.parts}
        return fields | {"data": b64encode(block).decode()}

    def commands(self) -> list[dict[str, Any]]:
        """All commands that bring it, in order, but for their `i`."""
        return [{"cmd": "update", **self.part(number + 1)} for number in range(self.parts)]


def make(board: Board, key: PrivateKey, made: int) -> bytes:
    """Our program for a board, signed. Raises ImageError or UpdateError."""
    version = program_version()
    size = next(one.size for one in board.partitions if one.name == "slot_a")
    body = pack_slot(program_files(board), size)
    return sign(body, key, board=board.name, version=version, made=made)


def sign(
    body: bytes,
    key: PrivateKey,
    *,
    board: str,
    version: str,
    made: int,
    micropython: str = MICROPYTHON,
    **more: Any,
) -> bytes:
    """`more`: what else the manifest says. Raises UpdateError when the result would not be a right
    bundle.
    """
    manifest = {
        "board": board,
        "length": len(body),
        "made": made,
        "micropython": micropython,
        "sha256": hashlib.sha256(body).hexdigest(),
        "version": version,
        **more,
    }
    line = json.dumps(manifest, separators=(",", ":")).encode()
    data = line + b"\n" + b64encode(key.sign(line)) + b"\n" + body
    if not read(data).by(key.public):
        raise UpdateError(Sentence("errors.stations.signature_does_not_verify_key"))
    return data


def read(data: bytes) -> Bundle:
    """Everything but whose it is. Raises UpdateError."""
    line, newline, rest = data[:LINES_LIMIT].partition(b"\n")
    code, second, _ = rest.partition(b"\n")
    if not newline or not second:
        raise UpdateError(Sentence("errors.stations.no_bundle_does_not_begin"))
    try:
        manifest = msgspec.json.decode(line, type=Manifest)
        signature = b64decode(code, validate=True)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UpdateError(Sentence("errors.stations.manifest_wrong_error", error=error)) from error
    except Base64Error as error:
        raise UpdateError(Sentence("errors.stations.signature_no_base64")) from error
    body = data[len(line) + len(code) + 2 :]
    if len(body) != manifest.length:
        raise UpdateError(
            Sentence(
                "errors.stations.program_has_count_bytes_manifest",
                count=len(body),
                length=manifest.length,
            )
        )
    if hashlib.sha256(body).hexdigest() != manifest.sha256:
        raise UpdateError(Sentence("errors.stations.program_not_what_signed_copy"))
    made = Bundle(data, manifest, line, signature)
    if made.parts > _PARTS:
        raise UpdateError(
            Sentence(
                "errors.stations.has_parts_parts_most_parts2", parts=made.parts, parts2=_PARTS
            )
        )
    return made


def files_of(bundle: Bundle) -> dict[str, int]:
    """The bytes of each file of the program. Raises UpdateError when it is no file system."""
    try:
        return {name: len(data) for name, data in unpack_slot(bundle.body).items()}
    except ImageError as error:
        raise UpdateError(
            Sentence("errors.stations.program_cannot_read_error", error=error)
        ) from error


class BusyStations:
    """The stations that refused an update because they are busy: each is left alone for a while,
    longer each time. Times are seconds of a clock that only goes forward.
    """

    def __init__(self) -> None:
        self._until: dict[str, tuple[float, float]] = {}  # by station, and how long that was

    def heard(self, s: str, busy: bool, now: float) -> None:
        """The station reported about an update, or refused one."""
        _, before = self._until.pop(s, (now, _REST_S / 2))
        if busy:
            rest = min(before * 2, _LONGEST_REST_S)
            self._until[s] = (now + rest, rest)

    def rests(self, s: str, now: float) -> bool:
        return s in self._until and now < self._until[s][0]


class Sending:
    """One bundle on its way to one station: which parts are to be sent now. `i`: the number of the
    command that began it. It has neither clock nor wire; times are seconds of a clock that only
    goes forward.
    """

    def __init__(self, bundle: Bundle, i: int, now: float) -> None:
        self.bundle = bundle
        self.i = i
        self.next = 1  # what the station waits for, as it said
        self._manifest = -(-(len(bundle.data) - bundle.manifest.length) // PART)  # parts of it
        self._wait_s = _AGAIN_S
        self._again_at = now + _AGAIN_S

    def begin(self) -> range:
        return self._group(1)

    def heard(self, part: int, now: float) -> range:
        """The station waits for that part; reported twice, something was sent twice. Gives the
        parts to send now.
        """
        if part <= self.next:
            return range(0)
        self.next, self._wait_s = part, _AGAIN_S
        self._again_at = now + _AGAIN_S
        return self._group(part)

    def due(self, now: float) -> range:
        """The parts to send again where nothing was heard for long: they may be lost."""
        if now < self._again_at:
            return range(0)
        self._wait_s = min(self._wait_s * 2, _LONGEST_S)
        self._again_at = now + self._wait_s
        return self._group(self.next)

    def _group(self, first: int) -> range:
        last = self._manifest if first <= self._manifest else -(-first // GROUP) * GROUP
        return range(first, min(last, self.bundle.parts) + 1)


def make_micropython(
    board: Board, stock: "Stock", key: PrivateKey, made: int, mpy: str | None = None
) -> bytes:
    """A MicroPython for a board, signed. `mpy`: which `.mpy` files it loads, where that is not
    known here; `made`: UTC seconds. Raises ImageError or UpdateError.
    """
    from diadema.stations.image.stock import chip_number

    about = stock.about
    if mpy is None:
        if about.version[:2] > _NEWEST:
            raise UpdateError(
                Sentence(
                    "errors.stations.which_mpy_files_micropython_version_text",
                    version_text=about.version_text,
                )
            )
        mpy = _MPY
    space_left(board, stock)
    body = stock.app + b"\xff" * (-len(stock.app) % _ROUND)
    return sign(
        body,
        key,
        board=board.name,
        version=about.version_text,
        made=made,
        what="micropython",
        chip=chip_number(stock.app),
        mpy=mpy,
        build=about.build,
        psram=about.psram,
    )


def space_left(board: Board, stock: "Stock") -> int:
    """The bytes of a slot that an update with it leaves free: its last sector is the update's own.
    Raises ImageError when it does not fit.
    """
    from diadema.stations.image.stock import left_of

    slot = next(one.size for one in board.partitions if one.name == "ota_1")
    return left_of(slot - SECTOR, stock, board, "a slot, without the update's own sector,")
