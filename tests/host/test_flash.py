"""`diadema flash` against the ROM loader's own protocol: boards side by side, one pulled in the
middle, each flash read back; a journal is kept whatever is written.
"""

import asyncio
import functools
import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from diadema.base.errors import DiademaError, FlashError
from diadema.base.paths import DataDir
from diadema.cli.main import app
from diadema.exchange.journal_import import import_journal
from diadema.stations.boards.partitions import TABLE_OFFSET, pack_table
from diadema.stations.boards.table import load_board
from diadema.stations.flash.chip import connected
from diadema.stations.flash.plan import read_plan
from diadema.stations.flash.preserved import unacknowledged_events
from diadema.stations.flash.run import Job, chosen_ports
from diadema.stations.image.build import build
from diadema.stations.image.slots import Trailer
from diadema.store import open_reader
from nats.errors import Error as NatsError
from typer.testing import CliRunner

from tests.support.broker_fixtures import IngestProcess, until
from tests.support.flash_image import header, record, sector
from tests.support.mock_boards import Board
from tests.support.stock_image import stock_image

STATION = "DIA-240ac4000001"
EVENT = b'{"b":1,"u":%d,"t":null,"k":"station.fault_cleared","part":"badge","code":"silent"}'


@functools.cache
def station_image(name: str = "lyrat_v4_3") -> bytes:
    board = load_board(name)
    stock = stock_image(board.wiring.board.chip, extra=os.urandom(200_000))
    return build(board, stock, "1.2.3").whole()


def partition(name: str):
    return next(one for one in load_board("lyrat_v4_3").partitions if one.name == name)


def journal_of(size: int, last: int = 5, acked: int = 2) -> bytes:
    events = [record("E", n, EVENT % n) for n in range(1, last + 1)]
    sectors = size // 4096
    first = sector(header(1, sectors=sectors, acked=acked), *events)
    return first + b"\xff" * (size - len(first))


def job(tmp_path: Path, **options) -> Job:
    return Job(read_plan(station_image()), DataDir(tmp_path / "data"), **options)


def run(work: Job, boards: list[Board]):
    with ThreadPoolExecutor(len(boards)) as pool:
        return list(pool.map(work.run, [board.port for board in boards]))


def assert_holds(board: Board, image: bytes, but: tuple[str, ...] = ()) -> None:
    """Every partition that the image describes, as it lies in it."""
    start = 0x1000
    for one in load_board("lyrat_v4_3").partitions:
        if one.name in ("nvs", "phy_init", "ota_1", "journal", *but):
            continue
        wanted = image[one.offset - start : one.offset - start + one.size]
        assert board.flash.read(one.offset, len(wanted)) == wanted, one.name
    assert board.flash.read(start, 0x7C00) == image[:0x7C00]


def test_ten_at_once_and_one_is_pulled(tmp_path: Path) -> None:
    image = station_image()
    place, nvs = partition("journal"), partition("nvs")
    crashes = slice(nvs.offset, nvs.offset + 8)
    saved = journal_of(place.size)
    boards = [Board(number) for number in range(1, 11)]
    pulled, station = boards[3], boards[6]
    pulled.flash.pull_after = 150_000
    # one was a station before: its journal has unacknowledged events, its nvs counts its crashes
    station.flash.data[TABLE_OFFSET : TABLE_OFFSET + 0xC00] = pack_table(
        load_board("lyrat_v4_3").partitions
    )
    station.flash.data[place.offset : place.offset + place.size] = saved
    station.flash.data[crashes] = b"starts=9"
    for board in boards:
        board.__enter__()
    try:
        done = run(job(tmp_path), boards)
        errors = {one.port: one.error for one in done if one.error}
        assert list(errors) == [pulled.port] and "Plug it in again" in errors[pulled.port]
        for board in boards:
            if board is not pulled:
                assert_holds(board, image)
        assert station.flash.read(place.offset, place.size) == saved
        assert station.flash.data[crashes] == b"\xff" * 8  # the new program is not to blame
        assert {one.found.station for one in done} == {board.station for board in boards}

        before, whole = pulled.flash.came, next(one.sent for one in done if not one.error)
        pulled.flash.pull_after = None
        (again,) = run(job(tmp_path), [pulled])
        assert not again.error and again.right > 0
        assert 0 < pulled.flash.came - before < whole
        assert_holds(pulled, image)
        (third,) = run(job(tmp_path), [pulled])
        assert (third.error, third.sent, third.written) == ("", 0, 0)
        station.flash.data[crashes] = b"starts=1"
        run(job(tmp_path), [station])
        assert station.flash.data[crashes] == b"starts=1"  # nothing was written
    finally:
        for board in boards:
            board.__exit__()


def test_what_an_update_said_of_a_micropython_goes(tmp_path: Path) -> None:
    """The one of the cable may have the same version, and is not to be gone back from."""
    told = Trailer(2_000_000_000, 4096, bytes(32), "lyrat_v4_3", "1.28.0").pack()
    places = [one.end - 4096 for one in (partition("ota_0"), partition("ota_1"))]
    with Board(1) as board:
        for at in places:
            board.flash.data[at : at + len(told)] = told
        (done,) = run(job(tmp_path), [board])
        assert not done.error
        for at in places:
            assert board.flash.read(at, 4096) == b"\xff" * 4096
        assert_holds(board, station_image())


def test_over_a_pty(tmp_path: Path) -> None:
    with Board(1, pty=True) as board:
        (done,) = run(job(tmp_path), [board])
        assert not done.error and done.found.mac == "24:0a:c4:00:00:01"
        assert_holds(board, station_image())


def former_station(board: Board, journal: bytes, offset: int) -> None:
    """Its journal lay there."""
    layout = [
        replace(one, offset=offset, size=len(journal)) if one.name == "journal" else one
        for one in load_board("lyrat_v4_3").partitions
        if one.name != "ota_1"
    ]
    board.flash.data[TABLE_OFFSET : TABLE_OFFSET + 0xC00] = pack_table(layout)
    board.flash.data[offset : offset + len(journal)] = journal


def events_in(data: DataDir) -> dict[int, bytes]:
    reader = open_reader(data.store)
    try:
        return {event.sequence: event.body for event in reader.events_of(STATION)}
    finally:
        reader.close()


def test_a_journal_that_moves_is_taken_in_first(tmp_path: Path) -> None:
    place, data = partition("journal"), DataDir(tmp_path / "data")
    with Board(1) as board:
        former_station(board, journal_of(0x4000), 0x200000)
        (done,) = run(job(tmp_path), [board])
        assert not done.error and done.saved.events == 3 and done.saved.stored
        assert set(board.flash.read(place.offset, place.size)) == {0xFF}
        assert_holds(board, station_image())
    there = events_in(data)
    assert sorted(there) == [3, 4, 5]
    head = b'{"s":"%s","e":7,"n":4,' % STATION.encode()
    assert there[4] == head + (EVENT % 4)[1:]  # as the station would have sent it
    words = ["import", "journal", str(done.saved.path), "--data", str(data.root)]
    again = CliRunner().invoke(app, [*words, "--json"])
    assert json.loads(again.stdout) == {
        "stations": [STATION], "events": 3, "new": 0, "left": 0,
    }  # fmt: skip


def test_what_cannot_be_read_of_a_journal_is_told_as_lost(tmp_path: Path) -> None:
    journal = bytearray(journal_of(0x4000))
    journal[journal.index(EVENT % 4) + 30] &= 0  # torn
    with Board(1) as board:
        former_station(board, bytes(journal), 0x200000)
        (done,) = run(job(tmp_path), [board])
    lines = [json.loads(line) for line in done.saved.path.read_text().splitlines()]
    assert [(line["n"], line["k"], line.get("to")) for line in lines] == [
        (3, "station.fault_cleared", None), (4, "station.lost", 4),
        (5, "station.fault_cleared", None),
    ]  # fmt: skip
    assert done.saved.path.with_suffix(".bin").read_bytes() == bytes(journal)


FOREIGN = [
    b'{"b":1,"u":4,"t":null,"k":"station.fault_cleared","s":"DIA-240ac40000ff","e":1,"n":1}',
    b'{"b":1,"e":9,"u":4,"t":null,"k":"station.fault_cleared"}',
    b'{"b":1}\n{"s":"DIA-240ac40000ff","e":1,"n":1,"b":1,"k":"station.fault_cleared"}',
    b"{}",
    b"",
]


@pytest.mark.parametrize("payload", FOREIGN)
def test_an_event_that_speaks_for_another_is_kept_and_told_and_not_stored(
    tmp_path: Path, payload: bytes
) -> None:
    events = [record("E", 3, EVENT % 3), record("E", 4, payload), record("E", 5, EVENT % 5)]
    journal = sector(header(1, sectors=4, acked=2), *events).ljust(0x4000, b"\xff")
    data = DataDir(tmp_path / "data")
    with Board(1) as board:
        former_station(board, journal, 0x200000)
        (done,) = run(job(tmp_path), [board])
    assert (done.saved.events, done.saved.refused, done.saved.stored) == (3, 1, True)
    assert json.loads(events_in(data)[4])["k"] == "station.lost"
    assert done.saved.path.with_suffix(".bin").read_bytes() == journal
    reader = open_reader(data.store)
    assert not [*reader.events_of("DIA-240ac40000ff")]
    reader.close()


def test_a_line_that_says_twice_whose_it_is_refuses_its_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_bytes(b'{"s":"%s","e":7,"n":4,' % STATION.encode() + FOREIGN[0][1:] + b"\n")
    with pytest.raises(DiademaError, match="twice whose it is"):
        import_journal([path], DataDir(tmp_path / "data"))


def test_a_journal_that_cannot_be_kept_stops_it(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the directory should be")
    with Board(1) as board:
        former_station(board, journal_of(0x4000), 0x200000)
        (done,) = run(job(tmp_path), [board])
        assert "--force" in done.error and board.flash.came == 0
        (forced,) = run(job(tmp_path, force=True), [board])
        assert not forced.error


def test_a_journal_stays_though_the_table_is_damaged(tmp_path: Path) -> None:
    place = partition("journal")
    with Board(1, pty=True) as board:
        former_station(board, journal_of(place.size), place.offset)
        board.flash.data[TABLE_OFFSET + 8] ^= 1
        (done,) = run(job(tmp_path), [board])
        assert not done.error and done.journal == "left as it is"
        assert board.flash.read(place.offset, place.size) == journal_of(place.size)


def test_erasing_the_journal_keeps_its_events_first(tmp_path: Path) -> None:
    place = partition("journal")
    with Board(1, pty=True) as board:  # a socket:// is read byte by byte
        former_station(board, journal_of(place.size), place.offset)
        (done,) = run(job(tmp_path, erase_journal=True), [board])
        assert not done.error and done.saved.events == 3
        assert set(board.flash.read(place.offset, place.size)) == {0xFF}


@pytest.mark.parametrize(
    ("board", "told"),
    [
        (Board(1, chip="esp32s3"), "it is an esp32s3, the image is for lyrat_v4_3, an esp32"),
        (Board(1, flash_mb=2), "its flash has 2 MB, lyrat_v4_3 needs 4 MB"),
    ],
    ids=["chip", "flash"],
)
def test_a_board_that_it_is_not_for(tmp_path: Path, board: Board, told: str) -> None:
    with board:
        (done,) = run(job(tmp_path), [board])
        assert told in done.error and board.flash.came == 0


def test_two_boards_with_one_id(tmp_path: Path) -> None:
    with Board(1) as one, Board(1) as other:
        errors = [done.error for done in run(job(tmp_path), [one, other])]
        assert sorted(map(bool, errors)) == [False, True]
        assert "the same id" in "".join(errors)


def test_no_answer_says_which_key_to_hold(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = f"socket://127.0.0.1:{silent.getsockname()[1]}"
        done = job(tmp_path, attempts=1).run(port)
        assert "on lyrat_v4_3, set jumpers JP23 to JP25, or hold Boot" in done.error


def test_a_port_that_another_program_has(tmp_path: Path) -> None:
    import serial

    with Board(1, pty=True) as board, serial.Serial(board.port, exclusive=True):
        done = job(tmp_path, attempts=1).run(board.port)
        assert "Another program has it open" in done.error
    done = job(tmp_path).run("/dev/ttyNOWHERE0")
    assert "cannot be opened" in done.error


def test_a_flash_that_does_not_read_back(tmp_path: Path) -> None:
    with Board(1) as board:
        board.flash.spoil = partition("slot_a").offset + 100
        (done,) = run(job(tmp_path), [board])
        assert "slot_a does not read back" in done.error


def test_an_image_that_is_none() -> None:
    image = bytearray(station_image())
    image[partition("slot_a").offset + 100] ^= 1
    with pytest.raises(FlashError, match="damaged"):
        read_plan(bytes(image))
    with pytest.raises(FlashError, match="dump"):
        read_plan(b"\xff" * 0x1000 + station_image())
    for none in (b"", b"garbage" * 9999, station_image()[:0x1000]):
        with pytest.raises(FlashError, match=r"not an image of a station.*diadema image build"):
            read_plan(none)


def test_what_a_chip_is(tmp_path: Path) -> None:
    with Board(9, chip="esp32s3", flash_mb=16) as board, connected(board.port) as chip:
        assert chip.found.chip == "esp32s3" and chip.found.flash_bytes == 16 << 20
        assert chip.found.station == "DIA-240ac4000009"


def test_the_command(tmp_path: Path) -> None:
    image = tmp_path / "station.bin"
    image.write_bytes(station_image())
    ask = ["flash", "--image", str(image), "--data", str(tmp_path / "data")]
    with Board(1) as one, Board(2, flash_mb=2) as small:
        done = CliRunner().invoke(app, [*ask, "--port", one.port, "--port", small.port, "--json"])
        assert done.exit_code == 1, done.output
        told = {line["port"]: line for line in json.loads(done.stdout)["boards"]}
        assert told[one.port]["verified"] and told[one.port]["station"] == STATION
        assert not told[small.port]["verified"] and "2 MB" in told[small.port]["error"]
        done = CliRunner().invoke(app, [*ask, "--port", one.port])
        assert done.exit_code == 0 and STATION in done.output
    twice = CliRunner().invoke(app, [*ask, "--port", "a", "--port", "a"])
    assert "named twice" in str(twice.exception)


async def test_a_kept_journal_goes_to_the_hub_that_runs(broker, stack, tmp_path: Path) -> None:
    """The events come in once, though the station may have sent some of them itself."""
    broker.write_hub()
    await stack.enter_async_context(IngestProcess(broker))
    client = await broker.client()
    stack.push_async_callback(client.close)
    await until(lambda: answers(client))
    path = tmp_path / "kept.jsonl"
    path.write_bytes(
        b"".join(
            body + b"\n" for body in unacknowledged_events(STATION, journal_of(0x4000, 5, 0))[0]
        )
    )
    for new in (5, 0):
        done = await asyncio.to_thread(import_journal, [path], broker.data)
        assert (done.events, done.new, done.left) == (5, new, 0)
    assert sorted(events_in(broker.data)) == [1, 2, 3, 4, 5]
    path.write_text('{"s":"PBX-central","e":1,"n":1}\n')
    with pytest.raises(DiademaError, match="line 1 is no event of a journal"):
        import_journal([path], broker.data)


async def answers(client) -> bool:
    try:
        await client.request("hub.status", b"{}", timeout=0.5)
    except NatsError:
        return False
    return True


def test_all_takes_the_usb_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [SimpleNamespace(device="/dev/ttyUSB1", vid=0x10C4),
             SimpleNamespace(device="/dev/ttyS0", vid=None),
             SimpleNamespace(device="/dev/ttyUSB0", vid=0x1A86)]  # fmt: skip
    monkeypatch.setattr("diadema.stations.flash.run.list_ports.comports", lambda: found)
    assert chosen_ports([], True) == ["/dev/ttyUSB0", "/dev/ttyUSB1"]
    found.clear()
    with pytest.raises(DiademaError, match="power only"):
        chosen_ports([], True)
