"""Has recordings decoded, each in a process of its own with limits: what it is and where it is
silent, or the sound of a stretch with its peaks. Nothing foreign is read in this process.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct

from diadema.recordings import decoder

LARGEST = 1 << 30  # bytes
_WALL_S = decoder.PROCESSOR_S + 10.0
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}

type Stretch = tuple[int, int]  # ms, [from, to)


class Unfit(Exception):
    """`reason` is a word: empty, no_sound, rate, sides, too_long, too_large, too_slow, broken."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Probed(Struct, forbid_unknown_fields=True):
    """`silences`: where all sides are digital silence."""

    ms: int
    rate: int
    sides: int
    format: str
    hash: str
    silences: list[Stretch]


class Peaks(Struct, forbid_unknown_fields=True):
    """Of each side, 0-255."""

    rate: int
    sides: int
    frames: int
    peaks: list[list[int]]


class Sound:
    """16-bit samples, little end first, sides interleaved. They lie in a file without a name,
    which is gone when this is closed.
    """

    def __init__(self, file: IO[bytes], peaks: Peaks) -> None:
        self._file, self.peaks = file, peaks
        self.size = os.fstat(file.fileno()).st_size

    def read(self, first: int, end: int) -> bytes:
        """Bytes [first, end)."""
        return os.pread(self._file.fileno(), end - first, first)

    def close(self) -> None:
        self._file.close()


def probe(descriptor: int) -> Probed:
    """Raises Unfit."""
    return _decoded(descriptor, {}, (), Probed)


def play(descriptor: int, stretch: Stretch, zeros: list[Stretch], folder: Path) -> Sound:
    """That stretch, with zeros in those of the recording that `zeros` names. Raises Unfit."""
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
    try:
        plan = {
            "out": file.fileno(), "first_ms": stretch[0], "last_ms": stretch[1], "zeros": zeros,
        }  # fmt: skip
        return Sound(file, _decoded(descriptor, plan, (file.fileno(),), Peaks))
    except BaseException:
        file.close()
        raise


def _decoded[T](descriptor: int, plan: dict[str, Any], out: tuple[int, ...], form: type[T]) -> T:
    size = os.fstat(descriptor).st_size
    if size > LARGEST or not size:
        raise Unfit("too_large" if size else "empty")
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        done = subprocess.run(
            [sys.executable, "-I", decoder.__file__, json.dumps(plan)],
            stdin=descriptor, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=out,
            env=_ENVIRONMENT, timeout=_WALL_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Unfit("too_slow") from error
    try:
        found = msgspec.json.decode(done.stdout)
        if isinstance(found, dict) and "unfit" in found:
            raise Unfit(str(found["unfit"]))
        return msgspec.convert(found, form)
    except msgspec.MsgspecError as error:
        raise Unfit("too_slow" if done.returncode < 0 else "broken") from error
