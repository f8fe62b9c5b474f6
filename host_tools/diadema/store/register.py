"""What was done at the host, as people read it: an act with what its command came to, a message
with who was shown it and who answered what, a correction of attendance.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, Connection, Select, literal_column, or_, select

from diadema.store import tables
from diadema.store.host_rows import Act, Correction, Receipt, Sent
from diadema.wire.actions import ON_ENTRIES, REPRIMAND, Annul, AnswerReprimand
from diadema.wire.letters import from_columns, tag_of

_EACH = 500  # keys of one query

type Place = tuple[str, int]  # station and command number
type Reprimands = Literal["all", "own", "none", "only"]  # which of them; own: that `by` gave


class Outcome(Struct, kw_only=True, frozen=True):
    """What became of a command: `result` is waiting, done, refused, expired or withdrawn. `event`:
    the kind that answered; `reason`: of a refusal; `utc`: when, where the station knew.
    """

    result: str
    event: str | None = None
    reason: str | None = None
    utc: int | None = None


class Acted(Struct, kw_only=True, frozen=True):
    """`position` counts acts in the order in which they came in. `outcome`: null where no station
    was told. Of a note: what annulled it, and what the agent answered to it.
    """

    position: int
    act: Act
    outcome: Outcome | None
    annulled: Act | None = None
    reply: Act | None = None


class Reading(Struct, kw_only=True, frozen=True):
    """One reader of a message; `answer`: read, agree or observe."""

    sent: Sent
    shown_utc: int | None
    answered_utc: int | None
    shown: bool
    answer: str | None
    how: str | None
    outcome: Outcome


def acts(
    tx: Connection,
    *,
    agents: Collection[str] | None = None,
    by: str | None = None,
    start_utc: int | None = None,
    end_utc: int | None = None,
    after: int = 0,
    limit: int | None = None,
    reprimands: Reprimands = "all",
) -> list[Acted]:
    """Of [start_utc, end_utc), in the order in which they came in, beyond position `after`.
    `agents`: on these only, and on none if `by` did them. `reprimands`: which of these.
    """
    row = tables.acts.c
    query = select(tables.acts, _POSITION).where(after < _POSITION).order_by(_POSITION)
    query = _within(query, row.utc, start_utc, end_utc)
    if agents is not None:
        query = query.where(row.a.in_([*agents]) | (row.a.is_(None) & (row.by == by)))
    is_reprimand = row.kind.is_not_distinct_from(REPRIMAND)
    match reprimands:
        case "own":
            query = query.where(~is_reprimand | (row.by == by))
        case "none":
            query = query.where(~is_reprimand)
        case "only":
            query = query.where(is_reprimand)
    if limit is not None:
        query = query.limit(limit)
    return _with_outcomes(tx, query)


def act(tx: Connection, s: str, e: int, n: int) -> Acted | None:
    row = tables.acts.c
    its = (row.s == s) & (row.e == e) & (row.n == n)
    return next(iter(_with_outcomes(tx, select(tables.acts, _POSITION).where(its))), None)


def _with_outcomes(tx: Connection, query: Select[Any]) -> list[Acted]:
    found = [
        (number, from_columns(Act, dict(zip(_ACT, fields, strict=True))))
        for *fields, number in tx.execute(query)
    ]
    commands = [(act.target, act.command) for _, act in found if act.target and act.command]
    came = outcomes(tx, commands)
    said = _said_of(tx, {act.agent for _, act in found if act.action == "note"})
    return [
        Acted(
            position=number,
            act=act,
            outcome=came.get((act.target or "", act.command or 0)),
            annulled=said.get((tag_of(Annul), *_place(act))),
            reply=said.get((tag_of(AnswerReprimand), *_place(act))),
        )
        for number, act in found
    ]


def entries(found: Iterable[Acted]) -> list[Acted]:
    """Without what is told of other entries, which these have with them."""
    return [one for one in found if one.act.action not in _OF_ENTRIES]


def counted(found: Iterable[Acted]) -> list[Acted]:
    """The entries that were not annulled: of these are the figures."""
    return [one for one in entries(found) if one.annulled is None]


def _said_of(tx: Connection, agents: Collection[str | None]) -> dict[tuple[Any, ...], Act]:
    """What was said of notes on these agents: by its action and their place."""
    row = tables.acts.c
    said: dict[tuple[Any, ...], Act] = {}
    for some in _some([one for one in agents if one is not None]):
        query = select(tables.acts).where(row.a.in_(some), row.action.in_(_OF_ENTRIES))
        for found in tx.execute(query.order_by(_POSITION)):
            act = from_columns(Act, found._mapping)
            said.setdefault((act.action, act.of_s, act.of_e, act.of_n), act)
    return said


def _place(act: Act) -> tuple[str, int, int]:
    return act.station, act.epoch, act.sequence


def corrections(
    tx: Connection,
    *,
    agent: str | None = None,
    start_utc: int | None = None,
    end_utc: int | None = None,
) -> list[Correction]:
    """In the order of their chain. The bounds are of the time that counts: the corrected one, else
    that of the mark; what has neither is always among them.
    """
    row, mark = tables.corrections.c, tables.marks.c
    its = (mark.s == row.of_s) & (mark.e == row.of_e) & (mark.n == row.of_n)
    query = select(tables.corrections, mark.utc.label("mark_utc"))
    query = query.select_from(tables.corrections.outerjoin(tables.marks, its))
    if agent is not None:
        query = query.where(row.a == agent)
    found = []
    for *fields, mark_utc in tx.execute(query.order_by(row.s, row.number)):
        one = from_columns(Correction, dict(zip(_CORRECTION, fields, strict=True)))
        time = one.time_utc if one.time_utc is not None else mark_utc
        early = time is not None and start_utc is not None and time < start_utc
        late = time is not None and end_utc is not None and time >= end_utc
        if not early and not late:
            found.append(one)
    return found


def messages(
    tx: Connection,
    *,
    agent: str | None = None,
    start_utc: int | None = None,
    end_utc: int | None = None,
    m: str | None = None,
) -> list[Reading]:
    """Sent in [start_utc, end_utc), a row a reader, in the order of sending."""
    row = tables.messages.c
    query = _within(select(tables.messages), row.utc, start_utc, end_utc)
    if agent is not None:
        query = query.where(row.a == agent)
    if m is not None:
        query = query.where(row.m == m)
    query = query.order_by(row.utc, row.s, row.e, row.n)
    sent = [from_columns(Sent, found._mapping) for found in tx.execute(query)]
    receipts = _receipts(tx, {one.m for one in sent})
    came = outcomes(tx, [(one.target, one.command) for one in sent])
    return [
        _reading(one, receipts.get((one.m, one.agent), []), came[one.target, one.command])
        for one in sent
    ]


def outcomes(tx: Connection, places: Iterable[Place]) -> dict[Place, Outcome]:
    """Of commands; one that goes on under another number is followed there."""
    came: dict[Place, Outcome] = {}
    following = {place: place for place in places}  # where it is now: where it began
    while following:
        known = {(row.s, row.i): row for row in _commands(tx, following)}
        ahead: dict[Place, Place] = {}
        for now, first in following.items():
            row = known.get(now)
            if row is not None and row.next_i is not None:
                ahead[now[0], row.next_i] = first
            else:
                came[first] = _outcome(row)
        following = ahead
    return came


_UNANSWERED = {"open": "waiting", "expired": "expired", "replaced": "withdrawn"}
_POSITION = literal_column("acts.rowid", BigInteger)
_ACT = [column.name for column in tables.acts.c]
_OF_ENTRIES = frozenset(map(tag_of, ON_ENTRIES))
_CORRECTION = [column.name for column in tables.corrections.c]


def _outcome(row: Any) -> Outcome:
    if row is None:
        return Outcome(result="withdrawn")
    if row.status == "answered":
        event = msgspec.json.decode(row.answer)
        utc = event.get("t")
        if event["k"] == "command.refused":
            return Outcome(result="refused", event=event["k"], reason=event["reason"], utc=utc)
        return Outcome(result="done", event=event["k"], utc=utc)
    return Outcome(result=_UNANSWERED[row.status])


def _reading(sent: Sent, receipts: list[Receipt], outcome: Outcome) -> Reading:
    shown = [one for one in receipts if one.answer is None]
    answered = [one for one in receipts if one.answer is not None]
    last = answered[-1] if answered else None
    return Reading(
        sent=sent,
        shown=bool(receipts),
        shown_utc=shown[0].utc if shown else None,
        answered_utc=last.utc if last else None,
        answer=last.answer if last else None,
        how=last.how if last else None,
        outcome=outcome,
    )


def _receipts(tx: Connection, names: set[str]) -> dict[tuple[str, str | None], list[Receipt]]:
    """By message and reader, in the order of their journals."""
    row = tables.receipts.c
    receipts: dict[tuple[str, str | None], list[Receipt]] = {}
    for some in _some([*names]):
        query = select(tables.receipts).where(row.m.in_(some)).order_by(row.s, row.e, row.n)
        for found in tx.execute(query):
            one = from_columns(Receipt, found._mapping)
            receipts.setdefault((one.m, one.agent), []).append(one)
    return receipts


def _commands(tx: Connection, places: Iterable[Place]) -> Iterator[Any]:
    row = tables.commands.c
    columns = (row.s, row.i, row.status, row.next_i, row.answer)
    for some in _some([*places]):
        by_station: dict[str, list[int]] = {}
        for s, i in some:
            by_station.setdefault(s, []).append(i)
        its = [(row.s == s) & row.i.in_(numbers) for s, numbers in by_station.items()]
        yield from tx.execute(select(*columns).where(or_(*its)))


def _some[T](many: list[T]) -> Iterator[list[T]]:
    for at in range(0, len(many), _EACH):
        yield many[at : at + _EACH]


def _within(
    query: Select[Any], utc: Any, start_utc: int | None, end_utc: int | None
) -> Select[Any]:
    if start_utc is not None:
        query = query.where(utc >= start_utc)
    if end_utc is not None:
        query = query.where(utc < end_utc)
    return query
