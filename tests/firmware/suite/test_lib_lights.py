"""The lights' ladder, its blinks, and whether people who see no colours can tell it."""

from drivers.lights_neopixel import COLOURS
from lib.lights import decide

MCD = (690, 405, 190)  # of green, red, blue at full current: WS2812B, mid of each range
RATIO = 3
ON_A_CALL = ("dialing", "talking", "closing")  # one meaning for who looks from afar
RUNGS = ON_A_CALL + ("offered", "held", "wrapup", "message", "ready", "not_ready")  # noqa: RUF005


class Desk:
    since = 700


class Station:
    desk = Desk
    menu = None

    def __init__(self, rung):
        self.situation = "not_ready" if rung == "message" else rung
        self.message = rung == "message"


def course(rung):
    """((duration in ms, lights), …) of one period; 0 for what stays."""
    station, u, found = Station(rung), 700, []
    while True:
        lights, due = decide(station, u)
        if due is None:
            return ((0, lights),)
        if found and lights == found[0][1]:
            return tuple(found)
        found.append((due - u, lights))
        u = due


def luminance(lights):
    """Millicandela of what shines, colours left out."""
    return sum(
        level * sum(part * mcd / 255 for part, mcd in zip(colour, MCD))  # noqa: B905
        for level, colour in zip(lights, COLOURS)  # noqa: B905
    )


def test_a_ring_blinks_fast_and_begins_lit():
    assert course("offered") == ((250, (0, 0, 1)), (250, (0, 0, 0)))
    assert course("message") == ((200, (0, 0, 1)), (1800, (0, 0, 0)))
    assert course("held") == ((1000, (0, 1, 1)), (1000, (0, 1, 0)))
    assert course("talking") == ((0, (0, 1, 0)),)


def test_the_higher_rung_wins():
    station = Station("ready")
    station.message = True
    assert decide(station, 700)[0] == (0, 0, 1)
    station.situation = "talking"
    assert decide(station, 700) == ((0, 1, 0), None)


def test_each_pair_of_states_is_told_without_colours():
    for one in RUNGS:
        for other in RUNGS:
            if one == other or {one, other} <= set(ON_A_CALL):
                continue
            a, b = course(one), course(other)
            if [length for length, _ in a] != [length for length, _ in b]:
                continue  # by their blink
            ratios = []
            for (_, left), (_, right) in zip(a, b):  # noqa: B905
                low, high = sorted((luminance(left), luminance(right)))
                ratios.append(high / low if low else 1000 if high else 1)
            assert max(ratios) >= RATIO, (one, other, ratios)


def test_each_light_alone_is_three_times_as_bright_as_the_one_before():
    ready, busy, ring = (luminance(lights) for lights in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    assert busy >= RATIO * ready
    assert ring >= RATIO * busy
