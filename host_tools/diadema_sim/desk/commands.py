"""What a page of the virtual desk may request, and how it is carried out.

A request is one JSON object, its kind in `do`; anything else is answered by a sentence of the
catalogue. Keys, badge and plugs go to the simulated board; what an exchange or a supervisor does
goes through the real hub.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import msgspec
from diadema.base.errors import DiademaError
from diadema.wire.actions import MESSAGE_CHARACTERS
from diadema.wire.agent_states import IN_CALL
from diadema.wire.letters import tag_of
from diadema.words import text
from msgspec import Meta, Struct

from diadema_sim.hub_client import HubUnreachable
from diadema_sim.people import Person
from diadema_sim.station import NoPower, Station

SHORTEST_S = 0.08  # down, or none down between two presses: what each board's keys can tell

type Key = Annotated[int, Meta(ge=1, le=6)]


class Refused(DiademaError):
    """A request that cannot be carried out now; `word` is in the catalogue under `desk.error.`."""

    def __init__(self, word: str, **values: object) -> None:
        super().__init__(word)
        self.word = word
        self.values = values

    def sentence(self, language: str) -> str:
        return text(f"desk.error.{self.word}", language, **self.values)


class Request(Struct, tag_field="do", forbid_unknown_fields=True, frozen=True):
    """The base of all requests; no request itself."""


class Down(Request, tag="down", frozen=True):
    key: Key


class Up(Request, tag="up", frozen=True):
    key: Key


class Press(Request, tag="press", frozen=True):
    """A short press by somebody whose hand cannot say how long."""

    key: Key


class Tap(Request, tag="tap", frozen=True):
    badge: Annotated[str, Meta(max_length=24)]


class Headset(Request, tag="headset", frozen=True):
    plugged: bool


class Cable(Request, tag="cable", frozen=True):
    plugged: bool


class Power(Request, tag="power", frozen=True):
    on: bool


class Ring(Request, tag="ring", frozen=True):
    """The switchboard offers an incoming call."""


class Withdraw(Request, tag="withdraw", frozen=True):
    """The switchboard takes the call back, as when another agent is free."""


class HangUp(Request, tag="hangup", frozen=True):
    """The caller puts the receiver down, ringing or talking."""


class Message(Request, tag="text", frozen=True):
    """The supervisor writes a line."""

    text: Annotated[
        str, Meta(min_length=1, max_length=MESSAGE_CHARACTERS, pattern=r"^[^\x00-\x1f]+\Z")
    ]


_ANY: Any = Down | Up | Press | Tap | Headset | Cable | Power | Ring | Withdraw | HangUp | Message
_DECODER = msgspec.json.Decoder(_ANY)
ACTIONS = tuple(tag_of(kind) for kind in Request.__subclasses__())


def parse(message: str | bytes) -> Request:
    """The request in a message. Raises Refused with what is wrong in it."""
    try:
        request: Request = _DECODER.decode(message)
    except msgspec.ValidationError as error:
        wrong, _, place = str(error).partition(" - at `")
        if place.startswith("$.do") or "`do`" in wrong or (not place and "object" in wrong):
            raise Refused("bad_action", allowed=", ".join(ACTIONS)) from error
        named = place.removeprefix("$.").removesuffix("`") or _quoted(wrong)
        raise Refused("bad_field", where=named) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Refused("bad_json") from error
    return request


def _quoted(wrong: str) -> str:
    """The field's name in `Object missing required field `key``."""
    return wrong.split("`")[1] if "`" in wrong else "$"


@dataclass(frozen=True)
class SampleBadge:
    """A badge beside the desk. `card`: the UID that the reader reads; the page gets the rest, also
    the PIN, where it is one for training.
    """

    id: str
    name: str | None
    team: str
    pin: str | None
    card: str

    def message(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "team": self.team, "pin": self.pin}


STRANGER = SampleBadge("unknown", None, "", None, "04DEADC0FFEE77")


def sample_badges(people: Sequence[Person]) -> list[SampleBadge]:
    """A badge for each of these people, and one that no site knows."""
    known = [
        SampleBadge(person.id, person.name, person.team, person.pin, person.badge)
        for person in people
    ]
    return [*known, STRANGER]


class Exchange(Protocol):
    """Raises HubUnreachable."""

    async def command(self, station: str, **body: Any) -> int: ...


class Work(Protocol):
    @property
    def work(self) -> tuple[str, str | None]: ...


class CommandExecutor:
    """Carries requests out at one station. Any number of pages may share it. `queues`: by which
    calls come in turn; none: by no named one. `first`: the number of the first call, which no
    other one of this station has had.
    """

    def __init__(
        self,
        station: Station,
        history: Work,
        hub: Exchange,
        samples: Sequence[SampleBadge],
        queues: Sequence[str],
        first: int = 1,
    ) -> None:
        self.reading: str | None = None
        self._history = history
        self._station = station
        self._hub = hub
        self._samples = {sample.id: sample for sample in samples}
        self._queues = itertools.cycle(queues or [None])
        self._numbers = itertools.count(first)
        self._reader = asyncio.Lock()  # another badge waits until this one is taken away
        self._down: dict[int, float] = {}  # keys held, and since when
        self._lifted: float | None = None  # when the last one was let go of

    async def execute(self, request: Request) -> None:
        """Carry one request out. Raises Refused with what stands in the way."""
        try:
            await self._do(request)
        except NoPower as error:
            raise Refused("no_power") from error
        except HubUnreachable as error:
            raise Refused("no_hub") from error

    async def release_keys(self, keys: set[int]) -> None:
        """Release keys whose page is gone."""
        for key in keys:
            try:
                await self._release(key)
            except NoPower:
                return

    async def _do(self, request: Request) -> None:
        station = self._station
        match request:
            case Down(key=key):
                await _pass(self._lifted, SHORTEST_S)
                await station.ask({"do": "press", "key": key})
                self._down[key] = asyncio.get_running_loop().time()
            case Up(key=key):
                await self._release(key)
            case Press(key=key):
                await station.press(key)
            case Tap(badge=badge):
                await self._tap(badge)
            case Headset(plugged=plugged):
                await (station.plug() if plugged else station.unplug())
            case Cable(plugged=plugged):
                (station.cable.plug if plugged else station.cable.pull)()
            case Power(on=on):
                self._down.clear()
                await (station.power_on() if on else station.power_cut())
            case _:
                await self._exchange(request)

    async def _release(self, key: int) -> None:
        since = self._down.pop(key, None)
        if since is None:
            return
        await _pass(since, SHORTEST_S)
        await self._station.ask({"do": "release", "key": key})
        self._lifted = asyncio.get_running_loop().time()

    async def _tap(self, badge: str) -> None:
        if badge not in self._samples:
            raise Refused("no_badge")
        if self.reading == badge:
            raise Refused("reader_busy")
        async with self._reader:
            self.reading = badge
            try:
                await self._station.tap(self._samples[badge].card)
            finally:
                self.reading = None

    async def _exchange(self, request: Request) -> None:
        if not self._station.powered:
            raise Refused("no_power")
        if not self._station.reachable:
            raise Refused("no_cable")
        work, contact = self._history.work
        match request:
            case Ring():
                queue = next(self._queues)
                await self._command(
                    cmd="ring",
                    contact=f"c{next(self._numbers):05}",
                    direction="in",
                    **({"queue": queue} if queue else {}),
                )
            case Withdraw():
                if work != "offered":
                    raise Refused("not_ringing")
                await self._command(cmd="withdraw", contact=contact, cause="withdrawn")
            case HangUp():
                if work == "offered":
                    await self._command(cmd="withdraw", contact=contact, cause="caller_gave_up")
                elif work in IN_CALL:
                    await self._command(cmd="hangup", contact=contact, by="caller")
                else:
                    raise Refused("no_call")
            case Message(text=text):
                await self._command(cmd="text", m=f"m{next(self._numbers):05}", text=text)

    async def _command(self, **body: object) -> None:
        await self._hub.command(self._station.id, **body)


async def _pass(since: float | None, seconds: float) -> None:
    """Until so long after `since`."""
    if since is not None:
        await asyncio.sleep(max(0.0, since + seconds - asyncio.get_running_loop().time()))
