"""What a person sees on a station's screen without reading it."""

_WIDTH = 128
_KEYS_TOP = (13, 26, 39, 52)  # where the numbers of a list's keys stand, each in a lit box
_ROWS = 9


def shows_full_list(ram: bytes) -> bool:
    """Whether a list of four lines is open; `ram` as `Station.screen` gives it."""
    return all(_lit(ram, top + row) for top in _KEYS_TOP for row in range(_ROWS))


def _lit(ram: bytes, y: int) -> bool:
    return bool(ram[y // 8 * _WIDTH + 1] >> (y % 8) & 1)
