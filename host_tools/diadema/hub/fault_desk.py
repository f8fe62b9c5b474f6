"""Faults from the report to the end: a ticket is a problem, which adopts reports of it.

What the hub does by itself follows from what the store and the stations' states say, one rule at a
time and each in one transaction, so that it does not matter who was killed. Every report begins a
ticket, or joins the open one of its seat or of a mass failure. A mass failure is opened by
`rule:mass` as soon as it looks like one: it adopts the reports, whose own tickets are duplicates
of it; whoever closes it as rejected says that it is none, and the seats' own stand again.
"""

import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from diadema.base.idempotency import Once
from diadema.base.paths import DataDir
from diadema.base.sanitize import stripped
from diadema.hub.actions import not_yours
from diadema.hub.commanding import Commands, New, cut
from diadema.hub.fault_book import (
    GOING,
    REPORT,
    RULES,
    STATION,
    FaultBook,
    Report,
    Taken,
)
from diadema.hub.own_journal import ME, OwnJournal, Recorded, Refused, Reply, SupervisorAction
from diadema.ingest.core import Ingest
from diadema.site.directory.people import People
from diadema.store import Reader
from diadema.store.assistance import MASS, STATIONS_AREA, Key, is_mass
from diadema.store.rows import Press, Ticket
from diadema.wire.actions import (
    ANY_TICKET,
    TITLE_CHARACTERS,
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
from diadema.wire.long_texts import parts_of

MASS_MS = 600_000  # in which reports of one thing are one failure
MASS_SEATS, FEW_SEATS = 3, 2  # anywhere; where they are a tenth of those of a queue
WIDE_SEATS = 10  # of a fifth of all: as grave as a whole queue
AGAIN = 3  # seats that say no to one mending of a mass failure
_WORKS_ON = ("switch", "lights", "wifi", "uplink", "badge_reader")  # without which calls go on
_TITLE_BYTES = 90
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,24}")  # of a cause that a station keeps

type Event = tuple[str, dict[str, Any]]
type Place = tuple[str, int, int]


class FaultDesk:
    def __init__(
        self,
        data: DataDir,
        ingest: Ingest,
        commands: Commands,
        reader: Reader,
        people: Callable[[], People],
    ) -> None:
        self._ingest = ingest
        self._journal = OwnJournal(ingest, commands)
        self._book = FaultBook(data, ingest, self._journal, reader, people)

    def close(self) -> None:
        self._book.close()

    # -- by itself

    def look(self) -> Recorded | None:
        """What the next rule has to say; to be called until there is nothing. Raises
        StoreUnavailable or StoreStale; then nothing was said.
        """
        self._book.read()
        rules = (
            self._mended, self._reopened_by_no, self._answered, self._named, self._joined,
            self._mass, self._opened, self._grown,
        )  # fmt: skip
        for rule in rules:
            if actions := rule():
                return self._journal.record(actions)
        return None

    def _mended(self) -> list[SupervisorAction]:
        """Tickets whose reports all ended without it: their stations say so."""
        book, actions = self._book, []
        for ticket in self._in(GOING):
            keys = book.keys(ticket)
            presses = [press for key in keys if (press := book.press(key)) is not None]
            if not keys or ticket.of_n is None or (presses and is_mass(ticket)):
                continue
            if presses and not book.keys_since(ticket):
                continue  # people opened it again
            if not all(book.is_over(key, ticket) for key in keys):
                continue
            if not presses:
                events = self._resolved(ticket, STATION, book.word("ticket_cleared"))
                events.append(_closed(ticket, STATION, "confirmed"))
            elif all(press.outcome == "rejected" for press in presses):
                reason = book.word("ticket_rejected_there")
                events = [_closed(ticket, REPORT, "rejected", reason=reason)]
            else:
                cause = next((press.result for press in presses if press.result), None)
                events = self._resolved(ticket, REPORT, cause or book.word("ticket_mended"))
            actions.append(SupervisorAction(events))
        return actions

    def _reopened_by_no(self) -> list[SupervisorAction]:
        """Mass failures that so many seats say were not mended: they take those reports."""
        book = self._book
        for ticket in self._in(("resolved", "closed")):
            if not is_mass(ticket) or ticket.outcome in ("rejected", "duplicate"):
                continue
            again = [
                report
                for key in book.keys(ticket)
                if (press := book.press(key)) is not None and press.answer == "no"
                if (report := self._anew(press)) is not None and book.own_of(report.key)
            ]
            n = len({one.station for one in again})
            if n >= AGAIN:
                reopened = self._reopened(ticket, MASS, book.word("ticket_still", n=n))
                _goes_on(ticket)
                return [reopened, *self._adopt(ticket, MASS, again)]
        return []

    def _answered(self) -> list[SupervisorAction]:
        """Resolved ones of which all is heard that will be."""
        book, actions = self._book, []
        for ticket in self._in(("resolved",)):
            answers = [self._answer(key, ticket) for key in book.keys(ticket)]
            if "still" in answers:
                reason = book.word("ticket_not_cleared")
                actions.append(self._reopened(ticket, STATION, reason))
            elif None not in answers:
                outcome = "confirmed" if "yes" in answers else "unanswered"
                actions.append(SupervisorAction([_closed(ticket, REPORT, outcome)]))
        return actions

    def _answer(self, key: Key, ticket: Ticket) -> str | None:
        """yes, no (it is reported anew), none, or still (the station's part is as it was); None
        while there is something to wait for.
        """
        book, press = self._book, self._book.press(key)
        if press is None:
            if book.is_over(key, ticket):
                return "yes"
            return "still" if book.seated_since(key, ticket) else None
        if press.answer == "yes":
            return "yes"
        if press.answer == "no" and (later := book.after(press)) is not None:
            place = later.station, later.epoch, later.sequence
            if place not in book.reports or book.came_to(place):
                return "no"
        if press.outcome == "rejected" or book.seated_since(key, ticket):
            return "none"
        return None

    def _named(self) -> list[SupervisorAction]:
        """What the agent said late: which area and part it is."""
        book, actions = self._book, []
        for ticket in self._in(GOING):
            its = [book.reports[key] for key in book.keys(ticket) if key in book.reports]
            named = next((one for one in its if one.area), None)
            if not ticket.area and ticket.of_n is not None and named is not None:
                change: dict[str, Any] = {"area": named.area, "part": named.part}
                if self._book.people().is_vital(named.part) and not self._is_judged(ticket):
                    change["severity"] = 2
                reason = book.word("ticket_named")
                actions.append(self._changed(ticket, REPORT, reason, **change))
        return actions

    def _joined(self) -> list[SupervisorAction]:
        """A report that goes to a ticket that is there: after a «No» to the one that was not
        mended; else to that of the same thing, of its seat or of a mass failure.
        """
        for report in self._book.loose():
            ticket = self._not_mended(report) or self._home(report)
            if ticket is None:
                continue
            by = MASS if is_mass(ticket) else REPORT if report.press is not None else STATION
            actions = []
            if ticket.state not in GOING:
                seat = self._book.seat(report.station)
                word = "ticket_said_no" if report.press is not None else "ticket_not_cleared"
                actions.append(self._reopened(ticket, by, self._book.word(word, seat=seat)))
                _goes_on(ticket)
            return actions + self._adopt(ticket, by, [report])
        return []

    def _not_mended(self, report: Report) -> Ticket | None:
        """The seat's own ticket, to whose mending the agent said no."""
        before = self._book.before(report.press) if report.press is not None else None
        if before is None or before.answer != "no":
            return None
        ticket = self._book.ticket_of((before.station, before.epoch, before.sequence))
        left = ticket is None or ticket.outcome in ("rejected", "duplicate")
        return None if left or is_mass(ticket) else ticket

    def _home(self, report: Report) -> Ticket | None:
        """The ticket of the same thing."""
        going = self._in(GOING)
        for ticket in going:
            same_part = ticket.part == report.part or (ticket.of_n is None and ticket.part is None)
            if is_mass(ticket) and ticket.area == report.area and same_part:
                return ticket
        waiting = self._in(("resolved",)) if report.press is None else []
        for ticket in (*going, *waiting):
            here = any(key[0] == report.station for key in self._book.keys(ticket))
            own = ticket.of_n is not None and not is_mass(ticket)
            if here and own and (ticket.area, ticket.part) == report.group:
                return ticket
        return None

    def _mass(self) -> list[SupervisorAction]:
        """A failure of many seats, whose reports have no ticket yet or each its own."""
        book = self._book
        loose = {one.key for one in book.loose()}
        groups: defaultdict[tuple[str, str | None], list[Report]] = defaultdict(list)
        for report in book.reports.values():
            free = report.key in loose or book.own_of(report.key) is not None
            if free and report.area and not self._stands_alone(report):
                groups[report.group].append(report)
        for reports in groups.values():
            reports.sort(key=lambda one: (one.utc, one.key))
            for last in reversed(reports):
                near = [one for one in reports if last.utc - MASS_MS <= one.utc <= last.utc]
                if severity := self._severity(near):
                    title = book.word("ticket_mass_title", what=book.what(last))
                    ticket, opened = self._begin(MASS, near, severity, title)
                    return [opened, *self._adopt(ticket, MASS, near)]
        return []

    def _stands_alone(self, report: Report) -> bool:
        """Said no to the mending of a mass failure, or came from one that people said is none."""
        before = self._book.before(report.press) if report.press is not None else None
        if before is not None and before.answer == "no":
            mended = self._book.ticket_of((before.station, before.epoch, before.sequence))
            if is_mass(mended):
                return True
        came = (self._book.tickets.get(one) for one in self._book.came_to(report.key))
        return any(one is not None and is_mass(one) and one.state == "closed" for one in came)

    def _severity(self, reports: Sequence[Report]) -> int | None:
        """Of a mass failure, by count; None where it is none. Seats of one agent, who was moved
        while it failed, count once.
        """
        stations = {one.station for one in reports}
        seats = min(len(stations), len({one.agent or one.station for one in reports}))
        if seats < FEW_SEATS:
            return None
        workers = self._book.people().workers
        seated = {one.agent for one in self._book.sessions()}
        hit = seated & {one.agent for one in reports}
        of_queue: defaultdict[str, set[str]] = defaultdict(set)
        for agent in seated:
            for queue in workers[agent].queues if agent in workers else ():
                of_queue[queue].add(agent)
        shares = [(len(hit & its), len(its)) for its in of_queue.values()]
        whole = any(n == of >= MASS_SEATS for n, of in shares)
        if whole or (len(hit) >= WIDE_SEATS and 5 * len(hit) >= len(seated)):
            return 1
        many = any(n >= FEW_SEATS and 10 * n >= of for n, of in shares)
        return 2 if seats >= MASS_SEATS or many else None

    def _opened(self) -> list[SupervisorAction]:
        return [self._alone(report) for report in self._book.loose()]

    def _alone(self, report: Report) -> SupervisorAction:
        """A ticket of its own."""
        by = REPORT if report.press is not None else STATION
        works_on = report.press is None and report.part in _WORKS_ON
        severity = 4 if works_on else self._of_one(report.part)
        return self._begin(by, [report], severity, self._book.title(report))[1]

    def _of_one(self, part: str | None) -> int:
        """The severity of what fails at one seat."""
        return 2 if self._book.people().is_vital(part) else 3

    def _grown(self) -> list[SupervisorAction]:
        """Mass failures that are graver by now, where nobody said how grave they are."""
        book, actions = self._book, []
        for ticket in self._in(GOING):
            if ticket.by != MASS or ticket.severity is None or self._is_judged(ticket):
                continue
            its = [book.reports[key] for key in book.keys(ticket) if key in book.reports]
            severity = self._severity(its) or ticket.severity
            if severity < ticket.severity:
                reason = book.word("ticket_grew", n=len({one.station for one in its}))
                actions.append(self._changed(ticket, MASS, reason, severity=severity))
        return actions

    def _is_judged(self, ticket: Ticket) -> bool:
        """Whether a person said how grave it is."""
        return any(one.severity and one.by not in RULES for one in self._book.steps[ticket.ticket])

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
            actions.append(_noted(ticket, request.by, request.note))

        def answered(of: list[Place], _: list[int | None]) -> dict[str, Any]:
            return {"of": of[0], "i": None, "ticket": ticket.ticket}

        done = self._journal.record(actions, Reply(once, answered) if once else None)
        return answered(done.of, done.numbers), done

    def note(self, name: str, by: str, words: str) -> Recorded:
        """What a rule has to say beside it. Raises StoreUnavailable or StoreStale."""
        return self._journal.record([_noted(self._known(name), by, words)])

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
            severity = self._of_one(report.part)
            ticket, opened = self._begin(REPORT, [report], severity, book.title(report))
            actions.append(opened)
        if ticket is None:
            return []
        if request.state == "rejected":
            reason = request.note or request.cause or book.word("ticket_rejected_there")
            events = [_closed(ticket, request.by, "rejected", reason=reason[:64])]
        elif request.state == "resolved":
            cause = request.cause or book.word("ticket_mended")
            events = self._resolved(ticket, request.by, cause)
        else:
            is_new = ticket.state == "open"
            events = [self._taken(ticket, request.by, request.by)] if is_new else []
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
        by_count = 2 if len(seats) >= MASS_SEATS else self._of_one(request.part)
        severity = request.severity or (1 if request.whole else by_count)
        ticket, opened = self._begin(
            request.by, reports, severity, request.title.strip(), request.area, request.part, seats
        )
        return [opened], ticket

    def _link(self, request: LinkTicket, ticket: Ticket) -> list[SupervisorAction]:
        _check_going(ticket)
        report = self._going(request.of, request.among)
        if self._book.ticket_of(report.key) is ticket:
            raise Refused("ticket_has_it", "the report is this ticket's", title=ticket.title)
        return self._adopt(ticket, request.by, [report])

    def _take(self, request: TakeTicket, ticket: Ticket) -> list[SupervisorAction]:
        """«Tomar», or to whom it is given; the second who takes it is told who has it."""
        _check_going(ticket)
        to, who = request.to or request.by, request.who or request.by
        has_it = ticket.state == "taken" and ticket.assignee is not None
        if to != request.by:
            if self._book.account(to) is None:
                raise Refused("ticket_no_account", f"no account {to} for tickets", 422, to=to)
            who = self._book.name_of(to)
        elif request.to is None and has_it and ticket.assignee != to:
            other = self._book.name_of(ticket.assignee)
            raise Refused("ticket_taken_already", f"{other} has it", who=other)
        event = self._taken(ticket, request.by, to, request.external)
        orders = self._tell(self._book.keys(ticket), "accepted", who)
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
        return [self._changed(ticket, request.by, request.reason, **change)]

    def _note(self, request: NoteTicket, ticket: Ticket) -> list[SupervisorAction]:
        _check_said(request.text)
        return [_noted(ticket, request.by, request.text)]

    def _resolve(self, request: ResolveTicket, ticket: Ticket) -> list[SupervisorAction]:
        """Without a report there is nobody to ask."""
        _check_going(ticket)
        _check_said(request.cause)
        keys = self._book.keys(ticket)
        events = self._resolved(ticket, request.by, request.cause, request.fix)
        if not keys:
            events.append(_closed(ticket, request.by, "unanswered"))
        who = request.who or request.by
        return [SupervisorAction(events), *self._tell(keys, "resolved", who, request.cause)]

    def _reopen(self, request: ReopenTicket, ticket: Ticket) -> list[SupervisorAction]:
        _check_said(request.reason)
        if ticket.state in GOING:
            raise Refused("ticket_is_open", "it is open", title=ticket.title)
        if ticket.of_n is not None and not self._book.keys(ticket):
            raise Refused("ticket_is_empty", "other tickets have its reports", title=ticket.title)
        return [self._reopened(ticket, request.by, request.reason)]

    def _close(self, request: CloseTicket, ticket: Ticket) -> list[SupervisorAction]:
        _check_said(request.reason)
        if request.outcome == "duplicate":
            return self._repeat(request, ticket)
        _check_going(ticket)
        if request.other is not None:
            raise Refused("ticket_no_other", "a rejected one repeats none", 422)
        event = _closed(ticket, request.by, "rejected", reason=request.reason)
        if is_mass(ticket):
            return [SupervisorAction([event]), *self._own_again(ticket)]
        orders = self._tell(self._book.keys(ticket), "rejected", request.who or request.by)
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
                actions.append(self._alone(book.reports[key]))
                continue
            if own.ticket not in standing:
                standing.add(own.ticket)
                actions.append(self._reopened(own, MASS, book.word("ticket_no_mass")))
            actions.append(_linked(own, MASS, key))
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
        actions = [_linked(other, request.by, key) for key in keys]
        event = _closed(ticket, request.by, "duplicate", reason=request.reason, other=other.ticket)
        return [*actions, SupervisorAction([event]), *self._as_taken(other, keys)]

    # -- what is recorded

    def _begin(
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

    def _adopt(self, ticket: Ticket, by: str, reports: Sequence[Report]) -> list[SupervisorAction]:
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
        actions = [_linked(ticket, by, key) for key in keys if key != began]
        for left in repeated.values():
            reason = book.word("ticket_joined")
            event = _closed(left, by, "duplicate", reason=reason, other=ticket.ticket)
            actions.append(SupervisorAction([event]))
        return actions + self._as_taken(ticket, keys)

    def _as_taken(self, ticket: Ticket, keys: Iterable[Key]) -> list[SupervisorAction]:
        """Whose reports come to one that somebody has is told who that is."""
        if ticket.state != "taken":
            return []
        return self._tell(keys, "accepted", self._book.name_of(ticket.assignee))

    def _taken(self, ticket: Ticket, by: str, to: str, external: str | None = None) -> Event:
        until = self._book.due("solve", ticket.area, ticket.severity, ticket.utc)
        fields = {"by": by, "ticket": ticket.ticket, "to": to, "due": until, "external": external}
        return "ticket.taken", fields

    def _resolved(
        self, ticket: Ticket, by: str, cause: str, fix: str | None = None
    ) -> list[Event]:
        """Whoever resolves what nobody took has taken it; a rule takes nothing."""
        fields = {"by": by, "ticket": ticket.ticket, "cause": cause, "fix": fix}
        untaken = ticket.state == "open" and by not in RULES
        taken = [self._taken(ticket, by, by)] if untaken else []
        return [*taken, ("ticket.resolved", fields)]

    def _reopened(self, ticket: Ticket, by: str, reason: str) -> SupervisorAction:
        until = self._book.due("solve", ticket.area, ticket.severity, self._book.now())
        fields = {"by": by, "ticket": ticket.ticket, "reason": reason, "due": until}
        return SupervisorAction([("ticket.reopened", fields)])

    def _changed(self, ticket: Ticket, by: str, reason: str, **change: Any) -> SupervisorAction:
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

    def _tell(
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

    # -- what is there

    def _in(self, states: Sequence[str]) -> list[Ticket]:
        return [one for one in self._book.tickets.values() if one.state in states]

    def _anew(self, press: Press) -> Report | None:
        """What its station reported anew, while that goes on."""
        later = self._book.after(press)
        if later is None:
            return None
        return self._book.reports.get((later.station, later.epoch, later.sequence))

    def _going(self, of: Place, among: frozenset[str] | None) -> Report:
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

    def _check_area(self, area: str) -> None:
        areas = self._book.people().fault_areas
        known = [code for code, one in areas.items() if one.in_use]
        if area != STATIONS_AREA and area not in known:
            codes = ", ".join(known)
            raise Refused("no_such_fault_area", f"areas are {codes}", 422, allowed=codes)


def _goes_on(ticket: Ticket) -> None:
    """As it is once its reopening is recorded."""
    ticket.state = "open" if ticket.taken_utc is None else "taken"


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


def _linked(ticket: Ticket, by: str, key: Key) -> SupervisorAction:
    return SupervisorAction([("ticket.linked", {"by": by, "ticket": ticket.ticket, "of": key})])


def _closed(ticket: Ticket, by: str, outcome: str, **more: str) -> Event:
    return "ticket.closed", {"by": by, "ticket": ticket.ticket, "outcome": outcome, **more}


def _noted(ticket: Ticket, by: str, words: str) -> SupervisorAction:
    common = {"by": by, "ticket": ticket.ticket}
    return SupervisorAction([("ticket.noted", common | part) for part in parts_of(words)])


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
