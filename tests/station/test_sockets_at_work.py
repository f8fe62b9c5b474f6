"""Through a shift the real firmware leaves each board's sockets as the board's page says."""

import math
import re
from pathlib import Path

import pytest
from diadema.stations.boards.table import load_board
from diadema_sim.build import SIM, SimBoard, board_names

from tests.support.station_bench import SETTLED_MS

HARDWARE = Path(__file__).resolve().parents[2] / "hardware"
SIGNALS = {"caller": "line", "tones": "dac", "own voice": "microphone"}
SILENT = "—"


def page(name: str) -> tuple[list[str], dict[tuple[str, str, str], list[str]]]:
    """States, and {(socket, contact, signal): dB in each state} of a board's page."""
    lines = (HARDWARE / f"{name}_sockets.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head = next(row for row in rows if row[0] == "socket")
    told = {(row[0], row[1], row[2]): row[3:] for row in rows if len(row) == len(head)}
    return head[3:], told


async def carries(bench) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = (await bench.station.dump())["codec"]["outputs"]
    return found


def shown(outputs: dict[str, dict[str, float | None]], contact: str, signal: str) -> str:
    """What the page would say of a signal at a contact."""
    pins = re.split(" and ", contact.partition(": ")[2])
    levels = [outputs[pin][SIGNALS[signal]] for pin in pins]
    total = sum(10 ** (db / 20) for db in levels if db is not None)
    return f"{20 * math.log10(total):.1f}".replace("-", "−") if total else SILENT


@pytest.mark.parametrize("name", [name for name in board_names() if name != SIM.name])
async def test_the_sockets_carry_what_the_page_says_in_every_state(desk, name):
    states, told = page(name)
    board = load_board(name)
    wrong = []

    async def look(bench, at: str, state: str) -> None:
        outputs = await carries(bench)
        column = states.index(state)
        for socket in board.wiring.sockets:
            for contact, pins in socket.contacts.items():
                place = f"{contact}: {' and '.join(pins)}"
                for signal in SIGNALS:
                    said = told.get((socket.ref, place, signal), [SILENT] * len(states))[column]
                    heard = shown(outputs, place, signal)
                    if heard != said:
                        wrong.append((at, socket.ref, place, signal, said, heard))

    usual = states[0]
    async with desk(SimBoard(name)) as bench:
        await look(bench, "nobody there", usual)
        await bench.station.tap(bench.badges[0])
        await bench.event("presence.changed", to="not_ready")
        bench.host.command("selftest")
        await bench.caught_up()
        await bench.world.sleep(500)
        await look(bench, "self-test, keys", usual)
        await bench.keys(1, 2, 3, 4, 5, 6)
        await bench.world.sleep(500)
        await look(bench, "self-test, microphone", usual)
        await bench.world.sleep(6_000)  # her voice does not come
        await look(bench, "self-test, lights", usual)
        await bench.world.sleep(6_000)
        await bench.keys(3)  # her materials are there
        await bench.event("station.selftest")
        await bench.world.sleep(500)
        await bench.keys(3)
        await bench.event("presence.changed", to="ready")
        await look(bench, "idle", usual)
        await bench.ring("C-1")
        await bench.world.sleep(300)
        await look(bench, "ring", usual)
        await bench.answer("C-1")
        await look(bench, "talk", usual)
        await bench.keys(2)
        await bench.event("contact.muted", c="C-1")
        await look(bench, "mute", "mute")
        await bench.keys(2)
        await bench.event("contact.unmuted", c="C-1")
        await look(bench, "talk again", usual)
        await bench.keys(4)
        await bench.event("contact.held", c="C-1")
        await look(bench, "hold", usual)
        await bench.keys(4, 1)
        await bench.event("wrapup.started", c="C-1")
        await look(bench, "wrap-up", usual)
        await bench.typify("C-1")
        await bench.world.sleep(500)
        if any(signal == "own voice" for *_, signal in told):
            await bench.station.press(6, 900)
            await bench.world.sleep(500)
            await bench.keys(5)
            for _ in range(10):  # by tens
                await bench.world.sleep(SETTLED_MS)
                since = bench.since()
                await bench.keys(4)
                await bench.event("audio.changed", since)
            await look(bench, "sidetone at its limit", "sidetone 100 %")
    assert not wrong, wrong
