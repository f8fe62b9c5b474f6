"""TMO with its three parts, and what the time logged in was spent on."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from operator import attrgetter

from diadema.figures.rows import Calls, Load, Spread, Sums
from diadema.figures.shifts import TOGETHER
from diadema.metrics import calls as of_calls
from diadema.metrics import states
from diadema.metrics.rounding import percent
from diadema.report.context import ReportContext
from diadema.report.model import Chart, Kind, Ratio, Section
from diadema.report.tables import (
    AGENT,
    Line,
    Part,
    Stated,
    agent_calls,
    agent_lines,
    by_stage,
    day_lines,
    half_hour_lines,
    queue_table,
    reason_name,
    summary,
    table,
    unmapped,
)
from diadema.wire.agent_states import HANDLING, LOGGED_IN
from diadema.wire.live_rows import PRIVATE

_HANDLING = ["talk_s", "hold_s", "wrap_s"]
_COLUMNS = {name: name for name in LOGGED_IN} | {"offered": "offered_s", "dialing": "dialing_s"}
_BUSY = [_COLUMNS[name] for name in HANDLING]


def _known(calls: Calls, seconds: int) -> int | None:
    """Of hold and wrap-up; None where a switch alone told of the calls, or means take none."""
    return None if calls.n == calls.switch_n else seconds


def _handled(calls: Calls) -> int:
    return calls.n or of_calls.aside(calls)


_OF_STATIONS = ["n", "-switch_n"]
PARTS: list[Part[Calls]] = [
    Part("n", lambda calls: calls.n),
    Part("switch_n", lambda calls: calls.switch_n),
    Part("talk_s", lambda calls: calls.talk_s, "seconds"),
    Part("hold_s", lambda calls: _known(calls, calls.hold_s), "seconds"),
    Part("consult_s", lambda calls: _known(calls, calls.consult_s), "seconds"),
    Part("wrap_s", lambda calls: _known(calls, calls.wrap_s), "seconds"),
    Part("aht_s", of_calls.aht, "seconds", Ratio(_HANDLING, ["n"]), "aht_s"),
    Part("talk_mean_s", of_calls.talk_mean, "seconds", Ratio(["talk_s"], ["n"])),
    Part("hold_mean_s", of_calls.hold_mean, "seconds", Ratio(["hold_s"], _OF_STATIONS)),
    Part("consult_mean_s", of_calls.consult_mean, "seconds", Ratio(["consult_s"], _OF_STATIONS)),
    Part("wrap_mean_s", of_calls.wrap_mean, "seconds", Ratio(["wrap_s"], _OF_STATIONS)),
    Part("aht_median_s", of_calls.aht_median, "seconds", None),
    Part("aht_p90_s", of_calls.aht_p90, "seconds", None),
    Part("consults", lambda calls: calls.consults),
    Part("aside", of_calls.aside),
]
_BY_CODE = {
    "n", "switch_n", "talk_s", "hold_s", "wrap_s",
    "aht_s", "talk_mean_s", "hold_mean_s", "wrap_mean_s",
}  # fmt: skip
LOAD: list[Part[Load]] = [
    Part("logged_s", lambda load: load.logged_s, "seconds"),
    *(Part(_COLUMNS[name], attrgetter(name), "seconds") for name in LOGGED_IN),
    Part("technical_s", lambda load: load.technical_s, "seconds"),
    Part(
        "occupancy", states.occupancy, "percent", Ratio(_BUSY, [*_BUSY, "ready"]), "occupancy"
    ),
    Part(
        "utilisation", states.utilisation, "percent", Ratio([*_BUSY, "ready"], ["logged_s"]),
        "utilisation",
    ),
]  # fmt: skip


def make(context: ReportContext) -> list[Section]:
    def calls(sums: Sums) -> Calls | None:
        its = sums.calls(context.queue)
        return its if _handled(its) else None

    total = context.total
    n = total.calls(context.queue).n
    sections = [
        _summary(context, total.calls(context.queue)),
        table(context, "aht_agents", AGENT, PARTS, agent_calls(context, _handled)),
        queue_table(context, "aht_queues", PARTS),
        table(context, "aht_halves", [("hour", "text")], PARTS, half_hour_lines(context, calls),
              charts=[_chart(context, "aht_halves", "hour", n)]),
        *_codes(context, total.calls(context.queue)),
    ]  # fmt: skip
    if context.period.grain != "day":
        days = day_lines(context, calls)
        drawn = [_chart(context, "aht_days", "day", n)]
        heads: list[tuple[str, Kind]] = [("day", "day")]
        sections.insert(2, table(context, "aht_days", heads, PARTS, days, charts=drawn))
    sections[1].notes = _asides(context, total.calls(context.queue))
    sections += by_stage(context, "aht_stages", PARTS, calls)
    if context.queue is None:
        sections += _times(context)
    return sections


def _chart(context: ReportContext, key: str, x: str, n: int) -> Chart:
    """How many there were, and how long they took beside what is aimed at."""
    title, unit = context.say(f"chart.{key}"), context.say("unit.contacts")
    return Chart(title=title, x=x, bars=["n"], lines=["aht_s"], unit=unit, n=n)


def stated(context: ReportContext) -> list[Stated]:
    calls, load = context.total.calls(context.queue), context.total.load
    known = calls.n - calls.switch_n
    found = [
        Stated("aht_s", "seconds", of_calls.aht(calls), calls.n, "aht_s"),
        Stated("talk_mean_s", "seconds", of_calls.talk_mean(calls), calls.n),
        Stated("hold_mean_s", "seconds", of_calls.hold_mean(calls), known),
        Stated("consult_mean_s", "seconds", of_calls.consult_mean(calls), known),
        Stated("wrap_mean_s", "seconds", of_calls.wrap_mean(calls), known),
        Stated("aht_median_s", "seconds", of_calls.aht_median(calls), calls.n),
        Stated("aht_p90_s", "seconds", of_calls.aht_p90(calls), calls.n),
    ]
    if context.queue is None:
        people = partial(getattr, context, "logged_in")
        found += [
            Stated("occupancy", "percent", states.occupancy(load), people, "occupancy"),
            Stated("utilisation", "percent", states.utilisation(load), people, "utilisation"),
        ]
    return found


def _summary(context: ReportContext, calls: Calls) -> Section:
    notes = [] if context.queue is None else [context.say("note.no_load_of_queue")]
    if calls.by_switch:
        notes += [context.say("note.by_switch", n=calls.by_switch), *unmapped(context)]
    if calls.by_key:
        notes.append(context.say("note.by_key", n=calls.by_key))
    late = of_calls.handled(context.untimed)
    if late:
        notes.append(context.say("note.hourless", n=late))
    return summary(context, stated(context), notes)


def _codes(context: ReportContext, calls: Calls) -> list[Section]:
    """By motive, the first level of the tree, and by the whole disposition; the most time first.
    What was given no code is a line of its own.
    """
    parts = [part for part in PARTS if part.key in _BY_CODE]
    spread = calls.spread()
    by_code = {code: _of_codes(calls, spread, [code]) for code in spread.code_n}
    none = context.say("no_code")
    levels = {
        code: [*context.people.codes.get(code, [code] if code else [none]), "", ""][:3]
        for code in by_code
    }
    motives: defaultdict[str, list[str]] = defaultdict(list)
    for code in by_code:
        motives[levels[code][0]].append(code)
    of_motive = [([motive], _of_codes(calls, spread, its)) for motive, its in motives.items()]
    of_code = [([code, *levels[code]], its) for code, its in by_code.items()]
    heads: list[tuple[str, Kind]] = [("level1", "text"), ("level2", "text"), ("level3", "text")]
    return [
        table(context, "aht_motives", heads[:1], parts, _longest_first(of_motive)),
        table(context, "aht_codes", [("code", "text"), *heads], parts, _longest_first(of_code)),
    ]


def _of_codes(calls: Calls, spread: Spread, codes: Iterable[str]) -> Calls:
    its = Calls()
    for code in codes:
        its.n += spread.code_n.get(code, 0)
        its.talk_s += spread.code_talk_s.get(code, 0)
        its.hold_s += spread.code_hold_s.get(code, 0)
        its.wrap_s += spread.code_wrap_s.get(code, 0)
        its.switch_n += 0 if code else calls.switch_n  # a switch knows of no code
    return its


def _longest_first(lines: Sequence[tuple[list[str], Calls]]) -> Iterable[Line[Calls]]:
    for before, calls in sorted(lines, key=lambda one: (-of_calls.handle_s(one[1]), one[0])):
        yield [*before], calls


def _asides(context: ReportContext, calls: Calls) -> list[str]:
    """What the means leave out, counted by its reason."""
    reasons = ("open", "interrupted", "estimated", "impossible", "unnamed")
    found = [(name, getattr(calls, f"aside_{name}")) for name in reasons]
    said = ", ".join(f"{n} {context.say(f'aside.{name}')}" for name, n in found if n)
    return [context.say("note.aside", said=said)] if said else []


def _times(context: ReportContext) -> list[Section]:
    def load(sums: Sums) -> Load | None:
        return sums.load if sums.load.logged_s else None

    notes = [context.say("note.load")]
    switch = context.total.load.switch_talk_s
    if switch:
        notes.append(context.say("note.switch_talk"))
    drawn = Chart(
        title=context.say("chart.load_halves"), x="hour", lines=["occupancy", "utilisation"],
        unit=context.say("unit.agents"), n=context.logged_in,
    )  # fmt: skip
    return [
        table(context, "load_agents", AGENT, LOAD, agent_lines(context, load), notes=notes),
        table(context, "load_halves", [("hour", "text")], LOAD, half_hour_lines(context, load),
              charts=[drawn]),
        *by_stage(context, "load_stages", LOAD, load),
        _reasons(context),
    ]  # fmt: skip


def _reasons(context: ReportContext) -> Section:
    """Time in each not-ready reason; what the system gave is a part of it. The private ones are
    told apart of ten people or more together, else they are one, the last one whatever it has.
    """
    load = context.total.load
    people = context.logged_in
    spent, system = (
        given if people >= TOGETHER else context.people.hide_private(given)
        for given in (load.reasons, load.system)
    )
    parts: list[Part[str]] = [
        Part("seconds", lambda code: spent[code], "seconds"),
        Part("system_s", lambda code: system.get(code, 0), "seconds"),
        Part(
            "share", lambda code: percent(spent[code], load.not_ready), "percent",
            Ratio(["seconds"], ["seconds"]),
        ),
    ]  # fmt: skip
    lines: list[Line[str]] = [
        ([reason_name(context, code)], code)
        for code in sorted(spent, key=lambda code: (code == PRIVATE, -spent[code], code))
    ]
    return table(context, "reasons", [("reason", "text")], parts, lines)
