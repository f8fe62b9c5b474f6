"""What the hub can be asked to do for a supervisor (`hub.act`) or to note (`hub.record`).

The bodies of the API and the browser's own limits are made from here. What is said of a struct is
what the API says of it.
"""

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct, field

from diadema.wire.letters import LETTERS, By, Count, Direction, Of, Sequence, Station, Utc

MESSAGE_CHARACTERS = 84  # what a station's screen takes
MESSAGE_AGENTS = 200
CONTACT_CHARACTERS = 64
NOTE_CHARACTERS = 200
REASON_CHARACTERS = 64
SEAT_CHARACTERS = 12
SEATS_OF_A_TICKET = 200
QUEUE_CHARACTERS = 64
TITLE_CHARACTERS = 60
TEXT_CHARACTERS = 1000  # of what no station shows
CAUSE_CHARACTERS = 48
NUMBER_CHARACTERS = 32
SHORT_ID = r"^[0-9a-z]{12}\Z"

type Agent = Annotated[str, Meta(min_length=1, max_length=24)]
type Reason = Annotated[str, Meta(min_length=1, max_length=REASON_CHARACTERS)]
type Note = Annotated[str, Meta(max_length=NOTE_CHARACTERS)]
type Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,24}\Z")]
type Queue = Annotated[str, Meta(min_length=1, max_length=QUEUE_CHARACTERS)]
type Contact = Annotated[str, Meta(min_length=1, max_length=CONTACT_CHARACTERS)]
type Seat = Annotated[str, Meta(min_length=1, max_length=SEAT_CHARACTERS)]
type Seats = Annotated[list[Seat], Meta(max_length=SEATS_OF_A_TICKET)]
type ShortId = Annotated[str, Meta(pattern=SHORT_ID)]
type TicketId = Annotated[str, Meta(pattern=SHORT_ID)]
type Severity = Annotated[int, Meta(ge=1, le=4)]
type Title = Annotated[str, Meta(min_length=1, max_length=TITLE_CHARACTERS)]
type Cause = Annotated[str, Meta(min_length=1, max_length=CAUSE_CHARACTERS)]
type Number = Annotated[str, Meta(min_length=1, max_length=NUMBER_CHARACTERS)]
type Gap = Literal["none", "missing", "unclear", "wrong"]
type Playbook = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,16}\Z")]
type Learnt = Annotated[str, Meta(min_length=1, max_length=TEXT_CHARACTERS)]
type Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")]
type NoteKind = Literal[
    "orientacion", "llamada_atencion", "retro_posicion", "cambio_pausa", "novedad_turno"
]
HelpAnswer = Literal["accepted", "resolved"]
FaultAnswer = Literal["accepted", "resolved", "rejected"]
GAPS: tuple[str, ...] = get_args(Gap.__value__)
NOTE_KINDS: tuple[str, ...] = get_args(NoteKind.__value__)
OF_A_RULE = "rule:"  # begins the names of rules, which act too; no account has such a one
REPRIMAND = "llamada_atencion"  # told to the agent, and read by few
PRESS_ANSWERS = {"help": get_args(HelpAnswer), "fault": get_args(FaultAnswer)}


class ActionRequest(Struct, kw_only=True, tag_field="action", forbid_unknown_fields=True):
    """`by`: the account or the rule; `who`: the name that a station shows, else the same;
    `among`: the agents on whom that account may act, all if it is left out.
    """

    by: By
    who: str = ""
    note: Note | None = None
    among: frozenset[str] | None = None


class SendMessage(ActionRequest, tag="message", kw_only=True):
    """`sign`: the agent confirms it with the own badge; `of`: the request for help that it
    answers, then it goes to whoever made that.
    """

    agents: Annotated[list[Agent], Meta(max_length=MESSAGE_AGENTS)] = field(default_factory=list)
    text: Annotated[str, Meta(min_length=1, max_length=MESSAGE_CHARACTERS)]
    reason: Reason
    sign: bool = False
    of: Of | None = None


class ForcePresence(ActionRequest, tag="presence", kw_only=True, rename=LETTERS):
    """Not ready, with one of the site's reasons; nobody but the agent sets ready. In a call it
    waits for the end of the wrap-up.
    """

    agent: Agent
    reason: Word


class LogOut(ActionRequest, tag="logout", kw_only=True, rename=LETTERS):
    """The agent's session ends, after the call and its wrap-up; the station shows who did it and
    why.
    """

    agent: Agent
    reason: Reason


class Move(ActionRequest, tag="move", kw_only=True, rename=LETTERS):
    """To another seat: a logout that also shows the agent where to go."""

    agent: Agent
    seat: Seat
    reason: Reason


class EndWrapup(ActionRequest, tag="wrapup_closed", kw_only=True, rename=LETTERS):
    """The agent's wrap-up ends now; the call can still get its code."""

    agent: Agent
    reason: Reason


class SkipTest(ActionRequest, tag="selftest_skipped", kw_only=True, rename=LETTERS):
    """The agent is not asked any more in this shift whether station, tools and materials are in
    order.
    """

    agent: Agent
    reason: Reason


class ResetPin(ActionRequest, tag="pin_reset", kw_only=True, rename=LETTERS):
    """The agent's PIN is void; with the answer's `code`, shown once, the agent chooses another at
    a station within a day.
    """

    agent: Agent
    reason: Reason


class AnswerHelp(ActionRequest, tag="help", kw_only=True, rename=LETTERS):
    """`of`: the agent's request; else the open one."""

    agent: Agent | None = None
    state: HelpAnswer
    of: Of | None = None
    result: Word | None = None


class AssignHelp(ActionRequest, tag="help_assigned", kw_only=True, rename=LETTERS):
    """The request is handed over to that account, who has yet to say that they come."""

    of: Of
    to: By
    reason: Reason


class NoteHelp(ActionRequest, tag="help_noted", kw_only=True, rename=LETTERS):
    """What was learnt of a request, also of one that is over. `gap`: what the playbook lacked;
    that of the call, unless another one is named. Whoever answers for it is told.
    """

    of: Of
    gap: Gap | None = None
    playbook: Playbook | None = None
    version: Playbook | None = None
    text: Learnt | None = None


class AnswerFault(ActionRequest, tag="fault", kw_only=True, rename=LETTERS):
    agent: Agent | None = None
    station: Station | None = None
    state: FaultAnswer
    of: Of | None = None
    cause: Word | None = None


class Noted(ActionRequest, tag="note", kw_only=True, rename=LETTERS):
    """What was done off the system; `c`: the contact it was about."""

    agent: Agent
    kind: NoteKind
    contact: Contact | None = None


class Acknowledge(ActionRequest, tag="acknowledge", kw_only=True, rename=LETTERS):
    """An alert was seen: its rule, and since when it holds."""

    agent: Agent | None = None
    station: Station | None = None
    queue: Queue | None = None
    rule: Word
    since: Utc | None = None


def alert_rule(rule: str, queue: str | None) -> str:
    """By which an alert is known: that of a queue has the queue in it."""
    return rule if queue is None else f"{rule}/{queue}"


ACTIONS: tuple[type[ActionRequest], ...] = (
    SendMessage,
    ForcePresence,
    LogOut,
    Move,
    EndWrapup,
    SkipTest,
    ResetPin,
    AnswerHelp,
    AnswerFault,
    Noted,
    Acknowledge,
)


class Annul(ActionRequest, tag="annul", kw_only=True, rename=LETTERS):
    """A note counts no more, and stays in the register; `own`: only one that `by` made."""

    of: Of
    reason: Reason
    own: bool = False


class AnswerReprimand(ActionRequest, tag="reply", kw_only=True, rename=LETTERS):
    """What the agent says to a reprimand, once: `note`."""

    agent: Agent
    of: Of


# on a request for help that one names, by whoever may take it
ON_HELP: tuple[type[ActionRequest], ...] = (AnswerHelp, AssignHelp, NoteHelp, SendMessage)
# on entries of the register, not on agents
ON_ENTRIES: tuple[type[ActionRequest], ...] = (Annul, AnswerReprimand)
ANY_ACTION: Any = reduce(or_, (*ACTIONS, AssignHelp, NoteHelp, *ON_ENTRIES))


class OpenTicket(ActionRequest, tag="ticket_opened", kw_only=True):
    """A failure: of a report, `of`, or one that nobody pressed. `whole`: a queue or a campaign
    stands; `seats`: where it is known of.
    """

    area: Word
    part: Word | None = None
    severity: Severity | None = None
    seats: Seats | None = None
    title: Title
    of: Of | None = None
    whole: bool = False


class LinkTicket(ActionRequest, tag="ticket_linked", kw_only=True):
    """The ticket adopts that report, wherever it was."""

    ticket: TicketId
    of: Of


class TakeTicket(ActionRequest, tag="ticket_taken", kw_only=True):
    """`to`: who has it from now on, else the account that asks; `external`: its number there."""

    ticket: TicketId
    to: By | None = None
    external: Number | None = None


class ChangeTicket(ActionRequest, tag="ticket_changed", kw_only=True):
    ticket: TicketId
    severity: Severity | None = None
    area: Word | None = None
    reason: Reason
    external: Number | None = None


class NoteTicket(ActionRequest, tag="ticket_noted", kw_only=True):
    ticket: TicketId
    text: Learnt


class ResolveTicket(ActionRequest, tag="ticket_resolved", kw_only=True):
    """The stations of its reports are told, and ask whether it works."""

    ticket: TicketId
    cause: Cause
    fix: Cause | None = None


class ReopenTicket(ActionRequest, tag="ticket_reopened", kw_only=True):
    ticket: TicketId
    reason: Reason


class CloseTicket(ActionRequest, tag="ticket_closed", kw_only=True):
    """Rejected: there is no such fault, and of a mass failure, that it is none: each seat has its
    own again. Duplicate: its reports go to `other`.
    """

    ticket: TicketId
    outcome: Literal["rejected", "duplicate"]
    reason: Reason
    other: TicketId | None = None


TICKET_STEPS: tuple[type[ActionRequest], ...] = (
    LinkTicket,
    TakeTicket,
    ChangeTicket,
    NoteTicket,
    ResolveTicket,
    ReopenTicket,
    CloseTicket,
)
ON_TICKETS: tuple[type[ActionRequest], ...] = (OpenTicket, *TICKET_STEPS)
ANY_TICKET: Any = reduce(or_, ON_TICKETS)


class Record(Struct, kw_only=True, tag_field="k", forbid_unknown_fields=True):
    by: By


class Correct(Record, tag="attendance.corrected", kw_only=True, rename=LETTERS):
    agent: Agent
    direction: Direction
    time: Utc
    reason: Note
    of: Of | None = None
    evidence: Note | None = None


class Justify(Record, tag="attendance.justified", kw_only=True, rename=LETTERS):
    agent: Agent
    reason: Note
    of: Of | None = None
    day: Day | None = None
    time: Utc | None = None
    evidence: Note | None = None


class Schedule(Record, tag="schedule.published", kw_only=True, rename=LETTERS):
    agent: Agent
    day: Day
    version: Sequence
    shift: Word | None = None
    start: Utc | None = None
    end: Utc | None = None
    pauses: Annotated[list[tuple[Utc, Utc, str]], Meta(max_length=6)] = field(default_factory=list)
    absence: Word | None = None


class Schedules(Record, tag="schedules", kw_only=True):
    """Many days at once; each is an event of its own."""

    days: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=500)]

    def each(self) -> list[Schedule]:
        common = {"k": "schedule.published", "by": self.by}
        return msgspec.convert([one | common for one in self.days], list[Schedule])


class Catalogue(Record, tag="catalogue.published", kw_only=True):
    catalogue: Word
    version: Count
    hash: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class PublishedNotice(Record, tag="notice.published", kw_only=True):
    notice: Playbook
    side: Literal["caller", "agent"]
    version: Count
    hash: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


ANY_RECORD: Any = Correct | Justify | Schedule | Schedules | Catalogue | PublishedNotice
