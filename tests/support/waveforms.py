"""Samples of sound for the simulated sockets, and what is heard in them."""

import math
from array import array

from diadema_sim import sound


def tone(hertz: float, seconds: float, level: float = 0.5) -> "array[int]":
    turn = 2 * math.pi * hertz / sound.RATE_HZ
    samples = range(int(seconds * sound.RATE_HZ))
    return array("h", (round(32767 * level * math.sin(turn * at)) for at in samples))


def level(samples: "array[int]", hertz: float) -> float:
    """Amplitude of one frequency (Goertzel), 1 = full scale."""
    turn = 2 * math.pi * hertz / sound.RATE_HZ
    real = sum(value * math.cos(turn * at) for at, value in enumerate(samples))
    imaginary = sum(value * math.sin(turn * at) for at, value in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / len(samples) / 32767


def db(ratio: float) -> float:
    return 20 * math.log10(ratio)


def hiss(samples: "array[int]") -> "array[int]":
    """The same with the noise that every line has, about −65 dBFS."""
    seed = 7
    for at, value in enumerate(samples):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        samples[at] = value + (seed >> 12) % 67 - 33
    return samples


def silence(seconds: float) -> "array[int]":
    return array("h", [0] * int(seconds * sound.RATE_HZ))


SPOKEN = tone(500, 0.4, 0.03), tone(1000, 0.4, 0.3)  # a word of the agent's, one of the caller's
PAUSE = array("h", [0] * 1600)
