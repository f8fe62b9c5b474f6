"""The stream of one audience: a snapshot on joining, then only what changed.

The first change after a quiet spell goes out at once; those that follow within 100 ms travel
together, the last value of an agent winning. Each message is encoded once for all viewers.

A message is `{"snap":{…}}` or `{"seq","now","d":[[index, live columns…],…]}`. An empty `d` says
"still here". `now` is UTC ms, `speed` is there when it is not 1, `down` (since when) while nothing
new can come.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from diadema.web.floor import Floor
from diadema.web.pace import Pace
from diadema.web.viewers import Viewer
from diadema.web.views import Values, View

FLUSH_S = 0.1
HEARTBEAT_S = 1.0


class Channel:
    """Follows a floor for one view. `down` tells since when (UTC ms) the data stands, or None."""

    def __init__(
        self, view: View, floor: Floor, pace: Pace, down: Callable[[], int | None], build: str
    ) -> None:
        self.view = view
        self.viewers: set[Viewer] = set()
        self.messages = 0
        self.given_up = 0
        self._floor = floor
        self._pace = pace
        self._down = down
        self._build = build
        self._seq = 0
        self._last_sent = 0.0
        self._last_flush = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._dirty: set[str] = set()
        self._renew = False
        self._index: dict[str, int] = {}
        self._who: dict[str, Values] = {}
        self._live: dict[str, Values] = {}
        self._encoder = msgspec.json.Encoder()
        floor.on_change.append(self._touch)
        floor.on_site.append(self._touch_all)

    def join(self, viewer: Viewer) -> None:
        """From now on this viewer gets a snapshot and then every message."""
        self.viewers.add(viewer)
        viewer.offer(self._encode(self._snapshot()))

    def again(self, viewer: Viewer) -> None:
        """A viewer missed something and asks for a fresh snapshot."""
        viewer.offer(self._encode(self._snapshot()))

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)

    async def beat(self) -> None:
        """Run for ever: let no second pass without a message."""
        loop = asyncio.get_running_loop()
        while True:
            quiet = loop.time() - self._last_sent
            if quiet >= HEARTBEAT_S:
                self._send({"d": []})
            else:
                await asyncio.sleep(HEARTBEAT_S - quiet)

    def _touch(self, agent: str) -> None:
        self._dirty.add(agent)
        self._schedule()

    def _touch_all(self) -> None:
        self._renew = True
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            wait = self._last_flush + FLUSH_S - loop.time()
            self._timer = loop.call_later(max(wait, 0.0), self._flush)

    def _flush(self) -> None:
        self._timer = None
        changed: list[Values] = []
        for agent in self._dirty:
            row = self._floor.rows.get(agent)
            if row is None or self._who.get(agent) != self.view.who(row):
                self._renew = True
                break
            live = self.view.live(row)
            if live != self._live[agent]:
                self._live[agent] = live
                changed.append((self._index[agent], *live))
        self._dirty.clear()
        if self._renew:
            self._take_all()
            self._last_flush = asyncio.get_running_loop().time()
            self._seq += 1
            self._publish(self._snapshot())
        elif changed:
            self._last_flush = asyncio.get_running_loop().time()
            self._send({"d": changed})

    def _take_all(self) -> None:
        rows = sorted(self._floor.rows.items(), key=lambda item: self.view.order(item[1]))
        self._index = {agent: index for index, (agent, _) in enumerate(rows)}
        self._who = {agent: self.view.who(row) for agent, row in rows}
        self._live = {agent: self.view.live(row) for agent, row in rows}
        self._dirty.clear()
        self._renew = False

    def _snapshot(self) -> dict[str, Any]:
        site = self._floor.site
        body: dict[str, Any] = {"seq": self._seq, **self._times(), "build": self._build}
        body["site"] = {"name": site.site, "zone": site.zone, "language": site.language}
        body["who"] = self.view.who_columns
        body["live"] = self.view.live_columns
        body["rows"] = [[self._who[agent], self._live[agent]] for agent in self._index]
        return {"snap": body}

    def _times(self) -> dict[str, Any]:
        now, speed = self._pace.read()
        times: dict[str, Any] = {"now": now}
        if speed != 1.0:
            times["speed"] = speed
        if (down := self._down()) is not None:
            times["down"] = down
        return times

    def _send(self, body: dict[str, Any]) -> None:
        self._seq += 1
        self._publish({"seq": self._seq, **self._times(), **body})

    def _publish(self, message: dict[str, Any]) -> None:
        self._last_sent = asyncio.get_running_loop().time()
        self.messages += 1
        if self.viewers:
            text = self._encode(message)
            for viewer in self.viewers:
                viewer.offer(text)

    def _encode(self, message: dict[str, Any]) -> str:
        return self._encoder.encode(message).decode()
