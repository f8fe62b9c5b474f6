"""The journal's figures, inside the VM: `micropython vm_journal.py FIRMWARE TORTURE SCRIPT`.

Works a scripted day on the journal and on littlefs (append and flush), each on a NOR flash of its
own that counts what is erased, programmed and read. Prints one JSON object.
"""

import gc
import json
import sys
import time

sys.path[:0] = [sys.argv[1], sys.argv[2]]

# isort: split
import vfs  # noqa: E402
from lib.desk import Desk  # noqa: E402
from lib.errors import JournalFull  # noqa: E402
from lib.journal import EXTRA, Journal  # noqa: E402
from nor import SECTOR, Nor  # noqa: E402

_SECTORS = 128
_LOG_LIMIT = 256 * 1024  # littlefs: then the file is removed and begun again


class Work:
    """What one way of keeping events cost: `us` in the appends alone."""

    def __init__(self):
        self.nor = Nor(bytearray(b"\xff" * (SECTOR * _SECTORS)))
        self.events = self.bytes = self.us = 0

    def begin(self):
        """Count from here on: what a first format costs is not an event's."""
        self.erases_before = sum(self.nor.erases)
        self.programmed_before = self.nor.programmed

    def told(self):
        erased = (sum(self.nor.erases) - self.erases_before) * SECTOR
        return {
            "events": self.events, "bytes": self.bytes, "us": self.us, "erased": erased,
            "programmed": self.nor.programmed - self.programmed_before,
        }  # fmt: skip


class OnJournal(Work):
    def __init__(self, desk):
        super().__init__()
        self.desk = desk
        self.start()
        self.begin()

    def start(self):
        self.journal = Journal(self.nor, self.desk.snapshot)
        self.journal.mount()

    def append(self, payload):
        began = time.ticks_us()
        self.journal.append(payload)
        self.us += time.ticks_diff(time.ticks_us(), began)
        self.events += 1
        self.bytes += len(payload) + EXTRA


class OnLittlefs(Work):
    def __init__(self):
        super().__init__()
        vfs.VfsLfs2.mkfs(self.nor)
        self.files = vfs.VfsLfs2(self.nor)
        self.file = None
        self.begin()
        self.open()

    def open(self):
        if self.file:
            self.file.close()
            self.files.remove("/log")
        self.file = self.files.open("/log", "ab")
        self.length = 0

    def append(self, payload):
        if self.length > _LOG_LIMIT:
            self.open()
        began = time.ticks_us()
        self.file.write(payload)
        self.file.write(b"\n")
        self.file.flush()
        self.us += time.ticks_diff(time.ticks_us(), began)
        self.length += len(payload) + 1
        self.events += 1
        self.bytes += len(payload) + 1


def scan_of_a_full_one(payloads):
    """Fill a journal that nobody acknowledges; what the boot that follows reads of it."""
    desk = Desk()
    work = OnJournal(desk)
    try:
        while True:
            for payload in payloads:
                work.journal.append(payload)
                know(desk, payload, work.journal.last)
    except JournalFull:
        pass
    last = work.journal.last
    gc.collect()
    before = work.nor.read
    began = time.ticks_us()
    work.start()
    us = time.ticks_diff(time.ticks_us(), began)
    assert work.journal.last == last
    return {"events": last, "read": work.nor.read - before, "us": us}


def know(desk, payload, n):
    """The desk learns of event `n`, as in the firmware."""
    event = json.loads(payload)
    event["n"] = n
    desk.apply(event)


def main():
    with open(sys.argv[3], "rb") as file:  # noqa: PTH123
        lines = [line for line in file.read().split(b"\n") if line]
    desk = Desk()
    journal, littlefs = OnJournal(desk), OnLittlefs()
    payloads = []
    for at, line in enumerate(lines):
        kind, rest = line[:1], line[2:]
        if kind in (b"A", b"L"):
            journal.append(rest)
            littlefs.append(rest)
            know(desk, rest, journal.journal.last)
            payloads.append(rest)
        elif kind == b"K":
            journal.journal.ack(max(journal.journal.acked, journal.journal.last - int(rest)))
        elif kind == b"I":
            journal.journal.erase_ahead()
        elif kind == b"B":
            journal.start()
        if at % 32 == 0:
            gc.collect()  # not in the middle of what is timed
    print(json.dumps({
        "laps": (journal.journal._sequence - 1) / _SECTORS, "journal": journal.told(),
        "littlefs": littlefs.told(), "scan": scan_of_a_full_one(payloads),
    }))  # fmt: skip


main()
