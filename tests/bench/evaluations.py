"""Evaluated calls: how often an interval of 95 % holds the truth, and a report's figures.

Simulated agents have 300 calls a month, each scored by 20 weighted items, skewed as such scores
are. Samples are drawn of them anew many times, and the interval as it is printed either holds
the mean of all their calls or does not. Under 93 % it promises too much, over 97 % it is wide
for nothing. The figures are those of 1 000 agents with 8 evaluations each.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from diadema.figures.rows import Cutoff
from diadema.metrics.rounding import percent
from diadema.quality import agreement, estimates, scoring
from diadema.quality.estimates import Estimate, Month, Stratum
from diadema.report.formats import made_as
from diadema.report.model import Cell, Column, Report, Scope, Section
from diadema.report.tables import agent_cell, estimate_cell

from tests.bench.figure import Figure

_SAMPLES, _POOL = 20_000, 200
_AGENT_CALLS = (5, 6, 8, 12, 20)
_MONTH_CALLS = 300
_AGENTS, _EVALUATIONS, _TWICE = 1000, 8, 400
_WEEKS = 4
_ABOUT = "should be 93 to 97"
_BUDGET_MS = 1000
_MONTH = (date(2026, 11, 1), date(2026, 11, 30))


@dataclass(frozen=True)
class Item:
    code: str
    section: str
    weight: int
    kind: scoring.ItemKind = "normal"
    scale: scoring.Scale = "yes_no"
    na: bool = True
    auto_fail: scoring.Failing = "none"


@dataclass(frozen=True)
class Scorecard:
    code: str
    items: tuple[Item, ...]


_WEIGHTS = (10, 8, 8, 7, 6, 6, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 3, 3, 2, 2)
FORM = Scorecard(
    "bench",
    (
        *(Item(f"i{n}", f"s{n % 4}", weight) for n, weight in enumerate(_WEIGHTS)),
        Item("privacy", "s0", 0, kind="compliance", auto_fail="evaluation"),
    ),
)


def answers(rng: random.Random, skill: float) -> str:
    """Of one call. An item does not apply in one of twenty calls; few calls are failed."""
    skill = min(0.995, skill + rng.gauss(0, 0.02))
    given = ["-" if rng.random() < 0.05 else str(int(rng.random() < skill)) for _ in _WEIGHTS]
    return "".join((*given, str(int(rng.random() > 0.02))))


def agent(rng: random.Random, skill: float | None = None) -> list[int]:
    """The `raw` of all calls of a month, in their order."""
    skill = rng.gauss(0.87, 0.03) if skill is None else skill
    found = (scoring.evaluate(FORM, answers(rng, skill)).raw for _ in range(_MONTH_CALLS))
    return [one for one in found if one is not None]


type Drawn = tuple[Estimate | None, float]  # what is printed, and the truth


def of_agent(rng: random.Random, calls: list[int], n: int) -> Drawn:
    return estimates.agent_interval(rng.sample(calls, n), len(calls)), _truth([calls])


def of_team(rng: random.Random, team: Sequence[list[int]], weeks: int, n: int) -> Drawn:
    """So many calls of each agent's in each of so many draws, which are strata in time."""
    strata = [
        Stratum(rng.sample(part, n), len(part)) for calls in team for part in _parts(calls, weeks)
    ]
    return estimates.stratified(strata), _truth(team)


def _parts(calls: list[int], n: int) -> list[list[int]]:
    return [calls[len(calls) * i // n : len(calls) * (i + 1) // n] for i in range(n)]


def _truth(agents: Iterable[Sequence[int]]) -> float:
    every = [one for calls in agents for one in calls]
    return percent(sum(every), 1000 * len(every)) or 0.0


def coverage(draw: Callable[[], Drawn], samples: int) -> float:
    """Percent of the intervals that hold the truth; a sample without one is no promise."""
    held = n = 0
    for _ in range(samples):
        found, truth = draw()
        if found and found.low is not None and found.high is not None:
            n += 1
            held += found.low <= truth <= found.high
    return 100 * held / n


def covered(seed: int, samples: int, agents: int) -> dict[str, float]:
    """By what it is: coverage in percent."""
    rng = random.Random(seed)
    pool = [agent(rng) for _ in range(agents)]
    best = [agent(rng, 0.985) for _ in range(agents // 10)]

    def some(n: int) -> list[list[int]]:
        return [calls[: rng.randint(150, _MONTH_CALLS)] for calls in rng.sample(pool, n)]

    draws: dict[str, Callable[[], Drawn]] = {
        f"an agent's {n} calls": lambda n=n: of_agent(rng, rng.choice(pool), n)
        for n in _AGENT_CALLS
    }
    draws |= {
        "an agent's month of 4 draws of 2": lambda: of_team(rng, some(1), _WEEKS, 2),
        "a team of 15, a week of 2 each": lambda: of_team(rng, some(15), 1, 2),
        "a team of 15, 4 each": lambda: of_team(rng, some(15), 1, 4),
        "a team of 15, a month of 4 draws of 1": lambda: of_team(rng, some(15), _WEEKS, 1),
        "a team of 15, a month of 4 draws of 2": lambda: of_team(rng, some(15), _WEEKS, 2),
        "8 calls of an agent whose mean is 98": lambda: of_agent(rng, rng.choice(best), 8),
    }
    return {what: coverage(draw, samples) for what, draw in draws.items()}


async def figures() -> list[Figure]:
    return [
        *(Figure(f"interval of 95 %: {what}", value, "%", 95, _ABOUT if "98" not in what else
                 "as meant: scores that nearly all are 100")
          for what, value in covered(1, _SAMPLES, _POOL).items()),
        Figure(f"quality, {_AGENTS:,} agents, {_EVALUATIONS} evaluations each", _report_ms(),
               "ms", _BUDGET_MS, "budget"),
    ]  # fmt: skip


def _report_ms() -> float:
    """From answers to a file for scripts, with a funnel and how far monitors agree."""
    rng = random.Random(2)
    skills = {f"a{n:04}": rng.gauss(0.87, 0.03) for n in range(_AGENTS)}
    given = {
        code: [answers(rng, skill) for _ in range(_EVALUATIONS)] for code, skill in skills.items()
    }
    seconds = [answers(rng, 0.87) for _ in range(_TWICE)]
    made_as("json", report({"a0000": given["a0000"] * 12}, seconds[:96]))  # loads what it takes
    began = time.perf_counter()
    made = made_as("json", report(given, seconds))
    took = (time.perf_counter() - began) * 1000
    assert made.count(b'"high"') > _AGENTS
    return took


def report(given: dict[str, list[str]], seconds: Sequence[str]) -> Report:
    """`seconds`: of the same calls by other monitors, in the order of the first ones."""
    scored = {code: [scoring.evaluate(FORM, one) for one in its] for code, its in given.items()}
    strata = {
        code: estimates.by_stratum(
            {week: _MONTH_CALLS // _WEEKS for week in range(_WEEKS)},
            ((n % _WEEKS, one.raw) for n, one in enumerate(its) if one.raw is not None),
        )
        for code, its in scored.items()
    }  # fmt: skip
    frame = _MONTH_CALLS * len(given)
    sections = [
        _section("agents", [[code, *_of_agent(strata[code])] for code in sorted(given)]),
        _section("floor", [["", *_of_all(strata)], *_accuracies(scored, frame)]),
        _section("funnel", _funnel(strata)),
        _section("monitors", _agreement(given, seconds)),
    ]
    return Report(
        kind="tmo", title="Calidad", language="es", site="Centro", grain="month",
        span="2026-11", first="2026-11-01", last="2026-11-30", zone="America/Lima",
        scope=Scope(), scope_name="todo el piso",
        cut=Cutoff(at_ms=0, position=0, pending_stations=[]), threshold_s=20, short_s=5,
        sections=sections,
    )  # fmt: skip


def _of_agent(strata: list[Stratum]) -> list[Cell]:
    figure = estimates.agent_figure([Month(*_MONTH, strata)])
    return [
        agent_cell(figure, "es"),
        f"{figure.first} – {figure.last}",
        estimate_cell(estimates.contract_grade(strata)),
    ]


def _of_all(strata: dict[str, list[Stratum]]) -> list[Cell]:
    found = estimates.stratified([one for its in strata.values() for one in its])
    shown = estimates.team_is_shown(strata, "a0000")
    return [estimate_cell(found), found.uncovered if found and shown else None, None]


def _accuracies(scored: dict[str, list[scoring.Evaluation]], frame: int) -> list[list[Cell]]:
    every = (one for its in scored.values() for one in its)
    rows: list[list[Cell]] = []
    for code, tally in scoring.by_scorecard(every).items():
        shares = [
            *((one.without, one.of) for one in (tally.user, tally.business, tally.compliance)),
            (tally.failed, tally.n),
        ]
        found = [
            *(estimates.proportion(part, whole, frame) for part, whole in shares),
            estimates.item_share(tally.normal, frame),
        ]
        rows += [[code, estimate_cell(one, "percent"), None, None] for one in found]
    sections: dict[str, list[int]] = {}
    for its in scored.values():
        for one in its:
            for code, section in one.sections.items():
                sections.setdefault(code, []).append(section.score or 0)
    rows += [[code, min(its), len(its), max(its)] for code, its in sorted(sections.items())]
    return rows


def _funnel(strata: dict[str, list[Stratum]]) -> list[list[Cell]]:
    found = estimates.funnel(strata)
    return [
        [one.agent, one.value - found.centre, one.n, f"{one.inner} {one.outer} {one.beyond}"]
        for one in (found.points if found else ())
    ]


def _agreement(given: dict[str, list[str]], seconds: Sequence[str]) -> list[list[Cell]]:
    firsts = [one for its in given.values() for one in its][: len(seconds)]
    pairs = list(zip(firsts, seconds, strict=True))
    rows: list[list[Cell]] = []
    for place, item in enumerate(FORM.items):
        found = agreement.item_agreement(item, [(a[place], b[place]) for a, b in pairs])
        rows.append([found.item, f"{found.same}/{found.n}", found.percent,
                     f"{found.ac1} {found.alpha} {found.review}"])  # fmt: skip
    raws = [[scoring.evaluate(FORM, one).raw or 0 for one in pair] for pair in pairs]
    off = agreement.bias([own - other for own, other in raws])
    apart = sum(agreement.needs_decision(FORM, a, b) for a, b in pairs)
    assert off
    words = f"{off.value} {off.low} {off.high} {off.n} {agreement.is_biased([off, off])}"
    return [*rows, [words, apart, None, None]]


def _section(key: str, rows: list[list[Cell]]) -> Section:
    columns = [Column(key=name, word=name, kind="text") for name in ("of", "value", "n", "more")]
    return Section(key=key, title=key, columns=columns, rows=rows)
