"""Keeps the directory and the site in force in step, both ways.

A site's description is taken into the directory: all of it to begin one, or what somebody has
changed in `site.json` by hand since. The directory is put in force: the site of today is made from
it and stored as `diadema site` does, and a running hub is notified, so that stations get a
configuration of the next generation.
"""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, field
from sqlalchemy import insert, select
from sqlalchemy.dialects.sqlite import insert as upsert_insert

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site.description import Site, SiteError, load, parse
from diadema.site.directory.book import Change, Directory, Entry, check_author
from diadema.site.directory.kinds import KINDS, Body
from diadema.site.directory.people_of import planned
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.site_json import Draft, bodies_of
from diadema.site.directory.tables import SITE_FILE, digest_of, pins, publications
from diadema.site.file import hashed, keep, site_digest, take_apart, whole
from diadema.site.pins import make_verifier, random_pin
from diadema.store import tables
from diadema.store.database import open_database
from diadema.words import Sentence

_ITS_OWN = {  # fields that no site tells; they stay
    "agents": ("employer", "document_kind", "document", "queues", "switch_aliases", "penalty"),
    "seats": ("extension", "phone"),
    "areas": ("number",),
    "help_topics": ("escalate_s", "alert_s"),
    "fault_areas": ("email", "accounts"),
    "tools": ("vital",),
    "playbooks": ("owner", "email"),
    "teams": ("name",),
    "holidays": ("name",),
    "settings": ("retention_days", "announce", "announce_random"),
}
_RETIRES = ("agents", "seats", "reasons", "areas", "fault_areas", "help_topics", "materials",
            "identity_methods", "tools", "campaigns", "playbooks", "holidays",
            "dispositions")  # fmt: skip
type Ask = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
_PARTS = ("stations", "agents", "reasons", "areas", "help_topics", "fault_areas", "campaigns",
          "identity_methods", "playbooks", "materials", "tools", "holidays",
          "negative_codes")  # fmt: skip
_DAYS, _DAY_BYTES = 500, 330  # of the roster in one question, and of one day in its event
_KEYS = ("id", "code", "motive")
CATALOGUES = ("agents", "dispositions", "reasons", "campaigns", "playbooks", "areas",
              "help_topics", "help_results", "fault_areas", "fault_targets", "tools",
              "materials", "identity_methods", "holidays", "seats", "roster", "shifts", "targets",
              "alert_limits")  # fmt: skip


def open_directory(data: DataDir, at_ms: int) -> Directory:
    """The directory of a data directory; begun with what its site says. Raises DiademaError."""
    book = Directory(data.directory)
    try:
        take_apart(data.site)
        if book.last_change() == 0 and data.site.exists():
            begin(book, load(data.site), at_ms)
    except BaseException:
        book.close()
        raise
    return book


def begin(book: Directory, site: Site, at_ms: int) -> None:
    wanted = [*changes_from(book, site, None)]
    keep_pins(book, {agent.id: agent.pin for agent in site.agents if agent.pin})
    try:
        book.apply(wanted, by="diadema", reason="site.json", at_ms=at_ms)
    except Wrong as error:
        if not all(problem.word == "code_taken" for problem in error.problems):
            raise  # else another process has begun it at this moment


def take_in(book: Directory, data: DataDir, day: date, *, by: str, at_ms: int) -> int:
    """Take in what `site.json` has that the directory has not; gives how many entries changed.
    Raises DiademaError.
    """
    wanted = [*changes_from(book, load(data.site), day)]
    return book.apply(wanted, by=by, reason="site.json", at_ms=at_ms)


def changes_from(book: Directory, site: Site, day: date | None) -> Iterator[Change]:
    """`day`: what changes is so from then on; None: it was always so."""
    described = bodies_of(site)
    for kind, bodies in described.items():
        known = {one.code: one for one in book.entries(kind, retired=True)}
        for code, body in bodies.items():
            old = known.get(code)
            wanted = _with_its_own(kind, old, book.stored(kind, body))
            if old is None or old.body != wanted:
                yield Change(
                    kind=kind, code=code, body=wanted, seen=old.version if old else 0,
                    valid_from=day if old else None,
                )  # fmt: skip
    for kind in _RETIRES:
        for one in book.entries(kind):
            if one.code not in described.get(kind, {}):
                yield Change(kind=kind, code=one.code, body=None, valid_from=day)


def _with_its_own(kind: str, old: Entry | None, body: Body) -> Body:
    if old is None or old.body is None:
        return body
    unchanged = {name: old.body[name] for name in _ITS_OWN.get(kind, ()) if name in old.body}
    if kind == "dispositions" and body.get("result") is None:
        result = old.body.get("result")
        unchanged |= {"result": result} if result and result != "negativa" else {}
    both: dict[str, Any] = body | unchanged
    return {field.name: both[field.name] for field in KINDS[kind].fields if field.name in both}


def set_pin(book: Directory, agent: str, make: Callable[[], str]) -> None:
    """Keep another verifier, which `make` asks for, until the next publication. Raises Wrong."""
    known = book.entry("agents", agent)
    if known is None or known.body is None:
        raise Wrong(Problem(word="unknown_agents", value=agent))
    row = {"agent": agent, "verifier": make(), "published": ""}
    put = upsert_insert(pins)
    put = put.on_conflict_do_update(
        index_elements=["agent"], set_={"verifier": put.excluded.verifier}
    )
    with book.writing() as tx:
        tx.execute(put, row)


def keep_pins(book: Directory, verifiers: dict[str, str]) -> None:
    """Verifiers that were made elsewhere; they only pass through here."""
    if not verifiers:
        return
    rows = [
        {"agent": agent, "verifier": verifier, "published": verifier}
        for agent, verifier in verifiers.items()
    ]
    put = upsert_insert(pins)
    put = put.on_conflict_do_update(
        index_elements=["agent"],
        set_={"verifier": put.excluded.verifier, "published": put.excluded.published},
    )
    with book.writing() as tx:
        tx.execute(put, rows)


class Difference(Struct, frozen=True, kw_only=True):
    """Between the site in force and the directory, of one part of the description."""

    part: str
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


class StationHas(Struct, frozen=True, kw_only=True):
    """`generation`: of the configuration that it says it has; 0 for none."""

    station: str
    seat: str
    generation: int


class Published(Struct, frozen=True, kw_only=True):
    """`generation` None: no hub runs; it takes the site at its next start. `recorded`: catalogues
    and days whose publication is in the hub's journal. `without_pin`: agents who need a code for
    one use, to choose their PIN at a station.
    """

    generation: int | None
    differences: list[Difference]
    recorded: int = field(default=0, name="told")  # catalogues and days that the hub recorded
    without_pin: list[str] = field(default_factory=list)


def draft(book: Directory, data: DataDir, day: date) -> Draft:
    """What would be in force. Raises Wrong, or DiademaError when `site.json` cannot be read."""
    old = _in_force(data)
    return Draft(book, day, old, _pins(book, old))


def differences(made: Draft, data: DataDir) -> list[Difference]:
    old, new = _spelled_out(_in_force(data)), msgspec.to_builtins(made.site)
    found = [_difference(part, old.get(part) or [], new.get(part) or []) for part in _PARTS]
    if old.get("tree") != new.get("tree"):
        leaves = [_leaves((one.get("tree") or {}).get("nodes") or []) for one in (old, new)]
        found.append(_difference("dispositions", *leaves))
    names = sorted({*old, *new} - {*_PARTS, "tree"})
    changed = [name for name in names if old.get(name) != new.get(name)]
    found.append(Difference(part="settings", changed=changed))
    return [one for one in found if one.added or one.changed or one.removed]


def replacing(data: DataDir, given: bytes, day: date) -> list[Difference]:
    """What the description `given` would change of people and places: of those in force, and of
    those that the directory has, in force or not. Raises DiademaError.
    """
    new = bodies_of(_hashed(data, given))
    old: dict[str, dict[str, Body]] = {}
    with suppress(SiteError):  # one that is not right is not lost
        if data.site.exists():
            old = bodies_of(_hashed(data, whole(data.site)))
    if data.directory.exists():
        with Directory(data.directory) as book:
            for kind in ("settings", "teams", *_RETIRES):
                for one in book.entries(kind, day):
                    if (body := new.get(kind, {}).get(one.code)) is not None:
                        new[kind][one.code] = _with_its_own(kind, one, body)
                    elif kind == "teams":  # they stay without anybody
                        continue
                    old.setdefault(kind, {})[one.code] = one.body or {}
    found = []
    for kind in ("settings", "teams", *_RETIRES):
        was, now = old.get(kind, {}), new.get(kind, {})
        found.append(
            Difference(
                part=kind,
                added=[code for code in now if code not in was],
                changed=[code for code in now if code in was and was[code] != now[code]],
                removed=[code for code in was if code not in now],
            )
        )
    return [one for one in found if old and (one.added or one.changed or one.removed)]


def _hashed(data: DataDir, described: bytes) -> Site:
    """With badges as they are kept here, if any are."""
    return parse(hashed(data.site, described) if data.secrets.exists() else described)


async def publish(
    book: Directory, data: DataDir, day: date, *, by: str, at_ms: int, ask: Ask | None
) -> Published:
    """`ask` puts a question to the hub; None: none runs. Raises DiademaError."""
    check_author(by, "-")
    made, found = _store(book, data, day)
    generation = None
    if ask is not None:
        generation = int((await ask("hub.site", {}))["generation"])
    hashes = _hashes(book)
    file = {SITE_FILE: site_digest(made.json)}
    last = book.published()
    before: dict[str, str] = json.loads(last.hashes) if last else {}
    recorded = 0
    if ask is not None:
        recorded = await _tell(ask, by, generation or 0, hashes, before)
        recorded += await _tell_days(
            book, ask, by, day, made.site.tz, last.change if last else None
        )
    keep_pins(book, made.pins)
    with book.writing() as tx:
        row = {
            "at_ms": at_ms, "by": by, "change": book.last_change(), "generation": generation,
            "hashes": json.dumps((hashes if ask is not None else before) | file),
        }  # fmt: skip
        tx.execute(insert(publications), row)
    return Published(
        generation=generation, differences=found, recorded=recorded, without_pin=made.without_pin
    )


def _store(book: Directory, data: DataDir, day: date) -> tuple[Draft, list[Difference]]:
    """Make the site and write it; anew where the hub has written a PIN into it meanwhile."""
    while True:
        before = _bytes(data)
        old = _in_force(data)
        made = Draft(book, day, old, _pins(book, old), lambda: make_verifier(random_pin()))
        found = differences(made, data)
        if _bytes(data) == before:
            keep(data.site, made.json)
            return made, found


def _bytes(data: DataDir) -> bytes | None:
    return whole(data.site) if data.site.exists() else None


def changed_by_hand(book: Directory, data: DataDir) -> bool:
    """Whether `site.json` is another than what was published last: publishing would undo that."""
    last = book.published()
    if last is None or not data.site.exists():
        return False
    try:
        there = site_digest(data.site.read_bytes())
    except (ValueError, AttributeError, TypeError):  # it is not even a description
        return True
    return bool(json.loads(last.hashes).get(SITE_FILE) != there)


def generations(data: DataDir) -> tuple[int, list[StationHas]]:
    """The site's own, and which each station of the site has."""
    old = _in_force(data)
    has: dict[str, int] = {}
    current = 0
    if data.store.exists():
        engine = open_database(data.store, write=False)
        try:
            with engine.connect() as connection:
                query = select(tables.stations.c.s, tables.stations.c.state)
                for s, state in connection.execute(query):
                    has[s] = msgspec.msgpack.decode(state, type=_State).generation
                row = tables.generations.c.generation
                query_last = select(row).order_by(row.desc()).limit(1)
                current = connection.execute(query_last).scalar() or 0
        finally:
            engine.dispose()
    stations = [
        StationHas(station=one["id"], seat=one["seat"], generation=has.get(one["id"], 0))
        for one in old.get("stations", ())
    ]
    return current, stations


class _State(Struct):
    generation: int = 0


async def _tell(
    ask: Ask, by: str, generation: int, now: Mapping[str, str], before: Mapping[str, str]
) -> int:
    """Have the hub note which catalogues are others than at the last publication."""
    recorded = 0
    for catalogue, digest in now.items():
        if before.get(catalogue) != digest:
            body = {"k": "catalogue.published", "by": by[:32], "catalogue": catalogue,
                    "version": generation, "hash": digest}  # fmt: skip
            await ask("hub.record", body)
            recorded += 1
    return recorded


async def _tell_days(
    book: Directory, ask: Ask, by: str, today: date, zone: ZoneInfo, since: int | None
) -> int:
    """Have the hub note which days of the roster are others; the first time, those to come."""
    first = today.isoformat() if since is None else ""
    rows = book.entries("roster", first=first, retired=True, since=since or 0)
    shifts = {one.code: one.body for one in book.entries("shifts")}
    days = []
    for row in rows:
        day, agent = date.fromisoformat(row.code[:10]), row.code[11:]
        body = row.body or {}
        plan = planned(day, body, shifts.get(str(body.get("shift"))), zone)
        entry: dict[str, Any] = {"a": agent, "day": day.isoformat(), "version": row.version}
        entry |= {"shift": plan.shift, "absence": plan.absence}
        if plan.start_s is not None and plan.end_s is not None:
            entry |= {"start": plan.start_s * 1000, "end": plan.end_s * 1000}
            entry["pauses"] = [(s * 1000, e * 1000, reason) for s, e, reason in plan.pauses]
            while len(msgspec.json.encode(entry)) > _DAY_BYTES:  # an event has 512 in all
                entry["pauses"].pop()
        days.append(entry)
    for at in range(0, len(days), _DAYS):
        await ask("hub.record", {"k": "schedules", "by": by[:32], "days": days[at : at + _DAYS]})
    return len(days)


def _hashes(book: Directory) -> dict[str, str]:
    return {kind: digest_of(book.bodies(kind)) for kind in CATALOGUES}


def _in_force(data: DataDir) -> dict[str, Any]:
    if not data.site.exists():
        return {}
    try:
        described = msgspec.json.decode(whole(data.site))
    except (OSError, msgspec.DecodeError) as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=data.site, reason=error)
        ) from error
    if not isinstance(described, dict):
        raise DiademaError(Sentence("errors.site.site_describes_no_site_diadema", site=data.site))
    return described


def _spelled_out(described: dict[str, Any]) -> dict[str, Any]:
    """With everything that it need not say; one that is not right as it stands."""
    try:
        complete: dict[str, Any] = msgspec.to_builtins(parse(msgspec.json.encode(described)))
    except SiteError:
        return described
    return complete


def _pins(book: Directory, old: Mapping[str, Any]) -> dict[str, str]:
    """Each agent's verifier: what the description in force has, if that is another than what was
    published last; else what was stored before.
    """
    with book.reading() as tx:
        rows = tx.execute(select(pins)).all()
    verifiers = {row.agent: row.verifier for row in rows}
    published = {row.agent: row.published for row in rows}
    for agent in old.get("agents") or ():
        verifier = agent.get("pin")
        if verifier and verifier != published.get(agent["id"]):
            verifiers[agent["id"]] = verifier
    return verifiers


def _difference(part: str, old: list[Any], new: list[Any]) -> Difference:
    was, now = ({_key(one): one for one in those} for those in (old, new))
    return Difference(
        part=part,
        added=[key for key in now if key not in was],
        changed=[key for key, one in now.items() if key in was and was[key] != one],
        removed=[key for key in was if key not in now],
    )


def _key(one: Any) -> str:
    if isinstance(one, dict):
        if "campaign" in one:  # a tool, which more than one can have
            return f"{one['campaign']}/{one['code']}"
        return str(next(one[name] for name in _KEYS if name in one))
    return str(one[0] if isinstance(one, list) else one)


def _leaves(nodes: list[Any]) -> list[list[str]]:
    return [
        [leaf[0], top[0], top[1], middle[0], middle[1], leaf[1]]
        for top in nodes
        for middle in top[2]
        for leaf in middle[2]
    ]
