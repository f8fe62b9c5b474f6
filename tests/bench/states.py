"""The state machine over a million random steps, cuts and wrong inputs among them: violations.

Each of two processes walks its half from a seed of its own; what must hold after each step and of
all events together stands in `tests/support/state_walk.py`.
"""

import asyncio
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor

from tests.bench.figure import Figure

_STEPS = 1_000_000
_SEEDS = (7, 8)
_DAY = 300  # steps at one desk


def walk(seed: int) -> tuple[int, str]:
    """Steps done, and the first violation with what repeats it, or nothing."""
    from tests.support import state_walk

    done = number = 0
    # rooms that are loaded for a moment are loaded a million times: compiled once is enough
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as compiled:
        sys.pycache_prefix, sys.dont_write_bytecode = compiled, False
        while done < _STEPS // len(_SEEDS):
            try:
                done += state_walk.day(random.Random(f"{seed}.{number}"), _DAY)
            except Exception as error:
                return done, f"seed {seed}.{number}: {type(error).__name__} {error}"
            number += 1
    return done, ""


async def figures() -> list[Figure]:
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(len(_SEEDS)) as pool:
        found = await asyncio.gather(*(loop.run_in_executor(pool, walk, seed) for seed in _SEEDS))
    took_s = time.perf_counter() - began
    for _, violation in found:
        if violation:
            print(violation, file=sys.stderr)
    steps = sum(done for done, _ in found)
    violations = sum(bool(violation) for _, violation in found)
    return [
        Figure("state machine, random steps", steps, "steps", _STEPS, "budget, at least"),
        Figure("violations found in them", violations, ""),
        Figure("state machine, walked", steps / took_s, "steps/s"),
    ]
