"""The bridge and its client of an Asterisk, on real sockets, against one that does what it should
not: it lets nobody in, says half of something, repeats, floods, and goes in the midst of calls.
"""

import asyncio
import re
import ssl
import time
import tracemalloc
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from diadema.base.certificates import Certificates
from diadema.base.credentials import Secrets
from diadema.ingest.decode import decode_known
from diadema.ingest.queues import HANDLERS
from diadema.site.directory.people import Area, People, Worker
from diadema.store.station_state import StationState
from diadema.switch.asterisk import ami, ari
from diadema.switch.asterisk.ami import Ami
from diadema.switch.asterisk.ari import Ari
from diadema.switch.asterisk.calls import Leg
from diadema.switch.asterisk.exchange import Asterisk
from diadema.switch.asterisk.login import Login
from diadema.switch.bridge import Bridge
from diadema.switch.dialing import Guard
from diadema.switch.exchange import Known, Member, Phone, SwitchError, Up
from diadema.switch.journal import Journal
from diadema.switch.names import Names
from diadema.switch.settings import Settings
from diadema.wire.switching import Floor, SeatState
from diadema.words import Sentence, said
from diadema_sim.exchange.parts import User, bridge_hears
from diadema_sim.exchange.played import USER
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.asterisk_peer import SECRET, AsteriskPeer, member
from tests.support.broker_fixtures import until
from tests.support.scripted_station import FixedClock
from tests.support.trust import trusting

SECRETS = Secrets(
    host="", gateway="", api="", badge_key="ab" * 32, exchange={"ami": SECRET, "ari": SECRET}
)


def station(number):
    return f"DIA-{number:012x}"


def agent(number):
    return f"a{number:03}"


class Hub:
    """And the stations behind it: each does what it is told, and says so."""

    def __init__(self, stage):
        self._stage, self.commands, self.work = stage, [], {}

    async def command(self, s, cmd, **fields):
        self.commands.append((s, cmd, fields))
        number, call = len(self.commands), fields["contact"]
        what, more = {
            "ring": ("offered", {}),
            "withdraw": ("missed", {"cause": fields.get("cause")}),
            "hangup": ("ended", {"by": fields.get("by")}),
            "failed": ("ended", {"by": "technical"}),
        }[cmd]
        self._stage.contact(s, what, call, via="host", i=number, **more)
        return number


class Stage:
    """The bridge at the played exchange, with `count` agents who are ready."""

    def __init__(self, tmp_path, peer, count=1, **way):
        self.peer, self.clock = peer, FixedClock()
        numbers = range(1, count + 1)
        people = People(
            workers={
                agent(n): Worker(id=agent(n), name=f"Rosa {n}", queues=["ventas"]) for n in numbers
            },
            queues={"ventas": "Ventas"},
            areas={"soporte": Area(label="Soporte", number="104")},
            seats={station(n): f"P-{n:02}" for n in numbers},
            phones={station(n): (f"PJSIP/{100 + n}", "auto_answer") for n in numbers},
        )
        self.journal = Journal(tmp_path / "switch.sqlite3", "central")
        self.bridge = Bridge(
            lambda: Names(people), self.journal, self.clock, puts_right=False,
            guard=Guard(["X."], 60, self.clock.now_ms, self.journal),
            reference=lambda number: None, listeners={},
        )  # fmt: skip
        self.hub = Hub(self)
        self.ups = 0
        ports = {"ami_port": peer.ami_port, "ari_port": peer.ari_port}
        self.exchange = Asterisk(Settings(**ports, **way), SECRETS, self.hear, self.clock, Known())
        self.bridge.join(self.exchange, self.hub)
        self.talking = {}  # calls by their stations, as these have them

    def hear(self, heard):
        self.ups += isinstance(heard, Up)
        self.bridge.hear(heard)

    def contact(self, s, what, call, **fields):
        """A station's event."""
        if what in ("ended", "missed"):
            self.talking.pop(s, None)
        else:
            self.talking[s] = call
        event = {"s": s, "k": f"contact.{what}", "t": self.clock.now_ms(), "c": call, **fields}
        soon = asyncio.get_running_loop().call_soon
        soon(self.bridge.station_said, event)
        if what == "ended":
            soon(self.bridge.station_said, event | {"k": "wrapup.ended"})

    def said(self, kind, s=station(1), **fields):  # noqa: B008 - it is a text
        event = {"s": s, "k": kind, "t": self.clock.now_ms(), "a": agent(1), **fields}
        self.bridge.station_said(event)

    def press(self, s, what):
        self.contact(s, what, self.talking[s], via="key", a="")

    @asynccontextmanager
    async def running(self):
        numbers = range(1, len(self.bridge._ends.names().people.seats) + 1)
        for n in numbers:
            self.peer.telephone(f"PJSIP/{100 + n}")
        seats = [SeatState(station=station(n), agent=agent(n), presence="ready") for n in numbers]
        await self.bridge.floor(Floor(number=0, seats=seats))
        task = asyncio.create_task(self.exchange.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.bridge.close()
            self.journal.close()

    async def is_there(self):
        """Exchange up, and all agents in the queue."""
        count = len(self.bridge._ends.names().people.seats)
        members = self.peer.queues.queues["ventas"].members
        await until(lambda: self.bridge.is_up and not self.bridge._ends.lines)
        await until(lambda: len([one for one in members.values() if not one.paused]) == count)

    @property
    def troubles(self):
        return [said(Sentence.of(one.sentence), "es") for one in self.bridge.report().troubles]

    async def told(self, name, **values):
        """Of what went wrong, what is to be done."""
        sentence = Sentence(name, **values).say("es")
        await until(lambda: sentence in self.troubles)

    @property
    def kinds(self):
        """What the store would get, in order."""
        bodies = [msgspec.json.decode(one) for one in self.journal.unsent(100_000)]
        assert [one["n"] for one in bodies] == [*range(1, len(bodies) + 1)]
        return [(one["k"], one.get("pbx")) for one in bodies]


@pytest.fixture
async def peer(stack):
    return await stack.enter_async_context(AsteriskPeer.start())


@pytest.fixture
async def stage(stack, tmp_path, peer):
    made = Stage(tmp_path, peer)
    await stack.enter_async_context(made.running())
    await made.is_there()
    return made


async def rung(stage, number=1, **more):
    caller = stage.peer.call("ventas", number="999000111", **more)
    await until(lambda: station(number) in stage.talking)
    return caller


async def talking(stage):
    caller = await rung(stage)
    stage.press(station(1), "answered")
    await until(lambda: caller.hears == {"PJSIP/101"})
    return caller


# -- who may come in


@pytest.mark.parametrize("interface", ["ami", "ari"])
async def test_a_login_that_is_refused_says_where_to_look(interface, peer, stack, tmp_path):
    peer.manager.refused_s = 0
    side = peer.manager if interface == "ami" else peer.rest
    right = side.users
    side.users = {USER: type(right[USER])("otra", *([frozenset()] if interface == "ami" else []))}
    stage = Stage(tmp_path, peer)
    await stack.enter_async_context(stage.running())
    reason = {"reason": "Authentication failed"} if interface == "ami" else {}
    await stage.told(f"commands.switch.{interface}_refused", user=USER, **reason)
    assert not stage.bridge.is_up


async def test_who_is_refused_does_not_knock_until_the_exchange_bans_us(peer, monkeypatch):
    """fail2ban, which FreePBX and Issabel bring, counts some in ten minutes."""
    peer.manager.refused_s, waits = 0, []

    async def pause(seconds):
        waits.append(seconds)
        if len(waits) == 5:
            raise asyncio.CancelledError

    login, losses = Login("127.0.0.1", peer.ami_port, USER, "otra"), []
    client = Ami(login, print, None, losses.append)
    monkeypatch.setattr(ami, "_pause", pause)
    with pytest.raises(asyncio.CancelledError):
        await client.run()
    assert len(losses) == 5 and sum(waits) >= 600


@pytest.mark.parametrize("lacks", ["agent", "call"])
async def test_a_user_without_a_class_is_told_what_it_lacks(lacks, peer, stack, tmp_path):
    classes = frozenset({"agent", "call", "reporting"} - {lacks})
    peer.manager.users[USER] = User(SECRET, classes, bridge_hears)
    stage = Stage(tmp_path, peer)
    await stack.enter_async_context(stage.running())
    action = {"agent": "QueueAdd", "call": "Setvar"}[lacks]
    await stage.told("errors.switch.denied", user=USER, action=action)


async def test_a_user_of_ari_who_may_only_read_is_told(peer, stack, tmp_path):
    peer.rest.users[USER] = type(peer.rest.users[USER])(SECRET, read_only=True)
    stage = Stage(tmp_path, peer)
    await stack.enter_async_context(stage.running())
    await stage.told("commands.switch.ari_read_only", user=USER)


class Expired(Certificates):
    def _valid(self):
        return datetime(1970, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC)


def _wrong(what, folder):
    """A certificate of an exchange, its key, and what we believe."""
    its = (Expired if what == "date" else Certificates)(folder / "its")
    its.make(["otra.example"] if what == "name" else ["localhost"])
    other = Certificates(folder / "other")
    other.make(["localhost"])
    if what == "self-signed":
        return folder / "its" / "ca.pem", folder / "its" / "ca.key", trusting(other)
    return its.server, its.server_key, trusting(other if what == "unknown" else its)


@pytest.mark.parametrize("interface", ["ami", "ari", "request"])
@pytest.mark.parametrize("what", ["self-signed", "unknown", "name", "date"])
async def test_a_certificate_that_is_wrong_is_told_with_what_is_wrong(
    what, interface, tmp_path, stack
):
    heard = []

    async def on_client(reader, writer):
        heard.append(await reader.read())

    certificate, key, trusted = _wrong(what, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(on_client, "127.0.0.1", 0, ssl=context)
    stack.callback(server.close)
    port = server.sockets[0].getsockname()[1]
    login = Login("localhost", port, USER, SECRET, trusted)
    with pytest.raises(SwitchError) as error:
        if interface == "ami":
            await Ami(login, print, None, print).once()
        else:
            async with Ari(login, print, None, print) as ari:
                await (ari.get("channels") if interface == "request" else ari.once())
    sentence = error.value.args[0]
    word = {"name": "name", "date": "date"}.get(what, "unknown")
    assert sentence.name == f"errors.switch.certificate_{word}"
    assert "localhost" in sentence.say("es")
    assert not any(heard), "nothing is said to whom we do not believe"


def _plainly_signed(folder, given):
    """As `ast_tls_cert` of Asterisk does it: hardly an extension, and the name in the subject."""
    key, ca_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name, ca_name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in ("localhost", "CA")
    )
    first, last = datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)

    def begun(subject, its, by):
        return x509.CertificateBuilder(by, subject, its.public_key(), 1, first, last)

    may_sign = x509.BasicConstraints(ca=True, path_length=None)
    ca = begun(ca_name, ca_key, ca_name).add_extension(may_sign, critical=False)
    by, by_key = (name, key) if given == "itself, alone" else (ca_name, ca_key)
    its = begun(name, key, by).sign(by_key, hashes.SHA256())
    believed = ca.sign(ca_key, hashes.SHA256()) if given == "its CA" else its
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "its.pem").write_bytes(its.public_bytes(pem) + private)
    return folder / "its.pem", believed.public_bytes(pem).decode()


@pytest.mark.parametrize("given", ["its CA", "itself", "itself, alone"])
async def test_a_certificate_of_the_exchanges_own_making_is_believed(given, tmp_path, stack):
    file, ca = _plainly_signed(tmp_path, given)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    peer = await stack.enter_async_context(AsteriskPeer.start(tls=context))
    stage = Stage(tmp_path, peer, tls=True, host="localhost", ca=ca)
    await stack.enter_async_context(stage.running())
    await stage.is_there()
    await talking(stage)


def test_a_plain_way_over_a_network_is_none(tmp_path):
    for host in ("192.0.2.7", "central.example"):
        with pytest.raises(SwitchError, match="TLS"):
            Asterisk(Settings(host=host), SECRETS, print, FixedClock(), Known())


# -- what it says


async def test_silence_in_the_middle_of_an_event_is_noticed_and_nothing_is_lost(
    stage, monkeypatch
):
    monkeypatch.setattr(ami, "_QUIET_S", 0.2)
    monkeypatch.setattr(ami, "_ANSWER_S", 1.0)
    await stage.peer.restart()
    await until(lambda: stage.ups == 2)
    await stage.is_there()
    stage.peer.stop_in_the_middle_of_an_event()
    stage.peer.console.pause(member("a001"))
    caller = stage.peer.call("ventas", number="999000111")
    await until(lambda: stage.ups >= 3)
    await until(lambda: ("queue.entered", caller.uniqueid) in stage.kinds)
    assert [kind for kind, _ in stage.kinds].count("queue.entered") == 1
    await stage.told("errors.switch.silent", action="Ping")


async def test_a_flood_loses_nothing_of_ours_and_the_keep_alive_is_answered(stage):
    peer, callers = stage.peer, []
    peer.console.pause(member("a001"))

    async def flood():
        for _ in range(20):
            await peer.flood(1000)
            callers.append(peer.call("ventas", number="999000111"))

    tracemalloc.start()
    try:
        flooding = asyncio.create_task(flood())
        answers = 0
        while not flooding.done():
            await stage.exchange._ami.act("Ping")
            answers += 1
        await flooding
        wanted = [("queue.entered", one.uniqueid) for one in callers]
        await until(lambda: [one for one in stage.kinds if one[0] == "queue.entered"] == wanted)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answers and stage.ups == 1
    assert most < 32 << 20


async def test_telephones_that_it_never_stops_naming_are_bounded(stage):
    for number in range(30_000):
        event = {"Event": "DeviceStateChange", "Device": f"PJSIP/{number}", "State": "INUSE"}
        stage.exchange._on_ami(event)
    assert len(stage.bridge._members.phones) < 20_000


JUNK = [
    {"type": "StasisStart", "channel": "x", "args": 7},
    {"type": "StasisStart", "channel": {"id": None, "name": 5}, "args": [{}, []]},
    {"type": "StasisEnd", "channel": []},
    {"type": None}, {"type": "NuncaVisto", "channel": {"id": "1"}},
]  # fmt: skip


async def test_what_is_no_event_of_theirs_ends_nothing(stage):
    application = stage.peer.core.applications["diadema"]
    for event in JUNK:
        application.send(event)
    for name in ("NuncaVisto", "", "AgentCalled", "AgentComplete", "QueueMemberAdded", "Hangup"):
        stage.peer.say(Event=name, Queue="ventas", MemberName="a001", Paused="quizá")
    caller = await talking(stage)
    stage.press(station(1), "held")
    await until(lambda: caller.hears == {"music"})
    assert stage.ups == 1


async def test_a_fault_as_we_begin_ends_us_and_the_hub_starts_us_anew(peer, tmp_path, monkeypatch):
    """Rather than to be there for ever without calls."""

    async def fault(*_, **__):
        raise ZeroDivisionError

    stage = Stage(tmp_path, peer)
    monkeypatch.setattr(stage.exchange._ari, "get", fault)
    async with stage.running() as task:
        await asyncio.wait([task], timeout=300)
    assert task.exception() is not None


async def test_who_comes_while_we_learn_who_is_there_is_not_gone(stage, monkeypatch):
    ask, came = stage.exchange._ari.get, []

    async def slowly(*path, **query):
        found = await ask(*path, **query)
        if path == ("channels",) and not came:
            came.append(stage.peer.call("ventas", number="999000111"))
            await until(lambda: stage.exchange._queues.callers)
        return found

    monkeypatch.setattr(stage.exchange._ari, "get", slowly)
    await stage.peer.restart()
    await until(lambda: stage.ups >= 2 and stage.talking)
    assert [kind for kind, _ in stage.kinds] == ["queue.entered"]


# -- it is started again


@pytest.mark.parametrize("kill", [False, True])
async def test_started_again_while_it_rings(stage, kill):
    caller = await rung(stage)
    await stage.peer.restart(kill=kill)
    await until(lambda: stage.ups >= 2 and not stage.talking)
    s, cmd, fields = stage.hub.commands[-1]
    assert (s, cmd, fields["contact"]) == (
        station(1),
        "withdraw",
        stage.hub.commands[0][2]["contact"],
    )
    await until(lambda: stage.kinds[-1][1] == caller.uniqueid)
    kinds = [kind for kind, pbx in stage.kinds if pbx == caller.uniqueid]
    assert kinds[0] == "queue.entered" and kinds[-1] in ("queue.left", "queue.abandoned")
    assert stage.bridge.report().calls == 0
    await stage.is_there()
    await talking(stage)


@pytest.mark.parametrize("kill", [False, True])
async def test_started_again_in_a_call(stage, kill):
    caller = await talking(stage)
    await stage.peer.restart(kill=kill)
    await until(lambda: stage.ups >= 2 and not stage.talking)
    (end,) = [one for one in stage.hub.commands if one[1] == "hangup"]
    assert end[2]["by"] in (("system",) if kill else ("system", "caller", "agent"))
    await until(lambda: ("queue.left", caller.uniqueid) in stage.kinds)
    assert [pbx for kind, pbx in stage.kinds if kind == "queue.left"] == [caller.uniqueid]
    assert stage.bridge.report().calls == 0
    await stage.is_there()
    await until(lambda: stage.peer.core.device_state("Custom:diadema-a001") == "NOT_INUSE")
    await talking(stage)


@pytest.mark.parametrize("kill", [False, True])
async def test_started_again_with_two_hundred_channels(kill, peer, stack, tmp_path, monkeypatch):
    for client in (ami, ari):
        monkeypatch.setattr(client, "_ANSWER_S", 300)  # both sides are in this one loop
    count = 50
    stage = Stage(tmp_path, peer, count)
    await stack.enter_async_context(stage.running())
    await stage.is_there()
    callers = [peer.call("ventas", number=f"9990{n:05}") for n in range(count)]
    await until(lambda: len(stage.talking) == count)
    answered = {}

    def all_talk():
        """Whose telephone was too slow for its four seconds rings again, and is answered again."""
        for s, call in stage.talking.items():
            if answered.get(s) != call:
                answered[s] = call
                stage.press(s, "answered")
        return all(one.agent for one in callers)

    await until(all_talk)
    await until(lambda: len(stage.peer.channels) == 4 * count)
    waiting = [peer.call("ventas", number=f"9991{n:05}") for n in range(count)]
    await until(
        lambda: len([one for one in stage.kinds if one[0] == "queue.entered"]) == 2 * count
    )
    await peer.restart(kill=kill)
    await until(lambda: stage.ups >= 2 and not stage.talking)
    ends = {pbx for kind, pbx in stage.kinds if kind in ("queue.left", "queue.abandoned")}
    assert ends == {one.uniqueid for one in callers + waiting}
    hung = [fields["contact"] for _, cmd, fields in stage.hub.commands if cmd == "hangup"]
    assert len(hung) == len({*hung}) == count
    assert stage.bridge.report().calls == 0
    await stage.is_there()
    assert not stage.exchange._calls.legs


# -- members, queues and clocks that are not as they should be


async def test_a_member_of_a_file_and_one_of_ours_are_one(peer, stack, tmp_path):
    """What a file gives cannot be taken out: it is paused instead."""
    peer.queue("ventas", members=["a001"])
    stage = Stage(tmp_path, peer)
    await stack.enter_async_context(stage.running())
    await stage.is_there()
    await talking(stage)
    stage.press(station(1), "ended")
    await until(lambda: not stage.talking)
    stage.said("session.closed")
    (its,) = peer.queues.queues["ventas"].members.values()
    await until(lambda: its.paused)
    assert (its.name, its.dynamic) == ("a001", False)
    # people see it, and the set-up says what to do
    await until(lambda: [one.wanted for one in stage.bridge.report().members] == ["gone"])


async def test_a_member_of_two_queues_is_called_by_one_at_a_time(stage):
    stage.bridge._ends.names().people.workers["a001"].queues.append("soporte")
    stage.bridge._ends.names().people.queues["soporte"] = "Soporte"
    stage.said("presence.changed", to="ready")
    await until(lambda: member("a001") in stage.peer.queues.queues["soporte"].members)
    await talking(stage)
    second = stage.peer.call("soporte", number="999000222")
    await until(lambda: ("queue.entered", second.uniqueid) in stage.kinds)
    assert second.agent is None
    stage.press(station(1), "ended")
    await until(lambda: stage.talking)
    assert stage.hub.commands[-1][2]["pbx"] == second.uniqueid


async def test_a_member_under_another_interface_is_told(stage):
    stage.peer.console.add("ventas", "PJSIP/102", "a001")
    values = {"who": "Rosa 1", "queue": "ventas", "interface": "PJSIP/102"}
    await stage.told("errors.switch.elsewhere", **values)


async def test_a_reason_that_would_split_the_log_pauses_all_the_same(stage):
    stage.said("presence.changed", to="not_ready", reason="a|b")
    await stage.told("errors.switch.bar", reason="a|b")
    (its,) = stage.peer.queues.queues["ventas"].members.values()
    assert (its.paused, its.reason) == (True, "")


async def test_a_queue_that_is_not_there_is_told_and_the_others_go_on(stage):
    stage.bridge._ends.names().people.workers["a001"].queues.insert(0, "cobros")
    stage.said("presence.changed", to="not_ready", reason="ss_hh")
    await stage.told("errors.switch.no_queue", queue="cobros")
    (its,) = stage.peer.queues.queues["ventas"].members.values()
    await until(lambda: its.paused and its.reason == "ss_hh")


async def test_a_call_transferred_back_into_the_queue_makes_two_visits(stage):
    people = stage.bridge._ends.names().people
    people.areas["otra_vez"] = Area(label="Otra vez", number="cola-ventas")
    caller = await talking(stage)
    more = {"kind": "blind", "target": "otra_vez", "completed": True}
    stage.contact(station(1), "transferred", stage.talking[station(1)], via="key", **more)
    stage.contact(station(1), "ended", stage.talking[station(1)], by="transfer")
    await until(lambda: stage.talking)
    assert stage.hub.commands[-1][2]["pbx"] == caller.uniqueid
    stage.press(station(1), "answered")
    await until(lambda: caller.hears == {"PJSIP/101"})
    caller.hang_up()
    await until(lambda: not stage.talking)
    await until(lambda: len(stage.kinds) == 6)
    assert {pbx for _, pbx in stage.kinds} == {caller.uniqueid}
    calls = stored(tmp_journal(stage))
    assert sorted((one.outcome, one.cause, one.end_utc is None) for one in calls) == [
        ("answered", "completed", False), ("answered", "transferred", False),
    ]  # fmt: skip


def tmp_journal(stage):
    return [msgspec.json.decode(one) for one in stage.journal.unsent(100)]


def stored(bodies):
    """The queue's calls, as the store works them out."""
    state, calls = StationState(), {}
    for body in bodies:
        call = HANDLERS[type(event := decode_known(msgspec.json.encode(body)))](state, event)
        calls[id(call)] = call
    return [*calls.values()]


async def test_the_clock_of_the_exchange_is_not_ours(stack, tmp_path):
    start = AsteriskPeer.start(clock=lambda: time.time() - 600)
    peer = await stack.enter_async_context(start)
    waits = peer.call("ventas", number="999000111")
    stage = Stage(tmp_path, peer)
    await stack.enter_async_context(stage.running())
    await until(lambda: stage.talking)
    stage.press(station(1), "answered")
    await until(lambda: waits.agent)
    waits.hang_up()
    await until(lambda: len(stage.kinds) == 3)
    said = [stage.clock.now_ms() - one["t"] for one in tmp_journal(stage)]
    assert all(0 <= ago < 300_000 for ago in said), "of ours; theirs is ten minutes behind"


# -- names that people gave


ODD = st.text(max_size=60) | st.sampled_from(
    ["a|b;c", 'x"y', "a\r\nAction: Command\r\nCommand: core stop now", "a\0b", "\n", "a001",
     "../../x", "a?b=c&d#e", "ñandú", "x" * 300, "a/b", "${SHELL(x)}", "a)b(c", "1 HTTP/1.1\r\n"],
)  # fmt: skip
VERBS = ("answer", "hold", "resume", "hang_up", "reject", "consult", "swap", "confer", "hand_over",
         "drop", "transfer", "mute", "record", "dial", "set_member", "set_busy", "set_phone",
         "listen", "end_listening")  # fmt: skip


class Wires:
    """What leaves for either interface; all of it is done."""

    def __init__(self, exchange):
        self.actions, self.requests = [], []
        self._ami = exchange._ami
        self._ami._writer = self
        exchange._ari._client = httpx.AsyncClient(
            base_url="http://127.0.0.1/ari", transport=httpx.MockTransport(self._answer)
        )

    def write(self, data):
        self.actions.append(data)
        number = re.search(rb"ActionID: (\d+)\r\n", data)[1].decode()
        self._ami._take({"Response": "Success", "ActionID": number})

    def _answer(self, request):
        self.requests.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))


async def _ask(verb, texts, odd):
    call, name, queue, text = texts
    exchange = Asterisk(Settings(allowed=["X."]), SECRETS, lambda _: None, FixedClock(), Known())
    wires = Wires(exchange)
    leg = Leg(call, name, text, offer=queue, caller=text, phone=name, area=queue, joined=True)
    exchange._calls.take(leg)
    phone = Phone(text, "auto_answer")
    given = {
        "answer": (call, phone), "consult": (call, text), "transfer": (call, text),
        "mute": (call, odd), "record": (call, odd), "dial": (call, phone, "987654321"),
        "set_member": (Member(name, queue, odd, text, 2), True), "set_busy": (name, odd),
        "set_phone": (name, phone), "listen": (name, call, text, "whisper"),
        "end_listening": (text,),
    }.get(verb, (call,))  # fmt: skip
    try:
        await getattr(exchange, verb)(*given)
    except SwitchError:
        pass
    finally:
        await exchange._calls.close()
    return wires


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(VERBS), st.tuples(ODD, ODD, ODD, ODD), st.booleans())
def test_no_name_that_a_person_gave_says_anything_of_its_own(verb, texts, odd):
    wires = asyncio.run(_ask(verb, texts, odd))
    for data in wires.actions:
        assert b"\0" not in data and data.endswith(b"\r\n\r\n") and data.count(b"\r\n\r\n") == 1
        lines = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
        assert not any(b"\r" in line or b"\n" in line for line in lines)
        names = [line.partition(b": ")[0].decode() for line in lines]
        assert names[:2] == ["Action", "ActionID"] and {*names[2:]} <= FIELDS
    for request in wires.requests:
        head = [request.url.raw_path, *(value for pair in request.headers.raw for value in pair)]
        assert not any(byte in part for part in head for byte in (b"\r", b"\n", b"\0", b" /"))
        assert request.url.raw_path.partition(b"?")[0].count(b"/") <= 5


FIELDS = {
    "Queue", "Interface", "MemberName", "StateInterface", "Penalty", "Paused", "Reason", "Channel",
    "Variable", "Value", "Direction", "State", "Context", "Exten",
}  # fmt: skip
