"""What pages, reports and `diadema doctor` read of samples: load, periods, what is left over."""

import json

import pytest
from diadema.hub.sample_findings import sample_findings
from diadema.maintenance import backup
from diadema.quality.commitments import secret_path
from diadema.quality.samples import draw_state, list_of
from diadema.words import LANGUAGES

from tests.support.quality_room import MONDAY, PLAN, QualityRoom, at, key, q

DAY, HOUR = 86_400_000, 3_600_000
DRAWN_AT = at("2026-11-23 03:00")


@pytest.fixture
def made(tmp_path):
    rooms = []

    def make(agents=3, calls=4, drawn=True, **plan):
        rooms.append(QualityRoom(tmp_path / str(len(rooms)), agents, plan))
        room = rooms[-1]
        room.settle()
        for n in room.agents if calls else ():
            room.agents[n].work(MONDAY + DAY + n * 1000, calls, talk=120_000)
        if drawn:
            room.go_to(DRAWN_AT)
        return room

    yield make
    for room in rooms:
        room.end()


def findings(room, now=None):
    found = [*sample_findings(room.data, room.data, now or room.clock.now)]
    for _, sentence in found:
        for language in LANGUAGES:
            assert "{" not in sentence.say(language)
    return [(wrong, one.name.removeprefix("commands.doctor.sample_")) for wrong, one in found]


def test_the_load_of_a_plan_is_of_four_weeks_by_last_months_calls(made):
    room = made(twice_share=10, drawn=False)
    load = room.overview()[0].load
    # 3 agents, 2 calls each a week: 6, of which 1 is seen twice
    assert (load.agents, load.calls, load.monitors) == (3, 4 * 7, 2)
    assert (load.each_ms, load.measured) == (2 * 120_000, False)
    assert load.most_each == 4 * 14 * 5
    assert (load.hours, load.hours_each) == (round(28 * 4 / 60), round(280 * 4 / 60))


def test_without_any_call_nothing_is_told_of_hours(made):
    load = made(calls=0, drawn=False).overview()[0].load
    assert (load.calls, load.hours, load.hours_each) == (24, None, None)


def test_periods_are_told_the_newest_first_with_what_became_of_each(made):
    room = made()
    (state,) = room.overview()
    assert [(one.period.word, one.state) for one in state.periods] == [
        ("2026-W48", "open"), ("2026-W47", "drawn"),
    ]  # fmt: skip
    drawn = state.periods[1].drawn
    assert (drawn.chosen, drawn.waiting, drawn.evaluated, drawn.missed) == (6, 6, 0, 0)
    room.act("evaluation_submitted", of=q(room.assigned()[0]), answers="111",
             by=room.assigned()[0].assignment.assignee)  # fmt: skip
    room.clock.now = at("2026-11-28")
    drawn = room.overview(periods=2)[0].periods[1].drawn
    assert (drawn.evaluated, drawn.missed, drawn.waiting) == (1, 5, 0)
    agents = {one.agent: (one.size, one.drawn, one.evaluated + one.missed) for one in drawn.strata}
    assert agents == dict.fromkeys(("a001", "a002", "a003"), (4, 2, 2))
    assert room.overview(plan="otro") == []


def test_calls_for_which_no_monitor_had_room_are_told(made):
    room = made(monitors=["noe"], cap_per_day=1, plan_days=4)
    drawn = room.overview()[0].periods[-1].drawn
    assert (drawn.chosen, drawn.waiting, drawn.unassigned) == (6, 4, 2)


def test_a_draw_says_whether_it_can_be_exported(made):
    room = made()
    draw = room.draws()[0].drawn.draw
    (room.data.samples / f"{draw}.json").unlink()
    with room.reader.engine.connect() as tx:
        state = draw_state(tx, room.data, room.help_desk.people, room.clock.now, draw)
        assert (state.whole, state.chosen, len(state.calls)) == (False, 6, 6)
        assert draw_state(tx, room.data, room.help_desk.people, 0, "0" * 12) is None


def test_the_list_of_a_draw_has_what_was_replaced_and_by_what(made):
    room = made()
    one = room.assigned()[0]
    room.act("sample_replaced", of=q(one), why="unplayable")
    draw = room.draws()[0].drawn.draw
    from diadema.quality.kept_draws import stored_draw

    listed = list_of(stored_draw(room.data, draw).listed, room.assigned(draws=[draw]))
    assert len(listed) == 7
    gone = [(each.agent, each.rank) for each in listed if each.replaced == "unplayable"]
    assert gone == [(one.assignment.agent, one.assignment.rank)]
    assert max(each.rank for each in listed) == 3


def test_doctor_says_what_cannot_be_drawn_was_not_or_was_not_evaluated(made):
    room = made()
    assert findings(room) == []
    assert findings(room, at("2026-11-28")) == [(False, "missed")]
    assert findings(room, at("2026-11-30 03:30")) == [(False, "missed")]
    assert findings(room, at("2026-11-30 04:01")) == [(True, "undrawn"), (False, "missed")]
    secret_path(room.data, PLAN, "2026-W48").unlink()
    assert findings(room) == [(True, "secret")]
    room.act("sample_annulled", of=key(room.draws()[1].planned), reason="se perdió")
    assert findings(room) == []


def test_doctor_says_when_more_than_a_twentieth_is_left_out(made):
    room = made(agents=20, calls=0, drawn=False)
    room.put("sample_exclusions", agent="a001", why="nesting")
    assert findings(room) == []
    room.put("sample_exclusions", agent="a002", why="leave")
    assert findings(room) == [(True, "left_out")]


def test_a_backup_has_the_secrets_and_draws_after_the_store_that_says_of_them(made):
    room = made()
    plain, databases = backup._content(room.data)
    its = [path for path in plain if backup._after_store(room.data, path)]
    draw = room.draws()[0].drawn.draw
    assert sorted(path.name for path in its) == sorted(
        [f"{draw}.csv", f"{draw}.json", f"{PLAN}.2026-W47.sealed", f"{PLAN}.2026-W48.sealed"]
    )
    assert room.data.store in databases
    assert json.loads((room.data.samples / f"{draw}.json").read_bytes())["form"]
