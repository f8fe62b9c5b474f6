"""A centre whose calls are evaluated: a published scorecard, stations that told of calls, and what
was assigned to whom. Of the hub it plays the desk of quality at the wire, by
`wire.quality_actions`; with the real one a call is evaluated in `tests/system/test_evaluate_walk`.
"""

import asyncio
import json
import time
from datetime import date
from typing import Any

import httpx
import msgspec
from diadema.access.authenticator import csrf
from diadema.access.roles import Role
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.quality.scoring import evaluate
from diadema.site import description as sites
from diadema.site.directory.book import Directory
from diadema.site.directory.freezing import publish_quality
from diadema.site.directory.people_of import people as read_people
from diadema.site.directory.publishing import begin
from diadema.store import open_reader, open_writer
from diadema.store.assistance import key_of
from diadema.store.quality import assigned_calls, evaluations
from diadema.wire.quality_actions import ANY_OF_QUALITY

from tests.support.broker_fixtures import until
from tests.support.monitored import Monitor
from tests.support.scripted_station import SITE, FixedClock, Script
from tests.support.targeted import put
from tests.support.web_stage import ACCOUNT_PASSWORD, PASSWORD, TESTER, TOKEN, Web, headers_of

HOUR_MS = 3_600_000
ITEMS: tuple[dict[str, Any], ...] = (
    {"code": "saluda", "section": "trato", "text": "Saluda y dice su nombre", "weight": 20,
     "guide": "Dice «buenos días», su nombre y el de la empresa.", "step": "greeting"},
    {"code": "escucha", "section": "trato", "text": "Escucha sin interrumpir", "weight": 30,
     "scale": "1_5", "comment": "below_full", "na": True,
     "guide": "5: deja terminar cada frase. 3: interrumpe una vez. 1: no deja hablar."},
    {"code": "valida", "section": "proceso", "text": "Valida la identidad", "weight": 30,
     "kind": "compliance", "auto_fail": "section", "step": "identity",
     "guide": "Pide dos datos antes de dar información."},
    {"code": "tipifica", "section": "proceso", "text": "Tipifica lo que se trató", "weight": 10,
     "checks": "disposition"},
    {"code": "cierra", "section": "cierre", "text": "Pregunta si queda alguna duda", "weight": 10,
     "scale": "0_2", "na": True, "comment": "always"},
)  # fmt: skip
SECTIONS = (("trato", "Trato"), ("proceso", "Proceso"), ("cierre", "Cierre"))


def now_ms() -> int:
    return int(time.time() * 1000)


class EvaluationStage:
    """`calls`: the keys of a001's calls, oldest first. Monitors are `ana` and `noe`, the
    coordinator is `luz`.
    """

    def __init__(self, data: DataDir, calls: int = 4, ago_h: int = 72) -> None:
        self.data = data
        data.make()
        data.site.write_text(json.dumps(SITE))
        site = sites.parse(json.dumps(SITE).encode())
        with Directory(data.directory) as book:
            begin(book, sites.load(data.site), 1)
        publish_scorecard(data)
        self._writer = open_writer(data.store)
        self.ingest = Ingest(self._writer, site, FixedClock(now_ms()))
        self.monitor = Monitor(self.ingest.take_file)
        self.asked: list[dict[str, Any]] = []
        self.calls: list[tuple[str, int, int]] = []
        self.script = Script()
        self._start = now_ms() - ago_h * HOUR_MS
        self._work(calls)

    def close(self) -> None:
        self._writer.close()

    @property
    def scorecard(self) -> Any:
        today = date.today()
        found = read_people(self.data, today, today).scorecard("atencion", 1)
        assert found is not None
        return found

    def _work(self, calls: int) -> None:
        script = self.script.boot().clock(self._start).login().ready(30_000)
        for number in range(calls):
            self.calls.append((script.s, script.e, script.n + 1))
            self.call(f"c{number}")
        self.ingest.take(script.messages(), "stream", "server")

    def another(self, c: str, longer: int) -> int:
        """One more call, so many ms longer than the others; its place in `calls`."""
        self.calls.append((self.script.s, self.script.e, self.script.n + 1))
        first = self.script.n + 1
        self.call(c, longer)
        self.ingest.take(self.script.messages(first), "stream", "server")
        return len(self.calls) - 1

    def call(self, c: str, longer: int = 0) -> None:
        """A call of 65 s with two steps, one in block, a hold, a pause of its recording, and no
        code of the tree but 112.
        """
        script = self.script
        script.offer(c).contact("answered", c, 3000, via="key", ring_ms=3000)
        script.contact("step", c, 4000, step="greeting", result="done", how="key")
        script.contact("step", c, 12_000, step="identity", result="done", how="key", method="dni")
        script.contact("step", c, 500, step="need", result="done", how="key")
        script.contact("held", c, 5500, via="key").contact("resumed", c, 9000, via="key")
        script.contact("recording_paused", c, 6000, via="key")
        script.contact("recording_resumed", c, 8000, via="key")
        script.add("help.requested", 4000, a=script.agent, c=c)
        script.contact("ended", c, 13_000 + longer, by="caller", on_hold=False)
        script.wrapup("started", c, 0)
        script.add(
            "voice.summary", 100, a=script.agent, c=c, agent_ms=30_000, caller_ms=20_000,
            both_ms=1000, silence_ms=11_000, longest_silence_ms=7000, interruptions=2,
            clipping=3, agent_db=-20, caller_db=-24,
        )  # fmt: skip
        script.contact("typified", c, 9000, code="112", version=1, how="agent")
        script.wrapup("ended", c, 0, cause="typified").ready(1000)

    def assign(self, number: int = 0, to: str = "ana", days: float = 5, **more: Any) -> str:
        """A call of `calls` to an account; gives how the assignment is called."""
        fields = {"form": "atencion", "version": 1, "due": now_ms() + round(days * 24 * HOUR_MS)}
        _, e, n = self.monitor.assigned(self.calls[number], to=to, **fields | more)
        return f"{e}-{n}"

    def release(self, q: str) -> None:
        self.monitor.released(self.submitted(q))

    def submitted(self, q: str) -> Any:
        """The event of its evaluation."""
        key = ("HUB-main", *map(int, q.split("-")))
        with open_reader(self.data.store) as reader, reader.engine.connect() as tx:
            (found,) = evaluations(tx, assignments=[key])
        return key_of(found.submitted)

    # -- what the hub would do

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        request = msgspec.convert({name: value for name, value in body.items()}, ANY_OF_QUALITY)
        of = getattr(request, "of", None)
        match body["action"]:
            case "evaluation_submitted":
                said = self._submitted(of, request)
            case "evaluation_revised":
                said = self._revised(of, request)
            case "evaluation_annulled":
                said = {"of": self.monitor.step("annulled", of, by=request.by,
                                                reason=request.reason)}  # fmt: skip
            case "sample_replaced":
                self._call_again(of)
                said = {"of": of}
            case other:
                raise AssertionError(other)
        return said

    def _rated(self, answers: str) -> dict[str, Any]:
        rated = evaluate(self.scorecard, answers)
        return {"answers": answers, "score": rated.score, "raw": rated.raw,
                "failed": rated.failed,
                "critical": [rated.user, rated.business, rated.compliance]}  # fmt: skip

    def _submitted(self, of: Any, request: Any) -> dict[str, Any]:
        its = self._assignment(of)
        call = (its.call_s, its.call_e, its.call_n)
        evaluation = f"{len(self.asked):012x}"
        for note in request.notes:
            fields = {"item": note.item, "from_ms": note.from_ms, "to_ms": note.to_ms,
                      "about": note.about, "by": request.by, "evaluation": evaluation}  # fmt: skip
            self.monitor.noted(note.text, **fields)
        if request.right_code:
            self.monitor.say("evaluation.noted", evaluation=evaluation, about="code",
                             text=request.right_code, by=request.by)  # fmt: skip
        made = self.monitor.submitted(
            of, call=call, agent=its.agent, evaluation=evaluation, version=its.version,
            by=request.by, notes=len(request.notes), **self._rated(request.answers),
        )  # fmt: skip
        return {"of": made, "evaluation": evaluation}

    def _revised(self, of: Any, request: Any) -> dict[str, Any]:
        if request.right_code:
            self.monitor.say("evaluation.noted", evaluation=self._evaluation(of), about="code",
                             text=request.right_code, by=request.by)  # fmt: skip
        made = self.monitor.revised(
            of, by=request.by, cause=request.cause, reason=request.reason,
            **self._rated(request.answers),
        )  # fmt: skip
        return {"of": made}

    def _evaluation(self, of: Any) -> str:
        with open_reader(self.data.store) as reader, reader.engine.connect() as tx:
            found = {key_of(one.submitted): one.submitted for one in evaluations(tx)}
        name: str = found[tuple(of)].evaluation
        return name

    def _call_again(self, of: Any) -> None:
        its = self._assignment(of)
        self.monitor.assigned(
            self.calls[-1], to=its.assignee, of=of, reason="unplayable", rank=9,
            form=its.form, version=its.version, due=its.due_utc,
        )  # fmt: skip

    def _assignment(self, of: Any) -> Any:
        with open_reader(self.data.store) as reader, reader.engine.connect() as tx:
            found = {key_of(one.assignment): one.assignment for one in assigned_calls(tx)}
        return found[tuple(of)]


def publish_scorecard(data: DataDir) -> None:
    """`atencion`, version 1, in a directory that has begun."""
    put(data, "scorecards", code="atencion", name="Atención")
    for order, (code, name) in enumerate(SECTIONS, 1):
        put(data, "scorecard_sections", scorecard="atencion", code=code, name=name, order=order)
    for order, item in enumerate(ITEMS, 1):
        put(data, "scorecard_items", scorecard="atencion", order=order, **item)
    with Directory(data.directory) as book:
        asyncio.run(publish_quality(book, "scorecards", by="luz", at_ms=2, ask=_noted))


async def _noted(subject: str, body: dict[str, Any]) -> dict[str, Any]:
    return {}


def serve(stage: EvaluationStage, nats_url: str) -> Web:
    """The web over it, with its people."""
    secrets = json.loads(stage.data.secrets.read_text())  # the directory has made its own
    stage.data.secrets.write_text(json.dumps(secrets | {"host": PASSWORD, "api": TOKEN}))
    web = Web(stage.data.root, nats_url)
    web.start()
    roles: tuple[tuple[str, Role], ...] = (
        ("ana", "monitor"), ("noe", "monitor"), ("luz", "quality_lead"),
    )  # fmt: skip
    for account, role in roles:
        name = f"{account.title()} Paz"
        web.accounts.book.add(TESTER, account, name, role, password=ACCOUNT_PASSWORD)
    return web


def entered(web: Web, account: str) -> dict[str, str]:
    """The cookies of a new session."""
    secret = web.accounts.sessions.begin(account, "127.0.0.1")
    return {"diadema_session": secret, "diadema_csrf": csrf(secret)}


def api(web: Web, account: str) -> httpx.AsyncClient:
    """That account's, in a new session."""
    headers = headers_of(entered(web, account))
    return httpx.AsyncClient(base_url=web.url, headers=headers, timeout=120)


async def connected(client: httpx.AsyncClient) -> None:
    """The web has found the hub."""

    async def there() -> bool:
        told: dict[str, Any] = (await client.get("/api/v1/status")).json()
        return bool(told["nats"])

    await until(there)
