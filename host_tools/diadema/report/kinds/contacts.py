"""Contacts: how many came, what became of them, and that the count adds up."""

from collections.abc import Iterator

from msgspec import Struct

from diadema.figures.rows import Calls, QueueSums, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics import queue as of_queue
from diadema.metrics.rounding import percent
from diadema.report.context import ReportContext
from diadema.report.model import Cell, Chart, Column, Kind, Ratio, Section
from diadema.report.tables import (
    AGENT,
    Line,
    Part,
    Stated,
    agent_calls,
    by_stage,
    day_lines,
    half_hour_lines,
    heat_map,
    queue_table,
    summary,
    table,
    unmapped,
)


def _known(calls: Calls, count: int) -> int | None:
    """Of rings; None where a switch told of the calls and of no rings."""
    return None if calls.unrung and not calls.offered else count


def _rang(calls: Calls) -> int:
    return calls.offered or calls.answered


def _rung(calls: Calls) -> int:
    return _rang(calls) or calls.rung_out


PARTS: list[Part[Calls]] = [
    Part("offered", lambda calls: _known(calls, calls.offered)),
    Part("answered", lambda calls: calls.answered),
    Part("missed", lambda calls: _known(calls, calls.missed)),
    Part("excused", lambda calls: _known(calls, calls.excused)),
    Part("open", lambda calls: _known(calls, calls.open)),
    Part("unrung", lambda calls: calls.unrung),
    Part(
        "pickup_rate", of_calls.pickup_rate, "percent",
        Ratio(["answered", "-unrung"], ["offered", "-excused"]),
    ),
    Part("dialed", lambda calls: calls.dialed),
    Part("connected", lambda calls: calls.connected),
    Part("not_answered", lambda calls: calls.not_answered),
    Part("dialing", lambda calls: calls.dialing),
    Part("transferred", lambda calls: calls.transferred),
    Part(
        "transfer_rate", of_calls.transfer_rate, "percent",
        Ratio(["transferred"], ["answered", "connected"]),
    ),
]  # fmt: skip
RINGS: list[Part[Calls]] = [
    *PARTS[:7],
    Part("rung_out", lambda calls: calls.rung_out),
    Part("missed_ring_s", lambda calls: _known(calls, calls.missed_ring_s), "seconds"),
    Part("ring_n", lambda calls: calls.ring_n),
    Part("ring_s", lambda calls: calls.ring_s, "seconds"),
    Part("ring_mean_s", of_calls.ring_mean, "seconds", Ratio(["ring_s"], ["ring_n"])),
    Part("left_on_hold", lambda calls: calls.left_on_hold),
    Part("failed", lambda calls: calls.failed),
]
OUTBOUND: list[Part[Calls]] = [
    *PARTS[7:11],
    Part(
        "connect_rate", of_calls.connect_rate, "percent", Ratio(["connected"], ["dialed"]),
    ),
    Part("dial_n", lambda calls: calls.dial_n),
    Part("dial_s", lambda calls: calls.dial_s, "seconds"),
    Part("dial_mean_s", of_calls.dial_mean, "seconds", Ratio(["dial_s"], ["dial_n"])),
]  # fmt: skip
_SIDES = ("received", "answered", "missed", "excused", "abandoned", "left", "open")


def make(context: ReportContext) -> list[Section]:
    def calls(sums: Sums) -> Calls | None:
        its = sums.calls(context.queue)
        return its if _rang(its) or its.dialed else None

    total = context.total.calls(context.queue)
    sections = [
        _summary(context, total),
        _check(context, total),
        table(
            context,
            "calls_agents",
            AGENT,
            PARTS,
            agent_calls(context, lambda one: _rang(one) or one.dialed),
        ),
        queue_table(context, "calls_queues", PARTS),
        table(context, "calls_halves", [("hour", "text")], PARTS, half_hour_lines(context, calls),
              charts=[_chart(context, "calls_halves", "hour", total)]),
    ]  # fmt: skip
    if context.period.grain != "day":
        days = day_lines(context, calls)
        drawn = [_chart(context, "calls_days", "day", total)]
        heads: list[tuple[str, Kind]] = [("day", "day")]
        sections.insert(3, table(context, "calls_days", heads, PARTS, days, charts=drawn))
    sections += heat_map(context, "calls_map", _came(context))
    sections += [
        *by_stage(context, "calls_stages", PARTS, calls),
        _causes(context, total),
        table(context, "rings_agents", AGENT, RINGS, agent_calls(context, _rung)),
        _transfers(context, total),
        table(
            context,
            "outbound_agents",
            AGENT,
            OUTBOUND,
            agent_calls(context, lambda one: one.dialed),
        ),
    ]
    return sections


def _came(context: ReportContext) -> Iterator[tuple[str, str, int | None]]:
    """Day, half-hour, and how often it rang then."""
    for at, sums in context.half_hours:
        calls, (day, _, half) = sums.calls(context.queue), at.partition(" ")
        if _rang(calls):
            yield day, half, _known(calls, calls.offered)


def _chart(context: ReportContext, key: str, x: str, total: Calls) -> Chart:
    """What came, by what became of it, and which part was taken."""
    return Chart(
        title=context.say(f"chart.{key}"),
        x=x,
        bars=["answered", "missed", "excused", "open"],
        lines=["pickup_rate"],
        unit=context.say("unit.rings"),
        n=_known(total, total.offered),
    )


def switch_side(context: ReportContext) -> QueueSums | None:
    """The switch's own count, where it can be set beside that of these agents: for a queue or the
    whole floor, and where there is a switch.
    """
    if context.scope.of in ("agent", "team"):
        return None
    sums = context.figures.queue(context.queue)
    return sums if sums.received or sums.outside else None


def stated(context: ReportContext) -> list[Stated]:
    calls, side = context.total.calls(context.queue), switch_side(context)
    handled = of_calls.handled(calls)
    return [
        *_of_switch(context, side),
        Stated("offered", "count", _known(calls, calls.offered)),
        Stated("handled", "count", handled),
        Stated("distinct", "count", of_calls.distinct(calls), handled),
        Stated("missed", "count", _known(calls, calls.missed), _known(calls, calls.offered)),
        Stated("excused", "count", _known(calls, calls.excused), _known(calls, calls.offered)),
        Stated("failed", "count", calls.failed),
        Stated("pickup_rate", "percent", of_calls.pickup_rate(calls),
               _known(calls, calls.offered - calls.excused)),
        Stated("transfer_rate", "percent", of_calls.transfer_rate(calls), handled),
        *(
            Stated(f"transfer_{where}_rate", "percent",
                   percent(of_calls.transferred_to(calls, _areas(context, where)), handled),
                   handled)
            for where in ("internal", "external")
        ),
        Stated("connect_rate", "percent", of_calls.connect_rate(calls), calls.dialed),
        Stated("typified", "count", calls.typified, calls.typified + calls.untyped),
    ]  # fmt: skip


def _summary(context: ReportContext, calls: Calls) -> Section:
    side = switch_side(context)
    notes = [context.say("note.handled")]
    if side is None:
        word = "note.no_switch" if context.scope.of in ("floor", "queue") else "note.switch_of_all"
        notes.append(context.say(word))
    if calls.by_switch:
        notes += [context.say("note.by_switch", n=calls.by_switch), *unmapped(context)]
    if calls.unrung:
        notes.append(context.say("note.unrung", n=calls.unrung))
    if calls.by_key:
        notes.append(context.say("note.by_key", n=calls.by_key))
    if context.untimed.offered or context.untimed.dialed:
        n = context.untimed.offered + context.untimed.dialed
        notes.append(context.say("note.hourless", n=n))
    return summary(context, stated(context), notes)


def _of_switch(context: ReportContext, side: QueueSums | None) -> Iterator[Stated]:
    """The callers' side; not known where there is no switch, or where it is nobody's own."""
    sums = side or QueueSums()
    flow = sums.flow(context.threshold_s(context.queue or ""), context.short_s)
    for key, count, n in (
        ("received", sums.received, None),
        ("switch_answered", sums.distinct, sums.answered),
        ("abandoned", sums.abandoned, sums.received),
    ):
        yield Stated(key, "count", count if side else None, n if side else None)
    for key, value, n in (
        ("answer_rate", of_queue.answer_rate(flow), flow.received),
        ("abandonment", of_queue.abandonment(flow), flow.answered + flow.abandoned),
    ):
        yield Stated(key, "percent", value, n if side else None, key)


def _areas(context: ReportContext, where: str) -> set[str]:
    areas = context.people.areas.items()
    return {code for code, area in areas if area.external == (where == "external")}


class _Handed(Struct):
    n: int
    whole: int


def _transfers(context: ReportContext, calls: Calls) -> Section:
    """By kind and area, the most frequent first. What the switch told has no area."""
    parts: list[Part[_Handed]] = [
        Part("count", lambda one: one.n),
        Part("share", lambda one: percent(one.n, one.whole), "percent",
             Ratio(["count"], ["count"])),
    ]  # fmt: skip
    lines: list[Line[_Handed]] = []
    for transfer, n in sorted(calls.transfers.items(), key=lambda one: (-one[1], one[0])):
        kind, _, code = transfer.partition(" ")
        area = context.people.areas.get(code)
        where = "unknown" if area is None else "external" if area.external else "internal"
        before: list[Cell] = [
            context.known("transfer", kind or "unknown"),
            area.label if area else code or "—",
            context.say(f"transfer_to.{where}"),
        ]
        lines.append((before, _Handed(n, calls.transferred)))
    heads = [("transfer_kind", "text"), ("area", "text"), ("transfer_where", "text")]
    return table(context, "transfers", heads, parts, lines)  # type: ignore[arg-type]


def _check(context: ReportContext, calls: Calls) -> Section:
    """Received less all that can have become of it: nothing may be left. What had no time yet is
    beside, in no other figure.
    """

    def agents(name: str, one: Calls) -> tuple[str, tuple[int | None, ...]]:
        taken = one.answered - one.unrung
        return name, (one.offered, taken, one.missed, one.excused, None, None, one.open)

    sides: list[tuple[str, tuple[int | None, ...]]] = []
    if calls.offered or not calls.unrung:
        rung = calls.by_switch - calls.unrung
        whose = "in" if not rung else "in_switch" if rung == calls.answered else "in_both"
        sides.append(agents(whose, calls))
    out = (calls.dialed, calls.connected, calls.not_answered, None, None, None, calls.dialing)
    sides.append(("out", out))
    side = switch_side(context)
    if side:
        whole = (side.received, side.answered, None, None, side.abandoned, side.left, side.waiting)
        sides.append(("switch", whole))
    late = context.untimed
    if late.offered:
        sides.append(agents("hourless_in", late))
    if late.dialed:
        its = (late.dialed, late.connected, late.not_answered, None, None, None, late.dialing)
        sides.append(("hourless_out", its))
    columns = [Column(key="side", word=context.heading("side"), kind="text")]
    columns += [Column(key=key, word=context.heading(f"side_{key}")) for key in _SIDES]
    columns.append(Column(key="difference", word=context.heading("difference")))
    rows: list[list[Cell]] = []
    for name, (received, *became) in sides:
        left_over = (received or 0) - sum(part or 0 for part in became)
        rows.append([context.say(f"side.{name}"), received, *became, left_over])
    word = "note.adds_up" if all(row[-1] == 0 for row in rows) else "note.does_not_add_up"
    notes = [context.say(word)]
    if side and side.outside:
        said = ", ".join(
            f"{n} {_cause(context, cause)}" for cause, n in sorted(side.outside.items())
        )
        notes.append(context.say("note.outside", said=said))
    return Section(
        key="check", title=context.say("table.check"), columns=columns, rows=rows, notes=notes
    )


def _causes(context: ReportContext, calls: Calls) -> Section:
    """Why calls were not answered."""
    part = Part[int]("count", lambda n: n)
    ordered = sorted(calls.causes.items(), key=lambda one: (-one[1], one[0]))
    lines: list[Line[int]] = [([_cause(context, cause)], n) for cause, n in ordered]
    return table(context, "causes", [("cause", "text")], [part], lines)


def _cause(context: ReportContext, cause: str) -> str:
    return context.known("cause", cause or "none")
