"""Whether a recording is silent where the agent had it paused, and what of it is never sent: pure
arithmetic over milliseconds.
"""

from collections.abc import Iterable, Sequence

from diadema.recordings.calls import Pauses, placed
from diadema.recordings.decoding import Stretch

CERTAIN_MS = 3_000  # less certain, and a pause needs the recording's own silence
_MARGIN_MS = 1_000
_SHORTEST_MS = 500  # what of a pause has to lie in the file to be judged
_MOST = 0.8  # of a pause that has to be silent at once


def fits(pause: Stretch, silences: Iterable[Stretch], margin_ms: int) -> bool:
    """Whether one silence covers the pause, but for a margin at both of its ends."""
    first, last = pause
    return any(
        begin <= first + margin_ms
        and end >= last - margin_ms
        and end - begin >= _MOST * (last - first)
        for begin, end in silences
    )


def in_file(pauses: Pauses, offset_ms: int, file_ms: int) -> list[Stretch]:
    """What of the pauses lies in the file, where it is long enough to be judged."""
    found = (placed(one, offset_ms, file_ms) for one in pauses.stretches)
    inside = [(max(first, 0), min(last, file_ms)) for first, last in found]
    return [(first, last) for first, last in inside if last - first >= _SHORTEST_MS]


def verdict(
    pauses: Pauses,
    silences: Sequence[Stretch],
    file_ms: int,
    offset_ms: int | None,
    uncertainty_ms: int | None,
) -> str:
    """respected, not, none, or unknown where nobody can tell."""
    if not pauses.known:
        return "unknown"
    if not pauses.stretches:
        return "none"
    if offset_ms is None or uncertainty_ms is None:
        return "unknown"
    judged = in_file(pauses, offset_ms, file_ms)
    if not judged:
        return "none"
    if all(fits(one, silences, uncertainty_ms + _MARGIN_MS) for one in judged):
        return "respected"
    return "not" if uncertainty_ms <= CERTAIN_MS else "unknown"


def zeros(
    pauses: Pauses, file_ms: int, offsets_ms: Iterable[int], uncertainty_ms: int
) -> list[Stretch]:
    """What is sent as zeros whatever the file has: each pause where each of these offsets has it,
    wider by the uncertainty and a second at both ends.
    """
    wider = uncertainty_ms + _MARGIN_MS
    found = [placed(one, offset, file_ms) for offset in offsets_ms for one in pauses.stretches]
    return [(max(first - wider, 0), min(last + wider, file_ms)) for first, last in found]


def union(stretches: Iterable[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for first, last in sorted(stretches):
        if last <= first:
            continue
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined
