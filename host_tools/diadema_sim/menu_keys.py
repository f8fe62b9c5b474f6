"""Which keys bring an agent to a line of a menu on the station's screen.

A list has four lines, keyed 3-6; over four, each page has three and line 6 turns it («Más ›»). For
the drivers of simulated runs, who see the site's catalogues and not the firmware.
"""

from collections.abc import Sequence
from typing import Any

from diadema.base.errors import DiademaError

ANSWER = HANG_UP = DONE = BACK = 1
MUTE = 2
READY = PAUSE = STEP = TYPIFY = 3  # not ready, ready, in a call until the last step, after it
YES, NO = 3, 4  # to what is asked
DIAL = HOLD = 4  # ready, in a call
HELP, MENU = 5, 6
JOIN, SWAP, CONFER, RETURN = 3, 4, 5, 6  # in a consult
CLOSE_SESSION, LEAVE = 4, 5  # once the own badge has asked
BEGIN_TEST = ALL_WELL = 3  # of the self-test, and of each of its steps
SKIP_TEST = (4, 3)  # and why: a call waits
FIRST = 3  # of a list's lines
_LINES, _MORE = 4, 6
_MOST_USED = 3


def line_keys(index: int, count: int) -> list[int]:
    """Keys for line `index` (from 0) of a list of `count`."""
    if not 0 <= index < count:
        raise DiademaError(f"a list of {count} has no line {index}")
    if count <= _LINES:
        return [FIRST + index]
    page, line = divmod(index, _LINES - 1)
    return [_MORE] * page + [FIRST + line]


def coded_keys(rows: list[dict[str, Any]], code: str) -> list[int]:
    """Keys for one of a site's list of reasons, areas, topics …, once that list is open."""
    codes = [row["code"] for row in rows]
    if code not in codes:
        raise DiademaError(f"no {code!r} in the list; there are {', '.join(codes)}")
    return line_keys(codes.index(code), len(codes))


def call_menu_keys(wanted: str, *, step: bool, coded: bool) -> list[int]:
    """Menú and a line of it in a call; `step`: one is still to tick, `coded`: it has its code."""
    lines = ["transfer", "motive", "recording"]
    lines += ["skip"] * step + ["after_call"] + ["code"] * (not coded)
    return [MENU, *line_keys(lines.index(wanted), len(lines))]


def code_keys(
    tree: dict[str, Any], code: str, recent: Sequence[str] = (), motive: str | None = None
) -> list[int]:
    """Keys for a leaf of the tipificación tree, once it is open.

    The codes that the agent used most among `recent`, the newest first, stand before the tree's
    first level; under the `motive` of the call, which is open then, those of that motive.
    """
    nodes = tree["nodes"]
    below = next((node[2] for node in nodes if node[0] == motive), None)
    if below is not None:
        keys = _open_keys(below, code, recent)
        if keys:
            return keys
    keys = _open_keys(nodes, code, recent)
    if keys is None:
        raise DiademaError(f"the tree has no code {code!r} at its third level")
    return keys if below is None else [BACK, *keys]


def _open_keys(nodes: list[Any], code: str, recent: Sequence[str]) -> list[int] | None:
    used = most_used(nodes, recent)
    path = [(used.index(code), 0)] if code in used else _path(nodes, code)
    if path is None:
        return None
    (index, _), *deeper = path
    first = (index if code in used else index + len(used), len(nodes) + len(used))
    return [key for index, count in (first, *deeper) for key in line_keys(index, count)]


def most_used(nodes: list[Any], recent: Sequence[str]) -> list[str]:
    """Of the recent codes those below `nodes` that come first: three, the most used ones."""
    found = {code for code in recent if _path(nodes, code) is not None}
    by_use = sorted(found, key=lambda code: (-recent.count(code), recent.index(code)))
    return by_use[:_MOST_USED]


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
