"""What the actions of `lib.transitions` are made of: events, notices and lists; and the agent's
presence. The rooms of actions (`lib.do_…`) use the same words.
"""

from lib.menus import Menu
from lib.transitions import ENDING, IN_CALL
from micropython import const

_MENU_MS = const(8_000)
_NOTICE_MS = const(3_000)
YES_NO = [["yes", "yes"], ["no", "no"]]  # for `open_words`

MYPY = const(False)
if MYPY:
    from lib.message import Message


class Actions:
    rooms: dict = {}  # by name, the modules with actions of several words; `lib.states` gives them

    def __init__(self, desk, config, new_contact, name_of):
        self.desk = desk
        self.config = config
        self.new_contact = new_contact
        self.name_of = name_of  # [s, e, n] of our event n
        self.provisional = True  # no host frame heard in this boot yet
        self.full = False  # only the journal's reserve is left
        self.menu: "Menu | None" = None  # the open list
        self.message: "Message | None" = None  # the text that waits for the agent's «Leído»
        self.texts = []  # all that wait, those set aside too; the newest is the last
        self.turn = None  # (of, ahead, to) of a request for help, as the host told last
        self.done_questions = []  # n of requests and faults that the agent is asked about no more
        self.notice = None  # (word, argument) for a few seconds
        self.silenced = False
        self.marks = {}  # newest marks at any desk, as the host tells; like those of the desk
        self.fresh = None  # whose shift began with the last mark here, until the first login
        self.utc = lambda u: None  # UTC milliseconds at u, None while unknown
        self.slow = None  # a page whose PIN is to be checked; its answer is pin_checked
        self.words = {}  # of the language in use, for lists that mix in the site's own
        self.link = "lost"  # how the uplink is
        self.firmware = None  # our version
        self.hears = False  # this board can measure a voice
        self.volume = 0  # steps asked for since the last look
        self.levels = None  # (volume %, microphone dB, sidetone %), where there is a codec
        self.gone = None  # (who, u) of the last SALIDA
        self.prefs = {}  # what the agent wishes to be otherwise than usual at this desk
        self.preferred = False  # and it changed
        self.u = 0
        self._closes_at = None
        self._notice_until = 0
        self._out = []

    def do(self, action, *arguments):
        """A room's part, `room.name`; what that answers."""
        room, _, name = action.partition(".")
        return getattr(self.rooms[room], name)(self, *arguments)

    def stopped(self, action):
        """True when only the journal's reserve is left and `action` ends nothing."""
        if self.full and action not in ENDING:
            self.notify("journal_full")
            return True
        return False

    def notify(self, word, argument=""):
        """Show a word of the catalogue on the detail line for a few seconds."""
        self.notice = (word, argument)
        self._notice_until = self.u + _NOTICE_MS

    def prefer(self, name, value):
        """The agent wishes a setting to be so."""
        self.prefs[name] = value
        self.preferred = True

    def emit(self, k, details=None, **fields):
        """An event; `details` of the details that it answers, if it does."""
        fields["k"] = k
        if details and "i" in details:
            fields["i"] = details["i"]
        self._out.append(fields)

    def said(self, k, details=None, **fields):
        """An event about the agent."""
        if self.desk.agent is not None:
            fields["a"] = self.desk.agent
        self.emit(k, details, **fields)

    def contact(self, k, details=None, **fields):
        """An event about the agent's contact."""
        self.said(k, details, c=self.desk.contact, **fields)

    def refuse(self, details, reason, detail=""):
        """Answer a command with why it is not done."""
        if not self.stopped("refuse"):  # in the reserve there is no room for an answer
            name = details["cmd"][:24]
            self.emit("command.refused", details, command=name, reason=reason, detail=detail)

    # ------------------------------------------------------------------ presence

    def presence(self, to, reason, by, who=None, note=None, details=None):
        if by == "agent":
            self.notice_seen()
        more = {"from": self.desk.presence}
        if who:
            more["who"] = who
        if note:
            more["note"] = note
        self.said("presence.changed", details, to=to, reason=reason, by=by, **more)

    def notice_seen(self, details=None):
        """The agent has seen the change that somebody else made."""
        if self.desk.foreign:
            self.said("notice.acknowledged", of=self.name_of(self.desk.foreign[0]))

    _seen = notice_seen

    def _go_ready(self, details):
        if "telephone" in self.desk.faults:
            self.notify("no_phone")
        else:
            self.presence("ready", None, "agent")

    def _set(self, details):
        who, note = details.get("who"), details.get("note")
        self.presence("not_ready", details["reason"], "supervisor", who, note, details)

    def _choose_reason(self, details):
        if self.config.reasons:
            self.open_list("reasons", self.config.reasons, _reason_chosen, "idle")
        elif self.desk.presence == "ready":
            self.presence("not_ready", "auxiliar", "agent")

    def _intend(self, details):
        nodes = [[None, self.words["go_ready"]]] + self.config.reasons
        self.open_list("intend", nodes, _intention_chosen, IN_CALL + " dialing wrapup")

    def _want(self, details):
        self.wanted("not_ready", details["reason"], details)
        self.notify("next", self.config.reason_label(details["reason"]))

    def wanted(self, to, reason, details=None, **more):
        for name in ("who", "note"):
            if details and details.get(name):
                more[name] = details[name]
        self.said("presence.intended", details, to=to, reason=reason, **more)

    def settle(self):
        """The work is over: what the agent asked for meanwhile takes effect, or what they lack."""
        desk = self.desk
        intended = desk.intended
        if desk.leaving or (intended and intended[0] == "logged_out"):
            if desk.open:
                self.do("session.end")
        elif intended and desk.open and intended[:2] != [desk.presence, desk.reason]:
            self.presence(*intended)
        elif "telephone" in desk.faults and desk.presence == "ready":
            self.presence("not_ready", "fault", "system")

    # ------------------------------------------------------------------ lists

    def open_list(self, kind, nodes, then, works="", deep=False):
        self.open(Menu(kind, nodes, then, works, deep))

    def open_words(self, kind, nodes, then, works=""):
        """A list whose labels are words of the catalogue, if there is something to choose."""
        if nodes:
            menu = Menu(kind, nodes, then, works)
            menu.said = True
            self.open(menu)

    def open(self, menu, closes_ms=None):
        """Show a list. It closes by itself after `closes_ms` without a key of its, in a call after
        eight seconds.
        """
        self.menu = menu
        if closes_ms is None and self.desk.work not in ("idle", "wrapup"):
            closes_ms = _MENU_MS
        menu.closes_ms = closes_ms
        self.touched()

    def touched(self):
        """A list that closes by itself stays open while its keys are used."""
        if self.menu:
            closes_ms = self.menu.closes_ms
            self._closes_at = closes_ms and self.u + closes_ms


def act_chosen(station, node):
    """Of a list whose codes are actions of the table, and may have details."""
    station.act(node[0], node[2] if len(node) > 2 else None)


def _reason_chosen(station, node):
    station.presence("not_ready", node[0], "agent")


def _intention_chosen(station, node):
    station.wanted("not_ready" if node[0] else "ready", node[0])
