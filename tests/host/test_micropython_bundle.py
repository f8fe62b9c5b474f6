"""A bundle with MicroPython itself: made of a stock image, looked at, rolled out; and which app
partition a dump says that starts.
"""

import hashlib
import json
import struct
import zlib

import pytest
from diadema.base.errors import DiademaError
from diadema.cli.main import app
from diadema.stations.boards.table import load_board
from diadema.stations.image.build import build
from diadema.stations.image.look import look
from diadema.stations.image.slots import GOOD, HEAD_BYTES, Trailer
from diadema.stations.image.stock import read_stock
from diadema.stations.update import bundle, keys, micropython
from diadema.stations.update.rollout import Fact, Plan, Rollout
from typer.testing import CliRunner

from tests.support.stock_image import stock_image

MADE = 1_800_000_000
BOARD = load_board("lyrat_v4_3")
KEY = keys.generate()
DOWNLOAD = stock_image(version="1.29.0", extra=bytes(range(256)) * 10)
STOCK = read_stock(DOWNLOAD, BOARD)


def test_the_app_of_a_stock_image_is_signed_for_a_board():
    read = bundle.read(micropython.make(BOARD, STOCK, KEY, MADE))
    told = read.manifest
    assert (told.what, told.board, told.version) == ("micropython", BOARD.name, "1.29.0")
    assert (told.chip, told.mpy, told.made) == (0, "6.3", MADE)
    assert read.by(KEY.public) and told.length % 256 == 0
    app_image = DOWNLOAD[0x10000 - 0x1000 :]
    assert read.body == app_image.ljust(told.length, b"\xff")


def test_of_a_release_that_is_not_known_one_says_which_files_it_loads():
    newer = read_stock(stock_image(version="1.99.0"), BOARD)
    with pytest.raises(DiademaError, match="--mpy"):
        micropython.make(BOARD, newer, KEY, MADE)
    made = micropython.make(BOARD, newer, KEY, MADE, "6.4")
    assert bundle.read(made).manifest.mpy == "6.4"


def test_the_command_makes_it_and_says_what_it_is(tmp_path):
    keys.make(tmp_path / "updates.pem")
    (tmp_path / "stock.bin").write_bytes(DOWNLOAD)
    out = tmp_path / "new.bundle"
    line = ["update", "bundle", "--board", BOARD.name, "--key", str(tmp_path / "updates.pem"),
            "--micropython", str(tmp_path / "stock.bin"), "-o", str(out)]  # fmt: skip
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    assert "lyrat_v4_3 MicroPython 1.29.0" in done.output
    shown = CliRunner().invoke(app, ["update", "inspect", str(out)])
    assert "loads .mpy 6.3" in shown.output, shown.output
    shown = CliRunner().invoke(app, ["update", "inspect", str(out), "--json"])
    told = json.loads(shown.output)
    assert told["what"] == "micropython" and told["files"] == {}


def test_a_roll_out_of_it_is_for_those_that_run_another():
    plan = Plan(sha256="0" * 64, board="sim", version="1.29.0", what="micropython", stages=["all"])
    rollout = Rollout(number=1, plan=plan, began_utc=0)
    facts = {
        s: Fact(s, "sim", "1.29.0", True, True, micropython=runs)
        for s, runs in (("has it", "1.29.0"), ("old", "1.28.0"), ("never said", ""))
    }
    rollout.step(facts, 0)
    assert set(rollout.seats) == {"old", "never said"}


def entry(sequence, state):

    number = struct.pack("<I", sequence)
    check = zlib.crc32(number, 0xFFFFFFFF)
    return (number + b"\xff" * 20 + struct.pack("<II", state, check)).ljust(4096, b"\xff")


@pytest.mark.parametrize(
    ("otadata", "told"),
    [
        (b"\xff" * 8192, "blank: ota_0 starts"),
        (entry(1, 2) + b"\xff" * 4096, "ota_0 starts: good"),
        (entry(1, 2) + entry(2, 1), "ota_1 starts: on trial"),
        (entry(3, 4) + entry(2, 2), "ota_1 starts: good"),
        (entry(3, 2) + entry(2, 2), "ota_0 starts: good"),
    ],
)
def test_a_dump_says_which_app_partition_starts(otadata, told):
    assert entry(1, 2)[28:32] == bytes.fromhex("9a984347")  # as esp-idf's otatool shows it
    image = build(BOARD, stock_image(), "1.2.3").whole()
    at = next(one.offset for one in BOARD.partitions if one.name == "otadata") - 0x1000
    dump = image[:at] + otadata + image[at + 8192 :]
    found = {one.name: one.about for one in look(dump).partitions}
    assert found["otadata"] == told


def test_a_dump_says_what_came_of_an_update():
    body = bundle.read(micropython.make(BOARD, STOCK, KEY, MADE)).body
    trailer = Trailer(MADE, len(body), hashlib.sha256(body).digest(), BOARD.name, "1.29.0").pack()
    place = next(one for one in BOARD.partitions if one.name == "ota_1")
    image = build(BOARD, stock_image(), "1.2.3").whole()
    at, last = place.offset - 0x1000, place.end - 4096 - 0x1000
    dump = bytearray(image)
    dump[at : at + len(body)] = body
    dump[last : last + len(trailer)] = trailer
    found = {one.name: one.about for one in look(bytes(dump)).partitions}
    assert found["ota_1"].startswith("MicroPython 1.29.0, ")
    runs = "; whether it proved itself, the trailer does not say while it runs"
    assert found["ota_1"].endswith(" bytes, by an update: written" + runs)
    dump[last + HEAD_BYTES + GOOD] = 0  # its successor ran since
    found = {one.name: one.about for one in look(bytes(dump)).partitions}
    assert found["ota_1"].endswith(" bytes, by an update: written, good")
    assert "update" not in found["ota_0"]
