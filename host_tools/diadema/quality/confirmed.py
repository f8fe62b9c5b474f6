"""What agents declared of a call, and what whoever evaluated it heard: the steps of the protocol
and the code. Of drawn calls alone, by the score that stands.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import Struct
from sqlalchemy import Connection, and_, select

from diadema.quality.pairs import seen_calls
from diadema.quality.scoring import NOT_APPLICABLE, OPTIONS
from diadema.site.directory.people import People
from diadema.site.directory.scorecards import Scorecard
from diadema.site.work import SYSTEM_CODES
from diadema.store import contact_rows, tables
from diadema.store.contact_rows import Key
from diadema.store.quality import Evaluated, right_codes
from diadema.store.rows import Contact


class Judged(Struct, frozen=True):
    """A call that was drawn and evaluated; `right_code`: what its agent should have typified."""

    contact: Contact
    evaluated: Evaluated
    scorecard: Scorecard
    right_code: str | None


@dataclass
class Confirmed:
    """Calls of one step by what was declared and what was heard; neither is counted too."""

    both: int = 0
    only_declared: int = 0
    only_heard: int = 0
    neither: int = 0

    @property
    def declared(self) -> int:
        return self.both + self.only_declared

    @property
    def n(self) -> int:
        return self.declared + self.only_heard + self.neither

    def add(self, declared: bool, heard: bool) -> None:
        self.both += declared and heard
        self.only_declared += declared and not heard
        self.only_heard += heard and not declared
        self.neither += not declared and not heard

    def __iadd__(self, other: "Confirmed") -> "Confirmed":
        self.both += other.both
        self.only_declared += other.only_declared
        self.only_heard += other.only_heard
        self.neither += other.neither
        return self


def judged(
    tx: Connection, people: People, now_ms: int, start_utc: int, end_utc: int
) -> list[Judged]:
    """Those that began in [start_utc, end_utc), in the order in which they were assigned."""
    given, call = tables.assignments.c, tables.contacts.c
    same = and_(call.s == given.call_s, call.e == given.call_e, call.n == given.call_n)
    query = (
        select(given.call_s, given.call_e, given.call_n)
        .select_from(tables.contacts.join(tables.assignments, same))
        .where(call.start_utc >= start_utc, call.start_utc < end_utc)
        .distinct()
    )
    calls: list[Key] = [(s, e, n) for s, e, n in tx.execute(query)]
    contacts = contact_rows.of_keys(tx, calls)
    found = [
        (one, one.stands)
        for one in seen_calls(tx, people, now_ms, calls=calls)
        if one.draw is not None and one.stands is not None
    ]
    codes = right_codes(tx, [its.submitted.evaluation for _, its in found if its])
    made = []
    for one, its in found:
        task = one.first.assignment
        scorecard = people.scorecard(task.form, task.version)
        if its is not None and scorecard and len(scorecard.items) == len(its.answers):
            right = codes.get(its.submitted.evaluation)
            made.append(Judged(contacts[one.call], its, scorecard, right))
    return made


def steps(calls: Iterable[Judged]) -> dict[str, Confirmed]:
    """By step, in the order in which the scorecards have them. A step was heard where any item of
    it that applies is answered above its least option; one that came by itself was declared by
    nobody, and is left out.
    """
    found: dict[str, Confirmed] = {}
    for one in calls:
        said = one.contact.more.steps if one.contact.more else []
        by_itself = {step.step for step in said if step.how != "key"}
        declared = {step.step for step in said if step.how == "key" and step.result == "done"}
        heard: dict[str, bool] = {}
        for item, answer in zip(one.scorecard.items, one.evaluated.answers, strict=True):
            if item.step and answer != NOT_APPLICABLE and item.step not in by_itself:
                above = answer != OPTIONS[item.scale][0]
                heard[item.step] = heard.get(item.step, False) or above
        for step, was in heard.items():
            found.setdefault(step, Confirmed()).add(step in declared, was)
    return found


def codes(calls: Iterable[Judged]) -> Counter[tuple[str, str]]:
    """How often each code was given where each was right: (given, right); no code is ""."""
    return Counter(
        ("" if one.contact.code in SYSTEM_CODES else one.contact.code or "", one.right_code)
        for one in calls
        if one.right_code is not None
    )
