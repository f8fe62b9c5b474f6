"""What the work of a site consists of: reasons, areas, help, faults, campaigns, the tree of the
tipificación, and the lists that go with them.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from diadema.site.terms import (
    Code,
    Coded,
    Label,
    SiteError,
    Strict,
    check_codes,
    check_unique,
)
from diadema.words import Sentence

type Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
type _Children = Annotated[list[Any], Meta(max_length=48)]
type _Few[T] = Annotated[list[T], Meta(max_length=24)]

DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LEVELS = 3
SYSTEM_CODES = ("SIN_TIPIFICAR",)  # codes that no tree may use
SYSTEM_REASONS = (  # that only the station gives
    "login", "no_answer", "fault", "link", "supervisor", "wrapup_end",
)  # fmt: skip
_TIME = re.compile(r"^([01]\d|2[0-3]):[0-5]\d\Z|^24:00\Z")
_BY_ITSELF = ("greeting", "closing")  # steps that the course of the call can tick


class Reason(Coded, kw_only=True):
    """Why an agent is not ready. `limit_s`: how long it may take, 0 for no limit."""

    private: bool = False
    paid: bool = False
    productive: bool = False
    limit_s: Annotated[int, Meta(ge=0, le=28_800)] = 0


class Area(Coded, kw_only=True):
    """Where a call can be transferred to; `consulted`: after speaking with them. `external`:
    outside of the centre.
    """

    consulted: bool = False
    external: bool = False


class FaultArea(Coded, kw_only=True):
    parts: _Few[Coded] = field(default_factory=list)


class Step(Strict, kw_only=True):
    step: Literal["greeting", "identity", "need", "information", "doubts", "closing"]
    automatic: bool = False


class Outbound(Strict, kw_only=True, rename={"from_": "from"}):
    """When the campaign may call people, in the site's zone; `holidays`: on those of the site too.

    Debt collection may not from 20:00 to 07:00, on Saturdays, Sundays and holidays (Ley 29571,
    art. 62.b).
    """

    from_: str
    to: str
    days: Annotated[list[Day], Meta(min_length=1, max_length=7)]
    holidays: bool = False

    def minutes(self) -> tuple[int, int]:
        return _minutes(self.from_), _minutes(self.to)

    def mask(self, holiday: date | None = None) -> int:
        """Its weekdays, bit 0 Monday; without that of `holiday`, which lasts for that day only."""
        mask = sum(1 << DAYS.index(day) for day in self.days)
        if holiday is not None and not self.holidays:
            mask &= ~(1 << holiday.weekday())
        return mask


class Campaign(Coded, kw_only=True):
    """`outbound` null: never restricted. `consent`: only whoever agreed may be called."""

    steps: list[Step] = field(default_factory=list)
    outbound: Outbound | None = None
    consent: bool = False


class Playbook(Strict, kw_only=True):
    """What to say for a motive, a code of the tree's first level."""

    motive: Code
    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,16}\Z")]
    version: Annotated[int, Meta(ge=1, le=2**30 - 1)] | Label


class Tool(Coded, kw_only=True):
    """What an agent of the campaign works with; the self-test asks whether it is at hand."""

    campaign: Code


class Tree(Strict, kw_only=True):
    version: Annotated[int, Meta(ge=1, le=2**30 - 1)]
    nodes: Annotated[list[Any], Meta(min_length=1, max_length=48)]


class Work(Strict, kw_only=True):
    """The part of a site's description that says what people do there. `negative_codes`: those of
    the tipificación that mean «negativa», do not call again.
    """

    reasons: _Few[Reason]
    tree: Tree
    areas: _Few[Area] = field(default_factory=list)
    help_topics: _Few[Coded] = field(default_factory=list)
    fault_areas: Annotated[list[FaultArea], Meta(max_length=12)] = field(default_factory=list)
    campaigns: _Few[Campaign] = field(default_factory=list)
    identity_methods: _Few[Coded] = field(default_factory=list)
    playbooks: Annotated[list[Playbook], Meta(max_length=48)] = field(default_factory=list)
    materials: Annotated[list[Coded], Meta(max_length=12)] = field(default_factory=list)
    tools: Annotated[list[Tool], Meta(max_length=48)] = field(default_factory=list)
    negative_codes: _Few[Code] = field(default_factory=list)


def check_work(work: Work) -> None:
    """Raises SiteError."""
    lists: dict[str, Sequence[Coded]] = {
        "reasons": work.reasons,
        "areas": work.areas,
        "help_topics": work.help_topics,
        "fault_areas": work.fault_areas,
        "campaigns": work.campaigns,
        "identity_methods": work.identity_methods,
        "materials": work.materials,
    }
    for name, rows in lists.items():
        check_codes(name, rows)
    for at, reason in enumerate(work.reasons):
        if reason.code in SYSTEM_REASONS:
            raise SiteError(
                f"reasons[{at}].code",
                Sentence("errors.site.file.code_given_system_only", code=reason.code),
            )
        if reason.private and reason.limit_s:
            raise SiteError(
                f"reasons[{at}].limit_s", Sentence("errors.site.file.private_reason_has_no_limit")
            )
    for at, area in enumerate(work.fault_areas):
        check_codes(f"fault_areas[{at}].parts", area.parts)
    for at, campaign in enumerate(work.campaigns):
        _check_campaign(f"campaigns[{at}]", campaign)
    _check_codes_of_tree(work)


def _check_campaign(key: str, campaign: Campaign) -> None:
    check_unique(key + ".steps[{}].step", (step.step for step in campaign.steps))
    for at, step in enumerate(campaign.steps):
        if step.automatic and step.step not in _BY_ITSELF:
            first, last = _BY_ITSELF
            reason = Sentence("errors.site.file.only_steps", first=first, last=last)
            raise SiteError(f"{key}.steps[{at}].automatic", reason)
    hours = campaign.outbound
    if hours is None:
        return
    for name, time in (("from", hours.from_), ("to", hours.to)):
        if not _TIME.match(time):
            raise SiteError(
                f"{key}.outbound.{name}", Sentence("errors.site.file.must_hh_mm_from_00")
            )
    if _minutes(hours.from_) >= _minutes(hours.to):
        raise SiteError(
            f"{key}.outbound.to",
            Sentence("errors.site.file.must_after_from__on_same", from_=hours.from_),
        )
    check_unique(key + ".outbound.days[{}]", hours.days)


def _check_codes_of_tree(work: Work) -> None:
    walked = [entry for at, node in enumerate(work.tree.nodes) for entry in _walk(node, 1, (at,))]
    check_unique("tree.nodes, code number {}", (code for code, _ in walked))
    motives = {code for code, level in walked if level == 1}
    leaves = {code for code, level in walked if level == LEVELS}
    for at, playbook in enumerate(work.playbooks):
        if playbook.motive not in motives:
            raise SiteError(
                f"playbooks[{at}].motive", Sentence("errors.site.file.no_code_tree_s_first")
            )
    check_unique("playbooks[{}].motive", (playbook.motive for playbook in work.playbooks))
    for at, code in enumerate(work.negative_codes):
        if code not in leaves:
            raise SiteError(
                f"negative_codes[{at}]", Sentence("errors.site.file.no_code_tree_s_third")
            )
    check_unique("negative_codes[{}]", work.negative_codes)


def _walk(node: Any, level: int, path: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """Every code of `node` and below, with its level; each leaf must be at the third level, and
    nothing else a leaf.
    """
    key = "tree.nodes" + "[2]".join(f"[{at}]" for at in path)
    leaf = level == LEVELS
    try:
        if leaf:
            code, _ = msgspec.convert(node, tuple[Code, Label])
            children: list[Any] = []
        else:
            code, _, children = msgspec.convert(node, tuple[Code, Label, _Children])
    except msgspec.ValidationError as error:
        wanted = Sentence(f"errors.site.file.{'leaf' if leaf else 'branch'}")
        reason = str(error).partition(" - at ")[0]
        raise SiteError(
            key,
            Sentence(
                "errors.site.file.level_level_levels_must_wanted",
                level=level,
                levels=LEVELS,
                wanted=wanted,
                reason=reason,
            ),
        ) from error
    if code in SYSTEM_CODES:
        raise SiteError(key, Sentence("errors.site.file.code_given_system_only", code=code))
    if not children and not leaf:
        raise SiteError(
            key, Sentence("errors.site.file.has_no_children_every_branch", levels=LEVELS)
        )
    yield code, level
    for at, child in enumerate(children):
        yield from _walk(child, level + 1, (*path, at))


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])
