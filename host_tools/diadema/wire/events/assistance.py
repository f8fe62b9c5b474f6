"""The two calls for assistance, help and fault. What comes after the first press has its `of`."""

from msgspec import UNSET

from diadema.wire.events.common import (
    Count,
    Event,
    Maybe,
    Of,
)


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
    """The press itself, bare; then, with `of`, the area and the part that she names."""

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
