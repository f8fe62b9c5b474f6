"""Recordings whose time is over, and how they are deleted: by the mandante's word alone."""

from collections.abc import Collection

from msgspec import Struct

from diadema.recordings import calls, files
from diadema.recordings.index import DELETED, GONE, File, Index, Key
from diadema.recordings.settings import DAY_MS
from diadema.site.directory.people import People
from diadema.store import Reader


class Due(Struct, frozen=True):
    """`until_utc`: until when it could be heard; the longest of its contacts."""

    file: File
    contacts: list[Key]
    until_utc: int


def due(
    people: People, reader: Reader, index: Index, held: Collection[Key], now_utc: int
) -> list[Due]:
    """Oldest first. What is of no contact has the days of a call without a queue."""
    found = []
    shortest = min([people.retention_days(), *people.retention.values()])
    before = now_utc - shortest * DAY_MS
    with reader.engine.connect() as connection:
        for file in index.files("start_utc < ? AND state NOT IN (?, ?)", before, DELETED, GONE):
            its = [one.call for one in index.links_of(file.id)]
            if any(key in held for key in its):
                continue
            until = [] if its else [_until_utc(people, None, file.start_utc)]
            for key in its:
                contact = calls.find(connection, key)
                queue = contact.queue if contact is not None else None
                until.append(_until_utc(people, queue, file.start_utc))
            if max(until) <= now_utc:
                found.append(Due(file, its, max(until)))
    return sorted(found, key=lambda one: (one.until_utc, one.file.id))


def _until_utc(people: People, queue: str | None, start_utc: int) -> int:
    """Until when the recording of a call of that time may be heard."""
    code = people.queue(queue, start_utc) if queue else ""
    return start_utc + people.retention_days(code) * DAY_MS


def delete(index: Index, due: Due) -> bool:
    """Whether it is gone now; what the contacts of it are is known on."""
    found = due.file.found
    try:
        files.delete(found.root, found.path)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    index.changed(due.file.id, found, DELETED)
    return True
