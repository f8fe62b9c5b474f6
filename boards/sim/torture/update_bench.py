"""The update's bench: `update_bench.py FOLDER`, on MicroPython or CPython.

A station's flash (journal, both slots, NVS and, in some batches, MicroPython's two app partitions
with their otadata, or a vfs with its littlefs) is cut at the operations of an update and of the
boots around it, the boot loader's too; after each cut the real modules have to come up with a
whole program, take the rest of the update, and have every event. FOLDER holds what
`diadema_sim.torture.update` wrote there.
Prints a JSON object for each failure, and one that sums up.
"""

import json
import os
import random
import sys

with open(sys.argv[1] + "/options.json") as file:  # an argument has 255 bytes at the most
    options = json.load(file)
here = __file__.rsplit("/", 1)[0]
sys.path[:0] = [options["firmware"], here]
if sys.implementation.name != "micropython":
    names = type(sys)("micropython")
    names.const = lambda value: value
    sys.modules["micropython"] = names

import chip  # noqa: E402

# isort: split
if options["files"]:
    import files
import safe  # noqa: E402
import slots  # noqa: E402
import update  # noqa: E402
from chip import Part, Restart  # noqa: E402
from lib import updating  # noqa: E402
from lib.frames import Decoder, encode  # noqa: E402
from nor import Nor, PowerCut, half_erase, weak_byte  # noqa: E402
from truth import Mounted, Truth, Wrong  # noqa: E402

SECTOR = 4096
_FAILURES = 5
_ERASES = 12
_BOOTS = 16
_CRASH = ValueError("out of ideas")
_ENDS = (
    ("", ""), ("update", ""), ("trial", "screen"), ("crash", "ValueError: out of ideas\n"),
)  # fmt: skip


class Desk:
    open = False
    work = "idle"
    command = 0


class Program:
    """What `slots` is to the app, once `boot.py` has run."""

    GOOD, TOLD, STARTED = slots.GOOD, slots.TOLD, slots.STARTED
    START, APP = slots.START, sys.argv[1]
    intake = None
    of_interpreter = staticmethod(slots.of_interpreter)
    powered = staticmethod(slots.powered)

    def __init__(self, nor, truth):
        self._truth = truth
        journal, each = options["journal"], options["slot"]
        self.find = slots.find = lambda: [
            slots.Slot(Part(nor, journal + at * each, each), label)
            for at, label in enumerate(slots.LABELS)
        ]
        slots.mount = lambda slot: None  # a program here is no file system
        slots.chosen = slots.trial = slots.fresh = slots.safe = None
        slots.begin()
        self.chosen, self.trial, self.fresh, self.safe = _begun()

    def restart(self, why):
        self._truth.ended += 1
        slots.restart(why)


def _begun():
    return slots.chosen, slots.trial, slots.fresh, slots.safe


class Clock:
    def now(self):
        return 0


class Station:
    """One power-on: what `boot.py`, `start.py` and the supervisor do of it."""

    board = "sim"
    desk = Desk()
    clock = Clock()
    bench = None

    def __init__(self, nor, truth, restarted):
        self.truth = truth
        self.micropython = chip.power_on(nor, restarted)
        self.program = Program(nor, truth)
        chosen = self.program.chosen
        mounted = Mounted(Part(nor, 0, options["journal"]), truth)
        mounted.check(True)
        self.journal = mounted.journal
        if self.program.safe == "crashes":
            return
        if chosen is None:
            if not options["safe"]:
                raise Wrong("no program runs")
            return
        if update.body_hash(chosen, chosen.length) != chosen.sha256:
            raise Wrong("a program runs that is not whole: " + chosen.version)
        if chosen.version not in options["versions"]:
            raise Wrong("a program runs that nobody made: " + chosen.version)
        if chosen.version == "bad" and not self.program.trial:
            raise Wrong("a bad program runs again")
        if self.micropython == chip.BAD and not self.program.fresh:
            raise Wrong("a bad MicroPython runs again")
        self.phase = self.next = None
        self.files = files.Files(nor, truth) if options["files"] else None
        cause, text = slots.last()
        if (cause, text) not in _ENDS:
            raise Wrong("nothing ended so: %s %s" % (cause, text))
        if cause:
            truth.ended -= 1
            if truth.ended < 0:
                raise Wrong("told twice: " + cause)
        booted = {"k": "station.booted", "cause": cause or "power_on", "version": chosen.version}
        self.record(booted, 0)
        updating.tell_news(self, text or cause or None)

    def record(self, event, u):
        payload = json.dumps(event).encode()
        self.truth.pending = payload
        self.journal.append(payload)
        self.truth.events.append(payload)
        self.truth.pending = None
        self.phase, self.next = event.get("phase"), event.get("next")
        return True

    def work(self, bundles):
        """True when all is done; Restart when that start ends."""
        chosen, program = self.program.chosen, self.program
        if program.safe == "crashes":  # after its minutes
            slots.works()
            raise Restart
        if chosen is None:
            self.rescue(bundles[-1][1])
        if chosen.version == "1" and self.count("crash") < options["crashes"]:
            program.restart(_CRASH)
        if program.trial or program.fresh:
            if chosen.version == "bad":
                program.restart(_CRASH)
            if self.micropython == chip.BAD:
                program.restart("trial screen")
            updating.passed(self)
        slots.works()
        if self.files:
            self.files.take(self)
            self.files.renew(self)
        self.truth.acked = max(self.truth.last - 3, 0)
        self.truth.released = max(self.truth.released, self.truth.acked)
        self.journal.ack(self.truth.acked)
        self.journal.erase_ahead()
        for version, commands in bundles:
            if version in (chosen.version, self.micropython):
                continue
            if version in ("bad", chip.BAD, chip.DEAD) and self.rolled_back(version):
                continue
            if version == "half":
                if chosen.version == "1" and not self.count("half"):
                    self.deliver(commands, options["half"])
                    self.record({"k": "half"}, 0)
                continue
            self.deliver(commands)
        return True

    def rolled_back(self, version):
        mark = ('"%s"' % version).encode()
        return any(b"rolled_back" in event and mark in event for event in self.truth.events)

    def count(self, word):
        """How often."""
        mark = ('"%s"' % word).encode()
        return sum(mark in event for event in self.truth.events)

    def rescue(self, commands):
        """What safe mode does with the same parts."""
        heard = []
        decoder = Decoder()

        def write(frame):
            for text in decoder.feed(frame):
                heard.append(json.loads(text)["hello"].get("update"))

        mode = safe.Safe("DIA-0", "no_program", self.program.find(), write)
        part = 1
        while not mode.restart:
            heard.clear()
            mode.feed(encode(json.dumps(dict(commands[part - 1], i=1)).encode()))
            if heard and heard[-1]["phase"] == "refused":
                raise Wrong("refused: " + json.dumps(heard[-1]))
            part = heard[-1].get("next", 0) if heard else part + 1
        slots.works()
        raise Restart

    def deliver(self, commands, most=None):
        part, number = 1, len(self.truth.events)
        while most is None or part <= most:
            self.phase = self.next = None
            updating.take(self, 0, dict(commands[part - 1], i=number))
            if self.phase == "refused":
                raise Wrong("refused: " + self.truth.events[-1].decode())
            part = self.next or part + 1


def reach(nor, truth, bundles):
    """Starts until everything is done."""
    restarted = False
    for _ in range(_BOOTS):
        try:
            if Station(nor, truth, restarted).work(bundles):
                return
        except Restart:
            restarted = True
    raise Wrong("not done after %d starts" % _BOOTS)


class Day:
    """The update once without a cut, and from each of its operations on the cuts."""

    def __init__(self, image, bundles):
        self.bundles = bundles
        self.nor = Nor(image, self.watch)
        self.truth = Truth()
        self.scratch = bytearray(len(image))
        self.operation = self.points = self.second = self.failures = 0

    def watch(self, nor, what, at, data):
        self.operation += 1
        only = options.get("operation")
        if only is not None and only != self.operation:
            return
        if only is None and random.random() >= options["share"]:
            return
        state, powered, begun = random.getrandbits(30), chip.powered(), _begun()
        if what == "erase":
            for way in range(_ERASES):
                self.point(way, lambda way=way: self.half_erased(at, way), at // SECTOR)
        else:
            sizes = list(range(len(data) + 1))
            if len(data) > options["small"]:
                some = [random.randrange(len(data)) for _ in range(options["some"])]
                sizes = [0, 1, len(data) - 1, len(data)] + some
            elif len(data) == 1:
                sizes = [0] * _ERASES + [1]
            for cut, size in enumerate(sizes):
                self.point(cut, lambda size=size: self.programmed(at, data, size))
        random.seed(state)
        chip.power_again(powered)
        slots.chosen, slots.trial, slots.fresh, slots.safe = begun
        if options["files"]:
            files.go_back()

    def half_erased(self, at, way):
        before = self.scratch[at : at + chip.ENTRY]
        half_erase(self.scratch, at, way)
        if chip.of_otadata(at // SECTOR):
            chip.keep_entry(self.scratch, at, before)

    def programmed(self, at, data, size):
        self.scratch[at : at + size] = memoryview(data)[:size]
        if size < len(data) and random.getrandbits(1):
            weak_byte(self.scratch, at + size, data[size])

    def point(self, cut, leave, doubtful=None):
        only = options.get("cut")
        if only is not None and only != cut:
            return
        random.seed(options["seed"] * 1000003 + self.operation * 4099 + cut)
        self.scratch[:] = self.nor.image
        leave()
        self.points += 1
        nor = Nor(self.scratch)
        nor.erases, nor.doubtful = self.nor.erases[:], set(self.nor.doubtful)
        if doubtful is not None:
            nor.doubtful.add(doubtful)
        truth = self.truth.copy()
        try:
            if (self.operation + cut) % 4 == 0:  # and again, in what follows
                for _ in range(2):
                    nor.budget = random.randrange(options["budget"])
                    self.second += 1
                    try:
                        reach(nor, truth, self.bundles)
                    except PowerCut:
                        pass
                    nor.budget = -1
            reach(nor, truth, self.bundles)
        except Exception as why:  # whatever it is, a station would be bricked
            self.failures += 1
            print(json.dumps({
                "operation": self.operation, "cut": cut,
                "what": "%s: %s" % (type(why).__name__, why),
            }))  # fmt: skip
            if self.failures >= _FAILURES:
                self.finish()
                sys.exit(0)

    def finish(self):
        print(json.dumps({
            "points": self.points + self.second, "second": self.second,
            "operations": self.operation, "events": self.truth.last,
        }))  # fmt: skip


os.chdir(sys.argv[1])
with open("flash.bin", "rb") as file:
    image = bytearray(file.read())
with open("bundles.json") as file:
    bundles = json.load(file)
random.seed(options["seed"])
day = Day(image, bundles)
reach(day.nor, day.truth, bundles)
if options["crashes"] and not any(b'"crash"' in event for event in day.truth.events):
    raise Wrong("nothing crashed")
day.finish()
