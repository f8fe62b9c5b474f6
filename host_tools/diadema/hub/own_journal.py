"""The hub's own journal: what people do at the host, as events like any other (`s` is HUB-main).

Its place, `e` and the next `n`, is what the store has: an event and the commands that go with it
are in one transaction, so that a crash leaves no gap, no double and no half. A store that was
restored begins another epoch: what was said after its backup may stand in the stream.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, field

from diadema.base import sanitize
from diadema.base.errors import DiademaError
from diadema.base.idempotency import Once
from diadema.hub.commanding import (
    Commands,
    Delivery,
    Frames,
    New,
    Numbered,
    answer_row,
)
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Effects, Message, Orders, subject_of
from diadema.maintenance.records_keeping import restored_epoch
from diadema.store.rows import HUB
from diadema.wire.events import EVENT_LIMIT, KINDS
from diadema.words import Sentence

ME = f"{HUB}main"
_MOST = 2**32 - 1
_SEVERAL_LINES = (
    ("ticket.noted", "text"), ("help.noted", "text"), ("evaluation.noted", "text"),
)  # fmt: skip
_encode = msgspec.json.Encoder().encode


class Refused(DiademaError):
    """The hub does not do that: `error` is a short word for programs, `status` of HTTP. `detail`
    is for technicians, but for a sentence, which people read.
    """

    def __init__(
        self, error: str, detail: str | Sentence, status: int = 409, /, **values: Any
    ) -> None:
        super().__init__(detail)
        self.error, self.status, self.values = error, status, values


class SupervisorAction(Struct):
    """Events of one action, kind and fields each; `order`: the command that it is."""

    events: list[tuple[str, dict[str, Any]]]
    order: New | None = None


class Reply(NamedTuple):
    """To an act that names itself: what is answered, by the `of` and `numbers` of `Recorded`."""

    once: Once
    answer: Callable[[list[tuple[str, int, int]], list[int | None]], dict[str, Any]]


class Recorded(NamedTuple):
    """`of`: of each action, its first event; `numbers`: of its command, where it has one;
    `messages`: the events, as the stream may keep them.
    """

    of: list[tuple[str, int, int]]
    numbers: list[int | None]
    messages: list[Message]
    effects: Effects
    frames: Frames


class OwnJournal:
    def __init__(self, ingest: Ingest, commands: Commands) -> None:
        self._ingest = ingest
        self._commands = commands
        self._first = secrets.randbits(32)
        with ingest.changing([]) as tx:
            self._restored = restored_epoch(tx)

    def next_place(self) -> tuple[int, int]:
        """Epoch and number of the next event."""
        e, n = self._place()
        return e, n + 1

    def record(self, actions: Sequence[SupervisorAction], reply: Reply | None = None) -> Recorded:
        """Store them, with what is answered, and give what follows. Raises Refused,
        StoreUnavailable or StoreStale; then nothing was stored.
        """
        for action in actions:
            for k, fields in action.events:
                _check(k, self._whole(action, k, fields, _MOST, _MOST, _MOST))
        made = _Made()

        def build() -> tuple[list[Message], Orders]:
            made.numbered = self._commands.number([one.order for one in actions if one.order])
            e, n = self._place()
            waiting = iter(made.numbered.made)
            made.messages = []
            for action in actions:
                i = next(waiting).i if action.order else None
                made.numbers.append(i)
                made.of.append((ME, e, n + 1))
                for k, fields in action.events:
                    n += 1
                    body = _encode(self._whole(action, k, fields, e, n, i))
                    made.messages.append(Message(n, subject_of(ME), body))
            if reply is not None:
                answer = reply.answer(made.of, made.numbers)
                row = answer_row(reply.once, answer, self._ingest.clock.now_ms())
                made.numbered.orders.answers.append(row)
            return made.messages, made.numbered.orders

        effects = self._ingest.record(build)
        assert made.numbered is not None
        self._commands.stored(made.numbered)
        frames: Frames = []
        for new, command in zip(made.numbered.wanted, made.numbered.made, strict=True):
            frames += self._commands.frames(Delivery(new.station, [command]))
        return Recorded(made.of, made.numbers, made.messages, effects, frames)

    def _place(self) -> tuple[int, int]:
        """The journal's epoch, a random one before its first event, and its newest number."""
        if self._restored is not None:
            return self._restored, self._ingest.journal(ME, self._restored).position
        station = self._ingest.station(ME)
        if not station.journals:
            return self._first, 0
        return station.state.epoch, station.journal_of(station.state.epoch).position

    def _whole(
        self,
        action: SupervisorAction,
        k: str,
        fields: Mapping[str, Any],
        e: int,
        n: int,
        i: int | None,
    ) -> dict[str, Any]:
        place = {"s": ME, "e": e, "n": n, "b": 0, "u": 0, "t": self._ingest.clock.now_ms(), "k": k}
        given = {name: value for name, value in fields.items() if value is not None}
        if action.order is not None:
            given |= {"target": action.order.station, "command": i}
        return place | given


class _Made(Struct):
    numbered: Numbered | None = None
    of: list[tuple[str, int, int]] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


def _check(k: str, event: dict[str, Any]) -> None:
    """Raises Refused for what is no such event, for characters that nobody sees, and for one that
    is too long, which a text of it then is.
    """
    for name, value in event.items():
        lines = (k, name) in _SEVERAL_LINES
        texts = value if isinstance(value, list) else [value]
        said = "".join(one for one in texts if isinstance(one, str))
        if found := sanitize.hidden(said, lines=lines):
            detail = f"{name} has {', '.join(found)}, which nobody sees: write it without"
            raise Refused("hidden", detail, 422, name=name, found=", ".join(found))
    try:
        msgspec.convert(event, KINDS[k])
        size = len(_encode(event))
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise Refused("bad_request", str(error), 422) from error
    if size > EVENT_LIMIT:
        more = size - EVENT_LIMIT
        raise Refused("too_long", f"the texts are {more} bytes too long", 422, bytes=more)
