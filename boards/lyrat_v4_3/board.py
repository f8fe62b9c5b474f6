"""Espressif ESP32-LyraT V4.3 as data; `boards/sim/board.py` explains the shape.

Key 1 and 2 are its push buttons REC and MODE, key 3 to 6 its touch pads SET, PLAY, VOL- and VOL+.
"""

NAME = "lyrat_v4_3"
PINS = {
    "i2c_scl": 23,
    "i2c_sda": 18,
    "badge_irq": 14,
    "leds": 15,
    "key1": 36,
    "key2": 39,
    "key3": 32,
    "key4": 33,
    "key5": 13,
    "key6": 27,
    "headset_detect": 12,
    "i2s_mclk": 0,
    "i2s_bck": 5,
    "i2s_ws": 25,
    "i2s_out": 26,
    "i2s_in": 35,
}
BUSES = {
    "i2c": ("I2C", 0, {"scl": "i2c_scl", "sda": "i2c_sda"}, {"freq": 400_000}),
}
PARTS = {
    "screen": ("ssd1309", "SSD1309", "i2c", (), {"address": 0x3C}),
    "badge_reader": ("pn532", "PN532", "i2c", ("badge_irq",), {"address": 0x24}),
    "codec": ("es8388", "ES8388", "i2c", (), {"address": 0x10, "limit_db": 8.6}),
    "audio": (
        "i2s_audio",
        "Audio",
        None,
        ("i2s_bck", "i2s_ws", "i2s_in", "i2s_out"),
        {"mclk": 0},
    ),
    "keys": (
        "keys_touch",
        "TouchKeys",
        None,
        ("key1", "key2", "key3", "key4", "key5", "key6"),
        {"buttons": 2},
    ),
    "lights": ("lights_neopixel", "NeoPixelLights", None, ("leds",), {}),
    "headset": ("headset", "Headset", None, ("headset_detect",), {}),
    "wifi": ("wifi", "Wifi", None, (), {}),
}
