"""Faults from the report to the end: a ticket is a problem, which adopts reports of it.

Every report begins a ticket, or joins the open one of its seat or of a mass failure. Whoever
closes a mass failure as rejected says that it is none, and the seats' own tickets stand again.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from diadema.base.idempotency import Once
from diadema.base.paths import DataDir
from diadema.hub.actions import not_yours
from diadema.hub.commanding import Commands
from diadema.hub.fault_book import GOING, REPORT, FaultBook, Report, Taken
from diadema.hub.fault_rules import MASS_SEATS, FaultRules
from diadema.hub.fault_steps import FaultSteps, closed, linked, noted
from diadema.hub.own_journal import OwnJournal, Recorded, Refused, Reply, SupervisorAction
from diadema.ingest.core import Ingest
from diadema.site.directory.people import People
from diadema.store import Reader
from diadema.store.assistance import MASS, STATIONS_AREA, Key, is_mass
from diadema.store.rows import Press, Ticket
from diadema.wire.actions import (
    ANY_TICKET,
    ActionRequest,
    AnswerFault,
    ChangeTicket,
    CloseTicket,
    LinkTicket,
    NoteTicket,
    OpenTicket,
    ReopenTicket,
    ResolveTicket,
    TakeTicket,
)


class FaultDesk:
    def __init__(
        self,
        data: DataDir,
        ingest: Ingest,
        commands: Commands,
        reader: Reader,
        people: Callable[[], People],
    ) -> None:
        self._journal = OwnJournal(ingest, commands)
        self._book = FaultBook(data, ingest, self._journal, reader, people)
        self._steps = FaultSteps(self._book)
        self._rules = FaultRules(self._book, self._steps)

    def close(self) -> None:
        self._book.close()

    def look(self) -> Recorded | None:
        """What the next rule has to say; to be called until there is nothing. Raises
        StoreUnavailable or StoreStale; then nothing was said.
        """
        self._book.read()
        actions = self._rules.actions()
        return self._journal.record(actions) if actions else None

    # -- asked

    def act(
        self, body: Mapping[str, Any], once: Once | None = None
    ) -> tuple[dict[str, Any], Recorded]:
        """(answer, what follows). Raises Refused, ValidationError, StoreUnavailable, StoreStale;
        then nothing was done.
        """
        request: ActionRequest = msgspec.convert(body, ANY_TICKET)
        self._book.read()
        if isinstance(request, OpenTicket):
            actions, ticket = self._enter(request)
        else:
            ticket = self._known(body["ticket"])
            actions = _STEPS[type(request)](self, request, ticket)
        if request.note:
            actions.append(noted(ticket, request.by, request.note))

        def answered(of: list[Key], _: list[int | None]) -> dict[str, Any]:
            return {"of": of[0], "i": None, "ticket": ticket.ticket}

        done = self._journal.record(actions, Reply(once, answered) if once else None)
        return answered(done.of, done.numbers), done

    def note(self, name: str, by: str, words: str) -> Recorded:
        """What a rule has to say beside it. Raises StoreUnavailable or StoreStale."""
        return self._journal.record([noted(self._known(name), by, words)])

    def untold(self, rule: str) -> list[Taken]:
        """As of the last look."""
        return [*self._book.untold(rule)]

    def follow(self, request: AnswerFault, press: Press) -> list[SupervisorAction]:
        """What an answer to one report means for its ticket, if that is the seat's own; one that
        has none begins it.
        """
        book = self._book
        book.read()
        key = press.station, press.epoch, press.sequence
        actions: list[SupervisorAction] = []
        ticket = book.own_of(key)
        if not book.came_to(key) and key in book.reports:
            report = book.reports[key]
            severity = self._steps.severity_of_one(report.part)
            ticket, opened = self._steps.begin(REPORT, [report], severity, book.title(report))
            actions.append(opened)
        if ticket is None:
            return []
        if request.state == "rejected":
            reason = request.note or request.cause or book.word("ticket_rejected_there")
            events = [closed(ticket, request.by, "rejected", reason=reason[:64])]
        elif request.state == "resolved":
            cause = request.cause or book.word("ticket_mended")
            events = self._steps.resolved(ticket, request.by, cause)
        else:
            is_new = ticket.state == "open"
            events = [self._steps.taken(ticket, request.by, request.by)] if is_new else []
        return [*actions, SupervisorAction(events)] if events else actions

    def _enter(self, request: OpenTicket) -> tuple[list[SupervisorAction], Ticket]:
        """By hand: of a report that has no open one, or of what nobody pressed."""
        self._check_area(request.area)
        _check_said(request.title)
        known, seats = self._book.seats(), [*(request.seats or ())]
        for seat in seats:
            if seat not in known:
                raise Refused("no_such_seat", f"no seat {seat}", 422, seat=seat)
        reports = [] if request.of is None else [self._going(request.of, request.among)]
        for report in reports:
            if (current := self._book.going_of(report.key)) is not None:
                raise Refused("ticket_has_it", "its ticket is open", title=current.title)
        by_count = 2 if len(seats) >= MASS_SEATS else self._steps.severity_of_one(request.part)
        severity = request.severity or (1 if request.whole else by_count)
        ticket, opened = self._steps.begin(
            request.by, reports, severity, request.title.strip(), request.area, request.part, seats
        )
        return [opened], ticket

    def _link(self, request: LinkTicket, ticket: Ticket) -> list[SupervisorAction]:
        _check_going(ticket)
        report = self._going(request.of, request.among)
        if self._book.ticket_of(report.key) is ticket:
            raise Refused("ticket_has_it", "the report is this ticket's", title=ticket.title)
        return self._steps.adopt(ticket, request.by, [report])

    def _take(self, request: TakeTicket, ticket: Ticket) -> list[SupervisorAction]:
        """«Tomar», or to whom it is given; the second who takes it is told who has it."""
        _check_going(ticket)
        to, who = request.to or request.by, request.who or request.by
        has_it = ticket.state == "taken" and ticket.assignee is not None
        if to != request.by:
            self._check_assignee(to, ticket.area)
            who = self._book.name_of(to)
        elif request.to is None and has_it and ticket.assignee != to:
            other = self._book.name_of(ticket.assignee)
            raise Refused("ticket_taken_already", f"{other} has it", who=other)
        event = self._steps.taken(ticket, request.by, to, request.external)
        orders = self._steps.tell(self._book.keys(ticket), "accepted", who)
        return [SupervisorAction([event]), *orders]

    def _change(self, request: ChangeTicket, ticket: Ticket) -> list[SupervisorAction]:
        _check_said(request.reason)
        if ticket.state == "closed":
            raise _is_closed(ticket)
        change = {
            name: value
            for name in ("severity", "area", "external")
            if (value := getattr(request, name)) not in (None, getattr(ticket, name))
        }
        if not change:
            raise Refused("ticket_as_it_was", "it is so already", 422)
        if "area" in change:
            self._check_area(change["area"])
        return [self._steps.changed(ticket, request.by, request.reason, **change)]

    def _note(self, request: NoteTicket, ticket: Ticket) -> list[SupervisorAction]:
        _check_said(request.text)
        return [noted(ticket, request.by, request.text)]

    def _resolve(self, request: ResolveTicket, ticket: Ticket) -> list[SupervisorAction]:
        """Without a report there is nobody to ask."""
        _check_going(ticket)
        _check_said(request.cause)
        keys = self._book.keys(ticket)
        events = self._steps.resolved(ticket, request.by, request.cause, request.fix)
        if not keys:
            events.append(closed(ticket, request.by, "unanswered"))
        who = request.who or request.by
        return [SupervisorAction(events), *self._steps.tell(keys, "resolved", who, request.cause)]

    def _reopen(self, request: ReopenTicket, ticket: Ticket) -> list[SupervisorAction]:
        _check_said(request.reason)
        if ticket.state in GOING:
            raise Refused("ticket_is_open", "it is open", title=ticket.title)
        if ticket.of_n is not None and not self._book.keys(ticket):
            raise Refused("ticket_is_empty", "other tickets have its reports", title=ticket.title)
        return [self._steps.reopened(ticket, request.by, request.reason)]

    def _close(self, request: CloseTicket, ticket: Ticket) -> list[SupervisorAction]:
        _check_said(request.reason)
        if request.outcome == "duplicate":
            return self._repeat(request, ticket)
        _check_going(ticket)
        if request.other is not None:
            raise Refused("ticket_no_other", "a rejected one repeats none", 422)
        event = closed(ticket, request.by, "rejected", reason=request.reason)
        if is_mass(ticket):
            return [SupervisorAction([event]), *self._own_again(ticket)]
        orders = self._steps.tell(self._book.keys(ticket), "rejected", request.who or request.by)
        return [SupervisorAction([event]), *orders]

    def _own_again(self, mass: Ticket) -> list[SupervisorAction]:
        """It was no mass failure: each seat's own ticket stands again, or begins."""
        book = self._book
        actions: list[SupervisorAction] = []
        standing: set[str] = set()
        for key in book.keys(mass):
            if key not in book.reports:
                continue
            came = [one for one in book.came_to(key) if one != mass.ticket]
            own = book.tickets.get(came[-1]) if came else None
            if own is None or (own.state, own.other) != ("closed", mass.ticket):
                actions.append(self._steps.alone(book.reports[key]))
                continue
            if own.ticket not in standing:
                standing.add(own.ticket)
                actions.append(self._steps.reopened(own, MASS, book.word("ticket_no_mass")))
            actions.append(linked(own, MASS, key))
        return actions

    def _repeat(self, request: CloseTicket, ticket: Ticket) -> list[SupervisorAction]:
        """The same as another one, which is open and is not this one again."""
        if request.other is None:
            raise Refused("ticket_no_other", "say which one it repeats", 422)
        if request.other == ticket.ticket:
            raise Refused("ticket_itself", "it is itself", 422, title=ticket.title)
        other = at = self._known(request.other)
        met = {ticket.ticket}
        while at.outcome == "duplicate" and at.other is not None:
            met.add(at.ticket)
            if at.other in met:
                raise Refused("ticket_ring", "each would repeat the other", title=other.title)
            if at.other not in self._book.tickets:
                break
            at = self._book.tickets[at.other]
        _check_going(other)
        _check_going(ticket)
        keys = self._book.keys(ticket)
        actions = [linked(other, request.by, key) for key in keys]
        event = closed(ticket, request.by, "duplicate", reason=request.reason, other=other.ticket)
        return [*actions, SupervisorAction([event]), *self._steps.as_taken(other, keys)]

    # -- what is there

    def _going(self, of: Key, among: frozenset[str] | None) -> Report:
        """That of an agent on whom the account may act, or of nobody. Raises Refused."""
        if (found := self._book.reports.get(of)) is None:
            raise Refused("no_such_press", "no open fault there", 404)
        if among is not None and found.agent is not None and found.agent not in among:
            raise not_yours()
        return found

    def _known(self, name: str) -> Ticket:
        """Raises Refused; also for one that was closed so long ago that it stays so."""
        if (found := self._book.tickets.get(name)) is None:
            raise Refused("no_such_ticket", f"no ticket {name} here", 404)
        return found

    def _check_assignee(self, to: str, area: str) -> None:
        """Raises Refused for who has nothing to do with tickets, or only with other areas'."""
        account = self._book.account(to)
        if account is None:
            raise Refused("ticket_no_account", f"no account {to} for tickets", 422, to=to)
        people = self._book.people()
        if not account.person.may("tickets") and area not in people.areas_of(to):
            raise Refused("ticket_not_theirs", f"{to} does not see {area}'s", 422, to=to)

    def _check_area(self, area: str) -> None:
        areas = self._book.people().fault_areas
        known = [code for code, one in areas.items() if one.in_use]
        if area != STATIONS_AREA and area not in known:
            codes = ", ".join(known)
            raise Refused("no_such_fault_area", f"areas are {codes}", 422, allowed=codes)


def _check_going(ticket: Ticket) -> None:
    """Raises Refused."""
    if ticket.state == "closed":
        raise _is_closed(ticket)
    if ticket.state == "resolved":
        raise Refused("ticket_is_resolved", "it is resolved", title=ticket.title)


def _is_closed(ticket: Ticket) -> Refused:
    return Refused("ticket_is_closed", "it is closed", title=ticket.title)


def _check_said(words: str) -> None:
    """Raises Refused."""
    if not words.strip():
        raise Refused("ticket_says_nothing", "a text is blank", 422)


type Step = Callable[[FaultDesk, Any, Ticket], list[SupervisorAction]]
_STEPS: Mapping[type[ActionRequest], Step] = {
    LinkTicket: FaultDesk._link,
    TakeTicket: FaultDesk._take,
    ChangeTicket: FaultDesk._change,
    NoteTicket: FaultDesk._note,
    ResolveTicket: FaultDesk._resolve,
    ReopenTicket: FaultDesk._reopen,
    CloseTicket: FaultDesk._close,
}
