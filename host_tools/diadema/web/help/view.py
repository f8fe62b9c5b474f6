"""What an open call for help says to whoever may go there, who that is, and which comes first.
Nothing here reads.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from diadema.access.book import Account
from diadema.access.roles import Person
from diadema.site.directory.people import People
from diadema.site.help_line import HelpCall, in_order
from diadema.store.assistance import HelpCase, key_of
from diadema.store.rows import Contact
from diadema.wire.agent_states import LOGGED_OUT
from diadema.wire.live_rows import Row


class Going(Struct, frozen=True, kw_only=True):
    """An open call for help. `call`: in which it came, where that is known; `assignee`: the name
    of whom it was handed over to.
    """

    case: HelpCase
    call: Contact | None = None
    assignee: str | None = None


def call_of(one: Going, row: Row | None, people: People) -> HelpCall:
    """As it stands in the line."""
    press = one.case.press
    call, contact = one.call, press.contact
    return HelpCall(
        of=key_of(press),
        since=press.open_utc or 0,
        agent=press.agent or "",
        topic=press.topic or "",
        queue=people.queue(call.queue, call.start_utc) if call and call.queue else "",
        held=row is not None and row.state == "held" and row.contact == contact,
    )


def concerns(one: Going, person: Person, people: People, moment: datetime) -> bool:
    """Whether the person may go there at that moment, in the site's zone."""
    return person.helps(call_of(one, None, people), people, moment, one.case.level)


def takers(
    one: Going, accounts: Iterable[Account], people: People, moment: datetime
) -> list[tuple[str, str]]:
    """The accounts that may go there, as (id, name): helpers first."""
    found = [
        (account.id not in people.helpers, account.name, account.id)
        for account in accounts
        if not account.disabled and concerns(one, account.person, people, moment)
    ]
    return [(account, name) for _, name, account in sorted(found)]


def is_over(one: Going, row: Row | None) -> bool:
    """Whether its end was never told: the floor knows of no such call there any more."""
    if row is None or row.help is not None:
        return False
    return row.state == LOGGED_OUT or row.station == one.case.press.station


def shown(
    going: Iterable[Going],
    rows: Mapping[str, Row],
    person: Person,
    people: People,
    moment: datetime,
) -> list[dict[str, Any]]:
    """What the page and the API have of those that concern the person, in the order of the line;
    last what was solved, while the station has not said so.
    """
    mine = {
        key_of(one.case.press): one
        for one in going
        if concerns(one, person, people, moment)
        and not is_over(one, rows.get(one.case.press.agent or ""))
    }
    calls = [call_of(one, rows.get(one.case.press.agent or ""), people) for one in mine.values()]
    line = in_order(calls, people)
    line.sort(key=lambda call: mine[call.of].case.solver is not None)
    return [_entry(mine[call.of], call, rows.get(call.agent), person, people) for call in line]


def _entry(
    one: Going, place: HelpCall, row: Row | None, person: Person, people: People
) -> dict[str, Any]:
    press, call, case = one.case.press, one.call, one.case
    more = call.more if call is not None else None
    known = people.workers.get(place.agent)
    topic = people.topics.get(place.topic)
    motive = more.motive if more is not None else None
    account, name = case.taker or (None, None)
    assigned = case.assigned
    return {
        "of": place.of,
        "a": press.agent,
        "alias": (known.alias or known.name) if known else press.agent,
        "seat": people.seats.get(press.station, press.station),
        "since": press.open_utc,
        "over": press.over_utc,
        "held": place.held,
        "state": row.state if row is not None else None,
        "state_since": row.since if row is not None else None,
        "queue": people.queues.get(place.queue, place.queue) or None,
        "motive": people.motives.get(motive or "", motive),
        "playbook": more.playbook if more is not None else None,
        "version": more.playbook_version if more is not None else None,
        "topic": topic.label if topic is not None else press.topic,
        "urgent": topic is not None and topic.urgent,
        "by": name,
        "by_me": account == person.id,
        "by_since": case.taken_utc,
        "to": one.assignee if assigned is not None else None,
        "to_me": assigned is not None and assigned.assignee == person.id,
        "reason": assigned.reason if assigned is not None else None,
        "solved": case.solver,
        "level": case.level,
    }
