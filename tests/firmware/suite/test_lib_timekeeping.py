"""The clock: the tick counter's wrap, anchors, and the wall's hour."""

from lib.report import uncertainty_ms
from lib.timekeeping import Clock

try:
    from time import ticks_add

    WRAP = ticks_add(0, -1) + 1  # each port has its own
except ImportError:
    from tests.support.micropython_names import WRAP


class Ticks:
    def __init__(self, start):
        self.value = start

    def __call__(self):
        return self.value % WRAP


def test_counts_on_over_the_wrap():
    ticks = Ticks(WRAP - 5)
    clock = Clock(ticks)
    assert clock.now() == 0
    ticks.value += 12
    assert clock.now() == 12
    for _ in range(5):
        ticks.value += WRAP // 3
        clock.now()
    assert clock.now() == 12 + 5 * (WRAP // 3)


def test_a_tick_of_a_moment_ago():
    ticks = Ticks(WRAP - 10)
    clock = Clock(ticks)
    edge = ticks()
    ticks.value += 40
    assert clock.at(edge) == 0
    assert clock.now() == 40


def test_a_tick_of_a_week_ago_is_not_in_the_future():
    ticks = Ticks(WRAP - 10)
    clock = Clock(ticks)
    edge = ticks()
    for _ in range(2):
        ticks.value += WRAP // 3
        clock.now()
    assert clock.at(edge) <= clock.now()


def test_utc_only_after_an_anchor():
    ticks = Ticks(0)
    clock = Clock(ticks)
    assert clock.utc(5) is None and clock.wall(5, -300) is None and clock.next_minute(5) is None
    clock.anchor(1770037200000, 1500)
    assert clock.utc(1500) == 1770037200000
    assert clock.utc(2500) == 1770037201000


def test_the_wall_in_lima_and_its_next_minute():
    clock = Clock(Ticks(0))
    clock.anchor(1770037200000, 0)  # 2026-02-02 13:00 UTC
    assert clock.wall(0, -300) == (8, 0)
    assert clock.wall(61_000, -300) == (8, 1)
    assert clock.wall(0, 660) == (0, 0)
    assert clock.next_minute(0) == 60_000
    assert clock.next_minute(59_999) == 60_000
    assert clock.next_minute(60_000) == 120_000


def test_doubt_grows_with_the_anchors_age():
    ticks = Ticks(0)
    clock = Clock(ticks)
    assert uncertainty_ms(clock, 0) is None
    assert clock.source is None
    ticks.value = 10_000
    clock.anchor(1770037200000, clock.now(), "host", 40)
    assert uncertainty_ms(clock, 10_000) == 40
    assert uncertainty_ms(clock, 10_000 + 3_600_000) == 40 + 180  # 50 ppm of an hour
    assert uncertainty_ms(clock, 0) == 40
    ticks.value = 50_000
    assert (clock.source, uncertainty_ms(clock, clock.now())) == ("host", 42)
    clock.anchor(1770037200000, 50_000, "sntp", 7)
    assert (clock.source, clock.anchored, uncertainty_ms(clock, 50_000)) == ("sntp", 50_000, 7)
