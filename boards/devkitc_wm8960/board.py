"""ESP32-DevKitC-VE with a WM8960 breakout and an MFRC522 reader; `boards/sim/board.py` explains
the shape. The breakout has its own oscillator, so no MCLK comes from the ESP32.
"""

NAME = "devkitc_wm8960"
PINS = {
    "i2c_scl": 22,
    "i2c_sda": 21,
    "spi_sck": 18,
    "spi_miso": 19,
    "spi_mosi": 23,
    "badge_cs": 5,
    "leds": 2,
    "key1": 32,
    "key2": 33,
    "key3": 13,
    "key4": 14,
    "key5": 4,
    "key6": 15,
    "headset_detect": 34,
    "i2s_bck": 27,
    "i2s_ws": 25,
    "i2s_out": 26,
    "i2s_in": 35,
}
BUSES = {
    "i2c": ("I2C", 0, {"scl": "i2c_scl", "sda": "i2c_sda"}, {"freq": 400_000}),
    "spi": (
        "SPI",
        2,
        {"sck": "spi_sck", "mosi": "spi_mosi", "miso": "spi_miso"},
        {"baudrate": 4_000_000},
    ),
}
PARTS = {
    "screen": ("ssd1309", "SSD1309", "i2c", (), {"address": 0x3C}),
    "badge_reader": ("mfrc522", "MFRC522", "spi", ("badge_cs",), {}),
    "codec": ("wm8960", "WM8960", "i2c", (), {"address": 0x1A, "limit_db": 3}),
    "audio": ("i2s_audio", "Audio", None, ("i2s_bck", "i2s_ws", "i2s_in", "i2s_out"), {}),
    "keys": ("keys", "Keys", None, ("key1", "key2", "key3", "key4", "key5", "key6"), {}),
    "lights": ("lights_neopixel", "NeoPixelLights", None, ("leds",), {}),
    "headset": ("headset", "Headset", None, ("headset_detect",), {"plugged": 1}),
    "wifi": ("wifi", "Wifi", None, (), {}),
}
