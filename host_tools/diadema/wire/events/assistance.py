"""The two calls for assistance, help and fault: the press at a station and what is said of it
there, and what people at the host do about it. What comes after a press has its `of`.

A ticket is a problem that reports of faults are adopted by. A text that no event holds travels in
parts: `part` of `parts`, the last with the SHA-256 of the whole.
"""

from typing import Annotated

from msgspec import UNSET, Meta

from diadema.wire.actions import GAPS, Severity, TicketId, Title
from diadema.wire.events.people import HostEvent, Sha256
from diadema.wire.letters import Count, Event, Maybe, Of, Utc, Version, words

SEVERITIES = (1, 2, 3, 4)

type Answer = Annotated[str, words("yes", "no")]


class HelpRequested(Event, tag="help.requested", kw_only=True, gc=False):
    pass


class HelpTopic(Event, tag="help.topic", kw_only=True, gc=False):
    of: Of
    topic: str


class HelpAccepted(Event, tag="help.accepted", kw_only=True, gc=False):
    of: Of
    i: Count
    by: str


class HelpCancelled(Event, tag="help.cancelled", kw_only=True, gc=False):
    of: Of


class HelpResolved(Event, tag="help.resolved", kw_only=True, gc=False):
    of: Of
    i: Count
    by: str
    result: Maybe[str] = UNSET


class FaultReported(Event, tag="fault.reported", kw_only=True, gc=False):
    """The press itself, bare; then, with `of`, the area and the part that the agent names."""

    of: Maybe[Of] = UNSET
    area: Maybe[str] = UNSET
    part: Maybe[str] = UNSET


class FaultAnswer(Event, kw_only=True, gc=False):
    of: Of
    i: Count
    by: str
    cause: Maybe[str] = UNSET
    reason: Maybe[str] = UNSET


class FaultAccepted(FaultAnswer, tag="fault.accepted", kw_only=True, gc=False):
    pass


class FaultResolved(FaultAnswer, tag="fault.resolved", kw_only=True, gc=False):
    pass


class FaultRejected(FaultAnswer, tag="fault.rejected", kw_only=True, gc=False):
    pass


class HelpRated(Event, tag="help.rated", kw_only=True, gc=False):
    """Whether the help served, as the agent says once."""

    of: Of
    answer: Answer


class FaultConfirmed(Event, tag="fault.confirmed", kw_only=True, gc=False):
    """Whether it works again. After a no the station reports the fault anew."""

    of: Of
    answer: Answer


class HelpEvent(HostEvent, kw_only=True, gc=False):
    of: Of


class HelpAssigned(HelpEvent, tag="help.assigned", kw_only=True, gc=False):
    """Handed over to an account, who has yet to say that they come."""

    to: str
    reason: str


class HelpEscalated(HelpEvent, tag="help.escalated", kw_only=True, gc=False):
    """Nobody came. `level`: 1 is the next group, 2 an alert."""

    level: Annotated[int, Meta(ge=1, le=2)]


class HelpNoted(HelpEvent, tag="help.noted", kw_only=True, gc=False):
    """What was learnt of it. `gap`: what the playbook lacked."""

    gap: Maybe[Annotated[str, words(*GAPS)]] = UNSET
    playbook: Maybe[str] = UNSET
    version: Maybe[Version] = UNSET
    text: Maybe[str] = UNSET
    part: Maybe[Count] = UNSET
    parts: Maybe[Count] = UNSET
    sha256: Maybe[Sha256] = UNSET


class TicketEvent(HostEvent, kw_only=True, gc=False):
    ticket: TicketId


class TicketOpened(TicketEvent, tag="ticket.opened", kw_only=True, gc=False):
    """`of`: the report or the station's own fault that it began with; none, of one that was
    entered by hand. `seats`: the first of those it is known of. `due`: until when somebody takes
    it.
    """

    area: str
    part: Maybe[str] = UNSET
    severity: Severity
    seats: Maybe[Annotated[list[str], Meta(max_length=3)]] = UNSET
    title: Title
    of: Maybe[Of] = UNSET
    due: Maybe[Utc] = UNSET


class TicketLinked(TicketEvent, tag="ticket.linked", kw_only=True, gc=False):
    """It adopts a report."""

    of: Of


class TicketTaken(TicketEvent, tag="ticket.taken", kw_only=True, gc=False):
    """`to`: who has it now; `due`: until when it is solved; `external`: its number there."""

    to: str
    due: Maybe[Utc] = UNSET
    external: Maybe[str] = UNSET


class TicketChanged(TicketEvent, tag="ticket.changed", kw_only=True, gc=False):
    """`part`: with an area that the agent named late."""

    severity: Maybe[Severity] = UNSET
    area: Maybe[str] = UNSET
    part: Maybe[str] = UNSET
    reason: str
    due: Maybe[Utc] = UNSET
    external: Maybe[str] = UNSET


class TicketNoted(TicketEvent, tag="ticket.noted", kw_only=True, gc=False):
    text: str
    part: Maybe[Count] = UNSET
    parts: Maybe[Count] = UNSET
    sha256: Maybe[Sha256] = UNSET


class TicketResolved(TicketEvent, tag="ticket.resolved", kw_only=True, gc=False):
    cause: str
    fix: Maybe[str] = UNSET


class TicketReopened(TicketEvent, tag="ticket.reopened", kw_only=True, gc=False):
    reason: str
    due: Maybe[Utc] = UNSET


class TicketClosed(TicketEvent, tag="ticket.closed", kw_only=True, gc=False):
    """`other`: the ticket that a duplicate repeats."""

    outcome: Annotated[str, words("confirmed", "unanswered", "rejected", "duplicate")]
    reason: Maybe[str] = UNSET
    other: Maybe[TicketId] = UNSET
    external: Maybe[str] = UNSET
