"""A PIN is reset by a code for one use; the one that she chooses at a station comes in force."""

import json

import pytest
from diadema.base.credentials import load_or_create
from diadema.base.paths import DataDir, write_whole
from diadema.hub import pin_resets
from diadema.hub.actions import Actions
from diadema.hub.commanding import Commands
from diadema.hub.own_journal import Refused
from diadema.hub.pin_resets import LIFE_S, PinResets
from diadema.ingest.core import Ingest
from diadema.site import description, file, pins
from diadema.site.station_config import agent_row
from diadema.site.station_keys import StationKeys
from diadema.store import StoreUnavailable

from tests.support.pins import verify_pin
from tests.support.scripted_station import SITE, T0, S, Script

BY = {"by": "elena", "who": "Elena Soto"}
OLD = pins.make_verifier("121212")


@pytest.fixture
def data(tmp_path):
    data = DataDir(tmp_path)
    load_or_create(data)
    agents = [{**SITE["agents"][0], "pin": OLD, "code": "1111"}, SITE["agents"][1]]
    data.site.write_text(json.dumps(SITE | {"agents": agents}, indent=1))
    return data


@pytest.fixture
def keys(data):
    keys = StationKeys(data.keys)
    keys.make([S])
    return keys


@pytest.fixture
def resets(data, keys, reader, clock):
    return PinResets(data, keys, reader, clock)


@pytest.fixture
def ingest(data, writer, clock):
    return Ingest(writer, description.load(data.site), clock)


@pytest.fixture
def acts(ingest, reader, resets):
    return Actions(ingest, Commands(ingest, None), reader, resets)


def in_force(data, a="a001"):
    return next(one for one in description.load(data.site).agents if one.id == a).pin


def sealed(verifier, key):
    """As a station tells it; a pad goes on as it comes off."""
    return pins.unsealed(verifier.replace(":", ""), key).replace(":", "")


def chosen(ingest, data, key, pin="143526", n=None):
    until = pins.until_of(in_force(data)) if n is None else n
    script = Script(e=n or 7).boot().clock()
    told = sealed(pins.make_verifier(pin), key)
    script.add("pin.chosen", a="a001", until=until, verifier=told)
    return ingest.take(script.messages(), "stream", "server")


def test_the_code_takes_the_place_of_her_pin(data, acts, reader):
    answer, done = acts.act({"action": "pin_reset", "a": "a001", "reason": "la olvidó", **BY})
    verifier = in_force(data)
    assert verify_pin(answer["code"], verifier)
    assert 0 <= pins.until_of(verifier) - T0 // 1000 - LIFE_S < 60
    assert done.frames == []
    (entry,) = reader.acts()
    assert (entry.act.action, entry.act.reason) == ("pin_reset", "la olvidó")
    stored = b"".join(event.body for event in reader.events_of("HUB-main"))
    assert answer["code"].encode() not in stored
    row = agent_row(description.load(data.site).agents[0], b"", "")
    assert pins.wire(verifier)[24:] == pins.until_of(verifier).to_bytes(4, "big")
    assert len(row[4]) == 40


def test_who_is_at_a_desk_is_told_who_did_it(ingest, acts, reader):
    script = Script().boot().clock().login()
    ingest.take([script.hello_message(), *script.messages()], "stream", "server")
    _, done = acts.act({"action": "pin_reset", "a": "a001", "reason": "la olvidó", **BY})
    ((s, frame),) = done.frames
    assert (s, json.loads(frame)["text"]) == (
        S, "Elena Soto repuso su PIN. Si no lo pidió, avise.",
    )  # fmt: skip
    assert [one.sent.agent for one in reader.messages()] == ["a001"]


@pytest.mark.parametrize(("a", "error"), [("a002", "no_pin"), ("a009", "no_such_agent")])
def test_where_there_is_nothing_to_reset(data, acts, a, error):
    before = data.site.read_bytes()
    with pytest.raises(Refused) as refusal:
        acts.act({"action": "pin_reset", "a": a, "reason": "x", **BY})
    assert (refusal.value.error, data.site.read_bytes()) == (error, before)


def test_the_pin_that_she_chose_comes_in_force_once(data, keys, acts, ingest, resets):
    acts.act({"action": "pin_reset", "a": "a001", "reason": "la olvidó", **BY})
    assert not resets.settle()
    until = pins.until_of(in_force(data))
    assert chosen(ingest, data, keys.of(S)).chosen
    assert resets.settle()
    verifier = in_force(data)
    assert verify_pin("143526", verifier) and pins.until_of(verifier) == 0
    assert not resets.settle()
    chosen(ingest, data, keys.of(S), "262626", n=until)  # the same code, used a second time
    assert not resets.settle() and in_force(data) == verifier


def test_what_was_chosen_before_another_reset_does_not_count(data, keys, acts, ingest, resets):
    reset = {"action": "pin_reset", "a": "a001", "reason": "la olvidó", **BY}
    acts.act(reset)
    first = in_force(data)
    chosen(ingest, data, keys.of(S))
    while pins.until_of(in_force(data)) == pins.until_of(first):
        acts.act(reset)
    assert not resets.settle()


def test_a_choice_under_another_key_or_broken_is_none(data, acts, ingest, resets):
    acts.act({"action": "pin_reset", "a": "a001", "reason": "la olvidó", **BY})
    before = in_force(data)
    script = Script(e=9).boot().clock()
    for told in ("zz", "00" * 23):
        script.add("pin.chosen", a="a001", until=pins.until_of(before), verifier=told)
    ingest.take(script.messages(), "stream", "server")
    assert not resets.settle() and in_force(data) == before


def test_nothing_that_leaves_the_station_can_be_tried():
    key, verifier = bytes(range(32)), pins.make_verifier("143526")
    told = sealed(verifier, key)
    assert verifier.split(":")[1] not in told
    assert pins.unsealed(told, key) == verifier
    assert not verify_pin("143526", pins.unsealed(told, bytes(32)))


def test_a_reset_is_in_the_register_and_in_force_or_neither(
    data, acts, resets, reader, keys, clock, monkeypatch
):
    """A disk that fills between the two: what is noted comes in force once there is room."""
    asked = {"action": "pin_reset", "a": "a001", "reason": "la olvidó", **BY}
    full = OSError(28, "No space left on device")

    def refuse(which):
        def write(path, *more):
            if which in path.name:
                raise full
            write_whole(path, *more)

        for module in (pin_resets, file):
            monkeypatch.setattr(module, "write_whole", write)

    refuse("pending")
    with pytest.raises(StoreUnavailable):
        acts.act(asked)
    assert reader.acts() == [] and in_force(data) == OLD
    refuse("site")
    answer, _ = acts.act(asked)
    assert len(reader.acts()) == 1 and in_force(data) == OLD
    refuse("nothing")
    again = PinResets(data, keys, reader, clock)  # after a restart, too
    assert again.settle()
    assert verify_pin(answer["code"], in_force(data))
    assert not again.settle()


def test_a_reset_that_was_cut_off_before_it_was_noted_is_none(
    data, acts, reader, keys, clock, monkeypatch
):
    def cut(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(acts._journal, "record", cut)
    with pytest.raises(KeyboardInterrupt):
        acts.act({"action": "pin_reset", "a": "a001", "reason": "la olvidó", **BY})
    again = PinResets(data, keys, reader, clock)
    assert not again.settle()
    assert in_force(data) == OLD and not again.settle()
