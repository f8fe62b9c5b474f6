"""A vfs in the update's bench, on MicroPython alone: the littlefs of the real thing on the bench's
flash, with the configuration and the key of updates that it brings, and start files, in place of
which a good program puts its own.
"""

import json
import os
import sys

import chip
import update
import vfs
from lib.config_store import ConfigStore
from lib.start_files import renew
from nor import PowerCut
from truth import Wrong

with open(sys.argv[1] + "/options.json") as file:
    _options = json.load(file)
_DAY, _CUT = "/day", "/cut"
with open(sys.argv[1] + "/configs.json") as file:
    _station, _configs = json.load(file)  # a list of (update_key, commands)


APP = sys.argv[1]  # as the program's slot it has the start files that come
with open(APP + "/start_files/list") as file:
    _names = file.read().split()[1:]


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
    """Remounts littlefs after a simulated cut and checks that fsynced files survived."""

    def __init__(self, nor, truth):
        folder = _DAY if nor.watch else _CUT  # the day's own may be at work just now
        if folder in _mounted:
            vfs.umount(folder)
        self._flash = _Flash(nor, chip.FILES_AT, _options["files"])
        self._flash.day = folder == _DAY
        vfs.mount(vfs.VfsLfs2(self._flash), folder)
        _mounted.add(folder)
        os.chdir(folder)
        self._store = ConfigStore(_station, folder + "/")
        self.generation = self._lit(self._store.load).generation
        events = sum(b'"station.config"' in event for event in truth.events)
        if not events <= self.generation <= events + 1:
            raise Wrong("configuration %d after %d" % (self.generation, events))
        self._look()
        self._starts(folder)

    def _starts(self, folder):
        """Whether all start files are the new ones; each is one or the other, `main.py` last."""
        new = []
        for name in _names:
            found = self._lit(_read, folder + "/" + name)
            new.append(found == _read(APP + "/start_files/" + name))
            if not new[-1] and found != _read(APP + "/before/" + name):
                raise Wrong("half a start file: " + name)
        if new[-1] and not all(new):
            raise Wrong("the last start file came before others")
        return all(new)

    def renew(self, station):
        """As the supervisor does it, one by one."""
        folder = _DAY if self._flash.day else _CUT
        while self._lit(renew, station.program, _failed, folder + "/"):
            pass
        if not self._starts(folder):
            raise Wrong("the start files did not come")

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


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _failed(text):
    if "OSError" in text or "ENOSPC" in text:
        raise Wrong(text)
