"""People and places of a day, kept until something changes."""

import json
import os
from datetime import date

import pytest
from diadema.base.paths import DataDir
from diadema.site.directory.people_of import CachedPeople
from diadema.site.example import EXAMPLE

DAY = date(2026, 12, 1)


@pytest.fixture
def data(tmp_path):
    place = DataDir(tmp_path / "data")
    place.make()
    return place


def describe(data, name, at_ns):
    described = json.loads(EXAMPLE)
    described["agents"][0]["name"] = name
    data.site.write_text(json.dumps(described))
    os.utime(data.site, ns=(at_ns, at_ns))


def test_what_changed_is_read_again(data):
    kept = CachedPeople(data)
    assert kept.on(DAY).workers == {}
    describe(data, "Uno", 10**18)
    first = kept.on(DAY)
    assert first.name("e001") == "Uno"
    assert kept.on(DAY) is first
    describe(data, "Dos", 10**18 + 1)
    assert kept.on(DAY).name("e001") == "Dos"


def test_a_site_that_cannot_be_read_leaves_what_was_known(data):
    kept = CachedPeople(data)
    describe(data, "Uno", 10**18)
    kept.on(DAY)
    data.site.write_text("{")
    assert kept.on(DAY).name("e001") == "Uno"
