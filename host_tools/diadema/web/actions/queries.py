"""Reads of the register of supervisors' actions, for the API, its page and the hand-over.

They run in the worker: what goes in and out must pickle.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.figures.days import cutoff_of
from diadema.figures.rows import Cutoff
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people as read_people
from diadema.store import open_reader
from diadema.store.register import Acted, Reading, Reprimands, entries
from diadema.wire.letters import encoded_fields

SHOWN = 1000  # of one day
REPRIMANDS = 50  # of one agent

type Place = tuple[str, int, int]


def acts(
    data: DataDir,
    agents: Collection[str] | None,
    person: Person,
    start_utc: int | None,
    end_utc: int | None,
    after: int,
    limit: int,
) -> list[Acted]:
    """On these agents (None: on all), and the person's own that are on none."""
    with open_reader(data.store) as reader:
        return reader.acts(
            agents=agents,
            by=person.id,
            start_utc=start_utc,
            end_utc=end_utc,
            after=after,
            limit=limit,
            reprimands=person.reprimands,
        )


def reprimands(data: DataDir, agent: str, person: Person) -> list[Acted]:
    """The newest of an agent, as far as they are the person's to read, the newest first."""
    if person.reprimands == "none":
        return []
    with open_reader(data.store) as reader:
        found = entries(reader.acts(agent=agent, reprimands="only"))
    return [one for one in reversed(found) if person.reads_reprimand(one.act.by)][:REPRIMANDS]


def act(data: DataDir, place: Place) -> Acted | None:
    with open_reader(data.store) as reader:
        return reader.act(*place)


def messages(
    data: DataDir,
    agents: Collection[str] | None,
    person: Person,
    start_utc: int | None,
    end_utc: int | None,
    m: str | None,
) -> list[Reading]:
    """To these agents (None: to all); of a reprimand for who may read that."""
    with open_reader(data.store) as reader:
        found = reader.messages(start_utc=start_utc, end_utc=end_utc, m=m)
        given = [one.act for one in reader.acts(reprimands="only")]
    hidden = {act.m for act in given if not person.reads_reprimand(act.by)}
    return [
        one
        for one in found
        if (agents is None or one.sent.agent in agents) and one.sent.m not in hidden
    ]


def plain_act(entry: Acted, people: People) -> dict[str, Any]:
    """As JSON tells it: what is null is left out. Private reasons have no name."""
    fields = encoded_fields(entry.act)
    fields["reason"] = people.shown(entry.act.reason)
    s, e, n = fields.pop("s"), fields.pop("e"), fields.pop("n")
    of = fields.pop("of_s"), fields.pop("of_e"), fields.pop("of_n")
    plain: dict[str, Any] = {"position": entry.position, "event": [s, e, n]}
    plain |= {name: value for name, value in fields.items() if value is not None}
    if of[0] is not None:
        plain["of"] = list(of)
    if entry.outcome is not None:
        plain["outcome"] = _present(entry.outcome)
    if (act := entry.annulled) is not None:
        plain["annulled"] = {"utc": act.utc, "by": act.by, "reason": act.reason}
        plain["annulled"] |= {"who": act.who or act.by}
    if (act := entry.reply) is not None:
        plain["reply"] = {"utc": act.utc, "text": act.note}
    return plain


def plain_reading(one: Reading) -> dict[str, Any]:
    sent = one.sent
    return {
        "m": sent.m,
        "event": [sent.station, sent.epoch, sent.sequence],
        "utc": sent.utc,
        "by": sent.by,
        "a": sent.agent,
        "text": sent.text,
        "sign": sent.sign,
        "shown": one.shown,
        "shown_utc": one.shown_utc,
        "answer": one.answer,
        "answered_utc": one.answered_utc,
        "how": one.how,
        "outcome": _present(one.outcome),
    }


def _present(struct: msgspec.Struct) -> dict[str, Any]:
    fields = encoded_fields(struct)
    return {name: value for name, value in fields.items() if value is not None}


class Shift(Struct, kw_only=True, frozen=True):
    """One of the day's: by the roster, or the whole day with an empty code. UTC milliseconds."""

    code: str
    start_ms: int
    end_ms: int


class Register(Struct, kw_only=True):
    """What was done from `shift.start_ms` on; `shifts` are all that one may choose."""

    shift: Shift
    shifts: list[Shift]
    acts: list[Acted]
    cut: Cutoff


def register(
    data: DataDir,
    day: date,
    zone: str,
    code: str | None,
    agents: Collection[str] | None,
    person: Person,
    now_ms: int,
    reprimands: Reprimands,
) -> Register:
    """Of one day, or of one of its shifts; `code` None is the one that runs now, if any does.
    `agents` (None: all) as in the API.
    """
    people = read_people(data, day, day)
    whole = _whole(day, ZoneInfo(zone))
    shifts = [whole, *_shifts(people, day)]
    running = [one for one in shifts[1:] if one.start_ms <= now_ms < one.end_ms]
    chosen = next((one for one in shifts if one.code == code), whole)
    if code is None and running:
        chosen = running[-1]
    with open_reader(data.store) as reader:
        acts = reader.acts(
            agents=agents,
            by=person.id,
            start_utc=chosen.start_ms,
            end_utc=chosen.end_ms,
            limit=SHOWN + 1,
            reprimands=reprimands,
        )
        with reader.engine.connect() as tx:
            cut = cutoff_of(tx, people, now_ms, chosen.end_ms)
    return Register(shift=chosen, shifts=shifts, acts=entries(acts), cut=cut)


def _whole(day: date, zone: ZoneInfo) -> Shift:
    start, end = (
        int(datetime.combine(one, time(), zone).astimezone(UTC).timestamp() * 1000)
        for one in (day, day + timedelta(days=1))
    )
    return Shift(code="", start_ms=start, end_ms=end)


def _shifts(people: People, day: date) -> list[Shift]:
    """Those of the roster that begin on that day, in their order."""
    found = {
        (planned.start_s, planned.end_s, planned.shift)
        for (_, its), planned in people.roster.items()
        if its == day and planned.shift and planned.start_s is not None and planned.end_s
    }
    shifts: dict[str, Shift] = {}
    for start, end, code in sorted(found, key=str):
        assert start is not None and end is not None and code is not None
        known = shifts.get(code)
        shifts[code] = Shift(
            code=code,
            start_ms=min(1000 * start, known.start_ms if known else 1000 * start),
            end_ms=max(1000 * end, known.end_ms if known else 1000 * end),
        )
    return sorted(shifts.values(), key=lambda one: (one.start_ms, one.code))
