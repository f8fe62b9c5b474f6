"""An exchange that is somebody else's, or has gone mad: whatever it says, the bridge neither ends
nor fills up, its password goes to nobody else, and what it tells the hub can be read there.
"""

import asyncio
import base64
import hashlib
import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from diadema.base.credentials import Secrets
from diadema.base.errors import DiademaError
from diadema.hub.switching import Switching
from diadema.ingest.decode import decode_known
from diadema.switch import journal
from diadema.switch.asterisk import ami, ari
from diadema.switch.asterisk.ami import Ami
from diadema.switch.asterisk.ari import Ari
from diadema.switch.asterisk.exchange import Asterisk
from diadema.switch.asterisk.login import Login
from diadema.switch.exchange import (
    Down,
    Known,
    Member,
    MemberSeen,
    Offered,
    PhoneSeen,
    SwitchError,
    SwitchEvent,
    SwitchRefused,
)
from diadema.switch.journal import Journal
from diadema.switch.settings import Settings
from diadema.wire.commands import Ring
from diadema.wire.events import QueueEntered
from diadema.wire.switching import Report
from diadema.words import Sentence
from hypothesis import given
from hypothesis import strategies as st

from tests.host.test_switch_bridge import CALL, S1, S2, Stage, ready
from tests.support.scripted_station import T0, FixedClock

SECRET = "not-a-real-secret"
PROOF = base64.b64encode(f"diadema:{SECRET}".encode())
_KINDS = (
    "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentCalled", "AgentConnect",
    "AgentComplete", "AgentRingNoAnswer", "QueueMemberAdded", "QueueMemberRemoved",
    "QueueMemberPause", "QueueMemberPenalty", "DeviceStateChange", "HangupRequest", "Hangup",
    "MixMonitorStart", "MixMonitorStop", "MixMonitorMute", "ChanSpyStart", "ChanSpyStop",
)  # fmt: skip
_NAMES = (
    "Queue", "Uniqueid", "Linkedid", "DestUniqueid", "DestChannel", "Channel", "Interface",
    "MemberName", "CallerIDNum", "Position", "Count", "HoldTime", "RingTime", "TalkTime", "Wait",
    "Reason", "Paused", "PausedReason", "Penalty", "Device", "State", "SpyeeLinkedid",
    "SpyeeChannel", "SpyeeUniqueid", "SpyerChannel", "SpyerUniqueid", "Location",
)  # fmt: skip
_VALUES = st.one_of(
    st.sampled_from([
        "ventas", "1.1", "1.2", "a001", "Local/a001@diadema/n", "Local/a001@diadema-1;1", "1", "0",
        "9" * 5000, "9" * 30, "-1", "", "x" * 600, "\x1b]0;x\x07", "<script>alert(1)</script>",
        "${SHELL(id)}", "PJSIP/101&PJSIP/900", "\u202e\u2028", "agent", "transfer", "INUSE",
    ]),
    st.text(max_size=20),
)  # fmt: skip
_EVENTS = st.lists(
    st.builds(
        lambda kind, fields: {"Event": kind, **fields},
        st.sampled_from(_KINDS),
        st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=12),
    ),
    max_size=12,
)
_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.sampled_from(["", "1.1", "tel-1.1", "x;2"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "name", "channel", "args", "value", "channels", "state",
                             "dialplan", "app_data", "app_name", "caller", "number"]),
            inner, max_size=5),
    ),
    max_leaves=12,
)  # fmt: skip
_ARI_EVENTS = st.builds(
    lambda kind, fields: fields | {"type": kind},
    st.sampled_from(["StasisStart", "StasisEnd", "ChannelDestroyed", "Dial", "Nonsense"]),
    st.dictionaries(st.sampled_from(["channel", "args", "bridge"]), _JSON, max_size=3),
)


def exchange(hear, ami_port=1, ari_port=1):
    settings = Settings(ami_port=ami_port, ari_port=ari_port)
    passwords = {"ami": SECRET, "ari": SECRET}
    secrets = Secrets(host="", gateway="", api="", badge_key="aa" * 32, exchange=passwords)
    return Asterisk(settings, secrets, hear, FixedClock(), Known((), {}, ""))


@given(events=_EVENTS)
def test_whatever_it_tells_of_queues_the_hub_can_read(events):
    """Else what comes after would wait behind it for ever."""
    heard = []
    its = exchange(heard.append)
    for event in events:
        its._on_ami(event)
    with tempfile.TemporaryDirectory() as folder:
        its = Journal(Path(folder) / "switch.sqlite3", "central")
        for one in heard:
            if isinstance(one, SwitchEvent):
                its.append([one.event])
        bodies = its.unsent(100)
        its.close()
    assert [decode_known(body).sequence for body in bodies] == [*range(1, len(bodies) + 1)]


@given(events=st.lists(_ARI_EVENTS, max_size=6))
async def test_an_event_of_another_shape_changes_nothing(events):
    heard = []
    its = exchange(heard.append)
    for event in events:
        its._on_ari(event)
    assert not heard


@given(answers=st.lists(_JSON, min_size=1, max_size=6))
async def test_answers_of_another_shape_are_one_more_failed_try(answers):
    its = exchange([].append)
    given = iter(answers * 100)

    async def answer(*_, **__):
        return next(given)

    async def nothing(*_, **__):
        return []

    async def nobody(*_, **__):
        return {}

    its._ari.get, its._ari.put_body, its._ari.delete = answer, answer, answer
    its._ami.ask_list = nothing
    its._ami.act = nobody
    try:
        await its._ari_is_up()
    except DiademaError:
        pass
    finally:
        await its._calls.close()


async def test_however_much_it_tells_the_report_is_one_that_the_hub_takes(tmp_path):
    """And is no longer than the broker carries: else no station would ring any more."""
    stage = Stage(tmp_path)
    await stage.here()
    stage.exchange.version = "x" * 50_000
    head = {"station": "", "epoch": 0, "sequence": 1, "boot": 0, "uptime_ms": 0}
    for at in range(6000):
        member = Member(f"a{at}", "q" * 300 + str(at), True, "r" * 300)
        stage.bridge.hear(MemberSeen(member))
        stage.bridge.hear(PhoneSeen(f"PJSIP/{at}", True))
    for at in range(2000):
        queue = f"{at}" + "q" * 200
        stage.bridge.hear(SwitchEvent(QueueEntered(**head, utc_ms=T0, pbx="1.1", queue=queue)))
    for _ in range(100):
        stage.bridge.hear(Down(SwitchRefused("QueueAdd", "\x1b[2J" + "x" * 60_000)))
    body = msgspec.json.encode(stage.bridge.report())
    assert len(body) < 1 << 20
    report = msgspec.json.decode(body, type=Report)
    assert "\x1b" not in str(Sentence.of(report.troubles[0].sentence))
    assert Switching.sayable(report.troubles) == report.troubles
    await stage.bridge.close()


async def test_a_queue_of_any_name_rings_at_its_stations(tmp_path):
    """The hub refuses what a station could not show, and so nobody would ever answer."""
    stage = Stage(tmp_path)
    await stage.here(ready())
    for number, queue in enumerate(["\x1b[2J\u202e" + "ñ" * 100, "", "\n"]):
        await stage.heard(Offered(f"{number}.4", "1.1", "1.1", queue, "a001"))
        _, _, fields = stage.hub.commands[-1]
        msgspec.convert({"cmd": "ring", **fields}, Ring)
        assert fields.get("queue", "ñ").isprintable()
    stage.journal.close()


async def test_what_is_remembered_of_it_has_an_end(tmp_path):
    its = exchange((stage := Stage(tmp_path)).bridge.hear)
    await stage.here()
    stage.journal.append = lambda _: None
    for at in range(12_000):
        its._on_ami({"Event": "QueueCallerJoin", "Queue": f"q{at}", "Uniqueid": f"{at}"})
        its._on_ami({"Event": "QueueCallerJoin", "Queue": "q", "Uniqueid": f"{at}"})
        its._on_ami({"Event": "MixMonitorStart", "Uniqueid": f"{at}", "Linkedid": "1"})
        its._on_ami({"Event": "DeviceStateChange", "Device": f"PJSIP/{at}", "State": "INUSE"})
        member = {"Interface": f"Local/a{at}@diadema/n", "Queue": "q"}
        its._on_ami({"Event": "QueueMemberAdded", **member})
    bridge = stage.bridge
    remembered = (
        bridge._waiting, bridge._waiting["q"], bridge._members.phones, bridge._members.known,
        its._members, its._queues._callers, its._queues._recorded, its._spies._known,
        its._spies._of,
    )  # fmt: skip
    assert max(map(len, remembered)) <= 10_000
    await bridge.close()


def test_its_own_words_are_one_line_of_a_log():
    refused = SwitchRefused("QueueAdd", "\x1b[2J\n2026-11-18 ERROR made up" + "x" * 60_000)
    assert str(refused).isprintable() and len(str(refused)) < 400


def test_whoever_listened_in_is_remembered_to_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "_LISTENED", 10)
    its = Journal(tmp_path / "switch.sqlite3", "central")
    for at in range(30):
        its.note_listening(f"{at}", "PJSIP/1", True, at)
    its.close()
    with closing(sqlite3.connect(tmp_path / "switch.sqlite3")) as tx:
        linked = [one for (one,) in tx.execute("SELECT linked FROM listening")]
    assert linked == [f"{at}" for at in range(20, 30)]


def test_without_tls_no_name_says_where_this_machine_is():
    """Else whoever answers for names would get the password."""
    assert Login("localhost", 8088, "diadema", SECRET).where == "127.0.0.1:8088"


# -- stations


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("answered", {}),
        ("held", {}),
        ("muted", {}),
        ("consulted", {"area": "soporte", "heard": "area"}),
        ("transferred", {"kind": "blind", "target": "soporte"}),
        ("missed", {"cause": "rejected"}),
        ("ended", {"by": "agent"}),
    ],
)
@pytest.mark.parametrize("talking", [False, True])
async def test_a_station_does_nothing_to_the_calls_of_another(tmp_path, what, fields, talking):
    """Ids of calls can be guessed: the next one is a number more."""
    stage = Stage(tmp_path)
    await stage.here(ready(), ready(S2, "a002"))
    await stage.offered()
    if talking:
        await stage.contact("answered")
    stage.exchange.asked.clear()
    await stage.said(f"contact.{what}", s=S2, c=CALL, a="a002", i=1, **fields)
    await stage.said("command.refused", s=S2, i=1, c=CALL)
    assert not stage.exchange.asked
    await stage.contact("ended" if talking else "answered", by="agent")
    assert stage.exchange.asked
    stage.journal.close()


@given(
    events=st.lists(
        st.builds(
            lambda kind, fields: {"k": kind, "s": S1, **fields},
            st.sampled_from([
                "session.opened", "session.closed", "presence.changed", "contact.answered",
                "contact.consulted", "contact.transferred", "contact.ended", "contact.dialed",
                "command.refused", "wrapup.ended", "station.booted",
            ]),
            st.dictionaries(st.sampled_from(["a", "c", "i", "t", "to", "reason", "kind", "area",
                                             "target", "by", "heard"]), _JSON, max_size=4),
        ),
        max_size=6,
    )
)  # fmt: skip
async def test_a_station_that_says_what_is_none_stops_no_other(events):
    """What it lets out is stored as it came, and told here as it was stored."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        await stage.here(ready(), ready(S2, "a002"))
        for event in events:
            stage.bridge.station_said(event)
        await stage.settle()
        await stage.heard(Offered("9.9", "9.1", "9.1", "ventas", "a002"))
        assert ("ring", S2) in [(cmd, s) for s, cmd, _ in stage.hub.commands]
        await stage.bridge.close()
        stage.journal.close()


# -- over sockets


@pytest.fixture
async def served(stack):
    """A server that does what a test says with each connection; gives its port."""

    async def begin(serve):
        async def on_client(reader, writer):
            try:
                await serve(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(on_client, "127.0.0.1", 0)
        stack.callback(server.close)
        return server.sockets[0].getsockname()[1]

    return begin


def client(port, heard=None, up=None):
    async def nothing():
        return None

    hear = (heard if heard is not None else []).append
    return Ari(Login("127.0.0.1", port, "diadema", SECRET), hear, up or nothing, lambda _: None)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_an_answer_without_an_end_is_cut(served):
    sent = 0

    async def serve(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        while True:
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await writer.drain()
            sent += 0x10000

    async with client(await served(serve)) as its:
        with pytest.raises(SwitchError):
            await its.get("channels")
    assert sent < 64 << 20


async def test_an_answer_that_drips_is_given_up(served, monkeypatch):
    monkeypatch.setattr(ari, "_ANSWER_S", 0.5)
    done = asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        while not done.is_set():
            writer.write(b"1\r\n \r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with client(await served(serve)) as its:
        with pytest.raises(SwitchError):
            await its.get("channels")
    done.set()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * (1 << 20) + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        b"\x00\xff\x00 nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{x}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n{x}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        b"",
    ],
)
async def test_an_answer_that_is_none_is_refused(served, answer):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with client(await served(serve)) as its:
        with pytest.raises(SwitchError):
            await its.get("channels")


@pytest.mark.parametrize("what", ["request", "events"])
async def test_a_redirection_is_not_followed(served, what):
    """Nor does whoever it names see our password."""
    asked = []

    async def other(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))

    elsewhere = await served(other)
    paths = []

    async def serve(reader, writer):
        text = await reader.readuntil(b"\r\n\r\n")
        paths.append(text)
        scheme = "http" if what == "request" else "ws"
        to = f"{scheme}://127.0.0.1:{elsewhere}/ari/"
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()

    async with client(await served(serve)) as its:
        with pytest.raises(SwitchError):
            await (its.get("channels") if what == "request" else its.once())
    assert PROOF in paths[0] and not asked


async def test_a_frame_that_is_too_long_ends_the_stream(served):
    heard = []

    async def serve(reader, writer):
        text = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(
            x.partition(": ")[2] for x in text.split("\r\n") if "sec-websocket-key" in x.lower()
        )
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        writer.write(b"\x81\x7f" + (100 << 20).to_bytes(8, "big"))
        for _ in range(1600):
            writer.write(b" " * 65_536)
            await writer.drain()

    async with client(await served(serve), heard) as its:
        with pytest.raises(SwitchError):
            await its.once()
    assert not heard


@pytest.mark.parametrize("name", ["..", ".", "", "a/../b", "a\r\nb", "?x=1", "#x", "%2e%2e"])
async def test_a_name_is_one_part_of_an_address_and_no_more(served, name):
    asked = []

    async def serve(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    async with client(await served(serve)) as its:
        try:
            await its.delete("channels", name, "mute")
        except SwitchError:
            assert not asked and name in ("..", ".", "")
            return
    (path,) = asked
    assert path.startswith("/ari/channels/") and path.endswith("/mute") and path.count("/") == 4


async def test_a_list_without_an_end_is_bounded(served, monkeypatch, stack):
    monkeypatch.setattr(ami, "_LISTED_BYTES", 1 << 16)

    async def serve(reader, writer):
        async def answer(more):
            text = (await reader.readuntil(b"\r\n\r\n")).decode()
            number = re.search("ActionID: ([0-9]+)", text)[1].encode()
            writer.write(b"Response: Success\r\nActionID: %s\r\n%s\r\n" % (number, more))
            return number

        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        await answer(b"Challenge: 1\r\n")
        await answer(b"")
        number = await answer(b"EventList: start\r\n")
        row = b"Event: QueueMember\r\nActionID: %s\r\nName: %s\r\n\r\n"
        for _ in range(1000):
            writer.write(row % (number, b"x" * 1000))
        writer.write(b"Event: Done\r\nActionID: %s\r\nEventList: Complete\r\n\r\n" % number)
        await writer.drain()
        await reader.read()

    up = asyncio.Event()

    async def rise():
        up.set()

    its = Ami(Login("127.0.0.1", await served(serve), "diadema", SECRET), [].append, rise, print)
    task = asyncio.create_task(its.run())
    stack.push_async_callback(asyncio.wait, [task])
    stack.callback(task.cancel)
    await up.wait()
    with pytest.raises(SwitchError):
        await its.ask_list("QueueStatus")
