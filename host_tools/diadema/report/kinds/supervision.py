"""The register of what supervisors did: who, to whom, when, why, and what came of it."""

from collections import Counter

from diadema.report.context import ReportContext
from diadema.report.kinds.dispositions import COUNT, Counted
from diadema.report.model import Cell, Column, Kind, Section
from diadema.report.tables import Line, reason_name, table
from diadema.store import open_reader
from diadema.store.register import Acted, counted, entries
from diadema.wire.live_rows import PRIVATE
from diadema.words.formatting import local_time

_HEADS: tuple[tuple[str, Kind], ...] = (
    ("at", "moment"), ("by", "text"), ("agent", "text"), ("team", "text"), ("action", "text"),
    ("reason", "text"), ("contact", "text"), ("note", "text"), ("outcome", "text"),
)  # fmt: skip


def make(context: ReportContext) -> list[Section]:
    """Who may see only some agents sees what was done to them alone. No reprimand is on it, and
    what was annulled is told and not counted.
    """
    start, end = context.bounds_ms
    with open_reader(context.data.store) as reader:
        found = entries(reader.acts(start_utc=start, end_utc=end, reprimands="none"))
    acts = [one for one in found if context.has_at(one.act.agent or "", one.act.utc)]
    return [_register(context, acts), _counted(context, counted(acts))]


def _register(context: ReportContext, acts: list[Acted]) -> Section:
    people = context.people
    rows: list[list[Cell]] = []
    for one in acts:
        act = one.act
        team = people.team(act.agent or "")
        rows.append(
            [
                act.utc,
                act.who or act.by,
                None if act.agent is None else people.name(act.agent),
                people.teams.get(team, team) or None,
                _word(context, one),
                _reason(context, act.reason),
                act.contact,
                act.note,
                _outcome(context, one),
            ]
        )
    columns = [Column(key=key, word=context.heading(key), kind=kind) for key, kind in _HEADS]
    notes = [context.say("note.register", n=len(counted(acts)))]
    if context.queue is not None:
        notes.append(context.say("note.not_of_queue"))
    return Section(
        key="register",
        title=context.say("table.register"),
        columns=columns,
        rows=rows,
        notes=notes,
    )


def _counted(context: ReportContext, acts: list[Acted]) -> Section:
    counted = Counter(_word(context, one) for one in acts)
    ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    lines: list[Line[Counted]] = [([word], Counted(n, len(acts))) for word, n in ordered]
    return table(context, "actions", [("action", "text")], COUNT, lines)


def _word(context: ReportContext, one: Acted) -> str:
    act = one.act
    name = act.kind if act.action == "note" and act.kind else act.action
    return context.known("action", name)


def _reason(context: ReportContext, reason: str | None) -> str | None:
    """As it was typed, or the site's word for the code that was chosen."""
    code = context.people.shown(reason)
    return reason_name(context, code) if code in (PRIVATE, *context.people.reasons) else reason


def _outcome(context: ReportContext, one: Acted) -> str | None:
    """What the station made of it, nothing where none was told; or who annulled it and why."""
    if (act := one.annulled) is not None:
        at = local_time(act.utc, context.zone, "date_second")
        return context.say("annulled", by=act.who or act.by, at=at, why=act.reason)
    if one.outcome is None:
        return None
    said = context.known("outcome", one.outcome.result)
    return f"{said}: {one.outcome.reason}" if one.outcome.reason else said
