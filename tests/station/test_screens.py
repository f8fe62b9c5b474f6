"""The three screen controllers: what arrives, how little is sent for it, and what goes wrong."""

import pytest

KINDS = ("ssd1306", "ssd1309", "sh1106")
FAULTS = ("nack", "stuck", "stretch")


def bench(kind: str) -> str:
    return f"""
import random
from models.{kind} import {kind.upper()} as Model
from drivers.{kind} import {kind.upper()} as Screen
model = Model()
model.ram[:] = b"\\xa5" * 1024
machine.attach(("i2c", 25, 26), 0x3C, model)
bus = machine.I2C(0, scl=Pin(25), sda=Pin(26))
screen = Screen(bus, address=0x3C)
"""


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_shown_arrives_and_only_what_differs_is_sent(chips, kind):
    lines = await chips(
        bench(kind)
        + """
async def main():
    print(model.ram == bytes(1024), model.on, model.refused, model.charge_pump)
    picture = bytearray(1024)
    random.seed(7)
    for _ in range(150):
        for _ in range(random.randint(0, 6)):
            picture[random.randint(0, 1023)] = random.randint(0, 255)
        screen.show(picture)
        if model.ram != picture:
            print("differs")
    before = model.written
    screen.show(picture)
    for at in (0, 127, 1023 - 127, 1023, 3 * 128 + 40):
        picture[at] ^= 0x81
        screen.show(picture)
    print(model.ram == picture, model.written - before, model.refused)
    screen.contrast(9)
    screen.power(False)
    print(model.contrast, model.on, screen.selftest(), screen.on)
    screen.power(True)
    screen.scroll(1)  # row 63 of the memory stands on top
    print(model.on, model.ram == picture, model.start_line)
"""
    )
    pump = kind != "ssd1309"  # that one has none
    assert lines == [f"True True 0 {pump}", "True 5 0", "9 False True False", "True True 63"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_bus_that_fails_is_told_and_a_lost_bit_is_sent_again(chips, kind):
    lines = await chips(
        bench(kind)
        + """
async def main():
    for fault in ("nack", "stuck", "stretch"):
        model.fault = fault
        for act in (lambda: screen.show(bytes([len(fault)]) * 1024), lambda: Screen(bus)):
            try:
                act()
            except Exception as error:
                print(fault, error.part, error.code, screen.selftest())
    model.fault = None
    again = Screen(bus)
    picture = bytes(range(256)) * 4
    model.fault = "bit"
    again.show(picture)
    model.fault = None
    again.show(picture)
    print(model.ram == picture)
    again.show(picture, True)
    print(model.ram == picture)
"""
    )
    told = [f"{fault} screen no_answer False" for fault in FAULTS for _ in "12"]
    assert lines == [*told, "False", "True"]
