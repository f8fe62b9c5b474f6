"""The station's one state machine: an input comes in, events come out; it does no I/O.

`lib.transitions` says what an input does in each situation: the name of one of `lib.actions`. The
caller appends the events to the journal in order and applies each to the desk, then calls
`refresh`.
"""

from lib.actions import Actions
from lib.transitions import FIELDS, cell, refusal, wrong_field

_MESSAGE_KEYS = {"key3": None, "key4": None, "key5": "turn", "key6": "acknowledge"}


class Station(Actions):
    """`desk` is read here, changed by events only; `new_contact()` names a call begun by key."""

    # ------------------------------------------------------------------ the way in

    @property
    def situation(self):
        return self.desk.presence if self.desk.work == "idle" else self.desk.work

    def action(self, name):
        """What input `name` does now, None for nothing; also what a soft label says."""
        if self.message and self.desk.work != "offered" and name in _MESSAGE_KEYS:
            return _MESSAGE_KEYS[name] if name != "key5" or self.message.pages > 1 else None
        action = cell(name, self.situation)
        tree = self.config.tree
        if action == "typify" and (self.desk.code or not tree):
            return None
        if action == "finish" and tree and not self.desk.code:
            return None
        return action

    def handle(self, name, u, details=None):
        """Events (without b, u, t) that input `name` at `u` causes."""
        self._u = u
        self._out = []
        if name == "tick":
            self._tick()
        elif name in ("long3", "long4"):
            self.volume += 1 if name == "long4" else -1
        elif name in FIELDS:
            self._command(name, details)
        elif name == "badge":
            self._badge(details)
        elif name == "bad_read":
            self._no(None, "bad_read")
        elif not self._in_menu(name):
            self._do(self.action(name))
        return self._out

    def start(self, u):
        """After a boot: finish what the cut left half done; the session goes on."""
        self._u = u
        self._out = []
        desk = self.desk
        if desk.open and desk.presence == "logged_out":
            self._presence("not_ready", "login", "system")
        elif not desk.open and desk.presence != "logged_out":
            self._presence("logged_out", "logout", "agent")
        elif desk.absent:
            self._presence("not_ready", "no_answer", "system")
        elif desk.work == "idle":
            self._settle()
        else:
            self._do(cell("power_back", self.situation))
        return self._out

    def refresh(self):
        """After the events were applied: open or close the list that goes with the situation."""
        desk = self.desk
        menu = self.menu
        if menu and (
            (menu.kind == "reasons" and desk.work != "idle")
            or (menu.kind == "intend" and desk.work == "idle")
            or (menu.kind == "tree" and (desk.code or not desk.contact))
        ):
            self.menu = None
        if desk.work == "wrapup" and not self.menu and not desk.code and self.config.tree:
            self._open("tree", self.config.tree)
        if desk.work != "offered":
            self.silenced = False

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
            self.limit(), self._menu_until if self.menu else None,
            self._notice_until if self.notice else None,
        ):  # fmt: skip
            if at is not None and (due is None or at < due):
                due = at
        return due

    def _tick(self):
        u = self._u
        if u >= self._notice_until:
            self.notice = None
        if self._menu_until is not None and u >= self._menu_until:
            self.menu = None
        limit = self.limit()
        if limit is not None and u >= limit:
            self._do("miss" if self.desk.work == "offered" else "time_out")

    def _do(self, action, details=None):
        if action and not self._stopped(action):
            getattr(self, "_" + action)(details)

    # ------------------------------------------------------------------ commands, badges, lists

    def _command(self, name, details):
        action = cell(name, self.situation)
        desk = self.desk
        wrong = wrong_field(details, FIELDS[name])
        reason = "bad_command" if wrong else refusal(name, self.situation, action)
        if not reason:
            if details.get("contact", desk.contact) != desk.contact and name != "ring":
                reason = "no_such_contact"
            elif action == "offer_next" and desk.intended and desk.intended[0] == "not_ready":
                reason = "not_ready"
        if not reason:
            self._do(action, details)
        elif not self._stopped("refuse"):  # in the reserve there is no room for an answer
            self._emit("command.refused", details, command=name, reason=reason, detail=wrong)

    def _badge(self, details):
        """details: (keyed hash or None, agent id or None[, method, or why it is refused])."""
        badge, agent = details[:2]
        if badge is None:
            self._no(None, "no_roster")
        elif agent is None:
            self._no(badge, details[2] if len(details) > 2 else "unknown_badge")
        else:
            self._do(cell("badge", self.situation), details)

    def _in_menu(self, name):
        """Keys of an open list; True when the key was one of them."""
        menu = self.menu
        if not menu or self.message or self.desk.work == "offered" or name == "key2":
            return False
        self._touched()
        if name == "key1":
            if not menu.back() and not (self.desk.work == "wrapup" and menu.kind == "tree"):
                self.menu = None
        else:
            node = menu.choose(int(name[3]))
            if node and not self._stopped("typify" if menu.kind == "tree" else "choose"):
                self.menu = None
                self._chosen(menu.kind, node[0])
        return True
