"""Ajustes (key 6 held, no call): how the agent hears, is heard and reads; stored at this desk."""

from lib.menus import Menu
from lib.prefs import CHOICES, STEPS

_LEVELS = ("volume", "microphone", "sidetone")


def show(station, details):
    words = station.words
    rows = []
    if station.levels:
        for name, level in zip(_LEVELS, station.levels):  # noqa: B905
            rows.append([name, words["set_" + name] % level])
    for name in ("tones", "brightness", "language"):
        if name == "tones" and not station.hears:  # a board without sound
            continue
        rows.append([name, words["set_" + name] % words[name + "_" + _now(station, name)]])
    station.open(Menu("settings", rows, _chosen, "idle"))


def _now(station, name):
    usual = station.config.language if name == "language" else CHOICES[name][0]
    return station.prefs.get(name, usual)


def _chosen(station, node):
    name = node[0]
    if name in _LEVELS:
        station.open(Level(station, name))
        return
    choices = CHOICES[name]
    at = choices.index(_now(station, name)) + 1
    station.prefer(name, choices[at % len(choices)])


class Level:
    """− and + on keys 3 and 4; any other key is done."""

    kind = "level"
    deep = stays = said = lit = hears = False
    urgent = all_keys = True

    def __init__(self, station, name):
        self._station = station
        self._name = name
        self.title = "1 ‹ " + station.words["settings"]

    def fits(self, station):
        return station.desk.work == "idle"

    @property
    def _value(self):
        return int(self._station.levels[_LEVELS.index(self._name)])

    def press(self, station, key):
        low, high, step = STEPS[self._name]
        if key in (3, 4):
            value = self._value + (step if key == 4 else -step)
            station.prefer(self._name, max(low, min(value, high)))
        else:
            station.menu = None
            show(station, None)

    def content(self):
        return (self._name, self._value)

    def draw(self, canvas, words):
        canvas.text((words["set_" + self._name] % "").strip(), 0, 12, 127, True)
        canvas.digits(str(self._value), 12, 127)
        canvas.text("3 -   4 +", 0, 36, 127, True)
