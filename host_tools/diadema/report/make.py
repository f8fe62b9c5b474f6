"""`make` gives a report of any kind: the one entrance of screen, page, API and schedules."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.figures.rows import Cutoff
from diadema.report.compared import SPANS, compared, trend
from diadema.report.context import ReportContext
from diadema.report.invariants import apart, invariants, seals
from diadema.report.kinds import KINDS
from diadema.report.model import Report, Scope, Section
from diadema.report.period import Period
from diadema.wire.live_rows import SHORT_S

_ATTEMPTS = 3


def make(
    data: DataDir,
    kind: str,
    span: Period,
    scope: Scope,
    now_ms: int,
    threshold_s: int | None = None,
    short_s: int = SHORT_S,
    person: Person | None = None,
    language: str | None = None,
) -> Report:
    """`threshold_s`: T of the service level in place of that of the targets. With a `person` only
    what that person may see. Raises KeyError for no kind, NotYours, and
    DiademaError for a scope that is not there or where there is no store.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    context = ReportContext(
        data, kind, span, scope, now_ms, threshold_s, short_s, person, language
    )
    with _no_collector():
        sections, cut = _settled(context, _maker(kind))
    _ask_for_it(context)
    if context.is_blind:
        sections = [one for one in sections if "agent" not in {its.key for its in one.columns}]
    return _report(context, sections, cut)


def follow(
    data: DataDir,
    kind: str,
    span: Period,
    scope: Scope,
    now_ms: int,
    person: Person | None = None,
    language: str | None = None,
) -> Report | None:
    """The trend alone of the spans until that one; None where only one is known. Raises as
    `make`.
    """
    after = ReportContext(data, kind, span.after, scope, now_ms, None, SHORT_S, person, language)
    spans = after.former(SPANS[span.grain])
    if len(spans) < 2:
        return None
    *former, last = spans
    summaries = [_module(kind).stated(one) for one in (*former, last)]
    its = trend(last, KINDS[kind].trend, former, summaries)
    return _report(last, [its], last.figures.cut)


def _ask_for_it(context: ReportContext) -> None:
    """Raises DiademaError for whom nobody knows."""
    scope = context.scope
    if scope.of == "agent" and scope.code not in context.people.workers and not context.by_agent:
        raise DiademaError(
            context.say("no_agent", given=scope.code)
        )  # one who has left has traces
    if scope.of == "queue" and not context.knows_queue(scope.code):
        known = ", ".join(sorted(context.known_queues())) or "—"
        raise DiademaError(context.say("no_such_queue", given=scope.code, known=known))


def _report(context: ReportContext, sections: list[Section], cut: Cutoff) -> Report:
    kind, span = context.kind, context.period
    return Report(
        kind=kind,
        title=context.say("title.of", kind=context.say(f"kind.{kind}"), span=_span(context)),
        language=context.language,
        site=context.site,
        grain=span.grain,
        span=span.word,
        first=span.first.isoformat(),
        last=span.last.isoformat(),
        zone=context.zone.key,
        scope=context.scope,
        scope_name=context.scope_name,
        cut=cut,
        threshold_s=context.threshold_s(context.queue or ""),
        thresholds=context.thresholds(),
        short_s=context.short_s,
        sections=sections,
        notes=_notes(context),
    )


def _module(kind: str) -> ModuleType:
    return import_module(f"diadema.report.kinds.{KINDS[kind].module}")


def _maker(kind: str) -> Callable[[ReportContext], list[Section]]:
    """Where its figures are followed, with what they were before, after the summary."""
    module = _module(kind)
    if not KINDS[kind].trend:
        whole: Callable[[ReportContext], list[Section]] = module.make
        return whole

    def followed(context: ReportContext) -> list[Section]:
        first, *others = module.make(context)
        return [first, *compared(context, module.stated, KINDS[kind].trend), *others]

    return followed


@contextmanager
def _no_collector() -> Iterator[None]:
    """A month's report is hundreds of thousands of objects without one circle: Python's collector
    of circles would look at all of them again and again.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _settled(
    context: ReportContext, maker: Callable[[ReportContext], list[Section]]
) -> tuple[list[Section], Cutoff]:
    """What is read in several goes is read again when events came in meanwhile, so that the cut
    stands for all of it; while they never pause it is that of before.
    """
    if KINDS[context.kind].at_once:
        sections = _with_sums(context, maker)
        return sections, context.cut()
    for _ in range(_ATTEMPTS):
        context.forget()
        before = context.cut()
        sections = _with_sums(context, maker) if KINDS[context.kind].sums else maker(context)
        if before.position == context.position():
            break
    return sections, before


def _with_sums(
    context: ReportContext, maker: Callable[[ReportContext], list[Section]]
) -> list[Section]:
    """And what is in none of its tables, and whether what must be equal is."""
    return [*maker(context), apart(context), invariants(context)]


def _span(context: ReportContext) -> str:
    return context.say(f"span.{context.period.grain}", span=context.period.word)


def _notes(context: ReportContext) -> list[str]:
    notes = [context.say("note.bases"), context.say("note.rounding")]
    if context.now_ms < context.bounds_ms[1]:
        notes.insert(0, context.say("note.running"))
    if context.is_blind:
        notes.insert(0, context.say("note.blind"))
    return notes + seals(context)
