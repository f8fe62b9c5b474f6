"""Has recordings decoded, each in a process of its own with limits: what it is and where it is
silent, its peaks, or the sound of a stretch. Nothing foreign is read in this process.

The process of the next one is begun beforehand: what it decodes with takes longer to load than the
decoding itself. Where somebody waits for an answer that is begun after it, and slows nothing down.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from typing import Any, Self

import msgspec
from msgspec import Struct

from diadema.recordings import decoder

LARGEST = 1 << 30  # bytes
_WALL_S = 20.0
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}

type Stretch = tuple[int, int]  # [from, to)


class Unfit(Exception):
    """`reason` is a word: empty, no_sound, rate, sides, too_long, too_large, too_slow, broken."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Probed(Struct, forbid_unknown_fields=True):
    """`silences`: ms in which all sides are digital silence."""

    frames: int
    rate: int
    sides: int
    format: str
    hash: str
    silences: list[Stretch]

    @property
    def ms(self) -> int:
        return self.frames * 1000 // self.rate


class _Peaks(Struct, forbid_unknown_fields=True):
    peaks: list[list[int]]


class _Sound(Struct, forbid_unknown_fields=True):
    """It comes after the line."""


class _Process:
    """One that waits for what it is to decode."""

    def __init__(self) -> None:
        self._socket, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-I", decoder.__file__],
                stdin=its.fileno(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
            )  # fmt: skip

    def decode(self, descriptor: int, plan: dict[str, Any]) -> bytes:
        """What it answers. Raises Unfit."""
        try:
            socket.send_fds(self._socket, [json.dumps(plan).encode() + b"\n"], [descriptor])
            found, _ = self._process.communicate(timeout=_WALL_S)
        except subprocess.TimeoutExpired as error:
            raise Unfit("too_slow") from error
        except OSError as error:  # it has ended before
            raise Unfit("broken") from error
        finally:
            self.close()
        if self._process.returncode < 0:
            raise Unfit("too_slow")
        return bytes(found)

    def close(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.communicate()


class Decoders:
    """Of one process of ours, for all of its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spare: _Process | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            spare, self._spare, self._closed = self._spare, None, True
        if spare is not None:
            spare.close()

    def prepare(self) -> None:
        """Somebody will want something soon."""
        with self._lock:
            if self._spare is None and not self._closed:
                self._spare = _Process()

    def probe(self, descriptor: int) -> tuple[Probed, bytes]:
        """And, of a codec that takes long to decode, the loudest of each tenth of a second and
        side, 0-255, interleaved; else nothing. Raises Unfit.
        """
        return self._decode(descriptor, {"want": "probe"}, Probed, many=True)

    def peaks(self, descriptor: int, frames: Stretch, zeros: list[Stretch]) -> list[list[int]]:
        """Of each side, 0-255; zero in those frames of the recording. Raises Unfit."""
        plan = {"want": "peaks", "first": frames[0], "last": frames[1], "zeros": zeros}
        return self._decode(descriptor, plan, _Peaks)[0].peaks

    def sound(self, descriptor: int, frames: Stretch, zeros: list[Stretch]) -> bytes:
        """16-bit samples, little end first, sides interleaved. Raises Unfit."""
        plan = {"want": "sound", "first": frames[0], "last": frames[1], "zeros": zeros}
        return self._decode(descriptor, plan, _Sound)[1]

    def _decode[T](
        self, descriptor: int, plan: dict[str, Any], form: type[T], *, many: bool = False
    ) -> tuple[T, bytes]:
        """`many`: one after the other, for which nobody waits."""
        size = os.fstat(descriptor).st_size
        if size > LARGEST or not size:
            raise Unfit("too_large" if size else "empty")
        os.lseek(descriptor, 0, os.SEEK_SET)
        with self._lock:
            process, self._spare = self._spare or _Process(), None
        if many:
            self.prepare()
        try:
            line, _, sound = process.decode(descriptor, plan).partition(b"\n")
        finally:
            threading.Thread(target=self.prepare, daemon=True).start()
        try:
            found = msgspec.json.decode(line)
            if isinstance(found, dict) and "unfit" in found:
                raise Unfit(str(found["unfit"]))
            return msgspec.convert(found, form), sound
        except msgspec.MsgspecError as error:
            raise Unfit("broken") from error
