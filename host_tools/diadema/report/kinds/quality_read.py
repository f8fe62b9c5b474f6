"""What reports of quality are made from: the drawn calls of a span, whose they were when they
began, and the part of each stratum that they are.

A report is of the calls that began in its days, whichever draw they come from; a week that two
months share is in each with its own calls.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from msgspec import Struct, field
from sqlalchemy import Connection

from diadema.figures.days import day_at, start_of
from diadema.metrics.rounding import round_half_up
from diadema.quality import estimates
from diadema.quality.counted import DrawnCall, Scored, drawn_calls
from diadema.quality.estimates import Part, Stratum
from diadema.quality.scoring import Evaluation, evaluate
from diadema.report.context import ReportContext
from diadema.site.directory.scorecards import Item, Scorecard
from diadema.store import contact_rows, open_reader, quality, tables
from diadema.store.assistance import about
from diadema.store.contact_rows import Key
from diadema.store.quality import Draw
from diadema.store.rows import Contact

_CONTACT = ("s", "e", "n")

type StratumKey = tuple[str, str, str]  # draw, agent, stratum


class Sampled(Struct, kw_only=True):
    """A drawn call with its contact, None where that was erased. `team`, `queue` and `motive` are
    codes, as they were when it began. `scored`: what counts for this reader.
    """

    call: DrawnCall
    contact: Contact | None
    utc: int
    day: date
    team: str
    queue: str
    motive: str
    inside: bool
    stratum: StratumKey
    nth: int = 0  # of the strata, in the order of the sample's calls
    scored: Scored | None

    @property
    def raw(self) -> int | None:
        return self.scored.raw if self.scored else None

    @property
    def score(self) -> int | None:
        return self.scored.score if self.scored else None


class Strata:
    """How many calls of each stratum were evaluated, by what is asked of them."""

    def __init__(self, calls: Sequence[Sampled]) -> None:
        order: dict[StratumKey, int] = {}
        for one in calls:
            one.nth = order.setdefault(one.stratum, len(order))
        scored = [one for one in calls if one.scored is not None]
        self._pools = {one.nth: one.call.pool for one in scored}
        self._counted = Counter(one.nth for one in scored)
        self._raw = Counter(one.nth for one in scored if one.raw is not None)

    def parts(self, points: Iterable[tuple[Sampled, int | None]]) -> list[Part]:
        """Of these evaluated calls, each with what it reached, that have it; neighbours are one
        agent's draws, then the next agent's.
        """
        found: dict[int, list[int]] = {}
        for one, reached in points:
            if reached is not None:
                found.setdefault(one.nth, []).append(reached)
        n, pools = self._raw, self._pools
        return [
            Part(its, max(n[nth], len(its)), max(pools[nth], n[nth]))
            for nth, its in sorted(found.items())
        ]

    def of(self, calls: Iterable[Sampled]) -> int:
        """How many calls of the frame these, which are counted, stand for."""
        counts = Counter(one.nth for one in calls)
        n, pools = self._counted, self._pools
        return estimates.size_of((k, n[nth], pools[nth]) for nth, k in counts.items())

    def raw(self, calls: Iterable[Sampled]) -> list[Part]:
        return self.parts((one, one.raw) for one in calls)

    def score(self, calls: Iterable[Sampled]) -> list[Part]:
        return self.parts((one, one.score) for one in calls)

    def whole(self, calls: Iterable[Sampled]) -> list[Stratum]:
        """As strata of their own, of the number that they stand for."""
        return [
            Stratum(its, max(len(its), round_half_up(of * len(its), n)))
            for its, n, of in self.raw(calls)
        ]


class Sample(Struct, kw_only=True):
    """`draws`: those of the days, annulled ones too, in the order of their periods; `calls`: all
    of the others' calls, of which the report is about those `inside`, and of these counts what is
    in `counted`. `codes`: of the scorecards that are asked for in them, in order. `strata`: of
    all the calls.
    """

    draws: list[Draw]
    calls: list[Sampled]
    forms: Mapping[tuple[str, int], Scorecard]
    inside: list[Sampled] = field(default_factory=list)
    counted: list[Sampled] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    strata: Strata = field(default_factory=lambda: Strata([]))
    _made: dict[tuple[str, int, str], Evaluation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inside = [one for one in self.calls if one.inside]
        self.counted = [one for one in self.inside if one.scored is not None]
        self.codes = sorted({one.call.form for one in self.inside})
        self.strata = Strata(self.calls)

    def worked_out(self, one: Sampled) -> Evaluation | None:
        """Its sections and accuracies; None where its form is not known any more."""
        if one.scored is None:
            return None
        key = one.call.form, one.call.version, one.scored.answers
        if (found := self._made.get(key)) is None:
            form = self.forms.get(key[:2])
            if form is None or len(form.items) != len(one.scored.answers):
                return None
            found = self._made[key] = evaluate(form, one.scored.answers)
        return found

    def label(self, code: str) -> str:
        """With its code, where another one is called the same."""
        newest: dict[str, str] = {one: self.forms[one, v].label for one, v in sorted(self.forms)}
        name = newest.get(code, code)
        again = sum(one == name for one in newest.values()) > 1
        return f"{name} ({code})" if again else name

    def has_contract(self, code: str) -> bool:
        """A contract asked for the score with its zeros when they were published."""
        its = (form for (one, _), form in self.forms.items() if one == code)
        return any(form.contract for form in its)


class Items(NamedTuple):
    """Of one scorecard, by code, as last published; in the form's order."""

    items: dict[str, Item]
    sections: dict[str, str]  # code → label


def items_of(sample: Sample, code: str) -> Items:
    items: dict[str, Item] = {}
    sections: dict[str, str] = {}
    for (one, _), form in sorted(sample.forms.items(), reverse=True):  # the newest first
        if one != code:
            continue
        for section in form.sections:
            sections.setdefault(section.code, section.label)
        for item in form.items:
            items.setdefault(item.code, item)
    return Items(items, sections)


def read_sample(
    context: ReportContext,
    first: date | None = None,
    last: date | None = None,
    agents: Collection[str] | None = None,
) -> Sample:
    """Of the report's days or of these; of these agents alone, where any are named."""
    first, last = first or context.period.first, last or context.period.last
    zone = context.zone
    start = start_of(first, zone) * 1000
    end = start_of(last + timedelta(days=1), zone) * 1000
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        draws = [one for one in quality.draws(tx) if _touches(one, start, end)]
        draws.sort(key=_order)
        live = {one.drawn.draw or "" for one in draws if one.drawn and not one.annulled}
        forms = context.people.scorecards
        found = drawn_calls(tx, live, forms, context.now_ms)
        if agents is not None:
            found = [one for one in found if one.agent in agents]
        contacts = _contacts(tx, [one.key for one in found])
    begun = {one.drawn.draw: one.planned for one in draws if one.drawn and one.planned}
    calls = []
    for call in found:
        contact, planned = contacts.get(call.key), begun.get(call.draw)
        utc = contact.start_utc if contact is not None else None
        if utc is None:  # it was erased, and is as its draw
            utc = (planned.start_utc if planned is not None else None) or start
        calls.append(_sampled(context, call, contact, utc, (start, end)))
    place = {one.drawn.draw or "": at for at, one in enumerate(draws) if one.drawn}
    calls.sort(key=lambda one: (one.call.agent, place[one.call.draw], one.call.stratum, one.utc,
                                one.call.key))  # fmt: skip
    return Sample(draws=draws, calls=calls, forms=forms)


def _touches(draw: Draw, start: int, end: int) -> bool:
    planned = draw.planned
    if draw.drawn is None or planned is None:
        return False
    return (planned.start_utc or 0) < end and (planned.end_utc or 0) > start


def _order(draw: Draw) -> tuple[int, int, int, int]:
    planned, drawn = draw.planned, draw.drawn
    assert planned is not None and drawn is not None
    return planned.start_utc or 0, planned.sequence, drawn.epoch, drawn.sequence


def _contacts(tx: Connection, keys: list[Key]) -> dict[Key, Contact]:
    rows = about(tx, tables.contacts, [*dict.fromkeys(keys)], _CONTACT)
    its = (contact_rows.contact_of(row.row) for row in rows)
    return {contact_rows.key_of(one): one for one in its}


def _sampled(
    context: ReportContext,
    call: DrawnCall,
    contact: Contact | None,
    utc: int,
    span: tuple[int, int],
) -> Sampled:
    people, day = context.people, day_at(utc // 1000, context.zone)
    queue = people.queue(contact.queue or "", utc) if contact is not None else ""
    chosen = contact.more.motive if contact is not None and contact.more else None
    code = contact.code if contact is not None else None
    ours = context.agents is None or context.has(call.agent, day)
    return Sampled(
        call=call,
        contact=contact,
        utc=utc,
        day=day,
        team=people.on(call.agent, day).team,
        queue=queue,
        motive=chosen or people.motive_of.get(code or "", ""),
        inside=span[0] <= utc < span[1] and ours and context.queue in (None, queue),
        stratum=(call.draw, call.agent, call.stratum),
        scored=_seen(context, call),
    )


def _seen(context: ReportContext, call: DrawnCall) -> Scored | None:
    """A monitor has the name behind a score from when its agent may read it."""
    person, scored = context.person, call.scored
    if person is None or person.may("quality") or not person.may("evaluate"):
        return scored
    return scored if scored is not None and scored.released_utc is not None else None


def uncovered(
    context: ReportContext, sample: Sample, calls: Collection[Sampled], *, all_of: bool = False
) -> tuple[int, int]:
    """How many contacts of the frame lie in strata without an evaluated call, and how many it
    has: of the strata that these calls are of. `all_of`: of whole draws, where each lies in the
    days, with the strata of which none was given to anybody.
    """
    pools: dict[StratumKey, int] = {}
    covered: set[StratumKey] = set()
    for one in calls:
        pools[one.stratum] = one.call.pool
        if one.raw is not None:
            covered.add(one.stratum)
    reached = sum(pool for key, pool in pools.items() if key in covered)
    frames = sum(pools.values())
    if all_of:
        by_draw: defaultdict[str, int] = defaultdict(int)
        for (draw, _, _), pool in pools.items():
            by_draw[draw] += pool
        start, end = context.bounds_ms
        for of in sample.draws:
            planned, drawn = of.planned, of.drawn
            if planned is None or drawn is None or (code := drawn.draw or "") not in by_draw:
                continue
            if start <= (planned.start_utc or 0) and (planned.end_utc or 0) <= end:
                frames += max((drawn.frame or 0) - by_draw[code], 0)
    return frames - reached, frames
