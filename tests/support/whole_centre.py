"""Histories of a whole centre, from numbers that a test draws: agents who move between seats and
teams, a switch that tells its side of the same calls and of others, power cuts, hours known late,
transfers, consults, corrections, faults, a clock that is changed.

One time runs for all of them, so what the two sides say of a call belongs together.
"""

import copy
import json
import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from diadema.base import credentials
from diadema.base.paths import DataDir
from diadema.exchange.queue_log_events import caller_reference
from diadema.exchange.queue_log_import import import_queue_log
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.site import description as sites
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import begin
from diadema.store import open_writer
from hypothesis import strategies as st

from tests.support.given_out import give_out
from tests.support.histories import Journal, feed
from tests.support.scripted_station import SITE

S, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
LONGEST_WAIT = 15 * MINUTE
STARTS = (  # hours before a change of the clock, or of a plain day
    ("America/Santiago", datetime(2026, 4, 4, 20, 40)),  # 24:00 is 23:00 again
    ("America/New_York", datetime(2026, 11, 1, 0, 20)),
    ("America/New_York", datetime(2026, 3, 7, 23, 10)),
    ("America/Lima", datetime(2026, 11, 18, 8)),
)
STATIONS = ("DIA-0123456789ab", "DIA-0123456789ac", "DIA-0123456789ad")
AGENTS = ("a001", "a002", "a003")
BY_SWITCH = ("SIP/204", "SIP/999", "SIP/201")  # a004, nobody we know, and a001 at no station
CALLERS = ("099000001", "099000002", "099000003", "anonymous")
CODES = ("111", "112", "211", "SIN_TIPIFICAR")
AREAS = ("soporte", "fuera")
CAMPAIGNS = (
    {"code": "uno", "label": "Uno", "steps": [
        {"step": "greeting", "automatic": True}, {"step": "need"},
        {"step": "closing", "automatic": True}]},
    {"code": "dos", "label": "Dos", "steps": [{"step": "identity"}, {"step": "need"}]},
)  # fmt: skip
TICKS = ("greeting", "identity", "need", "closing")
QUEUES = ("ventas", "IT", "otra")  # as the switch calls them: IT is our `soporte`
TREE = {
    "version": 1,
    "nodes": [
        ["1", "Consulta", [["11", "Saldo", [["111", "Ahorro"], ["112", "CTS"]]]]],
        ["2", "Reclamo", [["21", "Cobro", [["211", "Doble"]]]]],
    ],
}


def described(zone):
    one = copy.deepcopy(SITE) | {"zone": zone, "tree": TREE}
    one["stations"] = [{"id": s, "seat": f"A-0{n}"} for n, s in enumerate(STATIONS, 1)]
    names = ("Rosa Quispe", "Luis Pari", "Ana Ccori", "Eva Mamani")
    one["agents"] = [
        {"id": f"a00{n}", "name": name, "short": name, "alias": name[:2], "badges": [],
         "team": ("Norte", "Sur")[n % 2]}
        for n, name in enumerate(names, 1)
    ]  # fmt: skip
    one["campaigns"] = list(CAMPAIGNS)
    one["areas"] = [{"code": a, "label": a.title(), "consulted": True} for a in AREAS]
    return one


class Station(Journal):
    """`now` of the centre is its time; `agent` sits there, `work` is her call's state."""

    def __init__(self, s, now):
        super().__init__(s, now)
        self.agent = self.presence = self.work = self.c = self.call = self.heard = None
        self.calls = self.rang = 0

    def at(self, now):
        self.u = now - self.power_utc

    def hers(self, k, **fields):
        self.add(k, a=self.agent, **fields)

    def contact(self, k, **fields):
        self.hers(f"contact.{k}" if "." not in k else k, c=self.c, **fields)

    def show(self, to, reason=None, by="agent", **more):
        was, self.presence = self.presence or "logged_out", to
        self.hers("presence.changed", **{"from": was}, to=to, reason=reason, by=by, **more)


class Centre:
    """`step(which, a, b)` lets something happen; `log` has the switch's lines."""

    def __init__(self, zone, start_utc, key=""):
        self.zone, self.now, self.key = zone, start_utc, key
        self.stations = [Station(s, start_utc) for s in STATIONS]
        self.log, self.number = [], 0
        self.waiting, self.done, self.faults, self.acts = [], [], [], []
        for station in self.stations[:2]:
            station.boot()
            station.clock()

    # ------------------------------------------------------------------ the switch

    def line(self, pbx, queue, agent, verb, *data, at=None):
        told = (self.now if at is None else at) // 1000, pbx, queue, agent, verb, *data
        self.log.append("|".join(map(str, told)))

    def enter(self, a, b):
        self.number += 1
        queue, caller = QUEUES[a % 3], CALLERS[b % 4]
        call = {"pbx": f"17.{self.number}", "queue": queue, "caller": caller, "at": self.now}
        self.line(call["pbx"], queue, "NONE", "ENTERQUEUE", "", caller, 1)
        self.waiting.append(call)
        return call

    def waited(self, call):
        return self.now // 1000 - call["at"] // 1000

    def give_up(self, a, b):
        if not self.waiting:
            return self.enter(a, b)
        call = self.waiting.pop(a % len(self.waiting))
        verb = ("ABANDON", "ABANDON", "EXITWITHTIMEOUT", "EXITEMPTY")[b % 4]
        return self.line(call["pbx"], call["queue"], "NONE", verb, 1, 1, self.waited(call))

    def by_switch(self, a, b):
        """A call that somebody took at no station, who may let it ring once before."""
        agent, call = BY_SWITCH[a % 3], self.enter(a, b)
        self.waiting.remove(call)
        pbx, queue, wait, talk = call["pbx"], call["queue"], b % 70, 7 * a + b
        if a % 5 == 0:
            self.line(pbx, queue, BY_SWITCH[b % 2], "RINGNOANSWER", 100 * b, at=self.now)
        answered = self.now + wait * S
        self.line(pbx, queue, agent, "CONNECT", wait, f"{pbx}9", b % 9, at=answered)
        verb = ("COMPLETEAGENT", "COMPLETECALLER", "BLINDTRANSFER", "nothing")[(a + b) % 4]
        if verb == "BLINDTRANSFER":
            self.line(pbx, queue, agent, verb, 500, "x", wait, talk, 1, at=answered + talk * S)
        elif verb != "nothing" or b % 5:
            verb = "COMPLETEAGENT" if verb == "nothing" else verb
            self.line(pbx, queue, agent, verb, wait, talk, 1, at=answered + talk * S)
        if b % 6 == 0:
            self.by_switch(a, b + 1)  # two at once: one of them cannot be

    def _told(self, station, verb, *data):
        """The switch's word on a call at a desk, where it has it in a queue."""
        if station.call:
            agent = f"SIP/20{station.agent[-1]}"
            self.line(station.call["pbx"], station.call["queue"], agent, verb, *data)

    # ------------------------------------------------------------------ the stations

    def step(self, which, a, b, after):
        """`after` milliseconds, less while somebody rings or talks: a night is for who sleeps."""
        works = {station.work for station in self.stations}
        rings = works & {"offered", "silent"}
        longest = MINUTE if rings else 40 * MINUTE if works - {None} else 9 * HOUR
        self.now += min(after, longest)
        for call in [one for one in self.waiting if self.now - one["at"] > LONGEST_WAIT]:
            self.waiting.remove(call)
            gone = call["at"] + LONGEST_WAIT
            self.line(call["pbx"], call["queue"], "NONE", "EXITWITHTIMEOUT", 1, 1,
                      LONGEST_WAIT // S, at=gone)  # fmt: skip
        station = self.stations[a % 3]
        for one in self.stations:
            one.at(self.now)
        if which < 4:
            return (self.enter, self.give_up, self.by_switch, self.by_switch)[which](a, b)
        if which < 6 or not station.n:
            return self.power(station, b)
        if which == 6:
            return station.clock()
        if which == 7 and self.done:
            return self.correct(station, a, b)
        if which == 8:
            return self.act(station, a, b)
        able = self.able(station)
        return able[which % len(able)](station, a, b)

    def act(self, station, a, b):
        """A supervisor's: on who sits there, on somebody who may be away, on an alert."""
        told = (
            {"action": "presence", "a": station.agent, "reason": "refrigerio"},
            {"action": "logout", "a": station.agent, "reason": "fin de turno"},
            {"action": "note", "a": AGENTS[b % 3], "kind": "orientacion"},
            {"action": "note", "a": AGENTS[b % 3]},
            {"action": "help", "a": station.agent, "state": "accepted"},
            {"action": "acknowledge", "rule": "help"},
            {"action": "note", "a": AGENTS[b % 3], "kind": "llamada_atencion"},
            self.annulment(),
        )[b % 8]  # fmt: skip
        number = len(self.acts) + 1
        more = {"c": station.c} if station.work else {}
        at = {"s": "HUB-x", "e": 1, "n": number, "b": 0, "u": 0, "t": self.now}
        told = {key: value for key, value in told.items() if value} | more
        self.acts.append(at | {"k": "supervision.acted", "by": "elena", "who": "Elena Soto",
                               "note": f"n. {number}"} | told)  # fmt: skip

    def annulment(self):
        """Of the newest note that stands, if there is one."""
        gone = [one["of"] for one in self.acts if one["action"] == "annul"]
        for one in reversed(self.acts):
            place = [one["s"], one["e"], one["n"]]
            if one["action"] == "note" and "a" in one and place not in gone:
                return {"action": "annul", "a": one["a"], "of": place, "reason": "error"}
        return {"action": "acknowledge", "rule": "help"}

    def ask(self, station, a, b):
        station.hers("help.requested", **({"c": station.c} if station.work else {}))

    def able(self, station):
        if station.agent is None:
            return [self.login]
        return {
            None: [self.offer, self.offer, self.offer, self.ready, self.pause, self.dial,
                   self.logout, self.fault, self.ask],
            "offered": [self.answer, self.answer, self.answer, self.miss, self.silent],
            "dialing": [self.connect, self.connect, self.nobody, self.silent],
            "talking": [self.end, self.end, self.hold, self.consult, self.transfer, self.motive,
                        self.tick, self.ask],
            "held": [self.resume, self.resume, self.end],
            "silent": [self.fail, self.fail, self.fail, self.silent_hold],
            "consulting": [self.swap, self.back, self.hand_over, self.confer],
            "conference": [self.end],
            "wrapup": [self.typify, self.typify, self.over, self.tick],
        }[station.work]  # fmt: skip

    def power(self, station, b):
        if station.n and station.offset is None:
            station.clock()  # its hours are known late, and then they are right
        station.boot(off=(0, 4 * S, 10 * MINUTE)[b % 3])
        station.power_utc = self.now  # it is on again at this moment
        if b % 4:
            station.clock()
        if station.work == "offered":
            station.contact("missed", cause="technical")
            self._told(station, "RINGCANCELED", 1)
            self.waiting += [station.call] if station.call else []
            station.work = None
        elif station.work and station.work != "wrapup":
            dialing = station.work == "dialing"
            station.contact("ended", by="interrupted", on_hold=False)
            if station.work == "silent" and station.call:
                self.waiting.append(station.call)
                station.call = None
            self._completed(station, "AGENT")
            station.work = None if dialing else "wrapup"
            if not dialing:
                station.contact("wrapup.started")

    def login(self, station, a, b):
        free = [one for one in AGENTS if one not in [other.agent for other in self.stations]]
        station.agent = free[b % len(free)]
        station.add("attendance.marked", a=station.agent, direction="in", method="badge",
                    badge=None)  # fmt: skip
        station.hers("session.opened", method="badge", provisional=False)
        station.show("not_ready", "login", "system")

    def logout(self, station, a, b):
        station.hers("session.closed", reason="agent", by="agent")
        station.show("logged_out", "logout")
        if b % 2:
            station.add("attendance.marked", a=station.agent, direction="out", method="badge",
                        badge=None)  # fmt: skip
        station.agent = station.presence = None

    def ready(self, station, a, b):
        station.show("ready")

    def pause(self, station, a, b):
        station.show("not_ready", ("refrigerio", "sshh")[b % 2])

    def fault(self, station, a, b):
        if self.faults and b % 2:
            s, e, n = self.faults.pop()
            mine = next(one for one in self.stations if one.s == s)
            mine.add("fault.resolved", of=[s, e, n], i=n, by="soporte", cause="cable")
        else:
            station.hers("fault.reported", area="audio", part="headset")
            self.faults.append((station.s, station.e, station.n))

    def offer(self, station, a, b):
        if not self.waiting:
            self.enter(a, b)
        call = station.call = self.waiting.pop(b % len(self.waiting))
        station.calls += 1
        station.c = f"{station.s[-2:]}{station.calls}"
        more = {"pbx": call["pbx"] if b % 3 else None}
        caller = caller_reference(self.key, call["caller"])
        more |= {"reference": caller} if caller and b % 5 else {}
        more |= {"parent": call["parent"]} if "parent" in call else {}
        more |= {"campaign": ("uno", "dos", "tres")[a % 3]} if b % 4 else {}
        queue = {"IT": "soporte"}.get(call["queue"], call["queue"])
        station.contact("offered", via="host", direction="in", queue=queue, **more)
        station.work, station.rang = "offered", self.now

    def answer(self, station, a, b):
        station.contact("answered", via="key", ring_ms=self.now - station.rang)
        station.work, station.heard = "talking", None
        if station.call:
            self._told(station, "CONNECT", self.waited(station.call), "9", a % 5)

    def miss(self, station, a, b):
        cause = ("no_answer", "no_answer", "caller_gave_up", "withdrawn", "rejected")[b % 5]
        station.contact("missed", cause=cause, ring_ms=self.now - station.rang)
        call, station.work = station.call, None
        if cause == "no_answer":
            station.show("not_ready", "no_answer", "system")
            self._told(station, "RINGNOANSWER", 20_000)
        if cause == "caller_gave_up":
            self.line(call["pbx"], call["queue"], "NONE", "ABANDON", 1, 1, self.waited(call))
        else:
            self.waiting.append(call)

    def silent(self, station, a, b):
        """She takes it, and her telephone is not there."""
        station.contact("answered", via="key", ring_ms=self.now - station.rang)
        station.contact("step", step="greeting", result="done", how="automatic")
        station.work = "silent"

    def silent_hold(self, station, a, b):
        station.contact("held", via="key")

    def fail(self, station, a, b):
        station.contact("ended", by="technical", on_hold=False)
        if station.call:  # who waits on
            self._told(station, "RINGNOANSWER", self.now - station.rang)
            self.waiting.append(station.call)
        station.work = station.call = None
        station.show("not_ready", "fault", "system")

    def dial(self, station, a, b):
        station.calls += 1
        station.c, station.call = f"{station.s[-2:]}{station.calls}", None
        station.contact("dialed", via="key", direction="out")
        station.work, station.rang = "dialing", self.now

    def connect(self, station, a, b):
        station.contact("answered", via="key")
        station.work = "talking"

    def nobody(self, station, a, b):
        result = ("busy", "no_answer", "failed")[b % 3]
        by = "technical" if result == "failed" else "agent"
        station.contact("ended", by=by, on_hold=False, dial_result=result)
        station.work = None

    def hold(self, station, a, b):
        station.contact("held", via="key")
        station.work = "held"

    def resume(self, station, a, b):
        station.contact("resumed", via="key")
        station.work = "talking"

    def consult(self, station, a, b):
        station.contact("consulted", via="key", area=AREAS[b % 2], heard="area")
        station.work, station.heard, station.area = "consulting", "area", AREAS[b % 2]

    def swap(self, station, a, b):
        station.heard = "area" if station.heard == "caller" else "caller"
        station.contact("consulted", via="key", area=station.area, heard=station.heard)

    def back(self, station, a, b):
        station.contact("consult_ended", via="key", result="back")
        station.work = "talking"

    def hand_over(self, station, a, b):
        station.contact("transferred", via="key", kind="consulted", target=station.area,
                        completed=True)  # fmt: skip
        self._gone(station, b)

    def confer(self, station, a, b):
        station.contact("transferred", via="key", kind="conference", target=station.area,
                        completed=True)  # fmt: skip
        station.work, station.heard = "conference", "both"

    def transfer(self, station, a, b):
        station.contact("transferred", via="key", kind="blind", target=AREAS[b % 2],
                        completed=True)  # fmt: skip
        self._gone(station, b)

    def _gone(self, station, b):
        """To an area, or on to another desk by way of a queue."""
        call = station.call
        if call:
            talked = self.now // 1000 - call["at"] // 1000
            self._told(station, "BLINDTRANSFER", 600, "x", 1, talked, 1)
        if call and b % 3:
            again = call | {"queue": QUEUES[b % 3], "at": self.now, "parent": station.c}
            self.line(again["pbx"], again["queue"], "NONE", "ENTERQUEUE", "", again["caller"], 1)
            self.waiting.append(again)
            self.now += S  # a switch says the same thing of a call once a second
        station.call = None
        self._ended(station, by="transfer", on_hold=False)

    def tick(self, station, a, b):
        """One step, or several so near to each other."""
        for n in range(1 + a % 3):
            step = TICKS[(b + n) % 4]
            itself = step in ("greeting", "closing") and b % 3 > 0
            station.contact("step", step=step, result="skipped" if a % 7 == 0 else "done",
                            how="automatic" if itself else "key")  # fmt: skip
            self.now += (300, 1999, 2000, 5000)[b % 4]
            station.at(self.now)

    def motive(self, station, a, b):
        station.contact("motive", motive=("1", "2")[b % 2], version=1)

    def end(self, station, a, b):
        by = "transfer" if station.work == "conference" else ("caller", "agent")[b % 2]
        self._completed(station, "CALLER" if by == "caller" else "AGENT")
        self._ended(station, by=by, on_hold=station.work == "held")

    def _completed(self, station, who):
        if station.call:
            talked = self.now // 1000 - station.call["at"] // 1000
            self._told(station, f"COMPLETE{who}", 1, talked, 1)
            station.call = None

    def _ended(self, station, **fields):
        station.contact("ended", **fields)
        station.contact("wrapup.started")
        station.work = "wrapup"

    def typify(self, station, a, b):
        code = CODES[b % 4]
        how = "timeout" if code == "SIN_TIPIFICAR" else "agent"
        station.contact("typified", code=code, version=1, how=how)
        self.done.append((station.s, station.e, station.n, station.agent, station.c))
        self.over(station, a, b)

    def over(self, station, a, b):
        station.contact("wrapup.ended", cause="agent")
        station.work = None

    def correct(self, station, a, b):
        """Of a call of that station: by herself, or by a monitor."""
        mine = [one for one in self.done if one[0] == station.s]
        if mine and station.agent:
            s, e, n, agent, c = mine[b % len(mine)]
            author = agent if b % 2 else "monitor"
            station.add("contact.retypified", a=agent, c=c, code=CODES[a % 3], version=1,
                        author=author, of=[s, e, n])  # fmt: skip

    def queue_log(self):
        numbered = sorted(enumerate(self.log), key=lambda one: (int(one[1].split("|")[0]), one[0]))
        return "".join(f"{line}\n" for _, line in numbered)


_AFTER = st.one_of(
    st.integers(0, 9_000), st.integers(1_000, 200_000), st.integers(1_000, 200_000),
    st.integers(MINUTE, 40 * MINUTE), st.integers(0, 9 * HOUR),
)  # fmt: skip
_STEP = st.tuples(st.integers(0, 47), st.integers(0, 29), st.integers(0, 59), _AFTER)
STEPS = st.integers(20, 110).flatmap(lambda n: st.lists(_STEP, min_size=n, max_size=n))


def by_chance(seed, n):
    """Steps as hypothesis draws them, many."""
    draw = random.Random(seed)
    afters = [(0, 9_000), (1_000, 200_000), (1_000, 200_000), (MINUTE, 40 * MINUTE), (0, 9 * HOUR)]
    return [
        (draw.randint(0, 47), draw.randint(0, 29), draw.randint(0, 59),
         draw.randint(*draw.choice(afters)))
        for _ in range(n)
    ]  # fmt: skip


class Place:
    """A data directory where such a history came in, and what it gives out."""

    def __init__(self, root, zone, start):
        self.data = DataDir(root / "data")
        self.data.make()
        self.zone, self.start = ZoneInfo(zone), start.replace(tzinfo=ZoneInfo(zone))
        self.site = described(zone)
        self.data.site.write_text(json.dumps(self.site))
        with Directory(self.data.directory) as book:
            begin(book, sites.load(self.data.site), 1)
        self.day = self.start.date()
        self.root, self.now = root, int(self.start.timestamp() * 1000)
        self._direct()
        self.key = credentials.load_or_create(self.data).badge_key

    def now_ms(self):
        return self.now

    def _direct(self):
        """Names at the switch, targets by queue, and on the next day one team and stage more."""
        for n in range(1, 5):
            self.put("agents", f"a00{n}", switch_aliases=[f"SIP/20{n}"])
        self.put("queues", code="ventas", name="Ventas")
        self.put("queues", code="soporte", name="Soporte", switch_names=["mesa, tarde", "IT"])
        self.put("areas", "fuera", external=True)
        for code, result in (("111", "resuelto"), ("211", "reclamo")):
            self.put("dispositions", code, result=result)
        self.put("targets", metric="service_level", value=60, threshold_s=15, variant="all")
        self.put("targets", metric="service_level", queue="soporte", value=50, threshold_s=40)
        for metric, value, more in (
            ("asa_s", 30, {}), ("asa_s", 45, {"queue": "ventas"}), ("abandonment", 5, {}),
            ("aht_s", 300, {}), ("aht_s", 400, {"stage": "nesting"}),
            ("aht_s", 250, {"queue": "soporte"}), ("occupancy", 75, {}),
            ("occupancy", 60, {"stage": "nesting"}), ("answer_rate", 90, {"queue": "soporte"}),
        ):  # fmt: skip
            self.put("targets", metric=metric, value=value, **more)
        morrow = self.day + timedelta(1)
        self.put("agents", "a001", since=morrow, team="Norte")
        self.put("agents", "a003", since=morrow, stage="nesting")

    def pass_on(self):
        """On the third day a name of an agent and one of a queue are another's."""
        third = self.day + timedelta(2)
        self.put("agents", "a004", since=third, switch_aliases=[])
        self.put("agents", "a003", since=third, switch_aliases=["SIP/203", "SIP/204"])
        self.put("queues", "soporte", since=third, switch_names=["mesa, tarde"])
        self.put("queues", "ventas", since=third, switch_names=["IT"])
        return self

    def put(self, kind, _entry=None, since=None, **fields):
        with Directory(self.data.directory) as book:
            known = book.entry(kind, _entry).body if _entry else {}
            body = known | fields if _entry else KINDS[kind].read(fields)
            change = Change(kind=kind, code=_entry or KINDS[kind].code(body), body=body,
                            valid_from=since)  # fmt: skip
            book.apply([change], by="Ana", reason="prueba", at_ms=2)

    def live(self, steps, late=0, lull_ms=0):
        """`late`: of the third station so many of the last events are still to come."""
        centre = Centre(self.zone, self.now, self.key)
        for step in steps:
            centre.step(*step)
        self.now = centre.now + HOUR + lull_ms
        told = [station.events for station in centre.stations]
        told[2] = told[2][: max(0, len(told[2]) - late)]
        writer = open_writer(self.data.store)
        try:
            site = sites.parse(json.dumps(self.site).encode())
            ingest = Ingest(writer, site, self)
            feed(ingest, told)
            for act in centre.acts:
                message = Message(0, subject_of(act["s"]), json.dumps(act).encode())
                ingest.take_file([message])
        finally:
            writer.close()
        self.lines = centre.log
        return self.take(centre.queue_log())

    def take(self, text):
        """A log of the switch."""
        self.log = self.root / "queue_log"
        if text:
            self.log.write_text(text)
            import_queue_log([self.log], self.data, self)
        return self

    def give_out(self):
        last = datetime.fromtimestamp(self.now / 1000, self.zone).date()
        days = [self.day + timedelta(n) for n in range((last - self.day).days + 1)]
        log = self.log if self.log.exists() else None
        return give_out(self.data, self.root / "out", days[:3], log)
