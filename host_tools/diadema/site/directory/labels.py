"""The words of fields, choices and columns in every language, and back."""

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from diadema.site.directory.problems import label
from diadema.words import LANGUAGES, section

if TYPE_CHECKING:
    from diadema.site.directory.fields import Field

__all__ = [
    "choice_label", "choice_of", "column_of", "columns", "item_label", "item_of", "label", "plain",
]  # fmt: skip

VALIDITY = ("valid_from", "valid_until")


def plain(text: str) -> str:
    """Without accents, case and marks, as people type a word they have seen."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(one for one in bare if not unicodedata.combining(one))
    return re.sub(r"[^a-z0-9]+", " ", bare).strip()


def choice_label(value: str, language: str, field: str = "") -> str:
    """The word of a choice: the field's own for it, else that of all; a step's as in reports."""
    words = section("people", language)
    step = section("reports", language).get(f"step.{value}", value)
    return words.get(f"choice.{field}.{value}") or words.get(f"choice.{value}", step)


def choice_of(field: "Field", text: str) -> str | None:
    """The choice that is written so, by its own name or its word in any language."""
    return _choices(field.name, field.choices).get(plain(text))


@cache
def _choices(field: str, choices: tuple[str, ...]) -> dict[str, str]:
    known = {plain(choice): choice for choice in choices}
    for language in LANGUAGES:
        known |= {plain(choice_label(choice, language, field)): choice for choice in choices}
    return known


def item_label(shape: str, item: str, language: str) -> str:
    """An item of a list as it is written in that language; one of no such shape as it is."""
    name = item.rstrip("*")
    match shape:
        case "step":
            word = section("reports", language).get(f"step.{name}", name)
        case "weekday":
            word = section("people", language).get(f"day.{name}", name)
        case _:
            word = name
    return word + item[len(name) :]


def item_of(shape: str, items: tuple[str, ...], text: str) -> str:
    """The item that is written so, by its own name or its word in any language. Raises
    ValueError.
    """
    for item in items:
        said = [item, *(item_label(shape, item, language) for language in LANGUAGES)]
        if plain(text) in map(plain, said):
            return item
    raise ValueError(text)


def columns(kind: str, names: tuple[str, ...], language: str) -> list[str]:
    return [label(kind, name, language) for name in names]


def column_of(kind: str, names: tuple[str, ...], header: str) -> str | None:
    """The field that a column's head names, in any language."""
    wanted = plain(header)
    for name in names:
        if wanted == plain(name) or any(
            wanted == plain(label(kind, name, language)) for language in LANGUAGES
        ):
            return name
    return None
