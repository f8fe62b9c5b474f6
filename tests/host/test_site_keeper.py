"""What the hour and the day change in the stations' configuration, and when."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from diadema.base.paths import DataDir
from diadema.hub.site_keeper import SiteKeeper
from diadema.ingest.core import Ingest
from diadema.site.description import parse

from tests.support.scripted_station import SITE, S

ENROLMENT = SimpleNamespace(enrol=list)
SECRETS = SimpleNamespace(badge_key="0f" * 32, card_key="c4" * 16)


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.fixture
def keep(writer, clock, tmp_path):
    def build(**described):
        described = json.loads(json.dumps(SITE | described))
        described["agents"][1]["day_badges"] = [
            {"badge": "iso14443a:04F1F1F1", "day": "2026-12-01"}
        ]
        ingest = Ingest(writer, parse(json.dumps(described).encode()), clock)
        keeper = SiteKeeper(DataDir(tmp_path), SECRETS, ENROLMENT, ingest, clock)
        keeper.settle()
        return keeper

    return build


def badges(keeper):
    return len(json.loads(keeper.maker.build(S))["agents"][1][2])


def test_a_lent_badge_comes_and_goes_at_the_sites_midnight(keep, clock):
    clock.now = at("2026-12-01T04:59:59")  # 23:59:59 in Lima
    keeper = keep()
    assert (badges(keeper), keeper.generation) == (0, 1)
    assert not keeper.moment_changed()
    clock.now = at("2026-12-01T05:00:00")
    assert keeper.moment_changed() and keeper.moment_changed(), "until it is settled"
    keeper.settle()
    assert (badges(keeper), keeper.generation) == (1, 2)
    assert not keeper.moment_changed()
    clock.now = at("2026-12-02T05:00:00")
    assert keeper.moment_changed()
    keeper.settle()
    assert (badges(keeper), keeper.generation) == (0, 3)


def test_a_midnight_that_changes_nothing_is_passed_over(keep, clock):
    clock.now = at("2026-11-20T12:00:00")
    keeper = keep()
    for day in range(21, 31):
        clock.now = at(f"2026-11-{day}T12:00:00")
        assert not keeper.moment_changed()
    clock.now = at("2026-12-01T12:00:00")
    assert keeper.moment_changed()


def test_the_sites_clocks_are_changed(keep, clock):
    clock.now = at("2026-10-25T00:59:59")
    keeper = keep(zone="Europe/Madrid")
    assert not keeper.moment_changed()
    clock.now = at("2026-10-25T01:00:00")
    assert keeper.moment_changed()
    keeper.settle()
    assert json.loads(keeper.maker.build(S))["utc_offset_min"] == 60
