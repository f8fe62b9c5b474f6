"""Runs as a station's `main.py`: each badge reader's driver on its model.

Prints a JSON list a line; the last one is `the end`. The simulated clock stands while code runs,
so what the bus takes is counted in bytes and added by the caller.
"""

import asyncio
import json
from time import ticks_diff, ticks_ms

import machine
from machine import I2C, SPI, UART, Pin

_TAPS = const(20)  # noqa: F821 - MicroPython knows it everywhere
_UID = bytes.fromhex("04782E21801D80")
_KEY = bytes(range(16))


def say(*values):
    print(json.dumps(values))


def plain(uid=_UID):
    return {"uid": uid, "atqa": b"\x00\x44", "sak": 0}


async def taps(name, reader, model, tap, untap):
    """Worst ms of the clock from tap to read, and the bus's bytes of it; taps at any moment."""
    worst = most = 0
    for at in range(_TAPS):
        await asyncio.sleep_ms(2000 + 7 * at)
        before = getattr(model, "bytes", 0)
        began = ticks_ms()
        tap()
        await reader.event.wait()
        reader.event.clear()
        worst = max(worst, ticks_diff(ticks_ms(), began))
        most = max(most, getattr(model, "bytes", 0) - before)
        untap()
    await asyncio.sleep_ms(3000)
    idle = getattr(model, "transfers", 0), getattr(model, "bytes", 0)
    await asyncio.sleep(60)
    say(
        "reader", name, worst, most,
        (getattr(model, "transfers", 0) - idle[0]) / 60,
        (getattr(model, "bytes", 0) - idle[1]) / 60,
    )  # fmt: skip


class Read:
    """Sets `event` for each badge that the driver tells."""

    def __init__(self, reader):
        self.event = asyncio.Event()
        self._reader = reader

    async def run(self):
        async for _, identity, _ in self._reader:
            if identity is not None:
                self.event.set()


async def measured(name, reader, model, tap, untap):
    await reader.start()
    read = Read(reader)
    task = asyncio.create_task(read.run())
    await taps(name, read, model, tap, untap)
    task.cancel()


async def readers():
    from drivers.mfrc522 import MFRC522
    from drivers.pn532 import PN532
    from drivers.pn532_hsu import PN532Hsu
    from drivers.pn532_spi import PN532Spi
    from drivers.rdm6300 import RDM6300
    from drivers.wiegand import Wiegand
    from models import mfrc522, pn532, pn532_hsu, pn532_spi, rdm6300, wiegand

    model = pn532.PN532(machine.net(35))
    machine.attach(("i2c", 14, 15), 0x24, model)
    reader = PN532(I2C(1, scl=Pin(14), sda=Pin(15)), 35)
    await measured("PN532 on I2C", reader, model, lambda: model.tap(plain()), model.untap)
    await secure(reader, model)

    chip = pn532_spi.PN532Spi(machine.net(39))
    machine.attach(("spi", 14), 15, chip)
    machine.net(15).watchers.append(chip.select)
    reader = PN532Spi(SPI(1, sck=Pin(14)), 15, 39)
    await measured("PN532 on SPI", reader, chip, lambda: chip.tap(plain()), chip.untap)

    serial = pn532_hsu.PN532Hsu()
    machine.attach(("uart", 4), 0, serial)
    reader = PN532Hsu(UART(2, 115200, rx=Pin(4)))
    await measured("PN532 on HSU", reader, serial, lambda: serial.tap(plain()), serial.untap)

    field = mfrc522.MFRC522()
    machine.attach(("spi", 25), 26, field)
    exchange = field.exchange
    field.bytes = 0

    def counted(data):
        field.bytes += len(data)
        return exchange(data)

    field.exchange = counted
    reader = MFRC522(SPI(1, sck=Pin(25)), 26)
    await measured("MFRC522 on SPI", reader, field, lambda: field.tap(_UID), field.untap)

    coil = rdm6300.RDM6300()
    machine.attach(("uart", 2), 0, coil)
    reader = RDM6300(UART(1, 9600, rx=Pin(2)))
    deliver = coil.port.deliver
    coil.bytes = 0

    def sent(data):
        coil.bytes += len(data)
        deliver(data)

    coil.port.deliver = sent
    await measured("RDM6300", reader, coil, lambda: coil.tap(_UID[:5]), coil.untap)

    lines = wiegand.Wiegand(machine.net(25), machine.net(26))
    reader = Wiegand(25, 26)
    await measured("Wiegand 26", reader, lines, lambda: lines.tap(0x7B1234), lambda: None)


async def secure(reader, model):
    """Bytes on the bus from the tap of a DESFire card to its proof."""
    from lib.desfire import APPLICATION, KEY_NUMBER, authenticate
    from models.desfire import Desfire

    await reader.start()
    card = dict(plain(), sak=0x20, chip=Desfire(APPLICATION, {KEY_NUMBER[0]: _KEY}))
    before = model.bytes
    model.tap(card)
    await reader.__anext__()
    assert await authenticate(reader.exchange, _KEY)
    say("secure", model.bytes - before)
    model.untap()


async def main():
    await readers()


asyncio.run(main())
print("the end")
