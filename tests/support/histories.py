"""Histories of stations for property tests: lists of event dicts, without a gap in any journal.

`desks()` gives what stations of ours could have written: shifts with calls, pauses, reboots, boots
without a clock, formatted journals, sessions at two seats, lost records. `hostile()` gives events
in any order, with clocks that run backwards or jump, and calls that nobody began. `feed` takes
them in.
"""

import json
from itertools import groupby

from diadema.ingest.messages import Message, subject_of
from hypothesis import strategies as st

from tests.support.scripted_station import T0

STATIONS = ("DIA-0123456789ab", "DIA-0123456789ac")
AGENTS = ("a001", "a002")
HOUR = 3_600_000
_REASONS = ("refrigerio", "sshh")

_AFTER = st.one_of(
    st.just(0), st.integers(1, 9_000), st.integers(1_000, 400_000), st.integers(0, 7 * HOUR)
)


class Journal:
    """Appends events as one station does; `power_utc` is the true moment of its last start."""

    def __init__(self, s, start_utc):
        self.s, self.e, self.n, self.b, self.u = s, 1, 0, 1, 0
        self.power_utc, self.offset = start_utc, None
        self.events = []

    def add(self, k, **fields):
        self.n += 1
        t = None if self.offset is None else self.offset + self.u
        event = {"s": self.s, "e": self.e, "n": self.n, "b": self.b, "u": self.u, "t": t, "k": k}
        self.events.append(event | fields)

    def lose(self, count):
        """Records that cannot be read: so many, of the newest ones of this journal."""
        here = [event for event in self.events if event["e"] == self.e]
        lost = here[max(0, len(here) - count) :]
        if lost:
            first, last = lost[0], lost[-1]
            del self.events[-len(lost) :]
            to = last.get("to", last["n"])
            place = {"s": self.s, "e": self.e, "n": first["n"], "to": to}
            self.events.append(place | {"k": "station.lost"})

    def boot(self, off=0, formatted=False):
        if self.n:
            self.power_utc += self.u + off
            self.b, self.u, self.offset = self.b + 1, 0, None
        if formatted:
            self.e, self.n = self.e + 1, 0
        self.add("station.booted", cause="power_on", firmware="0.1.0", board="sim", torn=0)

    def clock(self, jump=0):
        utc = self.power_utc + self.u + jump
        self.offset = utc - self.u
        self.add("station.clock", utc=utc, source="host", uncertainty_ms=50)


class Desk(Journal):
    """One that keeps the rules of the firmware: what may come next depends on what is."""

    def __init__(self, s, start_utc):
        super().__init__(s, start_utc)
        self.agent, self.presence, self.work, self.calls = None, None, None, 0

    def step(self, choice, after, which):
        self.u += after
        able = self._able()
        able[choice % len(able)](which)

    def _able(self):
        def twice(*steps):
            return steps * 2

        always = [self._reboot, self._set_clock, self._health, self._lost]
        if self.agent is None:
            return [self._login] * 6 + [self._mark] + always
        calls = {
            None: [
                *twice(self._ready, self._offered),
                self._dialed,
                self._pause,
                self._logout,
                self._helped,
                self._mended,
            ],
            "offered": [*twice(self._answered), self._missed],
            "dialing": [*twice(self._answered), self._not_taken],
            "talking": [
                *twice(self._end),
                self._held,
                self._consulted,
                self._supervised,
                self._listened,
                self._failed,
            ],
            "held": [*twice(self._resumed), self._end, self._failed],
            "consulting": [*twice(self._back), self._end],
            "wrapup": [*twice(self._over), self._typified, self._ask],
        }
        return calls[self.work] * 3 + always

    def _hers(self, k, **fields):
        self.add(k, a=self.agent, **fields)

    def _call(self, k, **fields):
        self._hers(k, c=f"{self.s[-2:]}{self.calls}", **fields)

    def _show(self, to, reason, by, **more):
        was, self.presence = self.presence or "logged_out", to
        self.add(
            "presence.changed",
            a=self.agent, **{"from": was}, to=to, reason=reason, by=by, **more,
        )  # fmt: skip

    def _login(self, which):
        self.agent = AGENTS[which % len(AGENTS)]
        self._hers("session.opened", method="badge", provisional=False)
        self._show("not_ready", "login", "system")

    def _mark(self, which):
        direction = ("in", "out")[which % 2]
        self.add("attendance.marked", a=AGENTS[0], direction=direction, method="badge", badge=None)

    def _logout(self, _):
        self._hers("session.closed", reason="agent", by="agent")
        self._show("logged_out", "logout", "agent")
        self.agent = self.presence = None

    def _ready(self, _):
        self._show("ready", None, "agent")

    def _pause(self, which):
        by = ("agent", "agent", "supervisor")[which % 3]
        more = {"who": "Ana"} if by == "supervisor" else {}
        self._show("not_ready", _REASONS[which % 2], by, **more)

    def _ask(self, _):
        self._hers("help.requested")

    def _helped(self, which):
        """To the end, and whether it served; or nobody says so."""
        self._ask(which)
        self._resolved("help", "rated", which)

    def _mended(self, which):
        """A fault; after a no it is one again."""
        self._hers("fault.reported", area="equipo", part="diadema")
        if self.presence == "ready":
            self._show("not_ready", "fault", "system")
        if self._resolved("fault", "confirmed", which) == "no":
            self._hers("fault.reported", area="equipo", part="diadema")

    def _resolved(self, kind, word, which):
        of, told = [self.s, self.e, self.n], {"i": 1, "by": "Ana"}
        if which % 3:
            self._hers(f"{kind}.accepted", of=of, **told)
        self.u += 1_000 * (which % 50)
        self._hers(f"{kind}.resolved", of=of, **told)
        answer = ("yes", "no", None)[which % 3]
        if answer:
            self._hers(f"{kind}.{word}", of=of, answer=answer)
        return answer

    def _offered(self, which):
        self.calls += 1
        queue = ("ventas", "reclamos", None)[which % 3]
        self._call("contact.offered", via="host", direction="in", queue=queue, pbx=None)
        self.work = "offered"

    def _dialed(self, _):
        self.calls += 1
        self._call("contact.dialed", via="key", direction="out")
        self.work = "dialing"

    def _answered(self, _):
        self._call("contact.answered", via="key")
        self.work = "talking"

    def _missed(self, which):
        cause = ("no_answer", "caller_gave_up", "rejected")[which % 3]
        self._call("contact.missed", cause=cause)
        self.work = None
        if cause == "no_answer":
            self._show("not_ready", "no_answer", "system")

    def _not_taken(self, _):
        self._call("contact.ended", by="agent", on_hold=False, dial_result="busy")
        self.work = None

    def _held(self, _):
        self._call("contact.held", via="key")
        self.work = "held"

    def _resumed(self, _):
        self._call("contact.resumed", via="key")
        self.work = "talking"

    def _consulted(self, _):
        self._call("contact.consulted", via="key", area="soporte", heard="area")
        self.work = "consulting"

    def _back(self, which):
        result = ("back", "dropped")[which % 2]
        self._call("contact.consult_ended", via="key", result=result)
        self.work = ("talking", "held")[which % 2]

    def _supervised(self, _):
        """Her state is set in the call, and is hers when it is over."""
        self._show("not_ready", "sshh", "supervisor", who="Ana")

    def _listened(self, which):
        """Somebody hears the call; until its end where nobody says otherwise."""
        who = ("quality", "Ana")[which % 2]
        self._call("contact.listened", state="on", who=who, i=1)
        if which % 3:
            self.u += 1_000 * (which % 50)
            self._call("contact.listened", state="off", who=who, i=2)

    def _end(self, which):
        by = ("caller", "agent")[which % 2]
        self._call("contact.ended", by=by, on_hold=self.work == "held")
        self._call("wrapup.started")
        self.work = "wrapup"

    def _failed(self, _):
        """Her telephone was not there."""
        self._call("contact.ended", by="technical", on_hold=False)
        self.work = None
        self._show("not_ready", "fault", "system")

    def _typified(self, which):
        self._call("contact.typified", code=("111", "112")[which % 2], version=1, how="agent")

    def _over(self, _):
        self._call("wrapup.ended", cause="agent")
        self.work = None

    def _reboot(self, which):
        off = (0, 4_000, 600_000, 9 * HOUR)[which % 4]
        formatted = which % 11 == 10
        self.boot(off, formatted)
        if formatted:
            self.agent = self.presence = self.work = None
        elif self.work in ("talking", "held", "consulting", "dialing"):
            self._call("contact.ended", by="interrupted", on_hold=False)
            self.work = None if self.work == "dialing" else "wrapup"
            if self.work:
                self._call("wrapup.started")
        elif self.work == "offered":
            self._call("contact.missed", cause="technical")
            self.work = None
        if which % 3:
            self.clock()

    def _set_clock(self, _):
        self.clock()

    def _health(self, _):
        self.add("station.health", heap=90_000, journal=1)

    def _lost(self, which):
        if which % 4 == 0:
            self.lose(1 + which // 4 % 3)


def many(step, most):
    """Up to so many of them, and not mostly few."""
    return st.integers(0, most).flatmap(lambda n: st.lists(step, min_size=n, max_size=n))


_STEPS = many(st.tuples(st.integers(0, 59), _AFTER, st.integers(0, 65)), 50)


@st.composite
def desks(draw, stations=STATIONS):
    """What each of them wrote, in its order."""
    told = []
    for s in stations:
        desk = Desk(s, T0 + draw(st.integers(-30 * HOUR, 3 * HOUR)))
        desk.boot()
        if draw(st.booleans()):
            desk.clock()
        for choice, after, which in draw(_STEPS):
            desk.step(choice, after, which)
        told.append(desk.events)
    return told


_CALLS = {
    "contact.offered": {"via": "host", "direction": "in"},
    "contact.dialed": {"via": "key", "direction": "out"},
    "contact.answered": {"via": "key"},
    "contact.missed": {"cause": "no_answer"},
    "contact.held": {"via": "key"},
    "contact.resumed": {"via": "key"},
    "contact.consulted": {"via": "key", "area": "soporte"},
    "contact.consult_ended": {"via": "key", "result": "dropped"},
    "contact.transferred": {"via": "key", "kind": "blind", "target": "x", "completed": True},
    "contact.listened": {"state": "on", "who": "Ana"},
    "contact.ended": {"by": "caller", "on_hold": False},
    "contact.typified": {"code": "111", "version": 1, "how": "agent"},
    "contact.retypified": {"code": "112", "version": 1, "author": "a001"},
    "wrapup.started": {},
    "wrapup.ended": {"cause": "agent"},
}
_AGENTS = {
    "session.opened": {"method": "badge"},
    "session.closed": {"reason": "agent"},
    "session.corrected": {"i": 1, "verdict": "closed"},
    "help.requested": {},
    "attendance.marked": {"direction": "in", "method": "badge"},
}
_PRESENCES = (("ready", None), ("not_ready", "sshh"), ("not_ready", "fault"), ("logged_out", None))


class Rogue(Journal):
    """One that writes anything."""

    def step(self, kind, after, which, back):
        self.u = max(0, self.u - after) if back else self.u + after
        a, c = AGENTS[which % 2], f"c{which % 3}"
        if kind in _CALLS:
            self.add(kind, a=a, c=c, **_CALLS[kind])
        elif kind in _AGENTS:
            self.add(kind, a=a, **_AGENTS[kind])
        elif kind == "presence.changed":
            to, reason = _PRESENCES[which % 4]
            by = ("agent", "system")[which % 2]
            self.add(kind, a=a, **{"from": "ready"}, to=to, reason=reason, by=by)
        elif kind == "boot":
            self.boot(off=(0, HOUR)[which % 2], formatted=which % 7 == 6)
        elif kind == "clock":
            self.clock(jump=(0, 0, HOUR, -HOUR)[which % 4])
        elif kind == "lost":
            self.lose(1 + which % 3)
        else:
            self.add(kind)


_OTHERS = ("boot", "clock", "lost", "station.health", "wheel.turned")
_ANY = st.sampled_from([*_CALLS, *_AGENTS, *["presence.changed"] * 4, *_OTHERS])
_ANYTHING = many(st.tuples(_ANY, _AFTER, st.integers(0, 20), st.integers(0, 19)), 40)


@st.composite
def hostile(draw, stations=STATIONS):
    """What each of them wrote, in its order, were there no rules."""
    told = []
    for s in stations:
        rogue = Rogue(s, T0 + draw(st.integers(-30 * HOUR, 3 * HOUR)))
        for kind, after, which, back in draw(_ANYTHING):
            rogue.step(kind, after, which, back == 19)
        told.append(rogue.events)
    return told


def message(event):
    body = json.dumps(event, separators=(",", ":")).encode()
    return Message(event["n"], subject_of(event["s"]), body)


def journals(events):
    """The events of a station by journal, in the order in which those began."""
    return [list(found) for _, found in groupby(events, key=lambda event: event["e"])]


def feed(ingest, histories, batch=1000):
    """Take them in, station by station, as many at once as `batch`."""
    messages = [message(event) for events in histories for event in events]
    for at in range(0, len(messages), batch):
        ingest.take(messages[at : at + batch], "stream", "server")
