"""Quality (`calidad`): what the evaluated calls of a sample tell of all calls of a span.

Only what was drawn counts, what was not annulled, and of a pair what stands. Means are of `raw`,
and those of different scorecards are never together.
"""

from collections.abc import Mapping
from functools import partial

from diadema.quality.estimates import LEAST
from diadema.report.context import ReportContext
from diadema.report.kinds import quality_auto, quality_people, quality_tables
from diadema.report.kinds.quality_group import CRITICAL, TARGET, Group, by_form
from diadema.report.kinds.quality_read import Sample, read_sample
from diadema.report.model import Interval, Section
from diadema.report.tables import Stated, estimate_cell, summary


def make(context: ReportContext) -> list[Section]:
    sample = read_sample(context)
    groups = by_form(context, sample)
    its = partial(quality_tables.by, context, sample)
    contacts = [one.contact for one in sample.counted if one.contact is not None]
    return [
        summary(context, stated(sample, groups), notes(context, sample)),
        quality_tables.draws(context, sample),
        its("quality_teams", "team"),
        quality_people.agents(context, sample),
        *quality_people.funnel(context, sample),
        quality_tables.sections(context, sample, groups),
        quality_tables.items(context, sample),
        quality_tables.critical(context, sample, groups),
        its("quality_motives", "motive"),
        its("quality_queues", "queue"),
        quality_auto.table_of(context, contacts),
        quality_people.undone(context, sample),
        quality_people.changed(context, sample),
    ]


def notes(context: ReportContext, sample: Sample) -> list[str]:
    its = [context.say("note.quality_sample", least=LEAST), context.say("note.quality_target")]
    if len(sample.codes) > 1:
        its.append(context.say("note.quality_forms"))
    person = context.person
    if person is not None and person.may("evaluate") and not person.may("quality"):
        its.append(context.say("note.quality_released"))
    return its


def stated(sample: Sample, groups: Mapping[str, Group]) -> list[Stated]:
    """How much was done, and the figures of each scorecard; `groups`: all of each."""
    inside, counted = sample.inside, sample.counted

    def many(state: str) -> int:
        return sum(one.call.state == state for one in inside)

    found = [
        Stated("chosen_n", "count", len(inside)),
        Stated("evaluated_n", "count", len(counted), len(inside)),
        Stated("undone_n", "count", many("undone"), len(inside)),
        Stated("open_n", "count", many("open"), len(inside)),
        Stated("pair_n", "count", many("pair"), len(inside)),
    ]
    for code, group in groups.items():
        about = sample.label(code) if len(groups) > 1 else ""
        found += _figures(group, about, contract=sample.has_contract(code))
    return found


def _figures(group: Group, about: str, *, contract: bool) -> list[Stated]:
    n = sum(one.raw is not None for one in group.calls)
    mean = group.mean
    within = (
        Interval(mean.low, mean.high, mean.n, mean.of)
        if mean
        else Interval(None, None, n, max(group.of, n))
    )
    found = [
        Stated("raw_mean", "score", mean.value if mean else None, n, TARGET, within, about),
        Stated("uncovered", "percent", group.uncovered, group.missing[1], about=about),
    ]
    shares = [("auto_fail", group.failed)]
    shares += [(word, group.right(kind)) for kind, word in CRITICAL.items()]
    for key, share in [*shares, ("penc", group.penc)]:
        cell = estimate_cell(share, "percent")
        value = cell.value if isinstance(cell.value, float) else None
        many = share.n if share else None
        found.append(Stated(key, "percent", value, many, within=cell.within, about=about))
    if contract:
        grade = group.contract
        value = grade.value if grade else None
        inside = Interval(None, None, grade.n, grade.of) if grade else None
        found.append(Stated("contract_grade", "score", value, n, within=inside, about=about))
    return found
