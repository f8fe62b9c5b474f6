"""The start files: their number, and how those of a program come to the vfs."""

import hashlib
import re
from pathlib import Path

from diadema.stations.image.files import BESIDE, START_TEXT

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
KEPT = FIRMWARE / "start_files.txt"


def test_they_have_another_number_when_one_of_them_changed():
    """A station replaces its own by those of a program with the same number or a higher one."""
    found = hashlib.sha256()
    for name in (*BESIDE, *START_TEXT):
        source = (FIRMWARE / name).read_bytes()
        if name == "slots.py":  # the number itself is no change
            source = re.sub(rb"^START = \d+$", b"", source, flags=re.MULTILINE)
        found.update(hashlib.sha256(source).digest())
    number = int(re.search(r"^START = (\d+)$", (FIRMWARE / "slots.py").read_text(), re.M)[1])
    *before, last = KEPT.read_text().splitlines()
    assert [int(line.split()[0]) for line in (*before, last)] == [*range(1, number + 1)], (
        f"a line for each number, and START in slots.py is {number}"
    )
    assert last.split()[1] == found.hexdigest(), (
        f"a start file changed: make START in firmware/slots.py {number + 1}, and add to {KEPT} "
        f"the line: {number + 1} {found.hexdigest()}"
    )
