"""One scripted day on the simulation of every kind of board: the real firmware, each with its own
drivers and chips, ends with the same events, pictures and lights as the plain board. Of boards
with the same chips one lives it; start, wires, sockets and calls of each are in
`test_wired_by_the_page`, `test_soldering`, `test_sockets_at_work` and `test_dips`.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pytest
from diadema.stations.boards.table import load_board
from diadema_sim import menu_keys
from diadema_sim.build import SIM, SimBoard, board_names

from tests.support.pictures import alike


def chips(name: str) -> frozenset[str]:
    """What the board is made of, but for how its keys and its headset's contact are wired."""
    parts = load_board(name).parts
    drivers = {part[0] for role, part in parts.items() if role not in ("keys", "headset")}
    return frozenset({SimBoard(name).chip, *drivers})


# of two with the same chips the later one: the LyraT, whose touch pads are the harder keys
BOARDS = [*{chips(name): name for name in board_names() if name != SIM.name}.values()]
# no part of what happened: which board it is, and when to the millisecond
DURATIONS = ("ring_ms", "silence_ms", "longest_silence_ms")
ASIDE = ("board", "build", "psram", "u", "t", "utc", "uncertainty_ms", *DURATIONS)
SETTLED_MS = 400  # a screen that changed by itself takes no soft key before
LATE_MS = (
    150  # a key that is polled is heard later than one that interrupts, sound comes in frames
)
HOUR = slice(99, 127)  # where the top row has it
# kinds that a board leaves out because it has no part for them; there is none today
LACKS: dict[str, set[str]] = {}


@dataclass
class Day:
    events: list[dict[str, Any]] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    lights: dict[str, dict[str, bool]] = field(default_factory=dict)


async def look(bench, day: Day, name: str) -> None:
    """Let the screen settle, and keep what a person sees, less the hour: a day that is longer by
    a moment may show the next minute.
    """
    await bench.caught_up()
    await bench.world.sleep(100)
    picture = bytearray(await bench.station.screen())
    picture[HOUR] = bytes(HOUR.stop - HOUR.start)
    day.pictures[name] = bytes(picture)
    day.lights[name] = await bench.station.lights()


async def shown_at(bench, contact: str, seconds: int) -> None:
    """Until so long after the answer, in the middle of a second: its time is on the screen."""
    began_ms = next(
        seen.at_ms
        for seen in bench.world.witness.events(bench.station.id)
        if seen.event["k"] == "contact.answered" and seen.event["c"] == contact
    )
    await bench.caught_up()
    assert bench.world.now_ms() < began_ms + 1000 * seconds
    await bench.world.sleep_until(began_ms + 1000 * seconds + 500)


async def heard(bench) -> set[str]:
    """Where the microphone is heard, as the codec's registers say."""
    paths = (await bench.station.dump())["codec"]["paths"]
    return {sink for sink, gains in paths.items() if gains.get("microphone")}


async def answered_call(bench, day: Day) -> None:
    """It rings, is answered, muted, held, and typified after its end; its sound runs."""
    await bench.station.ask({"do": "listen"})
    await bench.ring("C-1")
    await bench.world.sleep(3525)  # its light blinks: the middle of a flash
    await look(bench, day, "offered")
    await bench.keys(1)
    await bench.event("contact.answered", c="C-1")
    await bench.world.sleep(12_400)
    assert "adc_left" in await heard(bench)
    await bench.keys(2)
    await bench.event("contact.muted", c="C-1")
    assert not await heard(bench)
    await look(bench, day, "muted")
    await bench.keys(2)
    await bench.event("contact.unmuted", c="C-1")
    await bench.keys(4)
    await bench.event("contact.held", c="C-1")
    await bench.world.sleep(4400)
    await look(bench, day, "held")
    await bench.keys(4)
    await bench.event("contact.resumed", c="C-1")
    await bench.station.press(4, ms=900)
    await look(bench, day, "louder")
    await protocol_motive_and_help(bench, day)
    await bench.world.sleep(5000)
    await bench.keys(1)
    await bench.event("wrapup.started", c="C-1")
    began_ms = bench.world.witness.events(bench.station.id)[-1].at_ms
    await bench.caught_up()
    await bench.world.sleep_until(began_ms + 4_400)  # its light blinks: the middle of a flash
    await look(bench, day, "tree")
    await bench.typify("C-1", "211")
    await bench.event("voice.summary", c="C-1")
    await bench.station.ask({"do": "hush"})
    await bench.world.sleep(60_000)  # what is looked at stays as far from the turn of a minute
    await bench.keys(3)  # it served
    await bench.event("help.rated", answer="yes")


async def protocol_motive_and_help(bench, day: Day) -> None:
    await bench.keys(3)
    await bench.event("contact.step", c="C-1", step="identity", how="key")
    await look(bench, day, "methods")
    await bench.keys(4)
    await bench.event("contact.step", c="C-1", method="preguntas")
    await bench.keys(6, 4, 4)  # Menú, Motivo, Operaciones
    await bench.event("contact.motive", c="C-1", motive="2")
    await bench.event("contact.playbook", c="C-1")
    await look(bench, day, "step")
    since = bench.since()
    await bench.keys(5)
    await bench.event("help.requested", since, c="C-1")
    await look(bench, day, "topics")
    await bench.keys(4)
    await bench.event("help.topic", since, topic="sistema")
    asked = bench.world.witness.events(bench.station.id)[since]
    await shown_at(bench, "C-1", 55)  # not near the turn of a minute, which it shows too
    await look(bench, day, "help waits")
    for state, seconds in (("accepted", 62), ("resolved", 69)):
        number = bench.host.command("help", of=asked.sequence, state=state, by="Sra. Palta")
        assert (await bench.host.answer(number))["k"] == f"help.{state}"
        await shown_at(bench, "C-1", seconds)
        await look(bench, day, f"help {state}")


async def transfers(bench, day: Day) -> None:
    """To one area at once; to another after it was asked, in a conference first."""
    for name, area in (("C-blind", 3), ("C-consulted", 4)):
        await bench.ring(name)
        await bench.answer(name)
        await bench.keys(6, 3)
        await look(bench, day, f"areas of {name}")
        await bench.keys(area)
        if name == "C-consulted":
            await bench.event("contact.consulted", c=name)
            await bench.world.sleep(6_400)
            await look(bench, day, "consulting")
            await bench.keys(4)  # the caller hears her meanwhile
            await look(bench, day, "caller in a consult")
        else:
            await look(bench, day, "blind?")
        await bench.keys(3)
        await bench.event("contact.transferred", c=name, completed=True)
        await bench.event("contact.ended", c=name, by="transfer")
        await bench.typify(name)


async def pause_and_outgoing(bench, day: Day) -> None:
    since = bench.since()
    await bench.keys(3, 3)
    await bench.event("presence.changed", since, to="not_ready", reason="refrigerio")
    await look(bench, day, "pause")
    await bench.keys(3)
    await bench.event("presence.changed", since, to="ready")
    dialed = await bench.dial()
    await look(bench, day, "dialing")
    await bench.keys(3)
    await bench.event("contact.answered", since, c=dialed["c"])
    await bench.world.sleep(8400)
    await bench.keys(6, 6, 5, 3)  # Menú, Más, Tipificar, the code used before
    await bench.event("contact.typified", since, c=dialed["c"], how="favourite")
    await bench.keys(1)
    await bench.event("wrapup.started", since, c=dialed["c"])
    await bench.keys(1)
    await bench.event("wrapup.ended", since, c=dialed["c"], cause="agent")


async def missed_call(bench, day: Day) -> None:
    since = bench.since()
    await bench.ring("C-2")
    await bench.event("contact.missed", since, c="C-2", cause="no_answer")
    await look(bench, day, "missed")
    await bench.world.sleep(SETTLED_MS)
    await bench.keys(3)
    await bench.event("presence.changed", since, to="ready")


async def parts_die(bench, day: Day) -> None:
    """The codec and the screen stop answering, one after the other, and come back."""
    for part, use in (("codec", lambda: bench.station.press(4, ms=900)), ("screen", None)):
        since = bench.since()
        await bench.ring(f"C-{part}")
        await bench.station.ask({"do": "fault", "part": part, "kind": "nack"})
        await bench.answer(f"C-{part}")
        if use:
            await use()
        await bench.event("station.fault", since, part=part, code="no_answer")
        await bench.station.ask({"do": "fault", "part": part, "kind": None})
        await bench.world.sleep(11_000)
        if use:
            await use()
        await bench.event("station.fault_cleared", since, part=part)
        await bench.keys(1)
        await bench.event("wrapup.started", since)
        await bench.typify(f"C-{part}")
        await look(bench, day, f"after the {part}")


async def reader_dies(bench) -> None:
    """Nobody can log in or out meanwhile; the agent who is in works on."""
    since = bench.since()
    await bench.station.ask({"do": "fault", "part": "badge_reader", "kind": "nack"})
    await bench.station.tap(bench.badges[0])
    await bench.event("station.fault", since, part="badge_reader", code="no_answer")
    await bench.ring("C-reader")
    await bench.answer("C-reader")
    await bench.station.ask({"do": "fault", "part": "badge_reader", "kind": None})
    await bench.event("station.fault_cleared", since, part="badge_reader")
    await bench.keys(1)
    await bench.event("wrapup.started", since)
    await bench.typify("C-reader")


async def headset_out_and_in(bench) -> None:
    since = bench.since()
    await bench.station.unplug()
    await bench.event("headset.unplugged", since)
    await bench.station.plug()
    await bench.event("headset.plugged", since)


async def power_cut(bench, day: Day) -> None:
    since = bench.since()
    await bench.ring("C-3")
    await bench.keys(1)
    await bench.event("contact.answered", since, c="C-3")
    await bench.world.sleep(6400)
    await bench.station.power_cut()
    await bench.world.sleep(3000)
    await bench.station.power_on()
    await bench.event("contact.ended", since, c="C-3", by="interrupted")
    await bench.event("wrapup.started", since, c="C-3")
    began_ms = bench.world.witness.events(bench.station.id)[-1].at_ms
    await bench.event("station.clock", since)
    await bench.world.sleep_until(began_ms + 6_400)  # its light blinks: the middle of a flash
    await look(bench, day, "after the cut")
    await bench.typify("C-3")


async def live(desk, board: SimBoard) -> Day:
    day = Day()
    async with desk(board) as bench:
        await look(bench, day, "logged out")
        await bench.station.tap("04DEADBEEF0102")
        await bench.event("attendance.marked", a=None, direction="in")
        await bench.event("session.denied", reason="unknown_badge")
        await bench.world.sleep(4000)
        await bench.ready()
        await look(bench, day, "ready")
        await answered_call(bench, day)
        await transfers(bench, day)
        await pause_and_outgoing(bench, day)
        await missed_call(bench, day)
        await parts_die(bench, day)
        await reader_dies(bench)
        await headset_out_and_in(bench)
        await power_cut(bench, day)
        await bench.badge_and_choose(menu_keys.LEAVE)
        await bench.event("attendance.marked", direction="out")
        await bench.event("session.closed", reason="agent")
        await bench.event("presence.changed", to="logged_out", reason="logout")
        await bench.world.sleep(4000)
        await look(bench, day, "gone")
        assert not bench.station.crash
        events = bench.world.witness.events(bench.station.id)
        # a contact begun here is named after the journal's random epoch
        epochs = {f"-{seen.epoch:x}-" for seen in events}
        assert len(epochs) == 1
        text = json.dumps([seen.event | {"n": seen.sequence} for seen in events])
        day.events = json.loads(text.replace(epochs.pop(), "-epoch-"))
        for event in day.events:
            if "of" in event:
                event["of"][1] = 0  # the epoch again
    return day


def kept(day: Day, without: Collection[str] = ()) -> list[dict[str, Any]]:
    return [event for event in day.events if event["k"] not in without]


def told(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in ASIDE}


_plain: list[Day] = []  # lived once a test process


@pytest.mark.parametrize("name", BOARDS)
async def test_a_day_is_the_same_on_every_board(desk, name):
    if not _plain:
        _plain.append(await live(desk, SIM))
    plain = _plain[0]
    day = await live(desk, SimBoard(name))
    events, expected = kept(day), kept(plain, LACKS.get(name, ()))
    assert list(map(told, events)) == list(map(told, expected))
    for event, other in zip(events, expected, strict=True):
        for duration in DURATIONS:
            assert abs(event.get(duration, 0) - other.get(duration, 0)) <= LATE_MS, event
    assert day.lights == plain.lights
    for moment, picture in plain.pictures.items():
        assert alike(day.pictures[moment], picture), moment
