"""The store as an Asterisk queue_log, which reporters of call centres read.

The switch's calls and rings as it reported them; the stations' inbound contacts that no switch
reported, as calls of their queue; sessions as AGENTLOGIN and AGENTLOGOFF; presence as PAUSEALL and
UNPAUSEALL, once an agent and not once a queue. Taken in again it gives the same counts. Private
reasons are one word.

A contact that the station missed is a ring, RINGNOANSWER or, where it was not for it to take,
RINGCANCELED: nobody knows whether another desk took that caller. Only one that hung up is a call,
and an ABANDON, once however many desks rang. A call that a lost power cut ends when its talk did,
as COMPLETEAGENT, for there is no other verb. Left out is what a queue_log has no verb for (holds,
wrap-ups, calls out), positions (all are 1), and the extension of the switch's transfers, which is
kept nowhere.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import IO
from zoneinfo import ZoneInfo

from msgspec import Struct

from diadema.base.paths import DataDir
from diadema.figures.days import start_of
from diadema.figures.joins import joins
from diadema.metrics.contacts import EXCUSED
from diadema.metrics.queue import talk_ms
from diadema.site.directory.people import People, Turns, whose
from diadema.store import open_reader
from diadema.store.rows import Contact, QueueCall, Session, Trail

PRIVATE = "privado"
_NO_QUEUE = "sin_cola"
_EXITS = {
    "timeout": ("EXITWITHTIMEOUT", 1, 1), "empty": ("EXITEMPTY", 1, 1),
    "key": ("EXITWITHKEY", "", 1, 1), "withdrawn": ("WITHDRAW", 1, 1),
    "restarted": ("WITHDRAW", 1, 1), "incompatible": ("WITHDRAW", 1, 1),
}  # fmt: skip
_MINUTE_MS = 60_000

type _Line = tuple[int, int, str]  # UTC milliseconds, order in it, its text

type Progress = Callable[[int, int], None]  # days written, of how many


class Written(Struct, kw_only=True):
    """`joined`: of the stations' contacts, those that are a call of the switch."""

    first: str
    last: str
    lines: int = 0
    calls: int = 0
    contacts: int = 0
    joined: int = 0
    sessions: int = 0
    pauses: int = 0


class Export:
    def __init__(self, data: DataDir, people: People, zone: ZoneInfo) -> None:
        self._data, self._people, self._zone = data, people, zone
        self._names: defaultdict[str, dict[str, Turns]] = defaultdict(dict)
        for name, turns in people.aliases.items():
            for _, agent in turns:
                self._names[agent][name] = turns
        self._order = 0

    def write(
        self, file: IO[str], first: date, last: date, progress: Progress = lambda *_: None
    ) -> Written:
        """Of these local days, in the order of time. Raises DiademaError."""
        done = Written(first=first.isoformat(), last=last.isoformat())
        days = (last - first).days + 1
        later: list[_Line] = []
        bounds = [self._midnight(first + timedelta(days=at)) for at in range(days + 1)]
        later += self._who_is_there(bounds[0], bounds[-1], done)
        for at in range(days):
            later += self._calls(bounds[at], bounds[at + 1], done)
            later.sort()
            now = [line for line in later if line[0] < bounds[at + 1]]
            later = later[len(now) :]
            file.writelines(line[2] for line in now)
            done.lines += len(now)
            progress(at + 1, days)
        file.writelines(line[2] for line in later)
        done.lines += len(later)
        return done

    def _midnight(self, day: date) -> int:
        return start_of(day, self._zone) * 1000

    def _line(self, t: int, call: str, queue: str, agent: str, *rest: str | int) -> _Line:
        self._order += 1
        cells = (t // 1000, call or "NONE", queue or "NONE", agent or "NONE", *rest)
        line = "|".join(_clean(str(cell)) for cell in cells)
        return t, self._order, line + "\n"

    def _agent(self, a: str, utc_ms: int | None) -> str:
        """The agent whose name it was then."""
        its = self._names.get(a, {})
        return next((n for n, turns in its.items() if whose(turns, utc_ms) == a), f"Agent/{a}")

    # -- calls

    def _calls(self, start: int, end: int, done: Written) -> Iterator[_Line]:
        with open_reader(self._data.store) as reader:
            calls = reader.queue_calls(start_utc=start, end_utc=end)
            rings = reader.queue_rings(start_utc=start, end_utc=end)
            contacts = reader.contacts(start_utc=start, end_utc=end)
        found = joins(self._data, start, end, self._people)
        for call in calls:
            if call.entered and call.start_utc >= start:
                done.calls += 1
                yield from self._call(call)
        for ring in rings:
            rang = "RINGCANCELED" if ring.withdrawn else "RINGNOANSWER"
            yield self._line(ring.utc, ring.pbx, ring.queue, ring.agent, rang, ring.ring_ms or 0)
        reported = {pair.contact for pair in found.pairs}
        known = _Known(calls)
        gave_up: set[str] = set()
        for contact in contacts:
            if contact.direction != "in":
                continue
            answered = contact.answered_utc is not None
            if (contact.station, contact.epoch, contact.sequence) in reported or (
                not answered and contact in known
            ):
                done.joined += 1
            else:
                done.contacts += 1
                if answered:
                    yield from self._contact(contact)
                else:
                    yield from self._missed(contact, gave_up)

    def _call(self, call: QueueCall) -> Iterator[_Line]:
        who, queue = call.pbx, call.queue
        wait = (call.wait_ms or 0) // 1000
        yield self._line(call.start_utc, who, queue, "", "ENTERQUEUE", "", call.reference or "", 1)
        agent = call.agent or ""
        if call.connected_utc is not None:
            ring = (call.ring_ms or 0) // 1000
            yield self._line(call.connected_utc, who, queue, agent, "CONNECT", wait, who, ring)
        if call.end_utc is None:
            return
        if call.connected_utc is not None:
            talk = (talk_ms(call) or 0) // 1000
            verb: tuple[str | int, ...] = (_complete(call.ended_by), wait, talk, 1)
            if call.cause == "transferred":
                verb = ("BLINDTRANSFER", "", "", wait, talk, 1)
                if call.transfer == "consulted":
                    verb = ("ATTENDEDTRANSFER", "APP", "", wait, talk, 1)
            yield self._line(call.end_utc, who, queue, agent, *verb)
        elif call.outcome == "abandoned":
            yield self._line(call.end_utc, who, queue, "", "ABANDON", 1, 1, wait)
        elif (left := _EXITS.get(call.cause or "")) is not None:
            yield self._line(call.end_utc, who, queue, "", *left, wait)

    def _missed(self, contact: Contact, gave_up: set[str]) -> Iterator[_Line]:
        """`gave_up`: ids of calls whose callers hung up, as far as they are written."""
        start, end = contact.start_utc, contact.end_utc
        if start is None or end is None:
            return
        queue, who = contact.queue or _NO_QUEUE, _id(contact)
        agent = self._agent(contact.agent, contact.start_utc)
        rang = "RINGCANCELED" if contact.cause in EXCUSED else "RINGNOANSWER"
        if contact.cause == "caller_gave_up" and who not in gave_up:
            gave_up.add(who)
            caller = _caller(contact)
            yield self._line(start, who, queue, "", "ENTERQUEUE", "", caller, 1)
            yield self._line(end, who, queue, agent, rang, contact.ring_ms or 0)
            wait = (end - start) // 1000
            yield self._line(end, who, queue, "", "ABANDON", 1, 1, wait)
        else:
            yield self._line(end, who, queue, agent, rang, contact.ring_ms or 0)

    def _contact(self, contact: Contact) -> Iterator[_Line]:
        """The call as the station knew it: it entered when it was offered."""
        if contact.start_utc is None or contact.answered_utc is None:
            return
        queue, who = contact.queue or _NO_QUEUE, _id(contact)
        agent = self._agent(contact.agent, contact.start_utc)
        yield self._line(contact.start_utc, who, queue, "", "ENTERQUEUE", "", _caller(contact), 1)
        wait = (contact.answered_utc - contact.start_utc) // 1000
        yield self._line(contact.answered_utc, who, queue, agent, "CONNECT", wait, who, wait)
        end = contact.end_utc
        if end is None:
            return
        if contact.interrupted:  # nobody talked until the power came back
            end = min(end, contact.answered_utc + contact.talk_ms + contact.hold_ms)
        talk = (end - contact.answered_utc) // 1000
        more = contact.more
        if more is not None and more.completed and more.transfer in ("blind", "consulted"):
            kind: tuple[str, ...] = ("BLINDTRANSFER", more.target or "", "areas")
            if more.transfer == "consulted":
                kind = ("ATTENDEDTRANSFER", "APP", more.target or "")
            yield self._line(end, who, queue, agent, *kind, wait, talk, 1)
        else:
            verb = _complete(contact.ended_by)
            yield self._line(end, who, queue, agent, verb, wait, talk, 1)

    # -- who is there

    def _who_is_there(self, start: int, end: int, done: Written) -> Iterator[_Line]:
        with open_reader(self._data.store) as reader:
            sessions = reader.sessions()
            trails = reader.trails(start_utc=start, end_utc=end)
        for session in sessions:
            yield from self._session(session, start, end, done)
        paused: dict[tuple[str, int, int], str] = {}
        for trail in trails:
            yield from self._trail(trail, paused, start, end, done)

    def _session(self, session: Session, start: int, end: int, done: Written) -> Iterator[_Line]:
        opened, closed = session.open_utc, session.close_utc
        agent = self._agent(session.agent, opened)
        if opened is not None and start <= opened < end:
            done.sessions += 1
            yield self._line(opened, "", "", agent, "AGENTLOGIN", session.station)
        if closed is not None and start <= closed < end:
            stayed = "" if opened is None else (closed - opened) // 1000
            yield self._line(closed, "", "", agent, "AGENTLOGOFF", session.station, stayed)

    def _trail(
        self,
        trail: Trail,
        paused: dict[tuple[str, int, int], str],
        start: int,
        end: int,
        done: Written,
    ) -> Iterator[_Line]:
        """A pause lasts until the agent is ready; a call in it does not end it."""
        if trail.start_utc is None:
            return
        agent, offset = self._agent(trail.agent, trail.start_utc), trail.start_utc - trail.start_u
        for span in trail.spans:
            t = span.uptime_ms + offset
            if span.state not in ("ready", "not_ready"):
                continue
            was = paused.get(trail.session)
            now = self._reason(span.reason) if span.state == "not_ready" else None
            if was == now:
                continue
            if was is not None and start <= t < end:
                yield self._line(t, "", "", agent, "UNPAUSEALL", was)
            paused.pop(trail.session, None)
            if now is not None:
                paused[trail.session] = now
                if start <= t < end:
                    done.pauses += 1
                    yield self._line(t, "", "", agent, "PAUSEALL", now)
        if trail.over and (was := paused.pop(trail.session, None)) is not None:
            t = trail.end_u + offset
            if start <= t < end:
                yield self._line(t - 1, "", "", agent, "UNPAUSEALL", was)

    def _reason(self, code: str | None) -> str:
        known = self._people.reasons.get(code or "")
        return PRIVATE if known is not None and known.private else code or ""


class _Known:
    """Whether a contact that was not answered was a call of the switch: by its id, or because one
    waited at that moment.
    """

    def __init__(self, calls: Iterable[QueueCall]) -> None:
        self._ids = {call.pbx for call in calls}
        self._minutes: set[int] = set()
        for call in calls:
            until = call.connected_utc or call.end_utc or call.start_utc
            minutes = range(call.start_utc // _MINUTE_MS, until // _MINUTE_MS + 1)
            self._minutes.update(minutes[:120])

    def __contains__(self, contact: Contact) -> bool:
        if contact.pbx:
            return contact.pbx in self._ids
        return (contact.start_utc or 0) // _MINUTE_MS in self._minutes


def _complete(by: str | None) -> str:
    return "COMPLETECALLER" if by == "caller" else "COMPLETEAGENT"


def _id(contact: Contact) -> str:
    return contact.pbx or f"{contact.station}-{contact.epoch}-{contact.sequence}"


def _caller(contact: Contact) -> str:
    return (contact.more.reference if contact.more else None) or ""


def _clean(cell: str) -> str:
    """As Asterisk does with what would be a delimiter."""
    return cell if cell.isprintable() and "|" not in cell else _replaced(cell)


def _replaced(cell: str) -> str:
    return "".join("_" if one == "|" or not one.isprintable() else one for one in cell)
