"""The ES8388's driver on the board's bus, with what goes wrong there; what it does to the sound is
in `test_sound.py`, and the interface in `tests/firmware/test_codecs.py`.
"""

import pytest

from tests.support.on_the_vm import FAILS

CODEC = (
    FAILS
    + """
from drivers.es8388 import ES8388
from models.es8388 import ES8388 as Model
model = Model()
machine.attach(("i2c", 22, 21), 0x10, model)
i2c = machine.I2C(0, scl=Pin(22), sda=Pin(21))
"""
)


async def test_self_test_compares_every_register(chips):
    lines = await chips(
        CODEC
        + """
async def main():
    codec = ES8388(i2c)
    print(codec.selftest(), sorted(codec.dump()))
    missed = []
    for register in range(0x35):
        if codec._shadow[register] or register in (0x02, 0x03, 0x08, 0x0F, 0x10, 0x19):
            model.registers[register] ^= 0x01
            if codec.selftest():
                missed.append(register)
            print(codec.dump()["differs"] == {register: model.registers[register]})
            model.registers[register] ^= 0x01
    print(missed, codec.selftest())
"""
    )
    assert lines[0] == (
        "True ['differs', 'limit_db', 'line_in', 'line_out', 'microphone_gain_db', 'muted', "
        "'registers', 'sidetone', 'state', 'volume', 'volume_db']"
    )
    assert lines[-1] == "[] True"
    assert set(lines[1:-1]) == {"True"} and len(lines) > 20


@pytest.mark.parametrize("fault", ["nack", "stuck", "stretch"])
async def test_a_chip_or_a_bus_that_fails_is_a_part_error(chips, fault):
    lines = await chips(
        CODEC
        + f"""
async def main():
    codec = ES8388(i2c, volume=40)
    model.fault = {fault!r}
    fails(codec.start)
    fails(codec.mute, True)
    fails(ES8388, i2c)
    print(codec.selftest(), codec.dump()["differs"])
    model.fault = None
    codec.start()
    print(codec.selftest(), codec.volume, model.paths()["line_out"]["microphone"])
"""
    )
    told = "codec: no_answer; check its cable and its supply"
    assert lines == [told, told, told, "False None", "True 40 0.0"]  # and still muted


async def test_gone_at_any_write_of_start_and_back(chips):
    lines = await chips(
        CODEC
        + """
async def main():
    codec = ES8388(i2c, limit_db=-8, volume=100, sidetone=100)
    whole = model.paths()
    count = 0
    while True:
        model.fault, model.writes_left = "gone", count
        try:
            codec.start()
            break
        except PartError:
            count += 1
        assert sum(model.paths()["headset"].values()) <= 10 ** (-8 / 20)
        model.fault = None
        codec.start()
        assert model.paths() == whole, count
    model.fault = None
    print(count > 30, codec.selftest())
"""
    )
    assert lines == ["True True"]


async def test_a_bus_held_low_is_a_fault_of_each_part_and_stops_nothing_else(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.station.ask({"do": "fault", "part": "codec", "kind": "stuck"})
        await bench.station.press(4, ms=900)  # volume
        await bench.event("station.fault", part="codec")
        await bench.event("station.fault", part="screen")
        await bench.ring("C-1")
        await bench.answer("C-1")
        await bench.keys(4, 4, 1)  # held, resumed, ended
        await bench.event("contact.ended", c="C-1")
        await bench.station.ask({"do": "fault", "part": "codec", "kind": None})
        for part in ("codec", "screen"):
            await bench.event("station.fault_cleared", part=part)
        faults = [event for event in bench.kinds() if event == "station.fault"]
        assert len(faults) <= 3  # badge reader, codec, screen: once each
