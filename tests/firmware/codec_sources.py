"""What the codecs' models rest on: two sources each that are no driver of ours, the values after
reset as the second one has them, and what only one of them knows.
"""

from typing import NamedTuple


class Source(NamedTuple):
    """`reset`: {register: value} of the second source, None where it gives no value."""

    model: str
    first: str
    second: str
    reset: dict[int, int | None]
    one_source: dict[int, str]  # registers that drivers write and only one source knows: which
    disputed: dict[int, str]  # resets that differ: what is followed, and why


def _of(first: int, *values: int) -> dict[int, int | None]:
    return {first + at: value for at, value in enumerate(values)}


SOURCES = {
    "es8388": Source(
        "ES8388",
        "ES8388 user guide (Everest), §6 register map; DAC control from page 22",
        "Linux `sound/soc/codecs/es8328.c`, `es8328.h`; resets of the like ES8323 in `es8323.c`",
        {
            **_of(0x00, 0x06, 0x1C, 0xC3, 0xFC, 0xC0, 0x00, 0x00, 0x7C),
            **_of(0x08, 0x80, 0x00, 0x00, 0x06, 0x00, 0x06, 0x30, 0x30),
            **_of(0x10, 0xC0, 0xC0, 0x38, 0xB0, 0x32, 0x06, 0x00, 0x00),
            **_of(0x18, 0x06, 0x30, 0xC0, 0xC0, 0x08, 0x06, 0x1F, 0xF7),
            **_of(0x20, 0xFD, 0xFF, 0x1F, 0xF7, 0xFD, 0xFF, 0x00, 0x38),
            **_of(0x28, 0x38, 0x38, 0x38, 0x38, 0x38),
            **dict.fromkeys(range(0x2D, 0x35)),
        },
        {
            0x35: "esp-adf `es8388.c` (DLL off)",
            0x37: "esp-adf `es8388.c` (DLL off)",
            0x39: "esp-adf `es8388.c` (DLL off)",
        },
        {
            0x01: "user guide 0x5C: written",
            0x07: "user guide 0x00: not written, not modelled",
            0x0B: "user guide 0x00: stereo is written",
            0x0F: "user guide 0x20: written",
            0x19: "user guide 0x22: written",
            0x1D: "user guide 0x00: not written, not modelled",
            0x28: "user guide 0x28: not written, not modelled",
            0x29: "user guide 0x28: not written, not modelled",
            0x2B: "user guide 0x00: written",
            0x2C: "user guide 0x00: not written, not modelled",
        },
    ),
    "wm8960": Source(
        "WM8960",
        "WM8960 Production Data rev 4.2 (Wolfson), § Register map; R4 and dividers on page 57",
        "Linux `sound/soc/codecs/wm8960.c`, `wm8960.h`",
        {
            **_of(0x00, 0xA7, 0xA7, 0x00, 0x00, 0x00, 0x08, 0x00, 0x0A, 0x1C0, 0x00, 0xFF, 0xFF),
            0x0F: None,
            **_of(0x10, 0x00, 0x7B, 0x100, 0x32, 0x00, 0xC3, 0xC3, 0x1C0),
            **_of(0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00),
            **_of(0x20, 0x100, 0x100, 0x50),
            **_of(0x25, 0x50, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x50, 0x50, 0x00),
            **_of(0x30, 0x02, 0x37),
            **_of(0x33, 0x80, 0x08, 0x31, 0x26, 0xE9),
        },
        {},
        {
            0x00: "Production Data and older Linux 0x097: muted in both, and written",
            0x01: "Production Data and older Linux 0x097: muted in both",
        },
    ),
    "es8311": Source(
        "ES8311",
        "ES8311 user guide rev 1.11 (Everest), register descriptions",
        "Linux `sound/soc/codecs/es8311.h`; 0x45 in esp_codec_dev `es8311_reg.h`",
        {
            **dict.fromkeys(range(0x1D)),
            **dict.fromkeys((0x31, 0x32, 0x33, 0x34, 0x35, 0x37, 0x44, 0x45)),
            0xFD: 0x83,
            0xFE: 0x11,
        },
        {},
        {},
    ),
    "es7210": Source(
        "ES7210",
        "esp_codec_dev `es7210.c`, `es7210_reg.h` (a data sheet with registers is not public)",
        "Linux of Rockchip `sound/soc/codecs/es7210.c`",
        {
            **_of(0x00, 0x32, 0x40, 0x02, 0x04, 0x01, 0x00, 0x00, 0x20),
            **_of(0x08, 0x10, 0x40, 0x40, 0x00, 0x00, 0x09, 0x00, 0x00),
            **_of(0x10, *bytes(8)),
            **_of(0x18, 0xF7, 0xF7, 0x00, 0xBF, 0xBF, 0xBF, 0xBF, 0x00, 0x26, 0x26, 0x06, 0x26),
            **_of(0x3D, 0x72, 0x10, 0x00, 0x80, 0x71, 0x71),
            **_of(0x43, *bytes(8)),
            **_of(0x4B, 0xFF, 0xFF),
        },
        {},
        {0x01: "0x20, as chips were seen to hold it: written"},
    ),
}


def page() -> str:
    """The tables of `hardware/codecs.md`."""
    lines = ["| chip | first source | second source |", "|---|---|---|"]
    lines += [f"| {each.model} | {each.first} | {each.second} |" for each in SOURCES.values()]
    lines += ["", "| chip | register | only one source, or two that differ |", "|---|---|---|"]
    for each in SOURCES.values():
        for register, where in sorted(each.one_source.items()):
            lines.append(f"| {each.model} | 0x{register:02X} | one source: {where} |")
        for register, why in sorted(each.disputed.items()):
            value = each.reset[register]
            lines.append(f"| {each.model} | 0x{register:02X} | 0x{value:02X} after reset; {why} |")
    return "\n".join(lines) + "\n"
