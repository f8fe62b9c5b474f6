"""A 10-minute call of the switch's recordings, from a request to the web to its peaks and its
first sound: the hub lets it be heard, the store says what of it, a process of its own decodes it.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.figure import Figure
from tests.support.informed import LEAD
from tests.support.recorded_calls import Centre, by_sox, hum, spoken
from tests.support.sound_stage import sound_stage

NEEDS = ("sox",)
_PBX, _START, _SECONDS, _TIMES = "1795000000.1", 60_000, 600, 7
_PEAKS_MS, _FIRST_MS = 300, 200
_BETWEEN_S = 1.0
_FORMS = {"WAV": ("wav", ()), "GSM": ("WAV", ("-t", "wav", "-e", "gsm-full-rate"))}


async def figures() -> list[Figure]:
    found = []
    for name, (extension, how) in _FORMS.items():
        with tempfile.TemporaryDirectory(prefix="diadema-bench-") as scratch:
            centre = _centre(Path(scratch), extension, how)
            async with sound_stage(centre) as stage:
                await stage.linked(1)
                await _listen(stage)
                both = [await _listen(stage) for _ in range(_TIMES)]
        what = f"recording of 10 minutes, {name}"
        peaks, first = (statistics.median(some) for some in zip(*both, strict=True))
        found += [
            Figure(f"{what}: peaks", peaks, "ms", _PEAKS_MS, "budget"),
            Figure(f"{what}: first audio", first, "ms", _FIRST_MS, "budget"),
        ]
    return found


def _centre(folder: Path, extension: str, how: tuple[str, ...]) -> Centre:
    centre = Centre(folder)
    centre.call(centre.station(), _START, _SECONDS, _PBX, [(100, 130)])
    centre.recorded(_PBX, _START, _START + _SECONDS * 1000)
    file = centre.file(spoken(_SECONDS, hum(), [(100, 130)]), _START, _PBX)
    if how:
        by_sox(file, extension, how)
    return centre.store()


async def _listen(stage: Any) -> tuple[float, float]:
    """Milliseconds to the peaks of a call that the hub has just let the lead hear, and to the
    first part of its sound. Between requests the next process begins, as for any listener.
    """
    lead, call = stage.enter(LEAD), stage.centre.key()
    told = (await stage.begin(lead, call, "dispute")).json()
    await asyncio.sleep(_BETWEEN_S)
    begun = time.perf_counter()
    assert (await stage.get(lead, told["peaks"])).status_code == 200
    peaks = time.perf_counter()
    await asyncio.sleep(_BETWEEN_S)
    again = time.perf_counter()
    assert (await stage.get(lead, told["sound"], range="bytes=0-65535")).status_code == 206
    first = time.perf_counter()
    await stage.end(lead, told["listening"])
    return 1000 * (peaks - begun), 1000 * (first - again)
