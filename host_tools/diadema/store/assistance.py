"""Calls for help and tickets as people follow them: each with what was done about it, in order."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct, field
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Table,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from diadema.store import contact_rows, tables
from diadema.store.host_rows import Act, HelpStep, HostRow, TicketStep
from diadema.store.loading import contact_of
from diadema.store.rows import Contact, Press, Ticket
from diadema.wire.letters import from_columns
from diadema.wire.long_texts import whole_text

type Key = tuple[str, int, int]  # s, e, n of a press or another event
type Names = tuple[str, str, str]  # of the columns that have one

SERVED, TOO_LATE, NO_RESULT = "resuelta", "termino_antes", "sin_resultado"
MASS = "rule:mass"  # that opens mass failures
STATIONS_AREA = "estacion"  # of what a station says of itself
_AT_ONCE = 300  # tickets in one query
_encode = msgspec.json.Encoder().encode


class HelpCase(Struct):
    """One call for help. `steps`: what the host did about it; `acts`: what people said to the
    station, that they come, that it is solved, or a message.
    """

    press: Press
    steps: list[HelpStep] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)

    @property
    def assignee(self) -> str | None:
        """The account that it was handed over to last."""
        return next((one.assignee for one in reversed(self.steps) if one.assignee), None)

    @property
    def assigned(self) -> HelpStep | None:
        """The last hand-over, while that account has not said that they come."""
        given = next((one for one in reversed(self.steps) if one.assignee), None)
        taken = self._taken
        if given is None or taken is None:
            return given
        return given if (given.epoch, given.sequence) > (taken.epoch, taken.sequence) else None

    @property
    def taker(self) -> tuple[str, str] | None:
        """The account, and the name, of whoever said last that they come, before the station tells
        it; None once it was handed over. The account is empty where the station alone tells it.
        """
        if self.assigned is not None:
            return None
        if (taken := self._taken) is not None:
            return taken.by, taken.who or taken.by
        return ("", self.press.accepted_by) if self.press.accepted_by else None

    @property
    def taken_utc(self) -> int | None:
        """Since when that one has it."""
        taken = self._taken
        return self.press.accepted_utc if taken is None else taken.utc

    @property
    def solver(self) -> str | None:
        """The name of who said that it is solved, before the station tells it."""
        solved = next((one for one in reversed(self.acts) if one.state == "resolved"), None)
        return None if solved is None else solved.who or solved.by

    @property
    def _taken(self) -> Act | None:
        return next((one for one in reversed(self.acts) if one.state == "accepted"), None)

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
        said = (one.reason for one in reversed(self.acts) if one.state == "resolved")
        if (result := next(filter(None, said), self.press.result)) is not None:
            return result
        if self.press.outcome == "resolved" and self.press.answer == "yes":
            return SERVED
        if self.press.over_b is not None and self.press.accepted_b is None:
            return TOO_LATE
        waits = self.press.outcome == "open" or self.press.answer is None
        return None if seated and waits else NO_RESULT


class TicketCase(Struct):
    """A ticket. `steps`: its events; `reports`: the presses that are its own, as far as they are
    known: one that another ticket adopted later is that one's.
    """

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
    presses = [from_columns(Press, one._mapping) for one in tx.execute(query).all()]
    return with_steps(tx, presses)


def with_steps(tx: Connection, presses: Sequence[Press]) -> list[HelpCase]:
    """These calls for help with what was done about each."""
    keys = [key_of(one) for one in presses]
    steps: defaultdict[Key, list[HelpStep]] = defaultdict(list)
    for found in about(tx, tables.help_steps, keys):
        step = from_columns(HelpStep, found._mapping)
        steps[step.of_s, step.of_e, step.of_n].append(step)
    acts: defaultdict[Key, list[Act]] = defaultdict(list)
    for found in about(tx, tables.acts, keys):
        acts[found.of_s, found.of_e, found.of_n].append(from_columns(Act, found._mapping))
    return [HelpCase(one, steps[key], acts[key]) for key, one in zip(keys, presses, strict=True)]


def help_moved(tx: Connection) -> tuple[int, ...]:
    """What changes with each word of a press, each step of help and each act."""
    newest = func.max(literal_column("rowid", Integer))
    watched = (tables.presses, tables.help_steps, tables.acts)
    return tuple(tx.execute(select(newest).select_from(one)).scalar() or 0 for one in watched)


def calls_of(tx: Connection, presses: Sequence[Press]) -> dict[Key, Contact]:
    """The calls in which they came, those that are known."""
    stations = {one.station for one in presses}
    going = {(one.station, one.contact): one for one in contact_rows.running(tx, stations)}
    found: dict[Key, Contact] = {}
    for press in presses:
        if press.contact is None:
            continue
        call = going.get((press.station, press.contact))
        if (call := call or contact_of(tx, *key_of(press), press.contact)) is not None:
            found[key_of(press)] = call
    return found


def gaps(tx: Connection, playbooks: Collection[str] | None, start_utc: int) -> list[HelpCase]:
    """Calls for help in which somebody noted a gap of these playbooks (None: of any) since then,
    the newest first.
    """
    row = tables.help_steps.c
    query = select(row.of_s, row.of_e, row.of_n).where(row.utc >= start_utc)
    query = query.where(row.gap.is_not(None), row.gap != "none").order_by(row.utc.desc())
    if playbooks is not None:
        query = query.where(row.playbook.in_(playbooks))
    wanted = [*dict.fromkeys(tuple(one) for one in tx.execute(query))]
    known = {
        key_of(press): press
        for press in (
            from_columns(Press, one._mapping)
            for one in about(tx, tables.presses, wanted, ("s", "e", "n"))
        )
    }
    return with_steps(tx, [known[key] for key in wanted if key in known])


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
    for name, its in steps_of(tx, list(cases)).items():
        cases[name].steps = its
    keys = list({of: None for case in cases.values() for of in reports_of(case.steps)})
    adopted_by = adoptions(tx, keys)
    for press in presses_of(tx, keys):
        found = adopted_by[key_of(press)][-1]
        if found in cases:
            cases[found].reports.append(press)
    return list(cases.values())


def reports_of(steps: Iterable[TicketStep]) -> list[Key]:
    """The reports that a ticket adopted, each once, in order."""
    found = [
        (one.of_s, one.of_e, one.of_n)
        for one in steps
        if one.of_s is not None and one.of_e is not None and one.of_n is not None
    ]
    return list(dict.fromkeys(found))


def steps_of(tx: Connection, tickets: Sequence[str]) -> dict[str, list[TicketStep]]:
    """The events of each of these, in order."""
    found: list[TicketStep] = []
    row = tables.ticket_steps.c
    for at in range(0, len(tickets), _AT_ONCE):
        its = select(tables.ticket_steps).where(row.ticket.in_(tickets[at : at + _AT_ONCE]))
        found += [from_columns(TicketStep, one._mapping) for one in tx.execute(its)]
    steps: dict[str, list[TicketStep]] = {}
    for step in as_said(found):
        steps.setdefault(step.ticket, []).append(step)
    return steps


def adoptions(tx: Connection, reports: Sequence[Key]) -> dict[Key, list[str]]:
    """The tickets that adopted each of these reports, in order: it is the last one's."""
    rows = about(tx, tables.ticket_steps, reports)
    steps = as_said(from_columns(TicketStep, one._mapping) for one in rows)
    adopted: dict[Key, list[str]] = {}
    for step in steps:
        for of in reports_of([step]):
            adopted.setdefault(of, []).append(step.ticket)
    return adopted


def presses_of(tx: Connection, keys: Sequence[Key]) -> list[Press]:
    """Those of these that are known."""
    found = about(tx, tables.presses, keys, ("s", "e", "n"))
    return [from_columns(Press, one._mapping) for one in found]


def as_said[Said: HostRow](steps: Iterable[Said]) -> list[Said]:
    """In the order of their journals, whatever the hub's clock said meanwhile."""
    found = list(steps)
    first: dict[tuple[str, int], int] = {}
    for one in found:
        journal = one.station, one.epoch
        first[journal] = min(first.get(journal, one.utc), one.utc)
    return sorted(
        found,
        key=lambda one: (
            first[one.station, one.epoch], one.station, one.epoch, one.sequence,
        ),
    )  # fmt: skip


def is_mass(ticket: Ticket | None) -> bool:
    """Opened by the rule, or by hand for more than a seat: later reports of it join."""
    if ticket is None:
        return False
    by_hand = ticket.of_n is None and not ticket.estimated
    return ticket.by == MASS or (by_hand and ticket.severity in (1, 2))


def loose_faults(tx: Connection) -> list[Press]:
    """Open reports of faults that no ticket adopted, in the order of the presses."""
    row, step = tables.presses.c, tables.ticket_steps.c
    its = (step.of_s == row.s) & (step.of_e == row.e) & (step.of_n == row.n)
    query = select(tables.presses).where(row.kind == "fault", row.outcome == "open")
    query = query.where(~select(step.ticket).where(its).exists())
    found = tx.execute(query.order_by(row.open_utc, row.s, row.e, row.n))
    return [from_columns(Press, one._mapping) for one in found]


def fault_mark(tx: Connection) -> list[int]:
    """Another one after any change of a ticket or a report, and of who is logged in where."""
    return [
        tx.execute(select(func.max(literal_column("rowid"))).select_from(table)).scalar() or 0
        for table in (tables.ticket_steps, tables.presses, tables.sessions)
    ]


def key_of(row: Press | HostRow) -> Key:
    return row.station, row.epoch, row.sequence


def about(
    tx: Connection,
    table: Table,
    keys: Sequence[Key],
    names: Names = ("of_s", "of_e", "of_n"),
    where: Sequence[ColumnElement[bool]] = (),
) -> Iterable[Row[Any]]:
    """Rows about these events, in the order of their own."""
    if keys:
        query = _of_keys(table, names).where(*where)
        yield from tx.execute(query, {"keys": _encode(keys).decode()}).all()


@cache
def _of_keys(table: Table, names: Names) -> Select[Any]:
    """Made once: a page asks often."""
    each = func.json_each(bindparam("keys")).table_valued("value").c.value
    same = (table.c[name] == each.op("->>")(at) for at, name in enumerate(names))
    return select(table).where(*same).order_by(table.c.s, table.c.e, table.c.n)


def _last_text(steps: Sequence[HelpStep]) -> str | None:
    found = _texts(steps)
    return found[-1][1] if found else None


def _texts[Step: (HelpStep, TicketStep)](steps: Iterable[Step]) -> list[tuple[Step, str]]:
    """Whole ones alone, with the event that ended each."""
    found: list[tuple[Step, str]] = []
    parts: list[Step] = []
    for step in steps:
        if not step.text:  # none, or one that was erased
            continue
        if step.part in (None, 1):
            parts = []
        parts.append(step)
        said = [(one.text or "", one.part, one.parts, one.sha256) for one in parts]
        if (step.part or 1) == (step.parts or 1) and (text := whole_text(said)) is not None:
            found.append((step, text))
    return found
