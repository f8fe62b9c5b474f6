"""Who has marked anywhere in the site, as stations are told: by it a station knows whether a tap
is the first one of a shift. State, not commands: the newest only, unnumbered, never answered.
"""

import time
from collections.abc import Iterable

import msgspec

from diadema.base.clock import Clock
from diadema.site.description import Site
from diadema.store.attendance import SHIFT_MS, Badges
from diadema.store.reader import Reader
from diadema.wire.frames import DOWN_LIMIT

EVERY_S = 1.0
_SEAL = 24  # bytes that the seal adds
_HEAD, _TAIL = b'{"cmd":"marks","i":0,"marks":[', b"]}"

type Mark = tuple[str | None, str | None, str, int | None]  # agent, badge, direction, utc

_encode = msgspec.json.Encoder().encode


class MarksBoard:
    """Each agent's newest mark whose time is known. `read` when the store knows better."""

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader, self._clock = reader, clock
        self._newest: dict[str, tuple[int, str]] = {}
        self._changed: set[str] = set()
        self._sent_at = 0.0
        self.read(None)

    def read(self, site: Site | None) -> None:
        """Everything anew: of this site's people, by what is known of badges and times now."""
        self._roster = {agent.id for agent in site.agents} if site else set()
        with self._reader.engine.connect() as connection:
            self._badges = Badges(connection)
        for one in self._reader.marks(start_utc=self._clock.now_ms() - SHIFT_MS):
            self._note(one.agent, one.direction, one.utc)

    def take(self, marks: Iterable[Mark]) -> None:
        """New ones, that are in the store."""
        for a, badge, direction, utc in marks:
            self._note(a or self._badges.owner(badge, utc), direction, utc)

    def news(self) -> list[bytes]:
        """Frames with what is new since the last time, once a second at most."""
        if not self._changed or time.monotonic() - self._sent_at < EVERY_S:
            return []
        self._sent_at = time.monotonic()
        changed, self._changed = self._changed, set()
        return self._frames(changed)

    def whole(self) -> list[bytes]:
        """Frames with all that counts now, for a station that has just said hello."""
        return self._frames(self._newest)

    def _note(self, a: str | None, direction: str, utc: int | None) -> None:
        if a is None or utc is None or direction not in ("in", "out"):
            return
        if (utc, direction) > self._newest.get(a, (0, "")):
            self._newest[a] = utc, direction
            self._changed.add(a)

    def _frames(self, agents: Iterable[str]) -> list[bytes]:
        since = self._clock.now_ms() - SHIFT_MS
        marks = []
        for a in sorted(self._roster.intersection(agents)):
            utc, direction = self._newest[a]
            if utc > since:
                marks.append(_encode((a, direction, utc)))
        frames, at = [], 0
        while at < len(marks):
            end, size = at, len(_HEAD) + len(_TAIL) + _SEAL
            while end < len(marks) and size + len(marks[end]) + 1 <= DOWN_LIMIT:
                size += len(marks[end]) + 1
                end += 1
            frames.append(_HEAD + b",".join(marks[at:end]) + _TAIL)
            at = end
        return frames
