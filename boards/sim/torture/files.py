"""A vfs in the update's bench, on MicroPython alone: the littlefs of the real thing on the bench's
flash, with the configuration and the key of updates that it brings.
"""

import json
import os
import sys

import chip
import update
import vfs
from lib.config_store import ConfigStore
from nor import PowerCut
from truth import Wrong

_options = json.loads(sys.argv[2])
_DAY, _CUT = "/day", "/cut"
with open(sys.argv[1] + "/configs.json") as file:
    _station, _configs = json.load(file)  # a list of (update_key, commands)


def go_back():
    """To the files of the day, after those of a cut."""
    if _DAY in _mounted:
        os.chdir(_DAY)


_EIO = -5
_mounted = set()


class _Flash(chip.Part):
    """To littlefs a cut is an error, so that it closes what is open; who asked it for something
    looks whether it is `dark`.
    """

    dark = False

    def readblocks(self, block, buf, offset=0):
        return _EIO if self.dark else chip.Part.readblocks(self, block, buf, offset)

    def writeblocks(self, block, buf, offset=None):
        return self._until_cut(chip.Part.writeblocks, block, buf, offset)

    def ioctl(self, command, argument=0):
        return self._until_cut(chip.Part.ioctl, command, argument)

    def _until_cut(self, do, *arguments):
        if not self.dark:
            try:
                return do(self, *arguments)
            except PowerCut:
                self.dark = True
        return _EIO


class Files:
    """Mounted at a start; what was told to be there has to be."""

    def __init__(self, nor, truth):
        folder = _DAY if nor.watch else _CUT  # the day's own may be at work just now
        if folder in _mounted:
            vfs.umount(folder)
        self._flash = _Flash(nor, chip.FILES_AT, _options["files"])
        vfs.mount(vfs.VfsLfs2(self._flash), folder)
        _mounted.add(folder)
        os.chdir(folder)
        self._store = ConfigStore(_station, folder + "/")
        self.generation = self._lit(self._store.load).generation
        told = sum(b'"station.config"' in event for event in truth.events)
        if not told <= self.generation <= told + 1:
            raise Wrong("configuration %d after %d" % (self.generation, told))
        self._look()

    def _lit(self, do, *arguments):
        try:
            return do(*arguments)
        except OSError:
            if not self._flash.dark:
                raise
        finally:
            if self._flash.dark:
                raise PowerCut

    def take(self, station):
        """The configurations that are to come."""
        for generation in range(self.generation + 1, len(_configs) + 1):
            for command in _configs[generation - 1][1]:
                self._lit(self._store.add, dict(command, i=generation))
            self.generation = generation
            self._look()
            station.record({"k": "station.config", "generation": generation}, 0)

    def _look(self):
        if self.generation and update.kept_key() != update.a2b_base64(
            _configs[self.generation - 1][0]
        ):
            raise Wrong("another key than configuration %d has" % self.generation)
