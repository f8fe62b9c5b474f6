"""A journal with a backlog, made inside the VM: `micropython vm_backlog.py FIRMWARE TORTURE SCRIPT
IMAGE`. Writes the flash as three days without a link leave it; prints epoch and last event.
"""

import json
import sys

sys.path[:0] = [sys.argv[1], sys.argv[2]]

# isort: split
from lib.desk import Desk  # noqa: E402
from lib.journal import Journal  # noqa: E402
from nor import SECTOR, Nor  # noqa: E402

nor = Nor(bytearray(b"\xff" * (SECTOR * 128)))
desk = Desk()
journal = Journal(nor, desk.snapshot)
journal.mount()
with open(sys.argv[3], "rb") as script:  # noqa: PTH123
    for line in script:
        if line[:1] in (b"A", b"L"):
            payload = line[2:].strip()
            journal.append(payload)
            event = json.loads(payload)
            event["n"] = journal.last
            desk.apply(event)
with open(sys.argv[4], "wb") as file:  # noqa: PTH123
    file.write(nor.image)
print(json.dumps({"epoch": journal.epoch, "last": journal.last}))
