"""What a chip is to the update's bench: its flash in partitions, `machine`, `esp32`, and the boot
loader, which starts one of two MicroPythons where the batch has them. On both interpreters.
"""

import json
import sys

from nor import PowerCut, Violation
from nvs import Nvs

SECTOR = 4096
DEAD, BAD = "1.29.0", "1.30.0"  # versions that never come up, and that fail the station's test
with open(sys.argv[1] + "/options.json") as file:
    _options = json.load(file)
_model = {}
with open(__file__.rsplit("/", 2)[0] + "/otadata.py") as file:
    exec(file.read(), _model)  # its folder has a `time` and a `select` of its own
_nor = None  # of the chip that has power
_running = 0
_cause = 0
_MPY = 0x306
ENTRY = 32  # bytes, of otadata


class Restart(Exception):
    pass


class Part:
    """A partition of the one flash."""

    def __init__(self, nor, first, sectors):
        self._nor, self._first, self._sectors = nor, first, sectors

    def readblocks(self, block, buf, offset=0):
        at = block * SECTOR + offset
        self._nor.readblocks(self._first + at // SECTOR, buf, at % SECTOR)

    def writeblocks(self, block, buf, offset=None):
        self._nor.writeblocks(self._first + block, buf, offset)

    def ioctl(self, command, argument=0):
        if command == 4:
            return self._sectors
        if command == 6:
            return self._nor.ioctl(6, self._first + argument)
        return self._nor.ioctl(command, argument)


class _Otadata(Part):
    def ioctl(self, command, argument=0):
        before = bytearray(ENTRY)
        self.readblocks(argument, before, 0)
        try:
            return Part.ioctl(self, command, argument)
        except PowerCut:
            keep_entry(self._nor.image, (self._first + argument) * SECTOR, before)
            raise


def keep_entry(image, at, before):
    """The ESP-IDF counts on it that an entry is not erased in its state alone: the CRC is of the
    sequence. Its few bytes lie in one row of the chip, which is erased as one.
    """
    entry = image[at : at + ENTRY]
    if entry[:4] == before[:4] and entry[-4:] == before[-4:]:
        image[at : at + ENTRY] = before


_OTADATA_AT = _options["journal"] + 2 * _options["slot"]  # sector


_NVS_AT = _OTADATA_AT + (2 + 2 * _options["app"] if _options["app"] else 0)
FILES_AT = _NVS_AT + 2


def of_otadata(sector):
    return _options["app"] and _OTADATA_AT <= sector < _OTADATA_AT + 2


def _app(number):
    return Part(_nor, _OTADATA_AT + 2 + number * _options["app"], _options["app"])


def _ota():
    return _model["OtaData"](_Otadata(_nor, _OTADATA_AT, 2))


def power_on(nor, restarted):
    """The version of the MicroPython that runs now. Restart: of one that never comes up."""
    global _nor, _running, _cause
    _nor, _cause = nor, _Machine.HARD_RESET if restarted else _Machine.PWRON_RESET
    if not _options["app"]:
        return None
    _running = _ota().start(lambda app: _model["look"](_app(app)))
    if _running is None:
        raise RuntimeError("the boot loader starts nothing")
    version = _model["look"](_app(_running))[1]
    if version is None:
        raise Restart
    _sys.implementation.version = tuple(int(number) for number in version.split(".")) + ("",)
    return version


def powered():
    return _nor, _running, _cause, _sys.implementation.version


def power_again(state):
    """After another chip of the bench had its turn."""
    global _nor, _running, _cause
    _nor, _running, _cause, _sys.implementation.version = state


class Partition:
    """Of `esp32`."""

    RUNNING = 1

    def __init__(self, number):
        if not _options["app"]:
            raise OSError(2)
        self._number = _running if number == Partition.RUNNING else number - 2
        self._part = part = _app(self._number)
        self.readblocks, self.ioctl = part.readblocks, part.ioctl
        self.writeblocks = part.writeblocks
        if self._number == _running:
            self.writeblocks, self.ioctl = self._abort, self._look

    def _abort(self, *_):
        raise Violation("a write to the app partition that runs")  # the ESP-IDF ends the program

    def _look(self, command, argument=0):
        return self._abort() if command == 6 else self._part.ioctl(command, argument)

    def info(self):
        return (0, 0x10 + self._number, self._number)

    def get_next_update(self):
        return Partition(2 + (1 - self._number))

    def set_boot(self):
        if not _model["look"](self):
            raise OSError(-5379)
        _ota().select(self._number)

    @staticmethod
    def mark_app_valid_cancel_rollback():
        _ota().confirm()


class _Implementation:
    name = sys.implementation.name
    version = (1, 28, 0, "")
    _mpy = _MPY
    _build = "ESP32_GENERIC-SPIRAM"


class _Sys:
    implementation = _Implementation()

    def __init__(self, own):
        self._own = own

    def __getattr__(self, name):
        return getattr(self._own, name)

    def print_exception(self, error, file=None):
        if file:
            file.write("%s: %s\n" % (type(error).__name__, error))


class _Machine:
    PWRON_RESET, HARD_RESET = 1, 2

    @staticmethod
    def reset_cause():
        return _cause

    @staticmethod
    def reset():
        raise Restart


class _Esp32:
    Partition = Partition

    @staticmethod
    def idf_heap_info(capabilities):
        return [(4 << 20, 0, 0, 0)]

    @staticmethod
    def NVS(namespace):
        return Nvs(Part(_nor, _NVS_AT, 2))


_sys = _Sys(sys)
sys.modules["sys"] = _sys
sys.modules["machine"] = _Machine
sys.modules["esp32"] = _Esp32
