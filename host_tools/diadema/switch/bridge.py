"""Joins stations and exchange: who rings where, what a key does to a call, who is in a queue.

A station's event is what its agent did and is already stored; the exchange is made to follow.
What the exchange says goes to whom it is about: calls, members, or the hub's store.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.switch.calls import Calls
from diadema.switch.dialing import Guard
from diadema.switch.ends import Ends, Hub
from diadema.switch.exchange import (
    Consulted,
    Dialed,
    Down,
    Ended,
    Exchange,
    Heard,
    Joined,
    Listener,
    Listening,
    MemberElsewhere,
    MemberSeen,
    Offered,
    PhoneFailed,
    PhoneSeen,
    SwitchError,
    SwitchEvent,
    Up,
    Withdrawn,
    remember,
)
from diadema.switch.journal import Journal
from diadema.switch.members import Members
from diadema.switch.names import Names
from diadema.wire.events import Event
from diadema.wire.switching import (
    MOST,
    NAMED,
    REPORT_BYTES,
    Floor,
    Listen,
    ListenerState,
    QueueState,
    Report,
    SeatState,
)
from diadema.words import Sentence

_UNWRITTEN = 10_000  # events that wait for a disk
_STALE_MS = 60_000  # an event this old tells of what was, as from a flash read later

log = logging.getLogger("diadema.switch")


class Bridge:
    def __init__(
        self,
        names: Callable[[], Names],
        journal: Journal,
        clock: Clock,
        *,
        puts_right: bool,
        guard: Guard,
        reference: Callable[[str], str | None],
        listeners: Mapping[str, str],
    ) -> None:
        """Its parts say what these are. `listeners`: by account, the telephone to listen at."""
        self._ends = Ends(names, journal, clock)
        self._members = Members(self._ends, puts_right=puts_right)
        self._calls = Calls(self._ends, self._members, guard=guard, reference=reference)
        self.trouble, self.dial = self._ends.trouble, self._calls.dial
        self._listeners = listeners
        self.unsent = asyncio.Event()  # the journal has something to send
        self._waiting: dict[str, dict[str, None]] = {}  # by queue, who does
        self._unwritten: deque[Event] = deque(maxlen=_UNWRITTEN)
        self._since_ms = clock.now_ms()  # of `is_up`
        self._why: list[Any] = []  # it is not

    @property
    def exchange(self) -> Exchange:
        return self._ends.exchange

    def join(self, exchange: Exchange, hub: Hub) -> None:
        """Before anything is heard of either."""
        self._ends.exchange, self._ends.hub = exchange, hub

    @property
    def is_up(self) -> bool:
        return self._ends.is_up

    # -- what the exchange says

    def hear(self, heard: Heard) -> None:
        match heard:
            case Offered() | Withdrawn() | PhoneFailed() | Ended() | Consulted() | Dialed():
                self._calls.hear(heard)
            case MemberSeen(member, there):
                self._members.see(member, there)
            case MemberElsewhere():
                self._members.see_elsewhere(heard)
            case PhoneSeen(extension, there):
                remember(self._members.phones, extension, there)
            case SwitchEvent(event):
                self._tell(event)
            case Listening(linked, by, begun, utc_ms, ours):
                if begun and not ours:
                    self._ends.tell("heard_elsewhere", phone=by)
                self._ends.note(
                    lambda: self._ends.journal.note_listening(linked, by, begun, utc_ms)
                )
                self._ends.hub.report_at_once()
            case Up(calls, start):
                self._turn(True)
                self._ends.note(lambda: self._ends.journal.note_start(start))
                self._ends.lines.do("", lambda: self._reconcile(calls))
            case Down(error):
                self._turn(False)
                self._members.known.clear()
                self._why = self.trouble(error)
            case Joined():
                pass

    def _turn(self, up: bool) -> None:
        if self._ends.is_up != up:
            self._ends.is_up, self._since_ms = up, self._ends.clock.now_ms()
        self._why = []

    async def _reconcile(self, calls: frozenset[str]) -> None:
        await self._calls.reconcile(calls)
        await self._members.reconcile()

    def _tell(self, event: Any) -> None:
        kind, pbx = type(event).__struct_config__.tag, event.pbx
        if (queue := getattr(event, "queue", None)) is not None:
            if queue not in self._waiting:
                remember(self._waiting, queue, {})
            waiting = self._waiting[queue]
            if kind in ("queue.entered", "queue.offered"):
                remember(waiting, pbx, None)
            else:
                waiting.pop(pbx, None)
        self._unwritten.append(event)
        self._write()

    def _write(self) -> None:
        """What the disk did not take is tried again with the next one, and at each report."""
        journal = self._ends.journal
        if self._unwritten and self._ends.note(lambda: journal.append([*self._unwritten])):
            self._unwritten.clear()
            self.unsent.set()

    # -- what stations say

    def station_said(self, event: dict[str, Any]) -> None:
        """One event, stored and in order."""
        try:
            self._hear_station(event)
        except (LookupError, TypeError, ValueError) as error:
            log.warning("an event that is none: %r", error)

    def _hear_station(self, event: dict[str, Any]) -> None:
        kind, station, at = str(event.get("k")), str(event.get("s")), event.get("t")
        members, calls = self._members, self._calls
        old = at is not None and self._ends.clock.now_ms() - at > _STALE_MS
        if old and (kind == "contact.dialed" or not calls.is_ours(station, event)):
            self._ends.hub.ask_anew()  # what was is no matter; what is the store knows
            return
        seat = members.seats.get(station)
        match kind:
            case "session.opened":
                agent = str(event["a"])
                members.sit(SeatState(station=station, agent=agent, presence="not_ready"))
            case "session.closed":
                members.rise(station)
            case "presence.changed" if seat is not None:
                members.set_presence(seat, str(event["to"]), str(event.get("reason") or ""))
            case "contact.dialed" if seat is not None:
                members.set_busy(seat, True)
            case "wrapup.ended" if seat is not None:
                members.set_busy(seat, False)
            case "contact.ended" if seat is not None and event.get("dial_result"):
                if event.get("by") != "technical":
                    members.set_busy(seat, False)
        calls.station_said(kind, station, event)

    async def floor(self, floor: Floor) -> None:
        """Stations as the hub has them, in place of all that we knew."""
        was = self._members.take_floor(floor)
        self._calls.take_floor(floor)
        self._ends.floor_known = True
        if self._ends.is_up:
            self._ends.lines.do("", self._calls.look_again)
        self._members.follow_floor(was)
        await self.exchange.take_calls(True)

    async def hub_lost(self) -> None:
        """Without it no station would ring: the exchange calls the telephones by itself. And
        nobody would tell an agent who listens.
        """
        self._ends.floor_known = False
        for one in self.exchange.listeners():
            if one.listening and one.until_ms is None:
                await self._ends.attempt(self.exchange.end_listening(one.listening))
        await self.exchange.take_calls(False)

    # -- whoever listens

    async def listen(self, wanted: Listen) -> None:
        """Raises DiademaError."""
        if wanted.mode is None:
            await self.exchange.end_listening(wanted.listening)
            return
        if not self.is_up:
            raise SwitchError(Sentence("errors.switch.away"))
        phone = self._listeners.get(wanted.by)
        if phone is None:
            raise DiademaError(Sentence("errors.switch.no_listener", account=wanted.by))
        if self._members.phones.get(phone) is False:
            raise DiademaError(Sentence("errors.switch.listener_away", phone=phone))
        await self.exchange.listen(wanted.listening, wanted.call, phone, wanted.mode)
        self._ends.hub.report_at_once()

    # -- how we are

    def report(self) -> Report:
        self._write()
        ends, names = self._ends, self._ends.names()
        queues = sorted({queue for _, queue in self._members.known} | self._waiting.keys())
        report = Report(
            name=ends.journal.station.removeprefix("PBX-"),
            version=self.exchange.version[:NAMED],
            up=ends.is_up,
            since_utc_ms=self._since_ms,
            why=self._why,
            utc_ms=ends.clock.now_ms(),
            calls=len(self._calls),
            unsent=ends.journal.waiting + len(self._unwritten),
            queues=[
                QueueState(
                    name=queue[:NAMED],
                    mapped=names.is_mapped(queue),
                    waiting=len(self._waiting.get(queue, ())),
                )
                for queue in queues
            ],
            members=self._members.states(names),
            phones=self._members.phone_states(names),
            troubles=[*ends.troubles.values()],
            listeners=[_listener(one) for one in self.exchange.listeners()],
        )
        return _fitting(report)

    async def close(self) -> None:
        """End what is being done."""
        await self._ends.lines.close()


def _listener(one: Listener) -> ListenerState:
    return ListenerState(
        spyer=one.spyer,
        listening=one.listening,
        call=one.call,
        by=one.by,
        since_utc_ms=one.since_ms,
        until_utc_ms=one.until_ms,
    )


def _fitting(report: Report) -> Report:
    """As much as the hub takes; what stays is first of all what is not as it should be."""
    report.members.sort(key=lambda one: one.wanted is None)
    report.phones.sort(key=lambda one: one.there is not False)
    report.queues.sort(key=lambda one: not one.mapped)
    for name in ("queues", "members", "phones"):
        del getattr(report, name)[MOST[name] :]
    cut: tuple[list[Any], ...] = (report.members, report.phones, report.queues)
    while any(cut) and len(msgspec.json.encode(report)) > REPORT_BYTES:
        for its in cut:
            del its[len(its) // 2 :]
    return report
