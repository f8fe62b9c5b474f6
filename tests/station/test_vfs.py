"""The vfs of a board with 4 MB of flash, as littlefs itself has it: the largest configuration that
the hub allows, again and again, with the power cut anywhere.
"""

import json
import subprocess
from pathlib import Path

from conftest import STATION
from diadema.boards.table import load_board
from diadema.image.files import VFS_BLOCK, pack, start_files
from diadema.sim import people
from diadema.sim.build import interpreter
from diadema.site import parse
from diadema.station_config import CONFIG_LIMIT, ConfigMaker, blocks
from wire_host import BADGE_KEY, CARD_KEY

TREE = Path(__file__).resolve().parents[2]
BLOCKS = 28
MODULUS = "A" * 512  # of the key of updates, base64


def largest(generation: int) -> bytes:
    """A configuration as long as one may be."""
    content = people.site(
        people.desks(90), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = STATION
    site = parse(json.dumps(content).encode())
    maker = ConfigMaker(site, BADGE_KEY, -300, generation, card_key=CARD_KEY)
    made = json.loads(maker.build(STATION)) | {"key": "0a" * 32, "update_key": MODULUS}
    rows = made["agents"]
    number = 0
    while len(told := in_lines(made)) < CONFIG_LIMIT - 100:
        number += 1
        rows.append([f"x{number:03d}", f"PERSONA {number:03d}", [f"{number:032x}"]])
    return told + b" " * (CONFIG_LIMIT - len(told))


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


def test_the_largest_configuration_a_hundred_times_with_cuts(tmp_path: Path) -> None:
    (tmp_path / "vfs.bin").write_bytes(provisioned())
    commands = [[*blocks(largest(generation))] for generation in range(1, 101)]
    (tmp_path / "configs.json").write_text(json.dumps([STATION, commands]))
    options = {
        "firmware": str(TREE / "firmware"), "torture": str(TREE / "boards/sim/torture"), "seed": 5,
    }  # fmt: skip
    done = subprocess.run(
        [*interpreter(), "-X", "heapsize=64m", str(TREE / "tests/station/vfs_bench.py"),
         str(tmp_path), json.dumps(options)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith('{"'), done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["written"] == 100 and told["cuts"] > 50
