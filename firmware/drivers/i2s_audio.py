"""The codec's digital side: frames of a call come in, or a tone goes out, one at a time.

A stock `machine.I2S` is one direction an object, and both share the clock pins; it drives no MCLK,
which ES8388, WM8960 and ES8311 want, so it is switched to its pin here. Two alike: 16 kHz, stereo,
16 bits, from I2S 0, whose MCLK is then 256 fs as ESP-IDF sets it by default.

Proven in simulation: directions, frames, pace and which registers are written. To be confirmed on
a board: that MCLK is there (4.096 MHz), and what a codec says to its pause between two objects.
"""

import asyncio
import select

from drivers.i2s_mclk import drive
from drivers.i2s_tone import begin
from lib.errors import PartError
from machine import I2S, Pin
from micropython import const

_FRAME_BYTES = const(1_280)  # 20 ms, left and right in turn
# 128 ms each way; 112 of what comes in wait for the program, longer than an erase of flash mostly
# is: it takes 32 bits a sample until it is read, whatever `bits` says
_RING_MS = const(128)
_RING_OUT = const(8_192)
_RING_IN = const(16_384)


class Audio:
    """`listen()`, `await frame()` again and again, `close()`; or `await play(tone)`.

    `mclk`: the GPIO that carries MCLK, None where a crystal feeds the codec: 0 on an ESP32, any on
    an ESP32-S3. Raises PartError when the port is not to be had.
    """

    def __init__(self, sck, ws, receive, transmit, *, mclk=None, rate=16_000):
        self._wires = (sck, ws)
        self.receive = receive
        self.transmit = transmit
        self.mclk = mclk
        self.rate = rate
        self._port = None
        self._pulses = None  # of a tone meanwhile
        self._ear = None  # stream and buffer while it listens
        self._opened = None  # who wants to know that the clocks run
        self._always = False
        self.state = None  # "receive", "transmit"
        self.frames = 0
        self.tones = 0

    def watch(self, opened):
        """`opened()` is called whenever the port was opened and the codec has its clocks."""
        self._opened = opened

    def keep_clock(self):
        """From now on the port receives while it does nothing else, so that the clocks go on."""
        self._always = True
        if self.state is None:
            self._open("receive")

    def _open(self, state):
        self._end()
        sck, ws = self._wires
        receives = state == "receive"
        try:
            self._port = I2S(
                0, sck=Pin(sck), ws=Pin(ws), sd=Pin(self.receive if receives else self.transmit),
                mode=I2S.RX if receives else I2S.TX, bits=16, format=I2S.STEREO, rate=self.rate,
                ibuf=_RING_IN if receives else _RING_OUT,
            )  # fmt: skip
        except (OSError, ValueError):
            raise PartError("audio", "no_port", "check the I2S pins") from None
        self.state = state
        if not receives:  # until it was polled once, each write would stand, and all with it
            poll = select.poll()
            poll.register(self._port, select.POLLOUT)
            poll.poll(0)
        if self.mclk is not None:
            drive(self.mclk)
        if self._opened:
            self._opened()
        return asyncio.StreamReader(self._port)

    def close(self):
        """Let go of the port and of what was in it."""
        self._end()
        if self._always:
            try:
                self._open("receive")
            except PartError:
                self.state = None  # who opens it next is told

    def _end(self):
        self.tone(False)
        if self._port:
            self._port.deinit()
        self._port = self._ear = self.state = None

    # ------------------------------------------------------------------ in

    def listen(self):
        """The port takes what the codec hears, until `close()`."""
        self._ear = (self._open("receive"), memoryview(bytearray(_FRAME_BYTES)))

    async def frame(self):
        """The next 20 ms; the same buffer each time, nothing else is kept."""
        stream, view = self._ear  # type: ignore[misc]
        at = 0
        while at < _FRAME_BYTES:
            at += await stream.readinto(view[at:]) or 0
        self.frames += 1
        return view

    def tone(self, on):
        """A tone to the codec while the port listens, for a test of both ways at once."""
        if self._pulses:
            self._pulses.deinit()
            self._pulses = None
        if on:
            self._pulses = begin(self.transmit)

    # ------------------------------------------------------------------ out

    async def play(self, tone):
        """Play what `tone.fill(buffer)` gives, to its end."""
        stream = self._open("transmit")
        self.tones += 1
        buffer = bytearray(_FRAME_BYTES)
        try:
            while tone.fill(buffer):
                stream.write(buffer)
                await stream.drain()
            await asyncio.sleep_ms(_RING_MS)  # what is still in the ring
        finally:
            self.close()

    # ------------------------------------------------------------------ seldom

    def selftest(self):
        """The port is to be had; whether a codec hears it, nobody here can tell."""
        if self.state is None:
            try:
                self._open("receive")
            except PartError:
                return False
            self.close()
        return True
