"""Which stock MicroPython is for which board: eight real ones, as far as a table knows them, and
seven wrong ones. Whoever brings a wrong one is told which file is right.
"""

from pathlib import Path

import pytest
from diadema.base.errors import DiademaError
from diadema.cli.main import app
from diadema.stations.boards.table import TRIED, board_names, file_for, load_board
from diadema.stations.image.build import build
from diadema.stations.image.read import read_image
from diadema.stations.image.stock import read_stock
from diadema.stations.update import bundle, keys
from typer.testing import CliRunner

from tests.support.stock_image import REAL, as_large_as, stock_image

LYRAT, KORVO = load_board("lyrat_v4_3"), load_board("s3_korvo2")
FILES = {
    "esp32": "ESP32_GENERIC-SPIRAM-…-v1.28.0.bin",
    "esp32s3": "ESP32_GENERIC_S3-SPIRAM_OCT-…-v1.28.0.bin",
}
KEY = keys.generate()
MADE = 1_800_000_000
SPIRAM = "ESP32_GENERIC-SPIRAM-v1.28.0"
OCTAL = "ESP32_GENERIC_S3-SPIRAM_OCT-v1.28.0"
HERE = Path(__file__).parents[1] / "support" / "stock_images.csv"
SHARED = Path(__file__).parents[3] / "shared" / "data" / HERE.name

# image, board it is brought to, what one is told beside the right file
WRONG = {
    "OTA": (stock_image(build="ESP32_GENERIC-OTA"), LYRAT,
            "ESP32_GENERIC-OTA 1.28.0 uses no PSRAM, and lyrat_v4_3 has quad"),
    "generic": (as_large_as("ESP32_GENERIC-v1.28.0"), LYRAT,
                "ESP32_GENERIC 1.28.0 uses no PSRAM"),
    "quad for octal": (stock_image("esp32s3", build="ESP32_GENERIC_S3"), KORVO,
                       "ESP32_GENERIC_S3 1.28.0 uses quad PSRAM, and s3_korvo2 has octal"),
    "other chip": (as_large_as(OCTAL), LYRAT, "it is for an esp32s3, and lyrat_v4_3 has an esp32"),
    "old": (stock_image(version="1.26.1"), LYRAT,
            "ESP32_GENERIC-SPIRAM is MicroPython 1.26.1, and a station needs 1.27 or newer"),
    "too large": (stock_image(version="1.29.0", extra=bytes(0x180000)), LYRAT,
                  "bytes, and a slot of lyrat_v4_3 holds 1572864"),
    "cut short": (as_large_as(SPIRAM)[:-1000], LYRAT, "is cut short: download it again"),
}  # fmt: skip


def test_the_table_is_that_of_the_real_ones():
    if not SHARED.exists():
        pytest.skip(f"no {SHARED} beside this clone, to compare {HERE.name} with")
    assert HERE.read_bytes() == SHARED.read_bytes()


@pytest.mark.parametrize("name", board_names())
def test_of_eight_real_ones_a_board_takes_those_that_drive_its_psram(name):
    board = load_board(name)
    about = board.wiring.board
    room = next(one.size for one in board.partitions if one.name == "ota_0")
    for image, real in REAL.items():
        right = (real["chip"], real["psram"]) == (about.chip, about.psram)
        if right and real["version"] in TRIED:
            made = build(board, as_large_as(image), "1")
            assert (made.micropython, made.build) == (real["version"], real["build"])
            (slot,) = (one for one in made.pieces if one.name == "ota_0")
            assert slot.free == room - int(real["app_bytes"])
        else:
            with pytest.raises(DiademaError) as told:
                build(board, as_large_as(image), "1")
            assert file_for(board) == FILES[about.chip] and FILES[about.chip] in str(told.value)


@pytest.mark.parametrize("bring", ["image", "bundle"])
@pytest.mark.parametrize("which", WRONG)
def test_a_wrong_one_is_refused_and_the_right_one_named(which, bring):
    stock, board, why = WRONG[which]
    with pytest.raises(DiademaError) as refused:
        if bring == "image":
            build(board, stock, "1")
        else:
            bundle.make_micropython(board, read_stock(stock, board), KEY, MADE)
    told = str(refused.value)
    if (which, bring) == ("too large", "bundle"):
        why = "a slot, without the update's own sector, of lyrat_v4_3 holds 1568768"
    assert why in told and f"take {FILES[board.wiring.board.chip]}" in told, told


def test_where_none_fits_one_is_told_what_then():
    stock, board, _ = WRONG["too large"]
    with pytest.raises(DiademaError, match="a board with more than 4 MB of flash"):
        build(board, stock, "1")


@pytest.mark.parametrize("cut", [10, 0x5000, 0x9000, 0xF000, 0xF010, 0x80000, -16])
def test_wherever_it_is_cut_it_is_known_to_be(cut):
    with pytest.raises(DiademaError, match=f"download it again: take {FILES['esp32']}"):
        build(LYRAT, as_large_as(SPIRAM)[:cut], "1")


def test_a_name_is_read_from_the_image_and_not_taken_for_granted():
    with pytest.raises(DiademaError, match="is not a build of MicroPython's own"):
        build(LYRAT, stock_image(build="MINE", psram="quad"), "1")


def test_an_old_one_that_names_no_build_is_an_old_one():
    with pytest.raises(
        DiademaError, match=r"it is MicroPython 1\.24\.1, and a station needs 1\.27"
    ):
        build(LYRAT, stock_image(version="1.24.1", build="", psram="quad"), "1")


def bundled(tmp_path, stock, *more):
    """What the command says, on both its outputs."""
    if not (tmp_path / "key").exists():
        keys.make(tmp_path / "key")
    (tmp_path / "stock.bin").write_bytes(stock)
    line = ["update", "bundle", "--board", LYRAT.name, "--key", str(tmp_path / "key"),
            "--micropython", str(tmp_path / "stock.bin"), "-o", str(tmp_path / "new"),
            *more]  # fmt: skip
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    return done


def built(tmp_path, stock, *more):
    (tmp_path / "stock.bin").write_bytes(stock)
    line = ["image", "build", "--board", LYRAT.name, "--micropython", str(tmp_path / "stock.bin"),
            "-o", str(tmp_path / "new"), *more]  # fmt: skip
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    return done


def test_its_build_and_what_is_left_of_the_slot_are_printed(tmp_path):
    done = built(tmp_path, as_large_as(SPIRAM))
    assert "MicroPython 1.28.0 (ESP32_GENERIC-SPIRAM): 27 KB are left of its slot" in done.output
    assert "not tried" not in done.output
    seen = read_image((tmp_path / "new").read_bytes())
    (about,) = (one.about for one in seen.partitions if one.name == "ota_0")
    assert about == "MicroPython 1.28.0, ESP32_GENERIC-SPIRAM, quad PSRAM, 1545568 bytes"
    done = bundled(tmp_path, as_large_as(SPIRAM))
    assert "1.28.0 (ESP32_GENERIC-SPIRAM): 23 KB are left of its slot" in done.output


def test_a_bundle_says_of_which_build_it_is(tmp_path):
    for board, build_, psram in (
        (LYRAT, "ESP32_GENERIC-SPIRAM", "quad"), (KORVO, "ESP32_GENERIC_S3-SPIRAM_OCT", "octal"),
    ):  # fmt: skip
        stock = read_stock(stock_image(board.wiring.board.chip), board)
        told = bundle.read(bundle.make_micropython(board, stock, KEY, MADE)).manifest
        assert (told.build, told.psram) == (build_, psram)
    bundled(tmp_path, stock_image())
    shown = CliRunner().invoke(app, ["update", "inspect", str(tmp_path / "new")])
    assert "MicroPython 1.28.0 (ESP32_GENERIC-SPIRAM)" in shown.output
    assert "quad PSRAM, loads .mpy 6.3" in shown.output


@pytest.mark.parametrize("make", [built, bundled])
@pytest.mark.parametrize("version", ["1.27.1", "1.29.0", "1.28.0-preview.7"])
def test_what_was_not_tried_is_taken_with_a_warning(tmp_path, make, version):
    done = make(tmp_path, stock_image(version=version), "--json")
    assert f"MicroPython {version} was not tried" in done.stderr
    assert "was not tried" not in make(tmp_path, stock_image(version="1.27.0"), "--json").stderr


def test_an_image_made_of_a_wrong_one_before_is_known():
    """As whoever updates Diadema has it lying about."""
    whole = bytearray(build(LYRAT, as_large_as(SPIRAM), "1").whole())
    old = stock_image(build="ESP32_GENERIC-OTA")[0xF000:]
    whole[0xF000 : 0xF000 + 0x180000] = old.ljust(0x180000, b"\xff")
    (wrong,) = read_image(bytes(whole)).wrong
    assert wrong.startswith("ota_0: ESP32_GENERIC-OTA 1.28.0 uses no PSRAM")
    assert "make the image again" in wrong
