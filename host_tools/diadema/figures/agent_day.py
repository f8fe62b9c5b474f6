"""One agent's day as the agent's page draws it: tracks of what was done and of what the roster
had, calls, marks, what the voice measured, and the events behind each number.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy import Connection, select

from diadema.base.paths import DataDir
from diadema.figures.left_out import Named, named, trails_without
from diadema.figures.overview import Ticks, ticks_of
from diadema.figures.read import read
from diadema.figures.rows import Cutoff, Sums
from diadema.figures.shifts import Presence, around, due, said_of, shift_of
from diadema.figures.shifts import presence as shown_of
from diadema.metrics.schedule import SHORT_S
from diadema.site import description
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people as read_people
from diadema.store import interval_rows, open_reader, tables
from diadema.store.contact_rows import Key, key_of
from diadema.store.interval_rows import stretches
from diadema.store.rows import Contact, Span, Trail
from diadema.wire.letters import LETTERS
from diadema.wire.live_rows import PRIVATE

PRESENCE = ("ready", "not_ready")
EVENTS = 2_000  # of one answer
_NEXT = 5_000  # events after the beginning of a trail that has no trail after it


class Bar(Struct, kw_only=True, rename=LETTERS):
    """A stretch of a track, UTC milliseconds [start, end)."""

    start: int
    end: int
    state: str
    reason: str | None = None
    by: str | None = None
    who: str | None = None
    contact: str | None = None


class PlanException(Struct, kw_only=True):
    """UTC milliseconds [start, end) in which the agent did not do as planned (`planned` None:
    work); see `metrics.schedule.Deviation`.
    """

    start: int
    end: int
    planned: str | None
    did: str
    excuse: str | None


class Call(Struct, kw_only=True, rename=LETTERS):
    """A contact with what people call its parts; seconds whole, as the figures have them."""

    key: tuple[str, int, int]
    contact: str
    start: int | None
    queue: str | None
    direction: str
    outcome: str
    cause: str | None
    ended_by: str | None
    ring_s: int | None
    talk_s: int
    hold_s: int
    wrap_s: int
    code: str | None
    labels: list[str]
    how: str | None
    author: str | None
    transfer: str | None
    steps: list[tuple[str, str, bool]]  # step, result, «en bloque»
    marks: list[str]  # interrupted, estimated, late, open, on_hold, fault, excused, failed


class MarkSeen(Struct, kw_only=True):
    """One of the worker's own marks, as it was made, or (`method` correction) what was entered
    beside them. `note`: repeated, without_pin, or by whom and why.
    """

    utc: int | None
    direction: str | None
    method: str
    note: str = ""


class Voice(Struct, kw_only=True):
    """Sums of the day's voice summaries, milliseconds; `n` calls were measured."""

    n: int = 0
    agent_ms: int = 0
    caller_ms: int = 0
    both_ms: int = 0
    silence_ms: int = 0
    longest_silence_ms: int = 0
    interruptions: int = 0
    clipping: int = 0


class AgentPage(Struct, kw_only=True):
    agent: str
    name: str
    team: str
    day: str
    zone: str
    start: int
    end: int
    cut: Cutoff
    sums: Sums
    presence: list[Bar]
    plan: list[Bar]  # `planned`, a planned `pause` or an `absence`
    exceptions: list[PlanException]
    work: list[Bar]
    link: list[Bar]
    calls: list[Call]
    marks: list[MarkSeen]
    voice: Voice
    labels: dict[str, str] = field(default_factory=dict)  # of reasons
    targets: dict[str, float] = field(default_factory=dict)
    protocol: list[tuple[str, Ticks]] = field(default_factory=list)  # by step, of all campaigns


def _protocol(data: DataDir, sums: Sums) -> list[tuple[str, Ticks]]:
    campaigns = description.load(data.site).campaigns if data.site.exists() else []
    found: dict[str, Ticks] = {}
    for (_, step), ticks in ticks_of(sums, campaigns).items():
        found.setdefault(step, Ticks()).__iadd__(ticks)
    return [(step, ticks) for step, ticks in found.items() if ticks]


def agent_page(
    data: DataDir, agent: str, day: date, now_ms: int, without: Collection[Key] = ()
) -> AgentPage:
    """Everything of that day of the site's zone but contacts that are left out. Raises
    DiademaError when there is no store.
    """
    people = read_people(data, day, day)
    days = read_people(data, *around(day, day)).roster
    roster = {key: plan for key, plan in days.items() if key[0] == agent}
    figures = read(data, day, day, now_ms, agents=[agent], without=without)
    (whole,) = figures.days
    with open_reader(data.store) as reader:
        trails = reader.trails(
            agent=agent, start_utc=whole.start_ms, end_utc=whole.end_ms, now_utc=now_ms
        )
        contacts = reader.contacts(agent=agent, start_utc=whole.start_ms, end_utc=whole.end_ms)
        marks = reader.marks(agent=agent, start_utc=whole.start_ms, end_utc=whole.end_ms)
        amended = reader.corrections(agent=agent, start_utc=whole.start_ms, end_utc=whole.end_ms)
        with reader.engine.connect() as tx:
            names = named(tx, without)
            trails = trails_without(trails, names)
            voice = _voice(tx, trails, names)
            link = _link(tx, trails, now_ms)
            bounds = whole.start_ms, whole.end_ms
            plan, exceptions = _planned(
                tx, replace(people, roster=roster), agent, day, bounds, now_ms
            )
    presence, work = tracks(trails, whole.start_ms, whole.end_ms)
    for bar in presence:
        bar.reason = people.shown(bar.reason)
    sums = figures.agent(agent)
    sums.load.reasons = people.hide_private(sums.load.reasons)
    aims = {name: people.target(name) for name in ("aht_s", "occupancy", "adherence")}
    aims["occupancy_most"] = people.most.get(("occupancy", ""))
    return AgentPage(
        agent=agent,
        name=people.name(agent),
        team=people.team(agent),
        day=whole.day,
        zone=figures.zone,
        start=whole.start_ms,
        end=whole.end_ms,
        cut=figures.cut,
        sums=sums,
        presence=presence,
        plan=plan,
        exceptions=exceptions,
        work=work,
        link=link,
        calls=[
            _call(one, people)
            for one in sorted(contacts, key=_began)
            if key_of(one) not in without
        ],
        marks=[
            MarkSeen(
                utc=one.utc,
                direction=one.direction,
                method=one.method,
                note="repeated" if one.repeated else "without_pin" if one.pin == "without" else "",
            )
            for one in marks
        ]
        + [
            MarkSeen(
                utc=one.time_utc,
                direction=one.direction,
                method="correction",
                note=f"{one.by}: {one.reason}",
            )
            for one in amended
        ],
        voice=voice,
        protocol=_protocol(data, figures.agent(agent)),
        labels={
            code: reason.label for code, reason in people.reasons.items() if not reason.private
        },
        targets={name: value for name, value in aims.items() if value is not None},
    )


def tracks(trails: Sequence[Trail], start_ms: int, end_ms: int) -> tuple[list[Bar], list[Bar]]:
    """Presence and work of [start_ms, end_ms). While the agent works, presence shows `working`;
    between two boots of one session it is `off`. Trails without a time cannot be drawn.
    """
    presence: list[Bar] = []
    work: list[Bar] = []
    before: Trail | None = None
    for trail in trails:
        if trail.start_utc is None or trail.end_utc is None:
            continue
        if before is not None and before.session == trail.session:
            _draw(presence, Bar(start=before.end_utc or 0, end=trail.start_utc, state="off"))
        before = trail
        for span, end_u in _spans(trail):
            start = trail.start_utc + span.uptime_ms - trail.start_u
            end = min(trail.start_utc + end_u - trail.start_u, trail.end_utc)
            start, end = max(start, start_ms), min(end, end_ms)
            bar = Bar(
                start=start, end=end, state=span.state, reason=span.reason, by=span.by,
                who=span.who, contact=span.contact,
            )  # fmt: skip
            if span.state in PRESENCE:
                _draw(presence, bar)
            else:
                _draw(presence, Bar(start=start, end=end, state="working"))
                _draw(work, bar)
    return presence, work


def _planned(
    tx: Connection, people: People, agent: str, day: date, bounds: tuple[int, int], now_ms: int
) -> tuple[list[Bar], list[PlanException]]:
    """What the roster had of [start, end), its pauses as calls made them late; and the exceptions
    that the report lists, with one that goes on. Private reasons have no name, and no exception.
    """
    (start_ms, end_ms), now_s = bounds, now_ms // 1000
    begun = due(people, now_s)
    shown = shown_of(tx, start_ms, end_ms, interval_rows.running(tx, now_ms), [agent])
    said = said_of(tx).get(agent, ())
    plan: list[Bar] = []
    exceptions: list[PlanException] = []

    def draw(start_s: int, until_s: int, state: str, reason: str | None = None) -> None:
        start, end = max(start_s * 1000, start_ms), min(until_s * 1000, end_ms)
        _draw(plan, Bar(start=start, end=end, state=state, reason=reason))

    for (_, on), one in sorted(people.roster.items()):
        if one.absence is not None and (one.start_s is not None or on == day):
            first, last = one.start_s or start_ms // 1000, one.end_s or end_ms // 1000
            draw(first, last, "absence", one.absence)
        if one.absence is not None or one.start_s is None or one.end_s is None:
            continue
        pauses, its = one.pauses, []
        if (mine := begun.get((agent, on))) is not None:
            there = shown.get(agent, Presence()).near(mine.start_s, mine.end_s)
            shift = shift_of(mine, there, said, people, now_s)
            pauses, its = shift.plan.pauses, shift.its
        at = one.start_s
        for begin, until, reason in sorted(pauses):
            draw(at, begin, "planned")
            draw(max(at, begin), until, "pause", people.shown(reason))
            at = max(at, until)
        draw(at, one.end_s, "planned")
        for each in its:
            start, end = max(each.start_s * 1000, start_ms), min(each.end_s * 1000, end_ms)
            lasts = each.seconds >= SHORT_S or each.end_s == now_s
            if (
                start < end
                and lasts
                and PRIVATE not in map(people.shown, (each.planned, each.did))
            ):
                exceptions.append(
                    PlanException(
                        start=start, end=end, planned=each.planned, did=each.did,
                        excuse=each.excuse,
                    )
                )  # fmt: skip
    return plan, exceptions


def _link(tx: Connection, trails: Sequence[Trail], now_ms: int) -> list[Bar]:
    """Of the stations at which the agent sat, while there."""
    link: list[Bar] = []
    for trail in trails:
        if trail.start_utc is None or trail.end_utc is None:
            continue
        until = min(trail.end_utc, now_ms)
        for start, end, up in stretches(tx, trail.station, trail.start_utc, until):
            _draw(link, Bar(start=start, end=end, state="up" if up else "lost"))
    return link


def _spans(trail: Trail) -> Iterator[tuple[Span, int]]:
    """None of a session that took no time."""
    ends = [span.uptime_ms for span in trail.spans[1:]] + [trail.end_u] * bool(trail.spans)
    yield from zip(trail.spans, ends, strict=True)


def _draw(track: list[Bar], bar: Bar) -> None:
    """Put it at the end, as one with what it continues."""
    if bar.end <= bar.start:
        return
    if track:
        last = track[-1]
        same = (last.state, last.reason, last.by, last.contact) == (
            bar.state, bar.reason, bar.by, bar.contact,
        )  # fmt: skip
        if same and last.end == bar.start:
            last.end = bar.end
            return
    track.append(bar)


def _began(contact: Contact) -> tuple[int, int]:
    return contact.start_utc or 0, contact.sequence


def _call(contact: Contact, people: People) -> Call:
    from diadema import metrics

    more = contact.more
    marks = [
        name for name in ("interrupted", "estimated", "late", "on_hold") if getattr(contact, name)
    ]
    if not contact.closed:
        marks.append("open")
    if more is not None and more.fault:
        marks.append("fault")
    if contact.outcome == "missed" and contact.cause in metrics.EXCUSED:
        marks.append("excused")
    if contact.ended_by == "technical":
        marks.append("failed")
    queue = people.queue(contact.queue, contact.start_utc) if contact.queue else None
    return Call(
        key=(contact.station, contact.epoch, contact.sequence),
        contact=contact.contact,
        start=contact.start_utc,
        queue=queue and people.queues.get(queue, queue),
        direction=contact.direction,
        outcome=contact.outcome,
        cause=contact.cause,
        ended_by=contact.ended_by,
        ring_s=None if contact.ring_ms is None else metrics.whole_seconds(contact.ring_ms),
        talk_s=metrics.talk_s(contact),
        hold_s=metrics.hold_s(contact),
        wrap_s=metrics.wrapup_s(contact),
        code=contact.code,
        labels=people.codes.get(contact.code or "", []),
        how=contact.how,
        author=more.author if more else None,
        transfer=more.target if more else None,
        steps=[(step.step, step.result, step.block) for step in more.steps] if more else [],
        marks=marks,
    )


# -- the events themselves


def _ranges(tx: Connection, trails: Iterable[Trail]) -> list[tuple[Trail, int]]:
    """Each trail with the first event after it."""
    row = tables.trails.c
    found = []
    for trail in trails:
        following = (
            select(row.n)
            .where((row.s == trail.station) & (row.e == trail.epoch) & (row.n > trail.sequence))
            .order_by(row.n)
            .limit(1)
        )
        until = tx.execute(following).scalar()
        found.append((trail, trail.sequence + _NEXT if until is None else int(until)))
    return found


def _events(tx: Connection, trail: Trail, until: int, kind: str | None = None) -> Iterator[Any]:
    row = tables.events.c
    query = select(row.n, row.k, row.body).where(
        (row.s == trail.station)
        & (row.e == trail.epoch)
        & (row.n >= trail.sequence)
        & (row.n < until)
    )
    if kind is not None:
        query = query.where(row.k == kind)
    yield from tx.execute(query.order_by(row.n))


def _voice(tx: Connection, trails: Sequence[Trail], without: Named) -> Voice:
    total = Voice()
    for trail, until in _ranges(tx, trails):
        for _, _, body in _events(tx, trail, until, "voice.summary"):
            summary = msgspec.json.decode(body)
            left_out = (trail.station, summary.get("c")) in without
            if summary.get("a") != trail.agent or left_out:
                continue
            total.n += 1
            for name in Voice.__struct_fields__[1:]:
                value = int(summary.get(name) or 0)
                if name == "longest_silence_ms":
                    total.longest_silence_ms = max(total.longest_silence_ms, value)
                else:
                    setattr(total, name, getattr(total, name) + value)
    return total


def events_behind(
    data: DataDir,
    agent: str,
    start_ms: int,
    end_ms: int,
    c: str | None = None,
) -> list[dict[str, Any]]:
    """The stored events of what the agent did in [start_ms, end_ms), or of one contact `c` that
    began then, in the order of each journal, at most EVENTS of them. `at`: where the host places
    them. Private reasons have no name.
    """
    people = read_people(data)
    found: list[dict[str, Any]] = []
    with open_reader(data.store) as reader:
        trails = reader.trails(agent=agent, start_utc=start_ms, end_utc=end_ms)
        with reader.engine.connect() as tx:
            for trail, until in _ranges(tx, trails):
                for _, _, body in _events(tx, trail, until):
                    event = msgspec.json.decode(body)
                    if event.get("b") != trail.boot or event.get("a") not in (None, agent):
                        continue
                    at = None
                    if trail.start_utc is not None:
                        at = trail.start_utc + int(event["u"]) - trail.start_u
                    if c is not None and event.get("c") != c:
                        continue
                    if c is None and at is not None and not start_ms <= at < end_ms:
                        continue
                    if event["k"].startswith("presence."):
                        event["reason"] = people.shown(event.get("reason"))
                    found.append({"at": at, **event})
                    if len(found) >= EVENTS:
                        return found
    return found
