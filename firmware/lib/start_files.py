"""The start files in the vfs become those that a good program carries, one by one: each is written
beside the old one and takes its name when it is all there, `main.py` last of them. So a cut leaves
each the old or the new, and the next start goes on. An older program leaves newer ones alone.

A program has them in the folder `start_files`; its `list` has their number, and the names in that
order.
"""

import os

from micropython import const

_FOLDER = "/start_files/"
_CHUNK = const(512)


def renew(program, log, root="/"):
    """Replace the next that is another; False when there is none."""
    carried = program.APP + _FOLDER
    try:
        with open(carried + "list", "rb") as file:
            number, *names = file.read().decode().split()
    except OSError:
        return False  # this program carries none
    if int(number) < program.START:
        return False
    for name in names:
        if not _same(carried + name, root + name):
            try:
                _replace(carried + name, root + name)
            except OSError as error:  # no room, as a rule: the old ones start as well
                log("start file {}: {}".format(name, error))
                return False
            log("start file {}: {}".format(name, number))
            return True
    return False


def _same(one, other):
    try:
        if os.stat(one)[6] != os.stat(other)[6]:
            return False
        with open(one, "rb") as first, open(other, "rb") as second:
            piece = b"-"
            while piece:
                piece = first.read(_CHUNK)
                if piece != second.read(_CHUNK):
                    return False
    except OSError:
        return False  # not there yet, or damaged
    return True


def _replace(source, target):
    with open(source, "rb") as old, open(target + ".new", "wb") as new:
        piece = old.read(_CHUNK)
        while piece:
            new.write(piece)
            piece = old.read(_CHUNK)
    # closed, littlefs has it on flash; os.sync() is for FAT alone
    os.rename(target + ".new", target)
