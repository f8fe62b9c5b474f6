"""The export `incentivo`: of each agent the figure of quality that a payment may look at, of how
many calls it is, and whether it may still change. Directed evaluations are never in it.
"""

from datetime import date

from msgspec import Struct

from diadema.report.context import ReportContext
from diadema.report.kinds import quality_people
from diadema.report.kinds.quality_read import Sampled, read_sample
from diadema.report.model import Cell, Figure, Kind, Section
from diadema.report.tables import Line, Part, table


class _Paid(Struct):
    """Of one agent and scorecard. `pending`: something of it is still to be done or read."""

    first: date
    last: date
    n: int
    figure: Figure
    pending: bool


PARTS: list[Part[_Paid]] = [
    Part("from_day", lambda one: one.first.isoformat(), "day", None),
    Part("to_day", lambda one: one.last.isoformat(), "day", None),
    Part("evaluated_n", lambda one: one.n, total=None),
    Part("raw_mean", lambda one: one.figure, "score", None, interval=True, sampled=True),
]


def make(context: ReportContext) -> list[Section]:
    sample = read_sample(context)
    lines = quality_people.agent_lines(context, sample)
    given: dict[tuple[str, str], list[Sampled]] = {}
    for one in sample.inside:
        given.setdefault((one.call.form, one.call.agent), []).append(one)
    order = sorted(given, key=lambda one: (one[0], one[1]))
    made: list[Line[_Paid]] = []
    for form, agent in order:
        line = lines[form, agent]
        pending = any(map(_is_pending, given[form, agent]))
        paid = _Paid(line.first, line.last, line.n, _shown(context, line), pending)
        word = context.say("pending.yes") if pending else None
        before: list[Cell] = [sample.label(form), agent, context.people.name(agent), word]
        made.append((before, paid))
    heads: list[tuple[str, Kind]] = [
        ("scorecard", "text"), ("code", "text"), ("agent", "text"), ("under_review", "text"),
    ]  # fmt: skip
    notes = [context.say("note.incentive")]
    return [table(context, "incentive", heads, PARTS, made, total=False, notes=notes)]


def _is_pending(one: Sampled) -> bool:
    """It is not evaluated or settled yet, or its agent could not read it yet."""
    if one.call.state in ("open", "pair"):
        return True
    return one.scored is not None and one.scored.released_utc is None


def _shown(context: ReportContext, line: quality_people.AgentLine) -> Figure:
    """Of too few calls no figure, and no scores either: nobody is paid by an anecdote."""
    if line.figure.kind == "score":
        return line.figure
    few = context.say("few")
    return Figure("text", few, within=line.figure.within)
