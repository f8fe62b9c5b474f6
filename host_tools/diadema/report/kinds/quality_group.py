"""Figures of some evaluated calls of one scorecard: those of different ones are never together."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from msgspec.structs import replace

from diadema.metrics.rounding import percent, round_half_up
from diadema.quality import estimates
from diadema.quality.estimates import Estimate
from diadema.quality.scoring import Accuracy, Evaluation
from diadema.report.context import ReportContext
from diadema.report.kinds.quality_read import Sample, Sampled, uncovered
from diadema.report.model import Figure, Interval, Kind, Target
from diadema.report.tables import Part, estimate_cell
from diadema.words import text
from diadema.words.formatting import score

TARGET = "quality"  # its name in the directory
CRITICAL = {"user": "pecuf", "business": "pecn", "compliance": "pecc"}


class Group:
    """`calls`: counted ones, of one scorecard. `aim`: of their mean."""

    def __init__(
        self,
        sample: Sample,
        calls: Sequence[Sampled],
        aim: Target | None = None,
        missing: tuple[int, int] = (0, 0),
    ) -> None:
        self.sample, self.strata, self.calls, self.aim = sample, sample.strata, calls, aim
        self.missing = missing
        self._accuracy: dict[str, Accuracy] = {}

    @property
    def uncovered(self) -> float | None:
        """Percent of the frame that lies in strata without an evaluated call."""
        return percent(*self.missing)

    @property
    def n(self) -> int:
        return len(self.calls)

    @cached_property
    def of(self) -> int:
        return max(self.strata.of(self.calls), self.n)

    @cached_property
    def mean(self) -> Estimate | None:
        return estimates.domain(self.strata.raw(self.calls))

    @property
    def contract(self) -> Estimate | None:
        """«Nota según contrato»: the mean of `score`, without bounds, where a contract asks."""
        if not self.calls or not self.sample.has_contract(self.calls[0].call.form):
            return None
        if all(one.score == one.raw for one in self.calls):
            return self.mean and replace(self.mean, low=None, high=None)
        return estimates.domain(self.strata.score(self.calls), bounds=False)

    @property
    def failed(self) -> Estimate | None:
        if self.n < estimates.LEAST:
            return None
        many = sum(one.scored is not None and one.scored.failed != "none" for one in self.calls)
        return estimates.proportion(many, self.n, self.of)

    def accuracy(self, kind: str) -> Accuracy:
        if (found := self._accuracy.get(kind)) is None:
            found = self._accuracy[kind] = Accuracy()
            for one in self.calls:
                found.add(getattr(one.scored, kind))
        return found

    def right(self, kind: str) -> Estimate | None:
        """Evaluations without an error of that kind, of those where one could be."""
        its = self.accuracy(kind)
        if its.of < estimates.LEAST:
            return None
        met = [one for one in self.calls if getattr(one.scored, kind) is not None]
        return estimates.proportion(its.without, its.of, max(self.strata.of(met), its.of))

    @cached_property
    def penc(self) -> Estimate | None:
        items = [(made.right, made.normal) for _, made in self._made]
        return estimates.item_share(items, max(self.of, len(items)))

    @cached_property
    def _made(self) -> list[tuple[Sampled, Evaluation]]:
        """Of the calls whose form is known."""
        made = ((one, self.sample.worked_out(one)) for one in self.calls)
        return [(one, its) for one, its in made if its is not None]

    def section(self, code: str) -> Estimate | None:
        """Points reached of those possible, before what an error takes away."""
        sums = ((one, made.sections.get(code)) for one, made in self._made)
        return estimates.domain(
            self.strata.parts(
                (one, round_half_up(1000 * its.reached, its.possible))
                for one, its in sums
                if its is not None and its.possible
            )
        )


def scores_cell(calls: Sequence[Sampled], of: int, language: str) -> Figure:
    """Of too few calls the scores themselves."""
    scores = [one.raw for one in calls if one.raw is not None]
    within = Interval(None, None, len(scores), max(of, len(scores)))
    if not scores:
        return Figure("score", None, within=within)
    words = [*(score(tenths / 10) for tenths in scores), text("reports.few", language)]
    return Figure("text", " · ".join(words), within=within)


def mean_cell(group: Group) -> Figure:
    """Of too few calls none, and how many they are."""
    if group.mean is None:
        n = sum(one.raw is not None for one in group.calls)
        return Figure("score", None, within=Interval(None, None, n, group.of))
    return estimate_cell(group.mean, "score", group.aim)


def _sampled(
    key: str, get: Callable[[Group], Estimate | None], kind: Kind = "percent"
) -> Part[Group]:
    return Part(key, lambda group: estimate_cell(get(group), kind), kind, None, interval=True,
                sampled=True)  # fmt: skip


N: Part[Group] = Part("evaluated_n", lambda group: group.n, total=None)
MEAN: Part[Group] = Part("raw_mean", mean_cell, "score", None, TARGET, True, True)
FAILED = _sampled("auto_fail", lambda group: group.failed)
PECUF = _sampled("pecuf", lambda group: group.right("user"))
PECN = _sampled("pecn", lambda group: group.right("business"))
PECC = _sampled("pecc", lambda group: group.right("compliance"))
PENC = _sampled("penc", lambda group: group.penc)
CONTRACT = _sampled("contract_grade", lambda group: group.contract, "score")
UNCOVERED: Part[Group] = Part("uncovered", lambda group: group.uncovered, "percent", None)


def by_form(context: ReportContext, sample: Sample) -> dict[str, Group]:
    """All that counts of each scorecard."""
    whole = context.scope.of == "floor" and context.sees_all
    given, counted = _forms(sample.inside), _forms(sample.counted)
    aim = context.target(TARGET)
    return {
        code: Group(
            sample, counted.get(code, []), aim, uncovered(context, sample, its, all_of=whole)
        )
        for code, its in sorted(given.items())
    }


def _forms(calls: Iterable[Sampled]) -> dict[str, list[Sampled]]:
    found: dict[str, list[Sampled]] = {}
    for one in calls:
        found.setdefault(one.call.form, []).append(one)
    return found


def grouped[K](
    calls: Iterable[Sampled], key: Callable[[Sampled], K]
) -> dict[tuple[str, K], list[Sampled]]:
    """By scorecard, and by what `key` says."""
    found: dict[tuple[str, K], list[Sampled]] = {}
    for one in calls:
        found.setdefault((one.call.form, key(one)), []).append(one)
    return found
