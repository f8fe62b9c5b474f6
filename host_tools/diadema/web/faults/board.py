"""The tickets that go on, and those of today that are closed, read from the store as soon as
anything about one changes, while somebody looks; and what each person may know of them.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base.errors import DiademaError, StoreMissing
from diadema.base.paths import DataDir
from diadema.figures.lost_time import Stop, stops
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.store.assistance import (
    Key,
    TicketCase,
    fault_mark,
    key_of,
    loose_faults,
    ticket_cases,
)
from diadema.store.rows import Press
from diadema.web.faults.view import View
from diadema.web.floor.feed import Floor

DESKS = ("faults", "area")  # the pages
_PAUSE_S = 0.1  # between two readings

log = logging.getLogger(__name__)


class Known(Struct):
    """What was read: tickets, reports that no ticket has, what each report cost until
    `until_ms`, and the names of the accounts.
    """

    cases: list[TicketCase] = []
    loose: list[Press] = []
    stops: dict[Key, Stop] = {}
    until_ms: int = 0
    names: dict[str, str] = {}
    mark: tuple[int, ...] = ()


def read(
    data: DataDir,
    accounts: Accounts,
    now_ms: int,
    since_utc: int,
    ticket: str | None = None,
    before: tuple[int, ...] = (),
) -> Known | None:
    """The tickets that go on or were closed since then, or this one; None where nothing changed
    since the mark `before`. Raises DiademaError.
    """
    try:
        reader = open_reader(data.store)
    except StoreMissing:
        return Known()
    with reader, reader.engine.connect() as tx:
        mark = (since_utc, *fault_mark(tx))
        if mark == before:
            return None
        if ticket is None:
            cases = ticket_cases(tx, start_utc=since_utc)
        else:
            cases = ticket_cases(tx, ids=[ticket])
        until_ms = now_ms + 1000  # what ended just now is over, what goes on reaches until then
        return Known(
            cases, loose_faults(tx), _stops(tx, cases, until_ms), until_ms, _names(accounts), mark
        )


def _stops(tx: Connection, cases: Iterable[TicketCase], until_ms: int) -> dict[Key, Stop]:
    reports = [one for case in cases for one in case.reports if one.agent is not None]
    begun = [one.technical_utc for one in reports if one.technical_utc is not None]
    if not begun:
        return {}
    agents = {one.agent for one in reports if one.agent is not None}
    return {key_of(stop.press): stop for stop in stops(tx, min(begun), until_ms, until_ms, agents)}


def _names(accounts: Accounts) -> dict[str, str]:
    return {account.id: account.name or account.id for account in accounts.book.all()}


def view_for(person: Person, desk: str, people: People, known: Known) -> View:
    """What this person may know at that page."""
    view = View(person, people, known.names, known.stops, known.until_ms)
    if desk == "faults":
        return view
    areas = people.areas_of(person.id)
    colleagues = {account for account in known.names if areas & people.areas_of(account)}
    return replace(view, areas=areas, colleagues=frozenset(colleagues))


class Tickets:
    """`known`: of everybody; `on_change` when it is another one. `run` is its task; while nobody
    calls `look`, nothing is read.
    """

    def __init__(
        self,
        data: DataDir,
        accounts: Accounts,
        floor: Floor,
        now_ms: Callable[[], int],
        midnight_ms: Callable[[], int],
    ) -> None:
        self.known = Known()
        self.on_change: list[Callable[[], None]] = []
        self._data, self._accounts, self._floor = data, accounts, floor
        self._now_ms, self._midnight_ms = now_ms, midnight_ms
        self._wake = asyncio.Event()
        floor.on_change.append(self._note)

    def look(self) -> None:
        """Somebody looks, and something may have changed."""
        self._wake.set()

    def _note(self, agent: str) -> None:
        row = self._floor.rows.get(agent)
        if self.on_change and row is not None and row.fault is not None:
            self.look()

    async def read_now(self) -> None:
        """What cannot be read stays as it was."""
        before = self.known.mark
        try:
            known = await asyncio.to_thread(
                read,
                self._data,
                self._accounts,
                self._now_ms(),
                self._midnight_ms(),
                before=before,
            )
        except (DiademaError, SQLAlchemyError) as error:
            log.info("tickets cannot be read: %s", error)
            return
        if known is not None and known.mark != before:
            self.known = known
            for call in self.on_change:
                call()

    async def run(self) -> None:
        """Most of the time the store is left alone."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            begun = loop.time()
            await self.read_now()
            await asyncio.sleep(max(_PAUSE_S, 4 * (loop.time() - begun)))
