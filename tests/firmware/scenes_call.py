"""Calls as a list of pictures: transfer, consult, protocol, codes. As `scenes.py` otherwise."""

from scenes import CONFIG, Bench

RING = {"cmd": "ring", "i": 5, "contact": "c", "direction": "in", "queue": "Banca Personas"}


def calls(words):
    """Yields (name, picture)."""
    bench = Bench(words, CONFIG)
    do, shot = bench.do, bench.shot
    do("badge", 1000, ("00", "a001"))
    do("key3", 4000)
    do("ring", 5000, RING)
    do("key1", 9000)
    do("key6", 60_000)
    bench.pick("transfer", 60_000)
    yield "areas", shot(60_000)
    do("key4", 61_000)
    yield "consulting", shot(75_000)
    do("key4", 76_000)
    yield "consulting_caller", shot(80_000)
    do("key5", 81_000)
    yield "conference", shot(130_000)
