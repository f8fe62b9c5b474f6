"""Which evaluations count: of each call that was drawn one. Directed ones coach and never do, nor
does what was annulled, or whose draw was.

Of a pair the first score stands, as the coordinator has decided where the two differ; until both
are in, or one is due in vain, neither counts. What is revised counts as it was revised; a pair is
compared as both were submitted.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, and_, func, select

from diadema.quality.agreement import needs_decision
from diadema.site.directory.scorecards import Scorecard
from diadema.store import tables
from diadema.store.contact_rows import Key

type State = Literal["counted", "open", "undone", "pair", "annulled"]
type Forms = Mapping[tuple[str, int], Scorecard]

_PAIR = "pair"
_STEP = ("answers", "score", "raw", "failed", "critical_user", "critical_business",
         "critical_compliance")  # fmt: skip


class Scored(Struct, kw_only=True):
    """An evaluation with what counts of it. `key`: its event; `utc`: when it was submitted. `raw`
    and `score` in tenths of a percent; `user`, `business`, `compliance`: critical errors, None
    where there could be none. `submitted`: the answers before any revision.
    """

    key: Key
    evaluation: str
    utc: int
    answers: str
    submitted: str
    raw: int | None
    score: int | None
    failed: str
    user: int | None
    business: int | None
    compliance: int | None
    revised: bool = False
    decided: bool = False
    annulled: bool = False
    released_utc: int | None = None


class DrawnCall(Struct, kw_only=True):
    """`pool`: how many contacts its stratum has. `state`: counted; open, while there is time;
    undone, when due; pair, while it waits for the other one or to be decided; annulled. `scored`
    is what counts, else None. `twice`: two have it.
    """

    draw: str
    key: Key
    agent: str
    stratum: str
    pool: int
    form: str
    version: int
    due_utc: int
    state: State
    twice: bool
    scored: Scored | None = None


class _Given(Struct):
    """One assignment."""

    key: Key
    draw: str
    call: Key
    agent: str
    stratum: str
    pool: int
    form: str
    version: int
    second: bool
    due_utc: int
    scored: Scored | None = None


def drawn_calls(
    tx: Connection, draws: Collection[str], forms: Forms, now_ms: int
) -> list[DrawnCall]:
    """Of these draws, in the order in which they were assigned; a call in whose place another one
    came is not there.
    """
    found: dict[tuple[str, Key], list[_Given]] = {}
    for one in _given(tx, draws):
        found.setdefault((one.draw, one.call), []).append(one)
    return [_call(its, forms, now_ms) for its in found.values()]


def _call(given: list[_Given], forms: Forms, now_ms: int) -> DrawnCall:
    first = min(given, key=lambda one: one.second)
    state, scored = _state(first, given, forms, now_ms)
    return DrawnCall(
        draw=first.draw,
        key=first.call,
        agent=first.agent,
        stratum=first.stratum,
        pool=first.pool,
        form=first.form,
        version=first.version,
        due_utc=first.due_utc,
        state=state,
        twice=len(given) > 1,
        scored=scored,
    )


def _state(
    first: _Given, given: list[_Given], forms: Forms, now_ms: int
) -> tuple[State, Scored | None]:
    live = [one for one in given if one.scored is not None and not one.scored.annulled]
    late = [one for one in given if one.scored is None and one.due_utc > now_ms]
    if not live:
        if any(one.scored is not None for one in given):
            return "annulled", None
        return ("open" if late else "undone"), None
    its = first if first in live else live[0]
    assert its.scored is not None
    waits = bool(late) or (len(live) > 1 and _differ(live, forms))
    if waits and its.scored.released_utc is None:
        return "pair", None
    return "counted", its.scored


def _differ(pair: list[_Given], forms: Forms) -> bool:
    """And nobody has decided."""
    one, other = (its.scored for its in pair[:2])
    assert one is not None and other is not None
    if one.decided or other.decided:
        return False
    form = forms.get((pair[0].form, pair[0].version))
    if form is not None:
        return needs_decision(form, one.submitted, other.submitted)
    return one.submitted != other.submitted


def _given(tx: Connection, draws: Collection[str]) -> list[_Given]:
    row, its = tables.assignments.c, tables.evaluations.c
    same = and_(its.of_s == row.s, its.of_e == row.e, its.of_n == row.n, its.basis == "random")
    query = (
        select(
            row.s, row.e, row.n, row.draw, row.call_s, row.call_e, row.call_n, row.a, row.stratum,
            row.pool, row.form, row.version, row.second, row.due_utc, row.of_s, row.of_e,
            row.of_n, its.s, its.e, its.n, its.evaluation, its.utc, its.answers, its.raw,
            its.score, its.failed, its.critical_user, its.critical_business,
            its.critical_compliance,
        )
        .select_from(tables.assignments.outerjoin(tables.evaluations, same))
        .where(_among(draws))
        .order_by(row.s, row.e, row.n, its.s, its.e, its.n)
    )  # fmt: skip
    found: dict[Key, _Given] = {}
    replaced: set[Key] = set()
    by_event: dict[Key, Scored] = {}
    for (
        s, e, n, draw, call_s, call_e, call_n, agent, stratum, pool, form, version, second, due,
        of_s, of_e, of_n, *columns,
    ) in tx.execute(query).all():  # fmt: skip
        if of_n is not None:
            replaced.add((of_s, of_e, of_n))
        if (s, e, n) in found:  # whoever submits twice is refused; the first one is it
            continue
        one = found[s, e, n] = _Given(
            (s, e, n), draw, (call_s, call_e, call_n), agent, stratum or "", pool or 0, form,
            version, second, due,
        )  # fmt: skip
        if columns[2] is not None:
            one.scored = by_event[columns[0], columns[1], columns[2]] = _scored(*columns)
    _add_steps(tx, draws, by_event)
    return [one for key, one in found.items() if key not in replaced]


def _scored(
    s: str, e: int, n: int, evaluation: str, utc: int, answers: str, raw: int | None,
    score: int | None, failed: str, user: int | None, business: int | None,
    compliance: int | None,
) -> Scored:  # fmt: skip
    return Scored(
        key=(s, e, n), evaluation=evaluation, utc=utc, answers=answers, submitted=answers, raw=raw,
        score=score, failed=failed, user=user, business=business, compliance=compliance,
    )  # fmt: skip


def _add_steps(tx: Connection, draws: Collection[str], by_event: Mapping[Key, Scored]) -> None:
    """In the order of their journal."""
    step, its, row = tables.evaluation_steps.c, tables.evaluations.c, tables.assignments.c
    query = (
        select(step.kind, step.of_s, step.of_e, step.of_n, step.utc, step.cause,
               *(step[name] for name in _STEP))
        .select_from(
            tables.evaluation_steps.join(
                tables.evaluations,
                and_(its.s == step.of_s, its.e == step.of_e, its.n == step.of_n),
            ).join(
                tables.assignments,
                and_(row.s == its.of_s, row.e == its.of_e, row.n == its.of_n),
            )
        )
        .where(_among(draws))
        .order_by(step.s, step.e, step.n)
    )  # fmt: skip
    for kind, s, e, n, utc, cause, *columns in tx.execute(query).all():
        one = by_event.get((s, e, n))
        if one is None:
            continue
        match kind:
            case "annulled":
                one.annulled = True
            case "released":
                one.released_utc = one.released_utc or utc
            case "revised":
                one.revised = True
                one.decided = one.decided or cause == _PAIR
                (one.answers, one.score, one.raw, one.failed, one.user, one.business,
                 one.compliance) = columns  # fmt: skip


def _among(draws: Iterable[str]) -> Any:
    each = func.json_each(msgspec.json.encode([*draws]).decode()).table_valued("value")
    return tables.assignments.c.draw.in_(select(each.c.value))
