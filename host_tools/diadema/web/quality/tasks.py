"""What an account has to evaluate and has evaluated, as the desk lists it. An assignment is called
`Q`, the epoch and number of its event: nothing of a call that is yet blind is said here.
"""

import re
from collections.abc import Collection, Iterator
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.store.assistance import Key, key_of
from diadema.store.quality import AssignedCall, Evaluated, assigned_calls, evaluations
from diadema.web.quality.drafts import Drafts

ME = "HUB-main"
_Q = re.compile(r"(\d{1,10})-(\d{1,16})")

type State = Literal["waiting", "draft", "late", "done", "released", "annulled"]


class Task(Struct, kw_only=True):
    """`number` of `of`: its place among the account's of the same draw, or of those chosen by
    rules. `score`: of what was submitted, in tenths of a percent; `agent`: the name, once the
    agent may read it.
    """

    q: str
    number: int
    of: int
    form: str
    label: str
    version: int
    basis: Literal["random", "targeted"]
    due_utc: int
    state: State
    score: int | None = None
    agent: str | None = None


class Progress(Struct, kw_only=True):
    """Of one monitor, over what is open or was done of the draws that are."""

    account: str
    name: str
    assigned: int = 0
    done: int = 0
    late: int = 0


def q_of(key: Key) -> str:
    return f"{key[1]}-{key[2]}"


def key_of_q(q: str) -> Key | None:
    """The event of the assignment; None: no such name."""
    found = _Q.fullmatch(q)
    return (ME, int(found[1]), int(found[2])) if found else None


def tasks(data: DataDir, person: Person, people: People, now_ms: int) -> list[Task]:
    """In their order: draw by draw as they were assigned. What was replaced is in none."""
    if not data.store.exists():
        return []
    with Drafts(data.evaluation_drafts) as drafts:
        begun = drafts.begun(person.id)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        return [*_tasks(tx, person.id, people, now_ms, begun)]


def find(
    tx: Connection, person: Person, people: People, now_ms: int, q: str, begun: Collection[Key]
) -> tuple[AssignedCall, Task] | None:
    """The account's own assignment of that name; None: none, or another's."""
    key = key_of_q(q)
    for one in assigned_calls(tx, assignee=person.id):
        if key_of(one.assignment) == key:
            mine = _tasks(tx, person.id, people, now_ms, begun)
            task = next((its for its in mine if its.q == q), None)
            return (one, task) if task is not None else None
    return None


def progress(tx: Connection, names: dict[str, str], now_ms: int) -> list[Progress]:
    """Of each account that was assigned a call by a draw, by its name."""
    found: dict[str, Progress] = {}
    for one in assigned_calls(tx):
        its = one.assignment
        if one.replaced or one.annulled or its.draw is None:
            continue
        name = names.get(its.assignee, its.assignee)
        mine = found.setdefault(its.assignee, Progress(account=its.assignee, name=name))
        mine.assigned += 1
        mine.done += one.submitted is not None
        mine.late += one.submitted is None and its.due_utc <= now_ms
    return sorted(found.values(), key=lambda one: one.name.casefold())


def _tasks(
    tx: Connection, account: str, people: People, now_ms: int, begun: Collection[Key]
) -> Iterator[Task]:
    mine = [one for one in assigned_calls(tx, assignee=account) if not one.replaced]
    keys = [key_of(one.assignment) for one in mine]
    done = {_of(one): one for one in evaluations(tx, assignments=keys)}
    counts: dict[str | None, int] = {}
    for one in mine:
        counts[one.assignment.draw] = counts.get(one.assignment.draw, 0) + 1
    numbers: dict[str | None, int] = {}
    for key, one in zip(keys, mine, strict=True):
        its = one.assignment
        numbers[its.draw] = numbers.get(its.draw, 0) + 1
        form = people.scorecard(its.form, its.version)
        evaluated = done.get(key)
        state = _state(one, evaluated, now_ms, key in begun)
        if state == "annulled" and evaluated is None:
            continue
        yield Task(
            q=q_of(key),
            number=numbers[its.draw],
            of=counts[its.draw],
            form=its.form,
            label=form.label if form is not None else its.form,
            version=its.version,
            basis="targeted" if its.draw is None else "random",
            due_utc=its.due_utc,
            state=state,
            score=evaluated.submitted.raw if evaluated is not None else None,
            agent=people.name(its.agent) if state == "released" else None,
        )


def _state(one: AssignedCall, done: Evaluated | None, now_ms: int, begun: bool) -> State:
    if one.annulled or (done is not None and done.annulled is not None):
        return "annulled"
    if done is not None:
        return "released" if done.released_utc is not None else "done"
    if one.assignment.due_utc <= now_ms:
        return "late"
    return "draft" if begun else "waiting"


def _of(one: Evaluated) -> Key:
    its = one.submitted
    return its.of_s, its.of_e, its.of_n
