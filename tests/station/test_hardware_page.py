"""The wiring table that people solder by says what the board's data says."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_wiring_table_equals_board_data():
    board = runpy.run_path(str(ROOT / "boards" / "sim" / "board.py"))
    rows = re.findall(
        r"^\|[^|]*\| `(\w+)` \| (\d+) \|", (ROOT / "hardware/README.md").read_text(), re.MULTILINE
    )
    assert {role: int(gpio) for role, gpio in rows} == board["PINS"]
