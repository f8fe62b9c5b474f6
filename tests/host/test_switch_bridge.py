"""The bridge between stations and an exchange, each of whom a test plays: what a key makes the
exchange do, what the exchange makes a station do, and who is in which queue.
"""

import asyncio
import json

import msgspec
import pytest
from diadema.base.credentials import Secrets
from diadema.base.errors import DiademaError
from diadema.site.directory.people import Area, People, Reason, Worker
from diadema.switch.asterisk.exchange import Asterisk
from diadema.switch.bridge import Bridge
from diadema.switch.dialing import Guard
from diadema.switch.exchange import (
    Consulted,
    Down,
    Ended,
    Joined,
    Known,
    Listener,
    Listening,
    Member,
    MemberElsewhere,
    MemberSeen,
    Offered,
    Phone,
    PhoneFailed,
    PhoneSeen,
    Standing,
    SwitchError,
    SwitchEvent,
    SwitchRefused,
    Up,
    Withdrawn,
)
from diadema.switch.hub_link import HubAway, HubSaysNo
from diadema.switch.journal import Journal
from diadema.switch.names import Names
from diadema.switch.settings import Settings
from diadema.wire.commands import Ring
from diadema.wire.events import (
    QueueAbandoned,
    QueueConnected,
    QueueEntered,
    QueueLeft,
    RecordingStarted,
    RecordingStopped,
)
from diadema.wire.switching import Floor, Listen, OpenContact, SeatState
from diadema.words import Sentence, said

from tests.support.scripted_station import T0, FixedClock

S1, S2, S3 = "DIA-0123456789ab", "DIA-0123456789ac", "DIA-0123456789ad"
CALL, PBX = "1795.4", "1795.1"
VERBS = (
    "answer", "hold", "resume", "hang_up", "reject", "consult", "swap", "confer", "hand_over",
    "drop", "transfer", "mute", "record", "dial", "set_member", "set_busy", "listen",
    "end_listening", "set_phone", "take_calls",
)  # fmt: skip


class Played:
    """An exchange: it notes what it is asked, and refuses what a test says."""

    def __init__(self):
        self.asked, self.refuses, self.version = [], {}, "11.0.0"
        self.stands = {}  # calls that are not as they were left
        self.listening = []

    def listeners(self):
        return self.listening

    def standing(self, call):
        return self.stands.get(call, Standing())

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
        self.commands, self.refuses, self._i, self.asked_anew = [], None, 0, 0
        self.hurried = 0

    def report_at_once(self):
        self.hurried += 1

    def ask_anew(self):
        self.asked_anew += 1

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
                "a003": Worker(id="a003", name="Nora Demo", queues=["ventas"]),
            },
            queues={"ventas": "Ventas", "cobros": "Cobros"},
            switch_queues={"601": [(0, "ventas")]},
            areas={
                "soporte": Area(label="Soporte", number="700"), "mudo": Area(label="Sin número"),
            },
            aliases={"Rosa D.": [(0, "a001")]},
            seats={S1: "P-01", S2: "P-02", S3: "P-03"},
            phones={S1: ("PJSIP/101", "auto_answer"), S2: ("PJSIP/102", "auto_answer")},
        )  # fmt: skip
        self.people, self.clock = people, FixedClock()
        self.journal = Journal(tmp_path / "switch.sqlite3", "central")
        self.bridge = Bridge(
            lambda: Names(people), self.journal, self.clock, puts_right=puts_right,
            guard=Guard(["9XXXXXXXX"], 2, self.clock.now_ms, self.journal),
            reference=lambda number: f"{hash(number):032x}"[-32:],
            listeners={"elena": "PJSIP/900", "sara": "PJSIP/901"},
        )  # fmt: skip
        self.exchange, self.hub = Played(), PlayedHub()
        self.bridge.join(self.exchange, self.hub)
        self.events = 0

    async def settle(self):
        for _ in range(500):
            if not self.bridge._ends.lines:
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


@pytest.mark.parametrize("kind", ["conference", "consulted"])
async def test_a_consultation_from_its_first_key_to_the_hand_over(stage, kind):
    """In a conference the agent stays until a key ends it for the agent alone."""
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    stage.exchange.asked.clear()
    for heard in ("area", "caller", "area"):
        await stage.contact("consulted", via="key", area="soporte", heard=heard)
    await stage.contact("transferred", via="key", kind=kind, target="soporte", completed=True)
    await stage.contact("ended", by="transfer")
    joined = [("confer", CALL)] if kind == "conference" else []
    assert stage.exchange.asked == [
        ("consult", CALL, "700"), ("swap", CALL), ("swap", CALL), *joined, ("hand_over", CALL),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("heard", "result", "asked"),
    [
        ("area", "back", ["drop", "resume"]),
        ("area", "dropped", ["drop"]),
        ("caller", "back", ["drop"]),
        ("caller", "dropped", ["drop"]),
    ],
)
async def test_after_a_consultation_the_caller_waits_until_the_agent_is_back(
    stage, heard, result, asked
):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    await stage.contact("consulted", via="key", area="soporte", heard="area")
    if heard == "caller":
        await stage.contact("consulted", via="key", area="soporte", heard="caller")
    stage.exchange.asked.clear()
    await stage.contact("consult_ended", via="key", result=result)
    assert stage.exchange.asked == [(verb, CALL) for verb in asked]


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


async def test_and_so_they_do_where_the_withdrawal_came_first(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.heard(Withdrawn(CALL, "caller_gave_up"))
    await stage.contact("answered", via="key")
    assert stage.hub.commands[-1] == (S1, "failed", {"contact": CALL})
    await stage.contact("ended", by="technical")
    assert [one[0] for one in stage.exchange.asked if one[0] != "set_member"] == []
    assert stage.bridge.report().calls == 0


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


async def test_a_seat_without_a_telephone_is_in_no_queue_and_told_at_once(stage):
    await stage.here()
    await stage.said("session.opened", a="a003", s=S3)
    await stage.said("presence.changed", a="a003", s=S3, to="ready", reason=None)
    assert not members(stage)
    told = Sentence("errors.switch.no_extension", seat="P-03").say("en")
    assert stage.troubles == [told]
    await stage.here(ready(S3, "a003"))
    assert stage.troubles == [told]
    await stage.offered(member="a003")  # put in by somebody at the exchange
    assert stage.exchange.asked == [("reject", CALL)]
    assert not stage.hub.commands


async def test_a_telephone_that_was_taken_from_its_seat_while_it_rang(stage):
    await stage.here(ready(S2, "a002"))
    await stage.offered(member="a002")
    del stage.people.phones[S2]
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


@pytest.mark.parametrize(
    ("member", "name"),
    [("a002", "Luis Demo"), ("nobody-known", "nobody-known"), ("a|b;\"'ñ", "a|b;\"'ñ")],
)
async def test_a_call_for_somebody_who_is_not_there_goes_back(stage, member, name):
    await stage.here(ready())
    await stage.offered(member=member)
    assert stage.exchange.asked == [("reject", CALL)]
    assert not stage.hub.commands
    assert f"to {name}, who" in stage.troubles[-1]


@pytest.mark.parametrize("by", ["floor", "login"])
async def test_an_agent_at_two_seats_is_in_no_queue_and_rung_at_none(stage, by):
    await stage.here(ready(), *([ready(S2, "a001")] if by == "floor" else []))
    if by == "login":
        await stage.said("session.opened", a="a001", s=S2)
        assert {(one[1].queue, one[2]) for one in members(stage)} == {
            ("601", False), ("cobros", False),
        }  # fmt: skip
    told = Sentence("errors.switch.seated_twice", agent="Rosa Demo", seats="P-01, P-02")
    assert stage.troubles == [told.say("en")], "before a call comes, for none will"
    stage.exchange.asked.clear()
    await stage.offered()
    assert stage.exchange.asked == [("reject", CALL)]
    assert not stage.hub.commands
    await stage.said("session.closed", a="a001", s=S2)
    assert {(one[1].queue, one[2]) for one in members(stage)} == {("601", True), ("cobros", True)}


LONG = 'Atención al cliente \u201cpremium\u201d de Lima \\ "y" Callao | ; \r\n\0' * 9


@pytest.mark.parametrize("queue", ["700", "Cola | de; ventas", LONG, "\n", "ñ" * 300])
async def test_a_queue_that_nobody_mapped_rings_all_the_same(stage, queue):
    await stage.here(ready())
    await stage.heard(Offered(CALL, PBX, PBX, queue, "a001"))
    ((_, cmd, fields),) = stage.hub.commands
    ring = msgspec.convert({"cmd": cmd, **fields}, Ring)
    assert ring.queue is None or queue.startswith(ring.queue[:9])
    if queue == "700":
        assert ring.queue == "700"


async def test_a_queue_that_the_exchange_lacks_keeps_nobody_out_of_the_others(stage):
    say = Sentence("errors.switch.no_queue", queue="601")

    async def lacking(member, there):
        stage.exchange.asked.append(("set_member", member, there))
        if member.queue == "601":
            raise SwitchRefused("QueueAdd", "No such queue", say=say)

    await stage.here()
    stage.exchange.set_member = lacking
    await stage.said("session.opened", a="a001")
    assert [one[1].queue for one in members(stage)] == ["601", "cobros"]
    assert stage.troubles == [say.say("en")]
    there = [one for one in stage.bridge.report().members if one.wanted != "there"]
    assert {one.queue for one in there} == {"cobros"}
    stage.exchange.asked.clear()
    await stage.said("presence.changed", a="a001", to="ready", reason=None)
    assert [one[1].queue for one in members(stage)] == ["601", "cobros"], "it is tried again"


@pytest.mark.parametrize(
    ("name", "interface", "who"),
    [("a001", "PJSIP/900", "Rosa Demo"), ("Rosa D.", "Local/900@from-queue/n", "Rosa Demo"),
     ("Fijo", "PJSIP/101", "P-01"), ("Fijo", "Local/102@from-queue/n", "P-02")],
)  # fmt: skip
async def test_a_member_that_exists_twice_is_told_once(stage, name, interface, who):
    await stage.here(ready())
    for _ in range(2):
        await stage.heard(MemberElsewhere(name, "601", interface))
        await stage.heard(MemberElsewhere("Otro", "601", "PJSIP/999"))
    told = Sentence("errors.switch.elsewhere", who=who, queue="601", interface=interface)
    assert stage.troubles == [told.say("en")]


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
    assert "Rosa Demo in queue Ventas" in stage.troubles[-1]
    assert not members(stage)
    (state,) = [one for one in stage.bridge.report().members if one.queue == "601"]
    assert (state.paused, state.reason, state.wanted) == (True, "consola", "ready")


async def test_a_member_that_is_lacking_at_the_exchange_is_told(stage):
    await stage.here(ready())
    await stage.heard(MemberSeen(Member("a001", "601", False, "", 2), False))
    states = {one.queue: one.wanted for one in stage.bridge.report().members}
    assert states == {"601": "there", "cobros": None}
    await stage.said("session.closed", a="a001")
    assert not stage.bridge.report().members


async def test_a_queue_that_refuses_a_member_is_told_and_keeps_nobody_out_of_the_others(stage):
    await stage.here()
    stage.exchange.refuses["set_member"] = SwitchRefused("QueueAdd", "No such queue")
    await stage.said("session.opened", a="a001")
    assert [one[1].queue for one in members(stage)] == ["601", "cobros"]
    assert "No such queue" in stage.troubles[-1]
    assert {one.wanted for one in stage.bridge.report().members} == {"there"}
    stage.exchange.refuses.clear()
    stage.exchange.asked.clear()
    await stage.said("presence.changed", a="a001", to="ready", reason=None)
    assert members(stage) == [
        ("set_member", Member("a001", queue, False, "", 2), True) for queue in ("601", "cobros")
    ]
    assert {one.wanted for one in stage.bridge.report().members} == {None}


async def test_a_queue_that_the_exchange_lacks_is_named(monkeypatch):
    secrets = Secrets(host="", gateway="", api="", badge_key="00" * 32)
    exchange = Asterisk(Settings(), secrets, [].append, FixedClock(), Known())

    async def act(action, **_):
        raise SwitchRefused(action, "Unable to add interface to queue: No such queue")

    monkeypatch.setattr(exchange._ami, "act", act)
    with pytest.raises(SwitchError, match="no queue 601: make it there"):
        await exchange.set_member(Member("a001", "601"), True)


async def test_whoever_talks_or_writes_up_is_said_to_be_busy(stage):
    await stage.here(ready())
    await stage.offered()
    assert not any(one.busy for one in stage.bridge.report().members)
    await stage.contact("answered")
    assert all(one.busy for one in stage.bridge.report().members)
    await stage.contact("ended", by="agent")
    await stage.said("wrapup.ended", c=CALL, a="a001")
    assert not any(one.busy for one in stage.bridge.report().members)


async def test_since_when_the_exchange_is_there_or_away_and_why(stage):
    begun = stage.clock.now
    report = stage.bridge.report()
    assert (report.up, report.since_utc_ms, report.why) == (False, begun, [])
    stage.clock.now += 5_000
    away = SwitchError(Sentence("errors.switch.closed"))
    await stage.heard(Down(away))
    assert stage.bridge.report().since_utc_ms == begun
    assert stage.bridge.report().why == Sentence("errors.switch.closed").parts()
    await stage.here()
    report = stage.bridge.report()
    assert (report.up, report.since_utc_ms, report.why) == (True, begun + 5_000, [])
    stage.clock.now += 5_000
    for _ in range(2):
        await stage.heard(Down(away))
        assert stage.bridge.report().since_utc_ms == begun + 10_000
        stage.clock.now += 5_000


async def test_a_station_that_loses_its_power_in_a_call_is_told_by_its_seat(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered")
    await stage.contact("ended", by="interrupted")
    assert "P-01" in stage.troubles[-1]


async def test_what_happens_again_and_again_hides_nothing_else(stage):
    first = stage.clock.now
    await stage.heard(Down(SwitchError(Sentence("errors.switch.closed"))))
    for _ in range(100):
        stage.clock.now += 1_000
        await stage.heard(Down(SwitchError(Sentence("errors.switch.away"))))
    closed, away = stage.bridge.report().troubles
    assert (closed.sentence[0], closed.times, closed.utc_ms) == ("errors.switch.closed", 1, first)
    assert (away.sentence[0], away.times) == ("errors.switch.away", 100)
    assert (away.first_utc_ms, away.utc_ms) == (first + 1_000, first + 100_000)


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
    assert ("hang_up", "1795.20") in stage.exchange.asked, "an orphan, of which no station knows"
    assert ("set_busy", "a001", True) in stage.exchange.asked
    assert not stage.hub.commands, "nothing ends, and what is none of ours is left alone"
    await stage.contact("ended", by="agent")
    assert stage.exchange.asked[-1] == ("hang_up", CALL)
    stage.journal.close()


async def begun_anew(tmp_path, standing, *open_contacts):
    """Another bridge, whose station has these contacts by now; what it asked of the exchange."""
    before = Stage(tmp_path)
    await before.here(ready())
    await before.offered()
    before.journal.close()
    stage = Stage(tmp_path)
    stage.exchange.stands[CALL] = standing
    await stage.bridge.floor(Floor(number=4, seats=[ready(open=[*open_contacts])]))
    ringing = [Offered(CALL, PBX, PBX, "601", "a001")] if standing.ringing else []
    await stage.heard(*ringing, Up(frozenset({CALL})))
    stage.journal.close()
    stage.calls = [one for one in stage.exchange.asked if CALL in one]
    return stage


@pytest.mark.parametrize(
    ("phase", "heard", "standing", "asked"),
    [
        ("offered", None, Standing(ringing=True), []),
        ("talking", None, Standing(ringing=True), ["answer"]),
        ("talking", None, Standing(), []),
        ("held", None, Standing(), ["hold"]),
        ("talking", None, Standing(hears="nobody"), ["resume"]),
        ("held", None, Standing(hears="nobody"), []),
        ("consulting", "area", Standing(hears="area", area=True), []),
        ("consulting", "caller", Standing(hears="area", area=True), ["swap"]),
        ("consulting", "both", Standing(hears="area", area=True), ["confer"]),
        ("talking", None, Standing(hears="area", area=True), ["drop", "resume"]),
        ("held", None, Standing(hears="area", area=True), ["drop"]),
        ("held", None, Standing(area=True), ["drop", "hold"]),
        ("consulting", "both", Standing(hears="both", area=True), []),
    ],
)
async def test_what_was_done_while_it_was_away_is_made_up_for(
    tmp_path, phase, heard, standing, asked
):
    there = OpenContact(contact=CALL, phase=phase, direction="in", pbx=PBX, heard=heard)
    stage = await begun_anew(tmp_path, standing, there)
    assert [verb for verb, *_ in stage.calls] == asked
    assert not stage.hub.commands, "nor does it ring once more"


@pytest.mark.parametrize(
    ("hears", "asked"),
    [("nobody", []), ("caller", [("hold", CALL)])],
    ids=["hung up", "not called"],
)
async def test_a_consultation_that_was_lost_while_it_was_away_is_told(tmp_path, hears, asked):
    there = OpenContact(contact=CALL, phase="consulting", direction="in", pbx=PBX, heard="area")
    stage = await begun_anew(tmp_path, Standing(hears=hears), there)
    assert stage.calls == asked, "the caller waits, as the station says then"
    assert stage.hub.commands == [(S1, "consult_end", {"contact": CALL, "result": "dropped"})]


@pytest.mark.parametrize(
    ("standing", "asked"),
    [
        (Standing(ringing=True), "reject"),
        (Standing(), "hang_up"),
        (Standing(hears="both", area=True), "hand_over"),
        (Standing(hears="area", area=True), "hand_over"),
    ],
)
async def test_a_call_that_ended_at_its_station_while_it_was_away(tmp_path, standing, asked):
    stage = await begun_anew(tmp_path, standing)
    assert {*stage.calls} == {(asked, CALL)}
    assert not stage.hub.commands, "it does not ring once more"


async def test_a_login_frees_a_member_that_was_left_as_busy(stage):
    await stage.here()
    await stage.said("session.opened", a="a001")
    assert stage.exchange.asked[0] == ("set_busy", "a001", False), "before a queue can look at it"


@pytest.mark.parametrize(
    ("now", "standing", "asked"),
    [
        ({"muted": True}, Standing(), [("mute", CALL, True)]),
        ({"muted": False}, Standing(), [("mute", CALL, False)]),
        ({"paused": True}, Standing(), [("record", CALL, False)]),
        ({"phase": "consulting", "heard": "area", "area": "soporte"}, Standing(),
         [("consult", CALL, "700")]),
        ({"phase": "consulting", "heard": "caller", "area": "soporte"}, Standing(),
         [("consult", CALL, "700"), ("swap", CALL)]),
        ({"phase": "closed", "by": "transfer", "target": "soporte"}, Standing(),
         [("transfer", CALL, "700")]),
        ({"phase": "closed", "by": "interrupted"}, Standing(), []),
    ],
)  # fmt: skip
async def test_what_no_row_of_the_store_has_is_made_up_for_too(tmp_path, now, standing, asked):
    there = OpenContact(**{"contact": CALL, "phase": "talking", "direction": "in"} | now)
    stage = await begun_anew(tmp_path, standing, there)
    assert stage.calls == asked
    assert not stage.hub.commands and not stage.bridge._ends.troubles


async def test_a_bridge_that_missed_what_stations_did_makes_up_for_it_at_once(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    stage.exchange.asked.clear()
    one = OpenContact(contact=CALL, phase="held", direction="in", pbx=PBX)
    await stage.bridge.floor(Floor(number=9, seats=[ready(open=[one])]))
    await stage.settle()
    assert ("hold", CALL) in stage.exchange.asked
    over = OpenContact(contact=CALL, phase="closed", direction="in", by="agent")
    await stage.bridge.floor(Floor(number=10, seats=[ready(open=[over])]))
    await stage.settle()
    assert ("hang_up", CALL) in stage.exchange.asked
    assert ("set_busy", "a001", False) in stage.exchange.asked


async def test_what_is_old_is_asked_for_as_it_is_now(stage):
    """A station that was long without its hub tells all that it did meanwhile."""
    await stage.here(ready())
    old = stage.clock.now_ms() - 120_000
    stage.bridge.station_said(
        {"s": S1, "k": "presence.changed", "a": "a001", "to": "not_ready", "t": old}
    )
    await stage.settle()
    assert not members(stage) and stage.hub.asked_anew == 1


async def test_what_was_done_with_a_call_that_still_is_is_followed_however_late(stage):
    await stage.here(ready())
    await stage.offered()
    await stage.contact("answered", via="key")
    old = stage.clock.now_ms() - 120_000
    stage.bridge.station_said({"s": S1, "k": "contact.ended", "c": CALL, "by": "agent", "t": old})
    await stage.settle()
    assert stage.exchange.asked[-1] == ("hang_up", CALL)


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


def test_the_journal_knows_who_waits_who_talks_and_what_is_recorded(tmp_path):
    path = tmp_path / "switch.sqlite3"
    journal = Journal(path, "central")
    common = {"station": "", "epoch": 0, "sequence": 0, "boot": 0, "uptime_ms": 0}

    def of(kind, number, **fields):
        return kind(utc_ms=T0 + number, pbx=f"1795.{number}", **common, **fields)

    journal.append([entered(n) for n in range(4)])
    journal.append(
        [
            of(QueueConnected, 1, queue="ventas", wait_ms=1, pbx_agent="a001"),
            of(QueueConnected, 2, queue="ventas", wait_ms=1, pbx_agent="a002"),
            of(QueueLeft, 2, queue="ventas", cause="completed"),
            of(QueueAbandoned, 3, queue="ventas", wait_ms=1),
            of(RecordingStarted, 1, linked="1795.0"),
            of(RecordingStarted, 2, linked="1795.2"),
            of(RecordingStopped, 2, linked="1795.2"),
        ]
    )
    journal.note_start("2026-11-30 05:00:00")
    journal.close()
    journal = Journal(path, "central")
    known = journal.known()
    journal.close()
    assert {(one.pbx, one.member, one.answered_ms) for one in known.callers} == {
        ("1795.0", None, None), ("1795.1", "a001", T0 + 1),
    }  # fmt: skip
    assert (known.recorded, known.start) == ({"1795.1": "1795.0"}, "2026-11-30 05:00:00")


def talks(station=S1, agent="a001"):
    return ready(station, agent, open=[OpenContact(contact="x", phase="talking", direction="in")])


async def test_who_is_free_by_the_time_the_exchange_is_put_right_stays_free(stage):
    await stage.here(talks(), talks(S2, "a002"))
    put = stage.exchange.set_member

    async def slowly(member, there):
        await put(member, there)
        if member.name == "a002":
            await stage.bridge.floor(Floor(number=9, seats=[talks(), ready(S2, "a002")]))
            while ("set_busy", "a002", False) not in stage.exchange.asked:
                await asyncio.sleep(0)

    stage.exchange.set_member = slowly
    await stage.heard(Down(SwitchError(Sentence("errors.switch.closed"))), Up(frozenset()))
    assert [one for one in stage.exchange.asked if one[:2] == ("set_busy", "a002")][-1][2] is False


async def test_one_seat_that_cannot_be_put_right_keeps_no_other_from_it(stage):
    await stage.here(talks(), talks(S2, "a002"))
    stage.exchange.asked.clear()
    tried = stage.exchange.set_busy

    async def refuses(name, busy):
        await tried(name, busy)
        if name == "a001":
            raise SwitchError(Sentence("errors.switch.silent", action="Setvar"))

    stage.exchange.set_busy = refuses
    await stage.heard(Up(frozenset()))
    assert ("set_busy", "a002", True) in stage.exchange.asked


async def test_a_private_reason_is_not_in_the_exchanges_log(stage):
    stage.people.reasons["topico"] = Reason(code="topico", label="Tópico", private=True)
    await stage.here(ready())
    await stage.said("presence.changed", a="a001", to="not_ready", reason="topico")
    assert {one[1].reason for one in members(stage)} == {"private"}
    assert not stage.troubles


async def test_a_full_disk_stops_no_call_and_loses_no_event(stage):
    await stage.here(ready())
    pages = stage.journal._tx.execute("PRAGMA page_count").fetchone()[0]
    stage.journal._tx.execute(f"PRAGMA max_page_count = {pages}")
    for n in range(300):
        await stage.heard(SwitchEvent(entered(n)))
    await stage.offered()
    assert stage.hub.commands[-1][1] == "ring"
    (told,) = [one for one in stage.bridge.report().troubles if "journal" in one.sentence[0]]
    assert stage.bridge.report().unsent == 300 and told.sentence[0].endswith("unwritten")
    stage.journal._tx.execute("PRAGMA max_page_count = 100000")
    assert stage.bridge.report().unsent == 300
    bodies = [json.loads(body) for body in stage.journal.unsent(400)]
    assert [one["n"] for one in bodies] == [*range(1, 301)]
    assert [one["pbx"] for one in bodies] == [f"1795.{n}" for n in range(300)]


async def test_whoever_listens_in_is_noted(stage, tmp_path):
    await stage.heard(Listening("1795.1", "PJSIP/900", True, T0, ours=True))
    assert not stage.troubles
    rows = [*stage.journal._tx.execute("SELECT * FROM listening")]
    assert rows == [("1795.1", "PJSIP/900", 1, T0)]
    assert stage.hub.hurried == 1, "a listener is told at once"
    await stage.heard(Listening("1795.1", "PJSIP/777", True, T0))
    assert "PJSIP/777" in stage.troubles[-1], "nobody asked for that here"


LISTEN = {"listening": "abcdefghijkl", "call": CALL, "by": "elena"}


async def test_an_account_listens_at_its_own_telephone(stage):
    await stage.here(ready())
    await stage.bridge.listen(Listen(**LISTEN, mode="whisper"))
    await stage.bridge.listen(Listen(listening="abcdefghijkl"))
    assert stage.exchange.asked == [
        ("listen", "abcdefghijkl", CALL, "PJSIP/900", "whisper"),
        ("end_listening", "abcdefghijkl"),
    ]
    assert stage.hub.hurried == 1


async def test_who_has_no_telephone_to_listen_at_is_told_what_to_do(stage):
    listen = Listen(**LISTEN | {"by": "ana"}, mode="silent")
    with pytest.raises(SwitchError):
        await stage.bridge.listen(Listen(**LISTEN, mode="silent"))
    await stage.here(ready())
    with pytest.raises(DiademaError, match="--listener"):
        await stage.bridge.listen(listen)
    await stage.heard(PhoneSeen("PJSIP/901", False))
    with pytest.raises(DiademaError, match="PJSIP/901"):
        await stage.bridge.listen(Listen(**LISTEN | {"by": "sara"}, mode="silent"))
    assert not stage.exchange.asked


async def test_the_report_has_whoever_listens_and_without_a_hub_nobody_of_ours_does(stage):
    await stage.here(ready())
    stage.exchange.listening = [
        Listener("esc-abcdefghijkl", "abcdefghijkl", CALL, PBX, "PJSIP/900", T0),
        Listener("esc-mnopqrstuvwx", "mnopqrstuvwx", CALL, PBX, "PJSIP/901", T0, T0 + 5),
        Listener("1795.9", "", CALL, PBX, "PJSIP/777", T0),
    ]
    told = [msgspec.to_builtins(one) for one in stage.bridge.report().listeners]
    assert [one["listening"] for one in told] == ["abcdefghijkl", "mnopqrstuvwx", ""]
    assert told[1] == {
        "spyer": "esc-mnopqrstuvwx", "listening": "mnopqrstuvwx", "call": CALL,
        "by": "PJSIP/901", "since_utc_ms": T0, "until_utc_ms": T0 + 5,
    }  # fmt: skip
    await stage.bridge.hub_lost()
    ended = [one[1:] for one in stage.exchange.asked if one[0] == "end_listening"]
    assert ended == [("abcdefghijkl",)]
