"""One call to evaluate, as its monitor is shown it, and the rules by which answers are whole.

Of the call there is what happened in it and when since its beginning; nothing says whose it is.
The code that its agent gave is there once the monitor has said which it should be.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.quality.call_marks import CallMarks, Mark, TickedStep, call_marks, contact_of
from diadema.quality.scoring import NOT_APPLICABLE, OPTIONS, Evaluation, evaluate, has_error
from diadema.site.directory.people import People
from diadema.site.directory.scorecards import Item, Scorecard
from diadema.store import open_reader
from diadema.store.assistance import Key, key_of
from diadema.store.quality import (
    AssignedCall,
    Note,
    RecordedCall,
    call_of,
    evaluations,
    notes,
    recordings,
    right_codes,
)
from diadema.store.rows import Contact
from diadema.web.quality.drafts import Draft, Drafts
from diadema.web.quality.tasks import Task, find
from diadema.wire.quality_actions import SaidNote


class Given(Struct, kw_only=True):
    """A code of the tree with the words of its levels; null where there was none."""

    code: str | None
    labels: list[str]


class Indicators(Struct, kw_only=True):
    """What was measured; it is in no score. Times in ms; `agent_share`: percent of the time in
    which the agent spoke. `untyped` is null as long as the code is not to be known.
    """

    longest_silence_ms: int | None = None
    interruptions: int | None = None
    agent_share: float | None = None
    clipping: int | None = None
    holds: int = 0
    longest_hold_ms: int = 0
    untyped: bool | None = None
    steps: list[TickedStep] = field(default_factory=list)


class Outcome(Struct, kw_only=True):
    """`missing`: items without an answer, `comments`: those that need one; the rest is null while
    there are any. `sections`: tenths of a percent each, by code; null where nothing applies.
    """

    missing: list[str]
    comments: list[str]
    raw: int | None = None
    score: int | None = None
    failed: str | None = None
    sections: dict[str, int | None] = field(default_factory=dict)


class Final(Struct, kw_only=True):
    """As it was submitted, and as it was changed: `answers` of both by item, and why."""

    answers: dict[str, str]
    outcome: Outcome
    revised: dict[str, str] | None = None
    cause: str | None = None
    reason: str | None = None
    annulled: str | None = None


class Sheet(Struct, kw_only=True):
    """`recording`: linked, missing, or none where nothing was said of one; `why`: the word for
    what is missing. `codes`: those that may be named, where an item asks.
    """

    task: Task
    form: dict[str, Any]
    answers: dict[str, str]
    notes: list[SaidNote]
    saved_utc: int
    right_code: Given | None = None
    agent_code: Given | None = None
    outcome: Outcome | None = None
    final: Final | None = None
    marks: list[Mark]
    ms: int | None
    indicators: Indicators
    recording: str
    why: str | None = None
    codes: list[Given] = field(default_factory=list)


class Found(Struct):
    """What the requests about one assignment stand on."""

    assigned: AssignedCall
    task: Task
    form: Scorecard
    draft: Draft
    contact: Contact | None

    @property
    def key(self) -> Key:
        return key_of(self.assigned.assignment)

    @property
    def call(self) -> Key:
        return call_of(self.assigned.assignment)

    @property
    def is_open(self) -> bool:
        return self.task.state in ("waiting", "draft")


def found(data: DataDir, person: Person, people: People, now_ms: int, q: str) -> Found | None:
    """The account's own; None: none of that name, or another's."""
    if not data.store.exists():
        return None
    with Drafts(data.evaluation_drafts) as drafts:
        begun = drafts.begun(person.id)
        with open_reader(data.store) as reader, reader.engine.connect() as tx:
            its = find(tx, person, people, now_ms, q, begun)
            if its is None:
                return None
            assigned, task = its
            form = people.scorecard(assigned.assignment.form, assigned.assignment.version)
            if form is None:
                return None
            draft = drafts.of(person.id, key_of(assigned.assignment))
            contact = contact_of(tx, call_of(assigned.assignment))
            return Found(assigned, task, form, draft, contact)


def sheet(data: DataDir, person: Person, people: People, now_ms: int, q: str) -> Sheet | None:
    """All that its page shows; None as in `found`."""
    its = found(data, person, people, now_ms, q)
    if its is None:
        return None
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        marks = call_marks(tx, its.contact) if its.contact is not None else CallMarks()
        recorded = recordings(tx, [its.call]).get(its.call)
        done = next(iter(evaluations(tx, assignments=[its.key])), None)
        said = notes(tx, [done.submitted.evaluation]) if done else {}
        codes = right_codes(tx, [done.submitted.evaluation]) if done else {}
    named = its.draft.right_code
    answers, its_notes = its.draft.answers, its.draft.notes
    final = None
    if done is not None:
        evaluation = done.submitted.evaluation
        named = codes.get(evaluation)
        answers = by_item(its.form, done.submitted.answers)
        its_notes = [said_note(one) for one in said.get(evaluation, [])]
        revised = done.revised
        final = Final(
            answers=answers,
            outcome=outcome_of(its.form, answers, its_notes),
            revised=by_item(its.form, revised.answers or "") if revised is not None else None,
            cause=revised.cause if revised is not None else None,
            reason=revised.reason if revised is not None else None,
            annulled=done.annulled.reason if done.annulled is not None else None,
        )
    asks = disposition_of(its.form) is not None
    knows = not asks or named is not None or done is not None
    code = its.contact.code if its.contact is not None else None
    return Sheet(
        task=its.task,
        form=form_of(its.form),
        answers=answers,
        notes=its_notes,
        saved_utc=its.draft.utc,
        right_code=given(people, named) if named is not None else None,
        agent_code=given(people, code) if asks and knows else None,
        outcome=outcome_of(its.form, answers, its_notes) if done is None else None,
        final=final,
        marks=marks.marks,
        ms=marks.ms,
        indicators=_indicators(marks, knows),
        recording=recording_of(recorded),
        why=recorded.recording.reason if recorded and recorded.recording else None,
        codes=[given(people, one) for one in people.codes] if asks else [],
    )


def said_note(one: Note) -> SaidNote:
    fields = {"item": one.item, "from_ms": one.from_ms, "to_ms": one.to_ms}
    return msgspec.convert(fields | {"about": one.about, "text": one.text}, SaidNote)


def recording_of(recorded: RecordedCall | None) -> str:
    if recorded is None or recorded.recording is None:
        return "none"
    return recorded.recording.kind


def _indicators(marks: CallMarks, knows: bool) -> Indicators:
    voice = marks.voice
    return Indicators(
        longest_silence_ms=voice.longest_silence_ms if voice else None,
        interruptions=voice.interruptions if voice else None,
        agent_share=voice.agent_share if voice else None,
        clipping=voice.clipping if voice else None,
        holds=marks.holds,
        longest_hold_ms=marks.longest_hold_ms,
        untyped=marks.untyped if knows else None,
        steps=marks.steps,
    )


def given(people: People, code: str | None) -> Given:
    return Given(code=code, labels=list(people.codes.get(code or "", ())))


def form_of(form: Scorecard) -> dict[str, Any]:
    """The scorecard as its page draws it: sections with their items, each with its options."""
    sections = []
    for section in form.sections:
        items = [_item(one) for one in form.items if one.section == section.code]
        if items:
            sections.append({"code": section.code, "label": section.label, "items": items})
    return {"code": form.code, "label": form.label, "version": form.version, "sections": sections}


def _item(one: Item) -> dict[str, Any]:
    options = [*OPTIONS[one.scale]] + ([NOT_APPLICABLE] if one.na else [])
    return {
        "code": one.code, "text": one.text, "guide": one.guide, "kind": one.kind,
        "weight": one.weight, "scale": one.scale, "options": options, "comment": one.comment,
        "auto_fail": one.auto_fail, "step": one.step, "checks": one.checks,
    }  # fmt: skip


def disposition_of(form: Scorecard) -> Item | None:
    """The item that is on the code, if the form has one."""
    return next((one for one in form.items if one.checks == "disposition"), None)


def by_item(form: Scorecard, answers: str) -> dict[str, str]:
    return {item.code: answer for item, answer in zip(form.items, answers, strict=False)}


def in_order(form: Scorecard, answers: Mapping[str, str]) -> str:
    """As an event has them; of what is whole."""
    return "".join(answers[item.code] for item in form.items)


def wrong_answers(form: Scorecard, answers: Mapping[str, str]) -> list[str]:
    """The items that are none of the form's, or take no such answer."""
    takes = {
        item.code: OPTIONS[item.scale] + (NOT_APPLICABLE if item.na else "") for item in form.items
    }
    return [
        code
        for code, answer in answers.items()
        if len(answer) != 1 or answer not in takes.get(code, "")
    ]


def outcome_of(form: Scorecard, answers: Mapping[str, str], said: Sequence[SaidNote]) -> Outcome:
    """What it comes to, by the one formula, once nothing is missing."""
    missing = [item.code for item in form.items if item.code not in answers]
    comments = [*_uncommented(form, answers, {note.item for note in said})]
    if missing:
        return Outcome(missing=missing, comments=comments)
    rated: Evaluation = evaluate(form, in_order(form, answers))
    return Outcome(
        missing=missing,
        comments=comments,
        raw=rated.raw,
        score=rated.score,
        failed=rated.failed,
        sections={code: one.score for code, one in rated.sections.items()},
    )


def _uncommented(
    form: Scorecard, answers: Mapping[str, str], commented: set[str | None]
) -> Iterator[str]:
    for item in form.items:
        answer = answers.get(item.code)
        if answer is None or item.code in commented:
            continue
        if item.comment == "always" or (item.comment == "below_full" and has_error(item, answer)):
            yield item.code
