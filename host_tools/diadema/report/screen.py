"""A month's report for people: the figures of the JSON, in the words of the site's language."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import partial

from rich.console import Console
from rich.table import Table
from rich.text import Text

from diadema.figures.switch import NOBODY
from diadema.metrics import queue
from diadema.metrics.intervals import clock_words
from diadema.metrics.queue import Flow
from diadema.report.month import Month, Served
from diadema.words import section, text
from diadema.words.durations import NOTHING, percent


def show(console: Console, made: Month, language: str) -> None:
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
        say("cut", at=made.cut_at, zone=made.zone.key, position=made.position, sources=sources)
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
        table.add_row(say(name, short=made.short_s), str(getattr(total, name)))
    table.add_row(say("no_agent"), str(made.no_agent))
    for name in ("answered", "abandoned"):
        table.add_row(say(f"at_once.{name}"), str(made.at_once[name]))
    known = section("report", language)
    for cause, calls in sorted(made.queue.outside.items()):
        key = f"outside.{cause}"
        table.add_row(say(key if key in known else "outside"), str(calls))
    table.add_row(say("asa", n=total.answered), _seconds(queue.asa(total)))
    table.add_row(say("abandonment"), percent(queue.abandonment(total), language))
    table.add_row(say("abandonment_noshort"), percent(queue.abandonment_noshort(total), language))
    received = queue.abandonment_received(total)
    table.add_row(say("abandonment_received"), percent(received, language))
    table.add_row(say("contacts"), str(served.contacts))
    table.add_row(say("talk"), _seconds(served.talk_s))
    table.add_row(say("mean_talk", n=served.n), _seconds(served.mean_talk_s))
    return table


def _levels(made: Month, language: str) -> Table:
    say = partial(_say, language)
    table = _table(say("level", threshold=made.threshold_s), say("variant"), say("percent"))
    table.add_column(say("n"), justify="right")
    table.add_column(say("formula"))
    for name, level in queue.service_level(made.total).items():
        n = queue.BASES[name](made.total)
        table.add_row(name, percent(level, language), str(n), say(f"variant.{name}"))
    return table


def _agents(made: Month, language: str) -> Table:
    say = partial(_say, language)
    heads = ("agent", "contacts", "talk", "mean", "n", "aside")
    table = _table(say("agents"), *map(say, heads))
    for agent, row in made.agents.items():
        name = say("nobody") if agent == NOBODY else clean(agent)
        table.add_row(Text(name), *_served(row, language))
    table.add_row(say("total"), *_served(made.served, language), style="bold")
    return table


def _served(row: Served, language: str) -> Iterable[str]:
    yield str(row.contacts)
    yield _seconds(row.talk_s)
    yield _seconds(row.mean_talk_s)
    yield str(row.n)
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
            *map(str, (flow.received, flow.answered, flow.abandoned)),
            percent(queue.sl_offered(flow), language),
            _seconds(queue.asa(flow)),
            str(contacts),
            _seconds(talk_s),
        )
    return table


def _table(title: str, *heads: str, show_header: bool = True) -> Table:
    table = Table(title=title, title_justify="left", show_header=show_header)
    for at, head in enumerate(heads or ("", "")):
        table.add_column(head, justify="right" if at else "left")
    return table


def _seconds(seconds: int | None) -> str:
    if seconds is None:
        return NOTHING
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
