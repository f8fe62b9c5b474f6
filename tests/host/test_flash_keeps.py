"""`diadema flash` over a board that was a station: what it has of its own stays, also when the
cable is pulled.
"""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

import pytest
from diadema.base.paths import DataDir
from diadema.cli.main import app
from diadema.stations.boards.partitions import TABLE_OFFSET, pack_table
from diadema.stations.flash.plan import read_plan
from diadema.stations.flash.preserved import (
    Copy,
    Vfs,
    config_file,
    is_own,
    serial_of,
)
from diadema.stations.flash.run import FlashResult, Job
from diadema.stations.image.files import (
    VFS_BLOCK,
    pack,
    start_files,
    unpack,
)
from typer.testing import CliRunner

from tests.host.test_flash import journal_of, partition, station_image
from tests.support.mock_boards import Board

SECRET = "ultrasecreta"
VFS, NVS, JOURNAL = (partition(name) for name in ("vfs", "nvs", "journal"))
FORMER = {
    "boot.py": b"import slots\n",
    "main.py": b"",
    "slots.mpy": b"M an old one",
    "old.mpy": b"",
}


def checked(content: object) -> bytes:
    body = json.dumps(content).encode()
    return body + b"*%08X" % crc32(body)


OWN = {
    "config.0": config_file(b'{"generation":6,"wifi":"%s"}' % SECRET.encode(), 6),
    "config.1": config_file(b'{"generation":7,"key":"%s"}' % SECRET.encode() * 300, 7),
    "update.key": b"A" * 512,
    "wifi.json": checked({"ssid": "Piso 3", "password": SECRET}),
    "prefs.json": checked({"a001": {"volume": 75}}),
}


def station(board: Board, files: Mapping[str, bytes] = FORMER | OWN) -> None:
    """It has been one, with an older program."""
    from diadema.stations.boards.table import load_board

    flash = board.flash.data
    flash[TABLE_OFFSET : TABLE_OFFSET + 0xC00] = pack_table(load_board("lyrat_v4_3").partitions)
    flash[JOURNAL.offset : JOURNAL.end] = journal_of(JOURNAL.size)
    flash[NVS.offset : NVS.offset + 8] = b"starts=9"
    flash[VFS.offset : VFS.end] = pack(dict(files), VFS.size, VFS_BLOCK)


def flashed(tmp_path: Path, board: Board, **options: bool) -> FlashResult:
    return Job(read_plan(station_image()), DataDir(tmp_path / "data"), **options).run(board.port)


def files_of(board: Board) -> dict[str, bytes]:
    return unpack(bytes(board.flash.data[VFS.offset : VFS.end]), VFS_BLOCK)


def copies(tmp_path: Path) -> list[Path]:
    return [*(tmp_path / "data" / "boards").glob("*")]


def test_its_own_files_and_its_journal_stay(tmp_path: Path) -> None:
    with Board(1, pty=True) as board:
        station(board)
        done = flashed(tmp_path, board)
        assert not done.error and done.files.source == "board"
        assert done.files.names == sorted(OWN) and not done.files.damaged
        assert files_of(board) == start_files() | OWN
        assert board.flash.read(JOURNAL.offset, JOURNAL.size) == journal_of(JOURNAL.size)
        assert set(board.flash.read(NVS.offset, NVS.size)) == {0xFF}  # of another program
        assert copies(tmp_path) == []

        board.flash.data[NVS.offset : NVS.offset + 8] = b"starts=1"
        # it has worked since, and its files lie elsewhere
        worked = pack({"z": b"z" * 9000} | start_files() | OWN, VFS.size, VFS_BLOCK)
        for now in (None, worked):
            if now:
                board.flash.data[VFS.offset : VFS.end] = now
            again = flashed(tmp_path, board)
            wrote = again.written
            assert not again.error and (wrote == 0 or "z" in unpack(worked, VFS_BLOCK))
        assert board.flash.read(NVS.offset, 8) == b"starts=1"


def test_only_the_vfs_is_written_anew_and_nvs_stays(tmp_path: Path) -> None:
    with Board(1, pty=True) as board:
        station(board)
        assert not flashed(tmp_path, board).error
        board.flash.data[NVS.offset : NVS.offset + 8] = b"starts=1"
        damaged = bytearray(pack(start_files() | OWN, VFS.size, VFS_BLOCK))
        at = damaged.index(OWN["config.1"][:80])
        damaged[at + 90] ^= 1
        board.flash.data[VFS.offset : VFS.end] = damaged
        done = flashed(tmp_path, board)
        assert not done.error and done.files.damaged == ["config.1"]
        assert files_of(board) == start_files() | {
            name: data for name, data in OWN.items() if name != "config.1"
        }
        assert board.flash.read(NVS.offset, 8) == b"starts=1"


MOMENTS = [
    partition("ota_0").offset + 5000,
    partition("slot_a").offset,
    VFS.offset,
    VFS.offset + 1,
    VFS.offset + 300,
    VFS.offset + 4095,
    VFS.offset + 4096 + 40,
    VFS.offset + 3 * 4096 + 17,
    VFS.offset + 12 * 4096 + 4000,
    VFS.end - 1,
    0x1000 + 20,
    TABLE_OFFSET + 33,
]


@pytest.mark.parametrize("at", MOMENTS, ids=hex)
def test_pulled_it_goes_on(tmp_path: Path, at: int) -> None:
    with Board(1) as board:
        station(board)
        board.flash.data[TABLE_OFFSET + 0x200] = 0  # so that the table is written too
        board.flash.pull_at = at
        broken = flashed(tmp_path, board)
        assert "Plug it in again" in broken.error
        (copy,) = copies(tmp_path)
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert SECRET.encode() in copy.read_bytes()
    with Board(1) as again:
        again.flash.data[:] = board.flash.data
        done = flashed(tmp_path, again)
        assert not done.error and done.files.names == sorted(OWN)
        assert files_of(again) == start_files() | OWN
        assert again.flash.read(JOURNAL.offset, JOURNAL.size) == journal_of(JOURNAL.size)
        assert copies(tmp_path) == []


def test_pulled_again_and_again(tmp_path: Path) -> None:
    board = Board(1)
    station(board)
    for at in (*MOMENTS, None):
        with Board(1) as now:
            now.flash.data[:] = board.flash.data
            now.flash.pull_at = at
            done = flashed(tmp_path, now)
        board = now
    assert not done.error and files_of(board) == start_files() | OWN
    assert copies(tmp_path) == []


def test_one_that_worked_since_is_believed(tmp_path: Path) -> None:
    """Somebody else finished it, and it belongs to another hub now."""
    with Board(1) as board:
        station(board)
        board.flash.pull_at = VFS.offset + 5000
        assert flashed(tmp_path, board).error and copies(tmp_path)
    other = {"config.0": config_file(b'{"generation":1}')}
    with Board(1, pty=True) as again:
        station(again, start_files() | other)
        done = flashed(tmp_path, again)
        assert not done.error and done.files.names == ["config.0"]
        assert files_of(again) == start_files() | other
        assert copies(tmp_path) == []


def test_fresh_keeps_nothing(tmp_path: Path) -> None:
    with Board(1) as board:
        station(board)
        board.flash.pull_at = VFS.offset + 5000
        assert flashed(tmp_path, board).error and copies(tmp_path)
    with Board(1, pty=True) as again:
        station(again)
        done = flashed(tmp_path, again, fresh=True)
        assert not done.error and done.journal == "new" and done.saved.events == 3
        assert files_of(again) == start_files()
        for place in (JOURNAL, NVS):
            assert set(again.flash.read(place.offset, place.size)) == {0xFF}
        assert copies(tmp_path) == []


@pytest.mark.parametrize("blocks", [b"\xff", b"\x00"])
def test_a_vfs_that_cannot_be_read_is_told(tmp_path: Path, blocks: bytes) -> None:
    with Board(1, pty=True) as board:
        station(board)
        board.flash.data[VFS.offset : VFS.end] = blocks * VFS.size
        done = flashed(tmp_path, board)
        assert not done.error and done.files.source == ""
        assert str(done.files.unread) == ("it is blank" if blocks == b"\xff" else "it is damaged")
        assert "no hub runs" in done.files.why
        assert files_of(board) == start_files()
        assert board.flash.read(JOURNAL.offset, JOURNAL.size) == journal_of(JOURNAL.size)


def test_where_no_copy_can_be_kept_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "boards").write_text("a file where the folder should be")
    with Board(1, pty=True) as board:
        station(board)
        done = flashed(tmp_path, board)
        assert "cannot be kept" in done.error and board.flash.came == 0


def test_it_says_what_it_kept_and_no_secret(tmp_path: Path) -> None:
    image = tmp_path / "station.bin"
    image.write_bytes(station_image())
    ask = ["flash", "--image", str(image), "--data", str(tmp_path / "data")]
    with Board(1, pty=True) as board:
        station(board)
        done = CliRunner().invoke(app, [*ask, "--port", board.port])
        assert done.exit_code == 0, done.output
        assert (
            "its own files: config.0, config.1, prefs.json, update.key, wifi.json" in done.output
        )
        assert SECRET not in done.output
        done = CliRunner().invoke(app, [*ask, "--port", board.port, "--json"])
        (told,) = json.loads(done.stdout)["boards"]
        assert (told["files"], told["files_from"]) == (sorted(OWN), "board")


def test_a_small_file_tells_its_damage_by_itself() -> None:
    assert serial_of(OWN["config.1"]) == 7
    whole = OWN["config.0"]
    for at in range(len(whole)):
        spoilt = bytearray(whole)
        spoilt[at] ^= 1
        assert serial_of(bytes(spoilt)) is None, at
    assert [*filter(is_own, [*FORMER, *OWN, "config.new", "lib/frames.mpy"])] == [*OWN]
    assert Vfs(FORMER | OWN).own() == OWN
    assert not Copy(DataDir(Path(os.devnull)), "DIA-1").read(b"")
