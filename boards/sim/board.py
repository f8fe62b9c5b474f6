"""The simulated board as data: what is soldered where."""

NAME = "sim"
PINS = {
    "i2c_scl": 32,
    "i2c_sda": 33,
    "key1": 36,
    "key2": 13,
    "key3": 19,
    "key4": 23,
    "key5": 18,
    "key6": 5,
    "led_ready": 22,
    "led_busy": 21,
    "led_ring": 27,
    "badge_irq": 34,
    "headset_detect": 39,
}
PARTS = {
    "screen": ("ssd1306", 0x3C),
    "badge_reader": ("pn532", 0x24),
    "codec": ("es8388", 0x10),
    "keys": ("gpio",),
    "lights": ("gpio",),
    "headset": ("gpio",),
}
