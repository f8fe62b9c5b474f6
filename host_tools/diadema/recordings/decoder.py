"""The process in which one recording is decoded, run by itself as a file: it has no room of the
house, no name of the recording and nothing to write to but what it was given. Standard input is
the recording, standard output one line of JSON, the file that `argv` names takes the sound.

It takes its limits before it loads what reads foreign bytes. numpy is imported here alone.
"""

import contextlib
import hashlib
import json
import os
import resource
import sys
from typing import Any

MEMORY = 1 << 30  # bytes of address space
PROCESSOR_S = 20
SOUND = 1 << 30  # bytes of decoded sound
_LONGEST_S = 4 * 3600
_RATES = (4_000, 192_000)
_SIDES = 2
_BLOCK = 1 << 18  # frames
_READ = 1 << 20
_RUN_MS = 300  # shorter silence is none
_RUNS = 2000
_BUCKETS = 1200
_STEPS = 50  # a second, of which peaks are made
# the largest sample that the codec makes of digital silence; others: it rings
_SILENT = {"ALAW": 8, "PCM_16": 0, "PCM_24": 0, "PCM_32": 0, "PCM_U8": 0, "PCM_S8": 0, "ULAW": 0}
_RINGS = 16


class Unfit(Exception):
    """With the word for why."""


def limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, PROCESSOR_S),
        (resource.RLIMIT_FSIZE, SOUND),
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
    """Read from its beginning, block by block."""

    def __init__(self, descriptor: int) -> None:
        import numpy
        import soundfile

        self.np: Any = numpy
        self._broken = soundfile.LibsndfileError
        try:
            self._file = soundfile.SoundFile(descriptor, closefd=False)
        except (self._broken, RuntimeError, ValueError, TypeError) as error:
            raise Unfit("no_sound") from error
        self.rate, self.sides = int(self._file.samplerate), int(self._file.channels)
        if not _RATES[0] <= self.rate <= _RATES[1]:
            raise Unfit("rate")
        if not 1 <= self.sides <= _SIDES:
            raise Unfit("sides")
        self.format = f"{self._file.format} {self._file.subtype}"
        self.silent = _SILENT.get(self._file.subtype, _RINGS)
        self.frames = 0

    def blocks(self) -> Any:
        """Of 16-bit samples, a column a side. What is broken ends there."""
        while True:
            try:
                block = self._file.read(_BLOCK, dtype="int16", always_2d=True)
            except (self._broken, RuntimeError):
                return
            if not len(block):
                return
            yield block
            self.frames += len(block)
            if self.frames > _LONGEST_S * self.rate:
                raise Unfit("too_long")

    @property
    def ms(self) -> int:
        return self.frames * 1000 // self.rate


def probe(recording: Recording, descriptor: int) -> dict[str, Any]:
    """What it is, and where all its sides are digital silence: ms, [from, to)."""
    least = recording.rate * _RUN_MS // 1000
    runs: list[tuple[int, int]] = []
    begun: int | None = None
    for block in recording.blocks():
        at, size = recording.frames, len(block)
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
    return {
        "ms": recording.ms, "rate": recording.rate, "sides": recording.sides,
        "format": recording.format, "hash": digest(descriptor),
        "silences": [
            [first * 1000 // recording.rate, last * 1000 // recording.rate] for first, last in runs
        ],
    }  # fmt: skip


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


def play(recording: Recording, out: int, plan: dict[str, Any]) -> dict[str, Any]:
    """The sound of [first, last) ms, 16 bit, sides interleaved, zero in all of `zeros`; and its
    peaks, made of the same samples.
    """
    np, rate = recording.np, recording.rate
    first, last = plan["first_ms"] * rate // 1000, plan["last_ms"] * rate // 1000
    zeros = [(a * rate // 1000, -(-b * rate // 1000)) for a, b in plan["zeros"]]
    step, frames = max(rate // _STEPS, 1), 0
    left: Any = np.zeros((0, recording.sides), dtype="<i2")
    steps: list[Any] = []
    with os.fdopen(out, "wb", closefd=False) as file:
        for block in recording.blocks():
            at = recording.frames
            low, high = max(first - at, 0), min(last - at, len(block))
            if low >= high:
                continue
            for begin, end in zeros:
                block[max(begin - at, 0) : max(end - at, 0)] = 0
            heard = np.ascontiguousarray(block[low:high], dtype="<i2")
            frames += len(heard)
            if frames * recording.sides * 2 > SOUND:
                raise Unfit("too_long")
            file.write(heard.data)
            left = np.concatenate((left, heard))
            whole = len(left) // step
            steps.append(_loudest(np, left[: whole * step].reshape(whole, step, -1)))
            left = left[whole * step :]
    if not frames:
        raise Unfit("empty")
    if len(left):
        steps.append(_loudest(np, left[None]))
    peaks = np.concatenate(steps)
    edges = np.linspace(0, len(peaks), min(_BUCKETS, len(peaks)) + 1).astype(np.int64)[:-1]
    peaks = np.maximum.reduceat(peaks, edges) >> 7
    return {
        "rate": rate, "sides": recording.sides, "frames": frames,
        "peaks": peaks.clip(0, 255).T.tolist(),
    }  # fmt: skip


def _loudest(np: Any, steps: Any) -> Any:
    """Of each step and side."""
    return np.maximum(steps.max(axis=1).astype(np.int32), -steps.min(axis=1).astype(np.int32))


def main() -> None:
    limit()
    plan = json.loads(sys.argv[1])
    try:
        recording = Recording(0)
        found = play(recording, plan["out"], plan) if "out" in plan else probe(recording, 0)
    except Unfit as error:
        found = {"unfit": error.args[0]}
    except MemoryError:
        found = {"unfit": "too_large"}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
