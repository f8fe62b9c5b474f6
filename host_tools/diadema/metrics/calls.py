"""Figures of sums of contacts (`figures.rows.Calls`), in whole seconds and in percent with one
decimal. Where there is nothing to divide by the figure is None, never 0.

«Atenciones» are agents' segments, so a call that is transferred makes two; «llamadas atendidas»
are distinct calls.
"""

from collections.abc import Collection
from typing import Protocol

from diadema.metrics.rounding import mean, percent, quantile


class Calls(Protocol):
    """What is asked of them here; `figures.rows.Calls` says what each one counts."""

    offered: int
    answered: int
    missed: int
    excused: int
    unrung: int
    dialed: int
    connected: int
    transferred: int
    continued: int
    aside_open: int
    aside_interrupted: int
    aside_estimated: int
    aside_impossible: int
    aside_unnamed: int
    n: int
    switch_n: int
    talk_s: int
    hold_s: int
    consult_s: int
    wrap_s: int
    dial_n: int
    dial_s: int
    ring_n: int
    ring_s: int
    typified: int
    untyped: int
    transfers: dict[str, int]

    @property
    def handles(self) -> list[int]: ...


def handled(calls: Calls) -> int:
    """«Atenciones» = answered + connected: segments with a conversation, either direction. A call
    that was handed over counts for both agents, as in Amazon Connect.
    """
    return calls.answered + calls.connected


def distinct(calls: Calls) -> int:
    """«Llamadas atendidas» = answered + connected - those that continue a call of another agent
    (their `parent`): whoever rings once is one, however often the call is handed over.
    """
    return handled(calls) - calls.continued


def aside(calls: Calls) -> int:
    """With a conversation and in no average: open, interrupted, estimated, impossible, or of an
    agent whom the switch did not name.
    """
    return (
        calls.aside_open
        + calls.aside_interrupted
        + calls.aside_estimated
        + calls.aside_impossible
        + calls.aside_unnamed
    )


def handle_s(calls: Calls) -> int:
    """talk + hold + wrap-up of the `n` contacts that count; consult is a part of the hold. Of the
    `switch_n` that only the switch told of it is their talk.
    """
    return calls.talk_s + calls.hold_s + calls.wrap_s


def aht(calls: Calls) -> int | None:
    """TMO = (talk + hold + wrap-up) / n, in seconds: Amazon Connect's HANDLE_TIME. Dialling is a
    part of its own and not in here (Genesys adds it). Where only the switch tells, talk alone.
    """
    return mean(handle_s(calls), calls.n)


def aht_median(calls: Calls) -> int | None:
    """Half of the `n` contacts took at most so many whole seconds (talk + hold + wrap-up of each,
    each part rounded): the smallest such length there is (nearest rank), so never between two.
    """
    return quantile(calls.handles, 50)


def aht_p90(calls: Calls) -> int | None:
    """Nine of ten of the `n` took at most so long, as in `aht_median`."""
    return quantile(calls.handles, 90)


def talk_mean(calls: Calls) -> int | None:
    """Conversation without hold / n. Amazon Connect: «interaction time excludes hold»."""
    return mean(calls.talk_s, calls.n)


def hold_mean(calls: Calls) -> int | None:
    """Hold, consults included / (n - those of the switch alone): over all contacts whose hold is
    known, not only over those held. None where none is.
    """
    return mean(calls.hold_s, calls.n - calls.switch_n)


def consult_mean(calls: Calls) -> int | None:
    """What of the hold was a consult, over the same as `hold_mean`: shown apart and never added
    (design §7).
    """
    return mean(calls.consult_s, calls.n - calls.switch_n)


def wrap_mean(calls: Calls) -> int | None:
    """ACW: wrap-up opened to closed / (n - those of the switch alone)."""
    return mean(calls.wrap_s, calls.n - calls.switch_n)


def ring_mean(calls: Calls) -> int | None:
    """Ringing at the agent's desk until taken / answered inbound contacts whose ringing is known
    (of the switch: the ring time of its CONNECT); no part of the TMO.
    """
    return mean(calls.ring_s, calls.ring_n)


def dial_mean(calls: Calls) -> int | None:
    """Outbound ringing: dialled until somebody took it, or nobody would / those that are over and
    were not interrupted; beside the TMO.
    """
    return mean(calls.dial_s, calls.dial_n)


def pickup_rate(calls: Calls) -> float | None:
    """Contestación del asesor = rings answered / (rings offered - excused): each desk that rang
    is one, so a call that two let ring is two misses and no caller lost (that is the callers'
    side, `queue.answer_rate`). Those that still ring are in it; excused rings (technical,
    withdrawn, caller gave up) in neither part, as in Amazon Connect's «non-response without
    customer abandons». What only a switch tells whose log has no RINGNOANSWER is in neither part:
    None where all is.
    """
    return percent(calls.answered - calls.unrung, calls.offered - calls.excused)


def connect_rate(calls: Calls) -> float | None:
    """Outbound: connected / dialed, those that are being dialled included."""
    return percent(calls.connected, calls.dialed)


def transfer_rate(calls: Calls) -> float | None:
    """Handed over, blind, after a consult or by leaving a conference / segments with a
    conversation. What the switch alone tells is in it by its BLINDTRANSFER and ATTENDEDTRANSFER.
    Amazon Connect has four counters: internal and external are told apart by `transferred_to`.
    """
    return percent(calls.transferred, handled(calls))


def transferred_to(calls: Calls, areas: Collection[str]) -> int:
    """Of the transferred those to one of these areas, of whatever kind."""
    return sum(n for transfer, n in calls.transfers.items() if transfer.partition(" ")[2] in areas)


def typified_rate(calls: Calls) -> float | None:
    """With a code of the tree / those that ought to have one by now: whatever has one, answered
    segments that are over, and unanswered calls out whose wrap-up ran out without one.
    """
    return percent(calls.typified, calls.typified + calls.untyped)
