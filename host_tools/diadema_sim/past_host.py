"""What people at the host did about the calls for help and the faults of a past day, as its hub
told it: a journal of the hub's, of one day.
"""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter

from diadema_sim import sample_assistance as sample

HUB = "HUB-past"
_WAITED = "rule:help_wait"
_ESCALATES_MS, _ALERTS_MS = 60_000, 150_000
_LACKED = 0.12  # of the calls for help: the playbook lacked something
_NOTES_MS, _NAMED_MS, _CONFIRMED_MS = 4_000, 3_000, 10_000

type Of = list[object]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Of a fault that was pressed at a seat; `over`: when it was mended or rejected."""

    of: Of
    seat: str
    area: str
    part: str
    at: int
    takes_ms: int
    over: int
    rejected: bool = False


@dataclass
class HostDay:
    """In whatever order it is told."""

    epoch: int
    _steps: list[tuple[int, str, dict[str, object]]] = field(default_factory=list)

    def _add(self, at_ms: int, kind: str, **fields: object) -> None:
        self._steps.append((at_ms, kind, fields))

    def lines(self) -> list[bytes]:
        """The journal, in order."""
        common = {"s": HUB, "e": self.epoch, "b": 0, "u": 0}
        events = (
            common | {"n": n, "t": at, "k": kind} | fields
            for n, (at, kind, fields) in enumerate(sorted(self._steps, key=itemgetter(0)), 1)
        )
        return [json.dumps(event, separators=(",", ":")).encode() for event in events]

    def waits(self, of: Of, at: int, until: int) -> None:
        """Nobody came to a call for help before `until`."""
        for level, limit_ms in enumerate((_ESCALATES_MS, _ALERTS_MS), 1):
            if at + limit_ms < until:
                self._add(at + limit_ms, "help.escalated", by=_WAITED, of=of, level=level)

    def helps(
        self,
        who: sample.Colleague,
        of: Of,
        call: Mapping[str, object],
        taken: int,
        solved: int,
        playbook: str,
        chance: random.Random,
    ) -> str:
        """`call`: whose and which it is; gives the result."""
        result = chance.choice(sample.RESULTS)
        acted = {**who.signed, **call, "action": "help", "of": of}
        self._add(taken, "supervision.acted", **acted, state="accepted")
        self._add(solved, "supervision.acted", **acted, state="resolved", reason=result)
        if chance.random() < _LACKED:
            noted = {"by": who.account, "of": of}
            gap, text = chance.choice(sample.GAPS)
            lacked = {"gap": gap, "playbook": playbook, "version": "1"}
            self._add(solved + _NOTES_MS, "help.noted", **noted, **lacked)
            self._add(solved + _NOTES_MS, "help.noted", **noted, text=text)
        return result

    def fault(self, reports: Sequence[Report]) -> None:
        """Of one thing, at one seat or everywhere."""
        its = sorted(reports, key=attrgetter("at"))
        first, mass = its[0], len(its) > 1
        seats = [one.seat for one in its]
        what, rule = sample.what(first.area, first.part), "rule:mass" if mass else "rule:report"
        name = hashlib.sha256(f"{first.of}".encode()).hexdigest()[:12]
        ticket: dict[str, object] = {"ticket": name}
        self._add(
            its[-1].at + _NAMED_MS, "ticket.opened", **ticket, by=rule, of=first.of,
            area=first.area, part=first.part, severity=2 if mass else 3, seats=seats[:3],
            title=f"Falla masiva: {what}" if mass else f"{what}: {first.seat}",
        )  # fmt: skip
        for one in its[1:]:
            self._add(its[-1].at + _NAMED_MS, "ticket.linked", **ticket, by=rule, of=one.of)
        taken, over = its[-1].at + first.takes_ms, max(one.over for one in its)
        who = sample.TECHNICIAN.account
        theirs = {"external": f"INC-{name[:4].upper()}"} if sample.is_external(first.area) else {}
        self._add(taken, "ticket.taken", **ticket, by=who, to=who, **theirs)
        if first.rejected:
            self._add(
                over, "ticket.closed", **ticket, by=who, outcome="rejected",
                reason=sample.REJECTED,
            )  # fmt: skip
            return
        cause, fix = sample.MENDED[first.area, first.part]
        self._add(over, "ticket.resolved", **ticket, by=who, cause=cause, fix=fix)
        over += _CONFIRMED_MS
        self._add(over, "ticket.closed", **ticket, by="rule:report", outcome="confirmed")
