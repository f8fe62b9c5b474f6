"""Configurations written into a vfs as a station has it, on MicroPython alone: its littlefs on NOR
flash whose power is cut at random bytes. `micropython vfs_bench.py FOLDER OPTIONS`.

FOLDER has `vfs.bin` and `configs.json`: the station's id and the commands of each generation.
"""

import json
import os
import random
import sys

options = json.loads(sys.argv[2])
sys.path[:0] = [options["firmware"], options["torture"]]

# isort: split
import vfs  # noqa: E402
from lib.config_store import ConfigStore  # noqa: E402
from nor import Nor, PowerCut  # noqa: E402

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


random.seed(options["seed"])
with open(sys.argv[1] + "/configs.json") as file:
    station, configs = json.load(file)
with open(sys.argv[1] + "/vfs.bin", "rb") as file:
    nor = Nor(bytearray(file.read()))
cuts = 0
for generation in range(1, len(configs) + 1):
    for _ in range(2):
        cuts += not write(nor, generation, random.randrange(_MOST))
    write(nor, generation, -1)
print(json.dumps({"written": len(configs), "cuts": cuts, "most_erases": max(nor.erases)}))
