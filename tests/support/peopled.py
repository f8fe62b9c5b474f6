"""A centre with people for the second opinion: directory, roster, and what its stations and its
people wrote in some days.

`Seat` writes one station's journal by the hour of the day; `days()` gives whole random days.
"""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.site import description as sites
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import begin
from diadema.store import open_writer
from hypothesis import strategies as st

from tests.support.scripted_station import SITE, FixedClock, Script

AGENTS = ("a001", "a002", "a003", "a004")
SEATS = [f"DIA-0123456789{k:02x}" for k in range(16)]
REASONS = (
    {"code": "refrigerio", "label": "Refrigerio", "limit_s": 2700},
    {"code": "break", "label": "Break", "paid": True, "limit_s": 600},
    {"code": "sshh", "label": "SS. HH.", "private": True, "paid": True},
    {"code": "lactancia", "label": "Lactancia", "private": True, "paid": True},
    {"code": "capacitacion", "label": "Capacitación", "paid": True, "productive": True},
    {"code": "personal", "label": "Personal"},
)
SHIFTS = (
    {"code": "M", "name": "Mañana", "start": "08:00", "end": "16:00", "tolerance_min": 10,
     "pauses": ["10:00-10:10 break", "12:00-12:45 refrigerio"]},
    {"code": "T", "name": "Tarde", "start": "14:00", "end": "20:00",
     "pauses": ["17:00-17:15 lactancia"]},
    {"code": "N", "name": "Noche", "start": "22:00", "end": "06:00", "tolerance_min": 5,
     "pauses": ["23:30-23:45 break", "02:00-02:45 refrigerio", "04:30-04:40 sshh"]},
)  # fmt: skip
STEPS = ["greeting*", "need", "closing"]


class Centre:
    """The directory is as of `since` on; `entry` changes it from a day on."""

    def __init__(self, root, zone="America/Lima", since=date(2025, 1, 1), multi_login="deny"):
        self.data = DataDir(root)
        self.data.make()
        self.zone, self.since, self.days = ZoneInfo(zone), since, {since}
        described = SITE | {
            "zone": zone, "multi_login": multi_login, "reasons": [],
            "agents": [
                {"id": a, "name": f"Asesor {a}", "short": a, "alias": a, "badges": [],
                 "team": ("Norte", "Sur")[k % 2]}
                for k, a in enumerate(AGENTS)
            ],
            "stations": [{"id": s, "seat": f"P-{s[-2:]}"} for s in SEATS],
        }  # fmt: skip
        self.data.site.write_text(json.dumps(described))
        self.site = sites.load(self.data.site)
        with Directory(self.data.directory) as book:
            begin(book, self.site, 1)
        for kind, its in (("reasons", REASONS), ("shifts", SHIFTS)):
            for body in its:
                self.entry(kind, **body)

    def entry(self, kind, *, valid_from=None, **given):
        with Directory(self.data.directory) as book:
            body = KINDS[kind].read(given)
            one = Change(kind=kind, code=KINDS[kind].code(body), body=body, valid_from=valid_from)
            book.apply([one], by="Ana", reason="prueba", at_ms=2)
        if valid_from:
            self.days.add(valid_from)

    def move(self, agent, day, **fields):
        """From that day on she is of another team, or at another stage."""
        with Directory(self.data.directory) as book:
            body = book.entry("agents", agent).body | fields
            one = Change(kind="agents", code=agent, body=body, valid_from=day)
            book.apply([one], by="Ana", reason="prueba", at_ms=3)
        self.days.add(day)

    def roster(self, rows):
        """(agent, day, shift, absence)"""
        changes = []
        for agent, day, shift, absence in rows:
            given = {"day": day.isoformat(), "agent": agent, "shift": shift, "absence": absence}
            body = KINDS["roster"].read(given)
            changes.append(Change(kind="roster", code=KINDS["roster"].code(body), body=body))
        with Directory(self.data.directory) as book:
            book.apply(changes, by="Ana", reason="turnos", at_ms=2)

    def at(self, day, hour, minute=0, second=0):
        """Seconds of UTC; hours beyond 24 are of the next day."""
        later = day + timedelta(days=hour // 24)
        local = datetime(later.year, later.month, later.day, hour % 24, minute, second,
                         tzinfo=self.zone)  # fmt: skip
        return int(local.timestamp())

    def take(self, now_ms, seats, said=()):
        """What stations and people wrote, station by station."""
        writer = open_writer(self.data.store)
        try:
            ingest = Ingest(writer, self.site, FixedClock(now_ms))
            for seat in seats:
                ingest.take(seat.messages(), "stream", "server")
            for n, event in enumerate(said, 1):
                event = {"s": "HUB-x", "e": 1, "n": n, "b": 0, "u": 0, "by": "ana", **event}
                ingest.take_file([Message(0, subject_of("HUB-x"), json.dumps(event).encode())])
        finally:
            writer.close()
        return self


class Seat(Script):
    """A journal by the hour: `to` goes to a second of UTC; nothing there takes time by itself."""

    def __init__(self, s, e=1):
        super().__init__(s=s, e=e)
        self.power = 0  # true milliseconds of UTC at which this boot began
        self.was, self.calls, self.faults = "not_ready", 0, []

    def start(self, second, anchored=True):
        """Power comes at that second."""
        self.boot()
        self.power = second * 1000 - self.u
        if anchored:
            self.anchor()
        return self

    def anchor(self):
        return self.clock(self.power + self.u, after=0)

    def to(self, second, ms=0):
        self.u = max(self.u, second * 1000 + ms - self.power)
        return self

    @property
    def second(self):
        return (self.power + self.u) // 1000

    def tap(self, agent, direction):
        self.agent = agent
        self.mark(direction, 0)
        return (self.s, self.e, self.n)

    def enter(self, agent):
        self.agent, self.was = agent, "not_ready"
        return self.login(after=0)

    def leave(self, reason="agent"):
        self.add("session.closed", 0, a=self.agent, reason=reason, by="agent")
        return self.presence(self.was, "logged_out", "logout", after=0)

    def show(self, to, reason=None, by="agent"):
        more = {"who": "Ana"} if by == "supervisor" else {}
        self.presence(self.was, to, reason, by=by, after=0, **more)
        self.was = to
        return self

    def served(self, talk=60_000, hold=0, wrap=10_000, ring=3000, consult=0, faulty=False):
        self.calls += 1
        c = f"{self.s[-2:]}{self.e}-{self.calls}"
        self.offer(c, 0).contact("answered", c, ring, via="key", ring_ms=ring)
        if hold:
            self.contact("held", c, talk // 4, via="key").contact("resumed", c, hold, via="key")
        if consult:
            self.contact("consulted", c, talk // 4, via="key", area="soporte", heard="area")
            self.contact("consulted", c, consult, via="key", area="soporte", heard="caller")
            self.contact("consult_ended", c, consult, via="key", result="back")
        if faulty:
            self.fault(c)
        self.contact("ended", c, talk // 2, by="caller", on_hold=False).wrapup("started", c, 0)
        self.contact("typified", c, wrap, code="111", version=1, how="agent")
        return self.wrapup("ended", c, 0, cause="typified")

    def rang(self, ring=5000, cause="no_answer"):
        self.calls += 1
        c = f"{self.s[-2:]}{self.e}-{self.calls}"
        self.offer(c, 0).contact("missed", c, ring, cause=cause)
        return self.show("not_ready", "no_answer", "system") if cause == "no_answer" else self

    def dialled(self, ring=8000, talk=0, wrap=5000):
        self.calls += 1
        c = f"{self.s[-2:]}{self.e}-{self.calls}"
        self.contact("dialed", c, 0, via="key", direction="out")
        if talk:
            self.contact("answered", c, ring, via="key").contact(
                "ended", c, talk, by="caller", on_hold=False)  # fmt: skip
            self.wrapup("started", c, 0).wrapup("ended", c, wrap, cause="agent")
        else:
            self.contact("ended", c, ring, by="agent", on_hold=False, dial_result="busy")
        return self

    def cut(self, off, anchored=True, talking=False):
        """Power goes, in a call or not, and comes back so many seconds later."""
        c = None
        if talking:
            self.calls += 1
            c = f"{self.s[-2:]}{self.e}-{self.calls}"
            self.offer(c, 0).contact("answered", c, 2000, via="key", ring_ms=2000)
            self.add("station.health", 40_000, heap=90_000, journal=1)
        at = self.power + self.u
        self.boot("watchdog")
        self.power = at + off * 1000 - self.u
        if anchored:
            self.anchor()
        if c:
            self.contact("ended", c, 0, by="interrupted", on_hold=False).wrapup("started", c, 0)
            self.wrapup("ended", c, 4000, cause="timeout")
        return self

    def fault(self, c=None, area="equipo", part="diadema"):
        more = {"c": c} if c else {}
        self.add("fault.reported", 0, a=self.agent, **more)
        of = [self.s, self.e, self.n]
        self.faults.append(of)
        return self.add("fault.reported", 0, a=self.agent, of=of, area=area, part=part)

    def mended(self, how="resolved"):
        if self.faults:
            of = self.faults.pop(0)
            self.add(f"fault.{how}", 0, of=of, i=9, by="Teo", cause="cable")
        return self


# -- random days

_LENGTH = st.one_of(st.integers(1, 400), st.integers(300, 3600), st.integers(0, 9000))
_STEP = st.tuples(st.integers(0, 19), _LENGTH, st.integers(0, 999))
_SHIFT = st.sampled_from(["M", "M", "T", "N", "N", None])
_ABSENCE = st.sampled_from(
    [None] * 7 + ["vacation", "unpaid_permission", "permission", "medical_rest", "day_off"]
)
_FORGETS = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 2, 3])


class Told:
    """What `days` draws: fill a centre with it. `zone`, `first` day, `days` by agent."""

    def __init__(self, zone, first, several, lives, said, late):
        self.zone, self.first, self.several = zone, first, several
        self.lives, self.said, self.late = lives, said, late

    def __repr__(self):
        return (f"Told({self.zone!r}, {self.first!r}, {self.several}, {self.lives!r}, "
                f"{self.said!r}, {self.late!r})")  # fmt: skip


_DAY = st.tuples(
    _SHIFT, _ABSENCE, st.integers(-3600, 5400), _FORGETS, st.integers(0, 30),
    st.lists(_STEP, max_size=8), st.integers(0, 1),
)  # fmt: skip
_SAID = st.tuples(st.integers(0, 9), st.integers(0, 50), st.integers(-7200, 50_000))
PLACES = (
    ("America/Santiago", date(2026, 4, 2)), ("America/Santiago", date(2026, 9, 3)),
    ("America/New_York", date(2026, 10, 29)), ("America/New_York", date(2026, 3, 5)),
    ("America/Lima", date(2026, 11, 16)),
)  # fmt: skip


@st.composite
def days(draw, agents=3, count=4):
    zone, first = draw(st.sampled_from(PLACES))
    lives = draw(
        st.lists(st.lists(_DAY, min_size=count, max_size=count), min_size=agents, max_size=agents)
    )
    return Told(zone, first, draw(st.booleans()), lives, draw(st.lists(_SAID, max_size=6)),
                draw(st.booleans()))  # fmt: skip


def lived(root, told, now=None):
    """The centre in which that happened, and its `marks` by their order."""
    centre = Centre(root, told.zone, multi_login="allow" if told.several else "deny")
    rows, seats, marks = [], [], []
    for k, life in enumerate(told.lives):
        agent = AGENTS[k]
        for number, day in enumerate(life):
            shift, absence, *_ = day
            on = told.first + timedelta(days=number)
            if absence == "day_off":
                rows.append((agent, on, None, absence))
            elif shift or absence:
                rows.append((agent, on, shift, absence))
            seat = Seat(SEATS[4 * k + number % 4])
            _live(centre, seat, agent, on, day, told.late, marks)
            if seat.n:
                seats.append(seat)
    centre.roster(rows)
    middle = told.first + timedelta(days=2)
    centre.move(AGENTS[0], middle, team="Sur")
    centre.move(AGENTS[1], middle, stage="nesting")
    said = [one for one in (_said(centre, told, marks, one) for one in told.said) if one]
    end = centre.at(told.first + timedelta(days=len(told.lives[0]) + 1), 12)
    centre.take((now or end) * 1000, seats, said)
    return centre, marks


def _live(centre, seat, agent, on, day, late, marks):
    shift, _, delay, forgets, overtime, steps, turn = day
    if not steps:
        return
    begins = {"M": 8, "T": 14, "N": 22}.get(shift, 9)
    start = centre.at(on, begins) + delay
    seat.start(start - 60, anchored=not late)
    seat.to(start)
    if not forgets & 1:
        marks.append((agent, seat.tap(agent, "in"), start))
    seat.to(start + 20, 400).enter(agent)
    for step, length, which in steps:
        _step(seat, step, which)
        seat.to(seat.second + length, which)
    if late:
        seat.anchor()
    if overtime % 7:
        seat.leave()
    if not forgets & 2:
        seat.to(seat.second + 60 * overtime)
        marks.append((agent, seat.tap(agent, "out"), seat.second))
    if turn and overtime % 7:
        seat.to(seat.second + 3600 * (1 + overtime % 5))
        marks.append((agent, seat.tap(agent, "in"), seat.second))
        seat.to(seat.second + 5400)
        marks.append((agent, seat.tap(agent, "out"), seat.second))


def _step(seat, step, which):
    match step:
        case 0 | 1 | 2:
            seat.show("ready")
        case 3:
            seat.served(talk=30_000 + 777 * which, hold=100 * which, wrap=50 * which)
        case 4:
            seat.served(talk=60_000, consult=90 * which)
        case 5:
            seat.rang(5000 + which, ("no_answer", "caller_gave_up", "technical")[which % 3])
        case 6:
            seat.dialled(talk=(0, 60_000 + which)[which % 2])
        case 7:
            seat.cut(which, anchored=which % 3 > 0, talking=which % 2 == 0)
        case 8:
            seat.fault()
        case 9:
            seat.mended(("resolved", "rejected")[which % 2])
        case 10:
            seat.served(talk=60_000, faulty=True)
        case 11:
            seat.show("not_ready", "capacitacion", "supervisor")
        case 12:
            seat.show("not_ready", "fault", "system")
        case 13:
            seat.tap(seat.agent, ("in", "out")[which % 2])
        case 14:
            seat.show("not_ready", "personal", ("agent", "supervisor")[which % 2])
        case _:
            codes = ("refrigerio", "break", "sshh", "lactancia", "capacitacion")
            seat.show("not_ready", codes[which % 5])


def _said(centre, told, marks, one):
    """A correction or a justification by somebody at the hub."""
    what, which, shift = one
    agent = AGENTS[which % len(told.lives)]
    on = told.first + timedelta(days=which % len(told.lives[0]))
    hour = centre.at(on, 8) + shift
    base = {"t": centre.at(told.first + timedelta(days=6), 9) * 1000, "a": agent}
    corrected = base | {"k": "attendance.corrected", "reason": "olvidó"}
    justified = base | {"k": "attendance.justified", "reason": "cita médica"}
    way = ("in", "out")[which % 2]
    mark = marks[which % len(marks)] if marks else None
    match what:
        case 0 | 1:
            return corrected | {"direction": way, "time": hour * 1000}
        case 2 | 3 | 4 if mark:
            its = {"a": mark[0], "of": list(mark[1]), "time": (mark[2] + shift // 20) * 1000}
            return corrected | its | {"direction": way}
        case 5 if mark:
            return corrected | {"of": list(mark[1]), "direction": way, "time": hour * 1000}
        case 6 if mark:
            return justified | {"a": mark[0], "of": list(mark[1])}
        case 7:
            return justified | {"day": on.isoformat()}
        case 8 | 9:
            return justified | {"time": hour * 1000}
    return None
