"""`/ws?scope=help`: the calls for help that concern one person, in order, and each change of them.

A message is as on the floor (`floor.channel`), but `d` has whole entries, each of which replaces
the one with its `of`; `order` is there when it is another one: an entry that it lacks is over.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from diadema.access.roles import Person
from diadema.store.assistance import Key
from diadema.web.floor.channel import Counts, Source, Stream
from diadema.web.help.board import Board
from diadema.web.help.view import shown

type Entries = dict[Key, dict[str, Any]]


class HelpStream(Stream):
    """`moment`: now, in the site's zone."""

    def __init__(
        self,
        source: Source,
        board: Board,
        moment: Callable[[], datetime],
        person: Person,
        counts: Counts,
    ) -> None:
        super().__init__(source, person.scope(source.people()), counts)
        self._board = board
        self._moment = moment
        self._person = person
        self._entries = self._look()
        board.on_change.append(self._schedule)

    def close(self) -> None:
        super().close()
        self._board.on_change.remove(self._schedule)

    def beat(self) -> float:
        """Time alone changes who helps, too."""
        self._schedule()
        return super().beat()

    def _look(self) -> Entries:
        rows, people = self._source.floor.rows, self._source.people()
        found = shown(self._board.going, rows, self._person, people, self._moment())
        return {entry["of"]: entry for entry in found}

    def _flush(self) -> None:
        before, self._entries = self._entries, self._look()
        changed = [one for of, one in self._entries.items() if before.get(of) != one]
        news: dict[str, Any] = {"d": changed}
        if [*before] != [*self._entries]:
            news["order"] = [*self._entries]
        if changed or "order" in news:
            self._flushed()
            self._send(news)

    def _contents(self) -> dict[str, Any]:
        return {"rows": [*self._look().values()]}
