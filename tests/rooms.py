"""The rooms of the host package: who imports whom, and their part of host_tools/diadema/README.md.

`python -m tests.rooms` writes that part anew; `make check` says whether it is up to date.
"""

import ast
import re
import sys
from pathlib import Path

from tests.support.made_part import renewed

HOST = Path(__file__).resolve().parents[1] / "host_tools"
README = HOST / "diadema" / "README.md"
SIMULATOR = "diadema_sim"
# from the ground up: a room imports rooms of lower floors only
FLOORS = (
    ("words",),
    ("base",),
    ("wire",),
    ("store", "gateway"),
    ("metrics",),
    ("site",),
    ("access", "ingest", "figures", "quality", "recordings"),
    ("report", "exchange"),
    ("switch",),
    ("stations", "maintenance"),
    ("hub", "web"),
    ("cli",),
)
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}


def imports(host: Path = HOST) -> dict[tuple[str, str], set[str]]:
    """(room, room that it imports) → modules that do so, `diadema_sim` being one room."""
    arrows: dict[tuple[str, str], set[str]] = {}
    for path in sorted(host.rglob("*.py")):
        module = ".".join(path.relative_to(host).with_suffix("").parts)
        room = _room(module)
        for name in _imported(ast.parse(path.read_text(encoding="utf-8"))):
            other = _room(name)
            if room and other and other != room:
                arrows.setdefault((room, other), set()).add(module)
    return arrows


def rooms(host: Path = HOST) -> dict[str, str]:
    """Each room and its purpose, the first sentence of its docstring; "" where it has none."""
    found = {}
    for folder in sorted((host / "diadema").iterdir()):
        if folder.is_dir() and any(folder.rglob("*.py")):
            start = folder / "__init__.py"
            text = ast.get_docstring(ast.parse(start.read_text())) if start.exists() else None
            found[folder.name] = re.split(r"(?<=\.)\s", " ".join((text or "").split()))[0]
    return found


def _room(module: str) -> str:
    package, _, rest = module.partition(".")
    if package == SIMULATOR:
        return SIMULATOR
    room = rest.partition(".")[0]
    return room if package == "diadema" and not room.startswith("_") else ""


def _imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def made() -> str:
    """The table of the rooms and the drawing of their imports, as Markdown."""
    arrows, purposes = imports(), rooms()
    below = {
        room: {to for by, to in arrows if by == room and to != SIMULATOR} for room in purposes
    }
    lines = [
        "| piso · floor | sala · room | para qué es · what it is for | importa · imports |",
        "|---|---|---|---|",
    ]
    for number, floor in reversed(list(enumerate(FLOORS))):
        for room in sorted(floor):
            named = ", ".join(sorted(below[room], key=lambda to: (-FLOOR[to], to)))
            lines.append(f"| {number} | `{room}/` | {purposes[room]} | {named} |")
    drawn = [f"    {by} --> {to}" for by in sorted(below) for to in sorted(_direct(by, below))]
    return "\n".join([*lines, "", "```mermaid", "flowchart TD", *drawn, "```"])


def _direct(room: str, below: dict[str, set[str]]) -> set[str]:
    """What it imports and does not reach through another, so that the drawing can be read."""
    through: set[str] = set()
    for other in below[room]:
        through |= _reached(other, below)
    return below[room] - through


def _reached(room: str, below: dict[str, set[str]]) -> set[str]:
    found = set(below[room])
    for other in below[room]:
        found |= _reached(other, below)
    return found


def up_to_date() -> str:
    """What to do where the README tells of other rooms than there are, else nothing."""
    page = README.read_text(encoding="utf-8")
    same = page == renewed(page, "rooms", made())
    return "" if same else "run `python -m tests.rooms` and commit"


def main() -> int:
    page = README.read_text(encoding="utf-8")
    README.write_text(renewed(page, "rooms", made()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
