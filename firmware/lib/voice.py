"""What is said in a call, in numbers: how long the agent, the caller, both or nobody spoke.

Fed with frames of 20 ms (16 kHz, 16 bits, left = microphone, right = line) and only while talking.
No sample is kept: a frame becomes two levels and two flags, and the flags become sums.

A channel speaks while its level is 4 dB over its noise floor, the least level of its last three
seconds (minimum statistics: R. Martin, IEEE Trans. SAP 9(5), 2001, without its bias correction).
The microphone must also be less than 15 dB under the line's recent level: else it is its echo.
Gaps of up to 240 ms are breath between words, and a word's end, which sinks in the noise, hangs
over by 60 ms.
"""

from array import array

from lib.samples import add_up
from micropython import const

_FRAME_MS = const(20)
_PAIRS = const(320)  # of samples in a frame
_MARGIN = const(40)  # levels are in tenths of a decibel, 0 = full scale
_ECHO_LOSS = const(150)
_ECHO_DECAY = const(30)  # a frame: a room's echo is gone within a few frames
_LEAST = const(-600)  # a quieter floor than any microphone's own
_WINDOW = const(25)  # frames, of which the least level is kept …
_WINDOWS = const(6)  # … for so many windows
_ONSET = const(3)  # frames in a row: a click of the keyboard is no word
_GAP = const(12)  # frames
_HANG = const(3)  # frames
_RING = const(16)  # frames whose flags may still change: _GAP + _ONSET and one
_INTERRUPTED = const(15)  # frames of both at once before it was more than an «ajá»
_AGENT = const(1)
_CALLER = const(2)

# 100 · log10(1 + (m + 0.5) / 16) for m = 0 … 15
_LOG = const(b"\x01\x04\x06\x09\x0b\x0d\x0f\x11\x13\x14\x16\x18\x19\x1b\x1c\x1d")


def measure(frame, channel, sums):
    """Level (tenths of a dB) of left (0) or right (1) without its mean; its clipped samples are
    in `sums[3]` then.
    """
    add_up(frame, channel, sums)
    mean = abs(sums[2]) // _PAIRS
    power = 0x20000000 // _PAIRS * sums[0] + sums[1] // _PAIRS - mean * mean
    power = max(power, 1)
    octave = 1
    while power < 0x20000000:
        power <<= 1
        octave += 1
    return _LOG[power >> 25 & 15] - octave * 301 // 10  # the four bits below the highest


class _Channel:
    """One side's noise floor, and since when it speaks."""

    def __init__(self):
        self._least = array("h", [0] * _WINDOWS)
        self.run = 0  # frames in a row over the threshold
        self.last = -_RING  # the last frame of speech
        self.sum = 0  # of levels while it speaks …
        self.count = 0  # … and of how many frames

    def follow(self, frame, level):
        """The noise floor with this frame."""
        at = frame // _WINDOW % _WINDOWS
        if frame % _WINDOW == 0 or level < self._least[at]:
            self._least[at] = level
        return max(min(self._least), _LEAST)

    def level_db(self):
        """Mean level of what it said, in whole dBFS; None when it said nothing."""
        return (self.sum // self.count + 5) // 10 if self.count else None


class Meter:
    """`feed()` each frame, `flush()` when talking stops (hold, mute, end), then `summary()`."""

    def __init__(self):
        self._sums = array("i", [0] * 4)
        self._agent = _Channel()
        self._caller = _Channel()
        self._flags = bytearray(_RING)  # of the frames that are not counted yet
        self._frame = 0
        self._counted = 0
        self._echo = -10_000
        self._spoken = array("i", [0] * 4)  # frames: nobody, agent, caller, both
        self._silence = self._longest = 0
        self._both = 0  # frames in a row, when it was the agent who came in
        self._before = 0
        self.interruptions = 0
        self.clipping = 0

    def feed(self, frame):
        """`frame`: 1280 bytes, left and right in turn, little endian."""
        sums = self._sums
        agent = measure(frame, 0, sums)
        self.clipping += sums[3] > 0
        caller = measure(frame, 1, sums)
        if self._frame - self._counted == _RING:
            self._count()
        self._flags[self._frame % _RING] = 0
        self._echo = max(caller, self._echo - _ECHO_DECAY)
        self._hear(self._caller, _CALLER, caller, -10_000)
        self._hear(self._agent, _AGENT, agent, self._echo - _ECHO_LOSS)
        self._frame += 1

    def _hear(self, channel, flag, level, least):
        frame = self._frame
        if level < channel.follow(frame, level) + _MARGIN or level < least:
            channel.run = 0
            if frame - channel.last <= _HANG:
                self._flags[frame % _RING] |= flag
            return
        channel.run += 1
        channel.sum += level
        channel.count += 1
        if channel.run < _ONSET:
            return
        begin = frame - _ONSET + 1 if channel.run == _ONSET else frame
        if begin - channel.last <= _GAP + 1:
            begin = channel.last + 1
        for at in range(max(begin, self._counted), frame + 1):
            self._flags[at % _RING] |= flag
        channel.last = frame

    def _count(self):
        flags = self._flags[self._counted % _RING]
        self._counted += 1
        self._spoken[flags] += 1
        self._silence = 0 if flags else self._silence + 1
        self._longest = max(self._longest, self._silence)
        if flags != _AGENT | _CALLER:
            self._both = 0
        elif self._both or self._before == _CALLER:  # the agent came in
            self._both += 1
            self.interruptions += self._both == _INTERRUPTED
        self._before = flags

    @property
    def silent_ms(self):
        """For how long nobody has spoken, as far as it is counted."""
        return self._silence * _FRAME_MS

    @property
    def agent_frames(self):
        """In how many the agent spoke, as far as it is counted."""
        return self._spoken[_AGENT] + self._spoken[_AGENT | _CALLER]

    def flush(self):
        """Count what is still open; the next frame begins anew."""
        while self._counted < self._frame:
            self._count()
        self._agent.run = self._caller.run = 0
        self._agent.last = self._caller.last = self._frame - _RING
        self._silence = self._both = self._before = 0
        self._echo = -10_000

    def summary(self):
        """The numbers of a `voice.summary`: milliseconds, dBFS, counts."""
        self.flush()
        nobody, agent, caller, both = self._spoken
        return {
            "agent_ms": agent * _FRAME_MS, "caller_ms": caller * _FRAME_MS,
            "both_ms": both * _FRAME_MS, "silence_ms": nobody * _FRAME_MS,
            "longest_silence_ms": self._longest * _FRAME_MS,
            "interruptions": self.interruptions, "clipping": self.clipping,
            "agent_db": self._agent.level_db(), "caller_db": self._caller.level_db(),
        }  # fmt: skip
