"""What the verbs of a queue_log say of calls, as events of the switch.

Only what callers go through becomes an event: presence is reported by the stations, and two
reporters of it would have to be believed or not. Lines of agents, members and settings are counted
by verb. A phone number becomes its keyed hash, so that one who calls again is known, and
transfers' extensions are left out.

Made anew for each log and given all of its rows from the first, it makes the same events again.
"""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from diadema.exchange.queue_log_rows import BadRow, Row
from diadema.wire.events import (
    EVENT_LIMIT,
    QueueAbandoned,
    QueueConnected,
    QueueEntered,
    QueueEvent,
    QueueLeft,
    QueueOffered,
)
from diadema.words import Sentence

_DIGITS = 9  # the last ones: with or without the country's or the exchange's prefix
_NOBODY = {"", "none", "unknown", "anonymous", "restricted", "unavailable", "private", "asterisk"}
_NUMBER = re.compile(r"[+\d\s().*#-]+")
_IN_NAME = re.compile(r"<([^<>]*)>\s*\Z")
OTHERS = frozenset({  # known, and not about a caller in a queue
    "ADDMEMBER", "REMOVEMEMBER", "AGENTLOGIN", "AGENTLOGOFF", "AGENTCALLBACKLOGIN",
    "AGENTCALLBACKLOGOFF", "PAUSE", "UNPAUSE", "PAUSEALL", "UNPAUSEALL", "PAUSEREASON", "PENALTY",
    "RINGINUSE", "AGENTDUMP", "OUTCALL", "QUEUESTART", "CONFIGRELOAD", "DID", "CALLSTATUS", "INFO",
    "WRAPUPSTART", "WRAPUPEND", "ENTERPOSITION", "HOLD", "UNHOLD", "CALLOUTBOUND", "SIPAGENT",
    "OUTDIAL", "OUTANSWER", "OUTCANCEL", "OUTCHANUNAVAIL", "OUTTRANSFER", "OUTBUSY", "OUTNOANSWER",
    "OUTCONGESTION",
})  # fmt: skip
_RINGS = ("RINGNOANSWER", "RINGCANCELED")
_RETAINED_MS = 3_600_000  # how long a call that is over is remembered
_DAY_MS = 86_400_000
_PRUNE = 4096
_encode = msgspec.json.Encoder().encode


def caller_reference(key: str, caller: str) -> str | None:
    """Of a number, or of what a switch knows the caller by; None for whoever hides it. `key`: the
    site's badge key.
    """
    within = _IN_NAME.search(caller)
    caller = (within[1] if within else caller).strip().lower()
    if caller in _NOBODY:
        return None
    if _NUMBER.fullmatch(caller):
        caller = re.sub(r"\D", "", caller)[-_DIGITS:]
        if not caller:
            return None
    digest = hmac.new(key.encode(), b"caller:" + caller.encode(), hashlib.sha256)
    return digest.hexdigest()[:32]


@dataclass(slots=True)
class _Course:
    entered_t: int
    connected: bool = False
    ended_t: int | None = None


def _stands(course: _Course) -> str:
    return "talking" if course.connected else "waiting"


class _Bad(Exception):
    pass


class Translator:
    """Of one log: `s` and `e` are its events' identity, `n` counts on. `key`: the site's badge
    key. `queues`: only these; all when empty.
    """

    def __init__(self, s: str, e: int, key: str, queues: Collection[str] = ()) -> None:
        self._common: dict[str, Any] = {
            "station": s,
            "epoch": e,
            "boot": 0,
            "uptime_ms": 0,
        }
        self._key, self._queues = key, frozenset(queues)
        self._calls: dict[tuple[str, str], _Course] = {}
        self._prune_at = _PRUNE
        self._lost: Counter[str] = Counter()  # no longer waited for
        self._second: tuple[int, set[tuple[Any, ...]]] = (0, set())
        self.n = 0
        self.verbs: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self._over: Counter[str] = Counter()
        self.repeated = 0  # twice in the log
        self.unentered = 0  # calls whose beginning is in no line of this log

    @property
    def outcomes(self) -> Counter[str]:
        """Calls by what became of them, each once: their sum is the entries, and the calls that
        are `unentered`. `talking` and `waiting`: their end is not in this log.
        """
        going = (one for one in self._calls.values() if one.ended_t is None)
        return self._over + self._lost + Counter(map(_stands, going))

    def take(self, row: Row) -> list[bytes] | BadRow:
        """The row's events, as JSON."""
        n = self.n
        try:
            bodies = [_encode(event) for event in self._events(row)]
        except _Bad as bad:
            return BadRow(row.line, bad.args[0])
        if any(len(body) > EVENT_LIMIT for body in bodies):
            self.n = n
            return BadRow(row.line, Sentence("errors.row.event_long", limit=EVENT_LIMIT))
        self.verbs[row.verb] += 1
        return bodies

    def _events(self, row: Row) -> Iterator[QueueEvent]:
        n, made = self.n, []
        work = _WORK.get(row.verb)
        if work is None:
            if row.verb == "QUEUESTART":
                made = list(self._restarted(row))
            elif row.verb not in OTHERS:
                self.unknown[row.verb] += 1
        elif not self._queues or row.queue in self._queues:
            if not row.pbx or not row.queue:
                raise _Bad(Sentence("errors.row.no_call", verb=row.verb))
            if self._is_new(row):
                course = self._calls.get((row.queue, row.pbx))
                known = course if course is not None and course.ended_t is None else None
                over = course is not None and known is None
                if over and row.verb != "ENTERQUEUE":
                    self.repeated += 1  # a transfer, and then the end of what was transferred
                else:
                    made = [work(self, row, known)]
                    self._note(row, known)
        for event in made:
            n += 1
            event.sequence = n
        self.n = n
        return iter(made)

    def _is_new(self, row: Row) -> bool:
        """No other line of its second said just this, but for agents that are rung again."""
        second, lines = self._second
        if second != row.utc_ms:
            self._second = second, lines = row.utc_ms, set()
        line = (row.pbx, row.queue, row.agent, row.verb, row.data)
        if line in lines and row.verb not in _RINGS:
            self.repeated += 1
            return False
        lines.add(line)
        return True

    def _note(self, row: Row, known: _Course | None) -> None:
        if known is None and row.verb in _RINGS:
            return
        key = row.queue, row.pbx
        if row.verb == "ENTERQUEUE" and known is not None:
            self._lost[_stands(known)] += 1  # it begins anew, and nothing said how it ended
        if row.verb == "ENTERQUEUE" or known is None:
            self.unentered += row.verb != "ENTERQUEUE"
            known = self._calls[key] = _Course(row.utc_ms)
        if row.verb == "CONNECT":
            known.connected = True
        elif row.verb != "ENTERQUEUE" and row.verb not in _RINGS:
            known.ended_t = row.utc_ms
        if len(self._calls) > self._prune_at:
            self._prune(row.utc_ms)

    def _prune(self, t: int) -> None:
        """Logs lose ends: whoever is open for a day is no longer waited for."""
        retained = {}
        for key, one in self._calls.items():
            since = t - (_DAY_MS if one.ended_t is None else _RETAINED_MS)
            if (one.entered_t if one.ended_t is None else one.ended_t) > since:
                retained[key] = one
            else:
                self._lost.update([_stands(one)] if one.ended_t is None else [])
        self._calls = retained
        self._prune_at = max(_PRUNE, 2 * len(self._calls))

    def _restarted(self, row: Row) -> Iterator[QueueEvent]:
        """The switch began anew: whoever was in it is not any more."""
        for (queue, pbx), course in self._calls.items():
            if course.ended_t is None:
                course.ended_t = row.utc_ms
                self._over["answered" if course.connected else "restarted"] += 1
                yield QueueLeft(
                    **self._common, sequence=1, utc_ms=row.utc_ms, pbx=pbx, queue=queue,
                    line=row.line,
                    cause="restarted", estimated=True,
                )  # fmt: skip

    # -- one for each verb

    def _entered(self, row: Row, known: _Course | None) -> QueueEvent:
        more: dict[str, Any] = {}
        if (reference := caller_reference(self._key, row.text(1))) is not None:
            more["reference"] = reference
        if (position := _number(row, 2, must=False)) is not None:
            more["position"] = position
        return QueueEntered(**self._call(row), **more)

    def _offered(self, row: Row, known: _Course | None) -> QueueEvent:
        if not row.agent:
            raise _Bad(Sentence("errors.row.no_agent", verb=row.verb))
        rung = _number(row, 0, must=False)  # milliseconds, unlike everywhere else
        more: dict[str, Any] = {} if rung is None else {"ring_ms": rung}
        if row.verb == "RINGCANCELED":
            more["cause"] = "withdrawn"
        return QueueOffered(**self._call(row), pbx_agent=row.agent, **more)

    def _connected(self, row: Row, known: _Course | None) -> QueueEvent:
        wait = _number(row, 0, must=known is None)
        wait_ms = row.utc_ms - known.entered_t if wait is None and known is not None else _ms(wait)
        assert wait_ms is not None
        ring = row.text(2)  # older switches do not tell it
        known_ring = ring.isascii() and ring.isdigit() and len(ring) < 7
        more: dict[str, Any] = {"ring_ms": _ms(int(ring))} if known_ring else {}
        return QueueConnected(
            **self._call(row), wait_ms=wait_ms, pbx_agent=row.agent or None, **more
        )

    def _abandoned(self, row: Row, known: _Course | None) -> QueueEvent:
        wait = _number(row, 2, must=known is None)
        wait_ms = row.utc_ms - known.entered_t if wait is None and known is not None else _ms(wait)
        assert wait_ms is not None
        self._over["abandoned"] += 1
        return QueueAbandoned(**self._call(row), wait_ms=wait_ms)

    def _completed(self, row: Row, known: _Course | None) -> QueueEvent:
        by = "agent" if row.verb == "COMPLETEAGENT" else "caller"
        return self._ended(row, known, "completed", 0, 1, by=by)

    def _transferred(self, row: Row, known: _Course | None) -> QueueEvent:
        """LINK names two channels before the times, and a table packs the rest into data5."""
        data = [one for cell in row.data for one in cell.split("|")]
        hold = 3 if data[:1] == ["LINK"] and row.verb == "ATTENDEDTRANSFER" else 2
        row = Row(row.line, row.utc_ms, row.pbx, row.queue, row.agent, row.verb, tuple(data))
        kind = "consulted" if row.verb == "ATTENDEDTRANSFER" else "blind"
        return self._ended(row, known, "transferred", hold, hold + 1, by="agent", transfer=kind)

    def _incompatible(self, row: Row, known: _Course | None) -> QueueEvent:
        return self._ended(row, known, "incompatible", None, None)

    def _ended(
        self, row: Row, known: _Course | None, cause: str, wait: int | None, talk: int | None,
        **more: Any,
    ) -> QueueEvent:  # fmt: skip
        """`wait`, `talk`: which of its data; they say what no CONNECT did."""
        if wait is not None and (waited := _number(row, wait, must=False)) is not None:
            more["wait_ms"] = _ms(waited)
        if talk is not None:
            talked = _number(row, talk, must=known is None)
            if talked is not None:
                more["talk_ms"] = _ms(talked)
            if row.agent:
                more["pbx_agent"] = row.agent
        connected = talk is not None or (known is not None and known.connected)
        self._over["answered" if connected else cause] += 1
        return QueueLeft(**self._call(row), cause=cause, **more)

    def _call(self, row: Row) -> dict[str, Any]:
        fields = {
            "utc_ms": row.utc_ms,
            "pbx": row.pbx,
            "queue": row.queue,
            "line": row.line,
            "sequence": 1,
        }
        return self._common | fields


def _left(cause: str, wait: int) -> Callable[[Translator, Row, _Course | None], QueueEvent]:
    """Gave up waiting, by the switch's rules: `wait` is which of its data."""

    def work(self: Translator, row: Row, known: _Course | None) -> QueueEvent:
        return self._ended(row, known, cause, wait, None)

    return work


_WORK: dict[str, Callable[[Translator, Row, _Course | None], QueueEvent]] = {
    "ENTERQUEUE": Translator._entered,
    "RINGNOANSWER": Translator._offered,
    "RINGCANCELED": Translator._offered,
    "CONNECT": Translator._connected,
    "ABANDON": Translator._abandoned,
    "COMPLETEAGENT": Translator._completed,
    "COMPLETECALLER": Translator._completed,
    "TRANSFER": Translator._transferred,  # before Asterisk 12
    "BLINDTRANSFER": Translator._transferred,
    "ATTENDEDTRANSFER": Translator._transferred,
    "EXITWITHTIMEOUT": _left("timeout", 2),
    "EXITEMPTY": _left("empty", 2),
    "EXITWITHKEY": _left("key", 3),
    "WITHDRAW": _left("withdrawn", 2),
    "SYSCOMPAT": Translator._incompatible,
}


VERBS = frozenset(_WORK)


def _number(row: Row, at: int, *, must: bool) -> int | None:
    """An empty one is not 0. Raises _Bad."""
    text = row.text(at)
    if not text and not must:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _Bad(Sentence("errors.row.no_number", verb=row.verb, value=text[:40], at=at + 1))
    return int(text)


def _ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000
