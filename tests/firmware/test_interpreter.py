"""MicroPython's own trailers at a start, where the boot loader goes back by itself and where it
was built without that.
"""

import importlib.util
import sys
import types
from pathlib import Path

import pytest
import slots
from nor import Nor
from slots import BAD, GOOD, STARTED, TRIED, Slot

MODEL = Path(__file__).resolve().parents[2] / "boards" / "sim" / "otadata.py"
NOW = "{}.{}.{}".format(*sys.implementation.version[:3])


class Reset(Exception):
    pass


class Chip:
    """Two app partitions that the boot loader takes for whole, `ota_0` running from a cable."""

    def __init__(self, rolls_back):
        spec = importlib.util.spec_from_file_location("otadata", MODEL)
        model = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(model)
        self.ota = model.OtaData(Nor(2), 2, rolls_back)
        self.apps = [Nor(4), Nor(4)]
        self.confirmed = None  # or what marking it valid ends with
        self.start()

    def start(self):
        self.running = self.ota.start(lambda app: True)

    def slot(self, app):
        return Slot(self.apps[app], "")

    def bring(self):
        """An update, all there, into the one that does not run."""
        other = self.slot(1 - self.running)
        other.seal(2000, 4096, bytes(32), b"sim", NOW.encode())
        self.ota.select(1 - self.running)
        other.mark(TRIED)
        self.start()


@pytest.fixture
def power(monkeypatch):
    """`power(rolls_back)`: a chip, with the `esp32` and `machine` of it."""

    def on(rolls_back):
        chip = Chip(rolls_back)

        class Partition:
            RUNNING = 1

            def __init__(self, _, app=None):
                self.app = chip.running if app is None else app
                nor = chip.apps[self.app]
                self.readblocks, self.writeblocks = nor.readblocks, nor.writeblocks
                self.ioctl = nor.ioctl

            def info(self):
                return (0, 16 + self.app, self.app)

            def get_next_update(self):
                return Partition(0, 1 - self.app)

            def set_boot(self):
                chip.ota.select(self.app)

            @staticmethod
            def mark_app_valid_cancel_rollback():
                if chip.confirmed:
                    raise chip.confirmed
                chip.ota.confirm()

        def reset():
            raise Reset

        monkeypatch.setitem(sys.modules, "esp32", types.SimpleNamespace(Partition=Partition))
        monkeypatch.setitem(sys.modules, "machine", types.SimpleNamespace(reset=reset))
        return chip

    return on


def test_what_came_by_cable_has_nothing_to_prove(power):
    power(True)
    assert slots.of_interpreter("begin") is None


@pytest.mark.parametrize("rolls_back", [True, False])
def test_what_did_not_prove_itself_is_gone_back_from_at_the_next_start(power, rolls_back):
    chip = power(rolls_back)
    chip.bring()
    assert chip.running == 1
    assert slots.of_interpreter("begin").has(STARTED)
    chip.start()
    if not rolls_back:  # the boot loader starts it again, and it is here that it goes back
        assert chip.running == 1
        with pytest.raises(Reset):
            slots.of_interpreter("begin")
        chip.start()
    assert chip.running == 0
    assert slots.of_interpreter("begin") is None
    assert chip.slot(1).has(BAD) and chip.slot(1).news


@pytest.mark.parametrize("error", [None, OSError(-261)], ids=["", "without_rollback"])
def test_what_proved_itself_stays(power, error):
    chip = power(error is None)
    chip.confirmed = error
    chip.bring()
    slots.of_interpreter("passed", slots.of_interpreter("begin"))
    assert chip.slot(1).has(GOOD)
    for _ in range(2):
        chip.start()
        assert chip.running == 1 and slots.of_interpreter("begin") is None


def test_what_the_boot_loader_was_not_told_of_does_not_count_as_good(power):
    chip = power(True)
    chip.confirmed = OSError(-4098)
    chip.bring()
    running = slots.of_interpreter("begin")
    with pytest.raises(OSError, match="4098"):  # a station prints it and goes on
        slots.of_interpreter("passed", running)
    assert not chip.slot(1).has(GOOD)


def test_the_trailer_of_another_version_is_not_of_what_a_cable_brought_later(power):
    chip = power(True)
    chip.slot(0).seal(2000, 4096, bytes(32), b"sim", b"1.2.3")
    assert slots.of_interpreter("begin") is None
