"""Reads that take more than a moment, in a process of their own, so that the floor never waits.

What is asked for is a function of a module, and what it takes and gives must pickle.
"""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor


class Worker:
    """Three processes, each begun when first needed: `ask` is for somebody who waits, `file` for
    who waits for a large file, so that no page waits for that; `behind` for what nobody waits for.
    """

    def __init__(self) -> None:
        self._pools: dict[str, ProcessPoolExecutor] = {}

    async def ask[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run("ask", work, *args, **kwargs)

    async def file[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run("file", work, *args, **kwargs)

    async def behind[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run("behind", work, *args, **kwargs)

    def wake(self) -> None:
        """Somebody is here who will ask soon, and a process takes a second or two to begin."""
        if "ask" not in self._pools:
            self._pool("ask").submit(os.getpid)

    async def _run[**P, T](
        self, name: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        pool = self._pool(name)
        try:
            return await asyncio.wrap_future(pool.submit(work, *args, **kwargs))
        except BrokenExecutor:  # its process was killed; the next who asks gets another one
            if self._pools.get(name) is pool:
                del self._pools[name]
            raise

    def _pool(self, name: str) -> ProcessPoolExecutor:
        pool = self._pools.get(name)
        if pool is None:
            context = multiprocessing.get_context("spawn")
            pool = ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent)
            self._pools[name] = pool
        return pool

    def close(self) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        self._pools.clear()


def _end_with_parent() -> None:
    """A web that is killed cannot end its workers: they end themselves."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
