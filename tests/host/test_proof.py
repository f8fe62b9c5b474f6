"""Who is on a cable is asked, and until he has proved it he hears nothing that is not his; a key
is given on the port that a person named, never the same one twice.
"""

import asyncio
import json
from base64 import b64decode
from types import SimpleNamespace

import pytest
from diadema.base.certificates import Certificates
from diadema.base.paths import DataDir
from diadema.gateway.bridge import PATH_LIMIT
from diadema.hub.ca_change import CaChange, stations_due
from diadema.hub.commanding import Commands, New
from diadema.hub.enrolment import Enrolment
from diadema.hub.outbox import Routes
from diadema.ingest.core import Ingest
from diadema.ingest.messages import PREFIX, Message
from diadema.ingest.proof import Proofs, Verdict
from diadema.site.description import parse
from diadema.site.station_keys import StationKeys, seal
from diadema.stations.provision import StationConfirmation
from diadema.store import open_reader
from diadema.store.station_state import Greeting

from tests.host.test_gateway import Wire, mac
from tests.host.test_whom import gateway_on
from tests.support.at_the_door import WIFI, asked, connection, credential, refused
from tests.support.broker_fixtures import IngestProcess, until
from tests.support.scripted_station import SITE, S, Script

S2 = "DIA-0123456789ac"
KEYS = {S: bytes(range(32)), S2: bytes(range(1, 33))}


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A gateway that gave a slow broker up would send again what the tests count."""
    monkeypatch.setattr("diadema.gateway.bridge._ANSWER_S", 15)


@pytest.fixture
def wires(broker, tmp_path, stack):
    """A site with Wi-Fi, whose stations have their keys since long; gives what makes cables."""
    described = SITE | {"wifi": WIFI, "broker_names": ["localhost"]}
    broker.data.site.write_text(json.dumps(described))
    broker.data.keys.write_text(json.dumps({s: key.hex() for s, key in KEYS.items()}))
    broker.data.keys.chmod(0o600)
    made = []

    def make(script, key=None, keyed=None):
        wire = Wire(tmp_path / f"port{len(made)}", script)
        wire.key = key
        script.keyed = int(key is not None) if keyed is None else keyed
        wire.plug()
        stack.callback(wire.pull)
        made.append(wire)
        return wire

    return make


@pytest.fixture
async def ingest(broker, wires, stack):
    return await stack.enter_async_context(IngestProcess(broker))


@pytest.fixture
def ingest_here(writer, site, clock):
    """Its core alone."""
    return Ingest(writer, site, clock)


class Told(Script):
    """A script whose hello says whether it holds a key; −1: a program that does not say."""

    keyed = 1

    def hello(self, **more):
        told = super().hello(**more)
        if self.keyed < 0:
            del told["keyed"]
            return told
        return told | {"keyed": self.keyed}


def boot(s=S, e=7):
    return Told(s=s, e=e).boot()


def commands(wire):
    return {frame["cmd"] for frame in wire.down if "cmd" in frame}


def config(wire):
    """The configuration that came last; None while it is not whole."""
    blocks = [frame for frame in wire.down if frame.get("cmd") == "config"]
    last = {block["part"]: block for block in blocks if block["i"] == blocks[-1]["i"]}
    if not last or len(last) != blocks[-1]["parts"]:
        return None
    return json.loads(b"".join(b64decode(last[part]["data"]) for part in sorted(last)))


def sealed_by(wire, key):
    """Whether the last frame is by that key."""
    frame = dict(wire.down[-1])
    told = frame.pop("h")
    body = json.dumps(frame, separators=(",", ":")).encode()
    return seal(key, wire.script.s, wire.script.b, body).endswith(f'"h":"{told}"}}'.encode())


async def open_window(client, wire, s=S):
    told = [{"s": s, "gw": "test", "at": str(wire.path)[-PATH_LIMIT:]}]
    assert "error" not in await asked(client, "hub.provision", stations=told, seconds=60)


async def greets(wire, times=2):
    """It has been heard so often that an answer would have come."""
    for _ in range(times):
        wire.down.clear()
        wire.hello()
        await until(lambda: any("ack" in frame for frame in wire.down))


async def test_who_proves_it_is_told_all_but_a_key(broker, ingest, wires):
    wire = wires(boot(), KEYS[S])
    async with gateway_on(broker, wire):
        told = await until(lambda: config(wire))
        await until(lambda: "time" in commands(wire))
    assert (told["station"], told["generation"]) == (S, 1) and told["agents"]
    assert "key" not in told
    assert KEYS[S].hex() not in json.dumps(wire.down)


async def test_who_answers_a_question_twice_is_asked_again(broker, ingest, wires):
    """As when two of its greetings were under way: the second answer proves nothing."""
    wire = wires(boot(), KEYS[S])
    said, once = [], wire.hello

    def hello(nonce=None):
        once(nonce)
        if nonce and not said:
            once(nonce)
        said.extend([nonce] if nonce else [])

    wire.hello = hello
    async with gateway_on(broker, wire):
        await until(lambda: len(set(said)) == 2)
        await until(lambda: config(wire))


@pytest.mark.parametrize("keyed", [1, 0, -1])
async def test_a_cable_that_calls_itself_a_station_hears_no_secret(broker, ingest, wires, keyed):
    """Whatever it says it can; also with another station's key."""
    fakes = [wires(boot(s), None, keyed) for s in KEYS]
    thief = wires(boot(S, e=8), KEYS[S2])
    async with gateway_on(broker, *fakes, thief):
        for wire in (*fakes, thief):
            await until(lambda wire=wire: wire.down)
        for wire in (*fakes, thief):
            await greets(wire)
    for wire in (*fakes, thief):
        assert commands(wire) == set()


async def test_one_id_on_two_cables_the_false_one_gets_nothing(broker, ingest, wires, store):
    real, fake = wires(boot(), KEYS[S]), wires(boot(e=9), None, 1)
    fake.answers = False
    async with gateway_on(broker, real, fake):
        await until(lambda: config(real))
        for _ in range(5):
            fake.hello()
            await until(lambda: any("ack" in frame for frame in fake.down))
            real.down.clear()
            real.hello()
            await until(lambda: "time" in commands(real) or config(real))
            fake.down.clear()
    assert commands(fake) == set()


async def test_another_gateway_cannot_take_a_station_over(broker, ingest, wires, store, client):
    real = wires(boot(), KEYS[S])
    async with gateway_on(broker, real):
        await until(lambda: config(real))
        lie = Script(e=9).boot()
        async with broker.mqtt("other") as mqtt:
            topic = f"diadema/v1/gw-other/{S}/"
            for _ in range(2):
                await mqtt.publish(topic + "st", json.dumps(lie.hello()), qos=1, retain=True)
                await mqtt.publish(topic + "ev", lie.bodies[0], qos=1)
            await mqtt.publish(topic + "st", b'{"up":false}', qos=1)
            real.send()
            await until(lambda: store.position(S, 7) == real.script.n)
        told = (await asked(client, "hub.status"))["links"]
    assert (store.position(S, 9), told["up"]) == (0, 1)


async def test_a_key_is_given_on_the_named_port_and_never_again(broker, ingest, wires, client):
    fresh, fake = wires(boot(), None), wires(boot(e=9), None)
    async with gateway_on(broker, fresh, fake):
        await open_window(client, fresh)
        await greets(fake)
        assert commands(fake) == set()
        fresh.hello()
        first = await until(lambda: config(fresh))
        fresh.key, fresh.script.keyed = bytes.fromhex(first["key"]), 1
        assert first["key"] != KEYS[S].hex()  # that one was given before
        fresh.down.clear()
        fresh.hello()
        await until(lambda: "time" in commands(fresh))
        fresh.key, fresh.script.keyed = None, 0  # reset to the factory's state
        await greets(fresh)
        assert commands(fresh) == set()
        await open_window(client, fresh)
        fresh.down.clear()
        fresh.hello()
        second = await until(lambda: config(fresh))
    assert second["key"] not in (first["key"], KEYS[S].hex())
    for old in (first, {"broker": {"password": "x"}}):
        port = broker.broker.ports.mqtt
        assert "ot authorized" in await refused(
            connection(broker, port, old["broker"]["password"])
        )
    async with connection(broker, port, second["broker"]["password"]):
        pass


async def test_what_was_stolen_is_worth_nothing_after_a_renewal(broker, ingest, wires, client):
    stolen, port = await credential(client), broker.broker.ports.mqtt
    wire = wires(boot(), KEYS[S])
    async with gateway_on(broker, wire):
        await until(lambda: config(wire))
        renewed = await credential(client, renew=True)
        assert renewed != stolen
        assert "ot authorized" in await refused(connection(broker, port, stolen))
        await greets(wire, 3)  # it proves the old key, as a thief would
        assert commands(wire) == set()
        await open_window(client, wire)
        given = await until(lambda: config(wire))
        assert sealed_by(wire, KEYS[S])  # the only one that it has
        assert given["key"] not in (KEYS[S].hex(), "")
        wire.key = bytes.fromhex(given["key"])
        wire.down.clear()
        wire.hello()
        await until(lambda: "time" in commands(wire) and sealed_by(wire, wire.key))
    async with connection(broker, port, renewed):
        pass


async def test_a_program_that_cannot_prove_it_is_heard_and_no_more(broker, wires, ingest):
    old = wires(boot().clock().login(), None, -1)
    async with gateway_on(broker, old):
        await until(lambda: old.down)
        old.send()
        await until(lambda: old.acked)
    assert commands(old) == set()
    assert sealed_by(old, KEYS[S])


async def test_where_proof_is_required_who_has_none_is_not_heard(broker, wires, stack):
    ingest = IngestProcess(broker)
    ingest.more = ["--require-proof"]
    await stack.enter_async_context(ingest)
    store = open_reader(broker.data.store)
    stack.callback(store.close)
    silent, real = wires(boot(S2), None, -1), wires(boot(), KEYS[S])
    async with gateway_on(broker, silent, real):
        await until(lambda: config(real))
        for wire in (silent, real):
            wire.hello()
        silent.send()
        await greets(real, 1)
        # what comes between a greeting and its proof is not heard; a station sends it again
        async with asyncio.timeout(300):
            while store.position(S, 7) != real.script.n:
                real.send()
                await asyncio.sleep(0.5)
        assert real.down and not silent.down
    assert store.position(S2, 7) == 0


async def test_who_was_refused_before_the_window_opened_is_asked_again(broker, wires, stack):
    ingest = IngestProcess(broker)
    ingest.more = ["--require-proof"]
    await stack.enter_async_context(ingest)
    client = await broker.client()
    stack.push_async_callback(client.close)
    other, fresh = wires(boot(S2), KEYS[S2]), wires(boot(), None)
    async with gateway_on(broker, other, fresh):
        await until(lambda: config(other))
        await until(lambda: fresh.hellos_asked)
        await greets(other)
        told = [{"s": S, "gw": "test", "at": str(fresh.path)[-PATH_LIMIT:], "port": 1}]
        await asked(client, "hub.provision", stations=told, seconds=60)
        assert (await until(lambda: config(fresh)))["key"] != KEYS[S].hex()


def test_a_proof_counts_once_and_for_its_station_and_boot(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({s: key.hex() for s, key in KEYS.items()}))
    path.chmod(0o600)
    keys = StationKeys(path)
    proofs = Proofs(keys)
    bound = Greeting(up=True, station=S, gw="row")

    def said(key, *, nonce=None, b=1, s=S, sequence=1, gw="new"):
        asked_for = json.loads(proofs.question(s, gw))["nonce"] if nonce is None else nonce
        script = Script(s=s)
        script.b = b
        proof = mac(key, script, asked_for)
        hello = Greeting(up=True, station=s, boot=1, nonce=asked_for, mac=proof)
        return asked_for, proofs.judge(gw, hello, bound, sequence)

    used, verdict = said(KEYS[S])
    assert verdict == Verdict.PROVEN
    assert said(KEYS[S], nonce=used)[1] == Verdict.PROVEN  # the same message, taken again
    assert said(KEYS[S], nonce=used, sequence=2)[1] == Verdict.REFUSED
    assert said(KEYS[S2])[1] == Verdict.REFUSED
    assert said(KEYS[S], b=2)[1] == Verdict.REFUSED
    assert said(KEYS[S], nonce="0" * 32)[1] == Verdict.REFUSED
    assert said(KEYS[S], nonce=said(KEYS[S], gw="row")[0])[1] == Verdict.REFUSED
    assert said(KEYS[S2], gw="row")[1] == Verdict.TAKEN


class Door:
    """Greetings as they come in from gateways and by MQTT, without a broker."""

    def __init__(self, ingest, path, keys=None, *, required=False):
        path.write_text(json.dumps({s: key.hex() for s, key in (keys or KEYS).items()}))
        path.chmod(0o600)
        self.ingest, self.keys = ingest, StationKeys(path)
        self.proofs = ingest.proofs = Proofs(self.keys, required=required)
        self.ways = Routes(ingest, lambda _: None)
        self.taken = 0

    def take(self, subject, told):
        """Gives the effects."""
        self.taken += 1
        data = told if isinstance(told, bytes) else json.dumps(told).encode()
        message = Message(self.taken, f"{PREFIX}{subject}", data)
        return self.ingest.take([message], "stream", "server")

    def says(self, told, gw="row", port=0, s=S):
        more = {"port": port, "at": f"/dev/tty{port}"} if isinstance(told, dict) else {}
        return self.take(f"gw-{gw}.{s}.st", told | more if more else told)

    def hello(self, script, gw="row", port=0, key=None, **more):
        told = script.hello(**more)
        if key:
            nonce = json.loads(self.proofs.question(script.s, gw))["nonce"]
            told |= {"nonce": nonce, "mac": mac(key, script, nonce)}
        return self.says(told, gw, port, script.s)

    def by_mqtt(self, script, **more):
        return self.take(f"{script.s}.st.wifi", script.hello(**more))

    def hears(self, s=S, leaf="cmd"):
        """Where a command goes now."""
        return self.ways(s, leaf, b'{"cmd":"text"')


@pytest.fixture
def door(ingest_here, tmp_path):
    return Door(ingest_here, tmp_path / "keys.json")


CABLE = f"diadema.v1.gw-row.{S}.0.cmd"
UNPROVEN = {
    "a greeting": Told(e=9).boot().hello(keyed=1),
    "one that fits nowhere": Told(e=9).boot().hello(first=5),
    "one far ahead": Told(e=9).boot().hello(first=1 << 30) | {"last": 1 << 30},
    "one of no shape": b"{}",
    "an end": {"up": False, "s": S},
    "safe mode": {"up": False, "s": S, "safe": True, "cause": "crashes"},
}


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("told", UNPROVEN.values(), ids=UNPROVEN)
def test_who_says_a_word_without_proof_is_proven_no_more(door, told, required):
    door.proofs.required = required
    door.hello(Script().boot(), key=KEYS[S])
    assert CABLE in door.hears()
    door.says(told)
    assert CABLE not in door.hears()
    door.hello(Script().boot(), key=KEYS[S])
    assert CABLE in door.hears()
    door.take("gw-row.st", {"up": False})
    assert CABLE not in door.hears()


@pytest.mark.parametrize("told", UNPROVEN.values(), ids=UNPROVEN)
def test_a_word_of_another_gateway_leaves_the_proof_alone(door, told):
    door.hello(Script().boot(), key=KEYS[S])
    door.says(told, gw="other")
    assert CABLE in door.hears()


def test_another_port_ends_no_link_and_where_proof_is_due_disturbs_nobody(door):
    door.hello(Script().boot(), key=KEYS[S])
    for told in (UNPROVEN["an end"], UNPROVEN["safe mode"]):
        door.says(told, port=1)
        assert CABLE in door.hears() and door.ingest.stations[S].link == "up"
    door.proofs.required = True
    door.says(UNPROVEN["a greeting"], port=1)
    assert CABLE in door.hears()


@pytest.mark.parametrize("told", UNPROVEN.values(), ids=UNPROVEN)
def test_who_must_prove_it_and_does_not_is_not_heard_any_more(door, ingest_here, told):
    door.proofs.required = True
    real, fake = Script().boot(), Script(e=9).boot()
    door.hello(real, key=KEYS[S])
    door.take(f"gw-row.{S}.ev", real.bodies[0])
    assert ingest_here.stations[S].journals[7].position == 1
    door.says(told)
    door.take(f"gw-row.{S}.ev", fake.bodies[0])
    assert 9 not in ingest_here.stations[S].journals


def test_a_key_half_sent_does_not_make_the_one_that_is_held_unknown(door):
    held, boot = KEYS[S], Script().boot()
    door.hello(boot, key=held)
    for _ in range(3):  # sent, and cut off
        door.keys.renew(S)
        door.keys.mark_sent(S)
        door.hello(boot, key=held)
        assert door.proofs.former[S] == held
    door.hello(boot, key=door.keys.before(S)[-1])  # one of them had come all the same
    assert door.proofs.former[S] == door.keys.before(S)[-1]
    door.by_mqtt(boot)
    assert not door.proofs.former


def test_a_renewal_ends_what_the_old_key_had_shown(door, ingest_here):
    door.hello(Script().boot(), key=KEYS[S])
    assert CABLE in door.hears()
    Enrolment(ingest_here, door.keys).renew(S)
    assert CABLE not in door.hears()
    door.hello(Script().boot(), key=KEYS[S])
    assert CABLE not in door.hears()
    door.hello(Script().boot(), key=door.keys.of(S))
    assert CABLE in door.hears()


def test_a_provisioning_is_over_when_the_new_key_was_shown(door, ingest_here, tmp_path):
    i, _ = Commands(ingest_here, None).order(New(S, "time", {}))
    script = Script().boot().clock(i=i)
    door.hello(script, key=KEYS[S])
    for body in script.bodies:
        door.take(f"gw-row.{S}.ev", body)
    greeted = Greeting(up=True, station=S, epoch=7, boot=1, keyed=1)
    word = StationConfirmation(DataDir(tmp_path), greeted, False, ("row", "/dev/tty0"))
    assert word.has(0)
    Enrolment(ingest_here, door.keys).renew(S)
    assert not word.has(0)
    door.hello(script, key=KEYS[S])
    assert not word.has(0)
    door.hello(script, port=1, key=door.keys.of(S))
    assert not word.has(0)  # that is not the cable
    door.hello(script, key=door.keys.of(S))
    assert word.has(0)


def heard_of(door, gw, e, s=S):
    """Whether an event of that journal is taken from that gateway."""
    script = Script(s=s, e=e).boot()
    door.hello(script, gw)
    door.take(f"gw-{gw}.{s}.ev", script.bodies[0])
    return e in door.ingest.stations[s].journals


def test_after_a_renewal_only_its_gateway_speaks_for_a_station(door, ingest_here):
    door.hello(Script().boot(), key=KEYS[S])
    Enrolment(ingest_here, door.keys).renew(S)
    assert not heard_of(door, "evil", 666)
    assert heard_of(door, "row", 8)


@pytest.mark.parametrize("enrolled", [False, True])
def test_who_never_had_a_key_stays_with_the_gateway_that_greeted_first(door, enrolled):
    new = "DIA-0123456789ad"
    if enrolled:
        door.keys.make([new])
    early = Script(s=new, e=6).boot()
    door.take(f"gw-evil.{new}.ev", early.bodies[0])  # of nobody's cable
    assert new not in door.ingest.stations
    assert heard_of(door, "row", 7, new)
    assert not heard_of(door, "evil", 8, new)


def test_who_comes_by_mqtt_is_on_no_cable_before_he_shows_it(door):
    new = "DIA-0123456789ad"
    door.keys.make([new])  # it was told a password, and no key
    door.by_mqtt(Script(s=new).boot())
    assert not heard_of(door, "evil", 666, new)
    station = door.ingest.stations[new]
    assert (station.hello.gw, station.hello.boot, station.hello.links) == ("", 1, ("wifi",))


@pytest.mark.parametrize("port", [0, 1])
def test_a_cable_without_proof_changes_nothing_for_the_wifi_way(door, port):
    """Neither for which boot it is sealed, nor what that link said."""
    script = Script().boot()
    door.hello(script, key=KEYS[S])
    door.by_mqtt(script)
    fake = Script(e=9).boot()
    fake.b = 77
    effects = door.hello(fake, port=port, generation=5)
    hello = door.ingest.stations[S].hello
    assert (hello.boot, hello.epoch, hello.generation) == (1, 7, 0)
    assert effects.challenged == {(S, "row", port)} and not effects.greeted
    assert door.hears() == [f"diadema.v1.{S}.cmd"]
    assert f"diadema.v1.gw-row.{S}.{port}.ack" in door.hears(leaf="ack")


SAFE = {"up": False, "safe": True, "cause": "no_psram", "board": "other", "build": "OTHER"}


def test_only_the_bound_gateway_says_that_a_station_is_in_safe_mode(door):
    script = Script().boot()
    door.by_mqtt(script)
    hello = door.ingest.stations[S].hello
    for _ in range(2):  # there, and then on the cable too
        door.says(SAFE, "evil")
        door.take(f"gw-evil.{S}.st", SAFE)
        assert (hello.safe, hello.board, hello.build) == (False, "sim", "")
        assert "wifi" in hello.links
        door.hello(script, key=KEYS[S])
        hello = door.ingest.stations[S].hello
    door.says(SAFE)
    assert (hello.safe, hello.board, hello.build) == (True, "other", "OTHER")


def test_safe_mode_is_shown_of_a_station_that_comes_on_a_cable_for_the_first_time(door):
    door.says({"up": False}, s=S2)
    assert S2 not in door.ingest.stations or not door.ingest.stations[S2].hello.safe
    door.says(SAFE, s=S2)
    assert door.ingest.stations[S2].hello.safe
    script = Script().boot()
    door.by_mqtt(script)
    door.take(f"{S}.st.wifi", {"up": False})
    door.says({"up": False}, "other")
    assert not door.ingest.stations[S].hello.safe
    door.says(SAFE, "other")
    assert door.ingest.stations[S].hello.safe


def test_without_proof_a_first_takes_no_numbers_away(door, ingest_here, reader):
    """Of one that could show it before; of one that never did there is nothing else to go by."""
    for s, mine in ((S, KEYS[S]), (S2, None)):
        real = Script(s=s).boot().clock()
        door.hello(real, key=mine, keyed=1 if mine else None)
        for body in real.bodies:
            door.take(f"gw-row.{s}.ev", body)
        fake = Script(s=s).boot()
        fake.n = 1_000_000
        effects = door.hello(fake, first=1_000_001)
        assert effects.acks[s] == (7, real.n if mine else fake.n)
    assert {row["s"] for row in reader.losses()} == {S2}
    real = Script().boot().clock()
    real.n = 20
    effects = door.hello(real, first=11, key=KEYS[S])
    assert effects.acks[S] == (7, 10)


class Holder(Door):
    """During a change of the broker's CA, for stations of a site with Wi-Fi."""

    site = parse(json.dumps(SITE | {"wifi": WIFI, "broker_names": ["localhost"]}).encode())

    def said(self, script, way):
        """The last event that it wrote."""
        self.take(f"{way}{script.s}.ev", script.bodies[-1])

    def due(self):
        """Those that hold the old one alone, for all that is known."""
        return stations_due(self.site, self.ingest.stations, lambda _: False, "both")


@pytest.fixture
def holder(ingest_here, tmp_path):
    door = Holder(ingest_here, tmp_path / "keys.json")
    real = Script().boot()
    door.by_mqtt(real, generation=1)
    door.said(real, "")
    door.said(real.add("station.config", generation=1, hash="0" * 16, i=1, ca="old"), "")
    door.hello(real, key=KEYS[S], generation=1)
    door.take(f"{S}.st.wifi", {"up": False})
    assert door.due() == [S]
    return door


CA_LIES = {
    "holding it": ("station.config", {"generation": 2, "hash": "0" * 16, "ca": "both"}),
    "holding it as it starts": (
        "station.booted",
        {"cause": "power_on", "firmware": "0.1.0", "board": "sim", "torn": 0, "ca": "both"},
    ),
    "never configured": ("station.config", {"generation": 0, "hash": ""}),
}


@pytest.mark.parametrize("told", CA_LIES.values(), ids=CA_LIES)
@pytest.mark.parametrize("e", [7, 9])
def test_a_cable_without_proof_takes_no_ca_from_a_station(holder, told, e):
    """On its own gateway, in its journal or in another; whatever its greeting says."""
    fake = Script(e=e)
    fake.n = 2 if e == 7 else 0
    holder.hello(fake)
    holder.said(fake.add(told[0], **told[1]), "gw-row.")
    assert holder.ingest.stations[S].journals[e].position == fake.n  # it was heard
    assert holder.due() == [S]


def test_what_waited_beyond_a_gap_is_no_word_of_the_station(holder):
    fake, real = Script(), Script()
    fake.n, real.n = 3, 2
    holder.hello(fake)
    holder.said(fake.add("station.config", **CA_LIES["holding it"][1]), "gw-row.")
    holder.by_mqtt(real, generation=1)
    holder.said(real.add("station.health", heap=1, journal=1, discards=0, bad_frames=0), "")
    assert holder.ingest.stations[S].journals[7].position == 4
    assert holder.due() == [S]


@pytest.mark.parametrize("way", ["", "gw-row."])
def test_a_station_that_shows_who_it_is_is_believed(holder, way):
    real = Script()
    real.n = 2
    if way:
        holder.hello(real, key=KEYS[S], generation=2)
    else:
        holder.by_mqtt(real, generation=2)
    holder.said(real.add("station.config", **CA_LIES["holding it"][1]), way)
    assert holder.due() == []


def test_neither_another_credential_nor_another_gateway_speaks_of_it(holder):
    lie = Script(e=9).add("station.config", **CA_LIES["holding it"][1])
    holder.take(f"{S2}.ev", lie.bodies[-1])
    holder.hello(lie, gw="evil", gw_ca="both")
    holder.said(lie, "gw-evil.")
    assert 9 not in holder.ingest.stations[S].journals
    assert holder.due() == [S]


def test_one_that_was_not_believed_is_told_again_when_it_shows_who_it_is(
    holder, ingest_here, tmp_path
):
    """As it starts it may say what it holds before it was asked who it is."""
    data = DataDir(tmp_path)
    tls = Certificates(data.tls)
    tls.make(["localhost"])
    change = CaChange(data, None, None, ingest_here.stations, lambda _: False)
    asked = Commands(ingest_here, SimpleNamespace(generation=1, knows=lambda _: True))
    asked.unsaid = change.unsaid
    greets = {S: ingest_here.stations[S].hello}

    def told():
        return [one.cmd for told in asked.greeted(greets) for one in told.commands]

    assert "config" not in told()
    tls.begin()
    assert "config" in told()
    asked.withdraw([S], "config")
    real = Script()
    real.n = 2
    holder.by_mqtt(real, generation=1)
    holder.said(real.add("station.config", generation=1, hash="0" * 16, i=2, ca=tls.mark()), "")
    assert "config" not in told()
