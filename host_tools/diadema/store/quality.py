"""The monitor's work as people follow it: each draw, call, recording, listening and evaluation
with what was said of it later, in order.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field
from sqlalchemy import ColumnElement, Connection, Table, func, select

from diadema.store import tables
from diadema.store.assistance import Key, Names, about, as_said, key_of
from diadema.store.host_rows import HostRow
from diadema.store.quality_rows import (
    Assignment,
    CaseStep,
    DrawStep,
    Evaluation,
    EvaluationNote,
    EvaluationStep,
    Listening,
    Notice,
    Recording,
    RecordingAct,
    Signature,
)
from diadema.wire.events import EXCLUSIONS
from diadema.wire.letters import from_columns
from diadema.wire.long_texts import whole_text

_CODE = "code"
_CALL = ("call_s", "call_e", "call_n")
_COUNTED = (
    "answers", "score", "raw", "failed", "critical_user", "critical_business",
    "critical_compliance",
)  # fmt: skip


class Draw(Struct, kw_only=True):
    """`drawn` is null while it is to come. `excluded`: by why, how many contacts were not in the
    frame.
    """

    planned: DrawStep | None = None
    drawn: DrawStep | None = None
    annulled: DrawStep | None = None
    excluded: dict[str, int] = field(default_factory=dict)


class AssignedCall(Struct, kw_only=True):
    """`replaced`: another assignment stands in its place. `annulled`: its draw is. `submitted`:
    the event of its evaluation.
    """

    assignment: Assignment
    replaced: bool = False
    annulled: bool = False
    submitted: Key | None = None

    @property
    def is_waiting(self) -> bool:
        return not self.replaced and not self.annulled and self.submitted is None


class RecordedCall(Struct, kw_only=True):
    """`recording`: what was last said of it."""

    recording: Recording | None = None
    acts: list[RecordingAct] = field(default_factory=list)


class Heard(Struct, kw_only=True):
    """One listening. `began`: started or refused; `ended` is null while it goes on."""

    began: Listening
    ended: Listening | None = None


class OpenedCase(Struct, kw_only=True):
    """What of one call was opened to human resources; `closed` before its time, if it was."""

    opened: CaseStep
    closed: CaseStep | None = None

    @property
    def call(self) -> Key:
        return self.opened.call_s or "", self.opened.call_e or 0, self.opened.call_n or 0

    @property
    def evaluation(self) -> Key | None:
        """The evaluation.submitted that is opened too."""
        return _of(self.opened)

    def is_open(self, now_ms: int) -> bool:
        return self.closed is None and now_ms < (self.opened.until_utc or 0)


class Note(Struct, kw_only=True):
    evaluation: str
    utc: int
    by: str
    item: str | None
    from_ms: int | None
    to_ms: int | None
    about: str
    text: str


class Evaluated(Struct, kw_only=True):
    """An evaluation, with the answers that count: those of the last revision, if there is one.
    `revisions`: in order.
    """

    submitted: Evaluation
    revisions: list[EvaluationStep] = field(default_factory=list)
    annulled: EvaluationStep | None = None
    released_utc: int | None = None
    answers: str
    score: int | None
    raw: int | None
    failed: str
    critical_user: int | None
    critical_business: int | None
    critical_compliance: int | None

    @property
    def revised(self) -> EvaluationStep | None:
        """The last revision."""
        return self.revisions[-1] if self.revisions else None


def call_of(row: Assignment | Recording | RecordingAct | Evaluation) -> Key:
    """The contact that it is about."""
    return row.call_s, row.call_e, row.call_n


def draws(
    tx: Connection, *, plan: str | None = None, ids: Collection[str] | None = None
) -> list[Draw]:
    """By the order of their plans, and what was planned and not drawn yet; `ids`: these."""
    steps = _rows(tx, tables.draws, DrawStep)
    annulled = {_of(one): one for one in reversed(steps) if one.kind == "annulled"}
    planned = {key_of(one): one for one in steps if one.kind == "planned"}
    drawn: dict[Key | None, list[DrawStep]] = {key: [] for key in planned}
    for one in steps:
        if one.kind == "drawn":
            drawn.setdefault(_of(one), []).append(one)
    found = []
    for key, its in drawn.items():
        plan_step = planned.get(key) if key else None
        found += [_draw(plan_step, one, annulled) for one in its] or [
            _draw(plan_step, None, annulled)
        ]
    return [
        one
        for one in found
        if (plan is None or (one.planned is not None and one.planned.plan == plan))
        and (ids is None or (one.drawn is not None and one.drawn.draw in ids))
    ]


def _draw(
    planned: DrawStep | None, drawn: DrawStep | None, annulled: dict[Key | None, DrawStep]
) -> Draw:
    its = [annulled.get(key_of(one)) for one in (drawn, planned) if one is not None]
    counts = msgspec.json.decode(drawn.excluded or "[]", type=list[int]) if drawn else []
    return Draw(
        planned=planned,
        drawn=drawn,
        annulled=next((one for one in its if one is not None), None),
        excluded=dict(zip(EXCLUSIONS, counts, strict=False)),
    )


def assigned_calls(
    tx: Connection,
    *,
    draws: Collection[str] | None = None,
    assignee: str | None = None,
    agent: str | None = None,
    calls: Sequence[Key] | None = None,
    waiting: bool = False,
    start_utc: int | None = None,
    end_utc: int | None = None,
) -> list[AssignedCall]:
    """Those assigned in [start_utc, end_utc), in order; `waiting`: those that are to be done
    alone.
    """
    row = tables.assignments.c
    where = _same(row.assignee, assignee) + _same(row.a, agent)
    where += _within(row.utc, start_utc, end_utc)
    if draws is not None:
        where.append(_among(row.draw, draws))
    found = _rows(tx, tables.assignments, Assignment, where, calls, _CALL)
    keys = [key_of(one) for one in found]
    replaced = {_of(one) for one in _rows(tx, tables.assignments, Assignment, keys=keys)}
    submitted: dict[Key | None, Key] = {}
    for evaluation in _rows(tx, tables.evaluations, Evaluation, keys=keys):
        submitted.setdefault(_of(evaluation), key_of(evaluation))
    annulled = _annulled(tx) if found else set()
    made = [
        AssignedCall(
            assignment=one,
            replaced=key in replaced,
            annulled=one.draw in annulled,
            submitted=submitted.get(key),
        )
        for key, one in zip(keys, found, strict=True)
    ]
    return [one for one in made if one.is_waiting] if waiting else made


def assigned_call(tx: Connection, key: Key) -> AssignedCall | None:
    """That assignment, by its event."""
    row = tables.assignments.c
    its = [row.s == key[0], row.e == key[1], row.n == key[2]]
    found = _rows(tx, tables.assignments, Assignment, its)
    if not found:
        return None
    same = assigned_calls(tx, calls=[call_of(found[0])])
    return next((one for one in same if key_of(one.assignment) == key), None)


def _annulled(tx: Connection) -> set[str | None]:
    """The draws that count no more."""
    return {one.drawn.draw for one in draws(tx) if one.annulled and one.drawn}


def recordings(tx: Connection, calls: Sequence[Key]) -> dict[Key, RecordedCall]:
    """Of these calls, where anything was said of one."""
    found: dict[Key, RecordedCall] = {}
    for one in _rows(tx, tables.recordings, Recording, keys=calls, names=_CALL):
        found.setdefault(call_of(one), RecordedCall()).recording = one
    for act in _rows(tx, tables.recording_acts, RecordingAct, keys=calls, names=_CALL):
        found.setdefault(call_of(act), RecordedCall()).acts.append(act)
    return {key: found[key] for key in calls if key in found}


def cases(
    tx: Connection,
    *,
    agent: str | None = None,
    calls: Sequence[Key] | None = None,
    ids: Collection[str] | None = None,
) -> list[OpenedCase]:
    """Those of human resources, open or not, in the order in which they were opened."""
    row = tables.cases.c
    where = [row.kind == "opened", *_same(row.a, agent)]
    if ids is not None:
        where.append(_among(row.case_id, ids))
    found = _rows(tx, tables.cases, CaseStep, where, calls, _CALL)
    closed: dict[Key | None, CaseStep] = {}
    keys = [key_of(one) for one in found]
    for one in _rows(tx, tables.cases, CaseStep, [row.kind == "closed"], keys):
        closed.setdefault(_of(one), one)
    return [OpenedCase(opened=one, closed=closed.get(key_of(one))) for one in found]


def notices(tx: Connection) -> list[Notice]:
    """Each version of each, in the order in which they were published."""
    return _rows(tx, tables.notices, Notice)


def signatures(tx: Connection, *, agent: str | None = None) -> list[Signature]:
    """That agents were informed, in order."""
    return _rows(tx, tables.signatures, Signature, _same(tables.signatures.c.a, agent))


def listenings(
    tx: Connection,
    *,
    agent: str | None = None,
    by: str | None = None,
    calls: Sequence[Key] | None = None,
    start_utc: int | None = None,
    end_utc: int | None = None,
) -> list[Heard]:
    """Those that began, or were refused, in [start_utc, end_utc), in order."""
    row = tables.listenings.c
    where = [row.kind != "ended", *_same(row.a, agent), *_same(row.by, by)]
    where += _within(row.utc, start_utc, end_utc)
    found = _rows(tx, tables.listenings, Listening, where, calls, _CALL)
    ended: dict[Key | None, Listening] = {}
    for one in _rows(tx, tables.listenings, Listening, keys=[key_of(one) for one in found]):
        ended.setdefault(_of(one), one)
    return [Heard(began=one, ended=ended.get(key_of(one))) for one in found]


def evaluations(
    tx: Connection,
    *,
    agents: Collection[str] | None = None,
    ids: Collection[str] | None = None,
    assignments: Sequence[Key] | None = None,
    start_utc: int | None = None,
    end_utc: int | None = None,
) -> list[Evaluated]:
    """Those submitted in [start_utc, end_utc), in order."""
    row = tables.evaluations.c
    where = _within(row.utc, start_utc, end_utc)
    if agents is not None:
        where.append(_among(row.a, agents))
    if ids is not None:
        where.append(_among(row.evaluation, ids))
    found = _rows(tx, tables.evaluations, Evaluation, where, assignments)
    made = {key_of(one): _evaluated(one) for one in found}
    for step in _rows(tx, tables.evaluation_steps, EvaluationStep, keys=[*made]):
        its = made[step.of_s, step.of_e, step.of_n]
        if step.kind == "revised":
            its.revisions.append(step)
            for name in _COUNTED:
                setattr(its, name, getattr(step, name))
        elif step.kind == "annulled":
            its.annulled = its.annulled or step
        else:
            its.released_utc = its.released_utc or step.utc
    return [*made.values()]


def _evaluated(row: Evaluation) -> Evaluated:
    return Evaluated(submitted=row, **{name: getattr(row, name) for name in _COUNTED})


def notes(tx: Connection, evaluations: Collection[str]) -> dict[str, list[Note]]:
    """Of each of these, in order; whole ones alone, and none about a code."""
    row = tables.evaluation_notes.c
    found: dict[str, list[Note]] = {}
    parts: dict[str, list[EvaluationNote]] = {}
    where = [_among(row.evaluation, evaluations), row.about != _CODE]
    for one in _rows(tx, tables.evaluation_notes, EvaluationNote, where):
        its = parts.setdefault(one.evaluation, [])
        if one.part in (None, 1):
            its.clear()
        its.append(one)
        text = whole_text((part.text, part.part, part.parts, part.sha256) for part in its)
        if text and (one.part or 1) == (one.parts or 1):  # none, of one that was erased
            found.setdefault(one.evaluation, []).append(
                Note(
                    evaluation=one.evaluation,
                    utc=one.utc,
                    by=one.by,
                    item=one.item,
                    from_ms=one.from_ms,
                    to_ms=one.to_ms,
                    about=one.about,
                    text=text,
                )
            )
    return found


def right_codes(
    tx: Connection, evaluations: Collection[str], *, first: bool = False
) -> dict[str, str]:
    """What the agent should have typified, by evaluation, as it was said last, or first."""
    row = tables.evaluation_notes.c
    where = [_among(row.evaluation, evaluations), row.about == _CODE]
    found = _rows(tx, tables.evaluation_notes, EvaluationNote, where)
    return {one.evaluation: one.text for one in (reversed(found) if first else found)}


def _rows[Said: HostRow](
    tx: Connection,
    table: Table,
    kind: type[Said],
    where: Sequence[ColumnElement[bool]] = (),
    keys: Sequence[Key] | None = None,
    names: Names = ("of_s", "of_e", "of_n"),
) -> list[Said]:
    """In the order in which they were said; `keys`: those alone that are about these events."""
    if keys is None:
        found: Iterable[Any] = tx.execute(select(table).where(*where))
    else:
        found = about(tx, table, keys, names, where)
    return as_said(from_columns(kind, one._mapping) for one in found)


def _same(column: ColumnElement[Any], value: str | None) -> list[ColumnElement[bool]]:
    return [] if value is None else [column == value]


def _among(column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    """However many they are."""
    each = func.json_each(msgspec.json.encode([*values]).decode()).table_valued("value")
    return column.in_(select(each.c.value))


def _within(
    utc: ColumnElement[Any], start_utc: int | None, end_utc: int | None
) -> list[ColumnElement[bool]]:
    where = [] if start_utc is None else [utc >= start_utc]
    return where if end_utc is None else [*where, utc < end_utc]


def _of(row: DrawStep | Assignment | Listening | Evaluation | CaseStep) -> Key | None:
    if row.of_s is None or row.of_e is None or row.of_n is None:
        return None
    return row.of_s, row.of_e, row.of_n
