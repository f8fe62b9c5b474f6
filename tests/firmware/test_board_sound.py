"""What each board's headphone socket carries, with the codec as its table has it and the copper as
the board has it.
"""

import importlib
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.support.codec_bench import Bus, calls, do, has, model

ROOT = Path(__file__).resolve().parents[2] / "boards"
BOARDS = pytest.mark.parametrize(
    "board",
    sorted(path.parent.name for path in ROOT.glob("*/board.py") if path.parent.name != "sim"),
)
SOCKETS = runpy.run_path(str(ROOT / "sim" / "jacks.py"))["SOCKETS"]


class Socket:
    """A board's codec, set up as the firmware does it, and its headphone socket."""

    def __init__(self, board: str) -> None:
        module, name, _, _, options = runpy.run_path(str(ROOT / board / "board.py"))["PARTS"][
            "codec"
        ]
        chip, devices = model(module), {}
        wired = {"sockets": SOCKETS[board]} if board in SOCKETS else {}
        if "adc_address" in options:
            adc = model("es7210").ES7210()
            devices[options["adc_address"]] = adc
            self.model = getattr(chip, name)(adc, **wired)
        else:
            self.model = getattr(chip, name)(**wired)
        devices[options["address"]] = self.model
        self.bus = Bus(devices)
        self.bus.moved = self.listen
        self.highest = 0.0
        self.limit = 10 ** (options["limit_db"] / 20)
        driver = getattr(importlib.import_module(f"drivers.{module}"), name)
        self.codec = driver(self.bus, **options)

    def listen(self) -> None:
        self.highest = max(self.highest, sum(self.carries().values()))

    def carries(self, sink: str = "headset") -> dict[str, float]:
        found: dict[str, float] = self.model.paths()[sink]
        return found


@BOARDS
def test_the_socket_carries_caller_and_tones_and_no_own_voice_unless_asked_for(board: str) -> None:
    socket = Socket(board)
    mixes = "mix" not in getattr(socket.codec, "absent", ())
    if mixes:
        heard = socket.carries()
        assert heard["line"] > 0 and heard["dac"] > 0
    else:  # one at a time, and the line only where it is wired
        assert socket.carries()["dac"] > 0
        socket.codec.line_to_headset(True)
        assert socket.carries()["line"] > 0
    assert socket.carries()["microphone"] == 0
    if has(socket.codec, "set_sidetone"):
        socket.codec.set_sidetone(60)
        assert socket.carries()["microphone"] > 0
        socket.codec.set_sidetone(0)
        assert socket.carries()["microphone"] == 0


@BOARDS
def test_no_command_lets_the_caller_into_the_line_out(board: str) -> None:
    socket = Socket(board)
    do(socket.codec, "set_sidetone", 100)
    do(socket.codec, "microphone_to_line", True)
    out = socket.carries("line_out")
    assert out["line"] == out["dac"] == 0
    assert (out["microphone"] > 0) == has(socket.codec, "microphone_to_line")


@BOARDS
@settings(max_examples=40)  # the chips' own limit has more, in test_codecs.py
@given(sequence=calls())
def test_the_limit_holds_at_the_socket(board: str, sequence: list[tuple[str, Any]]) -> None:
    socket = Socket(board)
    for name, argument in sequence:
        do(socket.codec, name, argument)
    assert 0 < socket.highest <= socket.limit
