"""What the hub can be asked to do in the monitor's work (`hub.act`): samples and evaluations,
notices, recordings and who hears them. `by` is the account, as in every action.
"""

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from diadema.wire.actions import ActionRequest, Agent, Day, Number, Reason, ShortId, Word
from diadema.wire.events.quality import Answers, Brief, Call, Code, Form, Name, Purpose
from diadema.wire.letters import By, Of, Utc

NOTES = 100  # of one evaluation
TEXT_CHARACTERS = 1000  # of a note

type PeriodWord = Annotated[
    str, Meta(pattern=r"^\d{4}-(W\d{2}|\d{2}(-\d{2})?)\Z", description="2026-W48, 2026-11-30")
]
type HeardMs = Annotated[int, Meta(ge=0, le=86_400_000)]


class DrawSample(ActionRequest, tag="sample_drawn", kw_only=True):
    """Now what else is drawn by the clock, or what came after the draw (`late`). The answer is
    there at once, with `draw` and `drawing`: whoever asks again hears that it goes on, then why it
    cannot be, or that it is refused as `drawn_before`: then it is made.
    """

    plan: Word
    period: PeriodWord
    late: bool = False


class AnnulSample(ActionRequest, tag="sample_annulled", kw_only=True):
    """`of`: the sample.drawn, or the sample.planned of which none is to come."""

    of: Of
    reason: Reason


class AssignCall(ActionRequest, tag="sample_assigned", kw_only=True):
    """A call that a rule chose; it coaches, and is in no mean. `why`: the rule's word."""

    call: Call
    to: By
    form: Form
    due: Utc
    why: Annotated[str, Meta(min_length=1, max_length=10)]


class ReplaceCall(ActionRequest, tag="sample_replaced", kw_only=True):
    """`of`: an assignment whose call cannot be evaluated; the next of its stratum comes."""

    of: Of
    why: Literal["unplayable", "nobodys"]


class SaidNote(Struct, kw_only=True, forbid_unknown_fields=True):
    """`from_ms`, `to_ms`: from the contact's first event."""

    item: Code | None = None
    from_ms: HeardMs | None = None
    to_ms: HeardMs | None = None
    about: Literal["praise", "improve", "evidence"]
    text: Annotated[str, Meta(min_length=1, max_length=TEXT_CHARACTERS)]


class SubmitEvaluation(ActionRequest, tag="evaluation_submitted", kw_only=True):
    """`of`: the assignment; `right_code`: what the agent should have typified, where the form
    asks.
    """

    of: Of
    answers: Answers
    right_code: Code | None = None
    notes: Annotated[list[SaidNote], Meta(max_length=NOTES)] = field(default_factory=list)


class ReviseEvaluation(ActionRequest, tag="evaluation_revised", kw_only=True):
    """`of`: the evaluation.submitted. `cause` pair: two monitors differed, and this decides."""

    of: Of
    answers: Answers
    right_code: Code | None = None
    cause: Literal["pair", "error", "dispute"]
    reason: Reason


class AnnulEvaluation(ActionRequest, tag="evaluation_annulled", kw_only=True):
    of: Of
    reason: Reason


ON_QUALITY: tuple[type[ActionRequest], ...] = (
    DrawSample,
    AnnulSample,
    AssignCall,
    ReplaceCall,
    SubmitEvaluation,
    ReviseEvaluation,
    AnnulEvaluation,
)
ANY_OF_QUALITY: Any = reduce(or_, ON_QUALITY)


class SendNotice(ActionRequest, tag="notice_sent", kw_only=True):
    """To the stations of these agents, who confirm it with the badge."""

    notice: Code
    agents: Annotated[list[Agent], Meta(min_length=1, max_length=200)]


class SignNotice(ActionRequest, tag="notice_signed", kw_only=True):
    """On paper, or refused before two witnesses."""

    notice: Code
    agents: Annotated[list[Agent], Meta(min_length=1, max_length=500)]
    how: Literal["paper", "refused"]
    date: Day
    document: Number | None = None
    witnesses: Annotated[list[Name], Meta(max_length=2)] = field(default_factory=list)


ON_NOTICES: tuple[type[ActionRequest], ...] = (SendNotice, SignNotice)
ANY_OF_NOTICES: Any = reduce(or_, ON_NOTICES)


class HoldRecording(ActionRequest, tag="recording_held", kw_only=True):
    """Not to be deleted before `until`, or at all; an `until` that is past lets it go."""

    call: Call
    reason: Reason
    until: Utc | None = None


class ReleaseRecording(ActionRequest, tag="recording_released", kw_only=True):
    """A copy was handed over; `hash`: SHA-256 of what was."""

    call: Call
    purpose: Literal["arco", "reclamo", "mandante", "autoridad", "judicial"]
    receiver: Annotated[Brief, Meta(min_length=1)]
    hash: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    reason: Annotated[Brief, Meta(min_length=1)]


class OpenCase(ActionRequest, tag="case_opened", kw_only=True):
    """Human resources may hear the call, and read its evaluation `of` (the evaluation.submitted,
    which is released), until that moment. `number`: of their case.
    """

    call: Call
    of: Of | None = None
    number: Number
    reason: Annotated[Brief, Meta(min_length=1)]
    until: Utc


class CloseCase(ActionRequest, tag="case_closed", kw_only=True):
    """Before its time. `of`: the case.opened."""

    of: Of
    reason: Reason


class BeginHearing(ActionRequest, tag="hearing_begun", kw_only=True):
    """The account would hear the recording of that call, or of the call of that assignment (`of`);
    the answer has `listening`, and never which call it is. `outside`: on another platform, for so
    long as it then says.
    """

    call: Call | None = None
    of: Of | None = None
    purpose: Purpose
    outside: bool = False


class GoOnHearing(ActionRequest, tag="hearing_continued", kw_only=True):
    """So much of it was really served by now. Whoever says nothing for two minutes has ended; who
    may not hear it any more is refused, and has ended too.
    """

    listening: ShortId
    heard_ms: HeardMs


class EndHearing(ActionRequest, tag="hearing_ended", kw_only=True):
    listening: ShortId
    heard_ms: HeardMs
    cause: Literal["closed", "submitted", "session_over", "unplayable"]


ON_RECORDINGS: tuple[type[ActionRequest], ...] = (
    HoldRecording,
    ReleaseRecording,
    OpenCase,
    CloseCase,
    BeginHearing,
    GoOnHearing,
    EndHearing,
)
ANY_OF_RECORDINGS: Any = reduce(or_, ON_RECORDINGS)
