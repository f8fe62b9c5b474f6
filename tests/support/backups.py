"""A backup that a data directory remembers."""

from diadema.base.backups import Made, changing_backups
from diadema.base.paths import DataDir


def remember_backup(data: DataDir, made_ms: int, size: int = 1) -> None:
    made = Made("/b/d.backup", size, made_ms, 0, 0)
    with changing_backups(data) as known:
        known.last = made
