"""What `diadema doctor` says of recordings: a folder is away, or pauses were not respected."""

import pytest
from diadema.hub.doctor import _recordings
from diadema.recordings import settings

from tests.support.recorded_calls import NOW, Centre
from tests.support.sound_stage import tell

DAY_MS = 86_400_000


@pytest.fixture
def centre(tmp_path):
    centre = Centre(tmp_path)
    centre.call(centre.station(), 60_000, 30, "1795000000.1")
    centre.store()
    settings.write(centre.data, centre.settings)
    return centre


def said(centre, now=NOW):
    found = [*_recordings(centre.data, centre.data, now)]
    assert all(one.wrong for one in found)
    return [one.said.say("en") for one in found]


def test_where_all_is_well_it_says_nothing(centre):
    assert said(centre) == []
    centre.data.recordings.unlink()
    centre.root.rmdir()
    assert said(centre) == [], "and nothing where none are set up"


def test_a_folder_that_is_away_is_told(centre):
    centre.root.rename(centre.root.with_name("away"))
    (line,) = said(centre)
    assert str(centre.root) in line and "mounted" in line


def test_a_pause_that_was_not_respected_is_told_until_the_recording_is_another(centre):
    key = centre.key()
    tell(centre.data, lambda monitor: monitor.linked(key, pauses="not"))
    (line,) = said(centre)
    assert line.startswith("in 1 recordings of the last 30 days")
    assert said(centre, NOW + 31 * DAY_MS) == []

    def mended(monitor):
        monitor.n = 1
        monitor.linked(key, pauses="respected")

    tell(centre.data, mended)
    assert said(centre) == []
