"""Parts made from a board's table: real drivers on pins and buses that note."""

from drivers.keys import Keys
from drivers.lights import Lights
from drivers.ssd1306 import SSD1306
from lib.errors import PartError
from lib.parts import Parts

PINS = {"key1": 36, "key2": 13, "red": 21, "green": 22, "blue": 27}


class Bus:
    def __init__(self):
        self.written = []
        self.dead = False

    def writeto(self, address, data):
        if self.dead:
            raise OSError(19)
        self.written.append(address)


class Bench:
    def __init__(self, table):
        self.time = 0
        self.buses = []
        self.faults = []
        self.logged = []
        self.parts = Parts(table, PINS, self._bus)
        self.clock = self.serial = self
        self.log = self.logged.append
        self.parts.attach(self)

    def _bus(self, name):
        self.buses.append((name, Bus()))
        return self.buses[-1][1]

    def now(self):
        return self.time

    def fault(self, role, code):
        self.faults.append((role, code))


SCREENS = {
    "screen": ("ssd1306", "SSD1306", "i2c", (), {"address": 0x3D}),
    "second": ("ssd1306", "SSD1306", "i2c", (), {}),
}


def test_drivers_get_bus_gpios_and_options():
    parts = Bench(
        {
            "keys": ("keys", "Keys", None, ("key1", "key2"), {"long_keys": (2,)}),
            "lights": ("lights", "Lights", None, ("red", "green", "blue"), {}),
        }
    ).parts
    keys = parts.make("keys")
    assert isinstance(keys, Keys) and len(keys._pins) == 2 and keys._long_keys == (2,)
    lights = parts.make("lights")
    assert isinstance(lights, Lights) and parts.get("lights") is lights
    bench = Bench(SCREENS)
    assert isinstance(bench.parts.make("screen"), SSD1306)
    bench.parts.make("second")
    assert [name for name, _ in bench.buses] == ["i2c"]  # both hang on one
    assert set(bench.buses[0][1].written) == {0x3C, 0x3D}


def test_a_part_may_hang_on_another_part():
    bench = Bench(
        {
            "expander": ("keys", "Keys", None, ("key1",), {}),
            "lights": ("ssd1306", "SSD1306", "expander", (), {}),
        }
    )
    expander = bench.parts.make("expander")
    expander.writeto = lambda address, data: bench.logged.append(address)
    bench.parts.make("lights")
    assert bench.parts.get("expander") is expander
    assert bench.logged and bench.buses == []


def test_what_a_board_lacks_is_no_fault():
    bench = Bench({})
    assert not bench.parts.has("screen") and bench.parts.get("screen") is None
    bench.parts.use("screen", lambda device: bench.logged.append("used"))
    assert bench.faults == [] and bench.logged == []


def test_a_dead_part_is_told_and_tried_again_later():
    bench = Bench(SCREENS)
    used = []

    def show(device):
        device.show(bytearray(1024))
        used.append(device)

    bench.parts.use("screen", show)
    assert bench.faults == [("screen", None)]
    bench.buses[0][1].dead = True
    try:
        bench.parts.make("screen")
        raise AssertionError("no answer is an error")
    except PartError:
        pass
    bench.parts.use("screen", lambda device: device.contrast(1))
    assert bench.faults[-1] == ("screen", "no_answer") and bench.parts.get("screen") is None
    bench.buses[0][1].dead = False
    bench.parts.use("screen", show)
    assert len(used) == 1  # not yet
    bench.time = 10_000
    bench.parts.use("screen", show)
    assert bench.faults[-1] == ("screen", None) and used[1] is not used[0]
