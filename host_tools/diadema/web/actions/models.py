"""What the API takes and gives of supervisors' actions and messages.

The bodies are made from the structs of `wire.actions`, without what the API itself says: on whom,
and who acts.
"""

from collections.abc import Mapping
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Literal, TypeAliasType, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, create_model

from diadema.wire import actions, letters

AGENT = r"^[A-Za-z0-9_-]{1,24}$"


def _bounds(kind: Any) -> Any:
    """What a type of the wire says of its values, as pydantic takes it."""
    (meta,) = getattr(kind, "__value__", kind).__metadata__
    names = ("ge", "le", "min_length", "max_length", "pattern", "description")
    bounds = {name: getattr(meta, name) for name in names if getattr(meta, name) is not None}
    if "pattern" in bounds:
        bounds["pattern"] = bounds["pattern"].replace(r"\Z", "$")  # the very end in either engine
    return Field(**bounds)


type AgentId = Annotated[str, Field(pattern=AGENT, examples=["a001"])]
type Reason = Annotated[str, _bounds(actions.Reason)]
type Note = Annotated[str, _bounds(actions.Note)]
type Word = Annotated[str, _bounds(actions.Word)]
type Account = Annotated[str, _bounds(letters.By)]
type Playbook = Annotated[str, _bounds(actions.Playbook)]
type Learnt = Annotated[str, _bounds(actions.Learnt)]
type Utc = Annotated[int, _bounds(letters.Utc)]
type Place = tuple[
    Annotated[str, Field(max_length=40)],
    Annotated[int, _bounds(letters.Epoch)],
    Annotated[int, _bounds(letters.Sequence)],
]
_TYPES: Mapping[Any, Any] = {
    actions.Reason: Reason,
    actions.Note: Note,
    actions.Word: Word,
    actions.Playbook: Playbook,
    actions.Learnt: Learnt,
    letters.By: Account,
    letters.Utc: Utc,
    actions.Contact: Annotated[str, Field(max_length=actions.CONTACT_CHARACTERS)],
    letters.Of: Place,
}
_SAID_BY_THE_API = {"by", "who", "among", "agent", "agents", "station", "queue", "ticket"}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Action(Strict):
    note: Note | None = None
    action: str


@cache
def _model(kind: type[actions.ActionRequest]) -> type[_Action]:
    """The body of an action: the fields of its struct under the names of the wire."""
    tag = letters.tag_of(kind)
    fields: dict[str, Any] = {"action": (Literal[tag], ...)}
    for field in msgspec.structs.fields(kind):
        if field.name not in _SAID_BY_THE_API:
            default = ... if field.required else field.default
            fields[field.encode_name] = (_type_of(field.type), default)
    name = "Noted" if tag == "note" else tag.title().replace("_", "")  # a `Note` is its text
    return create_model(name, __base__=_Action, __doc__=kind.__doc__, **fields)


def _type_of(kind: Any) -> Any:
    if get_origin(kind) in (UnionType, Union):
        return reduce(or_, map(_type_of, get_args(kind)))
    if get_origin(kind) is list:
        return list[_type_of(get_args(kind)[0])]  # type: ignore[misc]
    if kind not in _TYPES and isinstance(kind, TypeAliasType):
        kind = kind.__value__
    if get_origin(kind) is Annotated:
        return Annotated[_type_of(get_args(kind)[0]), _bounds(kind)]
    return _TYPES.get(kind, kind)


class _OneOf:
    """Stands for bodies that `action` chooses from."""

    def __init__(self, *kinds: type[actions.ActionRequest]) -> None:
        self._kinds = kinds

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> Any:
        if len(self._kinds) == 1:
            return handler.generate_schema(_model(self._kinds[0]))
        union = reduce(or_, map(_model, self._kinds))
        return handler.generate_schema(Annotated[union, Field(discriminator="action")])


type Action = Annotated[_Action, _OneOf(*actions.ACTIONS)]
type QueueAction = Annotated[_Action, _OneOf(actions.Acknowledge)]
type HelpAction = Annotated[_Action, _OneOf(*actions.ON_HELP)]
type StationAction = Annotated[_Action, _OneOf(actions.AnswerFault, actions.Acknowledge)]
type TicketOpening = Annotated[_Action, _OneOf(actions.OpenTicket)]
type TicketAction = Annotated[_Action, _OneOf(*actions.TICKET_STEPS)]


class Done(BaseModel):
    """`of` names the event that tells of it, `i` the command to the station, if there is one;
    `code`: for one use, and given this once.
    """

    of: Place
    i: int | None
    m: str | None = None
    code: str | None = None


class TicketDone(BaseModel):
    """`of` names the event that tells of it."""

    of: Place
    ticket: str


class Annulment(Strict):
    reason: Reason


class Reply(Strict):
    text: Annotated[str, Field(min_length=1, max_length=actions.NOTE_CHARACTERS)]


class Messages(Strict):
    """One message to several agents."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"agents": ["a001", "a002"], "text": "Reunión a las 15:00", "reason": "aviso"}
            ]
        }
    )
    agents: Annotated[list[AgentId], Field(min_length=1, max_length=actions.MESSAGE_AGENTS)]
    text: Annotated[str, Field(min_length=1, max_length=actions.MESSAGE_CHARACTERS)]
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
