"""The vfs of a board with 4 MB of flash, as littlefs itself has it: the largest configuration that
the hub allows, again and again, with the power cut anywhere.
"""

import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from diadema.site.description import parse
from diadema.site.station_config import CONFIG_LIMIT, ConfigMaker, blocks
from diadema.stations.boards.table import load_board
from diadema.stations.image.files import VFS_BLOCK, pack, start_files
from diadema_sim import people
from diadema_sim.build import on_vm

from tests.support.station_bench import STATION
from tests.support.wire_host import BADGE_KEY, CARD_KEY

TREE = Path(__file__).resolve().parents[2]
BLOCKS = 28
MODULUS = "A" * 512  # of the key of updates, base64


@cache
def _full() -> dict[str, Any]:
    """As many agents as a configuration may have."""
    content = people.site(
        people.desks(90), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = STATION
    site = parse(json.dumps(content).encode())
    maker = ConfigMaker(site, BADGE_KEY, -300, 1, card_key=CARD_KEY)
    made = json.loads(maker.build(STATION)) | {"key": "0a" * 32, "update_key": MODULUS}
    rows = made["agents"]
    number = 0
    while len(in_lines(made)) < CONFIG_LIMIT - 100:
        number += 1
        rows.append([f"x{number:03d}", f"PERSONA {number:03d}", [f"{number:032x}"]])
    return made


def largest(generation: int) -> bytes:
    """A configuration as long as one may be."""
    return in_lines(_full() | {"generation": generation}).ljust(CONFIG_LIMIT)


def in_lines(made: dict[str, object]) -> bytes:
    rows = ",\n".join(json.dumps(row) for row in made["agents"])
    text = json.dumps(made | {"agents": "HERE"}, separators=(",", ":"))
    return text.replace('"HERE"', f"[\n{rows}\n]").encode()


def provisioned() -> bytes:
    """All that stands in it besides: start files, the wishes of all agents, a network."""
    prefs = {
        f"a{number:03d}": {"volume": 75, "tones": "off", "language": "en"} for number in range(90)
    }
    kept = {"prefs.json": json.dumps(prefs).encode(), "wifi.json": b'{"ssid":"x","password":"y"}'}
    return pack(start_files() | kept, BLOCKS * VFS_BLOCK, VFS_BLOCK)


def test_the_table_has_so_many_blocks() -> None:
    (vfs,) = [one for one in load_board("lyrat_v4_3").partitions if one.name == "vfs"]
    assert vfs.size == BLOCKS * VFS_BLOCK


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """`bench(do, seed, generations)`: what `vfs_bench.py` says."""

    def run(do: str, seed: int, generations: int) -> dict[str, Any]:
        (tmp_path / "vfs.bin").write_bytes(provisioned())
        commands = [[*blocks(largest(number))] for number in range(1, generations + 1)]
        (tmp_path / "configs.json").write_text(json.dumps([STATION, commands]))
        options = {
            "firmware": str(TREE / "firmware"), "do": do, "seed": seed,
            "start_files": [*start_files()],
        }  # fmt: skip
        (tmp_path / "options.json").write_text(json.dumps(options))
        command = on_vm("64m", TREE / "boards/sim/torture/vfs_bench.py", tmp_path)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.startswith('{"'), done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


def test_the_largest_configuration_forty_times_with_cuts(bench) -> None:
    told = bench("cuts", 5, 40)
    assert told["written"] == 40 and told["cuts"] > 20


def test_each_block_damaged_in_turn(bench) -> None:
    """It works on and says what it lost; or what MicroPython itself needs is gone: the whole file
    system, or a start file. Then the host knows what the console says.
    """
    found = bench("damage", 6, 3)["found"]
    assert {block for block, *_ in found} == set(range(BLOCKS))
    by_word = {word: {block for block, _, told in found if told == word} for *_, word in found}
    assert by_word.keys() == {"2", "told", "not mounted", "start file"}
    assert len(by_word["told"]) >= 10 and len(by_word["not mounted"]) <= 4
