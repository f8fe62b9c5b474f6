"""The tickets as they are now, for whoever has their page open: whole on joining and after each
change, and in between each second that they still are so.

While nobody looks nothing is read. A message is `{"snap":{…}}` or `{"seq","now","d":[]}`, as those
of the floor's stream.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from diadema.access import Accounts
from diadema.access.roles import Person, Right
from diadema.base.errors import DiademaError, StoreMissing
from diadema.base.paths import DataDir
from diadema.figures.lost_time import Stop, stops
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.store.assistance import Key, TicketCase, fault_mark, loose_faults, ticket_cases
from diadema.store.rows import Press
from diadema.web.faults.view import View
from diadema.web.floor.channel import HEARTBEAT_S, Source, TooMany, times_of
from diadema.web.floor.viewers import Viewer

LOOK_S = 0.4
MOST = 300
OF_ONE = 20

DESKS: Mapping[str, Right] = {"faults": "tickets", "area": "area"}  # pages, and whose they are

type Audience = tuple[frozenset[str], frozenset[str]] | None  # areas and accounts; None: all

log = logging.getLogger(__name__)


class Known(Struct):
    """What was read: tickets, reports that no ticket has, what each report cost until `now_ms`,
    and the names of the accounts.
    """

    cases: list[TicketCase] = []
    loose: list[Press] = []
    stops: dict[Key, Stop] = {}
    now_ms: int = 0
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
        return Known(
            cases, loose_faults(tx), _stops(tx, cases, now_ms), now_ms, _names(accounts), mark
        )


def _stops(tx: Connection, cases: Iterable[TicketCase], now_ms: int) -> dict[Key, Stop]:
    reports = [one for case in cases for one in case.reports if one.agent is not None]
    begun = [one.technical_utc for one in reports if one.technical_utc is not None]
    if not begun:
        return {}
    agents = {one.agent for one in reports if one.agent is not None}
    return {
        (stop.press.station, stop.press.epoch, stop.press.sequence): stop
        for stop in stops(tx, min(begun), now_ms, now_ms, agents)
    }


def _names(accounts: Accounts) -> dict[str, str]:
    return {account.id: account.name or account.id for account in accounts.book.all()}


def view_for(person: Person, desk: str, people: People, known: Known) -> View:
    """What this person may know at that page."""
    view = View(people, known.names, known.stops, known.now_ms)
    if desk == "faults":
        return view
    areas = people.areas_of(person.id)
    colleagues = {account for account in known.names if areas & people.areas_of(account)}
    return replace(view, areas=areas, colleagues=frozenset(colleagues))


class Board:
    """`run` is its task. `midnight_ms`: when today began."""

    def __init__(
        self, data: DataDir, accounts: Accounts, source: Source, midnight_ms: Callable[[], int]
    ) -> None:
        self._data, self._accounts, self._source = data, accounts, source
        self._midnight_ms = midnight_ms
        self._known = Known()
        self._shown_of: People | None = None
        self._viewers: dict[Viewer, tuple[Person, str]] = {}
        self._somebody = asyncio.Event()
        self._seq = 0

    @contextmanager
    def joined(self, viewer: Viewer, person: Person, desk: str) -> Iterator[None]:
        """Raises TooMany."""
        its = sum(person.id == whose.id for whose, _ in self._viewers.values())
        if len(self._viewers) >= MOST or its >= OF_ONE:
            raise TooMany
        self._viewers[viewer] = person, desk
        self._somebody.set()
        try:
            yield
        finally:
            del self._viewers[viewer]

    async def look(self) -> bool:
        """Read what changed, and send it; gives whether anything did. What cannot be read stays
        as it was.
        """
        before, people = self._known.mark, self._source.people()
        try:
            known = await asyncio.to_thread(
                read,
                self._data,
                self._accounts,
                self._source.pace.now_ms(),
                self._midnight_ms(),
                before=before,
            )
        except (DiademaError, SQLAlchemyError) as error:
            log.info("tickets cannot be read: %s", error)
            known = None
        is_new = people is not self._shown_of or (known is not None and known.mark != before)
        self._known, self._shown_of = known or self._known, people
        if is_new:
            self._seq += 1
            self._publish()
        return is_new

    def again(self, viewer: Viewer) -> None:
        """All of it, to one viewer."""
        viewer.offer(self._snapshot(*self._viewers[viewer]))

    async def run(self) -> None:
        """Follow the store for ever, while somebody looks; most of the time it is left alone."""
        beaten = 0.0
        loop = asyncio.get_running_loop()
        while True:
            if not self._viewers:
                self._somebody.clear()
                await self._somebody.wait()
            begun = loop.time()
            if await self.look():
                beaten = loop.time()
            elif loop.time() - beaten >= HEARTBEAT_S:
                self._seq += 1
                beaten = loop.time()
                text = _encoded({"seq": self._seq, **times_of(self._source), "d": []})
                for viewer in self._viewers:
                    viewer.offer(text)
            await asyncio.sleep(max(LOOK_S, 4 * (loop.time() - begun)))

    def _publish(self) -> None:
        """To each what is theirs, written once for all whose it is."""
        written: dict[Audience, str] = {}
        for viewer, (person, desk) in self._viewers.items():
            key = self._audience(person, desk)
            if key not in written:
                written[key] = self._snapshot(person, desk)
            viewer.offer(written[key])

    def _view(self, person: Person, desk: str) -> View:
        return view_for(person, desk, self._source.people(), self._known)

    def _audience(self, person: Person, desk: str) -> Audience:
        view = self._view(person, desk)
        return None if view.areas is None else (view.areas, view.colleagues)

    def _snapshot(self, person: Person, desk: str) -> str:
        view = self._view(person, desk)
        body = {"seq": self._seq, **times_of(self._source), "build": self._source.build}
        body["tickets"] = view.rows(self._known.cases)
        body["loose"] = view.loose(self._known.loose)
        return _encoded({"snap": body})


def _encoded(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()
