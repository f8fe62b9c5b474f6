"""What is wrong with people and places as somebody gave them: where, and what to do about it."""

from typing import Any

from msgspec import Struct, field

from diadema.base.errors import DiademaError
from diadema.base.sanitize import visible
from diadema.words import Sentence, said, section


class Problem(Struct, frozen=True, kw_only=True):
    """`word` of `people.wrong.*` or `people.note.*`, filled from `values`. `column`: the field's
    name; `row`: of the file, as a spreadsheet counts; `value`: as it stands there.
    """

    word: str
    values: dict[str, Any] = field(default_factory=dict)
    kind: str = ""
    code: str = ""
    column: str = ""
    row: int | None = None
    value: str = ""

    def say(self, language: str) -> str:
        """What to do about it; or, of a note, what was done."""
        words = section("people", language)
        wanted = words.get(f"hint.{self.column}", "")
        sentence = words.get(f"wrong.{self.word}") or words[f"note.{self.word}"]
        values = {name: said(value, language) for name, value in self.values.items()}
        return sentence.format(**{"value": self.shown, "wanted": wanted} | values)

    def where(self, language: str) -> str:
        """Row and column of a file, or the entry and its field."""
        words = section("people", language)
        column = label(self.kind, self.column, language) if self.column else ""
        if self.row is not None:
            parts = [words["row"].format(row=self.row)]
        else:
            parts = [words[f"kind.{self.kind}"]] if self.kind else []
            parts += [visible(self.code)] if self.code else []
        return ", ".join([*parts, *([column] if column else [])])

    def whole(self, language: str) -> str:
        where = self.where(language)
        return f"{where}: {self.say(language)}" if where else self.say(language)

    @property
    def shown(self) -> str:
        """What was given, safe to print and not too long."""
        safe = visible(self.value)
        return safe if len(safe) <= 60 else f"{safe[:57]}…"


class Wrong(DiademaError):
    """One or more problems; nothing was changed. `conflict`: somebody else was faster."""

    def __init__(self, *problems: Problem, conflict: bool = False) -> None:
        super().__init__(*problems)
        self.problems = list(problems)
        self.conflict = conflict

    def __str__(self) -> str:
        return self.say("en")

    def __reduce__(self) -> tuple[Any, ...]:  # it comes back from worker processes
        return _again, (self.problems, self.conflict)

    def say(self, language: str) -> str:
        return "; ".join(problem.whole(language) for problem in self.problems[:5])


def _again(problems: list[Problem], conflict: bool) -> Wrong:
    return Wrong(*problems, conflict=conflict)


def called(kind: str, name: str) -> Sentence:
    """The same in whatever language it is read."""
    own = f"field.{kind}.{name}"
    key = own if own in section("people") else f"field.{name}"
    return Sentence(".".join(("people", key)))


def label(kind: str, name: str, language: str) -> str:
    """What a field is called on screens and on top of columns."""
    words = section("people", language)
    return words.get(f"field.{kind}.{name}") or words[f"field.{name}"]
