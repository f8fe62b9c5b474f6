"""Figures of sums of contacts (`figures.rows.Calls`), in whole seconds and in percent with one
decimal. Where there is nothing to divide by the figure is None, never 0.

«Atenciones» are agents' segments, so a call that is transferred makes two; «llamadas atendidas»
are distinct calls.
"""

from typing import Protocol

from diadema.metrics.rounding import mean, percent


class Calls(Protocol):
    """What is asked of them here."""

    offered: int
    answered: int
    missed: int
    dialed: int
    connected: int
    transferred: int
    continued: int
    by_key: int
    aside_open: int
    aside_interrupted: int
    aside_estimated: int
    aside_impossible: int
    n: int
    talk_s: int
    hold_s: int
    consult_s: int
    wrap_s: int
    dial_s: int
    ring_s: int
    typified: int
    untyped: int


def handled(calls: Calls) -> int:
    """«Atenciones» = answered + connected: segments with a conversation, either direction. A call
    that was handed over counts for both agents, as in Amazon Connect.
    """
    return calls.answered + calls.connected


def distinct(calls: Calls) -> int:
    """«Llamadas atendidas» = answered + connected - those that continue a call of another agent
    (their `parent`): whoever rings once is one, however often she is handed over.
    """
    return handled(calls) - calls.continued


def aside(calls: Calls) -> int:
    """With a conversation and in no average: open, interrupted, estimated or impossible."""
    return (
        calls.aside_open + calls.aside_interrupted + calls.aside_estimated + calls.aside_impossible
    )


def handle_s(calls: Calls) -> int:
    """talk + hold + wrap-up of the `n` contacts that count; consult is a part of the hold."""
    return calls.talk_s + calls.hold_s + calls.wrap_s


def aht(calls: Calls) -> int | None:
    """TMO = (talk + hold + wrap-up) / n, in seconds: Amazon Connect's HANDLE_TIME. Dialling is a
    part of its own and not in here (Genesys adds it).
    """
    return mean(handle_s(calls), calls.n)


def talk_mean(calls: Calls) -> int | None:
    """Conversation without hold / n. Amazon Connect: «interaction time excludes hold»."""
    return mean(calls.talk_s, calls.n)


def hold_mean(calls: Calls) -> int | None:
    """Hold, consults included / n: over all contacts that count, not only over those held."""
    return mean(calls.hold_s, calls.n)


def consult_mean(calls: Calls) -> int | None:
    """What of the hold was a consult / n, shown apart and never added (design §7)."""
    return mean(calls.consult_s, calls.n)


def wrap_mean(calls: Calls) -> int | None:
    """ACW: wrap-up opened to closed / n."""
    return mean(calls.wrap_s, calls.n)


def ring_mean(calls: Calls) -> int | None:
    """Ringing at her desk until she took it / n; no part of the TMO."""
    return mean(calls.ring_s, calls.n)


def dial_mean(calls: Calls) -> int | None:
    """Dialling until somebody took it / n; beside the TMO."""
    return mean(calls.dial_s, calls.n)


def answer_rate(calls: Calls) -> float | None:
    """Nivel de atención of an agent = answered / offered, those that still ring included."""
    return percent(calls.answered, calls.offered)


def miss_rate(calls: Calls) -> float | None:
    """Missed / offered (RONA and its kin)."""
    return percent(calls.missed, calls.offered)


def connect_rate(calls: Calls) -> float | None:
    """Outbound: connected / dialed."""
    return percent(calls.connected, calls.dialed)


def transfer_rate(calls: Calls) -> float | None:
    """Handed over, blind or after a consult / segments with a conversation."""
    return percent(calls.transferred, handled(calls))


def typified_rate(calls: Calls) -> float | None:
    """With a code of the tree / those that ought to have one by now."""
    return percent(calls.typified, calls.typified + calls.untyped)


def key_share(calls: Calls) -> float | None:
    """Of which only her keys told / all: how far the rest rests on what is pressed."""
    return percent(calls.by_key, calls.offered + calls.dialed)
