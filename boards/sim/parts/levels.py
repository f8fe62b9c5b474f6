"""What the codecs' models have in common: levels, {source: linear gain} from what comes in
(`microphone`, `line`, `dac`: 1 = full scale of each) to a point in the chip; and what no driver
may do.

A codec's model has `paths()`: sinks (`headset`, `line_out`, `adc_left`, `adc_right`) → {source:
linear gain}, as its registers say; `headset` and `line_out` are the sum of both sides, which no
wiring of the two can exceed.
"""

import math

SOURCES = ("microphone", "line", "dac")


class ForbiddenError(Exception):
    """A write that the chip's reference forbids: no error of the bus, so no driver survives it."""


def gain(db):
    """Decibels as a linear factor."""
    return 10 ** (db / 20)


def silence():
    return {source: 0.0 for source in SOURCES}


def add(sources, source, level):
    """`source` may be None: nothing is wired there."""
    if source:
        sources[source] += level


def summed(outputs, pins):
    """What a contact carries into which several output pins are joined, at the most: {source:
    linear gain}.
    """
    heard = silence()
    for pin in pins:
        for source, level in outputs[pin].items():
            heard[source] += level
    return heard


def decibels(sources):
    """{source: dB}, None for silence."""
    return {name: 20 * math.log10(level) if level else None for name, level in sources.items()}
