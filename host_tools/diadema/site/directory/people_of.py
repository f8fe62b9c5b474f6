"""What pages and reports need to know of people and places, from the directory.

People and places as they are on one day, for whoever reads figures.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site import description
from diadema.site.context import file_version, site_of, zone_of
from diadema.site.directory.book import Directory, Entry
from diadema.site.directory.kinds import Body
from diadema.site.directory.people import (
    Announce,
    Area,
    Clock,
    FaultArea,
    FaultTarget,
    Held,
    Helper,
    People,
    Planned,
    Reason,
    Span,
    Spell,
    Tool,
    Topic,
    Worker,
    add_tools_area,
    help_results,
    of_site,
    turns_of,
)
from diadema.site.directory.quality_of import add_quality
from diadema.site.work import SYSTEM_REASONS
from diadema.wire.switching import WAYS
from diadema.words import DEFAULT

_AFTER_ALL = "~"  # after every code that begins with a day


def people_of(book: Directory, first: date, last: date, zone: ZoneInfo) -> People:
    """As of `last`, with the roster of [first, last], and with team and stage of each of those
    days of whoever changed one. Who was retired keeps the name.
    """
    people = People()
    for one in book.entries("agents", last, retired=True):
        known = one if one.body is not None else _before(book, one)
        if known is not None and known.body is not None:
            people.workers[one.code] = _worker(known.body, active=one.body is not None)
    for one, body in _bodies(book, "teams", last):
        people.teams[one.code] = str(body.get("name") or one.code)
    for one, body in _bodies(book, "employers", last):
        people.employers[one.code] = (str(body["name"]), str(body["ruc"]))
    people.switch_queues = _held(book, "queues", "switch_names", zone)
    for one, body in _bodies(book, "queues", last):
        people.queues[one.code] = str(body["name"])
        if days := _number(body, "retention_days"):
            people.retention[one.code] = days
    for one in book.entries("areas", last, retired=True):
        area = one if one.body is not None else _before(book, one)
        if area is not None and area.body is not None:
            people.areas[one.code] = Area(
                label=str(area.body["label"]),
                external=bool(area.body.get("external")),
                number=str(area.body.get("number") or ""),
            )
    for one, body in _bodies(book, "seats", last):
        people.seats[str(body["station"])] = one.code
        if (extension := str(body.get("extension") or "")) != "":
            way = str(body.get("phone") or WAYS[0])
            people.phones[str(body["station"])] = extension, way
    in_use = {one.code: body for one, body in _bodies(book, "reasons", last)}
    for code, body in (_last_known(book, "reasons") | in_use).items():
        people.reasons[code] = Reason(
            code=code, label=str(body["label"]), private=bool(body.get("private")),
            paid=bool(body.get("paid")), productive=bool(body.get("productive")),
            limit_s=_number(body, "limit_s"), system=code in SYSTEM_REASONS,
            in_use=code in in_use,
        )  # fmt: skip
    language = DEFAULT
    for _, body in _bodies(book, "settings", last):
        _add_policies(people, body)
        people.several_desks = body.get("multi_login") == "allow"
        people.selftest = bool(body.get("selftest"))
        language = str(body.get("language") or DEFAULT)
    _add_help(people, book, last, language)
    _add_faults(people, book, last, language)
    add_quality(people, book, last)
    _add_dispositions(people, book, last)
    for _, body in _bodies(book, "targets", last):
        key = (str(body["metric"]), str(body.get("queue") or ""))
        value = body["value"]
        assert isinstance(value, int | float)
        if stage := body.get("stage"):
            people.stage_targets[(*key, str(stage))] = value
            continue
        people.targets[key] = value
        if isinstance(most := body.get("most"), int | float):
            people.most[key] = most
        if "threshold_s" in body:
            people.thresholds[key[1]] = _number(body, "threshold_s")
            people.variants[key[1]] = str(body.get("variant") or "offered")
    for _, body in _bodies(book, "alert_limits", last):
        rule, team, queue, reason = (
            str(body.get(name) or "") for name in ("rule", "team", "queue", "aux_reason")
        )
        people.alert_limits[rule, team, queue, reason] = _number(body, "value")
    for one, body in _bodies(book, "supervisors", last):
        people.supervised[one.code] = _list(body, "teams")
    people.aliases = _held(book, "agents", "switch_aliases", zone)
    _add_roster(people, book, first, last, zone)
    for agent in book.changing("agents", first, last):
        if agent in people.workers:
            people.spells[agent] = _spells(people, book, agent, first, last)
    return people


def _spells(people: People, book: Directory, agent: str, first: date, last: date) -> list[Spell]:
    """Where no version holds on a day, as it is on the last one."""
    worker = people.workers[agent]
    found: list[Spell] = []
    for day in _turns(book, "agents", agent, first, last):
        entry = book.entry("agents", agent, day)
        body = entry.body if entry is not None else None
        its = (worker.team, worker.stage) if body is None else _place(body)
        if not found or (found[-1].team, found[-1].stage) != its:
            found.append(Spell(day, *its))
    return found


def _turns(book: Directory, kind: str, code: str, first: date, last: date) -> list[date]:
    """`first`, and the days until `last` on which another version may begin to hold."""
    bounds = {first, *_bounds(book.history(kind, code))}
    return sorted(bound for bound in bounds if first <= bound <= last)


def _bounds(versions: Sequence[Entry]) -> Iterator[date]:
    for one in versions:
        if one.valid_from is not None:
            yield one.valid_from
        if one.valid_until is not None and one.valid_until < date.max:
            yield one.valid_until + timedelta(1)


def _held(book: Directory, kind: str, field: str, zone: ZoneInfo) -> Held:
    """Names at the switch, of all days. A queue's own code is one too. The day on which another
    version takes a name away stays of that agent: nobody knows the time.
    """
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for code, its in groupby(book.versions(kind), key=lambda one: one.code):
        versions = [*its]
        changed = {one.valid_from for one in versions}
        for first, end in pairwise(sorted({date.min, *_bounds(versions), date.max})):
            on_it = next((one for one in versions if _covers(one, first)), None)
            if on_it is None or on_it.body is None:
                continue
            until = end + timedelta(1) if end in changed - {date.max} else end
            for name in {*_list(on_it.body, field), *([code] if kind == "queues" else [])}:
                spans[name].append((on_it.change, code, first, end, until))
    turns = {name: turns_of(spans[name]) for name in sorted(spans)}
    return {
        name: [(_midnight(day, zone), who) for day, who in its]
        for name, its in turns.items()
        if any(who not in ("", name) for _, who in its)
    }


def _covers(version: Entry, day: date) -> bool:
    first, last = version.valid_from, version.valid_until
    return (first is None or first <= day) and (last is None or day <= last)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return 0 if day == date.min else max(0, 1000 * utc_s(day, "00:00", zone))


def _place(body: Body) -> tuple[str, str]:
    stage = str(body.get("stage") or "")
    return str(body.get("team") or ""), "" if stage == "floor" else stage


def planned(day: date, body: Body, shift: Body | None, zone: ZoneInfo) -> Planned:
    """A day's row of the roster in UTC. `shift` None: none, or one that is not known."""
    absence = body.get("absence")
    plan = Planned(day=day, shift=str(body["shift"]) if body.get("shift") else None)
    plan.absence = str(absence) if absence else None
    if shift is None:
        return plan
    start, end = str(shift["start"]), str(shift["end"])
    plan.start_s = utc_s(day, start, zone)
    plan.end_s = utc_s(day + timedelta(end <= start), end, zone)
    plan.tolerance_s = _number(shift, "tolerance_min") * 60
    for pause in _list(body, "pauses") or _list(shift, "pauses"):
        times, _, reason = pause.partition(" ")
        begins, ends = times.split("-")
        on = day + timedelta(begins < start)
        until = on + timedelta(ends < begins)
        plan.pauses.append((utc_s(on, begins, zone), utc_s(until, ends, zone), reason))
    plan.pauses.sort()
    return plan


class _Day(Struct):
    shift: str = ""
    absence: str = ""
    pauses: tuple[str, ...] = ()


def _add_roster(people: People, book: Directory, first: date, last: date, zone: ZoneInfo) -> None:
    """Agents whose days are alike share what is planned: there are few kinds of a day."""
    shifts: dict[tuple[str, str], Body | None] = {}
    alike: dict[tuple[str, str, str, tuple[str, ...]], Planned] = {}
    decode = msgspec.json.Decoder(_Day).decode
    for code, body in book.bodies("roster", first.isoformat(), last.isoformat() + _AFTER_ALL):
        text, agent = code[:10], code[11:]
        one = decode(body)
        key = (text, one.shift, one.absence, one.pauses)
        plan = alike.get(key)
        if plan is None:
            day = date.fromisoformat(text)
            if (text, one.shift) not in shifts:
                entry = book.entry("shifts", one.shift, day) if one.shift else None
                shifts[text, one.shift] = entry.body if entry else None
            row: Body = {"shift": one.shift, "absence": one.absence, "pauses": list(one.pauses)}
            plan = alike[key] = planned(day, row, shifts[text, one.shift], zone)
        people.roster[agent, plan.day] = plan


def _add_policies(people: People, settings: Body) -> None:
    if announce := settings.get("announce"):
        people.announce = cast("Announce", announce)
    if announce := settings.get("announce_random"):
        people.announce_random = cast("Announce", announce)
    if isinstance(days := settings.get("retention_days"), int):
        people.retention[""] = days


def _add_dispositions(people: People, book: Directory, last: date) -> None:
    negative = set()
    for one in book.entries("dispositions", last, retired=True):
        known = one if one.body is not None else _before(book, one)
        if known is None or known.body is None:
            continue
        body = known.body
        people.codes[one.code] = [str(body[name]) for name in ("level1", "level2", "label")]
        people.motive_of[one.code] = str(body["level1_code"])
        people.motives[str(body["level1_code"])] = str(body["level1"])
        if result := body.get("result"):
            people.flags[one.code] = str(result)
            if result == "negativa":
                negative.add(one.code)
    people.negative_codes = frozenset(negative)


def _add_help(people: People, book: Directory, last: date, language: str) -> None:
    for one, body in _bodies(book, "helpers", last):
        people.helpers[one.code] = Helper(
            topics=frozenset(_list(body, "topics")),
            queues=frozenset(_list(body, "queues")),
            start=str(body.get("start") or ""),
            end=str(body.get("end") or ""),
            days=frozenset(_list(body, "days")),
        )
    own = {one.code: str(body["label"]) for one, body in _ordered(book, "help_results", last)}
    people.help_results = help_results(own, language)
    in_use = {one.code: body for one, body in _bodies(book, "help_topics", last)}
    for code, body in (_last_known(book, "help_topics") | in_use).items():
        people.topics[code] = Topic(
            label=str(body["label"]),
            urgent=bool(body.get("urgent")),
            escalate_s=_number(body, "escalate_s") or None,
            alert_s=_number(body, "alert_s") or None,
        )
    for _, body in _bodies(book, "playbooks", last):
        if owner := str(body.get("owner") or ""):
            people.owners.setdefault(str(body["id"]), owner)
        if email := str(body.get("email") or ""):
            people.owner_mails.setdefault(str(body["id"]), email)


def _add_faults(people: People, book: Directory, last: date, language: str) -> None:
    in_use = {one.code: body for one, body in _ordered(book, "fault_areas", last)}
    # first those in use, in their order
    for code, body in (in_use | _last_known(book, "fault_areas") | in_use).items():
        parts = (part.partition("=") for part in _list(body, "parts"))
        people.fault_areas[code] = FaultArea(
            label=str(body["label"]),
            external=bool(body.get("external")),
            email=str(body.get("email") or "") if code in in_use else "",
            accounts=_list(body, "accounts") if code in in_use else [],
            parts={part: label for part, _, label in parts},
            in_use=code in in_use,
        )
    for _, body in _bodies(book, "fault_targets", last):
        key = str(body.get("area") or ""), _number(body, "severity")
        people.fault_targets[key] = FaultTarget(
            _number(body, "accept_min"),
            _number(body, "solve_min"),
            cast("Clock", body.get("clock") or "clock"),
        )
    people.tools = [
        Tool(str(body["campaign"]), str(body["code"]), str(body["label"]), bool(body.get("vital")))
        for _, body in _ordered(book, "tools", last)
    ]
    add_tools_area(people, language)


def _worker(body: Body, *, active: bool) -> Worker:
    return Worker(
        id=str(body["code"]),
        name=str(body["name"]),
        alias=str(body["alias"]),
        team=_place(body)[0],
        stage=_place(body)[1],
        employer=str(body.get("employer") or ""),
        document_kind=str(body.get("document_kind") or ""),
        document=str(body.get("document") or ""),
        queues=_list(body, "queues"),
        active=active,
        penalty=_number(body, "penalty"),
    )


def _before(book: Directory, retired: Entry) -> Entry | None:
    """What was known of it last."""
    versions = book.history(retired.kind, retired.code)
    return next((one for one in versions if one.body is not None), None)


def _last_known(book: Directory, kind: str) -> dict[str, Body]:
    """By code, whatever there ever was of the kind, as it was last."""
    newest = book.entries(kind, retired=True)
    known = (one if one.body is not None else _before(book, one) for one in newest)
    return {one.code: one.body for one in known if one is not None and one.body is not None}


def _bodies(book: Directory, kind: str, day: date) -> list[tuple[Entry, Body]]:
    return [(one, one.body) for one in book.entries(kind, day) if one.body is not None]


def _ordered(book: Directory, kind: str, day: date) -> list[tuple[Entry, Body]]:
    """In the order that people gave them."""
    return sorted(_bodies(book, kind, day), key=lambda one: _number(one[1], "order") or 10_000)


def _list(body: Body, name: str) -> list[str]:
    value = body.get(name)
    return value if isinstance(value, list) else []


def _number(body: Body, name: str) -> int:
    value = body.get(name)
    return value if isinstance(value, int) else 0


def utc_s(day: date, clock: str, zone: ZoneInfo) -> int:
    """Seconds of UTC at which that day's clock says so, the first time."""
    moment = datetime.combine(day, time.fromisoformat(clock), zone)
    return round(moment.timestamp())


def people(data: DataDir, first: date | None = None, last: date | None = None) -> People:
    """As of `last` (today by default), with the roster of [first, last]. It is kept while nothing
    of it changes, so nobody may change it.
    """
    last = last or datetime.now(zone_of(data)).date()
    return _people(data.root, stamps_of(data), first or last, last)


def teams_of(data: DataDir, agent: str) -> set[str]:
    """Every team that an agent is of, or by the directory ever was; a site that cannot be read
    tells of none.
    """
    found: set[str] = set()
    if data.site.exists():
        with suppress(DiademaError):
            found = {one.team for one in description.load(data.site).agents if one.id == agent}
    if data.directory.exists():
        with Directory(data.directory) as book:
            bodies = [one.body or {} for one in book.history("agents", agent)]
        found |= {str(body.get("team") or "") for body in bodies}
    return found - {""}


@lru_cache(32)
def _people(root: Path, stamps: object, first: date, last: date) -> People:
    data = DataDir(root)
    if not data.directory.exists():
        return of_site(site_of(data))
    with Directory(data.directory) as book:
        return people_of(book, first, last, zone_of(data))


def day_at(data: DataDir, now_ms: int) -> date:
    """The day in the site's zone at that moment."""
    return datetime.fromtimestamp(now_ms / 1000, zone_of(data)).date()


class CachedPeople:
    """The people of a day, with the roster of the one before, whose shift may go on; read again
    when the site, the directory or the day has changed. For a process that is queried often; a
    site that cannot be read leaves what was known.
    """

    def __init__(self, data: DataDir) -> None:
        self._data = data
        self._made_of: object = None
        self._people = People()

    def on(self, day: date) -> People:
        with suppress(DiademaError):
            return self.read(day)
        return self._people

    def read(self, day: date) -> People:
        """Raises DiademaError where they cannot be read as they are now."""
        made_of = (day, stamps_of(self._data))
        if made_of != self._made_of:
            self._people = people(self._data, day - timedelta(days=1), day)
            self._made_of = made_of
        return self._people


def stamps_of(data: DataDir) -> object:
    """Others whenever the site or the directory may have changed."""
    files = data.site, data.directory, data.directory.with_name(f"{data.directory.name}-wal")
    return tuple(map(file_version, files))
