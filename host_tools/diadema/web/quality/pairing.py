"""Which calls two monitors evaluated, and what each of both said. Neither knows of the other, and
nothing here says whose call it is.
"""

from msgspec import Struct
from sqlalchemy import Connection, select

from diadema.access.roles import Person
from diadema.quality.blind import hidden_in
from diadema.quality.pairs import seen_calls
from diadema.site.directory.people import People
from diadema.site.directory.scorecards import Scorecard
from diadema.store import tables
from diadema.store.assistance import Key, key_of
from diadema.store.quality import Evaluated, right_codes
from diadema.store.quality import notes as notes_of
from diadema.web.quality.sheet import by_item, said_note
from diadema.web.quality.tasks import q_of
from diadema.wire.quality_actions import SaidNote


class Pair(Struct, kw_only=True):
    """Two evaluations of one call of a draw, the first of which stands. `differs`: it goes to the
    coordinator; `decided`: who did so has said what counts.
    """

    q: str
    call: Key
    scorecard: Scorecard
    one: Evaluated
    other: Evaluated
    differs: bool
    decided: bool

    @property
    def items(self) -> int:
        """In how many they differ."""
        both = zip(self.one.submitted.answers, self.other.submitted.answers, strict=False)
        return sum(a != b for a, b in both)


def pairs(tx: Connection, people: People, person: Person, now_ms: int) -> list[Pair]:
    """Those of which both evaluations are in, in the order in which they were assigned, as far as
    this coordinator sees the agents and has not the call to evaluate blind.
    """
    unseen = hidden_in(tx, person, now_ms)
    row = tables.assignments.c
    query = select(row.call_s, row.call_e, row.call_n).where(row.second.is_(True)).distinct()
    calls = [(s, e, n) for s, e, n in tx.execute(query) if (s, e, n) not in unseen]
    found = []
    for seen in seen_calls(tx, people, now_ms, calls=calls):
        its = seen.first.assignment
        form = people.scorecard(its.form, its.version)
        if seen.first_said is None or seen.second_said is None or form is None:
            continue
        if not person.sees(its.agent, people):
            continue
        found.append(
            Pair(
                q=q_of(key_of(its)), call=seen.call, scorecard=form, one=seen.first_said,
                other=seen.second_said, differs=seen.state in ("differs", "decided"),
                decided=seen.state == "decided",
            )
        )  # fmt: skip
    return found


class Side(Struct, kw_only=True):
    """What one of both said. `score`: tenths of a percent, before what failed it."""

    answers: dict[str, str]
    score: int | None
    right_code: str | None
    notes: list[SaidNote]


def sides(tx: Connection, pair: Pair) -> list[Side]:
    """The first, which stands, and the other; as they were submitted."""
    both = pair.one, pair.other
    ids = [one.submitted.evaluation for one in both]
    notes, codes = notes_of(tx, ids), right_codes(tx, ids)
    return [
        Side(
            answers=by_item(pair.scorecard, one.submitted.answers),
            score=one.submitted.raw,
            right_code=codes.get(one.submitted.evaluation),
            notes=[said_note(each) for each in notes.get(one.submitted.evaluation, [])],
        )
        for one in both
    ]
