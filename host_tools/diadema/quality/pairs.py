"""Calls of a draw with who evaluates them, one monitor or two, and which evaluation stands.

Of two the first one's stands, whichever came first; where they differ much the coordinator decides
(a revision of it, cause `pair`). Neither monitor is told of the other.
"""

from collections.abc import Collection, Iterable
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection

from diadema.quality.agreement import needs_decision
from diadema.quality.scoring import WrongAnswers
from diadema.site.directory.people import People
from diadema.store.assistance import Key, key_of
from diadema.store.quality import AssignedCall, Evaluated, assigned_calls, call_of, evaluations
from diadema.store.quality_rows import EvaluationStep

type State = Literal["waiting", "missed", "single", "agreed", "differs", "decided"]

OVER: tuple[State, ...] = ("single", "agreed", "decided")  # the evaluation may be released
PAIR = "pair"  # cause of a revision that decides


class Seen(Struct, kw_only=True):
    """One call as it was assigned: by a rule, to one; or by a draw, to one or two. `first_said`,
    `second_said`: their evaluations, without those that were annulled.

    `state`: waiting, for one of them; missed, nobody did it in time; single, one did, and nobody
    else has it, or not in time; agreed and differs, of two; decided, by the coordinator.
    `ready_utc`: since when it may be released, null before.
    """

    first: AssignedCall
    second: AssignedCall | None = None
    first_said: Evaluated | None = None
    second_said: Evaluated | None = None
    state: State = "waiting"
    ready_utc: int | None = None

    @property
    def call(self) -> Key:
        return call_of(self.first.assignment)

    @property
    def draw(self) -> str | None:
        return self.first.assignment.draw

    @property
    def stands(self) -> Evaluated | None:
        """The evaluation that counts, if there is one yet."""
        return self.first_said or self.second_said


def seen_calls(
    tx: Connection,
    people: People,
    now_ms: int,
    *,
    draws: Collection[str] | None = None,
    calls: Collection[Key] | None = None,
    agent: str | None = None,
) -> list[Seen]:
    """In the order in which they were assigned, without those that were replaced or whose draw was
    annulled.
    """
    its = assigned_calls(tx, draws=draws, agent=agent, calls=None if calls is None else [*calls])
    counted = [one for one in its if not one.replaced and not one.annulled]
    keys = [key_of(one.assignment) for one in counted]
    said = {
        (one.submitted.of_s, one.submitted.of_e, one.submitted.of_n): one
        for one in reversed(evaluations(tx, assignments=keys))
        if one.annulled is None
    }
    return [_judged(one, people, now_ms) for one in _grouped(counted, said)]


def _grouped(assigned: Iterable[AssignedCall], said: dict[Key, Evaluated]) -> Iterable[Seen]:
    found: dict[object, Seen] = {}
    for one in assigned:
        row = one.assignment
        key = key_of(row)
        group = (row.draw, call_of(row)) if row.draw is not None else key
        its = said.get(key)
        known = found.get(group)
        if known is None:
            found[group] = Seen(first=one, first_said=its)
        elif row.second or known.second is not None:
            known.second, known.second_said = one, its
        else:
            known.second, known.second_said = known.first, known.first_said
            known.first, known.first_said = one, its
    for seen in found.values():
        if seen.second is not None and seen.first.assignment.second:
            seen.first, seen.second = seen.second, seen.first
            seen.first_said, seen.second_said = seen.second_said, seen.first_said
    return found.values()


def _judged(seen: Seen, people: People, now_ms: int) -> Seen:
    both = [(seen.first, seen.first_said)]
    both += [(seen.second, seen.second_said)] if seen.second is not None else []
    there = [one for _, one in both if one is not None]
    due = [one.assignment.due_utc for one, its in both if its is None]
    if not there:
        seen.state = "missed" if max(due) <= now_ms else "waiting"
        return seen
    ready = max(one.submitted.utc for one in there)
    if due:
        if max(due) > now_ms:
            return seen
        seen.state, seen.ready_utc = "single", max(ready, *due)
        return seen
    if len(there) == 1:
        seen.state, seen.ready_utc = "single", ready
        return seen
    first, second = there
    decision = decision_of(first)
    if decision is not None:
        seen.state, seen.ready_utc = "decided", decision.utc
    elif differ(seen.first, first, second, people):
        seen.state = "differs"
    else:
        seen.state, seen.ready_utc = "agreed", ready
    return seen


def decision_of(first: Evaluated) -> EvaluationStep | None:
    """What the coordinator decided where two differed; it may have been revised since."""
    return next((one for one in reversed(first.revisions) if one.cause == PAIR), None)


def differ(assigned: AssignedCall, first: Evaluated, second: Evaluated, people: People) -> bool:
    """Whether the coordinator has to decide; also where the form is not known any more, and its
    answers are not the same.
    """
    one, other = first.submitted.answers, second.submitted.answers
    form = people.scorecard(assigned.assignment.form, assigned.assignment.version)
    if form is None:
        return one != other
    try:
        return needs_decision(form, one, other)
    except WrongAnswers:
        return one != other
