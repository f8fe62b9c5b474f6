"""Every board's table against the drivers it names: they exist, and take what it gives them."""

import ast
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOARDS = sorted(ROOT.glob("boards/*/board.py"))
ROLES = {"keys", "badge_reader", "screen", "lights", "codec", "headset", "wifi", "audio"}


def constructor(module: str, name: str) -> ast.arguments:
    """The arguments of a driver's constructor, `self` first; read, as it needs a chip to run."""
    tree = ast.parse((ROOT / "firmware/drivers" / f"{module}.py").read_text())
    for driver in tree.body:
        if isinstance(driver, ast.ClassDef) and driver.name == name:
            for method in driver.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                    return method.args
            raise AssertionError(f"drivers/{module}.py: {name} has no constructor")
    raise AssertionError(f"drivers/{module}.py has no class {name}")


def fits(arguments: ast.arguments, positional: int, options: dict[str, Any]) -> bool:
    """Whether a call with so many positional arguments and these keywords is possible."""
    names = [argument.arg for argument in arguments.args[1:]]
    if positional > len(names) and not arguments.vararg:
        return False
    optional = len(arguments.defaults)
    required = names[: len(names) - optional] if optional else names
    keywords = names[positional:] + [argument.arg for argument in arguments.kwonlyargs]
    needed = [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    given = set(options)
    return given <= set(keywords) and set(required[positional:] + needed) <= given  # fmt: skip


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.parent.name)
def test_a_board_names_drivers_wires_and_buses_that_exist(path: Path) -> None:
    board = runpy.run_path(str(path))
    assert board["NAME"] == path.parent.name
    pins, buses, parts = board["PINS"], board["BUSES"], board["PARTS"]
    shared = [gpio for gpio in pins.values() if list(pins.values()).count(gpio) > 1]
    assert not shared, "two wires on one GPIO"
    for kind, _, wires, _ in buses.values():
        assert kind in ("I2C", "SoftI2C", "SPI", "SoftSPI", "UART", "I2S")
        assert set(wires.values()) <= set(pins)
    expanders = {bus for _, _, bus, _, _ in parts.values() if bus and bus not in buses}
    assert expanders <= set(parts)
    assert set(parts) <= ROLES | expanders
    for role, (module, name, bus, wires, options) in parts.items():
        assert isinstance(wires, tuple) and set(wires) <= set(pins), role
        taken = len(wires) + (bus is not None)
        assert fits(constructor(module, name), taken, options), role


def test_a_wrong_table_is_found() -> None:
    reader = constructor("pn532", "PN532")
    assert fits(reader, 2, {"address": 0x24})
    assert not fits(reader, 1, {"address": 0x24})
    assert not fits(reader, 2, {"adress": 0x24})
    assert not fits(constructor("ssd1306", "SSD1306"), 3, {})
    with pytest.raises(AssertionError, match="no class"):
        constructor("pn532", "PN533")
