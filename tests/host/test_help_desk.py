"""Calls for help at the hub: one has each, the others are told who; nobody who may not takes one;
what is told by the clock is told once; and stations hear how many are before them.
"""

import json
import shutil

import pytest
from diadema.access import Accounts
from diadema.access.roles import THE_HUB
from diadema.base.paths import DataDir
from diadema.hub.actions import Actions
from diadema.hub.commanding import Commands
from diadema.hub.help_desk import EVERY_S, HelpDesk
from diadema.hub.own_journal import ME, Refused
from diadema.ingest.core import Ingest
from diadema.ingest.messages import PREFIX, Message
from diadema.maintenance.rebuild import rebuild
from diadema.site.directory.people import Helper, Topic
from diadema.store import StoreUnavailable, tables
from diadema.store.assistance import help_cases
from diadema.wire.actions import TEXT_CHARACTERS
from diadema.wire.commands import Turn
from diadema.words import text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.json import decode
from sqlalchemy import select

from tests.support.examples import examples
from tests.support.scripted_station import SITE, S, Script

S2 = "DIA-0123456789ac"
BY = {"by": "elena", "who": "Elena Soto"}
LONG_NAME = 'Ñusta "La Ñata" Huamán de los Ríos y Quispe'
TOO = {"by": "sara", "who": "Sara Ruiz"}


class Hub:
    """What one run of the hub has: `again` is the next one, on the same store."""

    def __init__(self, writer, reader, site, clock, data=None):
        self.parts = writer, reader, site, clock, data
        self.clock, self.reader = clock, reader
        self.ingest = Ingest(writer, site, clock)
        self.commands = Commands(self.ingest, None)
        self.desk = HelpDesk(self.ingest, self.commands, reader, data)
        self.acts = Actions(self.ingest, self.commands, reader, None, self.desk)

    def again(self):
        self.desk.close()
        return Hub(*self.parts)

    def take(self, *scripts):
        for script in scripts:
            station = self.ingest.stations.get(script.s)
            journal = station.journals.get(script.e) if station else None
            first = journal.position + 1 if journal else 1
            messages = [script.hello_message(), *script.messages(first)]
            self.ingest.take(messages, "stream", "server")

    def act(self, action, of=None, by=BY, **more):
        asked = {"action": action, **more, **by}
        return self.acts.act(asked | ({"of": of} if of else {}))

    def refused(self, action, of=None, by=BY, **more):
        before = self.said()
        with pytest.raises(Refused) as refusal:
            self.act(action, of, by, **more)
        assert self.said() == before
        return refusal.value

    def said(self):
        return [one.event for one in self.reader.events_of(ME)]

    def levels(self):
        return [(tuple(one["of"]), one["level"]) for one in self.said() if "level" in one]

    def wait(self, seconds):
        self.clock.now += round(seconds * 1000)
        return self.desk.escalate()

    def case(self):
        with self.reader.engine.connect() as tx:
            return help_cases(tx)[-1]


@pytest.fixture
def hub(writer, reader, site, clock):
    made = Hub(writer, reader, site, clock)
    yield made
    made.desk.close()


@pytest.fixture(scope="module")
def staff(tmp_path_factory):
    """Accounts, made once: their passwords are slow on purpose."""
    found = DataDir(tmp_path_factory.mktemp("staff"))
    accounts = Accounts(found)
    for name, role, more in (
        ("elena", "supervisor", {"teams": ["Mañana"]}),
        ("sara", "supervisor", {"teams": ["Mañana"]}),
        ("tito", "supervisor", {"teams": ["Tarde"]}),
        ("mia", "monitor", {"teams": ["Tarde"]}),
        ("teo", "technician", {}),
        ("rosa", "agent", {"agent": "a001"}),
        ("ada", "admin", {}),
        ("nusta", "admin", {}),
    ):
        named = f"Persona {name}" if name != "nusta" else LONG_NAME
        accounts.book.add(THE_HUB, name, named, role, password="clave-1234", **more)
    accounts.close()
    return found


@pytest.fixture
def data(tmp_path, staff):
    found = DataDir(tmp_path)
    found.site.write_text(json.dumps(SITE))
    shutil.copy(staff.accounts, found.accounts)
    return found


@pytest.fixture
def staffed(writer, reader, site, clock, data):
    """A hub with accounts."""
    made = Hub(writer, reader, site, clock, data)
    made.desk.people.helpers["mia"] = Helper(queues=frozenset({"ventas"}))
    yield made
    made.desk.close()


def seated(s=S, agent="a001", **more):
    return Script(s=s, agent=agent, **more).boot().clock().login().ready()


def asks(script, call=None, **more):
    """The press; gives what names it."""
    named = {"c": call} if call else {}
    script.add("help.requested", a=script.agent, **named, **more)
    return [script.s, script.e, script.n]


def in_call(script, c="c1", hold=False):
    script.offer(c).contact("answered", c, via="key", ring_ms=1000)
    return script.contact("held", c, via="key") if hold else script


def now_of(script):
    return script.offset + script.u


@pytest.fixture
def desk(hub):
    script = seated()
    script.of = asks(in_call(script), call="c1")
    hub.take(script)
    hub.clock.now = now_of(script)
    return script


# -- who has it


def test_of_two_who_take_one_the_second_is_told_who_has_it(hub, desk):
    hub.act("help", desk.of, state="accepted")
    refusal = hub.refused("help", desk.of, TOO, state="accepted")
    assert (refusal.error, refusal.status) == ("taken_already", 409)
    said = text("acting.taken_already", "es", **refusal.values)
    assert said.startswith("Elena Soto ya tiene este pedido. Tome otro")
    assert hub.case().taker == ("elena", "Elena Soto")
    # the station tells it, another run of the hub knows it still
    hub.take(desk.add("help.accepted", of=desk.of, i=1, by="Elena Soto"))
    assert hub.again().refused("help", desk.of, TOO, state="accepted").error == "taken_already"


def test_who_has_it_says_so_again_and_anybody_may_solve_it(hub, desk):
    hub.act("help", desk.of, state="accepted")
    hub.act("help", desk.of, state="accepted")
    hub.act("help", desk.of, TOO, state="resolved", result="resuelta")
    for state in ("accepted", "resolved"):
        assert hub.refused("help", desk.of, state=state).error == "no_such_press"
    hub.take(desk.add("help.resolved", of=desk.of, i=3, by="Sara Ruiz", result="resuelta"))
    assert hub.refused("help", desk.of, state="resolved").error == "no_such_press"
    assert hub.case().result(seated=True) == "resuelta"


def test_what_the_station_alone_tells_is_taken_too(hub, desk):
    hub.take(desk.add("help.accepted", of=desk.of, i=9, by="Pía"))
    refusal = hub.refused("help", desk.of, state="accepted")
    assert (refusal.error, refusal.values) == ("taken_already", {"who": "Pía"})


def test_a_hand_over_lets_it_wait_for_the_other_one(hub, desk):
    hub.act("help", desk.of, state="accepted")
    answer, done = hub.act("help_assigned", desk.of, to="sara", reason="sabe de créditos")
    assert answer["i"] is None and done.frames == []
    (event,) = [one for one in hub.said() if one["k"] == "help.assigned"]
    assert (event["by"], event["to"], event["reason"]) == ("elena", "sara", "sabe de créditos")
    case = hub.case()
    assert case.taker is None and case.assigned.assignee == "sara"
    hub.act("help", desk.of, TOO, state="accepted")
    assert hub.case().taker == ("sara", "Sara Ruiz") and hub.case().assigned is None
    assert hub.refused("help", desk.of, state="accepted").values == {"who": "Sara Ruiz"}
    refusal = hub.refused("help_assigned", desk.of, to="sara", reason="x")
    assert (refusal.error, refusal.values) == ("taken_already", {"who": "Sara Ruiz"})
    assert hub.refused("help_assigned", desk.of, to="luz", reason="  ").error == "say_why"


def test_help_for_a_call_that_is_over_is_still_brought(hub, desk):
    desk.contact("ended", "c1", by="caller", on_hold=False).wrapup("started", "c1", 0)
    hub.take(desk)
    assert hub.case().result(seated=True) == "termino_antes"
    _, done = hub.act("help", desk.of, state="accepted")
    assert [json.loads(frame)["state"] for _, frame in done.frames] == ["accepted"]


# -- who may


def test_only_whoever_may_take_it_does(staffed):
    desk = seated()
    of = asks(in_call(desk), call="c1")
    staffed.take(desk)
    for who, error in (
        ("tito", "not_yours"),
        ("teo", "not_yours"),
        ("rosa", "not_yours"),
        ("nobody", "no_account"),
        ("token:none", "no_account"),
    ):
        for action, more in (
            ("help", {"state": "accepted"}),
            ("help", {"state": "resolved"}),
            ("help_assigned", {"to": "sara", "reason": "x"}),
            ("help_noted", {"gap": "missing"}),
            ("message", {"text": "Voy", "reason": "ayuda"}),
        ):
            by = {"by": who, "who": who}
            assert staffed.refused(action, of, by, **more).error == error, (who, action)
    staffed.act("help", of, {"by": "mia", "who": "Mía"}, state="accepted")
    assert staffed.case().taker == ("mia", "Mía")


def test_an_account_called_like_the_hub_has_its_own_rights(staffed, data):
    desk = seated()
    of = asks(desk)
    staffed.take(desk)
    accounts = Accounts(data)
    accounts.book.add(THE_HUB, "hub", "Hub", "supervisor", teams=["Tarde"], password="clave-1234")
    accounts.close()
    refusal = staffed.refused("help", of, {"by": "hub", "who": "Hub"}, state="accepted")
    assert refusal.error == "not_yours"


def test_who_was_disabled_takes_nothing_and_has_nothing(staffed, data):
    desk = seated()
    of = asks(desk)
    staffed.take(desk)
    staffed.act("help", of, state="accepted")
    accounts = Accounts(data)
    accounts.book.disable(THE_HUB, "elena")
    accounts.close()
    refusal = staffed.refused("help", of, state="accepted")
    assert (refusal.error, refusal.status) == ("no_account", 403)
    assert "inhabilitada" in text("acting.no_account", "es", **refusal.values)
    staffed.act("help", of, TOO, state="accepted")
    assert staffed.case().taker == ("sara", "Sara Ruiz")
    assert staffed.refused("help_assigned", of, TOO, to="elena", reason="x").error == "no_account"


def test_it_is_handed_over_to_nobody_who_may_not_take_it(staffed):
    desk = seated()
    of = asks(in_call(desk), call="c1")
    staffed.take(desk)
    for to, error in (
        ("tito", "not_theirs"),
        ("teo", "not_theirs"),
        ("rosa", "not_theirs"),
        ("nobody", "no_account"),
        ("hub", "no_account"),
        ("token:board", "no_account"),
    ):
        assert staffed.refused("help_assigned", of, to=to, reason="x").error == error, to
    staffed.act("help_assigned", of, to="mia", reason="de turno")


def test_a_helper_of_another_topic_may_once_it_was_told_to_the_queue(staffed):
    staffed.desk.people.helpers["mia"] = Helper(
        topics=frozenset({"saldo"}), queues=frozenset({"ventas"})
    )
    desk = seated()
    of = asks(in_call(desk), call="c1")
    staffed.take(desk.add("help.topic", of=of, topic="otro"))
    mia = {"by": "mia", "who": "Mía"}
    assert staffed.refused("help", of, mia, state="accepted").error == "not_yours"
    staffed.clock.now = now_of(desk)
    staffed.wait(60)
    staffed.act("help", of, mia, state="accepted")


def test_a_helper_of_a_queue_takes_those_of_every_name_that_the_switch_has_for_it(staffed):
    staffed.desk.people.switch_queues["Q 200"] = [(0, "ventas")]
    desk = seated().offer("c1", queue="Q 200").contact("answered", "c1", via="key", ring_ms=1000)
    of = asks(desk, call="c1")
    staffed.take(desk)
    staffed.act("help", of, {"by": "mia", "who": "Mía"}, state="accepted")
    assert staffed.case().taker == ("mia", "Mía")


# -- bad input


@pytest.mark.parametrize(
    "of",
    [[S, 7, 1], [S, 7, 99], [S, 8, 6], [S2, 7, 6], ["DIA-ffffffffffff", 7, 6], [ME, 1, 1]],
)
def test_what_is_no_open_request_for_help_is_refused(hub, desk, of):
    hub.take(seated(s=S2, agent="a002"))
    for action, more in (
        ("help", {"state": "accepted"}),
        ("help_assigned", {"to": "sara", "reason": "x"}),
        ("help_noted", {"gap": "wrong"}),
        ("message", {"text": "Voy", "reason": "ayuda"}),
    ):
        refusal = hub.refused(action, of, **more)
        assert (refusal.error, refusal.status) == ("no_such_press", 404)


def test_a_fault_is_no_request_for_help(hub, desk):
    hub.take(desk.add("fault.reported", a="a001"))
    of = [S, desk.e, desk.n]
    assert hub.refused("help", of, state="accepted").error == "no_such_press"
    assert hub.refused("help_noted", of, gap="wrong").error == "no_such_press"


def test_a_press_of_a_desk_that_no_site_names_waits_and_is_taken(hub):
    script = seated(s="DIA-ffffffffffff", agent="a002")
    of = asks(script)
    hub.take(script)
    hub.clock.now = now_of(script)
    hub.wait(200)
    assert hub.levels() == [(tuple(of), 1), (tuple(of), 2)]
    hub.act("help", of, state="accepted")


@pytest.mark.parametrize("result", ["resuelto", "", "resuelta\n", "__class__", "x" * 24])
def test_a_result_of_no_catalogue_is_refused(hub, desk, result):
    before = hub.said()
    with pytest.raises(Exception) as error:
        hub.act("help", desk.of, state="resolved", result=result)
    assert getattr(error.value, "error", "no word") in ("no_such_result", "no word")
    assert hub.said() == before
    refusal = hub.refused("help", desk.of, state="resolved", result="resuelto")
    assert (refusal.status, refusal.values["allowed"].split(", ")[0]) == (422, "resuelta")


def test_an_answer_goes_to_the_agent_who_asked_and_fits_the_station(hub, desk):
    _, done = hub.act("message", desk.of, text="Es la opción 3", reason="ayuda")
    ((s, frame),) = done.frames
    assert (s, json.loads(frame)["agent"]) == (S, "a001")
    (act,) = [one for one in hub.case().acts if one.action == "message"]
    assert (act.by, act.m) == ("elena", json.loads(frame)["m"])
    assert hub.case().taker is None
    hub.take(seated(s=S2, agent="a002"))
    other = hub.refused("message", desk.of, agents=["a002"], text="x", reason="y")
    assert other.error == "not_yours"
    for word in ("😀" * 84, "a\x07b"):
        refusal = hub.refused("message", desk.of, text=word, reason="ayuda")
        assert refusal.error in ("text_size", "hidden")
    assert hub.refused("message", text="x", reason="y").error == "bad_request"


# -- what was learnt


@pytest.mark.parametrize("told", [False, True])
def test_what_came_of_it_may_be_said_after_it_was_solved(hub, desk, told):
    of = desk.of
    hub.act("help", of, state="resolved")
    if told:
        desk.add("help.resolved", of=of, i=1, by="Elena Soto")
        hub.take(desk)
    answer, done = hub.act("help", of, state="resolved", result="parcial")
    assert (answer["i"], done.frames) == (None, [])  # the station is told nothing more
    assert hub.case().result(seated=True) == "parcial"
    hub.act("help_noted", of, gap="wrong")
    assert hub.case().note.gap == "wrong"
    assert hub.refused("help", of, state="resolved", result="nada").error == "no_such_result"
    assert hub.refused("help", of, state="accepted").error == "no_such_press"


def test_a_gap_is_of_the_playbook_that_the_call_had(hub, desk):
    desk.contact("playbook", "c1", playbook="saldos", version=4)
    hub.take(desk)
    hub.act("help_noted", desk.of, gap="unclear", text="No dice qué hacer")
    note = hub.case().note
    assert (note.gap, note.playbook, note.version) == ("unclear", "saldos", "4")
    assert hub.case().text == "No dice qué hacer"
    hub.act("help_noted", desk.of, TOO, gap="wrong", playbook="otro", version="2")
    note = hub.case().note
    assert (note.gap, note.playbook, note.version, note.by) == ("wrong", "otro", "2", "sara")


def test_a_gap_is_noted_after_call_and_request_are_over(hub, desk):
    desk.contact("playbook", "c1", playbook="saldos", version=4)
    desk.add("help.resolved", of=desk.of, i=3, by="Elena")
    desk.contact("ended", "c1", by="caller", on_hold=False).wrapup("started", "c1", 0)
    desk.wrapup("ended", "c1", cause="agent")
    for n in range(40):
        desk.call(f"later{n}")
        desk.add("help.requested", a="a001").add("help.cancelled", of=[S, desk.e, desk.n])
    hub.take(desk)
    assert desk.of[2] not in [one.sequence for one in hub.ingest.station(S).state.presses]
    hub.act("help_noted", desk.of, gap="missing")
    with hub.reader.engine.connect() as tx:
        case = next(one for one in help_cases(tx) if one.press.sequence == desk.of[2])
    assert (case.note.playbook, case.note.version) == ("saldos", "4")


def test_a_long_note_is_kept_whole_and_an_empty_one_is_none(hub, desk):
    long = "ñandú " * (TEXT_CHARACTERS // 6)
    hub.act("help_noted", desk.of, gap="none", text=long)
    assert hub.case().text == long.strip() and hub.case().note.gap == "none"
    assert sum(bool(one.gap) for one in hub.case().steps) == 1
    for empty in ({}, {"text": "  "}):
        assert hub.refused("help_noted", desk.of, **empty).error == "nothing_noted"


def test_all_of_it_comes_again_from_the_events(hub, desk, tmp_path):
    hub.act("help", desk.of, state="accepted")
    hub.act("help_assigned", desk.of, to="sara", reason="x")
    hub.act("help_noted", desk.of, gap="none", text="Se explicó " * 40)
    hub.wait(500)
    before = hub.case()
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))
    assert rebuild(data, hub.clock, apply=True).differences == []
    assert hub.case() == before and before.level == 2


# -- by the clock


def test_it_is_told_to_more_people_when_nobody_comes(hub, desk):
    of = tuple(desk.of)
    assert hub.wait(59.9) is None
    hub.wait(0.1)
    (event,) = hub.said()
    assert event | {"k": "help.escalated", "by": "rule:help_wait", "level": 1} == event
    assert event["of"] == desk.of
    assert hub.wait(89.9) is None
    hub.wait(0.1)
    assert hub.levels() == [(of, 1), (of, 2)] and hub.case().level == 2
    assert hub.wait(3600) is None and hub.again().wait(3600) is None


def test_a_caller_on_hold_waits_half_as_long(hub):
    script = in_call(seated(), hold=True)
    of = tuple(asks(script, call="c1"))
    hub.take(script)
    hub.clock.now = now_of(script)
    assert hub.wait(29.9) is None
    hub.wait(0.1)
    assert hub.levels() == [(of, 1)]
    hub.take(script.contact("resumed", "c1", via="key"))
    assert hub.wait(60) is None
    hub.take(script.contact("held", "c1", via="key"))
    hub.wait(0)
    assert hub.levels() == [(of, 1), (of, 2)]


def test_a_topic_has_limits_of_its_own(hub, desk):
    hub.desk.people.topics["saldo"] = Topic(label="Saldo", escalate_s=10, alert_s=20)
    hub.take(desk.add("help.topic", of=desk.of, topic="saldo"))
    hub.wait(10)
    assert [level for _, level in hub.levels()] == [1]
    hub.wait(10)
    assert [level for _, level in hub.levels()] == [1, 2]


@pytest.mark.parametrize("ended", ["taken", "solved", "cancelled", "told by the station"])
def test_nobody_is_told_of_one_to_whom_somebody_comes(hub, desk, ended):
    match ended:
        case "taken":
            hub.act("help", desk.of, state="accepted")
        case "solved":
            hub.act("help", desk.of, state="resolved")
        case "cancelled":
            hub.take(desk.add("help.cancelled", of=desk.of))
        case _:
            hub.take(desk.add("help.accepted", of=desk.of, i=3, by="Pía"))
    assert hub.wait(1000) is None


def test_who_does_not_come_to_what_was_handed_over_is_waited_for_anew(hub, desk):
    hub.act("help", desk.of, state="accepted")
    hub.wait(500)
    hub.act("help_assigned", desk.of, to="sara", reason="x")
    assert hub.wait(59) is None
    hub.wait(1)
    assert [level for _, level in hub.levels()] == [1]


def test_only_the_newest_of_a_desk_waits(hub, desk):
    newer = tuple(asks(desk))
    hub.take(desk)
    hub.wait(100)
    assert hub.levels() == [(newer, 1)]


@pytest.mark.parametrize("jump_s", [-7200, -60, 0])
def test_of_a_clock_that_jumps_back_the_wait_begins_again_and_ends(hub, desk, jump_s):
    of = tuple(desk.of)
    hub.wait(40)
    hub.wait(jump_s)
    hub.wait(60)
    assert hub.levels()[:1] == [(of, 1)]
    hub.wait(90)
    hub.wait(-7200)
    assert hub.wait(7200 + 600) is None
    assert hub.levels() == [(of, 1), (of, 2)]


def test_a_press_whose_time_nobody_knows_waits_from_when_it_is_heard(hub):
    script = Script().boot().login().ready()
    of = tuple(asks(script))
    hub.take(script)
    assert hub.wait(0) is None and hub.wait(59) is None
    hub.wait(1)
    assert hub.levels() == [(of, 1)]


_TURNS = st.lists(
    st.sampled_from(["wait", "restart", "back", "full", "hold", "take", "other"]), max_size=14
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(25))
@given(turns=_TURNS)
def test_whenever_the_hub_ends_each_is_told_once(tmp_path_factory, turns):
    """Restarts, clocks that jump, a store that takes nothing: no level twice, none left out."""
    from diadema.site import description
    from diadema.store import open_reader, open_writer

    from tests.support.scripted_station import FixedClock

    folder = tmp_path_factory.mktemp("turns")
    writer = open_writer(folder / "store.sqlite3")
    reader = open_reader(folder / "store.sqlite3")
    site = description.parse(json.dumps(SITE).encode())
    hub = Hub(writer, reader, site, FixedClock())
    script, other = in_call(seated()), seated(s=S2, agent="a002")
    ofs = [tuple(asks(script, call="c1")), tuple(asks(other))]
    hub.take(script, other)
    hub.clock.now = now_of(script)
    taken = False
    for turn in turns:
        match turn:
            case "wait":
                hub.wait(31)
            case "restart":
                hub = hub.again()
            case "back":
                hub.clock.now -= 20_000
            case "full":
                _fail(hub)
            case "hold" if hub.ingest.station(S).state.open[0].phase != "held":
                hub.take(script.contact("held", "c1", via="key"))
            case "take" if not taken:
                hub.act("help", list(ofs[1]), state="accepted")
                taken = True
            case "other":
                hub.act("note", a="a001", kind="orientacion")
    for _ in range(2):
        hub.wait(300)
        hub = hub.again()
    told = hub.levels()
    assert len(told) == len(set(told))
    due = {(ofs[0], 1), (ofs[0], 2)} | (set() if taken else {(ofs[1], 1), (ofs[1], 2)})
    assert due <= set(told) <= {(of, level) for of in ofs for level in (1, 2)}
    numbers = [one["n"] for one in hub.said()]
    assert numbers == [*range(1, len(numbers) + 1)]
    reader.close()
    writer.close()


def _fail(hub):
    """It is due while the store takes nothing."""
    usual = hub.ingest.writer.behind._write

    def full(batch):
        raise StoreUnavailable("disk full")

    hub.ingest.writer.behind._write = full
    try:
        hub.wait(31)
    except StoreUnavailable:
        pass
    finally:
        hub.ingest.writer.behind._write = usual


# -- stations


@pytest.fixture
def seconds(monkeypatch):
    passed = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: passed[0])
    return passed


def told(frames):
    found = []
    for s, frame in frames:
        assert decode(frame, type=Turn).i == 0
        body = json.loads(frame)
        assert (body.pop("cmd"), body.pop("i")) == ("turn", 0)
        found.append((s, body))
    return found


def test_a_station_hears_how_many_are_before_it_when_that_changes(hub, desk, seconds):
    other = seated(s=S2, agent="a002")
    other.offer("d1").contact("answered", "d1", via="key", ring_ms=1000)
    of = asks(other, call="d1")
    hub.take(other)
    hub.clock.now = now_of(other)
    assert told(hub.desk.turns()) == [
        (S, {"of": desk.of[2], "ahead": 0}), (S2, {"of": of[2], "ahead": 1}),
    ]  # fmt: skip
    hub.act("help", desk.of, state="accepted")
    assert hub.desk.turns() == []  # once a second at most
    seconds[0] += EVERY_S
    assert told(hub.desk.turns()) == [(S2, {"of": of[2], "ahead": 0})]
    seconds[0] += EVERY_S
    assert hub.desk.turns() == []
    hub.act("help_assigned", desk.of, to="sara", reason="x")
    seconds[0] += EVERY_S
    assert told(hub.desk.turns()) == [
        (S, {"of": desk.of[2], "ahead": 0, "to": "sara"}),
        (S2, {"of": of[2], "ahead": 1}),
    ]  # fmt: skip
    hub.desk.greeted([S])
    seconds[0] += EVERY_S
    assert [s for s, _ in told(hub.desk.turns())] == [S]


def test_who_has_no_link_is_told_nothing_until_it_is_there(hub, desk, seconds):
    gone = Message(99, f"{PREFIX}gw-test.{S}.st", b'{"up":false}')
    hub.ingest.take([gone], "stream", "server")
    assert hub.desk.turns() == []
    hub.take(desk)
    seconds[0] += EVERY_S
    assert [s for s, _ in told(hub.desk.turns())] == [S]


def test_the_name_of_who_is_to_come_fits_the_screen(staffed, seconds):
    desk = seated()
    of = asks(desk)
    staffed.take(desk)
    staffed.act("help_assigned", of, to="nusta", reason="x")
    ((_, turn),) = told(staffed.desk.turns())
    assert turn["to"].startswith("Ñusta 'La Ñata'") and len(turn["to"].encode()) <= 32


def test_a_thousand_requests(hub, seconds):
    scripts = [
        seated(s=f"DIA-{n:012x}", agent=f"b{n:04}").add("help.requested", a=f"b{n:04}")
        for n in range(1000)
    ]
    hub.take(*scripts)
    hub.clock.now = now_of(scripts[0])
    turns = told(hub.desk.turns())
    assert sorted(turn["ahead"] for _, turn in turns) == [*range(99), *[99] * 901]
    hub.act("help", [scripts[0].s, 7, scripts[0].n], state="accepted")
    seconds[0] += EVERY_S
    assert len(told(hub.desk.turns())) == 99  # of the others nothing that is shown changed
    rounds = 0
    while hub.wait(150 if rounds == 0 else 0) is not None:
        rounds += 1
    assert rounds == 20
    assert len(hub.levels()) == len(set(hub.levels())) == 2 * 999
    with hub.reader.engine.connect() as tx:
        assert len(tx.execute(select(tables.help_steps)).all()) == 2 * 999
