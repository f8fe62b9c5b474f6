"""When the screen dims, goes dark and wakes, and where its picture stands."""

from lib.burn_in import BurnIn

PICTURE = bytes(range(127)) + b"\0" + bytes(896)  # its last column is dark
MOVED = b"\0" + bytes(range(127)) + bytes(896)


class Desk:
    faults = None


class Station:
    """Just what the policy looks at."""

    class config:
        generation = 1

    desk = Desk
    message = None

    def __init__(self, situation):
        self.situation = situation


class Device:
    def __init__(self):
        self.done = []
        self.shown = None

    def show(self, buffer, whole=False):
        self.shown = bytes(buffer)
        if whole:
            self.done.append("whole")

    def scroll(self, rows):
        self.done.append(f"scroll {int(rows)}")

    def contrast(self, value):
        self.done.append(f"contrast {int(value)}")

    def power(self, on):
        self.done.append(f"power {int(on)}")


class Bench:
    def __init__(self, situation):
        self.station = Station(situation)
        self.policy = BurnIn()
        self.device = Device()

    def at(self, u):
        """What the device is told at `u`, and when the policy wants to look again."""
        due = self.policy.look(self.station, u)
        self.device.done = []
        if self.policy.due:
            self.policy.show(self.device, PICTURE)
        return self.device.done, due


def test_it_dims_after_two_minutes_and_wakes():
    bench = Bench("talking")
    assert bench.at(1) == ([], 120_000)
    assert bench.at(119_999) == (["whole", "scroll 0"], 120_000)
    assert bench.at(120_000) == (["whole", "scroll 1", "contrast 8"], None)
    bench.policy.wake(130_000)
    assert bench.at(130_000) == (["contrast 207"], 250_000)


def test_a_ring_never_dims():
    bench = Bench("offered")
    assert bench.at(300_000)[0] == ["whole", "scroll 0"]  # the move of that minute, and no more


def test_nobody_there_is_dark_after_half_a_minute():
    bench = Bench("logged_out")
    assert bench.at(1) == ([], 30_000)
    assert bench.at(30_000) == (["power 0"], None)
    bench.policy.wake(40_000)
    assert bench.at(40_000) == (["contrast 207", "power 1"], 70_000)
    bench.station.situation = "not_ready"
    assert bench.at(40_001) == ([], 160_000)


def test_what_somebody_must_see_stays_dimmed():
    for field in ("faults", "message", "configuration"):
        bench = Bench("logged_out")
        bench.at(1)
        bench.at(30_000)
        if field == "faults":
            bench.station.desk = Desk()
            bench.station.desk.faults = {"codec": "no_answer"}
        elif field == "message":
            bench.station.message = object()
        else:
            bench.station.config = Station.config()
            bench.station.config.generation = 0
        assert bench.at(30_001) == (["contrast 207", "power 1"], 120_000), field
        assert bench.at(125_000)[0] == ["whole", "scroll 1", "contrast 8"], field


def test_a_picture_moves_a_pixel_a_minute_and_loses_nothing():
    bench = Bench("talking")
    bench.at(1)
    places = []
    for minute in range(1, 9):
        bench.policy.wake(minute * 60_000)
        told, _ = bench.at(minute * 60_000)
        assert told[0] == "whole"
        places.append((bench.device.shown == MOVED, told[1]))
        assert bench.device.shown in (PICTURE, MOVED)
    turn = [(True, "scroll 0"), (True, "scroll 1"), (False, "scroll 1"), (False, "scroll 0")]
    assert places == turn * 2


def test_a_driver_made_anew_is_brought_to_the_same():
    bench = Bench("logged_out")
    bench.at(1)
    bench.at(90_000)
    bench.device = Device()
    bench.policy.show(bench.device, PICTURE)
    assert bench.device.done == ["whole", "scroll 0", "power 0"]
    assert bench.device.shown == MOVED
