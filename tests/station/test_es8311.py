"""The ES8311's driver and its ES7210's on the VM; what all codecs promise is in
`tests/firmware/test_codecs.py`.
"""

import pytest

from tests.support.on_the_vm import FAILS, HEARD

CODEC = (
    FAILS
    + HEARD
    + """
from drivers.es8311 import ES8311
from models.es7210 import ES7210 as Adc
from models.es8311 import ES8311 as Model
adc = Adc()
model = Model(adc)
machine.attach(("i2c", 25, 26), 0x18, model)
machine.attach(("i2c", 25, 26), 0x40, adc)
i2c = machine.I2C(1, scl=Pin(25), sda=Pin(26))
def changes(before):
    return " ".join("%s%02x=%02x" % (name, at, chip.registers[at])
        for name, chip, old in (("", model, before[0]), ("adc ", adc, before[1]))
        for at in range(len(old)) if chip.registers[at] != old[at])
def changed(call, *arguments):
    before = bytes(model.registers), bytes(adc.registers)
    call(*arguments)
    return changes(before)
"""
)


async def test_start_leaves_the_registers_as_told(chips):
    lines = await chips(
        CODEC
        + """
async def main():
    reset = bytes(model.registers), bytes(adc.registers)
    codec = ES8311(i2c, line_in=True, volume=100)
    print(changes(reset).replace(" adc ", "\\nadc ", 1))
    print(model.rate_hz(4_096_000), codec.selftest(), codec.volume_db)
"""
    )
    assert lines == [
        "00=80 01=3f 04=20 07=10 09=0c 0a=0c 0c=00 0d=01 0e=02 10=1f 11=7f 12=00 13=10 16=20 "
        "17=bf 1b=0a 1c=6a 32=bf 44=88",
        "adc 00=41 adc 01=34 adc 02=c1 adc 09=30 adc 0a=30 adc 11=60 adc 20=0a adc 21=2a "
        "adc 22=0a adc 23=2a adc 40=43 adc 41=70 adc 42=70 adc 43=18 adc 44=10 adc 47=08 "
        "adc 48=08 adc 49=ff adc 4a=ff adc 4b=00",
        "16000.0 True 0.0",
    ]


async def test_each_command_changes_its_own_registers(chips):
    lines = await chips(
        CODEC
        + """
async def main():
    codec = ES8311(i2c, line_in=True, volume=100)
    for call, argument in (
        (codec.set_volume, 90), (codec.set_volume, 90), (codec.set_microphone_gain, 34.7),
        (codec.set_microphone_gain, 99), (codec.mute, True), (codec.set_microphone_gain, 7),
        (codec.mute, False), (codec.line_to_headset, False), (codec.line_to_headset, True),
        (codec.power, "standby"), (codec.power, "on"),
    ):
        print(changed(call, argument))
"""
    )
    assert lines == [
        "32=ba", "", "adc 43=1c", "adc 43=1e", "adc 43=00", "", "adc 43=12", "44=08", "44=88",
        "0e=62 12=02 31=60 adc 4b=ff", "0e=02 12=00 31=00 adc 4b=00",
    ]  # fmt: skip


async def test_mute_is_one_write_and_the_caller_is_still_heard(chips):
    lines = await chips(
        CODEC
        + """
async def main():
    codec = ES8311(i2c, line_in=True)
    writes = []
    adc.watch = model.watch = lambda: writes.append(heard("adc_left", "microphone") > 0)
    codec.mute(True)
    print(writes, heard("adc_left", "microphone"))
    print(heard("headset", "line") > 0, heard("adc_right", "line"))
"""
    )
    assert lines == ["[True] 0.0", "True 1.0"]


async def test_the_line_or_the_tones_are_heard_and_no_microphone(chips):
    """The way from ADC to DAC is a switch; what the chip has no way for is refused."""
    lines = await chips(
        CODEC
        + """
async def main():
    codec = ES8311(i2c, volume=100, limit_db=-6)
    print(model.paths()["headset"])
    codec.line_to_headset(True)
    print(model.paths()["headset"])
    print(changed(fails, codec.set_sidetone, 30), codec.sidetone)
    print(changed(fails, codec.microphone_to_line, True), codec.line_out)
    codec.set_sidetone(0)
    codec.microphone_to_line(False)
    print(codec.absent)
"""
    )
    halved = "0.5011872"
    assert lines[0].count(halved) == lines[1].count(halved) == 1
    assert f"'dac': {halved}" in lines[0] and f"'line': {halved}" in lines[1]
    assert lines[2:] == [
        "codec: absent; this codec has no sidetone",
        " 0",
        "codec: absent; this codec has no output for the line",
        " False",
        "('set_sidetone', 'microphone_to_line', 'mix')",
    ]


@pytest.mark.parametrize("fault", ["nack", "stuck", "stretch"])
@pytest.mark.parametrize("chip", ["model", "adc"])
async def test_either_chip_that_fails_is_a_part_error(chips, chip, fault):
    lines = await chips(
        CODEC
        + f"""
async def main():
    codec = ES8311(i2c, line_in=True)
    {chip}.fault = {fault!r}
    fails(codec.start)
    fails(codec.power, "standby")
    fails(ES8311, i2c)
    print(codec.selftest(), codec.dump()["differs"])
    {chip}.fault = None
    codec.power("on")
    codec.start()
    print(codec.selftest(), heard("headset", "line") > 0, heard("adc_left", "microphone") > 0)
"""
    )
    told = "codec: no_answer; check its cable and its supply"
    assert lines == [told, told, told, "False None", "True True True"]


@pytest.mark.parametrize("chip", ["model", "adc"])
async def test_gone_at_any_write_of_start_and_back(chips, chip):
    lines = await chips(
        CODEC
        + f"""
async def main():
    codec = ES8311(i2c, limit_db=-8, line_in=True, volume=100)
    whole = model.paths()
    count = 0
    while True:
        {chip}.fault, {chip}.writes_left = "gone", count
        try:
            codec.start()
            break
        except PartError as error:
            count += 1
            assert error.code == "no_answer"
        assert sum(model.paths()["headset"].values()) <= 10 ** (-8 / 20)
        {chip}.fault = None
        codec.start()
        assert model.paths() == whole, count
    print(count > 20, model.paths() == whole)
"""
    )
    assert lines == ["True True"]


async def test_every_register_that_turned_is_found(chips):
    lines = await chips(
        CODEC
        + """
async def main():
    codec = ES8311(i2c, line_in=True)
    missed = []
    for start, chip, registers in ((0, model, codec.written), (0x100, adc, codec._adc.written)):
        for register in registers:
            chip.registers[register] ^= 0x10
            differs = codec.dump()["differs"]
            if codec.selftest() or differs != {start + register: chip.registers[register]}:
                missed.append(start + register)
            chip.registers[register] ^= 0x10
    print(len(codec.written), len(codec._adc.written), missed, codec.selftest())  # 0x0D: MCLK
"""
    )
    assert lines == ["32 29 [13] True"]


async def test_after_a_power_cut_start_sets_both_up(chips):
    lines = await chips(
        CODEC
        + """
async def main():
    codec = ES8311(i2c, line_in=True)
    before = model.paths()
    for state in ("on", "standby", "off"):
        codec.power(state)
        model.power()
        adc.power()
        print(codec.selftest(), end=" ")
        codec.start()
        print(codec.selftest(), codec.state, end=" ")
        codec.power("on")
        print(model.paths() == before)
"""
    )
    assert lines == [f"False True {state} True" for state in ("on", "standby", "off")]


@pytest.mark.parametrize("deaf", [False, True])
async def test_what_was_written_without_a_clock_is_written_again_with_it(chips, deaf):
    """MCLK stands while I2S is shut: the powers written then do nothing, and are no fault."""
    lines = await chips(
        CODEC
        + f"model.deaf = {deaf}"
        + """
runs = False
model.clock = lambda: runs
async def main():
    global runs
    codec = ES8311(i2c)
    print(model.registers[0x0D] != codec.written[0x0D], codec.selftest())
    runs = True
    print(heard("headset", "dac") > 0)
    codec.clocked()
    print(heard("headset", "dac") > 0, codec.selftest(), codec.needs_clock)
    model.fault = "no_mclk"
    print(heard("headset", "dac") > 0)
    print(ES8311(i2c, line_in=True).needs_clock)
"""
    )
    assert lines == [f"{deaf} True", "False", "True True False", "False", "True"]


@pytest.mark.parametrize("mclk_hz", [12_288_000, 16_384_000])
async def test_other_master_clocks(chips, mclk_hz):
    lines = await chips(
        CODEC
        + f"""
async def main():
    codec = ES8311(i2c, mclk_hz={mclk_hz})
    adc_clock = {mclk_hz} / (adc.registers[2] & 0x1F) * (1 + (adc.registers[2] >> 6 & 1))
    print(model.rate_hz({mclk_hz}), adc_clock / 512)
"""
    )
    assert lines == ["16000.0 16000.0"]
