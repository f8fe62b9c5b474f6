"""The queues: members, callers, who is offered to whom, and the queue_log of it all."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from diadema_sim.exchange.core import NORMAL, Core
from diadema_sim.exchange.parts import DEVICE_STATES, Channel, Fields, Member, cut

PICKED_UP_ELSEWHERE = 26
_LOST_DEST = 5 / 57  # of the AgentComplete events that were recorded


class Refused(Exception):
    """An action that is answered with an error; its text is Asterisk's."""


@dataclass(eq=False)
class Queue:
    """As queues.conf has it. `recheck_s`: how often a caller who waits looks whether it is his
    turn, a constant of the real one.
    """

    name: str
    strategy: str = "rrmemory"
    timeout_s: float = 25
    retry_s: float = 1
    recheck_s: float = 1
    members: dict[str, Member] = field(default_factory=dict)
    waiting: "list[Waiting]" = field(default_factory=list)
    last: str = ""  # whom rrmemory called last
    completed: int = 0
    abandoned: int = 0
    hold_s: int = 0
    talk_s: int = 0


class Queues:
    def __init__(self, core: Core, rng: random.Random) -> None:
        self.core, self.rng = core, rng
        self.queues: dict[str, Queue] = {}
        self.log: list[str] = []
        self.written: Callable[[str], None] = lambda _: None
        # how often the end of a call lacks its caller, who has hung up: seldom, in the real one
        self.lost_caller = 0.0
        self.names_in_log = True  # log_membername_as_agent
        self.pending: set[str] = set()  # members who ring, in whatever queue
        core.join_queue = self.join
        core.changed.append(self._device_changed)

    def write(self, call: str, queue: str, agent: str, verb: str, *fields: object) -> None:
        texts = [call, queue, agent, verb, *(str(one) for one in fields)]
        line = "|".join([str(int(self.core.clock())), *texts]) + ("" if fields else "|")
        self.log.append(line)
        self.written(line)
        self.core.moved.set()

    # -- members

    def add(
        self, queue: str, interface: str, name: str = "", state_interface: str = "",
        penalty: int = 0, paused: bool = False, reason: str = "", by: str = "MANAGER",
    ) -> None:  # fmt: skip
        here = self.queues.get(queue)
        if here is None:
            raise Refused("Unable to add interface to queue: No such queue")
        if interface in here.members:
            raise Refused("Unable to add interface: Already there")
        name = name or interface
        member = Member(
            queue, interface, cut(name), state_interface or interface, penalty, paused, reason,
            login=int(self.core.clock()),
        )  # fmt: skip
        member.status = self._status(member)
        here.members[interface] = member
        self.core.tell("QueueMemberAdded", "agent", member.fields())
        self.write(by, queue, name if self.names_in_log else interface, "ADDMEMBER",
                   "PAUSED" if paused else "")  # fmt: skip

    def remove(self, queue: str, interface: str, by: str = "MANAGER") -> None:
        here = self.queues.get(queue)
        if here is None:
            raise Refused("Unable to remove interface from queue: No such queue")
        member = here.members.get(interface)
        if member is None:
            raise Refused("Unable to remove interface: Not there")
        if not member.dynamic:
            raise Refused("Member not dynamic")
        del here.members[interface]
        self.core.tell("QueueMemberRemoved", "agent", member.fields())
        self.write(by, queue, member.name if self.names_in_log else interface, "REMOVEMEMBER")

    def pause(self, interface: str, paused: bool, queue: str = "", reason: str = "") -> None:
        members = self._members(interface, queue)
        if not members:
            raise Refused("Interface not found")
        verb = "PAUSE" if paused else "UNPAUSE"
        if not queue:
            self.write("NONE", "NONE", members[0].name, f"{verb}ALL", reason)
        for member in members:
            if paused or member.paused:
                member.last_pause = int(self.core.clock())
            member.paused, member.reason = paused, reason
            self.write("NONE", member.queue, member.name, verb, cut(reason))
            self.core.tell("QueueMemberPause", "agent", member.fields())

    def set_penalty(self, interface: str, penalty: int, queue: str = "") -> None:
        for member in self._found(interface, queue):
            member.penalty = penalty
            self.write("NONE", member.queue, interface, "PENALTY", penalty)
            self.core.tell("QueueMemberPenalty", "agent", member.fields())

    def set_ringinuse(self, interface: str, ringinuse: bool, queue: str = "") -> None:
        for member in self._found(interface, queue):
            member.ringinuse = ringinuse
            self.write("NONE", member.queue, interface, "RINGINUSE", int(ringinuse))
            self.core.tell("QueueMemberRinginuse", "agent", member.fields())

    def _found(self, interface: str, queue: str) -> list[Member]:
        members = self._members(interface, queue)
        if not members:
            raise Refused("Invalid interface, queuename or penalty")
        return members

    def _members(self, interface: str, queue: str) -> list[Member]:
        return [
            one.members[interface]
            for one in self.queues.values()
            if queue in ("", one.name) and interface in one.members
        ]

    def _status(self, member: Member) -> int:
        return DEVICE_STATES.index(self.core.device_state(member.state_interface))

    def _device_changed(self, device: str) -> None:
        for queue in self.queues.values():
            for member in queue.members.values():
                if member.state_interface == device:
                    member.status = self._status(member)
                    self.core.tell("QueueMemberStatus", "agent", member.fields())

    def is_free(self, member: Member) -> bool:
        free = DEVICE_STATES[member.status] in ("NOT_INUSE", "UNKNOWN")
        return not member.paused and (member.ringinuse or free)

    # -- callers

    def join(self, channel: Channel, text: str) -> None:
        """The application: `ventas`, or `ventas,,,,30` for one that gives up."""
        name, *options = text.split(",")
        queue = self.queues.get(name)
        if queue is None:
            self.core.hang_up(channel, NORMAL, "self")
            return
        channel.app_name, channel.app_data = "Queue", text
        seconds = float(options[3]) if len(options) > 3 and options[3] else 0
        Waiting(self, queue, channel, seconds)

    def listed(self, only: str = "", member: str = "") -> list[Fields]:
        found: list[Fields] = []
        for queue in self.queues.values():
            if only not in ("", queue.name):
                continue
            found.append(
                {
                    "Event": "QueueParams",
                    "Queue": queue.name,
                    "Max": "0",
                    "Strategy": queue.strategy,
                    "Calls": str(len(queue.waiting)),
                    "Holdtime": str(queue.hold_s),
                    "TalkTime": str(queue.talk_s),
                    "Completed": str(queue.completed),
                    "Abandoned": str(queue.abandoned),
                    "ServiceLevel": "0",
                    "ServicelevelPerf": "0.0",
                    "ServicelevelPerf2": "0.0",
                    "Weight": "0",
                }
            )
            found += [
                {"Event": "QueueMember", **one.listed()}
                for one in queue.members.values()
                if member in ("", one.interface)
            ]
            found += [one.listed() for one in queue.waiting]
        return found

    def summary(self) -> list[Fields]:
        return [
            {
                "Event": "QueueSummary",
                "Queue": queue.name,
                "LoggedIn": str(len(queue.members)),
                "Available": str(sum(map(self.is_free, queue.members.values()))),
                "Callers": str(len(queue.waiting)),
                "HoldTime": str(queue.hold_s),
                "TalkTime": str(queue.talk_s),
                "LongestHoldTime": str(max((one.waited() for one in queue.waiting), default=0)),
            }
            for queue in self.queues.values()
        ]


@dataclass(eq=False)
class Attempt:
    """A member who is called for a caller: `one` is the queue's half of his leg."""

    member: Member
    one: Channel
    began: float


class Waiting:
    """A caller in a queue, to the end of the call."""

    def __init__(self, queues: Queues, queue: Queue, channel: Channel, gives_up_s: float) -> None:
        self.queues, self.core, self.queue, self.channel = queues, queues.core, queue, channel
        channel.runs, channel.music = self, True
        self.began = self.core.clock()
        self.position = len(queue.waiting) + 1
        self.attempts: list[Attempt] = []
        self.connected: Attempt | None = None
        self._answered, self._waited = 0.0, 0
        self._left: list[Member] = []  # of this try
        self._end: asyncio.TimerHandle | None = None
        self._give_up: asyncio.TimerHandle | None = None
        queue.waiting.append(self)
        queues.write(
            channel.id, queue.name, "NONE", "ENTERQUEUE", "", channel.number, self.position
        )
        where = {"Queue": queue.name, "Position": str(self.position)}
        count = {"Count": str(len(queue.waiting))}
        self.core.tell("QueueCallerJoin", "agent", {**channel.fields(), **where, **count})
        if gives_up_s:
            self._give_up = self.core.later(gives_up_s, self._exit)
        self._turn = self.core.later(0, self._look)

    def waited(self) -> int:
        """Whole seconds, as the real one counts them."""
        return int(self.core.clock()) - int(self.began)

    def place(self) -> int:
        return self.queue.waiting.index(self) + 1

    def listed(self) -> Fields:
        return {
            "Event": "QueueEntry",
            "Queue": self.queue.name,
            "Position": str(self.place()),
            "Channel": self.channel.name,
            "Uniqueid": self.channel.id,
            "CallerIDNum": self.channel.number or "unknown",
            "CallerIDName": self.channel.caller_name or "unknown",
            "ConnectedLineNum": "unknown",
            "ConnectedLineName": "unknown",
            "Wait": str(self.waited()),
            "Priority": "0",
        }

    # -- offering

    def _look(self) -> None:
        """Whether it is this caller's turn; then members are tried."""
        free = sum(map(self.queues.is_free, self.queue.members.values()))
        if self.queue.strategy == "ringall":
            free = min(free, 1)
        trying = sum(bool(one.attempts) for one in self.queue.waiting[: self.place() - 1])
        if self.place() > free + trying:
            self._turn = self.core.later(self.queue.recheck_s, self._look)
            return
        self._left = self._in_order()
        self._end = self.core.later(self.queue.timeout_s, self._time_out)
        self._ring()
        if not self.attempts:
            self._rest()

    def _in_order(self) -> list[Member]:
        """Lowest penalty first, and from the one after him who was called last; of all at once,
        whoever came last.
        """
        members = [*self.queue.members.values()]
        if self.queue.strategy == "ringall":
            members.reverse()
            return sorted(members, key=lambda one: one.penalty)
        names = [one.interface for one in members]
        if self.queue.last in names:
            after = names.index(self.queue.last) + 1
            members = members[after:] + members[:after]
        return sorted(members, key=lambda one: one.penalty)

    def _ring(self) -> None:
        """The next who can ring; all of the lowest penalty with `ringall`."""
        best: int | None = None
        while self._left:
            member = self._left[0]
            if best is not None and member.penalty > best:
                return
            self._left.pop(0)
            pending = member.interface in self.queues.pending and not member.ringinuse
            if pending or not self.queues.is_free(member):
                continue
            best = member.penalty
            self._call(member)
            if self.queue.strategy != "ringall":
                return

    def _call(self, member: Member) -> None:
        self.queue.last = member.interface
        core, channel = self.core, self.channel
        technology, _, rest = member.interface.partition("/")
        exten, _, context = rest.removesuffix("/n").partition("@")
        if technology != "Local":
            return  # members of other kinds are listed, and never called here
        one, two = core.new_local(exten, context, None, None, channel.linked)
        one.number = two.connected = one.exten = channel.exten
        one.connected = channel.number
        one.app_name, one.app_data = "AppQueue", "(Outgoing Line)"
        two.number, two.caller_name = channel.number, channel.caller_name
        one.owner = self
        self.queues.pending.add(member.interface)
        self.attempts.append(Attempt(member, one, core.clock()))
        fields = {**channel.fields(), **one.fields("Dest"), **self._names(member)}
        core.tell("AgentCalled", "agent", fields)
        core.dial_event("", one, channel, member.interface)
        core.run(two, context, exten)

    def _names(self, member: Member) -> Fields:
        return {
            "Queue": self.queue.name,
            "Interface": member.interface,
            "MemberName": member.name,
        }

    def _rest(self) -> None:
        """Until the next try."""
        self.core.forget(self._end)
        self._end = None
        self._turn = self.core.later(self.queue.retry_s, self._look)

    def _forget(self, attempt: Attempt) -> None:
        self.attempts.remove(attempt)
        self.queues.pending.discard(attempt.member.interface)

    def _not_answered(self, attempt: Attempt, rung_ms: int) -> None:
        names = {**self._names(attempt.member), "RingTime": str(rung_ms)}
        fields = {**self.channel.fields(), **attempt.one.fields("Dest"), **names}
        self.core.tell("AgentRingNoAnswer", "agent", fields)
        self.queues.write(
            self.channel.id, self.queue.name, attempt.member.name, "RINGNOANSWER", rung_ms
        )

    def _drop(self, cause: int, but: Attempt | None = None) -> None:
        for attempt in [*self.attempts]:
            if attempt is not but:
                self._forget(attempt)
                self.core.hang_up(attempt.one, cause, "self")

    def _time_out(self) -> None:
        self._ring_ended(int(self.queue.timeout_s * 1000))
        self._rest()

    def _ring_ended(self, rung_ms: int) -> None:
        for attempt in [*self.attempts]:
            self._not_answered(attempt, rung_ms)
            self._forget(attempt)
            self.core.hang_up(attempt.one, 0, "self")

    def _stop(self) -> None:
        for timer in (self._turn, self._end, self._give_up):
            self.core.forget(timer)
        if self in self.queue.waiting:
            self.queue.waiting.remove(self)

    # -- leaving

    def _left_queue(self, kind: str, place: int, **more: str) -> None:
        where = {"Queue": self.queue.name, "Position": str(place)}
        self.core.tell(kind, "agent", {**self.channel.fields(), **where, **more})

    def _gone(self, verb: str) -> None:
        """The caller leaves without having been connected."""
        place = self.place()
        self._stop()
        self.queue.abandoned += 1
        original, waited = str(self.position), self.waited()
        self._left_queue(
            "QueueCallerAbandon", place, OriginalPosition=original, HoldTime=str(waited)
        )
        self._left_queue("QueueCallerLeave", place, Count=str(len(self.queue.waiting)))
        self.queues.write(
            self.channel.id, self.queue.name, "NONE", verb, place, self.position, waited
        )

    def _exit(self) -> None:
        """The queue gives up, and the dialplan goes on: it hangs up."""
        seconds = float(self.channel.app_data.split(",")[4])
        self._ring_ended(int(seconds * 1000))
        self._gone("EXITWITHTIMEOUT")
        self.channel.runs = None
        self.core.hang_up(self.channel, NORMAL, "self")

    # -- what happens to the legs

    def ringing(self, channel: Channel) -> None:
        pass

    def answered(self, channel: Channel) -> None:
        attempt = next((one for one in self.attempts if one.one is channel), None)
        if attempt is None or self.connected is not None:
            return
        self.connected, place, waited = attempt, self.place(), self.waited()
        self._waited = self.queue.hold_s = waited
        self._drop(PICKED_UP_ELSEWHERE, but=attempt)
        self._forget(attempt)
        self._stop()
        caller, member = self.channel, attempt.member
        caller.music = False
        caller.connected, caller.connected_name = channel.number, channel.caller_name
        self._left_queue("QueueCallerLeave", place, Count=str(len(self.queue.waiting)))
        now = int(self.core.clock())
        self._answered = self.core.clock()
        member.in_call = True
        caller.variables |= {
            "QUEUENAME": self.queue.name,
            "MEMBERNAME": member.name,
            "MEMBERINTERFACE": member.interface,
        }
        rung = now - int(attempt.began)
        fields = {**caller.fields(), **channel.fields("Dest"), **self._names(member)}
        self.core.tell(
            "AgentConnect", "agent", {**fields, "HoldTime": str(waited), "RingTime": str(rung)}
        )
        self.queues.write(
            caller.id, self.queue.name, member.name, "CONNECT", waited, channel.id, rung
        )
        self.core.join(caller, channel)

    def ended(self, channel: Channel, cause: int, how: str) -> Callable[[], None] | None:
        if channel is self.channel:
            return self._caller_ended()
        attempt = next((one for one in self.attempts if one.one is channel), None)
        if attempt is not None:
            self._forget(attempt)
            rung = int(self.core.clock()) - int(attempt.began)
            self._not_answered(attempt, rung * 1000)
            return self._next
        if self.connected is not None and self.connected.one is channel:
            # the leg that AMI hangs up counts as hung up by the caller
            self._complete("caller" if how == "asked" else "agent", dest=how != "asked")
            return lambda: self.core.hang_up(self.channel, NORMAL, "self")
        return None

    def _next(self) -> None:
        if self.connected is not None or self.channel.gone:
            return
        if self.queue.strategy != "ringall" or not self.attempts:
            self._ring()
        if not self.attempts and self._end is not None:
            self._rest()

    def _caller_ended(self) -> Callable[[], None] | None:
        if self.connected is not None:
            leg = self.connected.one
            self._complete("caller")
            return lambda: self.core.hang_up(leg, NORMAL, "self")
        self._abandon()
        return None

    def _abandon(self) -> None:
        for attempt in [*self.attempts]:
            rung_ms = int(1000 * (self.core.clock() - attempt.began))
            self.queues.write(
                self.channel.id, self.queue.name, attempt.member.name, "RINGCANCELED", rung_ms
            )
        self._drop(0)
        self._gone("ABANDON")

    def _complete(self, reason: str, dest: bool = True, *text: str) -> None:
        """`text`: extension and context of a transfer."""
        assert self.connected is not None
        attempt, self.connected = self.connected, None
        self.channel.runs = None
        member = attempt.member
        talked = int(self.core.clock()) - int(self._answered)
        member.in_call, member.last_call = False, int(self.core.clock())
        member.calls += 1
        self.queue.completed += 1
        self.queue.talk_s = talked
        fields: Fields = {}
        if reason != "caller" or self.queues.rng.random() >= self.queues.lost_caller:
            fields = self.channel.fields()
        if dest and self.queues.rng.random() >= _LOST_DEST:
            fields |= attempt.one.fields("Dest")
        times = {"HoldTime": str(self._waited), "TalkTime": str(talked)}
        self.core.tell(
            "AgentComplete", "agent", {**fields, **self._names(member), **times, "Reason": reason}
        )
        verb = {"agent": "COMPLETEAGENT", "caller": "COMPLETECALLER"}.get(reason, "BLINDTRANSFER")
        self.queues.write(
            self.channel.id, self.queue.name, member.name, verb, *text, self._waited, talked,
            self.position,
        )  # fmt: skip

    def transfer(self, context: str, exten: str) -> None:
        """Blind, of the agent's leg: the caller goes on in the dialplan, wherever it leads."""
        assert self.connected is not None
        leg = self.connected.one
        more = {"IsExternal": "Yes", "Context": context, "Extension": exten}
        bridge = {} if leg.bridge is None else leg.bridge.fields()
        both = {**leg.fields("Transferer"), **self.channel.fields("Transferee")}
        self.core.tell("BlindTransfer", "call", {"Result": "Success", **both, **bridge, **more})
        self._complete("transfer", True, exten, context)
        self.core.leave(self.channel)
        self.core.hang_up(leg, NORMAL, "self")
        self.core.run(self.channel, context, exten)

    def shut_down(self) -> None:
        """Asterisk stops in an orderly way: as if somebody had hung up, whoever that is."""
        if self.connected is None:
            self._abandon()
            self.channel.runs = None
        else:
            leg = self.connected.one
            self._complete(self.queues.rng.choice(["agent", "caller"]), dest=False)
            self.core.hang_up(leg, NORMAL, "self")
        self.core.hang_up(self.channel, NORMAL, "self")
