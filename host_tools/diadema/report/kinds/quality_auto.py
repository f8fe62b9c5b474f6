"""Automatic indicators of calls, which stand beside a score and never in it: of those that were
evaluated, and of all.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from sqlalchemy import Connection

from diadema.figures.booking import book_contact
from diadema.figures.overview import Ticks, ticks_of
from diadema.figures.rows import Calls, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics.rounding import percent, round_half_up, whole_seconds
from diadema.quality.measured import Voice, measured
from diadema.report.context import ReportContext
from diadema.report.model import Column, Figure, Kind, Section
from diadema.store import contact_rows, open_reader, tables
from diadema.store.rows import Contact

MOST_CALLS = 10_000  # of which the voice of all is read; beyond that it is read of teams or agents


class _Sum(Struct):
    """Of many calls. `n`: of which the voice was measured, `calls`: in all; times in ms."""

    calls: int = 0
    n: int = 0
    silence_ms: int = 0  # the longest of each
    longest_silence_ms: int = 0
    interruptions: int = 0
    clipped: int = 0
    agent_ms: int = 0
    whole_ms: int = 0
    holds: int = 0
    longest_hold_ms: int = 0


def _summed(tx: Connection, contacts: Sequence[Contact]) -> _Sum:
    found = _Sum(calls=len(contacts))
    for one in measured(tx, contacts).values():
        found.holds += one.holds
        found.longest_hold_ms = max(found.longest_hold_ms, one.longest_hold_ms)
        if one.voice is not None:
            _add_voice(found, one.voice)
    return found


def _add_voice(found: _Sum, voice: Voice) -> None:
    found.n += 1
    found.silence_ms += voice.longest_silence_ms
    found.longest_silence_ms = max(found.longest_silence_ms, voice.longest_silence_ms)
    found.interruptions += voice.interruptions
    found.clipped += voice.clipping > 0
    found.agent_ms += voice.agent_spoke_ms
    found.whole_ms += voice.whole_ms


type Indicator = tuple[Figure, int | None]  # the figure, and of how many


def indicators(calls: Calls, ticks: Ticks | None, found: _Sum | None) -> dict[str, Indicator]:
    """By the key of its name; None where it is not read of so many, or not known by queue."""
    ended = calls.typified + calls.untyped
    its: dict[str, Indicator] = {
        "untyped_share": (Figure("percent", percent(calls.untyped, ended)), ended),
        "ticked_share": (Figure("percent", None), None),
        "block_share": (Figure("percent", None), None),
        "hold_mean_s": (Figure("seconds", of_calls.hold_mean(calls)), calls.n - calls.switch_n),
    }
    if ticks is not None:
        shown = percent(ticks.ticked, ticks.possible), percent(ticks.block, ticks.ticked)
        its["ticked_share"] = Figure("percent", shown[0]), ticks.possible
        its["block_share"] = Figure("percent", shown[1]), ticks.ticked
    one = found or _Sum()
    n = one.n
    kinds: list[tuple[str, Kind, int | float | None, int]] = [
        ("holds_each", "score", _each(one.holds, one.calls), one.calls),
        ("longest_hold_s", "seconds",
         whole_seconds(one.longest_hold_ms) if one.holds else None, one.calls),
        ("silence_mean_s", "seconds", _mean_s(one.silence_ms, n), n),
        ("longest_silence_s", "seconds",
         whole_seconds(one.longest_silence_ms) if n else None, n),
        ("interruptions_each", "score", _each(one.interruptions, n), n),
        ("speech_share", "percent", percent(one.agent_ms, one.whole_ms), n),
        ("clipped_share", "percent", percent(one.clipped, n), n),
    ]  # fmt: skip
    for key, kind, value, many in kinds:
        its[key] = (Figure(kind, value if found else None), many if found else None)
    return its


def _each(total: int, n: int) -> float | None:
    return round_half_up(10 * total, n) / 10 if n else None


def _mean_s(total_ms: int, n: int) -> int | None:
    return round_half_up(total_ms, 1000 * n) if n else None


def of_sample(context: ReportContext, contacts: Iterable[Contact]) -> dict[str, Indicator]:
    its, sums = [*contacts], Sums()
    for one in its:
        book_contact(sums, one, context.people.switch_queues, doubtful=False)
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        found = _summed(tx, its)
    return indicators(sums.calls(context.queue), _ticks(context, sums), found)


def of_all(context: ReportContext) -> dict[str, Indicator]:
    """Voice and holds of so many calls as can be read while somebody waits."""
    calls = context.total.calls(context.queue)
    many = of_calls.handled(calls)
    found = measured_of_all(context) if many <= MOST_CALLS else None
    ticks = _ticks(context, context.total) if context.queue is None else None
    return indicators(calls, ticks, found)


def measured_of_all(context: ReportContext) -> _Sum:
    start, end = context.bounds_ms
    row, people = tables.contacts.c, context.people
    where = [row.start_utc >= start, row.start_utc < end]
    if context.agents is not None:
        where.append(row.a.in_([*context.agents]))
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        its = [
            one
            for one in contact_rows.ended(tx, *where)
            if one.outcome == "answered"
            and context.has_at(one.agent, one.start_utc or 0)
            and context.queue in (None, people.queue(one.queue or "", one.start_utc))
        ]
        return _summed(tx, its)


def _ticks(context: ReportContext, sums: Sums) -> Ticks:
    whole = Ticks()
    for ticks in ticks_of(sums, context.campaigns).values():
        whole += ticks
    return whole


def table_of(context: ReportContext, contacts: Iterable[Contact]) -> Section:
    sample, every = of_sample(context, contacts), of_all(context)
    heads: tuple[tuple[str, Kind], ...] = (
        ("indicator", "text"), ("of_sample", "figure"), ("of_sample_n", "count"),
        ("of_all", "figure"), ("of_all_n", "count"),
    )  # fmt: skip
    notes = [context.say("note.quality_auto")]
    if every["holds_each"][1] is None:
        notes.append(context.say("note.quality_auto_all", most=MOST_CALLS))
    return Section(
        key="quality_auto",
        title=context.say("table.quality_auto"),
        columns=[Column(key=key, word=context.heading(key), kind=kind) for key, kind in heads],
        rows=[[context.say(f"col.{key}"), *sample[key], *every[key]] for key in sample],
        notes=notes,
    )
