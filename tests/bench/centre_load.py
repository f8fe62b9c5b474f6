"""What a thousand stations and their switch write in a month: invented people, real shapes.

Arrivals by hour and lengths of calls are those of the anonymous bank's February 1999
(`sim.fitted`); wrap-ups, pauses, holds and misses are that module's round guesses. Five days a
week in three shifts by the roster, one of them over midnight, with their planned pauses, and
twenty queues, of which a team has one of each type. The same seed makes the same bytes.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

import msgspec
from diadema_sim.behaviour import ASSUMED, BANK_1999_02, draw_seconds

ZONE = ZoneInfo("America/Lima")
FIRST = date(2026, 10, 1)
SWITCH_S = "PBX-bench"
_SHIFTS = ((7, 0.45), (14, 0.45), (22, 0.10))  # first hour, share of the agents
_SHIFT_H = 8
_PAUSES = ((2, 15, "break"), (4, 45, "refrigerio"))  # planned: hours into the shift, minutes
_CALLS_H = 5.2  # that reach an agent in a busy hour: then a month has four million events
_REASONS = ("sshh", "pausa_activa", "reunion", "back_office")
_CODES = ("111", "112", "121", "122", "211", "212", "311", "312")
_TOPICS = ("saldo", "bloqueo", "reclamo", "tarifa")
_CHECKS = ("lights", "headset", "microphone", "screen", "link", "clock")
_STEPS = ("identity", "need", "information", "doubts")
_QUEUES_OF = dict.fromkeys(BANK_1999_02.service, 3) | {"PS": 5}  # by type of call, 20 in all
_BUSY = BANK_1999_02.arrivals[BANK_1999_02.busiest_hour]
_BOOT_MS = 1_200
_encode = msgspec.json.Encoder().encode

# UTC milliseconds, whose, its JSON; the switch's (0) has no number yet, a greeting's is below 0
type Told = tuple[int, int, bytes]
type Help = tuple[str, int, list[object], int, int]  # agent, helper, press, from, until
type Fault = tuple[list[object], int, int]  # press, from, until


@dataclass
class Journal:
    """One station's, or the switch's: what it has written so far."""

    s: str
    e: int
    agent: str = ""
    b: int = 0
    n: int = 0
    commands: int = 0
    contacts: int = 0


class Load:
    """Day by day, each from its midnight on. `agents` have a seat of their own each."""

    def __init__(self, agents: int, days: int, seed: int = 1) -> None:
        self.days = days
        self._chance = random.Random(seed)
        self._trouble = random.Random(seed + 1)
        self._helps: list[Help] = []
        self._faults: list[Fault] = []
        self.journals = [Journal(SWITCH_S, 77)]
        for number in range(1, agents + 1):
            self.journals.append(Journal(station(number), 1000 + number, agent(number)))
        shares = [share for _, share in _SHIFTS]
        hours = [hour for hour, _ in _SHIFTS]
        self._begins = self._chance.choices(hours, shares, k=agents)
        self._rest = [self._chance.randrange(7) for _ in range(agents)]
        self._calls = 0

    def day(self, at: int) -> Iterator[list[Told]]:
        """Everybody's events of shifts that begin on that day, each journal in its order."""
        day = FIRST + timedelta(days=at)
        midnight = int(datetime.combine(day, time(), ZONE).timestamp() * 1000)
        switch: list[Told] = []
        for number, begins in enumerate(self._begins, 1):
            if self._works(at, number):
                began = midnight + int((begins + self._chance.uniform(-0.2, 0.1)) * 3_600_000)
                yield list(self._shift(number, began, switch))
        yield sorted(switch)

    def roster(self) -> Iterator[dict[str, object]]:
        """Its rows of the directory; the shift's code is its first hour."""
        for at in range(self.days):
            day = (FIRST + timedelta(days=at)).isoformat()
            for number, begins in enumerate(self._begins, 1):
                if self._works(at, number):
                    yield {"day": day, "agent": agent(number), "shift": str(begins)}

    def _works(self, at: int, number: int) -> bool:
        return (at + self._rest[number - 1]) % 7 < 5

    def numbered(self, t: int, told: bytes) -> bytes:
        """The switch's next event: it writes them in their order of time."""
        journal = self.journals[0]
        journal.n += 1
        head = b'{"s":"%b","e":%d,"n":%d,"b":0,"u":0,"t":%d,'
        return head % (journal.s.encode(), journal.e, journal.n, t) + told

    def _shift(self, number: int, began: int, switch: list[Told]) -> Iterator[Told]:
        journal, chance = self.journals[number], self._chance
        journal.b += 1
        desk = Desk(journal, number, began, switch)
        a = {"a": journal.agent}
        yield desk.link(True)
        yield desk.say("station.booted", 0, cause="power_on", firmware="0.1.0", board="sim")
        journal.commands += 1
        yield desk.anchor(journal.commands)
        yield desk.say("attendance.marked", 40.0, **a, direction="in", method="badge", badge=None)
        of = [journal.s, journal.e, journal.n]
        yield desk.say("session.opened", 0, **a, method="badge", provisional=False, of=of)
        yield desk.presence("logged_out", "not_ready", "login", "system")
        yield self._test(desk)
        yield desk.presence("not_ready", "ready", None, "agent", 20.0)
        over = began + _SHIFT_H * 3_600_000
        due = [(began + hours * 3_600_000, minutes, reason) for hours, minutes, reason in _PAUSES]
        while desk.now < over:
            hour = datetime.fromtimestamp(desk.now / 1000, ZONE).hour
            pace = max(BANK_1999_02.arrivals[hour], _BUSY / 8) / _BUSY
            idle = chance.expovariate(_CALLS_H * pace / 3600)
            idle = min(idle, 3600.0)
            if due and desk.now + idle * 1000 >= due[0][0]:
                begins, minutes, reason = due.pop(0)
                late = max(begins - desk.now, 0) / 1000
                yield desk.presence("ready", "not_ready", reason, "agent", late)
                took = minutes * 60 * chance.uniform(0.9, 1.1)
                yield desk.presence("not_ready", "ready", None, "agent", took)
                continue
            yield from self._call(desk, idle, chance)
            yield from self._assist(desk)
            if chance.random() < 0.08:
                reason = chance.choice(_REASONS)
                yield desk.presence("ready", "not_ready", reason, "agent", 2.0)
                took = draw_seconds(ASSUMED.pause, chance)
                yield desk.presence("not_ready", "ready", None, "agent", took)
        yield desk.say("session.closed", 5.0, **a, reason="agent", by="agent")
        yield desk.presence("ready", "logged_out", "logout", "agent")
        yield desk.say("attendance.marked", 30.0, **a, direction="out", method="badge", badge=None)
        yield desk.link(False)

    def _test(self, desk: "Desk") -> Told:
        """Of a hundred stations two are not fit, of a hundred agents three miss a tool."""
        fit = self._trouble.random() >= 0.02
        tools = ["crm"] if self._trouble.random() < 0.03 else None
        told = {"checks": dict.fromkeys(_CHECKS, "ok") | {"keys": "ok" if fit else "failed"}}
        reason = "tools" if tools else None
        why = {"fit": fit and not tools, "tools": tools, "reason": reason if fit else "keys"}
        return desk.say("station.selftest", 30.0, **told, **why)

    def _assist(self, desk: "Desk") -> Iterator[Told]:
        """Two calls of a hundred end in one for help, two of a thousand in a fault."""
        journal, chance = desk.journal, self._trouble
        a = {"a": journal.agent}
        if chance.random() < 0.02:
            yield desk.say("help.requested", 2.0, **a)
            of = [journal.s, journal.e, journal.n]
            yield desk.say("help.topic", 2.0, **a, of=of, topic=chance.choice(_TOPICS))
            if chance.random() < 0.05:
                yield desk.say("help.cancelled", chance.expovariate(1 / 90), **a, of=of)
                return
            helper = chance.randrange(40)
            by = {"by": f"Ayuda {helper:02}"}
            yield self._answer(desk, "help.accepted", 40, of, by)
            taken = desk.now
            yield self._answer(desk, "help.resolved", 90, of, by | {"result": "resuelta"})
            self._helps.append((journal.agent, helper, of, taken, desk.now))
            if chance.random() < 0.6:
                answer = "yes" if chance.random() < 0.85 else "no"
                yield desk.say("help.rated", 20.0, **a, of=of, answer=answer)
        if chance.random() < 0.002:
            yield desk.say("fault.reported", 2.0, **a)
            of, began = [journal.s, journal.e, journal.n], desk.now
            its = {"area": "sistemas", "part": chance.choice(("crm", "red"))}
            yield desk.say("fault.reported", 2.0, **a, of=of, **its)
            for what, after_s in (("accepted", 300), ("resolved", 1800)):
                yield self._answer(desk, f"fault.{what}", after_s, of, {"by": "Teo"})
            self._faults.append((of, began, desk.now))

    def _answer(
        self, desk: "Desk", kind: str, mean_s: int, of: list[object], more: dict[str, object]
    ) -> Told:
        desk.journal.commands += 1
        told = {"of": of, "i": desk.journal.commands, **more}
        return desk.say(kind, self._trouble.expovariate(1 / mean_s), **told)

    def assistance(self, now_ms: int) -> Iterator[bytes]:
        """What the hub says of the presses that were over by then: who took and solved each call
        for help, what one of five taught, and the tickets of the faults, of which one of ten
        adopts the nine after it too.
        """
        told = [*self._of_helps(now_ms), *self._of_faults(now_ms)]
        for n, one in enumerate(sorted(told, key=itemgetter("t")), 1):
            head: dict[str, object] = {"s": "HUB-main", "e": 1, "n": n, "b": 0, "u": 0}
            yield _encode(head | one)

    def _of_helps(self, now_ms: int) -> Iterator[dict[str, object]]:
        over = [one for one in self._helps if one[4] < now_ms]
        for number, (agent, helper, of, taken, solved) in enumerate(over):
            its = {"by": f"ayuda{helper:02}", "of": of}
            for state, t in (("accepted", taken), ("resolved", solved)):
                acted = {"k": "supervision.acted", "action": "help", "a": agent, "state": state}
                yield {"t": t, **acted, **its}
            if number % 5 == 0:
                gap = {"gap": ("missing", "unclear", "wrong")[number // 5 % 3], "version": "2"}
                yield {
                    "t": solved,
                    "k": "help.noted",
                    **its,
                    "playbook": f"guia{number % 9}",
                    **gap,
                }
            if number % 10 == 0:
                yield {
                    "t": taken,
                    "k": "help.escalated",
                    **its,
                    "by": "rule:help_wait",
                    "level": 1,
                }

    def _of_faults(self, now_ms: int) -> Iterator[dict[str, object]]:
        over = sorted((one for one in self._faults if one[2] < now_ms), key=itemgetter(1))
        at = 0
        while at < len(over):
            reports = over[at : at + (10 if at % 100 == 0 else 1)]
            (of, began, _), ended = reports[0], max(one[2] for one in reports)
            its = {"by": "teo", "ticket": f"{at:012}"}
            opened = {"area": "sistemas", "severity": 3, "title": "Falla", "due": began + 900_000}
            yield {"t": began, "k": "ticket.opened", "of": of, **opened, **its}
            for other, t, _ in reports[1:]:
                yield {"t": t, "k": "ticket.linked", "of": other, **its}
            for kind, t, more in (
                ("taken", began + 300_000, {"to": "teo", "due": began + 14_400_000}),
                ("resolved", ended, {"cause": "cable"}),
                ("closed", ended + 1000, {"outcome": "confirmed"}),
            ):
                yield {"t": t, "k": f"ticket.{kind}", **more, **its}
            at += len(reports)

    def _call(self, desk: "Desk", idle: float, chance: random.Random) -> Iterator[Told]:
        desk.journal.contacts += 1
        c = f"{desk.number:x}-{desk.journal.contacts:x}"
        kind = BANK_1999_02.draw_type(chance)
        queue = f"{kind}{desk.number // 20 % _QUEUES_OF[kind]}"
        service = BANK_1999_02.service[kind]
        talk, ring = service.draw(chance) * 1.6, draw_seconds(ASSUMED.ring, chance)
        a = {"a": desk.journal.agent, "c": c}
        outbound = chance.random() < 0.06
        if outbound:
            dialed = {"via": "key", "direction": "out", "campaign": "ventas", "pbx": None}
            yield desk.say("contact.dialed", idle, **a, **dialed)
        else:
            self._calls += 1
            pbx = f"17{self._calls:08}.{self._calls % 97}"
            wait = chance.expovariate(1 / 14) if chance.random() < 0.6 else 0.0
            desk.entered(pbx, queue, idle, wait)
            offered = {"via": "host", "direction": "in", "queue": queue, "pbx": pbx}
            yield desk.say("contact.offered", idle, **a, **offered)
            if chance.random() < ASSUMED.missed:
                desk.abandoned(pbx, queue, 20.0 + wait)
                yield desk.say("contact.missed", 20.0, **a, cause="no_answer", ring_ms=20_000)
                yield desk.presence("ready", "not_ready", "no_answer", "system")
                yield desk.presence("not_ready", "ready", None, "agent", 15.0)
                return
            desk.connected(pbx, queue, ring, wait + ring)
        rung = {} if outbound else {"ring_ms": int(ring * 1000)}
        yield desk.say("contact.answered", ring, **a, via="key", **rung)
        left = talk
        if talk > 40 and chance.random() < ASSUMED.motive_first:
            left -= 15
            motive = {"motive": chance.choice("123"), "version": 1}
            yield desk.say("contact.motive", 15.0, **a, **motive)
        for step in _STEPS if chance.random() < 0.12 else ():
            left -= 4
            ticked = {"step": step, "result": "done", "how": "key"}
            yield desk.say("contact.step", 4.0, **a, **ticked)
        if left > 20 and chance.random() < ASSUMED.held:
            yield desk.say("contact.held", 8.0, **a, via="key")
            yield desk.say("contact.resumed", draw_seconds(ASSUMED.hold, chance), **a, via="key")
            left -= 8
        by = "caller" if chance.random() < ASSUMED.caller_hangs_up else "agent"
        yield desk.say("contact.ended", max(left, 1.0), **a, by=by, on_hold=False)
        if not outbound:
            desk.ended(pbx, queue, by)
        yield desk.say("wrapup.started", 0, **a)
        if chance.random() < 0.5:
            agent_ms, caller_ms = int(talk * 450), int(talk * 400)
            yield desk.say(
                "voice.summary", 0, **a, agent_ms=agent_ms, caller_ms=caller_ms, both_ms=0,
                silence_ms=int(talk * 150), longest_silence_ms=3000, interruptions=1, clipping=0,
                agent_db=-21, caller_db=-24,
            )  # fmt: skip
        wrap = draw_seconds(ASSUMED.wrapup, chance)
        coded = chance.random() > 0.02
        if coded:
            code = {"code": chance.choice(_CODES), "version": 1, "how": "agent"}
            yield desk.say("contact.typified", wrap, **a, **code)
        cause = "typified" if coded else "timeout"
        yield desk.say("wrapup.ended", 0 if coded else 60.0, **a, cause=cause)


class Desk:
    """One boot of a station: seconds pass with each thing that is said."""

    def __init__(self, journal: Journal, number: int, began: int, switch: list[Told]) -> None:
        self.journal, self.number = journal, number
        self.now = began
        self._began, self._switch = began - _BOOT_MS, switch
        self._known = False

    def say(self, kind: str, after: float, **fields: object) -> Told:
        self.now += int(after * 1000)
        journal = self.journal
        journal.n += 1
        told = {
            "s": journal.s, "e": journal.e, "n": journal.n, "b": journal.b,
            "u": self.now - self._began, "t": self.now if self._known else None, "k": kind,
        }  # fmt: skip
        return self.now, self.number, _encode(told | fields)

    def link(self, up: bool) -> Told:
        """She greets the hub, and is gone when the shift is over."""
        one = self.journal
        hello = {
            "s": one.s, "up": up, "e": one.e, "first": 1, "last": one.n, "acked": one.n,
            "b": one.b, "firmware": "0.1.0", "board": "sim",
        }  # fmt: skip
        return self.now, -self.number, _encode(hello)

    def anchor(self, i: int) -> Told:
        self._known = True
        self.now += 200
        return self.say("station.clock", 0, utc=self.now, source="host", uncertainty_ms=40, i=i)

    def presence(self, was: str, to: str, reason: str | None, by: str, after: float = 0.0) -> Told:
        told = {"a": self.journal.agent, "from": was, "to": to, "reason": reason, "by": by}
        return self.say("presence.changed", after, **told)

    def entered(self, pbx: str, queue: str, idle: float, wait: float) -> None:
        """She comes to the agent when `idle` is over, and waited before."""
        self._note("entered", pbx, queue, self.now + int((idle - wait) * 1000))

    def connected(self, pbx: str, queue: str, ring: float, wait: float) -> None:
        told = b',"agent":"%b","wait_ms":%d' % (self.journal.agent.encode(), int(wait * 1000))
        self._note("connected", pbx, queue, self.now + int(ring * 1000), told)

    def abandoned(self, pbx: str, queue: str, wait: float) -> None:
        told = b',"wait_ms":%d' % int(wait * 1000)
        self._note("abandoned", pbx, queue, self.now + 20_000, told)

    def ended(self, pbx: str, queue: str, by: str) -> None:
        told = b',"cause":"completed","by":"%b"' % by.encode()
        self._note("left", pbx, queue, self.now, told)

    def _note(self, kind: str, pbx: str, queue: str, t: int, more: bytes = b"") -> None:
        body = b'"k":"queue.%b","pbx":"%b","queue":"%b"%b}'
        told = body % (kind.encode(), pbx.encode(), queue.encode(), more)
        self._switch.append((t, 0, told))


def station(number: int) -> str:
    return f"DIA-0b0000{number:06x}"


def agent(number: int) -> str:
    return f"a{number:04}"


def directory() -> Iterator[tuple[str, dict[str, object]]]:
    """What stands in it beside the site and the roster: kind and body."""
    for begins, _ in _SHIFTS:
        pauses = [
            f"{(begins + hours) % 24:02}:00-{(begins + hours) % 24:02}:{minutes} {reason}"
            for hours, minutes, reason in _PAUSES
        ]
        start, end = f"{begins:02}:00", f"{(begins + _SHIFT_H) % 24:02}:00"
        yield "shifts", {
            "code": str(begins), "name": start, "start": start, "end": end, "tolerance_min": 5,
            "pauses": pauses,
        }  # fmt: skip
    for kind, count in _QUEUES_OF.items():
        for k in range(count):
            yield "queues", {"code": f"{kind}{k}", "name": f"Cola {kind} {k}"}
            yield "targets", {
                "metric": "service_level", "queue": f"{kind}{k}", "value": 80,
                "threshold_s": 20 + 10 * k,
            }  # fmt: skip


def site(agents: int, like: dict[str, object]) -> dict[str, object]:
    """Twenty on a team; a station knows its team's."""
    people = [
        {
            "id": agent(n), "name": f"Persona Inventada {n}", "short": f"P {n}",
            "alias": f"{n:04}", "team": f"Equipo {n // 20:02}", "badges": [],
        }
        for n in range(1, agents + 1)
    ]  # fmt: skip
    seats = [
        {"id": station(n), "seat": f"P-{n:04}", "teams": [f"Equipo {n // 20:02}"]}
        for n in range(1, agents + 1)
    ]
    return like | {"stations": seats, "agents": people}
