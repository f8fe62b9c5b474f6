"""A site may have more agents than a station can hold: each station knows those of its teams."""

import copy
import json

import pytest
from diadema.site.description import SiteError, parse
from diadema.site.station_config import ConfigMaker, check_sizes

from tests.support.scripted_station import SITE


def crowd(teams, per_team, *, of_stations):
    """SITE with that many agents of each team; `of_stations`: the teams of each station."""
    described = copy.deepcopy(SITE)
    described["agents"] = [
        {
            "id": f"x{team}-{at}", "name": f"Inventada {at}", "short": f"I{at}",
            "alias": f"I{at}", "team": team, "badges": [],
        }
        for team in teams
        for at in range(per_team)
    ]  # fmt: skip
    for station, its in zip(described["stations"], of_stations, strict=False):
        station["teams"] = its
    return json.dumps(described).encode()


def held(site, station):
    maker = ConfigMaker(site, "0f" * 32, 0, 1)
    return [row[0] for row in json.loads(maker.build(station.id))["agents"]]


def test_a_station_knows_its_teams_only():
    site = parse(crowd(["A", "B"], 100, of_stations=[["A"], ["B"]]))
    check_sizes(site)
    assert len(site.agents) == 200
    first, second = site.stations[:2]
    assert {agent[:2] for agent in held(site, first)} == {"xA"}
    assert {agent[:2] for agent in held(site, second)} == {"xB"}


def test_whoever_has_no_team_can_log_in_everywhere():
    site = parse(crowd(["A", ""], 2, of_stations=[["A"], []]))
    assert held(site, site.stations[0]) == ["xA-0", "xA-1", "x-0", "x-1"]


@pytest.mark.parametrize("of_stations", [[["A", "B"], ["A"]], [["A"], []]])
def test_a_station_with_too_many_is_named(of_stations):
    with pytest.raises(SiteError, match=r"A-0\d would know 200 agents, a station can hold 120"):
        parse(crowd(["A", "B"], 100, of_stations=of_stations))
