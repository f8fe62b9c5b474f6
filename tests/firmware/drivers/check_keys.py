"""The keys' debouncing, step by step: `_look` is what one turn of the iterator does."""

import drivers.keys as keys_module
from drivers.contact import contact
from drivers.keys import Keys
from machine import Pin


class Bench:
    def __init__(self):
        self.now = 1000
        keys_module.ticks_ms = lambda: self.now
        self.keys = Keys(11, 12, 13, 14, 15, 36)
        self.said = []

    def pin(self, key):
        return Pin.made[(11, 12, 13, 14, 15, 36)[key - 1]]

    def move(self, key, level, after_ms=0):
        self.wait(after_ms)
        self.pin(key).drive(level)

    def wait(self, duration_ms):
        """Time passes; the task looks each millisecond."""
        for _ in range(duration_ms + 1):
            for index in range(6):
                found = self.keys._look(index, self.now)
                if found:
                    self.said.append((found[0], found[1] - 1000))
            self.now += 1
        self.now -= 1


def test_a_press_counts_at_once_with_the_time_of_its_edge():
    bench = Bench()
    bench.move(1, 0, 5)
    bench.now += 3  # the task was busy
    bench.wait(0)
    assert bench.said == [("key1", 5)]
    bench.move(1, 1, 80)
    bench.wait(100)
    assert bench.said == [("key1", 5)]


def test_bounce_is_one_press():
    bench = Bench()
    for level in (0, 1, 0, 1, 0):
        bench.move(2, level, 2)
    bench.wait(60)
    for level in (1, 0, 1):
        bench.move(2, level, 3)
    bench.wait(100)
    assert bench.said == [("key2", 2)]


def test_two_presses_are_two():
    bench = Bench()
    for _ in range(2):
        bench.move(6, 0, 30)
        bench.move(6, 1, 30)
    bench.wait(50)
    assert [name for name, _ in bench.said] == ["key6", "key6"]


def test_a_press_over_before_the_task_looked_counts():
    bench = Bench()
    bench.move(1, 0)
    bench.now += 4
    bench.move(1, 1)
    bench.wait(100)
    assert [name for name, _ in bench.said] == ["key1"]


def test_short_and_long_of_a_key_with_both():
    bench = Bench()
    bench.move(3, 0, 10)
    bench.wait(200)
    assert bench.said == []
    bench.move(3, 1)
    bench.wait(50)
    assert bench.said == [("key3", 10)]
    bench.said = []
    begin = bench.now - 1000
    bench.move(4, 0)
    bench.wait(799)
    assert bench.said == []
    bench.wait(2)
    assert bench.said == [("long4", begin)]
    bench.wait(500)
    bench.move(4, 1)
    bench.wait(50)
    assert bench.said == [("long4", begin)]


def test_a_glitch_too_short_to_be_read_is_nothing():
    bench = Bench()
    pin = bench.pin(5)
    pin.handler(pin)  # the interrupt came, but the line is high again
    bench.wait(50)
    assert bench.said == []


def test_a_key_says_whether_it_is_down():
    bench = Bench()
    bench.move(6, 0)
    assert [key for key in range(1, 7) if bench.keys.down(key)] == [6]


def test_a_pull_up_is_asked_for_where_the_chip_has_one():
    Bench()
    assert Pin.made[11].pull == Pin.PULL_UP
    esp32 = "Generic ESP32 module with SPIRAM with ESP32"
    for gpio, chip, pull in (
        (33, esp32, Pin.PULL_UP),
        (34, esp32, -1),
        (39, esp32, -1),
        (38, "Generic ESP32S3 module with ESP32S3", Pin.PULL_UP),
        (36, "Diadema on ESP32-S3-Korvo-2 with ESP32-S3", Pin.PULL_UP),
    ):
        contact(gpio, chip)
        assert Pin.made[gpio].pull == pull, (gpio, chip)
