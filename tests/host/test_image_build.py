"""A board's image read back with a parser of the test's own: table, files, `.mpy`, hashes."""

import ast
import hashlib
import json
import os
import struct
import zlib
from pathlib import Path

import littlefs
import pytest
from diadema.base.errors import DiademaError
from diadema.site.station_config import CONFIG_LIMIT
from diadema.stations.boards.table import board_names, load_board
from diadema.stations.image.build import build
from diadema.stations.image.files import program_files
from diadema.stations.image.read import read_image
from typer.testing import CliRunner

from tests.support.stock_image import LOADER, stock_image

BOARDS = board_names()
XTENSAWIN = 10  # MP_NATIVE_ARCH_XTENSAWIN, py/persistentcode.h
MPY_VERSION = 6


def stock_for(chip: str) -> bytes:
    named = os.environ.get("DIADEMA_STOCK_IMAGE")
    if named and chip == "esp32":
        return Path(named).read_bytes()
    return stock_image(chip)


def made(name: str, **options):
    board = load_board(name)
    return build(board, stock_for(board.wiring.board.chip), "1.2.3", **options)


def entries(table: bytes) -> dict[str, tuple[int, int, int, int]]:
    """label → (type, subtype, offset, size), with the MD5 looked at."""
    found = {}
    for at in range(0, 0xC00, 32):
        entry = table[at : at + 32]
        if entry[:2] == b"\xeb\xeb":
            assert entry[16:] == hashlib.md5(table[:at]).digest()
            return found
        magic, kind, subtype, offset, size, label, flags = struct.unpack("<2sBBII16sI", entry)
        assert magic == b"\xaa\x50" and flags == 0
        found[label.rstrip(b"\0").decode()] = (kind, subtype, offset, size)
    raise AssertionError("the table has no MD5")


def files_in(data: bytes, block: int) -> dict[str, bytes]:
    context = littlefs.UserContext(len(data))
    context.buffer[:] = data
    fs = littlefs.LittleFS(
        context, block_size=block, block_count=len(data) // block, read_size=32, prog_size=32,
        cache_size=128, lookahead_size=32, mount=False,
    )  # fmt: skip
    fs.mount()
    return {
        f"{folder}/{name}".replace("//", "/"): fs.open(f"{folder}/{name}", "rb").read()
        for folder, _, names in fs.walk("/")
        for name in names
    }


def program_in(slot: bytes, length: int) -> dict[str, bytes]:
    """The files of a slot, as MicroPython mounts it, and as the program finds the rest."""
    files = files_in(slot, 512)  # of the whole partition
    assert files.keys() == {"/start.mpy", "/packed.mpy", "/program"}
    rest = slot[int(files.pop("/program")) : length]
    at = int.from_bytes(rest[:2], "little")
    for line in rest[2:at].decode().split("\n"):
        path, whole, here = line.split(" ")
        files[path] = rest[at : at + int(here)]
        if here != whole:
            files[path] = zlib.decompress(files[path], -10)
        assert len(files[path]) == int(whole)
        at += int(here)
    assert at == len(rest)
    return files


@pytest.mark.parametrize("name", BOARDS)
def test_an_image_holds_what_its_board_needs(name: str) -> None:
    image = made(name)
    whole = image.whole()
    start = LOADER[image.chip]

    def at(offset: int, size: int) -> bytes:
        return whole[offset - start : offset - start + size]

    table = entries(at(0x8000, 0xC00))
    board = load_board(name)
    assert {label: entry[2:] for label, entry in table.items()} == {
        one.name: (one.offset, one.size) for one in board.partitions
    }
    assert table["journal"][:2] == (1, 0x40)
    assert table["ota_0"][:2] == (0, 0x10) and table["ota_1"][:2] == (0, 0x11)
    stock = stock_for(image.chip)
    app_at = table["ota_0"][2]
    assert at(app_at, 4096) == stock[0x10000 - start :][:4096].ljust(4096, b"\xff")
    assert set(at(*table["journal"][2:])) == {0xFF}

    slot = at(*table["slot_a"][2:])
    head, crc = slot[-4096:][:84], slot[-4096:][84:88]
    magic, sequence, length, digest = struct.unpack("<4sII32s", head[:44])
    assert magic == b"DSLT" and sequence == 1
    assert zlib.crc32(head) == int.from_bytes(crc, "little")
    assert hashlib.sha256(slot[:length]).digest() == digest
    assert head[44:68].rstrip(b"\0") == name.encode() and head[68:84].rstrip(b"\0") == b"1.2.3"
    assert slot[-4096:][88:104] == b"\0\xff\0" + b"\xff" * 13  # written, not tried, good
    assert slot[length:-4096] == b"\xff" * (len(slot) - 4096 - length)
    files = program_in(slot, length)
    assert {"/start.mpy", "/board.mpy", "/lib/app.mpy"} <= files.keys()
    carried = {
        path.removeprefix("/start_files"): files.pop(path)
        for path in list(files)
        if path.startswith("/start_files/")
    }
    for path, content in files.items():
        assert path.endswith(".mpy"), path
        # 'M', version, flags: bits 2-6 are the architecture of native code, 0 for none
        assert content[:1] == b"M" and content[1] == MPY_VERSION
        assert content[2] >> 2 in (0, XTENSAWIN), path
    assert any(content[2] >> 2 == XTENSAWIN for content in files.values())
    parts = {part[0] for part in board.parts.values()}
    assert {f"/drivers/{part}.mpy" for part in parts} <= files.keys()

    vfs = files_in(at(*table["vfs"][2:]), 4096)
    firmware = board.firmware
    for start_file in ("boot.py", "main.py"):
        assert vfs[f"/{start_file}"] == (firmware / start_file).read_bytes()
    beside = {"/slots.mpy", "/interpreter.mpy", "/update.mpy", "/safe.mpy", "/lib/frames.mpy"}
    assert vfs.keys() == {"/boot.py", "/main.py", *beside}
    number, *names = carried.pop("/list").decode().split()
    assert carried == vfs and [f"/{name}" for name in names][-1] == "/main.py"
    assert int(number) >= 1 and len(names) == len(vfs)
    # both generations of the largest configuration, the key, wishes, and what littlefs copies
    wanted = 2 * -(-CONFIG_LIMIT // 4096) + 4
    free = {piece.name: piece.free for piece in image.pieces}
    assert free["vfs"] >= wanted * 4096
    assert free["slot_a"] >= 16_384  # for what is still to come


@pytest.mark.parametrize("name", BOARDS)
def test_whatever_its_drivers_import_is_in_an_image(name: str) -> None:
    board = load_board(name)
    files = program_files(board)
    for path in [path for path in files if path.startswith("drivers/")]:
        source = (board.firmware / path).with_suffix(".py").read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module in ("drivers", "lib"):
                named = [f"{node.module}/{alias.name}.mpy" for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                named = [node.module.replace(".", "/") + ".mpy"]
            else:
                continue
            ours = [each for each in named if each.startswith(("drivers/", "lib/"))]
            assert set(ours) <= files.keys(), path


def test_two_builds_are_the_same_bytes() -> None:
    assert made("lyrat_v4_3").whole() == made("lyrat_v4_3").whole()


@pytest.mark.parametrize(
    ("stock", "options", "told"),
    [
        (b"PK\x03\x04" + bytes(4096), {}, "not an ESP image"),
        (stock_image(), {"sha256": "00" * 32}, "SHA-256"),
        (stock_image(), {"flash_bytes": 2 * 1024 * 1024}, "needs"),
    ],
    ids=["zip", "sum", "flash"],
)
def test_what_is_wrong_with_a_stock_image_is_told(stock, options, told) -> None:
    with pytest.raises(DiademaError, match=told):
        build(load_board("lyrat_v4_3"), stock, "1", **options)


def test_a_damaged_app_is_refused() -> None:
    stock = bytearray(stock_image())
    stock[-60] ^= 1
    with pytest.raises(DiademaError, match="damaged"):
        build(load_board("lyrat_v4_3"), bytes(stock), "1")


def test_what_stands_in_an_image_or_a_dump_is_read() -> None:
    whole = made("lyrat_v4_3").whole()
    for data in (whole, b"\xff" * 0x1000 + whole):
        found = read_image(data)
        assert found.wrong == [] and found.chip == "esp32"
        seen = {one.name: one for one in found.partitions}
        assert seen["slot_a"].about == "lyrat_v4_3 1.2.3, number 1: written, good"
        assert "lib/app.mpy" in seen["slot_a"].files and "boot.py" in seen["vfs"].files
        assert seen["slot_b"].about == seen["journal"].about == "blank"
    broken = bytearray(whole)
    at = next(one.offset for one in found.partitions if one.name == "slot_a") - 0x1000
    broken[at + 5000] ^= 0x40
    assert read_image(bytes(broken)).wrong == [
        "slot_a: its SHA-256 is another: the program is damaged"
    ]


def test_the_command_writes_an_image_and_its_web_manifest(tmp_path: Path) -> None:
    from diadema.cli.image import app

    (tmp_path / "stock.bin").write_bytes(stock_image())
    run = CliRunner()
    out, web = tmp_path / "station.bin", tmp_path / "manifest.json"
    done = run.invoke(
        app,
        ["build", "--board", "lyrat_v4_3", "--micropython", str(tmp_path / "stock.bin"),
         "-o", str(out), "--web-manifest", str(web), "--json"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["bytes"] == out.stat().st_size
    assert told["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    manifest = json.loads(web.read_text())
    (built,) = manifest["builds"]
    assert built["chipFamily"] == "ESP32" and manifest["name"] == "Diadema lyrat_v4_3"
    written = bytearray(b"\xff" * (4 << 20))  # as ESP Web Tools writes them
    journal = next(one for one in load_board("lyrat_v4_3").partitions if one.name == "journal")
    for part in built["parts"]:
        data, at = web.with_name(part["path"]).read_bytes(), part["offset"]
        assert at >= journal.end or at + len(data) <= journal.offset, part
        written[at : at + len(data)] = data
    whole = out.read_bytes()
    assert written[0x1000 : 0x1000 + len(whole)] == whole
    seen = run.invoke(app, ["inspect", str(out), "--json"])
    assert seen.exit_code == 0 and json.loads(seen.output)["chip"] == "esp32"
