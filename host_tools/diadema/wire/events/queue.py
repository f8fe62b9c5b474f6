"""The queue side of calls, as the switch or its log tells it (`s` is PBX-…).

A host's event has no boot: `b` and `u` are 0, and `t` is when it happened. A call enters, is
offered to agents, and is connected or abandoned; `queue.left` ends it when it was not abandoned.
"""

from typing import Annotated

from msgspec import UNSET

from diadema.wire.letters import Count, Event, Maybe, Utc, words


class QueueEvent(Event, kw_only=True, gc=False):
    """`pbx`: the switch's call id; `line`: of the file that told it."""

    utc_ms: Utc
    pbx: str
    queue: str
    line: Maybe[Count] = UNSET


class QueueEntered(QueueEvent, tag="queue.entered", kw_only=True, gc=False):
    """`reference`: a keyed hash of the caller, never a number."""

    position: Maybe[Count] = UNSET
    reference: Maybe[str] = UNSET


class QueueOffered(
    QueueEvent, tag="queue.offered", kw_only=True, gc=False, rename={"pbx_agent": "agent"}
):
    """`ring_ms`: so long it rang there, where it was not answered. `cause` withdrawn: the switch
    took it back, as its caller hung up or another one had it; else the agent did not take it.
    """

    pbx_agent: str
    ring_ms: Maybe[Count] = UNSET
    cause: Maybe[Annotated[str, words("withdrawn")]] = UNSET


class QueueConnected(
    QueueEvent, tag="queue.connected", kw_only=True, gc=False, rename={"pbx_agent": "agent"}
):
    """`agent`: as the switch calls them; null where it named nobody. `estimated`: it told that
    the call was answered, and not when. `ring_ms`: so long it rang there before.
    """

    wait_ms: Count
    pbx_agent: str | None = None
    ring_ms: Maybe[Count] = UNSET
    estimated: bool = False


class QueueAbandoned(QueueEvent, tag="queue.abandoned", kw_only=True, gc=False):
    wait_ms: Count
    position: Maybe[Count] = UNSET


class QueueLeft(
    QueueEvent, tag="queue.left", kw_only=True, gc=False, rename={"pbx_agent": "agent"}
):
    """After its conversation (`completed`, `transferred`), or without one; a call that hung up in
    the menu before the queue, or that the switch only saw as a phantom, has this event alone.

    `by` ended it. `agent`, `wait_ms` and `talk_ms`: what the ending tells of the course before it.
    `transfer`: how the agent handed it over. `estimated`: it was over by then, and nobody said
    when.
    """

    cause: Annotated[
        str,
        words(
            "completed", "transferred", "timeout", "empty", "key", "withdrawn", "incompatible",
            "restarted", "before_queue", "phantom",
        ),
    ]  # fmt: skip
    by: Maybe[Annotated[str, words("agent", "caller")]] = UNSET
    pbx_agent: Maybe[str] = UNSET
    wait_ms: Maybe[Count] = UNSET
    talk_ms: Maybe[Count] = UNSET
    transfer: Maybe[Annotated[str, words("blind", "consulted")]] = UNSET
    estimated: bool = False
