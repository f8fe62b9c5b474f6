"""Somebody at one simulated station: its power and keys, commands to it over the hub, and what is
known of it, which is what it wrote. Each method waits until that is there.
"""

import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from diadema.base.errors import DiademaError

from diadema_sim import menu_keys
from diadema_sim.hub_client import HubClient, HubUnreachable
from diadema_sim.people import Desk
from diadema_sim.station import NoPower
from diadema_sim.timeline import HOLD_LIMIT_S
from diadema_sim.witness import Witnessed
from diadema_sim.world import World

_WORK = {
    "contact.offered": "offered",
    "contact.dialed": "dialing",
    "contact.answered": "talking",
    "contact.held": "held",
    "contact.resumed": "talking",
    "contact.consulted": "consulting",
    "contact.consult_ended": "held",
    "contact.transferred": "talking",  # a conference; another one ends the call
    "contact.missed": "idle",
    "contact.ended": "wrapup",
    "wrapup.ended": "idle",
    "session.closed": "idle",
}
_CODES = ("contact.typified", "contact.retypified")
_RESOLVED = {"help.resolved": "help.rated", "fault.resolved": "fault.confirmed"}
_UNCODED = "SIN_TIPIFICAR"
_RECENT = 8
_WAITING = 3
_NEVER_MS = 0


class StationHistory:
    """What the events of one station say of its agent's day. `events` grows as it writes on."""

    def __init__(self, events: Sequence[Witnessed]) -> None:
        self._events = events

    @property
    def presence(self) -> str:
        last = self._last(lambda event: event["k"] == "presence.changed")
        return str(last["to"]) if last else "logged_out"

    @property
    def work(self) -> tuple[str, str | None]:
        last = self._last(
            lambda event: (
                event["k"] in _WORK
                and (event["k"] != "contact.transferred" or event["kind"] == "conference")
                and event.get("completed") is not False
            )
        )
        if last is None:
            return "idle", None
        work = _WORK[last["k"]]
        if last.get("dial_result") or last.get("by") == "technical":
            work = "idle"  # no talk, no wrap-up
        elif last.get("result") == "back":
            work = "talking"
        return work, last.get("c")

    def kinds_since(self, since: int) -> set[str]:
        """What was written from event `since` on."""
        return {seen.event["k"] for seen in self._events[since:]}

    def happened(self, kind: str, contact: str, by: tuple[str, ...] = ()) -> bool:
        event = self._last(lambda event: event["k"] == kind and event.get("c") == contact)
        return event is not None and (not by or event.get("by") in by)

    def answered_ms(self, contact: str) -> int:
        """When; 0 for a call that was not answered."""
        seen = self._newest(
            lambda event: event["k"] == "contact.answered" and event["c"] == contact
        )
        return seen.at_ms if seen else _NEVER_MS

    def last_change_ms(self) -> int:
        """When the newest change came that was not the person's own: a command's, or time's."""
        seen = self._newest(
            lambda event: (
                "i" in event
                or event.get("by") == "system"
                or event.get("cause") == "timeout"
                or event["k"] in ("contact.missed", "session.opened")
            )
        )
        return seen.at_ms if seen else _NEVER_MS

    def recent_codes(self) -> list[str]:
        """The codes that the agent gave last at this station, the newest first."""
        codes: list[str] = []
        agent = None
        for seen in self._events:
            event = seen.event
            if event["k"] == "session.opened" and event["a"] != agent:
                agent = event["a"]
                codes = []
            elif event["k"] in _CODES and event["code"] != _UNCODED:
                codes = [event["code"], *codes[: _RECENT - 1]]
        return codes

    def uncoded_contacts(self) -> list[str]:
        """The calls that can still get a code, the oldest first."""
        calls: list[str] = []
        coded: set[str] = set()
        agent = None
        for seen in self._events:
            event = seen.event
            if event["k"] == "session.opened" and event["a"] != agent:
                agent = event["a"]
                calls = []
            elif event["k"] in _CODES and event["code"] != _UNCODED:
                coded.add(event["c"])
                calls = [call for call in calls if call != event["c"]]
            elif event["k"] == "wrapup.ended" and event["c"] not in coded:
                calls += [event["c"]] * (event["cause"] != "agent")
        return calls[-_WAITING:]

    @property
    def questioned(self) -> bool:
        """Whether the station may ask if a help served or a fault is mended."""
        owed: set[tuple[str, int]] = set()
        for seen in self._events:
            kind = seen.event["k"]
            if kind == "session.opened":
                owed.clear()
            elif kind in _RESOLVED:
                owed.add((_RESOLVED[kind], seen.event["of"][2]))
            elif kind in _RESOLVED.values():
                owed.discard((kind, seen.event["of"][2]))
        return bool(owed)

    def pbx(self, contact: str) -> str | None:
        """The number that the switch gave the call, of a contact that it offered."""
        ring = self._last(lambda event: event["k"] == "contact.offered" and event["c"] == contact)
        return ring.get("pbx") if ring else None

    def motive(self, contact: str) -> str | None:
        last = self._last(lambda event: event["k"] == "contact.motive" and event["c"] == contact)
        return str(last["motive"]) if last else None

    def steps_left(self, contact: str, campaigns: list[dict[str, Any]]) -> int:
        """How many steps of its campaign's protocol can still be ticked."""
        begun = self._last(
            lambda event: (
                event["k"] in ("contact.offered", "contact.dialed") and event["c"] == contact
            )
        )
        named = begun.get("campaign") if begun else None
        rows = [row for row in campaigns if row["code"] == named] or campaigns[:1]
        done = {
            seen.event["step"]
            for seen in self._events
            if seen.event["k"] == "contact.step" and seen.event["c"] == contact
        }
        return sum(
            step["step"] not in done and not (step["automatic"] and step["step"] == "closing")
            for row in rows
            for step in row["steps"]
        )

    def _last(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
        seen = self._newest(wanted)
        return seen.event if seen else None

    def _newest(self, wanted: Callable[[dict[str, Any]], bool]) -> Witnessed | None:
        return next((seen for seen in reversed(self._events) if wanted(seen.event)), None)


GESTURE_MS = 5_000  # of the run: what a key or a badge does is journaled by then
LOOK_MS = 20
# a screen that changed by itself takes no soft key before that, nor a list the key that opened it
SETTLED_MS = 500
_SLICE_S = 1.0  # how often a wait looks whether the station still has power
_AGAIN_S = 1.0  # between two attempts at a hub that does not answer
_START_LIMIT_S = 120.0  # of a busy machine
_REACH_LOOK_MS = 500
_REACH_LIMIT_MS = 20 * 60_000  # of the run, without a link


class PowerLost(DiademaError):
    """The station went dark, or came back from it, in the middle of a gesture."""


class NoResponse(DiademaError):
    """The station did not write what the gesture means."""


class NotDelivered(DiademaError):
    """The hub could not bring a command to the station within the limit, or it was refused."""


class StationUser:
    """One person at one station of `world`. Not for two tasks at a time."""

    def __init__(self, world: World, hub: HubClient, desk: Desk, site: dict[str, Any]) -> None:
        """`site`: the content of the site's file."""
        self.desk = desk
        self.station = world.stations[desk.station]
        self.site = site
        self.history = StationHistory(world.witness.events(desk.station))
        self.world = world
        self._hub = hub
        self._looked_at = 0  # events before this one hold no restart that the person missed
        self._pressed = (0, 0)  # the last key, and when it was let go

    # --- what the station wrote ---------------------------------------------------------------

    @property
    def seen(self) -> int:
        """How many events the station has journaled."""
        return len(self.world.witness.events(self.desk.station))

    @property
    def presence(self) -> str:
        return self.history.presence

    @property
    def work(self) -> tuple[str, str | None]:
        """(idle or one of `agent_states.WORK`; the contact)."""
        return self.history.work

    def happened(self, kind: str, contact: str, by: tuple[str, ...] = ()) -> bool:
        """Whether the contact has such an event, by one of these if any are named."""
        return self.history.happened(kind, contact, by)

    @property
    def patience_ms(self) -> float:
        """Of the run, in which a gesture is answered. A fast run waits some seconds of its own
        time: it would be weeks on before real ones pass.
        """
        return 1000 * HOLD_LIMIT_S * self.world.timeline.speed or GESTURE_MS

    async def expect(self, kind: str, since: int, **fields: Any) -> Witnessed:
        """The first such event from `since` on. Raises NoResponse."""
        events = self.world.witness.events(self.desk.station)
        limit_ms = self.patience_ms
        deadline_ms = self.world.now_ms() + limit_ms
        while True:
            self._notice_restart()
            if not self.station.powered:
                raise PowerLost(f"{self.desk.seat} lost its power")
            for seen in events[since:]:
                if seen.event["k"] == kind and fields.items() <= seen.event.items():
                    return seen
            if self.world.now_ms() >= deadline_ms:
                raise NoResponse(
                    f"{self.desk.seat} ({self.desk.station}) wrote no {kind} {fields or ''} in "
                    f"{limit_ms / 1000:.0f} s; its last events: {self._tail()}"
                )
            await self.world.sleep(LOOK_MS)

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
                found = await self.world.wait_event(
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
                raise self._restarted(found.event)
        return None

    def _notice_restart(self) -> None:
        """Raises PowerLost if the station was started anew since the person last looked."""
        events = self.world.witness.events(self.desk.station)
        new, self._looked_at = events[self._looked_at :], len(events)
        for seen in new:
            if seen.event["k"] == "station.booted":
                raise self._restarted(seen.event)

    def _restarted(self, booted: dict[str, Any]) -> PowerLost:
        return PowerLost(f"{self.desk.seat} was started anew: {booted['cause']}")

    def _tail(self) -> str:
        events = self.world.witness.events(self.desk.station)[-4:]
        return ", ".join(seen.event["k"] for seen in events) or "none"

    async def switch_on(self) -> None:
        """Give the station power; back when it and the hub have found each other in this boot."""
        events = self.world.witness.events(self.desk.station)
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
                raise NoResponse(
                    f"{self.desk.seat} ({self.desk.station}) and its hub did not find each other "
                    f"within {_START_LIMIT_S:.0f} s; its last events: {self._tail()}"
                )
            with contextlib.suppress(TimeoutError):
                await self.world.wait_event(
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
                await self.world.sleep(gap_ms())
            if key >= menu_keys.FIRST:
                await self.notice_screen_change()
            if key == self._pressed[0]:
                await self.world.sleep_until(self._pressed[1] + SETTLED_MS)  # no double press
            self._notice_restart()
            while not await self.if_powered(self.station.press(key)):
                self._notice_restart()  # no light answered: once more
            self._pressed = (key, self.world.now_ms())

    async def notice_screen_change(self) -> None:
        """Give a change of the screen that the agent did not cause its time before a soft key."""
        await self.world.sleep_until(self.history.last_change_ms() + SETTLED_MS)

    async def if_powered[T](self, movement: Awaitable[T]) -> T:
        """Await what a hand does at the station. Raises PowerLost where it has no power."""
        try:
            return await movement
        except NoPower as error:
            if self.station.crash:
                raise
            raise PowerLost(str(error)) from error

    # --- the exchange -------------------------------------------------------------------------

    async def ring(
        self, contact: str, *, queue: str, pbx: str | None = None, limit_s: float = HOLD_LIMIT_S
    ) -> None:
        """Offer a contact; a fast clock stands until it rings. Raises NotDelivered. `pbx`: the
        switch's own number of the call, where it has a log.
        """
        ring = {"cmd": "ring", "contact": contact, "direction": "in", "queue": queue}
        ring |= {"pbx": pbx} if pbx else {}
        await self._command("contact.offered", ring, limit_s, c=contact)

    async def caller_hangs_up(self, contact: str, *, limit_s: float = HOLD_LIMIT_S) -> None:
        hang_up = {"cmd": "hangup", "contact": contact, "by": "caller"}
        await self._command("contact.ended", hang_up, limit_s, c=contact)

    async def withdraw(self, contact: str, *, limit_s: float = HOLD_LIMIT_S) -> None:
        withdraw = {"cmd": "withdraw", "contact": contact, "cause": "withdrawn"}
        await self._command("contact.missed", withdraw, limit_s, c=contact)

    async def help_comes(
        self, request: Witnessed, state: str, by: str, *, limit_s: float = HOLD_LIMIT_S
    ) -> None:
        """A supervisor accepts the request, or has resolved it."""
        help_ = {"cmd": "help", "of": request.sequence, "state": state, "by": by}
        of = [self.station.id, request.epoch, request.sequence]
        await self._command(f"help.{state}", help_, limit_s, of=of)

    async def _in_reach(self, name: str) -> None:
        """Until a link leads to the station: while the clock stands, none would come."""
        limit_ms = self.world.now_ms() + _REACH_LIMIT_MS
        while not self.station.reachable and not self.world.timeline.speed:
            self._notice_restart()
            if not self.station.powered:
                raise PowerLost(f"{self.desk.seat} lost its power")
            if self.world.now_ms() >= limit_ms:
                raise NotDelivered(f"{name}: no link for {_REACH_LIMIT_MS // 60_000} min")
            await self.world.sleep(_REACH_LOOK_MS)

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
        await self._in_reach(name)
        deadline = time.monotonic() + limit_s
        with self.world.hold(name):
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
