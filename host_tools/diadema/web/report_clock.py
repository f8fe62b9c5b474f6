"""Has the scheduled reports made when they fall due, in the process that nobody waits for."""

import asyncio
import logging
from concurrent.futures import BrokenExecutor

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.report.scheduled import pending, run_due
from diadema.web.pace import Pace
from diadema.web.worker import Worker

log = logging.getLogger(__name__)

_LOOK_S = 5.0


class ReportClock:
    """`trouble`: why nothing can be made at all, for the page; empty when it can."""

    def __init__(self, data: DataDir, pace: Pace, worker: Worker) -> None:
        self.trouble = ""
        self._data = data
        self._pace = pace
        self._worker = worker

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Make what is due now. A folder that cannot be used is told once, and looked at again."""
        try:
            now_ms = self._pace.now_ms()
            if self._data.reports.exists() and pending(self._data, now_ms):
                for run in await self._worker.behind(run_due, self._data, now_ms):
                    log.info("scheduled report %s of %s: %s", run.name, run.span, run.state)
            self.trouble = ""
        except (DiademaError, OSError, BrokenExecutor) as error:
            if str(error) != self.trouble:
                log.error("scheduled reports: %s", error)
            self.trouble = str(error)
