"""A station's MQTT client alone, on either interpreter: `mqtt_station.py FIRMWARE`.

Its options come as a line of JSON (an argument of MicroPython may have 255 bytes at most). It
publishes numbered messages until each is confirmed, opening the connection again and again, and
prints one line for each thing that happens. Driven by `test_mqtt.py`.
"""

import sys

sys.path[:0] = [sys.argv[1], __file__.rsplit("/", 3)[0]]

# isort: split
import tests.support  # noqa: E402, F401 - before anything of the firmware

# isort: split
import asyncio  # noqa: E402
import json  # noqa: E402

from lib.errors import LinkError  # noqa: E402
from lib.mqtt import Client  # noqa: E402
from lib.timekeeping import Clock  # noqa: E402

options = json.loads(sys.stdin.readline())
NAME = options["broker"]["user"]


def say(*words):
    print(*words)
    if sys.implementation.name != "micropython":
        sys.stdout.flush()


async def heard(payload):
    say("down", payload.decode())


async def keep(client):
    while True:
        try:
            await client.run()
        except LinkError as error:
            say("ended", error.code, error)
            if options.get("once"):
                return
        await asyncio.sleep_ms(50)


async def main():
    client = Client(
        options["broker"], NAME, ["diadema/v1/" + NAME + "/ack", "diadema/v1/" + NAME + "/cmd"],
        ("diadema/v1/" + NAME + "/st/wifi", '{"up":false}'),
        heard, lambda: say("up"), Clock().now,
        options.get("answer_ms", 10_000),
    )  # fmt: skip
    client._id = options.get("first_id", 0)
    task = asyncio.create_task(keep(client))
    for n in range(options["count"]):
        while not task.done():
            try:
                await client.publish("diadema/v1/" + NAME + "/ev", b'{"n":%d}' % n)
                break
            except LinkError:
                await asyncio.sleep_ms(10)
        if n % 50 == 49:
            say("published", n + 1)
    while client._flight and not task.done():
        await asyncio.sleep_ms(10)
    say("confirmed", client.resent)
    await task


asyncio.run(main())
