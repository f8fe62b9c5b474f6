"""Live listening: who hears a call at a station through the telephone exchange, and until when.

Another says who may (`Decide`), the bridge who really does. Here the station is told where its
agent is to see it, what may not go on is ended, and each listening, also one that was begun at the
exchange itself, is in the register: nobody hears what cannot be written down.
"""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from diadema.base.errors import DiademaError
from diadema.hub.commanding import Commands, Frames, New, cut
from diadema.hub.own_journal import OwnJournal, Recorded, Refused, SupervisorAction
from diadema.hub.switching import Switching
from diadema.ingest.core import Ingest
from diadema.store import Reader, StoreStale, StoreUnavailable
from diadema.store.assistance import Key
from diadema.store.quality import listenings
from diadema.store.rows import Contact
from diadema.wire.letters import LETTERS, By
from diadema.wire.switching import Listen, ListenerState, Mode, Report

QUALITY = "quality"  # a name that the station says in its agent's language
RULE = "rule:listening"  # no account is called so
CONFIRMS_S = 2.0  # in which a station has told its agent
AWAY_S = 10.0  # a link that is away for so long may hide what the agent does
_EVERY_S = 0.2
_SAYS_S = 4.0  # in which a station says that the call is over
_AGAIN_S = 1.0  # after which the bridge is asked once more to end one
_RINGS_S = 40.0  # of which the bridge knows nothing for so long was never there
_BEGINS_S = 15.0  # after the hub's own beginning the bridge may still be on its way
_DAY_MS = 86_400_000
_MOST = 1000
_ON_THE_LINE = ("talking", "held", "consulting")
_BY_THE_LISTENER = ("stopped", "hung_up")

log = logging.getLogger("diadema.ingest")


class Ask(Struct, kw_only=True, forbid_unknown_fields=True, rename=LETTERS):
    """Account `by`, called `who`, would hear the call in which that agent is; `contact`: that one
    and no other.
    """

    by: By
    who: str = ""
    agent: str
    contact: str | None = None
    mode: Mode
    purpose: Annotated[str, Meta(min_length=1, max_length=16)]


class Granted(Struct, frozen=True):
    """`announced`: the station says so while it lasts, in the name `who`."""

    announced: bool
    who: str = QUALITY


class _Said(Struct, rename=LETTERS):
    """Of a station."""

    station: str
    kind: str = msgspec.field(name="k")
    contact: str | None = None
    i: int | None = None
    state: str | None = None


class _Live(Struct, kw_only=True):
    """One that rings or is heard. `of`: its listening.started; `order`: the number of the command
    that told its agent, who is to know by `confirm_by`. `cause`: why it is to end, for which the
    bridge was last asked at `ended_at`.
    """

    listening: str
    by: str
    station: str
    agent: str
    contact: str
    call: Key
    via: Literal["switch", "outside"] = "switch"
    mode: Mode | None = None
    purpose: str | None = None
    granted: Granted = Granted(False)
    began: float = 0.0
    of: Key | None = None
    since_utc: int = 0
    order: int = 0
    confirmed: bool = False
    confirm_by: float = 0.0
    away_since: float | None = None
    unheard_since: float | None = None
    cause: str = ""
    ended_at: float = 0.0


class Shown(Struct):
    """For whoever looks. `since_utc` None: the telephone rings; `confirmed`: the station has told
    its agent, who is to see it (`announced`).
    """

    listening: str
    by: str
    a: str
    c: str
    via: str
    mode: str | None
    purpose: str | None
    announced: bool
    confirmed: bool
    since_utc: int | None


type Decide = Callable[[Ask, Contact], Granted]
"""Whether that may be. Raises Refused, whose `error` is the reason in the register."""

_decode = msgspec.json.Decoder(_Said).decode


class ListeningDesk:
    """`bridge` asks the bridge, and raises Refused; `recorded` and `send` are the server's. What
    the bridge says comes by `hear_bridge`, what stations did by `hear_stations`.
    """

    def __init__(
        self,
        ingest: Ingest,
        commands: Commands,
        reader: Reader,
        switching: Switching,
        decide: Decide,
        *,
        bridge: Callable[[Listen], Awaitable[dict[str, Any]]],
        recorded: Callable[[Recorded], Awaitable[None]],
        send: Callable[[Frames], Awaitable[None]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ingest, self._commands, self._switching = ingest, commands, switching
        self._decide, self._bridge = decide, bridge
        self._recorded, self._send, self._monotonic = recorded, send, monotonic
        self._journal = OwnJournal(ingest, commands)
        self._live: dict[str, _Live] = {}
        self._over: dict[str, None] = {}  # those of others, which the bridge tells of a while yet
        self._strays: dict[str, float] = {}  # what the bridge has as ours, and is not; when ended
        self._report: Report | None = None
        self._woken = asyncio.Event()
        self._began = monotonic()
        self._take_up(reader)

    def _take_up(self, reader: Reader) -> None:
        """What went on when a hub ended before this one: nobody told stations meanwhile."""
        with reader.engine.connect() as tx:
            known = listenings(tx, start_utc=self._ingest.clock.now_ms() - _DAY_MS)
        for one in known:
            began = one.began
            if began.kind != "started" or began.source != "live" or began.listening is None:
                continue
            if one.ended is not None:
                self._over[began.listening] = None
                continue
            call = (began.call_s or "", began.call_e or 0, began.call_n or 0)
            contact = self._contact(call)
            self._live[began.listening] = _Live(
                listening=began.listening,
                by=began.by,
                station=call[0],
                agent=began.agent or "",
                contact=contact.contact if contact else "",
                call=call,
                via="outside" if began.via == "outside" else "switch",
                granted=Granted(bool(began.announced), _sign_of(contact)),
                of=(began.station, began.epoch, began.sequence),
                since_utc=began.utc,
                order=1 if began.announced else 0,
                confirmed=True,
                cause="" if began.via == "outside" else "restarted",
            )

    # -- asked

    async def begin(self, body: dict[str, Any]) -> dict[str, Any]:
        """That account's telephone rings; what is refused is in the register. Raises Refused,
        ValidationError, StoreUnavailable, StoreStale.
        """
        ask = msgspec.convert(body, Ask)
        if not self._switching.is_up:
            raise Refused("no_switch", "no bridge to the exchange, or it is away", 503)
        contact = self._call_of(ask)
        if any(one.by == ask.by for one in self._live.values()):
            raise Refused("listening_already", f"{ask.by} listens to another call already")
        try:
            granted = self._look(ask, contact)
        except Refused as refused:
            said = {"mode": ask.mode, "purpose": ask.purpose, "reason": refused.error[:24]}
            about = {"a": contact.agent, "call": _key(contact), "source": "live"}
            await self._recorded(self._record("listening.refused", ask.by, **about, **said))
            raise
        live = _Live(
            listening=secrets.token_hex(6),
            by=ask.by,
            station=contact.station,
            agent=contact.agent,
            contact=contact.contact,
            call=_key(contact),
            mode=ask.mode,
            purpose=ask.purpose,
            granted=granted,
            began=self._monotonic(),
        )
        self._live[live.listening] = live
        wanted = Listen(listening=live.listening, call=live.contact, by=live.by, mode=live.mode)
        try:
            answer = await self._bridge(wanted)
        except DiademaError:
            self._live.pop(live.listening, None)
            raise
        if "error" in answer:
            self._live.pop(live.listening, None)
            return answer
        return {"listening": live.listening}

    def end(self, listening: str, by: str) -> None:
        """Raises Refused. It has ended when the bridge says so."""
        live = self._live.get(listening)
        if live is None or live.via == "outside":
            raise Refused("no_such_listening", "nobody listens by that name", 404)
        if live.by != by:
            raise Refused("not_yours", f"{live.by} listens, and ends it", 403)
        self._stop(live, "stopped")

    def shown(self) -> list[Shown]:
        return [
            Shown(
                one.listening, one.by, one.agent, one.contact, one.via, one.mode, one.purpose,
                one.granted.announced, one.confirmed,
                one.since_utc if one.of is not None else None,
            )
            for one in self._live.values()
        ]  # fmt: skip

    def _call_of(self, ask: Ask) -> Contact:
        for station in self._ingest.stations.values():
            for one in station.state.open:
                its = one.agent == ask.agent and ask.contact in (None, one.contact)
                if its and one.phase in _ON_THE_LINE:
                    return one
        raise Refused("no_call", f"{ask.agent} talks with nobody just now", 409, a=ask.agent)

    def _look(self, ask: Ask, contact: Contact) -> Granted:
        """Whether the call can be heard now, and this account may."""
        if contact.more is not None and contact.more.paused_u is not None:
            raise Refused("recording_paused", "what is said now is not to be recorded or heard")
        granted = self._decide(ask, contact)
        if granted.announced and self._ingest.station(contact.station).link == "lost":
            raise Refused("link_lost", "its station cannot tell the agent: it is not connected")
        return granted

    # -- heard

    def hear_bridge(self, report: Report) -> None:
        self._report = report
        self._woken.set()

    def hear_stations(self, bodies: Iterable[bytes]) -> None:
        """What these did, in order, once it is stored."""
        if self._live:
            for body in bodies:
                self._hear(_decode(body))

    def _hear(self, said: _Said) -> None:
        for live in self._live.values():
            if live.station != said.station:
                continue
            if said.kind == "command.refused" and said.i == live.order != 0:
                self._stop(live, "not_confirmed")
            if live.contact != said.contact:
                continue
            match said.kind:
                case "contact.listened" if said.state == "on":
                    live.confirmed = live.confirmed or said.i == live.order != 0
                case "contact.recording_paused" if live.via != "outside":
                    self._stop(live, "recording_paused")
                case "contact.ended":
                    self._stop(live, "call_ended")

    def _stop(self, live: _Live, cause: str) -> None:
        live.cause = live.cause or cause
        self._woken.set()

    # -- by the clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_EVERY_S):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            try:
                await self.step()
            except (StoreUnavailable, StoreStale) as error:
                log.warning("the register of listening waits: %s", error)
            except Exception:  # a fault of ours in one step must not stop the next
                log.exception("a step of live listening failed")

    async def step(self) -> None:
        """Raises StoreUnavailable or StoreStale; then what was not written is still due."""
        now = self._monotonic()
        if self._switching.is_up and self._report is not None:
            await self._follow(self._report, now)
        elif now - self._began > _BEGINS_S:
            await self._lose_bridge()
        for live in self._live.values():
            self._look_at(live, now)
        await self._end_what_is_due(now)

    async def _follow(self, report: Report, now: float) -> None:
        there = set[str]()
        for state in report.listeners:
            live = self._of(report, state)
            if live is None:
                if state.listening and state.until_utc_ms is None:
                    self._strays.setdefault(state.listening, 0.0)
                continue
            there.add(live.listening)
            if state.since_utc_ms is not None:
                live.since_utc = state.since_utc_ms
                if live.of is None:
                    await self._start(live)
            if state.until_utc_ms is not None and not self._may_be_over(live, now):
                await self._close(live, state.until_utc_ms, "hung_up")
        named = {one.listening for one in report.listeners if one.until_utc_ms is None}
        self._strays = {one: at for one, at in self._strays.items() if one in named}
        for live in [*self._live.values()]:
            if live.listening in there:
                continue
            if live.of is not None or now - live.began > _RINGS_S:
                await self._close(live, self._ingest.clock.now_ms(), "bridge")

    def _may_be_over(self, live: _Live, now: float) -> bool:
        """Nobody hears it any more: whether its station, which may yet say that the call is over
        too, is waited for. With the call the exchange ends whoever hears it.
        """
        if live.cause or live.of is None or self._contact(live.call) is None:
            return False
        live.unheard_since = now if live.unheard_since is None else live.unheard_since
        return now - live.unheard_since < _SAYS_S

    def _of(self, report: Report, state: ListenerState) -> _Live | None:
        """None for what is over, and for a call that nobody here knows."""
        if state.listening:
            return self._live.get(state.listening)
        listening = _outside(report.name, state.spyer)
        if listening in self._over or state.since_utc_ms is None:
            return None
        live = self._live.get(listening)
        contact = next(self._open(state.call), None) if live is None else None
        if contact is not None:
            live = self._live[listening] = _Live(
                listening=listening,
                by=RULE,
                station=contact.station,
                agent=contact.agent,
                contact=contact.contact,
                call=_key(contact),
                via="outside",
            )
        return live

    async def _lose_bridge(self) -> None:
        """Whoever listens past us may go on, of which it tells when it is back."""
        for live in [*self._live.values()]:
            if live.via != "outside" or live.cause:
                await self._close(live, self._ingest.clock.now_ms(), "bridge")

    def _look_at(self, live: _Live, now: float) -> None:
        if live.of is None or not live.granted.announced:
            return
        if not live.confirmed and now >= live.confirm_by:
            self._stop(live, "not_confirmed")
        if self._ingest.station(live.station).link != "lost":
            live.away_since = None
        elif live.away_since is None:
            live.away_since = now
        elif now - live.away_since >= AWAY_S:
            self._stop(live, "link_lost")

    async def _end_what_is_due(self, now: float) -> None:
        due = []
        for live in [*self._live.values()]:
            if not live.cause:
                continue
            if live.via == "outside":
                await self._close(live, self._ingest.clock.now_ms(), live.cause)
            elif now - live.ended_at >= _AGAIN_S:
                live.ended_at = now
                due.append(live.listening)
        for listening, at in self._strays.items():
            if now - at >= _AGAIN_S:
                self._strays[listening] = now
                due.append(listening)
        await asyncio.gather(*map(self._ask_to_end, due))

    async def _ask_to_end(self, listening: str) -> None:
        try:
            answer = await self._bridge(Listen(listening=listening))
        except Refused as error:
            answer = {"error": error.error}
        if "error" in answer:
            log.warning("the bridge did not end a listening: %s", answer)

    # -- the register, and what the station says

    async def _start(self, live: _Live) -> None:
        """Somebody hears the call from now on."""
        try:
            if live.granted.announced and not live.order:
                await self._tell(live, "on", round(CONFIRMS_S * 1000))
                live.confirm_by = self._monotonic() + CONFIRMS_S
            done = self._record(
                "listening.started",
                live.by,
                listening=live.listening,
                a=live.agent,
                call=live.call,
                source="live",
                mode=live.mode,
                purpose=live.purpose,
                via=live.via,
                announced=live.granted.announced,
            )
        except (StoreUnavailable, StoreStale):
            self._stop(live, "no_register")
            raise
        live.of = done.of[0]
        await self._recorded(done)

    async def _close(self, live: _Live, until_utc: int, cause: str) -> None:
        """It is over; nobody heard it whose telephone was not lifted."""
        cause = live.cause or cause
        shows = live.order and live.contact and cause != "call_ended"
        if shows and not self._is_named(live):
            await self._tell(live, "off")
            live.order = 0
        done = None
        if live.of is not None:
            heard_ms = min(max(until_utc - live.since_utc, 0), _DAY_MS)
            by = live.by if cause in _BY_THE_LISTENER else RULE
            done = self._record("listening.ended", by, of=live.of, heard_ms=heard_ms, cause=cause)
        self._live.pop(live.listening, None)
        self._over[live.listening] = None
        if len(self._over) > _MOST:
            del self._over[next(iter(self._over))]
        if done is not None:
            await self._recorded(done)

    def _is_named(self, live: _Live) -> bool:
        """Somebody else hears that call under the same name."""
        its = (live.contact, live.granted.who)
        others = (one for one in self._live.values() if one.order and one is not live)
        return any((one.contact, one.granted.who) == its for one in others)

    async def _tell(self, live: _Live, state: str, life_ms: int | None = None) -> None:
        fields = {"contact": live.contact, "state": state, "who": cut(live.granted.who)}
        new = New(live.station, "listened", fields, life_ms=life_ms)
        live.order, frames = self._commands.order(new)
        await self._send(frames)

    def _record(self, kind: str, by: str, **fields: Any) -> Recorded:
        return self._journal.record([SupervisorAction([(kind, {"by": by, **fields})])])

    # -- calls

    def _open(self, contact: str) -> Iterator[Contact]:
        for station in self._ingest.stations.values():
            yield from (one for one in station.state.open if one.contact == contact)

    def _contact(self, key: Key) -> Contact | None:
        station = self._ingest.stations.get(key[0])
        its = station.state.open if station is not None else []
        return next((one for one in its if _key(one) == key), None)


def _key(contact: Contact) -> Key:
    return contact.station, contact.epoch, contact.sequence


def _sign_of(contact: Contact | None) -> str:
    """In whose name the station says that the call is heard."""
    listened = contact.more.listened if contact is not None and contact.more is not None else []
    return next((one.who for one in listened if one.end_u is None and one.who), QUALITY)


def _outside(exchange: str, spyer: str) -> str:
    """The name of a listening that has none: the same whenever it is told."""
    return hashlib.sha256(f"{exchange} {spyer}".encode()).hexdigest()[:12]
