"""Tables of boards that nobody sells: what is soldered to them, and how the world works them
whatever part has a role. And the GPIOs that each chip gives a program.
"""

import json
import shutil
from functools import partial
from typing import get_args

import pytest
from diadema.base.errors import DiademaError
from diadema_sim import cli
from diadema_sim.build import SimBoard, board_heap, board_names, choose_boards

from tests.support.other_board import BADGES, READERS, other_board

KNOB = {
    "screen": ("sh1106", "SH1106", "i2c", (), {}),
    "keys": ("encoder", "EncoderKeys", None, ("a", "b", "push"), {}),
    "lights": ("lights", "Lights", None, ("red", "amber", "white"), {"active": 0}),
    "headset": ("headset", "Headset", None, ("socket",), {"plugged": 1}),
    "codec": ("es8388", "ES8388", "i2c", (), {"address": 0x11}),
    "badge_reader": ("pn532_spi", "PN532Spi", "spi", ("cs", "irq"), {}),
}


@pytest.fixture
def made(tmp_path):
    """`made(parts)`: a board with these parts."""
    return partial(other_board, tmp_path)


async def test_a_knob_lamps_of_the_other_polarity_and_a_reader_on_spi(desk, made):
    async with desk(made(KNOB)) as bench:
        await bench.shows("logged_out")  # as on the plain board's screen
        assert not any((await bench.station.lights()).values())
        await bench.station.unplug()
        await bench.event("headset.unplugged")
        await bench.station.tap(bench.badges[0])
        await bench.event("session.opened", method="badge")
        volumes = []
        for detents in (2, -1):
            since = bench.since()
            await bench.station.ask({"do": "turn", "detents": detents})
            await bench.event("audio.changed", since)
            await bench.world.sleep(1000)
            events = bench.world.witness.events(bench.station.id)
            volumes.append(events[-1].event["volume"])
        assert volumes[0] - volumes[1] == 6  # percent a detent


@pytest.mark.parametrize("name", READERS)
async def test_a_reader_of_another_kind_is_tapped_alike(desk, made, name):
    reader = READERS[name]
    async with desk(made({"badge_reader": reader.row})) as bench:
        await bench.station.tap(BADGES[reader.kind])
        await bench.event("session.denied", reason="unknown_badge")


async def test_what_a_board_lacks_answers_with_its_name(desk, made):
    async with desk(made({"headset": KNOB["headset"]})) as bench:
        with pytest.raises(DiademaError, match="this board has no keys"):
            await bench.station.press(1)
        with pytest.raises(DiademaError, match="this board has no screen"):
            await bench.station.screen()
        assert await bench.station.lights() == {}


def test_a_driver_without_a_model_is_named(made):
    board = made({"keys": ("keys_of_glass", "GlassKeys", None, (), {})})
    with pytest.raises(DiademaError, match="no model for the driver keys_of_glass"):
        board_heap(board)


def test_boards_are_chosen_by_name():
    assert choose_boards("sim, s3_korvo2") == [SimBoard("sim"), SimBoard("s3_korvo2")]
    assert choose_boards("s3_korvo2")[0].chip == "esp32s3:octal"
    with pytest.raises(DiademaError, match="no board 'korvo'; there are: sim, aithinker_audiokit"):
        choose_boards("sim,korvo")


LOOK = """
from machine import ADC, Pin, TouchPad
def takes(make, gpios=range(49)):
    found = []
    for gpio in gpios:
        try:
            make(gpio)
            found.append(gpio)
        except ValueError:
            pass
    return found
pins = takes(Pin)
print([gpio for gpio in range(49) if gpio not in pins])
print([gpio for gpio in pins if gpio not in takes(lambda gpio: Pin(gpio, Pin.OUT), pins)])
print(takes(lambda gpio: TouchPad(Pin(gpio)), pins))
print(takes(lambda gpio: ADC(Pin(gpio)), pins))
print("the end")
"""
CHIPS = {
    # refused, input only, touch, ADC
    "lyrat_v4_3": (
        [*range(6, 12), 16, 17, 24, *range(28, 32), *range(40, 49)],
        [*range(34, 40)],
        [0, 2, 4, 12, 13, 14, 15, 27, 32, 33],
        [0, 2, 4, 12, 13, 14, 15, 25, 26, 27, *range(32, 40)],
    ),
    "s3_korvo2": ([19, 20, *range(22, 38)], [], [*range(1, 15)], [*range(1, 19)]),
}


@pytest.mark.parametrize("name", CHIPS)
async def test_a_chip_gives_its_gpios_and_no_others(program, name):
    station = await program(LOOK, SimBoard(name))
    console = b""
    while b"the end" not in console:
        await station._world.sleep(1)
        console = b"".join(station.console)
    assert console.decode().splitlines()[:4] == [str(gpios) for gpios in CHIPS[name]]


@pytest.mark.parametrize("variant", [0, 1])
async def test_the_variant_that_was_bought_is_found_at_boot(desk, variant):
    async with desk(SimBoard("aithinker_audiokit", variant)) as bench:
        console = b"".join(bench.station.console).decode()
        assert f"aithinker_audiokit: variant {variant}, module answers there" in console
        await bench.ready()
        dialed = await bench.dial()  # key 4 moves with the variant
        await bench.keys(1)
        await bench.event("contact.ended", c=dialed["c"])
        assert "station.fault" not in bench.kinds()


@pytest.mark.parametrize(("at", "told"), [(0x38, "at 0x38"), (0x20, "at 0x20"), (0x27, "nowhere")])
async def test_the_expander_of_either_batch_is_named(desk, tmp_path, at, told):
    folder = tmp_path / "boards" / "s3_korvo2"
    shutil.copytree(SimBoard("s3_korvo2").folder, folder)
    (folder / "as_built.json").write_text(json.dumps({"expander": at}))
    async with desk(SimBoard("s3_korvo2", boards=tmp_path / "boards")) as bench:
        console = b"".join(bench.station.console).decode()
        assert f"s3_korvo2: expander answers {told}\n" in console
        await bench.ready()


async def test_no_variant_that_answers_is_said_and_the_rest_works(desk, tmp_path):
    folder = tmp_path / "boards" / "mute"
    folder.mkdir(parents=True)
    table = (SimBoard("aithinker_audiokit").folder / "board.py").read_text()
    (folder / "board.py").write_text(table.replace('("module", 0x10)', '("module", 0x55)'))
    async with desk(SimBoard("mute", boards=tmp_path / "boards")) as bench:
        console = b"".join(bench.station.console).decode()
        assert "variant 0, module answers nowhere" in console
        await bench.ready()


def test_the_help_names_every_board():
    told = get_args(cli.Boards)[1].help
    assert all(name in told for name in board_names())
