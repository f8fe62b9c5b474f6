"""What a person does at one simulated station, one gesture a method: badge, keys, nothing else.

Each waits until the station has journaled what the gesture means, so that a driver reads like a
work day. What it knows of the station is what the station wrote. Only `ring` and
`caller_hangs_up` come from the exchange's side, over the hub.
"""

import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from diadema.errors import DiademaError
from diadema.sim import keying
from diadema.sim.hub_client import HubClient, HubUnreachable
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
_WORK = {
    "contact.offered": "offered",
    "contact.dialed": "dialing",
    "contact.answered": "talking",
    "contact.held": "held",
    "contact.resumed": "talking",
    "contact.missed": "idle",
    "contact.ended": "wrapup",
    "wrapup.ended": "idle",
    "session.closed": "idle",
}


class PowerLost(DiademaError):
    """The station went dark, or came back from it, in the middle of a gesture."""


class Silent(DiademaError):
    """The station did not write what the gesture means."""


class NotDelivered(DiademaError):
    """The hub could not bring a command to the station within the limit, or it was refused."""


class AtDesk:
    """One person at one station of `world`. Not for two tasks at a time."""

    def __init__(
        self, world: World, hub: HubClient, desk: Desk, tree: dict[str, Any], reasons: list[Any]
    ) -> None:
        self.desk = desk
        self.station = world.stations[desk.station]
        self._world = world
        self._hub = hub
        self._tree = tree
        self._reasons = reasons
        self._looked_at = 0  # events before this one hold no restart that the person missed

    # --- what the station wrote ---------------------------------------------------------------

    @property
    def seen(self) -> int:
        """How many events the station has journaled."""
        return len(self._world.witness.events(self.desk.station))

    @property
    def presence(self) -> str:
        last = self._last(lambda event: event["k"] == "presence.changed")
        return str(last["to"]) if last else "logged_out"

    @property
    def work(self) -> tuple[str, str | None]:
        """(idle, offered, dialing, talking, held or wrapup; the contact)."""
        last = self._last(lambda event: event["k"] in _WORK)
        return (_WORK[last["k"]], last.get("c")) if last else ("idle", None)

    def happened(self, kind: str, contact: str, by: tuple[str, ...] = ()) -> bool:
        """Whether the contact has such an event, by one of these if any are named."""
        event = self._last(lambda event: event["k"] == kind and event.get("c") == contact)
        return event is not None and (not by or event.get("by") in by)

    def _last(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
        events = reversed(self._world.witness.events(self.desk.station))
        return next((seen.event for seen in events if wanted(seen.event)), None)

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
            self._notice_restart()
            await self._by_hand(self.station.press(key))

    async def _by_hand(self, movement: Awaitable[None]) -> None:
        try:
            await movement
        except NoPower as error:
            if self.station.crash:
                raise
            raise PowerLost(str(error)) from error

    async def log_in(self) -> None:
        since = self.seen
        await self._by_hand(self.station.tap(self.desk.person.badge))
        await self.expect("session.opened", since, a=self.desk.person.id)
        await self.expect("presence.changed", since, to="not_ready")

    async def log_out(self) -> None:
        since = self.seen
        await self._by_hand(self.station.tap(self.desk.person.badge))
        await self.expect("session.closed", since)
        await self.expect("presence.changed", since, to="logged_out")

    async def get_ready(self) -> None:
        since = self.seen
        await self.keys([keying.READY])
        await self.expect("presence.changed", since, to="ready")

    async def pause(self, reason: str, gap_ms: Callable[[], float] | None = None) -> None:
        """From ready to a reason of not being so."""
        since = self.seen
        await self.keys([keying.PAUSE, *keying.reason_keys(self._reasons, reason)], gap_ms)
        await self.expect("presence.changed", since, to="not_ready", reason=reason)

    async def answer(self, contact: str) -> Witnessed:
        since = self.seen
        await self.keys([keying.ANSWER])
        return await self.expect("contact.answered", since, c=contact)

    async def hang_up(self, contact: str) -> Witnessed:
        since = self.seen
        await self.keys([keying.HANG_UP])
        return await self.expect("contact.ended", since, c=contact)

    async def mute(self, contact: str) -> None:
        await self._toggle(keying.MUTE, "contact.muted", contact)

    async def unmute(self, contact: str) -> None:
        await self._toggle(keying.MUTE, "contact.unmuted", contact)

    async def hold(self, contact: str) -> None:
        await self._toggle(keying.HOLD, "contact.held", contact)

    async def resume(self, contact: str) -> None:
        await self._toggle(keying.HOLD, "contact.resumed", contact)

    async def _toggle(self, key: int, kind: str, contact: str) -> None:
        since = self.seen
        await self.keys([key])
        await self.expect(kind, since, c=contact)

    async def typify_in_call(
        self, contact: str, code: str, gap_ms: Callable[[], float] | None = None
    ) -> None:
        since = self.seen
        await self.keys([keying.TYPIFY, *keying.code_keys(self._tree, code)], gap_ms)
        await self.expect("contact.typified", since, c=contact, code=code)

    async def typify_after(
        self, contact: str, code: str, gap_ms: Callable[[], float] | None = None
    ) -> None:
        """In the wrap-up, where the tree is open; ends it."""
        since = self.seen
        await self.keys(keying.code_keys(self._tree, code), gap_ms)
        await self.expect("contact.typified", since, c=contact, code=code)
        await self.expect("wrapup.ended", since, c=contact)

    async def done(self, contact: str) -> None:
        """End the wrap-up of a contact that is typified already."""
        since = self.seen
        await self.keys([keying.DONE])
        await self.expect("wrapup.ended", since, c=contact)

    # --- the exchange -------------------------------------------------------------------------

    async def ring(self, contact: str, *, queue: str, limit_s: float = HOLD_LIMIT_S) -> None:
        """Offer a contact; a fast clock stands until it rings. Raises NotDelivered."""
        ring = {"cmd": "ring", "contact": contact, "direction": "in", "queue": queue}
        await self._command("contact.offered", contact, ring, limit_s)

    async def caller_hangs_up(self, contact: str, *, limit_s: float = HOLD_LIMIT_S) -> None:
        hang_up = {"cmd": "hangup", "contact": contact, "by": "caller"}
        await self._command("contact.ended", contact, hang_up, limit_s)

    async def withdraw(self, contact: str, *, limit_s: float = HOLD_LIMIT_S) -> None:
        withdraw = {"cmd": "withdraw", "contact": contact, "cause": "withdrawn"}
        await self._command("contact.missed", contact, withdraw, limit_s)

    async def _command(
        self, kind: str, contact: str, body: dict[str, Any], limit_s: float
    ) -> None:
        since = self.seen
        numbers: set[int] = set()

        def wanted(event: dict[str, Any]) -> bool:
            done = event["k"] == kind and event.get("c") == contact
            return done or (event["k"] == "command.refused" and event.get("i") in numbers)

        name = f"{body['cmd']} {contact}"
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
