"""AI-Thinker ESP32 Audio Kit V2.2 as data; `boards/sim/board.py` explains the shape.

Two batches of its ESP32-A1S module are sold under one name: the codec of V2.3 sits on GPIO 32/33,
that of V2.2 on 23/18, where three keys of the kit lie. The codec is looked for at boot (PROBE),
with the wires of each entry of VARIANTS in turn; each entry says what differs from PINS.
"""

NAME = "aithinker_audiokit"
PINS = {
    "codec_scl": 32,
    "codec_sda": 33,
    "panel_scl": 14,
    "panel_sda": 15,
    "badge_irq": 22,
    "leds": 12,
    "key1": 36,
    "key2": 13,
    "key3": 19,
    "key4": 23,
    "key5": 18,
    "key6": 5,
    "headset_detect": 21,
    "i2s_mclk": 0,
    "i2s_bck": 27,
    "i2s_ws": 25,
    "i2s_out": 26,
    "i2s_in": 35,
}
VARIANTS = (
    {"codec_scl": 32, "codec_sda": 33},
    {"codec_scl": 23, "codec_sda": 18, "i2s_bck": 5, "key4": 2, "key5": 4, "key6": 34},
)
PROBE = ("module", 0x10)
BUSES = {
    "module": ("I2C", 0, {"scl": "codec_scl", "sda": "codec_sda"}, {"freq": 400_000}),
    "panel": ("I2C", 1, {"scl": "panel_scl", "sda": "panel_sda"}, {"freq": 400_000}),
}
PARTS = {
    "screen": ("ssd1309", "SSD1309", "panel", (), {"address": 0x3C}),
    "badge_reader": ("pn532", "PN532", "panel", ("badge_irq",), {"address": 0x24}),
    "codec": (
        "es8388",
        "ES8388",
        "module",
        (),
        {"address": 0x10, "limit_db": 8.6, "headset_output": 2},
    ),
    "audio": (
        "i2s_audio",
        "Audio",
        None,
        ("i2s_bck", "i2s_ws", "i2s_in", "i2s_out"),
        {"mclk": 0},
    ),
    "keys": ("keys", "Keys", None, ("key1", "key2", "key3", "key4", "key5", "key6"), {}),
    "lights": ("lights_neopixel", "NeoPixelLights", None, ("leds",), {}),
    "headset": ("headset", "Headset", None, ("headset_detect",), {}),
    "wifi": ("wifi", "Wifi", None, (), {}),
}
