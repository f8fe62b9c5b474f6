"""The uplink: one task sends the journal's events in order until the host acknowledges them.

At most 32 are on the way, over Wi-Fi 256. What is not acknowledged in 5 s is sent again from the
oldest on, the wait doubling to 60 s. A link starts with a hello; the first acknowledgement after
it may move the cursor back, later ones only forward. Nothing is sent before that first one.

What is said and not answered makes the link late, then lost, by the clock alone, whatever the task
waits for. A host that says nothing by itself is asked with a hello.
"""

import asyncio
import json
import random

from lib import frames, memory
from lib.timekeeping import wait
from micropython import const

MYPY = const(False)  # the compiler leaves out what follows
if MYPY:
    from typing import Callable

    from lib.links import Links

WINDOW = const(32)
_WIDE = const(256)  # over Wi-Fi, where the client keeps no more than it has memory for
_RESEND_MS = const(5_000)
_LONGEST_MS = const(60_000)
_LOST_MS = const(75_000)  # when what was sent at 0, 5, 15 and 35 s has no answer
_HELLO_MS = const(1_000)
_HELLO_MOST_MS = const(15_000)  # a host that was away is met soon
_HELLOS_MS = const(3_000)  # the third hello goes
_QUIET_MS = const(30_000)  # without a word of the host, it is asked
_RING_MS = const(5_000)  # the same while a call rings, which a dead link would charge to the agent
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
        self.proof: "Callable | None" = None  # gives what the hello says of the key
        self._nonce = None  # asked for, and not answered yet
        self.ringing = False
        self._late_at: "int | None" = 0  # u from which the link is late, None: all was answered
        self._lost_at = 0
        self._reported = "lost"  # the link, as the app was told last
        self._heard_at = 0  # u of the host's last word
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

    @property
    def link(self):
        """up, late or lost at this moment."""
        now = self.now()
        if self._late_at is None or now < self._late_at:
            return "up"
        return "late" if now < self._lost_at else "lost"

    def _tell(self):
        if self._reported != self.link:
            self._reported = self.link
            self.on_link()

    def _expect(self, wait_ms):
        """What is said now is to be answered so soon."""
        late_at = self.now() + wait_ms
        if self._late_at is None:
            self._lost_at = self.now() + _LOST_MS
            self._late_at = late_at
        self._late_at = min(self._late_at, late_at)

    def ask_hello(self):
        """The host wants to know us; its next acknowledgement gives its position."""
        self._rewind = self._owed = True
        self._hello_at = 0
        self._hello_wait = _HELLO_MS
        self._wake.set()

    def prove(self, nonce):
        """The hub asks over the cable whether we are who we say; nothing else changes by it."""
        self._nonce = nonce
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
        self._heard_at = self.now()
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
        self._heard_at = self.now()
        self._late_at = None
        self._tell()
        self._wake.set()

    # ------------------------------------------------------------------ the task

    async def run(self):
        while True:
            self._wake.clear()
            quiet_at = self._quiet_at()
            if quiet_at is not None and self.now() >= quiet_at:
                self.ask_hello()
            if self._hello_at is not None and self.now() >= self._hello_at:
                await self._say_hello()
            if self._nonce:
                await self._say_proof()
            if self._synced:
                await self._send_window()
            self._tell()
            turns_at = self._late_at if self._reported == "up" else self._lost_at
            due = None
            for at in (
                self._hello_at, self._resend_at, self._quiet_at(),
                None if self._reported == "lost" else turns_at,
            ):  # fmt: skip
                if at is not None and (due is None or at < due):
                    due = at
            await wait(self._wake, None if due is None else max(due - self.now(), 0))

    def _quiet_at(self):
        """`u` at which a host that says nothing is asked whether it is there, else None."""
        if self._hello_at is not None:
            return None
        return self._heard_at + (_RING_MS if self.ringing else _QUIET_MS)

    def _later(self, wait_ms):
        """`u` of now + wait, up to an eighth more, so that stations do not speak in step."""
        return self.now() + wait_ms + (wait_ms * self.jitter(8) >> 11)

    def _hello(self, nonce=None):
        journal = self.journal
        hello = dict(
            self.about(), s=self.station, up=True, e=journal.epoch, first=journal.first,
            last=journal.last, acked=journal.acked, u=self.now(),
        )  # fmt: skip
        if self.proof:
            hello.update(self.proof(nonce))
        return hello

    async def _say_proof(self):
        hello = self._hello(self._nonce)
        self._nonce = None
        await self.write(frames.encode(json.dumps({"hello": hello}).encode()))

    async def _say_hello(self):
        self._owed = False
        self._expect(_HELLOS_MS)
        hello = self._hello()
        self._hello_at = self._later(self._hello_wait)
        self._hello_wait = min(self._hello_wait * 2, _HELLO_MOST_MS)
        links = self.links
        if not (links and links.wireless):
            await self.write(frames.encode(json.dumps({"hello": hello}).encode()))
        if links and (links.wireless or links.greet):
            await links.hello(hello)
        if links and self._hello_wait >= _UNHEARD_MS:
            links.failed()

    async def _send_window(self):
        if self._resend_at is not None and self.now() >= self._resend_at:
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
            self._expect(_RESEND_MS)
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
            self._expect(_RESEND_MS)
            self._resend_at = self._later(self._resend_wait)

    async def _send(self, message):
        if self.links and self.links.wireless:
            await self.links.event(message)
        else:
            await self.write(frames.encode(message))

    def _lost(self, n, to):
        lost = '{"s":"%s","e":%d,"n":%d,"to":%d,"k":"station.lost"}'
        return (lost % (self.station, self.journal.epoch, n, to)).encode()
