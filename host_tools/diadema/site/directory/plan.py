"""What a table would change, row by row, and what of it is wrong."""

from typing import Any

from msgspec import Struct, field

from diadema.site.directory.entries import Change
from diadema.site.directory.fields import Value
from diadema.site.directory.labels import label
from diadema.site.directory.problems import Problem


class Edit(Struct, frozen=True, kw_only=True):
    """One field of one entry, before and after."""

    row: int
    code: str
    column: str
    old: Value = None
    new: Value = None


class Plan(Struct, kw_only=True):
    """What a table would do, or has done. `changes` are ready to be applied; `edits` are some of
    what they change; `new`: the rows that add; `bad`: those that are wrong.
    """

    kind: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    retired: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    new: set[int] = field(default_factory=set)
    done: bool = False

    @property
    def bad(self) -> list[int]:
        return sorted({problem.row for problem in self.problems if problem.row is not None})

    def summary(self, language: str) -> dict[str, Any]:
        """Without the changes themselves, for a script or a page."""
        counts = {
            name: getattr(self, name)
            for name in ("kind", "rows", "added", "changed", "unchanged", "retired", "done")
        }
        return counts | {
            "problems": [told(one, language) for one in self.problems],
            "notes": [told(one, language) for one in self.notes],
        }


def told(problem: Problem, language: str) -> dict[str, Any]:
    return {
        "row": problem.row,
        "column": label(problem.kind, problem.column, language) if problem.column else "",
        "value": problem.shown,
        "detail": problem.say(language),
    }
