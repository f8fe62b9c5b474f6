"""Tipificación: which codes, how often (Pareto), by level of the tree, and who gave none."""

from collections import Counter

from msgspec import Struct

from diadema.figures.booking import UNCODED
from diadema.figures.rows import Calls, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics.rounding import percent
from diadema.quality.confirmed import codes as confirmed_codes
from diadema.report.context import ReportContext
from diadema.report.kinds.protocol import judged_calls
from diadema.report.model import Cell, Chart, Figure, Kind, Ratio, Section
from diadema.report.tables import AGENT, Line, Part, Stated, agent_lines, share, summary, table

PARTS: list[Part[Calls]] = [
    Part("handled", of_calls.handled),
    Part("typified", lambda calls: calls.typified),
    Part("untyped", lambda calls: calls.untyped),
    Part("retyped", lambda calls: calls.retyped),
    Part(
        "typified_rate", of_calls.typified_rate, "percent",
        Ratio(["typified"], ["typified", "untyped"]),
    ),
]  # fmt: skip
_TEXT: Kind = "text"
_BARS = 20  # codes in the picture; the table has all


def make(context: ReportContext) -> list[Section]:
    def calls(sums: Sums) -> Calls | None:
        its = sums.calls(context.queue)
        return its if of_calls.handled(its) or its.codes else None

    total = context.total.calls(context.queue)
    codes = coded(total)
    return [
        summary(context, stated(context)),
        _pareto(context, codes, total.untyped),
        *(_level(context, codes, level) for level in (1, 2)),
        *_confirmed(context),
        table(context, "codes_agents", AGENT, PARTS, agent_lines(context, calls)),
    ]


def stated(context: ReportContext) -> list[Stated]:
    total = context.total.calls(context.queue)
    ended = total.typified + total.untyped
    return [
        Stated("handled", "count", of_calls.handled(total)),
        Stated("typified", "count", total.typified, ended),
        Stated("untyped", "count", total.untyped, ended),
        Stated("retyped", "count", total.retyped, total.typified),
        Stated("typified_rate", "percent", of_calls.typified_rate(total), ended),
        Stated("negative", "count", _negative(context, total), total.typified),
    ]


def _negative(context: ReportContext, calls: Calls) -> int:
    return sum(n for code, n in calls.codes.items() if code in context.people.negative_codes)


def coded(calls: Calls) -> dict[str, int]:
    """How often each code of the tree was given: Σ = typified. A call that was given none stands
    apart, as untyped.
    """
    return {code: n for code, n in calls.codes.items() if code not in UNCODED}


class Counted(Struct):
    """So many of the whole; with those before it, `running`."""

    n: int
    whole: int
    running: int = 0


COUNT: list[Part[Counted]] = [
    Part("count", lambda one: one.n),
    Part("share", lambda one: percent(one.n, one.whole), "percent", Ratio(["count"], ["count"])),
]
CUMULATED: list[Part[Counted]] = [
    *COUNT,
    Part("cumulated", lambda one: percent(one.running, one.whole), "percent", None),
]


def _pareto(context: ReportContext, codes: dict[str, int], untyped: int) -> Section:
    """The most frequent first."""
    whole, running = sum(codes.values()), 0
    lines: list[Line[Counted]] = []
    for code, n in sorted(codes.items(), key=lambda one: (-one[1], one[0])):
        running += n
        levels = [*context.people.codes.get(code, []), "", "", ""][:3]
        before: list[Cell] = [
            code,
            *levels,
            flag_word(context, context.people.flags.get(code, "")),
        ]
        lines.append((before, Counted(n, whole, running)))
    heads = [(name, _TEXT) for name in ("code", "level1", "level2", "level3", "flag")]
    notes = [context.say("note.untyped", n=untyped)] if untyped else []
    drawn = Chart(
        title=context.say("chart.pareto"), x="code", bars=["count"], lines=["cumulated"],
        unit=context.say("unit.contacts"), n=whole, most=_BARS,
        names=["level1", "level2", "level3"],
    )  # fmt: skip
    return table(context, "pareto", heads, CUMULATED, lines, notes=notes, charts=[drawn])


class Given(Struct):
    """Of a code, or of all: calls in which it was given, in how many it was right."""

    n: int = 0
    right: int = 0


def _right(its: Given) -> Figure:
    return share(its.right, its.n)


CONFIRMED: list[Part[Given]] = [
    Part("judged_calls", lambda its: its.n),
    Part("right_codes", lambda its: its.right),
    Part("right_share", _right, "percent", "given", interval=True),
]


def _confirmed(context: ReportContext) -> list[Section]:
    """The codes that agents gave, beside those that whoever evaluated the call named."""
    counted = confirmed_codes(judged_calls(context, context.queue))
    given: dict[str, Given] = {}
    whole = Given()
    for (code, right), n in sorted(counted.items()):
        if code:
            for its in (given.setdefault(code, Given()), whole):
                its.n += n
                its.right += n if code == right else 0
    lines: list[Line[Given]] = [
        ([code, _last(context, code)], its)
        for code, its in sorted(given.items(), key=lambda one: (-one[1].n, one[0]))
    ]
    wrong = [(pair, n) for pair, n in counted.items() if pair[0] != pair[1]]
    confused: list[Line[int]] = [
        (
            [
                code or None, _last(context, code) if code else context.say("no_code"),
                right, _last(context, right),
            ],
            n,
        )
        for (code, right), n in sorted(wrong, key=lambda one: (-one[1], one[0]))
    ]  # fmt: skip
    heads = [(name, _TEXT) for name in ("code", "code_name", "right_code", "right_name")]
    return [
        table(
            context, "codes_confirmed", heads[:2], CONFIRMED, lines,
            notes=[context.say("note.right_code")], given={"right_share": _right(whole)},
        ),
        table(context, "codes_confused", heads, [Part("count", lambda n: n)], confused),
    ]  # fmt: skip


def _last(context: ReportContext, code: str) -> str:
    """The words of that code's own level."""
    return next((one for one in reversed(context.people.codes.get(code, ())) if one), code)


def _level(context: ReportContext, codes: dict[str, int], level: int) -> Section:
    counted: Counter[tuple[str, ...]] = Counter()
    for code, n in codes.items():
        labels = context.people.codes.get(code) or [code]
        counted[tuple([*labels, "", ""][:level])] += n
    whole = sum(counted.values())
    ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    lines: list[Line[Counted]] = [([*labels], Counted(n, whole)) for labels, n in ordered]
    heads = [(f"level{k}", _TEXT) for k in range(1, level + 1)]
    return table(context, f"level{level}", heads, COUNT, lines)


def flag_word(context: ReportContext, flag: str) -> str:
    """`resuelto`, `seguimiento`, `reclamo`, `negativa` in the words of the language."""
    return context.known("flag", flag) if flag else ""
