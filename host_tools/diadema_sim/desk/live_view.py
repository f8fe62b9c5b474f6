"""The virtual desk as its pages see it: the station's screen, lights and switches, the sentences
of its events, and who looks on.
"""

import asyncio
import base64
import json
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from diadema.store import open_reader
from diadema.web.floor.viewers import Viewer
from diadema.words import LANGUAGES

from diadema_sim.desk.commands import CommandExecutor
from diadema_sim.desk.event_sentences import EventSentences, tone
from diadema_sim.desk.place import Place
from diadema_sim.station import NoPower, Station
from diadema_sim.witness import Witnessed

LOOK_S = 0.05  # between two looks: at most 20 a second
_ANSWER_S = 8.0  # a busy board takes a moment
_PAGES = 8
_BLANK_RAM = bytes(128 * _PAGES)
_LATEST = 200  # sentences that a page that comes later still gets
_STORE_LOOK_S = 0.25  # between two looks whether the hub has what is on the flash


@dataclass(frozen=True)
class Display:
    """The screen's 1024 bytes as the page draws them, whether it is on, and ready, busy, ring."""

    screen: str
    on: bool
    lights: tuple[bool, bool, bool]

    def message(self) -> dict[str, Any]:
        return {"face": asdict(self)}


@dataclass(frozen=True)
class DeskStatus:
    """Everything else that the page shows. `reading`: the badge that is held to the reader;
    `volume` is None until somebody changed it; `stored`: the newest of the events below that the
    hub keeps; `crashed`: the program ended, or does not answer.
    """

    powered: bool
    plugged: bool
    cable: bool
    reading: str | None
    state: str
    who: str | None
    volume: int | None
    stored: int
    crashed: bool

    def message(self) -> dict[str, Any]:
        return {"standing": asdict(self)}


BLANK = Display(base64.b64encode(_BLANK_RAM).decode(), False, (False, False, False))


class ScreenReader:
    """Reads the screen and lights of one station. Each answer takes some of the station's small
    heap, so the screen is read a page at a time, and all pages only after something was drawn.
    """

    def __init__(self, station: Station, limit_s: float = _ANSWER_S) -> None:
        self._station = station
        self._limit_s = limit_s
        self._ram = bytearray(_BLANK_RAM)
        self._written: int | None = None

    async def read(self) -> Display:
        """What is shown now; blank without power or while the screen is off. Raises TimeoutError
        when the board does not answer, as one whose program ended.
        """
        try:
            async with asyncio.timeout(self._limit_s):
                first = await self._page(0)
                if first["written"] != self._written:
                    for at in range(1, _PAGES):
                        await self._page(at)
                lights = await self._station.lights()
        except NoPower:
            self._written = None
            return BLANK
        self._written = first["written"]
        ram = bytes(self._ram) if first["on"] else _BLANK_RAM
        ready, busy, ring = (bool(lights.get(name)) for name in ("ready", "busy", "ring"))
        return Display(base64.b64encode(ram).decode(), bool(first["on"]), (ready, busy, ring))

    async def _page(self, at: int) -> dict[str, Any]:
        page = await self._station.ask({"do": "screen", "page": at})
        self._ram[128 * at : 128 * at + 128] = bytes.fromhex(page["ram"])
        return page


@dataclass(frozen=True)
class Entry:
    """One sentence of the list, in each language."""

    number: int  # counts all events of the run, also those without a sentence
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


class DeskView:
    """Made before the station has power, so that it sees every event. `watch` is its task."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._station, self._history = place.station, place.history
        self.executor = CommandExecutor(
            place.station, place.history, place.hub, place.samples, place.queues, place.first
        )
        self._sentences = EventSentences(place.site)
        self._names = {agent["id"]: agent["name"] for agent in place.site["agents"]}
        self._entries: deque[Entry] = deque(maxlen=_LATEST)
        self._viewers: dict[Viewer, str] = {}
        self._somebody = asyncio.Event()
        self._screen = ScreenReader(place.station)
        self._display = BLANK
        self._no_answer = False
        self._who: str | None = None
        self._volume: int | None = None
        self._last: Witnessed | None = None
        self._number = self._stored = 0
        for seen in place.world.witness.events(place.station.id):
            self._heed(seen.event)
        self._status = self._status_now()
        place.world.witness.listeners.append(self._witnessed)

    # --- its pages ----------------------------------------------------------------------------

    def join(self, language: str) -> Viewer:
        viewer = Viewer()
        self._viewers[viewer] = language
        self._somebody.set()
        place, station = self._place, self._station
        hello = {
            "site": place.site["site"],
            "zone": place.site["zone"],
            "seat": place.seat,
            "station": station.id,
            "board": station.board.name,
            "badges": [sample.message() for sample in place.samples],
            "said": [entry.message(language) for entry in self._entries],
        }
        for message in ({"hello": hello}, self._display.message(), self._status.message()):
            viewer.offer(json.dumps(message, ensure_ascii=False))
        return viewer

    def leave(self, viewer: Viewer) -> None:
        del self._viewers[viewer]
        if not self._viewers:
            self._somebody.clear()

    def floor(self) -> str:
        """A link to the floor."""
        return self._place.floor()

    def _send(self, message: Callable[[str], dict[str, Any]]) -> None:
        texts = {name: json.dumps(message(name), ensure_ascii=False) for name in LANGUAGES}
        for viewer, language in self._viewers.items():
            viewer.offer(texts[language])

    # --- what happens -------------------------------------------------------------------------

    def _witnessed(self, station: str, seen: Witnessed) -> None:
        if station != self._station.id:
            return
        event = seen.event
        self._number += 1
        self._last = seen
        self._heed(event)
        texts = {name: self._sentences.sentence(event, name) for name in LANGUAGES}
        sentences = {name: text for name, text in texts.items() if text is not None}
        if len(sentences) < len(texts):
            return
        entry = Entry(self._number, seen.sequence, seen.at_ms, event["k"], tone(event), sentences)
        self._entries.append(entry)
        self._send(lambda language: {"said": [entry.message(language)]})

    def _heed(self, event: dict[str, Any]) -> None:
        match event["k"]:
            case "session.opened":
                self._who = self._names.get(event["a"], event["a"])
            case "session.closed":
                self._who = None
            case "audio.changed":
                self._volume = event["volume"]

    async def watch(self) -> None:
        """Look at the station while anybody looks on. Raises when its own hub is gone for good."""
        reader = open_reader(self._place.data.store)
        loop = asyncio.get_running_loop()
        due = 0.0
        try:
            while True:
                self._place.check()
                await self._somebody.wait()
                if loop.time() >= due and self._last:
                    due = loop.time() + _STORE_LOOK_S
                    position = reader.position(self._station.id, self._last.epoch)
                    self._stored = max(0, self._number - max(0, self._last.sequence - position))
                try:
                    display = await self._screen.read()
                    self._no_answer = False
                except TimeoutError:
                    display = self._display
                    self._no_answer = True
                if display != self._display:
                    self._display = display
                    self._send(lambda _: self._display.message())
                status = self._status_now()
                if status != self._status:
                    self._status = status
                    self._send(lambda _: self._status.message())
                await asyncio.sleep(LOOK_S)
        finally:
            reader.close()

    def _status_now(self) -> DeskStatus:
        station = self._station
        work, _ = self._history.work
        return DeskStatus(
            powered=station.powered,
            plugged=station.plugged,
            cable=station.cable.plugged,
            reading=self.executor.reading,
            state=self._history.presence if work == "idle" else work,
            who=self._who,
            volume=self._volume,
            stored=self._stored,
            crashed=self._no_answer or station.crash is not None,
        )
