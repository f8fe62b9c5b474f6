"""How loud a socket can be: the sum, reckoned here by hand for each kind of wiring."""

import math
from dataclasses import replace

import msgspec
import pytest
from diadema.stations.boards.sound import Loudness, loudness
from diadema.stations.boards.table import Board, BoardError, load_board

from tests.support.broken_boards import AUDIOKIT, DEVKIT, KORVO, LYRAT


def of(board: Board, ref: str, limit_db: float | None = None, **changes: object) -> Loudness:
    """The socket with these changes, at another limit of the codec."""
    sockets = [
        msgspec.structs.replace(socket, **changes) if socket.ref == ref else socket
        for socket in board.wiring.sockets
    ]
    parts = dict(board.parts)
    if limit_db is not None:
        *codec, options = parts["codec"]
        parts["codec"] = (*codec, options | {"limit_db": limit_db})
    wiring = msgspec.structs.replace(board.wiring, sockets=sockets)
    levels = loudness(replace(board, parts=parts, wiring=wiring))
    return next(level for level in levels if level.socket == ref)


def test_a_clipped_signal_the_ear_drum_and_the_capsule_are_in_the_sum():
    """1 V through 33 Ω of two into 32 Ω is 0.330 V, −9.6 dB; 118 dB SPL/V; −8 + 3 + 10 dB."""
    bare = of(load_board(LYRAT), "X1", limit_db=-8, clipper_v_peak=0, pad_ohms=0)
    assert bare.loudest == bare.unclipped == pytest.approx(118 - 9.63 - 8 + 3.01 + 10, abs=0.02)


@pytest.mark.parametrize("name", [AUDIOKIT, DEVKIT, LYRAT, KORVO])
def test_the_clipper_ends_it_at_its_diodes_whatever_the_codec_does(name):
    """0.45 V through 300 Ω into 32 Ω is 0.0434 V, −27.3 dB."""
    for limit_db in (40, 6):
        level = of(load_board(name), "X1", limit_db=limit_db)
        assert level.loudest == pytest.approx(118 - 27.26 + 10, abs=0.02)
        assert level.unclipped > level.loudest
    assert of(load_board(name), "X1", limit_db=-30).loudest < 90  # it is not at work


def test_no_more_than_the_supply_lets_through_comes_out():
    """1.65 V of 1 V is +4.35 dB, of each of two outputs."""
    board = load_board(LYRAT)
    assert of(board, "PHONES", limit_db=40).loudest == pytest.approx(118 + 4.35 + 10, abs=0.01)
    both = of(board, "X1", limit_db=40, clipper_v_peak=0, pad_ohms=0)
    assert both.loudest == pytest.approx(118 - 9.63 + 4.35 + 6.02 + 10, abs=0.02)
    line = of(board, "LINE", limit_db=-40)  # not under the limit; 1.2 kΩ before 32 Ω: −31.7 dB
    assert line.loudest == pytest.approx(118 + 4.35 - 31.71 + 10, abs=0.02)
    assert line.caller is None


def test_a_pad_across_the_wires_is_reckoned_with():
    """3.5 V through 300 Ω, 33 Ω across and 332 Ω beside: −20.83 dB; 32 of 332 Ω: −20.32 dB; the
    amplifier ends at 5 V, 3.1 dB over the sine.
    """
    level = of(load_board(KORVO), "X1")
    way = 118 + 10.88 - 20.83 - 20.32
    assert level.unclipped == pytest.approx(way + 3.10 + 10, abs=0.03)
    assert level.caller == pytest.approx(way + 3 - 20, abs=0.03)


def test_a_headset_that_nobody_knows_is_refused():
    board = load_board(LYRAT)
    audio = msgspec.structs.replace(board.wiring.audio, headset="H110")
    wiring = msgspec.structs.replace(board.wiring, audio=audio)
    with pytest.raises(
        BoardError, match=r"H110 stands in no row of headsets\.csv; there are: any"
    ):
        loudness(replace(board, wiring=wiring))


def test_where_nothing_comes_out_nothing_is_told():
    board = load_board(DEVKIT)
    silent = {socket.ref for socket in board.wiring.sockets if not socket.contacts}
    assert silent == {"X2", "X3"}
    assert not silent & {level.socket for level in loudness(board)}


@pytest.mark.parametrize("name", [AUDIOKIT, DEVKIT, LYRAT, KORVO])
def test_to_lower_the_limit_by_what_is_told_is_enough(name):
    """Where there is no clipper, and the supply is what ends it."""
    bare = {"clipper_v_peak": 0}
    board = load_board(name)
    level = of(board, "X1", limit_db=40, **bare)
    assert level.unclipped < level.allowed
    assert of(board, "X1", limit_db=40 - math.ceil(level.allowed - 102), **bare).loudest <= 102
