"""What a GPIO of a chip can do, and what the chip itself needs it for.

ESP32: datasheet v4 §2.2 (pins), §2.4 (strapping), technical reference §4.11 (ADC2, touch), errata
3.11 (pins that dip).
ESP32-S3: datasheet v1.8 §2.3 (pins), §3 (boot configurations), and ESP-IDF's GPIO page.
"""

from dataclasses import dataclass, field

# how a module's PSRAM is wired, by its name: data sheets of the modules, «ordering information»
MODULE_PSRAM = {
    r"ESP32-WROVER": "quad",
    r"ESP32-A1S": "quad",
    r"ESP32-S3-\S*N\d+R2\b": "quad",
    r"ESP32-S3-\S*N\d+R(8|16V?)\b": "octal",
}


@dataclass(frozen=True)
class Chip:
    """`straps`: GPIO → (level in reset for a normal start, what the other level does); `dips`:
    low for a moment whenever the radio wakes.
    """

    pins: frozenset[int]
    flash: frozenset[int]
    psram: dict[str, frozenset[int]]
    input_only: frozenset[int]
    straps: dict[int, tuple[str, str]]
    adc1: frozenset[int]
    adc2: frozenset[int]
    touch: frozenset[int]
    console: dict[int, str] = field(default_factory=dict)
    dips: frozenset[int] = frozenset()


def _range(*spans: tuple[int, int]) -> frozenset[int]:
    return frozenset(pin for first, last in spans for pin in range(first, last + 1))


CHIPS = {
    "esp32": Chip(
        # 37 and 38 exist, but no module brings them out
        pins=_range((0, 19), (21, 23), (25, 27), (32, 36), (39, 39)),
        flash=_range((6, 11)),
        psram={"none": frozenset(), "quad": frozenset({16, 17})},
        input_only=_range((34, 39)),
        straps={
            0: ("high", "the chip waits for a download instead of starting"),
            2: ("low", "esptool cannot reach the chip to flash it"),
            5: ("high", "the SDIO slave's timing changes"),
            12: ("low", "the flash gets 1.8 V and the chip does not start"),
            15: ("high", "the boot log is silent"),
        },
        adc1=_range((32, 39)),
        adc2=frozenset({0, 2, 4, 12, 13, 14, 15, 25, 26, 27}),
        touch=frozenset({0, 2, 4, 12, 13, 14, 15, 27, 32, 33}),
        console={1: "the console's TX", 3: "the console's RX"},
        dips=frozenset({36, 39}),
    ),
    "esp32s3": Chip(
        pins=_range((0, 21), (26, 48)),
        flash=_range((26, 32)),
        psram={"none": frozenset(), "quad": frozenset({26}), "octal": _range((33, 37))},
        input_only=frozenset(),
        straps={
            0: ("high", "the chip waits for a download instead of starting"),
            3: ("high", "JTAG may move from USB to the pins"),
            45: ("low", "the flash gets 1.8 V and the chip does not start"),
            46: ("low", "esptool cannot reach the chip to flash it"),
        },
        adc1=_range((1, 10)),
        adc2=_range((11, 20)),
        touch=_range((1, 14)),
        console={
            43: "the console's TX",
            44: "the console's RX",
            19: "USB D-",
            20: "USB D+",
        },
    ),
}
