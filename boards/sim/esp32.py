"""`esp32` of the simulated board: Partition on a file with the rules of NOR flash, and NVS.

The file belongs to the world, which applies the rules (a program only clears bits, an erase is by
sector, a cut leaves any prefix) and watches what gets written. Reads go straight to the file.
Where there is an otadata, the boot loader chooses between the app partitions as on the chip.
"""

import json

import manners
import memory
import otadata
import wire
from pins import stall

_SECTOR = 4096
_PAGE = 256
_WHOLE_MS = 5  # what reads and programming take is gathered until it is as much
reads = 0  # of any partition, since the start
_taken_us = 0  # by them, and not yet stood
_store = None  # VfsPosix over the chip's own folder
_table = []  # (label, type, subtype, address, size)
_ota = None  # the boot loader's data
_running = "factory"
_APPS = 0x10  # subtype of ota_0


def configure(store, table):
    """Set by the start script: where the flash files lie, and the partition table."""
    global _store
    _store = store
    _table[:] = table


def start_app():
    """The boot loader: what it starts of the app partitions, as `otadata.look` has it. Raises
    OSError when it finds none; None where the table has no otadata.
    """
    global _ota, _running
    for flash in Partition.find(Partition.TYPE_DATA, 0):
        _ota = otadata.OtaData(flash, len(_apps()))
        app = _ota.start(lambda app: otadata.look(_apps()[app]))
        if app is None:
            raise OSError("no bootable app partitions in the partition table")
        _running = "ota_%d" % app
        return otadata.look(Partition(_running))
    return None


def idf_heap_info(capabilities):
    return memory.regions(capabilities)


def take(us):
    """Reading or programming takes so long; handlers get their turn between two of them."""
    global _taken_us
    _taken_us += us
    if _taken_us >= 1000 * _WHOLE_MS:
        whole_ms, _taken_us = _taken_us // 1000, _taken_us % 1000
        wire.wait(wire.now() + whole_ms)


def _apps():
    return [Partition("ota_%d" % at) for at in range(len(Partition.find(Partition.TYPE_APP)))]


class Partition:
    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, id, block_size=_SECTOR):
        if isinstance(id, int):
            id = "ota_%d" % _ota.app if _ota and id == Partition.BOOT else _running
        for entry in _table:
            if entry[0] == id:
                self._entry = entry
                break
        else:
            raise OSError(2)
        self.block_size = block_size
        self._file = None

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None, block_size=_SECTOR):
        return [
            Partition(entry[0], block_size)
            for entry in _table
            if entry[1] == type
            and subtype in (0xFF, entry[2])
            and (label is None or entry[0] == label)
        ]

    def info(self):
        label, kind, subtype, address, size = self._entry
        return (kind, subtype, address, size, label, False)

    def readblocks(self, block_num, buf, offset=0):
        global reads
        reads += 1
        if self._file is None:
            self._file = _store.open("/" + self._entry[0] + ".bin", "rb")
        self._file.seek(block_num * self.block_size + offset)
        if self._file.readinto(buf) != len(buf):
            raise OSError(-0x105)  # ESP_ERR_NOT_FOUND: beyond the partition
        take(manners.read_us)

    def writeblocks(self, block_num, buf, offset=None):
        if offset is None:
            for block in range(block_num, block_num + len(buf) // self.block_size):
                self.ioctl(6, block)
            offset = 0
        self._spare()
        where = block_num * self.block_size + offset
        wire.flash("W %s %d %d" % (self._entry[0], where, len(buf)), buf)
        pages = (where + len(buf) - 1) // _PAGE - where // _PAGE + 1
        take(manners.program_us * pages)

    def ioctl(self, command, argument=0):
        if command == 4:
            return self._entry[4] // self.block_size
        if command == 5:
            return self.block_size
        if command == 6:
            self._spare()
            wire.flash("E %s %d" % (self._entry[0], argument * self.block_size))
            stall(manners.erase_ms, erase=True)
        return 0

    def _spare(self):
        """CONFIG_SPI_FLASH_DANGEROUS_WRITE_ABORTS: nobody writes to the app that runs."""
        if self._entry[0] == _running:
            wire.restart("hard")

    def get_next_update(self):
        if not _ota:
            raise OSError(2)  # one app partition in this table
        return Partition("ota_%d" % ((self._entry[2] - _APPS + 1) % len(_apps())))

    def set_boot(self):
        mine, running = otadata.look(self), otadata.look(Partition(_running))
        if self._entry[1] != Partition.TYPE_APP or not mine or mine[0] != running[0]:
            raise OSError(-5379)  # ESP_ERR_OTA_VALIDATE_FAILED
        _ota.select(self._entry[2] - _APPS)

    @staticmethod
    def mark_app_valid_cancel_rollback():
        _ota.confirm()


class NVS:
    """Integers and blobs; what is committed survives a cut, what is not is gone."""

    def __init__(self, namespace):
        self._path = "/nvs." + namespace + "."
        self._generation, self._values = 0, {}
        for side in "01":
            try:
                with _store.open(self._path + side, "r") as file:
                    generation, values = json.loads(file.read())
            except (OSError, ValueError):  # not there yet, or cut while it was written
                continue
            if generation > self._generation:
                self._generation, self._values = generation, values

    def _get(self, key, kind):
        value = self._values.get(key)
        if not isinstance(value, kind):
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
        return value

    def get_i32(self, key):
        return self._get(key, int)

    def set_i32(self, key, value):
        if not -0x80000000 <= value <= 0x7FFFFFFF:
            raise OverflowError("i32")
        self._values[key] = value

    def get_blob(self, key, buffer):
        value = bytes.fromhex(self._get(key, str))
        if len(value) > len(buffer):
            raise OSError(-0x110C, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(value)] = value
        return len(value)

    def set_blob(self, key, value):
        self._values[key] = bytes(value).hex()

    def erase_key(self, key):
        self._get(key, (int, str))
        del self._values[key]

    def commit(self):
        self._generation += 1
        with _store.open(self._path + str(self._generation & 1), "w") as file:
            file.write(json.dumps([self._generation, self._values]))
