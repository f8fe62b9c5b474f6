"""Start-up: reads the board's data file, makes the drivers it names, and hands over to `lib.app`.

Touches hardware only when run. A part that is missing or dead is a fault, not the end.
"""

import asyncio
import gc
from binascii import hexlify
from time import sleep_ms

import machine
from lib.app import App
from lib.config import ConfigStore
from lib.errors import JournalError
from lib.journal import Journal
from lib.timekeeping import Clock

_CAUSES = {
    machine.PWRON_RESET: "power_on",
    machine.HARD_RESET: "hard",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "deep_sleep",
    machine.SOFT_RESET: "soft",
}
# two keys held for so long at power-on
_ORDERS = (((1, 6), "format_journal"), ((2, 5), "factory_reset"))
_HOLD_MS = 10_000
_LOOK_MS = 100
_SETTLE_MS = 20  # a pull-up and a long wire


def makers(parts, pins):
    """A function for each part of the board that makes its driver when it is first needed."""
    i2c = machine.I2C(
        0, scl=machine.Pin(pins["i2c_scl"]), sda=machine.Pin(pins["i2c_sda"]), freq=400_000
    )

    def ssd1306(address):
        from drivers.ssd1306 import SSD1306

        return SSD1306(i2c, address)

    def pn532(address):
        from drivers.pn532 import PN532

        return PN532(i2c, pins["badge_irq"], address)

    def es8388(address):
        from drivers.es8388 import ES8388

        return ES8388(i2c, address)

    def keys():
        from drivers.keys import Keys

        return Keys([pins["key%d" % number] for number in range(1, 7)])

    def lights():
        from drivers.lights import Lights

        return Lights((pins["led_ready"], pins["led_busy"], pins["led_ring"]))

    def headset():
        from drivers.headset import Headset

        return Headset(pins["headset_detect"])

    def wifi(ssid, password):
        from drivers.wifi import Wifi

        return Wifi(ssid, password)

    chips = {"ssd1306": ssd1306, "pn532": pn532, "es8388": es8388}
    contacts = {"keys": keys, "lights": lights, "headset": headset}
    made = {}
    for part, (kind, *address) in parts.items():
        make = contacts.get(part) if kind == "gpio" else chips.get(kind)
        if make:
            made[part] = lambda make=make, address=address: make(*address)
    return dict(made, wifi=wifi)


def open_journal():
    """The journal on its partition, or in memory with the fault that says so."""
    from esp32 import Partition

    code = "no_partition"
    for partition in Partition.find(Partition.TYPE_DATA, label="journal"):
        try:
            return Journal(partition), {}
        except JournalError as error:
            code = error.code
    from lib.ramflash import RamFlash

    return Journal(RamFlash()), {"journal": code}


def held(pins, keys):
    for key in keys:
        gpio = pins["key%d" % key]
        pull = machine.Pin.PULL_UP if gpio < 34 else -1  # the others have one on the board
        if machine.Pin(gpio, machine.Pin.IN, pull).value():
            return False
    return True


def ordered(pins):
    """The order that two keys held since power-on give; None when they are let go before."""
    sleep_ms(_SETTLE_MS)
    for keys, order in _ORDERS:
        left_ms = _HOLD_MS
        while held(pins, keys):
            if left_ms <= 0:
                return order
            sleep_ms(_LOOK_MS)
            left_ms -= _LOOK_MS
    return None


def main():
    # every letter becomes a known string now: its table doubles, which needs one large piece of
    # memory, and later there may be none
    for code in range(32, 256):
        chr(code)
    import board
    from drivers.usb_serial import UsbSerial

    station = "DIA-" + hexlify(machine.unique_id()).decode()
    journal, faults = open_journal()
    app = App(
        station,
        board.NAME,
        _CAUSES.get(machine.reset_cause(), "power_on"),
        journal,
        ConfigStore(station),
        Clock(),
        UsbSerial(),
        makers(board.PARTS, board.PINS),
    )
    app.start(faults, ordered(board.PINS) if "keys" in board.PARTS else None)
    gc.collect()
    asyncio.run(app.run())


if __name__ == "__main__":
    main()
