"""What is recorded of a ticket: the events of a step, and what the stations are told of it."""

import re
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from diadema.base.sanitize import stripped
from diadema.hub.commanding import New, cut
from diadema.hub.fault_book import REPORT, RULES, STATION, FaultBook, Report
from diadema.hub.own_journal import ME, SupervisorAction
from diadema.store.assistance import Key
from diadema.store.rows import Ticket
from diadema.wire.actions import TITLE_CHARACTERS
from diadema.wire.long_texts import parts_of

_WORKS_ON = ("switch", "lights", "wifi", "uplink", "badge_reader")  # without which calls go on
_TITLE_BYTES = 90
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,24}")  # of a cause that a station keeps

type Event = tuple[str, dict[str, Any]]


class FaultSteps:
    def __init__(self, book: FaultBook) -> None:
        self._book = book

    def begin(
        self,
        by: str,
        reports: Sequence[Report],
        severity: int,
        title: str,
        area: str = "",
        part: str | None = None,
        seats: Sequence[str] = (),
    ) -> tuple[Ticket, SupervisorAction]:
        """A new one, which has the first of these reports; area and part are theirs where none is
        given.
        """
        first = reports[0] if reports else None
        if first is not None and not area:
            area, part = first.area, first.part
        s, e, n = first.key if first is not None else (None, None, None)
        ticket = Ticket(
            ticket=secrets.token_hex(6), station=ME, epoch=0, sequence=0, by=by,
            utc=self._book.now(), area=area, part=part, severity=severity, title=title,
            of_s=s, of_e=e, of_n=n,
        )  # fmt: skip
        if by in RULES:
            title = (
                stripped(title)[:TITLE_CHARACTERS].encode()[:_TITLE_BYTES].decode(errors="ignore")
            )
        named = [*seats] or [*dict.fromkeys(self._book.seat(one.station) for one in reports)]
        fields = {
            "by": by, "ticket": ticket.ticket, "area": area, "part": part, "severity": severity,
            "seats": named[:3] or None, "title": title.strip(),
            "of": first.key if first is not None else None,
            "due": self._book.due("accept", area, severity, ticket.utc),
        }  # fmt: skip
        return ticket, SupervisorAction([("ticket.opened", fields)])

    def adopt(self, ticket: Ticket, by: str, reports: Sequence[Report]) -> list[SupervisorAction]:
        """They come to it. A ticket that has none left that goes on is a duplicate of it."""
        book = self._book
        keys = {one.key: None for one in reports}
        repeated: dict[str, Ticket] = {}
        for report in reports:
            left = book.going_of(report.key)
            if left is None or left.ticket == ticket.ticket or left.of_n is None:
                continue
            rest = [key for key in book.keys(left) if key not in keys]
            if all(book.is_over(key, left) for key in rest):
                keys |= dict.fromkeys(rest)
                repeated[left.ticket] = left
        began = ticket.of_s, ticket.of_e, ticket.of_n
        actions = [linked(ticket, by, key) for key in keys if key != began]
        for left in repeated.values():
            reason = book.word("ticket_joined")
            event = closed(left, by, "duplicate", reason=reason, other=ticket.ticket)
            actions.append(SupervisorAction([event]))
        return actions + self.as_taken(ticket, keys)

    def as_taken(self, ticket: Ticket, keys: Iterable[Key]) -> list[SupervisorAction]:
        """Whose reports come to one that somebody has is told who that is."""
        if ticket.state != "taken":
            return []
        return self.tell(keys, "accepted", self._book.name_of(ticket.assignee))

    def taken(self, ticket: Ticket, by: str, to: str, external: str | None = None) -> Event:
        until = self._book.due("solve", ticket.area, ticket.severity, ticket.utc)
        fields = {"by": by, "ticket": ticket.ticket, "to": to, "due": until, "external": external}
        return "ticket.taken", fields

    def resolved(self, ticket: Ticket, by: str, cause: str, fix: str | None = None) -> list[Event]:
        """Whoever resolves what nobody took has taken it; a rule takes nothing."""
        fields = {"by": by, "ticket": ticket.ticket, "cause": cause, "fix": fix}
        untaken = ticket.state == "open" and by not in RULES
        taken = [self.taken(ticket, by, by)] if untaken else []
        return [*taken, ("ticket.resolved", fields)]

    def reopened(self, ticket: Ticket, by: str, reason: str) -> SupervisorAction:
        until = self._book.due("solve", ticket.area, ticket.severity, self._book.now())
        fields = {"by": by, "ticket": ticket.ticket, "reason": reason, "due": until}
        return SupervisorAction([("ticket.reopened", fields)])

    def changed(self, ticket: Ticket, by: str, reason: str, **change: Any) -> SupervisorAction:
        until = None
        if not change.keys().isdisjoint(("area", "severity")):
            until = self._book.due(
                "accept" if ticket.state == "open" else "solve",
                change.get("area", ticket.area),
                change.get("severity", ticket.severity),
                ticket.reopened_utc or ticket.utc,
            )
        fields = {"by": by, "ticket": ticket.ticket, "reason": reason, "due": until, **change}
        return SupervisorAction([("ticket.changed", fields)])

    def tell(
        self, keys: Iterable[Key], state: str, by: str, cause: str | None = None
    ) -> list[SupervisorAction]:
        """The stations of these reports, as far as they are open there."""
        fields: dict[str, Any] = {"state": state, "by": cut(by)}
        if cause is not None and _CODE.fullmatch(cause):
            fields["cause"] = cause
        return [
            SupervisorAction([], New(key[0], "fault", {"of": key[2], **fields}))
            for key in keys
            if (press := self._book.press(key)) is not None and press.outcome == "open"
        ]

    def alone(self, report: Report) -> SupervisorAction:
        """A ticket of its own."""
        by = REPORT if report.press is not None else STATION
        works_on = report.press is None and report.part in _WORKS_ON
        severity = 4 if works_on else self.severity_of_one(report.part)
        return self.begin(by, [report], severity, self._book.title(report))[1]

    def severity_of_one(self, part: str | None) -> int:
        """The severity of what fails at one seat."""
        return 2 if self._book.people().is_vital(part) else 3


def linked(ticket: Ticket, by: str, key: Key) -> SupervisorAction:
    return SupervisorAction([("ticket.linked", {"by": by, "ticket": ticket.ticket, "of": key})])


def closed(ticket: Ticket, by: str, outcome: str, **more: str) -> Event:
    return "ticket.closed", {"by": by, "ticket": ticket.ticket, "outcome": outcome, **more}


def noted(ticket: Ticket, by: str, words: str) -> SupervisorAction:
    common = {"by": by, "ticket": ticket.ticket}
    return SupervisorAction([("ticket.noted", common | part) for part in parts_of(words)])
