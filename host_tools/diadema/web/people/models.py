"""What the API of people and places takes and gives, made from the one table of kinds."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field, create_model

from diadema.access.roles import Person
from diadema.site.directory.alert_limits import ALERT_RULES
from diadema.site.directory.fields import ITEMS
from diadema.site.directory.fields import Field as Described
from diadema.site.directory.kinds import KINDS, Kind
from diadema.site.directory.labels import choice_label, item_label, label
from diadema.site.directory.people import FAULT_TARGETS
from diadema.site.directory.tables import Entry
from diadema.web.permissions import need
from diadema.words import section, text

_TYPES: dict[str, type] = {"int": int, "decimal": float, "bool": bool, "date": date}
KindName = Annotated[str, Path(pattern=f"^({'|'.join(KINDS)})$", examples=["agents"])]
Code = Annotated[str, Path(max_length=128, description="as the kind's key fields give it")]
Asking = Annotated[Person, Depends(need("people"))]
Reason = Annotated[str, Field(min_length=1, max_length=200, examples=["cambio de turno"])]
REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"description": "not yours to change"},
    404: {"description": "there is none"},
    409: {"description": "somebody else was faster"},
    422: {"description": "what is wrong, and what to do"},
}


class Version(BaseModel):
    """One version of an entry. `entry` null: retired as from `valid_from`. `newest`: the number of
    its newest version, told with a single entry; what `seen` is compared with.
    """

    code: str
    version: int
    entry: dict[str, Any] | None
    valid_from: date | None
    valid_until: date | None
    by: str
    at_ms: int
    reason: str
    newest: int | None = None


class Entries(BaseModel):
    """A page. `next`: give it as `after` for the next one; null at the end."""

    entries: list[Version]
    total: int
    next: str | None


class Restored(BaseModel):
    reason: Reason
    valid_from: date | None = None


class Difference(BaseModel):
    part: str
    added: list[str]
    changed: list[str]
    removed: list[str]


class TakenIn(BaseModel):
    """How many entries it changed."""

    changed: int


class InForce(BaseModel):
    """`generation` null: no hub runs, it takes the site at its next start. `without_pin`: agents
    who need a code for one use, to choose their PIN at a station.
    """

    generation: int | None
    differences: list[Difference]
    without_pin: list[str]


def asking_of(request: Request, kind: KindName) -> Person:
    """Who has a right to that kind."""
    return need(*KINDS[kind].rights)(request)


AskingOf = Annotated[Person, Depends(asking_of)]
AskingAny = Annotated[Person, Depends(need("people", "quality"))]


def specs(language: str, person: Person) -> list[dict[str, Any]]:
    """The kinds that somebody may change, to draw forms and tables of them."""
    return [
        {
            "name": kind.name,
            "label": text(f"people.kind.{kind.name}", language),
            "key": kind.key,
            "slot": kind.slot,
            "many": kind.many,
            "dated": kind.dated,
            "about": _about(kind, language),
            "fields": [_spec(kind, one, language) for one in kind.fields],
        }
        for kind in KINDS.values()
        if person.may(*kind.rights)
    ]


def _about(kind: Kind, language: str) -> str:
    """What to know before entering one."""
    if f"about.{kind.name}" not in section("people", language):
        return ""
    limits = []
    if kind.name == "alert_limits":
        rules = ALERT_RULES.items()
        limits = [f"{choice_label(name, language)}: {rule.default}" for name, rule in rules]
    elif kind.name == "fault_targets":
        limits = [
            text(
                "people.about.target",
                language,
                severity=severity,
                accept=target.accept_min,
                solve=target.solve_min,
                clock=choice_label(target.clock, language),
            )
            for severity, target in FAULT_TARGETS.items()
        ]
    return text(f"people.about.{kind.name}", language, limits="; ".join(limits))


def _spec(kind: Kind, one: Described, language: str) -> dict[str, Any]:
    spec = {
        name: getattr(one, name)
        for name in ("name", "type", "required", "many", "most", "low", "high", "of", "shape")
    }
    choices = [[choice, choice_label(choice, language, one.name)] for choice in one.choices]
    items = {item: item_label(one.shape, item, language) for item in ITEMS.get(one.shape, ())}
    words = {"label": label(kind.name, one.name, language), "choices": choices, "items": items}
    return spec | words


def model_of(kind: Kind) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for one in kind.fields:
        type_: Any = _TYPES.get(one.type, str)
        if one.choices:
            type_ = Literal[one.choices]
        limits: dict[str, Any] = {"title": label(kind.name, one.name, "en")}
        if one.low is not None:
            limits |= {"ge": one.low, "le": one.high}
        elif type_ is str:
            limits["max_length"] = one.most
        if one.many:
            type_, limits = (
                list[Annotated[str, Field(max_length=one.most)]],
                {
                    "title": limits["title"],
                    "max_length": 400,
                },
            )
        fields[one.name] = (
            (type_, Field(**limits)) if one.required else (type_ | None, Field(None, **limits))
        )
    name = "".join(part.capitalize() for part in kind.name.split("_"))
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def version_of(entry: Entry) -> Version:
    return Version(
        code=entry.code,
        version=entry.version,
        entry=entry.body,
        valid_from=entry.valid_from,
        valid_until=entry.valid_until,
        by=entry.by,
        at_ms=entry.at_ms,
        reason=entry.reason,
    )
