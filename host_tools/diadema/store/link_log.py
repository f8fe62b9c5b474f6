"""When each station's link was up, as the hub's log of links has it."""

from sqlalchemy import Connection, select

from diadema.store import tables


def stretches(tx: Connection, s: str, start_ms: int, end_ms: int) -> list[tuple[int, int, bool]]:
    """[start, end) of one station's link in that time, up or not, in order; from when it was
    first heard.
    """
    row = tables.links.c
    before = (
        select(row.utc, row.up)
        .where((row.s == s) & (row.utc <= start_ms))
        .order_by(row.utc.desc())
        .limit(1)
    )
    within = (
        select(row.utc, row.up)
        .where((row.s == s) & (row.utc > start_ms) & (row.utc < end_ms))
        .order_by(row.utc)
    )
    changes = [(max(start_ms, utc), bool(up)) for utc, up in tx.execute(before)]
    changes += [(int(utc), bool(up)) for utc, up in tx.execute(within)]
    if not changes:
        return []
    ends = [*(utc for utc, _ in changes[1:]), end_ms]
    return [(utc, end, up) for (utc, up), end in zip(changes, ends, strict=True)]
