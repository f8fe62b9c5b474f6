"""Calls that a rule names, for a list from which the coordinator assigns some: «dirigidas». They
coach, and are in no mean: nobody can say of what they are a sample.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from diadema.site.directory.people import People
from diadema.store import contact_rows, tables
from diadema.store.contact_rows import key_of
from diadema.store.quality import evaluations
from diadema.store.rows import Contact

type Rule = Literal[
    "long_call", "repeated", "transfer", "auto_fail", "untyped", "silence", "complaint", "nesting",
]  # fmt: skip

RULES: tuple[Rule, ...] = get_args(Rule.__value__)
LONG_MS = 15 * 60_000  # of conversation and hold
SILENCE_MS = 60_000  # the longest one
DAY_MS = 86_400_000
REPEATED_MS = 7 * DAY_MS  # in which the same caller called before
FAILED_MS = 30 * DAY_MS  # in which the agent had an evaluation that an error failed
_UNCODED = (None, "SIN_TIPIFICAR")
_COMPLAINT = "reclamo"  # what a code of the tree is marked with
_NEW = ("training", "nesting")
_NEAR = 1000  # events of a station between the first of a contact and its summary
_VOICE = (
    "SELECT body FROM events WHERE s = ? AND e = ? AND n > ? AND n < ? AND k = 'voice.summary'"
)

type _Holds = Callable[[Contact], bool]


class Pointed(Struct, frozen=True):
    """A call, and the rules that name it, in the order of `RULES`."""

    contact: Contact
    rules: tuple[Rule, ...]


class _Voice(Struct):
    contact: str = msgspec.field(name="c")
    longest_silence_ms: int = 0


_voice = msgspec.json.Decoder(_Voice).decode


def pointed(
    tx: Connection,
    people: People,
    zone: ZoneInfo,
    start_ms: int,
    end_ms: int,
    rules: Collection[Rule] = RULES,
) -> list[Pointed]:
    """Of the answered calls that began in [start_ms, end_ms) and are over, those that one of these
    rules names, by their time. `people`: of that day.
    """
    row = tables.contacts.c
    within = (row.start_utc >= start_ms) & (row.start_utc < end_ms)
    calls = [
        one
        for one in contact_rows.ended(tx, within)
        if one.outcome == "answered" and not one.interrupted
    ]
    holds = {rule: _MAKERS[rule](tx, people, zone, calls) for rule in RULES if rule in rules}
    found = [
        Pointed(one, its)
        for one in calls
        if (its := tuple(rule for rule, names in holds.items() if names(one)))
    ]
    return sorted(found, key=lambda one: (one.contact.start_utc or 0, key_of(one.contact)))


def _long_call(_: Connection, __: People, ___: ZoneInfo, ____: list[Contact]) -> _Holds:
    return lambda one: one.talk_ms + one.hold_ms >= LONG_MS


def _transfer(_: Connection, __: People, ___: ZoneInfo, ____: list[Contact]) -> _Holds:
    return lambda one: one.ended_by == "transfer"


def _untyped(_: Connection, __: People, ___: ZoneInfo, ____: list[Contact]) -> _Holds:
    return lambda one: one.code in _UNCODED


def _complaint(_: Connection, people: People, __: ZoneInfo, ___: list[Contact]) -> _Holds:
    return lambda one: people.flags.get(one.code or "") == _COMPLAINT


def _nesting(_: Connection, people: People, zone: ZoneInfo, __: list[Contact]) -> _Holds:
    def is_new(one: Contact) -> bool:
        day = datetime.fromtimestamp((one.start_utc or 0) / 1000, zone).date()
        return people.on(one.agent, day).stage in _NEW

    return is_new


def _auto_fail(tx: Connection, _: People, __: ZoneInfo, calls: list[Contact]) -> _Holds:
    """Whose agent an error failed in an evaluation of the month before the call."""
    failed: dict[str, list[int]] = {}
    agents = {one.agent for one in calls}
    first = min((one.start_utc or 0 for one in calls), default=0) - FAILED_MS
    for one in evaluations(tx, agents=agents, start_utc=first):
        if one.failed != "none" and one.annulled is None:
            failed.setdefault(one.submitted.agent, []).append(one.submitted.utc)
    return lambda one: any(
        0 < (one.start_utc or 0) - utc <= FAILED_MS for utc in failed.get(one.agent, ())
    )


def _repeated(tx: Connection, _: People, __: ZoneInfo, calls: list[Contact]) -> _Holds:
    """Whose caller had called before, by the keyed hash of the number. Agents' segments of one
    call have one id at the switch, and are no other call.
    """
    first = min((one.start_utc or 0 for one in calls), default=0) - REPEATED_MS
    last = max((one.start_utc or 0 for one in calls), default=0)
    row = tables.contacts.c
    within = (row.start_utc >= first) & (row.start_utc <= last)
    of_call = _references(tx, first, last)
    seen: dict[str, list[tuple[int, str]]] = {}
    for one in contact_rows.with_reference(tx, within):
        if reference := one.more.reference if one.more else None:
            its = one.start_utc or 0, one.pbx or one.contact
            seen.setdefault(reference, []).append(its)
    for pbx, (reference, utc) in of_call.items():
        seen.setdefault(reference, []).append((utc, pbx))

    def is_repeated(one: Contact) -> bool:
        own = one.more.reference if one.more else None
        reference = own or of_call.get(one.pbx or "", ("", 0))[0]
        at, name = one.start_utc or 0, one.pbx or one.contact
        return any(
            0 < at - utc <= REPEATED_MS and other != name for utc, other in seen.get(reference, ())
        )

    return is_repeated


def _references(tx: Connection, first: int, last: int) -> Mapping[str, tuple[str, int]]:
    """Of the switch's calls of that time whose caller is known."""
    row = tables.queue_calls.c
    query = select(row.pbx, row.reference, row.start_utc).where(
        row.start_utc >= first, row.start_utc <= last, row.reference.is_not(None)
    )
    return {pbx: (reference, utc) for pbx, reference, utc in tx.execute(query)}


def _silence(tx: Connection, _: People, __: ZoneInfo, ___: list[Contact]) -> _Holds:
    driver = tx.connection.driver_connection
    assert driver is not None

    def is_silent(one: Contact) -> bool:
        s, e, n = key_of(one)
        bodies: Iterable[tuple[bytes]] = driver.execute(_VOICE, (s, e, n, n + _NEAR))
        said = (_voice(body) for (body,) in bodies)
        return any(
            voice.contact == one.contact and voice.longest_silence_ms >= SILENCE_MS
            for voice in said
        )

    return is_silent


_MAKERS: Mapping[Rule, Callable[[Connection, People, ZoneInfo, list[Contact]], _Holds]] = {
    "long_call": _long_call,
    "repeated": _repeated,
    "transfer": _transfer,
    "auto_fail": _auto_fail,
    "untyped": _untyped,
    "silence": _silence,
    "complaint": _complaint,
    "nesting": _nesting,
}
