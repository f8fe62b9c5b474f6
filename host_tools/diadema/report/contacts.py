"""Contacts: how many came, what became of them, and that the count adds up."""

from diadema.figures.rows import Calls, QueueSums, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics import queue as of_queue
from diadema.report.asked import Asked
from diadema.report.model import Cell, Column, Ratio, Section
from diadema.report.tables import (
    AGENT,
    Line,
    Part,
    Stated,
    agent_lines,
    day_lines,
    half_hour_lines,
    queue_table,
    summary,
    table,
)

PARTS: list[Part[Calls]] = [
    Part("offered", lambda calls: calls.offered),
    Part("answered", lambda calls: calls.answered),
    Part("missed", lambda calls: calls.missed),
    Part("open", lambda calls: calls.open),
    Part(
        "answer_rate", of_calls.answer_rate, "percent", Ratio(["answered"], ["offered"]),
        "answer_rate",
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
_SIDES = ("received", "answered", "missed", "abandoned", "left", "open")


def make(asked: Asked) -> list[Section]:
    def calls(sums: Sums) -> Calls | None:
        its = sums.calls(asked.queue)
        return its if its.offered or its.dialed else None

    total = asked.total.calls(asked.queue)
    sections = [
        _summary(asked, total),
        _check(asked, total),
        table(asked, "calls_agents", AGENT, PARTS, agent_lines(asked, calls)),
        queue_table(asked, "calls_queues", PARTS),
        table(asked, "calls_halves", [("hour", "text")], PARTS, half_hour_lines(asked, calls)),
    ]
    if asked.period.grain != "day":
        days = day_lines(asked, calls)
        sections.insert(3, table(asked, "calls_days", [("day", "day")], PARTS, days))
    sections.append(_causes(asked, total))
    return sections


def switch_side(asked: Asked) -> QueueSums | None:
    """The switch's own count, where it can be set beside that of these agents: for a queue or the
    whole floor, and where there is a switch.
    """
    if asked.scope.of in ("agent", "team"):
        return None
    sums = asked.figures.queue(asked.queue)
    return sums if sums.received or sums.outside else None


def _summary(asked: Asked, calls: Calls) -> Section:
    side = switch_side(asked)
    stated = [
        Stated("offered", "count", calls.offered),
        Stated("handled", "count", of_calls.handled(calls)),
        Stated("distinct", "count", of_calls.distinct(calls)),
        Stated("switch_answered", "count", side.answered if side else None),
        Stated("missed", "count", calls.missed),
        Stated("abandoned", "count", side.abandoned if side else None),
        Stated(
            "answer_rate", "percent", of_calls.answer_rate(calls), calls.offered, "answer_rate"
        ),
        Stated("transfer_rate", "percent", of_calls.transfer_rate(calls), of_calls.handled(calls)),
        Stated("typified", "count", calls.typified, of_calls.handled(calls)),
    ]
    if side:
        flow = side.flow(asked.threshold_s(asked.queue or ""), asked.short_s)
        n = flow.answered + flow.abandoned
        stated.append(
            Stated("abandonment", "percent", of_queue.abandonment(flow), n, "abandonment")
        )
    notes = [asked.say("note.handled")]
    if side is None:
        word = "note.no_switch" if asked.scope.of in ("floor", "queue") else "note.switch_of_all"
        notes.append(asked.say(word))
    if calls.by_switch:
        notes.append(asked.say("note.by_switch", n=calls.by_switch))
    if calls.by_key:
        notes.append(asked.say("note.by_key", n=calls.by_key))
    return summary(asked, stated, notes)


def _check(asked: Asked, calls: Calls) -> Section:
    """Received less all that can have become of it: nothing may be left."""
    told = "in" if not calls.by_switch else "in_both"
    if calls.by_switch == calls.answered > 0:
        told = "in_switch"
    sides: list[tuple[str, tuple[int | None, ...]]] = [
        (told, (calls.offered, calls.answered, calls.missed, None, None, calls.open)),
        ("out", (calls.dialed, calls.connected, calls.not_answered, None, None, calls.dialing)),
    ]
    side = switch_side(asked)
    if side:
        whole = (side.received, side.answered, None, side.abandoned, side.left, side.waiting)
        sides.append(("switch", whole))
    columns = [Column(key="side", word=asked.say("col.side"), kind="text")]
    columns += [Column(key=key, word=asked.say(f"col.side_{key}")) for key in _SIDES]
    columns.append(Column(key="difference", word=asked.say("col.difference")))
    rows: list[list[Cell]] = []
    for name, (received, *became) in sides:
        left_over = (received or 0) - sum(part or 0 for part in became)
        rows.append([asked.say(f"side.{name}"), received, *became, left_over])
    word = "note.adds_up" if all(row[-1] == 0 for row in rows) else "note.does_not_add_up"
    notes = [asked.say(word)]
    if side and side.outside:
        said = ", ".join(
            f"{n} {_cause(asked, cause)}" for cause, n in sorted(side.outside.items())
        )
        notes.append(asked.say("note.outside", said=said))
    return Section(
        key="check", title=asked.say("table.check"), columns=columns, rows=rows, notes=notes
    )


def _causes(asked: Asked, calls: Calls) -> Section:
    """Why calls were not answered."""
    part = Part[int]("count", lambda n: n)
    ordered = sorted(calls.causes.items(), key=lambda one: (-one[1], one[0]))
    lines: list[Line[int]] = [([_cause(asked, cause)], n) for cause, n in ordered]
    return table(asked, "causes", [("cause", "text")], [part], lines)


def _cause(asked: Asked, cause: str) -> str:
    return asked.known("cause", cause or "none")
