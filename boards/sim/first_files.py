"""What MicroPython does with its vfs before `boot.py`, as `_boot.py` and `inisetup.py` of its
esp32 port have it: mount it; make a new one where the flash is blank; else say without end that it
cannot, until a Ctrl-C leads to the prompt.
"""

import os
import sys
import time

import console
import vfs

_BLANK = b"\xff" * 4096
_SAYS = "The filesystem appears to be corrupted."  # and more, on five lines
_EVERY_S = 3


def mount(flash):
    """The partition as `/`."""
    vfs.umount("/")
    try:
        files = vfs.VfsLfs2(flash)
    except OSError:
        block = bytearray(len(_BLANK))
        flash.readblocks(0, block, 0)
        if block != _BLANK:
            _corrupted()
            return
        print("Performing initial setup")
        vfs.VfsLfs2.mkfs(flash)
        files = vfs.VfsLfs2(flash)
    vfs.mount(files, "/")
    os.chdir("/")


def _corrupted():
    console.kbd_intr(3)
    try:
        while True:
            print(_SAYS)
            time.sleep(_EVERY_S)
    except KeyboardInterrupt as error:
        sys.print_exception(error)
    console.kbd_intr(-1)
