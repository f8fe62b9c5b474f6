"""A desk without hardware: the state machine with its events applied at once, and noted.

`do(input, …)` gives the kinds of the events it caused. Runs on both interpreters, where rules are
proved; the whole station in the VM is played with the same verbs (`tests.support.station_bench`).
"""

from lib.config import Config
from lib.desk import Desk
from lib.start import rebase, restore
from lib.states import Station
from lib.words_es import WORDS

from tests.support.scenes import CONFIG

ROSA = ("0" * 32, "a001")
NORMA = ("1" * 32, "a002")
PINS = {"a001": b"123455", "a002": b"654322"}
_VERIFIER = "A" * 32  # of none: the bench knows the PINs
WITH_PIN = dict(CONFIG, pin="clonable")
WITH_PIN["agents"] = [
    row + [[], _VERIFIER, code]  # noqa: RUF005
    for row, code in zip(CONFIG["agents"], ("1111", "2222"))  # noqa: B905
]
STRANGER = ("2" * 32, None)


def name_of(n):
    return ["DIA-0200000000a1", 1, n]


class DeskBench:
    def __init__(self, config=CONFIG):
        self.desk = Desk()
        self.contacts = 0
        self._begin(Config(config))
        self.station.provisional = False
        self.events = []
        self.u = self.last_u = 0
        self.utc_at_0: int | None = None  # UTC of u = 0, once it is known
        self.number = 0  # of the newest command

    def _begin(self, config):
        self.station = Station(self.desk, config, self._contact, self._name_of)
        self.station.utc = self.utc
        self.station.words = WORDS
        self.station.link = "up"

    def _name_of(self, n):
        return name_of(n or len(self.events) + 1)

    def utc(self, u):
        return None if self.utc_at_0 is None else self.utc_at_0 + u

    def _contact(self):
        self.contacts += 1
        return "k" + str(self.contacts)

    def take(self, events):
        for event in events:
            event["b"] = 1
            event["u"] = max(event.get("u", self.u), self.last_u)
            self.last_u = event["u"]
            event["t"] = self.utc(event["u"])
            event["n"] = len(self.events) + 1
            self.desk.apply(event)
            self.events.append(event)
        self.station.refresh()
        return [event["k"] for event in events]

    def do(self, name, details=None, after_ms=2000):
        self.u += after_ms
        kinds = self.take(self.station.handle(name, self.u, details))
        page = self.station.slow
        if page:  # what the application does in parts
            self.station.slow = None
            right = page.digits == PINS.get(page.details[1])
            if page.first:  # she has chosen another
                right = b"saltsalt" + bytes(page.digits) + bytes(10)
            page.wipe()
            kinds += self.do("pin_checked", (page, right), 0)
        return kinds

    def type(self, digits):
        """Press the keys; what the last one causes."""
        for digit in digits:
            kinds = self.do("key" + digit, after_ms=500)
        return kinds

    def command(self, name, **fields):
        self.number += 1
        fields["cmd"] = name
        fields["i"] = self.number
        return self.do(name, fields)

    def ring(self, contact="c1", **fields):
        return self.command("ring", contact=contact, direction="in", **fields)

    def last(self, kind):
        """The newest event of a kind."""
        for event in reversed(self.events):
            if event["k"] == kind:
                return event
        raise KeyError(kind)

    def reboot(self):
        """A cut of power: only what the events say is left."""
        desk = Desk()
        restore(desk, self.desk.snapshot())
        rebase(desk)
        self.desk = desk
        self.u = self.last_u = 0
        self._begin(self.station.config)
        return self.take(self.station.start(0))

    def pick(self, label):
        """Choose a line of the open list, on whichever page it is."""
        for _ in range(9):
            lines = self.station.menu.lines()
            if label in lines:
                return self.do("key" + str(3 + lines.index(label)))
            self.do("key6")
        raise KeyError(label)

    def intend(self):
        """Open the list of intentions."""
        self.do("key6")
        self.pick("after_call")

    def ready(self):
        """Logged in and ready."""
        self.do("badge", ROSA)
        if self.desk.agent != "a001":
            self.type("123455")
        self.do("key3")
        return self

    def talking(self):
        self.ready()
        self.ring()
        self.do("key1")
        return self
