"""The stream of one audience: a snapshot on joining, then only what changed.

The first change after a quiet spell goes out at once; those that follow within 100 ms travel
together, the last value of an agent winning. Each message is encoded once for all viewers.

A message is `{"snap":{…}}` or `{"seq","now","d":[[index, live columns…],…]}`. An empty `d` says
"still here". `now` is UTC ms, `speed` is there when it is not 1, `down` (since when) while nothing
new can come, with `why` where that is known (`disk`: it has only its reserve left). `queues`,
their `targets`, how many are `ready` for each and which rules it is `over`, and inside `cut`,
`owing` and `alerts` are there when they are new, and always in a snapshot, which also has the
`names` of queues by their codes. So is `help`: how many wait for it, and since when the first.

`Stream` is what they have in common with the pages of calls for help (`web.help.stream`) and of
faults (`web.faults.stream`).
`Channels` are those that there are: one for each view and set of teams that somebody looks at.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from diadema.access.roles import Person
from diadema.site.directory.people import People
from diadema.web.floor.adherence import Adherence
from diadema.web.floor.alerts import Watch
from diadema.web.floor.feed import Floor, Pace
from diadema.web.floor.queue_alerts import is_for
from diadema.web.floor.viewers import Viewer
from diadema.web.floor.views import Values, View, help_waiting
from diadema.wire.letters import encoded_fields
from diadema.wire.live_rows import Row

_LEVEL = "service_level"
VIEWERS = {
    "full": 500,
    "screen": 500,
    "wall": 200,
    "help": 200,
    "faults": 200,
    "area": 100,
}  # of each view: the wall, open to anybody, takes no place
OF_ONE = {
    "full": 50,
    "screen": 50,
    "wall": 50,
    "help": 50,
    "faults": 50,
    "area": 50,
}  # of one person; of one address, where nobody has a name
SCOPES = 200  # of each view
FLUSH_S = 0.1
HEARTBEAT_S = 1.0
ALERTS = 100  # that one message names; the others are counted

type Teams = frozenset[str] | None  # whose agents an audience sees; None: everybody's


@dataclass(frozen=True)
class Source:
    """What every stream reads. `down` tells since when (UTC ms) the data stands, or None, and
    `why` the reason, where it is known.
    """

    floor: Floor
    pace: Pace
    down: Callable[[], int | None]
    build: str
    people: Callable[[], People]
    why: Callable[[], str | None] = lambda: None


@dataclass
class Counts:
    """Of all channels of one view, also of those that are gone."""

    messages: int = 0
    given_up: int = 0
    viewers: set[Viewer] = field(default_factory=set)


class Stream:
    """To one audience, whose viewers all get the same."""

    inside = True  # else anybody may look

    def __init__(self, source: Source, teams: Teams, counts: Counts) -> None:
        self.teams = teams
        self.viewers: set[Viewer] = set()
        self.counts = counts
        self._source = source
        self._people = source.people()
        self._seq = 0
        self._last_sent = 0.0
        self._last_flush = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._encoder = msgspec.json.Encoder()

    def close(self) -> None:
        """Nobody listens any more."""
        if self._timer is not None:
            self._timer.cancel()

    def join(self, viewer: Viewer) -> None:
        """From now on this viewer gets a snapshot and then every message."""
        self.viewers.add(viewer)
        self.counts.viewers.add(viewer)
        viewer.offer(self._encode(self._snapshot()))

    def again(self, viewer: Viewer) -> None:
        """A viewer missed something and asks for a fresh snapshot."""
        viewer.offer(self._encode(self._snapshot()))

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self.counts.viewers.discard(viewer)

    def beat(self) -> float:
        """Let no second pass without a message; gives how long nothing is due."""
        quiet = asyncio.get_running_loop().time() - self._last_sent
        if quiet < HEARTBEAT_S:
            return HEARTBEAT_S - quiet
        self._send({"d": []})
        return HEARTBEAT_S

    def _schedule(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            wait = self._last_flush + FLUSH_S - loop.time()
            self._timer = loop.call_later(max(wait, 0.0), self._due)

    def _due(self) -> None:
        self._timer = None
        self._flush()

    def _flush(self) -> None:
        """Send what is new."""
        raise NotImplementedError

    def _contents(self) -> dict[str, Any]:
        """What a snapshot has beside the times and the site."""
        raise NotImplementedError

    def _snapshot(self) -> dict[str, Any]:
        site = self._source.floor.site
        body: dict[str, Any] = {"seq": self._seq, **self._times(), "build": self._source.build}
        body["site"] = {"name": site.site, "zone": site.zone, "language": site.language}
        return {"snap": body | self._contents()}

    def _times(self) -> dict[str, Any]:
        now, speed = self._source.pace.read()
        times: dict[str, Any] = {"now": now}
        if speed != 1.0:
            times["speed"] = speed
        if (down := self._source.down()) is not None:
            times["down"] = down
            if (why := self._source.why()) is not None:
                times["why"] = why
        return times

    def _flushed(self) -> None:
        self._last_flush = asyncio.get_running_loop().time()

    def _send(self, body: dict[str, Any]) -> None:
        self._seq += 1
        self._publish({"seq": self._seq, **self._times(), **body})

    def _publish(self, message: dict[str, Any]) -> None:
        self._last_sent = asyncio.get_running_loop().time()
        self.counts.messages += 1
        if self.viewers:
            text = self._encode(message)
            for viewer in self.viewers:
                viewer.offer(text)

    def _encode(self, message: dict[str, Any]) -> str:
        return self._encoder.encode(message).decode()


class Channel(Stream):
    """Follows a floor for one view and the agents of some teams."""

    def __init__(
        self,
        view: View,
        source: Source,
        watch: Watch,
        adherence: Adherence,
        teams: Teams,
        counts: Counts,
    ) -> None:
        super().__init__(source, teams, counts)
        self.view = view
        self.inside = view.inside
        self._watch = watch
        self._adherence = adherence
        self._dirty: set[str] = set()
        self._renew = True
        self._index: dict[str, int] = {}
        self._who: dict[str, Values] = {}
        self._live: dict[str, Values] = {}
        self._news = True  # beside the rows
        self._sent: dict[str, Any] = {}
        source.floor.on_change.append(self._touch)
        source.floor.on_site.append(self._touch_all)
        source.floor.on_head.append(self._touch_beside)
        watch.on_change.append(self._touch_beside)
        if view.adherence:
            adherence.on_change.append(self._touch)

    def close(self) -> None:
        super().close()
        floor = self._source.floor
        floor.on_change.remove(self._touch)
        floor.on_site.remove(self._touch_all)
        floor.on_head.remove(self._touch_beside)
        self._watch.on_change.remove(self._touch_beside)
        if self.view.adherence:
            self._adherence.on_change.remove(self._touch)

    def join(self, viewer: Viewer) -> None:
        if self._renew and self.viewers:
            self._flush()  # for them too: their rows have other places from here on
        elif self._renew:
            self._take_all()
        super().join(viewer)

    def beat(self) -> float:
        if self._source.people() is not self._people:
            self._touch_all()
        return super().beat()

    def _sees(self, agent: str) -> bool:
        return self.teams is None or self._people.team(agent) in self.teams

    def _touch(self, agent: str) -> None:
        if self._sees(agent):
            self._dirty.add(agent)
            self._schedule()

    def _touch_all(self) -> None:
        self._renew = True
        self._schedule()

    def _touch_beside(self) -> None:
        self._news = True
        self._schedule()

    def _flush(self) -> None:
        changed: list[Values] = []
        for agent in self._dirty:
            row = self._source.floor.rows.get(agent)
            if row is None or self._who.get(agent) != self.view.who(row, self._people):
                self._renew = True
                break
            live = self._live_of(agent, row)
            if live != self._live[agent]:
                self._live[agent] = live
                changed.append((self._index[agent], *live))
        self._news |= bool(self._dirty)  # of whom calls for help are counted
        self._dirty.clear()
        if self._renew:
            self._take_all()
            self._flushed()
            self._seq += 1
            self._publish(self._snapshot())
            return
        news = self._what_is_new()
        if changed or news:
            self._flushed()
            self._send({"d": changed, **news})

    def _take_all(self) -> None:
        """Anew, for a snapshot to all."""
        self._people = self._source.people()
        rows = sorted(
            (item for item in self._source.floor.rows.items() if self._sees(item[0])),
            key=lambda item: self.view.order(item[1]),
        )
        self._index = {agent: index for index, (agent, _) in enumerate(rows)}
        self._who = {agent: self.view.who(row, self._people) for agent, row in rows}
        self._live = {agent: self._live_of(agent, row) for agent, row in rows}
        self._dirty.clear()
        self._renew = self._news = False
        self._sent = self._beside()

    def _live_of(self, agent: str, row: Row) -> Values:
        live = self.view.live(row, self._people)
        return (*live, self._adherence.since.get(agent)) if self.view.adherence else live

    def _contents(self) -> dict[str, Any]:
        return {
            "who": self.view.who_columns,
            "live": [*self.view.live_columns, *["out"] * self.view.adherence],
            "rows": [[self._who[agent], self._live[agent]] for agent in self._index],
            "names": self._people.queues,
            **self._beside(),
        }

    def _beside(self) -> dict[str, Any]:
        floor, watch, targets = self._source.floor, self._watch, self._people.targets
        over: dict[str, list[str]] = {}
        for one in watch.alerts:
            if one.queue is not None and one.rule.startswith("queue_"):
                over.setdefault(one.queue, []).append(one.rule)
        beside = {
            "queues": floor.queues,
            "targets": {q: goal for (metric, q), goal in targets.items() if metric == _LEVEL},
            "ready": watch.queues.ready,
            "over": over,
            "help": help_waiting(
                (floor.rows[agent] for agent in self._index if agent in floor.rows),
                floor.handed_over,
            ),
        }
        if self.view.inside:
            head = floor.head
            return beside | {"cut": head.cut, "owing": head.owing, "alerts": self._alerts()}
        if floor.queues is not None:  # which switch it is, is nobody's business out there
            beside["queues"] = msgspec.structs.replace(floor.queues, source="")
        return beside

    def _what_is_new(self) -> dict[str, Any]:
        if not self._news:
            return {}
        beside = self._beside()
        news = {key: value for key, value in beside.items() if self._sent.get(key) != value}
        self._sent, self._news = beside, False
        return news

    def _alerts(self) -> dict[str, Any]:
        """Those that nobody has seen to come first; of each by whom it was."""
        seen = self._watch.seen
        alerts = self._watch.alerts
        found = [one for one in alerts if is_for(one, self.teams, self._people)]
        found.sort(key=lambda one: one.key in seen)
        entries = [{**encoded_fields(one), "by": seen.get(one.key)} for one in found]
        waiting = sum(one["by"] is None for one in entries)
        return {"list": entries[:ALERTS], "waiting": waiting, "all": len(entries)}


class TooMany(Exception):
    """No more viewers can be taken."""


type Whose = Teams | Person  # teams, or the person for whom alone a stream is
type Maker = Callable[[str, Any, Counts], Stream]


class Channels:
    """`make` makes the stream of a view for its audience."""

    def __init__(self, make: Maker) -> None:
        self.counts = {name: Counts() for name in VIEWERS}
        self._make = make
        self._open: dict[tuple[str, Whose], Stream] = {}
        self._of: Counter[tuple[str, str]] = Counter()

    @asynccontextmanager
    async def joined(
        self, view: str, whose: Whose, viewer: Viewer, who: str = ""
    ) -> AsyncIterator[Stream]:
        """The viewer is in the stream of that view and audience; `who`: a person's id, or an
        address. Raises TooMany.
        """
        known, key = self._open.get((view, whose)), (view, who)
        full = len(self.counts[view].viewers) >= VIEWERS[view] or self._of[key] >= OF_ONE[view]
        scopes = sum(name == view for name, _ in self._open)
        if full or (known is None and scopes >= SCOPES):
            raise TooMany
        channel = known or self._make(view, whose, self.counts[view])
        self._open[view, whose] = channel
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
                del self._open[view, whose]
                channel.close()

    async def beat(self) -> None:
        """Run for ever: let no second pass without a message on any of them."""
        while True:
            due = [channel.beat() for channel in tuple(self._open.values())]
            await asyncio.sleep(min(due, default=HEARTBEAT_S / 4))
