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
    [*TALKING, ("hangup", True, "caller", None)],
]

_HEAD = """# Los estados del asesor · the agent's states

`python tests/firmware/table_page.py` escribe esta página desde `lib/transitions.py` y
`lib/commands.py`; el dibujo sale de probar en cada situación cada entrada, y cada línea de las
listas que abre: qué eventos llevan de dónde a dónde. Solo los eventos cambian el puesto.
*That command writes this page from the tables, and the diagram from trying every input in each
situation. Nothing but events changes the desk.*

```mermaid
stateDiagram-v2
%s
```

Qué hace una entrada. `hold` es el método `_hold` de `lib/`; `transfer.drop`, la función `drop` de
`lib/do_transfer.py`; ✗ rechaza un comando por ese motivo. Una celda vacía no hace nada, pero a un
comando se le dice que no hay esa llamada, o que está en otro estado. `key1` y `key3` a `key6` son
primero de una lista abierta, salvo mientras timbra. `closing` dura solo si la energía se fue entre
una llamada y su post llamada.
*What an input does. `hold` is a method, `transfer.drop` a function of `lib/do_transfer.py`; ✗
refuses a command with that reason; an empty cell does nothing, but a command is told why. Keys
belong to an open list first, except while it rings.*

"""


def page() -> str:
    """Its text. Needs the firmware and this folder on the path."""
    table = import_module("lib.transitions")
    lines = ["| entrada · input | " + " | ".join(table.SITUATIONS) + " |"]
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
