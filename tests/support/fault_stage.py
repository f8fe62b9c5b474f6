"""A centre with faults: seats whose agents pressed, and what the hub says of tickets, in the store
of a web whose clock the test moves. The hub's judgement is the test's own.
"""

import json
from pathlib import Path
from typing import Any

from diadema.access.authenticator import csrf
from diadema.access.roles import Role
from diadema.base.clock import SharedClock
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.site import description as sites
from diadema.site.directory.book import Directory
from diadema.site.directory.publishing import begin
from diadema.store import open_writer

from tests.support.scripted_station import SITE, T0, Script
from tests.support.targeted import put
from tests.support.web_stage import ACCOUNT_PASSWORD, TESTER, Web

MINUTE_MS = 60_000
NOW = T0 + 40 * MINUTE_MS
HUB = "HUB-main"
NAMES = ["Rosa Quispe", "Luis Pari", "Ana Mamani", "Julio Huamán"]
ACCOUNTS: dict[str, tuple[str, Role, list[str]]] = {
    "sonia": ("Sonia Ríos", "supervisor", ["Mañana"]),
    "teo": ("Teo Díaz", "technician", []),
    "ada": ("Ada Paredes", "admin", []),
    "iris": ("Iris Proveedora", "area", []),
    "saul": ("Saúl Sistemas", "area", []),
}
AREAS = [
    {"code": "sistemas", "label": "Sistemas", "parts": ["crm=CRM", "vpn=VPN"],
     "accounts": ["saul"]},
    {"code": "proveedor", "label": "Operador", "parts": ["enlace=Enlace"],
     "external": True, "accounts": ["iris"]},
]  # fmt: skip


def station(number: int) -> str:
    return f"DIA-07000000{number:04x}"


def agent_name(number: int) -> str:
    return f"{NAMES[number % 4]} {number}"


class FaultStage:
    """`seats` A-01… have the agents a001…, the odd ones of the team «Mañana»."""

    def __init__(self, folder: Path, nats_url: str, seats: int = 12) -> None:
        folder.mkdir(exist_ok=True)
        self.clock = SharedClock(folder / "clock", create=True)
        self.clock.set(NOW, 0)
        self.data = DataDir(folder / "data")
        self.data.make()
        agents = [
            {"id": f"a{n:03}", "name": agent_name(n), "short": f"QU{n}", "alias": f"Alias{n}",
             "team": ("Tarde", "Mañana")[n % 2], "badges": []}
            for n in range(1, seats + 1)
        ]  # fmt: skip
        stations = [{"id": station(n), "seat": f"A-{n:02}"} for n in range(1, seats + 1)]
        described = SITE | {"agents": agents, "stations": stations}
        self.data.site.write_text(json.dumps(described))
        site = sites.load(self.data.site)
        with Directory(self.data.directory) as book:
            begin(book, site, 1)
        for area in AREAS:
            put(self.data, "fault_areas", **area)
        self._writer = open_writer(self.data.store)
        self._ingest = Ingest(self._writer, site, self.clock)
        self._scripts: dict[int, Script] = {}
        self._pressed: dict[int, list[Any]] = {}
        self._n = 0
        self.web = Web(self.data.root, nats_url, folder / "clock")
        self.web.start()
        for name, (full, role, teams) in ACCOUNTS.items():
            self.web.accounts.book.add(
                TESTER, name, full, role, teams=teams, password=ACCOUNT_PASSWORD
            )

    def close(self) -> None:
        self.web.kill()
        self._writer.close()

    def cookies(self, account: str) -> dict[str, str]:
        secret = self.web.accounts.sessions.begin(account, "127.0.0.1")
        return {"diadema_session": secret, "diadema_csrf": csrf(secret)}

    def press(self, seat: int, ago_min: int = 20, **about: str) -> list[Any]:
        """Its agent, logged in since then, reports a fault; gives the press."""
        script = self._scripts.get(seat)
        since = NOW - ago_min * MINUTE_MS
        before = 0
        if script is None:
            script = self._scripts[seat] = Script(s=station(seat), agent=f"a{seat:03}")
            script.boot().clock(since - 3000).login(0).ready(0)
        else:
            before = script.n
        assert script.offset is not None
        script.add("fault.reported", since - (script.u + script.offset), a=script.agent)
        of = self._pressed[seat] = [script.s, script.e, script.n]
        if about:
            script.add("fault.reported", 0, a=script.agent, of=of, **about)
        self._heard(script, before)
        return of

    def tell(self, seat: int, kind: str, ago_min: int = 0, **fields: Any) -> None:
        """One more event of its station."""
        script = self._scripts[seat]
        assert script.offset is not None
        at = self.clock.now_ms() - ago_min * MINUTE_MS
        before = script.n
        script.add(kind, at - (script.u + script.offset), a=script.agent, **fields)
        self._heard(script, before)

    def pressed(self, seat: int) -> list[Any]:
        """Its last report."""
        return self._pressed[seat]

    def _heard(self, script: Script, before: int) -> None:
        messages = [script.hello_message(), *script.messages(before + 1)]
        self._ingest.take(messages, "stream", "server")

    def say(
        self, kind: str, ticket: str, ago_min: float = 0, by: str = "rule:report", **fields: Any
    ) -> None:
        """The hub says it of a ticket."""
        self._n += 1
        utc = self.clock.now_ms() - int(ago_min * MINUTE_MS)
        event = {"s": HUB, "e": 1, "n": self._n, "b": 0, "u": 0, "t": utc, "k": f"ticket.{kind}"}
        body = json.dumps(event | {"by": by, "ticket": ticket} | fields, ensure_ascii=False)
        self._ingest.take_file([Message(0, subject_of(HUB), body.encode())])

    def opened(self, ticket: str, ago_min: float = 20, **fields: Any) -> None:
        given = {"area": "sistemas", "severity": 3, "title": "Falla", "seats": ["A-01"]} | fields
        self.say("opened", ticket, ago_min, **given)

    def mass(self, ticket: str, seats: range, title: str = "CRM caído") -> list[list[Any]]:
        """A failure that these seats reported, one a minute."""
        presses = [
            self.press(n, 20 - at % 15, area="sistemas", part="crm") for at, n in enumerate(seats)
        ]
        self.opened(
            ticket, 18, part="crm", severity=2, title=title, of=presses[0],
            seats=[f"A-{n:02}" for n in seats][:3], due=NOW - 3 * MINUTE_MS, by="rule:mass",
        )  # fmt: skip
        for press in presses:
            self.say("linked", ticket, 17, of=press)
        return presses
