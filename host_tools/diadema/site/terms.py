"""What every part of a site's description is made of: names, labels, codes, and how a wrong one is
refused.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from diadema.base.errors import DiademaError
from diadema.words import Sentence

type Name = Annotated[str, Meta(min_length=1, max_length=64)]
type Label = Annotated[str, Meta(min_length=1, max_length=16)]  # what a station's line can show
type Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,24}\Z")]


class SiteError(DiademaError):
    """A site that cannot be used: `key` is where, empty for the whole file; `reason` what is
    wrong there; `file` how people call it.
    """

    def __init__(self, key: str, reason: str | Sentence, file: str = "site.json") -> None:
        where = f"{file}, {key}" if key else file
        super().__init__(Sentence("errors.stations.path_reason", path=where, reason=reason))
        self.key = key
        self.reason = reason
        self.file = file


class Strict(Struct, forbid_unknown_fields=True):
    """Rejects unknown keys."""


class Coded(Strict, kw_only=True):
    """A line of a list that a station shows, and the code that its choice is known by."""

    code: Code
    label: Label


def check_unique(key: str, values: Iterable[str]) -> None:
    """Raises SiteError; `{}` in `key` becomes the place in the list."""
    seen: set[str] = set()
    for at, value in enumerate(values):
        if value in seen:
            raise SiteError(
                key.format(at), Sentence("errors.site.file.value_there_twice", value=value)
            )
        seen.add(value)


def check_codes(name: str, rows: Sequence[Coded]) -> None:
    check_unique(name + "[{}].code", (row.code for row in rows))
