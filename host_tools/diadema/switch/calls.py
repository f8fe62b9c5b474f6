"""Calls at stations: a key is done at the exchange, and what the exchange says of a call becomes
a command to its station. Neither has to believe the other: what cannot be done is told to people,
and the call goes on.
"""

import logging
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from diadema.base.errors import DiademaError
from diadema.base.sanitize import stripped
from diadema.switch.dialing import Guard
from diadema.switch.ends import Ends
from diadema.switch.exchange import (
    Consulted,
    Dialed,
    Ended,
    Offered,
    Phone,
    PhoneFailed,
    Standing,
    SwitchError,
    SwitchRefused,
    Withdrawn,
    remember,
)
from diadema.switch.hub_link import HubAway, HubSaysNo
from diadema.switch.members import Members
from diadema.wire.commands import RING_QUEUE
from diadema.wire.switching import CallOut, Floor, OpenContact
from diadema.words import Sentence

_NUMBERS = 1000  # that wait for their stations
_TAKEN_BACK = 1000  # calls, of which an answer may be on its way
_OURS = "dial-"  # how contacts begin that a program wants
_OBEYS_S = 15.0  # in which a station has obeyed; the hub's command lives less

type Said = Offered | Withdrawn | PhoneFailed | Ended | Consulted | Dialed

log = logging.getLogger("diadema.switch")


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


class Calls:
    def __init__(
        self,
        ends: Ends,
        members: Members,
        *,
        guard: Guard,
        reference: Callable[[str], str | None],
    ) -> None:
        """`reference`: of a number."""
        self._ends, self._members = ends, members
        self._guard, self._reference = guard, reference
        self._calls: dict[str, Call] = {}
        self._rings: dict[tuple[str, int], str] = {}  # by station and number of the command
        self._numbers: dict[str, str] = {}  # to be dialled, and nowhere else
        self._taken_back: deque[str] = deque(maxlen=_TAKEN_BACK)
        self._ended: dict[str, OpenContact] = {}  # meanwhile, as the floor has it

    def __len__(self) -> int:
        return len(self._calls)

    # -- what the exchange says

    def hear(self, said: Said) -> None:
        if not (isinstance(said, Consulted) and said.result == "answered"):
            self._ends.lines.do(said.call, lambda: self._heard(said))

    async def _heard(self, said: Said) -> None:
        match said:
            case Offered():
                await self._offer(said)
            case Withdrawn(call, cause):
                await self._withdraw(call, cause)
            case PhoneFailed(call):
                await self._fail(call)
            case Ended(call, by):
                await self._end(call, by)
            case Consulted(call, result):
                await self._consult_over(call, result)
            case Dialed(call, "answered"):
                await self._far_answered(call)
            case Dialed(call, result):
                await self._end(call, "system", result)

    async def _offer(self, offered: Offered) -> None:
        agent = self._ends.names().agent_of(offered.member)
        seats = self._members.seats_of(agent)
        if agent is None or len(seats) != 1:
            word = "nobody" if not seats else "two_seats"
            name = offered.member if agent is None else self._ends.names().people.name(agent)
            self._ends.tell(word, member=name)
            await self._ends.exchange.reject(offered.call)
            return
        if offered.call in self._calls:
            return  # it rings there since before we began anew
        if self._ends.journal.was_given(offered.call):  # and that station has done with it
            await self._ends.exchange.reject(offered.call)
            return
        station = seats[0].station
        if self._ends.names().phone_of(station) is None:
            self._ends.tell_no_extension(station)
            await self._ends.exchange.reject(offered.call)
            return
        self._calls[offered.call] = Call(offered.call, station, agent)
        self._ends.note(
            lambda: self._ends.journal.give(offered.call, station, self._ends.clock.now_ms())
        )
        try:
            number = await self._ends.hub.command(
                station,
                "ring",
                contact=offered.call,
                queue=stripped(self._ends.names().queue_of(offered.queue))[:RING_QUEUE] or None,
                pbx=offered.pbx,
                reference=offered.reference,
            )
            remember(self._rings, (station, number), offered.call, _NUMBERS)
        except (HubAway, HubSaysNo) as error:
            self._ends.trouble(error)
            self._forget(offered.call)
            await self._ends.exchange.reject(offered.call)

    async def _withdraw(self, call: str, cause: str) -> None:
        known = self._calls.get(call)
        if known is None or known.over:
            return
        if known.ringing:
            self._taken_back.append(call)
            await self._ends.command(known.station, "withdraw", contact=call, cause=cause)
            self._forget(call)
        else:  # its key came while the exchange took it back
            await self._ends.command(known.station, "failed", contact=call)

    async def _fail(self, call: str) -> None:
        known = self._calls.get(call)
        if known is None:
            return
        self._ends.tell("phone_silent", seat=self._ends.seat_name(known.station))
        await self._ends.command(known.station, "failed", contact=call)

    async def _end(self, call: str, by: str, result: str | None = None) -> None:
        known = self._calls.get(call)
        if known is None or known.over:
            self._forget(call)
        elif known.ringing:
            await self._withdraw(call, "caller_gave_up" if by == "caller" else "withdrawn")
        else:
            await self._ends.command(known.station, "hangup", contact=call, by=by, result=result)

    async def _consult_over(self, call: str, result: str) -> None:
        known = self._calls.get(call)
        if known is not None and known.heard:
            await self._ends.command(known.station, "consult_end", contact=call, result=result)

    async def dial(self, wanted: CallOut, number: str, name: str | None) -> tuple[str, str | None]:
        """Have that agent's station dial; whether it may is the guard's to say, and then the
        station's. The contact, and who is called as a reference. `name`: of this question, which
        asked again is the same call. Raises DiademaError.
        """
        contact = f"{_OURS}{(name or secrets.token_hex(12))[:24]}"
        reference = self._reference(number)
        if contact in self._ends.journal.given():
            return contact, reference
        station, phone = self._may_dial(wanted.agent)
        self._guard.check(phone.extension, number)
        self._calls[contact] = Call(contact, station, wanted.agent, ringing=False)
        self._numbers[contact] = number
        self._ends.note(
            lambda: self._ends.journal.give(contact, station, self._ends.clock.now_ms())
        )
        try:
            i = await self._ends.hub.command(
                station, "dial", contact=contact, campaign=wanted.campaign,
                consent=wanted.consent, reference=reference,
            )  # fmt: skip
        except DiademaError:
            self._forget(contact)
            self._ends.journal.take_back(contact)
            raise
        remember(self._rings, (station, i), contact, _NUMBERS)
        self._ends.lines.do_after(_OBEYS_S, lambda: self._give_up(contact))
        return contact, reference

    def _may_dial(self, agent: str) -> tuple[str, Phone]:
        """Where that agent sits, and with which telephone. Raises DiademaError."""
        if not self._ends.is_up:
            raise SwitchError(Sentence("errors.switch.away"))
        seats = self._members.seats_of(agent)
        if len(seats) != 1:
            word = "two_logins" if seats else "no_login"
            raise DiademaError(Sentence(f"errors.switch.{word}", agent=agent))
        (seat,) = seats
        phone = self._ends.names().phone_of(seat.station)
        name = self._ends.seat_name(seat.station)
        if phone is None:
            raise DiademaError(Sentence("errors.switch.no_extension", seat=name))
        if self._members.phones.get(phone.extension) is False:
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
            self._ends.tell("not_obeyed", seat=self._ends.seat_name(known.station))
            self._forget(call)

    async def _call_out(self, known: Call) -> None:
        """The station dials: so its telephone is called, and then the number."""
        number = self._numbers.pop(known.call, None)
        phone = self._ends.names().phone_of(known.station)
        if number is None or phone is None:
            await self._end(known.call, "system", "failed")
            return
        try:
            self._guard.take(phone.extension, number)
            await self._ends.exchange.dial(known.call, phone, number)
        except SwitchRefused as error:
            self._ends.trouble(error)
            await self._ends.command(known.station, "failed", contact=known.call)
        except DiademaError as error:
            self._ends.trouble(error)
            await self._end(known.call, "system", "failed")

    async def _not_wanted(self, station: str, call: str) -> None:
        """Its command came when nobody waited for it any more."""
        await self._ends.command(station, "hangup", contact=call, by="system", result="failed")

    async def _far_answered(self, call: str) -> None:
        known = self._calls.get(call)
        if known is not None and not (known.answered or known.over):
            await self._ends.command(known.station, "answer", contact=call)

    # -- what stations say

    def is_ours(self, station: str, event: dict[str, Any]) -> bool:
        number = event.get("i", -1)
        return str(event.get("c", "")) in self._calls or (station, number) in self._rings

    def station_said(self, kind: str, station: str, event: dict[str, Any]) -> None:
        call, order = str(event.get("c", "")), (station, event.get("i", -1))
        do = self._ends.lines.do
        if kind in ("command.refused", "contact.blocked") and order in self._rings:
            refused = self._rings.pop(order)
            do(refused, lambda: self._not_taken(refused))
        known = self._calls.get(call)  # a station says nothing of another one's
        late = kind == "contact.dialed" and call.startswith(_OURS) and known is None
        if late and station in self._members.seats:
            do(call, lambda: self._not_wanted(station, call))
        if kind == "contact.answered" and call in self._taken_back:
            do(call, lambda: self._ends.command(station, "failed", contact=call))
        elif kind.startswith("contact.") and known is not None and known.station == station:
            self._rings.pop(order, None)
            do(call, lambda: self._follow(kind.removeprefix("contact."), call, event))

    async def _follow(self, what: str, call: str, event: dict[str, Any]) -> None:
        """The exchange does what the agent did."""
        known, exchange = self._calls.get(call), self._ends.exchange
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
        names = self._ends.names()
        phone = names.phone_of(known.station)
        if (seat := self._members.seats.get(known.station)) is not None:
            self._members.set_busy(seat, True)
        if phone is None:
            self._ends.tell_no_extension(known.station)
            await self._ends.exchange.reject(known.call)
            await self._ends.command(known.station, "failed", contact=known.call)
            return
        try:
            await self._ends.exchange.answer(known.call, phone)
        except SwitchError as error:
            self._ends.trouble(error)
            await self._ends.command(known.station, "failed", contact=known.call)

    async def _consult(self, known: Call, event: dict[str, Any]) -> None:
        area, heard = str(event["area"]), str(event.get("heard") or "area")
        before, known.heard, known.area = known.heard, heard, area
        if before:
            if heard != before:
                await self._ends.exchange.swap(known.call)
            return
        known.held = False
        number = self._ends.names().number_of(area)
        if number is None:
            self._ends.tell("no_number", area=area)
            await self._consult_over(known.call, "failed")
            return
        try:
            await self._ends.exchange.consult(known.call, number)
        except SwitchError as error:
            self._ends.trouble(error)
            await self._consult_over(known.call, "failed")

    async def _hand_over(self, known: Call, kind: str, target: str) -> None:
        if kind == "conference":
            known.heard = "both"
            await self._ends.exchange.confer(known.call)
        elif kind == "consulted":
            await self._ends.exchange.hand_over(known.call)
        elif (number := self._ends.names().number_of(target)) is not None:
            await self._ends.exchange.transfer(known.call, number)
        else:
            self._ends.tell("no_number", area=target)

    async def _over(self, known: Call, event: dict[str, Any]) -> None:
        known.over = True
        seat = self._members.seats.get(known.station)
        by = event.get("by")
        if by == "agent":
            await self._ends.exchange.hang_up(known.call)
        elif by == "transfer" and known.heard == "both":
            await self._ends.exchange.hand_over(known.call)
        elif by == "interrupted":  # its station lost its power; whoever talks goes on talking
            self._ends.tell("interrupted", seat=self._ends.seat_name(known.station))
        if by == "technical" and seat is not None:
            self._members.phone_was_away(seat)
        self._forget(known.call)

    async def _not_taken(self, call: str) -> None:
        """The station refused to ring."""
        self._forget(call)
        await self._ends.exchange.reject(call)

    # -- after one of the three was away

    def take_floor(self, floor: Floor) -> None:
        """Calls as stations have them."""
        given = self._ends.journal.given()
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
                        self._ends.lines.do(one.contact, partial(self._call_out, known))

    async def reconcile(self, calls: frozenset[str]) -> None:
        """The exchange is back, with `calls` of ours: what is gone there ends at its station, what
        was done at a station meanwhile is done, and what no station has any more goes back to the
        queue.
        """
        for call, known in [*self._calls.items()]:
            if call in self._ends.lines:
                continue  # it is on its way
            if call not in calls and call not in self._numbers:
                if known.ringing:
                    await self._withdraw(call, "withdrawn")
                else:
                    await self._ends.command(known.station, "hangup", contact=call, by="system")
            elif (standing := self._ends.exchange.standing(call)) is not None:
                await self._ends.attempt(self._make_up_for(known, standing))
        for call in calls - self._calls.keys():
            await self._ends.attempt(self._let_go(call))

    async def look_again(self) -> None:
        """The exchange was there; what stations did was missed."""
        for call, known in [*self._calls.items()]:
            if (
                call not in self._ends.lines
                and (standing := self._ends.exchange.standing(call)) is not None
            ):
                await self._ends.attempt(self._make_up_for(known, standing))
        for call in self._ended:
            if call not in self._ends.lines and self._ends.exchange.standing(call) is not None:
                await self._ends.attempt(self._let_go(call))

    async def _make_up_for(self, known: Call, standing: Standing) -> None:
        """What its agent did while nobody told the exchange."""
        call, exchange = known.call, self._ends.exchange
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
            self._ends.trouble(error)
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
        standing = self._ends.exchange.standing(call)
        if standing is None or standing.ringing:
            await self._ends.exchange.reject(call)
            return
        one = self._ended.get(call)
        if one is not None and one.by == "interrupted":  # whoever talks goes on talking
            return
        number = self._ends.names().number_of(one.target or "") if one is not None else None
        try:
            if standing.area:
                await self._ends.exchange.hand_over(call)
                return
            if one is not None and one.by == "transfer" and number is not None:
                await self._ends.exchange.transfer(call, number)
                return
        except SwitchError as error:  # it has not answered yet
            log.debug("%s", error)
        await self._ends.exchange.hang_up(call)

    def _forget(self, call: str) -> None:
        self._calls.pop(call, None)
        self._numbers.pop(call, None)
        for number in [one for one, known in self._rings.items() if known == call]:
            del self._rings[number]
