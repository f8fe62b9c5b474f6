"""What a ticket is to whoever looks at it. Nothing here draws, and nothing is in a language.

An area's own page is without persons and figures: of who did what its own accounts alone are
named. A technician sees no agent and what a ticket cost whole; who sees an agent's figures sees
whose time it was.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from msgspec import Struct

from diadema.access.roles import Person
from diadema.base.sanitize import visible
from diadema.figures.lost_time import Stop
from diadema.site.directory.people import People
from diadema.store.assistance import Key, TicketCase, is_mass, key_of
from diadema.store.host_rows import TicketStep
from diadema.store.rows import Press, Ticket
from diadema.wire.actions import OF_A_RULE

_SEATS = 8  # of a row; the others are counted
_SERVER = "hub"  # by whom it is that nobody did

type Fields = dict[str, Any]


class Lost(Struct):
    """What a ticket cost an agent so far: the time that is over, and since when (UTC ms) it goes
    on, if it does.
    """

    ms: int = 0
    since: int | None = None


def lost_by(stops: Iterable[Stop], now_ms: int) -> dict[str, Lost]:
    """By agent, of what the reports of one ticket cost until now: a second once."""
    times: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for stop in stops:
        times[stop.agent] += stop.times
    found: dict[str, Lost] = {}
    for agent, its in times.items():
        lost, until, begun = found.setdefault(agent, Lost()), 0, 0
        for start, end in sorted(its):
            begun = start if start > until else begun
            lost.ms += 1000 * max(0, end - max(start, until))
            until = max(until, end)
        if until == now_ms // 1000 and its:
            lost.ms -= 1000 * (until - begun)
            lost.since = 1000 * begun
    return found


@dataclass(frozen=True)
class View:
    """`names`: of the accounts; `stops`: by the ticket's reports what each cost until `read_ms`;
    `areas`: whose page it is, None where it is not an area's.
    """

    person: Person
    people: People
    names: Mapping[str, str]
    stops: Mapping[Key, Stop]
    read_ms: int
    areas: frozenset[str] | None = None
    colleagues: frozenset[str] = frozenset()  # the accounts of those areas

    def rows(self, cases: Iterable[TicketCase]) -> list[Fields]:
        return [self.row(one) for one in cases if self.sees(one)]

    def sees(self, case: TicketCase) -> bool:
        return self.person.sees_ticket(case, self.people)

    def is_anothers(self, ticket: Ticket) -> bool:
        """Whether somebody has it of whom nothing is told here."""
        return ticket.assignee is not None and self._account(ticket.assignee) is None

    def row(self, case: TicketCase) -> Fields:
        """What the list has of it."""
        ticket, seats = case.ticket, self._seats(case)
        found: Fields = {
            "ticket": ticket.ticket,
            "severity": ticket.severity,
            "title": visible(ticket.title),
            "area": ticket.area,
            "part": ticket.part,
            "state": ticket.state,
            "outcome": ticket.outcome,
            "seats": seats[:_SEATS],
            "count": len(seats),
            "mass": is_mass(ticket),
            "utc": ticket.utc,
            "due": _due(ticket),
            "to": self._account(ticket.assignee),
            "who": self._who(ticket.assignee),
            "external": ticket.external and visible(ticket.external),
            "reopened": ticket.reopened,
            "resolved": ticket.resolved_utc,
            "closed": ticket.closed_utc,
        }
        if self.areas is None:
            lost = self._lost(case).values()
            since = [one.since for one in lost if one.since is not None]
            found |= {
                "reports": len(case.reports),
                "lost": [sum(one.ms for one in lost), len(since), sum(since)],
            }
        said = [(one.outcome, one.answer, one.technical_b) for one in case.reports]
        found["v"] = crc32(repr((len(case.steps), said)).encode())
        return found

    def whole(self, case: TicketCase) -> tuple[Fields, list[str]]:
        """All of it, and of which agents something is told."""
        ticket = case.ticket
        found = self.row(case) | {
            "seats": self._seats(case),
            "cause": ticket.cause and visible(ticket.cause),
            "fix": ticket.fix and visible(ticket.fix),
            "reason": ticket.reason and visible(ticket.reason),
            "other": ticket.other,
            "story": self._story(case.steps),
            "notes": [
                {"utc": step.utc, "who": self._who(step.by), "text": visible(text, lines=True)}
                for step, text in case.texts
            ],
        }
        if self.areas is not None:
            return found, []
        seen = [
            one.agent
            for one in case.reports
            if one.agent and self.person.may("figures") and self._sees(one.agent)
        ]
        found["reported"] = [self._report(one, one.agent in seen) for one in case.reports]
        if seen:
            found["persons"] = [
                {"name": visible(self.people.name(agent)), "ms": lost.ms, "since": lost.since}
                for agent, lost in self._lost(case).items()
                if agent in seen
            ]
        return found, seen

    def loose(self, reports: Iterable[Press]) -> list[Fields]:
        """Reports that no ticket adopted; an area sees none."""
        if self.areas is not None:
            return []
        every = self.person.may("fleet")
        its = (one for one in reports if every or one.agent is None or self._sees(one.agent))
        return [self._report(one, False) for one in its]

    def _sees(self, agent: str) -> bool:
        return self.person.sees(agent, self.people)

    def _lost(self, case: TicketCase) -> dict[str, Lost]:
        keys = map(key_of, case.reports)
        return lost_by([self.stops[key] for key in keys if key in self.stops], self.read_ms)

    def _report(self, press: Press, is_named: bool) -> Fields:
        found: Fields = {
            "of": [*key_of(press)],
            "seat": self._seat(press.station),
            "area": press.area,
            "part": press.part,
            "utc": press.open_utc,
            "state": _state(press),
        }
        if is_named and press.agent:
            found["name"] = visible(self.people.name(press.agent))
        return found

    def _story(self, steps: Iterable[TicketStep]) -> list[Fields]:
        """Notes stand by themselves; reports that were adopted one after another are one step."""
        found: list[Fields] = []
        for step in steps:
            seat = self._seat(step.of_s) if step.of_s else None
            if step.kind == "noted":
                continue
            if step.kind == "linked" and found and found[-1]["kind"] == "linked":
                found[-1]["seats"].append(seat)
                continue
            texts = {
                name: visible(text)
                for name in ("reason", "cause", "fix", "external")
                if (text := getattr(step, name))
            }
            found.append(
                texts
                | {
                    "utc": step.utc,
                    "kind": step.kind,
                    "who": self._who(step.by),
                    "to": self._who(step.assignee),
                    "area": step.area,
                    "severity": step.severity,
                    "due": step.due_utc,
                    "outcome": step.outcome,
                    "seats": [seat] if step.kind == "linked" else [],
                }
            )
        return found

    def _seats(self, case: TicketCase) -> list[str]:
        named = filter(None, case.ticket.seats.split("\n"))
        heard = (self._seat(one.station) for one in case.reports)
        return [*dict.fromkeys([*map(visible, named), *heard])]

    def _seat(self, station: str) -> str:
        return visible(self.people.seats.get(station, station))

    def _account(self, account: str | None) -> str | None:
        hidden = self.areas is not None and account not in self.colleagues
        return None if hidden else account

    def _who(self, account: str | None) -> str | None:
        known = self._account(account)
        if known is not None and known.startswith(OF_A_RULE):
            return _SERVER
        return known and visible(self.names.get(known, known))


def _due(ticket: Ticket) -> int | None:
    """Until when it is taken or, once it is, solved."""
    if ticket.state == "open":
        return ticket.accept_due_utc
    return ticket.solve_due_utc if ticket.state == "taken" else None


def _state(press: Press) -> str:
    """What a report came to: whether the agent works, and what the agent says of the fix."""
    if press.outcome == "open":
        return "call" if press.technical_b is None else "technical"
    if press.outcome == "resolved" and press.answer is not None:
        return press.answer
    return press.outcome
