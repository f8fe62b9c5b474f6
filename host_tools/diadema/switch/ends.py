"""What calls and members share: the exchange and the hub, whose names they go by, and what is told
to people when something could not be done.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.sanitize import visible
from diadema.switch.exchange import Exchange, SwitchError, remember
from diadema.switch.hub_link import HubAway, HubSaysNo
from diadema.switch.journal import Journal
from diadema.switch.lines import Lines
from diadema.switch.names import Names
from diadema.wire.switching import MOST, Trouble
from diadema.words import Sentence

_VALUE = 200  # characters of what a sentence repeats

log = logging.getLogger("diadema.switch")


class Hub(Protocol):
    """What the bridge needs of `HubLink`."""

    async def command(self, station: str, cmd: str, **fields: Any) -> int: ...
    def ask_anew(self) -> None:
        """For the floor, as it is."""

    def report_at_once(self) -> None:
        """What has changed is not to wait."""


class Ends:
    """`names`: of the directory as it is now. `is_up`: the exchange is there; `floor_known`: the
    hub has told who sits where.
    """

    exchange: Exchange
    hub: Hub

    def __init__(self, names: Callable[[], Names], journal: Journal, clock: Clock) -> None:
        self.names, self.journal, self.clock = names, journal, clock
        self.lines = Lines(self.trouble)
        self.is_up = self.floor_known = False
        self.troubles: dict[str, Trouble] = {}  # by their sentences, the newest last
        self._writable = True

    def seat_name(self, station: str) -> str:
        return self.names().people.seats.get(station, station)

    async def command(self, station: str, cmd: str, **fields: Any) -> None:
        try:
            await self.hub.command(station, cmd, **fields)
        except (HubAway, HubSaysNo) as error:
            self.trouble(error)

    async def attempt(self, work: Awaitable[None]) -> None:
        """The others are to be right all the same."""
        try:
            await work
        except SwitchError as error:
            self.trouble(error)

    def note(self, write: Callable[[], None]) -> bool:
        """A call goes on though the disk is full; people are told once."""
        try:
            write()
        except DiademaError as error:
            if self._writable:
                self.trouble(error)
            self._writable = False
        else:
            self._writable = True
        return self._writable

    def tell(self, word: str, **values: object) -> None:
        """A trouble by the name of its sentence."""
        self.trouble(DiademaError(Sentence(f"errors.switch.{word}", **values)))

    def tell_no_extension(self, station: str) -> None:
        self.tell("no_extension", seat=self.seat_name(station))

    def trouble(self, error: DiademaError) -> list[Any]:
        """Told to people, on the page and in the log; the parts of its sentence. What happens
        again is one with what it was.
        """
        sentence = error.args[0] if error.args and isinstance(error.args[0], Sentence) else None
        if sentence is None:
            log.warning("%s", visible(str(error))[:_VALUE])
            return []
        now, parts = self.clock.now_ms(), _shortened(sentence.parts())
        log.warning("%s", Sentence.of(parts))
        known = self.troubles.pop(repr(parts), None) or Trouble(
            utc_ms=now, sentence=parts, times=0, first_utc_ms=now
        )
        known.utc_ms, known.times = now, known.times + 1
        remember(self.troubles, repr(parts), known, MOST["troubles"])
        return list(parts)


def _shortened(parts: Any) -> Any:
    """Parts of a sentence, with as much of what others have written as people need to see."""
    match parts:
        case str():
            return visible(parts)[:_VALUE]
        case [name, dict() as values]:
            return [name, {key: _shortened(value) for key, value in values.items()}]
    return parts
