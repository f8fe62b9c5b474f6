"""One viewer's way out: a short queue between the floor and a browser that may be slow.

A viewer that cannot keep up is let go, not waited for; it comes back and takes a fresh snapshot.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

QUEUE_MESSAGES = 50
QUEUE_CHARACTERS = 1_000_000


class Viewer:
    """Messages go out in the order offered; never more than the two bounds wait."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._characters = 0
        self._wake = asyncio.Event()
        self.overflow = asyncio.Event()

    def offer(self, text: str) -> None:
        """Queue one message, or give this viewer up if it is too far behind."""
        if self.overflow.is_set():
            return
        self._waiting.append(text)
        self._characters += len(text)
        full = len(self._waiting) > QUEUE_MESSAGES or self._characters > QUEUE_CHARACTERS
        if full and len(self._waiting) > 1:
            self._waiting.clear()
            self.overflow.set()
        self._wake.set()

    async def run(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Send what is offered, for ever; whoever runs this ends it when `overflow` is set."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                text = self._waiting.popleft()
                self._characters -= len(text)
                await send(text)
