"""Lost time: what each report of a fault cost who made it, as technical time is everywhere
(`booking.technical_each`), and the calls that were missed for it. A second in which several faults
stopped one agent counts once in every sum.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, text

from diadema.figures.booking import Fault, stretches, technical_each
from diadema.figures.facts import faults, presses, running, trails_near
from diadema.store import tables
from diadema.store.contact_rows import LONGEST_MS, Key
from diadema.store.rows import Contact, Press, Trail

type Times = Sequence[tuple[int, int]]  # seconds of UTC [start, end)

_BESIDE_MS = 3_600_000
_FIELDS = Contact.__struct_fields__
_MISSED = text(
    f"""SELECT k.key, c.s, c.e, c.n, c.start_utc FROM json_each(:keys) k JOIN contacts c
    ON c.a = k.value ->> 0 AND c.start_utc >= k.value ->> 1 AND c.start_utc < k.value ->> 2
    WHERE c.row ->> {_FIELDS.index("outcome")} = 'missed'
    AND c.row ->> {_FIELDS.index("cause")} = 'technical'"""
)
_encode = msgspec.json.Encoder().encode


class Stop(Struct):
    """What one press for a fault cost its agent. `calls`: missed for technical reasons, that began
    between the press and the last second that it cost.
    """

    agent: str
    press: Press
    times: list[tuple[int, int]]
    calls: dict[Key, int] = field(default_factory=dict)

    def within(self, times: Times) -> "Stop":
        """What of it lies in these, which are in order and apart."""
        return Stop(
            self.agent,
            self.press,
            [
                (max(start, first), min(end, last))
                for start, end in self.times
                for first, last in times
                if max(start, first) < min(end, last)
            ],
            {
                key: utc
                for key, utc in self.calls.items()
                if any(first <= utc // 1000 < last for first, last in times)
            },
        )


def stops(
    tx: Connection,
    start_ms: int,
    end_ms: int,
    now_ms: int,
    agents: Collection[str] | None = None,
) -> list[Stop]:
    """Of [start_ms, end_ms), until now, in the order of the presses; those that cost nothing and
    missed nothing too.
    """
    found: list[Stop] = []
    reported = faults(tx, presses(tx, start_ms, end_ms, tables.presses.c.kind == "fault"))
    reported = {a: its for a, its in reported.items() if agents is None or a in agents}
    on: defaultdict[str, list[Trail]] = defaultdict(list)
    for trail in running(tx, now_ms).trails if reported else ():
        on[trail.agent].append(trail)
    near = trails_near(tx, _windows(reported, start_ms, end_ms))
    for a, its in reported.items():
        trails = [*near.get(a, ()), *on[a]]
        times: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        shown = stretches(trails, coarse=True)
        for start, end, press in technical_each(its, trails, shown):
            first, last = max(start, start_ms // 1000), min(end, end_ms // 1000)
            if first < last:
                times[id(press)].append((first, last))
        found += [Stop(a, one.press, times[id(one.press)]) for one in its]
    found.sort(key=lambda one: (one.press.technical_utc or 0, one.agent, one.press.sequence))
    _add_calls(tx, found, start_ms)
    return found


def _windows(
    reported: Mapping[str, Iterable[Fault]], start_ms: int, end_ms: int
) -> list[tuple[str, int, int]]:
    """Of each fault the time that its trails, and those beside them, lie in. The station wrote
    the press, and then the answer, while it had power: a time without lies over the bounds alone.
    """
    found = []
    for a, its in reported.items():
        for one in its:
            start, end = one.press.technical_utc or 0, one.press.closed_utc or end_ms
            before = _BESIDE_MS if start > start_ms else LONGEST_MS
            after = _BESIDE_MS if end < end_ms else LONGEST_MS
            found.append((a, max(start, start_ms) - before, min(end, end_ms) + after))
    return found


def _add_calls(tx: Connection, its: Sequence[Stop], start_ms: int) -> None:
    keys = [
        (one.agent, max(one.press.open_utc or start_ms, start_ms), 1000 * one.times[-1][1])
        for one in its
        if one.times
    ]
    lost = [one for one in its if one.times]
    if keys:
        for at, s, e, n, utc in tx.execute(_MISSED, {"keys": _encode(keys).decode()}):
            lost[at].calls[s, e, n] = utc


class Cost(Struct):
    """`lost_s`: over the agents, of each the union of the own times. Of it `shared_s` are in other
    parts too: `lost_s` = `alone_s` + `shared_s`, of a part and of all parts together. `calls`:
    missed, each once.
    """

    reports: int = 0
    agents: int = 0
    lost_s: int = 0
    alone_s: int = 0
    shared_s: int = 0
    calls: int = 0


def costs[Part](its: Iterable[Stop], of: Callable[[Stop], Part]) -> tuple[dict[Part, Cost], Cost]:
    """By part, and of all of them: a second that two parts share is in both of them, and once in
    all.
    """
    found: defaultdict[Part, Cost] = defaultdict(Cost)
    whole = Cost()
    by_agent: defaultdict[str, list[Stop]] = defaultdict(list)
    for stop in its:
        by_agent[stop.agent].append(stop)
    for stops in by_agent.values():
        whole.agents += 1
        whole.reports += len(stops)
        whole.calls += len({key for one in stops for key in one.calls})
        of_part: defaultdict[Part, list[Stop]] = defaultdict(list)
        for one in stops:
            of_part[of(one)].append(one)
        for part, mine in of_part.items():
            cost = found[part]
            cost.agents += 1
            cost.reports += len(mine)
            cost.calls += len({key for one in mine for key in one.calls})
        for seconds, parts in _split(stops, of):
            for cost in (whole, *(found[one] for one in parts)):
                cost.lost_s += seconds
                if len(parts) > 1:
                    cost.shared_s += seconds
                else:
                    cost.alone_s += seconds
    return dict(found), whole


def _split[Part](
    its: Iterable[Stop], of: Callable[[Stop], Part]
) -> Iterator[tuple[int, set[Part]]]:
    """Of one agent: so many seconds in which the same parts cost time."""
    bounds: defaultdict[int, list[tuple[int, Part]]] = defaultdict(list)
    for one in its:
        for start, end in one.times:
            bounds[start].append((1, of(one)))
            bounds[end].append((-1, of(one)))
    running, before = Counter[Part](), 0
    for at in sorted(bounds):
        if parts := {part for part, n in running.items() if n}:
            yield at - before, parts
        for step, part in bounds[at]:
            running[part] += step
        before = at
