"""Books contacts and calls for assistance whole, with their outcome, into the sums of an interval
(design §7: flow, and averages booked as flow).

Books the switch's calls into the sums of a queue, whole, where they entered it (flow).
"""

from diadema.figures.rows import Calls, QueueSums, Spread, Sums
from diadema.metrics import contacts as of
from diadema.metrics.rounding import whole_seconds
from diadema.site.directory.people import Held, queue_of
from diadema.store.rows import Contact, QueueCall, Ticket

UNCODED = (None, "SIN_TIPIFICAR")


def book_contact(sums: Sums, contact: Contact, queues: Held, *, doubtful: bool) -> None:
    """`queues`: by the switch's names. `doubtful`: another conversation of hers went on, see
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
    calls.untyped += contact.closed and not coded and _asked(contact)
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


def _asked(contact: Contact) -> bool:
    """For a code: after a conversation, or where its wrap-up ran out without one."""
    return contact.outcome == "answered" or contact.code is not None


def book_transfer(calls: Calls, kind: str | None, target: str | None) -> None:
    calls.transferred += 1
    told = f"{kind or ''} {target or ''}"
    calls.transfers[told] = calls.transfers.get(told, 0) + 1


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
        cause = contact.cause or ""
        calls.causes[cause] = calls.causes.get(cause, 0) + 1


def _dialed(contact: Contact) -> int:
    """Milliseconds until somebody took it, or until nobody would."""
    if contact.outcome == "answered":
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


def book_ticket(sums: Sums, ticket: Ticket) -> None:
    """At the press; the wait is that of those that somebody accepted."""
    if ticket.kind == "fault":
        sums.faults += 1
    else:
        sums.help_n += 1
        sums.help_wait_s += whole_seconds(ticket.wait_ms or 0)


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
