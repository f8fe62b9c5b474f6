"""Marks that come when they were already taken as lost: like all that comes then they are kept but
not worked in, for the rest of their journal went on without them. In the ledger they must be.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, select

from diadema.ingest.decode import decode
from diadema.ingest.sessions import told_of
from diadema.ingest.window import Window
from diadema.store import tables
from diadema.store.chain import Placed, Told
from diadema.store.writer import Doubtful
from diadema.wire.events import AttendanceMarked

_KIND = str(AttendanceMarked.__struct_config__.tag)


def marks_among(recovered: Iterable[Doubtful]) -> list[AttendanceMarked]:
    events = [decode(event.body)[1] for event in recovered if event.k == _KIND]
    return [event for event in events if isinstance(event, AttendanceMarked)]


def placed(
    tx: Connection, event: AttendanceMarked, generation: int, window: Window
) -> tuple[Told, Placed]:
    """With its hour, by the anchor of its boot that lies nearest."""
    row = tables.anchors.c
    its = (row.s == event.s) & (row.e == event.e) & (row.b == event.b)
    anchors = tx.execute(select(tables.anchors).where(its)).all()
    if event.t is not None and not window.first <= event.t <= window.last:
        event = msgspec.structs.replace(event, t=None)
    if not anchors:
        return told_of(event), (generation, event.t, None)
    near = min(anchors, key=lambda anchor: abs(anchor.u - event.u))
    off = event.u - near.u
    doubt = near.uncertainty_ms - -abs(off) * near.drift_error_ppb // 10**9
    utc: int | None = near.utc + off + off * near.drift_ppb // 10**9
    if not window.first <= near.utc + off <= window.last:
        utc = None
    return told_of(event), (generation, utc, doubt if event.t is None else None)
