"""Scorecards as who is responsible for them sees them: what is written, what was published of it
and when, what is different, and what keeps it from being published.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from diadema.base.paths import DataDir
from diadema.site.directory.book import Directory
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.publishing import open_directory
from diadema.site.directory.quality_of import written_scorecards
from diadema.site.directory.scorecard_template import template
from diadema.site.directory.scorecards import (
    PARTS,
    Item,
    Scorecard,
    Section,
    whole_problems,
)
from diadema.site.directory.tables import SCORECARD, Frozen

type State = Literal["draft", "published", "changed", "retired"]
type What = Literal["added", "removed", "changed"]

_OF_ITEM = tuple(name for name in Item.__struct_fields__ if name != "code")


class FrozenVersion(Struct, frozen=True, kw_only=True):
    version: int
    at_ms: int
    by: str
    hash: str


class Different(Struct, frozen=True, kw_only=True):
    """Between what is in force and what is written. `kind`: the directory's; `code`, `label`: of
    the entry; `fields`: of what changed, each with its old and its new value.
    """

    what: What
    kind: str
    code: str
    label: str
    fields: list[tuple[str, Any, Any]] = []


class Board(Struct, frozen=True, kw_only=True):
    """One scorecard. `written` is None where it was retired, `published` where it never was.
    `changed_ms`: when anything of it was changed last; `plans`: that draw calls for it.
    """

    code: str
    state: State
    written: Scorecard | None
    published: Scorecard | None
    versions: list[FrozenVersion]
    changed_ms: int
    changed_by: str
    differences: list[Different]
    problems: list[Problem]
    plans: list[str]

    @property
    def shown(self) -> Scorecard:
        """As it is written, else as it was published last."""
        found = self.written or self.published
        assert found is not None
        return found


def boards(data: DataDir, now_ms: int) -> list[Board]:
    """Of all, by their codes; retired ones stand last. Raises DiademaError."""
    with open_directory(data, now_ms) as book:
        return [*_boards(book)]


def version_of(data: DataDir, code: str, version: int, now_ms: int) -> Scorecard | None:
    """As it was published, or None where there is no such version. Raises DiademaError."""
    with open_directory(data, now_ms) as book:
        for one in book.frozen(SCORECARD + code):
            if one.catalogue == SCORECARD + code and one.version == version:
                return _thawed(one)
    return None


def begin(data: DataDir, code: str, language: str, *, by: str, reason: str, now_ms: int) -> int:
    """A new one from the template; gives its number of items. Raises Wrong."""
    with open_directory(data, now_ms) as book:
        known = book.entry("scorecards", code)
        if known is not None:  # said once, and not of each of its items
            word = "code_retired" if known.body is None else "code_taken"
            raise Wrong(
                Problem(word=word, kind="scorecards", code=code, column="code", value=code)
            )
        changes = template(code, language)
        book.apply(changes, by=by, reason=reason, at_ms=now_ms)
        return sum(one.kind == PARTS[1] for one in changes)


def _boards(book: Directory) -> Iterator[Board]:
    frozen: dict[str, list[Frozen]] = {}
    for one in book.frozen(SCORECARD):
        frozen.setdefault(one.catalogue.removeprefix(SCORECARD), []).append(one)
    written = {one.code: one for one in written_scorecards(book)}
    plans: dict[str, list[str]] = {}
    for plan in book.entries("sample_plans"):
        assert plan.body is not None
        plans.setdefault(str(plan.body["scorecard"]), []).append(plan.code)
    touched = _touched(book)
    for code in [*sorted(written), *sorted(frozen.keys() - written.keys())]:
        its = frozen.get(code, [])
        at_ms, by = touched.get(code, (0, ""))
        yield _board(code, written.get(code), its, plans.get(code, []), at_ms, by)


def _board(
    code: str,
    written: Scorecard | None,
    its: Sequence[Frozen],
    plans: list[str],
    at_ms: int,
    by: str,
) -> Board:
    last = _thawed(its[-1]) if its else None
    state: State = "draft"
    if written is None:
        state = "retired"
    elif last is not None:
        state = "published" if its[-1].body == msgspec.json.encode(written) else "changed"
    changed = written is not None and last is not None and state == "changed"
    return Board(
        code=code,
        state=state,
        written=written,
        published=last,
        versions=[
            FrozenVersion(version=one.version, at_ms=one.at_ms, by=one.by, hash=one.hash)
            for one in its
        ],
        changed_ms=at_ms,
        changed_by=by,
        differences=[*differences(last, written)] if changed and last and written else [],
        problems=[*whole_problems(written)] if written and state != "published" else [],
        plans=sorted(plans),
    )


def _thawed(one: Frozen) -> Scorecard:
    return replace(msgspec.json.decode(one.body, type=Scorecard), version=one.version)


def _touched(book: Directory) -> dict[str, tuple[int, str]]:
    """When and by whom each, or a part of it, was changed last."""
    found: dict[str, tuple[int, str]] = {}
    for kind in ("scorecards", *PARTS):
        for one in book.entries(kind, retired=True):
            code = one.code.partition("/")[0]
            if one.at_ms >= found.get(code, (0, ""))[0]:
                found[code] = one.at_ms, one.by
    return found


def differences(old: Scorecard, new: Scorecard) -> Iterator[Different]:
    """What of `new` is other than in `old`, in the form's order; what is gone comes last."""
    fields = [
        (name, getattr(old, of), getattr(new, of))
        for name, of in (("name", "label"), ("contract", "contract"))
        if getattr(old, of) != getattr(new, of)
    ]
    if fields:
        yield Different(
            what="changed", kind="scorecards", code=new.code, label=new.label, fields=fields
        )
    yield from _of_parts(
        PARTS[0], {one.code: one for one in old.sections}, {one.code: one for one in new.sections}
    )
    yield from _of_parts(
        PARTS[1], {one.code: one for one in old.items}, {one.code: one for one in new.items}
    )


def _of_parts(
    kind: str, old: Mapping[str, Section | Item], new: Mapping[str, Section | Item]
) -> Iterator[Different]:
    for code, one in new.items():
        before = old.get(code)
        if before is None:
            yield Different(what="added", kind=kind, code=code, label=_label(one))
        elif before != one:
            yield Different(
                what="changed", kind=kind, code=code, label=_label(one),
                fields=[*_fields(before, one)],
            )  # fmt: skip
    for code, one in old.items():
        if code not in new:
            yield Different(what="removed", kind=kind, code=code, label=_label(one))


def _fields(old: Section | Item, new: Section | Item) -> Iterator[tuple[str, Any, Any]]:
    names = _OF_ITEM if isinstance(new, Item) else ("label", "order")
    for name in names:
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield ("name" if name == "label" else name), was, now


def _label(part: Section | Item) -> str:
    return part.label if isinstance(part, Section) else part.text
