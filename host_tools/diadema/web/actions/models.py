"""What the API takes and gives of supervisors' actions and messages."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AGENT = r"^[A-Za-z0-9_-]{1,24}$"
WORD = r"^[A-Za-z0-9_.-]{1,24}$"
_UTC = 2**53 - 1

type AgentId = Annotated[str, Field(pattern=AGENT, examples=["a001"])]
type Reason = Annotated[str, Field(min_length=1, max_length=64)]
type Note = Annotated[str, Field(max_length=200)]
type Word = Annotated[str, Field(pattern=WORD)]
type Utc = Annotated[int, Field(ge=0, le=_UTC, description="UTC milliseconds")]
type Place = tuple[
    Annotated[str, Field(max_length=40)],
    Annotated[int, Field(ge=0, le=2**32 - 1)],
    Annotated[int, Field(ge=1, le=_UTC)],
]
type NoteKind = Literal[
    "orientacion", "llamada_atencion", "retro_posicion", "cambio_pausa", "novedad_turno"
]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Action(Strict):
    note: Note | None = None


class Message(_Action):
    """`sign`: the agent confirms it with the own badge."""

    action: Literal["message"]
    text: Annotated[str, Field(min_length=1, max_length=84)]
    reason: Reason
    sign: bool = False


class Presence(_Action):
    """Not ready, with one of the site's reasons; nobody but the agent sets ready. In a call it
    waits for the end of the wrap-up.
    """

    action: Literal["presence"]
    reason: Word


class Logout(_Action):
    """The agent's session ends, after the call and its wrap-up; the station shows who did it and
    why."""

    action: Literal["logout"]
    reason: Reason


class Move(_Action):
    """To another seat: a logout that also shows the agent where to go."""

    action: Literal["move"]
    seat: Annotated[str, Field(min_length=1, max_length=12)]
    reason: Reason


class WrapupClosed(_Action):
    """The agent's wrap-up ends now; the call can still get its code."""

    action: Literal["wrapup_closed"]
    reason: Reason


class PinReset(_Action):
    """The agent's PIN is void; with the answer's `code`, shown once, the agent chooses another at
    a station within a day.
    """

    action: Literal["pin_reset"]
    reason: Reason


class Help(_Action):
    """`of`: the agent's request; else the open one."""

    action: Literal["help"]
    state: Literal["accepted", "resolved"]
    of: Place | None = None
    result: Word | None = None


class Fault(_Action):
    action: Literal["fault"]
    state: Literal["accepted", "resolved", "rejected"]
    of: Place | None = None
    cause: Word | None = None


class Noted(_Action):
    """What was done off the system; `c`: the contact it was about."""

    action: Literal["note"]
    kind: NoteKind
    c: Annotated[str | None, Field(max_length=64)] = None


class Acknowledge(_Action):
    """An alert was seen: its rule, and since when it holds."""

    action: Literal["acknowledge"]
    rule: Word
    since: Utc | None = None


type Action = Annotated[
    Message
    | Presence
    | Logout
    | Move
    | WrapupClosed
    | PinReset
    | Help
    | Fault
    | Noted
    | Acknowledge,
    Field(discriminator="action"),
]
type StationAction = Annotated[Fault | Acknowledge, Field(discriminator="action")]


class Done(BaseModel):
    """`of` names the event that tells of it, `i` the command to the station, if there is one;
    `code`: for one use, and given this once.
    """

    of: Place
    i: int | None
    m: str | None = None
    code: str | None = None


class Messages(Strict):
    """One message to several agents."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"agents": ["a001", "a002"], "text": "Reunión a las 15:00", "reason": "aviso"}
            ]
        }
    )
    agents: Annotated[list[AgentId], Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(min_length=1, max_length=84)]
    reason: Reason
    sign: bool = False
    note: Note | None = None


class SentTo(BaseModel):
    a: str
    of: Place
    i: int


class NotSent(BaseModel):
    a: str
    error: str
    detail: str


class Sent(BaseModel):
    """`m` names the message; `refused`: who did not get it, and why."""

    m: str
    sent: list[SentTo]
    refused: list[NotSent]


class Page(BaseModel):
    """`next`: ask for `after` this to go on; null at the end."""

    items: list[dict[str, Any]]
    next: int | None
