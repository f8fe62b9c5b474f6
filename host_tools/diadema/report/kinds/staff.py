"""The document «Reporte del personal a cargo»: of each agent how many calls, how long, with which
codes and steps, and how good. Of one agent it is a sheet with all of it and the voice. Its figures
are those of the reports `llamadas`, `tmo`, `tipificacion`, `protocolo` and `calidad`.
"""

from collections.abc import Iterable

from diadema.figures.rows import Sums
from diadema.metrics import calls as of_calls
from diadema.metrics.rounding import percent
from diadema.report.context import ReportContext
from diadema.report.kinds import (
    contacts,
    dispositions,
    handling_time,
    protocol,
    quality,
    quality_auto,
    quality_people,
    quality_tables,
)
from diadema.report.kinds.quality_group import by_form
from diadema.report.kinds.quality_read import read_sample
from diadema.report.model import Cell, Column, Figure, Kind, Section
from diadema.report.tables import (
    AGENT,
    Part,
    Stated,
    agent_lines,
    falls_short,
    goal_of,
    table,
)

_OF_AGENT: dict[str, tuple[str, ...]] = {  # of each report's summary, by its subject
    "volumes": ("offered", "handled", "missed", "pickup_rate"),
    "times": ("aht_s", "talk_mean_s", "hold_mean_s", "wrap_mean_s", "occupancy"),
    "codes": ("untyped", "typified_rate"),
    "steps": ("ticked_share", "one_by_one_share"),
    "score": ("raw_mean", "auto_fail", "pecuf", "pecn", "pecc", "penc", "contract_grade"),
}
_VOICE = ("silence_mean_s", "interruptions_each", "speech_share")


def make(context: ReportContext) -> list[Section]:
    sample = read_sample(context)
    agents = quality_people.agents(context, sample)
    if context.scope.of == "agent":
        contacts_of = [one.contact for one in sample.counted if one.contact is not None]
        groups = by_form(context, sample)
        return [
            _sheet(context, quality.stated(sample, groups)),
            agents,
            quality_tables.sections(context, sample, groups),
            quality_auto.table_of(context, contacts_of),
        ]
    return [
        _staff(context),
        agents,
        quality_tables.by(context, sample, "quality_teams", "team"),
    ]


def _sheet(context: ReportContext, scored: list[Stated]) -> Section:
    """A figure a row, beside its target."""
    its: dict[str, Iterable[Stated]] = {
        "volumes": contacts.stated(context),
        "times": handling_time.stated(context),
        "codes": dispositions.stated(context),
        "steps": protocol.stated(context),
        "score": scored,
    }
    heads: tuple[tuple[str, Kind], ...] = (
        ("subject", "text"), ("figure", "text"), ("value", "figure"), ("target", "figure"),
        ("n", "count"),
    )  # fmt: skip
    columns = [Column(key=key, word=context.heading(key), kind=kind) for key, kind in heads]
    columns[2].interval = columns[2].sampled = True
    last = context.say("staff.score")
    rows = [
        _row(context, subject, one)
        for subject, stated in its.items()
        for one in stated
        if one.key in _OF_AGENT[subject]
    ]
    voice = quality_auto.of_all(context)
    place = next((at for at, row in enumerate(rows) if row[0] == last), len(rows))
    rows[place:place] = [
        [context.say("staff.voice"), context.say(f"col.{key}"), voice[key][0], None, voice[key][1]]
        for key in _VOICE
    ]
    return Section(
        key="staff_sheet", title=context.say("table.staff_sheet"), columns=columns, rows=rows,
        notes=[context.say("note.staff_sheet")],
    )  # fmt: skip


def _row(context: ReportContext, subject: str, one: Stated) -> list[Cell]:
    aim = context.target(one.target) if one.target else None
    missed = aim is not None and falls_short(aim, one.value, one.within)
    name = context.say(f"col.{one.key}")
    return [
        context.say(f"staff.{subject}"),
        f"{name} · {one.about}" if one.about else name,
        Figure(one.kind, one.value, missed, one.within),
        None if aim is None else goal_of(one.kind, aim),
        one.count,
    ]


def _staff(context: ReportContext) -> Section:
    by_key = {
        part.key: part for part in (*contacts.PARTS, *handling_time.PARTS, *dispositions.PARTS)
    }

    def of(sums: Sums) -> Sums | None:
        its = sums.calls(context.queue)
        return sums if of_calls.handled(its) or its.offered or its.dialed else None

    def part(key: str) -> Part[Sums]:
        known = by_key[key]
        return Part(
            key, lambda sums: known.get(sums.calls(context.queue)), known.kind, known.total,
            known.target,
        )  # fmt: skip

    keys = (
        "offered", "handled", "missed", "transferred", "n", "switch_n", "talk_s", "hold_s",
        "wrap_s", "aht_s", "talk_mean_s", "hold_mean_s", "wrap_mean_s", "typified", "untyped",
        "typified_rate",
    )  # fmt: skip
    steps = Part[Sums](
        "ticked_share",
        lambda sums: percent((its := protocol.all_steps(context, sums)).ticked, its.possible),
        "percent",
        "given",
    )
    total = protocol.all_steps(context, context.total)
    given: dict[str, Cell] = {"ticked_share": percent(total.ticked, total.possible)}
    return table(context, "staff", AGENT, [*map(part, keys), steps], agent_lines(context, of),
                 given=given, notes=[context.say("note.staff")])  # fmt: skip
