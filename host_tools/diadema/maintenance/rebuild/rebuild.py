"""One rebuild of a data directory's store: a fresh store beside it, compared, and put in place if
that is wanted. The raw events themselves are never written.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from diadema.access.roles import Person
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.exclusive import alone
from diadema.base.paths import DataDir
from diadema.maintenance.rebuild.compare import Difference, compare
from diadema.maintenance.rebuild.place import put_in_place
from diadema.maintenance.rebuild.replay import replay
from diadema.maintenance.records_keeping import enter
from diadema.site import description
from diadema.store import open_writer

_RECORDS = {"marks", "mark_hours", "corrections"}
_BY = Person(id="rebuild", name="", role="service")
type Progress = Callable[[int, int], None]  # events taken in, of how many


class Outcome(Struct):
    """`came_back`: events once taken as lost; what stands was worked out without them."""

    events: int
    came_back: int
    differences: list[Difference]
    applied: bool


def rebuild(
    data: DataDir, clock: Clock, *, apply: bool = False, progress: Progress = lambda *_: None
) -> Outcome:
    """Raises DiademaError while a hub runs there, or when there is no store."""
    if not data.store.exists():
        raise DiademaError(f"no store at {data.store}: check --data")
    described = description.load(data.site) if data.site.exists() else None
    with (
        alone(data, "rebuild"),
        tempfile.TemporaryDirectory(prefix=".rebuild-", dir=data.root) as folder,
    ):
        open_writer(data.store).close()  # brings one of an older layout up to date
        fresh = Path(folder) / "store.sqlite3"
        replayed = replay(data.store, fresh, described, clock, progress)
        differences = compare(data.store, fresh, replayed.through)
        if apply and differences:
            put_in_place(data.store, fresh)
            _forget_sums(data.rollups)
            if _RECORDS & {one.table for one in differences}:
                enter(data, clock, _BY, "rebuilt")
        return Outcome(
            replayed.events, replayed.came_back, differences, apply and bool(differences)
        )


def _forget_sums(rollups: Path) -> None:
    """They are of rows that are no more; whoever needs them makes them anew."""
    for name in ("-wal", "-shm", ""):
        rollups.with_name(rollups.name + name).unlink(missing_ok=True)
