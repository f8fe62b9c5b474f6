"""A simulated station's flash with program slots: the same firmware as in a folder of files, as
an image packs it, but compiled for the VM.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from diadema.stations.image.files import BESIDE, SECTOR, START_TEXT, carried, pack_slot
from diadema.stations.image.slots import Trailer

SLOT_BYTES = 0x50000


def start_files(image: Path) -> dict[str, bytes]:
    """What stands in the vfs, taken from a folder that `build_firmware` made."""
    names = (*(f"{name.removesuffix('.py')}.mpy" for name in BESIDE), *START_TEXT)
    return {name: (image / name).read_bytes() for name in names}


def start_folder(image: Path, into: Path) -> None:
    for name, data in start_files(image).items():
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def program_body(image: Path, changed: Mapping[str, bytes] | None = None) -> bytes:
    """A slot's file system; `changed`: files in place of those of the image, by path."""
    first = start_files(image)
    files = {
        name: path.read_bytes()
        for path in sorted(image.rglob("*.mpy"))
        if (name := str(path.relative_to(image))) not in first or name.startswith("lib/")
    }
    return pack_slot(files | carried(first) | dict(changed or {}), SLOT_BYTES)


def program_slot(
    body: bytes, board: str, version: str, sequence: int, *, good: bool = True
) -> bytes:
    """A whole slot with a program that works, or one that is to be tried at the next start."""
    trailer = Trailer(sequence, len(body), hashlib.sha256(body).digest(), board, version)
    sector = trailer.pack(good=good).ljust(SECTOR, b"\xff")
    return body.ljust(SLOT_BYTES - SECTOR, b"\xff") + sector
