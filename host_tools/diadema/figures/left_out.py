"""An agent's day without some of its contacts, for who must not find them: as if the agent had
gone on with what was before each.
"""

from collections.abc import Collection, Iterable

from msgspec.structs import replace
from sqlalchemy import Connection, tuple_

from diadema.figures.facts import Facts
from diadema.store import contact_rows, tables
from diadema.store.contact_rows import Key, key_of
from diadema.store.rows import Span, Trail

type Named = frozenset[tuple[str, str]]  # station and contact, as events say it


def named(tx: Connection, keys: Collection[Key]) -> Named:
    """How the events of these contacts call them."""
    if not keys:
        return frozenset()
    row = tables.contacts.c
    its = tuple_(row.s, row.e, row.n).in_(keys)
    return frozenset((one.station, one.contact) for one in contact_rows.ended(tx, its))


def leave_out(tx: Connection, facts: Facts, keys: Collection[Key]) -> None:
    """Of an agent."""
    names = named(tx, keys)
    facts.contacts = [one for one in facts.contacts if key_of(one) not in keys]
    facts.before = [one for one in facts.before if key_of(one) not in keys]
    facts.trails = trails_without(facts.trails, names)
    facts.presses = [one for one in facts.presses if (one.station, one.contact or "") not in names]


def trails_without(trails: Iterable[Trail], names: Named) -> list[Trail]:
    """The time of these contacts is of the state before."""
    return [replace(one, spans=_spans(one, names)) if _has(one, names) else one for one in trails]


def _has(trail: Trail, names: Named) -> bool:
    return any((trail.station, span.contact or "") in names for span in trail.spans)


def _spans(trail: Trail, names: Named) -> list[Span]:
    found: list[Span] = []
    for span in trail.spans:
        its = span
        if (trail.station, span.contact or "") in names:
            its = replace(found[-1] if found else Span(0, "ready"), uptime_ms=span.uptime_ms)
        if found and replace(found[-1], uptime_ms=0) == replace(its, uptime_ms=0):
            continue
        found.append(its)
    return found
