"""Work about one thing goes one after the other; about different things, beside each other."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from diadema.base.errors import DiademaError

type Work = Callable[[], Awaitable[None]]

log = logging.getLogger("diadema.switch")


@dataclass
class _Line:
    waiting: deque[Work] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class Lines:
    """`what` is in it while there is work about it. `failed` is told what work raised."""

    def __init__(self, failed: Callable[[DiademaError], object]) -> None:
        self._failed = failed
        self._lines: dict[str, _Line] = {}
        self._later: set[asyncio.Task[None]] = set()

    def __contains__(self, what: str) -> bool:
        return what in self._lines

    def __len__(self) -> int:
        return len(self._lines)

    def do(self, what: str, work: Work) -> None:
        """After all else that is to be done about the same."""
        line = self._lines.setdefault(what, _Line())
        line.waiting.append(work)
        if line.task is None:
            line.task = asyncio.create_task(self._work_off(what, line))

    async def _work_off(self, what: str, line: _Line) -> None:
        while line.waiting:
            try:
                await line.waiting.popleft()()
            except DiademaError as error:
                self._failed(error)
            except Exception:  # a fault of ours in one call must not stop the others
                log.exception("a fault of ours about %s", what)
        del self._lines[what]

    def do_after(self, seconds: float, work: Work) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            await work()

        task = asyncio.create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def close(self) -> None:
        """End what is being done."""
        tasks = [line.task for line in self._lines.values() if line.task is not None]
        tasks += self._later
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
