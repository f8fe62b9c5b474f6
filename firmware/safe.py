"""Safe mode: where no program can run, or the one there is ends again and again. Over the cable it
takes an update or forgets the configuration, and the screen says why, if that much still works.
The journal is not touched. Stands in the vfs, beside what it needs.
"""

import json
import os
import select
import sys
from binascii import hexlify

import machine
import slots
from micropython import const

_HELLO_MS = const(5_000)
_TURN_MS = const(500)
_AGAIN_MS = const(300_000)  # a program that crashed is tried once more
_CHUNK = const(256)


class Safe:
    """`write(bytes)` goes to the cable."""

    def __init__(self, station, why, found, write):
        self.station = station
        self.why = why
        self._write = write
        self._slots = found
        whole = [slot for slot in found if slot.whole]
        self.board = whole[0].board if whole else ""
        self._intake = None
        from lib.frames import Decoder, encode

        self._decoder = Decoder()
        self._encode = encode
        self.came = False  # a part of an update, since this was last looked at
        self.restart = False  # something changed that a start may make good

    def hello(self, **more):
        told = dict(
            more, s=self.station, up=False, safe=True, firmware="safe", board=self.board,
            cause=self.why,
        )  # fmt: skip
        self._write(self._encode(json.dumps({"hello": told}).encode()))

    def feed(self, data):
        for text in self._decoder.feed(data):
            try:
                message = json.loads(text)
            except ValueError:
                continue  # the decoder checked its CRC: a host that speaks something else
            if isinstance(message, dict):
                self._hear(message)

    def _hear(self, message):
        name = message.get("cmd")
        if "hello" in message:
            self.hello()
        elif name == "update":
            self._update(message)
        elif name == "factory_reset" and message.get("confirm") == self.station:
            for file in ("config.0", "config.1", "config.new", "wifi.json"):
                try:
                    os.remove(file)
                except OSError:
                    pass  # it was not there
            self.hello(done=name)
            self.restart = True

    def _update(self, message):
        import update

        try:
            self._intake = self._intake or self._begin(update)
            answer = self._intake.add(message)
            self.came = True
        except update.UpdateError as error:
            self._intake = None
            self.hello(update={"phase": "refused", "reason": error.reason, "detail": error.detail})
            return
        if answer:
            self.hello(update={"phase": "receiving", "next": answer})
        elif answer == 0:
            self.hello(update={"phase": "restarting"})
            self.restart = True

    def _begin(self, update):
        """Into the slot that is worth least; the same program again may do."""
        good = [slot for slot in self._slots if slot.usable and slot.has(slots.GOOD)]
        least = max([slot.sequence for slot in good] + [1])
        worst = min(self._slots, key=lambda slot: (slot.whole, slot in good, slot.sequence))
        return update.Intake({None: (worst, least, None)}, self.board, update.kept_key())


def run(why):
    """For ever, or until a start may come to something again."""
    from time import ticks_diff, ticks_ms

    _show(why)
    station = "DIA-" + hexlify(machine.unique_id()).decode()
    line, out = sys.stdin.buffer, sys.stdout.buffer
    safe = Safe(station, why, slots.find(), out.write)
    poll = select.poll()
    poll.register(line, select.POLLIN)
    began = hello_at = ticks_ms()
    safe.hello()
    feed = slots.watchdog()
    while not safe.restart:
        feed()
        now = ticks_ms()
        if safe.came:  # what comes in is not broken off
            safe.came, began = False, now
        if ticks_diff(now, hello_at) >= _HELLO_MS:
            hello_at = now
            safe.hello()
        if why != "no_program" and ticks_diff(now, began) >= _AGAIN_MS:
            break
        data = bytearray()
        if poll.poll(_TURN_MS):
            while len(data) < _CHUNK and poll.poll(0):
                byte = line.read(1)
                if not byte:
                    break
                data += byte
        if data:
            safe.feed(bytes(data))
    slots.works()
    machine.reset()


def _show(why):
    """On the screen, with the words and the driver of the program that does not run."""
    whole = [slot for slot in slots.find() if slot.whole]
    if not whole:
        return
    try:
        slots.mount(max(whole, key=lambda slot: slot.sequence))
        from lib.safe_page import show

        show(why)
    except Exception as error:  # whatever that program is like, we go on
        sys.print_exception(error)
    if slots.APP in sys.path:
        sys.path.remove(slots.APP)
    for name in list(sys.modules):
        if name.split(".")[0] == "lib":
            sys.modules.pop(name)
