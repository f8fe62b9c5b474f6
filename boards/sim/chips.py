"""What the pins of each chip can do, as MicroPython's ESP32 port has it (ports/esp32:
machine_pin.h, machine_adc.c, machine_touchpad.c).
"""

_known = {}


class Rules:
    """GPIOs that a program may use, and what for; `full_mv` of each attenuation of the ADC, as
    ESP-IDF calibrates it.
    """

    def __init__(self, pins, input_only, adc, full_mv, touch):
        self.pins = _pins(pins)
        self.input_only = _pins(input_only)
        self.adc = _pins(adc)
        self.full_mv = full_mv
        self.touch = _pins(touch)


def _pins(text):
    """GPIOs of a list as "0-5 12": each of them and of its ranges."""
    found = set()
    for span in text.split():
        first, _, last = span.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def _esp32(psram):
    # The port knows 6 to 11 as well, but the chip stops when they move: its flash hangs there
    return Rules(
        "0-5 12-15 18-23 25-27 32-39" + ("" if psram else " 16-17"), "34-39",
        "0 2 4 12-15 25-27 32-39", (950, 1250, 1750, 2450), "0 2 4 12-15 27 32-33",
    )  # fmt: skip


def _esp32s3(psram):
    # 19 and 20 are the USB of the stock image, 27 to 32 the flash, 26 and 33 to 37 the PSRAM
    free = {"": " 26 33-37", "quad": " 33-37", "octal": ""}[psram]
    return Rules("0-18 21 38-48" + free, "", "1-18", (950, 1250, 1750, 3100), "1-14")


def rules(name):
    """Of a chip with its PSRAM: "esp32", "esp32:quad", "esp32s3:octal" …"""
    if name not in _known:
        kind, _, psram = name.partition(":")
        _known[name] = {"esp32": _esp32, "esp32s3": _esp32s3}[kind](psram)
    return _known[name]
