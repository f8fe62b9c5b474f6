"""One credential's messages, well-formed and hostile, beside a desk that works: for longer."""

import asyncio
import time
import traceback

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bench.figure import Figure

_EXAMPLES = 150
_STEPS = 40


async def figures() -> list[Figure]:
    began = time.monotonic()
    broken = await asyncio.to_thread(_broken)
    took = time.monotonic() - began
    return [
        Figure("one credential, runs of messages", _EXAMPLES, f"in {took:.0f} s"),
        Figure("one credential, others' figures changed", broken, "must be 0"),
    ]


def _broken() -> int:
    from tests.host.test_one_credential import OneCredential

    longer = settings(
        max_examples=_EXAMPLES,
        stateful_step_count=_STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(OneCredential, settings=longer)
    except Exception:
        traceback.print_exc()
        return 1
    return 0
