"""What each audience may know of an agent. A field that is not listed here is never sent.

`full` is for the floor under /ui, where a private reason has no name; `screen` for the same on a
large screen, which passers-by read, and for who may not see figures: without adherence. `wall` is
public: alias, state and clock, and of a private reason neither the reason nor since when. Queues,
which are of nobody, are for all.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from diadema.site.directory.people import People
from diadema.wire.live_rows import Row

Values = tuple[object, ...]


@dataclass(frozen=True)
class View:
    """Columns of one audience: `who` rarely changes, `live` does; `order` sorts the agents.
    `inside`: it also gets cut-off and alerts. `adherence`: its last live column is `out`, since
    when the agent is out of the roster's plan.
    """

    name: str
    who_columns: tuple[str, ...]
    live_columns: tuple[str, ...]
    who: Callable[[Row, People], Values]
    live: Callable[[Row, People], Values]
    order: Callable[[Row], Values]
    inside: bool
    adherence: bool = False


def _full_who(row: Row, people: People) -> Values:
    known = people.workers.get(row.agent)
    return row.agent, row.name or row.agent, row.alias, row.team, known.queues if known else []


def _full_live(row: Row, people: People) -> Values:
    row = row.shown()
    return (
        row.state,
        row.since,
        row.reason,
        row.reason_label,
        row.utc_ms,
        row.seat,
        row.contact,
        row.queue and people.queue(row.queue, row.since),
        row.contacts,
        row.tmo,
        row.link,
        row.warn,
        None if row.help is None else (row.help, row.help_by, row.help_topic),
        None if row.fault is None else (row.fault, row.fault_by),
        row.missed,
        row.handle_s,
        row.handled,
    )


def _wall_live(row: Row, _: People) -> Values:
    if row.hides_reason:
        return (row.state, None, None, row.link)
    if row.state == "logged_out":  # when somebody left is nobody's business out there
        return (row.state, None, None, None)
    label = row.reason_label if row.state == "not_ready" else None
    return (row.state, row.since, label, row.link)


def help_waiting(rows: Iterable[Row], handed_over: frozenset[str]) -> tuple[int, int | None]:
    """How many wait for help that nobody has, and since when the first of them does."""
    since = [
        row.help
        for row in rows
        if row.help is not None and (row.help_by is None or row.agent in handed_over)
    ]
    return len(since), min(filter(None, since), default=None)


SCREEN = View(
    name="screen",
    who_columns=("a", "name", "alias", "team", "queues"),
    live_columns=(
        "state",
        "since",
        "reason",
        "label",
        "t",
        "seat",
        "c",
        "queue",
        "contacts",
        "tmo",
        "link",
        "warn",
        "help",
        "fault",
        "missed",
        "handle_s",
        "handled",
    ),
    who=_full_who,
    live=_full_live,
    order=lambda row: (row.name.casefold(), row.agent),
    inside=True,
)
FULL = replace(SCREEN, name="full", adherence=True)

WALL = View(
    name="wall",
    who_columns=("alias",),
    live_columns=("state", "since", "label", "link"),
    who=lambda row, _: (row.alias or "?",),
    live=_wall_live,
    order=lambda row: (row.alias.casefold(), row.agent),
    inside=False,
)
VIEWS = {view.name: view for view in (FULL, SCREEN, WALL)}
