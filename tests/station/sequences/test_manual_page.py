"""The agent's page shows what the sequences see: each of their pictures once, and no other."""

import re
from pathlib import Path

from tests.support.manual import PICTURES

HERE = Path(__file__).resolve().parent
MANUAL = HERE.parents[2] / "firmware" / "README.md"


def test_the_page_has_the_pictures_of_the_sequences_and_no_other():
    seen: list[str] = []
    for file in (HERE / "test_uc1.py", HERE / "test_shift.py"):
        seen += re.findall(r'await bench\.pictured\("(\w+)"\)', file.read_text())
    shown = re.findall(r"\.pictures/agent/(\w+)\.png", MANUAL.read_text())
    assert sorted(shown) == sorted(seen)
    assert sorted(seen) == sorted(path.stem for path in PICTURES.glob("*"))
    assert all(path.stat().st_size < 4096 for path in PICTURES.glob("*"))


def test_each_criterion_of_uc1_has_its_picture():
    criteria = (HERE / "test_uc1.py").read_text().split("async def test_e")[1:]
    assert len(criteria) == 9
    assert all("await bench.pictured(" in each for each in criteria)
