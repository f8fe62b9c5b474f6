"""The process in which one recording is decoded, run by itself as a file: it has no room of the
house, no name of the recording and nothing that it could write to but its standard output.

It takes its limits before it loads what reads foreign bytes, and then waits at the socket that is
its standard input for one plan and the recording. The answer is a line of JSON, and after it the
sound, where that is wanted. numpy is imported here alone.
"""

import contextlib
import hashlib
import json
import os
import resource
import socket
import sys
from typing import Any

MEMORY = 1 << 30  # bytes of address space
PROCESSOR_S = 20
_LONGEST_S = 4 * 3600
_RATES = (4_000, 192_000)
_SIDES = 2
_BLOCK = 1 << 18  # frames
_READ = 1 << 20
_RUN_MS = 300  # shorter silence is none
_RUNS = 2000
BUCKETS = 1200
_STEPS = 50  # a second, of which peaks are made
WAVE_STEPS = 10  # the same, of what the index keeps
_BEFORE_S = 1  # decoded before what is wanted, where a codec knows its past
# the largest sample that the codec makes of digital silence; others: it rings
_SILENT = {"ALAW": 8, "PCM_16": 0, "PCM_24": 0, "PCM_32": 0, "PCM_U8": 0, "PCM_S8": 0, "ULAW": 0}
_RINGS = 16


class Unfit(Exception):
    """With the word for why."""


def limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, PROCESSOR_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a system that has no such limit
            resource.setrlimit(what, (most, most))


def digest(descriptor: int) -> str:
    found, at = hashlib.sha256(), 0
    while block := os.pread(descriptor, _READ, at):
        found.update(block)
        at += len(block)
    return found.hexdigest()


class Recording:
    """`frames`: how many of it are read."""

    def __init__(self, descriptor: int) -> None:
        import numpy
        import soundfile

        self.np: Any = numpy
        self._broken = (soundfile.LibsndfileError, RuntimeError)
        try:
            self._file = soundfile.SoundFile(descriptor, closefd=False)
        except (*self._broken, ValueError, TypeError) as error:
            raise Unfit("no_sound") from error
        self.rate, self.sides = int(self._file.samplerate), int(self._file.channels)
        if not _RATES[0] <= self.rate <= _RATES[1]:
            raise Unfit("rate")
        if not 1 <= self.sides <= _SIDES:
            raise Unfit("sides")
        self.format = f"{self._file.format} {self._file.subtype}"
        self.silent = _SILENT.get(self._file.subtype, _RINGS)
        self.frames = 0

    def skip_to(self, frame: int) -> None:
        """What comes then is sound from there, or from a little before it."""
        before = 0 if self.silent < _RINGS else _BEFORE_S * self.rate
        with contextlib.suppress(*self._broken):
            self.frames = int(self._file.seek(max(frame - before, 0)))

    def blocks(self, size: int = _BLOCK) -> Any:
        """Of 16-bit samples, a column a side. What is broken ends there."""
        while True:
            try:
                block = self._file.read(size, dtype="int16", always_2d=True)
            except self._broken:
                return
            if not len(block):
                return
            yield block
            self.frames += len(block)
            if self.frames > _LONGEST_S * self.rate:
                raise Unfit("too_long")


def probe(recording: Recording, descriptor: int) -> tuple[dict[str, Any], list[bytes]]:
    """What it is, and where all its sides are digital silence: ms, [from, to); and the loudest of
    each step and side, 0-255, where the codec takes long for that.
    """
    wave = Wave(recording, WAVE_STEPS) if recording.silent >= _RINGS else None
    least, rate = recording.rate * _RUN_MS // 1000, recording.rate
    runs: list[tuple[int, int]] = []
    begun: int | None = None
    for block in recording.blocks():
        at, size = recording.frames, len(block)
        if wave is not None:
            wave.add(block)
        found = _silent_runs(recording, block, least)
        if begun is not None and not (found and found[0][0] == 0):
            runs.append((begun, at))
            begun = None
        for first, last in found:
            start = begun if first == 0 and begun is not None else at + first
            begun = start if last == size else None
            if begun is None:
                runs.append((start, at + last))
        runs = _longest(runs, least)
    if begun is not None:
        runs = _longest([*runs, (begun, recording.frames)], least)
    if not recording.frames:
        raise Unfit("empty")
    envelope = [] if wave is None else [_seen(recording.np, wave.loudest()).tobytes()]
    return {
        "frames": recording.frames, "rate": rate, "sides": recording.sides,
        "format": recording.format, "hash": digest(descriptor),
        "silences": [[first * 1000 // rate, last * 1000 // rate] for first, last in runs],
    }, envelope  # fmt: skip


def _silent_runs(recording: Recording, block: Any, least: int) -> list[tuple[int, int]]:
    """Long ones, and those that may go on beyond the block."""
    np = recording.np
    silent = np.abs(block.astype(np.int32)).max(axis=1) <= recording.silent
    edges = np.flatnonzero(np.diff(silent.astype(np.int8), prepend=0, append=0))
    first, last = edges[::2], edges[1::2]
    wanted = (last - first >= least) | (first == 0) | (last == len(block))
    return [*zip(first[wanted].tolist(), last[wanted].tolist(), strict=True)]


def _longest(runs: list[tuple[int, int]], least: int) -> list[tuple[int, int]]:
    enough = [run for run in runs if run[1] - run[0] >= least]
    if len(enough) <= _RUNS:
        return enough
    return sorted(sorted(enough, key=lambda run: run[0] - run[1])[:_RUNS])


def heard(recording: Recording, plan: dict[str, Any]) -> Any:
    """The samples of frames [first, last), zero in all of `zeros`, block by block."""
    first, last = plan["first"], plan["last"]
    recording.skip_to(first)
    for block in recording.blocks(min(_BLOCK, max(last - recording.frames, 1))):
        at = recording.frames
        low, high = max(first - at, 0), min(last - at, len(block))
        if low < high:
            for begin, end in plan["zeros"]:
                block[max(begin - at, 0) : max(end - at, 0)] = 0
            yield recording.np.ascontiguousarray(block[low:high], dtype="<i2")
        if at + len(block) >= last:
            return


class Wave:
    """The loudest of each of `steps` a second, and of each side."""

    def __init__(self, recording: Recording, steps: int) -> None:
        self._np = recording.np
        self._step = max(recording.rate // steps, 1)
        self._left: Any = self._np.zeros((0, recording.sides), dtype="<i2")
        self._found: list[Any] = []

    def add(self, block: Any) -> None:
        left = self._np.concatenate((self._left, block))
        whole = len(left) // self._step
        steps = left[: whole * self._step].reshape(whole, self._step, -1)
        self._found.append(_loudest(self._np, steps))
        self._left = left[whole * self._step :]

    def loudest(self) -> Any:
        """Raises Unfit."""
        if len(self._left):
            self._found.append(_loudest(self._np, self._left[None]))
        if not self._found:
            raise Unfit("empty")
        return self._np.concatenate(self._found)


def peaks(recording: Recording, plan: dict[str, Any]) -> dict[str, Any]:
    """The loudest of each of many equal parts, 0-255, a list for each side."""
    np, wave = recording.np, Wave(recording, _STEPS)
    for block in heard(recording, plan):
        wave.add(block)
    loudest = wave.loudest()
    edges = np.linspace(0, len(loudest), min(BUCKETS, len(loudest)) + 1).astype(np.int64)[:-1]
    return {"peaks": _seen(np, np.maximum.reduceat(loudest, edges)).T.tolist()}


def _seen(np: Any, loudest: Any) -> Any:
    return (loudest >> 7).clip(0, 255).astype(np.uint8)


def _loudest(np: Any, steps: Any) -> Any:
    """Of each step and side."""
    return np.maximum(steps.max(axis=1).astype(np.int32), -steps.min(axis=1).astype(np.int32))


def answer(plan: dict[str, Any], descriptor: int) -> tuple[dict[str, Any], list[bytes]]:
    recording = Recording(descriptor)
    match plan["want"]:
        case "peaks":
            return peaks(recording, plan), []
        case "sound":
            return {}, [block.tobytes() for block in heard(recording, plan)]
    return probe(recording, descriptor)


def main() -> None:
    limit()
    with contextlib.suppress(ImportError, MemoryError):  # told when it is wanted
        import soundfile  # noqa: F401
    with socket.socket(fileno=0) as plans:
        line, descriptors, _, _ = socket.recv_fds(plans, _READ, 1)
        while line and not line.endswith(b"\n"):
            line += plans.recv(_READ)
    if not line:
        return  # nobody wants anything any more
    sound: list[bytes] = []
    try:
        found, sound = answer(json.loads(line), descriptors[0])
    except Unfit as error:
        found = {"unfit": error.args[0]}
    except MemoryError:
        found = {"unfit": "too_large"}
    sys.stdout.buffer.write(json.dumps(found).encode() + b"\n")
    sys.stdout.buffer.writelines(sound)


if __name__ == "__main__":
    main()
