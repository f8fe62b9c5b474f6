"""What stations could not take, told by the entry that it stands in and all of it at once. What is
rarer is found by the site's own check.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from diadema.site.badges import is_secure
from diadema.site.description import AGENTS_OF_A_STATION
from diadema.site.directory.book import Entry
from diadema.site.directory.kinds import Body
from diadema.site.directory.problems import Problem
from diadema.site.work import SYSTEM_CODES, SYSTEM_REASONS

type Rows = Mapping[str, Sequence[Entry]]

_MOST = {"reasons": 24, "areas": 24, "help_topics": 24, "fault_areas": 12, "campaigns": 24,
         "identity_methods": 24, "playbooks": 48, "materials": 12, "agents": 2000}  # fmt: skip
_PARTS = 24


def problems(rows: Rows) -> list[Problem]:
    return [*_sizes(rows), *_seats(rows), *_codes(rows)]


def without_pin(rows: Rows, settings: Body, pins: Mapping[str, str]) -> list[str]:
    """Agents who will be asked for a PIN and have none yet."""
    policy = settings.get("pin", "none")
    found = []
    for one in rows["agents"]:
        badges = [*_list(one, "badges"), *_list(one, "day_badges")]
        if policy == "clonable":
            badges = [badge for badge in badges if not is_secure(badge)]
        asked = (one.body or {}).get("station_code") or (policy != "none" and badges)
        if asked and not pins.get(one.code):
            found.append(one.code)
    return found


def _sizes(rows: Rows) -> Iterator[Problem]:
    for kind, most in _MOST.items():
        if len(rows[kind]) > most:
            values = {"count": len(rows[kind]), "most": most}
            yield Problem(word="too_many", kind=kind, values=values)
    if not rows["dispositions"]:
        yield Problem(word="tree_empty", kind="dispositions")
    for one in rows["fault_areas"]:
        count = len(_list(one, "parts"))
        if count > _PARTS:
            values = {"count": count, "most": _PARTS}
            yield _at(one, "too_many", "parts", "", **values)


def _seats(rows: Rows) -> Iterator[Problem]:
    sizes = Counter(str((one.body or {}).get("team", "")) for one in rows["agents"])
    for one in rows["seats"]:
        teams = _list(one, "teams")
        count = sum(sizes[team] for team in {"", *teams}) if teams else sizes.total()
        if count > AGENTS_OF_A_STATION:
            yield _at(one, "seat_full", "teams", "", count=count, most=AGENTS_OF_A_STATION)
        for team in teams:
            if not sizes[team]:
                yield _at(one, "team_empty", "teams", team)


def _codes(rows: Rows) -> Iterator[Problem]:
    for kind, reserved in (("reasons", SYSTEM_REASONS), ("dispositions", SYSTEM_CODES)):
        for one in rows[kind]:
            if one.code in reserved:
                yield _at(one, "reserved", "code", one.code)
    motives = {(one.body or {}).get("level1_code") for one in rows["dispositions"]}
    for one in rows["playbooks"]:
        if one.code not in motives:
            yield _at(one, "motive", "motive", one.code)
    for one in rows["reasons"]:
        body = one.body or {}
        if body.get("private") and body.get("limit_s"):
            yield _at(one, "private_limit", "limit_s", str(body["limit_s"]))


def _at(one: Entry, word: str, column: str, value: str, **values: object) -> Problem:
    return Problem(
        word=word, kind=one.kind, code=one.code, column=column, value=value, values=values
    )


def _list(one: Entry, name: str) -> list[str]:
    value = (one.body or {}).get(name)
    return value if isinstance(value, list) else []
