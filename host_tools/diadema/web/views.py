"""What each audience may know of an agent. A field that is not listed here is never sent.

`full` is for the floor under /ui; `wall` is public: alias, state and clock, and of a private
reason neither the reason nor since when.
"""

from collections.abc import Callable
from dataclasses import dataclass

from diadema.web.rows import Row

Values = tuple[object, ...]


@dataclass(frozen=True)
class View:
    """Columns of one audience: `who` rarely changes, `live` does; `order` sorts the agents."""

    name: str
    who_columns: tuple[str, ...]
    live_columns: tuple[str, ...]
    who: Callable[[Row], Values]
    live: Callable[[Row], Values]
    order: Callable[[Row], Values]


def _full_live(row: Row) -> Values:
    return (
        row.state,
        row.since,
        row.reason,
        row.reason_label,
        row.t,
        row.seat,
        row.c,
        row.queue,
        row.contacts,
        row.tmo,
        row.link,
        row.warn,
        None if row.help is None else (row.help, row.help_by, row.help_topic),
        None if row.fault is None else (row.fault, row.fault_by),
    )


def _wall_live(row: Row) -> Values:
    if row.hides_reason:
        return (row.state, None, None, row.link)
    if row.state == "logged_out":  # when somebody left is nobody's business out there
        return (row.state, None, None, None)
    label = row.reason_label if row.state == "not_ready" else None
    return (row.state, row.since, label, row.link)


FULL = View(
    name="full",
    who_columns=("a", "name", "alias", "team"),
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
    ),
    who=lambda row: (row.a, row.name or row.a, row.alias, row.team),
    live=_full_live,
    order=lambda row: (row.name.casefold(), row.a),
)

WALL = View(
    name="wall",
    who_columns=("alias",),
    live_columns=("state", "since", "label", "link"),
    who=lambda row: (row.alias or "?",),
    live=_wall_live,
    order=lambda row: (row.alias.casefold(), row.a),
)
