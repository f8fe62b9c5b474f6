"""What the record of accesses says, in words: what was done, and its detail."""

from collections.abc import Mapping
from typing import Any

from diadema.words import section

_PEOPLE = ("people_change_", "people_export_", "people_import_", "people_")


def did(what: str, language: str) -> str:
    """What was done; the name itself of what a later version does."""
    words = section("accounts", language)
    if (whole := words.get(f"did.{what}")) is not None:
        return whole
    if what.startswith("report."):
        kind = section("reports", language).get(f"kind.{what.removeprefix('report.')}", what)
        return words["did.report"].format(kind=kind)
    people = section("people", language)
    for prefix in _PEOPLE:
        label = people.get(f"kind.{what.removeprefix(prefix)}")
        if what.startswith(prefix) and label is not None:
            return words[f"did.{prefix.rstrip('_')}"].format(kind=label)
    return what


def choices(language: str) -> dict[str, str]:
    """By what the record can be narrowed: the beginning of what was done, and its words."""
    found = {
        name.removeprefix("did."): word
        for name, word in section("accounts", language).items()
        if name.startswith("did.") and "{" not in word
    }
    return dict(sorted(found.items(), key=lambda one: one[1].casefold()))


def detail(said: Mapping[str, Any], language: str) -> str:
    """On one line, without what is empty."""
    words = section("accounts", language)
    found = []
    for key, value in said.items():
        if value in (None, [], ""):
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        shown = words.get(f"role.{shown}", shown) if key == "role" else shown
        found.append(f"{words.get(f'detail.{key}', key)}: {shown}")
    return " · ".join(found)
