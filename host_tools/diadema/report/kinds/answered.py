"""The document «Consultas absueltas»: each call for help that was solved, and with what result."""

from diadema.metrics.rounding import whole_seconds
from diadema.report.context import ReportContext
from diadema.report.kinds.help_requests import covered, solved_s, topic_name
from diadema.report.model import Cell, Column, Kind, Section
from diadema.store.assistance import HelpCase

_HEADS: tuple[tuple[str, Kind], ...] = (
    ("at", "moment"), ("agent", "text"), ("code", "text"), ("team", "text"), ("seat", "text"),
    ("topic", "text"), ("helper", "text"), ("help_wait_s", "seconds"), ("help_solve_s", "seconds"),
    ("help_result", "text"), ("playbook", "text"), ("gap", "text"), ("answer_text", "text"),
)  # fmt: skip


def make(context: ReportContext) -> list[Section]:
    cases = covered(context)
    solved = [one for one in cases if one.press.outcome == "resolved"]
    return [
        Section(
            key="answered",
            title=context.say("table.answered"),
            columns=[Column(key=k, word=context.heading(k), kind=kind) for k, kind in _HEADS],
            rows=[_row(context, one) for one in solved],
            notes=[context.say("note.answered", n=len(solved), of=len(cases))],
        )
    ]


def _row(context: ReportContext, case: HelpCase) -> list[Cell]:
    press, people = case.press, context.people
    note, agent = case.note, press.agent or ""
    result = case.result(seated=False)
    return [
        press.open_utc,
        people.name(agent),
        agent,
        context.team_name(agent),
        people.seats.get(press.station, press.station),
        topic_name(context, press.topic),
        press.accepted_by,
        None if press.wait_ms is None else whole_seconds(press.wait_ms),
        solved_s(press),
        None if result is None else people.help_results.get(result, result),
        note.playbook if note is not None else None,
        None if note is None or not note.gap else context.say(f"col.gap_{note.gap}"),
        case.text,
    ]
