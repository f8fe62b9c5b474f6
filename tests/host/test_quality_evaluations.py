"""Evaluations at the hub: what is taken in, what is refused and how it is said, who decides where
two differ, and when the agent may read it.
"""

import pytest
from diadema.base.errors import DiademaError
from diadema.store.quality import call_of, notes, right_codes
from diadema.words import LANGUAGES
from msgspec import ValidationError

from tests.support.informed import LEAD
from tests.support.quality_room import FORM, ITEMS, MONDAY, MONITORS, QualityRoom, at, key, q

DAY = 86_400_000
HOUR = 3_600_000
DRAWN_AT = at("2026-11-23 03:00")
LONG = "Cierra sin preguntar si queda alguna duda. «Ñandú» " * 15


@pytest.fixture
def made(tmp_path):
    rooms = []

    def make(agents=1, calls=3, **plan):
        """A week that was drawn: two calls of each agent."""
        folder = tmp_path / str(len(rooms))
        rooms.append(QualityRoom(folder, agents, plan))
        room = rooms[-1]
        room.settle()
        for n in room.agents:
            room.agents[n].work(MONDAY + DAY + n * 1000, calls)
            room.agents[n].script.logout()
            room.agents[n].say()
        room.go_to(DRAWN_AT)
        room.clock.now += HOUR
        return room

    yield make
    for room in rooms:
        room.end()


def submit(room, one, answers="111", by=None, **fields):
    told = {"of": q(one), "answers": answers, "by": by or one.assignment.assignee}
    return room.act("evaluation_submitted", **told | fields)


def refusal(ask, *args, **fields):
    with pytest.raises(DiademaError) as found:
        ask(*args, **fields)
    for language in LANGUAGES:
        assert "{" not in found.value.say(language)
    return found.value.args[0].name.removeprefix("errors.quality.")


def note(**fields):
    return {"item": "solucion", "about": "improve", "text": "No dio el plazo"} | fields


def test_an_evaluation_is_scored_here_and_has_all_that_was_said(made):
    room = made()
    one = room.assigned()[0]
    said = [
        note(from_ms=1000, to_ms=4000, text=LONG),
        note(item=None, about="praise", text="Bien"),
    ]
    answer = submit(room, one, "100", notes=said, right_code="112")
    assert (answer["raw"], answer["score"], answer["failed"]) == (400, 400, "none")
    (found,) = room.evaluations()
    row = found.submitted
    assert (row.basis, row.version, row.notes, row.answers) == ("random", 1, 2, "100")
    assert (row.critical_user, row.critical_business) == (None, 1)
    assert call_of(row) == call_of(one.assignment)
    with room.reader.engine.connect() as tx:
        its = notes(tx, [answer["evaluation"]])[answer["evaluation"]]
        assert right_codes(tx, [answer["evaluation"]]) == {answer["evaluation"]: "112"}
    assert [(one.item, one.from_ms, one.text) for one in its] == [
        ("solucion", 1000, LONG.strip()), (None, None, "Bien"),
    ]  # fmt: skip


def test_what_does_not_apply_leaves_the_score_and_may_leave_none(made):
    room = made()
    one, other = room.assigned()[:2]
    assert submit(room, one, "11-")["score"] == 1000
    assert refusal(submit, room, other, "1-1") == "applies"


def test_answers_are_those_of_the_form_that_was_assigned(made):
    room = made()
    one = room.assigned()[0]
    assert refusal(submit, room, one, "11") == "count"
    assert refusal(submit, room, one, "115") == "option"
    with pytest.raises(ValidationError):
        submit(room, one, "1x1")
    room.put(
        "scorecard_items", scorecard=FORM, section="todo", code="nuevo", text="Nuevo", weight=9
    )
    room.publish_form()
    assert submit(room, one, "111")["score"] == 1000, "its version is the one that was assigned"


def test_only_its_monitor_hands_it_in_once_in_time_while_it_counts(made):
    room = made()
    one, other = room.assigned()[:2]
    mine = one.assignment.assignee
    stranger = next(name for name in ("noe", "eva") if name != mine)
    assert refusal(submit, room, one, by=stranger) == "not_your_call"
    assert refusal(submit, room, one, by=LEAD) == "not_your_call"
    assert refusal(room.act, "evaluation_submitted", of=["HUB-main", 1, 7777], answers="1",
                   by=mine) == "no_such_assignment"  # fmt: skip
    submit(room, one)
    assert refusal(submit, room, one) == "submitted_before"
    room.disable(other.assignment.assignee)
    assert refusal(submit, room, other) == "no_monitor"


def test_after_the_time_and_after_annulment_nothing_is_taken(made):
    room = made()
    one, other = room.assigned()[:2]
    room.clock.now = one.assignment.due_utc - 1
    submit(room, one)
    room.clock.now = other.assignment.due_utc
    assert refusal(submit, room, other) == "assignment_due"
    (state,) = [one for one in room.overview()[0].periods if one.drawn]
    assert [(s.drawn, s.evaluated, s.missed) for s in state.drawn.strata] == [(2, 1, 1)]
    again = made()
    again.act("sample_annulled", of=key(again.draws()[0].drawn), reason="otra planilla")
    assert refusal(submit, again, again.assigned()[0]) == "its_draw_annulled"


def test_comments_are_where_the_form_wants_them_and_in_the_call(made):
    room = made()
    one = room.assigned()[0]
    assert refusal(submit, room, one, "101") == "comment_due"
    assert refusal(submit, room, one, "101", notes=[note(item="saludo")]) == "comment_due"
    assert refusal(submit, room, one, notes=[note(text=" \n ")]) == "note_blank"
    assert refusal(submit, room, one, notes=[note(item="otro")]) == "note_no_item"
    assert refusal(submit, room, one, notes=[note(to_ms=5)]) == "note_backwards"
    assert refusal(submit, room, one, notes=[note(from_ms=9, to_ms=5)]) == "note_backwards"
    end = 3000 + 60_000  # it rang, and they spoke
    assert refusal(submit, room, one, notes=[note(from_ms=end + 1001)]) == "note_past_end"
    assert refusal(submit, room, one, notes=[note(from_ms=1, to_ms=end + 1001)]) == "note_past_end"
    with pytest.raises(ValidationError):
        submit(room, one, notes=[note(text="x" * 1001)])
    submit(room, one, "101", notes=[note(from_ms=end, to_ms=end)])


def test_a_code_is_named_where_the_form_asks_and_is_one_of_the_tree(made):
    room = made()
    one = room.assigned()[0]
    assert refusal(submit, room, one, right_code="999") == "no_such_code"
    plain = made()
    plain.publish_form("simple", [ITEMS[0]])
    drawn = plain.assigned()[0].assignment
    other = next(name for name in MONITORS if name != drawn.assignee)
    asked = {"call": call_of(drawn), "to": other, "form": "simple",
             "due": plain.clock.now + DAY, "why": "silence"}  # fmt: skip
    plain.act("sample_assigned", **asked)
    one = plain.assigned()[-1]
    assert refusal(submit, plain, one, "1", right_code="111") == "no_code_asked"
    submit(plain, one, "1")
    assert plain.evaluations()[-1].submitted.basis == "targeted"


def test_what_was_submitted_changes_by_a_revision_alone_beside_what_it_was(made):
    room = made()
    one = room.assigned()[0]
    submit(room, one)
    (found,) = room.evaluations()
    asked = {
        "of": key(found.submitted),
        "answers": "011",
        "cause": "error",
        "reason": "se oyó mal",
    }
    assert refusal(room.act, "evaluation_revised", by="noe", **asked) == "no_lead"
    assert refusal(room.act, "evaluation_revised", **asked | {"reason": " "}) == "say_why"
    assert refusal(room.act, "evaluation_revised", **asked | {"answers": "0"}) == "count"
    assert refusal(room.act, "evaluation_revised", **asked | {"cause": "pair"}) == (
        "nothing_to_decide"
    )
    room.act("evaluation_revised", right_code="111", **asked)
    (found,) = room.evaluations()
    assert (found.submitted.answers, found.answers, found.raw) == ("111", "011", 600)
    room.act("evaluation_annulled", of=asked["of"], reason="la llamada era de otro")
    assert refusal(room.act, "evaluation_revised", **asked) == "evaluation_annulled"
    assert refusal(room.act, "evaluation_annulled", of=asked["of"], reason="x") == (
        "evaluation_annulled"
    )
    unknown = {"of": ["HUB-main", 1, 7777]}
    assert refusal(room.act, "evaluation_revised", **asked | unknown) == "no_such_evaluation"


def test_a_lead_of_other_teams_changes_nothing(made):
    room = made()
    submit(room, room.assigned()[0])
    (found,) = room.evaluations()
    asked = {"of": key(found.submitted), "reason": "x"}
    room.account("sol", "Sol Vera", "quality_lead", teams=["Tarde"])  # the agent is of the other
    assert refusal(room.act, "evaluation_annulled", by="sol", **asked) == "no_such_evaluation"
    room.account("rio", "Río Vera", "quality_lead", teams=["Mañana"])
    room.act("evaluation_annulled", by="rio", **asked)


# -- two monitors


def pair(room):
    """The first call that two have."""
    return room.seen()[0]


@pytest.mark.parametrize("first_in", [True, False])
def test_the_first_one_stands_whoever_is_done_sooner(made, first_in):
    room = made(twice_share=100)
    seen = pair(room)
    order = (seen.first, seen.second) if first_in else (seen.second, seen.first)
    submit(room, order[0])
    assert pair(room).state == "waiting"
    submit(room, order[1])
    seen = pair(room)
    assert (seen.state, seen.stands.submitted.by) == ("agreed", seen.first.assignment.assignee)


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [("111", "111", "agreed"), ("111", "011", "differs"), ("11-", "111", "differs")],
)
def test_a_pair_that_differs_is_decided_by_the_coordinator(made, one, other, state):
    """By more than 10 points, or in a critical item."""
    room = made(twice_share=100)
    seen = pair(room)
    submit(room, seen.first, one)
    submit(room, seen.second, other)
    seen = pair(room)
    assert seen.state == state
    asked = {"of": key(seen.first_said.submitted), "answers": "110", "cause": "pair",
             "reason": "el audio lo muestra"}  # fmt: skip
    second = {"of": key(seen.second_said.submitted)}
    error = asked | {"cause": "error"}
    assert refusal(room.act, "evaluation_revised", **asked | second) == "nothing_to_decide"
    if state == "agreed":
        assert refusal(room.act, "evaluation_revised", **asked) == "nothing_to_decide"
        room.act("evaluation_revised", **error)
        assert pair(room).state == "agreed", "as both were submitted"
        return
    for its in (error, error | second):
        assert refusal(room.act, "evaluation_revised", **its) == "pair_open"
    room.act("evaluation_revised", **asked)
    decided = pair(room)
    assert decided.state == "decided"
    assert refusal(room.act, "evaluation_revised", **asked) == "decided_before"
    room.clock.now += 1
    room.act("evaluation_revised", **error | {"answers": "111"})
    again = pair(room)
    assert (again.state, again.ready_utc) == ("decided", decided.ready_utc)
    assert [one.cause for one in again.first_said.revisions] == ["pair", "error"]
    assert again.first_said.answers == "111"
    assert refusal(room.act, "evaluation_revised", **asked) == "decided_before"


def test_a_lead_who_has_to_evaluate_a_call_blind_changes_nothing_of_it(made):
    room = made()
    one = room.assigned()[0]
    submit(room, one)
    (found,) = room.evaluations()
    room.act("sample_assigned", call=call_of(one.assignment), to=LEAD, form=FORM,
             due=room.clock.now + DAY, why="silence")  # fmt: skip
    asked = {"of": key(found.submitted), "reason": "x"}
    revised = asked | {"answers": "011", "cause": "error"}
    assert refusal(room.act, "evaluation_revised", **revised) == "no_such_evaluation"
    assert refusal(room.act, "evaluation_annulled", **asked) == "no_such_evaluation"
    room.clock.now += DAY
    room.act("evaluation_revised", **revised)


# -- released


def released(room):
    return [one for one in room.evaluations() if one.released_utc is not None]


def wait_a_minute(room):
    """What is due without anybody saying anything is seen within that time."""
    room.desk._releases._read_at = None
    return room.settle()


def test_it_is_released_when_the_next_shift_begins_and_never_in_a_call(made):
    room = made()
    agent = room.agents[1]
    one, other = room.assigned()[:2]
    agent.work(room.clock.now, 0)  # this shift began before
    room.clock.now += HOUR
    submit(room, one)
    assert room.settle() == 0 and not released(room)
    agent.script.logout()
    agent.say()
    assert room.settle() == 0
    room.clock.now += HOUR
    agent.script.boot().clock(room.clock.now).login(0).ready(0)
    agent.script.offer("x", 0).contact("answered", "x", 10, via="key", ring_ms=10)
    agent.say()
    assert room.settle() == 0 and not released(room), "in a call"
    agent.script.contact("ended", "x", 1000, by="caller", on_hold=False).wrapup("started", "x", 0)
    agent.say()
    assert room.settle() == 1
    (found,) = released(room)
    assert key(found.submitted)
    room.restart()
    assert room.settle() == 0 and len(released(room)) == 1, "nothing is released twice"
    submit(room, other)
    assert wait_a_minute(room) == 0 and len(released(room)) == 1


def next_shift(room, n=1):
    """Of that agent."""
    room.clock.now += HOUR
    agent = room.agents[n]
    if agent.script.n and room.ingest.station(agent.script.s).state.session:
        agent.script.logout()
    agent.script.boot().clock(room.clock.now).login(0).ready(0)
    agent.say()
    return room.settle()


def test_a_pair_is_released_once_both_agree_or_it_is_decided(made):
    room = made(twice_share=100)
    one, other = room.seen()[:2]
    submit(room, one.first)
    submit(room, other.first, "111")
    submit(room, other.second, "011")
    assert next_shift(room) == 0 and not released(room)
    submit(room, one.second)
    seen = next(seen for seen in room.seen() if seen.state == "differs")
    assert next_shift(room) == 1
    assert [found.submitted.by for found in released(room)] == [one.first.assignment.assignee]
    room.act("evaluation_revised", of=key(seen.first_said.submitted), answers="111", cause="pair",
             reason="saludó")  # fmt: skip
    assert next_shift(room) == 1 and len(released(room)) == 2


def test_whoever_is_alone_when_the_time_is_over_stands(made):
    room = made(twice_share=100)
    one = pair(room)
    submit(room, one.second)
    room.clock.now = one.first.assignment.due_utc
    seen = pair(room)
    assert (seen.state, seen.ready_utc) == ("single", room.clock.now)
    room.desk._releases._read_at = None
    assert next_shift(room) == 1
    assert released(room)[0].submitted.by == one.second.assignment.assignee


def test_what_was_annulled_is_never_released(made):
    room = made()
    one, other = room.assigned()[:2]
    submit(room, one)
    submit(room, other)
    room.act("evaluation_annulled", of=key(room.evaluations()[0].submitted), reason="x")
    room.act("sample_annulled", of=key(room.draws()[0].drawn), reason="y")
    assert next_shift(room) == 0
