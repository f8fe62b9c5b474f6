"""A centre of whose two queues each has targets of its own, and whose switch names queues and
agents otherwise: real ingest and board into the bucket, a store for the reports, one clock.
"""

import json
from pathlib import Path
from typing import Any

from diadema.base.clock import SharedClock
from diadema.figures.days import cutoff_of
from diadema.ingest.core import Ingest
from diadema.ingest.queues import QueueBoard
from diadema.site import description as sites
from diadema.site.directory.people import of_site
from diadema.store import open_reader, open_writer

from tests.support.queue_logs import QueueLog, T
from tests.support.scripted_station import SITE, T0, Script
from tests.support.targeted import bring, centre, put
from tests.support.web_stage import Hub

DAY = "2026-11-18"
HALF_HOUR = (T0 // 1000 - T0 // 1000 % 1800) + 1800  # the running one, second of UTC
NOW = (HALF_HOUR + 1000) * 1000
STEPS = ("greeting", "identity", "closing")
DESCRIBED = SITE | {
    "campaigns": [{"code": "linea", "label": "Línea", "steps": [{"step": s} for s in STEPS]}]
}
TARGETS: tuple[dict[str, Any], ...] = (
    {"metric": "service_level", "value": 70, "threshold_s": 20},
    {"metric": "service_level", "queue": "ventas", "value": 60, "threshold_s": 30,
     "variant": "answered"},
    {"metric": "service_level", "queue": "soporte", "value": 75, "threshold_s": 15,
     "variant": "all"},
    {"metric": "asa_s", "queue": "ventas", "value": 10},
    {"metric": "asa_s", "queue": "soporte", "value": 60},
    {"metric": "asa_s", "value": 21},
    {"metric": "abandonment", "queue": "ventas", "value": 5},
    {"metric": "abandonment", "queue": "soporte", "value": 40},
    {"metric": "abandonment", "value": 12},
    {"metric": "aht_s", "queue": "ventas", "value": 90},
    {"metric": "aht_s", "queue": "soporte", "value": 150},
    {"metric": "aht_s", "value": 100},
    {"metric": "occupancy", "queue": "ventas", "value": 60, "most": 85},
    {"metric": "occupancy", "queue": "soporte", "value": 50, "most": 80},
    {"metric": "occupancy", "value": 5, "most": 11},
    {"metric": "answer_rate", "value": 90},
)  # fmt: skip


QUEUES = {"ventas": ("Ventas", ["601", "V-2"]), "soporte": ("Soporte", ["IT"])}
VOICE = {
    "habla el asesor": ("agent_ms", 1000), "habla el usuario": ("caller_ms", 1000),
    "hablan a la vez": ("both_ms", 1000), "silencio": ("silence_ms", 1000),
    "interrupciones": ("interruptions", 1), "saturaciones": ("clipping", 1),
}  # fmt: skip


class Desk:
    """One agent's station; seconds are after T0."""

    def __init__(self, k: int, log: QueueLog) -> None:
        self.agent, self.log = f"a00{k + 1}", log
        self.script = Script(s=f"DIA-0123456789a{'bc'[k]}", agent=self.agent)
        self.script.boot().clock(T0).mark("in").login(mark=True)
        self.was = "not_ready"

    def at(self, second: float) -> "Desk":
        self.script.u = round(second * 1000) + T0 - self.script.offset
        return self

    def state(self, second: float, to: str, reason: str | None = None) -> "Desk":
        self.at(second).script.presence(self.was, to, reason, after=0)
        self.was = to
        return self

    def ring(self, second: float, pbx: str, queue: str, named: bool = True) -> "Desk":
        fields = {"via": "host", "direction": "in", "queue": queue, "pbx": pbx if named else None}
        self.at(second).script.contact("offered", f"c{pbx}", 0, **fields)
        return self

    def call(self, enter: int, pbx: str, queue: str, wait: int, talk: int, **more: Any) -> "Desk":
        """Told by the switch under `queue` too, from where she entered to where they hung up;
        `hold`, `wrap`, `code`, `steps`; `ends`: whether it has; `named`: by the switch's id.
        """
        c, script, answered = f"c{pbx}", self.script, enter + wait
        number = int(self.agent[-1]) + 200
        self.log.enter(enter + _LATER, pbx, queue)
        self.log.connect(answered + _LATER, pbx, wait, f"SIP/{number}", queue, ring=3)
        self.ring(answered - 3, pbx, queue, more.get("named", True))
        script.contact("answered", c, 3000, via="key", ring_ms=3000)
        for step in more.get("steps", ()):
            script.contact("step", c, 2000, step=step, result="done", how="key")
        hold = more.get("hold", 0)
        if hold:
            script.contact("held", c, 1000, via="key").contact(
                "resumed", c, hold * 1000, via="key"
            )
        if not more.get("ends", True):
            return self
        self.at(answered + talk).script.contact("ended", c, 0, by="caller", on_hold=False)
        script.wrapup("started", c, 0)
        script.add("voice.summary", 0, a=self.agent, c=c, agent_ms=9_500, caller_ms=7_000,
                   both_ms=400, silence_ms=2_000, longest_silence_ms=1_000 * talk // 9,
                   interruptions=2, clipping=1)  # fmt: skip
        wrap = more.get("wrap", 10) * 1000
        script.contact("typified", c, wrap, code=more.get("code", "111"), version=1, how="agent")
        script.wrapup("ended", c, 0, cause="typified")
        self.log.complete(answered + talk + _LATER, pbx, wait, talk, f"SIP/{number}", queue)
        return self

    def missed(self, second: int, pbx: str, queue: str, cause: str = "no_answer") -> "Desk":
        self.ring(second, pbx, queue)
        self.script.contact("missed", f"c{pbx}", 20_000, cause=cause, ring_ms=20_000)
        return self


_LATER = T0 // 1000 - T  # an hour of the log is after T
_START = HALF_HOUR - T0 // 1000  # of the running half-hour, after T0


def morning() -> tuple[QueueLog, list[Desk]]:
    """Both half-hours have, of each queue, served, given up, and waiting ones. `601` and `V-2`
    are Ventas, `IT` is Soporte, `saldos` nobody's.
    """
    log, go = QueueLog(), _START
    one, two = Desk(0, log), Desk(1, log)
    one.state(30, "ready").call(90, "1.1", "601", 12, 61, hold=9, wrap=21, steps=STEPS[:2])
    one.call(300, "1.2", "IT", 25, 140, wrap=33, code="112").missed(600, "1.3", "IT")
    one.missed(700, "1.4", "601", "technical").missed(760, "1.5", "IT", "caller_gave_up")
    one.state(800, "not_ready", "refrigerio").state(1000, "not_ready", "sshh")
    one.state(1060, "ready").call(1200, "1.6", "V-2", 45, 100, steps=STEPS)
    one.call(go + 200, "2.1", "IT", 14, 35, steps=STEPS[:1])
    one.call(go + 400, "2.2", "V-2", 29, 47, hold=5, wrap=15)
    one.call(go + 700, "2.3", "IT", 40, 0, ends=False)
    two.state(40, "ready").call(100, "1.7", "V-2", 31, 200, code="112")
    two.state(500, "not_ready", "sshh").state(560, "ready").missed(900, "1.8", "601")
    two.call(go + 100, "2.4", "601", 3, 77, wrap=12, named=False).call(
        go + 350, "2.5", "saldos", 19, 41
    )
    two.state(go + 800, "not_ready", "refrigerio")
    two.script.mark("out", 1000)
    log.lines.sort(key=lambda line: int(line.partition("|")[0]))
    for number, (at, wait, queue) in enumerate(
        ((150, 4, "601"), (400, 12, "IT"), (go + 20, 3, "IT"), (go + 30, 90, "IT"),
         (go + 40, 25, "601"), (go + 50, 31, "V-2"))
    ):  # fmt: skip
        log.abandon(at + _LATER, f"8.{number}", wait, queue)
    log.enter(450 + _LATER, "9.9", "IT").line(
        750 + _LATER, "9.9", "IT", "NONE", "EXITWITHTIMEOUT", 1, 1, 300
    )
    for number, (at, queue) in enumerate(
        ((go - 60, "IT"), (go + 900, "601"), (go + 930, "IT"), (go + 940, "IT"))
    ):
        log.enter(at + _LATER, f"9.{number}", queue)
    return log, [one, two]


class Stage:
    """What the hub would do, by hand; `web` reads the same folder and clock."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.clock = SharedClock(folder / "clock", create=True)
        self.clock.set(NOW, 0)
        self.hub = hub
        log, self.desks = morning()
        self.data = centre(folder)
        self.folder = self.data.root
        self.data.site.write_text(json.dumps(DESCRIBED))
        bring(self.data, log)  # before anything is mapped
        self.data.secrets.unlink()  # of this import; `Web` writes those of its server
        for code, (name, names) in QUEUES.items():
            put(self.data, "queues", code=code, name=name, switch_names=names)
        for k, one in enumerate(SITE["agents"]):
            kept = [name for name in ("name", "short", "alias", "team") if name in one]
            fields = {"switch_aliases": [f"SIP/20{k + 1}"], "queues": [*QUEUES][k : k + 1]}
            put(self.data, "agents", code=one["id"], **fields, **{n: one[n] for n in kept})
        for target in TARGETS:
            put(self.data, "targets", **target)
        self.site = sites.parse(self.data.site.read_bytes())
        self._writer, self._reader = open_writer(self.data.store), open_reader(self.data.store)
        self._ingest = Ingest(self._writer, self.site, self.clock)

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    def voice(self, agent: str) -> dict[str, int]:
        """What her station measured in all, as it is written on her page; whole seconds."""
        (desk,) = (one for one in self.desks if one.agent == agent)
        told = [json.loads(body) for body in desk.script.bodies]
        its = [one for one in told if one["k"] == "voice.summary"]
        sums = {word: sum(one[key] for one in its) // unit for word, (key, unit) in VOICE.items()}
        longest = max(one["longest_silence_ms"] for one in its)
        return sums | {"silencio más largo": longest // 1000}

    async def tell(self) -> None:
        """All that the stations have; the floor, its head and the queues into the bucket."""
        for desk in self.desks:
            messages = [desk.script.hello_message(), *desk.script.messages()]
            self._ingest.take(messages, "stream", "server")
        self._ingest.save((), self._ingest.floor.agents())
        for a, row in self._ingest.floor.rows.items():
            await self.hub.put_raw(f"agent.{a}", row)
        with self._reader.engine.connect() as tx:
            cut = cutoff_of(tx, of_site(self.site), self.clock.now_ms())
        owing = [[one.seat, one.since_utc] for one in cut.pending_stations]
        await self.hub.site(
            cut={"at": cut.at_ms, "position": cut.position}, owing=owing, zone=self.site.zone
        )
        board = QueueBoard(self._reader, self.clock, self.data)
        calls = [*self._reader.queue_calls()]
        for s in {call.station for call in calls}:
            board.hear(s, self.site, {})
        board.take(call for call in calls if call.outcome == "waiting")
        told = board.news(self.site)
        assert told is not None
        await self.hub.put_raw("queues", told)
