"""On the VM under callgrind, around `boards/sim/start.py`: what the firmware does is counted, what
the simulated board does is not.

`vm_count.py SIM BOARD CHIP VARIANT LINE FOLDER UID CAUSE`, SIM the folder of the simulated board.
Every call of the firmware into a module of the board goes through `re_sub_helper`, a function in C
that nothing else here uses: callgrind does not count while it is inside (`--toggle-collect`). What
the board calls back of the firmware, an interrupt's few lines, is not counted either. A mark ends
a part of the count: callgrind writes it out at `mp_cmath_phase`, likewise unused
(`--dump-before`). The VM collects nothing, so that no step pays for what another left.
Built-in modules that can be extended are looked for in the file systems at each import, as on the
chip, also those that the board has its own of.
"""

import sys

_SIM = sys.argv.pop(1)
sys.path[0] = _SIM

import builtin  # noqa: E402, F401 - first of all, as in `start.py`

# isort: split
import builtins  # noqa: E402
import cmath  # noqa: E402
import gc  # noqa: E402
import hashlib  # noqa: E402
import re  # noqa: E402
import select  # noqa: E402
import time  # noqa: E402

import analog  # noqa: E402
import buses  # noqa: E402
import console  # noqa: E402
import esp32  # noqa: E402
import machine  # noqa: E402
import network  # noqa: E402
import pins  # noqa: E402
import secure  # noqa: E402
import streams  # noqa: E402
import tasks  # noqa: E402
import wire  # noqa: E402

gc.disable()

# what `start.py` does to imports, that of the older program too: here `importing` does it
_ASIDE = ("    look_for_built_ins()\n", "    note_imports()\n")
_TIMES = 1000  # calls of nothing, to know what the way there costs
_PIECE = 64  # bytes that the ESP32's flash controller reads at a time
_HEAP = 4_000_000
_ROUNDS = 1999  # SHA-256 of a PIN's check before the last

_over = re.compile("x").sub
_load = builtins.__import__
_inside = False  # the board's own code runs
_call = _read = _result = None
_tally = {
    "calls": 0,
    "imports": 0,
    "collections": 0,
    "measures": 0,
    "slot": 0,
    "vfs": 0,
    "journal": 0,
    "beyond": 0,
}
_marks = []  # (name, ms since power came, tally since the one before)
# places where the firmware comes by that end a part; first of all those of a start
_wanted = {"boot.py", "main.py", "unique_id", "reset_cause", "collect", "hello", "ready"}


def mark(name):
    _marks.append((name, wire.uptime(), dict(_tally)))
    for key in _tally:
        _tally[key] = 0
    cmath.phase(1j)


def note(name):
    if name in _wanted:
        mark(name)


def _go(match):
    global _inside, _result
    _tally["calls"] += 1
    function, arguments, options = _call
    _inside = True
    try:
        _result = function(*arguments, **options)
    finally:
        _inside = False
    return ""


def fenced(function):
    """A function of the board as the firmware calls it."""

    def way(*arguments, **options):
        global _call
        if _inside:
            return function(*arguments, **options)
        _call = (function, arguments, options)
        _over(_go, "x")
        return _result

    return way


def fenced_read(function):
    """`Partition.readblocks`, of which a start has thousands: a shorter way."""

    def go(match):
        global _inside
        label = _read[0].info()[4]
        _tally["slot" if label[:4] == "slot" else label] += 1
        _tally["beyond"] += max(0, (len(_read[2]) + _PIECE - 1) // _PIECE - 2)
        _inside = True
        try:
            function(*_read)
        finally:
            _inside = False
        return ""

    def way(flash, block, buffer, offset=0):
        global _read
        if _inside:
            return function(flash, block, buffer, offset)
        _read = (flash, block, buffer, offset)
        _over(go, "x")

    return way


_FUNCTIONS = (type(fenced), type(fenced(fenced)))  # one in a function is a closure
_classes = [esp32.Partition]


def fence(space):
    """All functions of a module or class of the board, and of a module's classes."""
    for name, thing in list(space.__dict__.items()):
        if isinstance(thing, _FUNCTIONS):
            setattr(space, name, fenced(thing))
        elif isinstance(thing, staticmethod):
            setattr(space, name, staticmethod(fenced(getattr(space, name))))
        elif isinstance(thing, type) and hasattr(thing, "__dict__") and thing not in _classes:
            _classes.append(thing)
            fence(thing)


def noted(owner, name, place, after=""):
    """`owner.name`, that sets a mark `place(its arguments)` when it is called and one `after`
    when it returns, where they are wanted.
    """
    function = getattr(owner, name)

    def come_by(*arguments, **options):
        note(place(arguments))
        result = function(*arguments, **options)
        note(after)
        return result

    setattr(owner, name, come_by)


def importing(name, *more):
    """`import` for the firmware: it looks for what it would look for on the chip."""
    if _inside:
        return _own.get(name) or _load(name, *more)
    _tally["imports"] += 1
    if name not in sys.modules:
        note(name)
    try:
        found = _load(name, *more)
    except ImportError:  # one that this VM itself has not
        if name not in _own:
            raise
    if name in _own:
        return _own[name]
    if name in _PLACES and name not in _seen:
        _seen.add(name)
        for owner, function, place, after in _PLACES[name]:
            noted(getattr(found, owner), function, place, after)
    return found


def _hello(arguments):
    return "hello" if b'"hello"' in bytes(arguments[1][:16]) else ""


def _ready(arguments):
    return "ready" if arguments[1][:6] == "ready," else ""


def _nowhere(arguments):
    return ""


# in modules of the firmware
_PLACES = {
    "drivers.usb_serial": (
        ("UsbSerial", "write", _hello, ""),
        ("UsbSerial", "log", _ready, ""),
    ),
    "lib.screens": (("Screen", "draw", _nowhere, "drawn"),),
}


class Memory:
    """`gc` for the firmware: nothing is collected, but how often it would be is known, and how
    often what is in use is counted.
    """

    def collect(self):
        _tally["collections"] += 1
        note("collect")

    def mem_free(self):
        note("mem_free")
        _tally["measures"] += 1
        return _HEAP - self.mem_alloc()

    def mem_alloc(self):
        _tally["measures"] += 1
        return 0

    def threshold(self, size=-1):
        return -1

    def isenabled(self):
        return False

    def enable(self):
        pass

    def disable(self):
        pass


class Hashes:
    """`hashlib` for the firmware, which ends a part before and after the rounds of a PIN."""

    rounds = 0

    def sha256(self, data=b""):
        if "rounds" in _wanted:
            if self.rounds in (0, _ROUNDS):
                mark("PBKDF2" if self.rounds else "rounds")
            self.rounds += 1
        return hashlib.sha256(data)


def begin(command):
    """Of the world: the part that ends here, and the places that end the next ones."""
    _wanted.clear()
    _wanted.update(command["at"])
    Hashes.rounds = 0
    mark(command["name"])


def weigh():
    """What the way into the board costs, a read's and any other's, and an import's; and a search
    among the names of the board, which stand in one table with those of the firmware.
    """
    nothing, no_read = fenced(lambda: None), fenced_read(lambda *arguments: None)
    flash = esp32.Partition("journal")
    mark("before")
    for _ in range(_TIMES):
        b"no such name".decode()
    mark("names")
    for _ in range(_TIMES):
        nothing()
    mark("calls")
    for _ in range(_TIMES):
        no_read(flash, 0, b"", 0)
    mark("reads")
    for _ in range(_TIMES):
        importing("gc", None, None, None, 0)
    mark("imports")
    for _ in range(_TIMES):
        _load("gc", None, None, None, 0)
    mark("loads")
    for _ in range(_TIMES):
        pass
    mark("loop")


def _start_file(arguments):
    """MicroPython lets byte 3 interrupt before each of the two; there the firmware begins."""
    global _inside
    if arguments != (3,):
        return ""
    _inside = False
    return next(_files, "")


_files = iter(("boot.py", "main.py"))
for _owner, _name, _place in (
    (machine, "unique_id", lambda arguments: "unique_id"),
    (machine, "reset_cause", lambda arguments: "reset_cause"),
    (machine, "bitstream", lambda arguments: "light"),
    (console, "kbd_intr", _start_file),
    (select.poll, "ipoll", lambda arguments: "idle" if arguments[1:] != (0,) else ""),
):
    noted(_owner, _name, _place)
_readblocks = esp32.Partition.readblocks
fence(esp32.Partition)
esp32.Partition.readblocks = fenced_read(_readblocks)
for _module in (
    analog, buses, console, esp32, machine, network, pins, secure, select, streams, tasks, time,
):  # fmt: skip
    fence(_module)
fence(Memory)
_seen = set()
_own = {"machine": machine, "network": network, "time": time, "select": select}
_own["hashlib"] = Hashes()
for _name in _own:
    sys.modules.pop(_name, None)
_own["gc"] = Memory()
builtins.__import__ = importing
wire.on("begin", begin)
wire.on("marks", lambda command: {"marks": _marks})
esp32.configure(None, [("journal", 1, 0x40, 0, 0)])
weigh()
_inside = True
_path = _SIM + "/start.py"
with open(_path) as _file:  # noqa: PTH123
    _source = _file.read()
for _line in _ASIDE:
    _source = _source.replace(_line, "")
exec(compile(_source, _path, "exec"), {"__name__": "__main__"})
