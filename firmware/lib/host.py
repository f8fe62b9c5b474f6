"""What the host says: frames of the cable and messages of the broker, checked, counted, obeyed.

An acknowledgement goes to the uplink, a command to the app's queue; `obey` is where it comes out.
"""

import asyncio
import json

from lib import bench, marks, memory, orders, prove, updating
from lib.config_store import configure
from lib.do_command import wrong_field
from lib.frames import Decoder, Pieces
from lib.improv import Improv
from lib.seal import sealed
from lib.timekeeping import set_time

_NUMBER_LIMIT = 0x1FFFFFFFFFFFFF  # 2^53 - 1
_NONCE_LIMIT = 32
_IMPROV = b"IMPROV\x01"  # begins what `lib.improv` answers
_TURN = "of # ahead # to -32"  # as `lib.do_command` has the fields of commands


class Host:
    def __init__(self, app):
        self._app = app
        self.decoder = Decoder()
        self._pieces = Pieces()
        self.foreign = 0  # frames that the hub's key did not seal
        self.late = 0  # frames on their way over a restart
        self.format_due = None  # i of the command, while the host gets the old journal
        self.improv = None  # while somebody speaks it
        self._before = b""  # what came last, as a beginning may come in pieces

    async def listen(self):
        """Take what comes over the cable, until the line ends."""
        app = self._app
        while True:
            data = await app.serial.read()
            if not data:
                app.serial.log("the serial line has ended")
                return
            u = app.clock.now()
            self._look_for_improv(data)
            if not self.improv and app.serial.stops(data):
                raise KeyboardInterrupt
            for frame in self.decoder.feed(data):
                await self._join(frame, u)
            memory.look()

    async def _join(self, frame, u):
        """Confirm a piece before anything that takes long, and hear the message that it ends, once
        there is room for what that asks.
        """
        message = self._pieces.take(frame)
        while message and self._app.crowded:
            await asyncio.sleep_ms(0)
        if self._pieces.got:
            await self._app.serial.write(self._pieces.got)
        elif not message:
            self.decoder.bad += 1
        if message:
            await self.hear(message, u)

    def _look_for_improv(self, data):
        """Its packets stand between frames. The decoder gets all the same: for it they are console
        text, and nothing that somebody cut off may swallow a frame.
        """
        if not self.improv:
            data = self._before + data
            self._before = data[1 - len(_IMPROV) :]
            if _IMPROV not in data:
                return
            self.improv = Improv(self._app)
        self.improv.feed(data)

    async def hear(self, message, u=None):
        """Take a message when there is room for what it asks. `u`: when the cable brought it."""
        while self._app.crowded:
            await asyncio.sleep_ms(0)
        self.take(message, u)
        memory.look()

    def take(self, text, u):
        """One message: JSON as bytes. What is no character must not get into an event."""
        message = None
        try:
            if not (b"\\ud" in text or b"\\uD" in text):  # half of one
                message = json.loads(text)
        except ValueError:
            pass  # counted below
        if not isinstance(message, dict):
            self.decoder.bad += 1
            return
        app = self._app
        uplink = app.uplink
        links = uplink.links
        cable = u is not None
        if cable:
            app.serial.guard()
        else:
            u = app.clock.now()
        key = app.machine.config.key
        hello = "hello" in message
        if hello:
            nonce = message.get("nonce")
            if key and cable and isinstance(nonce, str):
                uplink.prove(nonce[:_NONCE_LIMIT])
                return
            if links and cable:
                links.heard(True)
            uplink.ask_hello()
            if key:
                return  # anybody may ask; heard is only who holds the key
        elif key and not sealed(key, app.station_id, app.boot, text):
            if sealed(key, app.station_id, app.boot - 1, text):
                self.late += 1
            else:
                self._not_ours(u)
            return
        app.machine.provisional = False
        if links and cable:
            links.heard()
        uplink.on_frame()
        if not hello:
            self._sort(message, u)

    def _sort(self, message, u):
        app = self._app
        ack, number = message.get("ack"), message.get("i")
        if isinstance(ack, list) and len(ack) == 2:
            app.uplink.on_ack(ack[0], ack[1])
            app.acknowledged()
            if self.format_due is not None:
                orders.format_when_acked(app)
        elif message.get("cmd") == "marks":  # who is here: no command, and not numbered
            if not marks.learn(app.machine, message.get("marks")):
                self.decoder.bad += 1
        elif message.get("cmd") == "turn":  # how far a request for help is: the same
            if wrong_field(message, _TURN):
                self.decoder.bad += 1
            else:
                app.machine.turn = (message["of"], message["ahead"], message.get("to"))
                app.wake()
        elif isinstance(message.get("cmd"), str) and _is_number(number):
            app.post("command", u, message)
        else:
            self.decoder.bad += 1

    def _not_ours(self, u):
        """Not from our hub: nothing changes, and one fault a boot tells."""
        self.foreign += 1
        if self.foreign == 1:
            self._app.record({"k": "station.fault", "part": "uplink", "code": "bad_mac"}, u)

    def obey(self, u, details):
        """A command whose turn has come."""
        app = self._app
        name = details["cmd"]
        if name == "config":
            configure(app, u, details)
        elif name == "update":
            updating.take(app, u, details)
        elif name == "prove":
            prove.begin(app, details)
        elif details["i"] <= app.desk.command:
            return  # done before
        elif name == "selftest" and "bench" in details:
            bench.begin(app, u, details)
        elif name == "time":
            set_time(app, u, details)
        elif name in ("format_journal", "factory_reset"):
            orders.obey(app, u, details)
        else:
            app.take(app.machine.handle(name, u, details), u)

    def refuse(self, u, details, reason, detail):
        """Answer a command with why it is not done."""
        self._app.record(
            {"k": "command.refused", "i": details["i"], "command": details["cmd"][:24],
             "reason": reason, "detail": detail[:120]}, u,
        )  # fmt: skip


def _is_number(i):
    """What the host can number a command with, and take back in the event that answers it."""
    return isinstance(i, int) and not isinstance(i, bool) and 0 < i <= _NUMBER_LIMIT
