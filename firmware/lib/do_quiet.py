"""A call that only the keys tell of, and in which nobody speaks any more: the question whether it
is over.
"""

from lib.menus import Menu
from micropython import const

_ANSWER_MS = const(30_000)


class _Question(Menu):
    def __init__(self, last_voice):
        Menu.__init__(self, "quiet", [["yes", "yes"], ["no", "no"]], self.answered, "talking")
        self.said = True
        self._last_voice = last_voice

    def answered(self, station, node):
        if node[0] == "no":
            self.expire(station)

    def expire(self, station):
        """Nobody is there, or the agent says that it is over; when, only the last voice says."""
        station.menu = None
        silent_ms = max(station.u - self._last_voice, 0)
        station.end_call("system", estimated=True, silent_ms=silent_ms)


def ask(station, last_voice):
    """`last_voice`: its `u`; None when somebody speaks again."""
    menu = station.menu
    if last_voice is None:
        if menu and menu.kind == "quiet":
            station.menu = None
    elif station.desk.by_key and not menu:
        station.open(_Question(last_voice), _ANSWER_MS)
