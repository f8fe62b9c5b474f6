"""Every board's table against the drivers it names: they exist, and take what it gives them;
and the page of the drivers' contracts against both.
"""

import re
import runpy
from pathlib import Path

import pytest
from diadema.stations.boards.rules_parts import ROLES, constructor, fits

from tests.support.other_board import READERS

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
BOARDS = sorted(ROOT.glob("boards/*/board.py"))


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.parent.name)
def test_a_board_names_drivers_wires_and_buses_that_exist(path: Path) -> None:
    board = runpy.run_path(str(path))
    assert board["NAME"] == path.parent.name
    pins, buses, parts = board["PINS"], board["BUSES"], board["PARTS"]
    assert len(set(pins.values())) == len(pins), "two wires on one GPIO"
    for kind, _, wires, _ in buses.values():
        assert kind in ("I2C", "SoftI2C", "SPI", "SoftSPI", "UART", "I2S")
        assert set(wires.values()) <= set(pins)
    expanders = {bus for _, _, bus, _, _ in parts.values() if bus and bus not in buses}
    assert expanders <= set(parts)
    assert set(parts) <= ROLES | expanders
    for role, (module, name, bus, wires, options) in parts.items():
        assert isinstance(wires, tuple) and set(wires) <= set(pins), role
        taken = len(wires) + (bus is not None)
        arguments = constructor(FIRMWARE, f"drivers.{module}", name)
        assert arguments, f"{role}: no {name} in drivers/{module}.py"
        assert fits(arguments, taken, options), role


def test_a_wrong_table_is_found() -> None:
    reader = constructor(FIRMWARE, "drivers.pn532", "PN532")
    screen = constructor(FIRMWARE, "drivers.ssd1306", "SSD1306")
    assert reader and screen
    assert fits(reader, 2, {"address": 0x24})
    assert not fits(reader, 1, {"address": 0x24})
    assert not fits(reader, 2, {"adress": 0x24})
    assert not fits(screen, 3, {})
    assert constructor(FIRMWARE, "drivers.pn532", "PN533") is None
    assert constructor(FIRMWARE, "drivers.pn533", "PN533") is None


def test_the_page_of_contracts_has_every_role_and_names_every_driver() -> None:
    drivers = FIRMWARE / "drivers"
    page = (drivers / "README.md").read_text(encoding="utf-8")
    contracts = page.partition("## Los contratos")[2].partition("\n## ")[0]
    roles = set(re.findall(r"^### `(\w+)`$", contracts, re.MULTILINE))
    used = {role for path in BOARDS for role in runpy.run_path(str(path))["PARTS"]}
    assert roles == used == ROLES
    linked = set(re.findall(r"\]\((\w+\.py)\)", page))
    assert linked == {path.name for path in drivers.glob("*.py")}
    for path in BOARDS:
        for role, (module, *_) in runpy.run_path(str(path))["PARTS"].items():
            section = contracts.partition(f"### `{role}`\n")[2].partition("\n### ")[0]
            assert f"({module}.py)" in section, f"{role} of {path.parent.name}: {module}"


def test_the_page_of_contracts_adds_a_badge_reader_in_six_files_at_most() -> None:
    page = (FIRMWARE / "drivers" / "README.md").read_text(encoding="utf-8")
    steps = re.findall(
        r"^(\d+)\. `([\w/.]+)`", page.partition("## Agregar un lector de fotocheck")[2], re.M
    )
    assert [int(number) for number, _ in steps] == [*range(1, len(steps) + 1)]
    assert 0 < len(steps) <= 6
    for _, path in steps:
        assert (ROOT / re.sub(r"NAME|BOARD", lambda hit: _SAMPLE[hit[0]], path)).exists(), path


@pytest.mark.parametrize("name", ["suite/test_drv_badge_codes", "test_badge_code_properties"])
def test_what_badge_readers_decode_is_tested(name: str) -> None:
    path = Path(__file__).parent / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    for driver in READERS:
        source = (FIRMWARE / "drivers" / f"{driver}.py").read_text(encoding="utf-8")
        if re.search(r"^def decode\(", source, re.M):
            assert f"from drivers.{driver} import" in text, f"{path} has no {driver}"


_SAMPLE = {"NAME": "mfrc522", "BOARD": "devkitc_wm8960"}
