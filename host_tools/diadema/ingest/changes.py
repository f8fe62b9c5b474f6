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

    def contact(self, contact: Contact) -> None:
        self.contacts[contact.s, contact.e, contact.n] = contact

    def session(self, session: Session) -> None:
        self.sessions[session.s, session.e, session.n] = session
        self.agents.add(session.a)

    def running(self, state: StationState) -> None:
        """The contacts and the agent that a touched station is left with."""
        for contact in state.open:
            self.contacts[contact.s, contact.e, contact.n] = contact
        if state.session is not None:
            self.agents.add(state.session.a)

    def place(self, s: str, state: StationState) -> None:
        """The boot got its first anchor: give an hour to what came before it."""
        assert state.offset is not None
        for held in (*state.open, state.last):  # not a copy: what is running goes on with these
            if held is not None:
                self.contacts.setdefault((held.s, held.e, held.n), held)
        if state.session is not None:
            session = state.session
            self.sessions.setdefault((session.s, session.e, session.n), session)
        contacts, sessions = self.unplaced(s, state.e, state.b)
        for contact in contacts:  # what this batch holds is newer than the stored row
            self.contacts.setdefault((contact.s, contact.e, contact.n), contact)
        for session in sessions:
            self.sessions.setdefault((session.s, session.e, session.n), session)
        for contact in self.contacts.values():
            if contact.s == s and contact.e == state.e:
                _place_contact(contact, state.b, state.offset)
        for session in self.sessions.values():
            if session.s == s and session.e == state.e:
                _place_session(session, state.b, state.offset)
                self.agents.add(session.a)
        if state.shown_utc is None and state.shown_b == state.b:
            state.shown_utc = state.shown_u + state.offset
        self.placed = True


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
