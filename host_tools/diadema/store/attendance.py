"""The attendance ledger as people read it. A mark itself never changes; whose it is, whether it
repeats the one before and whether a PIN proved it is worked out from what else is known.

Whose badge it was: every badge that the site ever named, by its keyed hash, and for whom when.

Kept beside the site, which only knows of today: a mark is resolved by the roster of its own time.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, select

from diadema.store import tables
from diadema.wire.letters import IDENTITY


class Badge(NamedTuple):
    """`until_utc`: null for a badge without an end; a badge for one day has both bounds."""

    badge: str
    agent: str
    from_utc: int
    until_utc: int | None


class Badges:
    """What the store has of them."""

    def __init__(self, tx: Connection) -> None:
        self._rows: dict[str, list[Badge]] = {}
        row = tables.badges.c
        for found in tx.execute(select(tables.badges).order_by(row.from_utc)):
            self._rows.setdefault(found.badge, []).append(Badge(*found))

    def owner(self, badge: str | None, utc: int | None) -> str | None:
        """The one for whom it is that day; else the last one before that time who had it for good,
        else the first one after it (a badge may be entered after it was used).
        """
        rows = self._rows.get(badge or "", ())
        lasting = [row for row in rows if row.until_utc is None]
        if utc is not None:
            for row in rows:
                if row.until_utc is not None and row.from_utc <= utc < row.until_utc:
                    return row.agent
            before = [row for row in lasting if row.from_utc <= utc]
            lasting = before or lasting[:1]
        return lasting[-1].agent if lasting else None

    def missing(self, wanted: Iterable[Badge]) -> list[Badge]:
        """Those of `wanted` that say something new."""
        new = []
        for one in wanted:
            rows = self._rows.get(one.badge, [])
            if one.until_utc is not None:
                if one not in rows:
                    new.append(one)
            else:
                lasting = [row for row in rows if row.until_utc is None]
                if not lasting or lasting[-1].agent != one.agent:
                    new.append(one)
        return new


SHIFT_MS = 16 * 3_600_000  # a mark says nothing of the shift after this long

_VERIFIED = ("badge_pin", "code_pin")  # methods of a session


class Mark(Struct, kw_only=True, rename=IDENTITY):
    """`agent` is null while nobody knows the badge; `at_tap`: whom the station knew it as. `pin`:
    verified, without («sin PIN») or not_required. `uncertainty_ms` for an hour given late.
    """

    number: int
    station: str
    epoch: int
    sequence: int
    agent: str | None
    at_tap: str | None
    badge: str | None
    direction: str
    method: str
    utc: int | None
    uncertainty_ms: int | None
    repeated: bool = False
    pin: str = "without"
    hash: str


def marks(
    tx: Connection,
    *,
    agent: str | None = None,
    start_utc: int | None = None,
    end_utc: int | None = None,
) -> list[Mark]:
    """Marks of [start_utc, end_utc), in the order of the ledger."""
    mark, session, generation = tables.marks.c, tables.sessions.c, tables.generations.c
    opened = (session.s == mark.s) & (session.e == mark.e) & (session.mark_n == mark.n)
    policy = generation.generation == mark.generation
    query = select(
        mark.number, mark.s, mark.e, mark.n, mark.a, mark.badge, mark.direction, mark.method,
        mark.utc, mark.uncertainty_ms, mark.hash, session.method, generation.pin,
    ).select_from(
        tables.marks.outerjoin(tables.sessions, opened).outerjoin(tables.generations, policy)
    )  # fmt: skip
    if start_utc is not None:  # the mark before the first one may make it a repeated one
        query = query.where(mark.utc >= start_utc - SHIFT_MS)
    if end_utc is not None:
        query = query.where(mark.utc < end_utc)
    badges = Badges(tx)
    found = [
        Mark(
            number=number, station=s, epoch=e, sequence=n, agent=a or badges.owner(badge, utc),
            at_tap=a,
            badge=badge, direction=direction, method=method, utc=utc,
            uncertainty_ms=uncertainty_ms, pin=_pin(method, login, pin), hash=row_hash,
        )
        for number, s, e, n, a, badge, direction, method, utc, uncertainty_ms, row_hash, login, pin
        in tx.execute(query.order_by(mark.number)).all()
    ]  # fmt: skip
    _note_repeated(found)
    return [
        one
        for one in found
        if (agent is None or one.agent == agent)
        and (start_utc is None or (one.utc is not None and one.utc >= start_utc))
    ]


def _pin(method: str, login: str | None, policy: str | None) -> str:
    """`login`: how the session of that tap was opened; `policy`: the site's for that station."""
    if login in _VERIFIED:
        return "verified"
    required = policy == "always" or (policy == "clonable" and method != "badge_secure")
    return "without" if required or method == "code_pin" else "not_required"


def _note_repeated(found: list[Mark]) -> None:
    """The same direction as the mark before it in this shift."""
    by_agent: dict[str, list[tuple[int, str, int, int, Mark]]] = {}
    for one in found:
        if one.agent is not None and one.utc is not None:
            by_agent.setdefault(one.agent, []).append(
                (one.utc, one.station, one.epoch, one.sequence, one)
            )
    for rows in by_agent.values():
        rows.sort(key=lambda row: row[:4])
        for (before, *_, earlier), (utc, *_, one) in pairwise(rows):
            one.repeated = one.direction == earlier.direction and utc - before < SHIFT_MS
