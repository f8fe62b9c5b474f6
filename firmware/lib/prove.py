"""What only a chip can say: the steps that `diadema prove` asks for over the cable, one by one,
while nobody is logged in. Each command is sealed, and so is its answer, a frame that is no event:
the journal keeps what it holds, and its numbers.

Left alone it ends by itself after a minute.
"""

import asyncio
import gc
import json
from time import ticks_diff, ticks_ms, ticks_us

from lib import chip, frames, memory, pin, prove_parts, seal
from lib.bench import free
from lib.parts import driver
from lib.timekeeping import wait
from micropython import const

_LEFT_MS = const(60_000)
_PERSON_MS = const(20_000)
_READ = const(128)  # bytes at once, as a record
_READS = const(64)
_ERASES = const(3)
_SPARE = const(4)  # sectors of the journal that are free before one of them is erased
_DIPS_MS = const(10_000)
_FAILED = const(60)  # letters of what failed

# of the start: ticks_ms, which count from the chip's own start
stages = {}  # type: ignore[var-annotated]
_last = 0  # number of the newest command in this boot; no older one is done again


def stage(name):
    """The start has come so far, for the first time."""
    stages.setdefault(name, ticks_ms())


def begin(app, details):
    """By the host, each step with a greater number than the one before."""
    global _last
    if details["i"] <= _last:
        return
    _last = details["i"]
    machine = app.machine
    if not isinstance(app.bench, Proof):
        if app.bench or machine.situation != "logged_out" or not free(machine.menu):
            asyncio.create_task(_tell(app, {"i": _last, "refused": "busy"}))
            return
        app.bench = Proof(app)
    proof = app.bench
    if proof.task:
        proof.task.cancel()  # of a host that is gone: nobody waits for its answer
    proof.task = asyncio.create_task(proof.step(details))


class Proof:
    """In place of the bench test, and its own page, as `lib.menus` says."""

    kind = "prove"
    title = None
    deep = stays = said = hears = lit = False
    urgent = all_keys = True
    number = 0  # of no command that begins a bench test

    def __init__(self, app):
        self.app = app
        self.task = None
        self.job = {}
        self._wanted = ""  # the input that is measured, or "answer"
        self._page = ""  # else of the chip
        self._u = self._lit_at = 0
        self.came = asyncio.Event()
        self.key = None  # that answered
        self.taps = self.unread = 0
        self.first, self.details, self.digits = False, (0, ""), b"000000"  # a PIN's page

    async def step(self, details):
        app, machine = self.app, self.app.machine
        answer = {"i": details["i"], "step": details.get("step")}
        self.job, self._page = details, ""
        machine.u = app.clock.now()
        machine.open(self, _LEFT_MS + details.get("seconds", 0) * 1000)
        app.wake()
        try:
            work = _STEPS.get(answer["step"])
            if work:
                answer.update(await work(self) or {})
        except Exception as error:  # whatever it is: it is told
            answer["failed"] = str(error)[:_FAILED]
        answer["memory"] = chip.memory()
        answer["text"] = app.host.decoder.text
        await _tell(app, answer)

    # ------------------------------------------------------------------ steps

    async def _about(self):
        app = self.app
        memory.collect()
        return dict(chip.about(), **app._about(), loaded=gc.mem_alloc())

    async def _start(self):
        return {"stages": stages}

    async def _flash(self):
        """Sectors are erased where the journal would do it next: what stood there the host has,
        and nothing stands there yet.
        """
        journal, erases = self.app.journal, []
        flash, piece = journal.partition, bytearray(_READ)
        since = ticks_us()
        for _ in range(_READS):
            flash.readblocks(0, piece, 0)
        read = ticks_diff(ticks_us(), since) // _READS
        if journal.free > _SPARE and not self.app.left_alone:
            index = journal.make_ready()
            for _ in range(_ERASES):
                since = ticks_us()
                flash.ioctl(6, index)
                erases.append(ticks_diff(ticks_us(), since))
                await asyncio.sleep_ms(0)
        return {"read_us": read, "erase_us": erases}

    async def _key_pressed(self):
        return await self._measured("key%d" % self.job["key"])

    async def _badge(self):
        return await self._measured("tapped")

    async def _pin(self):
        """Of nobody, which takes as long as a right one."""
        app = self.app
        since = app.clock.now()
        self._await("pin_checked")
        await pin.check(app, self)
        found = await self._measured("pin_checked")
        found["pbkdf2_ms"] = self._u - since
        return found

    async def _radio(self):
        links = self.app.uplink.links
        if not links:
            return {"wifi": "not_configured"}
        client = links.client
        return {
            "wifi": "joined" if links.joined() else "not_joined",
            "opened_ms": client.opened_ms,
        }

    async def _dips(self):
        """While nobody touches a key."""
        pins = self.app.parts.pins.values()
        count = await driver("contact", "count_dips")(pins, _DIPS_MS)
        return {"dips": count, "dips_ms": _DIPS_MS}

    async def _end(self):
        self.expire(self.app.machine)
        self.app.wake()

    # ------------------------------------------------------------------ an input, measured

    def _await(self, name):
        self._wanted = name
        self.came.clear()
        self.lit = False

    async def _measured(self, name):
        """Milliseconds until the lights, and until the screen was drawn. Nothing if none came."""
        if self._wanted != name:
            self._await(name)
        self.app.wake()
        await wait(self.came, _PERSON_MS)
        self._wanted = ""
        if not self.came.is_set():
            return {}
        drawn = self.app.clock.now()
        return {"light_ms": self._lit_at - self._u, "drawn_ms": drawn - self._u}

    def show(self, wanted, page):
        """A question to the person, and what answers it."""
        self._await(wanted)
        self._page = page
        self.app.wake()

    def take(self, name, u):
        """An input in place of the state machine. `u`: of the key's edge."""
        if name == "bad_read":  # follows each badge, too
            self.unread += 1
        if name == self._wanted:
            self._u, self.lit = u, True
            self.came.set()
        elif self._wanted == "answer" and name in ("key3", "key4"):
            self.key = name
            self.came.set()

    async def tapped(self, reader, identity):
        """A card that was read: who it is."""
        self.taps += 1
        self.unread -= 1
        self.app.machine.config.find(reader.kind, identity)
        if self._wanted == "tapped":
            self._wanted = "bad_read"  # which follows

    def wipe(self):
        """There is nothing secret in it."""

    # ------------------------------------------------------------------ its page

    def fits(self, station):
        return station.situation == "logged_out"

    def press(self, station, key):
        """Keys are inputs."""

    def expire(self, station):
        """The host has ended it, or is gone."""
        station.menu = self.app.bench = None

    def content(self):
        return self.job, self._wanted, self._page, self.lit

    def draw(self, canvas, words):
        self._lit_at = self.app.clock.now()  # the lights come before the screen
        if self._page == "hear":
            title, how = words["prove_hear"], "prove_hear_how"
        elif self._page:
            title, how = words["bench_" + self._page], "prove_told"
        elif self._wanted[:3] == "key":
            title, how = words["bench_keys"] % self.job["key"], "bench_keys_how"
        elif self._wanted == "tapped":
            title, how = words["bench_badge"], "bench_uid_how"
        else:
            title, how = words["bench_wait"], "prove_list"
        canvas.title(title, 14, 127)
        canvas.text(words[how], 0, 38, 127, True)


_STEPS = {
    "about": Proof._about, "start": Proof._start, "flash": Proof._flash, "key": Proof._key_pressed,
    "badge": Proof._badge, "pin": Proof._pin, "radio": Proof._radio, "dips": Proof._dips,
    "hear": prove_parts.hear, "noise": prove_parts.noise, "badges": prove_parts.badges,
    "pulled": prove_parts.pulled, "end": Proof._end,
}  # fmt: skip


async def _tell(app, answer):
    body, key = json.dumps({"proof": answer}).encode(), app.machine.config.key
    if key:
        body = seal.seal(key, app.station_id, app.boot, body)
    await app.serial.write(frames.encode(body))
