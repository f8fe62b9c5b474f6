"""`/ws?scope=faults`, and `area`: the tickets that one person may see, whole after each change of
any. A message is as on the floor (`floor.channel`); its `d` is always empty.
"""

from typing import Any

from diadema.access.roles import Person
from diadema.web.faults.board import Tickets, view_for
from diadema.web.floor.channel import Counts, Source, Stream


class TicketStream(Stream):
    """`desk`: which of the two pages it is for."""

    def __init__(
        self, source: Source, tickets: Tickets, desk: str, person: Person, counts: Counts
    ) -> None:
        super().__init__(source, person.scope(source.people()), counts)
        self._tickets, self._desk, self._person = tickets, desk, person
        self._shown = self._contents()
        tickets.on_change.append(self._schedule)

    def close(self) -> None:
        super().close()
        self._tickets.on_change.remove(self._schedule)

    def beat(self) -> float:
        """Whose area a ticket is of, and what people call things, is changed elsewhere."""
        self._tickets.look()
        if self._source.people() is not self._people:
            self._people = self._source.people()
            self._schedule()
        return super().beat()

    def _contents(self) -> dict[str, Any]:
        known = self._tickets.known
        view = view_for(self._person, self._desk, self._source.people(), known)
        return {"tickets": view.rows(known.cases), "loose": view.loose(known.loose)}

    def _flush(self) -> None:
        before, self._shown = self._shown, self._contents()
        if self._shown != before:
            self._flushed()
            self._seq += 1
            self._publish(self._snapshot())
