"""What a person does at one simulated station, one gesture a method: badge, keys, nothing else.

Each waits until the station has journaled what the gesture means, so that a driver reads like a
work day. What it knows of the station is what the station wrote. Only `ring` and
`caller_hangs_up` come from the exchange's side, over the hub.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from diadema.errors import DiademaError
from diadema.sim import keying, looking, sound
from diadema.sim.hub_client import HubClient, HubUnreachable
from diadema.sim.past import Past
from diadema.sim.people import Desk
from diadema.sim.station import NoPower
from diadema.sim.timeline import HOLD_LIMIT_S
from diadema.sim.witness import Witnessed
from diadema.sim.world import World

_SLICE_S = 1.0  # how often a wait looks whether the station still has power
_GESTURE_MS = 5_000  # of the run: what a key or a badge does is journaled by then
_LOOK_MS = 20
_AGAIN_S = 1.0  # between two attempts at a hub that does not answer
_START_LIMIT_S = 60.0
_TAP_MS = 600
_SETTLED_MS = 500  # a screen that changed by itself takes no soft key before that
_JUST_ANSWERED_MS = 1_500  # nor does it hang up so soon after the answer
_WORD_S = 2
_TEST_LIMIT_MS = 25_000
_LISTS_CLOSE_MS = 8_200  # in a call, by themselves


class PowerLost(DiademaError):
    """The station went dark, or came back from it, in the middle of a gesture."""


class Silent(DiademaError):
    """The station did not write what the gesture means."""


class NotDelivered(DiademaError):
    """The hub could not bring a command to the station within the limit, or it was refused."""


class AtDesk:
    """One person at one station of `world`. Not for two tasks at a time."""

    def __init__(self, world: World, hub: HubClient, desk: Desk, site: dict[str, Any]) -> None:
        """`site`: the content of the site's file."""
        self.desk = desk
        self.station = world.stations[desk.station]
        self.site = site
        self.past = Past(world.witness.events(desk.station))
        self._world = world
        self._hub = hub
        self._looked_at = 0  # events before this one hold no restart that the person missed

    # --- what the station wrote ---------------------------------------------------------------

    @property
    def seen(self) -> int:
        """How many events the station has journaled."""
        return len(self._world.witness.events(self.desk.station))

    @property
    def presence(self) -> str:
        return self.past.presence

    @property
    def work(self) -> tuple[str, str | None]:
        """(idle, offered, dialing, talking, held, consulting or wrapup; the contact)."""
        return self.past.work

    def happened(self, kind: str, contact: str, by: tuple[str, ...] = ()) -> bool:
        """Whether the contact has such an event, by one of these if any are named."""
        return self.past.happened(kind, contact, by)

    async def expect(self, kind: str, since: int, **fields: Any) -> Witnessed:
        """The first such event from `since` on. Raises Silent.

        A fast run waits some seconds of its own time: it would be weeks on before real ones pass.
        """
        events = self._world.witness.events(self.desk.station)
        limit_ms = 1000 * HOLD_LIMIT_S * self._world.timeline.speed or _GESTURE_MS
        deadline_ms = self._world.now_ms() + limit_ms
        while True:
            self._notice_restart()
            if not self.station.powered:
                raise PowerLost(f"{self.desk.seat} lost its power")
            for seen in events[since:]:
                if seen.event["k"] == kind and fields.items() <= seen.event.items():
                    return seen
            if self._world.now_ms() >= deadline_ms:
                raise Silent(
                    f"{self.desk.seat} ({self.desk.station}) wrote no {kind} {fields or ''} in "
                    f"{limit_ms / 1000:.0f} s; its last events: {self._tail()}"
                )
            await self._world.sleep(_LOOK_MS)

    async def _answer(
        self, wanted: Callable[[dict[str, Any]], bool], since: int, limit_s: float
    ) -> Witnessed | None:
        """The station's answer to a command, while a fast clock stands; None after `limit_s`."""

        def wanted_or_restart(event: dict[str, Any]) -> bool:
            return wanted(event) or event["k"] == "station.booted"

        self._notice_restart()
        deadline = time.monotonic() + limit_s
        while (left_s := deadline - time.monotonic()) > 0:
            try:
                found = await self._world.wait_event(
                    self.desk.station,
                    wanted_or_restart,
                    since=since,
                    timeout_s=min(left_s, _SLICE_S),
                )
            except TimeoutError:
                if not self.station.powered:
                    raise PowerLost(f"{self.desk.seat} lost its power") from None
            else:
                if wanted(found.event):
                    return found
                raise PowerLost(f"{self.desk.seat} was started anew")
        return None

    def _notice_restart(self) -> None:
        """Raises PowerLost if the station was started anew since the person last looked."""
        events = self._world.witness.events(self.desk.station)
        new, self._looked_at = events[self._looked_at :], len(events)
        if any(seen.event["k"] == "station.booted" for seen in new):
            raise PowerLost(f"{self.desk.seat} was started anew")

    def _tail(self) -> str:
        events = self._world.witness.events(self.desk.station)[-4:]
        return ", ".join(seen.event["k"] for seen in events) or "none"

    # --- the person ---------------------------------------------------------------------------

    async def switch_on(self) -> None:
        """Give the station power; back when it and the hub have found each other in this boot."""
        events = self._world.witness.events(self.desk.station)
        booted = [at for at, seen in enumerate(events) if seen.event["k"] == "station.booted"]
        wanted = {"station.clock"}
        if not any(seen.event["k"] == "station.config" for seen in events):
            wanted.add("station.config")
        since = booted[-1] if self.station.powered and booted else len(events)
        deadline = time.monotonic() + _START_LIMIT_S
        while wanted - {seen.event["k"] for seen in events[since:]}:
            if not self.station.powered:
                since = len(events)
                await self.station.power_on()
            if time.monotonic() > deadline:
                raise Silent(
                    f"{self.desk.seat} ({self.desk.station}) and its hub did not find each other "
                    f"within {_START_LIMIT_S:.0f} s; its last events: {self._tail()}"
                )
            with contextlib.suppress(TimeoutError):
                await self._world.wait_event(
                    self.desk.station,
                    lambda event: event["k"] in wanted,
                    since=len(events),
                    timeout_s=_SLICE_S,
                    running=True,
                )
        self._looked_at = len(events)

    async def keys(self, keys: Iterable[int], gap_ms: Callable[[], float] | None = None) -> None:
        """Press one after another; `gap_ms` is drawn before each but the first."""
        for at, key in enumerate(keys):
            if at and gap_ms:
                await self._world.sleep(gap_ms())
            if key >= keying.FIRST:
                await self._see_what_came()
            self._notice_restart()
            await self._by_hand(self.station.press(key))

    async def _see_what_came(self) -> None:
        """A change of the screen that is not hers is looked at before she presses a soft key."""
        left_ms = self.past.came_ms() + _SETTLED_MS - self._world.now_ms()
        if left_ms > 0:
            await self._world.sleep(left_ms)

    async def _by_hand[T](self, movement: Awaitable[T]) -> T:
        try:
            return await movement
        except NoPower as error:
            if self.station.crash:
                raise
            raise PowerLost(str(error)) from error

    async def log_in(
        self, *, tests: bool = True, gap_ms: Callable[[], float] | None = None
    ) -> None:
        """`tests`: does the self-test where a shift begins with one, else leaves it out."""
        since = self.seen
        await self._tap()
        opened = await self.expect("session.opened", since, a=self.desk.person.id)
        await self.expect("presence.changed", since, to="not_ready")
        if self.site["selftest"] and opened.event.get("of"):
            if tests:
                await self._test_station(gap_ms)
            else:
                await self.keys(keying.SKIP_TEST, gap_ms)
            await self.expect("station.selftest", since)

    async def _test_station(self, gap_ms: Callable[[], float] | None) -> None:
        """Every key, a word into the microphone, the lights, and what must lie on the desk."""
        since = self.seen
        await self.keys([keying.BEGIN_TEST], gap_ms)
        await self.keys(range(1, 7), gap_ms)
        word = await asyncio.to_thread(sound.word, self._world.root / "word.wav", _WORD_S)
        async with sound.listen(self.station, microphone=word):
            await self._world.sleep(1000 * _WORD_S)
        deadline_ms = self._world.now_ms() + _TEST_LIMIT_MS
        while "station.selftest" not in self.past.kinds(since):
            if self._world.now_ms() >= deadline_ms:
                raise Silent(f"{self.desk.seat} ({self.desk.station}): its test does not end")
            await self.keys([keying.ALL_WELL])
            await self._world.sleep(_SETTLED_MS)

    async def log_out(self) -> None:
        """Close the session; she stays in the building."""
        since = self.seen
        await self._tap_and_choose(keying.CLOSE_SESSION)
        await self.expect("presence.changed", since, to="logged_out")

    async def go_home(self) -> None:
        """SALIDA: the shift is over."""
        since = self.seen
        await self._tap_and_choose(keying.LEAVE)
        await self.expect("attendance.marked", since, direction="out")
        await self.expect("session.closed", since)
        await self.expect("presence.changed", since, to="logged_out")

    async def _tap(self) -> None:
        await self._by_hand(self.station.tap(self.desk.person.badge, _TAP_MS))

    async def _tap_and_choose(self, key: int) -> None:
        """The own badge, in a session, opens a list, and nothing in the journal says so."""
        await self._tap()
        deadline_ms = self._world.now_ms() + _GESTURE_MS
        while not looking.shows_full_list(await self._by_hand(self.station.screen())):
            if self._world.now_ms() >= deadline_ms:
                raise Silent(f"{self.desk.seat} ({self.desk.station}) asked nothing at her badge")
            await self._world.sleep(_LOOK_MS)
        await self.keys([key])

    async def get_ready(self) -> None:
        since = self.seen
        await self.keys([keying.READY])
        await self.expect("presence.changed", since, to="ready")

    async def pause(self, reason: str, gap_ms: Callable[[], float] | None = None) -> None:
        """From ready to a reason of not being so."""
        since = self.seen
        keys = [keying.PAUSE, *keying.coded_keys(self.site["reasons"], reason)]
        await self.keys(keys, gap_ms)
        await self.expect("presence.changed", since, to="not_ready", reason=reason)

    async def dial(self, campaign: str) -> str:
        """A call begun by key; its contact."""
        outbound = [row for row in self.site["campaigns"] if row.get("outbound")]
        since = self.seen
        await self.keys([keying.DIAL, *keying.coded_keys(outbound, campaign)])
        dialed = await self.expect("contact.dialed", since, campaign=campaign)
        return str(dialed.event["c"])

    async def answer(self, contact: str) -> Witnessed:
        since = self.seen
        await self.keys([keying.ANSWER])
        return await self.expect("contact.answered", since, c=contact)

    async def hang_up(self, contact: str) -> Witnessed:
        """Once more, when it was so soon after the answer that the key did nothing."""
        since = self.seen
        soon_ms = self.past.answered_ms(contact) + _JUST_ANSWERED_MS
        await self.keys([keying.HANG_UP])
        if self._world.now_ms() < soon_ms + _SETTLED_MS:
            await self._world.sleep_until(soon_ms + _SETTLED_MS)
            if not self.happened("contact.ended", contact):
                await self.keys([keying.HANG_UP])
        return await self.expect("contact.ended", since, c=contact)

    async def mute(self, contact: str) -> None:
        await self._by_key(keying.MUTE, "contact.muted", contact)

    async def unmute(self, contact: str) -> None:
        await self._by_key(keying.MUTE, "contact.unmuted", contact)

    async def hold(self, contact: str) -> None:
        await self._by_key(keying.HOLD, "contact.held", contact)

    async def resume(self, contact: str) -> None:
        await self._by_key(keying.HOLD, "contact.resumed", contact)

    async def join(self, contact: str) -> None:
        """Hand the call over to the area that is consulted."""
        await self._by_key(keying.JOIN, "contact.transferred", contact)

    async def confer(self, contact: str) -> None:
        await self._by_key(keying.CONFER, "contact.transferred", contact)

    async def come_back(self, contact: str) -> None:
        """From the area that is consulted to the caller."""
        await self._by_key(keying.RETURN, "contact.consult_ended", contact)

    async def _by_key(self, key: int, kind: str, contact: str) -> Witnessed:
        since = self.seen
        await self.keys([key])
        return await self.expect(kind, since, c=contact)

    async def step(
        self, contact: str, method: str, gap_ms: Callable[[], float] | None = None
    ) -> None:
        """Tick the next step of the protocol; that of the identity asks for the method."""
        since = self.seen
        await self.keys([keying.STEP])
        ticked = await self.expect("contact.step", since, c=contact)
        if ticked.event["step"] == "identity":
            if gap_ms:
                await self._world.sleep(gap_ms())
            await self.keys(keying.coded_keys(self.site["identity_methods"], method), gap_ms)
            await self.expect("contact.step", since, c=contact, method=method)

    def steps_left(self, contact: str) -> int:
        """How many steps she can still tick."""
        return self.past.steps_left(contact, self.site["campaigns"])

    async def motive(
        self, contact: str, motive: str, gap_ms: Callable[[], float] | None = None
    ) -> None:
        since = self.seen
        motives = [{"code": node[0]} for node in self.site["tree"]["nodes"]]
        keys = [*self._call_menu(contact, "motive"), *keying.coded_keys(motives, motive)]
        await self.keys(keys, gap_ms)
        await self.expect("contact.motive", since, c=contact, motive=motive)

    async def transfer(
        self, contact: str, area: str, gap_ms: Callable[[], float] | None = None
    ) -> None:
        """At once, or only the consult, as the area is one."""
        since = self.seen
        areas = self.site["areas"]
        keys = [*self._call_menu(contact, "transfer"), *keying.coded_keys(areas, area)]
        await self.keys(keys, gap_ms)
        consulted = any(row["consulted"] for row in areas if row["code"] == area)
        kind = "contact.consulted" if consulted else "contact.transferred"
        await self.expect(kind, since, c=contact)

    async def intend(self, contact: str, reason: str) -> None:
        """What follows the call: a reason of not being ready."""
        since = self.seen
        after = [{"code": None}, *self.site["reasons"]]
        keys = [*self._call_menu(contact, "after_call"), *keying.coded_keys(after, reason)]
        await self.keys(keys)
        await self.expect("presence.intended", since, reason=reason)

    def _call_menu(self, contact: str, line: str) -> list[int]:
        coded = self.happened("contact.typified", contact)
        step = self.steps_left(contact) > 0
        return keying.call_menu_keys(line, step=step, coded=coded)

    async def ask_help(
        self, topic: str | None, gap_ms: Callable[[], float] | None = None
    ) -> Witnessed:
        """Of the supervisor; the topic may be left out."""
        since = self.seen
        await self.keys([keying.HELP])
        asked = await self.expect("help.requested", since)
        if topic:
            if gap_ms:
                await self._world.sleep(gap_ms())
            await self.keys(keying.coded_keys(self.site["help_topics"], topic), gap_ms)
            await self.expect("help.topic", since, topic=topic)
        else:
            await self._world.sleep(_LISTS_CLOSE_MS)
        return asked

    async def typify_in_call(
        self, contact: str, code: str, gap_ms: Callable[[], float] | None = None
    ) -> None:
        since = self.seen
        keys = self._code_keys(code, contact)
        if keys[0] == keying.BACK:
            raise DiademaError(f"{code} is not of the motive that {contact} has")
        if self.steps_left(contact):
            keys = [*self._call_menu(contact, "code"), *keys]
        else:
            keys = [keying.TYPIFY, *keys]
        await self.keys(keys, gap_ms)
        await self.expect("contact.typified", since, c=contact, code=code)

    async def typify_after(
        self, contact: str, code: str, gap_ms: Callable[[], float] | None = None
    ) -> None:
        """In the wrap-up, where the tree is open; ends it."""
        since = self.seen
        await self.keys(self._code_keys(code, contact), gap_ms)
        await self.expect("contact.typified", since, c=contact, code=code)
        await self.expect("wrapup.ended", since, c=contact)

    async def typify_later(self, contact: str, code: str) -> None:
        """The oldest of the calls that wait for their code."""
        since = self.seen
        flagged = self.happened("contact.typified", contact)
        await self.keys([keying.MENU, keying.FIRST, keying.FIRST, *self._code_keys(code, contact)])
        kind = "contact.retypified" if flagged else "contact.typified"
        await self.expect(kind, since, c=contact, code=code)

    def _code_keys(self, code: str, contact: str) -> list[int]:
        past = self.past
        return keying.code_keys(self.site["tree"], code, past.recent(), past.motive(contact))

    async def done(self, contact: str) -> None:
        """End the wrap-up of a contact that is typified already."""
        await self._by_key(keying.DONE, "wrapup.ended", contact)

    # --- the exchange -------------------------------------------------------------------------

    async def ring(self, contact: str, *, queue: str, limit_s: float = HOLD_LIMIT_S) -> None:
        """Offer a contact; a fast clock stands until it rings. Raises NotDelivered."""
        ring = {"cmd": "ring", "contact": contact, "direction": "in", "queue": queue}
        await self._command("contact.offered", ring, limit_s, c=contact)

    async def caller_hangs_up(self, contact: str, *, limit_s: float = HOLD_LIMIT_S) -> None:
        hang_up = {"cmd": "hangup", "contact": contact, "by": "caller"}
        await self._command("contact.ended", hang_up, limit_s, c=contact)

    async def withdraw(self, contact: str, *, limit_s: float = HOLD_LIMIT_S) -> None:
        withdraw = {"cmd": "withdraw", "contact": contact, "cause": "withdrawn"}
        await self._command("contact.missed", withdraw, limit_s, c=contact)

    async def help_comes(
        self, asked: Witnessed, state: str, by: str, *, limit_s: float = HOLD_LIMIT_S
    ) -> None:
        """A supervisor accepts the request, or has resolved it."""
        help_ = {"cmd": "help", "of": asked.n, "state": state, "by": by}
        of = [self.station.id, asked.e, asked.n]
        await self._command(f"help.{state}", help_, limit_s, of=of)

    async def _command(
        self, kind: str, body: dict[str, Any], limit_s: float, **fields: Any
    ) -> None:
        """Until the station wrote an event of that kind with these fields."""
        since = self.seen
        numbers: set[int] = set()

        def wanted(event: dict[str, Any]) -> bool:
            done = event["k"] == kind and fields.items() <= event.items()
            return done or (event["k"] == "command.refused" and event.get("i") in numbers)

        name = f"{body['cmd']} {body.get('contact', '')}".rstrip()
        deadline = time.monotonic() + limit_s
        with self._world.hold(name):
            while (left_s := deadline - time.monotonic()) > 0:
                if not numbers:
                    try:
                        numbers.add(await self._hub.command(self.desk.station, **body))
                    except HubUnreachable:
                        left_s = _AGAIN_S  # it may have been sent for all that: look, then ask
                seen = await self._answer(wanted, since, left_s)
                if seen is None:
                    continue
                if seen.event["k"] == kind:
                    return
                raise NotDelivered(f"{name}: refused, {seen.event['reason']}")
        raise NotDelivered(f"{name}: not answered within {limit_s:.0f} s")
