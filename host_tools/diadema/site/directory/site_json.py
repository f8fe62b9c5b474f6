"""The directory of a day as the description of a site, and a description as entries of the
directory.

A description that is made here is checked as any other; what is wrong, and what stations could not
take, is reported by the entry that it stands in.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from diadema.site.badges import is_secure
from diadema.site.description import AGENTS_OF_A_STATION, Agent, Site, SiteError, parse
from diadema.site.directory.book import Directory, Entry
from diadema.site.directory.kinds import KINDS, Body
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.station_config import check_sizes
from diadema.site.work import SYSTEM_CODES, SYSTEM_REASONS, Campaign

type Rows = Mapping[str, Sequence[Entry]]

_MOST = {"reasons": 24, "areas": 24, "help_topics": 24, "fault_areas": 12, "campaigns": 24,
         "identity_methods": 24, "playbooks": 48, "materials": 12, "tools": 48,
         "agents": 2000}  # fmt: skip
_PARTS = 24
_NO_PIN = f"{'0' * 16}:{'0' * 32}"  # a verifier that no PIN fits
_LISTS = ("agents", "stations", "reasons", "areas", "help_topics", "fault_areas", "campaigns",
          "identity_methods", "playbooks", "materials", "tools")  # fmt: skip
_KINDS = {"stations": "seats"}
_PLACE = re.compile(r"([a-z_]+)\[(\d+)\](?:\.([a-z_]+))?")
_COLUMNS = {"id": "code", "seat": "code", "label": "label"}
type Given = dict[str, Any]


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
        needed = (one.body or {}).get("station_code") or (policy != "none" and badges)
        if needed and not pins.get(one.code):
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


class Draft:
    """The description as the directory has it on `day`: `json` as a file has it, `site` checked.
    `old`: the description in force, of which stays what the directory does not know, as its
    Wi-Fi; `pins`: the agents' verifiers. Who has none and needs one is in `without_pin`, and has
    what `make_pin` gives. Raises Wrong.
    """

    def __init__(
        self,
        book: Directory,
        day: date,
        old: dict[str, Any],
        pins: dict[str, str],
        make_pin: Callable[[], str] = lambda: _NO_PIN,
    ) -> None:
        self._rows: dict[str, list[Entry]] = {}
        for kind in (
            "agents", "seats", "reasons", "areas", "help_topics", "fault_areas", "campaigns",
            "identity_methods", "playbooks", "materials", "tools", "dispositions", "holidays",
        ):  # fmt: skip
            rows = book.entries(kind, day)
            self._rows[kind] = sorted(rows, key=lambda one: (_order(one), one.code))
        settings = book.entry("settings", "site", day)
        if settings is None or settings.body is None:
            raise Wrong(Problem(word="no_settings", kind="settings", code="site"))
        if found := problems(self._rows):
            raise Wrong(*found)
        self.without_pin = without_pin(self._rows, settings.body, pins)
        self.pins = dict(pins) | {agent: make_pin() for agent in self.without_pin}
        described = {**old, **_settings(settings.body)}
        described["stations"] = [_station(one.body or {}) for one in self._rows["seats"]]
        known = {agent["id"]: agent for agent in old.get("agents", ())}
        described["agents"] = [
            _agent(one.body or {}, known.get(one.code, {}), self.pins.get(one.code, ""))
            for one in self._rows["agents"]
        ]
        for name in _LISTS[2:]:
            described[name] = [
                _MAKERS.get(name, _coded)(one.body or {}) for one in self._rows[name]
            ]
        described["holidays"] = sorted(one.code for one in self._rows["holidays"])
        nodes = _tree(self._rows["dispositions"])
        tree = old.get("tree") or {"version": 0, "nodes": None}
        version = tree["version"] + (nodes != tree["nodes"])
        described["tree"] = {"version": version, "nodes": nodes}
        described["negative_codes"] = [
            one.code
            for one in self._rows["dispositions"]
            if one.body and one.body.get("result") == "negativa"
        ]
        # what the file need not say is not said
        self.described = {name: value for name, value in described.items() if value is not None}
        self.json = msgspec.json.format(msgspec.json.encode(self.described), indent=2)
        try:
            self.site: Site = parse(self.json)
            check_sizes(self.site)
        except SiteError as error:
            raise Wrong(self._problem(error)) from error

    def _problem(self, error: SiteError) -> Problem:
        """In the directory's terms."""
        found = _PLACE.match(error.key)
        values = {"reason": error.reason}
        if found is None:
            return Problem(word="site", values=values, kind="settings", column=_setting(error.key))
        kind = _KINDS.get(found[1], found[1])
        rows = self._rows.get(kind, [])
        code = rows[int(found[2])].code if int(found[2]) < len(rows) else ""
        return Problem(
            word="site", values=values, kind=kind, code=code,
            column=_column(kind, found[3] or ""),
        )  # fmt: skip


def _setting(key: str) -> str:
    return key if key in ("zone", "sntp", "site", "firmware") else ""


def _column(kind: str, name: str) -> str:
    from diadema.site.directory.kinds import KINDS

    wanted = _COLUMNS.get(name, name)
    if kind == "seats" and name == "id":
        wanted = "station"
    if kind == "agents" and name == "code":
        wanted = "station_code"
    names = [field.name for field in KINDS[kind].fields] if kind in KINDS else []
    return wanted if wanted in names else ""


def _order(entry: Entry) -> int:
    order = (entry.body or {}).get("order")
    return order if isinstance(order, int) else 10_000


def _settings(body: Body) -> dict[str, Any]:
    """An absent one is as the description's own default."""
    names = ("language", "ring_limit_s", "wrapup_limit_s", "sntp", "firmware", "pin",
             "multi_login", "broker_names")  # fmt: skip
    described = {name: body.get(name) for name in names}
    return described | {
        "site": body["site"], "zone": body["zone"], "selftest": bool(body.get("selftest")),
    }  # fmt: skip


def _station(body: Body) -> dict[str, Any]:
    described: dict[str, Any] = {"id": body["station"], "seat": body["code"]}
    return described | ({"teams": body["teams"]} if body.get("teams") else {})


def _agent(body: Body, old: dict[str, Any], pin: str) -> dict[str, Any]:
    lent = []
    for one in body.get("day_badges") or ():  # type: ignore[union-attr]
        badge, _, day = str(one).rpartition(" ")
        lent.append({"badge": badge, "day": day})
    described = {
        **old,
        "id": body["code"],
        "name": body["name"],
        "short": body["short"],
        "alias": body["alias"],
        "team": body.get("team", ""),
        "badges": body.get("badges", []),
        "day_badges": lent,
        "pin": pin,
        "code": body.get("station_code", ""),
    }
    return {name: value for name, value in described.items() if value not in ("", [])}


def _coded(body: Body) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "order"}


def _without(*own: str) -> Callable[[Body], dict[str, Any]]:
    """Less what is for the host alone."""
    return lambda body: {name: one for name, one in _coded(body).items() if name not in own}


def _fault_area(body: Body) -> dict[str, Any]:
    parts = [str(part).partition("=") for part in body.get("parts") or ()]  # type: ignore[union-attr]
    described: dict[str, Any] = {"code": body["code"], "label": body["label"]}
    described |= {"external": True} if body.get("external") else {}
    return described | {"parts": [{"code": code, "label": label} for code, _, label in parts]}


def _campaign(body: Body) -> dict[str, Any]:
    steps = body.get("steps")
    described: dict[str, Any] = {
        "code": body["code"],
        "label": body["label"],
        "steps": [
            {"step": step.rstrip("*"), "automatic": step.endswith("*")}
            for step in (steps if isinstance(steps, list) else [])
        ],
        "consent": bool(body.get("consent")),
    }
    if "call_from" in body:
        described["outbound"] = {
            "from": body["call_from"],
            "to": body["call_to"],
            "days": body["call_days"],
            "holidays": bool(body.get("call_holidays")),
        }
    return described


def _playbook(body: Body) -> dict[str, Any]:
    version = str(body["version"])
    described = {"motive": body["motive"], "id": body["id"]}
    return described | {"version": int(version) if version.isdigit() else version}


def _tree(leaves: list[Entry]) -> list[Any]:
    """Branches stand in the order of their first leaf. Raises Wrong where two leaves do not agree
    on what is above them.
    """
    nodes: dict[str, list[Any]] = {}
    branches: dict[str, tuple[str, list[Any]]] = {}
    for leaf in leaves:
        body = leaf.body or {}
        top, middle = str(body["level1_code"]), str(body["level2_code"])
        node = nodes.setdefault(top, [top, body["level1"], []])
        _agree(leaf, "level1", node[1])
        if middle not in branches:
            branches[middle] = (top, [middle, body["level2"], []])
            node[2].append(branches[middle][1])
        above, branch = branches[middle]
        _agree(leaf, "level1_code", above)
        _agree(leaf, "level2", branch[1])
        branch[2].append([leaf.code, body["label"]])
    return list(nodes.values())


def _agree(leaf: Entry, column: str, known: str) -> None:
    value = (leaf.body or {})[column]
    if value != known:
        raise Wrong(
            Problem(
                word="branch", kind="dispositions", code=leaf.code, column=column,
                value=str(value), values={"other": known},
            )
        )  # fmt: skip


_MAKERS = {
    "areas": _without("number"),
    "help_topics": _without("escalate_s", "alert_s"),
    "tools": _without("vital"),
    "fault_areas": _fault_area,
    "campaigns": _campaign,
    "playbooks": _playbook,
}


def bodies_of(site: Site) -> dict[str, dict[str, Body]]:
    """kind → code → body, of the kinds that a site tells of. What the site does not know of an
    entry (documents, employers) is not in its body.
    """
    described: dict[str, dict[str, Body]] = {}
    for kind, given in _everything(site):
        body = KINDS[kind].read(given)
        described.setdefault(kind, {})[KINDS[kind].code(body)] = body
    return described


def _everything(site: Site) -> Iterator[tuple[str, Given]]:
    yield "settings", _from_site_settings(site)
    for team in sorted(_teams(site)):
        yield "teams", {"code": team}
    for agent in site.agents:
        yield "agents", _from_site_agent(agent)
    for station in site.stations:
        yield "seats", {"code": station.seat, "station": station.id, "teams": station.teams}
    for at, reason in enumerate(site.reasons, 1):
        yield "reasons", _fields(reason, "private", "paid", "productive", "limit_s") | {
            "order": at, "limit_s": reason.limit_s or None,
        }  # fmt: skip
    for at, area in enumerate(site.areas, 1):
        yield "areas", _fields(area, "consulted", "external") | {"order": at}
    for at, fault in enumerate(site.fault_areas, 1):
        parts = [f"{part.code}={part.label}" for part in fault.parts]
        yield "fault_areas", _fields(fault, "external") | {"parts": parts, "order": at}
    for at, topic in enumerate(site.help_topics, 1):
        yield "help_topics", _fields(topic, "urgent") | {"order": at}
    for at, tool in enumerate(site.tools, 1):
        yield "tools", _fields(tool, "campaign") | {"order": at}
    for kind in ("materials", "identity_methods"):
        for at, coded in enumerate(getattr(site, kind), 1):
            yield kind, _fields(coded) | {"order": at}
    for at, campaign in enumerate(site.campaigns, 1):
        yield "campaigns", _from_site_campaign(campaign) | {"order": at}
    for book in site.playbooks:
        yield "playbooks", {"motive": book.motive, "id": book.id, "version": str(book.version)}
    for day in site.holidays:
        yield "holidays", {"day": day}
    yield from (("dispositions", leaf) for leaf in _leaves(site))


def _teams(site: Site) -> set[str]:
    teams = {agent.team for agent in site.agents if agent.team}
    return teams.union(*(station.teams for station in site.stations))


def _from_site_settings(site: Site) -> Given:
    names = [field.name for field in KINDS["settings"].fields if hasattr(site, field.name)]
    return {"code": "site"} | {name: getattr(site, name) for name in names}


def _fields(coded: Any, *more: str) -> Given:
    return {name: getattr(coded, name) for name in ("code", "label", *more)}


def _from_site_agent(agent: Agent) -> Given:
    lent = [f"{one.badge} {one.day.isoformat()}" for one in agent.day_badges]
    return {
        "code": agent.id,
        "name": agent.name,
        "short": agent.short,
        "alias": agent.alias,
        "team": agent.team,
        "badges": agent.badges,
        "day_badges": lent,
        "station_code": agent.code,
    }


def _from_site_campaign(campaign: Campaign) -> Given:
    given = _fields(campaign, "consent")
    given["steps"] = [f"{step.step}{'*' if step.automatic else ''}" for step in campaign.steps]
    if (hours := campaign.outbound) is not None:
        given |= {
            "call_from": hours.from_,
            "call_to": hours.to,
            "call_days": list(hours.days),
            "call_holidays": hours.holidays,
        }
    return given


def _leaves(site: Site) -> Iterator[Given]:
    at = 0
    for code1, label1, branches in site.tree.nodes:
        for code2, label2, leaves in branches:
            for code, label in leaves:
                at += 1
                yield {
                    "code": code,
                    "label": label,
                    "level1_code": code1,
                    "level1": label1,
                    "level2_code": code2,
                    "level2": label2,
                    "result": "negativa" if code in site.negative_codes else None,
                    "order": at,
                }
