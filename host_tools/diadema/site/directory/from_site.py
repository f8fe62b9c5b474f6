"""A site's description as entries of the directory, to begin one with or to take changes in."""

from collections.abc import Iterator
from typing import Any

from diadema.site.description import Agent, Site
from diadema.site.directory.kinds import KINDS, Body
from diadema.site.work import Campaign

type Given = dict[str, Any]


def bodies_of(site: Site) -> dict[str, dict[str, Body]]:
    """kind → code → body, of the kinds that a site tells of. What the site does not know of an
    entry (documents, employers) is not in its body.
    """
    told: dict[str, dict[str, Body]] = {}
    for kind, given in _everything(site):
        body = KINDS[kind].read(given)
        told.setdefault(kind, {})[KINDS[kind].code(body)] = body
    return told


def _everything(site: Site) -> Iterator[tuple[str, Given]]:
    yield "settings", _settings(site)
    for team in sorted(_teams(site)):
        yield "teams", {"code": team}
    for agent in site.agents:
        yield "agents", _agent(agent)
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
        yield "fault_areas", _fields(fault) | {"parts": parts, "order": at}
    for kind in ("help_topics", "materials", "identity_methods"):
        for at, coded in enumerate(getattr(site, kind), 1):
            yield kind, _fields(coded) | {"order": at}
    for at, campaign in enumerate(site.campaigns, 1):
        yield "campaigns", _campaign(campaign) | {"order": at}
    for book in site.playbooks:
        yield "playbooks", {"motive": book.motive, "id": book.id, "version": str(book.version)}
    for day in site.holidays:
        yield "holidays", {"day": day}
    yield from (("dispositions", leaf) for leaf in _leaves(site))


def _teams(site: Site) -> set[str]:
    teams = {agent.team for agent in site.agents if agent.team}
    return teams.union(*(station.teams for station in site.stations))


def _settings(site: Site) -> Given:
    names = [field.name for field in KINDS["settings"].fields if field.name != "code"]
    return {"code": "site"} | {name: getattr(site, name) for name in names}


def _fields(coded: Any, *more: str) -> Given:
    return {name: getattr(coded, name) for name in ("code", "label", *more)}


def _agent(agent: Agent) -> Given:
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


def _campaign(campaign: Campaign) -> Given:
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
