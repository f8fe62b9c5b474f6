"""Runs before `main.py` on every start: how memory is kept, and which program runs. Drivers are
made, and the journal is mounted, by the program alone.
"""

import gc

import micropython

# a byte 3 is Ctrl-C, and in each packet of Improv too, which a browser sends while we start
micropython.kbd_intr(-1)

import slots  # noqa: E402

# Collect after every 16 KiB, not only when the heap is full: what stays would else lie scattered
# among what does not, and the few large pieces of later (a journal in memory, TLS) find no room.
gc.threshold(16_384)
slots.begin()
