"""A list on the screen: four lines, numbered 3-6; over four, line 6 turns the page.

Nodes are the configuration's own lists: [code, label, …]; those of a tree may have children.
"""

from micropython import const

MYPY = const(False)
if MYPY:
    from typing import Any

_FIRST_KEY = const(3)
_LINES = const(4)
MORE = "more"


class Menu:
    """`kind` names its title in the catalogue; `then(station, node)` takes what was chosen;
    `works`: the kinds of work in which it may stay open, all of them when empty. `deep`: its third
    column are children.

    What is no list but takes the keys as one does has the same methods and `draw(canvas, words)`,
    which draws rows 10-62 from `content()`.
    """

    draw: "Any" = None
    closes_ms: "int | None"  # without a key of its, as `Actions.open` says
    parent: "Any" = None  # the list in which this one was chosen; key 1 goes back to it
    stays = False  # key 1 does not close it
    about = ""  # what it asks about, below its lines
    asks = False  # whether its one line is meant: key 3 says yes, any other one goes back
    said = False  # its labels are words of the catalogue
    urgent = False  # it comes before a text that waits, and in the journal's reserve
    all_keys = False  # 1 and 2 are its too
    lit = False  # all lights are on while it is shown
    hears = False  # it waits for the level of the agent's voice
    level: "Any" = None  # and takes it: level(station, dBFS)

    def __init__(self, kind, nodes, then, works="", deep=False):
        self.kind = kind
        self.title = None
        self.deep = deep
        self.works = works
        self._then = then
        self._nodes = nodes
        self._page = 0
        self._path = []

    def fits(self, station):
        """Whether it may stay open."""
        return not self.works or station.desk.work in self.works

    def lines(self):
        """Up to four labels; MORE in place of a label turns the page."""
        nodes = self._nodes
        if len(nodes) > _LINES:
            size = _LINES - 1
            nodes = nodes[self._page * size : self._page * size + size]
        lines = [node[1] for node in nodes]
        if len(self._nodes) > _LINES:
            lines += [""] * (_LINES - 1 - len(lines))
            lines.append(MORE)
        return lines

    def press(self, station, key):
        """Keys 1 (back) and 3-6."""
        if key == 1 or (self.asks and key > _FIRST_KEY):
            if not self.back() and not self.stays:
                station.menu = self.parent
            return
        node = self.choose(key)
        if node:
            station.menu = None
            self._then(station, node)
            if station.menu:
                station.menu.parent = self

    def choose(self, key):
        """Key 3-6: the leaf chosen, or None after a step inside the list."""
        line = key - _FIRST_KEY
        lines = self.lines()
        if line >= len(lines) or not lines[line]:
            return None
        if lines[line] is MORE:
            size = _LINES - 1
            self._page = (self._page + 1) % ((len(self._nodes) + size - 1) // size)
            return None
        if len(self._nodes) > _LINES:
            line += self._page * (_LINES - 1)
        node = self._nodes[line]
        if not self.deep or len(node) < 3 or not node[2]:
            return node
        self.enter(node)
        return None

    def enter(self, node):
        """One level down, to the node's children."""
        self._path.append((self._nodes, self._page, self.title))
        self._nodes, self._page, self.title = node[2], 0, node[1]

    def back(self):
        """One level up; False at the top."""
        if not self._path:
            return False
        self._nodes, self._page, self.title = self._path.pop()
        return True

    def expire(self, station):
        """Its time is over: nothing was chosen."""
        station.menu = None
