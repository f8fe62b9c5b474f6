"""Takes a site's description into the directory: all of it to begin one, or what somebody has
changed in `site.json` by hand since.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from sqlalchemy.dialects.sqlite import insert

from diadema.base.paths import DataDir
from diadema.site.description import Site, load
from diadema.site.directory.book import Change, Directory, Entry
from diadema.site.directory.kinds import KINDS, Body
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.site_json import bodies_of
from diadema.site.directory.tables import pins
from diadema.site.file import take_apart

_ITS_OWN = {  # fields that no site tells; they stay
    "agents": ("employer", "document_kind", "document", "queues", "switch_aliases"),
    "teams": ("name",),
    "holidays": ("name",),
}
_RETIRES = ("agents", "seats", "reasons", "areas", "fault_areas", "help_topics", "materials",
            "identity_methods", "campaigns", "playbooks", "holidays", "dispositions")  # fmt: skip


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
    told = bodies_of(site)
    for kind, bodies in told.items():
        known = {one.code: one for one in book.entries(kind, retired=True)}
        for code, body in bodies.items():
            old = known.get(code)
            wanted = _with_its_own(kind, old, book.kept(kind, body))
            if old is None or old.body != wanted:
                yield Change(
                    kind=kind, code=code, body=wanted, seen=old.version if old else 0,
                    valid_from=day if old else None,
                )  # fmt: skip
    for kind in _RETIRES:
        for one in book.entries(kind):
            if one.code not in told.get(kind, {}):
                yield Change(kind=kind, code=one.code, body=None, valid_from=day)


def _with_its_own(kind: str, old: Entry | None, body: Body) -> Body:
    if old is None or old.body is None:
        return body
    kept = {name: old.body[name] for name in _ITS_OWN.get(kind, ()) if name in old.body}
    if kind == "dispositions" and body.get("result") is None:
        result = old.body.get("result")
        kept |= {"result": result} if result and result != "negativa" else {}
    both: dict[str, Any] = body | kept
    return {field.name: both[field.name] for field in KINDS[kind].fields if field.name in both}


def set_pin(book: Directory, agent: str, make: Callable[[], str]) -> None:
    """Keep another verifier, which `make` asks for, until the next publication. Raises Wrong."""
    known = book.entry("agents", agent)
    if known is None or known.body is None:
        raise Wrong(Problem(word="unknown_agents", value=agent))
    row = {"agent": agent, "verifier": make(), "published": ""}
    put = insert(pins)
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
    put = insert(pins)
    put = put.on_conflict_do_update(
        index_elements=["agent"],
        set_={"verifier": put.excluded.verifier, "published": put.excluded.published},
    )
    with book.writing() as tx:
        tx.execute(put, rows)
