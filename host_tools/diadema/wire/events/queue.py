"""The queue side of calls, as the switch or its log tells it (`s` is PBX-…), and its recordings.

A host's event has no boot: `b` and `u` are 0, and `t` is when it happened. A call enters, is
offered to agents, and is connected or abandoned; `queue.left` ends it when it was not abandoned.
What is told live is told so too: an offer when it is over, and nobody took it.
"""

from typing import Annotated

from msgspec import UNSET

from diadema.wire.letters import LETTERS, Count, Event, Maybe, Utc, words


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
    when. `cause` unknown: the switch told live that it left, and not why.
    """

    cause: Annotated[
        str,
        words(
            "completed", "transferred", "timeout", "empty", "key", "withdrawn", "incompatible",
            "restarted", "before_queue", "phantom", "unknown",
        ),
    ]  # fmt: skip
    by: Maybe[Annotated[str, words("agent", "caller")]] = UNSET
    pbx_agent: Maybe[str] = UNSET
    wait_ms: Maybe[Count] = UNSET
    talk_ms: Maybe[Count] = UNSET
    transfer: Maybe[Annotated[str, words("blind", "consulted")]] = UNSET
    estimated: bool = False


class RecordingEvent(Event, kw_only=True, gc=False, rename=LETTERS | {"pbx_agent": "agent"}):
    """`pbx`: the switch's id of the call, `linked`: of all that it became by transfers. `agent`:
    as the switch calls them, where it is the recording of one. No file has a name here.
    """

    utc_ms: Utc
    pbx: str
    linked: str
    pbx_agent: Maybe[str] = UNSET


class RecordingStarted(RecordingEvent, tag="recording.started", kw_only=True, gc=False):
    pass


class RecordingStopped(RecordingEvent, tag="recording.stopped", kw_only=True, gc=False):
    pass


class RecordingMuted(RecordingEvent, tag="recording.muted", kw_only=True, gc=False):
    pass


class RecordingUnmuted(RecordingEvent, tag="recording.unmuted", kw_only=True, gc=False):
    pass
