"""A centre whose quality somebody leads: its directory, what the hub said of the monitor's work,
and a web over both whose clock the test moves. The hub is its desk of quality, in this process.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import nats
from diadema.access.authenticator import csrf
from diadema.access.roles import Role
from diadema.base import paths
from diadema.base.clock import SharedClock
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands
from diadema.hub.hearing import Hearing
from diadema.hub.own_journal import OwnJournal, Refused, SupervisorAction
from diadema.hub.quality_desk import QualityDesk
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.site.directory import people_of
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.freezing import Freezable, publish_quality
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import begin
from diadema.site.directory.scorecard_template import template
from diadema.store import open_reader, open_writer
from diadema.store.assistance import key_of
from diadema.store.quality import AssignedCall, assigned_calls
from diadema.words import Sentence

from tests.support.scripted_station import SITE, Script
from tests.support.web_stage import ACCOUNT_PASSWORD, PASSWORD, TESTER, Web

LIMA = ZoneInfo("America/Lima")
NOW = int(datetime(2026, 11, 30, 10, 30, tzinfo=LIMA).timestamp() * 1000)
DAY_MS = 86_400_000
ACCOUNTS: dict[str, tuple[str, Role, list[str]]] = {
    "luz": ("Luz Paz", "quality_lead", []),
    "ana": ("Ana Ríos", "monitor", []),
    "noe": ("Noé Silva", "monitor", []),
    "ada": ("Ada Paredes", "admin", []),
    "sonia": ("Sonia Ríos", "supervisor", ["Mañana"]),
}
PLAN = {"name": "Semanal", "scorecard": "atencion", "per_agent": 2, "monitors": ["ana", "noe"]}


def at(*day: int) -> int:
    """The first moment of it, or that hour."""
    return int(datetime(*day, tzinfo=LIMA).timestamp() * 1000)  # type: ignore[misc]


class QualityStage:
    """`agents` a001… of the teams «Mañana» and «Tarde», each at a station of its own."""

    tester = TESTER

    def __init__(self, folder: Path, nats_url: str, agents: int = 6) -> None:
        folder.mkdir(exist_ok=True)
        self.agents = agents
        self.clock = SharedClock(folder / "clock", create=True)
        self.clock.set(NOW, 0)
        self.data = DataDir(folder / "data")
        self.data.make()
        people = [
            {"id": f"a{n:03}", "name": f"Inventada {n}", "short": f"I{n}", "alias": f"I{n}",
             "team": ("Tarde", "Mañana")[n % 2], "badges": []}
            for n in range(1, agents + 1)
        ]  # fmt: skip
        stations = [{"id": station(n), "seat": f"A-{n:02}"} for n in range(1, agents + 1)]
        described = SITE | {"agents": people, "stations": stations}
        self.data.site.write_text(json.dumps(described))
        site = sites.load(self.data.site)
        with Directory(self.data.directory) as book:
            begin(book, site, 1)
        self._writer, self._scripts = open_writer(self.data.store), dict[int, Script]()
        self._reader = open_reader(self.data.store)
        self._ingest = Ingest(self._writer, site, self.clock)
        self.web = Web(self.data.root, nats_url, folder / "clock")
        self.web.start()
        info = paths.Hub(1, {}, "", nats_url, ("127.0.0.1", 1))
        self.data.hub.write_bytes(msgspec.json.encode(info))
        for name, (full, role, teams) in ACCOUNTS.items():
            self.web.accounts.book.add(
                TESTER, name, full, role, teams=teams, password=ACCOUNT_PASSWORD
            )
        commands = Commands(self._ingest, None)
        self._journal = OwnJournal(self._ingest, commands)
        hearing = Hearing(self._ingest, self._reader, self._people, self._person)
        self.desk = QualityDesk(self.data, self._ingest, commands, self._reader, hearing)
        self.asked: list[dict[str, Any]] = []

    def close(self) -> None:
        self.web.kill()
        self.desk.close()
        self._reader.close()
        self._writer.close()

    def _people(self) -> Any:
        return people_of.people(self.data, None, people_of.day_at(self.data, self.clock.now_ms()))

    def _person(self, account: str) -> Any:
        found = self.web.accounts.book.get(account)
        return None if found.disabled else found.person

    async def listen(self) -> nats.NATS:
        """As the hub: it notes and does what it is asked, and looks at the clock."""
        client = await nats.connect(
            self.web.nats_url, user="host", password=PASSWORD, connect_timeout=60
        )

        async def take(message: Any) -> None:
            body = msgspec.json.decode(message.data)
            self.asked.append(body)
            await message.respond(msgspec.json.encode(self._answer(message.subject, body)))
            await client.flush()  # before a draw that takes its time
            if message.subject == "hub.act":
                self.tick()

        for subject in ("hub.record", "hub.act"):
            await client.subscribe(subject, cb=take)
        await client.flush()
        return client

    def _answer(self, subject: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            if subject == "hub.record":
                return self._record(body)
            answer, _ = self.desk.act(body)
            return answer
        except (DiademaError, msgspec.MsgspecError) as error:
            said = error.args[0] if error.args else ""
            reply = {"error": "bad_request", "detail": str(error), "status": 422}
            if isinstance(error, Refused):
                reply |= {"error": error.error, "status": error.status, "values": error.values}
            return reply | ({"sentence": said.parts()} if isinstance(said, Sentence) else {})

    def _record(self, body: dict[str, Any]) -> dict[str, Any]:
        k = body["k"]
        fields = {name: value for name, value in body.items() if name != "k"}
        done = self._journal.record([SupervisorAction([(k, fields)])])
        return {"of": done.of[0]}

    def tick(self) -> None:
        """What the clock has to say, until there is nothing."""
        self.desk.draws.forget()
        while self.desk.look() is not None or self.desk.draws.is_busy:
            self.desk.draws.wait(60)

    def at(self, *moment: int) -> None:
        """It is then, and the clock has said what it has to."""
        self.clock.set(at(*moment), 0)
        self.tick()

    def cookies(self, account: str) -> dict[str, str]:
        secret = self.web.accounts.sessions.begin(account, "127.0.0.1")
        return {"diadema_session": secret, "diadema_csrf": csrf(secret)}

    # -- the directory

    def put(self, kind: str, **given: Any) -> None:
        body = KINDS[kind].read(given)
        self.apply(Change(kind=kind, code=KINDS[kind].code(body), body=body))

    def retire(self, kind: str, code: str) -> None:
        self.apply(Change(kind=kind, code=code, body=None))

    def scorecard(self, code: str = "atencion", language: str = "es") -> None:
        self.apply(*template(code, language))

    def plan(self, code: str, **given: Any) -> None:
        self.put("sample_plans", **PLAN | {"code": code} | given)

    def apply(self, *changes: Change) -> None:
        with Directory(self.data.directory) as book:
            book.apply([*changes], by="luz", reason="prueba", at_ms=self.clock.now_ms())

    async def publish(self, kind: Freezable) -> None:
        async def ask(_: str, body: dict[str, Any]) -> dict[str, Any]:
            return self._record(body)

        with Directory(self.data.directory) as book:
            await publish_quality(book, kind, by="luz", at_ms=self.clock.now_ms(), ask=ask)

    async def inform(self) -> None:
        """Callers and all agents, from now on."""
        for side in ("caller", "agent"):
            self.put("notices", code=side, name=side, side=side, text="Esta llamada se escucha.")
        await self.publish("notices")
        self.sign("agent")

    def sign(self, notice: str) -> None:
        """All agents, on paper."""
        for n in range(1, self.agents + 1):
            signed = {"k": "notice.signed", "by": "ada", "notice": notice, "a": f"a{n:03}"}
            self._record(signed | {"how": "paper", "date": "2026-11-02", "document": f"RH-{n}"})

    async def set_up(self, *plans: str) -> None:
        """A scorecard in force, everybody informed, and these plans, on a day before the week."""
        self.clock.set(at(2026, 11, 20, 9), 0)
        self.scorecard()
        await self.publish("scorecards")
        await self.inform()
        for plan in plans:
            self.plan(plan)
        self.at(2026, 11, 23)

    # -- evaluations

    def assigned(self) -> list[AssignedCall]:
        with self._reader.engine.connect() as tx:
            return assigned_calls(tx)

    def submit(self, one: AssignedCall, answers: str) -> None:
        """By its monitor."""
        of = key_of(one.assignment)
        body = {"action": "evaluation_submitted", "of": of, "answers": answers}
        self.desk.act(body | {"by": one.assignment.assignee, "right_code": "111"})

    # -- calls

    def calls(self, agent: int, *starts: int, talk: int = 60_000, **more: Any) -> None:
        """Whole ones of that agent, each from that moment on."""
        script = self._scripts.get(agent)
        before = script.n if script else 0
        if script is None:
            script = self._scripts[agent] = Script(s=station(agent), agent=f"a{agent:03}")
            script.boot().clock(starts[0] - 3000).login(0).ready(0)
        assert script.offset is not None
        for start in starts:
            script.u = start - script.offset - 1000
            script.call(f"c-{agent}-{script.n}", talk=talk, **more)
        messages = [script.hello_message(), *script.messages(before + 1)]
        self._ingest.take(messages, "stream", "server")

    def week(self, each: int = 4) -> None:
        """So many calls of each agent, on the days from 23 to 28 November."""
        for n in range(1, self.agents + 1):
            self.calls(n, *(at(2026, 11, 23 + k % 6, 9, n, k) for k in _by_day(each)))


def _by_day(each: int) -> list[int]:
    return sorted(range(each), key=lambda k: (k % 6, k))


def station(number: int) -> str:
    return f"DIA-07000000{number:04x}"
