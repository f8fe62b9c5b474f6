"""A day that was worked out: it goes through the real ingest whole, and counts once."""

import json
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from diadema.base.paths import DataDir
from diadema.figures.joins import joins
from diadema.figures.read import read
from diadema.report.make import make
from diadema.report.model import Scope, plain
from diadema.report.period import around
from diadema.site.directory.people_of import people as people_of
from diadema.stations.fleet import all_stations
from diadema.store import open_reader
from diadema.store.assistance import help_cases, ticket_cases
from diadema_sim import past, people
from diadema_sim import sample_assistance as assistance
from diadema_sim.demo import demo_start
from diadema_sim.history import day_of
from diadema_sim.past_host import HUB
from diadema_sim.sample_centre import PAST_DAYS, Roster, write_directory

ZONE = ZoneInfo("America/Lima")
TODAY = date(2026, 11, 18)
WEEK = around("week", TODAY - timedelta(days=7))
ROSTER = Roster(6, TODAY)
NOW = int(datetime(2026, 11, 19, tzinfo=ZONE).timestamp() * 1000)


def made(day: date, until_s: int | None = None, vanish: tuple[str, ...] = ()):
    workers = ROSTER.workers(day)
    return day_of(day, ZONE, workers, seed=1, until_s=until_s, vanish=vanish)


def opened(folder, roster):
    data = DataDir(folder)
    data.make()
    site = people.site(roster.everybody, name="Centro", zone=ZONE.key, tree=people.LIMA_TREE)
    data.site.write_text(json.dumps(site | assistance.CATALOGUES))
    return data


def stored(folder, *days, roster=ROSTER):
    data = opened(folder, roster)
    write_directory(data, roster, NOW)
    for day in days:
        past._store(data, day, past.log_of(data), past.Fixed(NOW))
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
        count = "SELECT count(*) FROM events WHERE s LIKE ?"
        assert tx.exec_driver_sql(count, ("DIA-%",)).scalar() == events
        assert tx.exec_driver_sql(count, (HUB,)).scalar() == len(day.host) > 10
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
    data = opened(tmp_path, roster)
    past.begin(data, roster, now, 1)
    before = all_stations(data, now)
    days = [TODAY - timedelta(days=back) for back in (1, 3)]
    brought = set()
    for day in days:
        made = day_of(day, ZONE, roster.workers(day), seed=1)
        brought |= {(one.station, one.epoch) for one in made.journals}
        brought |= {(event["s"], event["e"]) for event in map(json.loads, made.host)}
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


def figures(data, kind, scope=None):
    """Each of the summary, and the rows of each table."""
    made = make(data, kind, WEEK, scope or Scope(), NOW)
    return {
        section.key: [
            dict(zip([one.key for one in section.columns], map(plain, row), strict=True))
            for row in section.rows
        ]
        for section in made.sections
    }


def test_a_week_fills_the_reports_of_help_and_faults_and_the_documents(tmp_path):
    week = [made(WEEK.first + timedelta(days=after)) for after in range(7)]
    data = stored(tmp_path, *week)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        for table in ("dead_letters", "conflicts", "losses"):
            assert tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0
        helps, tickets = help_cases(tx), ticket_cases(tx)
    assert {one.taker[0] for one in helps if one.taker} == {"npalta", "mcaigua"}
    assert {one.press.answer for one in helps} == {"yes", "no", None}
    assert {one.press.outcome for one in helps} == {"resolved", "cancelled"}
    assert {one.note.gap for one in helps if one.note} > {"missing"} and any(
        one.text for one in helps
    )
    assert {one.ticket.outcome for one in tickets} == {"confirmed", "rejected"}
    (mass,) = (one for one in tickets if one.ticket.severity == 2)
    assert len(mass.reports) >= 3 and mass.ticket.external
    assert all(one.ticket.taken_utc and len(one.reports) for one in tickets)

    asked = figures(data, "ayudas")
    assert len(asked["topics"]) >= 4 and len(asked["helpers"]) >= 3 and len(asked["gaps"]) >= 2
    assert len(asked["summary"]) == 8 and all(one["value"] is not None for one in asked["summary"])
    failed = figures(data, "fallas")
    assert len(failed["tickets"]) == len(tickets)
    assert all(one["value"] is not None for one in failed["summary"])
    assert len(figures(data, "consultas")["answered"]) > 20
    assert len(figures(data, "orientado")["guided_calls"]) > 20
    whole = figures(data, "constancia", Scope(of="ticket", code=mass.ticket.ticket))
    assert len(whole["incident_seats"]) == len(mass.reports)
    seats = figures(data, "operatividad")["operational_seats"]
    assert len({one["outcome"] for one in seats}) == 3 and any(
        one["tools_missing"] for one in seats
    )
