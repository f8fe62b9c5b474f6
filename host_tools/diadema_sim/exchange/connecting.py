"""Makes an exchange the one of a data directory: how its bridge comes in, who is in
which queue, and which telephone is at which seat and area.
"""

from collections.abc import Mapping, Sequence

from diadema.base import credentials
from diadema.base.paths import DataDir
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import open_directory
from diadema.switch import settings
from diadema.switch.settings import Settings


def connect(
    data: DataDir,
    way: Settings,
    secret: str,
    *,
    queues: Mapping[str, Sequence[str]],
    seats: Mapping[str, str],
    areas: Mapping[str, str],
    at_ms: int,
) -> None:
    """Before the hub begins. `secret` of both interfaces; `queues` of each agent, all others are
    in none; `seats`: the extension of each, `PJSIP/101`; `areas`: the number of each.
    """
    with credentials.changing(data) as known:
        known.exchange = {"ami": secret, "ari": secret}
    settings.write(data, way)
    with open_directory(data, at_ms) as book:
        agents = [one.code for one in book.entries("agents")]
        wanted = [_changed(book, "agents", one, queues=[*queues.get(one, ())]) for one in agents]
        wanted += [_changed(book, "seats", seat, extension=one) for seat, one in seats.items()]
        wanted += [_changed(book, "areas", area, number=one) for area, one in areas.items()]
        book.apply(wanted, by="simulator", reason="switch", at_ms=at_ms)


def _changed(book: Directory, kind: str, code: str, **fields: object) -> Change:
    """An entry that is there, with other `fields`."""
    known = book.entry(kind, code)
    assert known is not None and known.body is not None
    body = KINDS[kind].read(known.body | fields)
    return Change(kind=kind, code=code, body=body, seen=known.version)
