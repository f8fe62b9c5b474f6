"""A month whose calls were evaluated: four weekly draws by the real order, a scorecard, pairs.

Agents of two teams take calls in four weeks of November 2026; the last two of them come late, so
that they have few. Everything that the monitors do is said as the hub says it, by `HUB-main`.
"""

import hashlib
import json
import random
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.quality import assigning, sampling
from diadema.quality.frame import EXCLUSIONS, Conditions, frame_of
from diadema.quality.sampling import SamplePeriod
from diadema.quality.scoring import OPTIONS, evaluate
from diadema.site import description as sites
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.freezing import fresh
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.people_of import people
from diadema.site.directory.publishing import begin
from diadema.site.directory.quality import SamplePlan
from diadema.site.directory.scorecard_template import template
from diadema.site.directory.tables import SCORECARD, Frozen, frozen
from diadema.store import open_reader, open_writer
from sqlalchemy import insert

from tests.support.scripted_station import SITE, FixedClock, Script

ZONE = ZoneInfo("America/Lima")
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
MONDAYS = tuple(date(2026, 11, 2) + timedelta(days=7 * week) for week in range(4))
WEEK_MS, DAY_MS, HOUR_MS = 7 * 86_400_000, 86_400_000, 3_600_000
TEAMS = ("Mañana", "Tarde")
QUEUES = ("soporte", "ventas")
MONITORS = ("mara", "nilo")
LEAD = "luz"
FORM = "atencion"
PLAN = SamplePlan(
    code="semanal", label="Semanal", scorecard=FORM, monitors=MONITORS, twice_share=10,
    twice_least=0, cap_per_day=1000,
)  # fmt: skip
TREE = [
    ["1", "Consulta", [["11", "Saldo", [["111", "Ahorro"], ["112", "CTS"]]]]],
    ["2", "Reclamo", [["21", "Cobro", [["211", "Doble cobro"]]]]],
]
CODES = ("111", "112", "211")


def at(day, hour=0, minute=0):
    """UTC milliseconds of the site's clock."""
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE)
    return int(local.timestamp() * 1000)


def week(number):
    """The `number`th of the four, from 0."""
    monday = MONDAYS[number]
    start = at(monday)
    return SamplePeriod(f"{monday:%G-W%V}", start, start + WEEK_MS, 7, start)


class Given:
    """One assignment as it was said: its event is `key`."""

    def __init__(self, key, one, draw, form, version, due):
        self.key, self.draw, self.form, self.version, self.due = key, draw, form, version, due
        self.call, self.agent, self.stratum = one.key, one.agent, one.stratum
        self.rank, self.pool, self.to, self.second = one.rank, one.pool, one.to, one.second


class Month:
    """`calls` a week of each of so many agents. `given`: what was assigned, in order; `said`: the
    events of the evaluations by assignment. Its `data` is whole after each call.
    """

    def __init__(self, folder, agents=14, calls=6, seed=0):
        self.rng = random.Random(seed)
        self.agents = [f"a{n:03}" for n in range(1, agents + 1)]
        self.team = {
            a: TEAMS[n % 2] if agents <= 100 else f"Equipo {n // 50:02}"
            for n, a in enumerate(self.agents)
        }
        self.data = DataDir(folder)
        self.data.make()
        self.site = SITE | {
            "agents": [
                {"id": a, "name": f"Asesor {a[1:]}", "short": a, "alias": a, "badges": [],
                 "team": self.team[a]} for a in self.agents
            ],
            "stations": [
                {"id": _station(n), "seat": f"P-{n:02}", "teams": [self.team[a]]}
                for n, a in enumerate(self.agents)
            ],
            "tree": {"version": 1, "nodes": TREE},
        }  # fmt: skip
        self.data.site.write_text(json.dumps(self.site))
        self.now_ms = at(date(2026, 12, 2), 12)
        self.e, self.n = 1, 0
        self.given, self.submitted, self.evaluations = [], {}, {}
        self._directory()
        self.stations = {a: _Desk(a, _station(n)) for n, a in enumerate(self.agents)}
        self._worked(calls)

    # -- what there is before anything is drawn

    def put(self, *changes, at_ms=1):
        with Directory(self.data.directory) as book:
            book.apply(changes, by=LEAD, reason="prueba", at_ms=at_ms)

    def publish(self, at_ms=1):
        """What is new of the scorecards."""
        with Directory(self.data.directory) as book:
            for one in fresh(book, "scorecards"):
                row = Frozen(catalogue=SCORECARD + one.code, version=one.version, at_ms=at_ms,
                             by=LEAD, hash=one.hash, body=one.body)  # fmt: skip
                with book.writing() as tx:
                    tx.execute(insert(frozen), msgspec.structs.asdict(row))

    def form(self, code, *, contract=False):
        """One more scorecard by the template."""
        first, *others = template(code, "es")
        body = dict(first.body) | {"contract": contract}
        self.put(Change(kind=first.kind, code=first.code, body=body, seen=0), *others)
        self.publish()

    def _directory(self):
        with Directory(self.data.directory) as book:
            begin(book, sites.load(self.data.site), 1)
        queues = [KINDS["queues"].read({"code": q, "name": q.capitalize()}) for q in QUEUES]
        self.put(*(Change(kind="queues", code=body["code"], body=body) for body in queues))
        self.form(FORM, contract=True)

    def people(self):
        return people(self.data, FIRST, LAST)

    def scorecard(self, code=FORM, version=None):
        return self.people().scorecard(code, version)

    def _worked(self, calls):
        late = {a: 3 - n for n, a in enumerate(self.agents[-2:])}
        for a, desk in self.stations.items():
            for number, monday in enumerate(MONDAYS):
                if number < late.get(a, 0):
                    continue
                desk.shift(at(monday + timedelta(days=number % 5), 8), calls, self.rng)
        self.take(*self.stations.values())

    def take(self, *scripts):
        self._ingest(lambda ingest: [ingest.take(s.messages(), "stream", "server")
                                     for s in scripts])  # fmt: skip

    def _ingest(self, work):
        writer = open_writer(self.data.store)
        try:
            work(Ingest(writer, sites.load(self.data.site), FixedClock(self.now_ms)))
        finally:
            writer.close()

    def older(self, agent, utc_ms, calls=3):
        """A shift of hers, told by another station that has no other."""
        desk = _Desk(agent, f"DIA-0987654{utc_ms // 1000:05x}"[:16])
        desk.number = 1000 + self.rng.randrange(1000)
        desk.shift(utc_ms, calls, self.rng)
        self.take(desk)

    # -- what the hub says

    def say(self, *events):
        """(kind, UTC milliseconds, fields), each; the keys of the events."""
        keys, messages = [], []
        for kind, t, fields in events:
            self.n += 1
            body = {"s": "HUB-main", "e": self.e, "n": self.n, "b": 0, "u": 0, "t": t, "k": kind}
            body |= {"by": "rule:sample"} | fields
            messages.append(Message(0, subject_of("HUB-main"), json.dumps(body).encode()))
            keys.append(("HUB-main", self.e, self.n))
        self._ingest(lambda ingest: ingest.take_file(messages))
        return keys

    def draw(self, period, plan=PLAN, conditions=None, secret=None):
        """One draw, by the real order, with what it assigns; its id and its event."""
        secret = secret or hashlib.sha256(f"{plan.code} {period.word}".encode()).digest()
        (planned,) = self.say(("sample.planned", period.from_ms, {
            "plan": plan.code, "version": 1, "start": period.start_ms, "end": period.end_ms,
            "commit": sampling.commitment(secret),
        }))  # fmt: skip
        with open_reader(self.data.store) as reader, reader.engine.connect() as tx:
            frame = frame_of(tx, plan, period, self.people(), ZONE, conditions or Conditions())
        drawn = sampling.draw(plan, frame.rows, secret)
        t = period.end_ms + 3 * HOUR_MS
        code = hashlib.sha256(repr(planned).encode()).hexdigest()[:12]
        chosen = sum(one.taken for one in drawn.strata)
        (key,) = self.say(("sample.drawn", t, {
            "draw": code, "of": planned, "frame": len(frame.rows), "frame_hash": frame.hash,
            "secret": secret.hex(), "chosen": chosen, "strata": len(drawn.strata), "cut": t,
            "excluded": [frame.excluded.get(why, 0) for why in EXCLUSIONS],
        }))  # fmt: skip
        found = assigning.assign(plan, period, drawn, secret, assigning.Bars(), [LEAD])
        return code, key, self.assign(found.calls, t, code, plan.scorecard, plan.days)

    def assign(self, calls, t, draw, form=FORM, days=5, **more):
        """What `Given` has of each, by its event."""
        version, due = self.scorecard(form).version, t + days * DAY_MS
        told = [
            {"a": one.agent, "draw": draw, "call": one.key, "stratum": one.stratum or None,
             "rank": one.rank, "pool": one.pool, "to": one.to, "form": form, "version": version,
             "second": one.second or None, "due": due} | more for one in calls
        ]  # fmt: skip
        keys = self.say(*(
            ("sample.assigned", t, {k: v for k, v in one.items() if v is not None})
            for one in told
        ))  # fmt: skip
        made = [
            Given(key, one, draw, form, version, due) for key, one in zip(keys, calls, strict=True)
        ]
        self.given += made
        return made

    def submit(self, *some, t=None):
        """(assignment, answers), each: evaluated, the event of the evaluation by assignment."""
        events = []
        for number, (one, answers) in enumerate(some):
            its = evaluate(self.people_scorecard(one), answers)
            code = hashlib.sha256(repr(one.key).encode()).hexdigest()[:12]
            when = t or one.due - 4 * DAY_MS + 60_000 * number
            events.append(("evaluation.submitted", when, {
                "evaluation": code, "a": one.agent, "call": one.call, "of": one.key,
                "version": one.version, "basis": "random" if one.draw else "targeted",
                "answers": answers, **_scored(its), "notes": 0, "by": one.to,
            }))  # fmt: skip
            self.evaluations[one.key] = code
        keys = self.say(*events)
        for (one, _), key in zip(some, keys, strict=True):
            self.submitted[one.key] = key
        return keys

    def people_scorecard(self, one):
        return (
            self._forms().get((one.form, one.version))
            or self._forms(new=True)[one.form, one.version]
        )

    def _forms(self, *, new=False):
        if new or not hasattr(self, "_known"):
            self._known = self.people().scorecards
        return self._known

    def revise(self, one, answers, cause="pair", t=None):
        its = evaluate(self.people_scorecard(one), answers)
        return self.say(("evaluation.revised", t or one.due, {
            "of": self.submitted[one.key], "answers": answers, **_scored(its), "cause": cause,
            "reason": "el audio lo muestra", "by": LEAD,
        }))[0]  # fmt: skip

    def annul(self, one, t=None):
        return self.say(("evaluation.annulled", t or one.due, {
            "of": self.submitted[one.key], "reason": "otra llamada", "by": LEAD,
        }))[0]  # fmt: skip

    def release(self, *some, t=None):
        return self.say(*(
            ("evaluation.released", t or one.due, {"of": self.submitted[one.key]}) for one in some
        ))  # fmt: skip

    def annul_draw(self, key, t=None):
        return self.say(("sample.annulled", t or self.now_ms, {
            "of": key, "reason": "planilla equivocada", "by": LEAD,
        }))[0]  # fmt: skip

    # -- answers

    def answers(self, one, skill=0.87, rng=None):
        """Of that form, at random."""
        rng = rng or self.rng
        given = []
        for item in self.people_scorecard(one).items:
            options = OPTIONS[item.scale]
            if item.na and rng.random() < 0.1:
                given.append("-")
            elif rng.random() < skill:
                given.append(options[-1])
            else:
                given.append(rng.choice(options[:-1]))
        return "".join(given)

    def best(self, one, **other):
        """All of that form's best options, but for these items."""
        items = self.people_scorecard(one).items
        return "".join(other.get(item.code, OPTIONS[item.scale][-1]) for item in items)


def _scored(its):
    return {"score": its.score, "raw": its.raw, "failed": its.failed,
            "critical": [its.user, its.business, its.compliance]}  # fmt: skip


def _station(number):
    return f"DIA-01234567{number:04x}"


class _Desk(Script):
    """One agent's station; each shift is a boot of it."""

    def __init__(self, agent, s):
        super().__init__(s=s, e=7, agent=agent)
        self.number, self._begun = 0, {}

    def begun(self, start_ms=0, end_ms=2**63):
        """The keys of its contacts of these hours, in order."""
        return [key for key, utc in self._begun.values() if start_ms <= utc < end_ms]

    def key_of(self, c):
        key, _ = self._begun.get(c, (None, None))
        return key

    def shift(self, utc_ms, calls, rng):
        self.boot().clock(utc_ms).mark("in").login(mark=True).ready()
        for _ in range(calls):
            self.number += 1
            c = f"{self.agent}-{self.number}"
            self.one(c, rng)
            self.ready(600_000)
        self.presence("ready", "not_ready", "refrigerio", after=60_000)
        return self.mark("out").logout()

    def one(self, c, rng):
        hold = rng.choice((0, 0, 9_000, 30_000))
        talk, number = rng.randrange(60_000, 600_000), self.number
        self.offer(c, queue=QUEUES[number % 2])
        self._begun[c] = (self.s, self.e, self.n), self.u + self.offset
        self.contact("answered", c, 3000, via="key", ring_ms=3000)
        self.contact("step", c, 1000, step="greeting", result="done", how="key")
        if hold:
            self.contact("held", c, talk // 2, via="key").contact("resumed", c, hold, via="key")
        self.contact("ended", c, talk - talk // 2, by="caller", on_hold=False)
        if number % 4:
            agent = rng.randrange(10_000, talk // 2)
            self.add("voice.summary", 0, a=self.agent, c=c, agent_ms=agent,
                     caller_ms=talk // 2 - agent, both_ms=number * 10, silence_ms=talk // 2,
                     longest_silence_ms=1000 * (number % 9), interruptions=number % 4,
                     clipping=number % 3, agent_db=-20, caller_db=-22)  # fmt: skip
        self.wrapup("started", c, 0)
        if number % 5:
            code = CODES[number % 3]
            self.contact("typified", c, 10_000, code=code, version=1, how="agent")
            self.wrapup("ended", c, 0, cause="typified")
        else:
            self.contact("typified", c, 60_000, code="SIN_TIPIFICAR", version=1, how="timeout")
            self.wrapup("ended", c, 0, cause="timeout")


def evaluated_month(folder, agents=14, calls=6, seed=0):
    """Four draws of two calls an agent. Of each ten given calls about one is not evaluated when
    it is due; half of the pairs that differ are decided; the first week's are all released.
    """
    month = Month(folder, agents, calls, seed)
    for number in range(len(MONDAYS)):
        _, _, given = month.draw(week(number))
        done = [(one, month.answers(one)) for one in given if month.rng.random() < 0.9]
        month.submit(*done)
        if number == 0:
            month.release(*(one for one, _ in done))
    seconds = [one for one in month.given if one.second and one.key in month.submitted]
    firsts = {(one.draw, one.call): one for one in month.given if not one.second}
    pairs = [firsts[one.draw, one.call] for one in seconds]
    for one in pairs[::2]:
        if one.key in month.submitted:
            month.revise(one, month.answers(one, 0.95))
    return month
