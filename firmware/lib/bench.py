"""The technician's test: keys, lights, screen, headset, microphone and badges with help, then the
flash and the journal. The host's command begins it while nobody is logged in, the screen
guides, the console has a line for each step.

What nobody does or answers in its time has failed. Key 1 held down leaves.
"""

import asyncio
import sys
from array import array
from hashlib import sha256

from lib import do_selftest, journal_check, report
from lib.desfire import prove
from lib.errors import StationError
from lib.voice import measure
from micropython import const

_STEP_MS = const(20_000)
_LEAVE_MS = const(1_500)
_LOOK_MS = const(50)
_VERDICT_MS = const(60_000)
_KEYS = const(6)
_PARTS = const(("badge_reader", "codec", "screen", "lights"))
_KINDS = {"iso14443a": "uid", "em4100": "em", "wiegand": "wiegand"}  # of the reader's own
_SELECT_CARD = const(b"\x5a\0\0\0")  # any DESFire takes it: SelectApplication, the card itself
_OK = const(b"\0")
_PIECE = const(1024)  # bytes of flash at once

# the tone in the microphone, levels in tenths of a decibel
_VOLUME = const(20)  # percent: the tone is loud by itself
_LEAST = const(-500)
_OVER = const(120)  # what is heard without it
_TURNS = const(3)  # in a row, so that nobody's voice is taken for it
_SETTLING = const(4)  # frames of 20 ms: the ring's and the codec's delay
_MEASURED = const(3)


class Left(Exception):
    """The technician went away."""


def begin(app, u, details):
    """By the host. It repeats a command until it is answered, so one that runs is no other."""
    machine, number = app.machine, details["i"]
    if app.bench and app.bench.number == number:
        return
    if details["bench"] != 1:
        app.host.refuse(u, details, "bad_command", "bench: 1")
    elif app.bench or machine.situation != "logged_out" or not free(machine.menu):
        app.host.refuse(u, details, "busy", "somebody works here")
    elif not machine.stopped("bench"):
        app.bench = Bench(app, number)
        asyncio.create_task(app.bench.run())


def free(menu):
    """Whether nobody is at the keys; the verdict of a test before may still be read."""
    return menu is None or menu.kind == Bench.kind


class Bench:
    """Also its own page, as `lib.menus` says; its keys come by `take`."""

    kind = "selftest"
    title = None
    deep = stays = said = hears = False
    urgent = all_keys = True

    def __init__(self, app, number):
        self._app = app
        self.number = number
        self._checks = {}
        self._step = ""
        self._wanted = self._pressed = 0  # keys
        self._badge = None  # kind that is waited for
        self._seen = set()  # kinds
        self._found = None  # of the microphone: True, False, None for nothing yet
        self._down = None  # since when key 1 is held
        self._failed = []

    async def run(self):
        app, reason = self._app, None
        try:
            await self._with_help()
            await self._alone()
        except Left:
            reason = "left"
        except Exception as error:  # whatever it is: it was not tested to its end
            sys.print_exception(error)
            reason = "crash"
        app.bench = None
        self._tell(reason)

    # ------------------------------------------------------------------ what comes in

    def take(self, name, u):
        """An input in place of the state machine, of the moment `u`."""
        if name[:3] == "key" or name[:4] == "long":
            self._pressed = int(name[-1])
            if name == "key1":
                self._down = u

    async def tapped(self, reader, identity):
        """A card that was read lies at the reader."""
        config = self._app.machine.config
        if not self._badge:
            return
        self._seen.add(_KINDS[reader.kind])
        if config.secure and getattr(reader, "speaks", False):
            try:
                if config.find("desfire", identity)[1]:  # it is somebody's, so it must prove it
                    proved = await prove(config, reader, identity)
                    right = proved and proved[2] == "badge_secure"
                else:
                    right = await reader.exchange(_SELECT_CARD) == _OK
            except StationError:
                right = False
            if right:  # also of the step after this one
                self._seen.add("secure")

    # ------------------------------------------------------------------ steps

    async def _with_help(self):
        for self._wanted in range(1, _KEYS + 1):
            await self._try("keys", "keys %d" % self._wanted, self._key)
        for name in ("lights", "screen"):
            await self._try(name, name, self._answer)
        await self._try("headset", "headset_out", self._unplugged)
        await self._try("headset", "headset_in", self._plugged)
        await self._microphone()
        reader = self._app.parts.get("badge_reader")
        if reader:
            await self._try_badge(_KINDS[reader.kind])
            if hasattr(reader, "exchange"):
                await self._try_badge("secure")

    async def _try(self, check, step, found, fitted=True):
        """Whether `found()` comes true in time; skipped on a board without the part."""
        app, machine = self._app, self._app.machine
        app.serial.log("selftest: " + step)
        word = "failed"
        try:
            if not fitted or (check[:5] != "badge" and not app.parts.has(_role(check))):
                word = "skipped"
                return
            self._step, self._pressed, self._found = step, 0, None
            machine.open(self)
            app.wake()
            until = app.clock.now() + _STEP_MS
            while app.clock.now() < until:
                answer = found()
                if answer is not None:
                    word = "ok" if answer else "failed"
                    break
                await self._pause()
        finally:
            app.serial.log("selftest: %s %s" % (step, word))
            if self._checks.get(check) != "failed":
                self._checks[check] = word

    async def _pause(self):
        app = self._app
        await asyncio.sleep_ms(_LOOK_MS)
        if self._down is not None:
            if not app.parts.get("keys") or not app.parts.get("keys").down(1):
                self._down = None
            elif app.clock.now() - self._down >= _LEAVE_MS:
                raise Left

    def _key(self):
        return True if self._pressed == self._wanted else None

    def _answer(self):
        return {3: True, 4: False}.get(self._pressed)

    def _unplugged(self):
        return True if self._app.desk.plugged is False else None

    def _plugged(self):
        return True if self._app.desk.plugged else None

    def _read(self):
        return True if self._badge in self._seen else None

    def _heard(self):
        return self._found

    async def _try_badge(self, kind):
        """A site that has no secure badges has none to hold there."""
        self._badge = kind
        fitted = kind != "secure" or self._app.machine.config.secure
        await self._try("badge_" + kind, "badge " + kind, self._read, fitted)
        self._badge = None

    # ------------------------------------------------------------------ the microphone

    async def _microphone(self):
        task = asyncio.create_task(self._loop())
        try:
            await self._try("microphone", "microphone", self._heard)
        finally:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

    async def _loop(self):
        """Until the tone that goes out is heard to come in again."""
        app = self._app
        await asyncio.sleep_ms(_LOOK_MS)
        while app.sound:  # a tone of before
            await asyncio.sleep_ms(_LOOK_MS)
        codec = app.parts.get("codec")
        if not codec or not app.parts.has("audio"):
            self._found = False
            return
        volume = codec.volume
        try:
            codec.set_volume(_VOLUME)
            audio = app.parts.get("audio") or app.parts.make("audio")
            try:
                audio.listen()
                await hear(audio)
                self._found = True
            finally:
                audio.close()
                codec.set_volume(volume)
        except (StationError, OSError) as error:
            app.serial.log(str(error))
            self._found = False

    # ------------------------------------------------------------------ what needs nobody

    async def _alone(self):
        app, parts = self._app, self._app.parts
        self._step = "wait"
        app.machine.open(self)
        app.wake()
        for role in _PARTS:
            if not parts.has(role):
                self._checks.setdefault(role, "skipped")
            elif not _answers(parts.get(role)):
                self._checks[role] = "failed"
        slot = app.program and app.program.chosen
        self._checks["flash"] = "skipped"
        if slot:
            self._checks["flash"] = "ok" if await whole(slot) else "failed"
        right = self._appended() and await journal_check.sound(app.journal)
        self._checks["journal"] = "ok" if right else "failed"

    def _appended(self):
        """Whether a record that is written now can be read."""
        app = self._app
        n = app.journal.last + 1
        report.health(app, app.clock.now())
        found = app.journal.read(n)
        return found and found[0] == n and b'"station.health"' in found[1]

    def _tell(self, reason):
        app, machine = self._app, self._app.machine
        checks = do_selftest.look(machine)
        for name, word in self._checks.items():
            if checks.get(name) != "failed":
                checks[name] = word
        self._failed = sorted(name for name in checks if checks[name] == "failed")
        if reason:
            self._failed.insert(0, "bench_" + reason)
        elif self._failed:
            reason = self._failed[0]
        event = {"k": "station.selftest", "i": self.number, "bench": True, "checks": checks,
                 "fit": reason is None}  # fmt: skip
        if reason:
            event["reason"] = reason
        machine.u = app.clock.now()
        if not app.record(event, machine.u):  # nobody but the technician hears of it
            self._failed.append("journal_full")
        self._step = "no" if self._failed else "yes"
        machine.open(self, _VERDICT_MS)
        app.wake()

    # ------------------------------------------------------------------ its page

    @property
    def lit(self):
        return self._step == "lights"

    def fits(self, station):
        return station.situation == "logged_out"

    def press(self, station, key):
        """The verdict was read."""
        station.menu = None

    def expire(self, station):
        station.menu = None

    def content(self):
        return self._step, self._pressed

    def draw(self, canvas, words):
        step, _, more = self._step.partition(" ")
        title = words["bench_" + step]
        if step == "yes" or step == "no":
            canvas.title(title, 12, 127)
            _lines(canvas, [words[name] for name in self._failed])
            return
        how = words["bench_%s_how" % (step if step != "badge" else more)]
        if step == "keys":
            title = title % self._wanted
            if self._pressed:
                how = words["bench_other"] % self._pressed
        canvas.title(title, 14, 127)
        canvas.text(how, 0, 38, 127, True)
        if step == "screen":
            canvas.invert(0, 10, 127, 53)  # all of it lit, but for what is to be read


def _role(check):
    return "audio" if check == "microphone" else check


def _answers(part):
    """Whether a part says that it is well."""
    try:
        return part and part.selftest()
    except (StationError, OSError):
        return False


def _lines(canvas, texts):
    """Small type, as many on a line as there is room for."""
    y, line = 33, ""
    for text in texts:
        longer = line + ", " + text if line else text
        if line and canvas.width(longer) > 126:
            canvas.text(line, 0, y, 127)
            y, longer = y + 10, text
        line = longer
    canvas.text(line, 0, y, 127)


async def hear(audio):
    """Returns once the tone came and went in the microphone, a few times in a row."""
    sums = array("i", [0] * 4)

    async def levels():
        found = []
        for at in range(_SETTLING + _MEASURED):
            level = measure(await audio.frame(), 0, sums)
            if at >= _SETTLING:
                found.append(level)
        return found

    turns = 0
    while turns < _TURNS:
        least = max(max(await levels()) + _OVER, _LEAST)
        audio.tone(True)
        turns = turns + 1 if min(await levels()) >= least else 0
        audio.tone(False)


async def whole(slot):
    """Whether the program that runs is the one that its trailer says."""
    digest, piece = sha256(), memoryview(bytearray(_PIECE))
    slot.look()
    for at in range(0, slot.length, _PIECE):
        view = piece[: min(_PIECE, slot.length - at)]
        slot.flash.readblocks(at // 4096, view, at % 4096)
        digest.update(view)
        await asyncio.sleep_ms(0)
    return slot.whole and digest.digest() == slot.sha256
