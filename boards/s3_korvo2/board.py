"""Espressif ESP32-S3-Korvo-2 V3 as data; `boards/sim/board.py` explains the shape.

Its six keys REC, MUTE, PLAY, SET, VOL- and VOL+ (key 1 to 6) are one resistor ladder on GPIO 5:
the millivolts are those of Espressif's own board support. What we add hangs on the contacts of
its microSD slot, which is otherwise unused, and on the I2C test point.
"""

NAME = "s3_korvo2"
PINS = {
    "i2c_scl": 18,
    "i2c_sda": 17,
    "badge_irq": 4,
    "leds": 15,
    "keys": 5,
    "headset_detect": 7,
    "i2s_mclk": 16,
    "i2s_bck": 9,
    "i2s_ws": 45,
    "i2s_out": 8,
    "i2s_in": 10,
}
BUSES = {
    "i2c": ("I2C", 0, {"scl": "i2c_scl", "sda": "i2c_sda"}, {"freq": 400_000}),
}
# a TCA9554A, or in newer batches a TCA9554; nothing of ours hangs on it
OTHERS = {"expander": ("tca9554", "i2c", (0x38, 0x20))}
PARTS = {
    "screen": ("ssd1309", "SSD1309", "i2c", (), {"address": 0x3C}),
    "badge_reader": ("pn532", "PN532", "i2c", ("badge_irq",), {"address": 0x24}),
    "codec": (
        "es8311",
        "ES8311",
        "i2c",
        (),
        {"address": 0x18, "adc_address": 0x40, "limit_db": 3},
    ),
    "audio": (
        "i2s_audio",
        "Audio",
        None,
        ("i2s_bck", "i2s_ws", "i2s_in", "i2s_out"),
        {"mclk": 16},
    ),
    "keys": (
        "keys_ladder",
        "LadderKeys",
        None,
        ("keys",),
        {"millivolts": (2410, 1980, 1650, 1110, 820, 380)},
    ),
    "lights": ("lights_neopixel", "NeoPixelLights", None, ("leds",), {}),
    "headset": ("headset", "Headset", None, ("headset_detect",), {}),
    "wifi": ("wifi", "Wifi", None, (), {}),
}
