"""The calls for help that are open, read from the store as soon as anything about one changes.

A live row says that something did, and the hub's `meta`, once a second, that anything may have;
what did is asked of the store by two numbers before the rest is read.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator

from sqlalchemy.exc import SQLAlchemyError

from diadema.access import Accounts
from diadema.base.errors import DiademaError, StoreMissing
from diadema.base.paths import DataDir
from diadema.store import Reader, open_reader
from diadema.store.assistance import calls_of, help_cases, help_moved, key_of
from diadema.web.floor.channel import FLUSH_S
from diadema.web.floor.feed import Floor
from diadema.web.help.view import Going

log = logging.getLogger(__name__)
_AGAIN_S = 5.0


class Board:
    """`going` are those of everybody; `on_change` when one is another, or stands otherwise on the
    floor. `run` is its task.
    """

    def __init__(self, data: DataDir, accounts: Accounts, floor: Floor) -> None:
        self.going: list[Going] = []
        self.on_change: list[Callable[[], None]] = []
        self._data = data
        self._accounts = accounts
        self._floor = floor
        self._agents: set[str | None] = set()
        self._wake = asyncio.Event()
        self._reader: Reader | None = None
        self._opened: tuple[int, int] | None = None  # which file that reads
        self._moved: tuple[int, ...] | None = None  # of what was read last
        floor.on_change.append(self._note)
        floor.on_head.append(self.look)

    def look(self) -> None:
        """Something may have changed."""
        self._wake.set()

    def _note(self, agent: str) -> None:
        row = self._floor.rows.get(agent)
        if agent in self._agents or (row is not None and row.help is not None):
            self.look()

    async def run(self) -> None:
        self._moved = None
        self.look()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                try:
                    self.going = await asyncio.to_thread(self._read, self.going)
                except (DiademaError, SQLAlchemyError) as error:
                    log.info("calls for help cannot be read yet: %s", error)
                    self._close()
                    await asyncio.sleep(_AGAIN_S)
                    self.look()
                    continue
                self._agents = {one.case.press.agent for one in self.going}
                self._floor.hand_over(frozenset(_handed_over(self.going)))
                for call in self.on_change:
                    call()
                await asyncio.sleep(FLUSH_S)  # a stream sends no oftener
        finally:
            self._close()

    def _read(self, before: list[Going]) -> list[Going]:
        reader = self._open()
        if reader is None:
            return []
        with reader.engine.connect() as tx:
            moved = help_moved(tx)
            if moved == self._moved and not before:
                return []
            cases = [one.case for one in before]
            if moved != self._moved:
                cases = help_cases(tx, going=True)
            calls = calls_of(tx, [one.press for one in cases])
        self._moved = moved
        given = any(case.assigned for case in cases)
        names = {one.id: one.name for one in self._accounts.book.all()} if given else {}
        return [
            Going(
                case=case,
                call=calls.get(key_of(case.press)),
                assignee=names.get(case.assignee or "", case.assignee),
            )
            for case in cases
        ]

    def _open(self) -> Reader | None:
        """Of the file that is there now: a rebuilt store is another one."""
        try:
            found = self._data.store.stat()
            its = (found.st_dev, found.st_ino)
            if its != self._opened:
                self._close()
                self._reader, self._opened = open_reader(self._data.store), its
        except (FileNotFoundError, StoreMissing):
            self._close()
        return self._reader

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = self._opened = self._moved = None


def _handed_over(going: Iterable[Going]) -> Iterator[str]:
    """The agents to whom another one is to come."""
    for one in going:
        if one.case.assigned is not None and one.case.solver is None and one.case.press.agent:
            yield one.case.press.agent
