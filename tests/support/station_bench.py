"""A configured station in the virtual machine, and what a person at it and its host do.

The one language in which a station is played in the VM. `tests.support.deskbench` has the same
verbs (`type`, `ready`, `ring`, `talking`, `command`) for the state machine alone, which needs no
VM, no time and no screen, and so proves rules on both interpreters; what only a chip, a screen, a
clock or a cable can show is proved here.
"""

import asyncio
import contextlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diadema_sim import menu_keys, people
from diadema_sim.station import Station
from diadema_sim.station_user import StationHistory
from diadema_sim.world import World

from tests.support import manual, pictures, screen_words
from tests.support.wire_host import WireHost

MONDAY_8_LIMA = 1_770_037_200_000  # 2026-02-02 08:00 in Lima, UTC ms
STATION = "DIA-0200000000a1"
ROSA = people.desks(1)[0].person  # at this desk, the first of every sample site
JUST_ANSWERED_MS = 1_500  # key 1 does not hang up before
SETTLED_MS = 400  # nor do soft keys act so soon after a change that was not the agent's
_DIGIT_MS = 300  # from one digit of a PIN to the next
_GREETED_MS = 3_000  # the welcome is gone from the screen


@dataclass
class Bench:
    """A configured station, its host on the cable, and the badges of the people it knows; `pin`
    of the first one, the agent at this desk, where the site asks for it.
    """

    world: World
    station: Station
    host: WireHost
    badges: list[str]
    pin: str = ""
    pressed: tuple[int, int] = (0, 0)  # the last key, and when it was let go

    def since(self) -> int:
        """Where the station's events stand now."""
        return len(self.world.witness.events(self.station.id))

    async def event(self, kind: str, since: int = 0, **fields: object) -> dict[str, Any]:
        """The first event of `kind` with these fields; the clock goes on meanwhile."""

        def wanted(event: dict[str, Any]) -> bool:
            return event["k"] == kind and all(event.get(k) == v for k, v in fields.items())

        try:
            seen = await self.world.wait_event(
                self.station.id, wanted, since=since, timeout_s=300, running=True
            )
        except TimeoutError as error:
            host = self.host
            error.add_note(
                f"no {kind} {fields}; after {self.kinds()[-3:]}; {len(host.hellos)} greetings; "
                f"{host.sender.waiting} messages wait of {dict(host.sender.counts)}"
            )
            raise
        return seen.event

    def kinds(self, since: int = 0) -> list[str]:
        return [seen.event["k"] for seen in self.world.witness.events(self.station.id)[since:]]

    async def keys(self, *keys: int) -> None:
        """Each is meant: a list takes the key that opened it only when it is no double press."""
        for key in keys:
            if key == self.pressed[0] and key != menu_keys.MUTE:
                await self.world.sleep_until(self.pressed[1] + SETTLED_MS)
            await self.station.press(key)
            self.pressed = (key, self.world.now_ms())

    async def delivered(self) -> None:
        """The host has every event; a fast clock stands meanwhile, but for what the cable lost on
        a busy machine: that is sent again only as time goes by.
        """
        async with asyncio.timeout(300):
            while len(self.host.events) < self.since():
                try:
                    await asyncio.wait_for(self.host.heard.wait(), 5)
                except TimeoutError:
                    await self.world.sleep(500)

    async def caught_up(self) -> None:
        """The host has every event, and the station knows it; a few ms go by meanwhile."""
        await self.delivered()
        while self.host.sender.waiting:
            await self.world.sleep(1)
            with contextlib.suppress(TimeoutError):  # a busy machine is given time, not the clock
                await asyncio.wait_for(self.host.heard.wait(), 0.2)

    async def shows(self, name: str) -> None:
        """Let the screen settle, then compare it with the kept picture."""
        await self.delivered()
        await self.world.sleep(30)
        pictures.compare(name, await self.station.screen())

    async def says(self, *texts: str) -> None:
        """All of these stand on the screen, once it has settled."""
        await self.delivered()
        await self.world.sleep(30)
        ram = await self.station.screen()
        assert all(screen_words.find(ram, text) for text in texts), screen_words.as_text(ram)

    async def answer(self, contact: str) -> None:
        """It rings; back when key 1 hangs up and soft keys count."""
        since = self.since()
        await self.keys(1)
        await self.event("contact.answered", since, c=contact)
        await self.world.sleep(JUST_ANSWERED_MS)

    async def typify(self, contact: str, code: str = "111") -> None:
        """In the wrap-up; ends it."""
        since = self.since()
        history = StationHistory(self.world.witness.events(self.station.id))
        await self.world.sleep(SETTLED_MS)
        await self.keys(
            *menu_keys.code_keys(
                people.LIMA_TREE, code, history.recent_codes(), history.motive(contact)
            )
        )
        await self.event("contact.typified", since, c=contact, code=code)
        await self.event("wrapup.ended", since, c=contact, cause="typified")

    async def badge_and_choose(self, key: int) -> None:
        """The own badge in a session, and a line of what it asks."""
        await self.station.tap(self.badges[0])
        await self.world.sleep(SETTLED_MS)
        await self.keys(key)

    async def dial(self) -> dict[str, Any]:
        """Call somebody of the first outbound campaign."""
        since = self.since()
        await self.keys(4, 3)
        return await self.event("contact.dialed", since)

    async def tap(self) -> None:
        """The agent's badge, and the screen takes keys again after it."""
        await self.station.tap(self.badges[0])
        await self.world.sleep(2 * SETTLED_MS)

    async def type(self, digits: str) -> None:
        for digit in digits:
            await self.keys(int(digit))
            await self.world.sleep(_DIGIT_MS)

    async def enter(self) -> None:
        """Badge and PIN: a session."""
        since = self.since()
        await self.tap()
        await self.type(self.pin)
        await self.event("session.opened", since)
        await self.world.sleep(2 * SETTLED_MS)

    async def ready(self) -> int:
        """Logged in and ready, and greeted where a PIN was asked for; where the events stand."""
        since = self.since()
        if self.pin:
            await self.enter()
        else:
            await self.station.tap(self.badges[0])
            await self.event("presence.changed", since, to="not_ready")
        await self.keys(3)
        await self.event("presence.changed", since, to="ready")
        if self.pin:
            await self.world.sleep(_GREETED_MS)
        return self.since()

    async def talking(self) -> int:
        """Ready, and in the inbound call C-1; returns where the events stand."""
        await self.ready()
        await self.ring("C-1")
        await self.answer("C-1")
        return await self.settled()

    async def settled(self) -> int:
        """All that was done is journaled; returns where the events stand."""
        await self.world.sleep(100)
        await self.caught_up()
        return self.since()

    async def command(self, name: str, **fields: object) -> None:
        """A command of the host, and what changed by it is settled."""
        await self.host.answer(self.host.command(name, **fields))
        await self.world.sleep(2 * SETTLED_MS)

    def number_of(self, kind: str) -> int:
        """What the host calls the newest event of that kind by."""
        seen = self.world.witness.events(self.station.id)
        return next(each.sequence for each in reversed(seen) if each.event["k"] == kind)

    async def left(self, since: int, script: str) -> None:
        """The events since then are those of `script`, a line each: the kind, and fields that it
        has; none more and none less.
        """
        await self.settled()
        lines = [shlex.split(line) for line in script.strip().splitlines()]
        events = [seen.event for seen in self.world.witness.events(self.station.id)[since:]]
        assert [event["k"] for event in events] == [line[0] for line in lines]
        for event, (kind, *fields) in zip(events, lines, strict=True):
            for field in fields:
                name, _, value = field.partition("=")
                assert str(event.get(name)) == value, f"{kind}: {name} is {event.get(name)!r}"

    async def pictured(self, name: str) -> None:
        """The screen is the manual's picture of that name."""
        await self.caught_up()
        await self.world.sleep(30)
        manual.compare(name, await self.station.screen())

    async def after(self, kind: str, ms: int) -> None:
        """Let the clock go on until so long after the newest event of that kind: a picture shows
        the same second then, however long a busy machine took for what was before.
        """
        seen = self.world.witness.events(self.station.id)
        at_ms = next(each.at_ms for each in reversed(seen) if each.event["k"] == kind)
        await self.world.sleep(max(0, at_ms + ms - self.world.timeline.utc_ms()))

    async def until(self, true: Callable[[], bool]) -> None:
        """Let the clock go on, a second at a time, until `true()`; at most ten minutes."""
        for _ in range(600):
            if true():
                return
            await self.world.sleep(1000)
        raise AssertionError("it did not come about in ten minutes")

    async def ring(self, contact: str) -> None:
        number = self.host.command(
            "ring", contact=contact, direction="in", queue="Consultas", pbx="1"
        )
        answer = await self.host.answer(number)
        assert answer["k"] == "contact.offered", answer
