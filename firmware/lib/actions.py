"""What each action of `lib.transitions` does: the events it answers with, and what it does to the
lists and notices that go with them. `Station` is made of it; an action is the method `_name`.
"""

from lib.menus import Menu
from lib.once import forget
from lib.transitions import ENDING
from micropython import const

_MENU_MS = 8_000
_NOTICE_MS = 3_000

MYPY = const(False)
if MYPY:
    from lib.message import Message


class Actions:
    def __init__(self, desk, config, new_contact):
        self.desk = desk
        self.config = config
        self._new_contact = new_contact
        self.provisional = True  # no host frame heard in this boot yet
        self.full = False  # only the journal's reserve is left
        self.menu: "Menu | None" = None  # the open list
        self.message: "Message | None" = None  # the text that waits for the agent's «Leído»
        self.notice = None  # (word, argument) for a few seconds
        self.silenced = False
        self.ready_label = "Disp."  # the list of intentions begins with it
        self.volume = 0  # steps asked for since the last look
        self._menu_until = None
        self._notice_until = 0
        self._u = 0
        self._out = []

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

    def _emit(self, kind, details=None, **fields):
        """An event; `details` of the details that it answers, if it does."""
        fields["k"] = kind
        if details and "i" in details:
            fields["i"] = details["i"]
        self._out.append(fields)

    def _said(self, kind, details=None, **fields):
        """An event about the agent."""
        if self.desk.agent is not None:
            fields["a"] = self.desk.agent
        self._emit(kind, details, **fields)

    def _contact(self, kind, details=None, **fields):
        """An event about the agent's contact."""
        self._said(kind, details, c=self.desk.contact, **fields)

    # ------------------------------------------------------------------ session and presence

    def _no(self, badge, reason):
        if not self._stopped(reason):
            self._emit("session.denied", badge=badge, reason=reason)
            self.notify(reason)

    def _deny(self, details):
        self._no(details[0], "in_call")

    def _log_in(self, details):
        agent = details[1]
        method = details[2] if len(details) > 2 else "badge"
        self._emit("session.opened", a=agent, method=method, provisional=self.provisional)
        self._emit(
            "presence.changed", a=agent, to="not_ready", reason="login", by="system",
            **{"from": "logged_out"},
        )  # fmt: skip
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
        self._said("session.closed", reason=why, by="agent")
        self._presence("logged_out", reason, by)
        self.notify("goodbye")

    def _leave(self, details):
        if details[1] != self.desk.agent:
            self._deny(details)
            return
        self._close_wrapup("session_closed")
        self._log_out("agent", "logout", "agent")

    def _presence(self, to, reason, by, details=None):
        before = {"from": self.desk.presence}
        self._said("presence.changed", details, to=to, reason=reason, by=by, **before)

    def _go_ready(self, details):
        self._presence("ready", None, "agent")

    def _set(self, details):
        self._presence("not_ready", details["reason"], "supervisor", details)

    def _choose_reason(self, details):
        if self.config.reasons:
            self._open("reasons", self.config.reasons)
        elif self.desk.presence == "ready":
            self._presence("not_ready", "auxiliar", "agent")

    def _intend(self, details):
        self._open("intend", [[None, self.ready_label]] + self.config.reasons, _MENU_MS)

    def _want(self, details):
        self._wanted("not_ready", details["reason"], details)

    def _wanted(self, to, reason, details=None):
        self._said("presence.intended", details, to=to, reason=reason)

    def _settle(self):
        """The work is over: what the agent asked for meanwhile takes effect."""
        intended = self.desk.intended
        if intended and self.desk.open and intended[:2] != [self.desk.presence, self.desk.reason]:
            self._presence(*intended)

    # ------------------------------------------------------------------ calls

    def _offer(self, details):
        get = details.get
        self._said(
            "contact.offered", details, via="host", c=details["contact"],
            direction=details["direction"], queue=get("queue"), pbx=get("pbx"),
        )  # fmt: skip
        self.menu = self.notice = None

    def _offer_next(self, details):
        self._close_wrapup("next_contact")
        self._offer(details)

    def _dial(self, details):
        self._said("contact.dialed", via="key", c=self._new_contact(), direction="out")

    def _answer(self, details):
        self._contact("contact.answered", details, via=_via(details), ring_ms=self._waited())

    def _waited(self):
        return self._u - self.desk.offered_at

    def _silence(self, details):
        self.silenced = True

    def _withdraw(self, details):
        self._missed(details["cause"], details)

    def _miss(self, details):
        self._missed("no_answer")
        self.notify("missed")

    def _missed(self, cause, details=None):
        self._contact("contact.missed", details, cause=cause, ring_ms=self._waited())
        if cause == "no_answer":
            self._presence("not_ready", cause, "system")
        else:
            self._settle()

    def _hold(self, details):
        self._contact("contact.held", details, via=_via(details))

    def _resume(self, details):
        self._contact("contact.resumed", details, via=_via(details))

    def _mute(self, details):
        self._contact("contact.unmuted" if self.desk.muted else "contact.muted", via="key")

    def _hang_up(self, details):
        work = self.desk.work
        ended = {"by": details["by"] if details else "agent", "on_hold": work == "held"}
        if work == "dialing":  # nobody answered: nothing to wrap up
            ended["dial_result"] = "no_answer"
        self._contact("contact.ended", details, **ended)
        if work == "dialing":
            self._settle()
        else:
            self._wrap_up(None)

    def _interrupt(self, details):
        """The power went in the middle of a call; the session goes on."""
        if self.desk.work == "offered":
            self._u = self.desk.offered_at  # how long it rang is not known
            self._missed("technical")
        else:
            self._hang_up({"by": "interrupted"})

    # ------------------------------------------------------------------ wrap-up

    def _wrap_up(self, details):
        self._menu_until = None  # a tree opened in the call stays where it is
        self._contact("wrapup.started")

    def _typify(self, details):
        self._open("tree", self.config.tree, _MENU_MS)

    def _typified(self, code, how):
        self._contact("contact.typified", code=code, version=self.config.tree_version, how=how)

    def _finish(self, details):
        self._end_wrapup("agent")

    def _time_out(self, details):
        if not self.desk.code:
            self._typified("SIN_TIPIFICAR", "timeout")
        self._end_wrapup("timeout")

    def _end_wrapup(self, cause):
        self._close_wrapup(cause)
        self._settle()

    def _close_wrapup(self, cause):
        self.menu = None
        self._contact("wrapup.ended", cause=cause)

    # ------------------------------------------------------------------ lists and messages

    def _open(self, kind, nodes, closes_ms=None):
        self.menu = Menu(kind, nodes)
        self._menu_until = closes_ms and self._u + closes_ms

    def _touched(self):
        """A list that closes by itself stays open while its keys are used."""
        if self._menu_until is not None:
            self._menu_until = self._u + _MENU_MS

    def _chosen(self, kind, code):
        if kind == "reasons":
            self._presence("not_ready", code, "agent")
        elif kind == "intend":
            self._wanted("not_ready" if code else "ready", code)
        else:
            self._typified(code, "agent")
            if self.desk.work == "wrapup":
                self._end_wrapup("typified")

    def _show(self, details):
        from lib.message import Message

        self.message = Message(details["m"], details["text"])
        self._said("message.shown", details, m=details["m"])

    def _turn(self, details):
        if self.message:
            self.message.turn()

    def _acknowledge(self, details):
        if self.message:
            self._said("message.acknowledged", m=self.message.name)
        self.message = None
        forget("message")


def _via(details):
    return "host" if details else "key"
