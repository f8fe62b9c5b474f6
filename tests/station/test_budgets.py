"""Memory in a day of a site of 120 agents, with Wi-Fi and TLS, within the floors of both: what
Python can get, and what is left to radio, TLS and sound. Measured on the board of each chip that
loads the most.
"""

import csv
import json
import re
from pathlib import Path

import pytest
from diadema.site.description import Site, parse
from diadema.stations.boards.table import load_board
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

HEAVIEST = {"esp32:quad": SimBoard("lyrat_v4_3"), "esp32s3:octal": SimBoard("s3_korvo2")}
DRIVERS = Path(__file__).resolve().parents[2] / "firmware" / "drivers"
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


def loaded(driver: str) -> set[str]:
    """The modules of `drivers` that this one brings, itself among them."""
    source = (DRIVERS / f"{driver}.py").read_text()
    names = re.findall(r"^ *from drivers\.(\w+) import", source, re.MULTILINE)
    for line in re.findall(r"^ *from drivers import (.+)", source, re.MULTILINE):
        names += re.findall(r"\w+", line)
    return {f"drivers.{driver}"}.union(*map(loaded, names))


def test_no_board_loads_more_than_the_one_of_its_chip_that_lives_the_day() -> None:
    def weight(board: SimBoard) -> int:
        parts = load_board(board.name).parts.values()
        return mpy_bytes(board, set().union(*(loaded(driver) for driver, *_ in parts)))

    boards = [SimBoard(name) for name in board_names() if name != SIM.name]
    assert {board.chip for board in boards} == HEAVIEST.keys()
    for board in boards:
        assert weight(board) <= weight(HEAVIEST[board.chip]), board.name


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


@pytest.mark.parametrize("board", HEAVIEST.values(), ids=lambda board: board.name)
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
        await transfers(bench, day)
        await pause_and_outgoing(bench, day)
        await missed_call(bench, day)
        await headset_out_and_in(bench)
        await bench.world.sleep(HEALTH_MS)
        assert max(in_call, await held(bench)) <= LOADED
        told = [event for event in host.events if event["k"] == "station.health"]
        assert told
        for health in told:
            assert health["heap"] >= HEAP and health["heap"] >= health["gc_free"]
            assert min(health["idf"], health["idf_least"]) >= IDF
            assert health["idf_largest"] >= IDF_LARGEST
        assert told[-1]["rssi"] and bench.station.restarts == []
        await host.shut()
