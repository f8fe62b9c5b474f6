"""Lights on GPIOs and as pixels, and the headset's contact in its wirings."""


async def test_leds_of_either_polarity(chips):
    lines = await chips(
        """
from models.panel import Lamps
from drivers.lights import Lights
async def main():
    for active in (1, 0):
        nets = [machine.net(gpio) for gpio in (25, 26, 4)]
        lamps = Lamps(nets, active)
        lights = Lights(25, 26, 4, active=active)
        print(lamps.lit())
        lights.show((1, 0, 1))
        print(lamps.lit(), lights.selftest())
        nets[1].drive(active)
        print(lights.selftest())
"""
    )
    shown = "[True, False, True] True"
    assert lines == ["[False, False, False]", shown, "False"] * 2


PIXELS = """
from models.neopixel import NeoPixels
from drivers.lights_neopixel import NeoPixelLights
model = NeoPixels(machine.net(25), 4)
"""


async def test_pixels_take_their_colours(chips):
    lines = await chips(
        PIXELS
        + """
async def main():
    lights = NeoPixelLights(25)
    print(model.pixels)
    for at in range(3):
        lights.show(tuple(int(at == other) for other in range(3)))
        print(model.pixels[at], model.lit())
    print(lights.selftest(), model.lit(), model.refused)
    lights = NeoPixelLights(25, first=1)
    lights.show((1, 0, 0))
    print(model.lit(), lights._data.hex())
"""
    )
    dark = "(0, 0, 0)"
    assert lines == [
        f"[{dark}, {dark}, {dark}, {dark}]",
        "(0, 8, 10) [True, False, False, False]",
        "(48, 16, 0) [False, True, False, False]",
        "(80, 80, 80) [False, False, True, False]",
        "True [False, False, True, False] 0",
        "[False, True, False, False] 00000008000a000000000000",
    ]


async def test_pixels_get_over_a_disturbance(chips):
    lines = await chips(
        PIXELS
        + """
async def main():
    lights = NeoPixelLights(25)
    lights.show((1, 0, 0))
    right = list(model.pixels)
    for fault in ("bit", "gone"):
        model.fault = fault
        if fault == "gone":
            model.pixels = [(0, 0, 0)] * 4
        lights.show((1, 0, 0))
        wrong = model.pixels != right
        model.fault = None
        lights.show((1, 0, 0))
        print(wrong, model.pixels == right)
    machine.bitstream(Pin(25), 0, (800, 1700, 1600, 900), b"\\xff" * 12)
    print(model.pixels == right, model.refused)
"""
    )
    assert lines == ["True True", "True True", "True 1"]


async def test_the_headset_in_each_wiring(chips):
    lines = await chips(
        """
from models.panel import Socket
from drivers.headset import Headset
import wire
async def main():
    for level in (0, 1):
        net = machine.net(25)
        socket = Socket(net, level)
        headset = Headset(25, plugged=level)
        said = []
        async def read():
            async for plugged in headset:
                said.append((plugged, wire.uptime()))
        task = asyncio.create_task(read())
        print(headset.plugged, headset.selftest())
        start = wire.uptime()
        for rattle in range(9):  # 900 ms of it
            socket.plug(rattle % 2 == 0)
            await asyncio.sleep_ms(100)
        socket.plug(True)
        await asyncio.sleep_ms(900)
        print(said, headset.selftest())
        await asyncio.sleep_ms(1000)
        print([plugged for plugged, _ in said], said[0][1] - start - 1800 < 20, headset.plugged)
        socket.plug(False)
        await asyncio.sleep_ms(500)
        socket.plug(True)
        await asyncio.sleep_ms(3000)
        print(len(said))
        socket.plug(False)
        await asyncio.sleep_ms(1500)
        print(headset.plugged)
        task.cancel()
"""
    )
    # the last edge of the rattle is that at 800 ms; a second later it counts
    each = ["False True", "[] False", "[True] True True", "1", "False"]
    assert lines == each * 2
