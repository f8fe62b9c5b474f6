"""What the screen shows: one function decides, regions are drawn again only when they changed.

Rows 0-9 name, link, volume and time; 10-33 the state and its running time; 34-52 one line of
detail; 54-62 four soft labels of 28 columns. An open list takes rows 10-62. The last column and
the last row stay dark, for `lib.burn_in` to move the picture.

What must be read at a glance (state, running time, detail) is 16 rows high or more. A list's four
lines, a text and the labels are ten: four lines beside four keys leave 13 rows each, and on a
2.42" panel ten rows make capitals of 3.0 mm, 17' of arc at 60 cm (ISO 9241-303 asks for 16').
Nothing large is filled: that is what wears an OLED, and thin dark strokes between lit dots read
badly.
"""

from lib.canvas import Canvas, digits_width
from lib.config import label_of
from lib.menus import MORE
from lib.states import LIMIT_NEAR_MS
from lib.transitions import BUSY, IN_CALL
from micropython import const

_RIGHT = const(127)
_TITLE_Y = const(12)
_DIGITS_Y = const(10)
_DETAIL_Y = const(34)
_LABELS_Y = const(53)
_CELL = const(32)
_EDGE = const(9)  # rows of the line on the left of each label
_LIST_Y = const(12)
_LINE = const(13)
_LINKS = {"up": "▲", "late": "△", "lost": "×"}
# everywhere else a running time ticks each second
STILL = "logged_out closing"


class Screen:
    def __init__(self):
        self.canvas = Canvas()
        self._shown = {}
        self.words = {}
        self.dirty = True  # something was drawn since it was last sent
        self.fresh = True  # and more than the time or the seconds

    def use(self, words):
        """Take another catalogue; everything is drawn again."""
        self.words = words
        self._shown = {}

    def draw(self, station, clock, u, link):
        """Bring the canvas up to date; returns `u` of the next change by time alone, or None."""
        situation = station.situation
        running = situation not in STILL
        desk = station.desk
        time = elapsed(max(u - desk.since, 0) // 1000) if running else ""
        wall = clock.wall(u, station.config.utc_offset_min)
        volume = "v%d" % station.levels[0] if station.levels else ""
        wall = "%02d:%02d" % wall if wall else ""
        over = station.reading or (station.menu and situation != "offered")
        link = self.words["mute"] if over and desk.muted else _LINKS[link]
        # over lists and texts too, which hide the line of detail
        sign = "Ω" if desk.listeners else ""
        self._status(self._name(station), link, volume, wall, sign)
        if station.reading:
            self._message(station)
        elif over:
            (self._own if station.menu.draw else self._list)(station.menu)
        else:
            self._state(station, situation, time, u)
        due = clock.next_minute(u)
        if desk.help and not desk.help_by:  # for how long it waits
            due = u + 1000 - (u - desk.help_at) % 1000
        if running:
            tick = u + 1000 - (u - desk.since) % 1000
            due = tick if due is None else min(tick, due)
        return due

    def _changed(self, region, content):
        if self._shown.get(region) == content:
            return False
        self._shown[region] = content
        self.dirty = True
        if region not in ("time", "status"):
            self.fresh = True
        return True

    def _page(self, name):
        """Clear what another kind of page left below the status line."""
        if self._changed("page", name):
            for region in ("state", "time", "detail", "labels", "list", "own", "message"):
                self._shown.pop(region, None)
            self.canvas.clear(10, 54)

    def _name(self, station):
        """Whose desk it is; over a list, what the list is for."""
        menu = station.menu
        if menu and not station.reading and station.situation != "offered":
            title = menu.title or self.words[menu.kind + "_list"]
            return title if menu.all_keys or (menu.stays and not menu.title) else "1 ‹ " + title
        agent = station.desk.agent
        return station.config.name_of(agent) if agent else station.config.seat

    def _status(self, name, link, volume, wall, sign=""):
        """`link` may also be a word; `sign`: that somebody listens. What a list is for comes
        before time and volume.
        """
        if not self._changed("status", (name, link, volume, wall, sign)):
            return
        canvas = self.canvas
        canvas.clear(0, 10)
        marked = name + link + sign
        gaps = 8 if sign else 5
        if canvas.width(marked + wall) > _RIGHT - gaps:
            wall = volume = ""
        end = _RIGHT - canvas.width(wall) if wall else _RIGHT + (4 if sign else 1)
        canvas.text(wall, end, 0)
        if canvas.width(marked + volume) > end - gaps - 6:
            volume = ""
        for mark in (volume, sign, link):
            if mark:
                end -= canvas.width(mark) + 4
                canvas.text(mark, end, 0)
        canvas.text(name, 0, 0, end - 3)

    def _state(self, station, situation, time, u):
        self._page("state")
        canvas = self.canvas
        words = self.words
        title = words.get(situation, "")
        if len(time) > 5:
            time = time[:-3] + "h"
        taken = digits_width(time)
        detail = self._detail(station, situation, u)
        if situation == "not_ready" and station.desk.reason not in words:
            label = station.config.reason_label(station.desk.reason)
            if canvas.title_width(label) <= _RIGHT - taken - 4:
                title = label
            else:
                detail = detail or label
        if self._changed("state", (title, taken)):
            self._shown.pop("time", None)
            canvas.clear(_DIGITS_Y, 24)
            canvas.title(title, _TITLE_Y, _RIGHT - taken - 4)
        if self._changed("time", time):
            canvas.clear(_DIGITS_Y, 24, _RIGHT - taken, taken)
            canvas.digits(time, _DIGITS_Y, _RIGHT)
        if self._changed("detail", detail):
            canvas.clear(_DETAIL_Y, 20)
            detail, _, why = detail.partition("\n")
            canvas.text(detail, 0, _DETAIL_Y - (2 if why else 0), _RIGHT, not why)
            canvas.text(why, 0, _DETAIL_Y + 8, _RIGHT)
            self._shown.pop("labels", None)
        self._draw_labels(self._labels(station))

    def _detail(self, station, situation, u):
        """What is told now; while somebody hears the call, that is its second line."""
        text = self._of_desk(station, situation, u)
        listeners = station.desk.listeners
        if not listeners:
            return text
        words = self.words
        names = " · ".join([words["quality"] if who == "quality" else who for who in listeners])
        sign = words["listened"] % names
        return with_why(text.partition("\n")[0], sign) if text else sign

    def _of_desk(self, station, situation, u):
        words = self.words
        desk = station.desk
        if station.notice:
            word, argument = station.notice
            text = words[word]
            return text % argument if "%s" in text else text
        if station.undo:
            return words["undo_hint"] % station.undo[3]
        if desk.plugged is False and situation in BUSY:
            return words["headset_out"]
        if situation == "offered":
            return words["silenced"] if station.silenced else desk.queue or words["answer_hint"]
        if situation == "dialing":
            return words["hang_up_hint"]
        if desk.foreign and situation in ("not_ready", "logged_out"):
            return self._not_hers(station, situation)
        if desk.muted and situation in ("talking", "consulting"):
            return words["muted"]
        text = self._of_call(station) if situation in IN_CALL else ""
        if desk.help:
            waits, label = self._of_help(station, u)
            if text:
                return with_why(text, label or waits)
            return with_why(waits, label) if waits else label
        if text:
            return text
        if desk.leaving or desk.intended:
            to, reason = (desk.intended or ("logged_out", None))[:2]
            if desk.leaving == "agent":
                label = words["mark_out"]
            elif desk.leaving or to == "logged_out":
                label = words["close_session"]
            else:
                label = words["go_ready"] if to == "ready" else station.config.reason_label(reason)
            text = words["next"] % label
            if situation == "wrapup":
                text = words["finish_hint"] + " · " + text
            return with_why(text, desk.leaver[1] if desk.leaving else None)
        if situation == "wrapup":
            return words["finish_hint"]
        text = self._left(station, u) if situation == "not_ready" else ""
        if text:
            return text
        for part, code in desk.faults.items():
            return words.get("%s.%s" % (part, code)) or words["broken"] % words.get(part, part)
        if situation == "not_ready" and desk.reason in words:
            return words[desk.reason]
        if desk.pending and desk.open:
            text = words["pending_count"] % len(desk.pending)
        if situation == "ready":
            today = words["today"] % desk.today.get(desk.agent, (0, 0))[1]
            return with_why(text, today) if text else today
        if text:
            return text
        if situation == "logged_out":
            if station.config.generation:
                return words["tap_badge"]
            return with_why(words["no_config"], station.config.wifi and words["by_cable"])
        if situation in ("talking", "held"):
            return desk.queue or label_of(station.config.campaigns, desk.campaign)
        return ""

    def _of_help(self, station, u):
        """For how long it waits, "" where somebody comes; who does or will, or how many are before
        it, "" where nobody told.
        """
        words, desk = self.words, station.desk
        of, ahead, to = station.turn or (0, 0, None)
        ours = of == desk.help
        waited = max(u - desk.help_at, 0) // 1000
        waits = "" if desk.help_by else words["help_waits"] % elapsed(waited)
        if ours and to:
            return waits, words["turn_to"] % to
        if desk.help_by:
            return waits, words["help_comes"] % desk.help_by
        if ours:
            return waits, words["turn_ahead"] % ahead if ahead else words["turn_next"]
        return waits, ""

    def _of_call(self, station):
        """Whom she hears; the step that comes next, and motive or its playbook."""
        words = self.words
        desk, config = station.desk, station.config
        if desk.unrecorded:
            return words["unrecorded"]
        if desk.work == "consulting":
            if desk.heard == "caller":
                return words["with_caller"]
            return words["with_area"] % label_of(config.areas, desk.area)
        if desk.heard == "both":
            return words["conference"]
        guide = config.playbook(desk.motive)
        known = "%s v%s" % tuple(guide) if guide else label_of(config.motives, desk.motive)
        step = station.progress()
        if step:
            text = "%d/%d %s" % (step[0], step[1], words[step[2]])
            return text + " · " + known if known else words["step_at"] % text
        return words["guide"] % known if guide else known

    def _not_hers(self, station, situation):
        """Who made a change that is not the agent's, or why it came."""
        words = self.words
        reason, who, note = (station.desk.foreign + [None])[1:4]  # an older one has no note
        here = situation == "not_ready"
        if who or reason == "supervisor" or (here and reason not in words):
            text = words["set_by" if here else "closed_by"] % (who or words["supervisor"])
            return with_why(text, note)
        if here:
            return words[reason]
        return words.get("ended_" + reason) or words["ended"] % reason

    def _left(self, station, u):
        """What is left of the reason's time, when that is little."""
        words = self.words
        desk = station.desk
        limit = station.config.limit_ms(desk.reason)
        left = limit - u + desk.presence_since
        if limit and left <= LIMIT_NEAR_MS:
            return words["limit_over" if left < 0 else "limit_left"] % elapsed(abs(left) // 1000)
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
        canvas.clear(_LABELS_Y + 1, 9)
        for at, label in enumerate(labels):
            if label:
                left = at * _CELL
                canvas.edge(left, _LABELS_Y + 1, _EDGE)
                canvas.text(label, left + 3, _LABELS_Y, left + _CELL - 1)

    def _list(self, menu):
        self._page("list")
        words = self.words
        lines = [
            words[line] if line and (line is MORE or menu.said) else line for line in menu.lines()
        ]
        if menu.asks:
            lines.append("3 " + words["yes"])
        if not self._changed("list", (lines, menu.about)):
            return
        canvas = self.canvas
        canvas.clear(10, 54)
        if menu.asks:
            canvas.title(lines[0], 14, _RIGHT)
            canvas.text(lines[1], 0, 38, _RIGHT, True)
            return
        for at, line in enumerate(lines):
            if line:
                y = _LIST_Y + at * _LINE
                canvas.text(str(at + 3), 2, y)
                canvas.invert(0, y, 9, 11)
                canvas.text(line, 13, y, _RIGHT)
        if menu.about:
            canvas.text(menu.about, 0, _LIST_Y + 3 * _LINE, _RIGHT)

    def _own(self, menu):
        """What draws itself below the status line."""
        self._page(menu.kind)
        content = menu.content()
        if self._changed("own", content):
            self.canvas.clear(10, 54)
            menu.draw(self.canvas, self.words)

    def _message(self, station):
        self._page("message")
        message = station.message
        if self._changed("message", message.content()):
            self.canvas.clear(10, 44)
            message.draw(self.canvas, self.words)
            self._shown.pop("labels", None)
        self._draw_labels(self._labels(station))


def with_why(text, why):
    """Two lines in place of a tall one, where somebody said why."""
    return text + "\n" + why if why else text


def elapsed(seconds):
    """m:ss, and h:mm:ss from an hour on."""
    if seconds < 3600:
        return "%d:%02d" % (seconds // 60, seconds % 60)
    return "%d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
