"""Screen pictures of the station tests: kept as text, two pixels a character, compared exactly.

`DIADEMA_PICTURES=write` takes what the screen shows now as right; then look at each with
`python -m tests.support.pictures FILE.png NAME`.
"""

import os
import sys
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "station" / "pictures"
_HALVES = " ▀▄█"


def as_text(ram: bytes) -> str:
    """128×64 pixels as 32 lines of 128 characters."""
    lines = []
    for y in range(0, 64, 2):
        line = ""
        for x in range(128):
            pair = ram[y // 8 * 128 + x] >> (y % 8) & 3
            line += _HALVES[pair]
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def compare(name: str, ram: bytes) -> None:
    """Raises AssertionError with both pictures when the screen is not as kept.

    The firmware moves its picture by a column every other two minutes; its own last one is dark.
    """
    path = _FOLDER / f"{name}.txt"
    text = as_text(ram)
    moved_back = as_text(ram[1:] + b"\0")
    if os.environ.get("DIADEMA_PICTURES") == "write":
        _FOLDER.mkdir(exist_ok=True)
        moved = any(ram[127::128])
        path.write_text(moved_back if moved else text)
        return
    kept = path.read_text() if path.exists() else ""
    if kept not in (text, moved_back):
        raise AssertionError(f"the screen is not as kept in {path.name}; it shows now:\n{text}")


def save_png(text: str, path: Path, scale: int = 6) -> None:
    """A picture as a person sees it: pale blue on black, with the gaps between the dots."""
    from PIL import Image

    image = Image.new("RGB", (128 * scale, 64 * scale), (8, 10, 14))
    for row, line in enumerate(text.split("\n")[:32]):
        for x, character in enumerate(line):
            pair = _HALVES.index(character)
            for bit in (0, 1):
                if pair >> bit & 1:
                    y = row * 2 + bit
                    box = (x * scale, y * scale, (x + 1) * scale - 1, (y + 1) * scale - 1)
                    image.paste((170, 220, 255), box)
    image.save(path)


if __name__ == "__main__":
    save_png((_FOLDER / f"{sys.argv[2]}.txt").read_text(), Path(sys.argv[1]))


def alike(one: bytes, other: bytes) -> bool:
    """Whether both are one picture, which moves by a column every other two minutes."""
    return one in (other, other[1:] + b"\0") or other == one[1:] + b"\0"
