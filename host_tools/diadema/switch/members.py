"""Who is in the exchange's queues: whoever is logged in at one seat with a telephone, paused while
the station says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from diadema.switch.ends import Ends
from diadema.switch.exchange import Member, MemberElsewhere, SwitchError, remember
from diadema.switch.lines import Work
from diadema.switch.names import Names
from diadema.wire.switching import NAMED, Floor, MemberState, PhoneState, SeatState

_PAUSES_S = 1.0  # in which a station whose telephone was not there has said that it pauses
_FREE = ("offered", "closed")  # phases of a contact in which no call keeps its agent


@dataclass
class Seat:
    station: str
    agent: str
    presence: str
    reason: str
    busy: bool = False  # from an answer to the end of the wrap-up
    failed: bool = False  # its telephone was not there: it is to be paused before it is free


class Members:
    """`seats`, by station, as the hub has them; `known`, by name and queue, as the exchange has
    them; `phones`, by extension, whether they are there.
    """

    def __init__(self, ends: Ends, *, puts_right: bool) -> None:
        """`puts_right`: a member that somebody changed at the exchange is changed back; else it is
        told and left.
        """
        self._ends, self._puts_right = ends, puts_right
        self.seats: dict[str, Seat] = {}
        self.known: dict[tuple[str, str], Member] = {}
        self.phones: dict[str, bool | None] = {}
        self._elsewhere: dict[MemberElsewhere, None] = {}

    def seats_of(self, agent: str | None) -> list[Seat]:
        return [one for one in self.seats.values() if one.agent == agent]

    # -- what stations say

    def sit(self, state: SeatState) -> None:
        seat = self.seats[state.station] = _seat(state)
        self._look_at(seat.agent)
        busy = seat.busy  # what it was left as may be of another day
        self._do(seat.agent, lambda: self._ends.exchange.set_busy(seat.agent, busy))
        self._place(seat.agent)
        phone = self._ends.names().phone_of(seat.station)
        self._do(seat.agent, lambda: self._ends.exchange.set_phone(seat.agent, phone))

    def rise(self, station: str) -> None:
        seat = self.seats.pop(station, None)
        if seat is not None:
            self._place(seat.agent)
            if seat.busy:
                self._do(seat.agent, lambda: self._ends.exchange.set_busy(seat.agent, False))

    def set_presence(self, seat: Seat, presence: str, reason: str) -> None:
        seat.presence, seat.reason = presence, reason
        self._place(seat.agent)
        if seat.failed:
            seat.failed = False
            self.set_busy(seat, False)

    def set_busy(self, seat: Seat, busy: bool) -> None:
        if seat.busy != busy:
            seat.busy = busy
            self._do(seat.agent, lambda: self._ends.exchange.set_busy(seat.agent, busy))

    def phone_was_away(self, seat: Seat) -> None:
        """A call has ended by that, and no wrap-up follows."""
        if seat.presence != "ready":
            self.set_busy(seat, False)
        else:
            seat.failed = True
            self._ends.lines.do_after(_PAUSES_S, lambda: self._free(seat))

    async def _free(self, seat: Seat) -> None:
        """Its station stayed ready after all."""
        if seat.failed:
            seat.failed = False
            self.set_busy(seat, False)

    def _look_at(self, agent: str) -> None:
        """Why no queue calls an agent, where nothing but our own rule is the reason."""
        names = self._ends.names()
        stations = [one.station for one in self.seats_of(agent)]
        if len(stations) > 1:
            seats = ", ".join(sorted(self._ends.seat_name(one) for one in stations))
            self._ends.tell("seated_twice", agent=names.people.name(agent), seats=seats)
        elif names.queues_of(agent) and stations and names.phone_of(stations[0]) is None:
            self._ends.tell_no_extension(stations[0])

    # -- as it should be, and as it is made so

    def wanted(self, agent: str) -> list[Member]:
        """Whoever is logged in at two seats is in no queue: no key would be the right one. And
        without a telephone none has anything to answer.
        """
        names, seats = self._ends.names(), self.seats_of(agent)
        if len(seats) != 1 or names.phone_of(seats[0].station) is None:
            return []
        paused = seats[0].presence != "ready"
        # the exchange's log is anybody's: private reasons are one there
        reason = (names.people.shown(seats[0].reason) or "") if paused else ""
        return [
            Member(agent, queue, paused, reason, penalty)
            for queue, penalty in names.queues_of(agent)
        ]

    def _place(self, agent: str) -> None:
        self._do(agent, lambda: self._set_member(agent))

    async def _set_member(self, agent: str) -> None:
        if not self._ends.is_up:
            return
        exchange = self._ends.exchange
        wanted = {one.queue: one for one in self.wanted(agent)}
        there = {q: one for (name, q), one in self.known.items() if name == agent}
        for queue, member in wanted.items():
            if there.get(queue) != member:
                self.known[agent, queue] = member
                try:
                    await exchange.set_member(member, True)
                except SwitchError as error:  # in its other queues the agent is all the same
                    self._ends.trouble(error)
                    self.known.pop((agent, queue), None)
                    if self._ends.is_up and queue in there:
                        self.known[agent, queue] = there[queue]
        for queue in there.keys() - wanted.keys():
            self.known.pop((agent, queue), None)
            await exchange.set_member(there[queue], False)

    # -- what the exchange says

    def see(self, member: Member, there: bool) -> None:
        """What the exchange has; what is not as it should be somebody changed there."""
        key = member.name, member.queue
        known = self.known.get(key)
        if there:
            remember(self.known, key, member)
        else:
            self.known.pop(key, None)
        if not (self._ends.is_up and self._ends.floor_known):
            return  # what was before us is put right as we begin
        if known == member if there else known is None:
            return
        names = self._ends.names()
        agent = names.agent_of(member.name)
        if agent is None or _line(agent) in self._ends.lines:
            return  # a member of nobody's of ours; or we are changing it just now
        wanted = next((one for one in self.wanted(agent) if one.queue == member.queue), None)
        if wanted == (member if there else None):
            return
        what = "gone" if not there else "paused" if member.paused else "there"
        queue = names.queue_of(member.queue)
        self._ends.tell(
            f"foreign_{what}",
            agent=names.people.name(agent),
            queue=names.people.queues.get(queue, queue),
        )
        if self._puts_right:
            self._place(agent)

    def see_elsewhere(self, seen: MemberElsewhere) -> None:
        names = self._ends.names()
        agent, station = names.agent_of(seen.name), names.called_by(seen.interface)
        if agent is not None:
            who = names.people.name(agent)
        elif station is not None:
            who = self._ends.seat_name(station)
        else:
            return
        if seen not in self._elsewhere:
            remember(self._elsewhere, seen, None)
            self._ends.tell("elsewhere", who=who, queue=seen.queue, interface=seen.interface)

    # -- after one of the three was away

    def take_floor(self, floor: Floor) -> dict[str, bool]:
        """In place of all that we knew; agents as they were, and whether each was busy."""
        was = {one.agent: one.busy for one in self.seats.values()}
        self.seats = {
            state.station: _seat(state) for state in floor.seats if state.agent is not None
        }
        return was

    def follow_floor(self, was: dict[str, bool]) -> None:
        for seat in self.seats.values():
            if self._ends.is_up and was.get(seat.agent, False) != seat.busy:
                change = partial(self._ends.exchange.set_busy, seat.agent, seat.busy)
                self._do(seat.agent, change)
        now = {one.agent for one in self.seats.values()}
        for agent in sorted(now):
            self._look_at(agent)
        for agent in was.keys() | now:
            self._place(agent)

    async def reconcile(self) -> None:
        """The exchange is back, and has them as somebody left them."""
        for station in [*self.seats]:
            await self._ends.attempt(self._set_seat(station))
        mine = {one.agent for one in self.seats.values()}
        for name, _ in [*self.known]:
            if name not in mine and self._ends.names().agent_of(name) is not None:
                await self._set_member(name)

    async def _set_seat(self, station: str) -> None:
        """As it is at each step: its agent goes on meanwhile."""
        exchange = self._ends.exchange
        if (seat := self.seats.get(station)) is not None:
            await self._set_member(seat.agent)
        if (seat := self.seats.get(station)) is not None:
            await exchange.set_busy(seat.agent, seat.busy)
            await exchange.set_phone(seat.agent, self._ends.names().phone_of(station))

    # -- how they are

    def states(self, names: Names) -> list[MemberState]:
        busy = {one.agent for one in self.seats.values() if one.busy}
        there = [self._state(one, names, busy) for one in self.known.values()]
        return [*there, *self._lacking(names)]

    def phone_states(self, names: Names) -> list[PhoneState]:
        phones = ((station, names.phone_of(station)) for station in names.people.seats)
        return [
            PhoneState(
                extension=phone.extension,
                station=station,
                there=self.phones.get(phone.extension),
            )
            for station, phone in phones
            if phone is not None
        ]

    def _state(self, member: Member, names: Names, busy: set[str]) -> MemberState:
        agent = names.agent_of(member.name)
        wanted: Literal["gone", "paused", "ready"] | None = None
        if agent is not None and _line(agent) not in self._ends.lines:
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
        if not self._ends.is_up:
            return
        there = {(names.agent_of(name), queue) for name, queue in self.known}
        for seat in self.seats.values():
            if _line(seat.agent) not in self._ends.lines:
                for one in self.wanted(seat.agent):
                    if (one.name, one.queue) not in there:
                        yield MemberState(
                            name=one.name[:NAMED],
                            queue=one.queue[:NAMED],
                            agent=one.name,
                            wanted="there",
                        )

    def _do(self, agent: str, work: Work) -> None:
        self._ends.lines.do(_line(agent), work)


def _seat(state: SeatState) -> Seat:
    assert state.agent is not None
    busy = any(one.phase not in _FREE for one in state.open)
    return Seat(state.station, state.agent, state.presence, state.reason or "", busy)


def _line(agent: str) -> str:
    """What is to be done about a member goes one after the other: a pause before it is free."""
    return f"member {agent}"
