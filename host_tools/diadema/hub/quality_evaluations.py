"""Evaluations: what is handed in is checked against the form and the call that were assigned, and
scored here; afterwards it changes by a revision alone, beside what it was.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from diadema.access.roles import Person
from diadema.hub.hearing import Hearing
from diadema.hub.own_journal import SupervisorAction
from diadema.hub.quality_assigning import Assigning
from diadema.hub.quality_refusals import NOT_YOURS, check_said, refused
from diadema.ingest.core import Ingest
from diadema.quality.blind import hidden_in
from diadema.quality.pairs import PAIR, seen_calls
from diadema.quality.scoring import Evaluation, evaluate, has_error
from diadema.site.directory.scorecards import Scorecard
from diadema.store import Reader, tables
from diadema.store.assistance import Key, key_of
from diadema.store.quality import AssignedCall, Evaluated, assigned_call, call_of, evaluations
from diadema.store.rows import Contact
from diadema.wire.events import NOTE_PART
from diadema.wire.long_texts import parts_of
from diadema.wire.quality_actions import (
    AnnulEvaluation,
    ReviseEvaluation,
    SaidNote,
    SubmitEvaluation,
)

_CODE_ITEM = "disposition"  # what an item checks that asks for the code to give
_MARGIN_MS = 1000  # the player's last mark may lie a little beyond

type Event = tuple[str, dict[str, Any]]


class Evaluations:
    def __init__(
        self, ingest: Ingest, reader: Reader, hearing: Hearing, assigning: Assigning
    ) -> None:
        self._ingest, self._reader, self._hearing = ingest, reader, hearing
        self._assigning = assigning

    def submit(self, request: SubmitEvaluation) -> tuple[list[SupervisorAction], dict[str, Any]]:
        """With what is answered beside the event. Raises Refused or WrongAnswers."""
        with self._reader.engine.connect() as tx:
            one = assigned_call(tx, request.of)
        if one is None:
            raise refused("no_such_assignment", 404)
        self._check_open(one, request.by)
        row = one.assignment
        form = self._form(one)
        scored = evaluate(form, request.answers)
        contact = self._assigning.contact(call_of(row))
        if contact is None:
            raise refused("no_such_call", 404)
        _check_notes(form, request.answers, request.notes, contact)
        self._check_code(form, request.right_code)
        evaluation = secrets.token_hex(6)
        fields = {
            "by": request.by, "evaluation": evaluation, "a": row.agent, "call": call_of(row),
            "of": request.of, "version": row.version,
            "basis": "targeted" if row.draw is None else "random", "notes": len(request.notes),
        }  # fmt: skip
        events: list[Event] = [("evaluation.submitted", fields | _of_scored(request, scored))]
        for note in request.notes:
            events += _noted(request.by, evaluation, note)
        if request.right_code is not None:
            events.append(_right_code(request.by, evaluation, request.right_code))
        return [SupervisorAction(events)], {"evaluation": evaluation} | _scores(scored)

    def revise(self, request: ReviseEvaluation) -> tuple[list[SupervisorAction], dict[str, Any]]:
        """Raises Refused or WrongAnswers."""
        check_said(request.reason)
        known = self._known(request.of, self._lead(request.by))
        one = self._assignment_of(known)
        self._check_pair(known, one, request.cause)
        form = self._form(one)
        scored = evaluate(form, request.answers)
        self._check_code(form, request.right_code)
        fields = {
            "by": request.by, "of": request.of, "cause": request.cause, "reason": request.reason,
        }  # fmt: skip
        events: list[Event] = [("evaluation.revised", fields | _of_scored(request, scored))]
        evaluation = known.submitted.evaluation
        if request.right_code is not None:
            events.append(_right_code(request.by, evaluation, request.right_code))
        return [SupervisorAction(events)], {"evaluation": evaluation} | _scores(scored)

    def annul(self, request: AnnulEvaluation) -> list[SupervisorAction]:
        """Raises Refused."""
        check_said(request.reason)
        self._known(request.of, self._lead(request.by))
        fields = {"by": request.by, "of": request.of, "reason": request.reason}
        return [SupervisorAction([("evaluation.annulled", fields)])]

    # -- what it is judged by

    def _check_open(self, one: AssignedCall, by: str) -> None:
        """Whether that account may hand this one in now. Raises Refused."""
        row = one.assignment
        if row.assignee != by:
            raise refused(NOT_YOURS, 403)
        person = self._hearing.person(by)
        if person is None or not person.may("evaluate"):
            raise refused("no_monitor", 403, account=by)
        if one.submitted is not None:
            raise refused("submitted_before")
        if one.annulled:
            raise refused("its_draw_annulled")
        if one.replaced:
            raise refused("assignment_over")
        if row.due_utc <= self._ingest.clock.now_ms():
            raise refused("assignment_due")

    def _lead(self, by: str) -> Person:
        """Raises Refused."""
        person = self._hearing.person(by)
        if person is None or not person.may("quality"):
            raise refused("no_lead", 403, account=by)
        return person

    def _known(self, of: Key, lead: Person) -> Evaluated:
        """One that counts, of an agent whom this lead sees, and of a call that the lead has not to
        evaluate blind. Raises Refused.
        """
        row = tables.evaluations.c
        with self._reader.engine.connect() as tx:
            where = (row.s == of[0]) & (row.e == of[1]) & (row.n == of[2])
            names = tx.execute(tables.evaluations.select().where(where)).all()
            found = evaluations(tx, ids=[one.evaluation for one in names])
            unseen = hidden_in(tx, lead, self._ingest.clock.now_ms()) if found else frozenset()
        known = next((one for one in found if key_of(one.submitted) == of), None)
        if (
            known is None
            or call_of(known.submitted) in unseen
            or not lead.sees(known.submitted.agent, self._hearing.people())
        ):
            raise refused("no_such_evaluation", 404)
        if known.annulled is not None:
            raise refused("evaluation_annulled")
        return known

    def _assignment_of(self, known: Evaluated) -> AssignedCall:
        row = known.submitted
        with self._reader.engine.connect() as tx:
            one = assigned_call(tx, (row.of_s, row.of_e, row.of_n))
        if one is None:
            raise refused("no_such_assignment", 404)
        return one

    def _check_pair(self, known: Evaluated, one: AssignedCall, cause: str) -> None:
        """Where two monitors differ, only a decision between both changes one; and there is
        nothing else to decide. Raises Refused.
        """
        people, now_ms = self._hearing.people(), self._ingest.clock.now_ms()
        draw, mine = one.assignment.draw, key_of(known.submitted)
        with self._reader.engine.connect() as tx:
            calls = [call_of(one.assignment)]
            its = seen_calls(tx, people, now_ms, draws=[draw] if draw else [], calls=calls)
        pair = {
            key_of(said.submitted): (seen.state, said is seen.first_said)
            for seen in its
            for said in (seen.first_said, seen.second_said)
            if said is not None
        }
        state, is_first = pair.get(mine, ("single", False))
        if cause == PAIR:
            if is_first and state == "decided":
                raise refused("decided_before")
            if not is_first or state != "differs":
                raise refused("nothing_to_decide")
        elif state == "differs":
            raise refused("pair_open")

    def _form(self, one: AssignedCall) -> Scorecard:
        row = one.assignment
        form = self._hearing.people().scorecard(row.form, row.version)
        if form is None:
            raise refused("form_gone", 409, form=row.form, version=row.version)
        return form

    def _check_code(self, form: Scorecard, code: str | None) -> None:
        if code is None:
            return
        if not any(item.checks == _CODE_ITEM for item in form.items):
            raise refused("no_code_asked", 422)
        if code not in self._hearing.people().codes:
            raise refused("no_such_code", 422, code=code)


def _check_notes(
    form: Scorecard, answers: str, notes: Sequence[SaidNote], contact: Contact
) -> None:
    """Raises Refused where one is blank, of no item, or past the call's end, and where an item
    has none that needs one.
    """
    end_ms = length_ms(contact)
    said = set()
    for number, note in enumerate(notes, 1):
        if not note.text.strip():
            raise refused("note_blank", 422, number=number)
        if note.item is not None and form.item(note.item) is None:
            raise refused("note_no_item", 422, number=number, item=note.item)
        first, last = note.from_ms, note.to_ms
        if last is not None and (first is None or last < first):
            raise refused("note_backwards", 422, number=number)
        if end_ms is not None and max(first or 0, last or 0) > end_ms + _MARGIN_MS:
            raise refused("note_past_end", 422, number=number)
        said.add(note.item)
    for item, answer in zip(form.items, answers, strict=True):
        is_due = item.comment == "always" or (
            item.comment == "below_full" and has_error(item, answer)
        )
        if is_due and item.code not in said:
            raise refused("comment_due", 422, item=item.text)


def length_ms(contact: Contact) -> int | None:
    """From its first event to the end of its conversation, or of its wrap-up where that is not
    known.
    """
    if contact.end_u is not None and contact.end_b == contact.start_b:
        return contact.end_u - contact.start_u
    end_utc = contact.end_utc if contact.end_utc is not None else contact.close_utc
    if end_utc is None or contact.start_utc is None:
        return None
    return end_utc - contact.start_utc


def _of_scored(request: SubmitEvaluation | ReviseEvaluation, scored: Evaluation) -> dict[str, Any]:
    return {
        "answers": request.answers, "score": scored.score, "raw": scored.raw,
        "failed": scored.failed,
        "critical": [scored.user, scored.business, scored.compliance],
    }  # fmt: skip


def _scores(scored: Evaluation) -> dict[str, Any]:
    return {"score": scored.score, "raw": scored.raw, "failed": scored.failed}


def _noted(by: str, evaluation: str, note: SaidNote) -> list[Event]:
    common = {
        "by": by, "evaluation": evaluation, "item": note.item, "from_ms": note.from_ms,
        "to_ms": note.to_ms, "about": note.about,
    }  # fmt: skip
    return [("evaluation.noted", common | part) for part in parts_of(note.text.strip(), NOTE_PART)]


def _right_code(by: str, evaluation: str, code: str) -> Event:
    return "evaluation.noted", {"by": by, "evaluation": evaluation, "about": "code", "text": code}
