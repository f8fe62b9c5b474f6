"""Calls opened to human resources: who opens one, of what and for how long; who hears it then, and
that nobody does afterwards.
"""

import pytest
from diadema.access.roles import Person
from diadema.hub.own_journal import Refused
from diadema.hub.recording_cases import LONGEST_MS
from diadema.recordings import decoding
from diadema.recordings.calls import held
from diadema.store.quality import cases

from tests.host.test_recording_desk import Stage
from tests.support.recorded_calls import NOW
from tests.support.scripted_station import T0

DAY_MS = 86_400_000


class Opening(Stage):
    def open(self, by="luz", **more):
        given = {"call": self.call, "number": "RH-12", "reason": "queja", "until": NOW + DAY_MS}
        return self.ask("case_opened", by, **given | more)["of"]

    def shut(self, of, by="luz", reason="se resolvió"):
        return self.ask("case_closed", by, of=of, reason=reason)

    def cases(self):
        with self.reader.engine.connect() as tx:
            return cases(tx)

    def evaluated(self, release=True, agent="a001", **more):
        call = self.call if agent == "a001" else self.other
        of = self.monitor.assigned(call, agent, due=NOW + 1000)
        submitted = self.monitor.submitted(of, call, agent, **more)
        if release:
            self.monitor.released(submitted)
        return submitted


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Of a machine that does much else."""
    monkeypatch.setattr(decoding, "_WALL_S", 300)


@pytest.fixture
def stage(tmp_path):
    with Opening(tmp_path).running() as running:
        running.inform()
        running.scan()
        running.accounts["hugo"] = Person(id="hugo", name="hugo", role="hr")
        running.accounts["otra"] = Person(
            id="otra", name="otra", role="quality_lead", teams=frozenset({"W"})
        )
        yield running


def why(stage, what, *given, **more):
    with pytest.raises(Refused) as refused:
        what(*given, **more)
    assert not stage.said("listening.started")
    return refused.value.error


def test_the_lead_opens_one_call_and_closes_it(stage):
    of = stage.open()
    (said,) = stage.said("case.opened")
    assert (said["by"], said["a"], said["call"]) == ("luz", "a001", [*stage.call])
    assert (said["number"], said["reason"], said["until"]) == ("RH-12", "queja", NOW + DAY_MS)
    assert len(said["case"]) == 12 and "of" not in said
    stage.shut(of)
    (one,) = stage.cases()
    assert one.closed.reason == "se resolvió" and not one.is_open(NOW)


def test_with_its_evaluation_once_that_is_released(stage):
    waiting = stage.evaluated(release=False)
    assert why(stage, stage.open, of=waiting) == "not_released"
    stage.monitor.released(waiting)
    stage.open(of=waiting)
    assert [one.evaluation for one in stage.cases()] == [waiting]
    others = stage.evaluated(agent="a002", evaluation="0" * 12)
    assert why(stage, stage.open, of=others, number="RH-13") == "not_released", "of another call"
    gone = stage.evaluated(evaluation="1" * 12)
    stage.monitor.step("annulled", gone, reason="no era")
    assert why(stage, stage.open, of=gone, number="RH-13") == "not_released"
    stage.open(call=stage.other, of=others)
    assert stage.begin("hugo", "case", call=stage.other)["error"] == "no_recording"


@pytest.mark.parametrize("by", ["elena", "ana", "ada", "hugo", "nobody"])
def test_nobody_else_opens_or_closes_any(stage, by):
    assert why(stage, stage.open, by) == "not_yours"
    of = stage.open()
    assert why(stage, stage.shut, of, by) == "not_yours"
    assert stage.cases()[0].closed is None


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"call": ("DIA-0123456789ab", 7, 1)}, "no_call"),
        ({"number": "  "}, "no_number"),
        ({"reason": " "}, "no_reason"),
        ({"until": NOW}, "bad_until"),
        ({"until": NOW + LONGEST_MS + 1}, "bad_until"),
        ({"of": ("HUB-other", 1, 1)}, "not_released"),
        ({"by": "otra"}, "other_team"),
    ],
)
def test_what_is_not_as_it_has_to_be_is_refused(stage, more, error):
    assert why(stage, stage.open, **more) == error
    assert stage.cases() == []
    stage.open(until=NOW + LONGEST_MS)


def test_without_a_recording_and_an_evaluation_there_is_nothing_to_open(stage):
    assert why(stage, stage.open, call=stage.other) == "nothing_to_open"


def test_by_one_number_a_call_is_open_once(stage):
    of = stage.open(number=" RH-12 ")
    assert why(stage, stage.open) == "open_already"
    stage.open(number="RH-13")
    stage.shut(of)
    stage.open()
    stage.clock.now += DAY_MS
    stage.open(until=NOW + 2 * DAY_MS)
    assert [one.opened.number for one in stage.cases()] == ["RH-12", "RH-13", "RH-12", "RH-12"]


def test_only_what_is_open_is_closed_and_why_is_said(stage):
    of = stage.open()
    assert why(stage, stage.shut, ("HUB-main", 1, 999)) == "no_such_case"
    assert why(stage, stage.shut, of, reason="  ") == "no_reason"
    assert why(stage, stage.shut, of, "otra") == "other_team"
    stage.shut(of)
    assert why(stage, stage.shut, of) == "case_over"
    late = stage.open()
    stage.clock.now += DAY_MS
    assert why(stage, stage.shut, late) == "case_over"


def test_who_evaluates_it_blindly_does_not_learn_whose_it_is(stage):
    stage.accounts["sol"] = Person(id="sol", name="sol", role="quality_lead")
    of = stage.assigned(to="luz")
    assert why(stage, stage.open) == "no_call"
    opened = stage.open("sol")
    assert why(stage, stage.shut, opened) == "no_call"
    stage.monitor.submitted(of, stage.call)
    stage.shut(opened)


def test_human_resources_hears_it_while_it_is_open_and_nothing_else(stage):
    def begin(call=stage.call, purpose="case", by="hugo"):
        answer = stage.begin(by, purpose, call=call)
        if "listening" not in answer:
            return answer["error"]
        stage.ask("hearing_ended", by, **answer, heard_ms=1, cause="closed")
        return ""

    assert begin() == "no_case"
    of = stage.open()
    assert begin() == ""
    assert (begin(stage.other), begin(purpose="coaching")) == ("no_case", "purpose")
    assert [begin(by=one) for one in ("luz", "elena", "ada")] == ["purpose", "purpose", "no_right"]
    assert stage.begin("hugo", "case", of=stage.assigned())["error"] == "not_assigned"
    stage.shut(of)
    assert begin() == "no_case"
    stage.open()
    stage.clock.now += DAY_MS
    assert begin() == "no_case"
    (started,) = stage.said("listening.started")
    assert (started["by"], started["purpose"], started["a"]) == ("hugo", "case", "a001")


@pytest.mark.parametrize("over", ["closed", "ended", "disabled"])
def test_what_is_heard_ends_when_the_case_does(stage, over):
    of = stage.open()
    answer = stage.begin("hugo", "case", call=stage.call)
    assert stage.ask("hearing_continued", "hugo", **answer, heard_ms=1000) == {}
    if over == "closed":
        stage.shut(of)
    elif over == "ended":
        stage.clock.now += DAY_MS
    else:
        del stage.accounts["hugo"]
    reason = "no_account" if over == "disabled" else "no_case"
    assert stage.ask("hearing_continued", "hugo", **answer, heard_ms=2000)["error"] == reason
    (ended,) = stage.said("listening.ended")
    assert (ended["heard_ms"], ended["cause"]) == (2000, reason)


def test_an_open_case_holds_its_recording(stage):
    stage.people.retention = {"": 1}
    of = stage.open()
    stage.clock.now = T0 + DAY_MS + 60_000
    assert stage.clock.now < NOW + DAY_MS

    def held_now():
        with stage.reader.engine.connect() as tx:
            return held(tx, stage.clock.now)

    assert held_now() == {stage.call}
    assert "listening" in stage.begin("hugo", "case", call=stage.call)
    assert "listening" in stage.begin("elena", "coaching", call=stage.call)
    stage.shut(of)
    assert held_now() == set()
    assert stage.begin("elena", "coaching", call=stage.call)["error"] == "expired"
