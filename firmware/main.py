"""Hands over to the program that `boot.py` chose, or to safe mode. What ends a program is kept,
and told by its next start.
"""

import micropython
import slots


def main():
    if slots.safe or slots.chosen:
        micropython.kbd_intr(-1)  # as in boot.py; MicroPython undoes it before each of the two
    else:  # a developer's board: errors end at the prompt
        program()
        return
    slots.watchdog()  # whatever the program hangs in, or safe mode
    try:
        if slots.safe:
            from safe import run

            run(slots.safe)
        program()
        slots.restart("end")
    except Exception as error:
        slots.restart(error)


def program():
    from start import main

    main()


if __name__ == "__main__":
    main()
