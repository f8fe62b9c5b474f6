"""The simulated board as data: what is soldered where. Every board's `board.py` has this shape.

NAME    goes into `station.booted` and the hello.
PINS    what a wire is for → its GPIO; everything else here names wires, never GPIOs.
BUSES   bus → (class of `machine`, id, {its keyword for a wire: wire}, {other keywords}).
OTHERS  what else answers on a bus → (chip, bus, (its addresses)): one of them, by the batch of the
        board. Most boards have none.
PARTS   role → (module of `drivers`, class in it, bus or None, (wires), {options}).

A driver is made as `Class(bus, *gpios, **options)`, without the bus when it has none. Its bus may
also be another role: what hangs on a port expander gets the expander. Two boards that differ in a
chip differ in a line of PARTS; a board imports the drivers that its PARTS name, and no other.

The roles, and what `lib` asks of a driver in each, stand in `firmware/drivers/README.md`. A role
that is missing is something this board cannot do, and the station lives without it; a part that is
named and dead is a fault.
"""

NAME = "sim"
PINS = {
    "i2c_scl": 32,
    "i2c_sda": 33,
    "key1": 4,
    "key2": 13,
    "key3": 19,
    "key4": 23,
    "key5": 18,
    "key6": 5,
    "led_ready": 22,
    "led_busy": 21,
    "led_ring": 27,
    "badge_irq": 34,
    "headset_detect": 15,
    "i2s_bck": 14,
    "i2s_ws": 25,
    "i2s_in": 35,
    "i2s_out": 26,
}
BUSES = {
    "i2c": ("I2C", 0, {"scl": "i2c_scl", "sda": "i2c_sda"}, {"freq": 400_000}),
}
PARTS = {
    "screen": ("ssd1306", "SSD1306", "i2c", (), {"address": 0x3C}),
    "badge_reader": ("pn532", "PN532", "i2c", ("badge_irq",), {"address": 0x24}),
    "codec": ("es8388", "ES8388", "i2c", (), {"address": 0x10}),
    "audio": (
        "i2s_audio",
        "Audio",
        None,
        ("i2s_bck", "i2s_ws", "i2s_in", "i2s_out"),
        {"mclk": 0},
    ),
    "keys": ("keys", "Keys", None, ("key1", "key2", "key3", "key4", "key5", "key6"), {}),
    "lights": ("lights", "Lights", None, ("led_ready", "led_busy", "led_ring"), {}),
    "headset": ("headset", "Headset", None, ("headset_detect",), {}),
    "wifi": ("wifi", "Wifi", None, (), {}),
}
