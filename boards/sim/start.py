"""Entry of one simulated station: `micropython start.py LINE FOLDER UID CAUSE [measure]`.

Solders the board together, mounts the station's own files as `/`, and hands over to the real
`boot.py` and `main.py`. With `measure` it prints what the board itself holds of the heap and ends.
"""

import builtin  # noqa: F401 - takes hold of the interpreter's own before ours are loaded

# isort: split
import builtins
import gc
import os
import select  # noqa: F401 - loaded here, so that the firmware finds ours
import sys
import time  # noqa: F401

import board
import esp32
import machine
import network  # noqa: F401
import secure
import tasks
import vfs
import wire
from parts.desfire import card
from parts.es8388 import ES8388
from parts.panel import Panel
from parts.pn532 import PN532
from parts.ssd1306 import SSD1306

sys.modules["_asyncio"] = tasks
sys.modules["tls"] = secure

_PARTITIONS = [("journal", 1, 0x40, 0x310000)]  # as large as the world made its file


def solder():
    """Put the models behind their buses and pins, and answer the world's commands with them."""
    pins = board.PINS
    bus = ("i2c", pins["i2c_scl"], pins["i2c_sda"])
    screen, codec, panel = SSD1306(), ES8388(), Panel(pins)
    reader = PN532(machine.net(pins["badge_irq"]))
    parts = {"screen": screen, "codec": codec, "badge_reader": reader}
    for name, model in parts.items():
        machine.attach(bus, board.PARTS[name][-1]["address"], model)

    def fault(command):
        parts[command["part"]].fault = command.get("kind")

    def dump(command):
        answer = {name: model.dump() for name, model in parts.items()}
        gc.collect()
        answer["modules"] = list(sys.modules)
        answer["heap"] = {"free": gc.mem_free(), "used": gc.mem_alloc()}
        answer["uptime_ms"] = wire.uptime()
        return answer

    wire.on("tap", lambda command: reader.tap(card(command)))
    wire.on("untap", lambda command: reader.untap())
    wire.on("press", lambda command: panel.press(command["key"], command.get("bounce", 0)))
    wire.on("release", lambda command: panel.release(command["key"], command.get("bounce", 0)))
    wire.on("plug", lambda command: panel.plug(True))
    wire.on("unplug", lambda command: panel.plug(False))
    wire.on("lights", lambda command: {"lights": panel.lights()})
    wire.on("screen", lambda command: {"on": screen.on, "ram": screen.ram.hex()})
    wire.on("fault", fault)
    wire.on("dump", dump)
    wire.on("imported", lambda command: {"modules": list(_imported)})


def power(folder, identity, cause):
    """Give the chip its identity and its flash, and make its files the root."""
    machine.configure(bytes.fromhex(identity), cause)
    flash = vfs.VfsPosix(folder)
    table = [entry + (flash.stat("/" + entry[0] + ".bin")[6],) for entry in _PARTITIONS]
    esp32.configure(flash, table)
    files = vfs.VfsPosix(folder + "/files")
    vfs.umount("/")
    vfs.mount(files, "/")
    os.chdir("/")
    sys.path[:] = ["", "/lib", ".frozen"]


_imported = set()  # modules of packages in memory at any time since the start


def note_imports():
    """Keep the names also of those that the firmware lets go of again."""
    load = builtins.__import__

    def note(*arguments):
        module = load(*arguments)
        _imported.update(name for name in sys.modules if "." in name)
        return module

    builtins.__import__ = note


def run(name):
    """Run a start file as the chip does: in `__main__`, its errors to the console."""
    try:
        with open("/" + name) as file:
            source = file.read()
    except OSError:
        return
    try:
        exec(compile(source, name, "exec"), {"__name__": "__main__", "__file__": name})
    except Exception as error:
        sys.print_exception(error)


def start(line, folder, identity, cause):
    wire.open_line(int(line))
    solder()
    power(folder, identity, cause)
    note_imports()
    run("boot.py")
    run("main.py")
    while True:  # the chip would now sit at its prompt
        wire.wait(None)


if sys.argv[-1] == "measure":
    solder()
    gc.collect()
    print(gc.mem_alloc())
else:
    start(*sys.argv[1:5])
