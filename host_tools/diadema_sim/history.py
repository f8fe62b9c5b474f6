"""A day that nobody simulated: what the journals of a centre's people and its switch's log say of
it, worked out at once and all of one seed. For a demo's past; it goes through the real ingest.

Callers come by chance and wait in one line for whoever has been free longest, or hang up. A call
stands in the switch's log and in the journal of who took it, under the switch's own number, so
that it counts once. Service, types and gestures are those of `behaviour`.
"""

import json
import math
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from diadema_sim import people
from diadema_sim import sample_assistance as sample
from diadema_sim.behaviour import ASSUMED, BANK_1999_02, draw_seconds
from diadema_sim.past_host import HUB, HostDay, Of, Report
from diadema_sim.switch_log import SwitchLog

_OCCUPANCY = 0.64  # of the agents on duty, that the arrivals are planned for
_HANDLE_S = 200  # what a call takes of an agent, all in all
_SLICE_S = 1800
_WEEKDAYS = (1.12, 1.04, 1.0, 0.99, 1.05, 0.9, 0.82)  # of the arrivals, from Monday
_PATIENCE_S = (95.0, 0.9)
_RING_LIMIT_S = 20
_LATE = 0.06  # of the days: well after the shift's begin
_LATE_S = (420.0, 0.5)
_EARLY_S = (150.0, 0.7)  # before it, on the others
_LONGEST_S = 1500.0  # talk
_CALLERS = 9000  # numbers, so that some call again
_BOOT_S = 90  # before the badge
_SWITCHED_ON_S = 27_000  # where nobody comes: half past seven
_WHOLE_S = 90  # within which a short call can be had
_CHECKS = dict.fromkeys(
    ("journal", "config", "screen", "lights", "clock", "link", "keys", "microphone"), "ok"
)
_TESTS_S, _BRINGS_S = 20, 240  # the self-test of a shift, and what it found lacking
_SKIPS, _LACKS = 0.1, 0.05  # of the shifts
_UNSEEN = 0.06  # of the calls for help
_ANSWERS, _SERVED = 0.7, 0.85  # of those that were solved, and of the answers
_ANSWERS_S = 3  # after the wrap-up
_BREAKS, _BROKEN_S = 0.06, (900.0, 0.5)  # of the shifts: something at the seat
_FAULT, _LEAST_BROKEN_S = "fault", 120
_TAKES_S = (150.0, 0.5)  # until somebody takes a fault
_REJECTED_DAYS = 5  # on one of so many days the faults are rejected
_FAILS_DAYS, _FAILS_S, _FAILED_S = 6, 39_600, 1500  # a mass failure: how often, when, how long


@dataclass(frozen=True)
class Shift:
    """Of one day, in seconds after the local midnight. `pauses`: begin, seconds, reason."""

    code: str
    start_s: int
    end_s: int
    pauses: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class Worker:
    """Who works at which station; `alias` is what the switch calls them."""

    person: people.Person
    station: str
    alias: str


@dataclass
class Journal:
    """Of one station and day."""

    station: str
    epoch: int
    agent: str
    boot_ms: int
    lines: list[bytes] = field(default_factory=list)

    def add(self, at_ms: float, kind: str, **fields: object) -> int:
        """Its number in the journal."""
        n, u = len(self.lines) + 1, max(int(at_ms) - self.boot_ms, 0)
        t = None if kind == "station.booted" else self.boot_ms + u
        event = {"s": self.station, "e": self.epoch, "n": n, "b": 1, "u": u, "t": t, "k": kind}
        self.lines.append(json.dumps(event | fields, separators=(",", ":")).encode())
        return n

    def of(self, n: int) -> Of:
        return [self.station, self.epoch, n]


@dataclass
class _Present:
    """One agent on duty. `free_s`: since or from when; `stays_s`: no call is taken that may last
    beyond it, in a day that is not over.
    """

    worker: Worker
    shift: Shift
    journal: Journal
    chance: random.Random
    free_s: float
    stays_s: float | None
    pauses: list[tuple[int, int, str]]
    gone: bool = False


@dataclass(frozen=True)
class Day:
    """Of the world before the run: `journals` each of a station; `log` in its order; `host`: the
    journal of `HUB`.
    """

    journals: list[Journal]
    log: list[str]
    host: list[bytes]


def day_of(
    day: date,
    zone: ZoneInfo,
    shifts: Sequence[tuple[Worker, Shift]],
    *,
    seed: int,
    until_s: int | None = None,
    vanish: Collection[str] = (),
    idle: Sequence[str] = (),
) -> Day:
    """`shifts`: who works then; `idle`: stations that are on, and nobody is at them. With
    `until_s` the day goes so far only: whoever is on duty has closed the session by then, but for
    those who `vanish`, whose station fell silent some minutes before.
    """
    return _Making(day, zone, seed, until_s, vanish).day(shifts, idle)


def epoch_of(seed: int, day: date, station: str, until_s: int | None = None) -> int:
    """Of the journal that the station has of that day."""
    return random.Random(f"{seed} {day} {until_s} {station}").getrandbits(31)


class _Making:
    def __init__(
        self,
        day: date,
        zone: ZoneInfo,
        seed: int,
        until_s: int | None,
        vanish: Collection[str],
    ) -> None:
        self._midnight_ms = int(datetime.combine(day, time(), zone).timestamp() * 1000)
        self._day, self._seed, self._until_s = day, seed, until_s
        self._vanish = vanish
        self._chance = random.Random(f"{seed} {day} switch")
        self._numbers = count(1)
        self._log = SwitchLog()
        self._host = HostDay(epoch_of(seed, day, HUB, until_s))
        self._fails = until_s is None and day.toordinal() % _FAILS_DAYS == 0
        self._failed: list[Report] = []  # of the mass failure

    def _ms(self, second: float) -> int:
        return self._midnight_ms + round(second * 1000)

    def day(self, shifts: Sequence[tuple[Worker, Shift]], idle: Sequence[str]) -> Day:
        present = [self._comes(worker, shift) for worker, shift in shifts]
        for at_s in self._arrivals(present):
            self._call(at_s, present)
        for one in present:
            if not one.gone:
                self._goes(one)
        limit_ms = math.inf if self._until_s is None else self._ms(self._until_s)
        if self._failed:
            self._host.fault(self._failed)
        alone = [self._boots(station, "", self._ms(_SWITCHED_ON_S)) for station in idle]
        journals = [*(one.journal for one in present), *alone]
        return Day(journals, self._log.lines(limit_ms), self._host.lines())

    # -- callers

    def _arrivals(self, present: Sequence[_Present]) -> Iterator[float]:
        chance = self._chance
        start = min((one.shift.start_s for one in present), default=0)
        end = max((one.shift.end_s for one in present), default=0)
        if self._until_s is not None:
            end = min(end, self._until_s)
        mean = sum(BANK_1999_02.arrivals) / 24
        factor = _WEEKDAYS[self._day.weekday()] * chance.lognormvariate(0, 0.05)
        for slice_s in range(start, end, _SLICE_S):
            middle = slice_s + _SLICE_S / 2
            duty = sum(one.shift.start_s <= middle < one.shift.end_s for one in present)
            wave = (BANK_1999_02.arrivals[int(middle // 3600) % 24] / mean) ** 0.3
            load = duty * _OCCUPANCY * factor * wave * chance.lognormvariate(0, 0.1)
            at = float(slice_s)
            while load > 0:
                at += chance.expovariate(load / _HANDLE_S)
                if at >= min(slice_s + _SLICE_S, end):
                    break
                yield at

    def _call(self, at_s: float, present: Sequence[_Present]) -> None:
        chance = self._chance
        kind = BANK_1999_02.draw_type(chance)
        queue = people.QUEUES[kind]
        pbx = f"{self._ms(at_s) // 1000}.{next(self._numbers)}"
        caller = f"9{10_000_000 + chance.randrange(_CALLERS) * 7919 % 89_999_999}"
        self._log.enters(self._ms(at_s), pbx, queue, caller)
        patience_s = draw_seconds(_PATIENCE_S, chance)
        waits_until, since = at_s + patience_s, at_s
        while True:
            one = self._next(since, present)
            if one is None or max(one.free_s, since) > waits_until:
                self._log.hangs_up(self._ms(waits_until), pbx, queue)
                return
            ring_at = max(one.free_s, since)
            if one.chance.random() < ASSUMED.missed:
                since = self._rings_out(one, ring_at, pbx, queue)
                continue
            self._serve(one, ring_at, at_s, pbx, queue, kind)
            return

    def _next(self, at_s: float, present: Sequence[_Present]) -> _Present | None:
        """Who has been free longest, or will be first."""
        for one in present:
            self._moves_on(one, at_s)
        here = [one for one in present if not one.gone]
        return min(here, key=lambda one: one.free_s, default=None)

    def _moves_on(self, one: _Present, at_s: float) -> None:
        """The pauses and the end of the shift that come before a call at `at_s` can."""
        while not one.gone and one.pauses:
            start, lasts, reason = one.pauses[0]
            if max(one.free_s, start) > max(at_s, one.free_s):
                break
            begin = max(one.free_s, start + one.chance.uniform(0, 60))
            end = begin + lasts * one.chance.lognormvariate(0, 0.06)
            if one.stays_s is not None and end > one.stays_s:
                break
            one.pauses.pop(0)
            if reason == _FAULT:
                self._breaks(one, begin, start + lasts)
            else:
                self._pauses(one, begin, end, reason)
        last = one.shift.end_s if one.stays_s is None else one.stays_s - _WHOLE_S
        if not one.gone and max(one.free_s, at_s) >= last:
            self._goes(one)

    # -- what a station writes

    def _comes(self, worker: Worker, shift: Shift) -> _Present:
        chance = random.Random(f"{self._seed} {self._day} {worker.person.id}")
        late = chance.random() < _LATE
        offset = draw_seconds(_LATE_S, chance) if late else -draw_seconds(_EARLY_S, chance)
        at_s = max(shift.start_s + offset, _BOOT_S)
        stays_s = None
        if self._until_s is not None and shift.end_s > self._until_s:
            silent = 720 if worker.person.id in self._vanish else 45
            stays_s = float(self._until_s - silent)
        agent = worker.person.id
        journal = self._boots(worker.station, agent, self._ms(at_s) - 1000 * _BOOT_S)
        at = self._ms(at_s)
        tap = {"method": "badge", "badge": None}
        mark = journal.add(at, "attendance.marked", a=agent, direction="in", **tap)
        opened = {"method": "badge", "provisional": False, "of": journal.of(mark)}
        journal.add(at, "session.opened", a=agent, **opened)
        self._presence(journal, at, "logged_out", "not_ready", "login", by="system")
        ready_s = at_s + self._tests(journal, at_s, chance)
        self._presence(journal, self._ms(ready_s), "not_ready", "ready")
        pauses = sorted([*shift.pauses, *self._faults(worker, shift, chance)])
        return _Present(worker, shift, journal, chance, ready_s, stays_s, pauses)

    def _tests(self, journal: Journal, at_s: float, chance: random.Random) -> float:
        """The self-test of the shift: after so many seconds all is there."""

        def tells(second: float, **found: object) -> None:
            fields = {"a": journal.agent, "checks": _CHECKS, **found}
            journal.add(self._ms(at_s + second), "station.selftest", **fields)

        if chance.random() < _SKIPS:
            tells(4, fit=True, skipped=chance.choice(["call_waits", "no_time"]))
            return 6
        lacks = chance.random() < _LACKS
        if lacks and chance.random() < 0.5:
            tells(_TESTS_S, fit=False, reason="materials", missing=["fotocheck"])
        elif lacks:
            tool = chance.choice(sample.TOOLS)["code"]
            tells(_TESTS_S, fit=False, reason="tools", tools=[tool])
        over_s = _TESTS_S + _BRINGS_S * lacks
        tells(over_s, fit=True)
        return over_s + 2

    def _faults(
        self, worker: Worker, shift: Shift, chance: random.Random
    ) -> list[tuple[int, int, str]]:
        """As pauses."""
        if self._in_failure(worker):
            return [(_FAILS_S, _FAILED_S, _FAULT)]
        if chance.random() >= _BREAKS:
            return []
        start = chance.randint(shift.start_s + 1800, shift.end_s - 5400)
        return [(start, round(draw_seconds(_BROKEN_S, chance)), _FAULT)]

    def _in_failure(self, worker: Worker) -> bool:
        return self._fails and worker.person.team == people.TEAMS[0]

    def _boots(self, station: str, agent: str, boot_ms: int) -> Journal:
        epoch = epoch_of(self._seed, self._day, station, self._until_s)
        journal = Journal(station, epoch, agent, boot_ms)
        booted = {"cause": "power_on", "firmware": "0.1.0", "board": "sim", "torn": 0}
        journal.add(boot_ms + 5, "station.booted", **booted)
        clock = {"utc": boot_ms + 1500, "source": "host", "uncertainty_ms": 20, "i": 1}
        journal.add(boot_ms + 1500, "station.clock", **clock)
        return journal

    def _presence(
        self, journal: Journal, at: float, was: str, to: str, reason: str | None = None,
        by: str = "agent",
    ) -> None:  # fmt: skip
        fields = {"a": journal.agent, "from": was, "to": to, "reason": reason, "by": by}
        journal.add(at, "presence.changed", **fields)

    def _pauses(self, one: _Present, begin: float, end: float, reason: str) -> None:
        self._presence(one.journal, self._ms(begin), "ready", "not_ready", reason)
        self._presence(one.journal, self._ms(end), "not_ready", "ready")
        one.free_s = end

    def _breaks(self, one: _Present, begin: float, over: float) -> None:
        """Something at the seat, until then; where that is soon, nobody notices."""
        together, chance, journal = self._in_failure(one.worker), one.chance, one.journal
        if over < begin + _LEAST_BROKEN_S:
            return
        alone = [about for about in sample.MENDED if about != sample.EVERYWHERE]
        area, part = sample.EVERYWHERE if together else chance.choice(alone)
        rejected = not together and self._day.toordinal() % _REJECTED_DAYS == 0
        at, end, who = self._ms(begin), self._ms(over), {"a": journal.agent}
        of = journal.of(journal.add(at, "fault.reported", **who))
        self._presence(journal, at, "ready", "not_ready", _FAULT, by="system")
        journal.add(at + 2500, "fault.reported", **who, of=of, area=area, part=part)
        takes_ms = min(round(1000 * draw_seconds(_TAKES_S, chance)), (end - at) // 2)
        answer = {**who, "of": of, "by": sample.TECHNICIAN.name}
        journal.add(at + takes_ms, "fault.accepted", **answer, i=4)
        journal.add(end, "fault.rejected" if rejected else "fault.resolved", **answer, i=5)
        if not rejected:
            journal.add(end + 8000, "fault.confirmed", **who, of=of, answer="yes")
        self._presence(journal, end + 9000, "not_ready", "ready")
        one.free_s = over + 9
        seat = people.seat_of(one.worker.station)
        report = Report(
            of=of, seat=seat, area=area, part=part, at=at, takes_ms=takes_ms, over=end,
            rejected=rejected,
        )  # fmt: skip
        if together:
            self._failed.append(report)
        else:
            self._host.fault([report])

    def _goes(self, one: _Present) -> None:
        """SALIDA, also before a run that goes on, where the next mark is an entry; of who vanishes
        nothing.
        """
        one.gone = True
        journal, agent = one.journal, one.worker.person.id
        last = one.shift.end_s if one.stays_s is None else one.stays_s
        at = self._ms(max(one.free_s, last) + one.chance.uniform(1, 20))
        if one.stays_s is not None and agent in self._vanish:
            return
        tap = {"method": "badge", "badge": None}
        journal.add(at, "attendance.marked", a=agent, direction="out", **tap)
        journal.add(at + 600, "session.closed", a=agent, reason="agent", by="agent")
        self._presence(journal, at + 600, "ready", "logged_out", "logout")

    def _offered(self, one: _Present, at: int, pbx: str, queue: str) -> dict[str, Any]:
        of = {"a": one.worker.person.id, "c": f"h{pbx.rpartition('.')[2]}"}
        fields = {"via": "host", "direction": "in", "queue": queue, "pbx": pbx}
        one.journal.add(at, "contact.offered", **of, **fields)
        return of

    def _rings_out(self, one: _Present, ring_at: float, pbx: str, queue: str) -> float:
        of = self._offered(one, self._ms(ring_at), pbx, queue)
        over = ring_at + _RING_LIMIT_S
        missed = {"cause": "no_answer", "ring_ms": 1000 * _RING_LIMIT_S}
        one.journal.add(self._ms(over), "contact.missed", **of, **missed)
        self._log.rings_out(self._ms(over), pbx, queue, one.worker.alias, 1000 * _RING_LIMIT_S)
        one.free_s = over + 1
        return over

    def _serve(
        self, one: _Present, ring_at: float, entered_s: float, pbx: str, queue: str, kind: str
    ) -> None:
        chance, journal = one.chance, one.journal
        ring = min(draw_seconds(ASSUMED.ring, chance), _RING_LIMIT_S / 2)
        talk = min(max(BANK_1999_02.service[kind].draw(chance), 3.0), _LONGEST_S)
        held = draw_seconds(ASSUMED.hold, chance) if chance.random() < ASSUMED.held else 0.0
        wrapup = min(draw_seconds(ASSUMED.wrapup, chance), 55.0)
        if one.stays_s is not None:  # the day is not over, and this call is to be
            room = one.stays_s - ring_at - ring - wrapup
            held = held if talk + held < room else 0.0
            talk = min(talk, room - held)
        of = self._offered(one, self._ms(ring_at), pbx, queue)
        answered = ring_at + ring
        at = self._ms(answered)
        journal.add(at, "contact.answered", **of, via="key", ring_ms=round(1000 * ring))
        step = {"result": "done", "how": "automatic"}
        journal.add(at, "contact.step", **of, step="greeting", **step)
        ends = answered + talk + held
        helped = self._in_call(one, of, answered, talk, kind)
        if held:
            begin = answered + talk * 0.6
            journal.add(self._ms(begin), "contact.held", **of, via="key")
            journal.add(self._ms(begin + held), "contact.resumed", **of, via="key")
        at, by = self._ms(ends), chance.random() < ASSUMED.caller_hangs_up
        who = "caller" if by else "agent"
        journal.add(at, "contact.step", **of, step="closing", **step)
        journal.add(at, "contact.ended", **of, by=who, on_hold=False)
        journal.add(at, "wrapup.started", **of)
        done = self._ms(ends + wrapup)
        if chance.random() < 0.985:
            code = _likely(people.LIMA_CODES[kind], chance)
            coded = {"code": code, "version": 1, "how": "agent"}
            journal.add(done, "contact.typified", **of, **coded)
            journal.add(done, "wrapup.ended", **of, cause="typified")
        else:
            uncoded = {"code": "SIN_TIPIFICAR", "version": 1, "how": "timeout"}
            journal.add(done, "contact.typified", **of, **uncoded)
            journal.add(done, "wrapup.ended", **of, cause="timeout")
        waited = round(answered) - round(entered_s)
        self._log.connects(self._ms(answered), pbx, queue, one.worker.alias, waited, round(ring))
        self._log.completes(
            self._ms(ends), pbx, queue, one.worker.alias, waited, round(talk + held), by
        )
        one.free_s = ends + wrapup + 0.2
        if helped is not None:
            one.free_s += self._after_help(one, helped, done)

    def _after_help(self, one: _Present, helped: tuple[Of, bool], done: int) -> float:
        """Whether it served, as the agent says; one to whom nobody came takes it back."""
        chance, journal, (request, came) = one.chance, one.journal, helped
        at, about = done + 1000 * _ANSWERS_S, {"of": request, "a": one.journal.agent}
        if not came:
            journal.add(at, "help.cancelled", **about)
        elif chance.random() < _ANSWERS:
            answer = "yes" if chance.random() < _SERVED else "no"
            journal.add(at, "help.rated", **about, answer=answer)
        else:
            return 0
        return _ANSWERS_S

    def _in_call(
        self, one: _Present, of: dict[str, Any], answered: float, talk: float, kind: str
    ) -> tuple[Of, bool] | None:
        """In the first half of the talk: steps of the protocol, and help, which is given: whether
        somebody came.
        """
        chance, journal = one.chance, one.journal
        if talk > 25 and chance.random() < ASSUMED.follows_protocol:
            steps = ("identity", "need", "information", "doubts")[: chance.randint(1, 4)]
            for k, step in enumerate(steps):
                at = self._ms(answered + talk * (0.08 + 0.09 * k))
                fields = {"step": step, "result": "done", "how": "key"}
                journal.add(at, "contact.step", **of, **fields)
        if talk <= 90 or chance.random() >= ASSUMED.helped:
            return None
        waits = min(draw_seconds((35.0, 0.7), chance), 0.08 * talk)
        begin = answered + 0.42 * talk
        request = journal.of(journal.add(self._ms(begin), "help.requested", **of))
        of_it = {"of": request, "a": of["a"]}
        topic = chance.choice(people.HELP_TOPICS)["code"]
        journal.add(self._ms(begin + 1), "help.topic", **of_it, topic=topic)
        if chance.random() < _UNSEEN:
            self._host.waits(request, self._ms(begin), self._ms(answered + talk))
            return request, False
        who = chance.choice(sample.HELPERS)
        taken, solved = self._ms(begin + 1 + waits), self._ms(begin + 2 + 1.6 * waits)
        playbook = f"INS-{people.motive_of(people.LIMA_TREE, people.LIMA_CODES[kind][0])}"
        result = self._host.helps(who, request, of, taken, solved, playbook, chance)
        journal.add(taken, "help.accepted", **of_it, i=2, by=who.name)
        journal.add(solved, "help.resolved", **of_it, i=3, by=who.name, result=result)
        return request, True


def _likely(codes: Sequence[str], chance: random.Random) -> str:
    """The first ones far more often."""
    weights = [1 / (place + 1) for place in range(len(codes))]
    return chance.choices(codes, weights)[0]
