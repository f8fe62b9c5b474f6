"""A floor whose agents ask for help and report faults: the real ingest and the hub's own rules
over a store that a web reads, and stations that say what the test has them say.
"""

import asyncio
import json
import time
from typing import Any

from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir
from diadema.hub.actions import Actions
from diadema.hub.commanding import Commands
from diadema.hub.fault_desk import FaultDesk
from diadema.hub.help_desk import HelpDesk
from diadema.hub.own_journal import Refused
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Effects, Message, subject_of
from diadema.site import description as sites
from diadema.site.directory.book import Directory
from diadema.site.directory.publishing import begin
from diadema.store import open_reader, open_writer

from tests.support.scripted_station import SITE, Script
from tests.support.targeted import put
from tests.support.web_stage import Hub

TOPICS = [
    {"code": "saldo", "label": "Saldos"},
    {"code": "reclamo", "label": "Reclamo Indecopi", "urgent": True},
    {"code": "sistema", "label": "El sistema falla"},
]
AREAS = [{"code": "sistemas", "label": "Sistemas", "parts": [{"code": "crm", "label": "CRM"}]}]
QUEUES = ("Ventas", "Soporte")
TEAMS = ("Mañana", "Tarde")


def described(agents: int) -> dict[str, Any]:
    return SITE | {
        "stations": [
            {"id": station(k), "seat": f"{'AB'[k % 2]}-{k:02}"} for k in range(1, agents + 1)
        ],
        "agents": [
            {"id": f"a{k:03}", "name": f"Asesor {k}", "alias": f"AS{k}", "short": f"A{k}",
             "team": TEAMS[k % 2], "badges": []}
            for k in range(1, agents + 1)
        ],
        "help_topics": TOPICS,
        "fault_areas": AREAS,
    }  # fmt: skip


def station(k: int) -> str:
    return f"DIA-0a000000{k:04x}"


class HelpStage:
    """`hub` is told of every row that changes, and asks this for what is acted."""

    def __init__(self, data: DataDir, agents: int = 6) -> None:
        self.data = data
        data.make()
        data.site.write_text(json.dumps(described(agents)))
        site = sites.load(data.site)
        with Directory(data.directory) as book:
            begin(book, site, 1)
        for name in QUEUES:
            put(data, "queues", code=name.lower(), name=name, switch_names=[name.lower()])
        self._writer, self._reader = open_writer(data.store), open_reader(data.store)
        self.ingest = Ingest(self._writer, site, SystemClock())
        commands = Commands(self.ingest, None)
        self._desk = HelpDesk(self.ingest, commands, self._reader, data)
        self.acts = Actions(self.ingest, commands, self._reader, None, self._desk)
        self.faults = FaultDesk(
            data, self.ingest, commands, self._reader, lambda: self._desk.people
        )
        self.acts.of_ticket = self.faults.follow
        self.hub: Hub | None = None
        self._desks = {k: Script(s=station(k), agent=f"a{k:03}") for k in range(1, agents + 1)}
        self._told: dict[int, int] = {}
        self._said = 0
        self._calls: dict[int, str] = {}  # that run
        self._rows: dict[str, bytes] = {}
        self._sending: set[asyncio.Task[None]] = set()
        now = int(time.time() * 1000)
        for k, script in self._desks.items():
            script.boot().clock(now - 3_600_000).mark("in").login(mark=True).ready()
            self._take(self.ingest.take([script.hello_message()], "stream", "server"))
            self.say(k)

    def close(self) -> None:
        self.faults.close()
        self._reader.close()
        self._writer.close()

    def _take(self, effects: Effects) -> None:
        self._rows |= effects.rows

    def say(self, k: int) -> None:
        """The station tells what its script has new."""
        script, first = self._desks[k], self._told.get(k, 0) + 1
        messages = [Message(0, one.subject, one.data) for one in script.messages(first)]
        self._take(self.ingest.take_file(messages))
        self._told[k] = script.n

    async def publish(self) -> None:
        assert self.hub is not None
        rows, self._rows = self._rows, {}
        for agent, row in rows.items():
            await self.hub.put_raw(f"agent.{agent}", row)

    async def begin(self, hub: Hub) -> None:
        self.hub = hub
        hub.answer = self.answer
        self._desk.read()
        self._rows = dict(self.ingest.floor.rows)
        await self.publish()
        await hub.site()

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """As the hub does."""
        of_ticket = body["action"].startswith("ticket_")
        try:
            given, done = (self.faults if of_ticket else self.acts).act(body)
        except Refused as error:
            return {"error": error.error, "status": error.status, "values": error.values}
        self._take(done.effects)
        task = asyncio.get_running_loop().create_task(self.publish())
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return given

    # -- what an agent does

    def ring(
        self, k: int, *, ago_s: float = 60, queue: str = "ventas", motive: bool = True
    ) -> str:
        """A call that began so long ago, of which motive and playbook are known."""
        script, c = self._desks[k], f"c{k}-{self._desks[k].n}"
        self._at(script, ago_s)
        self._calls[k] = c
        since = int(time.time() * 1000) - script.offset - script.u
        rang = max(0, min(3000, since))  # else a desk that is used again and again is ahead of us
        script.offer(c, 0, queue=queue).contact("answered", c, rang, via="key", ring_ms=rang)
        if motive:
            script.contact("motive", c, 0, motive="1", version=1)
            script.contact("playbook", c, 0, playbook="saldos", version=3)
        return c

    def ask(self, k: int, *, ago_s: float = 0, topic: str | None = "saldo") -> list[Any]:
        """Somebody presses Ayuda. Gives the press."""
        script = self._desks[k]
        self._at(script, ago_s)
        in_call = {"c": self._calls[k]} if k in self._calls else {}
        script.add("help.requested", 0, a=script.agent, **in_call)
        of = [script.s, script.e, script.n]
        if topic is not None:
            script.add("help.topic", 0, a=script.agent, of=of, topic=topic, **in_call)
        return of

    def fail(self, k: int) -> list[Any]:
        """Somebody presses Falla, for the CRM, and the hub has judged it. Gives the press."""
        script = self._desks[k]
        self._at(script, 0)
        script.add("fault.reported", 0, a=script.agent)
        of = [script.s, script.e, script.n]
        script.add("fault.reported", 0, a=script.agent, of=of, area="sistemas", part="crm")
        self.say(k)
        while done := self.faults.look():
            self._take(done.effects)
        return of

    def hold(self, k: int, c: str, *, ago_s: float = 0) -> None:
        self._at(self._desks[k], ago_s)
        self._desks[k].contact("held", c, 0, via="key")

    def hang_up(self, k: int, c: str) -> None:
        self._at(self._desks[k], 0)
        del self._calls[k]
        self._desks[k].contact("ended", c, 0, by="caller", on_hold=False)
        self._desks[k].wrapup("started", c, 0)

    def hear(self, k: int, kind: str, of: list[Any], by: str) -> None:
        """The station did what it was told."""
        self._at(self._desks[k], 0)
        self._desks[k].add(f"help.{kind}", 0, of=of, i=1, by=by)

    def host(self, kind: str, of: list[Any], **fields: Any) -> None:
        """The hub's own clock or program does something about it."""
        self._said += 1
        place = {"s": "HUB-other", "e": 1, "n": self._said, "b": 0, "u": 0}
        told = place | {"t": int(time.time() * 1000), "k": f"help.{kind}", "of": of, **fields}
        body = json.dumps({"by": "hub"} | told).encode()
        self._take(self.ingest.take_file([Message(0, subject_of("HUB-other"), body)]))

    def rest(self) -> None:
        """Nobody asks, nobody calls. Who did nothing can still have done it long ago."""
        self._calls.clear()
        for k, script in self._desks.items():
            state = self.ingest.station(script.s).state
            asked = [one for one in state.presses if (one.kind, one.outcome) == ("help", "open")]
            if not asked and not state.open:
                continue
            self._at(script, 0)
            for press in asked:
                script.add("help.cancelled", 0, of=[script.s, script.e, press.sequence])
            for call in state.open:
                if call.phase != "wrapup":
                    script.contact("ended", call.contact, 0, by="caller", on_hold=call.on_hold)
                    script.wrapup("started", call.contact, 0)
                script.wrapup("ended", call.contact, 0, cause="timeout")
            self.say(k)

    async def tell(self, k: int) -> None:
        self.say(k)
        await self.publish()

    @staticmethod
    def _at(script: Script, ago_s: float) -> None:
        """So long ago, but never before what it has told."""
        at = int(time.time() * 1000 - 1000 * ago_s)
        script.u = max(script.u, at - script.offset)
