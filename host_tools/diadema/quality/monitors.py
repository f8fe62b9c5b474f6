"""What monitors did of the calls that they were assigned, and how far those agree who evaluated
the same ones: each by the moment at which it was assigned, in months of the site's zone.

Two who evaluated one call are compared by what they submitted, before anybody decided or revised.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Connection

from diadema.quality.agreement import Bias, ItemAgreement, Pair, bias, is_biased, item_agreement
from diadema.site.directory.scorecards import Item, Scorecard
from diadema.store import contact_rows
from diadema.store.assistance import key_of
from diadema.store.contact_rows import Key
from diadema.store.quality import (
    AssignedCall,
    Evaluated,
    assigned_calls,
    call_of,
    evaluations,
    listenings,
)
from diadema.store.quality_rows import Assignment
from diadema.store.rows import Contact

type State = Literal["done", "late", "waiting"]
type Month = str  # as 2026-11
type Scorecards = Mapping[tuple[str, int], Scorecard]

HEARD_LEAST_MS = 10_000  # of a call, from which on one knows how it goes
_HEARD = "evaluation"  # the purpose of who evaluates


class Task(Struct, frozen=True):
    """A call that somebody was assigned. `evaluated`: None while it is not, or once it was
    annulled. `contact` is None where nothing of it is kept. `heard_ms`: of its recording, by
    whoever was assigned it.
    """

    given: AssignedCall
    evaluated: Evaluated | None
    contact: Contact | None
    heard_ms: int

    @property
    def monitor(self) -> str:
        return self.given.assignment.assignee

    @property
    def began_utc(self) -> int:
        """When the call began, as far as that is known."""
        start = self.contact.start_utc if self.contact else None
        return self.given.assignment.utc if start is None else start

    @property
    def call_ms(self) -> int:
        """From when the agent answered to when the call ended."""
        its = self.contact
        if its is None or its.answered_utc is None or its.end_utc is None:
            return 0
        return max(its.end_utc - its.answered_utc, 0)

    def state(self, now_ms: int) -> State:
        """Late: its time is over, and nobody evaluated it."""
        if self.given.submitted is not None:
            return "done"
        return "late" if self.given.assignment.due_utc <= now_ms else "waiting"


class Replaced(NamedTuple):
    """A call in whose place `by` asked for another one; `call` is it, as `by` had heard it."""

    by: str
    reason: str
    call: Task


class Twice(NamedTuple):
    """One call that two evaluated; `month`: in which it was assigned."""

    month: Month
    scorecard: Scorecard
    first: Evaluated
    second: Evaluated

    @property
    def differences(self) -> Iterable[tuple[str, int]]:
        """By how many tenths of a percent each of the two scored higher; none where nothing
        applied to one of them.
        """
        one, other = self.first.submitted, self.second.submitted
        if one.raw is not None and other.raw is not None:
            yield one.by, one.raw - other.raw
            yield other.by, other.raw - one.raw


class ItemMonth(NamedTuple):
    month: Month
    scorecard: Scorecard
    item: Item
    agreement: ItemAgreement


class MonitorMonth(NamedTuple):
    """`pairs`: how many calls were compared; `bias` is None of too few."""

    monitor: str
    month: Month
    pairs: int
    bias: Bias | None


def tasks(tx: Connection, start_utc: int, end_utc: int) -> list[Task]:
    """What was assigned in [start_utc, end_utc) of drawn calls, and still counts."""
    given = [
        one
        for one in assigned_calls(tx, start_utc=start_utc, end_utc=end_utc)
        if one.assignment.draw is not None and not one.replaced and not one.annulled
    ]
    calls = [*{call_of(one.assignment): None for one in given}]
    contacts = contact_rows.of_keys(tx, calls)
    heard = _heard(tx, calls)
    keys = [key_of(one.assignment) for one in given]
    done: dict[Key, Evaluated] = {}
    for one in evaluations(tx, assignments=keys):
        its = one.submitted
        if one.annulled is None:
            done.setdefault((its.of_s, its.of_e, its.of_n), one)
    return [
        Task(
            given=one,
            evaluated=done.get(key),
            contact=contacts.get(call_of(one.assignment)),
            heard_ms=heard.get((one.assignment.assignee, call_of(one.assignment)), 0),
        )
        for key, one in zip(keys, given, strict=True)
    ]


def replacements(tx: Connection, start_utc: int, end_utc: int) -> list[Replaced]:
    """What was asked for in [start_utc, end_utc), each call once, however many were to evaluate
    it; draws that were annulled are left out.
    """
    given = [
        one.assignment
        for one in assigned_calls(tx, start_utc=start_utc, end_utc=end_utc)
        if one.assignment.of_n is not None and not one.annulled
    ]
    draws = {one.draw for one in given if one.draw is not None}
    stood = {key_of(one.assignment): one for one in assigned_calls(tx, draws=draws)}
    found: dict[tuple[str | None, Key], tuple[Assignment, AssignedCall]] = {}
    for one in given:
        its = stood.get((one.of_s or "", one.of_e or 0, one.of_n or 0))
        if its is not None:
            found.setdefault((one.draw, call_of(its.assignment)), (one, its))
    calls = [call for _, call in found]
    contacts, heard = contact_rows.of_keys(tx, calls), _heard(tx, calls)
    return [
        Replaced(
            by=one.by,
            reason=one.reason or "",
            call=Task(its, None, contacts.get(call), heard.get((one.by, call), 0)),
        )
        for (_, call), (one, its) in found.items()
    ]


def _heard(tx: Connection, calls: Sequence[Key]) -> dict[tuple[str, Key], int]:
    """By who heard and which call."""
    found: dict[tuple[str, Key], int] = {}
    for one in listenings(tx, calls=calls):
        its, ended = one.began, one.ended
        if its.kind != "started" or its.purpose != _HEARD or ended is None:
            continue
        if its.call_s is None or its.call_e is None or its.call_n is None:
            continue
        whose = its.by, (its.call_s, its.call_e, its.call_n)
        found[whose] = found.get(whose, 0) + (ended.heard_ms or 0)
    return found


def twice(given: Iterable[Task], scorecards: Scorecards, zone: ZoneInfo) -> list[Twice]:
    """Of the calls that were assigned to two, those that both evaluated."""
    by_call: defaultdict[tuple[str | None, Key], list[Task]] = defaultdict(list)
    for task in given:
        its = task.given.assignment
        by_call[its.draw, call_of(its)].append(task)
    found = []
    for those in by_call.values():
        first = next((one for one in those if not one.given.assignment.second), None)
        second = next((one for one in those if one.given.assignment.second), None)
        if first is None or second is None:
            continue
        its = first.given.assignment
        scorecard = scorecards.get((its.form, its.version))
        if not (first.evaluated and second.evaluated and scorecard):
            continue
        both = first.evaluated, second.evaluated
        if all(len(one.submitted.answers) == len(scorecard.items) for one in both):
            found.append(Twice(month_of(its.utc, zone), scorecard, *both))
    return found


def month_of(utc_ms: int, zone: ZoneInfo) -> Month:
    return f"{datetime.fromtimestamp(utc_ms / 1000, zone):%Y-%m}"


def agreements(pairs: Iterable[Twice]) -> list[ItemMonth]:
    """By month, scorecard and item, in the form's order; an item whose scale has changed is
    another.
    """
    answers: defaultdict[tuple[Month, str, str, str], list[Pair]] = defaultdict(list)
    forms: dict[str, Scorecard] = {}
    items: dict[tuple[str, str, str], Item] = {}
    for one in pairs:
        form = one.scorecard
        if form.code not in forms or forms[form.code].version < form.version:
            forms[form.code] = form
        both = one.first.submitted.answers, one.second.submitted.answers
        for item, answer, other in zip(form.items, *both, strict=True):
            its = form.code, item.code, item.scale
            if its not in items or form is forms[form.code]:
                items[its] = item
            answers[one.month, *its].append((answer, other))
    places = {
        (code, item.code): at for code, form in forms.items() for at, item in enumerate(form.items)
    }
    ordered = sorted(answers, key=lambda one: (*one[:2], places.get((one[1], one[2]), 99), one))
    found = []
    for key in ordered:
        month, of, code, scale = key
        item = items[of, code, scale]
        found.append(ItemMonth(month, forms[of], item, item_agreement(item, answers[key])))
    return found


def biases(pairs: Iterable[Twice]) -> list[MonitorMonth]:
    """By monitor and month."""
    found: defaultdict[tuple[str, Month], list[int]] = defaultdict(list)
    for one in pairs:
        for monitor, difference in one.differences:
            found[monitor, one.month].append(difference)
    return [
        MonitorMonth(monitor, month, len(its), bias(its))
        for (monitor, month), its in sorted(found.items())
    ]


def biased(found: Iterable[MonitorMonth], month: Month) -> list[str]:
    """The monitors whose «desvío» leaves 0 out in that month and in the one before."""
    by_monitor: defaultdict[str, dict[Month, Bias | None]] = defaultdict(dict)
    for one in found:
        by_monitor[one.monitor][one.month] = one.bias
    months = month_before(month), month
    return [
        monitor
        for monitor, its in sorted(by_monitor.items())
        if is_biased([its.get(one) for one in months])
    ]


def month_before(month: Month) -> Month:
    return f"{date.fromisoformat(f'{month}-01') - timedelta(days=1):%Y-%m}"


def last_whole_month(now_ms: int, zone: ZoneInfo) -> Month:
    """The one that is over."""
    return month_before(month_of(now_ms, zone))


def bounds_of(month: Month, zone: ZoneInfo) -> tuple[int, int]:
    """[first, last) in UTC milliseconds."""
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    start, end = (
        int(datetime(one.year, one.month, 1, tzinfo=zone).timestamp()) * 1000
        for one in (first, following)
    )
    return start, end


def biased_lately(
    tx: Connection, scorecards: Scorecards, zone: ZoneInfo, now_ms: int
) -> tuple[Month, list[str]]:
    """The last month that is over, and who is an alert to the coordinator by it and the one
    before.
    """
    month = last_whole_month(now_ms, zone)
    start, _ = bounds_of(month_before(month), zone)
    pairs = twice(tasks(tx, start, bounds_of(month, zone)[1]), scorecards, zone)
    return month, biased(biases(pairs), month)
