"""The rules of a roll-out: who takes a program when, and when it stops."""

import pytest
from diadema.base.errors import UpdateError
from diadema.stations.update.plan import RolloutPlan, StationFacts
from diadema.stations.update.rollout import SILENT_MS, Rollout
from diadema.store.host_rows import Step

MINUTE = 60_000
HOUR = 60 * MINUTE


class Floor:
    """Twenty stations of one board, and what they tell."""

    def __init__(self, count=20, **plan):
        told = {"sha256": "0" * 64, "board": "sim", "version": "2", "stages": ["2", "25%", "all"]}
        self.rollout = Rollout(number=1, plan=RolloutPlan(**told | plan), began_utc=0)
        self.facts = {
            s: StationFacts(s, "sim", "1", True, True) for s in map("{:02}".format, range(count))
        }
        self.now = 0
        self.n = 0

    def change(self, s, **fields):
        self.facts[s] = self.facts[s]._replace(**fields)

    def go(self, ms=0):
        """One look; the stations where it begins."""
        self.now += ms
        self.rollout.step(self.facts, self.now)
        begun = [seat.station for seat in self.rollout.ready(self.facts)]
        for s in begun:
            self.rollout.sending(s, self.now)
        return begun

    def tell(self, s, phase, reason=None, version="2", next=None):
        self.n += 1
        step = Step(
            station=s,
            epoch=1,
            sequence=self.n,
            phase=phase,
            version=version,
            next=next,
            reason=reason,
            detail=None,
            i=None,
            boot=1,
            uptime_ms=0,
            utc=self.now,
        )
        return self.rollout.take(step, self.now)

    def good(self, *stations):
        for s in stations:
            self.tell(s, "verified")
            self.tell(s, "good")
            self.change(s, version="2")


def test_each_stage_begins_when_the_one_before_is_good():
    floor = Floor()
    first = floor.go()
    assert len(first) == 2
    floor.good(first[0])
    assert floor.go() == []
    floor.good(first[1])
    second = floor.go()
    assert len(second) == 3  # 5 of 20 in all
    floor.good(*second)
    assert len(floor.go()) == 15
    floor.good(*floor.facts)
    floor.go()
    assert (floor.rollout.status, floor.rollout.failed) == ("done", [])


def test_a_pulled_plug_is_no_failure_and_the_program_is_offered_again():
    floor = Floor(stages=["1", "all"])
    (first,) = floor.go()
    for _ in range(3):
        floor.tell(first, "verified")
        floor.tell(first, "rolled_back", "power")
        seat = floor.rollout.seats[first]
        assert (seat.phase, seat.reason) == ("waiting", "power")
        assert floor.go() == [first] and floor.rollout.status == "running"
    floor.good(first)
    rest = floor.go()
    assert len(rest) == 19
    for s in rest:  # one of each
        floor.tell(s, "verified")
        floor.tell(s, "rolled_back", "power")
    assert sorted(floor.go()) == sorted(rest)
    floor.good(*rest)
    floor.go()
    assert floor.rollout.status == "done"


def test_a_program_that_takes_the_power_away_each_time_has_failed():
    floor = Floor(stages=["1", "all"])
    (first,) = floor.go()
    for _ in range(4):
        floor.tell(first, "verified")
        floor.tell(first, "rolled_back", "power")
        floor.go()
    assert floor.rollout.status == "stopped"
    assert (floor.rollout.why, floor.rollout.detail) == ("failures", "rolled_back: power")


def test_only_seats_where_nobody_is_logged_in_take_it_and_others_are_chosen_last():
    floor = Floor(4, stages=["2", "all"])
    floor.change("00", idle=False)
    floor.change("01", up=False, idle=False)
    assert floor.go() == ["02", "03"]
    floor.good("02", "03")
    assert floor.go() == []
    assert (floor.rollout.why, floor.rollout.at) == ("busy", "00")
    floor.change("00", idle=True)
    assert floor.go() == ["00"]


def test_it_is_not_for_other_boards_nor_for_who_has_it():
    floor = Floor(3, stages=["all"])
    floor.change("00", board="lyrat_v4_3")
    floor.change("01", version="2")
    assert floor.go() == ["02"]


def test_it_stops_at_the_failures_that_end_it_and_says_which_and_why():
    floor = Floor(stop_after=2)
    one, two = floor.go()
    floor.tell(one, "verified")
    floor.tell(one, "rolled_back", "codec")
    floor.good(two)
    second = floor.go()  # one failure does not end it
    floor.tell(second[0], "refused", "bad_signature")
    assert floor.go() == []
    rollout = floor.rollout
    assert (rollout.status, rollout.why, rollout.at) == ("stopped", "failures", second[0])
    assert {seat.station: seat.reason for seat in rollout.failed} == {
        one: "rolled_back: codec", second[0]: "bad_signature",
    }  # fmt: skip
    with pytest.raises(UpdateError, match="--retry"):
        rollout.resume(floor.now)
    rollout.resume(floor.now, stop_after=3)
    assert floor.go() == [] and rollout.status == "running"
    floor.good(*second[1:])
    assert len(floor.go()) == 15


def test_what_failed_is_tried_again_when_asked():
    floor = Floor(2, stages=["all"])
    floor.go()
    floor.tell("00", "refused", "no_key")
    floor.good("01")
    assert floor.go() == [] and floor.rollout.status == "stopped"
    floor.rollout.resume(floor.now, retry=True)
    assert floor.go() == ["00"]
    floor.good("00")
    floor.go()
    assert floor.rollout.status == "done"


def test_a_seat_that_somebody_took_waits_again():
    floor = Floor(1, stages=["all"])
    assert floor.go() == ["00"]
    floor.tell("00", "refused", "busy")
    floor.change("00", idle=False)
    assert floor.go() == [] and floor.rollout.status == "running"
    floor.change("00", idle=True)
    assert floor.go() == ["00"]


def test_who_does_not_come_back_has_failed():
    floor = Floor(1, stages=["all"])
    floor.go()
    floor.tell("00", "restarting")
    floor.go(SILENT_MS - 1)
    assert floor.rollout.status == "running"
    floor.go(1)
    assert (floor.rollout.why, floor.rollout.detail) == ("failures", "silent")
    floor.good("00")  # late is not never
    assert floor.rollout.failed == []


def test_a_new_fault_or_too_little_quiet_holds_the_next_stage():
    floor = Floor(2, stages=["1", "all"], quiet_ms=5 * MINUTE)
    (first,) = floor.go()
    floor.good(first)
    assert floor.go(4 * MINUTE) == [] and floor.rollout.why == "quiet"
    floor.change(first, fault="codec", fault_utc=floor.now)
    assert floor.go(2 * MINUTE) == []
    assert (floor.rollout.why, floor.rollout.at, floor.rollout.detail) == ("fault", first, "codec")
    floor.change(first, fault=None, fault_utc=None)
    assert len(floor.go()) == 1


def test_who_tells_late_that_it_has_all_is_not_sent_it_again():
    floor = Floor(1, stages=["all"])
    floor.go()
    floor.rollout.wait("00", floor.now)  # it came back, and its journal comes after
    floor.tell("00", "verified")
    assert floor.go() == []
    floor.tell("00", "rolled_back", "codec")
    floor.go()
    assert floor.rollout.detail == "rolled_back: codec"


def test_an_older_end_of_the_same_program_is_none_of_this():
    floor = Floor(1, stages=["all"])
    floor.rollout.step(floor.facts, 0)
    assert floor.tell("00", "rolled_back", "crash") is None
    floor.go()
    assert floor.tell("00", "rolled_back", "crash", version="1") is None


def test_stopped_it_begins_nowhere():
    floor = Floor(1, stages=["all"])
    floor.rollout.step(floor.facts, 0)
    floor.rollout.stop()
    assert floor.go() == []
    floor.rollout.resume(0)
    assert floor.go() == ["00"]


def test_who_left_the_site_is_left_out_and_another_takes_its_place():
    floor = Floor(4, stages=["2", "all"])
    one, two = floor.go()
    there = floor.facts.pop(one)
    floor.good(two)
    (three,) = floor.go()
    assert floor.rollout.seats[one].phase == "gone"
    floor.good(three)
    assert floor.go() == ["03"]
    floor.good("03")
    floor.facts[one] = there  # it is back
    assert floor.go() == [one]
    del floor.facts[one]
    floor.go()
    assert (floor.rollout.status, floor.rollout.seats[one].phase) == ("done", "gone")


def test_a_share_is_one_of_those_that_are_there():
    floor = Floor(8, stages=["25%", "all"])
    one, two = floor.go()
    for s in (one, "04", "05", "06", "07"):
        del floor.facts[s]
    floor.good(two)
    assert sorted(floor.go()) == ["02", "03"]  # 25% of the three is one


def test_who_is_away_for_three_days_ends_it_and_is_left_for_the_last_stage():
    floor = Floor(5, stages=["2", "3", "all"])
    one, two = floor.go()
    floor.good(two)
    floor.rollout.wait(one, floor.now)
    floor.change(one, up=False, idle=False)
    floor.go()
    assert (floor.rollout.why, floor.rollout.at) == ("away", one)
    floor.go(60 * HOUR)
    floor.change(one, up=True)
    floor.go()
    assert floor.rollout.why == "busy"
    floor.change(one, up=False)
    floor.go(1)  # anew
    floor.go(72 * HOUR - 1)
    assert floor.rollout.status == "running"
    floor.go(1)
    rollout = floor.rollout
    assert (rollout.status, rollout.why, rollout.at) == ("stopped", "away", one)
    rollout.resume(floor.now)
    (three,) = floor.go()  # so that two have it after this stage
    floor.change(one, up=True, idle=True)
    floor.good(three)
    (four,) = floor.go()
    floor.good(four)
    assert set(floor.go()) == {one, "04"}
    floor.good(one, "04")
    floor.go()
    assert rollout.status == "done"


def test_who_is_away_in_the_last_stage_is_waited_for_anew():
    floor = Floor(1, stages=["all"])
    floor.change("00", up=False, idle=False)
    floor.go()
    floor.go()
    floor.go(72 * HOUR)
    assert (floor.rollout.status, floor.rollout.why) == ("stopped", "away")
    floor.rollout.resume(floor.now + HOUR)
    floor.go(HOUR)
    floor.go(72 * HOUR - 1)
    assert (floor.rollout.status, floor.rollout.why) == ("running", "away")


def test_it_waits_a_week_for_where_somebody_works():
    floor = Floor(1, stages=["all"])
    floor.change("00", idle=False)
    floor.go()
    floor.go()
    floor.go(168 * HOUR - 1)
    assert (floor.rollout.status, floor.rollout.why) == ("running", "busy")
    floor.go(1)
    assert (floor.rollout.status, floor.rollout.why) == ("stopped", "busy")


def test_a_fault_that_stays_ends_it_and_is_no_more_asked_about():
    floor = Floor(2, stages=["1", "all"])
    (first,) = floor.go()
    floor.good(first)
    floor.change(first, fault="codec", fault_utc=floor.now + 1)
    floor.go(1)
    floor.go(HOUR - 1)
    assert (floor.rollout.status, floor.rollout.why) == ("running", "fault")
    floor.go(1)
    rollout = floor.rollout
    assert (rollout.status, rollout.why, rollout.at) == ("stopped", "fault", first)
    assert rollout.detail == "codec"
    rollout.resume(floor.now)
    assert len(floor.go()) == 1


@pytest.mark.parametrize("stages", [[], ["0"], ["x"], ["-1"], ["25 %"], ["2", ""]])
def test_a_stage_that_is_none_is_refused(stages):
    with pytest.raises(ValueError, match="stage"):
        RolloutPlan(sha256="0" * 64, board="sim", version="2", stages=stages)


def test_who_needs_another_image_is_passed_over_and_that_is_no_failure():
    floor = Floor(4, stages=["2", "all"])
    floor.change("00", needs_image="old_image")
    floor.change("01", needs_image="no_psram", psram=0, up=False, idle=False)
    assert floor.go() == ["02", "03"]
    seats = floor.rollout.seats
    assert [(seats[s].phase, seats[s].reason) for s in ("00", "01")] == [
        ("passed", "old_image"), ("passed", "no_psram"),
    ]  # fmt: skip
    floor.good("02", "03")
    floor.go()
    assert (floor.rollout.status, floor.rollout.failed) == ("done", [])


def test_who_got_the_right_image_meanwhile_takes_it_in_the_last_stage():
    floor = Floor(4, stages=["1", "2", "all"])
    floor.change("00", needs_image="old_image")
    assert floor.go() == ["01"]
    floor.change("00", needs_image=None, psram=4_000_000)
    assert floor.go() == []
    floor.good("01")
    assert floor.go() == ["02"]
    floor.good("02")
    assert floor.go() == ["00", "03"]


def test_who_comes_to_need_another_holds_no_stage():
    floor = Floor(2, stages=["all"])
    floor.change("00", idle=False, psram=4_000_000)
    assert floor.go() == ["01"]
    floor.good("01")
    assert floor.go() == [] and floor.rollout.why == "busy"
    floor.change("00", needs_image="no_psram", psram=0, up=False)
    floor.go()
    assert (floor.rollout.status, floor.rollout.failed) == ("done", [])


@pytest.mark.parametrize("psram", [None, 0])
def test_who_finds_no_psram_in_its_trial_is_not_tried_again(psram):
    """Its own program before may say nothing of PSRAM."""
    floor = Floor(2, stages=["1", "all"])
    assert floor.go() == ["00"]
    floor.tell("00", "verified")
    floor.tell("00", "rolled_back", "no_psram")
    floor.change("00", psram=psram)
    assert floor.go() == ["01"] and floor.rollout.seats["00"].phase == "passed"
    assert floor.go() == [] and floor.rollout.failed == []
    floor.good("01")
    floor.go()
    assert floor.rollout.status == "done"


def test_a_micropython_of_another_build_is_for_nobody_who_runs_this_one():
    floor = Floor(3, stages=["all"], what="micropython", build="ESP32_GENERIC-OTA")
    floor.change("00", build="ESP32_GENERIC-SPIRAM", psram=4_000_000)
    floor.change("01", build="ESP32_GENERIC-OTA", micropython="2")
    floor.change("02", build="ESP32_GENERIC-SPIRAM", micropython="2", psram=4_000_000)
    assert floor.go() == []
    seats = floor.rollout.seats
    assert {s: (seat.phase, seat.reason) for s, seat in seats.items()} == {
        s: ("passed", "other_build: ESP32_GENERIC-SPIRAM") for s in ("00", "02")
    }
