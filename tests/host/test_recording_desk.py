"""The desk of recordings: what is found is in the journal once, whoever would hear one is judged
and written down, and what nobody goes on with has ended.
"""

import json
from contextlib import closing, contextmanager
from threading import Thread

import pytest
from diadema.access.roles import Person
from diadema.base.idempotency import Once
from diadema.base.locks import locked
from diadema.hub import recording_follow
from diadema.hub.actions import Answers
from diadema.hub.commanding import Commands
from diadema.hub.hearing import Hearing
from diadema.hub.own_journal import Refused
from diadema.hub.recording_desk import LINKS, LISTENINGS, SILENT_S, RecordingDesk
from diadema.ingest.core import Ingest
from diadema.quality.hearing import most_served_ms
from diadema.recordings import decoding, settings
from diadema.site import description as sites
from diadema.site.directory.notices import Notice, Notices
from diadema.site.directory.people import People, Worker
from diadema.store import open_reader, open_writer, tables

from tests.support.monitored import Monitor
from tests.support.recorded_calls import CALLER, NOW, Centre, hum, old, spoken
from tests.support.scripted_station import SITE, T0, FixedClock
from tests.support.web_stage import wait_for

PBX = "1795000000.1"
PEOPLE = {
    "ana": "monitor", "teo": "monitor", "luz": "quality_lead", "elena": "supervisor",
    "rita": "supervisor", "ada": "admin",
}  # fmt: skip
GAP = "recording.missing"


class Stage:
    """A call of a001's of 30 s, and one of a002's; `again` is the next run of the hub."""

    def __init__(self, folder):
        self.centre = centre = Centre(folder)
        centre.call(centre.station(), 60_000, 30, PBX, [(10, 15)])
        centre.recorded(PBX, 60_000, 90_000)
        centre.call(centre.station("a002"), 200_000, 20, "1795000200.1", c="c2")
        self.call, self.other = centre.key(), centre.key("c2", 1)
        self.file = centre.file(spoken(30, hum(), [(10, 15)]), 60_000, PBX)
        centre.store()
        self.data = centre.data
        settings.write(self.data, centre.settings)
        self.clock, self.now = FixedClock(NOW), 1000.0
        self.accounts = {
            name: Person(id=name, name=name, role=role) for name, role in PEOPLE.items()
        }
        self.people = People(
            workers={a: Worker(id=a, name=a, team="V") for a in ("a001", "a002")},
            queues={"ventas": "Ventas"}, supervised={"elena": ["V"]},
            notices=Notices(versions={
                "graba": [Notice(code="graba", hash="c")],
                "asesor": [Notice(code="asesor", side="agent", hash="a")],
            }),
        )  # fmt: skip
        self.desk = None

    @contextmanager
    def running(self):
        """A hub."""
        with (
            closing(open_writer(self.data.store)) as writer,
            open_reader(self.data.store) as reader,
        ):
            self.reader = reader
            self.ingest = Ingest(writer, sites.parse(json.dumps(SITE).encode()), self.clock)
            hearing = Hearing(self.ingest, reader, lambda: self.people, self.accounts.get)
            self.desk = RecordingDesk(
                self.data, self.ingest, Commands(self.ingest, None), reader, hearing,
                monotonic=lambda: self.now,
            )  # fmt: skip
            self.begin_looking, self.desk._follower.begin = self.desk._follower.begin, lambda: None
            try:
                yield self
            finally:
                self.desk.close()

    def inform(self, *, signed=True, published=True):
        self.monitor = Monitor(lambda messages: self.ingest.take_file(messages), s="HUB-other")
        said = {"s": "HUB-told", "e": 1, "utc": T0 - 1, "by": "luz"}
        with self.ingest.changing([]) as tx:
            if published:
                for n, (code, text) in enumerate((("graba", "c"), ("asesor", "a")), 1):
                    row = {"notice": code, "side": "agent", "version": 1, "hash": text}
                    tx.execute(tables.notices.insert().values(**said, n=n, **row))
            for n, agent in enumerate(("a001", "a002") if signed else (), 5):
                row = {"notice": "asesor", "a": agent, "how": "badge"}
                tx.execute(tables.signatures.insert().values(**said, n=n, **row))
        return self

    def scan(self):
        """The thread looks once, and all that it found is kept."""
        looking = Thread(target=self.desk._follower.look)
        looking.start()
        wait_for(lambda: not (self.desk._tell() or looking.is_alive()), "a look", 300)

    def assigned(self, call=None, **more):
        return self.monitor.assigned(call or self.call, **{"due": NOW + 1000} | more)

    def ask(self, action, by="ana", **more):
        answer, self.done = self.desk.act({"action": action, "by": by, **more})
        return answer

    def begin(self, by="ana", purpose="evaluation", **more):
        return self.ask("hearing_begun", by, purpose=purpose, **more)

    def said(self, *kinds):
        row = tables.events.c
        with self.reader.engine.connect() as tx:
            bodies = tx.execute(
                tables.events.select().where(row.s == "HUB-main").order_by(row.n)
            ).all()
        found = [json.loads(one.body) for one in bodies]
        return [one for one in found if not kinds or one["k"] in kinds]


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Of a machine that does much else."""
    monkeypatch.setattr(decoding, "_WALL_S", 300)


@pytest.fixture
def stage(tmp_path):
    with Stage(tmp_path).running() as running:
        yield running


@pytest.fixture
def linked(stage):
    stage.inform()
    stage.scan()
    return stage


# -- what is found


def test_what_the_index_has_is_said_once_and_again_when_it_changed(stage):
    stage.scan()
    linked, missing = stage.said()
    assert (linked["k"], linked["by"], linked["a"]) == ("recording.linked", LINKS, "a001")
    assert (linked["call"], linked["how"], linked["pauses"]) == (
        [*stage.call], "pbx", "respected",
    )  # fmt: skip
    assert (missing["k"], missing["call"], missing["reason"]) == (GAP, [*stage.other], "no_file")
    stage.scan()
    assert len(stage.said()) == 2
    kept = stage.file.read_bytes()
    stage.file.unlink()
    stage.scan()
    assert [one.get("reason") for one in stage.said()[2:]] == ["gone"]
    stage.file.write_bytes(kept)
    old(stage.file)
    stage.scan()
    assert [one["k"] for one in stage.said()[3:]] == ["recording.linked"]
    assert CALLER not in json.dumps(stage.said())
    assert str(stage.centre.root) not in json.dumps(stage.said())


def test_what_the_command_found_is_said_by_the_next_hub_too(stage):
    stage.centre.scan()
    stage.scan()
    assert [one["k"] for one in stage.said()] == ["recording.linked", GAP]
    stage.desk.close()
    with stage.running():
        stage.scan()
        assert len(stage.said()) == 2


def test_while_the_command_looks_what_is_known_already_is_said(stage):
    stage.centre.scan()
    with locked(stage.data.recordings_index.with_suffix(".lock")):
        stage.scan()
    assert [one["k"] for one in stage.said()] == ["recording.linked", GAP]


def test_while_a_folder_is_gone_that_is_said_and_nothing_is_missing(stage):
    away = stage.centre.root.rename(stage.centre.root.with_name("away"))
    stage.scan()
    assert not stage.said()
    assert stage.desk.following.absent == (str(stage.centre.root),)
    away.rename(stage.centre.root)
    stage.scan()
    assert [one["k"] for one in stage.said()] == ["recording.linked", GAP]
    assert not stage.desk.following.absent


def test_without_recordings_set_up_nothing_is_looked_for(stage):
    stage.data.recordings.unlink()
    stage.scan()
    assert not stage.said() and not stage.data.recordings_index.exists()


def test_what_cannot_be_worked_with_is_told_and_the_look_goes_on(stage):
    right = stage.data.recordings.read_bytes()
    stage.data.recordings.write_text("{")
    stage.scan()
    assert "recordings.json" in stage.desk.following.trouble
    stage.data.recordings.write_bytes(right)
    stage.scan()
    assert len(stage.said()) == 2 and not stage.desk.following.trouble


def test_the_desk_looks_by_itself(stage):
    stage.begin_looking()
    wait_for(lambda: stage.desk.look() and len(stage.said()) == 2, "a look of the thread")


def test_many_come_in_parts_that_the_loop_takes_one_by_one(stage, monkeypatch):
    monkeypatch.setattr(recording_follow, "_AT_ONCE", 1)
    stage.scan()
    assert len(stage.said()) == 2


# -- kept and handed over


def test_the_lead_holds_one_and_notes_who_got_a_copy(linked):
    held = linked.ask("recording_held", "luz", call=linked.call, reason="reclamo", until=NOW + 1)
    copy = {"purpose": "arco", "receiver": "Ana Ríos", "hash": "0b" * 32, "reason": "pidió"}
    linked.ask("recording_released", "luz", call=linked.call, **copy)
    hold, release = linked.said("recording.held", "recording.released")
    assert held["of"] == (hold["s"], hold["e"], hold["n"])
    assert (hold["by"], hold["reason"], hold["until"]) == ("luz", "reclamo", NOW + 1)
    assert release["receiver"] == "Ana Ríos"


@pytest.mark.parametrize(
    ("by", "call", "error"),
    [("elena", "call", "not_yours"), ("luz", "other", "no_recording"), ("luz", None, "no_call")],
)
def test_nobody_else_does_nor_of_what_is_not_there(linked, by, call, error):
    key = getattr(linked, call) if call else ("DIA-0123456789ab", 7, 1)
    with pytest.raises(Refused) as refused:
        linked.ask("recording_held", by, call=key, reason="x")
    assert refused.value.error == error
    assert not linked.said("recording.held")


# -- heard


def test_who_may_hears_it_by_the_assignment_and_is_in_the_register(linked):
    of = linked.assigned()
    answer = linked.begin(of=of)
    assert set(answer) == {"listening"}, "nothing that says which call it is"
    (started,) = linked.said("listening.started")
    assert (started["call"], started["a"], started["by"]) == ([*linked.call], "a001", "ana")
    assert (started["source"], started["via"], started["announced"]) == (
        "recording", "browser", False,
    )  # fmt: skip
    linked.now += 30
    assert linked.ask("hearing_continued", **answer, heard_ms=25_000) == {}
    linked.ask("hearing_continued", **answer, heard_ms=20_000)
    linked.now += 1
    linked.ask("hearing_ended", **answer, heard_ms=26_000, cause="submitted")
    (ended,) = linked.said("listening.ended")
    assert (ended["heard_ms"], ended["cause"], ended["by"]) == (26_000, "submitted", "ana")
    assert ended["of"] == [started[name] for name in "sen"]
    with pytest.raises(Refused) as refused:
        linked.ask("hearing_continued", **answer, heard_ms=30_000)
    assert refused.value.error == "no_such_hearing"


def test_heard_seconds_only_grow_and_are_no_more_than_there_was_time_for(linked):
    linked.assigned()
    answer = linked.begin(call=linked.call)
    linked.now += 10
    linked.ask("hearing_continued", **answer, heard_ms=9000)
    linked.ask("hearing_ended", **answer, heard_ms=80_000_000, cause="closed")
    assert linked.said("listening.ended")[0]["heard_ms"] == most_served_ms(10_000)


def test_elsewhere_it_is_as_long_as_is_said_and_never_longer_than_it_took(linked):
    answer = linked.begin("elena", "coaching", call=linked.other, outside=True)
    linked.now += 3600
    assert linked.desk.look() is None, "nobody says anything meanwhile"
    linked.ask("hearing_ended", "elena", **answer, heard_ms=7_200_000, cause="closed")
    assert linked.said("listening.started")[0]["via"] == "outside"
    assert linked.said("listening.ended")[0]["heard_ms"] == 3_600_000


def refusals(stage):
    return [(one["by"], one["reason"]) for one in stage.said("listening.refused")]


def test_each_refusal_is_in_the_register_with_its_reason(linked):
    for by, purpose, reason in (
        ("ana", "evaluation", "not_assigned"),
        ("ana", "coaching", "purpose"),
        ("rita", "coaching", "other_team"),
        ("elena", "evaluation", "purpose"),
        ("ada", "coaching", "no_right"),
        ("nobody", "coaching", "no_account"),
    ):
        answer = linked.begin(by, purpose, call=linked.call)
        assert (answer["error"], answer["status"]) == (reason, 403)
        assert refusals(linked)[-1] == (by, reason)
    answer = linked.begin("elena", "coaching", call=linked.other)
    assert (answer["error"], answer["status"]) == ("no_recording", 409)
    assert not linked.said("listening.started")


def test_by_another_s_assignment_nobody_hears_even_the_own_call(linked):
    """Else a monitor would learn which of them is of the same call."""
    linked.assigned()
    theirs = linked.assigned(to="teo", second=True)
    assert linked.begin(of=theirs)["error"] == "not_assigned"
    assert "listening" in linked.begin("teo", of=theirs)


@pytest.mark.parametrize(
    ("informed", "reason"),
    [({"published": False}, "no_notice"), ({"signed": False}, "not_informed")],
)
def test_without_notice_or_signature_nobody_hears_it(stage, informed, reason):
    stage.inform(**informed)
    stage.scan()
    stage.assigned()
    for by, purpose in (("ana", "evaluation"), ("elena", "coaching"), ("luz", "dispute")):
        assert stage.begin(by, purpose, call=stage.call)["error"] == reason


def test_after_its_time_it_is_heard_only_if_it_is_held(linked):
    linked.people.retention = {"": 1}
    linked.clock.now = T0 + 86_400_000 + 60_000
    assert linked.begin("elena", "coaching", call=linked.call)["error"] == "expired"
    linked.ask("recording_held", "luz", call=linked.call, reason="reclamo")
    assert "listening" in linked.begin("elena", "coaching", call=linked.call)


@pytest.mark.parametrize("what", ["submitted", "annulled", "due", "disabled", "conflict"])
def test_who_may_no_more_is_refused_and_has_ended(linked, what):
    of = linked.assigned()
    answer = linked.begin(of=of)
    linked.now += 20
    if what == "submitted":
        linked.monitor.submitted(of, linked.call)
    elif what == "annulled":
        linked.monitor.assigned(linked.call, of=of, to="teo", due=NOW + 1000, reason="unplayable")
    elif what == "due":
        linked.clock.now = NOW + 1000
    elif what == "disabled":
        del linked.accounts["ana"]
    else:
        linked.people.conflicts = frozenset({("ana", "a001")})
    reason = {
        "submitted": "assignment_over", "annulled": "assignment_over", "due": "assignment_due",
        "disabled": "no_account", "conflict": "conflict",
    }[what]  # fmt: skip
    assert linked.ask("hearing_continued", **answer, heard_ms=15_000)["error"] == reason
    (ended,) = linked.said("listening.ended")
    assert (ended["heard_ms"], ended["cause"], ended["by"]) == (15_000, reason, LISTENINGS)


def test_only_who_began_it_goes_on_with_it_or_ends_it(linked):
    linked.assigned()
    answer = linked.begin(call=linked.call)
    for action, more in (("hearing_continued", {}), ("hearing_ended", {"cause": "closed"})):
        with pytest.raises(Refused) as refused:
            linked.ask(action, "teo", **answer, heard_ms=1, **more)
        assert refused.value.error == "not_yours"
    assert not linked.said("listening.ended")


def test_who_says_nothing_for_two_minutes_has_ended(linked):
    linked.assigned()
    answer = linked.begin(call=linked.call)
    linked.now += 60
    linked.ask("hearing_continued", **answer, heard_ms=50_000)
    linked.now += SILENT_S - 1
    assert linked.desk.look() is None
    linked.now += 1
    assert linked.desk.look() is not None
    (ended,) = linked.said("listening.ended")
    assert (ended["heard_ms"], ended["cause"], ended["by"]) == (50_000, "lost", LISTENINGS)
    assert linked.desk.look() is None


def test_what_went_on_when_a_hub_ended_goes_on_in_the_next_or_is_lost(linked):
    linked.assigned()
    goes_on, is_lost = linked.begin(call=linked.call), linked.begin(call=linked.call)
    linked.ask("hearing_continued", **is_lost, heard_ms=40_000)
    linked.desk.close()
    linked.clock.now += 100
    with linked.running():
        linked.now += 100
        linked.ask("hearing_continued", **goes_on, heard_ms=90_000)
        linked.now += 20
        while linked.desk.look() is not None:
            pass
        (ended,) = linked.said("listening.ended")
        assert (ended["cause"], ended["heard_ms"]) == ("lost", 40_000)
        linked.ask("hearing_ended", **goes_on, heard_ms=95_000, cause="closed")
        assert linked.said("listening.ended")[-1]["heard_ms"] == 95_000


def test_the_same_request_twice_begins_one(linked):
    """The hub answers what names itself from the store: it is kept there."""
    linked.assigned()
    once = Once.named("ana", "k" * 20, "0f" * 32)
    body = {"action": "hearing_begun", "by": "ana", "purpose": "evaluation", "call": linked.call}
    answer, _ = linked.desk.act(body, once)
    assert Answers(linked.reader, linked.clock).of(once) == answer


def test_nobody_has_more_open_than_a_person_can_hear(linked):
    linked.assigned()
    for _ in range(20):
        assert "listening" in linked.begin(call=linked.call)
    assert linked.begin(call=linked.call)["error"] == "too_many"


def test_either_the_call_or_the_assignment(linked):
    for more in ({}, {"call": linked.call, "of": ("HUB-other", 1, 1)}):
        with pytest.raises(Refused):
            linked.begin(**more)
