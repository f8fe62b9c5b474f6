"""The station's one state machine: an input comes in, events come out; it does no I/O.

`lib.transitions` says what an input does in each situation: the name of a method here. The caller
appends the events to the journal in order and applies each to the desk, then calls `refresh`.
"""

from lib.menus import Menu
from lib.transitions import ENDING, FIELDS, cell, refusal, wrong_field

_MESSAGE_KEYS = {"key3": None, "key4": None, "key5": "turn", "key6": "acknowledge"}
_MENU_MS = 8_000
_NOTICE_MS = 3_000


class Station:
    """`desk` is read here, changed by events only; `new_contact()` names a call begun by key."""

    def __init__(self, desk, config, new_contact):
        self.desk = desk
        self.config = config
        self._new_contact = new_contact
        self.provisional = True  # no host frame heard in this boot yet
        self.full = False  # only the journal's reserve is left
        self.menu: "Menu | None" = None
        self.message: "tuple[str, str] | None" = (
            None  # (id, text) that waits for the agent's «Leído»
        )
        self.message_page = 0
        self.message_pages = 1  # told by the screen, which knows how wide the words are
        self.notice = None  # (word, argument) for a few seconds
        self.silenced = False
        self.ready_label = "Disp."  # the list of intentions begins with it
        self.volume = 0  # steps asked for since the last look
        self._menu_until = None
        self._notice_until = 0
        self._u = 0
        self._out = []

    # ------------------------------------------------------------------ the way in

    @property
    def situation(self):
        return self.desk.presence if self.desk.work == "idle" else self.desk.work

    def action(self, name):
        """What input `name` does now, None for nothing; also what a soft label says."""
        if self.message and self.desk.work != "offered" and name in _MESSAGE_KEYS:
            return _MESSAGE_KEYS[name] if name != "key5" or self.message_pages > 1 else None
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

    def _limit(self):
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
            self._limit(), self._menu_until if self.menu else None,
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
        limit = self._limit()
        if limit is not None and u >= limit:
            self._do("miss" if self.desk.work == "offered" else "time_out")

    def _do(self, action, details=None):
        if action and not self._stopped(action):
            getattr(self, "_" + action)(details)

    def _stopped(self, action):
        """True when only the journal's reserve is left and `action` ends nothing."""
        if self.full and action not in ENDING:
            self.notify("journal_full")
            return True
        return False

    def notify(self, word, argument=""):
        """Show a word of the catalogue on the detail line for a few seconds."""
        self.notice = (word, argument)
        self._notice_until = self._u + _NOTICE_MS

    # ------------------------------------------------------------------ commands

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
            self._emit(
                {"k": "command.refused", "command": name, "reason": reason, "detail": wrong},
                details,
            )

    def _emit(self, event, command=None):
        if command and "i" in command:
            event["i"] = command["i"]
        if event.get("a", "") is None:
            del event["a"]
        self._out.append(event)

    def _contact(self, kind, command=None, **fields):
        fields["k"] = "contact." + kind
        fields["a"] = self.desk.agent
        fields["c"] = self.desk.contact
        self._emit(fields, command)

    # ------------------------------------------------------------------ session and presence

    def _badge(self, details):
        """details: (keyed hash or None, agent id or None)."""
        badge, agent = details
        if badge is None:
            self._no(None, "no_roster")
        elif agent is None:
            self._no(badge, "unknown_badge")
        else:
            self._do(cell("badge", self.situation), details)

    def _no(self, badge, reason):
        if not self._stopped(reason):
            self._emit({"k": "session.denied", "badge": badge, "reason": reason})
            self.notify(reason)

    def _deny(self, details):
        self._no(details[0], "in_call")

    def _log_in(self, details):
        agent = details[1]
        self._emit(
            {"k": "session.opened", "a": agent, "method": "badge", "provisional": self.provisional}
        )
        self._presence("not_ready", "login", "system", agent=agent, since="logged_out")
        self.notify("hello", self.config.name_of(agent))

    def _relieve(self, details):
        """The agent's own badge logs out; another's ends this session and opens its own."""
        self.menu = None
        if details[1] == self.desk.agent:
            self._log_out("agent", "logout", "agent")
        else:
            self._log_out("relieved", "relieved", "system")
            if not self.full:
                self._log_in(details)

    def _log_out(self, why, reason, by):
        self._emit({"k": "session.closed", "a": self.desk.agent, "reason": why, "by": "agent"})
        self._presence("logged_out", reason, by)
        self.notify("goodbye")

    def _leave(self, details):
        if details[1] != self.desk.agent:
            self._deny(details)
            return
        self._close_wrapup("session_closed")
        self._log_out("agent", "logout", "agent")

    def _presence(self, to, reason, by, command=None, agent=None, since=None):
        self._emit(
            {"k": "presence.changed", "a": agent or self.desk.agent,
             "from": since or self.desk.presence, "to": to, "reason": reason, "by": by},
            command,
        )  # fmt: skip

    def _go_ready(self, _details):
        self._presence("ready", None, "agent")

    def _set(self, command):
        self._presence("not_ready", command["reason"], "supervisor", command)

    def _choose_reason(self, _details):
        if self.config.reasons:
            self._open("reasons", self.config.reasons)
        elif self.desk.presence == "ready":
            self._presence("not_ready", "auxiliar", "agent")

    def _intend(self, _details):
        self._open("intend", [[None, self.ready_label]] + self.config.reasons, _MENU_MS)

    def _want(self, command):
        self._wanted("not_ready", command["reason"], command)

    def _wanted(self, to, reason, command=None):
        self._emit(
            {"k": "presence.intended", "a": self.desk.agent, "to": to, "reason": reason}, command
        )

    def _settle(self):
        """The work is over: what the agent asked for meanwhile takes effect."""
        intended = self.desk.intended
        if intended and self.desk.open and intended[:2] != [self.desk.presence, self.desk.reason]:
            self._presence(intended[0], intended[1], intended[2])

    # ------------------------------------------------------------------ calls

    def _offer(self, command):
        self._contact(
            "offered", command, via="host", direction=command["direction"],
            queue=command.get("queue"), pbx=command.get("pbx"),
        )  # fmt: skip
        self._out[-1]["c"] = command["contact"]
        self.menu = self.notice = None

    def _offer_next(self, command):
        self._close_wrapup("next_contact")
        self._offer(command)

    def _dial(self, _details):
        self._contact("dialed", via="key", direction="out")
        self._out[-1]["c"] = self._new_contact()

    def _answer(self, command):
        self._contact("answered", command, via=_via(command), ring_ms=self._waited())

    def _waited(self):
        return self._u - self.desk.offered_at

    def _silence(self, _details):
        self.silenced = True

    def _withdraw(self, command):
        self._missed(command["cause"], command)

    def _miss(self, _details):
        self._missed("no_answer")
        self.notify("missed")

    def _missed(self, cause, command=None):
        self._contact("missed", command, cause=cause, ring_ms=self._waited())
        if cause == "no_answer":
            self._presence("not_ready", cause, "system")
        else:
            self._settle()

    def _hold(self, command):
        self._contact("held", command, via=_via(command))

    def _resume(self, command):
        self._contact("resumed", command, via=_via(command))

    def _mute(self, _details):
        self._contact("unmuted" if self.desk.muted else "muted", via="key")

    def _hang_up(self, command):
        by = command["by"] if command else "agent"
        work = self.desk.work
        if work == "dialing":  # nobody answered: nothing to wrap up
            self._contact("ended", command, by=by, on_hold=False, dial_result="no_answer")
            self._settle()
        else:
            self._contact("ended", command, by=by, on_hold=work == "held")
            self._wrap_up(None)

    def _interrupt(self, _details):
        """The power went in the middle of a call; the session goes on."""
        if self.desk.work == "offered":
            self._u = self.desk.offered_at  # how long it rang is not known
            self._missed("technical")
        else:
            self._hang_up({"by": "interrupted"})

    # ------------------------------------------------------------------ wrap-up

    def _wrap_up(self, _details):
        self._menu_until = None  # a tree opened in the call stays where it is
        self._emit({"k": "wrapup.started", "a": self.desk.agent, "c": self.desk.contact})

    def _typify(self, _details):
        self._open("tree", self.config.tree, _MENU_MS)

    def _typified(self, code, how):
        self._contact("typified", code=code, version=self.config.tree_version, how=how)

    def _finish(self, _details):
        self._end_wrapup("agent")

    def _time_out(self, _details):
        if not self.desk.code:
            self._typified("SIN_TIPIFICAR", "timeout")
        self._end_wrapup("timeout")

    def _end_wrapup(self, cause):
        self._close_wrapup(cause)
        self._settle()

    def _close_wrapup(self, cause):
        self.menu = None
        self._emit(
            {"k": "wrapup.ended", "a": self.desk.agent, "c": self.desk.contact, "cause": cause}
        )

    # ------------------------------------------------------------------ lists and messages

    def _open(self, kind, nodes, closes_ms=None):
        self.menu = Menu(kind, nodes)
        self._menu_until = closes_ms and self._u + closes_ms

    def _in_menu(self, name):
        """Keys of an open list; True when the key was one of them."""
        menu = self.menu
        if not menu or self.message or self.desk.work == "offered" or name == "key2":
            return False
        if self._menu_until is not None:
            self._menu_until = self._u + _MENU_MS
        if name == "key1":
            if not menu.back() and not (self.desk.work == "wrapup" and menu.kind == "tree"):
                self.menu = None
        else:
            node = menu.choose(int(name[3]))
            if node and not self._stopped("typify" if menu.kind == "tree" else "choose"):
                self.menu = None
                self._chosen(menu.kind, node[0])
        return True

    def _chosen(self, kind, code):
        if kind == "reasons":
            self._presence("not_ready", code, "agent")
        elif kind == "intend":
            self._wanted("not_ready" if code else "ready", code)
        else:
            self._typified(code, "agent")
            if self.desk.work == "wrapup":
                self._end_wrapup("typified")

    def _show(self, command):
        self.message = (command["m"], command["text"])
        self.message_page = 0
        self._emit({"k": "message.shown", "a": self.desk.agent, "m": command["m"]}, command)

    def _turn(self, _details):
        self.message_page = (self.message_page + 1) % self.message_pages

    def _acknowledge(self, _details):
        name = self.message[0] if self.message else ""
        self._emit({"k": "message.acknowledged", "a": self.desk.agent, "m": name})
        self.message = None


def _via(command):
    return "host" if command else "key"
