"""Every board's table against the drivers it names: they exist, and take what it gives them."""

import runpy
from pathlib import Path

import pytest
from diadema.stations.boards.rules_parts import ROLES, constructor, fits

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
