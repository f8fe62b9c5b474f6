"""Drivers at the level of registers and frames, inside MicroPython, over a bus that notes."""

import random

from drivers.es8388 import ES8388
from drivers.lights import Lights
from drivers.ssd1306 import SSD1306
from lib.errors import PartError
from machine import Pin


class Nack:
    """A bus on which nobody answers."""

    def writeto(self, address, data):
        raise OSError(19)

    def writeto_mem(self, address, register, data):
        raise OSError(19)

    readfrom_mem = writeto_mem


class Panel:
    """An SSD1306 reduced to its horizontal addressing."""

    def __init__(self):
        self.ram = bytearray(1024)
        self.data = 0
        self.commands = b""
        self._window = (0, 127, 0, 7)
        self._at = (0, 0)

    def writeto(self, address, data):
        assert address == 0x3C
        if data[0] == 0x00:
            self.commands += bytes(data[1:])
            if data[1] == 0x21 and data[4] == 0x22:
                self._window = (data[2], data[3], data[5], data[6])
                self._at = (data[2], data[5])
            return
        assert data[0] == 0x40
        left, right, _, last = self._window
        for byte in bytes(data[1:]):
            x, page = self._at
            assert page <= last
            self.ram[page * 128 + x] = byte
            self._at = (x + 1, page) if x < right else (left, page + 1)
        self.data += len(data) - 1


class Registers:
    def __init__(self):
        self.values = bytearray(64)

    def writeto_mem(self, address, register, data):
        assert address == 0x10
        self.values[register] = data[0]

    def readfrom_mem(self, address, register, count):
        return self.values[register : register + count]


def test_the_panel_shows_what_was_drawn():
    panel = Panel()
    panel.ram[:] = b"\xa5" * 1024
    screen = SSD1306(panel)
    assert panel.ram == bytes(1024)
    assert panel.commands[-1] == 0xAF
    picture = bytearray(1024)
    random.seed(7)
    for _ in range(200):
        for _ in range(random.randint(0, 6)):
            picture[random.randint(0, 1023)] = random.randint(0, 255)
        screen.show(picture)
        assert panel.ram == picture


def test_the_panel_is_sent_only_what_differs():
    panel = Panel()
    screen = SSD1306(panel)
    picture = bytearray(1024)
    screen.show(picture)
    assert panel.data == 1024
    picture[3 * 128 + 40] = 1
    picture[4 * 128 + 44] = 1
    screen.show(picture)
    assert panel.data == 1024 + 2 * 5
    assert screen.selftest()


def test_a_missing_chip_has_a_name():
    for make, part in ((SSD1306, "screen"), (ES8388, "codec")):
        try:
            make(Nack())
        except PartError as error:
            assert (error.part, error.code) == (part, "no_answer")
        else:
            raise AssertionError(part)


def test_the_codec_holds_volume_and_mute():
    chip = Registers()
    codec = ES8388(chip)
    assert chip.values[0x19] == 0x00 and chip.values[0x04] == 0x98
    codec.set_volume(105)
    assert (chip.values[0x2F], codec.volume, codec.volume_db) == (30, 100, -9)
    codec.set_volume(-1)
    assert (chip.values[0x2F], codec.volume, codec.volume_db) == (14, 0, -33)
    codec.mute(True)
    assert chip.values[0x0F] & 0x04
    codec.mute(False)
    assert not chip.values[0x0F] & 0x04
    assert codec.selftest()
    chip.values[0x03] ^= 1
    assert not codec.selftest()


def test_lights_touch_their_pins_when_needed():
    lights = Lights(1, 2, 3)
    lights.show((1, 0, 1))
    assert [Pin.made[gpio].level for gpio in (1, 2, 3)] == [1, 0, 1]
    assert lights.selftest()
    Pin.made[2].level = 1
    assert not lights.selftest()
