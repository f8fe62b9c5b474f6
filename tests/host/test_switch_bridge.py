"""The bridge between stations and an exchange, each of whom a test plays: what a key makes the
exchange do, what the exchange makes a station do, and who is in which queue.
"""

import asyncio
import json

import pytest
from diadema.site.directory.people import Area, People, Worker
from diadema.switch.bridge import Bridge
from diadema.switch.dialing import Guard
from diadema.switch.exchange import (
    Consulted,
    Down,
    Ended,
    Joined,
    Listening,
    Member,
    MemberSeen,
    Offered,
    Phone,
    PhoneFailed,
    SwitchError,
    SwitchEvent,
    SwitchRefused,
    Up,
    Withdrawn,
)
from diadema.switch.hub_link import HubAway, HubSaysNo
from diadema.switch.journal import Journal
from diadema.switch.names import Names
from diadema.wire.events import QueueEntered
from diadema.wire.switching import Floor, OpenContact, SeatState
from diadema.words import Sentence, said

from tests.support.scripted_station import T0, FixedClock

S1, S2 = "DIA-0123456789ab", "DIA-0123456789ac"
CALL, PBX = "1795.4", "1795.1"
VERBS = (
    "answer", "hold", "resume", "hang_up", "reject", "consult", "swap", "confer", "hand_over",
    "drop", "transfer", "mute", "record", "dial", "set_member", "set_busy", "listen",
    "set_phone", "take_calls",
)  # fmt: skip


class Played:
    """An exchange: it notes what it is asked, and refuses what a test says."""

    def __init__(self):
        self.asked, self.refuses, self.version = [], {}, "11.0.0"

    def __getattr__(self, verb):
        if verb not in VERBS:
            raise AttributeError(verb)

        async def asked(*given):
            self.asked.append((verb, *given))
            if verb in self.refuses:
                raise self.refuses[verb]

        return asked


class PlayedHub:
    def __init__(self):
        self.commands, self.refuses, self._i = [], None, 0

    async def command(self, station, cmd, **fields):
        if self.refuses is not None:
            raise self.refuses
        self._i += 1
        self.commands.append((station, cmd, {k: v for k, v in fields.items() if v is not None}))
        return self._i


class Stage:
    def __init__(self, tmp_path, *, puts_right=False):
        people = People(
            workers={
                "a001": Worker(
                    id="a001", name="Rosa Demo", queues=["ventas", "cobros"], penalty=2
                ),
                "a002": Worker(id="a002", name="Luis Demo", queues=["ventas"]),
            },
            queues={"ventas": "Ventas", "cobros": "Cobros"},
            switch_queues={"601": [(0, "ventas")]},
            areas={
                "soporte": Area(label="Soporte", number="700"), "mudo": Area(label="Sin número"),
            },
            seats={S1: "P-01", S2: "P-02"},
            phones={S1: ("PJSIP/101", "auto_answer")},
        )  # fmt: skip
        self.clock = FixedClock()
        self.journal = Journal(tmp_path / "switch.sqlite3", "central")
        self.bridge = Bridge(
            lambda: Names(people), self.journal, self.clock, puts_right=puts_right,
            guard=Guard(["9XXXXXXXX"], 2, self.clock.now_ms, self.journal),
            reference=lambda number: f"{hash(number):032x}"[-32:],
        )  # fmt: skip
        self.exchange = self.bridge.exchange = Played()
        self.hub = self.bridge.hub = PlayedHub()
        self.events = 0

    async def settle(self):
        for _ in range(500):
            if not self.bridge._lines:
                return
            await asyncio.sleep(0)
        raise AssertionError("it never ends")

    async def said(self, what, /, s=S1, **fields):
        """A station's event."""
        self.bridge.station_said({"s": s, "k": what, "t": self.clock.now_ms(), **fields})
        await self.settle()

    async def heard(self, *all_of_it):
        for one in all_of_it:
            self.bridge.hear(one)
        await self.settle()

    async def here(self, *states):
        """Exchange and hub are there, with these seats."""
        await self.bridge.floor(Floor(number=0, seats=[*states]))
        await self.heard(Up(frozenset()))
        self.exchange.asked.clear()

    async def offered(self, call=CALL, member="a001", **more):
        await self.heard(Offered(call, PBX, PBX, "601", member, **more))

    async def contact(self, what, /, call=CALL, **fields):
        await self.said(f"contact.{what}", c=call, a="a001", **fields)

    @property
    def troubles(self):
        return [said(Sentence.of(one.sentence), "en") for one in self.bridge.report().troubles]


def ready(station=S1, agent="a001", **more):
    return SeatState(station=station, agent=agent, presence="ready", **more)


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    yield made
    made.journal.close()


async def test_a_call_rings_where_its_agent_sits_and_the_key_answers_it(stage):
    await stage.here(ready(), ready(S2, "a002"))
    await stage.offered(reference="ab" * 16)
    ring = {"contact": CALL, "queue": "ventas", "pbx": PBX, "reference": "ab" * 16}
    assert stage.hub.commands == [(S1, "ring", ring)]
    await stage.contact("offered", via="host", i=1)
    await stage.contact("answered", via="key")
    assert ("answer", CALL, Phone("PJSIP/101")) in stage.exchange.asked
    assert ("set_busy", "a001", True) in stage.exchange.asked
    await stage.heard(Joined(CALL))
    await stage.contact("ended", by="agent")
    assert stage.exchange.asked[-1] == ("hang_up", CALL)
    await stage.said("wrapup.started", c=CALL)
    assert ("set_busy", "a001", False) not in stage.exchange.asked
    await stage.said("wrapup.ended", c=CALL)
    assert stage.exchange.asked[-1] == ("set_busy", "a001", False)
    assert not stage.troubles


KEYS = [
    ("held", {"via": "key"}, ("hold", CALL)),
    ("resumed", {"via": "key"}, ("resume", CALL)),
    ("muted", {"via": "key"}, ("mute", CALL, True)),
    ("unmuted", {"via": "key"}, ("mute", CALL, False)),
    ("recording_paused", {"via": "key"}, ("record", CALL, False)),
    ("recording_resumed", {"via": "key"}, ("record", CALL, True)),
    ("consulted", {"via": "key", "area": "soporte", "heard": "area"}, ("consult", CALL, "700")),
    (
        "transferred",
        {"via": "key", "kind": "blind", "target": "soporte", "completed": True},
        ("transfer", CALL, "700"),
    ),
    ("ended", {"by": "agent"}, ("hang_up", CALL)),
]


@pytest.mark.parametrize(("what", "fields", "asked"), KEYS, ids=[one[0] for one in KEYS])
async def test_each_key_makes_the_exchange_follow(stage, what, fields, asked):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    stage.exchange.asked.clear()
    await stage.contact(what, **fields)
    assert stage.exchange.asked == [asked]


async def test_a_consultation_from_its_first_key_to_the_hand_over(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    stage.exchange.asked.clear()
    for heard in ("area", "caller", "area"):
        await stage.contact("consulted", via="key", area="soporte", heard=heard)
    await stage.contact(
        "transferred", via="key", kind="conference", target="soporte", completed=True
    )
    await stage.contact(
        "transferred", via="key", kind="consulted", target="soporte", completed=True
    )
    await stage.contact("ended", by="transfer")
    assert stage.exchange.asked == [
        ("consult", CALL, "700"), ("swap", CALL), ("swap", CALL), ("confer", CALL),
        ("hand_over", CALL),
    ]  # fmt: skip


@pytest.mark.parametrize("result", ["back", "dropped"])
async def test_a_consultation_that_ends_brings_the_caller_back(stage, result):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    await stage.contact("consulted", via="key", area="soporte", heard="area")
    await stage.contact("consult_ended", via="key", result=result)
    assert stage.exchange.asked[-1] == ("drop", CALL)


async def test_an_area_that_hangs_up_is_told_to_the_station_and_not_dropped_again(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    await stage.contact("consulted", via="key", area="soporte", heard="area")
    await stage.heard(Consulted(CALL, "dropped"))
    assert stage.hub.commands[-1] == (S1, "consult_end", {"contact": CALL, "result": "dropped"})
    await stage.contact("consult_ended", via="host", result="dropped")
    assert ("drop", CALL) not in stage.exchange.asked


async def test_an_area_without_a_number_fails_and_is_told(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    await stage.contact("consulted", via="key", area="mudo", heard="area")
    assert stage.hub.commands[-1] == (S1, "consult_end", {"contact": CALL, "result": "failed"})
    assert "mudo" in stage.troubles[-1]


@pytest.mark.parametrize("cause", ["caller_gave_up", "withdrawn", "no_answer"])
async def test_what_the_exchange_takes_back_stops_ringing(stage, cause):
    await stage.here(ready())
    await stage.offered()
    await stage.heard(Withdrawn(CALL, cause))
    assert stage.hub.commands[-1] == (S1, "withdraw", {"contact": CALL, "cause": cause})
    await stage.contact("missed", cause=cause)
    assert not stage.exchange.asked


@pytest.mark.parametrize("cause", ["no_answer", "rejected", "technical"])
async def test_what_the_agent_does_not_take_goes_on_to_the_next(stage, cause):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("missed", cause=cause)
    assert stage.exchange.asked == [("reject", CALL)]


async def test_a_key_and_a_withdrawal_that_cross_end_as_a_technical_one(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    await stage.heard(Withdrawn(CALL, "caller_gave_up"))
    assert stage.hub.commands[-1] == (S1, "failed", {"contact": CALL})


async def test_a_telephone_that_is_not_there_fails_the_call_and_frees_the_member(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    await stage.heard(PhoneFailed(CALL))
    assert stage.hub.commands[-1] == (S1, "failed", {"contact": CALL})
    assert "P-01" in stage.troubles[-1]
    await stage.contact("ended", by="technical")
    assert ("hang_up", CALL) not in stage.exchange.asked
    assert ("set_busy", "a001", False) not in stage.exchange.asked, "it would ring again at once"
    await stage.said("presence.changed", a="a001", to="not_ready", reason="fault")
    assert [one[0] for one in stage.exchange.asked[-3:]] == [
        "set_member",
        "set_member",
        "set_busy",
    ]
    assert stage.exchange.asked[-1] == ("set_busy", "a001", False)


@pytest.mark.parametrize("error", [SwitchRefused("answer", "no", 404), SwitchError("away")])
async def test_an_exchange_that_does_not_join_them_fails_the_call(stage, error):
    await stage.here(ready())
    stage.exchange.refuses["answer"] = error
    await stage.offered()
    await stage.contact("answered", via="key")
    assert stage.hub.commands[-1] == (S1, "failed", {"contact": CALL})


async def test_a_seat_without_a_telephone_takes_no_call(stage):
    await stage.here(ready(S2, "a002"))
    await stage.offered(member="a002")
    await stage.said("contact.answered", s=S2, c=CALL, via="key")
    assert ("reject", CALL) in stage.exchange.asked
    assert stage.hub.commands[-1] == (S2, "failed", {"contact": CALL})
    assert "P-02" in stage.troubles[-1]


@pytest.mark.parametrize("by", ["caller", "system"])
async def test_what_ends_at_the_exchange_ends_at_the_station(stage, by):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    await stage.heard(Ended(CALL, by))
    assert stage.hub.commands[-1] == (S1, "hangup", {"contact": CALL, "by": by})
    await stage.contact("ended", by=by)
    assert ("hang_up", CALL) not in stage.exchange.asked
    assert stage.bridge.report().calls == 0


async def test_whoever_hung_up_is_not_told_that_it_ended(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    commands = len(stage.hub.commands)
    await stage.contact("ended", by="agent")
    await stage.heard(Ended(CALL, "agent"))
    assert len(stage.hub.commands) == commands


@pytest.mark.parametrize("member", ["a002", "nobody-known", "a|b;\"'ñ"])
async def test_a_call_for_somebody_who_is_not_there_goes_back(stage, member):
    await stage.here(ready())
    await stage.offered(member=member)
    assert stage.exchange.asked == [("reject", CALL)]
    assert not stage.hub.commands
    assert member in stage.troubles[-1]


async def test_an_agent_at_two_seats_is_in_no_queue_and_rung_at_none(stage):
    await stage.here(ready(), ready(S2, "a001"))
    await stage.offered()
    assert stage.exchange.asked == [("reject", CALL)]
    assert not stage.hub.commands


async def test_a_station_that_refuses_to_ring_gives_the_call_back(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.said("command.refused", i=1, command="ring", reason="busy")
    assert stage.exchange.asked == [("reject", CALL)]
    assert stage.bridge.report().calls == 0


@pytest.mark.parametrize("error", [HubAway("away"), HubSaysNo("no")])
async def test_a_hub_that_does_not_answer_gives_the_call_back(stage, error):
    await stage.here(ready())
    stage.hub.refuses = error
    await stage.offered()
    assert stage.exchange.asked == [("reject", CALL)]


# -- queues


def members(stage, *which):
    return [one for one in stage.exchange.asked if one[0] in ("set_member", *which)]


async def test_a_login_enters_its_queues_paused_and_each_reason_has_its_name(stage):
    await stage.here()
    await stage.said("session.opened", a="a001")
    assert members(stage) == [
        ("set_member", Member("a001", "601", True, "", 2), True),
        ("set_member", Member("a001", "cobros", True, "", 2), True),
    ]
    for to, reason, paused in [
        ("ready", None, False), ("not_ready", "refrigerio", True), ("ready", None, False),
        ("not_ready", "ss_hh", True),
    ]:  # fmt: skip
        stage.exchange.asked.clear()
        await stage.said("presence.changed", **{"a": "a001", "to": to, "reason": reason})
        assert members(stage) == [
            ("set_member", Member("a001", queue, paused, reason or "", 2), True)
            for queue in ("601", "cobros")
        ]
    stage.exchange.asked.clear()
    await stage.said("session.closed", a="a001")
    assert {one[1].queue for one in members(stage) if not one[2]} == {"601", "cobros"}


async def test_what_is_so_already_is_not_asked_again(stage):
    await stage.here(ready())
    await stage.said("presence.changed", a="a001", to="ready", reason=None)
    assert not members(stage)


async def test_a_member_that_somebody_paused_at_the_exchange_is_told_and_left(stage):
    await stage.here(ready())
    await stage.heard(MemberSeen(Member("a001", "601", True, "consola", 2)))
    assert "Rosa Demo" in stage.troubles[-1]
    assert not members(stage)
    (state,) = [one for one in stage.bridge.report().members if one.queue == "601"]
    assert (state.paused, state.reason, state.wanted) == (True, "consola", "ready")


@pytest.mark.parametrize("there", [True, False])
async def test_or_put_right_where_the_site_wants_it(tmp_path, there):
    stage = Stage(tmp_path, puts_right=True)
    await stage.here(ready())
    await stage.heard(MemberSeen(Member("a001", "601", True, "consola", 2), there))
    assert members(stage) == [("set_member", Member("a001", "601", False, "", 2), True)]
    stage.journal.close()


async def test_a_member_of_nobody_of_ours_is_left_alone(tmp_path):
    stage = Stage(tmp_path, puts_right=True)
    await stage.here()
    await stage.heard(MemberSeen(Member("SIP/999", "601", True)))
    assert not stage.exchange.asked
    assert not stage.troubles
    stage.journal.close()


async def test_our_own_changes_are_nobody_elses(stage):
    await stage.here()
    await stage.said("session.opened", a="a002", s=S2)
    await stage.heard(MemberSeen(Member("a002", "601", True)))
    await stage.said("presence.changed", s=S2, a="a002", to="ready", reason=None)
    await stage.heard(MemberSeen(Member("a002", "601", False)))
    assert not stage.troubles


# -- after one of them was away


async def test_an_exchange_that_comes_back_without_a_call_ends_it_at_the_station(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    await stage.offered("1795.9")
    await stage.heard(Down(SwitchError("away")))
    stage.hub.commands.clear()
    await stage.heard(Up(frozenset()))
    assert sorted(stage.hub.commands, key=str) == [
        (S1, "hangup", {"contact": CALL, "by": "system"}),
        (S1, "withdraw", {"contact": "1795.9", "cause": "withdrawn"}),
    ]
    await stage.contact("ended", by="system")
    assert stage.bridge.report().calls == 0


async def test_an_exchange_that_still_has_it_goes_on_with_it(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    await stage.heard(Down(SwitchError("away")))
    stage.hub.commands.clear()
    await stage.heard(Up(frozenset({CALL})))
    assert not stage.hub.commands
    await stage.contact("held", via="key")
    assert stage.exchange.asked[-1] == ("hold", CALL)


async def test_a_bridge_that_begins_anew_finds_its_calls_again(tmp_path):
    before = Stage(tmp_path)
    await before.here(ready())
    await before.offered()
    await before.contact("answered", via="key")
    before.journal.close()
    stage = Stage(tmp_path)
    talking = OpenContact(contact=CALL, phase="talking", direction="in", pbx=PBX)
    other = OpenContact(contact="by-hand", phase="talking", direction="in")
    await stage.bridge.floor(Floor(number=4, seats=[ready(open=[talking, other])]))
    await stage.heard(Up(frozenset({CALL, "1795.20"})))
    assert ("reject", "1795.20") in stage.exchange.asked, "an orphan, of which no station knows"
    assert ("set_busy", "a001", True) in stage.exchange.asked
    assert not stage.hub.commands, "nothing ends, and what is none of ours is left alone"
    await stage.contact("ended", by="agent")
    assert stage.exchange.asked[-1] == ("hang_up", CALL)
    stage.journal.close()


async def test_what_is_old_changes_nothing(stage):
    await stage.here(ready())
    await stage.offered()
    stage.bridge.station_said(
        {"s": S1, "k": "contact.ended", "c": CALL, "by": "agent", "t": T0 - 1}
    )
    stage.bridge.station_said({"s": S1, "k": "session.closed", "a": "a001", "t": T0 - 86_400_000})
    await stage.settle()
    assert not members(stage)


async def test_a_fault_of_ours_in_one_call_stops_no_other(stage):
    await stage.here(ready(), ready(S2, "a002"))
    stage.exchange.refuses["hold"] = ZeroDivisionError()
    await stage.offered()
    await stage.contact("answered", via="key")
    await stage.contact("held", via="key")
    await stage.contact("resumed", via="key")
    assert stage.exchange.asked[-1] == ("resume", CALL)


# -- its journal


def entered(n):
    return QueueEntered(
        station="", epoch=0, sequence=1, boot=0, uptime_ms=0, utc_ms=T0 + n, pbx=f"1795.{n}",
        queue="ventas",
    )  # fmt: skip


async def test_what_the_exchange_tells_is_numbered_without_a_gap_across_its_end(tmp_path):
    stage = Stage(tmp_path)
    await stage.heard(*(SwitchEvent(entered(n)) for n in range(3)))
    assert stage.bridge.report().unsent == 3
    assert stage.bridge.unsent.is_set()
    epoch = stage.journal.epoch
    stage.journal.close()
    journal = Journal(tmp_path / "switch.sqlite3", "central")
    journal.append([entered(3)])
    bodies = [json.loads(body) for body in journal.unsent(10)]
    assert [(one["s"], one["e"], one["n"]) for one in bodies] == [
        ("PBX-central", epoch, n) for n in (1, 2, 3, 4)
    ]
    journal.stored(3)
    assert [json.loads(body)["n"] for body in journal.unsent(10)] == [4]
    journal.close()


def test_a_hub_put_back_from_a_copy_gets_the_rest_under_another_epoch(tmp_path):
    journal = Journal(tmp_path / "switch.sqlite3", "central")
    journal.append([entered(n) for n in range(5)])
    journal.stored(3)
    before = journal.epoch
    journal.stored(1)
    bodies = [json.loads(body) for body in journal.unsent(10)]
    assert [(one["n"], one["pbx"]) for one in bodies] == [(1, "1795.3"), (2, "1795.4")]
    assert {one["e"] for one in bodies} == {journal.epoch} != {before}
    journal.close()


async def test_whoever_listens_in_is_noted(stage, tmp_path):
    await stage.heard(Listening("1795.1", "PJSIP/900", True, T0))
    rows = [*stage.journal._tx.execute("SELECT * FROM listening")]
    assert rows == [("1795.1", "PJSIP/900", 1, T0)]
