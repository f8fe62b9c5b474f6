"""What a batch of events changed: the rows to write, the agents to show anew, the answers.

What is still running in a touched station is added at the end, by `running`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from diadema.ingest.state import StationState
from diadema.store.rows import Contact, Session

type Key = tuple[str, int, int]
type Rows = tuple[list[Contact], list[Session]]


@dataclass
class Changes:
    """Made for one batch. `unplaced(s, e, b)` reads the stored rows of a boot without UTC."""

    unplaced: Callable[[str, int, int], Rows]
    contacts: dict[Key, Contact] = field(default_factory=dict)
    sessions: dict[Key, Session] = field(default_factory=dict)
    agents: set[str] = field(default_factory=set)
    answered: list[Contact] = field(default_factory=list)  # for the day's figures
    closed: list[Contact] = field(default_factory=list)
    ended: list[Session] = field(default_factory=list)
    placed: bool = False  # older rows got their hour: the day's figures must be read again
    fresh: dict[str, tuple[int, int]] = field(default_factory=dict)  # s: e, b begun in this batch
    hourless: dict[str, list[Contact | Session]] = field(default_factory=dict)  # by station

    def contact(self, contact: Contact) -> None:
        self.contacts[contact.s, contact.e, contact.n] = contact
        if contact.start_utc is None or contact.close_utc is None:
            self.hourless.setdefault(contact.s, []).append(contact)

    def session(self, session: Session) -> None:
        self.sessions[session.s, session.e, session.n] = session
        self.agents.add(session.a)
        if session.open_utc is None or session.close_utc is None:
            self.hourless.setdefault(session.s, []).append(session)

    def running(self, state: StationState) -> None:
        """The contacts and the agent that a touched station is left with."""
        for contact in state.open:
            self.contacts[contact.s, contact.e, contact.n] = contact
        if state.session is not None:
            self.agents.add(state.session.a)

    def place(self, s: str, state: StationState) -> None:
        """The boot got its first anchor: give an hour to what came before it."""
        assert state.offset is not None
        rows: list[Contact | Session] = list(state.open)  # what is running goes on with these
        if state.last is not None:
            rows.append(state.last)
        if state.session is not None:
            rows.append(state.session)
        rows += self.hourless.pop(s, ())
        if self.fresh.get(s) != (state.e, state.b):  # else nothing of it is stored yet
            contacts, sessions = self.unplaced(s, state.e, state.b)
            rows += (*contacts, *sessions)
            self.placed = True
        for row in rows:
            if row.e == state.e:
                self._place(row, state.b, state.offset)
        if state.shown_utc is None and state.shown_b == state.b:
            state.shown_utc = state.shown_u + state.offset

    def _place(self, row: Contact | Session, b: int, offset: int) -> None:
        """Give the row its hour, unless there is a newer one of it (they come newest first)."""
        key = row.s, row.e, row.n
        if isinstance(row, Contact):
            if self.contacts.setdefault(key, row) is row:
                _place_contact(row, b, offset)
        elif self.sessions.setdefault(key, row) is row:
            _place_session(row, b, offset)
            self.agents.add(row.a)


def _place_contact(contact: Contact, b: int, offset: int) -> None:
    if contact.start_b == b:
        if contact.start_utc is None:
            contact.start_utc, contact.late = contact.start_u + offset, True
        if contact.answered_u is not None and contact.answered_utc is None:
            contact.answered_utc, contact.late = contact.answered_u + offset, True
    if contact.end_b == b and contact.end_u is not None and contact.end_utc is None:
        contact.end_utc, contact.late = contact.end_u + offset, True
    if contact.close_b == b and contact.close_u is not None and contact.close_utc is None:
        contact.close_utc, contact.late = contact.close_u + offset, True


def _place_session(session: Session, b: int, offset: int) -> None:
    if session.open_b == b and session.open_utc is None:
        session.open_utc, session.late = session.open_u + offset, True
    if session.close_b == b and session.close_u is not None and session.close_utc is None:
        session.close_utc, session.late = session.close_u + offset, True
