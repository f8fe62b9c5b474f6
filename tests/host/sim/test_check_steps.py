"""The firmware steps of `make check` find what they are there to find."""

from pathlib import Path

import pytest

from tests import check

GOOD = """
from machine import I2C, Pin
from micropython import const
from board import RESET

_OUT = const(1)

class Part:
    def __init__(self, bus: I2C, pin: Pin) -> None:
        self._bus = bus
        pin.value(_OUT)
        Pin(RESET, Pin.OUT)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "firmware" / "drivers").mkdir(parents=True)
    (tmp_path / "boards" / "one").mkdir(parents=True)
    (tmp_path / "boards" / "one" / "board.py").write_text("RESET = 4\n")
    (tmp_path / "firmware" / "drivers" / "part.py").write_text(GOOD)
    return tmp_path


def test_right_firmware_passes(root: Path) -> None:
    assert check.firmware_types(root) == ""
    assert check.firmware_compiles(root) == ""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("        pin.tggle()\n", 'has no attribute "tggle"'),
        ("        bus.writeto_mem(1, 2)\n", "Too few arguments for"),
        ("        I2C(0, freq='fast')\n", "No overload variant"),
        ("        import socketserver\n", 'module named "socketserver"'),
        ("        Pin(RESET.pin, Pin.OUT)\n", '"int" has no attribute "pin"'),
    ],
)
def test_a_wrong_call_of_the_hardware_is_caught(root: Path, wrong: str, said: str) -> None:
    (root / "firmware" / "drivers" / "part.py").write_text(GOOD + wrong)
    problem = check.firmware_types(root)
    assert "firmware/drivers/part.py:" in problem and said in problem


def test_what_micropython_cannot_compile_is_caught(root: Path) -> None:
    (root / "boards" / "one" / "board.py").write_text("match RESET:\n    case 4: pass\n")
    assert "boards/one/board.py" in check.firmware_compiles(root)
    assert "SyntaxError" in check.firmware_compiles(root)


def test_readme_commands_that_do_not_exist_are_named() -> None:
    text = "Run `make test`, not `make tea`.\n\n```sh\nmake brew\n```\n\n    make ice  # cold\n"
    found = [*check._unknown_commands("a/README.md", text)]
    assert [problem.split("`")[1] for problem in found] == ["make brew", "make ice", "make tea"]
    assert all(problem.startswith("a/README.md: ") for problem in found)


def test_the_readme_of_each_folder_is_read() -> None:
    named = {str(page.relative_to(check.ROOT)) for page in check.readmes()}
    assert {f"{folder}README.md" for folder in (
        "", "firmware/", "firmware/drivers/", "boards/", "hardware/", "host_tools/",
        "host_tools/diadema/", "tests/",
    )} <= named  # fmt: skip
