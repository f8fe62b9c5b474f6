"""A centre whose calls are sampled and evaluated: the real ingest, directory and accounts, and the
hub's desk of quality by one clock that the test moves. A hub can be begun anew on what is stored.
"""

import asyncio
import json
from datetime import datetime
from zoneinfo import ZoneInfo

from diadema.access import Accounts
from diadema.access.roles import THE_HUB
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands
from diadema.hub.hearing import Hearing
from diadema.hub.help_desk import HelpDesk
from diadema.hub.quality_desk import QualityDesk
from diadema.ingest.core import Ingest
from diadema.quality.pairs import seen_calls
from diadema.quality.samples import overview
from diadema.site import description as sites
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.freezing import publish_quality
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import begin
from diadema.store import open_reader, open_writer
from diadema.store.quality import assigned_calls, draws, evaluations

from tests.support.informed import LEAD, inform
from tests.support.scripted_station import SITE, FixedClock, Script

LIMA = ZoneInfo("America/Lima")
PLAN, FORM = "semanal", "atencion"
MONITORS = {"noe": "Noé Ramos", "eva": "Eva Soto"}
ITEMS = (
    {"code": "saludo", "text": "Saluda con su nombre", "weight": 40},
    {"code": "solucion", "text": "Da la solución", "weight": 40, "comment": "below_full"},
    {"code": "codigo", "text": "Tipifica bien", "weight": 20, "checks": "disposition",
     "kind": "business", "na": True},
)  # fmt: skip


def at(text):
    """UTC milliseconds of that moment in Lima."""
    return round(datetime.fromisoformat(text).replace(tzinfo=LIMA).timestamp() * 1000)


MONDAY = at("2026-11-16")  # 2026-W47


class Agent:
    """One at a station of the own."""

    def __init__(self, room, number):
        self.room = room
        self.script = Script(f"DIA-{number:012x}", agent=f"a{number:03}")
        self._last = 0

    def work(self, moment, calls=1, talk=60_000, **more):
        """Logs in then, and has so many calls, one after the other."""
        room, script = self.room, self.script
        room.clock.now = max(room.clock.now, moment)
        script.boot().clock(moment).login().ready()
        for _ in range(calls):
            script.call(f"c{script.n}", talk=talk, **more)
        room.clock.now = max(room.clock.now, script.u + script.offset)
        return self.say()

    def say(self):
        script = self.script
        self.room.ingest.take(script.messages(self._last + 1), "stream", "server")
        self._last = script.n
        return self


class QualityRoom:
    """`agents`: a001… of teams Mañana (odd) and Tarde; `plan`: fields of `sample_plans`, None for
    no plan yet.
    """

    def __init__(self, folder, agents=3, plan=(), now=MONDAY):
        self.data = DataDir(folder)
        self.data.make()
        self.clock = FixedClock(now - 3 * 86_400_000)
        numbers = range(1, agents + 1)
        self.described = SITE | {
            "stations": [{"id": f"DIA-{n:012x}", "seat": f"A-{n:02}"} for n in numbers],
            "agents": [
                {"id": f"a{n:03}", "name": f"Asesor {n}", "short": f"A{n}", "alias": f"A{n}",
                 "team": ("Tarde", "Mañana")[n % 2], "badges": []} for n in numbers
            ],
        }  # fmt: skip
        self.data.site.write_text(json.dumps(self.described))
        with Directory(self.data.directory) as book:
            begin(book, sites.load(self.data.site), 1)
        open_writer(self.data.store).close()
        inform(self.data, self.clock.now, [f"a{n:03}" for n in numbers])
        self.account("ada", "Ada Paredes", "admin")
        for name, full in MONITORS.items():
            self.account(name, full)
        self.publish_form()
        if plan is not None:
            self.put_plan(**dict(plan))
        self.begin()
        self.clock.now = now
        self.agents = {n: Agent(self, n) for n in numbers}

    # -- people and plans

    def account(self, name, full, role="monitor", **more):
        accounts = Accounts(self.data)
        accounts.book.add(THE_HUB, name, full, role, password="clave-1234", **more)
        accounts.close()

    def disable(self, name):
        accounts = Accounts(self.data)
        accounts.book.disable(THE_HUB, name)
        accounts.close()

    def put(self, table, **given):
        body = KINDS[table].read(given)
        one = Change(kind=table, code=KINDS[table].code(body), body=body)
        with Directory(self.data.directory) as book:
            book.apply([one], by=LEAD, reason="prueba", at_ms=self.clock.now)

    def put_plan(self, code=PLAN, **given):
        told = {"code": code, "name": code.title(), "scorecard": FORM, "period": "week",
                "per_agent": 2, "twice_share": 0, "twice_least": 0, "plan_days": 5,
                "monitors": [*MONITORS]}  # fmt: skip
        wanted = {name: value for name, value in (told | given).items() if value is not None}
        self.put("sample_plans", **wanted)

    def publish_form(self, code=FORM, items=ITEMS):
        self.put("scorecards", code=code, name=code.title())
        self.put("scorecard_sections", scorecard=code, code="todo", name="Todo")
        for order, item in enumerate(items, 1):
            self.put("scorecard_items", scorecard=code, section="todo", order=order, **item)

        async def ask(subject, body):
            return {}

        with Directory(self.data.directory) as book:
            asyncio.run(
                publish_quality(book, "scorecards", by=LEAD, at_ms=self.clock.now, ask=ask)
            )

    # -- the hub

    def begin(self):
        """A hub on what the store has."""
        self.writer = open_writer(self.data.store)
        self.reader = open_reader(self.data.store)
        self.ingest = Ingest(self.writer, sites.load(self.data.site), self.clock)
        self.commands = Commands(self.ingest, None)
        self.help_desk = HelpDesk(self.ingest, self.commands, self.reader, self.data)
        hearing = Hearing(
            self.ingest, self.reader, lambda: self.help_desk.people, self.help_desk.person
        )
        self.desk = QualityDesk(self.data, self.ingest, self.commands, self.reader, hearing)

    def end(self):
        self.desk.close()
        self.help_desk.close()
        self.reader.close()
        self.writer.close()

    def restart(self):
        self.end()
        self.begin()

    def step(self):
        """What the desk has to say next, once its thread is through; None where it has nothing."""
        self.help_desk.read()
        while True:
            if (done := self.desk.look()) is not None:
                return done
            if not self.desk.draws.is_busy:
                return None
            self.desk.draws.wait(60)

    def settle(self):
        said = 0
        while self.step() is not None:
            said += 1
            assert said < 500, "the desk comes to no end"
        return said

    def go_to(self, moment):
        self.clock.now = moment
        return self.settle()

    def act(self, action, **fields):
        self.help_desk.read()
        answer, _ = self.desk.act({"action": action, "by": LEAD} | fields)
        return answer

    def draw(self, period="2026-W47", plan=PLAN, by=LEAD, **more):
        """By hand, as a command does: until it is made, or refused."""
        answer = self.act("sample_drawn", plan=plan, period=period, by=by, **more)
        self.desk.draws.wait(60)
        self.desk.draws.look()
        self.settle()
        return answer

    # -- what is there

    def draws(self, **which):
        with self.reader.engine.connect() as tx:
            return draws(tx, **which)

    def assigned(self, **which):
        with self.reader.engine.connect() as tx:
            return assigned_calls(tx, **which)

    def evaluations(self, **which):
        with self.reader.engine.connect() as tx:
            return evaluations(tx, **which)

    def seen(self, **which):
        with self.reader.engine.connect() as tx:
            return seen_calls(tx, self.help_desk.people, self.clock.now, **which)

    def overview(self, **which):
        with self.reader.engine.connect() as tx:
            people = self.help_desk.people
            return overview(tx, self.data, people, LIMA, self.clock.now, **which)


def q(one):
    """The key of an assignment, as requests have it."""
    row = one.assignment
    return [row.station, row.epoch, row.sequence]


def key(row):
    return [row.station, row.epoch, row.sequence]
