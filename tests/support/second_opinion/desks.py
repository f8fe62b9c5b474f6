"""What stations told of who sat at them: sessions, what was shown from moment to moment, and calls
for help and for repair. Milliseconds of UTC.
"""

from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

STATES = ("talking", "held", "consulting", "dialing", "wrapup", "offered", "not_ready", "ready",
          "off")  # fmt: skip
RANK = {state: rank for rank, state in enumerate(STATES)}
IN_CALL = ("offered", "dialing", "talking", "held", "consulting")


class Session:
    """`over`: it ended, at `close` where that hour is known. `heard`: somebody said how."""

    def __init__(self, s, agent, utc):
        self.s, self.agent, self.open = s, agent, utc
        self.close, self.over, self.heard = None, False, False


class Piece(NamedTuple):
    """What is shown of an agent in [start, end)."""

    agent: str
    start: int
    end: int
    state: str
    reason: str | None
    by: str | None
    session: Session


class Press:
    """A call for help or for repair. `technical`: since when it takes time."""

    def __init__(self, event, agent, kind, session):
        self.session = session
        self.s, self.agent, self.kind, self.open = event.s, agent, kind, event.utc
        self.key = event.s, event.e, event.n
        self.contact = self.area = self.part = self.cause = None
        self.accepted = self.closed = self.technical = None
        self.outcome = "open"


class Desks(NamedTuple):
    sessions: list[Session]
    pieces: list[Piece]
    presses: list[Press]


class _Desk:
    """Reads the journals of one station in their order."""

    def __init__(self, found):
        self.found = found
        self.session = None
        self.presence = ("logged_out", None, None)
        self.contacts = {}  # id: phase
        self.b = self.u = None
        self.base = None  # (u, utc) from which this boot is measured
        self.since = None  # (u, what is shown)
        self.last_utc = None
        self.taken = 0  # pieces before the newest answer
        self.presses = {}

    def read(self, events):
        for event in events:
            if event.k == "station.booted" or self.b not in (None, event.b):
                self._boot(event)
            elif self.base is None or event.k == "station.clock":
                self._cut(event.u)
                self.base = (event.u, event.utc) if event.utc is not None else None
                self.since = (event.u, self._shown()) if self.session else None
            self.b, self.u = event.b, event.u
            self._take(event)
            self._show(event)
            self.last_utc = self._utc(event.u)

    def formatted(self):
        """Another journal follows: whatever was going on here ended with what was heard last."""
        if self.session:
            self._close(self.u, heard=False)
        self.contacts, self.b = {}, None
        self.base = self.since = None

    def over(self):
        """No more of it is known."""
        if self.session and self.u is not None:
            self._cut(self.u)

    def _utc(self, u):
        return None if self.base is None else self.base[1] + u - self.base[0]

    def _boot(self, event):
        if self.session:
            self._cut(self.u)
            if None not in (self.last_utc, event.utc) and event.utc > self.last_utc:
                self._piece(self.last_utc, event.utc, ("off", None, None))
        self.base = (event.u, event.utc) if event.utc is not None else None
        self.since = (event.u, self._shown()) if self.session else None

    def _piece(self, start, end, shown):
        one = Piece(self.session.agent, start, end, *shown, self.session)
        self.found.pieces.append(one)

    def _cut(self, u):
        """What is shown until here is over, or goes on under another hour."""
        if self.since is not None and self.base is not None and u > self.since[0]:
            self._piece(self._utc(self.since[0]), self._utc(u), self.since[1])
        self.since = None

    def _show(self, event):
        if self.session is None:
            self.since = None
            return
        now = self._shown()
        if self.since is None or self.since[1] != now:
            self._cut(event.u)
            self.since = (event.u, now)

    def _shown(self):
        if self.contacts:
            phase = min(self.contacts.values(), key=RANK.__getitem__)
            return (phase, None, None)
        return self.presence

    def _close(self, u, *, heard):
        self._cut(u)
        self.session.close, self.session.over = self._utc(u), True
        self.session.heard = heard
        self.session, self.contacts = None, {}
        self.presence = ("logged_out", None, None)

    def _open(self, event):
        if self.session and self.session.agent == event.f["a"] and event.k != "session.opened":
            return
        if self.session:
            self._close(event.u, heard=False)
        self.session = Session(event.s, event.f["a"], event.utc)
        self.presence = ("not_ready", None, None)
        self.found.sessions.append(self.session)

    def _take(self, event):
        kind, _, what = event.k.partition(".")
        f = event.f
        match kind, what:
            case "session", "opened":
                self._open(event)
            case "session", "closed":
                if self.session:
                    self._close(event.u, heard=True)
            case "presence", "changed":
                if f["to"] == "logged_out":
                    return
                self._open(event)
                self.presence = (f["to"], f.get("reason"), f.get("by"))
                if f["to"] == "ready":
                    self.presence = ("ready", None, None)
            case "contact" | "wrapup", _:
                self._contact(what if kind == "contact" else f"wrapup_{what}", event)
            case "help" | "fault", _:
                self._press(kind, what, event)

    def _contact(self, what, event):
        c = event.f.get("c")
        if what in ("offered", "dialed"):
            self._open(event)
            self.contacts = {one: p for one, p in self.contacts.items() if p == "wrapup"}
        if c not in self.contacts and what not in ("offered", "dialed"):
            return
        match what:
            case "offered":
                self.contacts[c] = "offered"
            case "dialed":
                self.contacts[c] = "dialing"
            case "answered" | "resumed" | "transferred":
                self.contacts[c] = "talking"
                if what == "answered":
                    self._cut(event.u)
                    self.taken = len(self.found.pieces)
            case "held":
                self.contacts[c] = "held"
            case "consulted":
                talks = event.f.get("heard") in ("caller", "both")
                self.contacts[c] = "talking" if talks else "consulting"
            case "consult_ended":
                held = event.f.get("result") == "dropped"
                self.contacts[c] = "held" if held else "talking"
            case "missed":
                del self.contacts[c]
                self._call_over(c, event)
            case "ended" if event.f["by"] == "technical" and self.contacts[c] != "dialing":
                del self.contacts[c]
                self._never_talked()
                self._call_over(c, event)
            case "ended":
                if self.contacts[c] in ("offered", "dialing"):
                    del self.contacts[c]
                self._call_over(c, event)
            case "wrapup_started":
                self.contacts[c] = "wrapup"
            case "wrapup_ended":
                del self.contacts[c]

    def _never_talked(self):
        """What was shown as her talk of just now was a fault."""
        fault, pieces = ("not_ready", "fault", "system"), self.found.pieces
        for at in range(self.taken, len(pieces)):
            if pieces[at].state in IN_CALL[2:]:
                pieces[at] = pieces[at]._replace(state=fault[0], reason=fault[1], by=fault[2])
        if self.since is not None and self.since[1][0] in IN_CALL[2:]:
            self.since = (self.since[0], fault)

    def _call_over(self, c, event):
        for press in self.presses.values():
            waits = press.kind == "fault" and press.technical is None
            if waits and press.contact == c and press.closed is None:
                press.technical = event.utc

    def _press(self, kind, what, event):
        of = tuple(event.f.get("of") or ())
        if what in ("requested", "reported") and not of:
            agent = event.f.get("a") or (self.session.agent if self.session else None)
            press = Press(event, agent, kind, self.session)
            self.presses[event.s, event.e, event.n] = press
            self.found.presses.append(press)
            press.contact = event.f.get("c")
            press.area, press.part = event.f.get("area"), event.f.get("part")
            if kind == "fault" and self.contacts.get(press.contact) not in IN_CALL:
                press.technical = event.utc
            return
        press = self.presses.get(of)
        if press is None:
            return
        if what == "reported":
            press.area, press.part = event.f.get("area"), event.f.get("part")
        elif what == "accepted":
            press.accepted = press.accepted or event.utc
        elif what in ("resolved", "rejected", "cancelled") and press.closed is None:
            press.closed, press.outcome = event.utc, what
            press.cause = event.f.get("cause") or event.f.get("reason")


def read(given):
    found = Desks([], [], [])
    of_station = defaultdict(list)
    for (s, _), events in given.stations().items():
        of_station[s].append(events)
    for journals in of_station.values():
        desk = _Desk(found)
        journals.sort(key=lambda events: min((e.utc for e in events if e.utc is not None),
                                             default=1 << 62))  # fmt: skip
        for number, events in enumerate(journals):
            if number:
                desk.formatted()
            desk.read(events)
        desk.over()
    return found


def stretches(pieces):
    """Of one agent, in order, none over another: whole seconds, each in the foremost of the states
    that is shown somewhere in it; what follows alike is one.
    """
    whole = [
        (piece.start // 1000, piece.end // 1000, piece.state, piece.reason, piece.by)
        for piece in pieces
        if piece.start // 1000 < piece.end // 1000
    ]
    edges = sorted({edge for one in whole for edge in one[:2]})
    whole.sort(key=lambda one: one[0])
    found, running, at = [], [], 0
    for start, end in pairwise(edges):
        running = [one for one in running if one[1] > start]
        while at < len(whole) and whole[at][0] <= start:
            running.append(whole[at])
            at += 1
        if not running:
            continue
        shown = min(running, key=lambda one: RANK[one[2]])[2:]
        if found and found[-1][1] == start and found[-1][2:] == shown:
            found[-1] = (found[-1][0], end, *shown)
        else:
            found.append((start, end, *shown))
    return found


def by_agent(desks):
    its = defaultdict(list)
    for piece in desks.pieces:
        its[piece.agent].append(piece)
    return {agent: stretches(pieces) for agent, pieces in its.items()}


def fault_times(desks, agent):
    """[start, end) of each fault of hers, in whole seconds, whoever sat there: from the press or
    the end of its call to the answer, her log-out or her next seat, whichever came first.
    """
    found = []
    for press in desks.presses:
        if press.kind != "fault" or press.agent != agent or press.technical is None:
            continue
        ends = [max((piece.end for piece in desks.pieces if piece.session is press.session),
                    default=press.technical)]  # fmt: skip
        ends += [press.closed] if press.closed is not None else []
        ends += [one.open for one in desks.sessions
                 if one.agent == agent and one.s != press.s and one.open is not None
                 and one.open > press.open]  # fmt: skip
        end = max(press.technical, min(ends))
        found.append((press.technical // 1000, end // 1000, press))
    return sorted(found, key=lambda one: one[2].open)


def technical(desks, agent, shown):
    """(start, end, press) of her sessions: each second once, of the fault that came first."""
    faults = fault_times(desks, agent)
    taken, found = [], []
    for start, end, press in faults:
        free = [(start, end)]
        for first, last in taken:
            free = [
                part for a, b in free for part in ((a, min(b, first)), (max(a, last), b))
                if part[0] < part[1]
            ]  # fmt: skip
        for a, b in free:
            for one in shown:
                first, last = max(a, one[0]), min(b, one[1])
                if first < last:
                    found.append((first, last, press))
        taken.append((start, end))
    return sorted(found, key=lambda one: one[:2])
