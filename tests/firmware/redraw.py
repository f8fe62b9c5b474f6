"""Draws the pictures of `pictures/` anew: `python tests/firmware/redraw.py [SHEET.png]`.

Look at them before they are committed: the tests take them as the truth.
"""

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCALE, COLUMNS, GAP = 3, 4, 10


def main() -> None:
    sys.path.insert(0, str(HERE.parents[1]))
    pictures = import_module("tests.support.firmware_pictures")
    scenes = import_module("tests.support.scenes")
    calls = import_module("tests.support.scenes_call").calls
    folder = HERE / "pictures"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.pbm"):
        old.unlink()
    for language in ("es", "en"):
        words = import_module(f"lib.words_{language}").WORDS
        drawn = {**dict(scenes.scenes(words)), **dict(calls(words))}
        drawn["unconfigured"] = scenes.unconfigured(words)
        for name, picture in drawn.items():
            (folder / f"{language}_{name}.pbm").write_bytes(pictures.pbm(picture))
    if len(sys.argv) > 1:
        sheet(sorted(folder.glob("es_*.pbm")) + sorted(folder.glob("en_*.pbm")), sys.argv[1])


def sheet(files: list[Path], target: str) -> None:
    """All pictures on one page, white on black as the screen has them."""
    from PIL import Image, ImageOps

    cell = (128 * SCALE + GAP, 64 * SCALE + GAP)
    page = Image.new("L", (COLUMNS * cell[0], -(-len(files) // COLUMNS) * cell[1]), 90)
    for at, file in enumerate(files):
        picture = ImageOps.invert(Image.open(file).convert("L"))
        place = (at % COLUMNS * cell[0] + GAP // 2, at // COLUMNS * cell[1] + GAP // 2)
        page.paste(picture.resize((128 * SCALE, 64 * SCALE), Image.Resampling.NEAREST), place)
    page.save(target)


if __name__ == "__main__":
    main()
