"""The channels there are: one for each view and set of teams that somebody looks at, so that each
message is encoded once for all who see the same.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from diadema.web.channel import HEARTBEAT_S, Channel, Counts, Source, Teams
from diadema.web.viewers import Viewer
from diadema.web.views import FULL, WALL, View

VIEWERS = {"full": 500, "wall": 200}  # of each view: the wall, open to anybody, takes no place
OF_ONE = {"full": 50, "wall": 50}  # of one person; of one address, where nobody has a name
SCOPES = 100

VIEWS: dict[str, View] = {view.name: view for view in (FULL, WALL)}


class TooMany(Exception):
    """No more viewers can be taken."""


class Channels:
    def __init__(self, source: Source) -> None:
        self.counts = {name: Counts() for name in VIEWS}
        self._source = source
        self._open: dict[tuple[str, Teams], Channel] = {}
        self._of: Counter[tuple[str, str]] = Counter()

    @asynccontextmanager
    async def joined(
        self, view: str, teams: Teams, viewer: Viewer, whose: str = ""
    ) -> AsyncIterator[Channel]:
        """The viewer is in the channel of that view and those teams; `whose` he is: a person's
        id, or an address. Raises TooMany.
        """
        known, key = self._open.get((view, teams)), (view, whose)
        full = len(self.counts[view].viewers) >= VIEWERS[view] or self._of[key] >= OF_ONE[view]
        if full or (known is None and len(self._open) >= SCOPES):
            raise TooMany
        channel = known or Channel(VIEWS[view], self._source, teams, self.counts[view])
        self._open[view, teams] = channel
        channel.join(viewer)
        self._of[key] += 1
        try:
            yield channel
        finally:
            channel.leave(viewer)
            self._of[key] -= 1
            if not self._of[key]:
                del self._of[key]
            if not channel.viewers:
                del self._open[view, teams]
                channel.close()

    async def beat(self) -> None:
        """Run for ever: let no second pass without a message on any of them."""
        while True:
            due = [channel.beat() for channel in tuple(self._open.values())]
            await asyncio.sleep(min(due, default=HEARTBEAT_S / 4))
