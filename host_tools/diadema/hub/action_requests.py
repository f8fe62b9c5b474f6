"""What the hub can be asked to do for a supervisor (`hub.act`) or to note (`hub.record`)."""

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from diadema.wire.events import (
    By,
    Count,
    Direction,
    Of,
    Sequence,
    Station,
    Utc,
)
from diadema.wire.letters import LETTERS

type Agent = Annotated[str, Meta(min_length=1, max_length=24)]
type Reason = Annotated[str, Meta(min_length=1, max_length=64)]
type Note = Annotated[str, Meta(max_length=200)]
type Text = Annotated[str, Meta(min_length=1, max_length=84)]
type Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,24}\Z")]


class ActionRequest(Struct, kw_only=True, tag_field="action", forbid_unknown_fields=True):
    """`by`: the account or the rule; `who`: the name that a station shows, else the same;
    `among`: the agents on whom that account may act, all if it is left out.
    """

    by: By
    who: str = ""
    note: Note | None = None
    among: frozenset[str] | None = None


class SendMessage(ActionRequest, tag="message", kw_only=True):
    """To each of `agents`. `sign` asks for the own badge of the agent under it."""

    agents: Annotated[list[Agent], Meta(min_length=1, max_length=200)]
    text: Text
    reason: Reason
    sign: bool = False


class ForcePresence(ActionRequest, tag="presence", kw_only=True, rename=LETTERS):
    """`reason`: one of the site's. Nobody but the agent sets ready."""

    agent: Agent
    reason: Reason


class LogOut(ActionRequest, tag="logout", kw_only=True, rename=LETTERS):
    agent: Agent
    reason: Reason


class Move(ActionRequest, tag="move", kw_only=True, rename=LETTERS):
    """To another seat: the session here ends, and the agent is told where to go."""

    agent: Agent
    seat: str
    reason: Reason


class EndWrapup(ActionRequest, tag="wrapup_closed", kw_only=True, rename=LETTERS):
    agent: Agent
    reason: Reason


class ResetPin(ActionRequest, tag="pin_reset", kw_only=True, rename=LETTERS):
    """A code for one use, with which the agent chooses a PIN at a station."""

    agent: Agent
    reason: Reason


class AnswerHelp(ActionRequest, tag="help", kw_only=True, rename=LETTERS):
    """`of`: the request; else the open one of the agent."""

    agent: Agent | None = None
    of: Of | None = None
    state: Literal["accepted", "resolved"]
    result: Word | None = None


class AnswerFault(ActionRequest, tag="fault", kw_only=True, rename=LETTERS):
    agent: Agent | None = None
    station: Station | None = None
    of: Of | None = None
    state: Literal["accepted", "resolved", "rejected"]
    cause: Word | None = None


class Noted(ActionRequest, tag="note", kw_only=True, rename=LETTERS):
    """What was done off the system."""

    agent: Agent
    kind: Literal[
        "orientacion", "llamada_atencion", "retro_posicion", "cambio_pausa", "novedad_turno"
    ]
    contact: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Acknowledge(ActionRequest, tag="acknowledge", kw_only=True, rename=LETTERS):
    """An alert was seen by a person: its rule, and since when it holds."""

    agent: Agent | None = None
    station: Station | None = None
    rule: Word
    since: Utc | None = None


ACTIONS = (
    SendMessage, ForcePresence, LogOut, Move, EndWrapup, ResetPin, AnswerHelp, AnswerFault, Noted,
    Acknowledge,
)  # fmt: skip
ANY_ACTION: Any = reduce(or_, ACTIONS)


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
    day: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")] | None = None
    time: Utc | None = None
    evidence: Note | None = None


class Schedule(Record, tag="schedule.published", kw_only=True, rename=LETTERS):
    agent: Agent
    day: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")]
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


RECORDS = (Correct, Justify, Schedule, Schedules, Catalogue)
ANY_RECORD: Any = reduce(or_, RECORDS)
