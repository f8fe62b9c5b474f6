"""The description in force may be shown: what of it is secret stands in a file beside it."""

import asyncio
import json
from datetime import date

import pytest
from diadema.base.paths import DataDir
from diadema.cli.site import install_site
from diadema.site import description, pins
from diadema.site.directory.publishing import (
    changed_by_hand,
    differences,
    draft,
    open_directory,
    publish,
)
from diadema.site.file import hashed, take_apart

from tests.support.scripted_station import SITE, T0

PIN = pins.make_verifier("415263")
WIFI = {"ssid": "Centro", "password": "clave-del-piso"}


@pytest.fixture
def described(tmp_path):
    agents = [SITE["agents"][0] | {"pin": PIN}, SITE["agents"][1]]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(SITE | {"agents": agents, "wifi": WIFI}))
    return path


@pytest.fixture
def data(tmp_path, described):
    data = DataDir(tmp_path / "data")
    install_site(described, data.root)
    return data


def check(data, pin=PIN, password="clave-del-piso"):
    shown = data.site.read_text()
    assert pin not in shown and password not in shown
    there = description.load(data.site)
    assert (there.agents[0].pin, there.wifi.password) == (pin, password)


def test_a_site_that_is_put_in_force_keeps_its_secrets_beside_it(data, described):
    check(data)
    assert description.load(data.site) == description.parse(
        hashed(data.site, described.read_bytes())
    )


def test_the_one_in_force_can_be_changed_and_put_in_force_again(data):
    told = json.loads(data.site.read_text())
    told["site"] = "Otro"
    data.site.write_text(json.dumps(told))
    install_site(data.site, None)
    install_site(data.site, data.root)
    check(data)
    assert description.load(data.site).site == "Otro"


def test_one_that_was_written_by_hand_is_taken_apart(data, described):
    newer = pins.make_verifier("615243")
    told = json.loads(described.read_text())
    told["agents"][0]["pin"] = newer
    data.site.write_text(json.dumps(told))
    take_apart(data.site)
    check(data, newer)
    take_apart(data.site)
    check(data, newer)


def test_publishing_keeps_them_and_is_no_change_by_hand(data):
    with open_directory(data, T0) as book:
        day = date(2026, 11, 18)
        asyncio.run(publish(book, data, day, by="jefa", at_ms=T0, ask=None))
        check(data)
        assert not changed_by_hand(book, data)
        assert differences(draft(book, data, day), data) == []
