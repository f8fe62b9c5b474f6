"""Reports of a team over days in which somebody changed it, and by the stage of each agent."""

import copy
import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.report.context import NotYours
from diadema.report.make import make
from diadema.report.model import Scope, plain
from diadema.report.period import around
from diadema.site.directory import people_of
from diadema.site.directory.book import Change
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import open_directory

from tests.support.scripted_station import SITE, Script
from tests.support.sections import rows

LIMA = ZoneInfo("America/Lima")
DESCRIBED = copy.deepcopy(SITE)
DESCRIBED["agents"][0]["team"] = "Norte"
DESCRIBED["agents"][1]["team"] = "Sur"
MOVE = date(2026, 11, 22)


def at(day, hour=9):
    return int(datetime(2026, 11, day, hour, tzinfo=LIMA).timestamp() * 1000)


@pytest.fixture
def data(tmp_path, ingest):
    """a001 takes calls on the 20th (two) and on the 23rd (one); she moves to Sur on the 22nd."""
    place = DataDir(tmp_path)
    place.site.write_text(json.dumps(DESCRIBED))
    for k, (day, calls) in enumerate([(20, 2), (23, 1)]):
        script = Script(e=7 + k).boot().clock(at(day)).mark("in").login(mark=True).ready()
        for call in range(calls):
            script.call(f"c{day}{call}")
        ingest.take(script.logout().mark("out").messages(), "stream", "server")
    return place


def change(data, code="a001", since=MOVE, **fields):
    with open_directory(data, 1) as book:
        body = book.entry("agents", code).body | fields
        one = Change(kind="agents", code=code, body=body, valid_from=since)
        book.apply([one], by="Ana", reason="prueba", at_ms=2)


def report(data, kind="llamadas", team=None, day=20, span="month", **more):
    scope = Scope(of="team", code=team) if team else Scope()
    return make(data, kind, around(span, date(2026, 11, day)), scope, at(28), **more)


def handled(made):
    its = {row["figure"]: row["value"] for row in rows(made.section("summary"))}
    return its["atenciones"]


def test_a_month_of_a_team_is_its_days_by_who_belonged_to_it_each_day(data):
    """B2: the month said Norte 0 and Sur 3, its days Norte 2 and Sur 1."""
    change(data, team="Sur")
    days = {(team, day): handled(report(data, team=team, day=day, span="day"))
            for team in ("Norte", "Sur") for day in (20, 23)}  # fmt: skip
    assert days == {("Norte", 20): 2, ("Norte", 23): 0, ("Sur", 20): 0, ("Sur", 23): 1}
    for team, sum_of_days in (("Norte", 2), ("Sur", 1)):
        made = report(data, team=team)
        assert handled(made) == sum_of_days
        for key in ("calls_agents", "calls_halves", "calls_days"):
            its = rows(made.section(key))
            assert sum(row["answered"] for row in its) == sum_of_days
        assert {row["team"] for row in rows(made.section("calls_agents"))} == {team}
    assert handled(report(data)) == 3
    (row,) = rows(report(data).section("calls_agents"))
    assert row["team"] == "Norte, Sur"


@pytest.mark.parametrize(
    ("kind", "section", "column"),
    [("asistencia", "marks", "marks"), ("adherencia", "pauses_agents", "seconds"),
     ("consolidado", "summary", None), ("tmo", "load_halves", "logged_s")],
)  # fmt: skip
def test_every_kind_of_a_team_takes_its_days_alone(data, kind, section, column):
    """B2."""
    before = [rows(report(data, kind, "Norte", day, "day").section(section)) for day in (20, 23)]
    change(data, team="Sur")
    after = [rows(report(data, kind, team).section(section)) for team in ("Norte", "Sur")]
    if column is None:
        assert [its[2]["n"] for its in after] == [2, 1]
    else:
        sums = [[sum(row[column] or 0 for row in its) for its in each] for each in (before, after)]
        assert sums[0] == sums[1] and all(sums[0])


def test_a_supervisor_has_the_days_of_her_team_alone(data):
    """B2."""
    change(data, team="Sur")
    norte = Person(id="p", name="P", role="supervisor", teams=frozenset({"Norte"}))
    assert handled(report(data, person=norte)) == 2
    assert handled(report(data, team="Norte", person=norte)) == 2
    with pytest.raises(NotYours):
        report(data, team="Sur", person=norte)


def test_a_call_without_an_hour_is_of_the_teams_that_she_was_of_until_now(data, ingest):
    """She goes over on the 29th; it is the 28th."""
    change(data, team="Sur", since=date(2026, 11, 29))
    script = Script(s="DIA-0123456789ac").boot().login().ready().call("c1")
    ingest.take(script.messages(), "stream", "server")
    lines = [rows(report(data, team=team).section("apart")) for team in ("Norte", "Sur")]
    assert [next(row["count"] for row in its if "sin hora" in row["what"]) for its in lines] == [
        1, 0,
    ]  # fmt: skip


def test_the_directory_tells_team_and_stage_of_each_day(data):
    change(data, since=date(2026, 11, 10), stage="training")
    change(data, since=date(2026, 11, 15), stage="nesting")
    change(data, team="Sur", stage="floor")
    people = people_of.people(data, date(2026, 11, 12), date(2026, 11, 30))
    told = [(one.team, one.stage) for one in (people.on("a001", date(2026, 11, day))
                                             for day in (12, 14, 15, 21, 22, 30))]  # fmt: skip
    assert told == [("Norte", "training")] * 2 + [("Norte", "nesting")] * 2 + [("Sur", "")] * 2
    assert people.spells.keys() == {"a001"} and people.teams_of("a001") == ["Norte", "Sur"]


@pytest.mark.parametrize(
    ("zone", "last", "day", "twice"),
    [
        ("America/Santiago", 22, date(2026, 4, 4), ("23:00 −03", "23:00 −04")),
        ("Europe/Madrid", 1, date(2026, 10, 25), ("02:00 +02", "02:00 +01")),
        ("Australia/Lord_Howe", 1, date(2026, 4, 5), ("01:30 +11", "01:30 +10:30")),
    ],
)
def test_the_hour_that_a_change_of_the_clock_gives_twice_is_two_rows(
    tmp_path, ingest, zone, last, day, twice
):
    """C: on 4 April 2026 in Santiago the row 23:00 had an hour of one agent in a half-hour."""
    there = ZoneInfo(zone)
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(DESCRIBED | {"zone": zone}))
    start = int(datetime(*day.timetuple()[:3], last, 0, tzinfo=there).timestamp() * 1000)
    script = Script().boot().clock(start - 1000).login(1000).ready(0)
    script.u = start + 4 * 3_600_000 - script.offset
    script.add("session.closed", 0, a="a001", reason="agent", by="agent")
    script.presence("ready", "logged_out", "logout", after=0)
    ingest.take(script.messages(), "stream", "server")
    for span in ("day", "month"):
        made = make(data, "tmo", around(span, day), Scope(), start + 86_400_000)
        its = rows(made.section("load_halves"))
        assert {row["logged_s"] for row in its} == {1800}
        names = [row["hour"] for row in its]
        at = names.index(twice[0])
        assert names[at : at + 2] == [*twice]


def test_figures_are_told_with_and_without_new_people_each_at_its_own_target(data):
    """a001 is in nesting on the 20th and on the floor from the 22nd on."""
    change(data, since=date(2026, 11, 15), stage="nesting")
    change(data, stage="floor")
    with open_directory(data, 1) as book:
        wanted = [
            {"metric": "aht_s", "value": 60},
            {"metric": "aht_s", "stage": "nesting", "value": 90},
        ]
        bodies = [KINDS["targets"].read(one) for one in wanted]
        codes = [KINDS["targets"].code(body) for body in bodies]
        assert codes == ["aht_s/", "aht_s//nesting"], "those that were entered before keep theirs"
        book.apply(
            [Change(kind="targets", code=code, body=body)
             for code, body in zip(codes, bodies, strict=True)],
            by="Ana", reason="prueba", at_ms=2,
        )  # fmt: skip
    for team in ("Norte", None):
        made = report(data, "tmo", team)
        section = made.section("aht_stages")
        floor, nesting = section.rows
        at = section.at
        assert [row[0] for row in (floor, nesting)] == ["piso", "nesting"]
        assert [plain(row[at("n")]) for row in (floor, nesting)] == [1, 2]
        assert section.total[at("n")] == 3 and section.total[at("aht_s")] == 70
        for row, missed in ((floor, True), (nesting, False)):
            place = at("aht_s")
            assert section.target(row, place).missed(plain(row[place])) is missed
        assert [plain(row[at("goal_aht_s")]) for row in (floor, nesting)] == [60, 90]
    calls = rows(report(data, "llamadas").section("calls_stages"))
    assert [row["answered"] for row in calls] == [1, 2]
    load = rows(report(data, "tmo").section("load_stages"))
    assert len(load) == 2 and all(row["logged_s"] for row in load)
    assert "adherence_stages" not in {one.key for one in report(data, "adherencia").sections}
    day = report(data, "tmo", day=23, span="day")
    assert "aht_stages" not in {one.key for one in day.sections}, "nobody was new that day"
