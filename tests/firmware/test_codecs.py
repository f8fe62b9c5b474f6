"""Every codec against its model: what the interface of `drivers/es8388.py` promises, whatever the
order of calls. The models' `paths()` say what registers do; a chip joins with a line in CODECS of
`codec_bench.py`.
"""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lib.errors import PartError

from tests.support.codec_bench import CODECS, SOURCES, Bench, calls, do, has, model

CHIPS = pytest.mark.parametrize("chip", CODECS)
READABLE = pytest.mark.parametrize("chip", sorted(set(CODECS) - {"wm8960"}))
HEARD = {"es8311": {"line"}}  # at once, where not all are


@CHIPS
@given(limit_db=st.floats(-50, 12), sequence=calls())
def test_nothing_exceeds_the_limit(
    chip: str, limit_db: float, sequence: list[tuple[str, Any]]
) -> None:
    bench = Bench(chip, limit_db)
    for name, argument in sequence:
        do(bench.codec, name, argument)
    assert bench.highest <= bench.limit * (1 + 1e-12)  # the last digit of a limit is nobody's
    assert bench.codec.selftest()


@CHIPS
def test_the_limit_is_used_not_only_kept(chip: str) -> None:
    """At full volume and sidetone nearly all of it is heard; steps fall on its safe side."""
    for tenths in range(-120, 1):
        bench = Bench(chip, tenths / 10)
        bench.codec.set_volume(100)
        for db in (24, 9):
            bench.codec.set_microphone_gain(db)
            do(bench.codec, "set_sidetone", 100)
            heard = bench.paths("headset")
            assert 10 ** ((tenths / 10 - 3) / 20) <= sum(heard.values()) <= bench.limit
            assert {source for source in heard if heard[source]} == HEARD.get(chip, SOURCES)
        assert bench.highest <= bench.limit


@CHIPS
def test_no_write_on_the_way_exceeds_the_limit(chip: str) -> None:
    """Up and down with the sidetone open, where one register must wait for another."""
    bench = Bench(chip)
    do(bench.codec, "set_sidetone", 100)
    for quarters in range(0, 64, 3):
        bench.codec.set_microphone_gain(quarters / 4)
        for percent in (100, 0, 90, 17, 100, 63):
            bench.codec.set_volume(percent)
        for muted in (True, False):
            bench.codec.mute(muted)
    for name, argument in (("set_volume", 100), ("set_microphone_gain", 0), ("power", "standby"),
                           ("set_microphone_gain", 60), ("power", "on")):  # fmt: skip
        do(bench.codec, name, argument)
    assert 0 < bench.highest <= bench.limit


@CHIPS
@given(sequence=calls("set_volume", "set_sidetone", "set_microphone_gain", "microphone_to_line",
                      "line_to_headset", "power", "start"))  # fmt: skip
def test_muted_is_muted_whatever_else_is_set(chip: str, sequence: list[tuple[str, Any]]) -> None:
    bench = Bench(chip)
    bench.codec.mute(True)
    for name, argument in sequence:
        do(bench.codec, name, argument)
        for sink in ("line_out", "adc_left", "headset"):
            assert bench.paths(sink)["microphone"] == 0
    bench.codec.mute(False)
    bench.codec.power("on")
    do(bench.codec, "microphone_to_line", True)
    if has(bench.codec, "microphone_to_line"):
        assert bench.paths("line_out")["microphone"] > 0
    assert bench.paths("adc_left")["microphone"] > 0


@CHIPS
def test_volume_and_sidetone_follow_their_level(chip: str) -> None:
    bench = Bench(chip)
    codec = bench.codec
    heard, told, beside = [], [], []
    for percent in (*range(0, 97, 6), 100):
        codec.set_volume(percent)
        heard.append(bench.paths("headset")["line"])
        told.append(codec.volume_db)
    assert heard == sorted(heard) and heard[0] > 0 and heard[-1] > 8 * heard[0]
    assert [20 * math.log10(gain) for gain in heard] == pytest.approx(told, abs=0.3)
    codec.set_volume(-5)
    assert codec.volume == 0
    codec.set_volume(500)
    assert codec.volume == 100
    for percent in range(0, 101, 10) if has(codec, "set_sidetone") else ():
        codec.set_sidetone(percent)
        beside.append(bench.paths("headset")["microphone"])
        assert bench.paths("headset")["line"] == heard[-1]
    if beside:
        assert beside == sorted(beside) and beside[0] == 0
        assert 0 < 4 * beside[1] < beside[-1]


@CHIPS
def test_channels_and_paths(chip: str) -> None:
    """Left is the microphone, right the line; no tone and no caller gets into the line-out."""
    bench = Bench(chip)
    codec = bench.codec
    for db in (0, 7, 12, 100):
        codec.set_microphone_gain(db)
        left, right = bench.paths("adc_left"), bench.paths("adc_right")
        assert left["line"] == left["dac"] == right["microphone"] == right["dac"] == 0
        assert 20 * math.log10(left["microphone"]) == pytest.approx(codec.microphone_gain_db)
        assert codec.microphone_gain_db <= db < codec.microphone_gain_db + 3 or db == 100
        assert right["line"] > 0
        assert bench.paths("line_out")["line"] == bench.paths("line_out")["dac"] == 0
    codec.line_to_headset(False)
    assert bench.paths("headset")["line"] == 0 < bench.paths("headset")["dac"]
    codec.line_to_headset(True)
    assert bench.paths("headset")["line"] > 0
    codec.microphone_to_line(False)
    assert bench.paths("line_out")["microphone"] == 0
    do(codec, "microphone_to_line", True)
    assert (bench.paths("line_out")["microphone"] > 0) == has(codec, "microphone_to_line")


# pins beside the headset's and what they may carry while everything is open
OTHER_PINS = {
    "es8388": {"LOUT2": {"microphone"}, "ROUT2": set()},
    "wm8960": {"HP_R": {"microphone"}, "SPK_L": set(), "SPK_R": set()},
    "es8311": {},
}


@CHIPS
def test_each_output_pin_is_told_from_the_registers(chip: str) -> None:
    """Silence is None; what a sink carries is the sum of its pins, and no other pin carries any
    of it.
    """
    bench = Bench(chip)
    do(bench.codec, "set_sidetone", 100)
    outputs: dict[str, dict[str, float | None]] = bench.model.outputs()
    for pin, sources in OTHER_PINS[chip].items():
        told = outputs.pop(pin)
        assert {source for source, db in told.items() if db is not None} == sources
    for source, gain in bench.paths("headset").items():
        levels = [db for told in outputs.values() if (db := told[source]) is not None]
        assert sum(10 ** (db / 20) for db in levels) == pytest.approx(gain)
    bench.codec.power("standby")
    outputs = bench.model.outputs()
    assert {db for told in outputs.values() for db in told.values()} == {None}


def test_a_mono_plug_in_the_line_in_socket_leaves_her_without_the_caller() -> None:
    """It grounds the ring, which is RIN2; tip and ring joined she hears him."""
    bench = Bench("es8388")
    assert bench.paths("headset")["line"] > 0 < bench.paths("adc_right")["line"]
    bench.model.inputs = model("es8388").MONO_PLUG
    assert bench.paths("headset")["line"] == bench.paths("adc_right")["line"] == 0
    assert bench.paths("headset")["dac"] > 0 < bench.paths("adc_left")["microphone"]


@CHIPS
def test_power_states(chip: str) -> None:
    bench = Bench(chip)
    codec = bench.codec
    do(codec, "set_sidetone", 50)
    before = bench.model.paths()
    for state in ("standby", "off"):
        codec.power(state)
        assert codec.state == state and codec.selftest()
        assert not any(any(sources.values()) for sources in bench.model.paths().values())
        codec.set_volume(codec.volume)  # changes nothing of it
        assert not any(bench.paths("headset").values())
        codec.power("on")
        assert bench.model.paths() == before


@READABLE
def test_a_wrong_bit_is_found_and_set_up_again(chip: str) -> None:
    bench = Bench(chip)
    assert bench.codec.selftest() and not bench.codec.dump()["differs"]
    for device in bench.bus.devices.values():
        device.fault = "bit"
    bench.codec.set_volume(50)
    for device in bench.bus.devices.values():
        device.fault = None
    assert not bench.codec.selftest() and bench.codec.dump()["differs"]
    bench.codec.start()
    assert bench.codec.selftest() and bench.codec.volume == 50


@CHIPS
def test_a_silent_chip_is_a_part_error(chip: str) -> None:
    bench = Bench(chip)
    for device in bench.bus.devices.values():
        device.fault = "nack"
    for name, argument in (("set_volume", 3), ("mute", True), ("start", None), ("power", "off")):
        with pytest.raises(PartError) as caught:
            do(bench.codec, name, argument)
        assert (caught.value.part, caught.value.code) == ("codec", "no_answer")
    assert not bench.codec.selftest()
    assert bench.codec.dump()["differs"] is None


def test_the_limit_of_the_es8388_does_not_rest_on_disputed_steps() -> None:
    """Line and tones keep their share of it, whoever is right about the steps of OUT1."""
    for tenths in range(-500, 121):
        bench = Bench("es8388", tenths / 10)
        bench.codec.set_volume(100)
        for steps in ((-45, 1.5), (-30, 1)):
            bench.model.steps = steps
            heard = bench.paths("headset")
            assert heard["line"] + heard["dac"] <= 0.75 * bench.limit
