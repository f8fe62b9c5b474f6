"""What answers where a codec should be, so that a wrong one is named: it is never driven.

AC101 (X-Powers; the older of the AI-Thinker kits) and WM8960 have one address. The AC101 gives
its id at register 0 (0x0101, as ESPHome's and Seeed's drivers look for it); from the WM8960
nothing can be read, so it acknowledges what is written and no more.
"""

from lib.errors import PartError
from micropython import const

_ADDRESS = const(0x1A)
_AC101 = const(b"\x01\x01")
_NOBODY = const(19)  # ENODEV: no acknowledge; any other error is the bus
_ADVICE = const("the board has another codec than its table")


def named(i2c):
    """ "ac101", "wm8960", "other" or None of who is at the address that the two share."""
    try:
        return "ac101" if i2c.readfrom_mem(_ADDRESS, 0, 2) == _AC101 else "other"
    except OSError as error:
        if error.errno != _NOBODY:
            return None
    try:
        i2c.writeto(_ADDRESS, b"")
    except OSError:
        return None
    return "wm8960"


def check(i2c, expected):
    """Raises PartError when another than `expected` is at the address that the two share."""
    other = named(i2c)
    if other and other != expected:
        raise PartError("codec", other, _ADVICE)


def missing(i2c, error):
    """The PartError of a codec that does not acknowledge; it names who is there in its place."""
    other = named(i2c) if error.errno == _NOBODY else None
    return PartError("codec", other, _ADVICE) if other else PartError("codec")
