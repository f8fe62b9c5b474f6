"""A codec that is another one, or answers late: named, and never driven."""

import json
import shutil

import pytest
from diadema.words import section
from diadema_sim.build import SimBoard

from tests.support.on_the_vm import FAILS

WIRED = (
    FAILS
    + """
from drivers.es8388 import ES8388
from drivers.wm8960 import WM8960
from models.ac101 import AC101
from models.es8388 import ES8388 as Model
from models.wm8960 import WM8960 as Other
bus = ("i2c", 22, 21)
absent = Model()
absent.fault = "nack"
machine.attach(bus, 0x10, absent)
i2c = machine.I2C(0, scl=Pin(22), sda=Pin(21))
"""
)
ADVICE = "the board has another codec than its table"


async def test_an_ac101_and_a_wm8960_are_told_apart_and_left_alone(chips):
    lines = await chips(
        WIRED
        + """
async def main():
    fails(ES8388, i2c)
    other = AC101()
    machine.attach(bus, 0x1A, other)
    fails(ES8388, i2c)
    fails(WM8960, i2c)
    print(other.driven)
    other = Other()
    before = other.registers[:]
    machine.attach(bus, 0x1A, other)
    fails(ES8388, i2c)
    print(other.registers == before)
    print(WM8960(i2c).selftest())
"""
    )
    assert lines == [
        "codec: no_answer; check its cable and its supply",
        f"codec: ac101; {ADVICE}",
        f"codec: ac101; {ADVICE}",
        "[]",
        f"codec: wm8960; {ADVICE}",
        "True",
        "True",
    ]


@pytest.mark.parametrize(("late_ms", "found"), [(70, 1), (None, 0)])
async def test_a_codec_that_answers_late_still_tells_the_variant(
    program, image, tmp_path, late_ms, found
):
    (tmp_path / "program").mkdir()
    for folder in ("drivers", "lib"):
        (tmp_path / "program" / folder).symlink_to(image / folder)
    source = """
import wire
from buses import devices
from drivers.wires import choose_wires
codec = devices[("i2c", 23, 18)][0x10]
codec.fault = "nack"
def answer():
    codec.fault = None
if LATE:
    wire.alarm(wire.now() + LATE, answer)
choose_wires(print)
print("the end")
"""
    station = await program(
        source.replace("LATE", str(late_ms)), SimBoard("aithinker_audiokit", 1)
    )
    console = b""
    while b"the end" not in console and b"Error: " not in console:
        await station._world.sleep(10)
        console = b"".join(station.console)
    assert f"variant {found}, module answers " in console.decode()


@pytest.fixture
def fitted(tmp_path):
    """`fitted(board, codec)`: the board, with that codec soldered."""

    def make(name, codec):
        folder = tmp_path / "boards" / "fitted"
        folder.mkdir(parents=True)
        shutil.copy(SimBoard(name).folder / "board.py", folder)
        (folder / "as_built.json").write_text(json.dumps({"fitted": {"codec": codec}}))
        return SimBoard("fitted", boards=tmp_path / "boards")

    return make


async def test_a_kit_with_the_older_codec_names_it_and_works_without_sound(desk, fitted):
    async with desk(fitted("aithinker_audiokit", ("ac101", {}))) as bench:
        fault = await bench.event("station.fault", part="codec")
        assert fault["code"] == "ac101"
        console = b"".join(bench.station.console).decode()
        assert f"codec: ac101; {ADVICE}" in console
        await bench.ready()


async def test_a_codec_that_answers_late_is_told_and_then_set_up(desk, fitted):
    async with desk(fitted("lyrat_v4_3", ("es8388", {"late_ms": 3_000}))) as bench:
        fault = await bench.event("station.fault", part="codec")
        assert fault["code"] == "no_answer"
        await bench.event("station.fault_cleared", part="codec")
        found = (await bench.station.dump())["codec"]["paths"]
        assert found["headset"]["line"] > 0


@pytest.mark.parametrize("language", ["es", "en"])
def test_another_codec_has_words(language):
    words = section("trouble", language)
    for code in ("ac101", "wm8960", "other"):
        assert words[f"code.{code}"] and words[f"do.codec.{code}"]
