"""What holds while there is no site: one zone and one language, everywhere."""

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from diadema.base.paths import DataDir
from diadema.cli.run import Run
from diadema.ingest.floor import day_of
from diadema.site.context import language_of, note_zone, site_of, tz_of, zone_of
from diadema.site.directory.book import Directory
from diadema.site.directory.people_of import day_at
from diadema.wire import live_rows

from tests.support.scripted_station import SITE

NEW_YEAR_MS = round(datetime(2026, 1, 1, 2, tzinfo=UTC).timestamp() * 1000)  # still 2025 in Lima


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return DataDir(tmp_path / "data")


@pytest.mark.parametrize("directory", [False, True])
def test_without_a_site_there_is_one_zone_and_one_language(data, directory):
    if directory:
        Directory(data.directory).close()
    meta, run = live_rows.Site(), Run(data.root)
    assert site_of(data) is None and run.site is None
    assert {zone_of(data).key, tz_of(None).key, run.zone.key, meta.zone} == {"UTC"}
    assert {language_of(None), meta.language} == {"es"}
    assert day_at(data, NEW_YEAR_MS) == date(2026, 1, 1)
    assert day_of(NEW_YEAR_MS, None).date == "2026-01-01"


def test_an_import_names_the_zone_until_there_is_a_site(data):
    note_zone(data, ZoneInfo("America/Lima"))
    assert zone_of(data).key == "America/Lima"
    assert day_at(data, NEW_YEAR_MS) == date(2025, 12, 31)
    data.site.write_text(json.dumps(SITE | {"zone": "Asia/Tokyo", "language": "en"}))
    assert zone_of(data).key == tz_of(site_of(data)).key == "Asia/Tokyo"
    assert language_of(site_of(data)) == "en"
    note_zone(data, ZoneInfo("Europe/Madrid"))
    assert zone_of(data).key == "Asia/Tokyo"
