"""Pictures of the 128 × 64 screen as PBM files (P4): any viewer opens them. Both interpreters."""

PICTURES = __file__.rsplit("/", 2)[0] + "/firmware/pictures/"
_HEAD = b"P4\n128 64\n"


def pbm(pages):
    """The SSD1306's 1024 bytes as a PBM (lit = black on paper)."""
    rows = bytearray(1024)
    for y in range(64):
        for x in range(128):
            if pages[(y >> 3) * 128 + x] >> (y & 7) & 1:
                rows[y * 16 + (x >> 3)] |= 0x80 >> (x & 7)
    return _HEAD + bytes(rows)


def load(folder, name):
    """The 1024 bytes of a picture."""
    with open(folder + name + ".pbm", "rb") as file:  # noqa: PTH123 - runs on MicroPython
        rows = file.read()[len(_HEAD) :]
    pages = bytearray(1024)
    for y in range(64):
        for x in range(128):
            if rows[y * 16 + (x >> 3)] >> (7 - (x & 7)) & 1:
                pages[(y >> 3) * 128 + x] |= 1 << (y & 7)
    return bytes(pages)
