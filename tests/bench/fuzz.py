"""Every parser of host and station under a coverage-guided fuzzer, from one seed.

Each runs in a process of its own for a fixed number of inputs, from valid samples on; what must
hold stands in `tests/parsers`. `python -m tests.bench.fuzz host.event 100000 7` runs one by
itself; with a file instead of the number it runs that one input again.
"""

import asyncio
import base64
import logging
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.figure import Figure
from tests.parsers.mutate import mutated

TESTS = Path(__file__).resolve().parents[1]
SEED = 7
_LONGEST = 4096  # bytes of an input
_RUNS = {  # inputs of each parser, by what one of them costs
    "host.serial_frames": 7_000,
    "host.gateway_frames": 12_000,
    "host.event": 40_000,
    "host.stream_messages": 12_000,
    "host.site": 8_000,
    "host.command": 24_000,
    "host.token": 15_000,
    "host.live_rows": 15_000,
    "host.flash_image": 4_000,
    "host.broker_stream": 14_000,
    "station.serial_frames": 7_000,
    "station.pieces": 12_000,
    "station.improv_packets": 12_000,
    "station.mqtt_packets": 12_000,
    "station.config": 4_000,
    "station.config_file": 6_000,
    "station.down": 1_500,
    "station.forged": 2_500,
    "station.sealing": 20_000,
    "station.host_command": 20_000,
    "station.host_site": 6_000,
    "station.boot_scan": 4_000,
    "station.boot": 2_000,
}
_LIMIT_S = 300
_AT_ONCE = 2


class Crash(Exception):
    """A promise was broken; the message has the input, in base64, and how to repeat it."""


async def figures() -> list[Figure]:
    if not _is_here():
        print("fuzz: atheris has no wheel for this machine, so nothing is fuzzed here", flush=True)
        return []
    slots = asyncio.Semaphore(_AT_ONCE)
    began = time.monotonic()
    ended = await asyncio.gather(*(_one(name, runs, slots) for name, runs in _RUNS.items()))
    took = time.monotonic() - began
    crashes = [str(end) for end in ended if isinstance(end, Crash)]
    print("\n".join(crashes), end="\n" if crashes else "", flush=True)
    whole = [end for end in ended if isinstance(end, tuple)]
    return [
        Figure("fuzzing, inputs", sum(runs for runs, _ in whole), f"in {took:.0f} s"),
        Figure("fuzzing, parsers", len(_RUNS), "parsers"),
        Figure("fuzzing, coverage", sum(features for _, features in whole), "features"),
        Figure("fuzzing, crashes", len(crashes), "must be 0"),
    ]


def _is_here() -> bool:
    try:
        import atheris  # noqa: F401
    except ImportError:
        return False
    return True


async def _one(name: str, runs: int, slots: asyncio.Semaphore) -> tuple[int, int] | Crash:
    async with slots:
        return await asyncio.to_thread(run_apart, name, runs)


def run_apart(name: str, runs: int, seed: int = SEED) -> tuple[int, int] | Crash:
    """(inputs, features reached) of a parser fuzzed in its own process, or how it failed."""
    with tempfile.TemporaryDirectory(prefix="diadema-fuzz-") as folder:
        command = [sys.executable, "-m", "tests.bench.fuzz", name, str(runs), str(seed), folder]
        try:
            done = subprocess.run(
                command, cwd=TESTS.parent, capture_output=True, timeout=_LIMIT_S, check=False
            )
            found = [*Path(folder).glob("broke"), *Path(folder).glob("*-*")]  # ours, its own
            given = base64.b64encode(found[0].read_bytes() if found else b"").decode()
        except subprocess.TimeoutExpired:
            return Crash(f"{name}: not through after {_LIMIT_S} s")
    said = (done.stdout + done.stderr).decode(errors="replace")
    end = re.search(r"^#(\d+)\s+DONE\s.*?\bft: (\d+)", said, re.MULTILINE)
    if done.returncode == 0 and end:
        return int(end[1]), int(end[2])
    error = done.stdout.decode(errors="replace").partition("exception: ===")[2] or said[-2000:]
    return Crash(
        f"{name} broke with seed {seed}. Again: put the base64 below, decoded, in a file, and\n"
        f"  python -m tests.bench.fuzz {name} FILE\n{given}\n{error.strip()[:3000]}"
    )


def _check(name: str, instrument: bool) -> Callable[[bytes], object]:
    """The function of that name in `tests/parsers`; for the fuzzer, with all that it calls."""
    if instrument:
        import atheris

        with atheris.instrument_imports(include=["diadema", "lib"]):
            from tests.parsers import host, station
    else:
        from tests.parsers import host, station
    logging.disable()
    station.prepare()
    room, _, parser = name.partition(".")
    check: Callable[[bytes], object] = getattr({"host": host, "station": station}[room], parser)
    return check


def _fuzz(name: str, runs: str, seed: str, folder: str) -> None:
    """Never returns: the fuzzer ends the process."""
    import atheris

    check = _check(name, instrument=True)  # before anything else imports what it instruments
    os.chdir(folder)  # the station's own files
    from tests.parsers.seeds import seeds

    def once(data: bytes) -> None:
        try:
            check(bytes(data))
        except BaseException:
            Path(folder, "broke").write_bytes(data)
            raise

    def mutate(data: bytes, longest: int, number: int) -> bytes:
        if number % 2:
            return atheris.Mutate(data, longest)
        return mutated(bytes(data), random.Random(number))[:longest]

    corpus = Path(folder, "corpus")
    corpus.mkdir()
    for at, sample in enumerate(seeds()[name]):
        (corpus / str(at)).write_bytes(sample[:_LONGEST])
    options = [f"-runs={runs}", f"-seed={seed}", f"-max_len={_LONGEST}", "-rss_limit_mb=2048"]
    options += ["-timeout=20", "-len_control=0", f"-artifact_prefix={folder}/", str(corpus)]
    atheris.Setup([name, *options], once, custom_mutator=mutate)
    atheris.Fuzz()


def main(name: str, what: str, seed: str = str(SEED), folder: str = "") -> None:
    if folder:
        _fuzz(name, what, seed, folder)
    elif what.isdigit():
        print(run_apart(name, int(what), int(seed)))
    else:
        _check(name, instrument=False)(Path(what).read_bytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
