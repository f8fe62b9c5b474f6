"""The simulated chip's two memories: Python's heap, and the internal RAM that radio, TLS and DMA
take theirs from.
"""

# esp_heap_caps.h: MALLOC_CAP_…
EXEC, WORD, BYTE, DMA = 1 << 0, 1 << 1, 1 << 2, 1 << 3
SPIRAM, INTERNAL, DEFAULT = 1 << 10, 1 << 11, 1 << 12

_psram = 0
_free, _largest, _least = 143_484, 110_592, 143_484


# of a module, as far as MicroPython maps it (the ESP32 at most 4 MB of what is there)
_PSRAM_BYTES = {"esp32:quad": 4 << 20, "esp32s3:quad": 8 << 20, "esp32s3:octal": 8 << 20}
# the stock image for each chip and its PSRAM: build name, and the PSRAM that it drives
STOCK = {
    "esp32": ("ESP32_GENERIC", ""),
    "esp32:quad": ("ESP32_GENERIC-SPIRAM", "quad"),
    "esp32s3": ("ESP32_GENERIC_S3", "quad"),
    "esp32s3:quad": ("ESP32_GENERIC_S3", "quad"),
    "esp32s3:octal": ("ESP32_GENERIC_S3-SPIRAM_OCT", "octal"),
}


def stock(chip, build):
    """What `otadata.look` would tell of the stock image `build`, or of the chip's own."""
    number = 9 if chip.startswith("esp32s3") else 0
    for name, drives in (STOCK[chip],) if not build else STOCK.values():
        if not build or name == build:
            return number, "", name, drives
    return number, "", build, ""


def configure(chip, drives, there):
    """`chip`: with its PSRAM, as `chips.rules` takes it; `drives`: the PSRAM that the image which
    runs has a driver for; `there`: False where the chip's does not answer.
    """
    global _psram, _free, _least
    found = there and chip.partition(":")[2] == drives
    _psram = _PSRAM_BYTES.get(chip, 0) if found else 0
    _free = _least = 199_000 if _psram else 143_484


def regions(capabilities):
    """As `esp32.idf_heap_info`: (total, free, largest block, least free) of each that has them."""
    found = [(INTERNAL | BYTE | WORD | DMA | DEFAULT, (320_000, _free, _largest, _least))]
    if _psram:
        found.append((SPIRAM | BYTE | WORD | DEFAULT, (_psram, _psram, _psram, _psram)))
    return [figures for has, figures in found if has & capabilities == capabilities]
