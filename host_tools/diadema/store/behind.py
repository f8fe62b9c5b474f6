"""Writes batches on a thread of its own, one after the other, while the next is worked out."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from diadema.base.errors import (StoreStale)


class Behind[Work, Done]:
    """`submit` and `settle` are for one thread. After a batch that failed none is written, for it
    would lack what is before it, until `settle` has told that.
    """

    def __init__(self, write: Callable[[Work], Done]) -> None:
        self._write = write
        self._thread = ThreadPoolExecutor(1, "store")
        self._under_way: deque[Future[Done]] = deque()
        self._failed = False

    @property
    def failed(self) -> bool:
        return self._failed

    def submit(self, work: Work) -> Future[Done]:
        """The future raises what `write` raises, or StoreStale after a failure."""
        while self._under_way and self._under_way[0].done():
            self._under_way.popleft()
        future: Future[Done] = Future()
        future.set_running_or_notify_cancel()  # nobody can cancel it, and so leave a hole
        self._under_way.append(future)
        self._thread.submit(self._do, work, future)
        return future

    def wait(self) -> None:
        """Until nothing is under way."""
        wait(self._under_way)
        self._under_way.clear()

    def settle(self) -> bool:
        """Wait; whether everything since the last time was written."""
        self.wait()
        failed, self._failed = self._failed, False
        return not failed

    def close(self) -> None:
        self._thread.shutdown()

    def _do(self, work: Work, future: Future[Done]) -> None:
        try:
            if self._failed:
                raise StoreStale("a batch before this one was not written")
            done = self._write(work)
        except BaseException as error:
            self._failed = True
            future.set_exception(error)
        else:
            future.set_result(done)
