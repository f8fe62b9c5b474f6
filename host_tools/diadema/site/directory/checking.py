"""Whether changes can be done as things stand: each by itself, and all of them together."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection

from diadema.base.sanitize import hidden
from diadema.site.directory import links
from diadema.site.directory.entries import Change, read_entries
from diadema.site.directory.kinds import Body, kind_of
from diadema.site.directory.problems import Problem, Wrong

_encode = msgspec.json.Encoder().encode


class Newest:
    """The newest version of each entry of a kind as a change finds them; read once a kind."""

    def __init__(self, tx: Connection, asked: list[Change]) -> None:
        self._tx = tx
        self._kinds: dict[str, dict[str, tuple[int, Body | None]]] = {}
        self._starts: dict[tuple[str, str], date] = {}
        self._asked = asked

    def of(self, kind: str) -> Mapping[str, tuple[int, Body | None]]:
        """code → version and body; of a kind with many, only what is asked about."""
        known = self._kinds.get(kind)
        if known is None:
            if kind_of(kind).many:
                codes = sorted(one.code for one in self._asked if one.kind == kind)
                first, last = (codes[0], codes[-1] + "\0") if codes else ("", "")
            else:
                first, last = "", None
            rows = [*read_entries(self._tx, kind, None, first, last, None, None, retired=True)]
            known = self._kinds[kind] = {row.code: (row.version, row.body) for row in rows}
            starts = ((row.code, row.valid_from) for row in rows)
            self._starts |= {(kind, code): start for code, start in starts if start is not None}
        return known

    def all_problems(self, asked: list[Change]) -> list[Problem]:
        return [*self.problems(asked), *links.problems(self, asked)]

    def problems(self, asked: Iterable[Change]) -> Iterator[Problem]:
        """Of each change by itself."""
        rows: dict[tuple[str, str], int | None] = {}
        for one in asked:
            key = (one.kind, one.code)
            if key in rows:
                yield _problem(one, "code_twice", other=rows[key] or "?")
                continue
            rows[key] = one.row
            if (word := self._wrong(one)) is not None:
                planned = self._starts.get(key)
                values = {"day": planned} if word == "planned" else {}
                yield _problem(one, word, **values)

    def _wrong(self, one: Change) -> str | None:
        """The word of what is wrong with it."""
        kind = kind_of(one.kind)
        version, body = self.of(one.kind).get(one.code, (0, None))
        there, wanted = body is not None, one.body is not None
        if one.seen is not None and one.seen != version:
            return "code_taken" if one.seen == 0 else "changed_meanwhile"
        if not wanted and not there:
            return "unknown_code"
        if one.restores and (there or not version):
            return "not_retired"
        if wanted and version and not there and not (kind.slot or one.restores):
            return "code_retired"
        if one.body is not None and kind.code(one.body) != one.code:
            return "code_other"
        if one.valid_from and one.valid_until and one.valid_until < one.valid_from:
            return "validity"
        return "planned" if wanted and self._hides_plan(one) else None

    def _hides_plan(self, one: Change) -> bool:
        """Whether a change that was made for later days would be lost by it unseen."""
        planned = self._starts.get((one.kind, one.code))
        if planned is None or one.valid_from is None or planned <= one.valid_from:
            return False
        return one.valid_until is None or one.valid_until >= planned

    def next_row(self, one: Change, number: int) -> dict[str, Any]:
        version, _ = self.of(one.kind).get(one.code, (0, None))
        return {
            "kind": one.kind,
            "code": one.code,
            "version": version + 1,
            "valid_from": one.valid_from and one.valid_from.isoformat(),
            "valid_until": one.valid_until and one.valid_until.isoformat(),
            "body": None if one.body is None else _encode(one.body),
            "change": number,
        }


def _problem(one: Change, word: str, **values: Any) -> Problem:
    column, value = kind_of(one.kind).key[-1], one.code
    if word == "validity":
        column, value = "valid_until", f"{one.valid_until}"
    return Problem(
        word=word, values=values, kind=one.kind, code=one.code, row=one.row, column=column,
        value=value,
    )  # fmt: skip


def check_author(by: str, reason: str) -> None:
    """Raises Wrong unless both can stand in the history."""
    for column, value, most in (("by", by, 64), ("reason", reason, 200)):
        if not value.strip():
            raise Wrong(Problem(word="missing", column=column))
        if strange := hidden(value):
            characters = {"characters": ", ".join(strange)}
            raise Wrong(Problem(word="hidden", column=column, value=value, values=characters))
        if len(value) > most:
            values = {"most": most, "length": len(value)}
            raise Wrong(Problem(word="too_long", column=column, value=value, values=values))
