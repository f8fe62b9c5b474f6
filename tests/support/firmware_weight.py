"""What the firmware weighs on a board: bytes of `.mpy` as the chips' image has them."""

import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from diadema_sim.build import SimBoard, build_firmware, compile_mpy

_AS_IT_IS = 0.7  # half of what code and text take, by the bytes of its file


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


def chip_bytes(vm_bytes: int, code_bytes: int) -> float:
    """What Python holds on a chip, by what it holds in the VM and the `.mpy` of what is loaded:
    words are half as long there, but code and text are as they are. `_AS_IT_IS` was found in the
    measurements of `tests/bench/chip_bytes.csv`, of which it is within 15 %.
    """
    return vm_bytes / 2 + code_bytes * _AS_IT_IS
