"""What safe mode borrows of a program that does not run: screen, lights, keys, if each works."""

import sys

import board
from drivers.wires import choose_wires, make_bus
from lib.canvas import Canvas
from lib.parts import Parts
from lib.words_es import WORDS

_KEYS = range(1, 7)


class Page:
    """The screen tells `why` and that help is needed; all lights blink, as at no work."""

    def __init__(self, why):
        gpios = choose_wires(print)
        self._parts = Parts(board.PARTS, gpios, lambda name: make_bus(name, gpios))
        self._lit = 0
        canvas = Canvas()
        canvas.title(WORDS["safe_mode"], 14, 127)
        canvas.text(WORDS["safe_" + why], 0, 38, 127, True)
        self._use("screen", lambda screen: screen.show(canvas.buffer, True))
        self._use("lights", lambda lights: lights.show((0, 0, 0)))
        self._use("keys", lambda keys: keys.down(1))

    def turn(self):
        """Blink. Which keys are down: key 1 is bit 1."""
        self._lit = 1 - self._lit
        self._use("lights", lambda lights: lights.show((self._lit,) * 3))
        return self._use("keys", _down) or 0

    def _use(self, role, action):
        """What `action` gives of a part, which is not asked again once it failed."""
        if not self._parts.has(role):
            return None
        try:
            return action(self._parts.get(role) or self._parts.make(role))
        except Exception as error:  # a driver of a program that may be anything
            sys.print_exception(error)
            self._parts.table = {name: part for name, part in self._parts.table.items()
                                 if name != role}  # fmt: skip
            return None


def _down(keys):
    return sum([1 << key for key in _KEYS if keys.down(key)])
