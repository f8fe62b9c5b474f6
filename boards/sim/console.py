"""`micropython` of the simulated board: what a byte 3 on its console does.

The chip takes it out of what comes in and interrupts the program, wherever that is, unless the
program has turned that off. MicroPython turns it on before each of the two start files.
"""

import micropython as _own
import wire

const = _own.const


def kbd_intr(character):
    wire.interrupting = character == 3
