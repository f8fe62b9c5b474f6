"""Where the records ended when a report was made: printed on it, so that paper tells of a cut."""

from sqlalchemy import select

from diadema.report.asked import Asked
from diadema.store import open_reader, tables
from diadema.store.record_heads import AUDIT, Head, end_of


def seals(asked: Asked) -> list[str]:
    """One line for a report; none where nothing is recorded yet. Of the audit what the store keeps
    of it, some moments old.
    """
    reader = open_reader(asked.data.store)
    heads = tables.record_heads.c
    try:
        with reader.engine.connect() as tx:
            marks = end_of(tx, "marks", tables.marks)
            kept = tx.execute(select(heads.count, heads.hash).where(heads.ledger == AUDIT)).first()
    finally:
        reader.close()
    audit = Head(AUDIT, kept[0], kept[1]).short if kept else "—"
    if not (marks.count or kept):
        return []
    return [asked.say("note.seals", marks=marks.short if marks.count else "—", audit=audit)]
