"""The ingest as its own process between a real broker and a real store; a plain MQTT client plays
gateway and stations.
"""

import asyncio
import contextlib
import hmac
import json
import resource
import shutil
import sqlite3
from base64 import b64decode

import aiomqtt
import pytest
from diadema.base.clock import SharedClock
from diadema.base.locks import AlreadyLocked, locked
from diadema.base.paths import write_whole
from diadema.site.station_keys import StationKeys
from nats.errors import Error as NatsError

from tests.host.test_gateway import mac
from tests.support.at_the_door import asked
from tests.support.broker_fixtures import IngestProcess, until
from tests.support.scripted_station import SITE, T0, S, Script

S2 = "DIA-0123456789ac"


class Play:
    """One MQTT client as gateway `test`: sends what a script holds. What comes down is heard
    beside it, also what goes to a station whose cable nobody named.
    """

    def __init__(self, broker):
        self._broker = broker
        self.acks, self.commands = {}, []
        self._boots, self._greeted = {}, {}
        self._held = contextlib.AsyncExitStack()

    async def __aenter__(self):
        self.mqtt = await until(self._let_in)
        ears = await self._broker.client()
        self._held.push_async_callback(ears.close)
        for way in ("*", "gw-test.*.*"):
            for leaf in ("ack", "cmd"):
                await ears.subscribe(f"diadema.v1.{way}.{leaf}", cb=self._hear)
        await ears.flush()
        return self

    async def _let_in(self):
        """After the broker came back the ingest has to look at its stream first."""
        try:
            return await self._held.enter_async_context(self._broker.mqtt())
        except aiomqtt.MqttError:
            return None

    async def __aexit__(self, *_):
        with contextlib.suppress(aiomqtt.MqttError):  # the broker may be gone
            await self._held.aclose()

    async def _hear(self, message):
        *_, way = words = message.subject.split(".")
        s = words[3] if words[2] == "gw-test" else words[2]
        if message.data.startswith(b'{"hello"'):
            await self._prove(s, json.loads(message.data)["nonce"])
            return
        body = self._unsealed(s, message.data)
        if way == "ack":
            self.acks[s] = body["ack"]
        else:
            self.commands.append((s, body))

    def _unsealed(self, s, text):
        """As the station takes it: the seal over all else, for the boot of its last hello."""
        text, _, tail = text.rpartition(b',"h":"')
        key = StationKeys(self._broker.data.keys).of(s)
        text += b"}"
        said = f"{s}\n{self._boots.get(s, 0)}\n".encode() + text
        assert tail == hmac.new(key, said, "sha256").hexdigest()[:16].encode() + b'"}'
        return json.loads(text)

    async def _prove(self, s, nonce):
        script, more = self._greeted[s]
        key = StationKeys(self._broker.data.keys).of(s)
        await self.hello(script, **more, nonce=nonce, mac=mac(key, script, nonce))

    async def hello(self, script, **more):
        self._boots[script.s] = script.b
        if "mac" not in more:
            self._greeted[script.s] = script, more
        body = json.dumps(script.hello(**more))
        await self.mqtt.publish(f"diadema/v1/gw-test/{script.s}/st", body, qos=1, retain=True)

    async def send(self, script, first=1, last=None):
        if script.s not in self._greeted:  # its gateway would say so first
            await self.hello(script)
        for body in script.bodies[first - 1 : last]:
            await self.mqtt.publish(f"diadema/v1/gw-test/{script.s}/ev", body, qos=1)

    async def acked(self, script):
        await until(lambda: self.acks.get(script.s) == [script.e, script.n])

    async def command(self, cmd, s=S):
        return await until(
            lambda: next((c for to, c in self.commands if to == s and c["cmd"] == cmd), None)
        )


@pytest.fixture
async def clock_file(tmp_path):
    path = tmp_path / "clock"
    SharedClock(path, create=True).set(T0, 0)
    return path


@pytest.fixture
async def ingest(broker, clock_file, stack):
    return await stack.enter_async_context(IngestProcess(broker, clock_file))


@pytest.fixture
async def play(broker, ingest, stack):
    return await stack.enter_async_context(Play(broker))


async def row(client, a="a001"):
    bucket = await client.jetstream(timeout=60).key_value("live")
    return json.loads((await bucket.get(f"agent.{a}")).value)


def day():
    return Script().boot().clock().login().ready().call("c1").call("c2", hold=5000)


async def test_events_are_stored_acknowledged_and_shown(play, client, store):
    script = day()
    await play.send(script)
    await play.acked(script)
    assert [event.body for event in store.events_of(S)] == script.bodies
    shown = await until(lambda: _shown(client, contacts=2, state="ready"))
    assert (shown["seat"], shown["tmo"]) == ("A-01", 73)
    meta = await until(lambda: _meta(client, cut={"at": T0, "position": script.n}))
    assert meta == {
        "site": "Centro",
        "zone": "America/Lima",
        "language": "es",
        "generation": 1,
        "day": "2026-11-18",
        "cut": {"at": T0, "position": script.n},
        "owing": [],
    }
    assert (await row(client, "a002"))["state"] == "logged_out"
    play.acks.clear()
    await play.send(script, first=script.n)  # a double is acknowledged again
    await play.acked(script)
    assert store.count() == script.n


async def _meta(client, **wanted):
    """The key `meta` once it is as wanted."""
    bucket = await client.jetstream(timeout=60).key_value("live")
    found = json.loads((await bucket.get("meta")).value)
    return found if all(found[key] == value for key, value in wanted.items()) else None


async def _shown(client, **wanted):
    """The row once it is as wanted; None before, and while there is no broker."""
    try:
        found = await row(client)
    except (NatsError, TimeoutError):
        return None
    return found if all(found[key] == value for key, value in wanted.items()) else None


async def test_a_hello_is_answered_with_what_is_missing(broker, play, store):
    script = Script().boot()
    await play.hello(script)
    await until(lambda: play.acks.get(S) == [7, 0])
    time = await play.command("time")
    assert time["utc"] == T0
    first = await play.command("config")
    parts = await until(lambda: _all_parts(play, first["parts"]))
    assert {part["i"] for part in parts} == {first["i"]}
    config = json.loads(b"".join(b64decode(part["data"]) for part in parts))
    assert (config["station"], config["seat"], config["generation"]) == (S, "A-01", 1)
    assert "key" not in config and oct(broker.data.keys.stat().st_mode)[-3:] == "600"
    script.clock(time["utc"], i=time["i"])
    script.add("station.config", generation=1, hash=first["sha256"][:16], i=first["i"])
    await play.send(script)
    await play.acked(script)
    play.commands.clear()
    play.acks.clear()
    await play.hello(script, generation=1)
    await play.acked(script)
    script.boot()
    await play.hello(script, generation=1)
    await play.command("time")
    assert [command["cmd"] for _, command in play.commands] == ["time"]
    play.acks.clear()
    await until(lambda: play.acks.get(S))  # said again to who is there and says nothing


def _all_parts(play, parts):
    found = [command for _, command in play.commands if command["cmd"] == "config"]
    return found if len(found) == parts else None


async def test_a_command_is_numbered_sent_repeated_and_answered(play, client, clock_file):
    script = Script().boot().clock().login().ready()
    await play.hello(script, generation=1)
    script.clock(i=(await play.command("time"))["i"])
    await play.send(script)
    await play.acked(script)
    given = await asked(client, "hub.command", s=S, cmd="ring", contact="c1", queue="ventas")
    ring = await play.command("ring")
    assert ring == {
        "cmd": "ring", "i": given["i"], "contact": "c1", "direction": "in", "queue": "ventas",
    }  # fmt: skip
    play.commands.clear()
    await play.hello(script, generation=1)
    assert await play.command("ring") == ring
    script.offer("c1", i=given["i"])
    await play.send(script, first=script.n)
    await play.acked(script)
    answer = await asked(client, "hub.command.get", s=S, i=given["i"])
    assert (answer["answered"]["k"], answer["expired"]) == ("contact.offered", False)
    play.commands.clear()
    play.acks.clear()
    late = await asked(client, "hub.command", s=S, cmd="hangup", contact="c1", by="caller")
    assert late["i"] > given["i"]
    SharedClock(clock_file, create=True).set(T0 + 10_000, 0)
    answer = await asked(client, "hub.command.get", s=S, i=late["i"])
    assert answer == {"i": late["i"], "answered": None, "expired": True}
    await play.command("hangup")
    play.commands.clear()
    await play.hello(script, generation=1)
    await play.acked(script)
    await asked(client, "hub.status")
    assert play.commands == []


async def test_a_command_passed_over_goes_on_under_a_new_number(play, client):
    script = Script().boot().clock().login()
    await play.send(script)
    await play.acked(script)
    asked_for = {"cmd": "presence", "to": "not_ready", "reason": "sshh"}
    first = await asked(client, "hub.command", s=S, **asked_for)
    script.clock(i=first["i"] + 1)  # executed a later one: it will not execute the first
    await play.send(script, first=script.n)
    await play.acked(script)
    play.commands.clear()
    await play.hello(script, generation=1)
    again = await play.command("presence")
    assert again["i"] > first["i"] + 1
    script.presence("not_ready", "not_ready", "sshh", by="supervisor", i=again["i"])
    await play.send(script, first=script.n)
    await play.acked(script)
    answer = await asked(client, "hub.command.get", s=S, i=first["i"])
    assert answer["answered"]["i"] == again["i"]


async def test_how_well_a_stations_clock_is_known(play, client):
    assert (await asked(client, "hub.clock", s=S))["status"] == 404
    script = Script().boot().clock().login()
    await play.send(script)
    await play.acked(script)
    clock = await asked(client, "hub.clock", s=S)
    assert (clock["source"], clock["anchored_utc"], clock["offset_ms"]) == ("host", T0, T0 - 15)
    assert (clock["uncertainty_ms"], clock["drift_ppm"], clock["jumps"]) == (50, None, 0)
    status = await asked(client, "hub.status")
    assert status["clocks"] == {"known": 1, "unknown": 0, "worst_ms": 50, "jumps": 0}


WRONG = [
    ({"s": S, "cmd": "ring"}, 422, "contact"),
    ({"s": S, "cmd": "dance"}, 422, "cmd"),
    ({"s": S, "cmd": "time", "utc": 1}, 422, "cmd"),
    ({"s": S, "cmd": "ring", "contact": "c", "volume": 3}, 422, "volume"),
    ({"s": S, "cmd": "presence", "to": "ready", "reason": "x"}, 422, "ready"),
    ({"s": "DIA-ffffffffffff", "cmd": "ring", "contact": "c"}, 404, "DIA-ffffffffffff"),
    ({"cmd": "ring", "contact": "c"}, 404, "station"),
]


async def test_a_fault_of_ours_is_told_without_its_inside(broker, ingest, client):
    """What went wrong inside is for the log; who asks is told where it is."""
    for file in broker.data.tls.iterdir():
        file.unlink()
    answer = await asked(client, "hub.enrol", s=S)
    assert answer["error"] == "internal" and "logs/ingest.log" in answer["detail"]
    assert "Error" not in answer["detail"] and str(broker.data.root) not in answer["detail"]
    assert "Traceback" in broker.data.log("ingest").read_text()


async def test_asking_for_no_number_is_refused(ingest, client):
    for i in ("x", 2**70, -1, 1.5, None):
        answer = await asked(client, "hub.command.get", s=S, i=i)
        assert (answer["error"], answer["status"]) == ("bad_request", 422)
        assert "$.i" in answer["detail"]


async def test_a_wrong_command_is_refused_with_the_reason(play, client):
    for body, status, detail in WRONG:
        answer = await asked(client, "hub.command", **body)
        assert answer["status"] == status
        assert detail in answer["detail"]
    assert (await asked(client, "hub.command.get", s=S, i=1))["status"] == 404
    assert (await asked(client, "hub.status"))["open_commands"] == 0
    assert play.commands == []


async def test_one_agent_at_two_seats_is_logged_out_at_the_first_one(play, client):
    here, there = Script().boot().clock().login(), Script(s=S2).boot().clock(T0 + 60_000).login()
    for script in (here, there):
        await play.hello(script)
        await play.send(script)
        await play.acked(script)
    told = await play.command("session")
    assert (told["agent"], told["verdict"], told["reason"]) == ("a001", "close", "moved")
    assert (await until(lambda: _shown(client, warn="two_seats")))["seat"] == "A-02"


async def test_a_mark_is_told_at_every_desk_and_to_one_that_greets(play):
    there, here = Script(s=S2).boot().clock(), Script().boot().clock().mark("in")
    await play.hello(there)
    await play.send(here)
    await play.acked(here)
    marks = [["a001", "in", T0 + 1000]]
    assert (await play.command("marks", S2))["marks"] == marks
    assert (await play.command("marks"))["marks"] == marks  # as at its own desk
    play.commands.clear()
    await play.hello(here)
    assert await play.command("marks") == {"cmd": "marks", "i": 0, "marks": marks}


async def test_another_site_reaches_stations_and_floor(broker, play, client):
    script = Script().boot().clock().login()
    await play.hello(script, generation=1)
    await play.send(script)
    await play.acked(script)
    changed = json.loads(json.dumps(SITE))
    changed["agents"][0]["alias"] = "Rosa"
    write_whole(broker.data.site, json.dumps(changed).encode())
    assert await asked(client, "hub.site") == {"generation": 2}
    assert (await play.command("config"))["generation"] == 2
    assert (await until(lambda: _shown(client, alias="Rosa")))["state"] == "not_ready"
    assert await asked(client, "hub.site") == {"generation": 2}
    changed["agents"][0]["short"] = ""
    write_whole(broker.data.site, json.dumps(changed).encode())
    refused = await asked(client, "hub.site")
    assert "agents[0].short" in refused["detail"]
    assert (await row(client))["alias"] == "Rosa"


async def test_the_streams_limit_follows_the_number_of_stations(broker, play, client):
    async def limit():
        return (await client.jetstream(timeout=60).stream_info("$MQTT_msgs")).config.max_bytes

    assert await limit() == 256 << 20
    more = [{"id": f"DIA-0200000001{k:02x}", "seat": f"Z-{k}"} for k in range(98)]
    assert len(SITE["stations"]) == 2
    changed = SITE | {"stations": SITE["stations"] + more}
    write_whole(broker.data.site, json.dumps(changed).encode())
    assert await asked(client, "hub.site") == {"generation": 2}
    assert await limit() == 400 << 20


async def test_broker_killed_nothing_is_lost(broker, ingest, play, client, store):
    script = day()
    await play.send(script, last=6)
    await until(lambda: play.acks.get(S) == [7, 6])
    await play.hello(script)
    await until(lambda: _shown(client, link="up"))
    await broker.stop(kill=True)
    await broker.start()
    async with Play(broker) as again:
        shown = await until(lambda: _shown(client, link="late"))
        assert shown["state"] in ("ready", "offered")
        await again.hello(script)
        await again.send(script, first=4)
        await again.acked(script)
        await until(lambda: _shown(client, link="up", contacts=2))
    assert [event.body for event in store.events_of(S)] == script.bodies
    assert ingest.process.returncode is None


async def test_ingest_killed_nothing_is_lost(broker, ingest, play, store, clock_file):
    script = day()
    sending = asyncio.create_task(play.send(script))
    await until(lambda: S in play.acks)
    await ingest.stop(kill=True)
    await sending
    await ingest.start()
    await play.send(script, first=script.n)  # unacknowledged perhaps, so a station sends it again
    await play.acked(script)
    assert [event.body for event in store.events_of(S)] == script.bodies
    assert len(store.contacts(closed=True)) == 2


async def test_a_store_from_a_backup_catches_up_from_the_stream(
    broker, ingest, play, store, tmp_path
):
    script = day()
    await play.send(script, last=5)
    await until(lambda: play.acks.get(S) == [7, 5])
    with contextlib.closing(sqlite3.connect(broker.data.store)) as live:
        live.execute("VACUUM INTO ?", [str(tmp_path / "backup")])
    await play.send(script, first=6)
    await play.acked(script)
    await ingest.stop(kill=True)
    store.close()
    for file in tmp_path.glob("store.sqlite3*"):
        file.unlink()
    (tmp_path / "backup").rename(broker.data.store)
    await ingest.start()
    await until(lambda: store.count() == script.n)
    assert [event.body for event in store.events_of(S)] == script.bodies
    assert store.losses() == []


async def test_a_new_stream_is_noticed(broker, ingest, play, store, stack, tmp_path):
    script = day()
    await play.send(script, last=5)
    await until(lambda: play.acks.get(S) == [7, 5])
    await ingest.stop(kill=True)
    await broker.stop()
    shutil.rmtree(broker.data.nats / "jetstream")
    await broker.start(mqtt=False)
    await broker.stop()
    await broker.start()
    await ingest.start()
    async with Play(broker) as again:
        await again.send(script, first=5)
        await again.acked(script)
    assert [event.body for event in store.events_of(S)] == script.bodies


async def test_it_waits_for_a_store_that_takes_nothing(broker, play, store, client):
    script = day()
    await play.send(script, last=5)
    await until(lambda: play.acks.get(S) == [7, 5])
    with contextlib.closing(sqlite3.connect(broker.data.store)) as other:
        other.execute("BEGIN IMMEDIATE")
        await play.send(script, first=6)
        log = broker.data.log("ingest")
        await until(lambda: "the store takes nothing" in log.read_text())
        assert play.acks[S] == [7, 5]
        assert (await asked(client, "hub.command.get", s="", i=0))["paused"] is True
    await play.acked(script)
    assert store.count() == script.n
    assert (await asked(client, "hub.status"))["paused"] is False
    assert "paused" not in await asked(client, "hub.command.get", s="", i=0)


async def test_it_waits_for_a_disk_that_is_full(broker, ingest, play, store, client):
    """The system refuses to let the store's files grow, then allows it again."""
    script = day()
    await play.send(script, last=5)
    await until(lambda: play.acks.get(S) == [7, 5])
    wal = broker.data.store.with_name(broker.data.store.name + "-wal")
    pid = ingest.process.pid
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (wal.stat().st_size, unlimited[1]))
    await play.send(script, first=6)

    async def paused():
        return (await asked(client, "hub.command.get", s="", i=0)).get("paused")

    await until(paused)
    assert (play.acks[S], store.position(S, 7)) == ([7, 5], 5)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
    await play.acked(script)
    assert [event.body for event in store.events_of(S)] == script.bodies
    assert not await paused()
    assert ingest.process.returncode is None


async def test_poison_goes_to_the_dead_letters_and_stops_nothing(broker, play, store):
    script = day()
    poison = [b"", b"{", b"\xff" * 40, b"[" * 1000, b'{"k":"x"}', b"x" * 1000]
    await play.send(script, last=5)
    for body in poison:
        await play.mqtt.publish(f"diadema/v1/gw-test/{S}/ev", body, qos=1)
        await play.mqtt.publish("diadema/v1/gw-test/nobody/ev", body, qos=1)
    await play.send(script, first=6)
    await play.acked(script)
    letters = store.dead_letters()
    assert len(letters) == 2 * len(poison)
    assert all(letter["reason"] for letter in letters)
    assert [event.body for event in store.events_of(S)] == script.bodies


async def test_the_end_of_the_hub_ends_it_and_the_broker(broker, ingest):
    ingest.process.stdin.close()
    assert await asyncio.wait_for(ingest.process.wait(), 60) == 0
    assert await asyncio.wait_for(broker.process.wait(), 60) is not None


async def test_only_one_ingest_writes(broker, ingest):
    with pytest.raises(AlreadyLocked), locked(broker.data.ingest_lock):
        pass


async def test_the_scripted_gateway_dies_and_its_cables_are_lost(broker, ingest, play, client):
    script = Script().boot().clock().login()
    await play.hello(script)
    await play.send(script)
    await play.acked(script)
    await until(lambda: _shown(client, link="up"))
    await play.mqtt.publish("diadema/v1/gw-test/st", b'{"up":false}', qos=1)
    shown = await until(lambda: _shown(client, link="lost"))
    assert shown["state"] == "not_ready"  # a lost link is no logout
