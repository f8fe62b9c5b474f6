"""Joins stations and exchange: who rings where, what a key does to a call, who is in a queue.

A station's event is what its agent did and is already stored; the exchange is made to follow.
What the exchange says of a call becomes a command to the station. Neither has to believe the
other: what cannot be done is told to people, and the call goes on.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
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
    MemberSeen,
    Offered,
    Phone,
    PhoneFailed,
    PhoneSeen,
    SwitchError,
    SwitchEvent,
    SwitchRefused,
    Up,
    Withdrawn,
)
from diadema.switch.hub_link import HubAway, HubSaysNo
from diadema.switch.journal import Journal
from diadema.switch.names import Names
from diadema.wire.switching import (
    CallOut,
    Floor,
    MemberState,
    PhoneState,
    QueueState,
    Report,
    SeatState,
    Trouble,
)
from diadema.words import Sentence

_TROUBLES = 50  # that are remembered
_STALE_MS = 60_000  # an event this old tells of what was, as from a flash read later
_PAUSES_S = 1.0  # in which a station whose telephone was not there has said that it pauses
_OURS = "dial-"  # how contacts begin that a program wants
_OBEYS_S = 15.0  # in which a station has obeyed; the hub's command lives less
_BUSY = ("talking", "held", "consulting", "dialing", "wrapup")

log = logging.getLogger("diadema.switch")


class Hub(Protocol):
    """What the bridge needs of `HubLink`."""

    async def command(self, station: str, cmd: str, **fields: Any) -> int: ...


@dataclass
class Call:
    """At one station. `area`: who is consulted or was joined; `over`: the station has ended it."""

    call: str
    station: str
    agent: str
    ringing: bool = True
    area: str = ""
    heard: str = ""  # area or caller, while there is a consultation
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
        self._rings: dict[int, str] = {}  # rings by the number of their command
        self._numbers: dict[str, str] = {}  # to be dialled, and nowhere else
        self._seats: dict[str, Seat] = {}
        self._members: dict[tuple[str, str], Member] = {}
        self._phones: dict[str, bool | None] = {}
        self._waiting: dict[str, set[str]] = {}  # by queue
        self._troubles: deque[Trouble] = deque(maxlen=_TROUBLES)
        self._lines: dict[str, _Line] = {}
        self._later: set[asyncio.Task[None]] = set()
        self._floor_known = False

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
            case PhoneSeen(extension, there):
                self._phones[extension] = there
            case SwitchEvent(event):
                self._tell(event)
            case Listening(linked, by, begun, utc_ms):
                self._journal.note_listening(linked, by, begun, utc_ms)
            case Up(calls):
                self.is_up = True
                self._do("", lambda: self._reconcile(calls))
            case Down(error):
                self.is_up = False
                self._members.clear()
                self.trouble(error)
            case Dialed(call, "answered"):
                self._do(call, lambda: self._far_answered(call))
            case Joined() | Consulted() | Dialed():
                pass

    async def _offer(self, offered: Offered) -> None:
        agent = self._names().agent_of(offered.member)
        seats = [one for one in self._seats.values() if one.agent == agent]
        if agent is None or len(seats) != 1:
            word = "nobody" if not seats else "two_seats"
            self.trouble(DiademaError(Sentence(f"errors.switch.{word}", member=offered.member)))
            await self.exchange.reject(offered.call)
            return
        station = seats[0].station
        self._calls[offered.call] = Call(offered.call, station, agent)
        self._journal.give(offered.call, station, self._clock.now_ms())
        try:
            number = await self.hub.command(
                station,
                "ring",
                contact=offered.call,
                queue=self._names().queue_of(offered.queue),
                pbx=offered.pbx,
                reference=offered.reference,
            )
            self._rings[number] = offered.call
        except (HubAway, HubSaysNo) as error:
            self.trouble(error)
            self._forget(offered.call)
            await self.exchange.reject(offered.call)

    async def _withdraw(self, call: str, cause: str) -> None:
        known = self._calls.get(call)
        if known is None or known.over:
            return
        if known.ringing:
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
        if known is not None and known.area:
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
        self._journal.give(contact, station, self._clock.now_ms())
        try:
            i = await self.hub.command(
                station, "dial", contact=contact, campaign=wanted.campaign,
                consent=wanted.consent, reference=reference,
            )  # fmt: skip
        except DiademaError:
            self._forget(contact)
            self._journal.take_back(contact)
            raise
        self._rings[i] = contact
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
        kind, station = str(event.get("k")), str(event.get("s"))
        at = event.get("t")
        if at is not None and self._clock.now_ms() - at > _STALE_MS:
            return
        seat = self._seats.get(station)
        match kind:
            case "session.opened":
                self._sit(SeatState(station=station, agent=event["a"], presence="not_ready"))
            case "session.closed":
                self._rise(station)
            case "presence.changed" if seat is not None:
                seat.presence, seat.reason = str(event["to"]), str(event.get("reason") or "")
                self._place(seat.agent)
                if seat.failed:
                    seat.failed = False
                    self._busy(seat, False)
            case "command.refused" | "contact.blocked" if event.get("i") in self._rings:
                refused = self._rings.pop(event["i"])
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
        if kind.startswith("contact.") and call in self._calls:
            self._rings.pop(event.get("i", -1), None)
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
            case "held" if not by_us:
                await exchange.hold(call)
            case "resumed" if not by_us:
                await exchange.resume(call)
            case "muted" | "unmuted":
                await exchange.mute(call, what == "muted")
            case "recording_paused" | "recording_resumed":
                await exchange.record(call, what == "recording_resumed")
            case "consulted":
                await self._consult(known, event)
            case "consult_ended":
                known.area = known.heard = ""
                if event.get("result") != "failed" and not by_us:
                    await exchange.drop(call)
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
            name = names.people.seats.get(known.station, known.station)
            self.trouble(DiademaError(Sentence("errors.switch.no_extension", seat=name)))
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
        if known.area == area:
            if heard != known.heard:
                known.heard = heard
                await self.exchange.swap(known.call)
            return
        known.area, known.heard = area, heard
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
        elif by == "interrupted":  # its station lost its power; whoever talks goes on talking
            self.trouble(DiademaError(Sentence("errors.switch.interrupted", call=known.call)))
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
        busy = any(one.phase in _BUSY for one in state.open)
        self._seats[state.station] = Seat(
            state.station, state.agent, state.presence, state.reason or "", busy
        )
        self._place(state.agent)
        self._give_phone(state.station, state.agent)

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
        """Whoever is logged in at two seats is in no queue: no key would be the right one."""
        seats = [one for one in self._seats.values() if one.agent == agent]
        if len(seats) != 1:
            return []
        paused = seats[0].presence != "ready"
        reason = seats[0].reason if paused else ""
        return [
            Member(agent, queue, paused, reason, penalty)
            for queue, penalty in self._names().queues_of(agent)
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
                await self.exchange.set_member(member, True)
        for queue in there.keys() - wanted.keys():
            self._members.pop((agent, queue), None)
            await self.exchange.set_member(there[queue], False)

    def _see_member(self, member: Member, there: bool) -> None:
        """What the exchange has; what is not as it should be somebody changed there."""
        key = member.name, member.queue
        known = self._members.get(key)
        if there:
            self._members[key] = member
        else:
            self._members.pop(key, None)
        if not self._floor_known or (known == member if there else known is None):
            return
        agent = self._names().agent_of(member.name)
        if agent is None or _line(agent) in self._lines:
            return  # a member of nobody's of ours; or we are changing it just now
        wanted = next((one for one in self.wanted(agent) if one.queue == member.queue), None)
        if wanted == (member if there else None):
            return
        what = "gone" if not there else "paused" if member.paused else "there"
        self.trouble(
            DiademaError(
                Sentence(
                    f"errors.switch.foreign_{what}",
                    agent=self._names().people.name(agent),
                    queue=self._names().queue_of(member.queue),
                )
            )
        )
        if self._puts_right:
            self._place(agent)

    # -- after one of the three was away

    async def floor(self, floor: Floor) -> None:
        """Stations as the hub has them, in place of all that we knew."""
        before = {one.agent for one in self._seats.values()}
        self._seats.clear()
        for state in floor.seats:
            if state.agent is not None:
                busy = any(one.phase in _BUSY for one in state.open)
                self._seats[state.station] = Seat(
                    state.station, state.agent, state.presence, state.reason or "", busy
                )
        given = self._journal.given()
        there = {one.contact: state for state in floor.seats for one in state.open}
        for call, known in [*self._calls.items()]:
            if call not in there and not known.ringing and call not in self._numbers:
                self._forget(call)
        for state in floor.seats:
            for one in state.open:
                if given.get(one.contact) == state.station and one.phase != "wrapup":
                    known = self._calls.setdefault(
                        one.contact, Call(one.contact, state.station, state.agent or "")
                    )
                    known.ringing = one.phase == "offered"
                    if one.phase == "dialing" and one.contact in self._numbers:
                        self._do(one.contact, lambda known=known: self._call_out(known))  # type: ignore[misc]
        self._floor_known = True
        for agent in before | {one.agent for one in self._seats.values()}:
            self._place(agent)
        await self.exchange.take_calls(True)

    async def hub_lost(self) -> None:
        """Without it no station would ring: the exchange calls the telephones by itself."""
        self._floor_known = False
        await self.exchange.take_calls(False)

    async def _reconcile(self, calls: frozenset[str]) -> None:
        """The exchange is back, with `calls` of ours: what is gone there ends at its station, and
        what no station has any more goes back to the queue.
        """
        for call, known in [*self._calls.items()]:
            if call not in calls and call not in self._numbers:
                if known.ringing:
                    await self._withdraw(call, "withdrawn")
                else:
                    await self._command(known.station, "hangup", contact=call, by="system")
        for call in calls - self._calls.keys():
            await self.exchange.reject(call)
        for seat in [*self._seats.values()]:
            await self._set_member(seat.agent)
            await self.exchange.set_busy(seat.agent, seat.busy)
            await self.exchange.set_phone(seat.agent, self._names().phone_of(seat.station))
        mine = {one.agent for one in self._seats.values()}
        for name, _ in [*self._members]:
            if name not in mine and self._names().agent_of(name) is not None:
                await self._set_member(name)

    # -- how we are

    def trouble(self, error: DiademaError) -> None:
        """Told to people, on the page and in the log."""
        log.warning("%s", error)
        sentence = error.args[0] if error.args and isinstance(error.args[0], Sentence) else None
        if sentence is not None:
            now = self._clock.now_ms()
            self._troubles.append(Trouble(utc_ms=now, sentence=sentence.parts()))

    def report(self) -> Report:
        names = self._names()
        queues = sorted({queue for _, queue in self._members} | self._waiting.keys())
        phones = {
            station: phone
            for station in names.people.seats
            if (phone := names.phone_of(station)) is not None
        }
        return Report(
            name=self._journal.station.removeprefix("PBX-"),
            version=self.exchange.version,
            up=self.is_up,
            utc_ms=self._clock.now_ms(),
            calls=len(self._calls),
            unsent=self._journal.waiting,
            queues=[
                QueueState(
                    name=queue,
                    mapped=names.is_mapped(queue),
                    waiting=len(self._waiting.get(queue, ())),
                )
                for queue in queues
            ],
            members=[self._member_state(one, names) for one in self._members.values()],
            phones=[
                PhoneState(
                    extension=phone.extension,
                    station=station,
                    there=self._phones.get(phone.extension),
                )
                for station, phone in phones.items()
            ],
            troubles=[*self._troubles],
        )

    def _member_state(self, member: Member, names: Names) -> MemberState:
        agent = names.agent_of(member.name)
        wanted: Literal["gone", "paused", "ready"] | None = None
        if agent is not None:
            its = next((one for one in self.wanted(agent) if one.queue == member.queue), None)
            if its is None:
                wanted = "gone"
            elif its.paused != member.paused:
                wanted = "paused" if its.paused else "ready"
        return MemberState(
            name=member.name, queue=member.queue, agent=agent, paused=member.paused,
            reason=member.reason, wanted=wanted,
        )  # fmt: skip

    # -- inside

    def _tell(self, event: Any) -> None:
        kind, pbx = type(event).__struct_config__.tag, event.pbx
        waiting = self._waiting.setdefault(event.queue, set()) if hasattr(event, "queue") else None
        if waiting is not None:
            (waiting.add if kind == "queue.entered" else waiting.discard)(pbx)
            if kind == "queue.offered":
                waiting.add(pbx)
        try:
            self._journal.append([event])
        except DiademaError as error:
            self.trouble(error)
        self.unsent.set()

    async def _command(self, station: str, cmd: str, **fields: Any) -> None:
        try:
            await self.hub.command(station, cmd, **fields)
        except (HubAway, HubSaysNo) as error:
            self.trouble(error)

    def _forget(self, call: str) -> None:
        self._calls.pop(call, None)
        self._numbers.pop(call, None)

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


def _line(agent: str) -> str:
    """What is to be done about a member goes one after the other: a pause before it is free."""
    return f"member {agent}"
