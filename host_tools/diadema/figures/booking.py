"""What is booked into the sums of an interval (design §7).

Flow: contacts and calls for assistance whole, with their outcome, and the averages with them; the
switch's calls whole into the sums of their queue, where they entered it.

Load: seconds of one agent's sessions by what is shown of them, from their trails. Bounds are cut
down to whole seconds of UTC, so that stretches that follow each other neither lose nor double one,
wherever they are cut. Two sessions of one agent at once are one time: each second of it has one
state, by the order of design §3.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from diadema.figures.rows import Calls, Load, QueueSums, Spread, Sums
from diadema.metrics import contacts as of
from diadema.metrics.contacts import JUMP_MS
from diadema.metrics.rounding import whole_seconds
from diadema.site.directory.people import Held, queue_of
from diadema.store.contact_rows import LONGEST_MS
from diadema.store.rows import Contact, Press, QueueCall, Trail
from diadema.wire import agent_states

UNCODED = (None, "SIN_TIPIFICAR")
BUSY = "busy"
_COARSE = dict.fromkeys(agent_states.WORK, BUSY)
_RANK = {BUSY: -1} | agent_states.RANK


def book_contact(sums: Sums, contact: Contact, queues: Held, *, doubtful: bool) -> None:
    """`queues`: by the switch's names. `doubtful`: another conversation of the agent went on, see
    `metrics.contacts.doubtful`.
    """
    queue = queue_of(queues, contact.queue or "", contact.start_utc)
    calls = sums.queues.get(queue)
    if calls is None:
        calls = sums.queues[queue] = Calls()
    _outcome(calls, contact)
    calls.by_key += contact.via == "key"
    more = contact.more
    if contact.code is not None:
        calls.codes[contact.code] = calls.codes.get(contact.code, 0) + 1
    coded = contact.code not in UNCODED
    calls.typified += coded
    calls.untyped += contact.closed and not coded and _wants_code(contact)
    calls.retyped += coded and more is not None and more.author not in (None, contact.agent)
    if more is not None:
        calls.consults += more.consults
        campaign = more.campaign or ""
        for step in more.steps:
            if step.result == "done":
                name = f"{campaign} {step.step}"
                counts = sums.steps if step.how == "key" else sums.steps_automatic
                counts[name] = counts.get(name, 0) + 1
                if step.block:
                    sums.steps_block[name] = sums.steps_block.get(name, 0) + 1
    if contact.outcome != "answered":
        return
    named = (more.campaign if more else None) or ""
    sums.campaigns[named] = sums.campaigns.get(named, 0) + 1
    if contact.ended_by == "transfer":
        book_transfer(calls, more.transfer if more else None, more.target if more else None)
    calls.continued += more is not None and more.parent is not None
    calls.left_on_hold += contact.on_hold
    why = of.why_aside(contact) or ("impossible" if doubtful else "")
    match why:
        case "":
            _average(calls, contact)
        case "open":
            calls.aside_open += 1
        case "interrupted":
            calls.aside_interrupted += 1
        case "estimated":
            calls.aside_estimated += 1
        case _:
            calls.aside_impossible += 1


def _wants_code(contact: Contact) -> bool:
    """For a code: after a conversation, or where its wrap-up ran out without one."""
    return contact.outcome == "answered" or contact.code is not None


def book_transfer(calls: Calls, kind: str | None, target: str | None) -> None:
    calls.transferred += 1
    transfer = f"{kind or ''} {target or ''}"
    calls.transfers[transfer] = calls.transfers.get(transfer, 0) + 1


def book_talk(
    calls: Calls, code: str, talk_s: int, hold_s: int = 0, consult_s: int = 0, wrap_s: int = 0
) -> None:
    """One more that averages take. `consult_s` is a part of the hold."""
    calls.n += 1
    calls.talk_s += talk_s
    calls.hold_s += hold_s
    calls.consult_s += consult_s
    calls.wrap_s += wrap_s
    handle_s = talk_s + hold_s + wrap_s
    calls.add_spread(Spread([handle_s], {code: 1}, {code: talk_s}, {code: hold_s}, {code: wrap_s}))


def _outcome(calls: Calls, contact: Contact) -> None:
    inbound, outcome = contact.direction == "in", contact.outcome
    if inbound:
        calls.offered += 1
        ring_ms = contact.ring_ms
        if outcome == "answered":
            calls.answered += 1
            if ring_ms is not None and ring_ms >= 0:
                calls.ring_n += 1
                calls.ring_s += whole_seconds(ring_ms)
        elif outcome == "open":
            calls.open += 1
        elif contact.cause in of.EXCUSED:
            calls.excused += 1
        else:
            calls.missed += 1
            calls.missed_ring_s += whole_seconds(max(ring_ms or 0, 0))
    else:
        calls.dialed += 1
        if outcome == "answered":
            calls.connected += 1
        elif outcome == "open":
            calls.dialing += 1
        else:
            calls.not_answered += 1
        if outcome != "open" and not contact.interrupted and (dialed := _dialed(contact)) >= 0:
            calls.dial_n += 1
            calls.dial_s += whole_seconds(dialed)
    if outcome in ("missed", "not_answered"):
        calls.failed += contact.ended_by == "technical"
        cause = contact.cause or ""
        calls.causes[cause] = calls.causes.get(cause, 0) + 1


def _dialed(contact: Contact) -> int:
    """Milliseconds until somebody took it, or until nobody would."""
    if contact.outcome == "answered" or contact.dial_ms:
        return contact.dial_ms
    return -1 if contact.end_u is None else contact.end_u - contact.start_u


def _average(calls: Calls, contact: Contact) -> None:
    book_talk(
        calls,
        "" if contact.code in UNCODED else str(contact.code),
        of.talk_s(contact),
        of.hold_s(contact),
        of.consult_s(contact),
        of.wrapup_s(contact),
    )


def book_press(sums: Sums, press: Press) -> None:
    """At the press; the wait is that of those that somebody accepted."""
    if press.kind == "fault":
        sums.faults += 1
    else:
        sums.help_n += 1
        sums.help_wait_s += whole_seconds(press.wait_ms or 0)


def book_queue_call(sums: QueueSums, call: QueueCall, *, again: bool) -> None:
    """`again`: the same call was answered before."""
    if not call.entered:
        cause = call.cause or ""
        sums.outside[cause] = sums.outside.get(cause, 0) + 1
        return
    sums.received += 1
    sums.estimated += call.estimated
    wait_ms = call.wait_ms or 0
    wait_s = -(-wait_ms // 1000)
    match call.outcome:
        case "answered":
            sums.answered += 1
            sums.again += again
            sums.no_agent += call.agent is None
            sums.wait_s += whole_seconds(wait_ms)
            sums.answered_waits[wait_s] = sums.answered_waits.get(wait_s, 0) + 1
        case "abandoned":
            sums.abandoned += 1
            sums.abandoned_waits[wait_s] = sums.abandoned_waits.get(wait_s, 0) + 1
        case "left":
            sums.left += 1
            if call.wait_ms is not None:
                sums.left_waits[wait_s] = sums.left_waits.get(wait_s, 0) + 1
        case _:
            sums.waiting += 1


class Stretch(Struct, array_like=True):
    """Seconds of UTC [start_s, end_s) in one state."""

    start_s: int
    end_s: int
    state: str
    reason: str | None = None
    by: str | None = None


def stretches(trails: Iterable[Trail], *, coarse: bool = False) -> list[Stretch]:
    """Of one agent, in order, none over another; trails without an hour are in none. `coarse`:
    from ringing to the end of the wrap-up, and on into the next call, it is one, BUSY.
    """
    by_session: dict[tuple[str, int, int], list[Trail]] = {}
    for trail in trails:
        if trail.start_utc is not None:
            by_session.setdefault(trail.session, []).append(trail)
    found: list[Stretch] = []
    for its in by_session.values():
        its.sort(key=lambda trail: trail.sequence)
        found += _of_session(its, coarse=coarse)
    found.sort(key=lambda one: (one.start_s, one.end_s))
    return _flat(found)


def end_of(trail: Trail) -> int:
    """UTC of its last millisecond's end, by the station's own measure from its start on."""
    assert trail.start_utc is not None
    return trail.start_utc + (trail.end_u - trail.start_u)


def _of_session(trails: Sequence[Trail], *, coarse: bool) -> Iterable[Stretch]:
    for at, trail in enumerate(trails):
        assert trail.start_utc is not None
        end = end_of(trail)
        after = trails[at + 1] if at + 1 < len(trails) else None
        following = end if after is None or after.start_utc is None else after.start_utc
        off = after is not None and after.boot != trail.boot
        if not off and abs(following - end) <= JUMP_MS:
            end = following  # the clock drifts; they touch all the same
        base = trail.start_utc - trail.start_u
        busy: Stretch | None = None
        bounds = [*(base + span.uptime_ms for span in trail.spans), end]
        for span, (start, until) in zip(trail.spans, pairwise(bounds), strict=True):
            first_s, end_s = start // 1000, min(until, end) // 1000
            if first_s >= end_s:
                continue
            if not coarse or span.state not in _COARSE:
                if busy is not None:
                    yield busy
                    busy = None
                yield Stretch(first_s, end_s, span.state, span.reason, span.by)
            elif busy is None:
                busy = Stretch(first_s, end_s, BUSY)
            else:
                busy.end_s = end_s
        if busy is not None:
            yield busy
        if off and end // 1000 < following // 1000 and following - end <= LONGEST_MS:
            yield Stretch(end // 1000, following // 1000, "off")


def _flat(found: list[Stretch]) -> list[Stretch]:
    if all(one.end_s <= after.start_s for one, after in pairwise(found)):
        return found
    bounds = sorted({bound for one in found for bound in (one.start_s, one.end_s)})
    flat: list[Stretch] = []
    at, running = 0, list[Stretch]()
    for start, end in pairwise(bounds):
        running = [one for one in running if one.end_s > start]
        while at < len(found) and found[at].start_s <= start:
            running.append(found[at])
            at += 1
        if running:  # of equals the one that began last
            best = min(running, key=lambda one: (_RANK[one.state], -one.start_s, one.reason or ""))
            flat.append(Stretch(start, end, best.state, best.reason, best.by))
    return flat


class Fault(Struct):
    """A press for a fault. `moved_utc`: when the agent sat down at another seat after it."""

    press: Press
    moved_utc: int | None = None


type Technical = tuple[int, int, Press]  # seconds [start, end) that the fault cost


def technical(
    faults: Iterable[Fault], trails: Sequence[Trail], within: Sequence[Stretch]
) -> list[tuple[int, int]]:
    """Seconds of the agent's sessions in which a reported fault cost time; each one once."""
    return [(start, end) for start, end, _ in technical_by(faults, trails, within)]


def technical_by(
    faults: Iterable[Fault], trails: Sequence[Trail], within: Sequence[Stretch]
) -> list[Technical]:
    """The same with the fault: of several at once the one that came first. In order."""
    apart: list[Technical] = []
    for start, end, one in _technical(faults, trails):
        start = max(start, apart[-1][1]) if apart else start
        if start < end:
            apart.append((start, end, one))
    return _within(apart, within)


def technical_each(
    faults: Iterable[Fault], trails: Sequence[Trail], within: Sequence[Stretch]
) -> list[Technical]:
    """The same of each fault by itself, so that those of several lie over each other."""
    return _within(_technical(faults, trails), within)


def _within(its: Iterable[Technical], within: Sequence[Stretch]) -> list[Technical]:
    return [
        (max(start, one.start_s), min(end, one.end_s), press)
        for start, end, press in its
        for one in within
        if max(start, one.start_s) < min(end, one.end_s)
    ]


def _technical(faults: Iterable[Fault], trails: Sequence[Trail]) -> list[Technical]:
    """In order. One counts from the press, or the end of the call in which it came, until it was
    resolved or rejected, the agent sat down at another seat, or the session in which it was
    reported ended.
    """
    found = sorted(
        (one.technical_utc // 1000, _end_of(fault, trails) // 1000, one.sequence, at, one)
        for at, fault in enumerate(faults)
        if (one := fault.press).technical_utc is not None
    )
    return [(start, end, one) for start, end, _, _, one in found]


def _end_of(fault: Fault, trails: Sequence[Trail]) -> int:
    press = fault.press
    start = press.technical_utc or 0
    place = press.station, press.epoch, press.sequence
    its = [one for one in trails if one.session[:2] == place[:2] and one.session <= place]
    session = max((one.session for one in its), default=None)
    ends = [end_of(one) for one in its if one.session == session and one.start_utc is not None]
    closed = press.closed_utc
    if closed is None and press.technical_ms is not None:
        closed = start + press.technical_ms
    known = [one for one in (closed, fault.moved_utc) if one is not None]
    return max(start, min([max(ends, default=start), *known]))


def add(load: Load, one: Stretch, seconds: int) -> None:
    """Book so many seconds of it."""
    setattr(load, one.state, getattr(load, one.state) + seconds)
    if one.state == "not_ready":
        reason = one.reason or ""
        load.reasons[reason] = load.reasons.get(reason, 0) + seconds
        if one.by == "system":
            load.system[reason] = load.system.get(reason, 0) + seconds
