"""A floor whose three agents were and are in the private reasons: SS. HH., tópico, lactancia.

Each was in all of them yesterday and today, is in one for longer than an auxiliary may last, of
which a supervisor saw the alert, had one planned and one set by her; each has a call in between.
"""

import json
import re
import unicodedata
from datetime import timedelta
from html import unescape
from pathlib import Path

from diadema.base.clock import SharedClock
from diadema.base.paths import DataDir
from diadema.hub.actions import Actions
from diadema.hub.commanding import Commands
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.site.directory.book import Directory
from diadema.site.directory.publishing import begin
from diadema.store import open_reader, open_writer

from tests.host.test_private_reasons import CODES
from tests.host.test_report_adherence import AGENTS, DAY, DESCRIBED, Desk, at
from tests.support.targeted import put
from tests.support.web_stage import Hub

TEAM = "Mañana"
NOW = at(13, 50) * 1000
_SITE = DESCRIBED | {"agents": [agent | {"team": TEAM} for agent in AGENTS]}
_WORDS = (
    *CODES, r"ss\W{0,8}hh", "servicios? higienicos?", "rest ?rooms?", "bath ?rooms?", "toilets?",
    "infirmary", "first.aid", "nursing", "lactation", "breast ?-?feeding",
)  # fmt: skip
_NAMED = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(_WORDS)})(?![a-z0-9])")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def named(text: str) -> str | None:
    """Where the text names one of them: by code or by label, in Spanish or English, as HTML and
    JSON write it too.
    """
    text = _ESCAPED.sub(lambda one: chr(int(one[1], 16)), unescape(unescape(text)))
    text = unicodedata.normalize("NFD", text.casefold())
    plain = "".join(letter for letter in text if not unicodedata.combining(letter))
    found = _NAMED.search(plain)
    return plain[max(0, found.start() - 200) : found.end() + 100] if found else None


class Stage:
    """The hub's part of it: store, directory and bucket, at a clock that stands."""

    def __init__(self, folder: Path) -> None:
        self.clock = SharedClock(folder / "clock", create=True)
        self.clock.set(NOW, 0)
        self.data = DataDir(folder / "data")
        self.data.make()
        self.data.site.write_text(json.dumps(_SITE))
        site = sites.load(self.data.site)
        with Directory(self.data.directory) as book:
            begin(book, site, 1)
        put(self.data, "shifts", code="M", name="Mañana", start="08:00", end="16:00")
        self._writer, self._reader = open_writer(self.data.store), open_reader(self.data.store)
        self._ingest = Ingest(self._writer, site, self.clock)
        self.desks = [self._worked(k) for k in (1, 2, 3)]
        self._act()

    def _worked(self, k: int) -> Desk:
        before = DAY - timedelta(days=1)
        desk = Desk(k, at(8, day=before))
        for day in (before, DAY):
            planned = f"14:00-14:30 {CODES[k - 1]}"
            put(self.data, "roster", day=day.isoformat(), agent=f"a00{k}", shift="M",
                pauses=[planned])  # fmt: skip
            if day == DAY:
                desk.until(at(8)).script.login(0)
                desk.was = "not_ready"
                desk.ready()
            for hour, reason in zip((9, 10, 11), CODES, strict=True):
                desk.until(at(hour, day=day)).pause(reason).until(at(hour, 20, day=day)).ready()
            desk.call(f"c{k}{day.day}", 60_000)
            if day == before:
                desk.until(at(15, day=day)).pause("refrigerio").until(at(16, day=day)).logout()
        intended = {"a": desk.script.agent, "to": "not_ready", "reason": CODES[k - 1]}
        desk.until(at(12, 59)).script.add("presence.intended", 0, by="agent", **intended)
        return desk.until(at(13)).pause(CODES[k - 1], by="supervisor" if k == 3 else "agent")

    def _act(self) -> None:
        for desk in self.desks:
            messages = [desk.script.hello_message(), *desk.script.messages()]
            self._ingest.take(messages, "stream", "server")
        acts = Actions(self._ingest, Commands(self._ingest, None), self._reader, None)
        by = {"by": "elena", "who": "Elena"}
        for k, reason in enumerate(CODES, 1):
            acts.act({"action": "presence", "a": f"a00{k}", "reason": reason, **by})
        acts.act(
            {"action": "acknowledge", "a": "a001", "rule": "state", "since": at(13) * 1000, **by}
        )

    async def tell(self, hub: Hub) -> None:
        self._ingest.save((), self._ingest.floor.agents())
        for a, row in self._ingest.floor.rows.items():
            await hub.put_raw(f"agent.{a}", row)
        await hub.site(cut={"at": NOW, "position": 9}, owing=[], day=DAY.isoformat())

    def close(self) -> None:
        self._reader.close()
        self._writer.close()
