"""The second factor: a page that takes the PIN, and before it the code of an agent who
forgot the badge.

The digits lie in the page until they were checked, and go nowhere else. The check takes a station
long, so the application does it in parts (`lib.pin`); its answer is the input `pin_checked`.
"""

from lib.menus import Menu
from micropython import const

_PIN = const(6)
_CODE = const(4)
_IDLE_MS = const(10_000)
_TRIES = const(5)  # wrong ones in a row, before a lock-out
_LOCKS_S = (30, 60, 120, 300, 900)  # after the last try, and after each wrong one more
_CELL = const(21)
_Y = const(16)
_DISC = (0x1C, 0x3E, 0x7F, 0x7F, 0x7F, 0x3E, 0x1C)
_TEXT_Y = const(44)


def ask(station, details):
    """details: of the tap, with `code_pin` for its method and None for a wrong code's agent."""
    key = details[1] or ""
    lock_s = _lock_s(station.desk.wrong.get(key, 0))
    left_ms = station.desk.wrong_at.get(key, 0) + lock_s * 1000 - station.u
    if lock_s and left_ms > 0:
        _deny(station, details, "locked")
        station.notify("wait", str((left_ms + 999) // 1000))
    else:
        page = Page(details, "pin", _PIN)
        if details[0]:  # a code's name stays untold
            page.title = station.config.name_of(details[1])
        if details[3]:
            page.mark = station.notice[1].partition("\n")[0]
        station.open(page, _IDLE_MS)


def code(station, details):
    station.open(Page((None, None, "code_pin", None), "code", _CODE), _IDLE_MS)


def go_on(station, details):
    """Go on with what the PIN has proven."""
    keyed, agent, method, of = details
    if method == "code_pin":
        station.do("session.coded", agent)
    else:
        station.do("session.proven", (keyed, agent, "badge_pin", of))


def _lock_s(count):
    """How long after so many wrong ones in a row."""
    return 0 if count < _TRIES else _LOCKS_S[min(count - _TRIES, len(_LOCKS_S) - 1)]


def _deny(station, details, reason):
    station.do("session.deny", details, reason)


class Page(Menu):
    """What takes the digits, by all six keys."""

    urgent = all_keys = True
    mark = ""  # the time of the mark of the same tap
    left = None  # tries, after a wrong one
    stage: "str | None" = None  # of a PIN that is being chosen; with it
    hint: "str | None" = None
    first: "bytes | None" = None
    whole = False  # all digits are there

    def __init__(self, details, kind, size):
        super().__init__(kind, (), None, "idle")
        self.details = details
        self.digits = bytearray(size)
        self.count = 0

    def press(self, station, key):
        if self.whole:
            return
        self.digits[self.count] = 48 + key
        self.count += 1
        if self.count < len(self.digits):
            return
        if self.kind == "code":
            agent = station.config.with_code(self.digits.decode())
            ask(station, (None, agent, "code_pin", None))
        else:
            self.whole = True
            station.slow = self

    def wipe(self):
        self.digits = bytearray(len(self.digits))

    def answer(self, station, right):
        agent = self.details[1]
        if right:
            until = station.config.one_use(agent)
            if until:
                station.do("new_pin.ask", self.details, until)
            else:
                station.menu = None
                go_on(station, self.details)
            return
        _deny(station, self.details, "wrong_pin")
        count = station.desk.wrong.get(agent or "", 0) + 1
        if count >= _TRIES:
            station.notify("wait", str(_lock_s(count)))
        else:
            self.whole = False
            self.count = 0
            self.mark = ""
            self.left = _TRIES - count
            station.open(self, _IDLE_MS)

    def expire(self, station):
        self.wipe()
        _deny(station, self.details, "pin_cancelled")

    def content(self):
        return (self.count, self.whole, self.left, self.stage, self.hint)

    def draw(self, canvas, words):  # type: ignore[override]
        for at in range(len(self.digits)):
            x = at * _CELL + 5
            if self.kind == "code" and at < self.count:
                canvas.digits(chr(self.digits[at]), _Y - 1, x + 11)
                continue
            for step in range(7):
                bits = _DISC[step] if at < self.count else 0x40
                canvas.column(x + step, _Y + 6, bits)
        if self.whole:
            text = words["checking"]
        elif self.hint:
            text = words[self.hint]
        elif self.mark and not self.count:
            text = words["mark_pin"] % self.mark
        elif self.left:
            text = words["wrong_left"] % self.left
        else:
            text = words["type_" + (self.stage or self.kind)]
        canvas.text(text, 0, _TEXT_Y, 127, True)
