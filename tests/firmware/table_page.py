"""Writes `firmware/states.md`, the state machine's table as a person reads it, and how the
situations follow on each other: `python tests/firmware/table_page.py`. A test keeps it up to date.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "firmware" / "states.md"
MONDAY_8_LIMA = 1_770_037_200_000  # campaigns are open
SHORTCUTS = ("menu", "talk", "call", "next", "flagged", "undone", "type")  # several inputs in one
type Step = tuple[Any, ...]
READY: list[Step] = [("badge", ("0" * 32, "a001")), ("key3",)]
TALKING: list[Step] = [*READY, ("ring",), ("key1",)]
WAYS: list[list[Step]] = [  # to each situation
    [],
    READY[:1],
    READY,
    TALKING[:-1],
    [*READY, ("dial", "ventas", 1)],
    TALKING,
    [*TALKING, ("hold", True)],
    [*TALKING, ("consult", True)],
    [*TALKING, ("hangup", True, "caller")],
]

_HEAD = """# The agent's states

`python tests/firmware/table_page.py` writes this page from `lib/transitions.py` and
`lib/commands.py`, and the diagram from trying every input, and every line of the lists it opens,
in each situation: which events lead from where to where. Nothing but events changes the desk.

```mermaid
stateDiagram-v2
%s
```

What an input does. `hold` is the method `_hold` in `lib/`, `transfer.drop` the function `drop` of
`lib/do_transfer.py`; ✗ refuses a command with that reason. An empty cell does nothing, but a
command is told that there is no such contact, or that it is in another state. `key1` and `key3`
to `key6` belong to an open list first, except while it rings. `closing` lasts only when the power
went between a call and its wrap-up.

"""


def page() -> str:
    """Its text. Needs the firmware and this folder on the path."""
    table = import_module("lib.transitions")
    lines = ["| input | " + " | ".join(table.SITUATIONS) + " |"]
    lines.append("|---" * (1 + len(table.SITUATIONS)) + "|")
    rows = {**table.TABLE, **import_module("lib.commands").TABLE}
    for name in rows:
        actions = [table.cell(name, situation, rows) for situation in table.SITUATIONS]
        cells = [_words(action) for action in actions]
        lines.append(f"| **{name}** | " + " | ".join(cells) + " |")
    return _HEAD % _arrows(table.SITUATIONS) + "\n".join(lines) + "\n"


def _words(action: str | None) -> str:
    if action is None:
        return ""
    return f"✗ {action[1:]}" if action[0] == "!" else f"`{action}`"


def _arrows(situations: tuple[str, ...]) -> str:
    """Of every pair of situations that follow on each other, what leads there."""
    found: dict[tuple[str, str], set[str]] = {}
    for way in WAYS:
        for step in _inputs():
            _try([*way, step], found)
    order = sorted(found, key=lambda pair: [situations.index(each) for each in pair])
    return "\n".join(
        f"    {before} --> {after}: {', '.join(sorted(found[before, after]))}"
        for before, after in order
    )


def _inputs() -> Iterator[Step]:
    for _, choices in import_module("tests.support.state_walk").INPUTS:
        if choices[0][0] not in SHORTCUTS:
            yield from set(product(*choices))


def _try(steps: list[Step], found: dict[tuple[str, str], set[str]], lists: bool = True) -> None:
    """And each line of a list that is open then."""
    walk = import_module("tests.support.state_walk").Walk(pins=False, rich=True)
    walk.utc_at_0 = MONDAY_8_LIMA
    for step in steps:
        walk.step(*step)
    _follow(walk.events, found)
    if walk.station.menu and lists:
        for key in ("key3", "key4", "key5", "key6"):
            _try([*steps, (key,)], found, False)


def _follow(events: list[dict[str, Any]], found: dict[tuple[str, str], set[str]]) -> None:
    desk = import_module("lib.desk").Desk()
    before = desk.presence
    for event in events:
        desk.apply(event)
        after = desk.presence if desk.work == "idle" else desk.work
        if after != before:
            found.setdefault((before, after), set()).add(event["k"])
        before = after


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))
    import_module("tests.support")
    PAGE.write_text(page())
