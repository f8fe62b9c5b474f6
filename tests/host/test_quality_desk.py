"""The hub's desk of quality: what is committed to and drawn by the clock, once and whatever comes
between, and who gets which call.
"""

import hashlib
import json

import pytest
from diadema.base.errors import DiademaError
from diadema.hub import quality_draws
from diadema.hub.own_journal import Refused
from diadema.hub.quality_draws import LATE_EVERY_MS, RULE
from diadema.quality.commitments import secret_path
from diadema.quality.kept_draws import frame_rows, stored_draw
from diadema.quality.sampling import draw
from diadema.store.quality import call_of
from diadema.words import LANGUAGES

from tests.support.informed import LEAD
from tests.support.quality_room import FORM, MONDAY, PLAN, QualityRoom, at, key, q

DAY = 86_400_000
WEEK = 7 * DAY
DRAWN_AT = at("2026-11-23 03:00")


@pytest.fixture
def made(tmp_path):
    rooms = []

    def make(**more):
        rooms.append(QualityRoom(tmp_path / str(len(rooms)), **more))
        return rooms[-1]

    yield make
    for room in rooms:
        room.end()


def worked(room, calls=5, agents=None, moment=MONDAY + DAY + 9 * 3_600_000):
    for n in agents or room.agents:
        room.agents[n].work(moment + n * 1000, calls)
    return room


def refusal(ask, *args, **fields):
    """The word, and the sentence in both languages."""
    with pytest.raises(DiademaError) as found:
        ask(*args, **fields)
    for language in LANGUAGES:
        assert found.value.say(language)[0].islower() or found.value.say(language)[0] in "«“2"
    sentence = found.value.args[0]
    return sentence.name.removeprefix("errors.quality.")


# -- the commitment


def test_a_period_is_committed_to_when_it_begins_and_only_the_hash_is_told(made):
    room = made()
    assert room.settle() == 1
    (found,) = room.draws()
    step = found.planned
    assert (step.plan, step.version, step.by) == (PLAN, 1, RULE)
    assert (step.start_utc, step.end_utc, step.utc) == (MONDAY, MONDAY + WEEK, MONDAY)
    assert found.drawn is None and room.settle() == 0
    room.go_to(DRAWN_AT)
    (found, running) = room.draws()
    secret = bytes.fromhex(found.drawn.secret)
    assert hashlib.sha256(secret).hexdigest() == step.commitment
    assert running.planned.start_utc == MONDAY + WEEK
    assert running.planned.commitment != step.commitment


def test_a_hub_that_starts_later_and_a_plan_that_is_new_take_only_calls_begun_after(made):
    room = made(plan=None)
    worked(room, 3, [1])
    assert room.settle() == 0
    room.clock.now = MONDAY + 2 * DAY
    room.put_plan()
    assert room.settle() == 1
    worked(room, 1, [2], MONDAY + 2 * DAY + 1000)
    room.go_to(DRAWN_AT)
    (found,) = [one for one in room.draws() if one.drawn]
    assert (found.planned.start_utc, found.planned.utc) == (MONDAY, MONDAY + 2 * DAY)
    assert (found.drawn.frame, found.drawn.chosen) == (1, 1)


def test_a_plan_that_is_changed_in_its_period_is_drawn_as_it_was_committed_to(made):
    room = made()
    room.settle()
    worked(room)
    room.put_plan(per_agent=1, monitors=["noe"])
    room.go_to(DRAWN_AT)
    (found,) = [one for one in room.draws() if one.drawn]
    assert (found.planned.version, found.drawn.chosen) == (1, 6)
    assert {one.assignment.assignee for one in room.assigned()} == {"noe"}, "who does it, as now"
    second = room.draws()[1]
    assert (second.planned.version, second.drawn) == (2, None)


def test_a_secret_that_is_lost_is_never_made_again_and_nothing_is_drawn(made):
    room = made()
    room.settle()
    worked(room)
    secret_path(room.data, PLAN, "2026-W47").unlink()
    room.restart()
    room.settle()
    (state,) = room.overview()
    assert state.periods[0].state == "no_secret"
    room.go_to(DRAWN_AT)
    assert [one.drawn for one in room.draws()] == [None, None]
    assert not secret_path(room.data, PLAN, "2026-W47").exists()
    assert refusal(room.draw) == "secret_lost"
    room.act("sample_annulled", of=key(room.draws()[0].planned), reason="se perdió el secreto")
    assert room.overview()[0].periods[-1].state == "annulled"
    assert refusal(room.draw) == "sample_annulled"


# -- the draw


def test_the_hub_draws_by_itself_at_three_once(made):
    room = made()
    room.settle()
    worked(room)
    room.go_to(DRAWN_AT - 1000)
    assert all(one.drawn is None for one in room.draws())
    room.go_to(DRAWN_AT)
    (found,) = [one for one in room.draws() if one.drawn]
    step = found.drawn
    assert (step.by, step.frame, step.chosen, step.strata) == (RULE, 15, 6, 3)
    assert step.of_n == found.planned.sequence
    rows = [*frame_rows(room.data, step.draw)]
    assert hashlib.sha256(b"".join(row + b"\n" for row in rows)).hexdigest() == step.frame_hash
    kept = stored_draw(room.data, step.draw)
    expected = draw(kept.sample.plan, rows, bytes.fromhex(step.secret))
    its = {call.key for of in expected.strata for call in of.calls}
    assigned = room.assigned()
    assert {call_of(one.assignment) for one in assigned} == its
    assert {one.assignment.assignee for one in assigned} == {"noe", "eva"}
    row = assigned[0].assignment
    assert (row.form, row.version, row.pool, row.second) == (FORM, 1, 5, False)
    assert row.due_utc == at("2026-11-28")
    assert room.go_to(DRAWN_AT + DAY) == 0
    room.restart()
    assert room.settle() == 0


def test_a_hub_that_was_away_draws_as_soon_as_it_runs(made):
    room = made()
    room.settle()
    worked(room)
    room.end()
    room.clock.now = DRAWN_AT + 2 * DAY
    room.begin()
    room.settle()
    (found,) = [one for one in room.draws() if one.drawn]
    assert found.drawn.utc == DRAWN_AT + 2 * DAY


@pytest.mark.parametrize("after", range(4))
def test_a_hub_that_is_killed_between_two_batches_goes_on_and_says_nothing_twice(
    made, monkeypatch, after
):
    monkeypatch.setattr(quality_draws, "AT_ONCE", 2)
    room = made()
    room.settle()
    worked(room)
    room.clock.now = DRAWN_AT
    planned = room.step()  # of the next period
    assert b"sample.planned" in planned.messages[0].data
    for _ in range(after):
        assert room.step() is not None
    room.restart()
    room.settle()
    (found,) = [one for one in room.draws() if one.drawn]
    calls = [call_of(one.assignment) for one in room.assigned()]
    assert len(calls) == len({*calls}) == found.drawn.chosen == 6
    kept = stored_draw(room.data, found.drawn.draw)
    assert calls == [one.key for one in kept.calls]


def test_a_draw_that_was_kept_and_not_said_yet_is_the_one_that_is_said(made):
    room = made()
    room.settle()
    worked(room)
    room.clock.now = DRAWN_AT
    room.step()
    room.desk.look()  # begins it
    room.desk.draws.wait(60)
    room.restart()
    (path,) = room.data.samples.glob("*.json")
    before = path.read_bytes()
    worked(room, 5, moment=DRAWN_AT + 1000)
    room.clock.now = DRAWN_AT + DAY
    room.settle()
    (found,) = [one for one in room.draws() if one.drawn]
    assert (found.drawn.utc, found.drawn.cut_utc) == (DRAWN_AT + DAY, DRAWN_AT)
    assert path.read_bytes() == before and len(room.assigned()) == 6


def test_an_empty_frame_is_a_draw_by_the_clock_and_an_error_by_hand(made):
    room = made()
    room.settle()
    room.clock.now = MONDAY + WEEK + 1000
    room.settle()
    asked = {"plan": PLAN, "period": "2026-W47"}
    room.act("sample_drawn", **asked)
    room.desk.draws.wait(60)
    assert refusal(room.act, "sample_drawn", **asked) == "frame_empty"
    assert all(one.drawn is None for one in room.draws())
    room.go_to(DRAWN_AT)
    (found,) = [one for one in room.draws() if one.drawn]
    assert (found.drawn.frame, found.drawn.chosen) == (0, 0)
    assert found.drawn.frame_hash == hashlib.sha256(b"").hexdigest()
    assert room.go_to(DRAWN_AT + 1000) == 0
    assert refusal(room.draw) == "drawn_before"


def test_by_hand_one_is_told_whether_it_can_be_drawn(made):
    room = made()
    room.settle()
    worked(room)
    assert refusal(room.draw) == "period_open"
    assert refusal(room.draw, plan="otro") == "no_plan"
    assert refusal(room.draw, "2026-W40") == "not_committed"
    assert refusal(room.draw, "2026-11-16") == "not_committed", "it is a week's plan"
    assert refusal(room.draw, "2026-W60") == "no_period"
    room.go_to(MONDAY + WEEK + 1000)
    assert refusal(room.draw, late=True) == "no_first"
    answer = room.draw()
    (found,) = [one for one in room.draws() if one.drawn]
    assert (found.drawn.draw, found.drawn.by) == (answer["draw"], LEAD)
    assert refusal(room.draw) == "drawn_before"
    assert room.go_to(DRAWN_AT) == 0, "nor does the clock draw it again"


def test_two_draws_at_once_are_one(made):
    room = made()
    room.settle()
    worked(room)
    room.go_to(MONDAY + WEEK + 1000)
    asked = {"plan": PLAN, "period": "2026-W47"}
    first = room.act("sample_drawn", **asked)
    assert room.act("sample_drawn", **asked) == first, "whoever asks again hears how it goes"
    assert refusal(room.act, "sample_drawn", by="ana", **asked) == "sample_drawing"
    room.settle()
    assert len([one for one in room.draws() if one.drawn]) == 1
    assert refusal(room.act, "sample_drawn", by="ana", **asked) == "drawn_before"


def test_monitors_who_are_all_barred_are_told_and_the_draw_waits_for_another(made):
    room = made(agents=1, plan={"monitors": ["noe"]})
    room.put("conflicts", account="noe", agent="a001")
    room.settle()
    worked(room)
    room.clock.now = MONDAY + WEEK + 1000
    room.settle()
    room.act("sample_drawn", plan=PLAN, period="2026-W47")
    room.desk.draws.wait(60)
    assert refusal(room.act, "sample_drawn", plan=PLAN, period="2026-W47") == "all_barred"
    room.go_to(DRAWN_AT)
    assert all(one.drawn is None for one in room.draws())
    room.put_plan(monitors=["noe", "eva"])
    room.restart()
    room.settle()
    assert {one.assignment.assignee for one in room.assigned()} == {"eva"}


def test_a_form_that_is_not_published_is_told_and_waited_for(made):
    room = made(agents=1, plan=None)
    room.put("scorecards", code="nueva", name="Nueva")
    room.put_plan(scorecard="nueva")
    room.settle()
    worked(room)
    room.go_to(MONDAY + WEEK + 1000)
    room.act("sample_drawn", plan=PLAN, period="2026-W47")
    room.desk.draws.wait(60)
    assert refusal(room.act, "sample_drawn", plan=PLAN, period="2026-W47") == "unpublished"


def test_disabled_accounts_and_other_roles_get_nothing(made):
    room = made(plan={"monitors": ["noe", "eva", "ana", "nadie"]})
    room.account("ana", "Ana Ríos", "supervisor", teams=["Tarde"])
    room.disable("noe")
    room.settle()
    worked(room)
    room.go_to(DRAWN_AT)
    assert {one.assignment.assignee for one in room.assigned()} == {"eva"}


def test_some_are_seen_twice_by_the_coordinator_where_there_is_one_monitor(made):
    room = made(plan={"monitors": ["noe"], "twice_share": 100})
    room.settle()
    worked(room)
    room.go_to(DRAWN_AT)
    seen = room.seen()
    assert len(seen) == 6
    for one in seen:
        assert (one.first.assignment.assignee, one.second.assignment.assignee) == ("noe", LEAD)
        assert (one.first.assignment.second, one.second.assignment.second) == (False, True)


# -- what is left out


def test_what_nobody_may_hear_or_judge_is_counted_by_its_reason(made):
    room = made()
    room.put("sample_exclusions", agent="a002", why="leave")
    room.settle()
    worked(room, 2)
    room.data.recordings.write_text("{}")
    monitored = room.agents[1].script
    with room.reader.engine.connect() as tx:
        calls = tx.exec_driver_sql("SELECT s, e, n, a FROM contacts ORDER BY n").fetchall()
    mine = [tuple(one[:3]) for one in calls if one[3] == monitored.agent]
    say(room, "recording.linked", a="a001", call=mine[0], how="pbx", hash="0e" * 32, ms=60_000,
        rate=8000, channels=1, format="gsm", pauses="none")  # fmt: skip
    say(room, "recording.linked", a="a001", call=mine[1], how="pbx", hash="0e" * 32, ms=60_000,
        rate=8000, channels=1, format="gsm", pauses="none")  # fmt: skip
    say(room, "recording.missing", a="a001", call=mine[1], reason="gone")
    theirs = [tuple(one[:3]) for one in calls if one[3] == "a002"]
    say(room, "recording.linked", a="a002", call=theirs[0], how="pbx", hash="0e" * 32, ms=60_000,
        rate=8000, channels=1, format="gsm", pauses="none")  # fmt: skip
    room.go_to(DRAWN_AT)
    (found,) = [one for one in room.draws() if one.drawn]
    assert (found.drawn.frame, found.drawn.chosen) == (1, 1)
    its = {why: count for why, count in found.excluded.items() if count}
    assert its == {"no_recording": 4, "agent_excluded": 1}


def test_an_agent_who_was_not_informed_is_in_no_frame(made):
    room = made(agents=2)
    with room.writer.transaction() as tx:
        tx.exec_driver_sql("DELETE FROM signatures WHERE a = 'a002'")
    room.settle()
    worked(room, 2)
    room.go_to(DRAWN_AT)
    (found,) = [one for one in room.draws() if one.drawn]
    assert (found.drawn.frame, found.excluded["no_notice"]) == (2, 2)


def test_a_call_is_drawn_once_by_two_plans_over_the_same_calls(made):
    room = made(agents=1)
    room.put_plan("otro")
    room.settle()
    worked(room, 3)
    room.go_to(DRAWN_AT)
    calls = [call_of(one.assignment) for one in room.assigned()]
    assert len(calls) == len({*calls}) == 3
    states = room.overview()
    assert [(one.code, one.beside) for one in states] == [("otro", [PLAN]), (PLAN, ["otro"])]
    excluded = sorted(one.excluded["drawn"] for one in room.draws() if one.drawn)
    assert excluded == [0, 2]


def say(room, kind, **fields):
    """Another rule of the hub says it."""
    from diadema.hub.own_journal import OwnJournal, SupervisorAction

    journal = OwnJournal(room.ingest, room.commands)
    journal.record([SupervisorAction([(kind, {"by": "rule:recordings"} | fields)])])


# -- what comes later


def test_contacts_that_come_later_are_counted_and_drawn_once_for_themselves(made):
    room = made()
    room.settle()
    worked(room, 5, [1, 2])
    room.go_to(DRAWN_AT)
    before = {call_of(one.assignment) for one in room.assigned()}
    room.agents[3].work(MONDAY + 2 * DAY, 4)  # its station was away all week
    room.go_to(DRAWN_AT + LATE_EVERY_MS)
    state = room.overview()[0].periods[-1]
    assert (state.period.word, state.drawn.arrived, state.supplement) == ("2026-W47", 4, None)
    room.draw(late=True)
    state = room.overview()[0].periods[-1]
    assert state.supplement.late and state.supplement.chosen == 2
    assert state.supplement.draw.drawn.frame == 4
    later = {call_of(one.assignment) for one in room.assigned()} - before
    assert len(later) == 2 and {one[0] for one in later} == {room.agents[3].script.s}
    assert refusal(room.draw, late=True) == "drawn_before"


def test_without_later_contacts_there_is_nothing_to_draw(made):
    room = made()
    room.settle()
    worked(room)
    room.go_to(DRAWN_AT)
    room.act("sample_drawn", plan=PLAN, period="2026-W47", late=True)
    room.desk.draws.wait(60)
    asked = {"plan": PLAN, "period": "2026-W47", "late": True}
    assert refusal(room.act, "sample_drawn", **asked) == "no_late"


# -- annulled, replaced, assigned by a rule


def test_a_draw_is_annulled_with_a_reason_and_stays_with_its_secret(made):
    room = made()
    room.settle()
    worked(room)
    room.go_to(DRAWN_AT)
    found = room.draws()[0]
    assert refusal(room.act, "sample_annulled", of=key(found.drawn), reason="  ") == "say_why"
    assert refusal(room.act, "sample_annulled", of=key(found.planned), reason="x") == (
        "annul_the_draw"
    )
    assert refusal(room.act, "sample_annulled", of=["HUB-main", 1, 9999], reason="x") == (
        "no_such_sample"
    )
    room.act("sample_annulled", of=key(found.drawn), reason="la planilla era otra")
    found = room.draws()[0]
    assert (found.annulled.reason, found.annulled.by) == ("la planilla era otra", LEAD)
    assert found.drawn.secret and room.assigned(waiting=True) == []
    assert refusal(room.act, "sample_annulled", of=key(found.drawn), reason="x") == (
        "annulled_before"
    )
    assert room.settle() == 0 and refusal(room.draw) == "sample_annulled"


def test_a_call_that_cannot_be_heard_is_replaced_by_the_next_of_its_order(made):
    room = made(agents=1, plan={"twice_share": 100})
    room.settle()
    worked(room, 4)
    room.go_to(DRAWN_AT)
    draw_id = room.draws()[0].drawn.draw
    one = room.assigned()[0]
    pair = [
        q(each) for each in room.assigned() if call_of(each.assignment) == call_of(one.assignment)
    ]
    assert len(pair) == 2
    asked = {"of": q(one), "why": "unplayable"}
    assert refusal(room.act, "sample_replaced", by="otra", **asked) == "not_your_call"
    room.act("sample_replaced", by=one.assignment.assignee, **asked)
    waiting = room.assigned(waiting=True)
    its = [each.assignment for each in waiting if each.assignment.of_n]
    assert sorted([row.of_s, row.of_e, row.of_n] for row in its) == sorted(pair)
    assert {(row.rank, row.reason, row.draw) for row in its} == {(3, "unplayable", draw_id)}
    assert len({call_of(row) for row in its}) == 1 and len({row.assignee for row in its}) == 2
    assert refusal(room.act, "sample_replaced", by=one.assignment.assignee, **asked) == (
        "assignment_over"
    )
    again = next(each for each in waiting if each.assignment.of_n)
    room.act("sample_replaced", of=q(again), why="nobodys")
    last = next(each for each in room.assigned(waiting=True) if each.assignment.rank == 4)
    assert refusal(room.act, "sample_replaced", of=q(last), why="nobodys") == "nobody_left"
    room.clock.now = last.assignment.due_utc
    assert refusal(room.act, "sample_replaced", of=q(last), why="nobodys") == "assignment_due"


def test_a_call_that_somebody_could_hear_is_not_replaced(made):
    room = made(agents=1, plan={"twice_share": 100})
    room.settle()
    worked(room, 4)
    room.go_to(DRAWN_AT)
    seen = room.seen()[0]
    room.act("evaluation_submitted", by=seen.second.assignment.assignee, of=q(seen.second),
             answers="111")  # fmt: skip
    asked = {"of": q(seen.first), "why": "unplayable", "by": seen.first.assignment.assignee}
    assert refusal(room.act, "sample_replaced", **asked) == "not_replaceable"


def test_a_call_that_a_rule_names_goes_to_one_monitor_who_may_evaluate_it(made):
    room = made(agents=1, plan=None)
    worked(room, 1)
    with room.reader.engine.connect() as tx:
        (row,) = tx.exec_driver_sql("SELECT s, e, n FROM contacts").fetchall()
    asked = {"call": [*row], "to": "noe", "form": FORM, "due": room.clock.now + DAY,
             "why": "long_call"}  # fmt: skip

    def wrong(**fields):
        return refusal(room.act, "sample_assigned", **asked | fields)

    assert wrong(why="mood") == "no_such_rule"
    assert wrong(call=["DIA-000000000001", 7, 999]) == "no_such_call"
    assert wrong(form="otra") == "form_unpublished"
    assert wrong(due=room.clock.now) == "due_before_now"
    assert wrong(to="nadie") == "no_monitor"
    room.put("conflicts", account="eva", agent="a001")
    assert wrong(to="eva") == "monitor_barred"
    room.act("sample_assigned", **asked)
    assert wrong() == "assigned_before"
    (one,) = room.assigned()
    assert (one.assignment.draw, one.assignment.reason, one.assignment.assignee) == (
        None, "long_call", "noe",
    )  # fmt: skip
    assert json.dumps(q(one))


def test_refusals_are_words_for_programs(made):
    room = made()
    with pytest.raises(Refused) as found:
        room.act("sample_annulled", of=["HUB-main", 1, 1], reason="x")
    assert (found.value.error, found.value.status) == ("no_such_sample", 404)
