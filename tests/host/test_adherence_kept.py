"""What is kept of adherence's days is what the raw events and the roster say now."""

import json
from datetime import timedelta
from itertools import pairwise

import pytest
from diadema.figures import adherence_days
from diadema.figures.shifts import presence

from tests.host.test_report_adherence import DAY, DESCRIBED, Desk, at, fault, figures
from tests.host.test_report_adherence import place as place
from tests.support.sections import rows

NEXT = DAY + timedelta(days=1)
LATE = at(23, day=NEXT) + 86_400
PAUSE = [(at(12), at(13), "refrigerio")]


@pytest.fixture
def told(place):
    """Two shifts that are over, one of them a night, as they were told."""
    place.plan(1, at(8), at(16), PAUSE)
    place.plan(2, at(22), at(6, day=NEXT))
    day = Desk(1, at(8)).until(at(9)).pause("break").until(at(9, 30)).ready()
    day.until(at(12)).pause("sshh").until(at(13)).ready().until(at(15)).logout()
    night = Desk(2, at(22)).until(at(5, day=NEXT)).logout()
    place.take(day, night)
    place.was = week(place)
    return place


def week(place, now=LATE):
    report = place.report(span="week", now=now)
    return [[section.key, rows(section)] for section in report.sections]


def made_anew(place, now=LATE):
    """Without anything that was kept."""
    for name in ("", "-wal", "-shm"):
        place.data.rollups.with_name(place.data.rollups.name + name).unlink(missing_ok=True)
    return week(place, now)


def test_what_is_kept_is_not_worked_out_again(told, monkeypatch):
    asked = []

    def look(*given):
        asked.append(given)
        return presence(*given)

    monkeypatch.setattr(adherence_days, "presence", look)
    assert week(told) == told.was
    assert not asked


def _roster(place):
    place.plan(1, at(9), at(16), PAUSE)


def _pauses(place):
    place.plan(1, at(8), at(16), [(at(9), at(9, 30), "break")])


def _another_shift_near(place):
    place.plan(2, at(4, day=NEXT), at(5, day=NEXT), day=NEXT)


def _no_shift(place):
    place.off(1, DAY)


def _excused(place):
    place.say(1, a="a001", reason="cita médica", time=at(15, 30) * 1000)


def _reason(**change):
    def apply(place):
        reasons = [
            one | (change if one["code"] == "break" else {}) for one in DESCRIBED["reasons"]
        ]
        place.data.site.write_text(json.dumps(DESCRIBED | {"reasons": reasons}))

    return apply


def _late_session(place):
    place.take(Desk(1, at(15, 10), seat=3).until(at(15, 40)).logout())


def _late_hours_of_the_next_day(place):
    """They belong to the night before, as they are nearest to it."""
    place.take(Desk(2, at(5, 20, day=NEXT), seat=3).until(at(5, 50, day=NEXT)).logout())


def _late_fault(place):
    desk = Desk(3, at(8)).until(at(10))
    of = fault(desk, area="audio", part="diadema")
    desk.pause("fault", by="system").until(at(12)).ready()
    place.take(desk.until(at(13)).logout())
    place.reported = desk, of


@pytest.mark.parametrize(
    "change",
    [
        _roster, _pauses, _another_shift_near, _no_shift, _excused,
        _reason(private=True, limit_s=0), _reason(productive=True), _reason(limit_s=60),
        _reason(paid=False), _late_session, _late_hours_of_the_next_day, _late_fault,
    ],
)  # fmt: skip
def test_a_change_of_what_it_is_made_of_is_seen(told, change):
    change(told)
    now = week(told)
    assert now != told.was
    assert now == made_anew(told)


def test_another_name_for_a_kept_cause_is_seen(told):
    _late_fault(told)
    before = week(told)
    desk, of = told.reported
    at_n = desk.script.n
    desk.script.add("fault.resolved", 0, a="a003", of=of, i=5, by="Teo", cause="cable")
    told.ingest.take(desk.script.messages(at_n + 1), "stream", "server")
    now = week(told)
    assert now != before
    assert now == made_anew(told)


def test_what_goes_on_is_followed_by_the_clock_and_kept_when_it_is_over(place):
    """A shift, and a session in it, of which more is heard between two looks."""
    place.plan(1, at(8), at(16), PAUSE)
    desk = Desk(1, at(8)).until(at(9)).pause("break").until(at(9, 30)).ready()
    desk.until(at(10)).call("c1", 60_000)
    place.take(desk)
    heard = desk.script.n
    seen = []
    for now in (at(11), at(14), LATE):
        seen.append(week(place, now))
        assert seen[-1] == made_anew(place, now)
    desk.until(at(15)).logout()
    place.ingest.take(desk.script.messages(heard + 1), "stream", "server")
    seen.append(week(place))
    assert seen[-1] == made_anew(place)
    assert all(one != other for one, other in pairwise(seen))


def test_a_session_goes_on_by_the_clock_while_its_station_is_heard(place):
    """No shift says that there is more to come."""
    desk = Desk(1, at(8)).until(at(9)).pause("break")
    place.take(desk)
    place.ingest.take([desk.script.hello_message(links=["wifi"])], "stream", "server")
    seen = [week(place, now) for now in (at(11), at(14))]
    assert seen[0] != seen[1] == made_anew(place, at(14))


def test_a_night_without_power_is_hers_when_the_station_is_back(place):
    """Kept before midnight, when nobody knew that the session would go on."""
    place.plan(1, at(14), at(22))
    desk = Desk(1, at(14)).until(at(21))
    desk.pause("break").until(at(21, 10)).ready().until(at(21, 20)).call("c1", 60_000)
    place.take(desk)
    heard = desk.script.n
    before = week(place, at(8, day=NEXT))
    desk.script.boot("power_on")
    place.ingest.take(desk.script.messages(heard + 1), "stream", "server")
    heard = desk.script.n
    week(place, at(8, 30, day=NEXT))
    desk.script.add("session.resumed", 5, a="a001")
    desk.script.clock(at(9, day=NEXT) * 1000, i=2)
    desk.script.presence("logged_out", "ready", "resumed", by="system", after=1000)
    place.ingest.take(desk.script.messages(heard + 1), "stream", "server")
    now = week(place, at(10, day=NEXT))
    assert now == made_anew(place, at(10, day=NEXT))
    assert now != before


def test_a_day_of_the_month_is_the_day_itself(told):
    """The same cells, whatever span was asked for."""
    of_day = figures(told.report(now=LATE))
    for name in ("", "-wal", "-shm"):
        told.data.rollups.with_name(told.data.rollups.name + name).unlink(missing_ok=True)
    assert figures(told.report(now=LATE)) == of_day
