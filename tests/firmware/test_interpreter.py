"""MicroPython's own trailers at a start, where the boot loader goes back by itself and where it
was built without that.
"""

import importlib.util
import sys
import types
from pathlib import Path

import pytest
import slots
from slots import BAD, GOOD, STARTED, TOLD, TRIED, Slot

from tests.support.nor import Nor

MODEL = Path(__file__).resolve().parents[2] / "boards" / "sim" / "otadata.py"
NOW = "{}.{}.{}".format(*sys.implementation.version[:3])


class Reset(Exception):
    pass


class Nvs:
    """The chip's, where `fails` is not set."""

    def __init__(self, chip):
        if chip.fails:
            raise OSError(-0x1101, "ESP_ERR_NVS_NOT_INITIALIZED")
        self.values = chip.nvs

    def get_blob(self, key, buffer):
        if key not in self.values:
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
        value = self.values[key]
        buffer[: len(value)] = value
        return len(value)

    def set_blob(self, key, value):
        self.values[key] = bytes(value)

    def erase_key(self, key):
        if self.values.pop(key, None) is None:
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")

    def commit(self):
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
        self.nvs = {}
        self.fails = False  # NVS
        self.torn = ()  # apps that are not whole
        self.start()

    def start(self):
        self.running = self.ota.start(lambda app: True)

    def slot(self, app):
        return Slot(self.apps[app], "")

    def bring(self, sequence=2000, cut=False):
        """An update, all there, into the one that does not run; `cut` before it is marked so."""
        other = self.slot(1 - self.running)
        other.forget()
        other.seal(sequence, 4096, bytes(32), b"sim", NOW.encode())
        self.ota.select(1 - self.running)
        if not cut:
            other.mark(TRIED)
        self.start()

    def prove(self):
        """What was brought runs for the first time, and is told of."""
        slots.of_interpreter("passed", slots.of_interpreter("begin"))
        self.tell()

    def tell(self):
        """What the host hears: (sequence, whether it is good) of each that has news."""
        heard = []
        for slot in slots.of_interpreter("pair"):
            if slot.news:
                heard.append((slot.sequence, slot.has(GOOD)))
                slot.mark(TOLD)
        return heard


@pytest.fixture
def power(monkeypatch):
    """`power(rolls_back)`: a chip, with the `esp32` and `machine` of it."""

    def on(rolls_back):
        chip = Chip(rolls_back)

        class Partition:
            RUNNING = 1

            def __init__(self, _, app=None):
                self.app = chip.running if app is None else app
                self.nor = chip.apps[self.app]
                self.readblocks = self.nor.readblocks

            def writeblocks(self, *arguments):
                assert self.app != chip.running, "the ESP-IDF ends who writes where it runs"
                self.nor.writeblocks(*arguments)

            def ioctl(self, command, argument=0):
                assert command != 6 or self.app != chip.running
                return self.nor.ioctl(command, argument)

            def info(self):
                return (0, 16 + self.app, self.app)

            def get_next_update(self):
                return Partition(0, 1 - self.app)

            def set_boot(self):
                if self.app in chip.torn:
                    raise OSError(-5379)
                chip.ota.select(self.app)

            @staticmethod
            def mark_app_valid_cancel_rollback():
                if chip.confirmed:
                    raise chip.confirmed
                chip.ota.confirm()

        def reset():
            raise Reset

        esp32 = types.SimpleNamespace(Partition=Partition, NVS=lambda _: Nvs(chip))
        monkeypatch.setitem(sys.modules, "esp32", esp32)
        monkeypatch.setitem(sys.modules, "machine", types.SimpleNamespace(reset=reset))
        return chip

    return on


@pytest.fixture
def printed(monkeypatch):
    """The exceptions that a station prints; elsewhere here they are raised."""
    found = []
    monkeypatch.setattr(sys, "print_exception", found.append)
    return found


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
    assert chip.slot(1).has(BAD) and chip.slot(1).has(STARTED)
    assert chip.tell() == [(2000, False)] and chip.tell() == []
    chip.bring()  # the same once more: it has not started yet
    assert slots.of_interpreter("begin").sequence == 2000


@pytest.mark.parametrize("rolls_back", [True, False])
def test_starts_that_lose_their_power_are_forgiven_as_far_as_the_boot_loader_does(
    power, rolls_back
):
    chip = power(rolls_back)
    chip.bring()
    assert slots.of_interpreter("begin", False).has(STARTED)
    for _ in range(3):
        chip.start()
        fresh = slots.of_interpreter("begin", True)
        if rolls_back:  # at any reset
            assert chip.running == 0 and fresh is None
            return
        assert chip.running == 1 and fresh.sequence == 2000
    chip.start()
    with pytest.raises(Reset):
        slots.of_interpreter("begin", True)


def manifest(**more):
    return {"version": NOW, "chip": 0, "mpy": "6.3", "build": "B-SPIRAM", "psram": "quad"} | more


@pytest.mark.parametrize(
    ("runs", "psram", "fields", "reason"),
    [
        ("B-SPIRAM", 4 << 20, {}, None),
        ("B-SPIRAM", 4 << 20, {"psram": "none", "build": "B-OTA"}, "other_build"),
        ("B-SPIRAM", 4 << 20, {"psram": "octal", "build": "B-SPIRAM_OCT"}, "other_build"),
        ("B-OTA", 0, {}, None),  # what it lacks
        ("B-OTA", 0, {"psram": "none", "build": "B-OTA"}, "other_build"),
    ],
)
def test_a_micropython_of_another_build_is_refused(
    power, monkeypatch, runs, psram, fields, reason
):
    power(True)
    monkeypatch.setattr(slots, "build", lambda: runs)
    monkeypatch.setattr(slots, "psram", lambda: psram)
    monkeypatch.setattr(sys.implementation, "_mpy", 0x306, raising=False)
    found = slots.of_interpreter("unfit", manifest(**fields), 0)
    assert (found and found[0]) == reason


@pytest.mark.parametrize("error", [None, OSError(-261)], ids=["", "without_rollback"])
def test_what_proved_itself_stays(power, error):
    chip = power(error is None)
    chip.confirmed = error
    chip.bring()
    slots.of_interpreter("passed", slots.of_interpreter("begin"))
    assert chip.tell() == [(2000, True)]
    for _ in range(2):
        chip.start()
        assert chip.running == 1 and slots.of_interpreter("begin") is None
        assert chip.tell() == []


@pytest.mark.parametrize("rolls_back", [True, False])
def test_what_it_proved_is_known_when_the_next_one_fails(power, rolls_back):
    chip = power(rolls_back)
    chip.bring()
    chip.prove()
    chip.bring(3000)
    assert slots.of_interpreter("begin").sequence == 3000
    assert chip.slot(1).has(GOOD) and chip.slot(1).has(TOLD)
    chip.start()
    if not rolls_back:
        with pytest.raises(Reset):
            slots.of_interpreter("begin")
        chip.start()
    assert slots.of_interpreter("begin") is None and chip.running == 1
    assert chip.tell() == [(3000, False)]


def test_a_cut_before_it_counts_as_tried_takes_nothing_from_the_trial(power):
    chip = power(True)
    chip.bring(cut=True)
    assert slots.of_interpreter("begin").has(TRIED)
    chip.start()
    assert slots.of_interpreter("begin") is None and chip.slot(1).has(BAD)


def test_a_cut_before_it_counts_as_good_goes_back_for_good(power):
    """The boot loader has it for good, and what runs then is new to it."""
    chip = power(True)
    chip.bring()
    slots.of_interpreter("begin")
    chip.ota.confirm()
    chip.start()
    with pytest.raises(Reset):
        slots.of_interpreter("begin")
    for _ in range(2):
        chip.start()
        assert slots.of_interpreter("begin") is None and chip.running == 0
    assert chip.tell() == [(2000, False)]


@pytest.mark.parametrize("rolls_back", [True, False])
def test_where_nvs_does_not_open_nothing_is_tried(power, rolls_back, printed):
    chip = power(rolls_back)
    chip.fails = True
    chip.bring()
    assert slots.of_interpreter("begin") is None
    chip.start()
    assert slots.of_interpreter("begin") is None and chip.running == (0 if rolls_back else 1)


def test_where_nvs_opens_no_more_what_passed_does_not_count(power, printed):
    chip = power(True)
    chip.bring()
    running = slots.of_interpreter("begin")
    chip.fails = True
    slots.of_interpreter("passed", running)
    assert printed and not running.has(GOOD) and chip.tell() == []
    chip.fails = False
    chip.start()
    with pytest.raises(Reset):
        slots.of_interpreter("begin")


def test_an_nvs_that_was_erased_has_it_proved_once_more(power):
    chip = power(True)
    chip.bring()
    chip.prove()
    chip.nvs.clear()
    chip.start()
    chip.prove()
    chip.start()
    assert slots.of_interpreter("begin") is None and chip.running == 1
    chip.nvs.clear()
    chip.bring(3000)  # it comes before that
    assert slots.of_interpreter("begin").sequence == 3000
    assert not chip.slot(1).has(BAD) and chip.tell() == []


def test_what_a_cable_brought_forgets_the_marks_of_what_it_replaced(power):
    chip = power(True)
    chip.bring()
    chip.prove()
    for app in (0, 1):
        chip.slot(app).forget()
    chip.ota.select(0)
    chip.start()
    assert slots.of_interpreter("begin") is None and chip.running == 0
    chip.bring()
    assert slots.of_interpreter("begin").sequence == 2000


def test_what_has_nothing_to_go_back_to_has_nothing_to_prove(power, printed):
    chip = power(True)
    chip.bring()
    chip.prove()
    chip.nvs.clear()
    chip.torn = (0,)  # an update was on its way
    chip.start()
    assert slots.of_interpreter("begin")
    chip.start()
    assert slots.of_interpreter("begin") is None and chip.running == 1


def test_what_the_boot_loader_was_not_told_of_does_not_count_as_good(power):
    chip = power(True)
    chip.confirmed = OSError(-4098)
    chip.bring()
    running = slots.of_interpreter("begin")
    with pytest.raises(OSError, match="4098"):  # a station prints it and goes on
        slots.of_interpreter("passed", running)
    assert not running.has(GOOD)


def test_the_trailer_of_another_version_is_not_of_what_a_cable_brought_later(power):
    chip = power(True)
    chip.slot(0).seal(2000, 4096, bytes(32), b"sim", b"1.2.3")
    assert slots.of_interpreter("begin") is None
