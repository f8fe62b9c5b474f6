"""The register of who heard which call, read in the worker: what goes in and out must pickle."""

from msgspec import Struct

from diadema.base.paths import DataDir
from diadema.recordings import calls
from diadema.store import open_reader
from diadema.store.contact_rows import Key, key_of, running
from diadema.store.quality import Heard, listenings
from diadema.store.rows import Contact

type Place = tuple[int, str, int, int]  # of an entry in the order: its time, then its event


class Wanted(Struct, frozen=True, kw_only=True):
    """Entries of [start_ms, end_ms). `agents` None: all; `agent`, `by`, `purpose` and `source`
    empty: any. `source`: live, recording, outside (of Diadema) or refused. `hidden`: calls that
    the reader may not find.
    """

    start_ms: int
    end_ms: int
    agents: frozenset[str] | None = None
    agent: str = ""
    by: str = ""
    purpose: str = ""
    source: str = ""
    hidden: frozenset[Key] = frozenset()


class Entry(Struct, kw_only=True):
    """`contact`: of the call; None where it was erased."""

    heard: Heard
    contact: Contact | None


class Register(Struct, kw_only=True):
    """`listeners`: the accounts that are in any of these days."""

    entries: list[Entry]
    listeners: list[str]
    more: bool


def read(data: DataDir, wanted: Wanted, after: Place | None, limit: int) -> Register:
    """The newest first."""
    if not data.store.exists():
        return Register(entries=[], listeners=[], more=False)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        known = listenings(
            tx,
            agent=wanted.agent or None,
            start_utc=wanted.start_ms,
            end_utc=wanted.end_ms,
        )
        mine = [one for one in known if _is_for(one, wanted)]
        found = [one for one in mine if _fits(one, wanted)]
        found.sort(key=place_of, reverse=True)
        rest = [one for one in found if after is None or place_of(one) < after]
        going = {key_of(one): one for one in running(tx)}
        entries = []
        for one in rest[:limit]:
            key = call_of(one)
            contact = (calls.find(tx, key) or going.get(key)) if key is not None else None
            entries.append(Entry(heard=one, contact=contact))
    listeners = sorted({one.began.by for one in mine})
    return Register(entries=entries, listeners=listeners, more=len(rest) > limit)


def last_of(data: DataDir, by: str, since_ms: int) -> Heard | None:
    """What that account heard last of a call that went on."""
    if not data.store.exists():
        return None
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        known = listenings(tx, by=by, start_utc=since_ms)
    live = [one for one in known if (one.began.kind, one.began.source) == ("started", "live")]
    return live[-1] if live else None


def place_of(one: Heard) -> Place:
    return one.began.utc, one.began.station, one.began.epoch, one.began.sequence


def call_of(one: Heard) -> Key | None:
    began = one.began
    if began.call_s is None or began.call_e is None or began.call_n is None:
        return None
    return began.call_s, began.call_e, began.call_n


def _is_for(one: Heard, wanted: Wanted) -> bool:
    seen = wanted.agents is None or (one.began.agent or "") in wanted.agents
    return seen and call_of(one) not in wanted.hidden


def _fits(one: Heard, wanted: Wanted) -> bool:
    began = one.began
    if wanted.by not in ("", began.by) or wanted.purpose not in ("", began.purpose):
        return False
    match wanted.source:
        case "":
            return True
        case "refused":
            return began.kind == "refused"
        case "outside":
            return began.via == "outside"
    return began.kind == "started" and began.source == wanted.source
