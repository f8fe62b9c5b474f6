"""Boards that nobody sells, with whatever parts a test wants, and a row for each badge reader.

`other_board(tmp_path, PARTS)` is a board for the fixture `desk` of `tests/station`. `ROLES` says
which drivers `firmware/drivers/README.md` names for each role; `READERS` has those of badges.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diadema.stations.boards.rules_parts import constructor
from diadema_sim.build import SimBoard

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
PINS = {
    "scl": 22, "sda": 21, "sck": 18, "mosi": 23, "miso": 19, "cs": 5, "irq": 4, "tx": 26, "rx": 25,
    "d0": 32, "d1": 33, "a": 13, "b": 14, "push": 27, "red": 2, "amber": 12, "white": 15,
    "leds": 0, "socket": 34,
}  # fmt: skip
BUSES = {
    "i2c": ("I2C", 0, {"scl": "scl", "sda": "sda"}, {"freq": 400_000}),
    "spi": ("SPI", 2, {"sck": "sck", "mosi": "mosi", "miso": "miso"}, {"baudrate": 1_000_000}),
    "uart": ("UART", 2, {"tx": "tx", "rx": "rx"}, {"baudrate": 115_200}),
}
BADGES = {"iso14443a": "04a1b2c3d4e5f6", "em4100": "0102030405", "wiegand": "0a0b0c"}
"""{kind: a badge that nobody of the sample site has}."""

type Row = tuple[str, str, str | None, tuple[str, ...], dict[str, Any]]


def other_board(folder: Path, parts: dict[str, Row]) -> SimBoard:
    """A board named `bench` under `folder`, with these parts at the wires of PINS and BUSES."""
    its = folder / "boards" / "bench"
    its.mkdir(parents=True)
    (its / "board.py").write_text(
        f'NAME = "bench"\nPINS = {PINS!r}\nBUSES = {BUSES!r}\nPARTS = {parts!r}\n'
    )
    return SimBoard("bench", boards=folder / "boards")


def _roles() -> dict[str, list[str]]:
    page = (FIRMWARE / "drivers" / "README.md").read_text(encoding="utf-8")
    contracts = page.partition("## Los contratos")[2].partition("\n## ")[0]
    return {
        role: re.findall(r"\]\((\w+)\.py\)", text.partition("\n|")[0])
        for role, text in re.findall(r"^### `(\w+)`\n(.*?)(?=^### |\Z)", contracts, re.M | re.S)
    }


ROLES = _roles()


@dataclass(frozen=True)
class Reader:
    """Its row in a board's PARTS, and the kind of its badges."""

    row: Row
    kind: str


def _reader(driver: str) -> Reader:
    """Of the module's last class; its constructor names its bus and its wires as here."""
    text = (FIRMWARE / "drivers" / f"{driver}.py").read_text(encoding="utf-8")
    name = [one.name for one in ast.parse(text).body if isinstance(one, ast.ClassDef)][-1]
    takes = constructor(FIRMWARE, f"drivers.{driver}", name)
    assert takes, f"drivers/{driver}.py has no class with a constructor"
    names = [one.arg for one in takes.args[1:]]
    bus = names.pop(0) if names and names[0] in BUSES else None
    assert {*names} <= {*PINS}, f"drivers/{driver}.py: its wires are not in PINS"
    kind = re.search(r'^    kind = "(\w+)"', text, re.M)
    return Reader((driver, name, bus, tuple(names), {}), kind[1] if kind else "iso14443a")


READERS = {driver: _reader(driver) for driver in ROLES["badge_reader"]}
