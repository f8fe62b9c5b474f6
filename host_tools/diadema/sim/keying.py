"""Which keys bring an agent to a line of a list on the station's screen.

A list has four lines, keyed 3-6; over four, each page has three and line 6 turns it («Más ›»). For
the drivers of simulated runs, who see the site's catalogues and not the firmware.
"""

from typing import Any

from diadema.errors import DiademaError

ANSWER = HANG_UP = DONE = 1
MUTE = 2
READY = PAUSE = TYPIFY = 3  # not ready, ready, in a call
HOLD = 4
_FIRST, _LINES, _MORE = 3, 4, 6


def line_keys(index: int, count: int) -> list[int]:
    """Keys for line `index` (from 0) of a list of `count`."""
    if not 0 <= index < count:
        raise DiademaError(f"a list of {count} has no line {index}")
    if count <= _LINES:
        return [_FIRST + index]
    page, line = divmod(index, _LINES - 1)
    return [_MORE] * page + [_FIRST + line]


def code_keys(tree: dict[str, Any], code: str) -> list[int]:
    """Keys for a leaf of the tipificación tree, from its first level on."""
    path = _path(tree["nodes"], code)
    if path is None:
        raise DiademaError(f"the tree has no code {code!r} at its third level")
    return [key for index, count in path for key in line_keys(index, count)]


def reason_keys(reasons: list[dict[str, Any]], code: str) -> list[int]:
    """Keys for a reason of not being ready, once the list of reasons is open."""
    codes = [reason["code"] for reason in reasons]
    if code not in codes:
        raise DiademaError(f"no reason {code!r}; there are {', '.join(codes)}")
    return line_keys(codes.index(code), len(codes))


def _path(nodes: list[Any], code: str) -> list[tuple[int, int]] | None:
    for index, node in enumerate(nodes):
        here = (index, len(nodes))
        if len(node) > 2:
            below = _path(node[2], code)
            if below is not None:
                return [here, *below]
        elif node[0] == code:
            return [here]
    return None
