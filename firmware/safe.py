"""Safe mode: where no program can run, or the one there is ends again and again. Over the cable it
takes a program or a MicroPython, forgets the configuration, or starts again; screen and lights say
why, if that much still works. The journal is not touched, the radio never started. Stands in the
vfs, beside what it needs.

What it does not have itself, it borrows of the program that does not run: screen, lights, and the
board's keys, any of which starts again when it is held for 3 s. One that is stuck does so once
after the power came, and no more.
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
_AGAIN_MS = const(300_000)  # where there is a program it is tried once more
_HOLD_MS = const(3_000)
_ANY = const(0x7E)  # key 1 is bit 1
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
        from lib.frames import Decoder, Pieces, encode

        self._decoder = Decoder()
        self._pieces = Pieces()
        self._encode = encode
        self.came = False  # a part of an update, since this was last looked at
        self.restart = False  # something changed that a start may make good

    def hello(self, **more):
        hello = dict(
            more, s=self.station, up=False, safe=True, firmware="safe", board=self.board,
            cause=self.why, micropython="%d.%d.%d" % sys.implementation.version[:3],
            build=slots.build(),
        )  # fmt: skip
        self._write(self._encode(json.dumps({"hello": hello}).encode()))

    def feed(self, data):
        for frame in self._decoder.feed(data):
            text = self._pieces.take(frame)
            if self._pieces.got:
                self._write(self._pieces.got)
            if text is None:
                continue
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
        elif name == "restart":
            self.hello(done=name)
            self.restart = True
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
        targets = {None: (worst, least, None)}
        if found := slots.of_interpreter("target"):
            targets["micropython"] = found  # type: ignore
        return update.Intake(targets, self.board, update.kept_key())


def run(why):
    """For ever, or until a start may come to something again."""
    from time import ticks_diff, ticks_ms

    page = _page(why)
    free = _ANY if slots.powered() else 0  # keys that are not stuck: they were up, or it is new
    held, since = 0, ticks_ms()
    station = "DIA-" + hexlify(machine.unique_id()).decode()
    line, out = sys.stdin.buffer, sys.stdout.buffer
    safe = Safe(station, why, slots.find(), out.write)
    poll = select.poll()
    poll.register(line, select.POLLIN)
    data, one = bytearray(_CHUNK), bytearray(1)
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
        down = page.turn() if page else 0
        free |= ~down
        held &= down
        if not held:
            held, since = down & free, now
        elif ticks_diff(now, since) >= _HOLD_MS:
            break
        size, wait_ms = 0, _TURN_MS
        while size < _CHUNK:  # it blocks until it has filled what it is given
            for _ in poll.ipoll(wait_ms):
                break
            else:
                break
            if not line.readinto(one):
                break
            data[size] = one[0]
            size, wait_ms = size + 1, 0
        if size:
            safe.feed(bytes(memoryview(data)[:size]))
    slots.works(-1)
    machine.reset()


def _page(why):
    """With words and drivers of the program that does not run; None where that cannot be."""
    whole = [slot for slot in slots.find() if slot.whole]
    page, path = None, sys.path[:]
    try:
        if whole:
            slots.mount(max(whole, key=lambda slot: slot.sequence))
            try:
                import packed  # noqa: F401 - which finds the rest of it
            except ImportError:
                pass  # an older one, whose files lie there as they are
            from lib.safe_page import Page

            page = Page(why)
    except Exception as error:  # whatever that program is like, we go on
        sys.print_exception(error)
    sys.path[:] = path
    for name in list(sys.modules):
        if name.split(".")[0] == "lib":
            sys.modules.pop(name)
    return page
