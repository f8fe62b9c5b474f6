"""The document «Personal orientado durante la llamada»: agents to whom somebody came, or wrote,
while their call went on.
"""

from collections import defaultdict

from msgspec import Struct

from diadema.report.context import ReportContext
from diadema.report.kinds.help_requests import covered, topic_name
from diadema.report.model import Cell, Column, Kind, Section
from diadema.report.tables import AGENT, Line, Part, table
from diadema.store.assistance import HelpCase

_HEADS: tuple[tuple[str, Kind], ...] = (
    ("at", "moment"), ("agent", "text"), ("code", "text"), ("team", "text"), ("contact", "text"),
    ("topic", "text"), ("helper", "text"), ("guided_how", "text"),
)  # fmt: skip


class Guided(Struct):
    """Of one agent."""

    calls: int
    came: int
    wrote: int


PARTS: list[Part[Guided]] = [
    Part("guided_calls", lambda its: its.calls),
    Part("guided_came", lambda its: its.came),
    Part("guided_wrote", lambda its: its.wrote),
]


def make(context: ReportContext) -> list[Section]:
    cases = [one for one in covered(context) if came(one) or wrote(one)]
    by_agent: defaultdict[str, list[HelpCase]] = defaultdict(list)
    for one in cases:
        by_agent[one.press.agent or ""].append(one)
    people = context.people
    lines: list[Line[Guided]] = [
        (
            [people.name(agent), agent, context.team_name(agent)],
            Guided(
                len({one.press.contact for one in by_agent[agent]}),
                sum(map(came, by_agent[agent])),
                sum(map(wrote, by_agent[agent])),
            ),
        )
        for agent in sorted(by_agent, key=context.order)
    ]
    return [
        table(context, "guided", AGENT, PARTS, lines, notes=[context.say("note.guided")]),
        Section(
            key="guided_calls",
            title=context.say("table.guided_calls"),
            columns=[Column(key=k, word=context.heading(k), kind=kind) for k, kind in _HEADS],
            rows=[_row(context, one) for one in cases],
        ),
    ]


def came(case: HelpCase) -> bool:
    """Before the call was over."""
    press = case.press
    return press.contact is not None and press.accepted_b is not None and press.over_utc is None


def wrote(case: HelpCase) -> bool:
    """The same of a message that was sent about it."""
    press = case.press
    over = press.over_utc
    return press.contact is not None and any(
        one.action == "message" and (over is None or one.utc <= over) for one in case.acts
    )


def _row(context: ReportContext, case: HelpCase) -> list[Cell]:
    press, agent = case.press, case.press.agent or ""
    who = press.accepted_by if came(case) else None
    sent = next((one for one in case.acts if one.action == "message"), None)
    how = [context.say("guided.came")] if came(case) else []
    how += [context.say("guided.wrote")] if wrote(case) else []
    return [
        press.open_utc,
        context.people.name(agent),
        agent,
        context.team_name(agent),
        press.contact,
        topic_name(context, press.topic),
        who or (None if sent is None else sent.who or sent.by),
        ", ".join(how),
    ]
