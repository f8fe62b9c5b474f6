"""Entry of one simulated station: `micropython start.py BOARD CHIP VARIANT LINE FOLDER UID CAUSE
BUILD PSRAM`, or with `measure` after VARIANT: print what the board itself holds of the heap, and
end.

BOARD is the folder of the board's table, CHIP its chip and PSRAM as `chips.rules` takes them,
VARIANT which entry of VARIANTS was bought. BUILD: name of the stock image that runs where no app
partition says it, "" for the right one; PSRAM: 1, or 0 when it does not answer. Builds the
board, mounts the station's own files as `/`, and hands over to the real `boot.py` and
`main.py`.
"""

import builtin  # noqa: F401 - takes hold of the interpreter's own before ours are loaded

# isort: split
import builtins
import gc
import json
import os
import select  # noqa: F401 - loaded here, so that the firmware finds ours
import sys
import time  # noqa: F401
from collections import namedtuple

import console
import esp32
import files
import first_files
import heap
import machine
import memory
import network  # noqa: F401
import pins
import secure
import sockets
import stdin
import tasks
import threads
import vfs
import wire
import world_commands
from build_board import build_board

sys.modules["_asyncio"] = tasks
sys.modules["micropython"] = console
sys.modules["tls"] = secure
sys.modules["socket"] = sockets
sys.modules["_thread"] = threads

# as large as the world made their files; without slots the program lies among the files, without
# otadata MicroPython is what runs this
_PARTITIONS = [
    ("otadata", 1, 0x00, 0xD000),
    ("ota_0", 0, 0x10, 0x10000),
    ("ota_1", 0, 0x11, 0x190000),
    ("journal", 1, 0x40, 0x310000),
    ("slot_a", 1, 0x41, 0x390000),
    ("slot_b", 1, 0x42, 0x3F0000),
    ("vfs", 1, 0x82, 0x450000),
]
_Implementation = namedtuple("_Implementation", ("name", "version", "_machine", "_mpy", "_build"))


def build(folder, chip, variant):
    """{role: model} of the board whose table is in `folder`; the firmware finds the same table."""
    pins.chip = chip
    sys.path.insert(0, folder)
    import board

    sys.path.pop(0)
    wires = dict(board.PINS)
    wires.update(getattr(board, "VARIANTS", ({},))[variant])
    models = build_board(board, wires, as_built(folder))
    world_commands.serve(models)
    return models


def as_built(folder):
    """How this one differs from its table, where a test says so."""
    try:
        with open(folder + "/as_built.json") as file:
            return json.load(file)
    except OSError:
        return {}


def power(folder, identity, cause, chip, build, psram):
    """Give the chip its identity and its flash, and make its files the root.

    Returns the folder around them, which is the world's.
    """
    machine.configure(bytes.fromhex(identity), cause)
    flash = vfs.VfsPosix(folder)
    there = [name for name, *_ in flash.ilistdir("/")]
    table = [
        entry + (flash.stat("/" + entry[0] + ".bin")[6],)
        for entry in _PARTITIONS
        if entry[0] + ".bin" in there
    ]
    esp32.configure(flash, table)
    begin_app(esp32.start_app() or memory.stock(chip, build), chip, psram)
    littlefs = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="vfs")
    if littlefs:
        first_files.mount(littlefs[0])
    else:
        vfs.umount("/")
        vfs.mount(files.Files(folder + "/files"), "/")
        os.chdir("/")
    sys.path[:] = ["", "/lib", ".frozen"]
    return flash


class _Said:
    """A stream to the host: the world knows the time of what comes by it."""

    def __init__(self, stream):
        self._stream = stream
        if hasattr(stream, "buffer"):
            self.buffer = _Said(stream.buffer)

    def write(self, data):
        wire.land()
        return self._stream.write(data)

    def __getattr__(self, name):
        return getattr(self._stream, name)


class _Sys:
    """`sys` of the MicroPython that the boot loader started; all but what it says of itself, says
    at all and hears is this one's.
    """

    stdin = stdin.Stdin
    stdout = _Said(sys.stdout)

    @staticmethod
    def print_exception(*arguments):
        wire.land()
        sys.print_exception(*arguments)

    def __init__(self, version, build, chip):
        own = sys.implementation
        if version:
            version = tuple(int(number) for number in version.split(".")) + ("",)
        self.implementation = _Implementation(
            own.name,
            version or own.version,
            "Generic module with " + chip.partition(":")[0].upper(),
            own._mpy,
            build or "",
        )

    def __getattr__(self, name):
        return getattr(sys, name)


def begin_app(app, chip, psram):
    """Run as that app image says; what is no MicroPython ends at once, as after a panic."""
    _, version, build, drives = app
    if version is None:
        wire.restart("hard")
    memory.configure(chip, drives, psram)
    sys.modules["sys"] = _Sys(version, build, chip)


# ours in place of the chip's built-ins that can be extended (MP_REGISTER_EXTENSIBLE_MODULE)
_EXTENSIBLE = ("machine", "select", "time")


def look_for_built_ins():
    """As on the chip: an import of one of these looks for it in all file systems first, and does
    not keep it in `sys.modules`.
    """
    ours = {name: sys.modules.pop(name) for name in _EXTENSIBLE}
    load = builtins.__import__

    def find(name, *arguments):
        if name not in ours or name in sys.modules:
            return load(name, *arguments)
        for folder in sys.path:
            for end in ("", ".py", ".mpy"):
                try:
                    os.stat(folder + "/" + name + end)
                except OSError:
                    pass
        return ours[name]

    builtins.__import__ = find


def _print(*arguments, **options):
    wire.land()
    _own_print(*arguments, **options)


_own_print = print


def run(name):
    """Run a start file as the chip does: in `__main__`, its errors to the console."""
    try:
        with open("/" + name) as file:
            source = file.read()
    except OSError:
        return
    console.kbd_intr(3)
    try:
        exec(compile(source, name, "exec"), {"__name__": "__main__", "__file__": name})
    except (Exception, KeyboardInterrupt) as error:
        sys.print_exception(error)
    console.kbd_intr(-1)


def start(models, line, folder, identity, cause, build, psram):
    wire.open_line(int(line))
    flash = power(folder, identity, cause, sys.argv[2], build, psram == "1")
    if "audio" in models:
        models["audio"].files = flash
    builtins.print = _print
    memory.begin()
    sys.modules["gc"] = heap
    look_for_built_ins()
    run("boot.py")
    run("main.py")
    while True:  # the chip would now sit at its prompt
        wire.wait(None)


models = build(sys.argv[1], sys.argv[2], int(sys.argv[3]))
if sys.argv[4] == "measure":
    gc.collect()
    print(gc.mem_alloc())
else:
    start(models, *sys.argv[4:10])
