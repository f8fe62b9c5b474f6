"""What reports of faults cost (`fallas`): the seconds of her sessions that each took of an agent,
as a set, so that whatever is counted once is in it once.
"""

from collections import defaultdict
from typing import NamedTuple

from . import desks


class Lost(NamedTuple):
    """`seconds` of UTC; `calls`: missed for technical reasons, from the press on."""

    press: desks.Press
    seconds: set[int]
    calls: set[tuple[str, int, int]]


def stops(given, first, last):
    """Of each press that may cost time, what it cost in [first, last)."""
    found = desks.read(given)
    shown = desks.by_agent(found)
    began = missed(given)
    its = []
    for agent in {press.agent for press in found.presses}:
        logged = {
            second
            for start, end, *_ in shown.get(agent, [])
            for second in range(max(start, first), min(end, last))
        }
        for start, end, press in desks.fault_times(found, agent):
            seconds = logged & set(range(start, end))
            calls = {
                key
                for key, at in began[agent].items()
                if seconds and first * 1000 <= at < last * 1000
                and press.open <= at < 1000 * (max(seconds) + 1)
            }  # fmt: skip
            its.append(Lost(press, seconds, calls))
    return its


def missed(given):
    """By agent the calls that rang and were missed for technical reasons, and when they began."""
    began, found = {}, defaultdict(dict)
    for events in given.stations().values():
        for event in events:
            at = event.s, event.e, event.f.get("c")
            if event.k == "contact.offered":
                began[at] = event
            elif at in began and (
                (event.k == "contact.missed" and event.f["cause"] == "technical")
                or (event.k == "contact.ended" and event.f["by"] == "technical")
            ):
                one = began[at]
                if one.utc is not None:
                    found[one.f["a"]][one.s, one.e, one.n] = one.utc
    return found


def tickets(given):
    """Of each report the ticket that adopted it last."""
    return {
        tuple(one.f["of"]): one.f["ticket"]
        for one in given.told("ticket.opened", "ticket.linked")
        if one.f.get("of")
    }


def costs(its, of):
    """By what `of(lost)` is, and of all: agents, seconds, those in one part alone, calls."""
    parts, agents = defaultdict(lambda: defaultdict(set)), defaultdict(set)
    calls, everyone = defaultdict(set), defaultdict(set)
    for one in its:
        part = of(one)
        parts[part][one.press.agent] |= one.seconds
        agents[part].add(one.press.agent)
        calls[part] |= one.calls
        everyone[one.press.agent] |= one.seconds
    found = {}
    for part, lost in parts.items():
        alone = 0
        for agent, seconds in lost.items():
            others = set().union(*(
                its[agent] for name, its in parts.items() if name != part and agent in its
            ))  # fmt: skip
            alone += len(seconds - others)
        whole = sum(map(len, lost.values()))
        found[part] = (len(agents[part]), whole, alone, whole - alone, len(calls[part]))
    whole = sum(map(len, everyone.values()))
    alone = sum(one[2] for one in found.values())
    all_calls = len(set().union(*calls.values()))
    return found, (len(everyone), whole, alone, whole - alone, all_calls)
