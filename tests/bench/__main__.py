"""`make bench`: how quick and how small it is on this machine, each figure beside its budget or
beside the plain thing it is compared with. One run; nothing here passes or fails. A part whose
programs are not here is named before anything begins, and in the table.

`python -m tests.bench intake floor` runs only those parts.
"""

import asyncio
import importlib
import shutil
import sys
from types import ModuleType

from rich.console import Console

from tests.bench.figure import Figure, NotRun, print_figures

# modules of this folder, each with `async figures()` and, where it runs some, `NEEDS`
_PARTS = [
    "board", "chip", "states", "shift", "floor", "fuzz", "intake", "journal", "drain", "crowd",
    "memory", "voice", "readers", "centre", "month", "rebuild", "floor_crowd", "help", "flash",
    "update", "day", "heartbeat", "radio", "prove", "cable", "disk", "credential", "backup",
    "standby", "switch", "sample", "evaluations", "quality", "recordings",
]  # fmt: skip
_LONG = ["thirty"]  # when asked for by name


def main(parts: list[str]) -> int:
    if unknown := set(parts) - {*_PARTS, *_LONG}:
        raise SystemExit(
            f"no such part: {', '.join(unknown)}. There are: {', '.join(_PARTS + _LONG)}"
        )
    said = Console(stderr=True)
    found = {name: look(name) for name in parts or _PARTS}
    for part in found.values():
        if isinstance(part, NotRun):
            said.print(f"{part.part} will not run: {part.why}", style="red", markup=False)
    figures: list[Figure | NotRun] = []
    try:
        for name, part in found.items():
            figures += [part] if isinstance(part, NotRun) else measure(name, part, said)
    except KeyboardInterrupt:
        return 130
    finally:
        print_figures(Console(width=120), figures)
    return 0


def look(name: str) -> ModuleType | NotRun:
    """A part, when the programs in its `NEEDS` are here; they have the names of their packages."""
    try:
        part = importlib.import_module(f"tests.bench.{name}")
    except ImportError as error:
        return NotRun(name, str(error))
    missing = [need for need in getattr(part, "NEEDS", ()) if shutil.which(need) is None]
    if missing:
        return NotRun(name, f"needs {', '.join(missing)} (apt install {' '.join(missing)})")
    return part


def measure(name: str, part: ModuleType, said: Console) -> list[Figure] | list[NotRun]:
    """Its figures; whatever ends it leaves the other parts theirs."""
    said.print(f"{name}: {(part.__doc__ or '').splitlines()[0]}", markup=False)
    try:
        done: list[Figure] = asyncio.run(part.figures())
    except (Exception, SystemExit) as error:
        said.print_exception()
        return [NotRun(name, str(error).partition("\n")[0] or repr(error))]
    return done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
