"""The document «Personal orientado durante la llamada»: agents to whom somebody came, or wrote,
while their call went on.
"""

from collections import defaultdict

from msgspec import Struct

from diadema.report.context import ReportContext
from diadema.report.kinds.help_requests import covered, topic_name
from diadema.report.model import Cell, Column, Kind, Section
from diadema.report.tables import AGENT, Line, Part, table
from diadema.store import open_reader
from diadema.store.assistance import HelpCase, calls_of, key_of
from diadema.store.host_rows import Act
from diadema.store.rows import Contact

_HEADS: tuple[tuple[str, Kind], ...] = (
    ("at", "moment"), ("agent", "text"), ("code", "text"), ("team", "text"), ("contact", "text"),
    ("topic", "text"), ("helper", "text"), ("guided_how", "text"),
)  # fmt: skip


class Guidance(Struct):
    """Of one call for help, before its call was over: whether somebody `came`, and the first
    message that somebody `wrote`.
    """

    case: HelpCase
    came: bool
    wrote: Act | None


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
    cases = guidances(context)
    by_agent: defaultdict[str, list[Guidance]] = defaultdict(list)
    for one in cases:
        by_agent[one.case.press.agent or ""].append(one)
    people = context.people
    lines: list[Line[Guided]] = [
        (
            [people.name(agent), agent, context.team_name(agent)],
            Guided(
                len({one.case.press.contact for one in by_agent[agent]}),
                sum(one.came for one in by_agent[agent]),
                sum(one.wrote is not None for one in by_agent[agent]),
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


def guidances(context: ReportContext) -> list[Guidance]:
    in_calls = [one for one in covered(context) if one.press.contact is not None]
    written = [one.press for one in in_calls if any(act.action == "message" for act in one.acts)]
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        calls = calls_of(tx, written)
    found = [
        Guidance(one, _came(one), _wrote(one, calls.get(key_of(one.press)))) for one in in_calls
    ]
    return [one for one in found if one.came or one.wrote is not None]


def _came(case: HelpCase) -> bool:
    return case.press.accepted_b is not None and case.press.over_b is None


def _wrote(case: HelpCase, call: Contact | None) -> Act | None:
    """None where nobody knows whether the call went on."""
    if call is None or (call.end_u is not None and call.end_utc is None):
        return None
    until = call.end_utc
    sent = (one for one in case.acts if one.action == "message")
    return next((one for one in sent if until is None or one.utc <= until), None)


def _row(context: ReportContext, one: Guidance) -> list[Cell]:
    press, agent, sent = one.case.press, one.case.press.agent or "", one.wrote
    who = press.accepted_by if one.came else None
    how = [context.say("guided.came")] if one.came else []
    how += [context.say("guided.wrote")] if sent is not None else []
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
