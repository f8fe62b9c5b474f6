"""Joins stations and exchange: who rings where, what a key does to a call, who is in a queue.

A station's event is what its agent did and is already stored; the exchange is made to follow.
What the exchange says of a call becomes a command to the station. Neither has to believe the
other: what cannot be done is told to people, and the call goes on.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol

import msgspec

from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.sanitize import stripped, visible
from diadema.switch.dialing import Guard
from diadema.switch.exchange import (
    Consulted,
    Dialed,
    Down,
    Ended,
    Exchange,
    Heard,
    Joined,
    Listening,
    Member,
    MemberElsewhere,
    MemberSeen,
    Offered,
    Phone,
    PhoneFailed,
    PhoneSeen,
    Standing,
    SwitchError,
    SwitchEvent,
    SwitchRefused,
    Up,
    Withdrawn,
    remember,
)
from diadema.switch.hub_link import HubAway, HubSaysNo
from diadema.switch.journal import Journal
from diadema.switch.names import Names
from diadema.wire.commands import RING_QUEUE
from diadema.wire.events import Event
from diadema.wire.switching import (
    MOST,
    NAMED,
    REPORT_BYTES,
    CallOut,
    Floor,
    MemberState,
    OpenContact,
    PhoneState,
    QueueState,
    Report,
    SeatState,
    Trouble,
)
from diadema.words import Sentence

_VALUE = 200  # characters of what a sentence repeats
_UNWRITTEN = 10_000  # events that wait for a disk
_STALE_MS = 60_000  # an event this old tells of what was, as from a flash read later
_NUMBERS = 1000  # that wait for their stations
_TAKEN_BACK = 1000  # calls, of which an answer may be on its way
_PAUSES_S = 1.0  # in which a station whose telephone was not there has said that it pauses
_OURS = "dial-"  # how contacts begin that a program wants
_OBEYS_S = 15.0  # in which a station has obeyed; the hub's command lives less
_FREE = ("offered", "closed")  # phases of a contact in which no call keeps its agent

log = logging.getLogger("diadema.switch")


class Hub(Protocol):
    """What the bridge needs of `HubLink`."""

    async def command(self, station: str, cmd: str, **fields: Any) -> int: ...
    def ask_anew(self) -> None:
        """For the floor, as it is."""


@dataclass
class Call:
    """At one station. `heard`, in a consultation: area, caller, or both in a conference; `over`:
    the station has ended it.
    """

    call: str
    station: str
    agent: str
    ringing: bool = True
    held: bool = False
    heard: str = ""
    area: str = ""
    muted: bool | None = None  # None: not known
    paused: bool | None = None  # its recording
    answered: bool = False
    over: bool = False


@dataclass
class Seat:
    station: str
    agent: str
    presence: str
    reason: str
    busy: bool = False  # from an answer to the end of the wrap-up
    failed: bool = False  # its telephone was not there: it is to be paused before it is free


@dataclass
class _Line:
    """What is to be done about one thing, one after the other."""

    waiting: deque[Callable[[], Awaitable[None]]] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


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
    ) -> None:
        """`names`: of the directory as it is now. `puts_right`: a member that somebody changed at
        the exchange is changed back; else it is told and left. `reference`: of a number.
        """
        self._names, self._journal, self._clock = names, journal, clock
        self._puts_right = puts_right
        self._guard, self._reference = guard, reference
        self.exchange: Exchange = None  # type: ignore[assignment]
        self.hub: Hub = None  # type: ignore[assignment]
        self.is_up = False
        self.unsent = asyncio.Event()  # the journal has something to send
        self._calls: dict[str, Call] = {}
        self._rings: dict[tuple[str, int], str] = {}  # by station and number of the command
        self._numbers: dict[str, str] = {}  # to be dialled, and nowhere else
        self._taken_back: deque[str] = deque(maxlen=_TAKEN_BACK)
        self._seats: dict[str, Seat] = {}
        self._members: dict[tuple[str, str], Member] = {}
        self._phones: dict[str, bool | None] = {}
        self._elsewhere: dict[MemberElsewhere, None] = {}
        self._waiting: dict[str, dict[str, None]] = {}  # by queue, who does
        self._unwritten: deque[Event] = deque(maxlen=_UNWRITTEN)
        self._writable = True
        self._troubles: dict[str, Trouble] = {}  # by their sentences, the newest last
        self._since_ms = clock.now_ms()  # of `is_up`
        self._why: list[Any] = []  # it is not
        self._lines: dict[str, _Line] = {}
        self._later: set[asyncio.Task[None]] = set()
        self._floor_known = False
        self._ended: dict[str, OpenContact] = {}  # meanwhile, as the floor has it

    # -- what the exchange says

    def hear(self, heard: Heard) -> None:
        match heard:
            case Offered():
                self._do(heard.call, lambda: self._offer(heard))
            case Withdrawn(call, cause):
                self._do(call, lambda: self._withdraw(call, cause))
            case PhoneFailed(call):
                self._do(call, lambda: self._fail(call))
            case Ended(call, by):
                self._do(call, lambda: self._end(call, by))
            case Consulted(call, result) if result != "answered":
                self._do(call, lambda: self._consult_over(call, result))
            case Dialed(call, result) if result != "answered":
                self._do(call, lambda: self._end(call, "system", result))
            case MemberSeen(member, there):
                self._see_member(member, there)
            case MemberElsewhere():
                self._see_elsewhere(heard)
            case PhoneSeen(extension, there):
                remember(self._phones, extension, there)
            case SwitchEvent(event):
                self._tell(event)
            case Listening(linked, by, begun, utc_ms):
                self._note(lambda: self._journal.note_listening(linked, by, begun, utc_ms))
            case Up(calls, start):
                self._turn(True)
                self._note(lambda: self._journal.note_start(start))
                self._do("", lambda: self._reconcile(calls))
            case Down(error):
                self._turn(False)
                self._members.clear()
                self._why = self.trouble(error)
            case Dialed(call, "answered"):
                self._do(call, lambda: self._far_answered(call))
            case Joined() | Consulted() | Dialed():
                pass

    def _turn(self, up: bool) -> None:
        if self.is_up != up:
            self.is_up, self._since_ms = up, self._clock.now_ms()
        self._why = []

    async def _offer(self, offered: Offered) -> None:
        agent = self._names().agent_of(offered.member)
        seats = [one for one in self._seats.values() if one.agent == agent]
        if agent is None or len(seats) != 1:
            word = "nobody" if not seats else "two_seats"
            name = offered.member if agent is None else self._names().people.name(agent)
            self.trouble(DiademaError(Sentence(f"errors.switch.{word}", member=name)))
            await self.exchange.reject(offered.call)
            return
        if offered.call in self._calls:
            return  # it rings there since before we began anew
        if self._journal.was_given(offered.call):  # and that station has done with it
            await self.exchange.reject(offered.call)
            return
        station = seats[0].station
        if self._names().phone_of(station) is None:
            self._tell_no_extension(station)
            await self.exchange.reject(offered.call)
            return
        self._calls[offered.call] = Call(offered.call, station, agent)
        self._note(lambda: self._journal.give(offered.call, station, self._clock.now_ms()))
        try:
            number = await self.hub.command(
                station,
                "ring",
                contact=offered.call,
                queue=stripped(self._names().queue_of(offered.queue))[:RING_QUEUE] or None,
                pbx=offered.pbx,
                reference=offered.reference,
            )
            remember(self._rings, (station, number), offered.call, _NUMBERS)
        except (HubAway, HubSaysNo) as error:
            self.trouble(error)
            self._forget(offered.call)
            await self.exchange.reject(offered.call)

    async def _withdraw(self, call: str, cause: str) -> None:
        known = self._calls.get(call)
        if known is None or known.over:
            return
        if known.ringing:
            self._taken_back.append(call)
            await self._command(known.station, "withdraw", contact=call, cause=cause)
            self._forget(call)
        else:  # its key came while the exchange took it back
            await self._command(known.station, "failed", contact=call)

    async def _fail(self, call: str) -> None:
        known = self._calls.get(call)
        if known is None:
            return
        seat = self._names().people.seats.get(known.station, known.station)
        self.trouble(DiademaError(Sentence("errors.switch.phone_silent", seat=seat)))
        await self._command(known.station, "failed", contact=call)

    async def _end(self, call: str, by: str, result: str | None = None) -> None:
        known = self._calls.get(call)
        if known is None or known.over:
            self._forget(call)
        elif known.ringing:
            await self._withdraw(call, "caller_gave_up" if by == "caller" else "withdrawn")
        else:
            await self._command(known.station, "hangup", contact=call, by=by, result=result)

    async def _consult_over(self, call: str, result: str) -> None:
        known = self._calls.get(call)
        if known is not None and known.heard:
            await self._command(known.station, "consult_end", contact=call, result=result)

    async def dial(self, wanted: CallOut, number: str, name: str | None) -> tuple[str, str | None]:
        """Have that agent's station dial; whether it may is the guard's to say, and then the
        station's. The contact, and who is called as a reference. `name`: of this question, which
        asked again is the same call. Raises DiademaError.
        """
        contact = f"{_OURS}{(name or secrets.token_hex(12))[:24]}"
        reference = self._reference(number)
        if contact in self._journal.given():
            return contact, reference
        station, phone = self._may_dial(wanted.agent)
        self._guard.check(phone.extension, number)
        self._calls[contact] = Call(contact, station, wanted.agent, ringing=False)
        self._numbers[contact] = number
        self._note(lambda: self._journal.give(contact, station, self._clock.now_ms()))
        try:
            i = await self.hub.command(
                station, "dial", contact=contact, campaign=wanted.campaign,
                consent=wanted.consent, reference=reference,
            )  # fmt: skip
        except DiademaError:
            self._forget(contact)
            self._journal.take_back(contact)
            raise
        remember(self._rings, (station, i), contact, _NUMBERS)
        self._start_after(_OBEYS_S, lambda: self._give_up(contact))
        return contact, reference

    def _may_dial(self, agent: str) -> tuple[str, Phone]:
        """Where that agent sits, and with which telephone. Raises DiademaError."""
        if not self.is_up:
            raise SwitchError(Sentence("errors.switch.away"))
        seats = [one for one in self._seats.values() if one.agent == agent]
        if len(seats) != 1:
            word = "two_logins" if seats else "no_login"
            raise DiademaError(Sentence(f"errors.switch.{word}", agent=agent))
        (seat,) = seats
        phone = self._names().phone_of(seat.station)
        name = self._names().people.seats.get(seat.station, seat.station)
        if phone is None:
            raise DiademaError(Sentence("errors.switch.no_extension", seat=name))
        if self._phones.get(phone.extension) is False:
            raise DiademaError(Sentence("errors.switch.no_phone", seat=name))
        if seat.presence != "ready":
            raise DiademaError(Sentence("errors.switch.not_ready", agent=agent))
        if seat.busy or any(one.station == seat.station for one in self._calls.values()):
            raise DiademaError(Sentence("errors.switch.in_call", agent=agent))
        return seat.station, phone

    async def _give_up(self, call: str) -> None:
        """Of a station that did not obey there is nothing to wait for."""
        known = self._calls.get(call)
        if known is not None and call in self._numbers:
            seat = self._names().people.seats.get(known.station, known.station)
            self.trouble(DiademaError(Sentence("errors.switch.not_obeyed", seat=seat)))
            self._forget(call)

    async def _call_out(self, known: Call) -> None:
        """The station dials: so its telephone is called, and then the number."""
        number = self._numbers.pop(known.call, None)
        phone = self._names().phone_of(known.station)
        if number is None or phone is None:
            await self._end(known.call, "system", "failed")
            return
        try:
            self._guard.take(phone.extension, number)
            await self.exchange.dial(known.call, phone, number)
        except SwitchRefused as error:
            self.trouble(error)
            await self._command(known.station, "failed", contact=known.call)
        except DiademaError as error:
            self.trouble(error)
            await self._end(known.call, "system", "failed")

    async def _not_wanted(self, station: str, call: str) -> None:
        """Its command came when nobody waited for it any more."""
        await self._command(station, "hangup", contact=call, by="system", result="failed")

    async def _far_answered(self, call: str) -> None:
        known = self._calls.get(call)
        if known is not None and not (known.answered or known.over):
            await self._command(known.station, "answer", contact=call)

    # -- what stations say

    def station_said(self, event: dict[str, Any]) -> None:
        """One event, stored and in order."""
        try:
            self._hear_station(event)
        except (LookupError, TypeError, ValueError) as error:
            log.warning("an event that is none: %r", error)

    def _hear_station(self, event: dict[str, Any]) -> None:
        kind, station = str(event.get("k")), str(event.get("s"))
        at, call = event.get("t"), str(event.get("c", ""))
        ours = call in self._calls or (station, event.get("i", -1)) in self._rings
        old = at is not None and self._clock.now_ms() - at > _STALE_MS
        if old and (not ours or kind == "contact.dialed"):
            self.hub.ask_anew()  # what was is no matter; what is the store knows
            return
        order = station, event.get("i", -1)
        seat = self._seats.get(station)
        match kind:
            case "session.opened":
                self._sit(SeatState(station=station, agent=str(event["a"]), presence="not_ready"))
            case "session.closed":
                self._rise(station)
            case "presence.changed" if seat is not None:
                seat.presence, seat.reason = str(event["to"]), str(event.get("reason") or "")
                self._place(seat.agent)
                if seat.failed:
                    seat.failed = False
                    self._busy(seat, False)
            case "command.refused" | "contact.blocked" if order in self._rings:
                refused = self._rings.pop(order)
                self._do(refused, lambda: self._not_taken(refused))
            case "contact.dialed" if seat is not None:
                self._busy(seat, True)
                if (late := str(event["c"])).startswith(_OURS) and late not in self._calls:
                    self._do(late, lambda: self._not_wanted(station, late))
            case "wrapup.ended" if seat is not None:
                self._busy(seat, False)
            case "contact.ended" if seat is not None and event.get("dial_result"):
                if event.get("by") != "technical":
                    self._busy(seat, False)
        call = str(event.get("c", ""))
        known = self._calls.get(call)  # a station says nothing of another one's
        if kind == "contact.answered" and call in self._taken_back:
            self._do(call, lambda: self._command(station, "failed", contact=call))
        elif kind.startswith("contact.") and known is not None and known.station == station:
            self._rings.pop(order, None)
            self._do(call, lambda: self._follow(kind.removeprefix("contact."), call, event))

    async def _follow(self, what: str, call: str, event: dict[str, Any]) -> None:
        """The exchange does what the agent did."""
        known, exchange = self._calls.get(call), self.exchange
        if known is None:
            return
        by_us = event.get("via") == "host"
        match what:
            case "dialed":
                await self._call_out(known)
            case "answered" if known.ringing:
                await self._answer(known)
            case "answered":
                known.answered = True
            case "missed":
                self._forget(call)
                if event.get("cause") in ("no_answer", "rejected", "technical"):
                    await exchange.reject(call)
            case "held" | "resumed" if not by_us:
                known.held = what == "held"
                await (exchange.hold if known.held else exchange.resume)(call)
            case "muted" | "unmuted":
                known.muted = what == "muted"
                await exchange.mute(call, known.muted)
            case "recording_paused" | "recording_resumed":
                known.paused = what == "recording_paused"
                await exchange.record(call, not known.paused)
            case "consulted":
                await self._consult(known, event)
            case "consult_ended":
                back, waits = event.get("result") == "back", known.heard == "area"
                known.heard, known.held = "", waits and not back
                if event.get("result") != "failed" and not by_us:
                    await exchange.drop(call)
                if back and waits:
                    await exchange.resume(call)
            case "transferred" if not by_us and event.get("completed", True):
                await self._hand_over(known, str(event["kind"]), str(event["target"]))
            case "ended":
                await self._over(known, event)

    async def _answer(self, known: Call) -> None:
        known.ringing = False
        names = self._names()
        phone = names.phone_of(known.station)
        if (seat := self._seats.get(known.station)) is not None:
            self._busy(seat, True)
        if phone is None:
            self._tell_no_extension(known.station)
            await self.exchange.reject(known.call)
            await self._command(known.station, "failed", contact=known.call)
            return
        try:
            await self.exchange.answer(known.call, phone)
        except SwitchError as error:
            self.trouble(error)
            await self._command(known.station, "failed", contact=known.call)

    async def _consult(self, known: Call, event: dict[str, Any]) -> None:
        area, heard = str(event["area"]), str(event.get("heard") or "area")
        before, known.heard, known.area = known.heard, heard, area
        if before:
            if heard != before:
                await self.exchange.swap(known.call)
            return
        known.held = False
        number = self._names().number_of(area)
        if number is None:
            self.trouble(DiademaError(Sentence("errors.switch.no_number", area=area)))
            await self._consult_over(known.call, "failed")
            return
        try:
            await self.exchange.consult(known.call, number)
        except SwitchError as error:
            self.trouble(error)
            await self._consult_over(known.call, "failed")

    async def _hand_over(self, known: Call, kind: str, target: str) -> None:
        if kind == "conference":
            known.heard = "both"
            await self.exchange.confer(known.call)
        elif kind == "consulted":
            await self.exchange.hand_over(known.call)
        elif (number := self._names().number_of(target)) is not None:
            await self.exchange.transfer(known.call, number)
        else:
            self.trouble(DiademaError(Sentence("errors.switch.no_number", area=target)))

    async def _over(self, known: Call, event: dict[str, Any]) -> None:
        known.over = True
        seat = self._seats.get(known.station)
        by = event.get("by")
        if by == "agent":
            await self.exchange.hang_up(known.call)
        elif by == "transfer" and known.heard == "both":
            await self.exchange.hand_over(known.call)
        elif by == "interrupted":  # its station lost its power; whoever talks goes on talking
            name = self._names().people.seats.get(known.station, known.station)
            self.trouble(DiademaError(Sentence("errors.switch.interrupted", seat=name)))
        if by == "technical" and seat is not None:  # no wrap-up follows
            if seat.presence != "ready":
                self._busy(seat, False)
            else:
                seat.failed = True
                self._start_after(_PAUSES_S, lambda: self._free(seat))
        self._forget(known.call)

    async def _free(self, seat: Seat) -> None:
        """Its station stayed ready after all."""
        if seat.failed:
            seat.failed = False
            self._busy(seat, False)

    async def _not_taken(self, call: str) -> None:
        """The station refused to ring."""
        self._forget(call)
        await self.exchange.reject(call)

    # -- who is in the queues

    def _sit(self, state: SeatState) -> None:
        assert state.agent is not None
        busy = any(one.phase not in _FREE for one in state.open)
        self._seats[state.station] = Seat(
            state.station, state.agent, state.presence, state.reason or "", busy
        )
        self._look_at(state.agent)
        agent = state.agent  # what it was left as may be of another day
        self._do(_line(agent), lambda: self.exchange.set_busy(agent, busy))
        self._place(agent)
        self._give_phone(state.station, agent)

    def _look_at(self, agent: str) -> None:
        """Why no queue calls an agent, where nothing but our own rule is the reason."""
        names = self._names()
        stations = [one.station for one in self._seats.values() if one.agent == agent]
        if len(stations) > 1:
            seats = ", ".join(sorted(names.people.seats.get(one, one) for one in stations))
            who = names.people.name(agent)
            self.trouble(
                DiademaError(Sentence("errors.switch.seated_twice", agent=who, seats=seats))
            )
        elif names.queues_of(agent) and stations and names.phone_of(stations[0]) is None:
            self._tell_no_extension(stations[0])

    def _tell_no_extension(self, station: str) -> None:
        seat = self._names().people.seats.get(station, station)
        self.trouble(DiademaError(Sentence("errors.switch.no_extension", seat=seat)))

    def _rise(self, station: str) -> None:
        seat = self._seats.pop(station, None)
        if seat is not None:
            self._place(seat.agent)
            if seat.busy:
                self._do(_line(seat.agent), lambda: self.exchange.set_busy(seat.agent, False))

    def _busy(self, seat: Seat, busy: bool) -> None:
        if seat.busy != busy:
            seat.busy = busy
            self._do(_line(seat.agent), lambda: self.exchange.set_busy(seat.agent, busy))

    def _give_phone(self, station: str, agent: str) -> None:
        phone = self._names().phone_of(station)
        self._do(_line(agent), lambda: self.exchange.set_phone(agent, phone))

    def wanted(self, agent: str) -> list[Member]:
        """Whoever is logged in at two seats is in no queue: no key would be the right one. And
        without a telephone none has anything to answer.
        """
        seats = [one for one in self._seats.values() if one.agent == agent]
        if len(seats) != 1 or self._names().phone_of(seats[0].station) is None:
            return []
        paused = seats[0].presence != "ready"
        names = self._names()  # the exchange's log is anybody's: private reasons are one there
        reason = (names.people.shown(seats[0].reason) or "") if paused else ""
        return [
            Member(agent, queue, paused, reason, penalty)
            for queue, penalty in names.queues_of(agent)
        ]

    def _place(self, agent: str) -> None:
        self._do(_line(agent), lambda: self._set_member(agent))

    async def _set_member(self, agent: str) -> None:
        if not self.is_up:
            return
        wanted = {one.queue: one for one in self.wanted(agent)}
        there = {q: one for (name, q), one in self._members.items() if name == agent}
        for queue, member in wanted.items():
            if there.get(queue) != member:
                self._members[agent, queue] = member
                try:
                    await self.exchange.set_member(member, True)
                except SwitchError as error:  # in its other queues the agent is all the same
                    self.trouble(error)
                    self._members.pop((agent, queue), None)
                    if self.is_up and queue in there:
                        self._members[agent, queue] = there[queue]
        for queue in there.keys() - wanted.keys():
            self._members.pop((agent, queue), None)
            await self.exchange.set_member(there[queue], False)

    def _see_member(self, member: Member, there: bool) -> None:
        """What the exchange has; what is not as it should be somebody changed there."""
        key = member.name, member.queue
        known = self._members.get(key)
        if there:
            remember(self._members, key, member)
        else:
            self._members.pop(key, None)
        if not (self.is_up and self._floor_known):
            return  # what was before us is put right as we begin
        if known == member if there else known is None:
            return
        agent = self._names().agent_of(member.name)
        if agent is None or _line(agent) in self._lines:
            return  # a member of nobody's of ours; or we are changing it just now
        wanted = next((one for one in self.wanted(agent) if one.queue == member.queue), None)
        if wanted == (member if there else None):
            return
        what = "gone" if not there else "paused" if member.paused else "there"
        people, queue = self._names().people, self._names().queue_of(member.queue)
        self.trouble(
            DiademaError(
                Sentence(
                    f"errors.switch.foreign_{what}",
                    agent=people.name(agent),
                    queue=people.queues.get(queue, queue),
                )
            )
        )
        if self._puts_right:
            self._place(agent)

    def _see_elsewhere(self, seen: MemberElsewhere) -> None:
        names = self._names()
        agent, station = names.agent_of(seen.name), names.called_by(seen.interface)
        if agent is not None:
            who = names.people.name(agent)
        elif station is not None:
            who = names.people.seats.get(station, station)
        else:
            return
        if seen in self._elsewhere:
            return
        remember(self._elsewhere, seen, None)
        self.trouble(
            DiademaError(
                Sentence(
                    "errors.switch.elsewhere",
                    who=who,
                    queue=seen.queue,
                    interface=seen.interface,
                )
            )
        )

    # -- after one of the three was away

    async def floor(self, floor: Floor) -> None:
        """Stations as the hub has them, in place of all that we knew."""
        was = {one.agent: one.busy for one in self._seats.values()}
        self._seats.clear()
        for state in floor.seats:
            if state.agent is not None:
                busy = any(one.phase not in _FREE for one in state.open)
                self._seats[state.station] = Seat(
                    state.station, state.agent, state.presence, state.reason or "", busy
                )
        given = self._journal.given()
        there, self._ended = set[str](), {}
        for state in floor.seats:
            for one in state.open:
                if one.phase in ("wrapup", "closed"):
                    self._ended[one.contact] = one
                else:
                    there.add(one.contact)
        for call, known in [*self._calls.items()]:
            gone = call not in there and not known.ringing and call not in self._numbers
            if call in self._ended or gone:
                self._forget(call)
        for state in floor.seats:
            for one in state.open:
                if given.get(one.contact) == state.station and one.contact in there:
                    known = self._calls.setdefault(
                        one.contact, Call(one.contact, state.station, state.agent or "")
                    )
                    known.ringing = one.phase == "offered"
                    known.held, known.heard = one.phase == "held", one.heard or ""
                    known.area = one.area or known.area
                    known.muted = known.muted if one.muted is None else one.muted
                    known.paused = known.paused if one.paused is None else one.paused
                    if one.phase == "dialing" and one.contact in self._numbers:
                        self._do(one.contact, partial(self._call_out, known))
        self._floor_known = True
        if self.is_up:
            self._do("", self._look_again)
            for seat in self._seats.values():
                if was.get(seat.agent, False) != seat.busy:
                    change = partial(self.exchange.set_busy, seat.agent, seat.busy)
                    self._do(_line(seat.agent), change)
        now = {one.agent for one in self._seats.values()}
        for agent in sorted(now):
            self._look_at(agent)
        for agent in was.keys() | now:
            self._place(agent)
        await self.exchange.take_calls(True)

    async def hub_lost(self) -> None:
        """Without it no station would ring: the exchange calls the telephones by itself."""
        self._floor_known = False
        await self.exchange.take_calls(False)

    async def _reconcile(self, calls: frozenset[str]) -> None:
        """The exchange is back, with `calls` of ours: what is gone there ends at its station, what
        was done at a station meanwhile is done, and what no station has any more goes back to the
        queue.
        """
        for call, known in [*self._calls.items()]:
            if call in self._lines:
                continue  # it is on its way
            if call not in calls and call not in self._numbers:
                if known.ringing:
                    await self._withdraw(call, "withdrawn")
                else:
                    await self._command(known.station, "hangup", contact=call, by="system")
            elif (standing := self.exchange.standing(call)) is not None:
                await self._try(self._make_up_for(known, standing))
        for call in calls - self._calls.keys():
            await self._try(self._let_go(call))
        for station in [*self._seats]:
            await self._try(self._set_seat(station))
        mine = {one.agent for one in self._seats.values()}
        for name, _ in [*self._members]:
            if name not in mine and self._names().agent_of(name) is not None:
                await self._set_member(name)

    async def _try(self, work: Awaitable[None]) -> None:
        """The others are to be right all the same."""
        try:
            await work
        except SwitchError as error:
            self.trouble(error)

    async def _set_seat(self, station: str) -> None:
        """As it is at each step: its agent goes on meanwhile."""
        if (seat := self._seats.get(station)) is not None:
            await self._set_member(seat.agent)
        if (seat := self._seats.get(station)) is not None:
            await self.exchange.set_busy(seat.agent, seat.busy)
            await self.exchange.set_phone(seat.agent, self._names().phone_of(station))

    async def _look_again(self) -> None:
        """The exchange was there; what stations did was missed."""
        for call, known in [*self._calls.items()]:
            if call not in self._lines and (standing := self.exchange.standing(call)) is not None:
                await self._try(self._make_up_for(known, standing))
        for call in self._ended:
            if call not in self._lines and self.exchange.standing(call) is not None:
                await self._try(self._let_go(call))

    async def _make_up_for(self, known: Call, standing: Standing) -> None:
        """What its agent did while nobody told the exchange."""
        call, exchange = known.call, self.exchange
        if standing.ringing:
            if not known.ringing:
                await self._answer(known)
            return
        gone = known.heard != "" and not standing.area  # the area, or it was never called
        if gone and standing.hears == "caller" and known.heard != "both" and known.area:
            heard, known.heard = known.heard, ""
            await self._consult(known, {"area": known.area, "heard": "area"})
            if heard == "caller":
                known.heard = heard
                await exchange.swap(call)
            return
        hears, wanted = standing.hears, known.heard or ("nobody" if known.held else "caller")
        if gone:
            wanted = "nobody" if known.heard == "area" else "caller"
        try:
            if standing.area and not known.heard:
                await exchange.drop(call)
                hears = "nobody" if hears == "area" else "caller"
            if hears == wanted:
                pass
            elif wanted == "both":
                await exchange.confer(call)
            elif known.heard and not gone:
                await exchange.swap(call)
            else:
                await (exchange.hold if wanted == "nobody" else exchange.resume)(call)
        except SwitchError as error:
            self.trouble(error)
        if gone:
            await self._consult_over(call, "dropped")
        if known.muted is not None:
            await exchange.mute(call, known.muted)
        if known.paused is not None:
            try:
                await exchange.record(call, not known.paused)
            except SwitchRefused as error:  # nothing is recorded, which the key was told
                log.info("%s", error)

    async def _let_go(self, call: str) -> None:
        """Its station has ended it; whoever was joined with an area goes on talking."""
        standing = self.exchange.standing(call)
        if standing is None or standing.ringing:
            await self.exchange.reject(call)
            return
        one = self._ended.get(call)
        if one is not None and one.by == "interrupted":  # whoever talks goes on talking
            return
        number = self._names().number_of(one.target or "") if one is not None else None
        try:
            if standing.area:
                await self.exchange.hand_over(call)
                return
            if one is not None and one.by == "transfer" and number is not None:
                await self.exchange.transfer(call, number)
                return
        except SwitchError as error:  # it has not answered yet
            log.debug("%s", error)
        await self.exchange.hang_up(call)

    # -- how we are

    def trouble(self, error: DiademaError) -> list[Any]:
        """Told to people, on the page and in the log; the parts of its sentence. What happens
        again is one with what it was.
        """
        sentence = error.args[0] if error.args and isinstance(error.args[0], Sentence) else None
        if sentence is None:
            log.warning("%s", visible(str(error))[:_VALUE])
            return []
        now, parts = self._clock.now_ms(), _shortened(sentence.parts())
        log.warning("%s", Sentence.of(parts))
        known = self._troubles.pop(repr(parts), None) or Trouble(
            utc_ms=now, sentence=parts, times=0, first_utc_ms=now
        )
        known.utc_ms, known.times = now, known.times + 1
        remember(self._troubles, repr(parts), known, MOST["troubles"])
        return list(parts)

    def report(self) -> Report:
        self._write()
        names = self._names()
        busy = {one.agent for one in self._seats.values() if one.busy}
        queues = sorted({queue for _, queue in self._members} | self._waiting.keys())
        phones = {
            station: phone
            for station in names.people.seats
            if (phone := names.phone_of(station)) is not None
        }
        report = Report(
            name=self._journal.station.removeprefix("PBX-"),
            version=self.exchange.version[:NAMED],
            up=self.is_up,
            since_utc_ms=self._since_ms,
            why=self._why,
            utc_ms=self._clock.now_ms(),
            calls=len(self._calls),
            unsent=self._journal.waiting + len(self._unwritten),
            queues=[
                QueueState(
                    name=queue[:NAMED],
                    mapped=names.is_mapped(queue),
                    waiting=len(self._waiting.get(queue, ())),
                )
                for queue in queues
            ],
            members=[
                *(self._member_state(one, names, busy) for one in self._members.values()),
                *self._lacking(names),
            ],
            phones=[
                PhoneState(
                    extension=phone.extension,
                    station=station,
                    there=self._phones.get(phone.extension),
                )
                for station, phone in phones.items()
            ],
            troubles=[*self._troubles.values()],
        )
        return _fitting(report)

    def _member_state(self, member: Member, names: Names, busy: set[str]) -> MemberState:
        agent = names.agent_of(member.name)
        wanted: Literal["gone", "paused", "ready"] | None = None
        if agent is not None and _line(agent) not in self._lines:
            its = next((one for one in self.wanted(agent) if one.queue == member.queue), None)
            if its is None:
                wanted = "gone"
            elif its.paused != member.paused:
                wanted = "paused" if its.paused else "ready"
        return MemberState(
            name=member.name[:NAMED], queue=member.queue[:NAMED], agent=agent,
            paused=member.paused, reason=member.reason[:NAMED], busy=agent in busy, wanted=wanted,
        )  # fmt: skip

    def _lacking(self, names: Names) -> Iterator[MemberState]:
        """Members that should be there, and are not."""
        if not self.is_up:
            return
        there = {(names.agent_of(name), queue) for name, queue in self._members}
        for seat in self._seats.values():
            if _line(seat.agent) not in self._lines:
                for one in self.wanted(seat.agent):
                    if (one.name, one.queue) not in there:
                        yield MemberState(
                            name=one.name[:NAMED],
                            queue=one.queue[:NAMED],
                            agent=one.name,
                            wanted="there",
                        )

    # -- inside

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
        if self._unwritten and self._note(lambda: self._journal.append([*self._unwritten])):
            self._unwritten.clear()
            self.unsent.set()

    def _note(self, write: Callable[[], None]) -> bool:
        """A call goes on though the disk is full; people are told once."""
        try:
            write()
        except DiademaError as error:
            if self._writable:
                self.trouble(error)
            self._writable = False
        else:
            self._writable = True
        return self._writable

    async def _command(self, station: str, cmd: str, **fields: Any) -> None:
        try:
            await self.hub.command(station, cmd, **fields)
        except (HubAway, HubSaysNo) as error:
            self.trouble(error)

    def _forget(self, call: str) -> None:
        self._calls.pop(call, None)
        self._numbers.pop(call, None)
        for number in [one for one, known in self._rings.items() if known == call]:
            del self._rings[number]

    def _do(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """After all else that is to be done about the same; other things go on beside it."""
        line = self._lines.setdefault(what, _Line())
        line.waiting.append(work)
        if line.task is None:
            line.task = asyncio.create_task(self._work_off(what, line))

    async def _work_off(self, what: str, line: _Line) -> None:
        while line.waiting:
            try:
                await line.waiting.popleft()()
            except DiademaError as error:
                self.trouble(error)
            except Exception:  # a fault of ours in one call must not stop the others
                log.exception("a fault of ours about %s", what)
        del self._lines[what]

    def _start_after(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            await work()

        task = asyncio.create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def close(self) -> None:
        """End what is being done."""
        tasks = [line.task for line in self._lines.values() if line.task is not None]
        tasks += self._later
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _shortened(parts: Any) -> Any:
    """Parts of a sentence, with as much of what others have written as people need to see."""
    match parts:
        case str():
            return visible(parts)[:_VALUE]
        case [name, dict() as values]:
            return [name, {key: _shortened(value) for key, value in values.items()}]
    return parts


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


def _line(agent: str) -> str:
    """What is to be done about a member goes one after the other: a pause before it is free."""
    return f"member {agent}"
