"""Live listening at the hub: who may is asked of one function, the station tells its agent, what
may not go on ends with its cause, and the register has it all, once.
"""

import asyncio

import pytest
from diadema.access.roles import Person
from diadema.hub.commanding import Commands
from diadema.hub.hearing import Hearing
from diadema.hub.listening import AWAY_S, CONFIRMS_S, RULE, Granted, ListeningDesk
from diadema.hub.own_journal import ME, Refused
from diadema.ingest.core import Ingest
from diadema.ingest.messages import PREFIX, Message
from diadema.site.directory.notices import Notice, Notices
from diadema.site.directory.people import People, Worker
from diadema.store import StoreUnavailable, tables
from diadema.wire.switching import ListenerState, Report
from msgspec.json import decode, encode

from tests.support.broker_fixtures import until
from tests.support.listening_bridge import Bridge
from tests.support.scripted_station import T0, S, Script

CALL = "1795.4"
ASK = {"by": "mia", "who": "Mía Rojas", "a": "a001", "mode": "silent", "purpose": "evaluation"}


class Stage:
    """A station in a call, the hub, the bridge; `again` is the next run of the hub."""

    def __init__(self, writer, reader, site, clock):
        self.parts = writer, reader, site, clock
        self.bridge, self.now = Bridge(), 1000.0
        self.script = Script().boot().clock().login().ready().offer(CALL, pbx="1795.1")
        self.script.contact("answered", CALL, via="key", ring_ms=1000)
        self.granted, self.wanted = Granted(True), []
        self._begin()
        self.say()

    def _begin(self):
        writer, reader, site, clock = self.parts
        self.clock, self.reader = clock, reader
        self.ingest = Ingest(writer, site, clock)
        self.ingest.feeds = ("contact.", "command.refused")
        self.commands = Commands(self.ingest, None)
        self.frames, self.broken = [], False
        self.desk = ListeningDesk(
            self.ingest, self.commands, reader, self.bridge, self.decide,
            bridge=self.bridge.ask, recorded=self.recorded, send=self.send,
            monotonic=lambda: self.now,
        )  # fmt: skip

    async def again(self):
        self._begin()

    def decide(self, ask, contact):
        self.wanted.append((ask.by, ask.purpose, contact.contact))
        if isinstance(self.granted, Refused):
            raise self.granted
        return self.granted

    async def recorded(self, done):
        assert done.messages

    async def send(self, frames):
        self.frames += [decode(frame) for _, frame in frames]

    def say(self):
        """What the station said since, stored and heard."""
        station = self.ingest.stations.get(S)
        journal = station.journals.get(self.script.e) if station else None
        first = journal.position + 1 if journal else 1
        messages = [self.script.hello_message(), *self.script.messages(first)]
        effects = self.ingest.take(messages, "stream", "server")
        for s, i in effects.answered:
            self.commands.answered(s, i)
        self.desk.hear_stations(effects.feed)

    def station(self, what, **more):
        self.script.contact(what, CALL, **more)
        self.say()

    def link(self, up):
        body = {"s": S, "up": False, "e": self.script.e} if not up else self.script.hello()
        subject = f"{PREFIX}gw-test.{S}.st"
        self.ingest.take([Message(0, subject, encode(body))], "stream", "server")

    async def step(self, seconds=0.0):
        self.now += seconds
        self.desk.hear_bridge(Report(name="central", up=True, listeners=self.listeners))
        await self.desk.step()

    @property
    def listeners(self):
        return [*self.bridge.listeners.values()]

    async def begin(self, **more):
        return (await self.desk.begin(ASK | more))["listening"]

    async def heard(self, since=T0 + 5000, **more):
        """The telephone was lifted, and the station has told its agent."""
        listening = await self.begin(**more)
        self.bridge.listeners[listening].since_utc_ms = since
        await self.step()
        return listening

    def confirm(self):
        order = [one for one in self.frames if one["cmd"] == "listened"][-1]
        self.station("listened", state=order["state"], who=order["who"], i=order["i"])

    @property
    def register(self):
        kept = ("k", "by", "mode", "purpose", "via", "announced", "heard_ms", "cause", "reason")
        said = (one.event for one in self.reader.events_of(ME))
        return [{name: one[name] for name in kept if name in one} for one in said]

    @property
    def causes(self):
        return [one.get("cause") for one in self.register if one["k"] == "listening.ended"]

    @property
    def signs(self):
        return [(one["state"], one["who"]) for one in self.frames if one["cmd"] == "listened"]


@pytest.fixture
def stage(writer, reader, site, clock):
    return Stage(writer, reader, site, clock)


async def test_the_station_says_it_while_it_lasts_and_the_register_has_what_was_heard(stage):
    listening = await stage.begin()
    assert stage.wanted == [("mia", "evaluation", CALL)]
    assert stage.bridge.asked == [(listening, "silent")]
    await stage.step()
    assert not stage.register and not stage.signs, "it only rings"
    assert [one.since_utc for one in stage.desk.shown()] == [None]
    stage.bridge.listeners[listening].since_utc_ms = T0 + 5000
    await stage.step()
    assert stage.signs == [("on", "quality")]
    assert not stage.desk.shown()[0].confirmed
    stage.confirm()
    await stage.step(60)
    (shown,) = stage.desk.shown()
    assert (shown.since_utc, shown.announced, shown.confirmed) == (T0 + 5000, True, True)
    stage.desk.end(listening, "mia")
    await stage.step(2)
    await stage.step(2)
    assert stage.signs == [("on", "quality"), ("off", "quality")]
    assert stage.register == [
        {"k": "listening.started", "by": "mia", "mode": "silent", "purpose": "evaluation",
         "via": "switch", "announced": True},
        {"k": "listening.ended", "by": "mia", "heard_ms": 4000, "cause": "stopped"},
    ]  # fmt: skip
    started, ended = (one.event for one in stage.reader.events_of(ME))
    contact = stage.ingest.station(S).state.open[0]
    assert started["call"] == [contact.station, contact.epoch, contact.sequence]
    assert started["a"] == "a001" and started["listening"] == listening
    assert ended["of"] == [started["s"], started["e"], started["n"]]
    assert stage.desk.shown() == []


async def test_by_the_policy_of_the_register_no_station_says_it(stage):
    stage.granted = Granted(False)
    await stage.heard(mode="silent")
    stage.link(False)
    await stage.step(60)
    await stage.step(60)
    assert not stage.signs and not stage.causes
    assert stage.register[0]["announced"] is False


async def test_a_supervisor_who_helps_is_named(stage):
    stage.granted = Granted(True, "Elena Soto")
    await stage.heard(by="elena", mode="whisper", purpose="coaching")
    assert stage.signs == [("on", "Elena Soto")]


async def test_a_refusal_is_an_event_and_rings_nowhere(stage):
    stage.granted = Refused("no_notice", "no notice was in force", 403)
    with pytest.raises(Refused, match="notice"):
        await stage.begin()
    assert stage.register == [
        {"k": "listening.refused", "by": "mia", "mode": "silent", "purpose": "evaluation",
         "reason": "no_notice"},
    ]  # fmt: skip
    assert not stage.bridge.asked and not stage.desk.shown()


async def test_an_agent_in_no_call_a_paused_recording_and_a_link_that_is_away(stage):
    with pytest.raises(Refused, match="a002"):
        await stage.begin(a="a002")
    with pytest.raises(Refused, match="a001"):
        await stage.begin(c="another")
    stage.link(False)
    with pytest.raises(Refused, match="not connected"):
        await stage.begin()
    stage.link(True)
    stage.station("recording_paused", via="key")
    with pytest.raises(Refused, match="recorded"):
        await stage.begin()
    assert [one["reason"] for one in stage.register] == ["link_lost", "recording_paused"]
    assert stage.wanted == [("mia", "evaluation", CALL)], "a paused one is nobody's"
    stage.station("recording_resumed", via="key")
    stage.bridge.is_up = False
    with pytest.raises(Refused, match="bridge"):
        await stage.begin()
    stage.bridge.is_up = True
    await stage.heard()
    with pytest.raises(Refused, match="another call"):
        await stage.begin()
    assert not [one for one in stage.register if one.get("reason") == "no_call"]


@pytest.mark.parametrize("said", ["nothing", "refused", "of another command"])
async def test_without_the_stations_confirmation_it_ends_after_two_seconds(stage, said):
    await stage.heard()
    order = stage.frames[-1]
    if said == "refused":
        stage.script.add("command.refused", i=order["i"], command="listened", reason="no_contact")
        stage.say()
    elif said != "nothing":
        stage.station("listened", state="on", who="quality", i=order["i"] - 1)
    if said != "refused":
        await stage.step(CONFIRMS_S - 0.1)
        assert len(stage.bridge.asked) == 1
    await stage.step(0.2)
    assert stage.bridge.asked[-1][1] is None
    await stage.step()
    assert stage.causes == ["not_confirmed"] and stage.register[-1]["by"] == RULE
    assert stage.signs[-1] == ("off", "quality")


async def test_a_link_that_is_away_ten_seconds_ends_it_and_a_shorter_one_does_not(stage):
    await stage.heard()
    stage.confirm()
    stage.link(False)
    await stage.step()
    await stage.step(AWAY_S - 1)
    stage.link(True)
    await stage.step(2)
    stage.link(False)
    await stage.step()
    await stage.step(AWAY_S - 1)
    assert not stage.causes and len(stage.bridge.asked) == 1
    await stage.step(2)
    await stage.step()
    assert stage.causes == ["link_lost"]


@pytest.mark.parametrize("announced", [True, False])
async def test_a_paused_recording_ends_it_and_it_may_begin_again_after(stage, announced):
    stage.granted = Granted(announced)
    await stage.heard()
    if announced:
        stage.confirm()
    stage.station("recording_paused", via="key")
    await stage.step()
    await stage.step()
    assert stage.causes == ["recording_paused"]
    stage.station("recording_resumed", via="key")
    await stage.heard()
    assert [one["k"] for one in stage.register].count("listening.started") == 2


async def test_a_paused_recording_ends_also_what_only_rings(stage):
    await stage.begin()
    stage.station("recording_paused", via="key")
    await stage.step()
    await stage.step()
    assert len(stage.bridge.asked) == 2 and not stage.register and not stage.desk.shown()


async def test_it_ends_with_the_call_and_the_station_knows_that_itself(stage):
    await stage.heard()
    stage.confirm()
    stage.station("ended", by="caller", on_hold=False)
    await stage.step()
    await stage.step()
    assert stage.causes == ["call_ended"] and stage.signs == [("on", "quality")]


async def test_the_exchange_that_is_quicker_to_say_so_than_the_station_makes_no_other_cause(stage):
    listening = await stage.heard()
    stage.confirm()
    stage.bridge.over(listening, T0 + 65_000)
    await stage.step(0.5)
    assert not stage.causes
    stage.station("ended", by="caller", on_hold=False)
    await stage.step(0.2)
    assert stage.causes == ["call_ended"] and stage.register[-1]["heard_ms"] == 60_000


async def test_a_telephone_that_is_laid_down_and_one_that_is_not_lifted(stage):
    listening = await stage.heard()
    stage.confirm()
    stage.bridge.over(listening, T0 + 65_000)
    await stage.step()
    await stage.step(4)
    assert stage.register[-1] == {
        "k": "listening.ended", "by": "mia", "heard_ms": 60_000, "cause": "hung_up",
    }  # fmt: skip
    listening = await stage.begin()
    stage.bridge.over(listening)
    await stage.step()
    assert len(stage.register) == 2 and not stage.desk.shown()


@pytest.mark.parametrize("back", [False, True])
async def test_a_bridge_that_is_gone_ends_it(stage, back):
    """Or came back without it: no bridge goes on with another one's."""
    await stage.heard()
    stage.confirm()
    if back:
        stage.bridge.listeners.clear()
        await stage.step()
    else:
        stage.bridge.is_up = False
        await stage.step(10)
        assert not stage.causes, "the hub began just now, and the bridge may be on its way"
        await stage.step(10)
    assert stage.causes == ["bridge"] and stage.signs[-1] == ("off", "quality")


async def test_a_bridge_that_does_it_not_says_why(stage):
    stage.bridge.answer = {"error": "refused", "detail": "no telephone", "status": 409}
    assert await stage.desk.begin(ASK) == stage.bridge.answer
    stage.bridge.answer = None
    with pytest.raises(Refused, match="answer"):
        await stage.begin()
    assert not stage.desk.shown() and not stage.register


async def test_what_the_bridge_did_not_end_is_asked_for_again(stage):
    listening = await stage.heard()
    stage.confirm()
    stage.bridge.answer = None
    stage.desk.end(listening, "mia")
    await stage.step()
    await stage.step(0.5)
    await stage.step(1)
    assert [one for one in stage.bridge.asked if one[1] is None] == [(listening, None)] * 2
    assert not stage.causes
    stage.bridge.answer = {}
    await stage.step(1)
    await stage.step()
    assert stage.causes == ["stopped"]


async def test_nobody_ends_what_another_hears(stage):
    listening = await stage.heard()
    with pytest.raises(Refused, match="mia"):
        stage.desk.end(listening, "elena")
    with pytest.raises(Refused):
        stage.desk.end("0123456789ab", "mia")


async def test_two_who_listen_in_one_name_have_one_sign_until_both_are_gone(stage):
    first = await stage.heard()
    stage.confirm()
    second = await stage.heard(by="ana")
    stage.confirm()
    stage.desk.end(first, "mia")
    await stage.step()
    await stage.step()
    assert ("off", "quality") not in stage.signs
    stage.desk.end(second, "ana")
    await stage.step()
    await stage.step()
    assert stage.signs[-1] == ("off", "quality")


async def test_what_cannot_be_written_down_is_not_heard(stage, monkeypatch):
    def broken(*_):
        raise StoreUnavailable("the disk is full")

    listening = await stage.begin()
    stage.bridge.listeners[listening].since_utc_ms = T0 + 5000
    with monkeypatch.context() as patch:
        patch.setattr(stage.ingest, "record", broken)
        with pytest.raises(StoreUnavailable):
            await stage.step()
    await stage.step()
    assert stage.bridge.asked[-1] == (listening, None)
    await stage.step()
    assert stage.causes == ["no_register"] and len(stage.register) == 2


async def test_what_is_written_down_is_not_written_again_where_the_broker_is_gone(stage):
    async def gone(_):
        raise ConnectionError

    listening = await stage.begin()
    stage.bridge.listeners[listening].since_utc_ms = T0 + 5000
    told, stage.desk._recorded = stage.desk._recorded, gone
    with pytest.raises(ConnectionError):
        await stage.step()
    stage.bridge.over(listening)
    await stage.step()
    with pytest.raises(ConnectionError):
        await stage.step(4)
    stage.desk._recorded = told
    await stage.step()
    assert [one["k"] for one in stage.register] == ["listening.started", "listening.ended"]


async def test_what_was_begun_at_the_exchange_itself_is_in_the_register_once(stage):
    spy = ListenerState(spyer="1795.9", call=CALL, by="PJSIP/777", since_utc_ms=T0)
    stage.bridge.listeners["spy"] = spy
    for _ in range(3):
        await stage.step()
    assert stage.register == [
        {"k": "listening.started", "by": RULE, "via": "outside", "announced": False}
    ]
    await stage.again()
    await stage.step()
    spy.until_utc_ms = T0 + 7000
    await stage.step()
    await stage.step(4)
    await stage.again()
    await stage.step()
    assert [one.get("heard_ms") for one in stage.register] == [None, 7000]
    assert not stage.bridge.asked, "the exchange's own is not ours to end"
    stage.bridge.listeners["spy"] = ListenerState(spyer="1795.10", by="PJSIP/777", since_utc_ms=T0)
    await stage.step()
    assert len(stage.register) == 2, "of a call that is at no station"


async def test_what_another_platform_hears_ends_with_the_call_in_the_register(stage):
    spy = ListenerState(spyer="1795.9", call=CALL, by="PJSIP/777", since_utc_ms=T0)
    stage.bridge.listeners["spy"] = spy
    await stage.step()
    stage.bridge.is_up = False
    await stage.step(60)
    assert not stage.causes
    stage.bridge.is_up = True
    stage.station("ended", by="caller", on_hold=False)
    await stage.step()
    await stage.step()
    assert stage.causes == ["call_ended"] and len(stage.register) == 2


async def test_a_hub_that_begins_anew_ends_what_was_heard_and_says_how_long(stage):
    listening = await stage.heard()
    stage.confirm()
    await stage.again()
    await stage.step()
    assert stage.bridge.asked[-1] == (listening, None)
    await stage.step()
    assert stage.register[-1] == {
        "k": "listening.ended", "by": RULE, "heard_ms": 4000, "cause": "restarted",
    }  # fmt: skip
    assert stage.signs == [("off", "quality")]
    await stage.again()
    await stage.step()
    assert len(stage.register) == 2
    await stage.heard()
    stage.confirm()
    stage.station("ended", by="caller", on_hold=False)
    stage.script.wrapup("ended", CALL, 0, cause="agent")
    stage.say()
    await stage.again()
    await stage.step()
    await stage.step()
    assert stage.causes == ["restarted"] * 2 and not stage.signs, "the call is over there"


async def test_what_only_rang_when_the_hub_ended_is_ended_by_the_next(stage):
    listening = await stage.begin()
    await stage.again()
    await stage.step()
    assert stage.bridge.asked[-1] == (listening, None)
    await stage.step(5)
    assert len(stage.bridge.asked) == 2 and not stage.register


class Known:
    """Accounts, and a directory in which both were informed but for what a test takes away."""

    def __init__(self, stage):
        self.stage = stage
        self.accounts = {
            "elena": Person(id="elena", name="Elena Soto", role="supervisor"),
            "luz": Person(id="luz", name="Luz Paz", role="quality_lead"),
            "ada": Person(id="ada", name="Ada Vega", role="admin"),
        }
        self.people = People(
            workers={"a001": Worker(id="a001", name="Rosa", team="V")},
            queues={"ventas": "Ventas"}, supervised={"elena": ["V"]},
            notices=Notices(versions={
                "graba": [Notice(code="graba", hash="c")],
                "asesor": [Notice(code="asesor", side="agent", hash="a")],
            }),
        )  # fmt: skip
        stage.desk._decide = Hearing(
            stage.ingest, stage.reader, lambda: self.people, self.accounts.get
        ).decide

    def inform(self, *sides):
        row, utc = tables.notices, T0 - 1
        head = {"s": "HUB-other", "e": 1, "utc": utc, "by": "luz"}
        said = {"caller": ("graba", "c"), "agent": ("asesor", "a")}
        with self.stage.ingest.changing([]) as tx:
            for n, side in enumerate(sides, 1):
                code, text = said[side]
                tx.execute(
                    row.insert().values(**head, n=n, notice=code, side=side, version=1, hash=text)
                )
            if "agent" in sides:
                signed = {"notice": "asesor", "a": "a001", "how": "badge"}
                tx.execute(tables.signatures.insert().values(**head, n=9, **signed))

    async def why(self, by, purpose="coaching", **more):
        with pytest.raises(Refused) as refused:
            await self.stage.begin(by=by, purpose=purpose, **more)
        assert self.stage.register[-1]["reason"] == refused.value.error
        return refused.value.error


async def test_the_one_function_decides_and_the_hub_asks_it_with_all_that_it_knows(stage):
    known = Known(stage)
    assert await known.why("elena") == "no_notice"
    known.inform("caller", "agent")
    assert await known.why("ada") == "no_right"
    assert await known.why("nobody") == "no_account"
    assert await known.why("elena", "curiosity") == "purpose"
    assert await known.why("luz", "drill", mode="whisper") == "mode"
    known.people.supervised.clear()
    assert await known.why("elena") == "other_team"
    known.people.supervised["elena"] = ["V"]
    assert not stage.bridge.asked
    await stage.heard(by="elena", purpose="coaching", mode="whisper")
    assert stage.signs == [("on", "Elena Soto")]
    stage.confirm()
    await stage.heard(by="luz", purpose="dispute", mode="silent")
    assert stage.signs == [("on", "Elena Soto")], "silent and drawn: the register tells of it"
    assert [one["announced"] for one in stage.register[-2:]] == [True, False]


async def test_an_agent_who_was_not_informed_is_heard_by_nobody(stage):
    known = Known(stage)
    known.inform("caller")
    assert await known.why("elena") == "not_informed"


async def test_the_desk_goes_on_by_itself(stage):
    listening = await stage.begin()
    stage.bridge.listeners[listening].since_utc_ms = T0 + 5000
    running = asyncio.create_task(stage.desk.run())
    try:
        stage.desk.hear_bridge(Report(name="central", up=True, listeners=stage.listeners))
        await until(lambda: stage.register)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
