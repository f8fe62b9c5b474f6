"""Keeps the roll-ups near to the store, in the process that nobody waits for. Who reads figures
does what is left himself, so nothing depends on it but his time.
"""

import asyncio
import logging
from concurrent.futures.process import BrokenProcessPool

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.figures.roll import roll
from diadema.web.pace import Pace
from diadema.web.worker import Worker

log = logging.getLogger(__name__)

_EVERY_S = 30.0


class Rolling:
    def __init__(self, data: DataDir, pace: Pace, worker: Worker) -> None:
        self._data = data
        self._pace = pace
        self._worker = worker
        self._trouble = ""

    async def run(self) -> None:
        """The first time after a while, when whoever came first has been served."""
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.catch_up()

    async def catch_up(self) -> int:
        """Work off what there is; gives the number of cells. What is wrong is told once."""
        cells = 0
        try:
            while self._data.store.exists():
                done = await self._worker.behind(roll, self._data, self._pace.now_ms())
                cells += done.cells
                if done.done or not done.cells:  # or another process does it
                    break
            self._trouble = ""
        except (DiademaError, OSError, BrokenProcessPool) as error:
            if str(error) != self._trouble:
                log.error("roll-ups: %s", error)
            self._trouble = str(error)
        return cells
