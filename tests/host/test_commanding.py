"""Commands of many stations at once: few transactions, and all or nothing of them."""

import json
from collections import Counter

import pytest
from diadema.hub.commanding import Commands, New
from diadema.ingest.core import Ingest
from diadema.site.station_config import ConfigMaker
from diadema.store import StoreUnavailable, tables
from diadema.wire.commands import Hello
from sqlalchemy import event, select

from tests.support.scripted_station import Script

NAMES = ["DIA-0123456789ab", "DIA-0123456789ac"]
MANY = [f"DIA-00000000{number:04x}" for number in range(200)]


@pytest.fixture
def commits(writer):
    counted = Counter()
    event.listen(writer.engine, "commit", lambda _: counted.update(["commit"]))
    return counted


@pytest.fixture
def commands(ingest, site):
    return Commands(ingest, ConfigMaker(site, "00" * 32, -300, 3))


def hellos(names, **more):
    return {s: Hello(up=True, station=s, epoch=7, boot=1, **more) for s in names}


def stored(writer, status="open"):
    row = tables.commands.c
    with writer.transaction() as tx:
        return sorted(tx.execute(select(row.s, row.cmd).where(row.status == status)).all())


def wanted(names):
    return sorted((s, cmd) for s in names for cmd in ("time", "config"))


def sent(commands, told):
    return [(s, text) for one in told for s, text in commands.frames(one)]


def test_the_greetings_of_a_batch_cost_one_transaction(commands, commits, writer):
    told = commands.greeted(hellos([*NAMES, *MANY]))
    assert commits["commit"] == 1
    assert len(told) == len(NAMES) + len(MANY)
    assert stored(writer) == sorted(wanted(NAMES) + [(s, "time") for s in MANY])
    again = commands.greeted(hellos([*NAMES, *MANY]))
    assert commits["commit"] == 2  # of `stored`
    assert sent(commands, again) == sent(commands, told)
    numbers = [one.i for each in told for one in each.commands]
    assert len(numbers) == 2 * len(NAMES) + len(MANY)
    assert all(one.i > 0 for each in told for one in each.commands)


def test_what_many_stations_passed_over_goes_on_in_one_transaction(
    commands, ingest, commits, writer
):
    first = commands.greeted(hellos(NAMES))
    for one in first:
        script = Script(s=one.station).boot()
        script.add("station.health", heap=1, journal=1, i=one.commands[-1].i + 5)
        ingest.take(script.messages(), "stream", "server")
    commits.clear()
    second = commands.greeted(hellos(NAMES))
    assert commits["commit"] == 1
    for old, new in zip(first, second, strict=True):
        assert new.commands[0].i > old.commands[-1].i + 5
        assert [one.cmd for one in new.commands] == [one.cmd for one in old.commands]
    assert stored(writer) == stored(writer, "replaced") == wanted(NAMES)


def test_when_the_store_takes_nothing_none_of_them_is_open(
    commands, ingest, writer, monkeypatch, site, clock
):
    put = writer.put

    def full(tx, table, rows):
        put(tx, table, rows)
        if table is tables.stations:
            raise StoreUnavailable("full")

    monkeypatch.setattr(writer, "put", full)
    with pytest.raises(StoreUnavailable):
        commands.greeted(hellos(NAMES))
    monkeypatch.undo()
    assert (commands.waiting, stored(writer)) == (0, [])
    told = commands.greeted(hellos(NAMES))
    assert stored(writer) == wanted(NAMES)
    last = {one.station: one.commands[-1].i for one in told}
    for at in (ingest, Ingest(writer, site, clock)):
        assert {s: at.station(s).next_i for s in NAMES} == {s: i + 1 for s, i in last.items()}


def test_a_command_after_a_failed_batch_saves_the_station_as_the_store_has_it(
    commands, ingest, writer, monkeypatch, site, clock
):
    """Memory is ahead then, and the station that it knows is not the one that will be saved."""
    s = NAMES[0]
    script = Script(s=s).boot().clock().login()
    ingest.take(script.messages(1, 2), "stream", "server")

    def full(batch):
        raise StoreUnavailable("full")

    commit = writer.commit
    monkeypatch.setattr(writer.behind, "_write", full)
    failed = ingest.begin(script.messages(3), "stream", "server")
    assert failed.written.exception() is not None
    monkeypatch.setattr(writer.behind, "_write", commit)
    i, _ = commands.ask(s, {"cmd": "presence", "to": "not_ready", "reason": "sshh"})
    again = Ingest(writer, site, clock)
    for at in (ingest, again):
        assert at.station(s).state.session is None
        assert at.station(s).next_i == i + 1


def test_how_a_telephone_is_is_told_until_the_station_has_it(commands, ingest, clock):
    """The newest word takes the place of the one before, and does not expire as calls do."""
    s = NAMES[0]
    first, _ = commands.ask(s, {"cmd": "telephone", "state": "no_phone"})
    second, frames = commands.ask(s, {"cmd": "telephone", "state": "no_switch"})
    assert second > first and b'"state":"no_switch"' in frames[0][1]
    clock.now += 3_600_000
    commands.tick()
    (told,) = commands.greeted(hellos([s]))
    assert [one.fields for one in told.commands if one.cmd == "telephone"] == [
        {"state": "no_switch"}
    ]
    script = Script(s=s).boot()
    script.add("station.fault", part="switch", code="no_switch", i=second)
    ingest.take(script.messages(), "stream", "server")
    commands.answered(s, second)
    assert ingest.station(s).state.faults == {"switch": "no_switch"}
    (told,) = commands.greeted(hellos([s]))
    assert "telephone" not in [one.cmd for one in told.commands]
    commands.ask(s, {"cmd": "failed", "contact": "c1"})
    clock.now += 20_000
    assert commands.tick() == [] and not commands.waits(s, "failed")  # a call is over by then


def test_who_hears_a_call_is_told_by_the_newest_word_about_each(commands, ingest, clock):
    s = NAMES[0]
    ingest.take(Script(s=s).boot().messages(), "stream", "server")

    def tell(state, who, life_ms=None):
        fields = {"contact": "c1", "state": state, "who": who}
        return commands.order(New(s, "listened", fields, life_ms=life_ms))[0]

    def told():
        frames = sent(commands, commands.greeted(hellos([s])))
        found = [json.loads(text) for _, text in frames if b"listened" in text]
        return [(one["i"], one["state"], one["who"]) for one in found]

    first = tell("on", "quality", 2_000)
    other = tell("on", "Ana", 2_000)
    assert told() == [(first, "on", "quality"), (other, "on", "Ana")]
    last = tell("off", "quality")
    assert told() == [(other, "on", "Ana"), (last, "off", "quality")]
    clock.now += 2_001
    assert told() == [(last, "off", "quality")]  # until the station has heard it
    commands.answered(s, last)
    assert told() == []


def test_what_a_station_passed_over_is_worth_no_longer_than_before(commands, ingest, clock):
    s = NAMES[0]
    on = {"contact": "c1", "state": "on", "who": "quality"}
    i, _ = commands.order(New(s, "listened", on, life_ms=2_000))
    script = Script(s=s).boot().add("station.health", heap=1, journal=1, i=i + 5)
    ingest.take(script.messages(), "stream", "server")
    clock.now += 500
    (told,) = commands.greeted(hellos([s]))
    (again,) = [one for one in told.commands if one.cmd == "listened"]
    assert again.i > i + 5 and again.expires_utc == clock.now + 1_500
    clock.now += 1_501
    commands.tick()
    assert not commands.waits(s, "listened")


def test_the_hour_is_told_to_all_in_one_transaction(commands, ingest, commits, monkeypatch):
    names = [*NAMES, *MANY]
    for s in names:
        ingest.take([Script(s=s).boot().hello_message()], "stream", "server")
    commands.tick()
    monkeypatch.setattr("diadema.hub.commanding.HOUR_S", -1.0)
    commits.clear()
    told = commands.tick()
    assert commits["commit"] == 1
    assert {one.station for one in told} == {*names}
    assert {command.cmd for one in told for command in one.commands} == {"time"}


def test_another_generation_is_told_to_all_in_one_transaction(commands, ingest, commits, site):
    for s in NAMES:
        ingest.take([Script(s=s).boot().hello_message()], "stream", "server")
    commits.clear()
    told = commands.configure(ConfigMaker(site, "00" * 32, -300, 4))
    assert commits["commit"] == 1
    assert [(one.station, [each.fields for each in one.commands]) for one in told] == [
        (s, [{"generation": 4}]) for s in NAMES
    ]


def test_a_station_that_started_anew_gets_the_hour_by_a_new_number(commands, ingest, writer):
    """It obeyed the old one in the boot before, and its answer waits behind a pulled cable."""
    (name, _) = NAMES
    ((_, (time, config), _),) = commands.greeted(hellos([name]))
    assert (time.cmd, config.cmd) == ("time", "config")
    again = hellos([name])[name]
    again.boot = 2
    ((_, told, _),) = commands.greeted({name: again})
    (anew,) = [one for one in told if one.cmd == "time"]
    assert anew.i > config.i and (name, "time") in stored(writer, "replaced")
    ((_, told, _),) = commands.greeted({name: again})
    assert anew in told, "the same boot gets the same one again"
