"""The sums themselves. All of them add up: half-hours to days, agents to teams, days to months."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Self

import msgspec
from msgspec import Struct, field
from msgspec.structs import astuple

from diadema.metrics.queue import Flow
from diadema.wire.agent_states import HANDLING, LOGGED_IN
from diadema.wire.letters import LETTERS


def _add_counts[K](ours: dict[K, int], theirs: Mapping[K, int]) -> None:
    if not ours:
        ours.update(theirs)
        return
    for key, value in theirs.items():
        ours[key] = ours.get(key, 0) + value


def _total(its: Iterable[Mapping[Any, int]]) -> dict[Any, int]:
    some = [one for one in its if one]
    if len(some) < 2:
        return dict(some[0]) if some else {}
    whole: defaultdict[Any, int] = defaultdict(int)
    for one in some:
        for key, value in one.items():
            whole[key] += value
    return dict(whole)


def _whole(its: Sequence[Any]) -> Any:
    return _total(its) if type(its[0]) is dict else [*chain.from_iterable(its)]


class _Sums(Struct):
    """Fields are whole numbers, dictionaries of them, or lists that grow."""

    @classmethod
    def total(cls, parts: Iterable[Self]) -> Self:
        """Of many, each field at once; of one it is that itself."""
        many = [*parts]
        if len(many) == 1:
            return many[0]
        columns = zip(*map(astuple, many), strict=True)
        whole = [sum(its) if type(its[0]) is int else _whole(its) for its in columns]
        return cls(**dict(zip(cls.__struct_fields__, whole, strict=False)))

    def __iadd__(self, other: Self) -> Self:
        for name, value in zip(self.__struct_fields__, astuple(other), strict=True):
            if not value:
                continue
            if isinstance(value, dict):
                _add_counts(getattr(self, name), value)
            elif isinstance(value, list):
                getattr(self, name).extend(value)
            else:
                setattr(self, name, getattr(self, name) + value)
        return self

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)


class Spread(_Sums, array_like=True):
    """Of the contacts that averages take: how many seconds each took (`handles`), and by code how
    many there were, with their parts.
    """

    handles: list[int] = field(default_factory=list)
    code_n: dict[str, int] = field(default_factory=dict)
    code_talk_s: dict[str, int] = field(default_factory=dict)
    code_hold_s: dict[str, int] = field(default_factory=dict)
    code_wrap_s: dict[str, int] = field(default_factory=dict)


_pack_spread = msgspec.msgpack.Encoder().encode
_spread_of = msgspec.msgpack.Decoder(Spread).decode


class _Handles(Struct, array_like=True):
    """What of a `Spread` is asked for most, so that the rest is not unpacked for it."""

    handles: list[int]


_handles_of = msgspec.msgpack.Decoder(_Handles).decode


class Calls(_Sums, kw_only=True, array_like=True, dict=True):
    """Contacts of the stations, and what the switch alone told of, booked whole where they began.

    Flow: inbound `offered` (rings) = answered - unrung + missed + excused + open; outbound
    `dialed` = connected + not_answered + dialing. `excused`: not taken, and not by the agent's
    doing (technical, withdrawn, the caller gave up), in no `missed`. `failed`: of the excused and
    the not_answered those whose agent had no telephone to talk. `causes`: of all not taken
    and of the not_answered. `transfers`: of the `transferred`, by "kind area"; no area where
    nobody told it. `continued`: with a conversation that another agent began, who handed it over.

    Averages: whole seconds of the `n` contacts that count, over `n`; `spreads`: parts of their
    `Spread`, packed until somebody asks, as few do. `aside_…`: answered, and left out of them (at
    most one reason each). `ring_n`: answered whose ringing is known, of `ring_s`; `missed_ring_s`:
    of the missed. `dial_n`: of the dialed those that are over, of `dial_s`.

    `typified`: with a code of the tree, `untyped`: asked for one, over and without it, `retyped`:
    of the former, another person than the agent gave it.

    `by_switch`: answered, and only the switch told so; `switch_n`: of these those in `n`, of which
    talk is all that is known. `unrung`: of these those whose log tells of no rings that nobody
    took, so that theirs is not known either. `rung_out`: the agent's RINGNOANSWER in the switch's
    log, also where the station told the same.

    `code_…`: the averages by code, "" where none was given: their sums are `n`, `talk_s`, `hold_s`
    and `wrap_s`.
    """

    offered: int = 0
    answered: int = 0
    missed: int = 0
    open: int = 0
    dialed: int = 0
    connected: int = 0
    not_answered: int = 0
    dialing: int = 0
    transferred: int = 0
    consults: int = 0
    by_key: int = 0
    left_on_hold: int = 0
    aside_open: int = 0
    aside_interrupted: int = 0
    aside_estimated: int = 0
    aside_impossible: int = 0
    n: int = 0
    talk_s: int = 0
    hold_s: int = 0
    consult_s: int = 0
    wrap_s: int = 0
    dial_s: int = 0
    ring_s: int = 0
    typified: int = 0
    untyped: int = 0
    retyped: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    causes: dict[str, int] = field(default_factory=dict)
    by_switch: int = 0
    continued: int = 0
    unrung: int = 0
    excused: int = 0
    switch_n: int = 0
    aside_unnamed: int = 0
    rung_out: int = 0
    ring_n: int = 0
    missed_ring_s: int = 0
    dial_n: int = 0
    transfers: dict[str, int] = field(default_factory=dict)
    spreads: list[bytes] = field(default_factory=list)
    failed: int = 0

    def spread(self) -> Spread:
        found = Spread.total(map(_spread_of, self.spreads)) if self.spreads else Spread()
        found.handles.sort()
        return found

    @property
    def handles(self) -> list[int]:
        """How many seconds each took, in order; not to be changed."""
        parts, known = len(self.spreads), self.__dict__.get("_handles")
        if known is None or known[0] != parts:
            its = chain.from_iterable([_handles_of(one).handles for one in self.spreads])
            known = self.__dict__["_handles"] = parts, sorted(its)
        found: list[int] = known[1]
        return found

    def add_spread(self, one: Spread) -> None:
        self.spreads.append(_pack_spread(one))

    def compact(self) -> None:
        """Its spreads in one, to be kept."""
        if len(self.spreads) > 1:
            self.spreads = [_pack_spread(self.spread())]
            self.__dict__.clear()

    def __eq__(self, other: object) -> bool:
        """Whatever parts its spread is in."""
        if not isinstance(other, Calls):
            return NotImplemented
        counted = [name for name in self.__struct_fields__ if name != "spreads"]
        return self.spread() == other.spread() and all(
            getattr(self, name) == getattr(other, name) for name in counted
        )

    __hash__ = None  # type: ignore[assignment]


class Load(_Sums, kw_only=True, array_like=True):
    """Seconds of sessions by what is shown of each (design §3), split where time is cut; they
    partition the time logged in. `reasons`: of `not_ready`, by reason; `system`: of those, what
    the system gave. `off`: a session went on while its station had no power. `switch_talk_s`: of
    conversations that only the switch told, so beside the states and not in the time logged in.
    """

    ready: int = 0
    not_ready: int = 0
    offered: int = 0
    dialing: int = 0
    talking: int = 0
    held: int = 0
    consulting: int = 0
    wrapup: int = 0
    off: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    technical_s: int = 0  # faults that the agent reported; overlaps the states
    system: dict[str, int] = field(default_factory=dict)
    switch_talk_s: int = 0
    present: int = 0  # in a half-hour: who was logged in; 0 in a day's sums

    @property
    def logged_s(self) -> int:
        return sum(getattr(self, state) for state in LOGGED_IN)

    @property
    def handling_s(self) -> int:
        return sum(getattr(self, state) for state in HANDLING)


class Sums(Struct, kw_only=True, array_like=True):
    """Everything of one agent in one interval; calls by queue, None where there was none."""

    queues: dict[str, Calls] = field(default_factory=dict)  # "" : of no queue
    load: Load = field(default_factory=Load)
    steps: dict[str, int] = field(default_factory=dict)  # "campaign step" → ticked by key
    steps_block: dict[str, int] = field(default_factory=dict)  # of those, «en bloque»
    help_n: int = 0
    help_wait_s: int = 0
    faults: int = 0
    campaigns: dict[str, int] = field(default_factory=dict)  # with a conversation, by campaign
    steps_automatic: dict[str, int] = field(default_factory=dict)  # ticked by the station itself

    @classmethod
    def total(cls, parts: Iterable["Sums"]) -> "Sums":
        """Of many, each field at once; of one it is that itself."""
        many = [*parts]
        if len(many) == 1:
            return many[0]
        queues: dict[str, list[Calls]] = {}
        for one in many:
            for queue, calls in one.queues.items():
                queues.setdefault(queue, []).append(calls)
        return cls(
            queues={queue: Calls.total(its) for queue, its in queues.items()},
            load=Load.total(one.load for one in many),
            steps=_total(one.steps for one in many),
            steps_block=_total(one.steps_block for one in many),
            help_n=sum(one.help_n for one in many),
            help_wait_s=sum(one.help_wait_s for one in many),
            faults=sum(one.faults for one in many),
            campaigns=_total(one.campaigns for one in many),
            steps_automatic=_total(one.steps_automatic for one in many),
        )

    def __iadd__(self, other: "Sums") -> "Sums":
        for queue, calls in other.queues.items():
            mine = self.queues.get(queue)
            if mine is None:
                mine = self.queues[queue] = Calls()
            mine += calls
        self.load += other.load
        _add_counts(self.steps, other.steps)
        _add_counts(self.steps_block, other.steps_block)
        _add_counts(self.campaigns, other.campaigns)
        _add_counts(self.steps_automatic, other.steps_automatic)
        self.help_n += other.help_n
        self.help_wait_s += other.help_wait_s
        self.faults += other.faults
        return self

    def compact(self) -> None:
        """As `Calls.compact`, of each queue."""
        for one in self.queues.values():
            one.compact()

    def calls(self, queue: str | None = None) -> Calls:
        """Of one queue, or of all."""
        if queue is not None:
            return self.queues.get(queue, Calls())
        return Calls.total(self.queues.values())


class QueueSums(_Sums, kw_only=True, array_like=True):
    """Calls at the switch, booked whole where they entered the queue. Received = answered +
    abandoned + left + waiting. `answered_waits`, `abandoned_waits`: how many waited so many
    seconds, parts of one counted as one, so that any threshold can be asked; `left_waits` likewise
    of those that left and said so. `outside`: calls that never stood in the queue, by cause; they
    are none of the others. `no_agent`: of the answered, those of which nobody is named. `again`:
    of the answered those whose call was answered before, in whatever queue: without them they are
    distinct calls.
    """

    received: int = 0
    answered: int = 0
    abandoned: int = 0
    left: int = 0
    waiting: int = 0
    estimated: int = 0
    wait_s: int = 0  # of the answered, each in whole seconds
    answered_waits: dict[int, int] = field(default_factory=dict)
    abandoned_waits: dict[int, int] = field(default_factory=dict)
    outside: dict[str, int] = field(default_factory=dict)
    again: int = 0
    left_waits: dict[int, int] = field(default_factory=dict)
    no_agent: int = 0

    @property
    def distinct(self) -> int:
        """Calls that were answered, however often."""
        return self.answered - self.again

    def flow(self, threshold_s: int, short_s: int) -> Flow:
        """For the service level and its kin, `metrics.queue`."""
        return Flow(
            received=self.received,
            answered=self.answered,
            abandoned=self.abandoned,
            left=self.left,
            waiting=self.waiting,
            answered_within=_within(self.answered_waits, threshold_s),
            abandoned_within=_within(self.abandoned_waits, threshold_s),
            short=_within(self.abandoned_waits, short_s),
            wait_s=self.wait_s,
        )


def _within(waits: Mapping[int, int], limit_s: int) -> int:
    return sum([n for seconds, n in waits.items() if seconds <= limit_s]) if waits else 0


class PendingStation(Struct, kw_only=True, rename=LETTERS):
    """A station whose events may still come: its seat, and until when it was heard (UTC ms)."""

    station: str
    seat: str
    since_utc: int | None


class Cutoff(Struct, kw_only=True, rename={"pending_stations": "owing"}):
    """Until when something is known: by the clock, by the number of events taken in, and who
    still owes some.
    """

    at_ms: int
    position: int
    pending_stations: list[PendingStation] = field(default_factory=list)
