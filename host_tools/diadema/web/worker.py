"""Reads that take more than a moment, in a process of their own, so that the floor never waits.

What is requested is a function of a module, and what it takes and gives must pickle.
"""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

LONGEST_S = {"ask": 60.0, "file": 120.0, "behind": 900.0}
_WAKE_S = 3.0


class TooLong(BrokenExecutor):
    """The work was not done in its time, and its process was killed."""


class Worker:
    """Three processes, each begun when first needed: `ask` is for somebody who waits, `file` for
    who waits for a large file, so that no page waits for that; `behind` for what nobody waits for.
    One work at a time in each. One that takes longer than `longest_s`, or that nobody waits for
    any more, ends with its process, and the next one gets another.
    """

    def __init__(self, longest_s: dict[str, float] = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._pools: dict[str, ProcessPoolExecutor] = {}
        self._turns = {name: asyncio.Lock() for name in longest_s}
        self._closed = False

    async def ask[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run("ask", work, *args, **kwargs)

    async def file[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run("file", work, *args, **kwargs)

    async def behind[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run("behind", work, *args, **kwargs)

    def wake(self) -> None:
        """Somebody is here who will ask soon, and a process takes a second or two to begin: once
        the browser has drawn the page, for which it needs the processors.
        """
        asyncio.get_running_loop().call_later(_WAKE_S, self._begin)

    def _begin(self) -> None:
        if "ask" not in self._pools and not self._closed:
            self._pool("ask").submit(os.getpid)

    async def _run[**P, T](
        self, name: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        async with self._turns[name]:
            pool = self._pool(name)
            try:
                made = pool.submit(work, *args, **kwargs)
                waiting = asyncio.wrap_future(made)
                done, _ = await asyncio.wait({waiting}, timeout=self._longest_s[name])
                if not done:
                    waiting.cancel()
                    raise TooLong(f"{name}: not done in {self._longest_s[name]:.0f} s")
                return waiting.result()
            except (BrokenExecutor, asyncio.CancelledError):
                # killed, too slow, or nobody waits for it: the next who asks gets another process
                self._end(name, pool)
                raise

    def _pool(self, name: str) -> ProcessPoolExecutor:
        pool = self._pools.get(name)
        if pool is None:
            context = multiprocessing.get_context("spawn")
            pool = ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent)
            self._pools[name] = pool
        return pool

    def _end(self, name: str, pool: ProcessPoolExecutor) -> None:
        """At once, whatever it does."""
        if self._pools.get(name) is pool:
            del self._pools[name]
        for process in tuple((pool._processes or {}).values()):  # a method only from 3.14 on
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        self._closed = True
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
