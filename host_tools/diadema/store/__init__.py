"""The SQLite store: every event once, as it came, and the rows worked out from it.

`open_writer` is for the ingest alone; everybody else reads through `open_reader`.
"""

from diadema.base.errors import StoreBehind, StoreDamaged, StoreStale, StoreUnavailable
from diadema.store.reader import Reader, open_reader
from diadema.store.rows import Contact, Press, QueueCall, Session, Span, Trail
from diadema.store.writer import Batch, Writer, open_writer

__all__ = [
    "Batch",
    "Contact",
    "Press",
    "QueueCall",
    "Reader",
    "Session",
    "Span",
    "StoreBehind",
    "StoreDamaged",
    "StoreStale",
    "StoreUnavailable",
    "Trail",
    "Writer",
    "open_reader",
    "open_writer",
]
