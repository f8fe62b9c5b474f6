"""TMO with its three parts, and what the time logged in was spent on."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from diadema.figures.rows import Calls, Load, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics import states
from diadema.metrics.rounding import percent
from diadema.report.asked import Asked
from diadema.report.model import Kind, Ratio, Section
from diadema.report.tables import (
    AGENT,
    Line,
    Part,
    Stated,
    agent_lines,
    day_lines,
    half_hour_lines,
    queue_table,
    summary,
    table,
)

_HANDLING = ["talk_s", "hold_s", "wrap_s"]
_BUSY = ["talking", "held", "consulting", "wrapup"]


PARTS: list[Part[Calls]] = [
    Part("n", lambda calls: calls.n),
    Part("talk_s", lambda calls: calls.talk_s, "seconds"),
    Part("hold_s", lambda calls: calls.hold_s, "seconds"),
    Part("wrap_s", lambda calls: calls.wrap_s, "seconds"),
    Part("aht_s", of_calls.aht, "seconds", Ratio(_HANDLING, ["n"]), "aht_s"),
    Part("talk_mean_s", of_calls.talk_mean, "seconds", Ratio(["talk_s"], ["n"])),
    Part("hold_mean_s", of_calls.hold_mean, "seconds", Ratio(["hold_s"], ["n"])),
    Part("wrap_mean_s", of_calls.wrap_mean, "seconds", Ratio(["wrap_s"], ["n"])),
    Part("aside", of_calls.aside),
]
LOAD: list[Part[Load]] = [
    Part("logged_s", lambda load: load.logged_s, "seconds"),
    Part("ready", lambda load: load.ready, "seconds"),
    Part("offered_s", lambda load: load.offered, "seconds"),
    Part("dialing_s", lambda load: load.dialing, "seconds"),
    Part("talking", lambda load: load.talking, "seconds"),
    Part("held", lambda load: load.held, "seconds"),
    Part("consulting", lambda load: load.consulting, "seconds"),
    Part("wrapup", lambda load: load.wrapup, "seconds"),
    Part("not_ready", lambda load: load.not_ready, "seconds"),
    Part("off", lambda load: load.off, "seconds"),
    Part(
        "occupancy", states.occupancy, "percent", Ratio(_BUSY, [*_BUSY, "ready"]), "occupancy"
    ),
    Part(
        "utilisation", states.utilisation, "percent", Ratio([*_BUSY, "ready"], ["logged_s"]),
        "utilisation",
    ),
]  # fmt: skip


def make(asked: Asked) -> list[Section]:
    def calls(sums: Sums) -> Calls | None:
        its = sums.calls(asked.queue)
        return its if its.n or of_calls.aside(its) else None

    total = asked.total
    sections = [
        _summary(asked, total.calls(asked.queue), total.load),
        table(asked, "aht_agents", AGENT, PARTS, agent_lines(asked, calls)),
        queue_table(asked, "aht_queues", PARTS),
        table(asked, "aht_halves", [("hour", "text")], PARTS, half_hour_lines(asked, calls)),
        *_codes(asked, total.calls(asked.queue)),
    ]
    if asked.period.grain != "day":
        days = day_lines(asked, calls)
        sections.insert(2, table(asked, "aht_days", [("day", "day")], PARTS, days))
    sections[1].notes = _asides(asked, total.calls(asked.queue))
    if asked.queue is None:
        sections += _times(asked)
    return sections


def _summary(asked: Asked, calls: Calls, load: Load) -> Section:
    stated = [
        Stated("aht_s", "seconds", of_calls.aht(calls), calls.n, "aht_s"),
        Stated("talk_mean_s", "seconds", of_calls.talk_mean(calls), calls.n),
        Stated("hold_mean_s", "seconds", of_calls.hold_mean(calls), calls.n),
        Stated("wrap_mean_s", "seconds", of_calls.wrap_mean(calls), calls.n),
    ]
    notes = []
    if asked.queue is None:
        stated += [
            Stated("occupancy", "percent", states.occupancy(load), target="occupancy"),
            Stated("utilisation", "percent", states.utilisation(load), target="utilisation"),
        ]
    else:
        notes.append(asked.say("note.no_load_of_queue"))
    if calls.by_switch:
        notes.append(asked.say("note.by_switch", n=calls.by_switch))
    if calls.by_key:
        notes.append(asked.say("note.by_key", n=calls.by_key))
    return summary(asked, stated, notes)


def _codes(asked: Asked, calls: Calls) -> list[Section]:
    """By motive, the first level of the tree, and by the whole disposition; the most time first.
    What was given no code is a line of its own.
    """
    parts = [part for part in PARTS if part.key != "aside"]
    by_code = {code: _of_codes(calls, [code]) for code in calls.code_n}
    none = asked.say("no_code")
    levels = {
        code: [*asked.people.codes.get(code, [code] if code else [none]), "", ""][:3]
        for code in by_code
    }
    motives: defaultdict[str, list[str]] = defaultdict(list)
    for code in by_code:
        motives[levels[code][0]].append(code)
    of_motive = [([motive], _of_codes(calls, its)) for motive, its in motives.items()]
    of_code = [([code, *levels[code]], its) for code, its in by_code.items()]
    heads: list[tuple[str, Kind]] = [("level1", "text"), ("level2", "text"), ("level3", "text")]
    return [
        table(asked, "aht_motives", heads[:1], parts, _longest_first(of_motive)),
        table(asked, "aht_codes", [("code", "text"), *heads], parts, _longest_first(of_code)),
    ]


def _of_codes(calls: Calls, codes: Iterable[str]) -> Calls:
    its = Calls()
    for code in codes:
        its.n += calls.code_n.get(code, 0)
        its.talk_s += calls.code_talk_s.get(code, 0)
        its.hold_s += calls.code_hold_s.get(code, 0)
        its.wrap_s += calls.code_wrap_s.get(code, 0)
    return its


def _longest_first(lines: Sequence[tuple[list[str], Calls]]) -> Iterable[Line[Calls]]:
    for before, calls in sorted(lines, key=lambda one: (-of_calls.handle_s(one[1]), one[0])):
        yield [*before], calls


def _asides(asked: Asked, calls: Calls) -> list[str]:
    """What the means leave out, counted by its reason."""
    reasons = ("open", "interrupted", "estimated", "impossible")
    found = [(name, getattr(calls, f"aside_{name}")) for name in reasons]
    said = ", ".join(f"{n} {asked.say(f'aside.{name}')}" for name, n in found if n)
    return [asked.say("note.aside", said=said)] if said else []


def _times(asked: Asked) -> list[Section]:
    def load(sums: Sums) -> Load | None:
        return sums.load if sums.load.logged_s else None

    notes = [asked.say("note.load")]
    switch = asked.total.load.switch_talk_s
    if switch:
        notes.append(asked.say("note.switch_talk"))
    return [
        table(asked, "load_agents", AGENT, LOAD, agent_lines(asked, load), notes=notes),
        table(asked, "load_halves", [("hour", "text")], LOAD, half_hour_lines(asked, load)),
        _reasons(asked),
    ]


def _reasons(asked: Asked) -> Section:
    """Time in each not-ready reason; what the system gave is a part of it."""
    load = asked.total.load

    def spent(code: str) -> int:
        return load.reasons[code]

    parts: list[Part[str]] = [
        Part("seconds", spent, "seconds"),
        Part("system_s", lambda code: load.system.get(code, 0), "seconds"),
        Part(
            "share", lambda code: percent(spent(code), load.not_ready), "percent",
            Ratio(["seconds"], ["seconds"]),
        ),
    ]  # fmt: skip
    lines: list[Line[str]] = [
        ([_reason(asked, code)], code)
        for code in sorted(load.reasons, key=lambda code: (-spent(code), code))
    ]
    return table(asked, "reasons", [("reason", "text")], parts, lines)


def _reason(asked: Asked, code: str) -> str:
    known = asked.people.reasons.get(code)
    return known.label if known else asked.known("reason", code or "none")
