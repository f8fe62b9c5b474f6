"""What the bridge hears of the hub: each event once, in order, and the floor after a gap."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest
from diadema.base.errors import DiademaError
from diadema.switch.hub_link import HubLink
from diadema.wire.switching import Fed, Floor, Report
from diadema.words import Sentence


class Hub:
    """Answers each report with a floor of `number`; `meanwhile` comes before that is looked at."""

    def __init__(self):
        self.heard, self.floors = [], []
        self.number, self.meanwhile = 0, []
        self.link = HubLink(
            lambda: None, "", self.heard.append, self.anew, lambda: Report(name="central"),
            self.anew, self.anew, self.anew,
        )  # fmt: skip
        self.link._client = self

    async def anew(self, floor):
        self.floors.append(floor.number)

    async def request(self, subject, body, limit_s):
        answer = msgspec.json.encode(Floor(number=self.number, seats=[]))
        for number in self.meanwhile:
            await self.feed(number)
        return SimpleNamespace(data=answer)

    async def feed(self, number):
        fed = Fed(number=number, events=[msgspec.Raw(b'{"n":%d}' % number)])
        await self.link._on_fed(SimpleNamespace(data=msgspec.json.encode(fed)))

    @property
    def numbers(self):
        return [event["n"] for event in self.heard]


@pytest.fixture
async def hub():
    made = Hub()
    await made.link.report()
    assert (made.floors, made.link.is_up) == ([0], True)
    return made


async def test_an_event_that_overtakes_the_answer_to_a_report_is_not_undone(hub):
    await hub.feed(1)
    hub.number, hub.meanwhile = 1, [2, 3]
    await hub.link.report()
    await hub.feed(4)
    assert hub.numbers == [1, 2, 3, 4]
    assert hub.floors == [0], "what we know is newer"


async def test_a_hub_that_began_anew_tells_everything_again(hub):
    await hub.feed(1)
    await hub.feed(2)
    hub.number = 1
    await hub.link.report()
    await hub.feed(2)
    assert (hub.floors, hub.numbers) == ([0, 1], [1, 2, 2])


async def test_who_misses_one_gets_the_floor_and_what_came_after_it(hub):
    await hub.feed(1)
    await hub.feed(3)
    hub.number, hub.meanwhile = 3, [4]
    await hub.link.report()
    assert (hub.floors, hub.numbers) == ([0, 3], [1, 4])


async def test_what_is_asked_of_whoever_listens_and_what_is_answered(hub):
    said, asked = [], []

    async def respond(data):
        said.append(msgspec.json.decode(data))

    async def listen(wanted):
        asked.append((wanted.listening, wanted.mode))
        if wanted.mode == "joined":
            raise DiademaError(Sentence("errors.switch.no_listener", account="ana"))

    hub.link._listen = listen
    for body in (
        b'{"listening":"0123456789ab","call":"1","by":"ana","mode":"silent"}',
        b'{"listening":"0123456789ab"}',
        b'{"listening":"0123456789ab","mode":"joined"}',
        b'{"listening":"x"}', b'{"listening":"0123456789ab","mode":"all"}', b"x", b"{}",
    ):  # fmt: skip
        await hub.link._on_listen(SimpleNamespace(data=body, respond=respond))
    assert asked == [(("0123456789ab"), mode) for mode in ("silent", None, "joined")]
    assert said[:2] == [{}, {}] and [one["status"] for one in said[2:]] == [409, *[422] * 4]
    assert said[2]["sentence"] == ["errors.switch.no_listener", {"account": "ana"}]


async def test_what_must_not_wait_is_reported_at_once(hub):
    hub.link.report_at_once()
    async with asyncio.timeout(300):
        await hub.link._pause(10_000)
