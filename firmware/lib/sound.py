"""What the station lets its agent hear, and what it measures of the calls; on boards that have the
role `audio`. One thing at a time, as the situation has it.

In a call frames go to the voice meter, never while it is held or muted, and none is kept; at its
end there is one `voice.summary`, unless no frame came.
"""

import asyncio

from lib import memory
from lib.errors import StationError
from lib.tones import Tone
from lib.voice import Meter
from micropython import const

_REMINDER_MS = const(30_000)
_WARNING_MS = const(10_000)  # before the wrap-up ends by itself
_SILENT_MS = const(45_000)
_RETRY_MS = const(10_000)
_VOICE_FRAMES = const(20)  # 0.4 s of a voice
_LEVEL_DB = const(-24)
_ERRORS = const(
    (
        "unknown_badge", "not_genuine", "no_roster", "in_call", "bad_read", "two_badges",
        "journal_full",
    )
)  # fmt: skip


def busy(app):
    """Whether something may sound: a contact is being worked on, or the screen says a notice."""
    machine = app.machine
    return app.desk.work != "idle" or machine.notice is not None or _hears(machine)


def _hears(machine):
    """Whether a list waits for the agent's voice."""
    return bool(machine.menu) and machine.menu.hears


def _quiet(machine):
    """Whether the agent wishes to hear no tone but the ring."""
    return machine.prefs.get("tones") == "off"


def _wanted(app):
    """What is to be done about the sound now: the name of a tone, "measure" or None."""
    machine = app.machine
    work = app.desk.work
    if _hears(machine):
        return "level"
    if work == "offered":
        return None if machine.silenced else "ring"
    if work == "talking":
        return None if app.desk.muted else "measure"
    if _quiet(machine):
        return None
    if work == "held":
        return "hold"
    if machine.notice and machine.notice[0] in _ERRORS:
        return "error"
    return "wrapup" if work == "wrapup" else None


class Sound:
    def __init__(self, app):
        self._app = app
        self._doing = None
        self._meter = None
        self._call = None
        self._asking = False  # whether the call goes on
        self._changed = asyncio.Event()
        asyncio.create_task(app.keep(self._run))

    def look(self):
        """Something happened at the desk."""
        app = self._app
        if _wanted(app) != self._doing or self._over() or not busy(app):
            self._changed.set()

    def _over(self):
        """The call that was measured is at its end."""
        desk = self._app.desk
        return self._call and (desk.contact != self._call[1] or desk.work in ("wrapup", "idle"))

    async def _run(self):
        app = self._app
        while True:
            self._changed.clear()
            if self._over():
                self._sum_up()
            if not busy(app):
                break
            self._doing = _wanted(app)
            task = self._doing and asyncio.create_task(self._do(self._doing))
            await self._changed.wait()
            if task:
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    pass
        app.sound = None

    async def _do(self, doing):
        """One activity; a port that fails is told, and tried again."""
        app = self._app
        while True:
            try:
                audio = app.parts.get("audio") or app.parts.make("audio")
                if doing == "measure":
                    await self._measure(audio)
                elif doing == "level":
                    await self._level(audio)
                else:
                    await self._sound(audio, doing)
                return
            except (StationError, OSError) as error:
                app.serial.log(str(error))
                app.fault("audio", getattr(error, "code", "no_answer"))
            await asyncio.sleep_ms(_RETRY_MS)

    async def _sound(self, audio, name):
        """A tone when its time has come; the ring and the reminder again and again."""
        app = self._app
        wait_ms = 0
        if name == "hold":
            wait_ms = _REMINDER_MS
        elif name == "wrapup":
            wait_ms = app.machine.limit() - app.clock.now() - _WARNING_MS
        while wait_ms >= 0:
            await asyncio.sleep_ms(wait_ms)
            await self._play(audio, name)
            if name != "ring" and name != "hold":
                return

    async def _play(self, audio, name):
        parts = self._app.parts
        codec = parts.get("codec")
        alone = codec and codec.line_in and "mix" in getattr(codec, "absent", ())
        if alone:
            parts.use("codec", lambda codec: codec.line_to_headset(False))
        try:
            await audio.play(Tone(name, _LEVEL_DB))
        finally:
            if alone:
                parts.use("codec", lambda codec: codec.line_to_headset(True))
        self._app.fault("audio", None)

    async def _measure(self, audio):
        desk = self._app.desk
        if not self._call or self._call[1] != desk.contact:
            self._call = (desk.agent, desk.contact)
            if not _quiet(self._app.machine):
                await self._play(audio, "answer")
        audio.listen()
        self._app.fault("audio", None)
        try:
            while True:
                frame = await audio.frame()
                if not self._meter:
                    self._meter = Meter()
                self._meter.feed(frame)
                memory.look()
                if desk.by_key:
                    self._heed(self._meter.silent_ms)
        finally:
            audio.close()
            if self._meter:
                self._meter.flush()

    async def _level(self, audio):
        """How loud the agent's voice comes in, once there was a moment of it."""
        meter = Meter()
        audio.listen()
        self._app.fault("audio", None)
        try:
            while meter.agent_frames < _VOICE_FRAMES:
                meter.feed(await audio.frame())
                memory.look()
        finally:
            audio.close()
        self._app.post("level", self._app.clock.now(), meter.summary()["agent_db"])

    def _heed(self, silent_ms):
        """Ask whether a call goes on in which nobody speaks, and no more once somebody does."""
        asks = silent_ms > 0 and silent_ms % _SILENT_MS == 0
        if asks or (self._asking and not silent_ms):
            self._asking = asks
            now = self._app.clock.now()
            self._app.post("quiet", now, now - silent_ms if asks else None)

    def _sum_up(self):
        agent, contact = self._call  # type: ignore[misc]
        meter = self._meter
        self._call = self._meter = None
        if meter:
            summary = meter.summary()
            summary.update({"k": "voice.summary", "a": agent, "c": contact})
            app = self._app
            app.record(summary, app.clock.now(), True)
