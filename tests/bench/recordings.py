"""A 10-minute call of the switch's recordings, from the page's request to its peaks and its first
sound: found in the index, planned by the store, decoded in a process of its own.
"""

import statistics
import tempfile
import time
from pathlib import Path

from diadema.recordings import playing
from diadema.recordings.decoding import Decoders
from diadema.store import open_reader

from tests.bench.figure import Figure
from tests.support.recorded_calls import Centre, by_sox, hum, spoken

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
            with Decoders() as decoders:
                _listen(centre, decoders)
                both = [_listen(centre, decoders) for _ in range(_TIMES)]
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
    centre.scan()
    return centre


def _listen(centre: Centre, decoders: Decoders) -> tuple[float, float]:
    """Milliseconds to the peaks, and to the first part of the sound. Between requests a listener
    lets the next process begin.
    """
    begun = time.perf_counter()
    with open_reader(centre.data.store) as reader, centre.index() as index:
        plan = playing.plan(reader, index, centre.key())
    planned = time.perf_counter()
    assert playing.peaks(decoders, plan)
    peaks = time.perf_counter()
    time.sleep(_BETWEEN_S)
    again = time.perf_counter()
    playing.part(decoders, plan, "bytes=0-65535")
    first = time.perf_counter() - again + planned - begun
    time.sleep(_BETWEEN_S)
    return 1000 * (peaks - begun), 1000 * first
