"""When memory is collected, and when it waits for whoever pressed something."""

from lib import memory


class Gc:
    def __init__(self):
        self.used = self.collected = 0

    def mem_alloc(self):
        return self.used

    def collect(self):
        self.collected += 1

    def disable(self):
        pass


def looked(taken, asked):
    """How often it was collected in ten looks after so many bytes."""
    real, memory.gc = memory.gc, Gc()
    try:
        memory.begin()
        memory.gc.used, memory.pending = taken, asked
        for _ in range(10):
            memory.look()
        return memory.gc.collected - 1
    finally:
        memory.gc, memory.pending = real, 0
        memory._in_use = 0


def test_what_was_taken_is_collected_once():
    assert looked(400_000, 0) == 1
    assert looked(100_000, 0) == 0


def test_nothing_is_collected_while_somebody_waits_for_an_answer():
    assert looked(400_000, 1) == 0
