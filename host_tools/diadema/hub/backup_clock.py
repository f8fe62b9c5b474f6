"""Makes the backups that were ordered while a hub runs, on a thread of their own."""

import asyncio
import contextlib
import logging

from diadema.base.clock import Clock
from diadema.base.paths import DataDir
from diadema.maintenance.backup import TROUBLE
from diadema.maintenance.backup_schedule import make_due

_LOOK_S = 30.0

log = logging.getLogger("diadema.hub")


class _Ended(Exception):
    """The hub goes down: what is half made goes away."""


class BackupClock:
    def __init__(self, data: DataDir, clock: Clock) -> None:
        self._data = data
        self._clock = clock
        self._ends = False

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(_LOOK_S)
        finally:
            self._ends = True

    async def look(self) -> None:
        """Make what is due now; why it cannot be made is logged, and kept for `backup list`."""
        if not self._data.backups.exists():
            return
        with contextlib.suppress(_Ended):
            try:
                made = await asyncio.to_thread(make_due, self._data, self._clock, self._go_on)
            except TROUBLE as error:
                log.error("the backup was not made: %s", error)
            else:
                if made is not None:
                    log.info("backup %s: %.1f MB", made.file, made.bytes / 1e6)

    def _go_on(self, *_: int) -> None:
        if self._ends:
            raise _Ended
