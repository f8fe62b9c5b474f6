"""The hearings that go on in this web: which recording each is of, what of it was served, and to
which session. The hub has let each begin, is told every half minute how much was served, and says
then whether it may go on.

Sound is decoded in processes of its own, for which threads of ours wait: no page does.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from msgspec import Struct, field
from sqlalchemy import select

from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.quality.hearing import most_served_ms
from diadema.recordings import playing
from diadema.recordings.decoding import Decoders
from diadema.recordings.index import Index
from diadema.recordings.playing import Plan, Refused
from diadema.store import Reader, open_reader, tables
from diadema.store.assistance import Key
from diadema.web.floor.feed import HubAbsent, HubSilent, NatsAbsent

TELL_S = 30.0
IDLE_S = 900.0  # without a request, after which nobody hears it any more
UNTOLD_S = 90.0  # nothing is served for which the hub has not answered for so long
_LOOK_S = 2.0
_THREADS = 3
_BLOCK = 480_000  # frames that are decoded at once: a minute of 8 kHz
_FRAME_BYTES = 2  # of one side
_PASSING = ("store_unavailable", "internal")  # refusals that say nothing of the hearing
_SILENT = (HubAbsent, HubSilent, NatsAbsent)

log = logging.getLogger(__name__)

type Tell = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
type Watching = Callable[[Person], AbstractContextManager[asyncio.Event]]


class TooFast(DiademaError):
    """More than can be heard since it began; `after_s`: when some more may be."""

    def __init__(self, after_s: int) -> None:
        super().__init__("more than can be heard")
        self.after_s = after_s


class Untold(DiademaError):
    """The hub does not say whether it may go on."""


class Over(DiademaError):
    """It ended, or its session did."""


class Playing(Struct, kw_only=True):
    """`plan` is what is served. `requested`: when anything of it last was, and `confirmed`: when
    the hub last said that it may go on (monotonic seconds). `block`: frames of the sound from
    `block_at` on, decoded and not requested yet.
    """

    listening: str
    person: Person
    call: Key
    purpose: str
    plan: Plan
    began: float
    requested: float
    confirmed: float
    tried: float
    frames: int = 0
    block_at: int = 0
    block: bytes = b""
    over: asyncio.Event = field(default_factory=asyncio.Event)  # when its session is
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    watching: ExitStack = field(default_factory=ExitStack)

    @property
    def heard_ms(self) -> int:
        return self.frames * 1000 // self.plan.rate

    @property
    def frame_bytes(self) -> int:
        return self.plan.sides * _FRAME_BYTES


class _Ending(Struct, frozen=True):
    listening: str
    by: str
    heard_ms: int
    cause: str


class Hearings:
    """`tell` asks the hub; `watching` gives an event that is set when a person's session is over.
    `run` is its task.
    """

    def __init__(
        self,
        data: DataDir,
        tell: Tell,
        watching: Watching,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data, self._tell, self._watching = data, tell, watching
        self._monotonic = monotonic
        self._going: dict[str, Playing] = {}
        self._ending: list[_Ending] = []
        self._decoders = Decoders()
        self._threads = ThreadPoolExecutor(_THREADS, "sound")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._decoders.close()

    # -- from begin to end

    async def begin(self, listening: str, person: Person, purpose: str) -> Playing:
        """Of a listening that the hub has just let this person begin. One of the same call, by
        the same session, ends. Raises playing.Refused where nothing can be served; then it has
        ended.
        """
        self._decoders.prepare()
        try:
            call, plan = await self._in_thread(self._plan_of, listening)
        except BaseException:
            await self._end(_Ending(listening, person.id, 0, "unplayable"))
            raise
        for other in [*self._going.values()]:
            if (other.person.session, other.call) == (person.session, call):
                await self.end(other, "closed")
        now = self._monotonic()
        one = Playing(
            listening=listening,
            person=person,
            call=call,
            purpose=purpose,
            plan=plan,
            began=now,
            requested=now,
            confirmed=now,
            tried=now,
        )
        one.over = one.watching.enter_context(self._watching(person))
        self._going[listening] = one
        return one

    def find(self, listening: str, person: Person) -> Playing | None:
        """That one, if it is this session's and goes on."""
        one = self._going.get(listening)
        if one is None or one.over.is_set():
            return None
        its = one.person.id, one.person.session
        return one if person.session and its == (person.id, person.session) else None

    async def end(self, one: Playing, cause: str) -> None:
        if self._drop(one):
            await self._end(_Ending(one.listening, one.person.id, one.heard_ms, cause))

    def _drop(self, one: Playing) -> bool:
        if self._going.pop(one.listening, None) is None:
            return False
        one.block = b""
        one.watching.close()
        return True

    async def _end(self, ending: _Ending) -> None:
        """A hub that is silent hears of it later."""
        body = {
            "action": "hearing_ended", "by": ending.by, "listening": ending.listening,
            "heard_ms": ending.heard_ms, "cause": ending.cause,
        }  # fmt: skip
        try:
            answer = await self._tell("hub.act", body)
        except _SILENT:
            self._ending.append(ending)
            return
        if answer.get("error") in _PASSING:
            self._ending.append(ending)

    # -- what is served

    async def peaks(self, one: Playing) -> list[list[int]]:
        """Of each side, 0-255. Raises playing.Refused and Untold."""
        self._note(one)
        return await self._in_thread(self._peaks, one)

    async def part(self, one: Playing, begin: int, end: int) -> bytes:
        """Bytes of the sound, which then were heard. Raises playing.Refused, TooFast, Untold and
        Over.
        """
        self._note(one)
        first, last = begin // one.frame_bytes, -(-end // one.frame_bytes)
        async with one.turn:
            self._check_goes_on(one)
            self._check_speed(one, last - first)
            sound = await self._in_thread(self._part, one, first, last)
            self._check_goes_on(one)  # what was heard has been told already
            one.frames += last - first
        at = begin - first * one.frame_bytes
        return sound[at : at + end - begin]

    def _note(self, one: Playing) -> None:
        one.requested = self._monotonic()
        if one.requested - one.confirmed > UNTOLD_S:
            raise Untold("the hub does not say whether it may go on")

    def _check_goes_on(self, one: Playing) -> None:
        if self._going.get(one.listening) is not one or one.over.is_set():
            raise Over(f"{one.listening} has ended")

    def _check_speed(self, one: Playing, frames: int) -> None:
        after_ms = (one.frames + frames) * 1000 // one.plan.rate
        over_ms = after_ms - most_served_ms(round((one.requested - one.began) * 1000))
        if over_ms > 0:
            raise TooFast(1 + over_ms // 2000)

    # -- in threads

    async def _in_thread[*P, T](self, work: Callable[[*P], T], *args: *P) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    def _plan_of(self, listening: str) -> tuple[Key, Plan]:
        with open_reader(self._data.store) as reader:
            call = _call_of(reader, listening)
            return call, self._plan(reader, call)

    def _plan(self, reader: Reader, call: Key) -> Plan:
        if not self._data.recordings_index.exists():
            raise Refused("none")
        with Index(self._data.recordings_index) as index:
            return playing.plan(reader, index, call)

    def _check(self, one: Playing) -> None:
        """What is known of its call and its file is as it was: else pauses may lie elsewhere."""
        with open_reader(self._data.store) as reader:
            if self._plan(reader, one.call) != one.plan:
                raise Refused("changed")
        playing.check(one.plan)

    def _peaks(self, one: Playing) -> list[list[int]]:
        self._check(one)
        return playing.peaks(self._decoders, one.plan)

    def _part(self, one: Playing, first: int, last: int) -> bytes:
        """A player asks for a few seconds at a time: more is decoded at once than it asks for."""
        self._check(one)
        its, frame = one.block_at, one.frame_bytes
        if not its <= first <= last <= its + len(one.block) // frame:
            all_of_it = one.plan.size // frame
            end = min(max(last, first + _BLOCK // one.plan.sides), all_of_it)
            one.block, one.block_at = b"", first
            one.block = playing.frames(self._decoders, one.plan, first, end)
            its = first
        return one.block[(first - its) * frame : (last - its) * frame]

    # -- by the clock

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Tell the hub what is due, and end what is over."""
        due, self._ending = self._ending, []
        for ending in due:
            await self._end(ending)
        now = self._monotonic()
        for one in [*self._going.values()]:
            if one.over.is_set():
                await self.end(one, "session_over")
            elif now - one.requested >= IDLE_S:
                await self.end(one, "closed")
            elif now - one.tried >= TELL_S:
                one.tried = now
                await self._go_on(one)

    async def review(self, purpose: str) -> None:
        """Ask the hub now whether those for that purpose may go on: one has just been ended."""
        for one in [*self._going.values()]:
            if one.purpose == purpose:
                await self._go_on(one)

    async def _go_on(self, one: Playing) -> None:
        body = {
            "action": "hearing_continued", "by": one.person.id, "listening": one.listening,
            "heard_ms": one.heard_ms,
        }  # fmt: skip
        try:
            answer = await self._tell("hub.act", body)
        except _SILENT:
            return
        if "error" not in answer:
            one.confirmed = self._monotonic()
        elif answer["error"] not in _PASSING:
            log.info("a hearing has ended: %s", answer["error"])
            self._drop(one)


def _call_of(reader: Reader, listening: str) -> Key:
    """By what the hub has just written down."""
    its = tables.listenings.c
    query = select(its.call_s, its.call_e, its.call_n).where(its.listening == listening)
    with reader.engine.connect() as tx:
        row = tx.execute(query).first()
    if row is None:
        raise Refused("none")
    return row[0], row[1], row[2]
