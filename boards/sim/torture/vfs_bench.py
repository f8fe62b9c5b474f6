"""A vfs as a station has it, on MicroPython alone: its littlefs on NOR flash whose power is cut at
random bytes, or of which a block is damaged. `micropython vfs_bench.py FOLDER`.

FOLDER has `options.json`, `vfs.bin` and `configs.json`: the station's id and the commands of each
generation.
"""

import json
import os
import random
import sys

with open(sys.argv[1] + "/options.json") as file:
    options = json.load(file)
sys.path.insert(0, options["firmware"])

# isort: split
import vfs
from lib import checked
from lib.config_store import ConfigStore
from nor import SECTOR, Nor, PowerCut

START_FILES = options["start_files"]
_EIO = -5
_MOST = 30_000  # programmed bytes until a cut; a whole write takes fewer


class Flash:
    """To littlefs a cut is an error, so that it closes what is open."""

    dark = False

    def __init__(self, nor):
        self._nor = nor

    def readblocks(self, block, buf, offset=0):
        return _EIO if self.dark else self._nor.readblocks(block, buf, offset)

    def writeblocks(self, block, buf, offset=None):
        return self._until_cut(self._nor.writeblocks, block, buf, offset)

    def ioctl(self, command, argument=0):
        return self._until_cut(self._nor.ioctl, command, argument)

    def _until_cut(self, do, *arguments):
        if not self.dark:
            try:
                return do(*arguments)
            except PowerCut:
                self.dark = True
        return _EIO


def start(nor):
    """As a power-on finds it: the flash, and the store with what it loaded."""
    flash = Flash(nor)
    vfs.mount(vfs.VfsLfs2(flash), "/vfs")
    os.chdir("/vfs")
    store = ConfigStore(station, "/vfs/")
    return flash, store, store.load().generation


def end():
    os.chdir("/")
    vfs.umount("/vfs")


def write(nor, generation, budget):
    """Whether that one was written, or its power went meanwhile."""
    flash, store, before = start(nor)
    nor.budget = budget
    try:
        for command in configs[generation - 1]:
            done = store.add(dict(command, i=generation))
        assert done.generation == generation, "it was not taken"
    except OSError:
        if not flash.dark:
            raise
    finally:
        nor.budget = -1
        end()
    _, again, found = start(nor)
    end()
    assert found in (before, generation), "%d after %d, %d" % (found, before, generation)
    assert found == generation or flash.dark, "it is gone"
    assert not again.broken, "%d files are broken" % again.broken
    return not flash.dark


def cuts():
    """Each generation is written, but for two cuts before it."""
    cuts = 0
    for generation in range(1, len(configs) + 1):
        for _ in range(2):
            cuts += not write(nor, generation, random.randrange(_MOST))
        write(nor, generation, -1)
    return {"written": len(configs), "cuts": cuts}


def damage():
    """How it fares with each block damaged in turn, in several ways: what was said of each."""
    for generation in (1, 2):
        write(nor, generation, -1)
    start(nor)
    checked.write("prefs.json", {"a%03d" % number: {"volume": 75} for number in range(90)})
    checked.write("wifi.json", {"ssid": "Piso", "password": "x"})
    starts = {name: content(name) for name in START_FILES}
    end()
    whole = bytes(nor.image)
    found = []
    for block in range(nor.sectors):
        for way in (erased, zeroed, noisy, one_bit):
            nor.image[:] = whole
            way(nor.image, block * SECTOR)
            found.append([block, way.__name__, look(starts)])
    return {"found": found}


def erased(image, at):
    image[at : at + SECTOR] = b"\xff" * SECTOR


def zeroed(image, at):
    image[at : at + SECTOR] = bytes(SECTOR)


def noisy(image, at):
    for step in range(at, at + SECTOR):
        image[step] = random.getrandbits(8)


def one_bit(image, at):
    image[at + random.randrange(SECTOR)] ^= 1 << random.randrange(8)


def look(starts):
    """Raises what a station would crash with."""
    try:
        _, store, generation = start(nor)
    except OSError:
        return "not mounted"
    try:
        if any(content(name) != text for name, text in starts.items()):
            return "start file"
        damaged = store.broken
        try:
            checked.read("prefs.json")
        except checked.Damaged:
            damaged += 1
        assert generation in (1, 2) or damaged, "configuration %d, and nothing told" % generation
        done = None
        try:
            for command in configs[2]:
                done = store.add(dict(command, i=3))
        except OSError:
            return "not written"  # told as a fault
        assert done.generation == ConfigStore(station, "/vfs/").load().generation == 3
        return "told" if damaged else "%d" % generation
    finally:
        end()


def content(name):
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError:
        return None


random.seed(options["seed"])
with open(sys.argv[1] + "/configs.json") as file:
    station, configs = json.load(file)
with open(sys.argv[1] + "/vfs.bin", "rb") as file:
    nor = Nor(bytearray(file.read()))
print(json.dumps({"cuts": cuts, "damage": damage}[options["do"]]()))
