"""A simulated station's flash with program slots: the same firmware as in a folder of files, as
an image packs it, but compiled for the VM.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from diadema.image.files import BESIDE, SECTOR, SLOT_BLOCK, pack_snug
from diadema.image.slots import Trailer
from diadema.sim.build import START_FILES

SLOT_BYTES = 0x50000
LABELS = ("slot_a", "slot_b")


def start_folder(image: Path, into: Path) -> None:
    """What stands in the vfs, taken from a folder that `build_firmware` made."""
    for name in (*START_FILES, *(f"{name.removesuffix('.py')}.mpy" for name in BESIDE)):
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image / name, target)


def program_body(image: Path, changed: Mapping[str, bytes] | None = None) -> bytes:
    """A slot's file system; `changed`: files in place of those of the image, by path."""
    files = {
        str(path.relative_to(image)): path.read_bytes()
        for path in sorted(image.rglob("*.mpy"))
        if path.name not in ("slots.mpy", "interpreter.mpy")
    }
    return pack_snug(files | dict(changed or {}), SLOT_BYTES - SECTOR, SLOT_BLOCK)


def program_slot(
    body: bytes, board: str, version: str, sequence: int, *, good: bool = True
) -> bytes:
    """A whole slot with a program that works, or one that is to be tried at the next start."""
    trailer = Trailer(sequence, len(body), hashlib.sha256(body).digest(), board, version)
    sector = trailer.pack(good=good).ljust(SECTOR, b"\xff")
    return body.ljust(SLOT_BYTES - SECTOR, b"\xff") + sector
