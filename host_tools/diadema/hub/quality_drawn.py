"""What a draw is made of beside the clock: who may evaluate, the thread's work, and the events
that say of it.
"""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from msgspec import Struct

from diadema.access import Accounts
from diadema.base.paths import DataDir
from diadema.quality.assigning import Assignment
from diadema.quality.drawing import Staff, Wanted, count_late, has_news, make
from diadema.quality.frame import EXCLUSIONS
from diadema.quality.kept_draws import StoredDraw, short_stratum, stored_draw
from diadema.store import open_reader
from diadema.store.assistance import Key


class Writing(Struct):
    """A draw whose events are being recorded: those of `calls` from `at` on, and that it was drawn
    where that is not `said`.
    """

    stored: StoredDraw
    planned: Key
    by: str
    said: bool
    calls: list[Assignment]
    at: int = 0


def staff_of(data: DataDir) -> Staff:
    """Who may evaluate now. Raises DiademaError."""
    if not data.accounts.exists():
        return frozenset(), (), {}
    with closing(Accounts(data)) as accounts:
        used = [one.person for one in accounts.book.all() if not one.disabled]
    return (
        frozenset(one.id for one in used if one.may("evaluate")),
        sorted(one.id for one in used if one.may("quality")),
        {one.id: one.agent for one in used if one.agent is not None},
    )


def make_stored(data: DataDir, wanted: Wanted, now_ms: int, empty: bool) -> StoredDraw:
    """In the thread."""
    return make(data, wanted, staff_of(data), now_ms, empty=empty)


def count_all(data: DataDir, several: Sequence[Wanted]) -> None:
    """In the thread."""
    for wanted in several:
        stored = stored_draw(data, wanted.id)
        if stored is None:
            continue
        with closing(open_reader(data.store)) as reader, reader.engine.connect() as tx:
            is_news = has_news(tx, data, stored)
        if is_news:
            count_late(data, wanted)


def drawn_event(writing: Writing) -> tuple[str, dict[str, Any]]:
    stored = writing.stored
    sample = stored.sample
    return "sample.drawn", {
        "by": writing.by, "draw": sample.draw, "of": writing.planned, "frame": sample.frame,
        "frame_hash": sample.frame_hash, "secret": sample.secret, "chosen": len(stored.listed),
        "strata": len(sample.strata),
        "excluded": [sample.excluded.get(why, 0) for why in EXCLUSIONS], "cut": stored.cut_ms,
    }  # fmt: skip


def assigned_event(stored: StoredDraw, by: str, one: Assignment) -> tuple[str, dict[str, Any]]:
    return "sample.assigned", {
        "by": by, "a": one.agent, "draw": stored.sample.draw, "call": one.key,
        "stratum": short_stratum(one.stratum), "rank": one.rank, "pool": one.pool, "to": one.to,
        "form": stored.form, "version": stored.form_version,
        "second": True if one.second else None, "due": stored.due_ms,
    }  # fmt: skip
