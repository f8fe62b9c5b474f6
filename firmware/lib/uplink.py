"""The uplink: one task sends the journal's events in order until the host acknowledges them.

At most 32 are on the way, over Wi-Fi 256. What is not acknowledged in 5 s is sent again from the
oldest on, the wait doubling to 60 s. A link starts with a hello; the first acknowledgement after
it may move the cursor back, later ones only forward. Nothing is sent before that first one.
"""

import asyncio
import json
import random

from lib import frames, memory
from lib.timekeeping import wait
from micropython import const

MYPY = const(False)  # the compiler leaves out what follows
if MYPY:
    from lib.links import Links

WINDOW = const(32)
_WIDE = const(256)  # over Wi-Fi, where the client keeps no more than it has memory for
_RESEND_MS = const(5_000)
_LONGEST_MS = const(60_000)
_LOST_MS = const(40_000)
_HELLO_MS = const(1_000)
_N_LIMIT = const(0x3FFFFFFF)  # no journal comes near it, and there its numbers have room
_UNHEARD_MS = const(8_000)  # the wait after three hellos


class Uplink:
    """`write(frame)` is awaited; `now()` gives u; `about()` the changing part of the hello."""

    def __init__(
        self, journal, station, write, now, about, on_fault, on_link, jitter=random.getrandbits
    ):
        self.journal = journal
        self.station = station
        self.write = write
        self.now = now
        self.about = about
        self.on_fault = on_fault
        self.on_link = on_link
        self.jitter = jitter
        self._wake = asyncio.Event()
        self.appended = self._wake.set  # a new event is in the journal
        self.links: "Links | None" = None  # lib.links.Links, when there is Wi-Fi
        self.link = "lost"  # up, late, lost
        self._synced = False  # an acknowledgement came: the host's position is known
        self._owed = True  # a hello that was asked for; an acknowledgement alone is no answer
        self._rewind = True  # the next acknowledgement may move back
        self._base = 0  # what the host holds
        self._cursor = 1  # n sent next
        self._sent = 0  # highest n sent in this boot
        self._hello_at: "int | None" = 0  # u, None when answered
        self._hello_wait = _HELLO_MS
        self._resend_wait = _RESEND_MS
        self._resend_at = None
        self.resent = 0
        self.foreign = 0  # acknowledgements not obeyed

    # ------------------------------------------------------------------ from the app

    def ask_hello(self):
        """The host wants to know us; its next acknowledgement gives its position."""
        self._rewind = self._owed = True
        self._hello_at = 0
        self._hello_wait = _HELLO_MS
        self._wake.set()

    def restart(self):
        """The journal begins anew, in another epoch."""
        self._synced = False
        self._base = self._sent = 0
        self._cursor = 1
        self.ask_hello()

    def changed(self):
        """Another way, or the same anew: it starts with a hello."""
        self._synced = False
        self._resend_at = None
        self._resend_wait = _RESEND_MS
        self.ask_hello()

    def on_frame(self):
        """Any host frame: the host is there, the hello can wait for its acknowledgement."""
        if self._hello_at:
            self._hello_at = self.now() + self._hello_wait

    def on_ack(self, epoch, n):
        """The host holds everything up to `n` of `epoch`; beyond our last it is a fault."""
        journal = self.journal
        if epoch != journal.epoch or not isinstance(n, int) or not 0 <= n <= _N_LIMIT:
            self.foreign += 1
            return
        beyond = n > journal.last
        if self._rewind or beyond:
            self._base = max(n, journal.first - 1)
            self._cursor = self._base + 1
        elif self._base < n <= self._sent:
            self._base = n
            self._cursor = max(self._cursor, n + 1)
        else:
            if n != self._base:
                self.foreign += 1
            return
        self._rewind = self._owed
        self._synced = True
        if not self._owed:
            self._hello_at = None
        journal.ack(self._base)
        self.on_fault("uplink", "ack_beyond" if beyond else None)
        self._sent = max(self._sent, self._base)
        self._resend_wait = _RESEND_MS
        self._resend_at = None
        self._set_link("up")
        self._wake.set()

    def _set_link(self, link):
        if link != self.link:
            self.link = link
            self.on_link()

    # ------------------------------------------------------------------ the task

    async def run(self):
        while True:
            self._wake.clear()
            if self._hello_at is not None and self.now() >= self._hello_at:
                await self._say_hello()
            if self._synced:
                await self._send_window()
            due = self._hello_at
            if self._resend_at is not None and (due is None or self._resend_at < due):
                due = self._resend_at
            await wait(self._wake, None if due is None else max(due - self.now(), 0))

    def _later(self, wait_ms):
        """`u` of now + wait, up to an eighth more, so that stations do not speak in step."""
        return self.now() + wait_ms + (wait_ms * self.jitter(8) >> 11)

    async def _say_hello(self):
        journal = self.journal
        self._owed = False
        hello = dict(
            self.about(), s=self.station, up=True, e=journal.epoch, first=journal.first,
            last=journal.last, acked=journal.acked, u=self.now(),
        )  # fmt: skip
        self._hello_at = self._later(self._hello_wait)
        self._hello_wait = min(self._hello_wait * 2, _LONGEST_MS)
        links = self.links
        if not (links and links.wireless):
            await self.write(frames.encode(json.dumps({"hello": hello}).encode()))
        if links and (links.wireless or links.greet):
            await links.hello(hello)
        if links and self._hello_wait >= _UNHEARD_MS:
            links.failed()

    async def _send_window(self):
        if self._resend_at is not None and self.now() >= self._resend_at:
            self._set_link("lost" if self._resend_wait >= _LOST_MS else "late")
            if self.links:
                self.links.failed()
                if not self._synced:
                    return  # another way begins
            self.resent += self._cursor - self._base - 1
            self._cursor = self._base + 1
            self._resend_wait = min(self._resend_wait * 2, _LONGEST_MS)
            self._resend_at = None
        window = _WIDE if self.links and self.links.wireless else WINDOW
        while self._synced and self._cursor - self._base <= window:
            found = self.journal.read(self._cursor)
            if found is None:
                break
            n, payload = found
            cursor = self._cursor
            if n > cursor:
                await self._send(self._lost(cursor, n - 1))
            if payload is not None:
                head = '{"s":"%s","e":%d,"n":%d,' % (self.station, self.journal.epoch, n)
                await self._send(head.encode() + payload[1:])
                n += 1
            self._sent = max(self._sent, n - 1)
            if self._cursor == cursor:  # else an acknowledgement moved it meanwhile
                self._cursor = n
            memory.look()
            if not n & 3:
                await asyncio.sleep_ms(0)  # a key need not wait for more
        if self._synced and self._cursor - 1 > self._base and self._resend_at is None:
            self._resend_at = self._later(self._resend_wait)

    async def _send(self, message):
        if self.links and self.links.wireless:
            await self.links.event(message)
        else:
            await self.write(frames.encode(message))

    def _lost(self, n, to):
        lost = '{"s":"%s","e":%d,"n":%d,"to":%d,"k":"station.lost"}'
        return (lost % (self.station, self.journal.epoch, n, to)).encode()
