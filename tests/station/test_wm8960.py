"""The WM8960's driver on the VM, over a bus that knows each write; what all codecs promise is in
`tests/firmware/test_codecs.py`.
"""

import pytest

from tests.support.on_the_vm import FAILS, HEARD

CODEC = (
    FAILS
    + HEARD
    + """
from drivers.wm8960 import WM8960
from models.wm8960 import WM8960 as Model
model = Model()
machine.attach(("i2c", 25, 26), 0x1A, model)
i2c = machine.I2C(1, scl=Pin(25), sda=Pin(26))
def changed(call, *arguments):
    before = model.registers[:]
    call(*arguments)
    return ["%x=%03x" % (at, value) for at, value in enumerate(model.registers)
            if value != before[at]]
"""
)


async def test_start_leaves_the_registers_as_told(chips):
    lines = await chips(
        CODEC
        + """
async def main():
    codec = WM8960(i2c, volume=100)
    after = Model().registers
    for at, value in enumerate(model.registers):
        if value != after[at]:
            print("R%d=%03x" % (at, value))
    print(model.rate_hz(24_000_000), codec.selftest(), codec.volume_db)
"""
    )
    *registers, last = lines
    assert registers == [
        "R0=11c", "R2=170", "R3=179",  # amplifier 3.75 dB, HP_L -9 dB, HP_R 0 dB
        "R4=0dd", "R5=000", "R7=002", "R9=040",
        "R21=1eb",  # left ADC +20 dB
        "R25=0fe", "R26=163", "R28=008",
        "R32=108", "R33=000", "R34=180", "R37=080", "R44=00a", "R45=070", "R47=02c",
        "R52=038",  # N 8, MCLK halved, fractional; K is what it is after reset
    ]  # fmt: skip
    rate, rest = last.split(" ", 1)
    assert float(rate) == pytest.approx(16000, abs=0.01)
    assert rest == "True -9"


async def test_each_command_changes_its_own_registers(chips):
    lines = await chips(
        CODEC
        + """
async def main():
    codec = WM8960(i2c, volume=100)
    for call, argument in (
        (codec.set_volume, 90), (codec.set_volume, 90), (codec.set_sidetone, 100),
        (codec.set_volume, 100), (codec.set_microphone_gain, 2.5), (codec.mute, True),
        (codec.microphone_to_line, False), (codec.mute, False), (codec.microphone_to_line, True),
        (codec.line_to_headset, False), (codec.power, "standby"), (codec.power, "on"),
    ):
        print(*changed(call, argument))
"""
    )
    assert lines == [
        "2=16d", "", "2d=090",  # -11.5 down to -12 dB; the sidetone's own step -3 dB
        "2=170 2d=0a0", "0=11a 15=1c3", "0=19a 25=000",
        "", "0=11a", "25=080",
        "22=100", "19=140 1a=001 2f=000", "19=0fe 1a=163 2f=02c",
    ]  # fmt: skip


async def test_mute_silences_with_its_first_write_and_stays_in_a_call(chips):
    lines = await chips(
        CODEC
        + """
async def main():
    codec = WM8960(i2c)
    codec.set_sidetone(80)
    seen = []
    model.watch = lambda: seen.append([heard(sink, "microphone") > 0 for sink in
        ("line_out", "adc_left", "headset")])
    codec.mute(True)
    model.watch()
    print(seen)
    print(heard("headset", "line") > 0, heard("adc_right", "line") > 0)
    codec.microphone_to_line(False)
    codec.mute(False)
    del seen[:]
    codec.mute(True)
    model.watch()
    print(seen)
"""
    )
    on, off = "[True, True, True]", "[False, True, True]"
    assert lines == [
        f"[{on}, {off}, [False, False, False]]",
        "True True",
        f"[{off}, {off}, [False, False, False]]",
    ]


async def test_what_falls_is_written_before_what_rises(chips):
    """Louder with the sidetone open: it goes down first, and up last when the volume falls."""
    lines = await chips(
        CODEC
        + """
async def main():
    codec = WM8960(i2c, volume=80)
    codec.set_sidetone(100)
    order = []
    write = model._write
    def note(register, value):
        order.append(register)
        write(register, value)
    model._write = note
    for volume in (100, 60):
        codec.set_volume(volume)
        print(order)
        del order[:]
"""
    )
    assert lines == ["[45, 2]", "[2, 45]"]


@pytest.mark.parametrize("fault", ["nack", "stuck", "stretch"])
async def test_a_bus_that_fails_is_a_part_error(chips, fault):
    lines = await chips(
        CODEC
        + f"""
async def main():
    codec = WM8960(i2c)
    model.fault = {fault!r}
    fails(codec.set_volume, 30)
    fails(codec.start)
    fails(WM8960, i2c)
    print(codec.selftest())
    model.fault = None
    codec.start()
    print(codec.selftest(), codec.volume, heard("headset", "line") > 0)
"""
    )
    told = "codec: no_answer; check its cable and its supply"
    assert lines == [told, told, told, "False", "True 30 True"]


async def test_gone_at_any_write_of_start_and_back(chips):
    """Wherever it stops: silence or what was allowed, a PartError, and `start()` cures it."""
    lines = await chips(
        CODEC
        + """
async def main():
    codec = WM8960(i2c, limit_db=-8, volume=100)
    codec.set_sidetone(100)
    whole = model.paths()
    count = 0
    while True:
        model.fault, model.writes_left = "gone", count
        try:
            codec.start()
            break
        except PartError as error:
            count += 1
            assert error.code == "no_answer"
        assert sum(model.paths()["headset"].values()) <= 10 ** (-8 / 20)
        model.fault = None
        codec.start()
        assert model.paths() == whole, count
    print(count > 20, model.paths() == whole)
"""
    )
    assert lines == ["True True"]


async def test_a_register_that_turned_is_set_right_by_the_selftest(chips):
    """It cannot be read, so it cannot be found: it is written anew."""
    lines = await chips(
        CODEC
        + """
async def main():
    codec = WM8960(i2c)
    for state in ("on", "standby", "off"):
        codec.power(state)
        was = model.registers[:]
        for at in (0, 2, 0x19, 0x1A, 0x22, 0x2D, 0x2F):
            model.registers[at] ^= 0x40
        print(codec.selftest(), model.registers == was)
    try:
        i2c.readfrom(0x1A, 2)
    except OSError:
        print(codec.dump()["differs"], len(codec.dump()["registers"]))
"""
    )
    assert lines == ["True True"] * 3 + ["None 168"]


@pytest.mark.parametrize(("mclk_hz", "written"), [(12_288_000, "R4=0d8"), (4_096_000, "R4=000")])
async def test_clocks_without_the_pll(chips, mclk_hz, written):
    lines = await chips(
        CODEC
        + f"""
async def main():
    codec = WM8960(i2c, mclk_hz={mclk_hz})
    print("R4=%03x" % model.registers[4], model.registers[0x1A] & 1, model.rate_hz({mclk_hz}))
"""
    )
    assert lines == [f"{written} 0 16000.0"]
