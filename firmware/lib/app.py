"""The station at work: inputs of the drivers and the host go through one queue to the state
machine; its events go to the journal first, and only then to the desk, lights, screen and uplink.
"""

import asyncio
import gc
import json
import sys
from collections import deque

from lib import lights
from lib.config import Config
from lib.desk import Desk
from lib.errors import JournalError, StationError
from lib.frames import Decoder
from lib.journal import SNAPSHOT
from lib.once import forget
from lib.screens import Screen
from lib.seal import sealed
from lib.states import Station
from lib.timekeeping import wait
from lib.transitions import FIELDS
from lib.uplink import Uplink
from micropython import const

FIRMWARE = "0.1.0"
_INPUTS = const(16)
_EVENT_LIMIT = const(448)  # with s, e and n it stays below 512
_QUIET_MS = const(1_000)  # without any input before the next sector is erased
_HEALTH_MS = const(900_000)
_RETRY_MOST_MS = const(60_000)
_CABLE_MS = const(50)  # a frame's way over the cable and its gateway
_AIR_MS = const(250)  # or over Wi-Fi and its broker
_UTC_LOW = 631_152_000_000  # 1990, so that old logs can be worked again; 0 is a dead clock
_UTC_HIGH = 4_100_000_000_000


def use_memory(journal):
    """Let the journal go on in memory, as the flash cannot be used."""
    from lib.ramflash import RamFlash

    journal.use(RamFlash())
    journal.mount()


class App:
    """`parts` holds what this board has; whatever it lacks, the rest works without."""

    def __init__(self, station, board, cause, journal, store, clock, serial, parts):
        self.station_id = station
        self._board = board
        self._cause = cause
        self.journal = journal
        self.store = store
        self.clock = clock
        self.serial = serial
        self.parts = parts
        parts.attach(clock.now, self.fault, serial.log)
        self._inputs = deque((), _INPUTS)  # type: ignore[var-annotated]  # noqa: RUF037
        self._flag = asyncio.Event()
        self._decoder = Decoder()
        self.desk = Desk()
        self.machine = Station(self.desk, Config(), self._new_contact)
        self.uplink = Uplink(
            journal, station, serial.write, clock.now, self._about, self.fault, self._flag.set
        )
        self._screen = Screen()
        self._screen_due = None
        self._health_due = _HEALTH_MS
        self._quiet_at = 0
        self._last_u = 0
        self._boot = 0
        self.left_alone = None  # a partition that holds something else than our journal
        self.format_asked = None  # i of the command
        self.foreign = 0  # frames that the hub's key did not seal
        self.discards = 0
        self.crashes = 0

    # ------------------------------------------------------------------ start

    def start(self, early_faults=(), order=None):
        """Mount the journal, take up the session where it was, and say that we are here.

        `order`: format_journal or factory_reset, when keys asked for it.
        """
        faults = dict(early_faults)
        journal = self.journal
        journal.snapshot = self.desk.snapshot
        try:
            journal.mount(self._recall)
        except JournalError as error:
            faults["journal"] = error.code
            self.left_alone = journal.partition
            use_memory(journal)
        desk = self.desk
        desk.rebase()
        self._boot = journal.boot = desk.boot + 1
        if order:
            from lib import orders

            if orders.at_start(self, order):
                faults.pop("journal", None)
        forget("orders", "journal_start")
        config = self.store.load()
        self.adopt(config)
        self.serial.log(
            "Diadema {} on {}, {}, boot {}".format(
                FIRMWARE, self._board, self.station_id, self._boot
            )
        )
        u = self.clock.now()
        self.record(
            {"k": "station.booted", "cause": self._cause, "firmware": FIRMWARE,
             "board": self._board, "torn": self.journal.torn}, u,
        )  # fmt: skip
        if order == "factory_reset":
            self.record({"k": "station.config", "generation": 0, "hash": ""}, u)
        if self.store.broken and not config.generation:
            faults["config"] = "unreadable"
        for part in ("journal", "config"):
            self.fault(part, faults.get(part))
        self._take(self.machine.start(u), u)
        self._quiet_at = u + _QUIET_MS
        self._output()

    def _recall(self, kind, _n, payload):
        if kind == SNAPSHOT:
            self.desk.restore(payload)
        else:
            self.desk.apply(json.loads(payload))

    def _new_contact(self):
        """A name for a call begun here: no other call of any station has it."""
        return "{}-{:x}-{}".format(self.station_id[-6:], self.journal.epoch, self.journal.last + 1)

    def adopt(self, config):
        self.machine.config = config
        if config.language == "en":
            from lib.words_en import WORDS
        else:
            from lib.words_es import WORDS
        self._screen.use(WORDS)
        self.machine.ready_label = WORDS["go_ready"]

    def _about(self):
        return {
            "b": self._boot, "firmware": FIRMWARE, "board": self._board,
            "generation": self.machine.config.generation,
        }  # fmt: skip

    async def run(self):
        """Everything at once, for ever."""
        tasks = [self.uplink.run, self._listen]
        for part, task in (
            ("keys", self._keys), ("badge_reader", self._badges), ("headset", self._headset)
        ):  # fmt: skip
            if self.parts.has(part):
                tasks.append(task)
        for task in tasks:
            asyncio.create_task(self.keep(task))
        self.settle_links()
        await self._work()

    def settle_links(self):
        """Begin, change or end the way over Wi-Fi, as the configuration has it."""
        if self.uplink.links or (self.parts.has("wifi") and self.machine.config.wifi):
            from lib.links import settle

            settle(self)
        else:
            self.fault("wifi", None)

    async def keep(self, task):
        """A task that fails is told on the console and started again."""
        wait_ms = 1_000
        while True:
            try:
                await task()
                return
            except Exception as error:
                self._crash(error)
            await asyncio.sleep_ms(wait_ms)
            wait_ms = min(wait_ms * 2, _RETRY_MOST_MS)

    def _crash(self, error):
        self.crashes += 1
        self._screen.use(self._screen.words)  # what it was about to draw, it draws again
        sys.print_exception(error)

    # ------------------------------------------------------------------ events

    def record(self, event, u, low_value=False):
        """Journal first, then the desk and the uplink. False when there is no room."""
        self._last_u = u = max(u, self._last_u)
        event["b"] = self._boot
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
        self.desk.apply(event)
        self.uplink.appended()
        return True

    def _take(self, events, u):
        for event in events:
            if not self.record(event, u):
                self.machine.notify("journal_full")
                break
        self.machine.refresh()

    def fault(self, part, code):
        """Tell a fault that is new, or (code None) that a part works again."""
        old = self.desk.faults.get(part)
        if old != code:
            kind = "station.fault" if code else "station.fault_cleared"
            self.record({"k": kind, "part": part, "code": code or old}, self.clock.now())
            self._flag.set()  # the screen tells it

    # ------------------------------------------------------------------ the loop

    def post(self, name, u, details=None):
        """An input for the state machine; the newest is dropped and counted when none is taken."""
        if len(self._inputs) >= _INPUTS:
            self.discards += 1
            return
        self._inputs.append((name, u, details))
        self._flag.set()

    async def _work(self):
        while True:
            try:
                while self._inputs:
                    self._step(*self._inputs.popleft())
                    await asyncio.sleep_ms(0)
                self._flag.clear()
                now = self.clock.now()
                due = self._due()
                if due is None or due > now:
                    await wait(self._flag, None if due is None else due - now)
                    if self._inputs:
                        continue
                self._timed(self.clock.now())
            except Exception as error:
                self._crash(error)
                await asyncio.sleep_ms(_QUIET_MS)

    def _due(self):
        due = self._health_due
        for other in (self.machine.deadline(), self._screen_due):
            if other is not None and other < due:
                due = other
        if self.journal.wants_erase:
            due = min(due, self._quiet_at)
        return due

    def _timed(self, now):
        """What time alone brings, and what the uplink changed."""
        machine = self.machine
        deadline = machine.deadline()
        if deadline is not None and now >= deadline:
            self._step("tick", now, None)
        if now >= self._health_due:
            self._health_due = now + _HEALTH_MS
            self._health(now)
        self._output()
        if self.journal.wants_erase and now >= self._quiet_at and not self._inputs:
            self.journal.erase_ahead()

    def _step(self, name, u, details):
        machine = self.machine
        self._quiet_at = self.clock.now() + _QUIET_MS
        machine.full = self.journal.reserve
        if name == "command":
            self._command(u, details)
        elif name == "headset":
            kind = "headset.plugged" if details else "headset.unplugged"
            self._take([{"k": kind}], u)
        else:
            self._take(machine.handle(name, u, details), u)
        self._output()
        self._check_room()

    def _check_room(self):
        """The reserve is told as a fault when it begins, and as cleared when it ends."""
        if self.journal.reserve:
            self.fault("journal", "full")
        elif self.desk.faults.get("journal") == "full":
            self.fault("journal", None)

    def _health(self, u):
        self.record(
            {"k": "station.health", "heap": gc.mem_free(), "journal": self.journal.fill,
             "discards": self.discards, "bad_frames": self._decoder.bad}, u, True,
        )  # fmt: skip
        self.serial.log(json.dumps(self.dump()))

    # ------------------------------------------------------------------ what people see and hear

    def _output(self):
        machine = self.machine
        parts = self.parts
        parts.use("lights", self._show_lights)
        codec = parts.get("codec")
        if machine.volume or codec is None or codec.muted != self.desk.muted:
            parts.use("codec", self._set_codec)
        self._screen_due = self._screen.draw(
            machine, self.clock, self.clock.now(), self.uplink.link
        )
        if self._screen.dirty:
            parts.use("screen", self._show_screen)

    def _show_lights(self, device):
        device.show(lights.decide(self.machine))

    def _show_screen(self, device):
        device.show(self._screen.canvas.buffer)
        self._screen.dirty = False

    def _set_codec(self, device):
        machine = self.machine
        if machine.volume:
            device.set_volume(device.volume + machine.volume)
            machine.volume = 0
            machine.notify("volume", str(device.volume))
        if device.muted != self.desk.muted:
            device.mute(self.desk.muted)

    # ------------------------------------------------------------------ drivers

    async def _keys(self):
        async for name, ticks in self.parts.make("keys"):
            self.post(name, self.clock.at(ticks))

    async def _headset(self):
        async for plugged in self.parts.make("headset"):
            self.post("headset", self.clock.now(), plugged)

    async def _badges(self):
        wait_ms = 1_000
        while True:
            try:
                reader = self.parts.make("badge_reader")
                await reader.start()
                self.fault("badge_reader", None)
                async for identity in reader:
                    wait_ms = 1_000
                    self._badge(reader, identity)
            except (StationError, OSError) as error:
                self.parts.failed("badge_reader", error)
                self._flag.set()
            await asyncio.sleep_ms(wait_ms)
            wait_ms = min(wait_ms * 2, _RETRY_MOST_MS)

    def _badge(self, reader, identity):
        u = self.clock.now()
        if identity is None:
            self.post("bad_read", u)
        else:
            self.post("badge", u, self.machine.config.find(reader.kind, identity))

    # ------------------------------------------------------------------ the host

    async def _listen(self):
        while True:
            data = await self.serial.read()
            if not data:
                self.serial.log("the serial line has ended")
                return
            u = self.clock.now()
            for message in self._decoder.feed(data):
                await self.hear(message, u)

    async def hear(self, message, u=None):
        """Take a message when there is room for what it asks. `u`: when the cable brought it."""
        while len(self._inputs) >= _INPUTS:
            await asyncio.sleep_ms(0)
        self._message(message, u)

    def _message(self, text, u):
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            self._decoder.bad += 1
            return
        cable = u is not None
        if cable:
            self.serial.guard()
        else:
            u = self.clock.now()
        links = self.uplink.links
        key = self.machine.config.key
        if "hello" in message:
            if links and cable:
                links.heard(True)
            self.uplink.ask_hello()
            if key:
                return  # anybody may ask; heard is only who holds the key
        elif key and not sealed(key, self.station_id, self._boot, text):
            self._foreign(u)
            return
        self.machine.provisional = False
        if links and cable:
            links.heard()
        self.uplink.on_frame()
        ack = message.get("ack")
        if "hello" in message:
            return
        if isinstance(ack, list) and len(ack) == 2:
            self.uplink.on_ack(ack[0], ack[1])
            self._check_room()
            if self.format_asked is not None:
                from lib import orders

                orders.format_when_acked(self)
                forget("orders", "journal_start")
        elif isinstance(message.get("cmd"), str) and isinstance(message.get("i"), int):
            self.post("command", u, message)
        else:
            self._decoder.bad += 1

    def _foreign(self, u):
        """Not from our hub: nothing changes, and one fault a boot tells."""
        self.foreign += 1
        if self.foreign == 1:
            self.record({"k": "station.fault", "part": "uplink", "code": "bad_mac"}, u)

    def _command(self, u, details):
        name = details["cmd"]
        if name == "config":
            from lib import config_intake

            config_intake.configure(self, u, details)
        elif details["i"] <= self.desk.command:
            return  # done before
        elif name == "time":
            self._set_time(u, details)
        elif name in FIELDS:
            self._take(self.machine.handle(name, u, details), u)
        elif name in ("format_journal", "factory_reset"):
            from lib import orders

            orders.obey(self, u, details)
            forget("orders", "journal_start")
        else:
            self.refuse(u, details, "unknown_command", "")

    def refuse(self, u, details, reason, detail):
        self.record(
            {"k": "command.refused", "i": details["i"], "command": details["cmd"][:24],
             "reason": reason, "detail": detail[:120]}, u,
        )  # fmt: skip

    def _set_time(self, u, details):
        utc, asked = details.get("utc"), details.get("hello_u")
        doubt_ms = _AIR_MS if self.uplink.links else _CABLE_MS
        if isinstance(utc, int) and isinstance(asked, int) and 0 <= u - asked < 2 * doubt_ms:
            half = (u - asked) // 2  # of the way of our hello and its answer
            utc += half
            doubt_ms = half + 1
        if not self.anchor(utc, u, "host", doubt_ms, details["i"]):
            self.refuse(u, details, "bad_command", "utc: milliseconds since 1970")

    def anchor(self, utc, u, source, uncertainty_ms, number=None):
        """UTC was `utc` at `u`; False, and nothing changes, when that cannot be."""
        if not isinstance(utc, int) or not _UTC_LOW < utc < _UTC_HIGH:
            return False
        late = max(self._last_u - u, 0)  # the event's own u does not go back
        u += late
        utc += late
        self.clock.anchor(utc, u, source, uncertainty_ms)
        self.desk.anchor(u, utc)
        event = {"k": "station.clock", "utc": utc, "source": source}
        event["uncertainty_ms"] = uncertainty_ms
        if number is not None:
            event["i"] = number
        self.record(event, u)
        self._flag.set()
        return True

    def dump(self):
        """Everything a technician asks for; told on the console with each health report."""
        links = self.uplink.links
        return {
            "links": links.dump() if links else None, "clock": self.clock.dump(),
            "journal": self.journal.dump(), "uplink": self.uplink.dump(),
            "serial": self.serial.dump(), "parts": self.parts.dump(),
            "crashes": self.crashes, "foreign": self.foreign,
        }  # fmt: skip
