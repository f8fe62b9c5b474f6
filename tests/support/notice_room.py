"""A centre whose agents have yet to be told that calls are heard: the desk of notices on a store
and a directory that a hub can be begun anew on, with stations that say what agents answer.
"""

import hashlib
import json
from datetime import datetime

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands
from diadema.hub.hearing import Hearing
from diadema.hub.notice_desk import NoticeDesk
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.site import description as sites
from diadema.site.directory.book import Change
from diadema.site.directory.freezing import fresh
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.people_of import people as people_on
from diadema.site.directory.publishing import open_directory
from diadema.site.directory.quality_of import notice_bytes
from diadema.site.directory.tables import frozen
from diadema.store import open_reader, open_writer
from diadema.store.quality import signatures
from diadema.store.register import messages
from sqlalchemy import insert

from tests.support.scripted_station import SITE, T0, FixedClock, Script

DAY_MS = 86_400_000
BY = {"by": "luz", "who": "Luz Paz"}
TEXTS = {"caller": "Esta llamada se graba.", "agent": "Sus llamadas se graban y se escuchan."}
STATIONS = {"a001": "DIA-0123456789ab", "a002": "DIA-0123456789ac"}


class NoticeRoom:
    """Two agents, the first at her desk. `published`: by notice, its last version."""

    def __init__(self, folder, more=()):
        self.data = DataDir(folder)
        self.clock = FixedClock(T0)
        described = SITE | {"agents": [*SITE["agents"], *more]}
        self.data.make()
        self.data.site.write_text(json.dumps(described))
        self.site = sites.parse(json.dumps(described).encode())
        self.published, self._said = {}, 0
        self.scripts = {a: Script(s, agent=a) for a, s in STATIONS.items()}
        self.begin()
        for side in TEXTS:
            self.publish(side)
        for script in self.scripts.values():
            script.boot().clock(T0 - 60_000)
            self.take(script, 1)
        self.log_in("a001")

    def begin(self):
        """A hub on what there is."""
        self.writer, self.reader = open_writer(self.data.store), open_reader(self.data.store)
        self.ingest = Ingest(self.writer, self.site, self.clock)
        self.commands = Commands(self.ingest, None)
        self.hearing = Hearing(self.ingest, self.reader, self.people, self.person)
        self.desk = NoticeDesk(self.data, self.ingest, self.commands, self.reader, self.hearing)

    def end(self):
        self.reader.close()
        self.writer.close()

    def restart(self):
        self.end()
        self.begin()

    def people(self):
        today = datetime.fromtimestamp(self.clock.now_ms() / 1000, self.site.tz).date()
        return people_on(self.data, today, today)

    @staticmethod
    def person(account):
        return Person(id=account, name="Luz Paz", role="quality_lead")

    # -- what the directory and the hub say

    def write(self, code, side="agent", text=None, **more):
        """A notice in the directory, which is not published by that. Gives its hash."""
        row = {"code": code, "name": f"Aviso {code}", "side": side, "text": text or TEXTS[side]}
        body = KINDS["notices"].read(row | more)
        with open_directory(self.data, self.clock.now_ms()) as book:
            change = Change(kind="notices", code=code, body=body)
            book.apply([change], by="luz", reason="t", at_ms=self.clock.now_ms())
        return hashlib.sha256(notice_bytes(body)).hexdigest()

    def publish(self, code, side=None, text=None, **more):
        side = side or (code if code in TEXTS else "agent")
        digest = self.write(code, side, text, **more)
        self.published[code] = self.published.get(code, 0) + 1
        with open_directory(self.data, self.clock.now_ms()) as book, book.writing() as tx:
            (one,) = fresh(book, "notices", [code])
            row = {"catalogue": f"notice.{code}", "version": one.version, "hash": one.hash,
                   "at_ms": self.clock.now_ms(), "by": "luz", "body": one.body}  # fmt: skip
            tx.execute(insert(frozen).values(row))
        self.host(
            "notice.published", notice=code, side=side, version=self.published[code], hash=digest
        )

    def host(self, kind, **fields):
        self._said += 1
        place = {"s": "HUB-other", "e": 1, "n": self._said, "b": 0, "u": 0}
        told = place | {"t": self.clock.now_ms(), "k": kind, "by": "luz"} | fields
        self.ingest.take_file([Message(0, subject_of("HUB-other"), json.dumps(told).encode())])

    # -- what stations say

    def take(self, script, first):
        self.ingest.take_file(script.messages(first))

    def say(self, of, kind, **fields):
        script = self.scripts[of]
        script.u = max(script.u, self.clock.now - script.offset)
        script.add(kind, 1, **fields)
        self.take(script, script.n)
        return script.s, script.e, script.n

    def log_in(self, a):
        script = self.scripts[a]
        first = script.n + 1
        script.u = max(script.u, self.clock.now - script.offset)
        script.login(after=1)
        self.take(script, first)

    def answer(self, a, m, answer="agree", how="badge", who=None):
        return self.say(a, "message.acknowledged", a=who or a, m=m, answer=answer, how=how)

    # -- what is asked, and what came of it

    def act(self, action, **fields):
        answer, done = self.desk.act({"action": action, **BY, **fields})
        self.sent = [(s, json.loads(body)) for s, body in done.frames]
        return answer

    def send(self, *agents, notice="agent"):
        return self.act("notice_sent", notice=notice, agents=list(agents))

    def sign(self, *agents, notice="agent", how="paper", date="2026-11-17", **fields):
        return self.act("notice_signed", notice=notice, agents=list(agents), how=how, date=date,
                        **fields)  # fmt: skip

    def settle(self):
        """How often the desk had something to say."""
        said = 0
        while self.desk.look():
            said += 1
            assert said < 50, "it comes to no end"
        return said

    def messages(self):
        with self.reader.engine.connect() as tx:
            return messages(tx)

    def signatures(self):
        with self.reader.engine.connect() as tx:
            return signatures(tx)
