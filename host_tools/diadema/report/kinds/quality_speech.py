"""The document «Evaluación de la calidad del speech, según la muestra»: how calls were drawn, what
was heard in each, and what that tells. Its tables are those of `calidad`.
"""

from diadema.report.context import ReportContext
from diadema.report.kinds import quality, quality_people, quality_tables
from diadema.report.kinds.quality_group import by_form
from diadema.report.kinds.quality_read import Sample, Sampled, read_sample
from diadema.report.model import Cell, Column, Kind, Section
from diadema.report.tables import summary

_HEADS: tuple[tuple[str, Kind], ...] = (
    ("at", "moment"), ("agent", "text"), ("code", "text"), ("team", "text"),
    ("scorecard", "text"), ("raw", "score"), ("score_after", "score"), ("fails", "text"),
    ("errors_user", "count"), ("errors_business", "count"), ("errors_compliance", "count"),
    ("revised", "text"),
)  # fmt: skip


def make(context: ReportContext) -> list[Section]:
    sample = read_sample(context)
    groups = by_form(context, sample)
    return [
        summary(context, quality.stated(sample, groups), quality.notes(context, sample)),
        quality_tables.draws(context, sample),
        quality_tables.sections(context, sample, groups),
        quality_tables.items(context, sample),
        quality_tables.critical(context, sample, groups),
        _calls(context, sample),
        quality_people.undone(context, sample),
    ]


def _calls(context: ReportContext, sample: Sample) -> Section:
    """In the order in which they began."""
    counted = sorted(sample.counted, key=lambda one: (one.utc, one.call.key))
    return Section(
        key="quality_calls",
        title=context.say("table.quality_calls"),
        columns=[Column(key=key, word=context.heading(key), kind=kind) for key, kind in _HEADS],
        rows=[_row(context, sample, one) for one in counted],
        notes=[context.say("note.quality_calls", n=len(counted))],
    )


def _row(context: ReportContext, sample: Sample, one: Sampled) -> list[Cell]:
    scored = one.scored
    assert scored is not None
    return [
        one.utc,
        context.people.name(one.call.agent),
        one.call.agent,
        quality_tables.team_name(context, one.team),
        sample.label(one.call.form),
        _points(scored.raw),
        _points(scored.score),
        None if scored.failed == "none" else context.known("fails", scored.failed),
        scored.user,
        scored.business,
        scored.compliance,
        context.say("revised.yes") if scored.revised else None,
    ]


def _points(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10
