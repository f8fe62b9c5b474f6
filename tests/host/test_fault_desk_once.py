"""The desk of faults whoever is killed, whatever is pressed and however often: each thing once."""

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from diadema.base.idempotency import Once
from diadema.hub.actions import Answers
from diadema.hub.own_journal import Refused
from diadema.store import StoreUnavailable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fault_room import BY, Room

MINUTE = 60_000


class Killed(Exception):
    pass


class KilledRoom(Room):
    """Its hub is killed at that moment of all that it records, before or after it is stored; the
    `moments` are counted. Who asked for something asks again by the same name.
    """

    def __init__(self, folder, count, at=None, stored=False):
        self.at, self.stored, self.moments = at, stored, 0
        super().__init__(folder, count)

    def begin(self):
        super().begin()
        journal, record = self.desk._journal, self.desk._journal.record

        def killed(actions, reply=None):
            self.moments += 1
            dies = self.moments == self.at
            if dies and not self.stored:
                raise Killed
            done = record(actions, reply)
            if dies:
                raise Killed
            return done

        journal.record = killed

    def settle(self):
        while True:
            try:
                return super().settle()
            except Killed:
                self.restart()

    def act(self, action, **fields):
        body = {"action": f"ticket_{action}", **BY, **fields}
        once = Once.named("elena", f"{action} {self.clock.now} {fields}", "0" * 64)
        while True:
            known = Answers(self.reader, self.clock).of(once)
            if known is not None:
                break
            try:
                known, done = self.desk.act(body, once)
            except Killed:
                self.restart()
                continue
            self.send(done)
            break
        self.settle()
        return known["ticket"]


def a_day(room):
    """A mass failure with all that can come of it, and what stands beside it."""
    seats = room.seats
    for n in (1, 2):
        seats[n].press()
        room.wait(1000)
    seats[4].press("audio", None)
    room.settle()
    by_hand = room.act("opened", area="audio", title="Sin sonido", severity=2)
    seats[3].press()
    room.wait(1000)
    (mass,) = (one.ticket.ticket for one in room.going() if one.ticket.by == "rule:mass")
    room.act("taken", ticket=mass)
    seats[5].press().say("station.fault", part="codec", code="x")
    room.wait(2 * MINUTE)
    room.act("noted", ticket=mass, text="Se llamó. " * 60)
    room.act("resolved", ticket=mass, cause="red")
    for n in (1, 2, 3):
        seats[n].confirm("no")
        room.settle()
    seats[5].confirm("yes").say("station.fault_cleared", part="codec", code="x")
    room.settle()
    room.act("closed", ticket=mass, outcome="rejected", reason="no era una")
    for n in (1, 2):
        (its,) = (
            one.ticket.ticket for one in room.going()
            if any(r.station == seats[n].script.s for r in one.reports)
        )  # fmt: skip
        room.act("resolved", ticket=its, cause="cable")
        seats[n].confirm("no" if n == 1 else "yes")
        room.settle()
    (audio,) = (
        one.ticket.ticket for one in room.going()
        if one.ticket.area == "audio" and one.ticket.ticket != by_hand
    )  # fmt: skip
    room.act("closed", ticket=audio, outcome="duplicate", other=by_hand, reason="es esa")
    room.act("resolved", ticket=by_hand, cause="cable")
    room.wait(MINUTE)
    seats[4].log_out().log_in()
    room.settle()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    room = KilledRoom(tmp_path_factory.mktemp("whole"), 5)
    a_day(room)
    told, moments = room.told(), room.moments
    room.end()
    return told, moments


def test_the_day_has_all_of_it(undisturbed):
    told, moments = undisturbed
    kinds = {kind for *_, steps in told for kind, _, _ in steps}
    assert kinds == {
        "opened", "linked", "taken", "noted", "resolved", "reopened", "closed",
    }  # fmt: skip
    assert {one[3] for one in told} >= {"confirmed", "unanswered", "rejected", "duplicate"}
    assert 20 <= moments <= KILLS


KILLS = 30


@pytest.mark.parametrize("stored", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, KILLS + 1))
def test_killed_at_any_moment_it_comes_to_the_same(tmp_path, undisturbed, at, stored):
    told, moments = undisturbed
    room = KilledRoom(tmp_path, 5, at, stored)
    a_day(room)
    assert room.told() == told
    assert at > moments or room.moments >= moments
    room.end()


def test_what_cannot_be_written_is_said_later(tmp_path, monkeypatch):
    room = Room(tmp_path, 1)
    room.seats[1].press()

    def full(batch):
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(room.ingest.writer.behind, "_write", full)
        with pytest.raises(StoreUnavailable):
            room.desk.look()
    assert room.cases() == []
    room.settle()
    assert len(room.one().reports) == 1
    room.end()


# -- whatever is pressed

SEATS = st.integers(1, 4)
WHICH = st.integers(0, 30)
PARTS = st.sampled_from([("sistemas", "crm"), ("sistemas", "red"), (None, None)])
DEEDS = st.one_of(
    st.tuples(st.just("press"), SEATS, PARTS),
    st.tuples(st.just("press"), SEATS, st.just(("sistemas", "crm"))),
    st.tuples(st.just("name"), SEATS),
    st.tuples(st.just("answer"), SEATS, st.sampled_from(["yes", "no"])),
    st.tuples(st.just("part"), SEATS, st.sampled_from(["codec", "lights"])),
    st.tuples(st.just("again"), SEATS),
    st.tuples(st.just("floor"), SEATS, st.sampled_from(["accepted", "resolved", "rejected"])),
    st.tuples(st.just("wait"), st.sampled_from([1000, MINUTE, 11 * MINUTE])),
    st.tuples(st.just("jump"), st.sampled_from([-3_600_000, 3_600_000])),
    st.tuples(st.just("restart")),
    st.tuples(st.just("take"), WHICH),
    st.tuples(st.just("resolve"), WHICH),
    st.tuples(st.just("resolve"), WHICH),
    st.tuples(st.just("reopen"), WHICH),
    st.tuples(st.just("reject"), WHICH),
    st.tuples(st.just("repeat"), WHICH, WHICH),
    st.tuples(st.just("link"), WHICH, SEATS),
    st.tuples(st.just("enter"), SEATS, st.booleans()),
)
NEXT = {
    None: {"opened": "open"},
    "open": {"taken": "taken", "closed": "closed", "linked": "open", "changed": "open"},
    "taken": {
        "taken": "taken", "resolved": "resolved", "closed": "closed", "linked": "taken",
        "changed": "taken",
    },
    "resolved": {"reopened": "taken", "closed": "closed"},
    "closed": {"reopened": None},
}  # fmt: skip
OUTCOMES = {
    "open": ("rejected", "duplicate"),
    "taken": ("rejected", "duplicate"),
    "resolved": ("confirmed", "unanswered"),
}


class Player:
    def __init__(self, room):
        self.room, self.parts = room, set()

    def ticket(self, which):
        cases = self.room.cases()
        return cases[which % len(cases)].ticket.ticket if cases else "0" * 12

    def do(self, deed, *given):
        room, seats = self.room, self.room.seats
        match deed, given:
            case "press", (n, (area, part)):
                seats[n].press(area, part)
            case "name", (n,):
                if seats[n].ticket and not seats[n].what:
                    seats[n].name_it("sistemas", "crm")
            case "answer", (n, answer):
                if seats[n].closed:
                    seats[n].confirm(answer)
                    seats[n].closed = 0
            case "part", (n, part):
                there = (n, part) in self.parts
                kind = "fault_cleared" if there else "fault"
                seats[n].say(f"station.{kind}", part=part, code="x")
                self.parts ^= {(n, part)}
            case "again", (n,):
                seats[n].log_out().log_in()
            case "floor", (n, state):
                if seats[n].ticket:
                    room.answer(seats[n], state)
            case "wait", (ms,):
                room.wait(ms)
            case "jump", (ms,):
                room.clock.now += ms
            case "restart", ():
                room.restart()
            case "take", (which,):
                room.act("taken", ticket=self.ticket(which))
            case "resolve", (which,):
                room.act("resolved", ticket=self.ticket(which), cause="red")
            case "reopen", (which,):
                room.act("reopened", ticket=self.ticket(which), reason="sigue")
            case "reject", (which,):
                room.act("closed", ticket=self.ticket(which), outcome="rejected", reason="no")
            case "repeat", (which, other):
                fields = {"other": self.ticket(other), "reason": "es esa"}
                room.act("closed", ticket=self.ticket(which), outcome="duplicate", **fields)
            case "link", (which, n):
                of = seats[n].of(seats[n].ticket or 1)
                room.act("linked", ticket=self.ticket(which), of=of)
            case "enter", (n, whole):
                room.act("opened", area="sistemas", title="x", seats=[f"A-{n:02}"], whole=whole)


def check(room):
    """As the steps alone tell it, worked out here once more."""
    whose, state, by_hand = {}, {}, set()
    steps = [step for case in room.cases() for step in case.steps]
    for step in sorted(steps, key=lambda one: one.sequence):
        before = state.get(step.ticket)
        if step.kind == "closed":
            assert step.outcome in OUTCOMES[before], (before, step)
        by_itself = step.kind == "resolved" and step.by.startswith("rule:")
        assert step.kind in NEXT[before] or by_itself, (before, step)
        after = "resolved" if by_itself else NEXT[before][step.kind]
        was_taken = any(
            one.kind == "taken" for one in steps
            if one.ticket == step.ticket and one.sequence < step.sequence
        )  # fmt: skip
        state[step.ticket] = after or ("taken" if was_taken else "open")
        if step.kind == "opened" and step.of_n is None:
            by_hand.add(step.ticket)
        if step.of_n is not None:
            whose[step.of_s, step.of_e, step.of_n] = step.ticket
    for case in room.cases():
        name = case.ticket.ticket
        assert case.ticket.state == state[name]
        its = {of for of, owner in whose.items() if owner == name}
        if state[name] != "closed":
            assert its or name in by_hand, case
        assert {(r.station, r.epoch, r.sequence) for r in case.reports} <= its
    open_presses = {
        (one.station, one.epoch, one.sequence)
        for seat in room.ingest.stations.values() for one in seat.state.presses
        if one.outcome == "open" and one.area
    }  # fmt: skip
    assert open_presses <= whose.keys()


@settings(
    max_examples=40, deadline=None, derandomize=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
@given(st.lists(DEEDS, min_size=5, max_size=30))
def test_whatever_is_pressed_linked_taken_and_begun_anew(deeds):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder), 4, queues=lambda n: ["ventas"] if n < 4 else [])
        player = Player(room)
        try:
            for deed in deeds:
                with suppress(Refused):
                    player.do(*deed)
                room.settle()
                check(room)
        finally:
            room.end()
