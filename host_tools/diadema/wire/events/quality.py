"""The monitor's work: what was drawn and for whom, recordings and who heard them, the notices
that allow it, evaluations, and what is opened to human resources. What comes after an event has
its `of`.

`call` is the first event of a contact, never a number or a file. A text that no event holds
travels in parts: `part` of `parts`, the last with the SHA-256 of the whole.
"""

from typing import Annotated

from msgspec import UNSET, Meta

from diadema.wire.actions import Agent, Day, Number, ShortId, Word
from diadema.wire.events.people import HostEvent, Sha256
from diadema.wire.letters import By, Epoch, Maybe, Of, Sequence, Station, Utc, words

ANSWERS = 60  # items of a form
EXCLUSIONS = (  # why a contact was not in the frame, the first that holds; a list of counts
    "not_answered", "interrupted", "fault", "short", "no_notice", "no_recording",
    "agent_excluded", "drawn",
)  # fmt: skip
NOTE_PART = 148  # bytes of JSON: what an evaluation.noted has room for beside its other fields

type Call = Annotated[
    tuple[Station, Epoch, Sequence], Meta(description="s, e, n of the first event of a contact")
]
type Form = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,14}\Z")]
type Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,16}\Z")]
type Short = Annotated[str, Meta(max_length=12)]
type VersionNumber = Annotated[int, Meta(ge=0, le=9_999_999)]
type Many = Annotated[int, Meta(ge=0, le=9_999_999)]
type Some = Annotated[int, Meta(ge=0, le=999_999)]
type Errors = Annotated[int, Meta(ge=0, le=ANSWERS)]
type Critical = Annotated[
    tuple[Errors | None, Errors | None, Errors | None],
    Meta(description="errors of user, business and compliance; null where there could be none"),
]
type Tenths = Annotated[int, Meta(ge=0, le=1000, description="tenths of a percent")]
type Ms = Annotated[int, Meta(ge=0, le=86_400_000)]
type Part = Annotated[int, Meta(ge=1, le=99)]
type Reason = Annotated[str, Meta(max_length=64)]
type Name = Annotated[str, Meta(max_length=32)]
type Brief = Annotated[str, Meta(max_length=40)]
type Answers = Annotated[str, Meta(pattern=r"^[0-5-]{1,60}\Z")]
type Failed = Annotated[str, Meta(max_length=10), words("none", "section", "evaluation")]
type Purpose = Annotated[
    str,
    Meta(max_length=16),
    words(
        "evaluation", "calibration", "dispute", "coaching", "complaint", "drill", "help",
        "onboarding", "case",
    ),
]  # fmt: skip
type Source = Annotated[str, Meta(max_length=10), words("live", "recording")]
type Mode = Annotated[str, Meta(max_length=10), words("silent", "whisper", "joined")]


class SamplePlanned(HostEvent, tag="sample.planned", kw_only=True, gc=False):
    """`commit`: the SHA-256 of the secret, which is in no event before the period is over."""

    plan: Word
    version: VersionNumber
    start: Utc
    end: Utc
    commit: Sha256


class SampleDrawn(HostEvent, tag="sample.drawn", kw_only=True, gc=False):
    """`of`: the sample.planned. `frame`: how many contacts could be drawn, `chosen`: how many
    were, of so many `strata`; `excluded`: how many were none of the frame, in the order of
    `EXCLUSIONS`; `cut`: until when contacts came in that it knew.
    """

    draw: ShortId
    of: Of
    frame: Many
    frame_hash: Sha256
    secret: Sha256
    chosen: Some
    strata: Some
    excluded: Annotated[list[Many], Meta(max_length=len(EXCLUSIONS))]
    cut: Utc


class SampleAssigned(HostEvent, tag="sample.assigned", kw_only=True, gc=False):
    """One call to evaluate with that form, which does not change for it. `rank`: its place in the
    order of its stratum, which has `pool` contacts; none of them, and no `draw`, where it was
    chosen by a rule. `second`: somebody else has it too. `of`: the assignment in place of which
    it is, and `reason` the word for why.
    """

    agent: Agent
    draw: Maybe[ShortId] = UNSET
    call: Call
    stratum: Maybe[Annotated[str, Meta(max_length=30)]] = UNSET
    rank: Maybe[Many] = UNSET
    pool: Maybe[Many] = UNSET
    to: By
    form: Form
    version: VersionNumber
    second: Maybe[bool] = UNSET
    due: Utc
    of: Maybe[Of] = UNSET
    reason: Maybe[Annotated[str, Meta(max_length=10)]] = UNSET


class SampleAnnulled(HostEvent, tag="sample.annulled", kw_only=True, gc=False):
    """`of`: the sample.drawn, or the sample.planned of which none is to come."""

    of: Of
    reason: Reason


class AboutRecording(HostEvent, kw_only=True, gc=False):
    call: Call


class RecordingLinked(AboutRecording, tag="recording.linked", kw_only=True, gc=False):
    """`how`: by the switch's call id or by the agent and the time. `hash`: of the file.
    `offset_ms`: from the contact's first event to the file's first sample, where it is known.
    `pauses`: whether the stretches in which the station says that nothing was recorded are silent
    in the file.
    """

    agent: Agent
    how: Annotated[str, Meta(max_length=10), words("pbx", "hour")]
    hash: Sha256
    ms: Ms
    rate: Annotated[int, Meta(ge=1, le=768_000, description="Hz")]
    channels: Annotated[int, Meta(ge=1, le=16)]
    format: Short
    offset_ms: Maybe[Annotated[int, Meta(ge=-86_400_000, le=86_400_000)]] = UNSET
    pauses: Annotated[str, Meta(max_length=10), words("respected", "not", "none", "unknown")]


class RecordingMissing(AboutRecording, tag="recording.missing", kw_only=True, gc=False):
    """There is none, or it is not there any more."""

    agent: Agent
    reason: Annotated[str, Meta(max_length=16)]


class RecordingReleased(AboutRecording, tag="recording.released", kw_only=True, gc=False):
    """A copy was handed over; `hash`: of what was."""

    purpose: Annotated[
        str,
        Meta(max_length=10),
        words("arco", "reclamo", "mandante", "autoridad", "judicial"),
    ]
    receiver: Brief
    hash: Sha256
    reason: Brief


class RecordingHeld(AboutRecording, tag="recording.held", kw_only=True, gc=False):
    """It is not deleted before `until`, nor at all where there is none."""

    reason: Reason
    until: Maybe[Utc] = UNSET


class NoticePublished(HostEvent, tag="notice.published", kw_only=True, gc=False):
    notice: Code
    side: Annotated[str, Meta(max_length=10), words("caller", "agent")]
    version: VersionNumber
    hash: Sha256


class NoticeSigned(HostEvent, tag="notice.signed", kw_only=True, gc=False):
    """The agent was informed. `of`: the receipt of the station where the badge was tapped;
    `document`: the number of the paper, signed on `date`. Who refused was informed before two
    `witnesses`.
    """

    notice: Code
    agent: Agent
    how: Annotated[str, Meta(max_length=10), words("badge", "paper", "refused")]
    of: Maybe[Of] = UNSET
    date: Maybe[Day] = UNSET
    document: Maybe[Number] = UNSET
    witnesses: Maybe[Annotated[list[Name], Meta(max_length=2)]] = UNSET


class ListeningStarted(HostEvent, tag="listening.started", kw_only=True, gc=False):
    """`mode`: of live listening. `via` outside: on another platform, or begun at the switch, where
    nobody said why. `announced`: the station shows it while it lasts.
    """

    listening: ShortId
    agent: Agent
    call: Call
    source: Source
    mode: Maybe[Mode] = UNSET
    purpose: Maybe[Purpose] = UNSET
    via: Annotated[str, Meta(max_length=10), words("browser", "switch", "outside")]
    announced: bool


class ListeningEnded(HostEvent, tag="listening.ended", kw_only=True, gc=False):
    """`heard_ms`: really served, or connected; each stretch as often as it was heard."""

    of: Of
    heard_ms: Ms
    cause: Annotated[str, Meta(max_length=24)]


class ListeningRefused(HostEvent, tag="listening.refused", kw_only=True, gc=False):
    agent: Agent
    call: Call
    source: Source
    mode: Maybe[Mode] = UNSET
    purpose: Maybe[Purpose] = UNSET
    reason: Annotated[str, Meta(max_length=24)]


class EvaluationSubmitted(HostEvent, tag="evaluation.submitted", kw_only=True, gc=False):
    """`of`: the assignment. `answers`: a character an item, in the form's order: the option, or -
    where it does not apply. `raw` and `score`: before and after what failed it, null where nothing
    applies. `notes`: how many it has.
    """

    evaluation: ShortId
    agent: Agent
    call: Call
    of: Of
    version: VersionNumber
    basis: Annotated[
        str, Meta(max_length=12), words("random", "targeted", "calibration", "dispute")
    ]
    answers: Answers
    score: Tenths | None
    raw: Tenths | None
    failed: Failed
    critical: Critical
    notes: Annotated[int, Meta(ge=0, le=999)]


class EvaluationNoted(HostEvent, tag="evaluation.noted", kw_only=True, gc=False):
    """One note, or a part of its text: each part says all of it. `from_ms`, `to_ms`: from the
    contact's first event. About `code`, the text is what the agent should have typified.
    """

    evaluation: ShortId
    item: Maybe[Code] = UNSET
    from_ms: Maybe[Ms] = UNSET
    to_ms: Maybe[Ms] = UNSET
    about: Annotated[str, Meta(max_length=10), words("praise", "improve", "evidence", "code")]
    text: Annotated[str, Meta(max_length=NOTE_PART)]
    part: Maybe[Part] = UNSET
    parts: Maybe[Part] = UNSET
    sha256: Maybe[Sha256] = UNSET


class OfEvaluation(HostEvent, kw_only=True, gc=False):
    """`of`: the evaluation.submitted."""

    of: Of


class EvaluationRevised(OfEvaluation, tag="evaluation.revised", kw_only=True, gc=False):
    """What counts in its place."""

    answers: Answers
    score: Tenths | None
    raw: Tenths | None
    failed: Failed
    critical: Critical
    cause: Short
    reason: Reason


class EvaluationAnnulled(OfEvaluation, tag="evaluation.annulled", kw_only=True, gc=False):
    reason: Reason


class EvaluationReleased(OfEvaluation, tag="evaluation.released", kw_only=True, gc=False):
    """The agent may read it."""


class CaseOpened(HostEvent, tag="case.opened", kw_only=True, gc=False):
    """Human resources may hear the recording of this call before `until`, and read the evaluation
    of which `of` is the evaluation.submitted, if any. `number`: of their case.
    """

    case: ShortId
    agent: Agent
    call: Call
    of: Maybe[Of] = UNSET
    number: Number
    reason: Brief
    until: Utc


class CaseClosed(HostEvent, tag="case.closed", kw_only=True, gc=False):
    """Before its time. `of`: the case.opened."""

    of: Of
    reason: Reason
