"""An event loop whose clock is moved on whenever nothing is left to be done, so that an hour of
calls between programs of one process takes as long as its work; their sockets are real.

    skipping(lambda: two_programs_talk())
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

_TURN_S = 1e-6  # work takes time too
_NEVER_S = 30.0


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.ahead += _TURN_S
        if (ready := super().select(0)) or timeout == 0:
            return ready
        if timeout is None:
            ready = super().select(_NEVER_S)
            assert ready, "everybody waits, and nobody for a time"
            return ready
        self.ahead += timeout
        return []


class SkippingLoop(asyncio.SelectorEventLoop):
    """Its time begins at 0."""

    def __init__(self) -> None:
        self._moved = _Selector()
        super().__init__(self._moved)

    def time(self) -> float:
        return self._moved.ahead


def skipping[T](run: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(run())
