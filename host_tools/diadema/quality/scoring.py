"""What an evaluation scores, and how accurate the work is in many by one scorecard.

Points and sums are whole numbers until one rounding. `answers` has a character for each item in
the scorecard's order: the option chosen, or `-` where the item does not apply.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

from msgspec import Struct, field

from diadema.base.errors import DiademaError
from diadema.metrics.rounding import round_half_up
from diadema.words import Sentence

type ItemKind = Literal["normal", "user", "business", "compliance"]
type Scale = Literal["yes_no", "0_2", "1_5"]
type Failing = Literal["none", "section", "evaluation"]

NOT_APPLICABLE = "-"
OPTIONS: dict[Scale, str] = {"yes_no": "01", "0_2": "012", "1_5": "12345"}
_UNIT = 10  # parts of a point of weight: each scale's best option divides it
_PERCENT = 1000  # tenths


class Item(Protocol):
    """What is asked of a scorecard's item here; `site.directory.scorecards` has them."""

    @property
    def code(self) -> str: ...
    @property
    def section(self) -> str: ...
    @property
    def kind(self) -> ItemKind: ...
    @property
    def weight(self) -> int: ...
    @property
    def scale(self) -> Scale: ...
    @property
    def na(self) -> bool: ...
    @property
    def auto_fail(self) -> Failing: ...


class Scorecard(Protocol):
    """Its items stand in the form's order."""

    @property
    def code(self) -> str: ...
    @property
    def items(self) -> Sequence[Item]: ...


class WrongAnswers(DiademaError):
    """They are no answers to that scorecard."""


class SectionSum(Struct):
    """Of a section: points reached and possible, in tenths of a point of weight. Of one that an
    error fails nothing is reached.
    """

    reached: int = 0
    possible: int = 0
    failed: bool = False

    @property
    def score(self) -> int | None:
        """In tenths of a percent."""
        return _rounded(0 if self.failed else self.reached, self.possible)


class Evaluation(Struct, frozen=True):
    """`raw` and `score`, after auto-fails, in tenths of a percent; None where nothing applies.
    `user`, `business`, `compliance`: its critical errors, None where none could be. `right` of
    `normal`: items of no critical kind that are as they should be.
    """

    scorecard: str
    raw: int | None
    score: int | None
    failed: Failing
    user: int | None
    business: int | None
    compliance: int | None
    right: int
    normal: int
    sections: dict[str, SectionSum]


class Accuracy(Struct):
    """Evaluations without such an error, and those in which one could be."""

    without: int = 0
    of: int = 0

    def add(self, errors: int | None) -> None:
        if errors is not None:
            self.without += not errors
            self.of += 1


class Tally(Struct):
    """Of all evaluations by one scorecard. PECUF, PECN and PECC are the accuracy of `user`,
    `business` and `compliance`; PENC is the share of `normal` items that are right, of which each
    evaluation's (right, possible) are kept.
    """

    n: int = 0
    failed: int = 0
    user: Accuracy = field(default_factory=Accuracy)
    business: Accuracy = field(default_factory=Accuracy)
    compliance: Accuracy = field(default_factory=Accuracy)
    normal: list[tuple[int, int]] = field(default_factory=list)


def evaluate(scorecard: Scorecard, answers: str) -> Evaluation:
    """raw = Σ w·p/pmax over Σ w of the items that apply (Genesys Cloud's weighted score: of
    weights 40, 40, 20 answered yes, no, yes it is 60.0 %). An item of a critical kind has an error
    when it is answered below its best option; by its `auto_fail` that takes all points of its
    section or of the evaluation. Raises WrongAnswers.
    """
    check(scorecard, answers)
    sections: dict[str, SectionSum] = {}
    errors: dict[ItemKind, int] = {}
    right = normal = 0
    failed: Failing = "none"
    for item, answer in zip(scorecard.items, answers, strict=True):
        section = sections.setdefault(item.section, SectionSum())
        if answer == NOT_APPLICABLE:
            continue
        section.possible += item.weight * _UNIT
        section.reached += item.weight * int(answer) * _UNIT // int(OPTIONS[item.scale][-1])
        wrong = has_error(item, answer)
        if item.kind == "normal":
            normal, right = normal + 1, right + (not wrong)
            continue
        errors[item.kind] = errors.get(item.kind, 0) + wrong
        if wrong and item.auto_fail == "section":
            section.failed = True
            failed = "section" if failed == "none" else failed
        elif wrong and item.auto_fail == "evaluation":
            failed = "evaluation"
    its = sections.values()
    possible = sum(one.possible for one in its)
    left = 0 if failed == "evaluation" else sum(one.reached for one in its if not one.failed)
    return Evaluation(
        scorecard=scorecard.code,
        raw=_rounded(sum(one.reached for one in its), possible),
        score=_rounded(left, possible),
        failed=failed,
        user=errors.get("user"),
        business=errors.get("business"),
        compliance=errors.get("compliance"),
        right=right,
        normal=normal,
        sections=sections,
    )


def check(scorecard: Scorecard, answers: str) -> None:
    """Raises WrongAnswers unless each item has an answer that it takes."""
    items = scorecard.items
    if len(answers) != len(items):
        raise WrongAnswers(
            Sentence("errors.quality.count", items=len(items), answers=len(answers))
        )
    for item, answer in zip(items, answers, strict=True):
        if answer == NOT_APPLICABLE:
            if not item.na:
                raise WrongAnswers(Sentence("errors.quality.applies", item=item.code))
        elif answer not in OPTIONS[item.scale]:
            raise WrongAnswers(
                Sentence(
                    "errors.quality.option",
                    item=item.code,
                    options=", ".join(OPTIONS[item.scale]),
                )
            )


def has_error(item: Item, answer: str) -> bool:
    """Whether it applies and is answered below its best option."""
    return answer not in (NOT_APPLICABLE, OPTIONS[item.scale][-1])


def by_scorecard(evaluations: Iterable[Evaluation]) -> dict[str, Tally]:
    """Sums of each scorecard by its code; those of different ones are never added up."""
    found: dict[str, Tally] = {}
    for one in evaluations:
        tally = found.setdefault(one.scorecard, Tally())
        tally.n += 1
        tally.failed += one.failed != "none"
        tally.user.add(one.user)
        tally.business.add(one.business)
        tally.compliance.add(one.compliance)
        tally.normal.append((one.right, one.normal))
    return found


def _rounded(reached: int, possible: int) -> int | None:
    return round_half_up(_PERCENT * reached, possible) if possible else None
