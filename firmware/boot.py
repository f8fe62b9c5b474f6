"""Runs before `main.py` on every start: how memory is kept, and which program runs. Drivers are
made, and the journal is mounted, by the program alone.
"""

import gc
import sys

import micropython

# a byte 3 is Ctrl-C, and in each packet of Improv too, which a browser sends while we start
micropython.kbd_intr(-1)

# Collect after every 16 KiB, not only when the heap is full: what stays would else lie scattered
# among what does not, and the few large pieces of later (a journal in memory, TLS) find no room.
gc.threshold(16_384)
try:
    import slots

    slots.begin()
except Exception as error:  # a new MicroPython, maybe, that cannot load these files
    sys.print_exception(error)
    import machine

    if machine.reset_cause() == machine.HARD_RESET:  # after power-on it ends at the prompt
        machine.reset()  # the boot loader goes back to the one before
