"""A call at the agent's side: its course, its protocol, its code, its wrap-up and its voices."""

from typing import Annotated

from msgspec import UNSET

from diadema.wire.agent_states import WORK
from diadema.wire.letters import LETTERS, Count, Direction, Event, Maybe, Of, Version, words

type Via = Annotated[str, words("key", "host")]
type Work = Annotated[str, words("idle", *WORK)]
type Step = Annotated[
    str, words("greeting", "identity", "need", "information", "doubts", "closing")
]


class ContactEvent(Event, kw_only=True, gc=False):
    agent: str
    contact: str
    via: Via


class ContactOffered(ContactEvent, tag="contact.offered", kw_only=True, gc=False):
    """`parent`: the contact that it was transferred from; `reference`: a keyed hash of the
    caller, never a number.
    """

    direction: Direction
    queue: Maybe[str] = UNSET
    pbx: Maybe[str] = UNSET
    campaign: Maybe[str] = UNSET
    parent: Maybe[str] = UNSET
    reference: Maybe[str] = UNSET


class ContactDialed(ContactEvent, tag="contact.dialed", kw_only=True, gc=False):
    """`reference`: a keyed hash of who is called, where the host dialled."""

    direction: Direction
    campaign: Maybe[str] = UNSET
    pbx: Maybe[str] = UNSET
    consent: Maybe[bool] = UNSET
    reference: Maybe[str] = UNSET


class ContactBlocked(Event, tag="contact.blocked", kw_only=True, gc=False):
    """A call that was not dialled, for the rule of its campaign forbids it now."""

    agent: str
    campaign: str
    rule: Annotated[str, words("hours", "day", "consent")]


class ContactAnswered(ContactEvent, tag="contact.answered", kw_only=True, gc=False):
    ring_ms: Maybe[Count] = UNSET


class ContactMissed(Event, tag="contact.missed", kw_only=True, gc=False):
    agent: str
    contact: str
    cause: Annotated[
        str, words("no_answer", "caller_gave_up", "withdrawn", "rejected", "technical")
    ]
    ring_ms: Maybe[Count] = UNSET


class ContactHeld(ContactEvent, tag="contact.held", kw_only=True, gc=False):
    pass


class ContactResumed(ContactEvent, tag="contact.resumed", kw_only=True, gc=False):
    pass


class ContactMuted(ContactEvent, tag="contact.muted", kw_only=True, gc=False):
    pass


class ContactUnmuted(ContactEvent, tag="contact.unmuted", kw_only=True, gc=False):
    pass


class ContactConsulted(ContactEvent, tag="contact.consulted", kw_only=True, gc=False):
    """Somebody of an area is asked while the caller waits; again when the agent changes between
    them.
    """

    area: str
    heard: Maybe[Annotated[str, words("area", "caller")]] = UNSET


class ContactConsultEnded(ContactEvent, tag="contact.consult_ended", kw_only=True, gc=False):
    result: Annotated[str, words("back", "dropped", "failed")]


class ContactTransferred(ContactEvent, tag="contact.transferred", kw_only=True, gc=False):
    """`target`: the code of an area of the directory."""

    kind: Annotated[str, words("blind", "consulted", "conference")]
    target: str
    completed: bool


class ContactRecordingPaused(ContactEvent, tag="contact.recording_paused", kw_only=True, gc=False):
    pass


class ContactRecordingResumed(
    ContactEvent, tag="contact.recording_resumed", kw_only=True, gc=False
):
    pass


class ContactListened(Event, tag="contact.listened", kw_only=True, gc=False):
    """The agent is told that somebody hears the call, or hears it no more. `who` is a name, or
    `quality`; nobody where it was erased.
    """

    agent: str
    contact: str
    state: Annotated[str, words("on", "off")]
    who: Maybe[str] = UNSET


class ContactDisagreed(
    Event,
    tag="contact.disagreed",
    kw_only=True,
    gc=False,
    rename=LETTERS | {"station_work": "station", "host_work": "host"},
):
    """Station and switch do not say the same of a call: what each said."""

    agent: str
    contact: str
    station_work: Work
    host_work: Work


class ContactEnded(Event, tag="contact.ended", kw_only=True, gc=False):
    """`by` technical: the agent took it, and the telephone was not there to talk. `estimated`:
    nobody said when; `silent_ms`: so long before `u` was the last voice.
    """

    agent: str
    contact: str
    by: Annotated[str, words("agent", "caller", "system", "transfer", "interrupted", "technical")]
    on_hold: bool = False
    dial_result: Maybe[str] = UNSET
    estimated: bool = False
    silent_ms: Maybe[Count] = UNSET


class ContactStep(Event, tag="contact.step", kw_only=True, gc=False):
    """A step of the protocol, as the agent declares it; `method` of a verified identity."""

    agent: str
    contact: str
    step: Step
    result: Annotated[str, words("done", "skipped")]
    method: Maybe[str] = UNSET
    how: Annotated[str, words("key", "automatic")]


class ContactMotive(Event, tag="contact.motive", kw_only=True, gc=False):
    """A code of the tree's first level, chosen during the call."""

    agent: str
    contact: str
    motive: str
    version: Version


class ContactPlaybook(Event, tag="contact.playbook", kw_only=True, gc=False):
    """The playbook that the screen named for the motive."""

    agent: str
    contact: str
    playbook: str
    version: Version


class ContactTypified(Event, tag="contact.typified", kw_only=True, gc=False):
    agent: str
    contact: str
    code: str
    version: Version
    how: Annotated[str, words("agent", "favourite", "timeout")]


class ContactRetypified(Event, tag="contact.retypified", kw_only=True, gc=False):
    """Another code for a call that has one; the earlier event stays as it is."""

    agent: str
    contact: str
    code: str
    version: Version
    author: str
    of: Maybe[Of] = UNSET


class WrapupStarted(Event, tag="wrapup.started", kw_only=True, gc=False):
    agent: str
    contact: str


class WrapupEnded(Event, tag="wrapup.ended", kw_only=True, gc=False):
    agent: str
    contact: str
    cause: Annotated[
        str,
        words("typified", "timeout", "next_contact", "agent", "supervisor", "session_closed"),
    ]


class VoiceSummary(Event, tag="voice.summary", kw_only=True, gc=False):
    """Of one contact, measured only while talking; levels in dBFS, null for who said nothing."""

    agent: str
    contact: str
    agent_ms: Count
    caller_ms: Count
    both_ms: Count
    silence_ms: Count
    longest_silence_ms: Count
    interruptions: Count
    clipping: Count
    agent_db: int | None = None
    caller_db: int | None = None
