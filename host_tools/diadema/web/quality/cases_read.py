"""The cases of human resources that a person may see, each with its call and, while it is open,
the evaluation that was opened with it.
"""

from collections.abc import Collection

from msgspec import Struct
from sqlalchemy import Connection

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.quality.blind import hidden
from diadema.quality.own_record import OwnEvaluation, released_evaluations
from diadema.recordings import calls
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.store.contact_rows import Key
from diadema.store.quality import OpenedCase, call_of, cases, evaluations, recordings
from diadema.store.quality_rows import Evaluation
from diadema.store.rows import Contact


class Shown(Struct, kw_only=True):
    """`contact`: None where it was erased; `recorded`: a recording is linked to it."""

    case: OpenedCase
    is_open: bool
    contact: Contact | None
    recorded: bool
    evaluation: OwnEvaluation | None = None


def shown(
    data: DataDir,
    person: Person,
    people: People,
    now_ms: int,
    *,
    ids: Collection[str] | None = None,
    call: Key | None = None,
) -> list[Shown]:
    """The newest first: to human resources those that are open, to the lead all. Raises
    DiademaError.
    """
    if not data.store.exists():
        return []
    left_out = hidden(data, person, now_ms)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        found = [
            one
            for one in cases(tx, ids=ids, calls=None if call is None else [call])[::-1]
            if one.call not in left_out and _sees(person, one, people, now_ms)
        ]
        linked = recordings(tx, [one.call for one in found])
        made = []
        for one in found:
            recording = known.recording if (known := linked.get(one.call)) else None
            made.append(
                Shown(
                    case=one,
                    is_open=one.is_open(now_ms),
                    contact=calls.find(tx, one.call),
                    recorded=recording is not None and recording.kind == "linked",
                )
            )
        _add_evaluations(tx, people, made)
    return made


def evaluation_to_open(data: DataDir, call: Key, agent: str) -> Key | None:
    """The newest of that call that was released and counts; its evaluation.submitted."""
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        its = [
            one.submitted
            for one in evaluations(tx, agents=[agent])
            if call_of(one.submitted) == call and one.released_utc and one.annulled is None
        ]
    return _event(its[-1]) if its else None


def _sees(person: Person, one: OpenedCase, people: People, now_ms: int) -> bool:
    agent = one.opened.agent or ""
    if person.may("quality"):
        return person.sees(agent, people)
    barred = agent in (person.id, person.agent) or (person.id, agent) in people.conflicts
    return one.is_open(now_ms) and person.sees(agent, people) and not barred


def _add_evaluations(tx: Connection, people: People, those: Collection[Shown]) -> None:
    open_ones = [one for one in those if one.is_open and one.case.evaluation is not None]
    for agent in {one.case.opened.agent or "" for one in open_ones}:
        known = {
            _event(one.evaluated.submitted): one for one in released_evaluations(tx, agent, people)
        }
        for one in open_ones:
            if one.case.opened.agent == agent:
                one.evaluation = known.get(one.case.evaluation or ("", 0, 0))


def _event(row: Evaluation) -> Key:
    return row.station, row.epoch, row.sequence
