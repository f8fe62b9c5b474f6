"""The board on which the steps are counted: an ESP32 with what has no bus of its own to wait for.
Screen, codec and sound are left out, as their transfers take their own time, whatever we run.
"""

NAME = "devkitc_wm8960"
PINS = {
    "badge_rx": 22,
    "badge_tx": 21,
    "leds": 2,
    "key1": 32,
    "key2": 33,
    "key3": 13,
    "key4": 14,
    "key5": 4,
    "key6": 15,
    "headset_detect": 34,
}
BUSES = {
    "uart": ("UART", 1, {"tx": "badge_tx", "rx": "badge_rx"}, {"baudrate": 9600}),
}
PARTS = {
    "badge_reader": ("rdm6300", "RDM6300", "uart", (), {}),
    "keys": ("keys", "Keys", None, ("key1", "key2", "key3", "key4", "key5", "key6"), {}),
    "lights": ("lights_neopixel", "NeoPixelLights", None, ("leds",), {}),
    "headset": ("headset", "Headset", None, ("headset_detect",), {"plugged": 1}),
}
