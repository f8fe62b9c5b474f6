"""Reads words off a station's screen: draws them with the firmware's type and looks for them."""

from lib.canvas import Canvas

_ROWS = {False: 10, True: 20}  # of small and of tall type


def find(ram: bytes, text: str) -> tuple[int, int] | None:
    """Column and row where `text` begins, in small or tall type, or None."""
    screen = _columns(ram)
    for tall, rows in _ROWS.items():
        canvas = Canvas()
        width = canvas.text(text, 0, 0, tall=tall) - 1
        wanted = _columns(bytes(canvas.buffer))[:width]
        mask = (1 << rows) - 1
        # tall type may stand two rows above its box, where nothing of it is drawn
        for y in range(64 - rows + 4):
            for x in range(128 - width + 1):
                if all(screen[x + at] >> y & mask == wanted[at] for at in range(width)):
                    return x, y
    return None


def label_key(ram: bytes, label: str) -> int | None:
    """Which of the keys 3-6 has this soft label above it now."""
    found = find(ram, label) if label else None
    return 3 + found[0] // 32 if found and found[1] >= 40 else None


def line_key(ram: bytes, line: str) -> int | None:
    """Which of the keys 3-6 picks this line of the list that is open now."""
    found = find(ram, line)
    return 3 + (found[1] - 10) // 13 if found and found[0] >= 8 and found[1] >= 10 else None


def as_text(ram: bytes) -> str:
    """The screen for a failure's message: 32 lines, two rows of dots each."""
    columns = _columns(ram)
    return "\n".join(
        "".join(" ▀▄█"[column >> y & 3] for column in columns).rstrip() for y in range(0, 64, 2)
    )


def _columns(ram: bytes) -> list[int]:
    """64 rows of each column, row 0 in bit 0."""
    return [sum(ram[page * 128 + x] << 8 * page for page in range(8)) for x in range(128)]
