"""How a run ends: by itself, or by the first Ctrl-C, SIGTERM or SIGHUP; what comes after that is
not heard any more, for it would leave behind what the first one takes down.

The handlers are Python's own and not the loop's, which hands them back before the last thing is
done; and none of them raises, for an import may swallow what is raised in it.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from diadema.base.errors import first_of

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def until_interrupted[T](
    work: Callable[[], Awaitable[T]], ending: Callable[[], object] = lambda: None
) -> T | None:
    """Run to the end, or to a signal: None then, with everything taken down. `ending` is called at
    that signal. Nothing interrupts the process afterwards.
    """
    stopped = False
    running: list[Callable[[], object]] = []  # how the work is cancelled, while it goes on

    def on_signal(*_: object) -> None:
        nonlocal stopped
        if stopped:
            return
        stopped = True
        ending()
        for cancel in running:
            cancel()

    async def main() -> T | None:
        task = asyncio.ensure_future(work())
        loop = asyncio.get_running_loop()
        running.append(lambda: loop.call_soon_threadsafe(task.cancel))  # which wakes the loop
        if stopped:
            task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            if stopped:
                return None
            raise
        except BaseExceptionGroup as group:
            raise first_of(group) from group
        finally:
            running.clear()

    for number in _NUMBERS:
        signal.signal(number, on_signal)
    try:
        return asyncio.run(main())
    finally:
        for number in _NUMBERS:
            signal.signal(number, signal.SIG_IGN)


async def to_the_end[T](work: Coroutine[Any, Any, T]) -> T:
    """Await it; a cancellation waits until it is done, for a thread that writes goes on."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
