"""What `diadema report month` gives without a kind, as JSON and on a terminal, from the roll-ups:
how long callers waited, as in `servicio`, and who served them, as in `llamadas` and `tmo`.

Flow is booked where the call entered the queue, a contact where an agent took it, and seconds of
conversation are split across the half-hours in which they passed. What cannot be is in flow and
in load, left out of means, and counted beside them.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from diadema.figures.rows import Sums
from diadema.figures.switch import NOBODY
from diadema.metrics import calls as of_calls
from diadema.metrics import queue as of_queue
from diadema.metrics.intervals import Intervals, clock_words
from diadema.metrics.queue import Flow
from diadema.report.context import ReportContext
from diadema.store import open_reader
from diadema.store import reader as switch_calls
from diadema.words import section, text
from diadema.words.formatting import clock, grouped, percent

_ASIDE = {  # why a mean does not take a conversation, by the field that counts it
    "open": "aside_open",
    "interrupted": "aside_interrupted",
    "no_agent": "aside_unnamed",
    "estimated": "aside_estimated",
    "impossible": "aside_impossible",
}


class Served:
    """Contacts (atenciones) and seconds of conversation; `n` of them are in the mean."""

    def __init__(self, sums: Sums) -> None:
        calls = sums.calls()
        self.contacts = of_calls.handled(calls)
        self.talk_s = sums.load.talking + sums.load.switch_talk_s
        self.n = calls.n
        self.mean_talk_s = of_calls.talk_mean(calls)
        self.aside = {why: n for why, name in _ASIDE.items() if (n := getattr(calls, name))}

    def __bool__(self) -> bool:
        return bool(self.contacts or self.talk_s)


class Month:
    """The figures of one month of the whole floor. Intervals are known by their first second in
    UTC. Raises DiademaError where there is no store.
    """

    def __init__(self, context: ReportContext) -> None:
        figures = context.with_each_half()
        self.word = context.period.word
        self.zone = context.zone
        self.threshold_s = context.threshold_s("")
        self.thresholds = context.thresholds()
        self.short_s = context.short_s
        self.cut_at = datetime.fromtimestamp(figures.cut.at_ms / 1000, context.zone).isoformat(
            timespec="seconds"
        )
        self.position = figures.cut.position
        self.queue = figures.queue()
        self.flows = _flows(context)
        self.total = Flow()
        for flow in self.flows.values():
            self.total += flow
        self.served = Served(context.total)
        self.no_agent = Served(figures.agent(NOBODY)).contacts
        agents = {a: Served(sums) for a, sums in figures.agents().items()}
        self.agents = {a: agents[a] for a in sorted(agents, key=_nobody_last) if agents[a]}
        halves = {at: Served(s) for day in figures.days for at, s in day.half_hours().items()}
        self.halves = {at: row for at, row in halves.items() if row}
        self.days = figures.days
        with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
            self.sources = switch_calls.sources(tx, *context.bounds_ms)
            self.first_and_last = switch_calls.days(tx, context.zone)

    @property
    def at_once(self) -> dict[str, int]:
        """Calls that waited no second."""
        queue = self.queue
        return {
            "answered": queue.answered_waits.get(0, 0),
            "abandoned": queue.abandoned_waits.get(0, 0),
        }

    def as_json(self) -> dict[str, Any]:
        """For a script. Service levels and abandonment in percent; a mean that has nothing is
        null.
        """
        local = Intervals(self.zone).local
        starts = {at: local(at).isoformat() for at in sorted({*self.flows, *self.halves})}
        nothing = Served(Sums())
        return {
            "report": "month",
            "month": self.word,
            "zone": self.zone.key,
            "sources": self.sources,
            "cut_off": {"at": self.cut_at, "position": self.position},
            "threshold_s": self.threshold_s,
            "thresholds": self.thresholds,
            "short_s": self.short_s,
            **_figures(self.total),
            "formulas": of_queue.VARIANTS,
            "outside_queue": self.queue.outside,
            "no_agent": self.no_agent,
            "at_once": self.at_once,
            **_served(self.served),
            "agents": [{"agent": a or None, **_served(row)} for a, row in self.agents.items()],
            "intervals": [
                {
                    "start": start,
                    **_figures(self.flows.get(at, Flow())),
                    "contacts": self.halves.get(at, nothing).contacts,
                    "talk_s": self.halves.get(at, nothing).talk_s,
                }
                for at, start in starts.items()
            ],
            "agent_intervals": [
                {
                    "start": starts[at],
                    "agent": a or None,
                    "contacts": row.contacts,
                    "talk_s": row.talk_s,
                }
                for day in self.days
                for at, its in day.intervals.items()
                for a in sorted(its, key=_nobody_last)
                if (row := Served(its[a]))
            ],
        }


def _flows(context: ReportContext) -> dict[int, Flow]:
    flows = {
        at: context.flow(queues)
        for day in context.figures.days
        for at, queues in day.queue_intervals.items()
    }
    return {at: flow for at, flow in flows.items() if flow.received}


def _nobody_last(agent: str) -> tuple[bool, str]:
    return agent == NOBODY, agent


def _figures(flow: Flow) -> dict[str, Any]:
    return {
        "service_level": of_queue.service_level(flow),
        "asa_s": of_queue.asa(flow),
        "abandonment": of_queue.abandonment(flow),
        "abandonment_noshort": of_queue.abandonment_noshort(flow),
        "abandonment_received": of_queue.abandonment_received(flow),
        "n": {**asdict(flow), "service_level": {v: n(flow) for v, n in of_queue.BASES.items()}},
    }


def _served(row: Served) -> dict[str, Any]:
    return {
        "contacts": row.contacts,
        "talk_s": row.talk_s,
        "mean_talk_s": row.mean_talk_s,
        "mean_n": row.n,
        "aside": row.aside,
    }


def show(console: Console, made: Month, language: str) -> None:
    """Print the figures of the JSON in the words of that language."""
    say = partial(_say, language)
    console.print(Text(say("title", month=made.word), style="bold"))
    if not made.total.received and not made.queue.outside and not made.served.contacts:
        console.print(say("none", month=made.word))
        if made.first_and_last:
            first, last = made.first_and_last
            console.print(say("none.other", first=first, last=last))
    else:
        console.print(_totals(made, language))
        console.print(_levels(made, language))
        if made.thresholds:
            each = ", ".join(f"{clean(name)} {t} s" for name, t in made.thresholds.items())
            console.print(say("thresholds", each=each))
        console.print(_agents(made, language))
        console.print(_halves(made, language))
        console.print(say("basis"))
    sources = ", ".join(map(clean, made.sources)) or say("sources.none")
    console.print(
        say(
            "cut",
            at=made.cut_at,
            zone=made.zone.key,
            position=grouped(made.position),
            sources=sources,
        )
    )


def clean(name: str) -> str:
    """A name from outside: nothing in it moves the cursor or turns the line around."""
    return "".join("�" if unicodedata.category(one)[0] == "C" else one for one in name)


def _say(language: str, name: str, **values: object) -> str:
    return text(f"report.{name}", language, **values)


def _totals(made: Month, language: str) -> Table:
    say, total, served = partial(_say, language), made.total, made.served
    table = _table(say("totals"), show_header=False)
    for name in ("received", "answered", "abandoned", "short", "left", "waiting"):
        table.add_row(say(name, short=made.short_s), grouped(getattr(total, name)))
    table.add_row(say("no_agent"), grouped(made.no_agent))
    for name in ("answered", "abandoned"):
        table.add_row(say(f"at_once.{name}"), grouped(made.at_once[name]))
    known = section("report", language)
    for cause, calls in sorted(made.queue.outside.items()):
        key = f"outside.{cause}"
        table.add_row(say(key if key in known else "outside"), grouped(calls))
    table.add_row(say("asa", n=total.answered), clock(of_queue.asa(total)))
    table.add_row(say("abandonment"), percent(of_queue.abandonment(total)))
    table.add_row(say("abandonment_noshort"), percent(of_queue.abandonment_noshort(total)))
    received = of_queue.abandonment_received(total)
    table.add_row(say("abandonment_received"), percent(received))
    table.add_row(say("contacts"), grouped(served.contacts))
    table.add_row(say("talk"), clock(served.talk_s))
    table.add_row(say("mean_talk", n=served.n), clock(served.mean_talk_s))
    return table


def _levels(made: Month, language: str) -> Table:
    say = partial(_say, language)
    table = _table(say("level", threshold=made.threshold_s), say("variant"), say("percent"))
    table.add_column(say("n"), justify="right")
    table.add_column(say("formula"))
    for name, level in of_queue.service_level(made.total).items():
        n = of_queue.BASES[name](made.total)
        word = text(f"floor.level.{name}", language)
        table.add_row(word, percent(level), grouped(n), say(f"variant.{name}"))
    return table


def _agents(made: Month, language: str) -> Table:
    say = partial(_say, language)
    heads = ("agent", "contacts", "talk", "mean", "n", "aside")
    table = _table(say("agents"), *map(say, heads))
    for agent, row in made.agents.items():
        name = say("nobody") if agent == NOBODY else clean(agent)
        table.add_row(Text(name), *_served_cells(row, language))
    table.add_row(say("total"), *_served_cells(made.served, language), style="bold")
    return table


def _served_cells(row: Served, language: str) -> Iterable[str]:
    yield grouped(row.contacts)
    yield clock(row.talk_s)
    yield clock(row.mean_talk_s)
    yield grouped(row.n)
    aside = sorted(row.aside.items())
    yield ", ".join(f"{n} {_say(language, f'aside.{why}')}" for why, n in aside)


def _halves(made: Month, language: str) -> Table:
    """The month's half-hours, those of the same hour of the day together."""
    say = partial(_say, language)
    words = clock_words({*made.flows, *made.halves}, made.zone)
    flows: defaultdict[str, Flow] = defaultdict(Flow)
    served: Counter[str] = Counter()
    talked: Counter[str] = Counter()
    for start, flow in made.flows.items():
        flows[words[start]] += flow
    for start, row in made.halves.items():
        served[words[start]] += row.contacts
        talked[words[start]] += row.talk_s
    heads = ("hour", "received", "answered", "abandoned", "level.offered", "asa.short")
    table = _table(say("halves"), *map(say, (*heads, "contacts", "talk")))
    rows = [(half, flows[half], served[half], talked[half]) for half in sorted({*flows, *served})]
    total = (say("total"), made.total, made.served.contacts, made.served.talk_s)
    for half, flow, contacts, talk_s in [*rows, total]:
        table.add_row(
            half,
            *map(grouped, (flow.received, flow.answered, flow.abandoned)),
            percent(of_queue.sl_offered(flow)),
            clock(of_queue.asa(flow)),
            grouped(contacts),
            clock(talk_s),
        )
    return table


def _table(title: str, *heads: str, show_header: bool = True) -> Table:
    table = Table(title=title, title_justify="left", show_header=show_header)
    for at, head in enumerate(heads or ("", "")):
        table.add_column(head, justify="right" if at else "left")
    return table
