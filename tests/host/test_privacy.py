"""What is kept of a person can be handed over, and is erased after its time with a record of it;
counts, times and the rebuild stay.
"""

import json
import os
import zipfile
from datetime import date, datetime, timedelta

import pytest
from diadema.errors import DiademaError
from diadema.figures.read import read
from diadema.locks import locked
from diadema.paths import DataDir
from diadema.privacy.erase import erase
from diadema.privacy.export import export
from diadema.rebuild import rebuild
from diadema.store import open_reader
from diadema.web.accounts import Accounts
from diadema.web.who import Person
from reported_day import Clock, stations
from scripted_station import T0

ME = Person(id="shell:yo", name="Yo", role="service")
DAY_MS = 86_400_000
YEARS = 365 * DAY_MS
DAY = datetime.fromtimestamp(T0 / 1000).date()


def events(data):
    reader = open_reader(data.store)
    try:
        return [one.event for s in reader.stations() for one in reader.events_of(s)]
    finally:
        reader.close()


def figures(data, now_ms):
    span = read(data, DAY - timedelta(days=1), DAY + timedelta(days=3), now_ms)
    return span.total()


def audit(data):
    accounts = Accounts(data)
    try:
        assert accounts.audit.check() is None
        return accounts.audit.rows()
    finally:
        accounts.close()


def test_a_person_gets_everything_and_nobody_elses(tmp_path):
    data = stations(tmp_path)
    accounts = Accounts(data)
    accounts.audit.record(Person(id="jefa", name="", role="admin"), "agents.day", ["a001"])
    accounts.audit.record(Person(id="jefa", name="", role="admin"), "agents.day", ["a002"])
    accounts.close()
    out = tmp_path / "rosa.zip"
    counts = export(data, "a001", out, ME)
    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(out) as made:
        parts = {name: made.read(name).decode() for name in made.namelist()}
    assert "a002" not in "".join(parts.values())
    reader = open_reader(data.store)
    assert counts["contacts"] == len(reader.contacts(agent="a001")) > 0
    assert counts["marks"] == len(reader.marks(agent="a001")) > 0
    assert counts["sessions"] == len(reader.sessions(agent="a001")) > 0
    reader.close()
    hers = [one for one in events(data) if one.get("a") == "a001"]
    assert len(json.loads(parts["events.json"])) == len(hers)
    assert json.loads(parts["contacts.json"])[0]["a"] == "a001"
    (seen,) = json.loads(parts["reads.json"])
    assert (seen["who"], seen["what"]) == ("jefa", "agents.day")
    assert audit(data)[0].what == "privacy.export"
    with pytest.raises(DiademaError, match="there already"):
        export(data, "a001", out, ME)
    with pytest.raises(DiademaError, match="nothing is kept"):
        export(data, "a999", tmp_path / "none.zip", ME)


def test_what_is_past_its_time_loses_its_people_and_keeps_its_sums(tmp_path):
    data = stations(tmp_path)
    now = T0 + 3 * YEARS
    before = figures(data, now)
    marks = [one for one in events(data) if one["k"] == "attendance.marked"]
    for folder in (data.reports, data.journals):
        folder.mkdir()
        for name, age in (("old", 3), ("new", 1)):
            (folder / name).touch()
            os.utime(folder / name, times=2 * ((now - age * YEARS) / 1000,))
    done = erase(data, Clock(now), ME, now - 2 * YEARS)
    kept = {path.name for folder in (data.reports, data.journals) for path in folder.iterdir()}
    assert (kept, done.files) == ({"new"}, 2)
    assert (done.people, done.events > 20, done.before_ms) == (2, True, now - 2 * YEARS)
    after = events(data)
    assert [one for one in after if one["k"] == "attendance.marked"] == marks
    names = {one["a"] for one in after if one.get("a") and one["k"] != "attendance.marked"}
    assert len(names) == 2 and all(name.startswith("erased-") for name in names)
    assert figures(data, now) == before
    assert rebuild(data, Clock(now)).differences == []
    told = audit(data)[0]
    assert (told.what, told.who, told.detail["events"]) == ("privacy.erase", ME.id, done.events)


def test_attendance_goes_after_five_years_and_the_chain_says_from_what_to_what(tmp_path):
    data = stations(tmp_path)
    now = T0 + 6 * YEARS
    reader = open_reader(data.store)
    head = reader.marks()[-1].hash
    bodies = [one.body for one in reader.events_of("DIA-0123456789ab") if one.event.get("a")]
    reader.close()
    done = erase(data, Clock(now), ME, now - 2 * YEARS)
    held = json.dumps(events(data))
    assert '"a001"' not in held and '"a002"' not in held and '"badge":' not in held
    reader = open_reader(data.store)
    assert all(mark.agent.startswith("erased-") for mark in reader.marks())
    assert done.chain == (head, reader.marks()[-1].hash) and done.chain[0] != done.chain[1]
    reader.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("store.sqlite3*"))
    assert not [body for body in bodies if body in raw]
    assert rebuild(data, Clock(now)).differences == []


def test_only_whole_sessions_before_the_limit_go_and_a_second_time_changes_nothing(tmp_path):
    data = stations(tmp_path)
    now = T0 + 3 * YEARS
    done = erase(data, Clock(now), ME, T0 + DAY_MS - 3_600_000)
    assert done.events > 0
    for s in ("DIA-0123456789ab", "DIA-0123456789ac"):
        whose = [one for one in events(data) if one["s"] == s and one.get("a")]
        whose = [one["a"].startswith("erased-") for one in whose if "attendance" not in one["k"]]
        assert whose == sorted(whose, reverse=True) and len(set(whose)) == 2
    again = erase(data, Clock(now), ME, T0 + DAY_MS - 3_600_000)
    assert (again.events, again.people) == (0, 0)


def test_what_may_not_be_is_refused_and_nothing_changes(tmp_path):
    data = stations(tmp_path)
    stood = events(data)
    with pytest.raises(DiademaError, match="5 years"):
        erase(data, Clock(T0 + YEARS), ME, T0 + DAY_MS, T0 + DAY_MS)
    with pytest.raises(DiademaError, match="in the past"):
        erase(data, Clock(T0), ME, T0 + DAY_MS)
    with locked(data.lock), pytest.raises(DiademaError, match="end that hub first"):
        erase(data, Clock(T0 + 9 * YEARS), ME, T0 + 3 * YEARS)
    with pytest.raises(DiademaError, match="no store"):
        erase(DataDir(tmp_path / "none"), Clock(T0 + 9 * YEARS), ME, T0)
    assert events(data) == stood
    assert date.fromtimestamp(T0 / 1000) == DAY
