"""The station's one state machine: an input comes in, events come out; it does no I/O.

The table says what an input does in each situation: the name of a method below, `!reason` to
refuse a command, or None. A situation is the presence while no call is on, else the work.
The caller appends the events to the journal in order and applies each to the desk.
"""

from lib.menus import Menu

SITUATIONS = (
    "logged_out not_ready ready offered dialing talking held wrapup closing".split()  # noqa: SIM905
)
TABLE = {
    # logged_out, not_ready, ready, offered, dialing, talking, held, wrapup, closing
    "key1": ". . . answer hang_up hang_up hang_up finish .",
    "key2": ". . . silence . mute . . .",
    "key3": ". go_ready choose_reason . connect typify typify . .",
    "key4": ". choose_reason dial . . hold resume . .",
    "key5": ". . . . . . . . .",
    "key6": ". . . . . intend intend intend .",
    "badge": "log_in relieve relieve deny deny deny deny leave deny",
    "limit": ". . . miss . . . time_out .",
    "power_back": ". . . interrupt interrupt interrupt interrupt . wrap_up",
    "ring": "!logged_out !not_ready offer !busy !busy !busy !busy offer_next !busy",
    "withdraw": "!gone !gone !gone withdraw !state !state !state !state !state",
    "answer": "!gone !gone !gone answer answer !state !state !state !state",
    "hold": "!gone !gone !gone !state !state hold !state !state !state",
    "resume": "!gone !gone !gone !state !state !state resume !state !state",
    "hangup": "!gone !gone !gone !state hang_up hang_up hang_up !state !state",
    "presence": "!logged_out set set want want want want want !busy",
    "text": "show show show !busy !busy show show show !busy",
}
_REASONS = {"gone": "no_such_contact", "state": "wrong_state"}  # the others as they stand
# what may still be done when only the journal's reserve is left: it ends something
_ENDING = (  # noqa: SIM905
    "hang_up withdraw miss time_out finish leave relieve silence interrupt wrap_up deny typify "
    "acknowledge turn"
).split()
_FIELDS = {
    # command: its text fields: bytes each may have (negative: may be missing), or its values
    "ring": (("contact", 64), ("direction", ("in", "out")), ("queue", -64), ("pbx", -64)),
    "withdraw": (
        ("contact", 64),
        ("cause", ("no_answer", "caller_gave_up", "withdrawn", "rejected", "technical")),
    ),
    "answer": (("contact", 64),),
    "hold": (("contact", 64),),
    "resume": (("contact", 64),),
    "hangup": (("contact", 64), ("by", ("agent", "caller", "system"))),
    "presence": (("to", ("not_ready",)), ("reason", 64)),
    "text": (("m", 64), ("text", 320)),
}
COMMANDS = tuple(_FIELDS)
TIMEOUT_CODE = "SIN_TIPIFICAR"
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
        self.menu = None
        self.message = None  # (id, text) that waits for the agent's «Leído»
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
        action = self._cell(name)
        if action == "typify" and (self.desk.code or not self.config.tree):
            return None
        if action == "finish" and not self.desk.code and self.config.tree:
            return None
        return action

    def _cell(self, name):
        action = TABLE[name].split()[SITUATIONS.index(self.situation)]
        return None if action == "." else action

    def handle(self, name, u, details=None):
        """Events (without b, u, t) that input `name` at `u` causes."""
        self._u = u
        self._out = []
        if name == "tick":
            self._tick()
        elif name in ("long3", "long4"):
            self.volume += 1 if name == "long4" else -1
        elif name in _FIELDS:
            self._command(name, details)
        elif name == "badge":
            self._badge(details)
        elif name == "bad_read":
            self._no(None, "bad_read")
        elif not self._in_menu(name):
            self._do(self.action(name), None)
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
            self._do(self._cell("power_back"), None)
        return self._out

    def refresh(self):
        """After the events were applied: open or close the list that goes with the situation."""
        desk = self.desk
        if desk.work == "wrapup":
            if self.menu is None and not desk.code and self.config.tree:
                self._open("tree", self.config.tree, False)
            elif desk.code and self.menu and self.menu.kind == "tree":
                self.menu = None
        elif self.menu and not self._menu_fits():
            self.menu = None
        if desk.work != "offered":
            self.silenced = False

    def _menu_fits(self):
        kind = self.menu.kind
        if kind == "reasons":
            return self.situation in ("ready", "not_ready")
        return self.desk.work in ("talking", "held") and not (kind == "tree" and self.desk.code)

    def deadline(self):
        """`u` at which a tick is due, or None."""
        due = []
        desk = self.desk
        if desk.work == "offered":
            due.append(desk.offered_at + self.config.ring_limit_ms)
        elif desk.work == "wrapup":
            due.append(self._wrapup_began() + self.config.wrapup_limit_ms)
        if self.menu and self._menu_until is not None:
            due.append(self._menu_until)
        if self.notice:
            due.append(self._notice_until)
        return min(due) if due else None

    def _wrapup_began(self):
        return max(self.desk.since, 0)

    def _tick(self):
        u = self._u
        if self.notice and u >= self._notice_until:
            self.notice = None
        if self.menu and self._menu_until is not None and u >= self._menu_until:
            self.menu = None
        desk = self.desk
        if (desk.work == "offered" and u >= desk.offered_at + self.config.ring_limit_ms) or (
            desk.work == "wrapup" and u >= self._wrapup_began() + self.config.wrapup_limit_ms
        ):
            self._do(self.action("limit"), None)

    def _do(self, action, details):
        if action is None:
            return
        if self.full and action not in _ENDING:
            self.notify("journal_full")
            return
        getattr(self, "_" + action)(details)

    def notify(self, word, argument=""):
        """Show a word of the catalogue on the detail line for a few seconds."""
        self.notice = (word, argument)
        self._notice_until = self._u + _NOTICE_MS

    # ------------------------------------------------------------------ commands

    def _command(self, name, details):
        wrong = _check(details, _FIELDS[name])
        if wrong:
            self.refuse(details, "bad_command", wrong)
            return
        action = self._cell(name)
        if self.full and action not in _ENDING:
            self.notify("journal_full")  # no answer: there is no room left to write one
            return
        about_call = name not in ("ring", "presence", "text")
        if action[0] != "!" and about_call and details["contact"] != self.desk.contact:
            action = "!gone"
        if action == "offer_next" and self.desk.intended and self.desk.intended[0] != "ready":
            action = "!not_ready"
        if action[0] == "!":
            self.refuse(details, _REASONS.get(action[1:], action[1:]), "")
        else:
            self._do(action, details)

    def refuse(self, details, reason, detail):
        self._emit(
            {"k": "command.refused", "command": details["cmd"], "reason": reason,
             "detail": detail[:120]},
            details,
        )  # fmt: skip

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

    def _via(self, command):
        return "key" if command is None else "host"

    # ------------------------------------------------------------------ session and presence

    def _badge(self, details):
        """details: (keyed hash or None, agent id or None)."""
        badge, agent = details
        if badge is None:
            self._no(None, "no_roster")
        elif agent is None:
            self._no(badge, "unknown_badge")
        else:
            self.menu = None if self.desk.work == "idle" else self.menu
            self._do(self.action("badge"), details)

    def _no(self, badge, reason):
        if self.full:
            self.notify("journal_full")
            return
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
        own = details[1] == self.desk.agent
        self._log_out("agent" if own else "relieved")
        if own:
            self.notify("goodbye")
        elif not self.full:
            self._log_in(details)

    def _log_out(self, reason):
        self._emit({"k": "session.closed", "a": self.desk.agent, "reason": reason, "by": "agent"})
        why = "logout" if reason == "agent" else reason
        self._presence("logged_out", why, "agent" if reason == "agent" else "system")

    def _leave(self, details):
        if details[1] != self.desk.agent:
            self._deny(details)
            return
        self._end_wrapup("session_closed", stay=False)
        self._log_out("agent")
        self.notify("goodbye")

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
            self._open("reasons", self.config.reasons, False)
        elif self.desk.presence == "ready":
            self._presence("not_ready", "auxiliar", "agent")

    def _intend(self, _details):
        self._open("intend", [["", self.ready_label]] + self.config.reasons, True)

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
        self._end_wrapup("next_contact", stay=False)
        self._offer(command)

    def _dial(self, _details):
        self._contact("dialed", via="key", direction="out")
        self._out[-1]["c"] = self._new_contact()

    def _connect(self, _details):
        self._answer(None)

    def _answer(self, command):
        waited = self._u - self.desk.offered_at
        self._contact("answered", command, via=self._via(command), ring_ms=waited)

    def _silence(self, _details):
        self.silenced = True

    def _withdraw(self, command):
        waited = self._u - self.desk.offered_at
        self._contact("missed", command, cause=command["cause"], ring_ms=waited)
        if command["cause"] == "no_answer":
            self._presence("not_ready", "no_answer", "system")
        else:
            self._settle()

    def _miss(self, _details):
        self._contact("missed", cause="no_answer", ring_ms=self._u - self.desk.offered_at)
        self._presence("not_ready", "no_answer", "system")
        self.notify("missed")

    def _hold(self, command):
        self._contact("held", command, via=self._via(command))

    def _resume(self, command):
        self._contact("resumed", command, via=self._via(command))

    def _mute(self, _details):
        self._contact("unmuted" if self.desk.muted else "muted", via="key")

    def _hang_up(self, command):
        by = "agent" if command is None else command["by"]
        held = self.desk.work == "held"
        if self.desk.work == "dialing":  # nobody answered: nothing to wrap up
            self._contact("ended", command, by=by, on_hold=False, dial_result="no_answer")
            self._settle()
        else:
            self._contact("ended", command, by=by, on_hold=held)
            self._wrap_up(None)

    def _interrupt(self, _details):
        """The power went in the middle of a call; the session goes on."""
        if self.desk.work == "offered":
            self._contact("missed", cause="technical", ring_ms=0)
            self._settle()
        else:
            self._hang_up({"by": "interrupted"})

    # ------------------------------------------------------------------ wrap-up

    def _wrap_up(self, _details):
        self._menu_until = None  # a tree opened in the call stays where it is
        self._emit({"k": "wrapup.started", "a": self.desk.agent, "c": self.desk.contact})

    def _typify(self, _details):
        self._open("tree", self.config.tree, True)

    def _typified(self, code, how):
        self._contact("typified", code=code, version=self.config.tree_version, how=how)

    def _finish(self, _details):
        self._end_wrapup("agent")

    def _time_out(self, _details):
        if not self.desk.code:
            self._typified(TIMEOUT_CODE, "timeout")
        self._end_wrapup("timeout")

    def _end_wrapup(self, cause, stay=True):
        self.menu = None
        self._emit(
            {"k": "wrapup.ended", "a": self.desk.agent, "c": self.desk.contact, "cause": cause}
        )
        if stay:
            self._settle()

    # ------------------------------------------------------------------ lists and messages

    def _open(self, kind, nodes, closes):
        self.menu = Menu(kind, nodes)
        self._menu_until = self._u + _MENU_MS if closes else None

    def _in_menu(self, name):
        """Keys of an open list; True when the key was one of them."""
        menu = self.menu
        shown = menu and not self.message and self.desk.work != "offered"
        if not shown or name == "key2":
            return False
        if self._menu_until is not None:
            self._menu_until = self._u + _MENU_MS
        if name == "key1":
            if not menu.back() and not (self.desk.work == "wrapup" and menu.kind == "tree"):
                self.menu = None
            return True
        node = menu.choose(int(name[3]))
        if node is not None:
            self._chosen(menu.kind, node)
        return True

    def _chosen(self, kind, node):
        if self.full and kind != "tree":
            self.notify("journal_full")
            return
        self.menu = None
        if kind == "reasons":
            self._presence("not_ready", node[0], "agent")
        elif kind == "intend":
            if node[0]:
                self._wanted("not_ready", node[0])
            else:
                self._wanted("ready", None)
        else:
            self._typified(node[0], "agent")
            if self.desk.work == "wrapup":
                self._end_wrapup("typified")

    def _show(self, command):
        self.message = (command["m"], command["text"])
        self.message_page = 0
        self._emit({"k": "message.shown", "a": self.desk.agent, "m": command["m"]}, command)

    def _turn(self, _details):
        self.message_page = (self.message_page + 1) % self.message_pages

    def _acknowledge(self, _details):
        self._emit({"k": "message.acknowledged", "a": self.desk.agent, "m": self.message[0]})
        self.message = None


def _check(details, fields):
    """What is wrong with a command's fields, "" when nothing is."""
    for name, limit in fields:
        value = details.get(name)
        if isinstance(limit, tuple):
            if value not in limit:
                return "{}: one of {}".format(name, ", ".join(limit))
        elif value is None:
            if limit > 0:
                return "{}: missing".format(name)
        elif not isinstance(value, str) or not 0 < len(value.encode()) <= abs(limit):
            return "{}: text of 1 to {} bytes".format(name, abs(limit))
        elif min(value) < " ":
            return "{}: has a control character".format(name)
    return ""
