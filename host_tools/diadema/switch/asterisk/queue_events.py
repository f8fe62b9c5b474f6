"""What AMI says of a queue's callers, as the events that the switch's own log becomes.

The log is written in whole seconds, after the fact; here each event has the moment at which it
was heard. Both know a call by the Uniqueid of its caller, so that the log, imported later, adds
nothing. What the log leaves out (that an agent was rung and did answer) is left out here too.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from diadema.base.clock import Clock
from diadema.exchange.queue_log_events import caller_reference
from diadema.switch.asterisk.ami import Message
from diadema.switch.exchange import Caller, Hear, Known, SwitchEvent, remember
from diadema.wire.events import (
    Event,
    QueueAbandoned,
    QueueConnected,
    QueueEntered,
    QueueLeft,
    QueueOffered,
    RecordingMuted,
    RecordingStarted,
    RecordingStopped,
    RecordingUnmuted,
)

_IDENTITY: dict[str, Any] = {"station": "", "epoch": 0, "sequence": 1, "boot": 0, "uptime_ms": 0}
_CONNECTS_MS = 30_000  # in which an exchange that runs a script before has connected them
_WHOLE = re.compile("[0-9]{1,9}")
_ROOM = {"Uniqueid": 66, "Linkedid": 66, "Queue": 82, "MemberName": 82}  # in an event, as JSON


class QueueEvents:
    """Makes nothing of what it does not know: an exchange has hundreds of kinds of events."""

    def __init__(self, hear: Hear, clock: Clock, key: str, known: Known) -> None:
        """`key`: the site's badge key, which makes a caller's number a reference. `known`: what
        was told before.
        """
        self._hear, self._clock, self._key = hear, clock, key
        self._callers = {(one.queue, one.pbx): one for one in known.callers}
        self._recorded = dict(known.recorded)  # Uniqueid → Linkedid
        self._start = known.start
        self._leaving: dict[tuple[str, str], Caller] = {}  # those with `left_ms`
        self._hung_up: dict[str, int] = {}  # callers who did, and when
        self._takes: dict[str, Callable[[Message], None]] = {
            "QueueCallerJoin": self._join,
            "QueueCallerLeave": self._leave,
            "QueueCallerAbandon": self._abandon,
            "AgentCalled": self._called,
            "AgentRingNoAnswer": self._not_answered,
            "AgentConnect": self._connect,
            "AgentComplete": self._complete,
            "HangupRequest": self._hang_up,
            "Hangup": self._gone,
            "MixMonitorStart": self._record,
            "MixMonitorStop": self._gone,
            "MixMonitorMute": self._mute,
        }

    def take(self, event: Message) -> None:
        take = self._takes.get(event.get("Event", ""))
        if take is not None:
            its = {name: _fitting(name, event[name]) for name in _ROOM if name in event}
            take(event | its)
        for caller in [*self._leaving.values()]:
            if self._clock.now_ms() - (caller.left_ms or 0) > _CONNECTS_MS:
                self._left_by_key(caller)

    def reference(self, number: str) -> str | None:
        return caller_reference(self._key, number)

    def found(self, queue: str, pbx: str, wait_s: int, number: str, position: int | None) -> None:
        """A caller who waits as we begin: known already, or entered while we were away, and
        perhaps at an agent by now.
        """
        queue, pbx = _fitting("Queue", queue), _fitting("Uniqueid", pbx)
        if (queue, pbx) not in self._callers:
            self._enter(queue, pbx, number, position, wait_s)
            if (caller := self._callers.get((queue, pbx))) is not None:
                caller.ringing[""] = 0

    def lost(self, start: str, present: Collection[str], queued: Collection[str]) -> None:
        """Of the exchange that began at `start` and has the channels `present`, of which `queued`
        are in a queue or talk out of it: whoever is known and not among these went while we were
        away; how, nobody says, unless all of it began anew.
        """
        cause = "restarted" if self._start and start != self._start else "unknown"
        self._start = start
        for key, caller in [*self._callers.items()]:
            if caller.pbx not in queued:
                self._forget(key)
                more: dict[str, Any] = {}
                if caller.answered_ms is not None and caller.member is not None:
                    more["pbx_agent"] = caller.member
                self._tell(QueueLeft(**self._of(caller), cause=cause, estimated=True, **more))
        for pbx, linked in [*self._recorded.items()]:
            if pbx not in present:
                del self._recorded[pbx]
                self._tell(RecordingStopped(**self._now(), pbx=pbx, linked=linked))

    @property
    def callers(self) -> frozenset[str]:
        return frozenset(pbx for _, pbx in self._callers)

    # -- callers

    def _join(self, event: Message) -> None:
        if (caller := self._caller(event)) is not None:
            if caller.answered_ms is not None and not caller.early:
                self._end(caller, "transfer")  # else it could not come back
            elif caller.left_ms is not None and not caller.early:
                self._left_by_key(caller)
            else:  # it is told once more
                caller.early = False
                return
        self._begin(event, number_of(event.get("Position")))

    def _begin(self, event: Message, position: int | None = None) -> None:
        self._enter(
            event.get("Queue", ""), event.get("Uniqueid", ""), event.get("CallerIDNum", ""),
            position, number_of(event.get("HoldTime")) or 0,
        )  # fmt: skip

    def _there(self, event: Message) -> Caller | None:
        """Its caller, also where nobody said before that there is one."""
        if (caller := self._caller(event)) is None:
            self._begin(event)
            if (caller := self._caller(event)) is not None:
                caller.early = True
        return caller

    def _enter(self, queue: str, pbx: str, number: str, position: int | None, wait_s: int) -> None:
        if not queue or not pbx:
            return
        entered_ms = max(self._clock.now_ms() - 1000 * wait_s, 0)
        for caller in [one for one in self._leaving.values() if one.pbx == pbx]:
            self._left_by_key(caller)
        self._hung_up.pop(pbx, None)
        caller = Caller(pbx, queue, entered_ms)
        remember(self._callers, (queue, pbx), caller)
        more: dict[str, Any] = {}
        if (reference := self.reference(number)) is not None:
            more["reference"] = reference
        if position is not None:
            more["position"] = position
        self._tell(QueueEntered(**self._of(caller, entered_ms), **more))

    def _called(self, event: Message) -> None:
        caller = self._there(event)
        if caller is not None and event.get("DestUniqueid") not in caller.tried:
            caller.ringing[event.get("MemberName", "")] = self._clock.now_ms()

    def _not_answered(self, event: Message) -> None:
        caller, offer = self._caller(event), event.get("DestUniqueid")
        if caller is None or offer in caller.tried:
            return
        if offer is not None:
            caller.tried.append(offer)
        caller.ringing.pop(event.get("MemberName", ""), None)
        caller.ringing.pop("", None)
        rung = number_of(event.get("RingTime"))  # in ms, unlike everywhere else
        more: dict[str, Any] = {} if rung is None else {"ring_ms": rung}
        self._tell(QueueOffered(**self._of(caller), pbx_agent=event.get("MemberName", ""), **more))

    def _connect(self, event: Message) -> None:
        caller = self._there(event)
        if caller is None or caller.answered_ms is not None:
            return
        now, member = self._clock.now_ms(), event.get("MemberName")
        for other in [one for one in self._callers.values() if one.gone and one.member == member]:
            self._end(other, "caller")  # nobody said so, and a member talks to one at a time
        caller.member, caller.answered_ms, caller.left_ms = member, now, None
        self._leaving.pop((caller.queue, caller.pbx), None)
        more: dict[str, Any] = {}
        if since := caller.ringing.get(member or ""):
            more["ring_ms"] = max(now - since, 0)
        caller.ringing.clear()
        wait_ms = max(now - caller.entered_ms, 0)
        self._tell(
            QueueConnected(**self._of(caller), wait_ms=wait_ms, pbx_agent=caller.member, **more)
        )
        if caller.ends is not None and caller.ends[0] == event.get("DestUniqueid"):
            self._end(caller, caller.ends[1])

    def _abandon(self, event: Message) -> None:
        """Also told where the queue gave up: then nobody has hung up."""
        caller = self._caller(event)
        if caller is None or caller.answered_ms is not None:
            return
        self._leave_alone(
            caller, "timeout", self._clock.now_ms(), number_of(event.get("Position"))
        )

    def _leave_alone(
        self, caller: Caller, cause: str, at: int, position: int | None = None
    ) -> None:
        """Without a conversation; whoever hung up later did so elsewhere."""
        self._forget((caller.queue, caller.pbx))
        for member, since in caller.ringing.items():
            if member:
                rung = max(at - since, 0)
                self._tell(
                    QueueOffered(
                        **self._of(caller, at), pbx_agent=member, ring_ms=rung, cause="withdrawn"
                    )
                )
        wait_ms = max(at - caller.entered_ms, 0)
        if self._hung_up.get(caller.pbx, at + 1) <= at:
            more: dict[str, Any] = {} if position is None else {"position": position}
            self._tell(QueueAbandoned(**self._of(caller, at), wait_ms=wait_ms, **more))
        else:
            self._tell(QueueLeft(**self._of(caller, at), cause=cause, wait_ms=wait_ms))

    def _leave(self, event: Message) -> None:
        """Told before a connection too; alone where a key of the caller's led out of the queue."""
        caller = self._caller(event)
        if caller is None or caller.answered_ms is not None:
            return
        caller.left_ms = self._clock.now_ms()
        if caller.ringing:
            self._leaving[caller.queue, caller.pbx] = caller
        else:
            self._left_by_key(caller)

    def _left_by_key(self, caller: Caller) -> None:
        at = self._clock.now_ms() if caller.left_ms is None else caller.left_ms
        self._leave_alone(caller, "key", at)

    def _complete(self, event: Message) -> None:
        """It may lack all that tells of either leg, where that has gone a moment before; a member
        talks to one caller at a time.
        """
        caller = self._caller(event)
        if caller is None and "Uniqueid" not in event:
            queue, member = event.get("Queue"), event.get("MemberName")
            its = [
                one for one in self._callers.values() if (one.queue, one.member) == (queue, member)
            ]
            caller = min(its, key=lambda one: one.pbx not in self._hung_up, default=None)
        if caller is None:
            return
        reason = event.get("Reason", "")
        if caller.answered_ms is None and "" in caller.ringing:
            talk_ms = 1000 * (number_of(event.get("TalkTime")) or 0)
            caller.member = event.get("MemberName")
            caller.answered_ms = max(self._clock.now_ms() - talk_ms, caller.entered_ms)
        if caller.answered_ms is not None:
            self._end(caller, reason)
        elif (offer := event.get("DestUniqueid")) is not None:
            caller.ends = offer, reason

    def _end(self, caller: Caller, reason: str) -> None:
        assert caller.answered_ms is not None
        self._forget((caller.queue, caller.pbx))
        self._hung_up.pop(caller.pbx, None)
        now = self._clock.now_ms()
        more: dict[str, Any] = {"cause": "completed", "by": "caller"}
        if reason == "agent":
            more["by"] = "agent"
        elif reason == "transfer":
            more = {"cause": "transferred", "by": "agent", "transfer": "blind"}
        self._tell(
            QueueLeft(
                **self._of(caller),
                **more,
                pbx_agent=caller.member,
                wait_ms=max(caller.answered_ms - caller.entered_ms, 0),
                talk_ms=max(now - caller.answered_ms, 0),
            )
        )

    def _hang_up(self, event: Message) -> None:
        remember(self._hung_up, event.get("Uniqueid", ""), self._clock.now_ms())

    # -- recordings

    def _record(self, event: Message) -> None:
        pbx, linked = event.get("Uniqueid", ""), event.get("Linkedid", "")
        if pbx in self._recorded:
            return
        remember(self._recorded, pbx, linked)
        self._tell(RecordingStarted(**self._now(), pbx=pbx, linked=linked))

    def _mute(self, event: Message) -> None:
        kind = RecordingMuted if event.get("State") == "1" else RecordingUnmuted
        pbx, linked = event.get("Uniqueid", ""), event.get("Linkedid", "")
        self._tell(kind(**self._now(), pbx=pbx, linked=linked))

    def _gone(self, event: Message) -> None:
        """A recording ends with its channel, and only then; the exchange says so only if it was
        stopped before.
        """
        pbx = event.get("Uniqueid", "")
        if (linked := self._recorded.pop(pbx, None)) is not None:
            self._tell(RecordingStopped(**self._now(), pbx=pbx, linked=linked))
        if event.get("Event") == "Hangup":
            its = [one for (_, known), one in self._callers.items() if known == pbx]
            for caller in its:
                if caller.answered_ms is None:  # while it rang somewhere
                    self._left_by_key(caller)
                caller.gone = True
            if not its:
                self._hung_up.pop(pbx, None)

    # -- inside

    def _caller(self, event: Message) -> Caller | None:
        return self._callers.get((event.get("Queue", ""), event.get("Uniqueid", "")))

    def _forget(self, key: tuple[str, str]) -> None:
        self._callers.pop(key, None)
        self._leaving.pop(key, None)

    def _of(self, caller: Caller, utc_ms: int | None = None) -> dict[str, Any]:
        at = self._clock.now_ms() if utc_ms is None else utc_ms
        return {**_IDENTITY, "utc_ms": at, "pbx": caller.pbx, "queue": caller.queue}

    def _now(self) -> dict[str, Any]:
        return {**_IDENTITY, "utc_ms": self._clock.now_ms()}

    def _tell(self, event: Event) -> None:
        self._hear(SwitchEvent(event))


def number_of(text: str | None) -> int | None:
    """One that could be: the longest that an exchange counts has nine digits."""
    return int(text) if text is not None and _WHOLE.fullmatch(text) else None


def _fitting(name: str, text: str) -> str:
    """As much of a name as an event has room for; the exchange's own are shorter."""
    found = text[: _ROOM[name]]
    while len(msgspec.json.encode(found)) > _ROOM[name]:
        found = found[:-1]
    return found
