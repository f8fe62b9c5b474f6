"""Acts on their way: asked of the ingest over NATS, sent to the station, and nothing of them half
done when the ingest is killed among them.
"""

import asyncio
import contextlib
import sqlite3

import pytest
from diadema.base.clock import SharedClock
from diadema.hub.own_journal import ME
from diadema.store import open_reader
from nats.errors import Error as NatsError
from sqlalchemy import text

from tests.host.test_ingest_service import Play
from tests.support.at_the_door import asked
from tests.support.broker_fixtures import IngestProcess, until
from tests.support.scripted_station import T0, S, Script

BY = {"by": "elena", "who": "Elena Soto"}


@pytest.fixture
async def ingest(broker, tmp_path, stack):
    clock = tmp_path / "clock"
    SharedClock(clock, create=True).set(T0, 0)
    return await stack.enter_async_context(IngestProcess(broker, clock))


@pytest.fixture
async def play(broker, ingest, stack):
    return await stack.enter_async_context(Play(broker))


@pytest.fixture
def register(broker, ingest, stack):
    reader = open_reader(broker.data.store)
    stack.callback(reader.close)
    return reader


async def seated(play):
    script = Script().boot().clock().login().ready()
    await play.hello(script)
    await play.send(script)
    await play.acked(script)
    await play.command("config")  # it has proved who it is
    return script


async def test_an_act_is_noted_sent_and_refused_in_words(play, client, register):
    await seated(play)
    asked_for = {"action": "presence", "a": "a001", "reason": "refrigerio", **BY}
    answer = await asked(client, "hub.act", **asked_for)
    command = await play.command("presence")
    assert command["i"] == answer["i"]
    assert register.act(*answer["of"]).act.reason == "refrigerio"
    refused = await asked(client, "hub.act", **asked_for | {"a": "a002"})
    assert (refused["error"], refused["status"], refused["values"]) == (
        "not_logged_in", 409, {"a": "a002"},
    )  # fmt: skip
    wrong = await asked(client, "hub.act", action="presence", a="a001", **BY)
    assert (wrong["error"], wrong["status"]) == ("bad_request", 422)
    recorded = await asked(client, "hub.record", k="attendance.justified", by="rrhh", a="a001",
                           day="2026-11-18", reason="cita médica")  # fmt: skip
    assert recorded["of"][2] == answer["of"][2] + 1


async def test_a_log_out_that_was_not_heard_is_not_repeated_to_another_session(play, client):
    script = await seated(play)
    await asked(client, "hub.act", action="logout", a="a001", reason="fin", **BY)
    first = await play.command("session")
    before = len(play.commands)
    await play.hello(script)
    await until(lambda: len(play.commands) > before)  # its configuration, which it lacks
    assert [c for _, c in play.commands if c["cmd"] == "session"] == [first]


async def test_killed_among_acts_it_leaves_no_gap_no_double_and_no_half(
    play, client, ingest, register
):
    await seated(play)
    message = {"action": "message", "agents": ["a001"], "text": "Hola", "reason": "aviso", **BY}
    answered = []

    async def act():
        with contextlib.suppress(NatsError, TimeoutError):  # nobody knows; the store is asked
            answered.append((await asked(client, "hub.act", **message))["of"])

    for round_ in range(3):
        acting = [asyncio.create_task(act()) for _ in range(30)]
        await until(lambda wanted=round_ * 8 + 8: len(answered) >= wanted)
        await ingest.stop(kill=True)
        await asyncio.gather(*acting)
        await ingest.start()
    await act()
    events = [event.event for event in register.events_of(ME)]
    assert [event["n"] for event in events] == [*range(1, len(events) + 1)]
    assert len({event["e"] for event in events}) == 1
    assert [event["k"] for event in events] == ["supervision.acted", "message.sent"] * (
        len(events) // 2
    )
    stored = {
        (one.act.station, one.act.epoch, one.act.sequence): one.act for one in register.acts()
    }
    assert {tuple(of) for of in answered} <= stored.keys()
    with register.engine.connect() as tx:
        numbers = tx.execute(text("SELECT i FROM commands WHERE cmd = 'text'")).scalars().all()
    assert sorted(numbers) == sorted(act.command for act in stored.values())
    assert register.dead_letters() == [] and register.conflicts() == []
    sent = [command["i"] for s, command in play.commands if command["cmd"] == "text" and s == S]
    assert {*sent} <= {*numbers}


async def test_a_store_from_a_backup_gets_later_acts_from_the_stream(
    play, client, ingest, broker, register, stack, tmp_path
):
    await seated(play)
    note = {"action": "note", "a": "a001", "kind": "novedad_turno", **BY}
    first = await asked(client, "hub.act", **note)
    with contextlib.closing(sqlite3.connect(broker.data.store)) as live:
        live.execute("VACUUM INTO ?", [str(tmp_path / "backup")])
    second = await asked(client, "hub.act", **note)
    await ingest.stop(kill=True)
    register.close()
    for file in tmp_path.glob("store.sqlite3*"):
        file.unlink()
    (tmp_path / "backup").rename(broker.data.store)
    await ingest.start()
    restored = open_reader(broker.data.store)
    stack.callback(restored.close)
    await until(lambda: len(restored.acts()) == 2)
    third = await asked(client, "hub.act", **note)
    assert [one["of"][2] for one in (first, second, third)] == [1, 2, 3]
    assert [entry.act.sequence for entry in restored.acts()] == [1, 2, 3]
    assert restored.conflicts() == []


async def test_killed_while_calls_for_help_are_told_each_is_told_once(
    play, client, ingest, register, tmp_path
):
    scripts = []
    for n in range(120):
        script = Script(s=f"DIA-{n:012x}", agent=f"b{n:03}").boot().clock().login().ready()
        scripts.append(script.add("help.requested", a=script.agent))
        await play.send(script)
    for script in scripts:
        await play.acked(script)

    clock = SharedClock(tmp_path / "clock")
    for now in (T0 + 62_000, T0 + 160_000):
        clock.set(now, 0)
        before = len(told(register))
        await until(lambda before=before: len(told(register)) > before)
        await ingest.stop(kill=True)
        await ingest.start()
    wanted = sorted((s.s, s.e, s.n, level) for s in scripts for level in (1, 2))
    await until(lambda: len(told(register)) >= len(wanted))
    asked_for = {"action": "help", "of": [scripts[0].s, 7, scripts[0].n], "state": "accepted"}
    assert "error" not in await asked(client, "hub.act", **asked_for, **BY)
    assert sorted(told(register)) == wanted
    assert register.dead_letters() == [] and register.conflicts() == []


def told(register):
    events = [event.event for event in register.events_of(ME)]
    return [(*one["of"], one["level"]) for one in events if one["k"] == "help.escalated"]


async def test_a_station_hears_its_turn_and_two_who_take_one_are_told_apart(play, client):
    script = await seated(play)
    script.add("help.requested", a="a001")
    await play.send(script, first=script.n)
    turn = await play.command("turn")
    assert turn == {"cmd": "turn", "i": 0, "of": script.n, "ahead": 0}
    asked_for = {"action": "help", "of": [S, script.e, script.n], "state": "accepted"}
    answers = await asyncio.gather(
        asked(client, "hub.act", **asked_for, **BY),
        asked(client, "hub.act", **asked_for, by="sara", who="Sara Ruiz"),
    )
    (won,) = [one for one in answers if "error" not in one]
    (lost,) = [one for one in answers if "error" in one]
    command = await play.command("help")
    assert (command["i"], command["state"]) == (won["i"], "accepted")
    assert (lost["error"], lost["status"]) == ("taken_already", 409)
    assert lost["values"] == {"who": command["by"]}
