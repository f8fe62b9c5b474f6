"""A day that was worked out: it goes through the real ingest whole, and counts once."""

import json
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from diadema.base.paths import DataDir
from diadema.figures.joins import joins
from diadema.figures.read import read
from diadema.site.directory.people_of import people as people_of
from diadema.stations.fleet import all_stations
from diadema.store import open_reader
from diadema_sim import past, people
from diadema_sim.demo import demo_start
from diadema_sim.history import day_of
from diadema_sim.sample_centre import PAST_DAYS, Roster, write_directory

ZONE = ZoneInfo("America/Lima")
TODAY = date(2026, 11, 18)
ROSTER = Roster(6, TODAY)


def made(day: date, until_s: int | None = None, vanish: tuple[str, ...] = ()):
    workers = ROSTER.workers(day)
    return day_of(day, ZONE, workers, seed=1, until_s=until_s, vanish=vanish)


def stored(folder, day, roster=ROSTER):
    data = DataDir(folder)
    data.make()
    site = people.site(roster.everybody, name="Centro", zone=ZONE.key, tree=people.LIMA_TREE)
    data.site.write_text(json.dumps(site))
    now = int(datetime(2026, 11, 19, tzinfo=ZONE).timestamp() * 1000)
    write_directory(data, roster, now)
    past._store(data, day, past.log_of(data), past.Fixed(now))
    return data


def kinds(day):
    return Counter(json.loads(line)["k"] for one in day.journals for line in one.lines)


def verbs(day):
    return Counter(line.split("|")[4] for line in day.log)


def test_the_same_seed_gives_the_same_day_and_another_another():
    assert made(TODAY - timedelta(days=3)) == made(TODAY - timedelta(days=3))
    assert made(TODAY - timedelta(days=3)).log != made(TODAY - timedelta(days=4)).log


def test_every_call_is_in_the_log_and_in_a_journal_and_joins_by_its_number(tmp_path):
    day = made(TODAY - timedelta(days=1))
    told, log = kinds(day), verbs(day)
    assert told["contact.answered"] == log["CONNECT"] > 400
    assert told["contact.missed"] == log["RINGNOANSWER"]
    assert log["ENTERQUEUE"] == log["CONNECT"] + log["ABANDON"] and log["ABANDON"] > 10
    data = stored(tmp_path, day)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        events = sum(len(one.lines) for one in day.journals)
        count = "SELECT count(*) FROM events WHERE s LIKE 'DIA-%'"
        assert tx.exec_driver_sql(count).scalar() == events
        for table in ("dead_letters", "conflicts", "losses"):
            assert tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0
    found = joins(data, 1, 1 << 45, people_of(data))
    assert found.contacts == found.by_pbx == told["contact.answered"]
    assert (found.contacts_alone, found.calls_alone, found.unnamed) == (0, 0, 0)


def test_a_day_until_now_has_nobody_in_it_but_who_vanished(tmp_path):
    until_s = 14 * 3600
    gone = ROSTER.unreachable
    day = made(TODAY, until_s, (gone.person.id,))
    limit = int(datetime(2026, 11, 18, 14, tzinfo=ZONE).timestamp() * 1000)
    for one in day.journals:
        times = [json.loads(line)["u"] + one.boot_ms for line in one.lines]
        assert times == sorted(times) and times[-1] < limit
    assert verbs(day)["ENTERQUEUE"] == verbs(day)["CONNECT"] + verbs(day)["ABANDON"]
    data = stored(tmp_path, day)
    with open_reader(data.store) as reader:
        open_sessions = {one.agent for one in reader.sessions() if one.close_utc is None}
    assert open_sessions == {gone.person.id}


def test_a_month_has_twenty_thousand_contacts():
    month = [made(TODAY - timedelta(days=back)) for back in range(1, PAST_DAYS + 1)]
    found = sum((kinds(day) for day in month), Counter())
    assert found["contact.answered"] + found["contact.missed"] >= 20_000


@pytest.mark.parametrize("stations", [1, 6, 12])
def test_each_station_of_the_past_has_a_seat_and_stands_as_it_was_left(tmp_path, stations):
    """Also while the days before come in after today."""
    roster = Roster(stations, TODAY)
    now = int(datetime(2026, 11, 18, 14, 20, tzinfo=ZONE).timestamp() * 1000)
    data = DataDir(tmp_path)
    data.make()
    site = people.site(roster.everybody, name="Centro", zone=ZONE.key, tree=people.LIMA_TREE)
    data.site.write_text(json.dumps(site))
    past.begin(data, roster, now, 1)
    before = all_stations(data, now)
    days = [TODAY - timedelta(days=back) for back in (1, 3)]
    brought = set()
    for day in days:
        made = day_of(day, ZONE, roster.workers(day), seed=1)
        brought |= {(one.station, one.epoch) for one in made.journals}
        past._store(data, made, past.log_of(data), past.Fixed(now))
    assert brought == past.journals(roster, 1, days)
    after = all_stations(data, now)
    assert all(row.seat for row in after) and len(after) == len(roster.everybody)
    unplugged = {desk.station for desk in roster.everybody[stations:]}
    seen = [
        {row.station: (row.seen_utc, row.busy) for row in rows if row.station in unplugged}
        for rows in (before, after)
    ]
    assert seen[0] == seen[1]
    assert [row.station for row in after if row.busy] == [roster.unreachable.station]
    cut = read(data, TODAY, TODAY, now).cut
    owing = {one.station for one in cut.pending_stations} & unplugged
    assert owing == {roster.unreachable.station}


@pytest.mark.parametrize("hour", range(24))
def test_at_any_hour_the_demo_is_in_the_middle_of_its_day(hour):
    now = datetime(2026, 11, 18, hour, 1, tzinfo=ZONE)
    start = demo_start(now)
    assert start.date() == now.date()
    second = start.hour * 3600 + start.minute * 60
    for number in range(ROSTER.stations):
        shift = ROSTER.shift(number, TODAY)
        assert shift is not None
        assert shift.start_s + 3600 <= second <= shift.end_s - 3600


def test_a_past_day_does_not_depend_on_the_run():
    """Else what is kept would not be the same month for another number of stations."""
    day = TODAY - timedelta(days=5)
    for other in (Roster(1, TODAY), Roster(60, TODAY), Roster(6, TODAY + timedelta(days=9))):
        assert other.workers(day) == ROSTER.workers(day)
