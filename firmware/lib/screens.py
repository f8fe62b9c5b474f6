"""What the screen shows: one function decides, regions are drawn again only when they changed.

Rows 0-9 name, link and time; 11-35 the state and its running time; 37-52 one line of detail;
54-63 four soft labels of 32 pixels. An open list takes rows 11-63.
"""

from lib.canvas import WIDTH, Canvas, digits_width
from lib.menus import MORE
from micropython import const

_TITLE_Y = const(13)
_DIGITS_Y = const(12)
_DETAIL_Y = const(39)
_LABEL_Y = const(53)
_CELL = const(32)
_LIST_Y = const(12)
_LINE = const(13)
_LINKS = {"up": "▲", "late": "△", "lost": "×"}
# the running time ticks each second only here
TICKING = ("offered", "dialing", "talking", "held", "wrapup", "not_ready")


class Screen:
    def __init__(self):
        self.canvas = Canvas()
        self._shown = {}
        self.words = {}
        self.dirty = True  # something was drawn since it was last sent

    def use(self, words):
        """Take another catalogue; everything is drawn again."""
        self.words = words
        self._shown = {}

    def draw(self, station, clock, u, link):
        """Bring the canvas up to date; returns `u` of the next change by time alone, or None."""
        situation = station.situation
        running = situation in TICKING
        desk = station.desk
        time = elapsed(max(u - desk.since, 0) // 1000) if running else ""
        wall = clock.wall(u, station.config.utc_offset_min)
        self._status(self._name(station), link, "%02d:%02d" % wall if wall else "")
        if station.message and situation != "offered":
            self._message(station)
        elif station.menu and situation != "offered":
            self._list(station.menu)
        else:
            self._state(station, situation, time)
        due = clock.next_minute(u)
        if running:
            tick = u + 1000 - (u - desk.since) % 1000
            due = tick if due is None else min(tick, due)
        return due

    def _changed(self, region, content):
        if self._shown.get(region) == content:
            return False
        self._shown[region] = content
        self.dirty = True
        return True

    def _page(self, name):
        """Clear what another kind of page left below the status line."""
        if self._changed("page", name):
            for region in ("state", "time", "detail", "labels", "list", "message"):
                self._shown.pop(region, None)
            self.canvas.clear(10, 54)

    def _name(self, station):
        """Whose desk it is; over a list, what the list is for."""
        menu = station.menu
        if menu and not station.message and station.situation != "offered":
            return menu.title or self.words[menu.kind + "_list"]
        agent = station.desk.agent
        return station.config.name_of(agent) if agent else station.config.seat

    def _status(self, name, link, wall):
        if not self._changed("status", (name, link, wall)):
            return
        canvas = self.canvas
        canvas.clear(0, 10)
        end = 128 - canvas.width(wall) if wall else 129
        canvas.text(wall, end, 0)
        mark = _LINKS[link]
        canvas.text(mark, end - 3 - canvas.width(mark), 0)
        canvas.text(name, 0, 0, end - 12)

    def _state(self, station, situation, time):
        self._page("state")
        canvas = self.canvas
        words = self.words
        taken = digits_width(time)
        title = words.get(situation, "")
        detail = self._detail(station, situation)
        if situation == "not_ready" and station.desk.reason not in words:
            label = station.config.reason_label(station.desk.reason)
            if canvas.title_width(label) <= WIDTH - taken - 5:
                title = label
            else:
                detail = detail or label
        if self._changed("state", (title, taken)):
            self._shown.pop("time", None)
            canvas.clear(11, 26)
            canvas.title(title, _TITLE_Y, WIDTH - taken - 5)
        if self._changed("time", time):
            canvas.clear(_DIGITS_Y, 24, WIDTH - taken, taken)
            canvas.digits(time, _DIGITS_Y)
        if self._changed("detail", detail):
            canvas.clear(37, 15)
            canvas.text(detail, 0, _DETAIL_Y)
        self._draw_labels(self._labels(station))

    def _detail(self, station, situation):
        words = self.words
        desk = station.desk
        if station.notice:
            word, argument = station.notice
            text = words[word]
            return text % argument if "%s" in text else text
        if situation == "offered":
            return words["silenced"] if station.silenced else words["answer_hint"]
        if situation == "dialing":
            return words["hang_up_hint"]
        if desk.muted and situation == "talking":
            return words["muted"]
        if desk.intended:
            to, reason, _ = desk.intended
            label = words["go_ready"] if to == "ready" else station.config.reason_label(reason)
            text = words["next"] % label
            return words["finish_hint"] + " · " + text if situation == "wrapup" else text
        if situation == "wrapup":
            return words["finish_hint"]
        for part, code in desk.faults.items():
            return words.get("%s.%s" % (part, code)) or words["fault"] % words.get(part, part)
        if situation == "not_ready":
            return words.get(desk.reason, "")
        if situation == "logged_out":
            return words["tap_badge"] if station.config.generation else words["no_config"]
        if situation in ("talking", "held"):
            return desk.queue or ""
        return ""

    def _labels(self, station):
        labels = []
        for key in ("key3", "key4", "key5", "key6"):
            action = station.action(key)
            labels.append(self.words[action] if action else "")
        return labels

    def _draw_labels(self, labels):
        if not self._changed("labels", labels):
            return
        canvas = self.canvas
        canvas.clear(52, 12)
        for at, label in enumerate(labels):
            if label:
                left = at * _CELL
                x = left + (_CELL - canvas.width(label)) // 2
                canvas.text(label, max(x, left), _LABEL_Y, left + _CELL)
                canvas.invert(left, _LABEL_Y, _CELL - 1, 11)

    def _list(self, menu):
        self._page("list")
        words = self.words
        lines = [words["more"] if line is MORE else line for line in menu.lines()]
        if not self._changed("list", lines):
            return
        canvas = self.canvas
        canvas.clear(10, 54)
        for at, line in enumerate(lines):
            if line:
                y = _LIST_Y + at * _LINE
                canvas.text(str(at + 3), 2, y)
                canvas.invert(0, y, 9, 11)
                canvas.text(line, 13, y)

    def _message(self, station):
        self._page("message")
        message = station.message
        if self._changed("message", (message.text, message.page)):
            self.canvas.clear(10, 43)
            message.draw(self.canvas)
        self._draw_labels(self._labels(station))


def elapsed(seconds):
    """m:ss, and h:mm:ss from an hour on."""
    if seconds < 3600:
        return "%d:%02d" % (seconds // 60, seconds % 60)
    return "%d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
