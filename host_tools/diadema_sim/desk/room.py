"""The virtual desk as its pages see it: who looks on, what they are sent, what was said so far."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from diadema.web.floor.viewers import Viewer
from diadema.words import LANGUAGES

from diadema_sim.centre import Centre
from diadema_sim.desk import look
from diadema_sim.desk.hands import Hands
from diadema_sim.desk.look import Sample
from diadema_sim.desk.said import Teller, tone
from diadema_sim.witness import Witnessed

_KEPT = 200  # sentences that a page that comes later still gets
_STORE_LOOK_S = 0.25  # between two looks whether the hub has what is on the flash


@dataclass(frozen=True)
class Entry:
    """One sentence of the list, in each language."""

    number: int  # counts all events of the run, those that nobody tells too
    sequence: int
    at_ms: int
    kind: str
    tone: str
    texts: dict[str, str]

    def message(self, language: str) -> dict[str, Any]:
        return {
            "id": self.number,
            "n": self.sequence,
            "t": self.at_ms,
            "k": self.kind,
            "tone": self.tone,
            "text": self.texts[language],
        }


class StationRoom:
    """Made before the station has power, so that it hears everything. `watch` is its task."""

    def __init__(self, centre: Centre, samples: Sequence[Sample], site: dict[str, Any]) -> None:
        self.hands = Hands(centre.desks[0], centre.hub, samples)
        self._centre = centre
        self._desk = centre.desks[0]
        self._samples = samples
        self._site = site
        self._teller = Teller(site)
        self._names = {agent["id"]: agent["name"] for agent in site["agents"]}
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._viewers: dict[Viewer, str] = {}
        self._somebody = asyncio.Event()
        self._eyes = look.Eyes(self._desk.station)
        self._face = look.DARK
        self._silent = False
        self._who: str | None = None
        self._volume: int | None = None
        self._last: Witnessed | None = None
        self._number = self._stored = 0
        self._standing = self._stands()
        centre.world.witness.listeners.append(self._witnessed)

    # --- its pages ----------------------------------------------------------------------------

    def join(self, language: str) -> Viewer:
        viewer = Viewer()
        self._viewers[viewer] = language
        self._somebody.set()
        station = self._desk.station
        hello = {
            "site": self._site["site"],
            "zone": self._site["zone"],
            "seat": self._desk.desk.seat,
            "station": station.id,
            "board": station.board.name,
            "badges": [sample.message() for sample in self._samples],
            "said": [entry.message(language) for entry in self._entries],
        }
        for message in ({"hello": hello}, self._face.message(), self._standing.message()):
            viewer.offer(json.dumps(message, ensure_ascii=False))
        return viewer

    def leave(self, viewer: Viewer) -> None:
        del self._viewers[viewer]
        if not self._viewers:
            self._somebody.clear()

    def floor(self) -> str:
        """A link to the floor, good once."""
        return self._centre.door()

    def _send(self, message: Callable[[str], dict[str, Any]]) -> None:
        texts = {name: json.dumps(message(name), ensure_ascii=False) for name in LANGUAGES}
        for viewer, language in self._viewers.items():
            viewer.offer(texts[language])

    # --- what happens -------------------------------------------------------------------------

    def _witnessed(self, station: str, seen: Witnessed) -> None:
        if station != self._desk.station.id:
            return
        event = seen.event
        self._number += 1
        self._last = seen
        match event["k"]:
            case "session.opened":
                self._who = self._names.get(event["a"], event["a"])
            case "session.closed":
                self._who = None
            case "audio.changed":
                self._volume = event["volume"]
        texts = {name: self._teller.sentence(event, name) for name in LANGUAGES}
        told = {name: text for name, text in texts.items() if text is not None}
        if len(told) < len(texts):
            return
        entry = Entry(self._number, seen.sequence, seen.at_ms, event["k"], tone(event), told)
        self._entries.append(entry)
        self._send(lambda language: {"said": [entry.message(language)]})

    async def watch(self) -> None:
        """Look at the station while anybody looks on. Raises when the hub is gone for good."""
        reader = self._centre.reader()
        loop = asyncio.get_running_loop()
        due = 0.0
        try:
            while True:
                self._centre.processes.check()
                await self._somebody.wait()
                if loop.time() >= due and self._last:
                    due = loop.time() + _STORE_LOOK_S
                    position = reader.position(self._desk.station.id, self._last.epoch)
                    self._stored = max(0, self._number - max(0, self._last.sequence - position))
                try:
                    face = await self._eyes.look()
                    self._silent = False
                except TimeoutError:
                    face = self._face
                    self._silent = True
                if face != self._face:
                    self._face = face
                    self._send(lambda _: self._face.message())
                standing = self._stands()
                if standing != self._standing:
                    self._standing = standing
                    self._send(lambda _: self._standing.message())
                await asyncio.sleep(look.LOOK_S)
        finally:
            reader.close()

    def _stands(self) -> look.Standing:
        station = self._desk.station
        work, _ = self._desk.work
        return look.Standing(
            powered=station.powered,
            plugged=station.plugged,
            cable=station.cable.plugged,
            reading=self.hands.reading,
            state=self._desk.presence if work == "idle" else work,
            who=self._who,
            volume=self._volume,
            stored=self._stored,
            crashed=self._silent or station.crash is not None,
        )
