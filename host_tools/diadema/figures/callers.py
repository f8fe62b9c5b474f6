"""Calls with a conversation by who made them: agents' segments of one call are one, so that a
transfer is no second call.
"""

from collections.abc import Iterator

from msgspec import Struct
from sqlalchemy import Connection, select

from diadema.store import kept_contacts, tables
from diadema.store.rows import Contact


class Call(Struct):
    """Of its first segment; `motive`: the level-1 code of the first one that has any."""

    utc: int
    queue: str
    agent: str
    reference: str
    motive: str | None


class Joined:
    """Segments with a reference become calls, taken in the order in which they began. One that
    names its `parent`, or has the switch's id of an earlier one, goes on with it; where that has
    no reference, or began before all that is known, it is no call of its own.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._by_pbx: dict[str, Call] = {}
        self._by_c: dict[str, Call] = {}

    def take(self, segment: Contact, motive: str | None) -> None:
        assert segment.start_utc is not None
        more = segment.more
        assert more is not None
        parent = more.parent
        call = self._by_pbx.get(segment.pbx) if segment.pbx else None
        if call is None and parent is not None:
            call = self._by_c.get(parent)
        if call is None:
            if parent is not None or more.reference is None:
                return
            call = Call(
                utc=segment.start_utc,
                queue=segment.queue or "",
                agent=segment.a,
                reference=more.reference,
                motive=motive,
            )
            self.calls.append(call)
        elif call.motive is None:
            call.motive = motive
        self._by_c[segment.c] = call
        if segment.pbx:
            self._by_pbx[segment.pbx] = call


def attended(tx: Connection, start_ms: int, end_ms: int) -> Iterator[Contact]:
    """Contacts with a conversation and with a reference or a parent that began in
    [start_ms, end_ms), in that order, also those that go on.
    """
    row = tables.contacts.c
    within = (row.start_utc >= start_ms) & (row.start_utc < end_ms)
    going = {kept_contacts.key_of(one): one for one in kept_contacts.running(tx)}
    over = [
        one
        for one in kept_contacts.told(tx, within)
        if _is_told(one) and kept_contacts.key_of(one) not in going
    ]
    on = [
        one
        for one in going.values()
        if _is_told(one) and start_ms <= (one.start_utc or 0) < end_ms
    ]
    yield from sorted([*over, *on], key=_began)


def _is_told(one: Contact) -> bool:
    more = one.more
    if one.outcome != "answered" or more is None:
        return False
    return more.reference is not None or more.parent is not None


def _began(contact: Contact) -> int:
    return contact.start_utc or 0


def motive_of(contact: Contact, of_code: dict[str, str]) -> str | None:
    """The level-1 code: of the motive that was chosen in it, else of its disposition."""
    chosen = contact.more.motive if contact.more is not None else None
    return chosen or of_code.get(contact.code or "")


def abandons(tx: Connection, start_ms: int, end_ms: int) -> dict[str, list[int]]:
    """When who hung up in a queue: UTC milliseconds by reference, in order."""
    row = tables.queue_calls.c
    within = (row.start_utc >= start_ms) & (row.start_utc < end_ms)
    query = select(row.reference, row.start_utc).where(
        within, row.outcome == "abandoned", row.reference.is_not(None)
    )
    found: dict[str, list[int]] = {}
    for reference, utc in tx.execute(query.order_by(row.start_utc)):
        found.setdefault(reference, []).append(utc)
    return found
