"""Calls for help and tickets as people follow them: each with what was done about it, in order."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, Row, Table, func, or_, select

from diadema.store import tables
from diadema.store.host_rows import HelpStep, TicketStep
from diadema.store.rows import Press, Ticket
from diadema.wire.letters import from_columns
from diadema.wire.long_texts import whole_text

type Key = tuple[str, int, int]  # s, e, n of a press

SERVED, TOO_LATE, NO_RESULT = "resuelta", "termino_antes", "sin_resultado"
_AT_ONCE = 300  # tickets in one query
_encode = msgspec.json.Encoder().encode


class HelpCase(Struct):
    """One call for help. `steps`: what the host did about it."""

    press: Press
    steps: list[HelpStep] = field(default_factory=list)

    @property
    def assignee(self) -> str | None:
        """The account that it was handed over to last."""
        return next((one.assignee for one in reversed(self.steps) if one.assignee), None)

    @property
    def level(self) -> int:
        """How far it was escalated: 0 is nobody else, 1 the next group, 2 an alert."""
        return max((one.level or 0 for one in self.steps), default=0)

    @property
    def note(self) -> HelpStep | None:
        """What was learnt of the playbook, as last said."""
        return next((one for one in reversed(self.steps) if one.gap), None)

    @property
    def text(self) -> str | None:
        return _last_text(self.steps)

    def result(self, *, seated: bool) -> str | None:
        """What came of it: the helper's word, else the agent's; None while that may still come.
        `seated`: the session in which it was asked goes on.
        """
        if self.press.result is not None:
            return self.press.result
        if self.press.outcome == "resolved" and self.press.answer == "yes":
            return SERVED
        if self.press.over_utc is not None and self.press.accepted_b is None:
            return TOO_LATE
        waits = self.press.outcome == "open" or self.press.answer is None
        return None if seated and waits else NO_RESULT


class TicketCase(Struct):
    """A ticket. `steps`: its events; `reports`: the presses that it adopted and that are known."""

    ticket: Ticket
    steps: list[TicketStep] = field(default_factory=list)
    reports: list[Press] = field(default_factory=list)

    @property
    def texts(self) -> list[tuple[TicketStep, str]]:
        """Each note, whole, with the event that ended it."""
        return _texts(self.steps)


def help_cases(
    tx: Connection,
    *,
    start_utc: int | None = None,
    end_utc: int | None = None,
    going: bool = False,
) -> list[HelpCase]:
    """Calls for help that were pressed in [start_utc, end_utc), in that order; `going`: those that
    are open alone.
    """
    row = tables.presses.c
    query = select(tables.presses).where(row.kind == "help")
    if going:
        query = query.where(row.outcome == "open")
    if start_utc is not None:
        query = query.where(row.open_utc >= start_utc)
    if end_utc is not None:
        query = query.where(row.open_utc < end_utc)
    query = query.order_by(row.open_utc, row.s, row.e, row.n)
    presses = [from_columns(Press, one._mapping) for one in tx.execute(query)]
    return with_steps(tx, presses)


def with_steps(tx: Connection, presses: Sequence[Press]) -> list[HelpCase]:
    """These calls for help with what was done about each."""
    steps: defaultdict[Key, list[HelpStep]] = defaultdict(list)
    for found in _about(tx, tables.help_steps, [key_of(one) for one in presses]):
        step = from_columns(HelpStep, found._mapping)
        steps[step.of_s, step.of_e, step.of_n].append(step)
    return [HelpCase(one, steps[key_of(one)]) for one in presses]


def ticket_cases(
    tx: Connection,
    *,
    start_utc: int | None = None,
    end_utc: int | None = None,
    going: bool = False,
    ids: Collection[str] | None = None,
) -> list[TicketCase]:
    """Tickets by the time of their opening: those opened before `end_utc` that were not closed
    before `start_utc`; `going`: those that are not closed; `ids`: these.
    """
    row = tables.tickets.c
    query = select(tables.tickets).order_by(row.utc, row.ticket)
    if going:
        query = query.where(row.state != "closed")
    if start_utc is not None:
        query = query.where(or_(row.closed_utc.is_(None), row.closed_utc >= start_utc))
    if end_utc is not None:
        query = query.where(row.utc < end_utc)
    if ids is not None:
        query = query.where(row.ticket.in_(ids))
    cases = {
        ticket.ticket: TicketCase(ticket)
        for ticket in (from_columns(Ticket, one._mapping) for one in tx.execute(query))
    }
    names = list(cases)
    for at in range(0, len(names), _AT_ONCE):
        row = tables.ticket_steps.c
        its = select(tables.ticket_steps).where(row.ticket.in_(names[at : at + _AT_ONCE]))
        for found in tx.execute(its.order_by(row.utc, row.s, row.e, row.n)):
            step = from_columns(TicketStep, found._mapping)
            cases[step.ticket].steps.append(step)
    adopted = {of: case for case in cases.values() for of in reports_of(case.steps)}
    for found in _about(tx, tables.presses, list(adopted), ("s", "e", "n")):
        press = from_columns(Press, found._mapping)
        adopted[key_of(press)].reports.append(press)
    return list(cases.values())


def reports_of(steps: Iterable[TicketStep]) -> list[Key]:
    """The reports that a ticket adopted, each once, in order."""
    found = [
        (one.of_s, one.of_e, one.of_n)
        for one in steps
        if one.of_s is not None and one.of_e is not None and one.of_n is not None
    ]
    return list(dict.fromkeys(found))


def takers(tx: Connection, since_utc: int) -> dict[Key, str]:
    """The account that came first, of the calls for help that were taken from then on."""
    row = tables.acts.c
    query = select(row.of_s, row.of_e, row.of_n, row.by).where(
        row.utc >= since_utc, row.action == "help", row.state == "accepted", row.of_n.is_not(None)
    )
    found: dict[Key, str] = {}
    for s, e, n, by in tx.execute(query.order_by(row.utc, row.s, row.e, row.n)):
        found.setdefault((s, e, n), by)
    return found


def tickets_of(tx: Connection, presses: Sequence[Press]) -> dict[Key, str]:
    """Of each of these reports the ticket that adopted it last."""
    steps = [
        from_columns(TicketStep, one._mapping)
        for one in _about(tx, tables.ticket_steps, [key_of(press) for press in presses])
    ]
    steps.sort(key=lambda one: (one.utc, one.sequence))
    return {
        (one.of_s, one.of_e, one.of_n): one.ticket
        for one in steps
        if one.of_s is not None and one.of_e is not None and one.of_n is not None
    }


def ticket_of(tx: Connection, of: Key) -> str | None:
    """The ticket that adopted this report last."""
    row = tables.ticket_steps.c
    mine = (row.of_s == of[0]) & (row.of_e == of[1]) & (row.of_n == of[2])
    query = select(row.ticket).where(mine).order_by(row.utc.desc(), row.n.desc()).limit(1)
    return tx.execute(query).scalar()


def key_of(press: Press) -> Key:
    return press.station, press.epoch, press.sequence


def _about(
    tx: Connection,
    table: Table,
    keys: Sequence[Key],
    names: Sequence[str] = ("of_s", "of_e", "of_n"),
) -> Iterable[Row[Any]]:
    """Rows about these presses, in the order of their events."""
    if not keys:
        return
    each = func.json_each(_encode(keys).decode()).table_valued("value").c.value
    same = (table.c[name] == each.op("->>")(at) for at, name in enumerate(names))
    order = (table.c.s, table.c.e, table.c.n)
    yield from tx.execute(select(table).where(*same).order_by(*order))


def _last_text(steps: Sequence[HelpStep]) -> str | None:
    found = _texts(steps)
    return found[-1][1] if found else None


def _texts[Step: (HelpStep, TicketStep)](steps: Iterable[Step]) -> list[tuple[Step, str]]:
    """Whole ones alone, with the event that ended each."""
    found: list[tuple[Step, str]] = []
    parts: list[Step] = []
    for step in steps:
        if step.text is None:
            continue
        if step.part in (None, 1):
            parts = []
        parts.append(step)
        said = [(one.text or "", one.part, one.parts, one.sha256) for one in parts]
        if (step.part or 1) == (step.parts or 1) and (text := whole_text(said)) is not None:
            found.append((step, text))
    return found
