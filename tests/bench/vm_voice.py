"""Runs inside MicroPython: `vm_voice.py FILE…` prints each file's summary, then ns a frame of the
meter's inner loop as the board runs it and as plain Python would.
"""

import json
import sys
from array import array
from time import ticks_diff, ticks_us

sys.path.insert(0, sys.argv[1])

from lib.voice import Meter, measure

_FRAME_BYTES = const(1280)  # noqa: F821 - MicroPython knows it everywhere
_PAIRS = const(320)  # noqa: F821
_ROUNDS = 400


def plain(samples, pairs, out):
    """What `measure` does, without the compiler's help."""
    for channel in range(2):
        squares = total = clipped = 0
        for at in range(channel, pairs * 2, 2):
            sample = samples[at]
            total += sample
            squares += sample * sample
            if abs(sample) > 32760:
                clipped += 1
        power = squares // pairs - (total // pairs) ** 2
        octave = 0
        while 0 < power < 0x20000000:
            power <<= 1
            octave += 1
        out[channel] = -octave * 301 // 10
        out[channel + 2] = clipped


def both(samples, pairs, out):
    """As the meter does it."""
    measure(samples, 0, out)
    measure(samples, 1, out)


def frame_ns(function, samples, rounds):
    out = array("i", [0] * 4)
    began = ticks_us()
    for _ in range(rounds):
        function(samples, _PAIRS, out)
    return ticks_diff(ticks_us(), began) * 1000 // rounds


def main():
    frame = bytearray(_FRAME_BYTES)
    for path in sys.argv[2:]:
        meter = Meter()
        with open(path, "rb") as sound:  # noqa: PTH123 - runs on MicroPython
            while sound.readinto(frame) == _FRAME_BYTES:
                meter.feed(frame)
        print(json.dumps(meter.summary()))
    words = array("h", frame)
    print(frame_ns(both, words, _ROUNDS), frame_ns(plain, words, _ROUNDS // 20))


main()
