"""The lines of «¿Cómo se calcula?» in host_tools/README.md, made from the Spanish catalogue.

`python -m tests.definitions` writes them anew: a line stays where it is, and a new one
follows that of the key before it in the catalogue. `tests/host/test_definitions.py` fails until
that is done.
"""

import re
import sys
from pathlib import Path

from diadema.words import section

README = Path(__file__).resolve().parents[1] / "host_tools" / "README.md"
_BEGIN, _END = "### ¿Cómo se calcula?", "</details>"
_LINE = re.compile(r"- \*\*(.+?)\*\*: ")


def lines() -> dict[str, str]:
    """{name of a figure: its line}, in the order of the catalogue."""
    words = section("reports", "es")
    keys = [key.partition(".")[2] for key in words if key.startswith("formula.")]
    return {
        words[f"col.{key}"]: f"- **{words[f'col.{key}']}**: {words[f'formula.{key}']}."
        for key in keys
    }


def renewed(text: str) -> str:
    """The page with these lines and no others."""
    head, begin, rest = text.partition(_BEGIN)
    part, end, tail = rest.partition(_END)
    wanted, made, seen = lines(), [], set()
    for line in part.split("\n"):
        name = _LINE.match(line)
        if name and name[1] in wanted:
            made.append(wanted[name[1]])
            seen.add(name[1])
        elif not name:
            made.append(line)
    before = None
    for name, line in wanted.items():
        if name not in seen:
            first = next(k for k, it in enumerate(made) if it.startswith("- "))
            made.insert(made.index(before) + 1 if before else first, line)
        before = line
    return f"{head}{begin}{chr(10).join(made)}{end}{tail}"


def main() -> int:
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
