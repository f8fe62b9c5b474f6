"""Runs before `main.py` on every start, and chooses which program runs. Drivers are made, and the
journal is mounted, by the program alone.
"""

import micropython

# a byte 3 is Ctrl-C, and in each packet of Improv too, which a browser sends while we start; the
# search for `machine` takes 2 ms
micropython.kbd_intr(-1)

import sys  # noqa: E402

import machine  # noqa: E402

machine.freq(240_000_000)  # stock builds start at 160

# Built-ins that can be extended are looked for in all file systems at each import, and these alone
# are never kept: here they are, once and for all, before there is a file system to look in.
path = sys.path[:]
sys.path[:] = [".frozen"]
for name in (
    "array", "asyncio", "binascii", "collections", "cryptolib", "errno", "hashlib", "io", "json",
    "machine", "network", "os", "random", "re", "select", "socket", "ssl", "struct", "time",
):  # fmt: skip
    try:
        sys.modules[name] = __import__(name)
    except ImportError:
        pass  # another MicroPython has fewer
sys.path[:] = path

try:
    import slots

    slots.begin()
except Exception as error:  # a new MicroPython, maybe, that cannot load these files
    sys.print_exception(error)
    if machine.reset_cause() == machine.HARD_RESET:  # after power-on it ends at the prompt
        machine.reset()  # the boot loader goes back to the one before
