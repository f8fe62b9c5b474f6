"""The two loops over samples, in native code."""

import micropython
from micropython import const

_PAIRS = const(320)  # of samples in a frame


@micropython.viper
def note(out: ptr32, frames: int, phase: int, step: int, gain: int, sine: ptr8):  # noqa: F821
    """Write `frames` pairs of samples; `phase` and `step` count 1/65536 of a turn."""
    for at in range(frames):
        value = (int(sine[phase >> 8 & 255]) - 128) * gain >> 7
        out[at] = value << 16 | value & 0xFFFF  # left and right
        phase += step


@micropython.viper
def add_up(samples: ptr16, at: int, sums: ptr32):  # noqa: F821 - the compiler's own types
    """Sums of every other sample from `at` on: squares in two halves, as a whole one needs 39
    bits and a word has 32; the samples; how many are clipped.
    """
    high = low = total = clipped = 0
    end = at + 2 * _PAIRS
    while at < end:
        sample = int(samples[at])
        if sample > 32767:
            sample -= 65536
        total += sample
        low += sample * sample
        high += low >> 29
        low &= 0x1FFFFFFF
        if sample > 32760 or sample < -32760:
            clipped += 1
        at += 2
    sums[0] = high
    sums[1] = low
    sums[2] = total
    sums[3] = clipped
