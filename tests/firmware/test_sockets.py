"""The pages that say which socket carries what, and the limit at each socket that has one, with
each board's own driver, codec and wires.
"""

import math
import runpy
from pathlib import Path
from typing import Any

import pytest
from diadema.stations.boards.table import Socket, board_names, load_board
from hypothesis import given

from tests.firmware import socket_page
from tests.firmware.socket_page import STATES, Sounding, carried, in_state
from tests.support.codec_bench import calls, do, model

BOARDS = pytest.mark.parametrize("name", board_names())
JACKS = runpy.run_path(
    str(Path(__file__).resolve().parents[2] / "boards" / "sim" / "jacks.py")
)["SOCKETS"]  # fmt: skip


@BOARDS
def test_the_page_is_up_to_date(name: str) -> None:
    kept = (socket_page.HARDWARE / f"{name}_sockets.md").read_text()
    assert kept == socket_page.page(load_board(name)), (
        f"write it again: python {socket_page.__file__}"
    )


@BOARDS
@given(sequence=calls())
def test_no_order_of_commands_takes_a_socket_over_its_limit(
    name: str, sequence: list[tuple[str, Any]]
) -> None:
    """The sum of all that each contact carries, at each write to a register; what leads to no
    socket stays silent, and so does a socket where only inputs are.
    """
    board = load_board(name)
    contacts = [
        pins for socket in board.wiring.sockets if socket.limited
        for pins in socket.contacts.values()
    ]  # fmt: skip
    wired = {pin for socket in board.wiring.sockets for pins in socket.contacts.values()
             for pin in pins}  # fmt: skip
    highest = 0.0
    loose: set[float | None] = {None}

    def moved(sounding: Sounding) -> None:
        nonlocal highest
        outputs = sounding.outputs()
        for pins in contacts:
            highest = max(highest, sum(carried(outputs, pins).values()))
        for pin in outputs.keys() - wired:
            loose.update(outputs[pin].values())

    sounding = Sounding(board, moved)
    for call, argument in sequence:
        do(sounding.codec, call, argument)
    assert 0 < highest <= 10 ** (sounding.codec.limit_db / 20) * (1 + 1e-12)
    assert loose == {None}


@BOARDS
def test_a_caller_at_full_volume_comes_as_the_board_s_table_says(name: str) -> None:
    """Whoever is right about the steps of the ES8388's outputs."""
    board = load_board(name)
    sounding = in_state(board, "both 100 %")
    tip, ring = headset(board.wiring.sockets).contacts.values()
    assert tip == ring  # both ears hear the same
    alone = "mix" in getattr(sounding.codec, "absent", ())
    if alone:  # a switch, and its line is wired by hand
        sounding.codec.line_to_headset(True)
    for steps in ((-45, 1.5), (-30, 1)):
        sounding.model.steps = steps
        line = carried(sounding.outputs(), tip)["line"]
        assert 20 * math.log10(line) == pytest.approx(board.wiring.audio.caller_db, abs=0.01)


@BOARDS
def test_the_sockets_are_wired_as_the_simulated_board_is(name: str) -> None:
    board = load_board(name)
    module = board.parts["codec"][0]
    sinks = JACKS.get(name) or model(module).SOCKETS
    tip, ring = headset(board.wiring.sockets).contacts.values()
    assert tip == ring  # both ears hear the same
    assert sorted(tip) == sorted(sinks["headset"])
    lines = [
        pins for socket in board.wiring.sockets if socket.head and not socket.limited
        for pins in socket.contacts.values()
    ]  # fmt: skip
    assert sorted(pin for pins in lines for pin in pins) == sorted(sinks["line_out"])


def test_muted_and_at_both_ends_of_the_sidetone_the_page_has_what_is_heard() -> None:
    """Own voice is in the headset where it was asked for, and nowhere while muted."""
    board = load_board("lyrat_v4_3")
    voice = {
        state: carried(in_state(board, state).outputs(), ["LOUT1", "ROUT1"])["microphone"]
        for state in STATES
    }
    assert [state for state, level in voice.items() if level] == ["sidetone 100 %", "both 100 %"]
    line = carried(in_state(board, "mute").outputs(), ["LOUT2"])
    assert not any(line.values())


def headset(sockets: list[Socket]) -> Socket:
    (found,) = (each for each in sockets if each.head and each.limited and each.contacts)
    return found
