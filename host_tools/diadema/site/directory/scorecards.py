"""What calls are scored by: a scorecard whole, with its sections and items."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from diadema.site.directory.problems import Problem

type ItemKind = Literal["normal", "user", "business", "compliance"]
type Scale = Literal["yes_no", "0_2", "1_5"]
type Comment = Literal["never", "below_full", "always"]
type AutoFail = Literal["none", "section", "evaluation"]
type Checks = Literal["", "disposition", "recording_notice"]

ITEM_KINDS: tuple[ItemKind, ...] = ("normal", "user", "business", "compliance")
COMMENTS: tuple[Comment, ...] = ("never", "below_full", "always")
AUTO_FAILS: tuple[AutoFail, ...] = ("none", "section", "evaluation")
CHECKS: tuple[Checks, ...] = ("disposition", "recording_notice")
OPTIONS: Mapping[Scale, tuple[int, int]] = {"yes_no": (0, 1), "0_2": (0, 2), "1_5": (1, 5)}
PARTS = ("scorecard_sections", "scorecard_items")  # the kinds that a scorecard is made of
MOST_ITEMS = 60  # a character each in an evaluation's `answers`


class Section(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    label: str
    order: int = 0


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`kind`: normal, or whose critical error it is; `weight`: 0-100; `na`: it can not apply;
    `auto_fail`: what a critical item that was not met brings to zero. `step` of the protocol and
    `playbook` it belongs to, and what it `checks`: the code that the agent gave, or that the
    agent said that the call is recorded.
    """

    code: str
    text: str
    section: str
    guide: str = ""
    kind: ItemKind = "normal"
    weight: int = 0
    scale: Scale = "yes_no"
    na: bool = False
    comment: Comment = "never"
    auto_fail: AutoFail = "none"
    step: str = ""
    playbook: str = ""
    checks: Checks = ""
    order: int = 0


class Scorecard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`items` are in the form's order, which is that of an evaluation's answers: sections by
    their order, in each the items by theirs. `version`: counts what was published of the code,
    from 1. `contract`: a contract asks for the score with its zeros.
    """

    code: str
    label: str
    version: int = 0
    sections: tuple[Section, ...]
    items: tuple[Item, ...]
    contract: bool = False

    def item(self, code: str) -> Item | None:
        return next((item for item in self.items if item.code == code), None)


type Bodies = Iterable[Mapping[str, Any]]


def scorecard_of(body: Mapping[str, Any], sections: Bodies, items: Bodies) -> Scorecard:
    """Of the directory's entries that are its own; what is not published yet has no version."""
    ordered = sorted(sections, key=_order)
    places = {str(one["code"]): at for at, one in enumerate(ordered)}
    by_place = sorted(items, key=lambda one: (places.get(str(one["section"]), 0), *_order(one)))
    return Scorecard(
        code=str(body["code"]),
        label=str(body["name"]),
        contract=bool(body.get("contract")),
        sections=tuple(
            Section(code=str(one["code"]), label=str(one["name"]), order=one.get("order", 0))
            for one in ordered
        ),
        items=tuple(msgspec.convert(one, Item) for one in by_place),
    )


def _order(body: Mapping[str, Any]) -> tuple[int, str]:
    order = body.get("order")
    return (order if isinstance(order, int) else 10_000), str(body["code"])


def whole_problems(scorecard: Scorecard) -> Iterator[Problem]:
    """What keeps it from being published, that no row of it shows by itself."""
    code = scorecard.code
    if not scorecard.items:
        yield Problem(word="form_empty", kind="scorecards", code=code)
    elif not any(item.weight for item in scorecard.items):
        yield Problem(word="weights_zero", kind="scorecards", code=code)
