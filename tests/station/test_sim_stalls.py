"""What of the pins' interrupts comes through while the simulated chip stands, as on a real one."""

import pytest

PINS = """
import manners, pins
told = []
def on(gpio, trigger=Pin.IRQ_FALLING | Pin.IRQ_RISING):
    Pin(gpio, Pin.IN).irq(lambda pin: told.append((gpio, pin.value())), trigger)
def later(ms, gpio, level):
    wire.alarm(wire.now() + ms, lambda: machine.net(gpio).drive(level))
"""


async def test_in_a_call_eight_handlers_wait_in_their_order(chips):
    lines = await chips(
        PINS
        + """
async def main():
    for gpio in (25, 26, 14):
        on(gpio)
    for at, gpio in enumerate((26, 25, 25, 26, 14, 14, 26, 26, 25, 14)):
        later(10 * at + 5, gpio, 1 - (at in (0, 1, 4, 6, 8, 9)))
    pins.stall(60)
    print([gpio for gpio, level in told], told[0])
    told.clear()
    pins.stall(200)
    for at in range(12):
        later(10 * at + 5, 4, at & 1)
    on(4)
    told.clear()
    pins.stall(200)
    print(told)
    told.clear()
    timer = machine.Timer(0, period=10, callback=lambda timer: told.append(timer))
    later(95, 25, 1 - machine.net(25).level)
    pins.stall(200)
    print(len(told), told == [timer] * manners.handlers)
    timer.deinit()
"""
    )
    assert lines == [
        "[26, 25, 25, 26, 14, 14] (26, 1)",
        str([(4, 1)] * 8).replace("'", ""),
        "8 True",
    ]


async def test_in_an_erase_a_pin_tells_one_edge_the_lowest_first(chips):
    lines = await chips(
        PINS
        + """
import esp32, manners
async def main():
    flash = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="journal")[0]
    manners.erase_ms = 100
    for gpio in (25, 26):
        on(gpio)
    on(14, Pin.IRQ_FALLING)
    for at, gpio, level in ((10, 26, 0), (20, 26, 1), (30, 25, 0), (40, 14, 0), (50, 14, 1)):
        later(at, gpio, level)
    flash.ioctl(6, 0)
    print(told)
"""
    )
    assert lines == ["[(14, 1), (25, 0), (26, 1)]"]


@pytest.mark.parametrize(("chip", "count"), [("esp32:quad", 11), ("esp32s3:octal", 0)])
async def test_gpio_36_and_39_dip(chips, chip, count):
    """On the ESP32, while the radio sleeps between beacons, and when the ADC gets its power."""
    lines = await chips(
        PINS
        + f"""
import network
pins.chip = "{chip}"
async def main():
    on(5)
    on(36 if pins.chip == "esp32:quad" else 10)
    machine.ADC(Pin(4 if pins.chip != "esp32:quad" else 32))
    radio = network.WLAN()
    await asyncio.sleep(1)
    radio.active(True)
    await asyncio.sleep(2)
    radio.config(pm=network.WLAN.PM_NONE)
    await asyncio.sleep(2)
    radio.config(pm=network.WLAN.PM_PERFORMANCE)
    radio.active(False)
    await asyncio.sleep(2)
    print(len(told), all(level for gpio, level in told))
"""
    )
    assert lines == [f"{count} True"]
