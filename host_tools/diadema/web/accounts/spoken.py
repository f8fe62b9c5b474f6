"""A row of the record of access in words: what was done, of whom, and what else it tells. What a
newer version wrote, and this one has no words for, is shown as it stands.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from diadema.access.audit import ALL, Row, of_team
from diadema.base.sanitize import visible
from diadema.site.directory.people import People
from diadema.words import section
from diadema.words.formatting import NOTHING, local_time

_OF_KINDS = (  # how a code begins that ends with a kind of report, or of people and places
    ("report.", "reports"),
    ("people_export_", "people"),
    ("people_import_", "people"),
    ("people_change_", "people"),
    ("people_", "people"),
)


def action(what: str, language: str) -> str:
    said = section("audit", language)
    for begin, area in _OF_KINDS:
        kind = section(area, language).get(f"kind.{what.removeprefix(begin)}")
        if what.startswith(begin) and kind:
            return said[f"of.{begin[:-1]}"].format(kind=kind)
    return said.get(f"what.{what}", what)


def actions(language: str) -> dict[str, str]:
    """What one may look for: how its code begins, and its words, in their order."""
    said = section("audit", language)
    found = {"report.": said["all.report"], "people_": said["all.people"]}
    found |= {key[5:]: word for key, word in said.items() if key.startswith("what.")}
    return dict(sorted(found.items(), key=lambda one: one[1].casefold()))


def whom(agents: list[str], people: People, language: str) -> str:
    """Their names; of a team, or of all that the account saw, that word."""
    said, team = section("audit", language), of_team("")
    names = []
    for one in agents:
        if one in ALL:
            names.append(said["everybody"])
        elif one.startswith(team):
            code = one.removeprefix(team)
            names.append(said["team"].format(team=visible(people.teams.get(code, code))))
        else:
            names.append(visible(people.name(one)))
    return ", ".join(names)


def detail(row: Row, language: str, zone: ZoneInfo) -> str:
    """On one line, without what is empty."""
    said = section("audit", language)
    changed = row.what == "accounts.change"
    parts = []
    for key, value in row.detail.items():
        if value in (None, [], "", {}):
            continue
        is_pair = key == "chain" or (changed and key != "account")
        shown = " → ".join(_value(key, one, language, zone) for one in value) if is_pair else None
        word = said.get(f"detail.{key}", key)
        parts.append(f"{word}: {shown or _value(key, value, language, zone)}")
    return " · ".join(parts)


def _value(key: str, value: Any, language: str, zone: ZoneInfo) -> str:
    said = section("audit", language)
    if value in (None, [], ""):
        return NOTHING
    if isinstance(value, Mapping):
        named = {said.get(f"ledger.{name}", name): one for name, one in value.items()}
        return ", ".join(
            f"{name} {_value('head', one, language, zone)}" for name, one in named.items()
        )
    if isinstance(value, list):
        return ", ".join(
            "/".join(map(str, one)) if isinstance(one, list) else visible(str(one))
            for one in value
        )
    if key == "role":
        return section("accounts", language).get(f"role.{value}", value)
    if key == "refusal":
        return section("accounts", language).get(f"provider.{value}", value)
    if key == "ledger":
        return said.get(f"ledger.{value}", value)
    if key == "head":
        count, _, seal = str(value).partition(":")
        return said["head"].format(count=count, seal=seal)
    if key.endswith("_ms"):
        return local_time(value, zone, "date_second")
    return visible(str(value))
