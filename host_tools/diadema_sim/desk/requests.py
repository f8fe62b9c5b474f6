"""What a page may ask of its station, typed: one JSON object a message, told apart by `do`.

Anything else is answered by a sentence of the catalogue, and the socket goes on.
"""

from typing import Annotated, Any

import msgspec
from diadema.base.errors import DiademaError
from diadema.words import text
from msgspec import Meta, Struct

TEXT_LIMIT = 84  # characters of a message, as the station takes them

type Key = Annotated[int, Meta(ge=1, le=6)]


class Refused(DiademaError):
    """What was asked cannot be done now; `word` is in the catalogue under `desk.error.`"""

    def __init__(self, word: str, **values: object) -> None:
        super().__init__(word)
        self.word = word
        self.values = values

    def sentence(self, language: str) -> str:
        return text(f"desk.error.{self.word}", language, **self.values)


class Request(Struct, tag_field="do", forbid_unknown_fields=True, frozen=True):
    """The base of all; says nothing itself."""


class Down(Request, tag="down", frozen=True):
    key: Key


class Up(Request, tag="up", frozen=True):
    key: Key


class Press(Request, tag="press", frozen=True):
    """A short press by somebody whose hand cannot say how long."""

    key: Key


class Tap(Request, tag="tap", frozen=True):
    badge: Annotated[str, Meta(max_length=16)]


class Headset(Request, tag="headset", frozen=True):
    plugged: bool


class Cable(Request, tag="cable", frozen=True):
    plugged: bool


class Power(Request, tag="power", frozen=True):
    on: bool


class Ring(Request, tag="ring", frozen=True):
    """The switchboard offers an incoming call."""


class Withdraw(Request, tag="withdraw", frozen=True):
    """… and takes it back, as when another agent is free."""


class HangUp(Request, tag="hangup", frozen=True):
    """The caller puts the receiver down, ringing or talking."""


class Message(Request, tag="text", frozen=True):
    """The supervisor writes a line."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_LIMIT, pattern=r"^[^\x00-\x1f]+\Z")]


_ANY: Any = Down | Up | Press | Tap | Headset | Cable | Power | Ring | Withdraw | HangUp | Message
_DECODER = msgspec.json.Decoder(_ANY)
ACTIONS = tuple(str(kind.__struct_config__.tag) for kind in Request.__subclasses__())


def parse(message: str | bytes) -> Request:
    """Raises Refused with what to mend."""
    try:
        request: Request = _DECODER.decode(message)
    except msgspec.ValidationError as error:
        wrong, _, place = str(error).partition(" - at `")
        if place.startswith("$.do") or "`do`" in wrong or (not place and "object" in wrong):
            raise Refused("bad_action", allowed=", ".join(ACTIONS)) from error
        named = place.removeprefix("$.").removesuffix("`") or _quoted(wrong)
        raise Refused("bad_field", where=named) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Refused("bad_json") from error
    return request


def _quoted(wrong: str) -> str:
    """The field's name in `Object missing required field `key``."""
    return wrong.split("`")[1] if "`" in wrong else "$"
