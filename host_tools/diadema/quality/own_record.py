"""What the quality of calls has of one agent, as the agent reads it: the own evaluations once they
are released, who heard the own calls, the notices, and why one is left out of samples.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from sqlalchemy import Connection, select

from diadema.base.paths import DataDir
from diadema.quality.counted import DrawnCall, drawn_calls
from diadema.quality.estimates import (
    MONTHS,
    AgentFigure,
    Estimate,
    Month,
    Stratum,
    agent_figure,
    stratified,
    team_is_shown,
)
from diadema.quality.informing import (
    Informed,
    NoticeText,
    published_texts,
    signed_versions,
    states,
)
from diadema.quality.measured import measured
from diadema.quality.scoring import NOT_APPLICABLE, has_error
from diadema.site.context import zone_of
from diadema.site.directory.people import Exclusion, People
from diadema.site.directory.people_of import people as people_on
from diadema.site.directory.publishing import open_directory
from diadema.site.directory.scorecards import Item, Scorecard
from diadema.store import contact_rows, open_reader, tables
from diadema.store.assistance import Names, about, key_of
from diadema.store.contact_rows import Key
from diadema.store.quality import (
    Evaluated,
    Heard,
    Note,
    OpenedCase,
    assigned_calls,
    call_of,
    cases,
    draws,
    evaluations,
    listenings,
    notes,
    notices,
    signatures,
)
from diadema.store.quality_rows import RecordingAct
from diadema.store.rows import Contact
from diadema.wire.letters import from_columns

_CALL: Names = ("s", "e", "n")


class AnsweredItem(Struct, kw_only=True):
    """One item as it was answered: `answer` is one of the scale's options, or -; `before`: what
    was answered first, where it was revised. `wrong`: it is below its best option.
    """

    item: Item
    section: str
    answer: str
    before: str | None
    wrong: bool
    notes: list[Note] = field(default_factory=list)


class Indicators(Struct, kw_only=True):
    """What stations measured of a call by themselves; in ms, and `speech`: percent of it in which
    the agent spoke. None where nothing was measured.
    """

    talk_ms: int = 0
    hold_ms: int = 0
    holds: int = 0
    longest_hold_ms: int = 0
    longest_silence_ms: int | None = None
    interruptions: int | None = None
    speech: float | None = None
    clipped: bool | None = None
    untyped: bool = False
    steps: int = 0
    blocks: int = 0


class OwnEvaluation(Struct, kw_only=True):
    """`form` is None where the directory has lost it; then no item is told."""

    evaluated: Evaluated
    call: Key
    contact: Contact | None
    form: Scorecard | None
    items: list[AnsweredItem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)  # of no item
    measured: Indicators = field(default_factory=Indicators)


class FormFigure(Struct, kw_only=True):
    """By one scorecard: different ones are never put together. `team`: of the agent's team in the
    same months, where enough others are in it.
    """

    form: Scorecard
    figure: AgentFigure
    team: Estimate | None


class Listened(Struct, kw_only=True):
    """One listening. `contact`: None where it is not known any more."""

    heard: Heard
    contact: Contact | None


class Copy(Struct, kw_only=True):
    """A copy of the recording that was handed over."""

    act: RecordingAct
    contact: Contact


class Opened(Struct, kw_only=True):
    """A call that was opened to a case of human resources."""

    case: OpenedCase
    contact: Contact | None


class OwnRecord(Struct, kw_only=True):
    agent: str
    name: str
    team: str
    figures: list[FormFigure]
    evaluations: list[OwnEvaluation]
    listened: list[Listened]
    copies: list[Copy]
    cases: list[Opened]
    notices: list[tuple[NoticeText, Informed]]
    exclusions: list[Exclusion]


def own_record(data: DataDir, agent: str, now_ms: int, without: Collection[Key] = ()) -> OwnRecord:
    """As of now; the newest first. Of contacts that are left out it does not say who heard them.
    Raises DiademaError when there is no store.
    """
    zone = zone_of(data)
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    people = people_on(data, today, today)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        own, heard = released_evaluations(tx, agent, people), _listened(tx, agent, now_ms)
        opened = _opened(tx, agent)
        figures, copies = _figures(tx, data, agent, now_ms, zone), _copies(tx, agent)
        rows, signed = notices(tx), signatures(tx, agent=agent)
        versions = signed_versions(tx, signed)
    with open_directory(data, now_ms) as book:
        texts = published_texts(book, rows)
    informed = [
        (one.notice, its)
        for one in states(texts, signed, versions, people, now_ms, zone)
        for its in one.agents
        if its.agent == agent
    ]
    heard = [one for one in heard if _call(one.heard) not in without]
    copies = [one for one in copies if contact_rows.key_of(one.contact) not in without]
    return OwnRecord(
        agent=agent, name=people.name(agent), team=people.team(agent), figures=figures,
        evaluations=own, listened=heard, copies=copies, notices=informed,
        cases=[one for one in opened if one.case.call not in without],
        exclusions=[one for one in people.sample_exclusions.get(agent, ()) if one.why],
    )  # fmt: skip


# -- evaluations


def released_evaluations(tx: Connection, agent: str, people: People) -> list[OwnEvaluation]:
    """The newest first."""
    released = [one for one in evaluations(tx, agents=[agent]) if one.released_utc is not None]
    released.reverse()
    calls = [call_of(one.submitted) for one in released]
    contacts = _contacts(tx, calls)
    said = notes(tx, [one.submitted.evaluation for one in released])
    assigned = {key_of(one.assignment): one for one in assigned_calls(tx, agent=agent)}
    indicators = _indicators(tx, contacts)
    found = []
    for one, call in zip(released, calls, strict=True):
        its = one.submitted
        task = assigned.get((its.of_s, its.of_e, its.of_n))
        form = people.scorecard(task.assignment.form, its.version) if task else None
        whole = OwnEvaluation(
            evaluated=one, call=call, contact=contacts.get(call), form=form,
            measured=indicators.get(call, Indicators()),
        )  # fmt: skip
        _add_items(whole, said.get(its.evaluation, []))
        found.append(whole)
    return found


def _add_items(whole: OwnEvaluation, said: Sequence[Note]) -> None:
    form, one = whole.form, whole.evaluated
    fits = form is not None and len(form.items) == len(one.answers)
    if form is None or not fits:
        whole.notes = [*said]
        return
    labels = {section.code: section.label for section in form.sections}
    first = one.submitted.answers
    for at, item in enumerate(form.items):
        answer, before = one.answers[at], first[at] if len(first) == len(one.answers) else None
        whole.items.append(
            AnsweredItem(
                item=item, section=labels.get(item.section, item.section), answer=answer,
                before=before if before != answer else None,
                wrong=answer != NOT_APPLICABLE and has_error(item, answer),
                notes=[note for note in said if note.item == item.code],
            )
        )  # fmt: skip
    known = {item.code for item in form.items}
    whole.notes = [note for note in said if note.item not in known]


def _indicators(tx: Connection, contacts: Mapping[Key, Contact]) -> dict[Key, Indicators]:
    found = {key: _of_contact(one) for key, one in contacts.items()}
    for key, one in measured(tx, contacts.values()).items():
        its = found[key]
        its.holds, its.longest_hold_ms = one.holds, one.longest_hold_ms
        if one.voice is not None:
            its.longest_silence_ms = one.voice.longest_silence_ms
            its.interruptions = one.voice.interruptions
            its.clipped = one.voice.clipping > 0
            its.speech = one.voice.agent_share
    return found


def _of_contact(one: Contact) -> Indicators:
    steps = [step for step in (one.more.steps if one.more else ()) if step.result == "done"]
    return Indicators(
        talk_ms=one.talk_ms, hold_ms=one.hold_ms, untyped=one.code is None, steps=len(steps),
        blocks=sum(step.block for step in steps),
    )  # fmt: skip


# -- figures


def _figures(
    tx: Connection, data: DataDir, agent: str, now_ms: int, zone: ZoneInfo
) -> list[FormFigure]:
    """Of what is released, by the months in which the draws' periods began."""
    month_of = {
        one.drawn.draw: _month(one.planned.start_utc, zone)
        for one in draws(tx)
        if one.drawn is not None
        and one.drawn.draw is not None
        and one.planned is not None
        and one.planned.start_utc is not None
        and one.annulled is None
    }
    last = max(month_of.values(), default=None)
    if last is None:
        return []
    shown = [last]
    for _ in range(MONTHS - 1):
        shown.insert(0, _month_of(shown[0] - timedelta(1)))
    recent = [draw for draw, month in month_of.items() if month in shown]
    people = people_on(data, shown[0], _end(last))
    calls = [
        one
        for one in drawn_calls(tx, recent, people.scorecards, now_ms)
        if one.state != "annulled" and (form := people.scorecard(one.form, one.version)) and form
    ]
    return [
        found
        for form in sorted({one.form for one in calls if one.agent == agent})
        if (found := _figure(calls, form, agent, people, month_of, shown)) is not None
    ]


def _figure(
    calls: Iterable[DrawnCall],
    form: str,
    agent: str,
    people: People,
    month_of: Mapping[str, date],
    shown: Sequence[date],
) -> FormFigure | None:
    by_month: dict[date, list[DrawnCall]] = {month: [] for month in shown}
    for one in calls:
        if one.form == form:
            by_month[month_of[one.draw]].append(one)
    months = [
        Month(first, _end(first), _strata(one for one in its if one.agent == agent))
        for first, its in by_month.items()
    ]
    figure, known = agent_figure(months), people.scorecard(form)
    if known is None or not figure.scores:
        return None
    its = {
        month: [
            one
            for one in those
            if people.on(one.agent, month).team == people.on(agent, month).team
        ]
        for month, those in by_month.items()
        if figure.first <= month <= figure.last
    }
    team = [one for those in its.values() for one in those]
    scored = {one.agent for one in team if _raw(one) is not None}
    shows = team_is_shown(scored, agent)
    return FormFigure(form=known, figure=figure, team=stratified(_strata(team)) if shows else None)


def _strata(calls: Iterable[DrawnCall]) -> list[Stratum]:
    scores: dict[tuple[str, str, str], list[int]] = {}
    sizes: dict[tuple[str, str, str], int] = {}
    for one in calls:
        key = one.agent, one.draw, one.stratum
        its = scores.setdefault(key, [])
        if (raw := _raw(one)) is not None:
            its.append(raw)
        sizes[key] = max(sizes.get(key, 0), one.pool, len(its))
    return [Stratum(scores[key], sizes[key]) for key in sorted(scores)]


def _raw(one: DrawnCall) -> int | None:
    """What counts of it for whoever is told: nothing that is not released."""
    its = one.scored
    return its.raw if its is not None and its.released_utc is not None else None


def _month(utc_ms: int, zone: ZoneInfo) -> date:
    return _month_of(datetime.fromtimestamp(utc_ms / 1000, zone).date())


def _month_of(day: date) -> date:
    return day.replace(day=1)


def _end(month: date) -> date:
    return _month_of(month + timedelta(31)) - timedelta(1)


# -- who heard


def _listened(tx: Connection, agent: str, now_ms: int) -> list[Listened]:
    """What was refused was no listening. One that no station showed is told when the call is over,
    as whoever listens should not change it.
    """
    found = [one for one in listenings(tx, agent=agent) if one.began.kind == "started"]
    found.reverse()
    contacts = _contacts(tx, [key for one in found if (key := _call(one)) is not None])
    given = [Listened(heard=one, contact=contacts.get(_call(one) or ("", 0, 0))) for one in found]
    return [one for one in given if _is_shown(one, now_ms)]


def _is_shown(one: Listened, now_ms: int) -> bool:
    began = one.heard.began
    if began.source != "live" or began.announced:
        return True
    over = one.contact is not None and one.contact.closed
    return over or now_ms - began.utc > contact_rows.LONGEST_MS


def _call(one: Heard) -> Key | None:
    row = one.began
    if row.call_s is None or row.call_e is None or row.call_n is None:
        return None
    return row.call_s, row.call_e, row.call_n


def _copies(tx: Connection, agent: str) -> list[Copy]:
    row = tables.recording_acts.c
    acts = [
        from_columns(RecordingAct, one._mapping)
        for one in tx.execute(select(tables.recording_acts).where(row.kind == "released"))
    ]
    contacts = _contacts(tx, [call_of(one) for one in acts])
    found = [
        Copy(act=one, contact=contact)
        for one in acts
        if (contact := contacts.get(call_of(one))) is not None and contact.agent == agent
    ]
    return sorted(found, key=lambda one: one.act.utc, reverse=True)


def _opened(tx: Connection, agent: str) -> list[Opened]:
    found = cases(tx, agent=agent)[::-1]
    contacts = _contacts(tx, [one.call for one in found])
    return [Opened(case=one, contact=contacts.get(one.call)) for one in found]


def _contacts(tx: Connection, keys: Collection[Key]) -> dict[Key, Contact]:
    """Those that are over."""
    rows = about(tx, tables.contacts, [*{*keys}], _CALL)
    found = (contact_rows.contact_of(one.row) for one in rows)
    return {contact_rows.key_of(one): one for one in found}
