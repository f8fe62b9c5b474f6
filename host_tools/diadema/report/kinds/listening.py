"""Who heard calls (`escuchas`): live and recorded, for what, how much of them, and what was
refused.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from msgspec import Struct, field
from sqlalchemy import Connection

from diadema.metrics.rounding import percent, whole_seconds
from diadema.report.context import ReportContext
from diadema.report.model import Cell, Figure, Kind, Section
from diadema.report.tables import AGENT, Line, Part, Stated, summary, table
from diadema.store import open_reader, tables
from diadema.store.contact_rows import Key, contact_of, key_of
from diadema.store.quality import Heard, listenings
from diadema.words import section, text

_KEYS = ("call_s", "call_e", "call_n")
_RULE = "rule:"


class Listened(Struct):
    """Some entries of the register. `heard_s`: whole seconds of those that are over; `known_s`: of
    them what was heard of calls of which `calls` has the seconds of conversation; `started` counts
    what was begun, `outside` what was so at the exchange itself, without anybody's word.
    """

    started: int = 0
    live: int = 0
    outside: int = 0
    refused: int = 0
    heard_s: int = 0
    known_s: int = 0
    calls: dict[Key, int] = field(default_factory=dict)

    @property
    def call_s(self) -> int:
        return sum(self.calls.values())


def listened(entries: Iterable[Heard], lengths: dict[Key, int]) -> Listened:
    """`lengths`: the conversation of each call, in whole seconds."""
    found = Listened()
    for one in entries:
        began, ended = one.began, one.ended
        if began.kind == "refused":
            found.refused += 1
            continue
        found.started += 1
        found.live += began.source == "live"
        found.outside += began.source == "live" and began.via == "outside"
        heard_s = whole_seconds(ended.heard_ms or 0) if ended is not None else 0
        found.heard_s += heard_s
        key = _call_of(one)
        if key is not None and key in lengths:
            found.known_s += heard_s
            found.calls[key] = lengths[key]
    return found


PARTS: list[Part[Listened]] = [
    Part("listen_started", lambda its: its.started),
    Part("listen_live", lambda its: its.live),
    Part("listen_recorded", lambda its: its.started - its.live),
    Part("listen_outside", lambda its: its.outside),
    Part("listen_heard_s", lambda its: its.heard_s, "seconds"),
    Part("listen_calls", lambda its: len(its.calls), "count", "given"),
    Part("listen_call_s", lambda its: its.call_s, "seconds", "given"),
    Part("listen_share", lambda its: _share(its), "percent", "given"),
    Part("listen_refused", lambda its: its.refused),
]


def make(context: ReportContext) -> list[Section]:
    entries, lengths = covered(context)
    whole = listened(entries, lengths)
    by = partial(_by, context, entries, lengths, whole)
    notes = [context.say("note.listen_share"), context.say("note.listen_purpose")]
    if context.queue is not None:
        notes.append(context.say("note.not_of_queue"))
    return [
        summary(context, stated(whole), notes),
        by("listeners", [("listener", "text")], lambda one: [_listener(context, one)]),
        by("listen_purposes", [("purpose", "text")], lambda one: [_purpose(context, one)]),
        by("listen_teams", [("team", "text")], lambda one: [_team(context, one)]),
        by("listen_agents", list(AGENT), lambda one: _agent(context, one)),
        _refusals(context, entries),
    ]


def stated(whole: Listened) -> list[Stated]:
    return [
        Stated("listen_started", "count", whole.started),
        Stated("listen_heard_s", "seconds", whole.heard_s, whole.started),
        Stated("listen_share", "percent", percent(whole.known_s, whole.call_s), len(whole.calls)),
        Stated("listen_refused", "count", whole.refused, whole.started + whole.refused),
        Stated("listen_outside", "count", whole.outside, whole.live),
    ]


def covered(context: ReportContext) -> tuple[list[Heard], dict[Key, int]]:
    """The entries that the report covers, in order, and the conversations of their calls."""
    start, end = context.bounds_ms
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        known = listenings(tx, start_utc=start, end_utc=end)
        found = [one for one in known if context.has_at(one.began.agent or "", one.began.utc)]
        keys = {key for one in found if (key := _call_of(one)) is not None}
        return found, _lengths(tx, keys)


def _lengths(tx: Connection, keys: Iterable[Key]) -> dict[Key, int]:
    row = tables.contacts.c
    found = {}
    for s, e, n in keys:
        body = tx.execute(
            tables.contacts.select()
            .with_only_columns(row.row)
            .where(row.s == s, row.e == e, row.n == n)
        ).scalar()
        if body is not None and (contact := contact_of(body)).outcome == "answered":
            length = whole_seconds(contact.talk_ms) + whole_seconds(contact.hold_ms)
            found[key_of(contact)] = length
    return found


def _call_of(one: Heard) -> Key | None:
    s, e, n = (getattr(one.began, name) for name in _KEYS)
    return None if s is None or e is None or n is None else (s, e, n)


def _share(its: Listened) -> Cell:
    return Figure("percent", percent(its.known_s, its.call_s))


def _by(
    context: ReportContext,
    entries: Iterable[Heard],
    lengths: dict[Key, int],
    whole: Listened,
    key: str,
    heads: list[tuple[str, Kind]],
    of: Callable[[Heard], list[str]],
) -> Section:
    parted: defaultdict[tuple[str, ...], list[Heard]] = defaultdict(list)
    for one in entries:
        parted[tuple(of(one))].append(one)
    lines: list[Line[Listened]] = [
        ([*names], listened(parted[names], lengths))
        for names in sorted(parted, key=lambda names: [name.casefold() for name in names])
    ]
    given = {part.key: part.get(whole) for part in PARTS}
    return table(context, key, heads, PARTS, lines, given=given)


def _listener(context: ReportContext, one: Heard) -> str:
    """The account: names of them are not in reports."""
    by = one.began.by
    return context.say("listener.unknown") if by.startswith(_RULE) else by


def _purpose(context: ReportContext, one: Heard) -> str:
    purpose = one.began.purpose
    words = section("listening", context.language)
    return words.get(f"purpose.{purpose}", purpose or words["no_purpose"])


def _team(context: ReportContext, one: Heard) -> str:
    day = datetime.fromtimestamp(one.began.utc / 1000, context.zone).date()
    code = context.people.on(one.began.agent or "", day).team
    return context.people.teams.get(code, code) or context.say("no_team_of")


def _agent(context: ReportContext, one: Heard) -> list[str]:
    agent = one.began.agent or ""
    return [context.people.name(agent), agent, context.team_name(agent)]


def _refusals(context: ReportContext, entries: Iterable[Heard]) -> Section:
    counts: defaultdict[str, int] = defaultdict(int)
    for one in entries:
        if one.began.kind == "refused":
            counts[one.began.reason or ""] += 1
    lines: list[Line[int]] = [
        ([_why(context, reason)], counts[reason]) for reason in sorted(counts)
    ]
    parts = [Part[int]("listen_refused", lambda n: n)]
    return table(context, "listen_refusals", [("why", "text")], parts, lines)


def _why(context: ReportContext, reason: str) -> str:
    """As whoever was refused read it."""
    for area, name in (("errors", f"quality.hear.{reason}"), ("listening", f"refused.{reason}")):
        if name in section(area, context.language):
            return text(f"{area}.{name}", context.language)
    return reason
