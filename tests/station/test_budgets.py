"""Each board's memory in a day of a site of 120 agents, with Wi-Fi and TLS, within the floors of
both: what Python can get, and what is left to radio, TLS and sound.
"""

import csv
import json
from pathlib import Path

import pytest
from diadema.site.description import Site, parse
from diadema_sim import people
from diadema_sim.build import SIM, SimBoard, board_heap, board_names

from tests.station.test_boards_day import (
    Day,
    answered_call,
    headset_out_and_in,
    missed_call,
    pause_and_outgoing,
    transfers,
)
from tests.station.test_wifi import PASSWORD, SSID, air, authority, begin, server  # noqa: F401 - two fixtures
from tests.support.firmware_weight import chip_bytes, mpy_bytes
from tests.support.station_bench import STATION

BOARDS = [SimBoard(name) for name in board_names() if name != SIM.name]
KIB = 1024
HEAP, IDF, IDF_LARGEST = 2048 * KIB, 100 * KIB, 64 * KIB  # at least
LOADED = 400 * KIB  # at most
HEALTH_MS = 900_000  # from one report of itself to the next
MEASURED = Path(__file__).resolve().parents[1] / "bench" / "chip_bytes.csv"


def test_the_estimate_is_within_15_percent_of_what_chips_held() -> None:
    rows = list(csv.DictReader(MEASURED.read_text().splitlines()))
    assert len(rows) == 5
    for row in rows:
        vm, mpy, chip = (int(row[name]) for name in ("vm_bytes", "mpy_bytes", "chip_bytes"))
        assert chip_bytes(vm, mpy) == pytest.approx(chip, rel=0.15), row["moment"]


@pytest.fixture
def site() -> Site:
    content = people.site(
        people.desks(120), name="Centro", zone="America/Lima", tree=people.LIMA_TREE, pins=True
    )
    content["stations"][0]["id"] = STATION
    return parse(json.dumps(content).encode())


async def held(bench) -> float:
    """By Python, in a chip's bytes."""
    board, dump = bench.station.board, await bench.station.dump()
    used = dump["heap"]["used"] - board_heap(board)
    return chip_bytes(used, mpy_bytes(board, dump["modules"]))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
async def test_a_day_over_wifi_stays_within_the_floors(desk, site, server, board):  # noqa: F811
    async with desk(board) as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD})
        assert (await host.answer(host.with_wifi()))["k"] == "station.config"
        await bench.until(lambda: any(hello.get("way") for hello in host.hellos))
        host.cable = False
        await bench.station.tap(bench.badges[0])
        await bench.type(bench.pin)
        await bench.event("session.opened")
        await bench.until(lambda: "session.opened" in host.over("wifi"))
        await bench.world.sleep(1_000)
        await bench.keys(3)
        await bench.event("presence.changed", to="ready")
        day = Day()
        await answered_call(bench, day)
        in_call = await held(bench)
        await bench.world.sleep(HEALTH_MS)
        await transfers(bench, day)
        await pause_and_outgoing(bench, day)
        await missed_call(bench, day)
        await headset_out_and_in(bench)
        await bench.world.sleep(HEALTH_MS)
        assert max(in_call, await held(bench)) <= LOADED
        told = [event for event in host.events if event["k"] == "station.health"]
        assert len(told) >= 2
        for health in told:
            assert health["heap"] >= HEAP and health["heap"] >= health["gc_free"]
            assert min(health["idf"], health["idf_least"]) >= IDF
            assert health["idf_largest"] >= IDF_LARGEST
        assert told[-1]["rssi"] and bench.station.restarts == []
        await host.shut()
