"""The journal's torture, inside the VM: `micropython bench.py SCRIPT`; SCRIPT.json has the
options, for an argument has 255 bytes at the most.

Works a scripted day on the real `lib.journal` over `nor.Nor`, and before, inside and after each
flash operation copies the flash as a cut would leave it, mounts that copy as the next boot would
and asks it for every event. Prints one JSON object a failure, and one at the end.
"""

import json
import random
import sys

with open(sys.argv[1] + ".json") as file:
    options = json.load(file)
sys.path.insert(0, options["firmware"])

# isort: split
from lib.errors import JournalFull
from nor import SECTOR, Nor, PowerCut, half_erase, weak_byte
from truth import Mounted, Truth, Wrong

_FAILURES = 5  # then the day is given up
_ERASES = 24  # ways in which an erase is cut


class Day:
    """One script on one ring, and its cut points."""

    def __init__(self, lines):
        self.lines = lines
        self.sectors = options["sectors"]
        self.large = self.sectors > 16
        self.truth = Truth()
        self.nor = Nor(bytearray(b"\xff" * (SECTOR * self.sectors)), self.watch)
        self.nor.worn = options.get("worn", ())
        self.nor.stuck = options.get("stuck", ())
        self.scratch = bytearray(SECTOR * self.sectors)
        self.journal = None
        self.operation = 0
        self.mark = 0  # names the cut point, and decides what else is tried there
        self.points = 0
        self.second = 0
        self.scans = 0
        self.failures = 0
        self.lost_room = 0

    def run(self):
        try:
            self.mount()
            for line in self.lines:
                self.step(line)
        except Exception as why:  # whatever it is, the station would not have started
            self.fail("-", why)

    def mount(self):
        mounted = Mounted(self.nor, self.truth)
        mounted.check()
        self.journal = mounted.journal

    def step(self, line):
        kind, rest = line[:1], line[2:]
        journal, truth = self.journal, self.truth
        if kind == b"A" or kind == b"L":
            truth.pending = rest
            try:
                n = journal.append(rest, kind == b"L")
            except JournalFull:
                self.lost_room += 1
            else:
                if n != truth.last + 1:
                    raise Wrong("append gave %d after %d" % (n, truth.last))
                truth.events.append(rest)
            truth.pending = None
        elif kind == b"K":
            truth.acked = max(truth.acked, truth.last - int(rest))
            truth.released = max(truth.released, truth.acked)
            journal.ack(truth.acked)
        elif kind == b"W":  # the host was restored from a backup and knows less
            truth.acked = max(truth.acked - int(rest), journal.first - 1)
            journal.ack(truth.acked)
        elif kind == b"I":
            journal.erase_ahead()
        elif kind == b"B":
            self.mount()
            self.journal.ack(truth.acked)

    # ------------------------------------------------------------------ the cuts

    def watch(self, nor, what, at, data):
        """Called before each flash operation of the day."""
        self.operation += 1
        only = options.get("operation")
        if only is not None and only != self.operation:
            return
        if only is None and random.random() >= options["share"]:
            return
        random.seed(options["seed"] * 1000003 + self.operation)
        if what == "erase":
            for way in range(_ERASES):
                self.point(way, lambda way=way: half_erase(self.scratch, at, way), at // SECTOR)
            return
        sizes = range(len(data) + 1)
        if self.large and only is None:
            sizes = sorted(
                {0, random.randrange(len(data)), random.randrange(len(data)), len(data)}
            )
        for size in sizes:

            def programmed(size=size):
                scratch = self.scratch
                scratch[at : at + size] = memoryview(data)[:size]
                if size < len(data) and size & 1:
                    weak_byte(scratch, at + size, data[size])

            self.point(size, programmed)

    def point(self, cut, leave, doubtful=None):
        """One cut: the flash as `leave` makes it, and the boots after it."""
        only = options.get("cut")
        if only is not None and only != cut:
            return
        self.mark = self.operation * 4099 + cut
        random.seed(options["seed"] * 1000003 + self.mark)
        self.scratch[:] = self.nor.image
        leave()
        self.points += 1
        nor = Nor(self.scratch)
        nor.worn, nor.stuck, nor.erases = self.nor.worn, self.nor.stuck, self.nor.erases[:]
        nor.doubtful = set(self.nor.doubtful)
        if doubtful is not None:
            nor.doubtful.add(doubtful)
        truth = self.truth.copy()
        try:
            if self.mark % 16 == 0:
                self.cut_scan(nor, truth)
            mounted = Mounted(nor, truth)
            mounted.check(self.large and self.mark % 64 != 0)
            self.go_on(mounted.journal, truth)
            if self.mark % 32 == 0:
                self.cut_again(nor, truth)
        except Exception as why:  # whatever it is, the station would not have started
            self.fail(cut, why)

    def cut_scan(self, nor, truth):
        """A cut during the boot scan: it may not have changed what the next boot finds."""
        nor.read_budget = random.randrange(self.sectors * 2)
        self.scans += 1
        try:
            Mounted(nor, truth)
        except PowerCut:
            pass
        nor.read_budget = -1

    def go_on(self, journal, truth):
        """The boot goes on: its first event is written and can be read."""
        payload = b'{"k":"station.booted","cause":"power_on","b":7,"u":%d,"t":null}' % self.mark
        truth.pending = payload
        try:
            n = journal.append(payload)
        except JournalFull:
            truth.pending = None
            return
        if n != truth.last + 1 or journal.read(n) != (n, payload):
            raise Wrong("event %d after the boot cannot be read" % n)
        truth.events.append(payload)
        truth.pending = None

    def cut_again(self, nor, truth):
        """Cuts in the boots that follow, three in a row, at any byte of what they write."""
        for _ in range(3):
            nor.budget = random.randrange(700)
            self.second += 1
            truth.pending = None
            try:
                mounted = Mounted(nor, truth)
                mounted.check(self.large)
                for step in range(6):
                    self.go_on(mounted.journal, truth)
                    if step % 3 == 1:
                        truth.acked = max(truth.acked, truth.last - random.randrange(40))
                        truth.released = max(truth.released, truth.acked)
                        mounted.journal.ack(truth.acked)
                    mounted.journal.erase_ahead()
            except PowerCut:
                pass
            nor.budget = -1
            mounted = Mounted(nor, truth)
            mounted.check(self.large)

    def fail(self, cut, why):
        where = {
            "operation": self.operation,
            "cut": cut,
            "what": "%s: %s" % (type(why).__name__, why),
        }
        print(json.dumps(where))
        self.failures += 1
        if self.failures >= _FAILURES:
            self.finish()
            sys.exit(0)

    def finish(self):
        truth = self.truth
        print(json.dumps({
            "points": self.points + self.second + self.scans, "second": self.second,
            "scans": self.scans, "operations": self.operation, "events": truth.last,
            "refused": self.lost_room, "bad": len(self.journal.bad) if self.journal else 0,
            "sequence": self.journal._sequence if self.journal else 0,
        }))  # fmt: skip


with open(sys.argv[1], "rb") as file:
    lines = [line for line in file.read().split(b"\n") if line]
random.seed(options["seed"])  # it also draws which operations are cut
day = Day(lines)
day.run()
day.finish()
