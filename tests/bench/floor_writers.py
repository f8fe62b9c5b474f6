"""The stations of `floor_crowd`, in a process of their own: each writes its events with their real
hours straight onto the broker's stream, as the MQTT side keeps them there.

`python -m tests.bench.floor_writers NATS_URL PASSWORD GENERATION STATIONS FILE` logs everybody in
and says so; then a line `RATE SECONDS` has them change, and FILE gets what changed as JSON.
A third number, CALLS, has them also ask for help, so that so many calls for it stay open.
"""

import asyncio
import json
import random
import sys
import time
from collections import deque
from pathlib import Path

import nats
from diadema.ingest.messages import PREFIX
from nats.aio.client import Client

from tests.bench.centre_load import agent, station
from tests.support.scripted_station import Script

_ASKS = 20  # each how many changes somebody asks for help
_HEADERS = {"Nmqtt-Pub": "1"}  # as the broker marks what comes by MQTT


class Desk(Script):
    """What it writes has the hour at which it writes it."""

    def __init__(self, number: int) -> None:
        super().__init__(s=station(number), e=500_000 + number, agent=agent(number))
        self.began = now_ms()
        self.calls = 0
        self.step = 0
        self.sent = 0
        self.asked = 0  # the number of the newest
        self.boot()
        self.offset = None
        self.add("station.clock", utc=now_ms(), source="host", uncertainty_ms=5, i=1)
        self.offset = self.began
        self.login().ready()

    def add(self, k: str, after: int = 0, **fields: object) -> "Desk":
        self.u = max(self.u, now_ms() - self.began)
        super().add(k, 0, **fields)
        return self

    def change(self) -> str:
        """The next step of her work; gives what the floor must show."""
        self.step = self.step % 4 + 1
        c = f"{self.s[-4:]}-{self.calls}"
        match self.step:
            case 1:
                self.calls += 1
                self.offer(f"{self.s[-4:]}-{self.calls}")
                return "offered"
            case 2:
                self.contact("answered", c, via="key", ring_ms=900)
                return "talking"
            case 3:
                self.contact("ended", c, by="caller", on_hold=False).wrapup("started", c)
                return "wrapup"
        self.wrapup("ended", c, cause="agent")
        return "ready"

    def ask(self) -> str:
        """For help, in the call if there is one; gives what the page has of it."""
        in_call = {"c": f"{self.s[-4:]}-{self.calls}"} if self.step == 2 else {}
        self.add("help.requested", a=self.agent, **in_call)
        self.asked = self.n
        return f"{self.s}/{self.e}/{self.n}"

    async def send(self, client: Client) -> None:
        for body in self.bodies[self.sent :]:
            await client.publish(self.topic, body, headers=_HEADERS)
        self.sent = len(self.bodies)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def main(url: str, password: str, generation: int, stations: int, file: Path) -> None:
    client = await nats.connect(url, user="host", password=password, connect_timeout=60)
    desks = [Desk(number) for number in range(1, stations + 1)]
    for desk in desks:
        hello = json.dumps(desk.hello(generation=generation)).encode()
        await client.publish(f"{PREFIX}{desk.s}.st.wifi", hello, headers=_HEADERS)
        await desk.send(client)
        await asyncio.sleep(0)
    await client.flush(30)
    print("in", flush=True)
    line = await asyncio.to_thread(sys.stdin.readline)
    rate, seconds, calls = (*map(float, line.split()), 0.0)[:3]
    asking: deque[Desk] = deque()
    changes: list[tuple[str, str, float]] = []
    chance = random.Random(1)
    order: list[Desk] = []
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        wait = began + number / rate - time.monotonic()
        if wait > 0:
            await client.flush()
            await asyncio.sleep(wait)
        order = order or chance.sample(desks, len(desks))
        desk = order.pop()
        at = time.time() * 1000
        if calls and number % _ASKS == 0 and desk not in asking:
            changes.append((desk.ask(), "help", at))
            asking.append(desk)
            if len(asking) > calls:
                over = asking.popleft()
                over.add("help.cancelled", of=[over.s, over.e, over.asked])
                await over.send(client)
        else:
            changes.append((desk.agent, desk.change(), at))
        await desk.send(client)
    await client.flush(30)
    file.write_text(json.dumps(changes))
    print("done", flush=True)
    await client.close()


if __name__ == "__main__":
    asyncio.run(
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
    )
