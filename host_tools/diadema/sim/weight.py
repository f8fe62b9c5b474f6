"""What the firmware weighs on a board: bytes of `.mpy` as the chips' image has them."""

import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from diadema.sim.build import SimBoard, build_firmware, compile_mpy


@cache
def _modules() -> dict[str, bytes]:
    """Each module of the firmware as compiled, `lib.app` and so on."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder)
        build_firmware(image, chip=True)
        return {
            ".".join(path.relative_to(image).with_suffix("").parts): path.read_bytes()
            for path in image.rglob("*.mpy")
        }


@cache
def _table(board: SimBoard) -> int:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "board.mpy")
        compile_mpy(board.folder / "board.py", target, "board.py", chip=True)
        return target.stat().st_size


def mpy_bytes(board: SimBoard, modules: Iterable[str]) -> int:
    """The board's table, and those of `modules` that are the firmware's."""
    compiled = _modules()
    return _table(board) + sum(len(compiled.get(name, b"")) for name in set(modules))


def native_modules() -> set[str]:
    """Those that hold code of the chip's own: its memory comes back at a restart only."""
    return {name for name, code in _modules().items() if code[2] >> 2}  # the file's architecture
