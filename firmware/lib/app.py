"""The station at work: inputs of the drivers and the host go through one queue to the state
machine; its events go to the journal first, and only then to the desk, lights, screen and uplink.
"""

import asyncio
import json
import sys
from collections import deque

from lib import lights, memory, pin, prefs, prove, report, watchdog
from lib.burn_in import BurnIn
from lib.config import Config
from lib.desk import Desk
from lib.errors import JournalError
from lib.host import Host
from lib.links import settle
from lib.parts import INPUTS
from lib.screens import Screen
from lib.seal import proof
from lib.sound import Sound
from lib.start import start
from lib.states import Station
from lib.timekeeping import anchor, wait
from lib.unwritten import Unwritten
from lib.uplink import Uplink
from micropython import const

FIRMWARE = "0.1.0"  # where no slot says it
_INPUTS = const(16)
_EVENT_LIMIT = const(448)  # with s, e and n it stays below 512
_QUIET_MS = const(1_000)  # without any input, before the flash and the memory are tidied
_HEALTH_MS = const(900_000)
_RETRY_MOST_MS = const(60_000)
_VOLUME_STEP = const(6)  # percent


class App:
    """`parts` holds what this board has; whatever it lacks, the rest works without.

    `open_store()` gives the ConfigStore, which is kept only while it is in use.
    """

    def __init__(self, station, board, journal, open_store, clock, serial, parts):
        self.station_id = station
        self.board = board
        self.boot = 0
        self.journal = journal
        self.open_store = open_store
        self.clock = clock
        self.serial = serial
        self.parts = parts
        parts.attach(self)
        self.radio_lock = asyncio.Lock()  # of whoever uses the radio
        self._inputs = deque((), _INPUTS)  # type: ignore[var-annotated]  # noqa: RUF037
        self._flag = asyncio.Event()
        self.wake = self._flag.set  # look again: something changed that is no input
        self.desk = Desk()
        self.machine = Station(self.desk, Config(), self._new_contact, self._name_of)
        self.machine.utc = clock.utc
        self.machine.hears = parts.has("audio")
        self.machine.firmware = FIRMWARE
        self.host = Host(self)
        self.uplink = Uplink(
            journal, station, serial.write, clock.now, self._about, self.fault, self.wake
        )
        self.uplink.proof = self._proof
        self._screen = Screen()
        self.burn_in = BurnIn()
        self._language = None
        self._served = None  # whose wishes are in effect
        self.usual_levels = None  # of the codec, before anybody wished something
        self.unsaved = {}  # wishes by agent that are not in their file yet …
        self.keep_due = None  # … and when they are written
        self._screen_due = self._lights_due = self._burn_in_due = None
        self._lit = (0, 0, 0)
        self._health_due = _HEALTH_MS
        self._unwritten = Unwritten(self.record)
        self._quiet_at = 0
        self._tidy = True  # nothing was taken since memory was collected
        self.alive_at = 0  # u of the loop's last step, or of its next one
        self.last_u = 0  # of the newest event
        self.left_alone = None  # a partition that holds something else than our journal
        self.sound = None  # while something is to be heard or measured
        self.intake = None  # the store, while a configuration comes in
        self.program = None  # `slots`, where the program runs from one of them
        self.bench = None  # the technician's test, while it runs
        self.discards = 0
        self.crashes = 0

    def start(self, cause, faults=(), order=None, text=""):
        """Take up the session where it was, and say that we are here."""
        start(self, cause, dict(faults), order, text)
        self._quiet_at = self.clock.now() + _QUIET_MS
        self._output()

    def _new_contact(self):
        """A name for a call begun here: no other call of any station has it."""
        return "{}-{:x}-{}".format(self.station_id[-6:], self.journal.epoch, self.journal.last + 1)

    def _name_of(self, n):
        """How another event names our event `n`, 0 for the next one."""
        return [self.station_id, self.journal.epoch, n or self.journal.last + 1]

    def adopt(self, config):
        """Work by this configuration, in its language."""
        self.machine.config = config
        self.speak(self.machine.prefs.get("language", config.language))

    def speak(self, language):
        """Use the catalogue of `language`."""
        if language == self._language:
            return
        self._language = language
        if language == "en":
            from lib.words_en import WORDS
        else:
            from lib.words_es import WORDS
        self._screen.use(WORDS)
        self.machine.words = WORDS

    def _about(self):
        prove.stage("hello")
        return {
            "b": self.boot, "firmware": self.machine.firmware, "board": self.board,
            "generation": self.machine.config.generation,
            "micropython": "%d.%d.%d" % sys.implementation.version[:3],
        }  # fmt: skip

    def _proof(self, nonce):
        """For the hello: whether we hold a key; to a nonce of the hub, that we do."""
        key = self.machine.config.key
        if not (key and nonce):
            return {"keyed": int(bool(key))}
        return {"keyed": 1, "nonce": nonce, "mac": proof(key, self.station_id, self.boot, nonce)}

    async def run(self):
        """Everything at once, for ever."""
        asyncio.create_task(self.keep(memory.watch))
        asyncio.create_task(self.keep(self.uplink.run))
        asyncio.create_task(self.keep(self.host.listen))
        await asyncio.sleep_ms(0)  # the hello goes out before the rest begins
        if self.program:
            asyncio.create_task(watchdog.run(self))
        parts = self.parts
        for role in INPUTS:
            if parts.has(role):
                asyncio.create_task(self.keep(parts.attend, role))
        self.settle_links()
        prove.stage("ready")
        self.serial.log("ready, {} ms after the reset".format(self.clock.now()))
        await self._work()

    def settle_links(self):
        """Begin, change or end the way over Wi-Fi, as the configuration has it."""
        config = self.machine.config
        if self.uplink.links or (self.parts.has("wifi") and config.wifi and config.broker):
            settle(self)
        else:
            self.fault("wifi", None)

    async def keep(self, task, *arguments):
        """A task that fails is told on the console and started again."""
        wait_ms = 1_000
        while True:
            try:
                await task(*arguments)
                return
            except Exception as error:
                self.crash(error)
            await asyncio.sleep_ms(wait_ms)
            wait_ms = min(wait_ms * 2, _RETRY_MOST_MS)

    def crash(self, error):
        self.crashes += 1
        self._screen.use(self._screen.words)  # what it was about to draw, it draws again
        sys.print_exception(error)

    # ------------------------------------------------------------------ events

    def record(self, event, u, low_value=False):
        """Journal first, then the desk and the uplink. False when there is no room. An event may
        have a `u` of its own.
        """
        u = max(event.get("u", u), self.last_u)
        event["b"] = self.boot
        event["u"] = u
        event["t"] = self.clock.utc(u)
        payload = json.dumps(event, separators=(",", ":")).encode()
        try:
            if len(payload) > _EVENT_LIMIT:
                raise JournalError("longer than a frame allows")
            self.journal.append(payload, low_value)
        except JournalError as error:
            self.discards += 1
            self.serial.log("{}: {}".format(event["k"], error))
            return False
        self.last_u = u
        event["n"] = self.journal.last
        self.desk.apply(event)
        self.uplink.appended()
        return True

    def take(self, events, u):
        """Record what the state machine answered."""
        if not self._unwritten.take(events, u):
            self.machine.notify("journal_full")
        self.machine.refresh()

    def fault(self, part, code):
        """Tell a fault that is new, or (code None) that a part works again."""
        old = self.desk.faults.get(part)
        if old != code:
            kind = "station.fault" if code else "station.fault_cleared"
            self.record({"k": kind, "part": part, "code": code or old}, self.clock.now())
            self.wake()  # the screen tells it

    # ------------------------------------------------------------------ the loop

    @property
    def crowded(self):
        """No input is taken just now."""
        return len(self._inputs) >= _INPUTS

    def post(self, name, u, details=None):
        """An input for the state machine; the newest is dropped and counted when none is taken."""
        if self.crowded:
            self.discards += 1
            return
        self._inputs.append((name, u, details))
        memory.pending += name != "command"
        self.wake()

    async def _work(self):
        while True:
            try:
                self._flag.clear()  # what wakes us while a step goes on is looked at after it
                while self._inputs:
                    found = self._inputs.popleft()
                    memory.pending -= found[0] != "command"  # answered in the same turn
                    self.alive_at = self.clock.now()
                    self._step(*found)
                    memory.look()
                    await asyncio.sleep_ms(0)
                now = self.clock.now()
                self.alive_at = due = self._due()
                if due is None or due > now:
                    await wait(self._flag, None if due is None else due - now)
                    if self._inputs:
                        continue
                self.alive_at = now = self.clock.now()
                self._timed(now)
                memory.look()
            except Exception as error:
                self.crash(error)
                await asyncio.sleep_ms(_QUIET_MS)

    def _due(self):
        due = self._health_due
        for other in (
            self._tick_due(), self._screen_due, self._lights_due, self._burn_in_due,
            self.keep_due,
        ):  # fmt: skip
            if other is not None and other < due:
                due = other
        if self.journal.wants_erase or not self._tidy:
            due = min(due, self._quiet_at)
        return due

    def _tick_due(self):
        deadline = self.machine.deadline()
        return None if deadline is None else max(deadline, self._unwritten.again_at)

    def _timed(self, now):
        """What time alone brings, and what the uplink changed."""
        due = self._tick_due()
        if due is not None and now >= due:
            self._step("tick", now, None)
            due = self.machine.deadline()
            self._unwritten.timed(now, due is not None and due <= now)
        if now >= self._health_due:
            self._health_due = now + _HEALTH_MS
            report.health(self, now)
        self._output()
        if self.keep_due is not None and now >= self.keep_due:
            prefs.write(self)
        if now >= self._quiet_at and not self._inputs:
            if self.journal.wants_erase:
                self.journal.erase_ahead()
            if not self._tidy:
                self._tidy = True
                memory.collect()

    def _step(self, name, u, details):
        machine = self.machine
        self._quiet_at = self.clock.now() + _QUIET_MS
        self._tidy = False
        if name not in ("tick", "command"):
            self.burn_in.wake(u)
        machine.full = self.journal.reserve
        machine.link = self.uplink.link
        if name == "command":
            self.host.obey(u, details)
        elif name == "headset":
            kind = "headset.plugged" if details else "headset.unplugged"
            self.take([{"k": kind}], u)
        elif self.bench and name != "tick":
            self.bench.take(name, u)
        else:
            self.take(machine.handle(name, u, details), u)
        if machine.slow:
            asyncio.create_task(self.keep(pin.check, self, machine.slow))
            machine.slow = None
        self._output()
        self.check_room()

    def acknowledged(self):
        """The host holds more than before: what waits for room comes first."""
        if not self.journal.free:
            return
        wrote, tried = self._unwritten.go_on(self.clock.now())
        if wrote:
            self.machine.refresh()
        if wrote or tried:
            self.wake()
        if not tried:
            self.check_room()

    def check_room(self):
        """The reserve is told as a fault when it begins, and as cleared when it ends."""
        if self.journal.reserve:
            self.fault("journal", "full")
        elif self.desk.faults.get("journal") == "full":
            self.fault("journal", None)

    # ------------------------------------------------------------------ what people see and hear

    def _output(self):
        machine = self.machine
        parts = self.parts
        machine.link = link = self.uplink.link
        self.uplink.ringing = self.desk.work == "offered"
        if self._served != self.desk.agent:
            self._served = self.desk.agent
            prefs.load(self)
        self._lit, self._lights_due = lights.decide(machine, self.clock.now())
        parts.use("lights", self._show_lights)
        codec = parts.get("codec")
        if machine.volume or codec is None or codec.muted != self.desk.muted:
            parts.use("codec", self._set_codec)
        if machine.preferred:
            machine.preferred = False
            prefs.keep(self)
        screen, burn_in = self._screen, self.burn_in
        now = self.clock.now()
        self._screen_due = screen.draw(machine, self.clock, now, link)
        if screen.fresh:
            screen.fresh = False
            burn_in.wake(now)
        self._burn_in_due = burn_in.look(machine, now)
        if screen.dirty or burn_in.due:
            parts.use("screen", self._show_screen)
        if self.sound:
            self.sound.look()
        elif parts.has("audio") and (
            self.desk.work != "idle" or machine.notice or (machine.menu and machine.menu.hears)
        ):
            self.sound = Sound(self)

    def _show_lights(self, device):
        device.show(self._lit)

    def _show_screen(self, device):
        self.burn_in.show(device, self._screen.canvas.buffer)
        self._screen.dirty = False

    def _set_codec(self, device):
        machine = self.machine
        if machine.volume:
            volume = max(0, min(device.volume + machine.volume * _VOLUME_STEP, 100))
            machine.volume = 0
            machine.prefer("volume", volume)
            machine.notify("volume", str(volume))
        if machine.levels is None:
            prefs.apply(self)
        if device.muted != self.desk.muted:
            device.mute(self.desk.muted)

    # ------------------------------------------------------------------ seldom

    def anchor(self, utc, u, source, uncertainty_ms):
        """UTC was `utc` at `u`; False, and nothing changes, when that cannot be."""
        return anchor(self, utc, u, source, uncertainty_ms)

    def dump(self):
        """Everything a technician asks for; told on the console with each health report."""
        return report.dump(self)
