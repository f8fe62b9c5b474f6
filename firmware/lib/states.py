"""The station's one state machine: an input comes in, events come out; it does no I/O.

`lib.transitions` says what an input does in each situation. The caller appends the events to the
journal in order and applies each to the desk, then calls `refresh`.
"""

from lib.calls import Calls
from lib.rooms import ROOMS
from lib.transitions import IN_CALL, cell
from micropython import const

LIMIT_NEAR_MS = const(60_000)
# a screen that changed by itself takes no soft key for so long, and does not hang up; nor is a
# key that changed the list, which may be pressed twice by one movement, taken again
_SETTLE_MS = const(400)
_CALM_MS = const(2_000)  # without a key at a desk at rest, before it asks something


class Station(Calls):
    """`desk` is read here, changed by events only; `new_contact()` names a call begun by key,
    `name_of(n)` gives [s, e, n] of our event n.
    """

    rooms = ROOMS
    _hers: "str | None" = None  # the last input, if it was the agent's own act
    _turned: "str | None" = None  # the key that changed the list last
    _turned_at = 0
    _shown: "tuple" = (None, None, None)  # what the screen was about after the last input
    _settled_at = 0
    _asks_at: "int | None" = None  # u at which a question may come
    _warned = None  # presence_since of the reason whose limit was warned of

    # ------------------------------------------------------------------ the way in

    @property
    def situation(self):
        return self.desk.presence if self.desk.work == "idle" else self.desk.work

    @property
    def reading(self):
        """Whether the text is what the screen shows and the keys are for."""
        hidden = self.menu and self.menu.urgent
        return bool(self.message) and self.desk.work != "offered" and not hidden

    def action(self, name):
        """What input `name` does now, None for nothing; also what a soft label says."""
        action = cell(name, self.situation)
        if self.message and self.reading and "key2" < name < "key7":
            its = self.message.action(name)
            return action if its is None and action in ("hold", "resume") else its
        tree = self.config.motives
        if name == "key6" and self.desk.foreign and self.situation in ("not_ready", "logged_out"):
            return "seen"
        if action == "pin.code" and not self.config.codes:
            return None
        if action == "step" and not self.progress():
            action = "typify"
        if name == "key1" and self.undo and not action:
            return "codes.undo"
        if action == "typify" and (self.desk.code or not tree):
            return None
        if action == "finish" and tree and not self.desk.code:
            return None
        return action

    def handle(self, name, u, details=None):
        """Events (without b, u, t) that input `name` at `u` causes."""
        self.u = u
        self._out = []
        key = name[:3] == "key"
        self._hers = name if key or name == "badge" or name[:4] == "long" else None
        if isinstance(details, dict):  # of the host
            self.do("command.obey", name, details)
        elif name == "tick":
            self._tick()
        elif name in ("long3", "long4"):
            self.volume += 1 if name == "long4" else -1
        elif name == "badge" or name == "bad_read":
            self.do("session.badge", details)
        elif name == "level":
            if self.menu and self.menu.hears:
                self.menu.level(self, details)
        elif name == "pin_checked":
            if details[0] is self.menu:
                self.menu.answer(self, details[1])
        elif not (key and self._in_menu(name)):
            self.act(self.action(name), details)
        return self._out

    def start(self, u):
        """After a boot: finish what the cut left half done; the session goes on."""
        self.u = u
        self._out = []
        desk = self.desk
        if desk.open and desk.presence == "logged_out":
            self.presence("not_ready", "login", "system")
        elif not desk.open and desk.presence != "logged_out":
            self.presence("logged_out", "logout", "agent")
        elif desk.leaving and desk.work == "idle":
            self.settle()
        elif desk.absent:
            reason = "fault" if desk.absent == "fault" else "no_answer"
            self.presence("not_ready", reason, "system")
        elif desk.work == "idle":
            self.settle()
        else:
            self.act(cell("power_back", self.situation))
        return self._out

    def refresh(self):
        """After the events were applied: open or close the list that goes with the situation."""
        desk = self.desk
        for text in self.texts:
            if text.agent not in (None, desk.agent):
                self.do("message.others")
                break
        menu = self.menu
        if menu and (not menu.fits(self) or (menu.deep and desk.code)):
            self.menu = None
        if desk.work == "wrapup" and not self.menu and not desk.code and self.config.motives:
            self.open_tree()
        if self.menu:
            self.menu.stays = self.menu.deep and desk.work == "wrapup"
        if desk.work != "offered":
            self.silenced = False
        if self.undo and (desk.work != "idle" or desk.agent != self.undo[2]):
            self.undo = None
        if not ((desk.served or desk.reports) and self._at_rest() and self.do("help.owed")):
            self._asks_at = None
        elif self._asks_at is None or self._hers:
            self._asks_at = self.u + _CALM_MS
        menu = self.menu
        seen = (self.situation, menu, self.message)
        if seen != self._shown:
            if menu is not self._shown[1]:
                self._turned = None if menu and menu.all_keys else self._hers
                self._turned_at = self.u
            self._shown = seen
            if not self._hers:
                self._settled_at = self.u + _SETTLE_MS

    def _at_rest(self):
        """Whether nothing is on, or to be read, that a question would cover."""
        desk = self.desk
        return (
            desk.open and desk.work == "idle" and not (desk.foreign or desk.leaving or self.full)
            and not (self.menu or self.message or self.notice or self.undo)
        )  # fmt: skip

    def limit(self):
        """`u` at which a ring or a wrap-up ends by itself, None in other states."""
        desk = self.desk
        if desk.work == "offered":
            return desk.offered_at + self.config.ring_limit_ms
        if desk.work == "wrapup":  # one from before the power cut begins anew
            return max(desk.since, 0) + self.config.wrapup_limit_ms
        return None

    def deadline(self):
        """`u` at which a tick is due, or None."""
        due = None
        for at in (
            self.limit(), self._closes_at if self.menu else None,
            self._notice_until if self.notice else None,
            self.undo_until if self.undo else None, self._warning(), self._asks_at,
        ):  # fmt: skip
            if at is not None and (due is None or at < due):
                due = at
        return due

    def _warning(self):
        """`u` at which the agent is warned that the reason's time is nearly over, or None."""
        desk = self.desk
        limit = self.config.limit_ms(desk.reason) if self.situation == "not_ready" else 0
        if not limit or self._warned == desk.presence_since:
            return None
        return desk.presence_since + max(limit - LIMIT_NEAR_MS, limit // 2)

    def _tick(self):
        u = self.u
        if u >= self._notice_until:
            self.notice = None
        if u >= self.undo_until:
            self.undo = None
        if self.menu and self._closes_at is not None and u >= self._closes_at:
            self.menu.expire(self)
        if self._asks_at is not None and u >= self._asks_at and self._at_rest():
            self.do("help.question")
        warning = self._warning()
        if warning is not None and u >= warning:
            self._warned = self.desk.presence_since
            self.notify("limit_near")
        limit = self.limit()
        if limit is not None and u >= limit:
            at = len(self._out)
            self.u = limit  # however late the journal has room for it
            self.act("miss" if self.desk.work == "offered" else "time_out")
            self.u = u
            for event in self._out[at:]:
                event["u"] = limit
            if self.notice:
                self.notify(*self.notice)

    def act(self, action, details=None):
        """Do an action of the table, unless it is None or the journal has no room for it."""
        if action and not self.stopped(action):
            if "." in action:
                self.do(action, details)
            else:
                getattr(self, "_" + action)(details)

    # ------------------------------------------------------------------ lists

    def _in_menu(self, name):
        """Keys of an open list, and those that come too soon for what is shown; True when the key
        was one of them.
        """
        menu = self.menu
        hangs_up = name == "key1" and self.desk.work in IN_CALL
        if name != self._turned:
            self._turned = None
        elif self.u - self._turned_at < _SETTLE_MS:
            return True
        if self.u < self._settled_at and (name > "key2" or hangs_up):
            return True
        if not menu or (name == "key2" and not menu.all_keys):
            return False
        if self.desk.work == "offered" or (self.reading and not hangs_up):
            return False
        if name == "key1" or menu.urgent or not self.stopped("typify" if menu.deep else "choose"):
            menu.press(self, int(name[3]))
        self.touched()
        return True
