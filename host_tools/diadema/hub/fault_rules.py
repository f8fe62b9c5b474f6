"""What the hub does about faults by itself. Each rule follows from what the store and the
stations' states say, and all that one says is one transaction, so that it does not matter who was
killed.

A mass failure is opened by `rule:mass` as soon as it looks like one: it adopts the reports, whose
own tickets are duplicates of it.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from diadema.hub.fault_book import GOING, REPORT, RULES, STATION, FaultBook, Report
from diadema.hub.fault_steps import FaultSteps, closed
from diadema.hub.own_journal import SupervisorAction
from diadema.store.assistance import MASS, Key, is_mass
from diadema.store.rows import Press, Ticket

MASS_MS = 600_000  # in which reports of one thing are one failure
MASS_SEATS, FEW_SEATS = 3, 2  # anywhere; where they are a tenth of those of a queue
WIDE_SEATS = 10  # of a fifth of all: as grave as a whole queue
AGAIN = 3  # seats that say no to one mending of a mass failure


class FaultRules:
    def __init__(self, book: FaultBook, steps: FaultSteps) -> None:
        self._book = book
        self._steps = steps

    def actions(self) -> list[SupervisorAction]:
        """What the first rule that has something to say says, of the book as it was read."""
        rules = (
            self._mended, self._reopened_by_no, self._answered, self._named, self._joined,
            self._mass, self._opened, self._grown,
        )  # fmt: skip
        return next((said for rule in rules if (said := rule())), [])

    def _mended(self) -> list[SupervisorAction]:
        """Tickets whose reports all ended without it: their stations say so."""
        book, actions = self._book, []
        for ticket in self._book.in_states(*GOING):
            keys = book.keys(ticket)
            presses = [press for key in keys if (press := book.press(key)) is not None]
            if not keys or ticket.of_n is None or (presses and is_mass(ticket)):
                continue
            if presses and not book.keys_since(ticket):
                continue  # people opened it again
            if not all(book.is_over(key, ticket) for key in keys):
                continue
            if not presses:
                events = self._steps.resolved(ticket, STATION, book.word("ticket_cleared"))
                events.append(closed(ticket, STATION, "confirmed"))
            elif all(press.outcome == "rejected" for press in presses):
                reason = book.word("ticket_rejected_there")
                events = [closed(ticket, REPORT, "rejected", reason=reason)]
            else:
                cause = next((press.result for press in presses if press.result), None)
                events = self._steps.resolved(ticket, REPORT, cause or book.word("ticket_mended"))
            actions.append(SupervisorAction(events))
        return actions

    def _reopened_by_no(self) -> list[SupervisorAction]:
        """Mass failures that so many seats say were not mended: they take those reports."""
        book = self._book
        for ticket in self._book.in_states("resolved", "closed"):
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
                reopened = self._steps.reopened(ticket, MASS, book.word("ticket_still", n=n))
                _goes_on(ticket)
                return [reopened, *self._steps.adopt(ticket, MASS, again)]
        return []

    def _answered(self) -> list[SupervisorAction]:
        """Resolved ones of which all is heard that will be."""
        book, actions = self._book, []
        for ticket in self._book.in_states("resolved"):
            answers = [self._answer(key, ticket) for key in book.keys(ticket)]
            if "still" in answers:
                reason = book.word("ticket_not_cleared")
                actions.append(self._steps.reopened(ticket, STATION, reason))
            elif None not in answers:
                outcome = "confirmed" if "yes" in answers else "unanswered"
                actions.append(SupervisorAction([closed(ticket, REPORT, outcome)]))
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
        for ticket in self._book.in_states(*GOING):
            its = [book.reports[key] for key in book.keys(ticket) if key in book.reports]
            named = next((one for one in its if one.area), None)
            if not ticket.area and ticket.of_n is not None and named is not None:
                change: dict[str, Any] = {"area": named.area, "part": named.part}
                if self._book.people().is_vital(named.part) and not self._is_judged(ticket):
                    change["severity"] = 2
                reason = book.word("ticket_named")
                actions.append(self._steps.changed(ticket, REPORT, reason, **change))
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
                actions.append(self._steps.reopened(ticket, by, self._book.word(word, seat=seat)))
                _goes_on(ticket)
            return actions + self._steps.adopt(ticket, by, [report])
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
        going = self._book.in_states(*GOING)
        for ticket in going:
            same_part = ticket.part == report.part or (ticket.of_n is None and ticket.part is None)
            if is_mass(ticket) and ticket.area == report.area and same_part:
                return ticket
        waiting = self._book.in_states("resolved") if report.press is None else []
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
                    ticket, opened = self._steps.begin(MASS, near, severity, title)
                    return [opened, *self._steps.adopt(ticket, MASS, near)]
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
        return [self._steps.alone(report) for report in self._book.loose()]

    def _grown(self) -> list[SupervisorAction]:
        """Mass failures that are graver by now, where nobody said how grave they are."""
        book, actions = self._book, []
        for ticket in self._book.in_states(*GOING):
            if ticket.by != MASS or ticket.severity is None or self._is_judged(ticket):
                continue
            its = [book.reports[key] for key in book.keys(ticket) if key in book.reports]
            severity = self._severity(its) or ticket.severity
            if severity < ticket.severity:
                reason = book.word("ticket_grew", n=len({one.station for one in its}))
                actions.append(self._steps.changed(ticket, MASS, reason, severity=severity))
        return actions

    def _is_judged(self, ticket: Ticket) -> bool:
        """Whether a person said how grave it is."""
        return any(one.severity and one.by not in RULES for one in self._book.steps[ticket.ticket])

    def _anew(self, press: Press) -> Report | None:
        """What its station reported anew, while that goes on."""
        later = self._book.after(press)
        if later is None:
            return None
        return self._book.reports.get((later.station, later.epoch, later.sequence))


def _goes_on(ticket: Ticket) -> None:
    """As it is once its reopening is recorded."""
    ticket.state = "open" if ticket.taken_utc is None else "taken"
