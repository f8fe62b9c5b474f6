"""Backups by the clock: what was ordered, when one falls due, and which old ones go.

One that fell due while no hub ran is made late, and so is one for all that did while what was put
back was on trial; one that failed is tried again, and says why.
"""

import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from diadema.access.roles import THE_HUB
from diadema.base import credentials
from diadema.base.backups import Made, Schedule, changing_backups, read_backups
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.standing import read_standing
from diadema.maintenance.backup import TROUBLE, Progress, back_up, passphrase_of
from diadema.site.context import zone_of
from diadema.words import Sentence

_AGAIN_MS = 15 * 60_000
_DAY_MS = 86_400_000
_NAME = re.compile(r"diadema-(\d{8}-\d{6})\.backup")
_STAMP = "%Y%m%d-%H%M%S"
_AT = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def order(data: DataDir, one: Schedule, passphrase: bytes) -> None:
    """In place of what was ordered before. Raises DiademaError."""
    if not _AT.fullmatch(one.at):
        raise DiademaError(Sentence("errors.maintenance.backup_no_time", at=one.at))
    if not Path(one.folder).is_dir():
        raise DiademaError(Sentence("errors.maintenance.backup_no_folder", folder=one.folder))
    with credentials.changing(data) as secrets:
        secrets.backup = passphrase.decode()
    with changing_backups(data) as known:
        known.schedule, known.reason, known.tried_ms = one, None, 0


def cancel(data: DataDir) -> None:
    """The files that were made stay, and so does their passphrase. Raises DiademaError."""
    with changing_backups(data) as known:
        if known.schedule is None:
            raise DiademaError(Sentence("errors.maintenance.backup_not_ordered"))
        known.schedule = None


def next_due(one: Schedule, after_ms: int, zone: ZoneInfo) -> int:
    """The first moment after that one."""
    day = datetime.fromtimestamp(after_ms / 1000, zone).date()
    while True:
        due = datetime.combine(day, time.fromisoformat(one.at), zone)
        if (due_ms := round(due.timestamp() * 1000)) > after_ms:
            return due_ms
        day += timedelta(days=1)


def make_due(data: DataDir, clock: Clock, progress: Progress = lambda *_: None) -> Made | None:
    """Make what is due, and let old ones go. Raises one of TROUBLE, also when it was recorded that
    it could not be made.
    """
    known, now = read_backups(data), clock.now_ms()
    one = known.schedule
    if one is None or read_standing(data).trial:
        return None
    if known.reason is not None and now < known.tried_ms + _AGAIN_MS:
        return None
    if next_due(one, max(known.due_ms, one.since_ms), zone_of(data)) > now:
        return None
    name = f"diadema-{datetime.fromtimestamp(now / 1000, UTC):{_STAMP}}.backup"
    try:
        if not Path(one.folder).is_dir():
            raise DiademaError(Sentence("errors.maintenance.backup_no_folder", folder=one.folder))
        made = back_up(
            data, Path(one.folder, name), passphrase_of(data, None), clock, THE_HUB, progress
        )
    except TROUBLE as error:
        with changing_backups(data) as known:
            known.tried_ms, known.reason = now, str(error)
        raise
    with changing_backups(data) as known:
        known.due_ms, known.reason = now, None
    for path in outlived(Path(one.folder), one, now):
        path.unlink(missing_ok=True)
    return made


def outlived(folder: Path, one: Schedule, now_ms: int) -> list[Path]:
    """Copies of ours with so many newer ones, and older than so many days."""
    found = sorted(
        ((stamp[1], path) for path in folder.iterdir() if (stamp := _NAME.fullmatch(path.name))),
        reverse=True,
    )
    limit = datetime.fromtimestamp((now_ms - one.days * _DAY_MS) / 1000, UTC)
    return [path for stamp, path in found[one.number :] if stamp < f"{limit:{_STAMP}}"]
