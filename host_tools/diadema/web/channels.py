"""The channels there are: one for each view and set of teams that somebody looks at, so that each
message is encoded once for all who see the same.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from diadema.web.channel import HEARTBEAT_S, Channel, Counts, Source, Teams
from diadema.web.viewers import Viewer
from diadema.web.views import FULL, WALL, View

VIEWERS = 500
SCOPES = 100

VIEWS: dict[str, View] = {view.name: view for view in (FULL, WALL)}


class TooMany(Exception):
    """No more viewers can be taken."""


class Channels:
    def __init__(self, source: Source) -> None:
        self.counts = {name: Counts() for name in VIEWS}
        self._source = source
        self._open: dict[tuple[str, Teams], Channel] = {}

    @asynccontextmanager
    async def joined(self, view: str, teams: Teams, viewer: Viewer) -> AsyncIterator[Channel]:
        """The viewer is in the channel of that view and those teams. Raises TooMany."""
        known = self._open.get((view, teams))
        watching = sum(len(one.viewers) for one in self.counts.values())
        if watching >= VIEWERS or (known is None and len(self._open) >= SCOPES):
            raise TooMany
        channel = known or Channel(VIEWS[view], self._source, teams, self.counts[view])
        self._open[view, teams] = channel
        channel.join(viewer)
        try:
            yield channel
        finally:
            channel.leave(viewer)
            if not channel.viewers:
                del self._open[view, teams]
                channel.close()

    async def beat(self) -> None:
        """Run for ever: let no second pass without a message on any of them."""
        while True:
            due = [channel.beat() for channel in tuple(self._open.values())]
            await asyncio.sleep(min(due, default=HEARTBEAT_S / 4))
