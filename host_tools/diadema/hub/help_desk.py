"""Calls for help while they are open: who has each and who may take it, to whom it is told when
nobody comes, and how many are before it, as its station shows.

What is told of one is told once, for it goes by what the store has. A wait counts from the press,
but never from a moment that lies ahead: of a clock that jumps back it begins again.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from diadema.access import Accounts
from diadema.access.book import AccountError
from diadema.access.roles import THE_HUB, TOKEN, Person
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands, Frames, cut
from diadema.hub.own_journal import OwnJournal, Recorded, Refused, SupervisorAction
from diadema.ingest.core import Ingest
from diadema.site.directory.people import People, of_site
from diadema.site.directory.people_of import CachedPeople
from diadema.site.help_line import HelpCall, before, in_order, limits_s
from diadema.site.station_config import local_day
from diadema.store import Reader
from diadema.store.assistance import HelpCase, Key, key_of, with_steps
from diadema.store.rows import Contact, Press
from diadema.store.station_state import Station

EVERY_S = 1.0
RULE = "rule:help_wait"  # no account is called so
_AT_ONCE = 50  # calls in one transaction
_MOST_AHEAD = 99
_encode = msgspec.json.Encoder().encode


class _Wait(Struct):
    """One that waits. `to`: the account that it was handed over to, `since` then; else from the
    press on.
    """

    call: HelpCall
    case: HelpCase
    since: int
    to: str | None


class HelpDesk:
    """`people` as they were read last; without `data` there are no accounts, and whoever asks is
    believed.
    """

    def __init__(
        self, ingest: Ingest, commands: Commands, reader: Reader, data: DataDir | None = None
    ) -> None:
        self._ingest = ingest
        self._reader = reader
        self._data = data
        self._journal = OwnJournal(ingest, commands)
        self._known = CachedPeople(data) if data is not None else None
        self._accounts: Accounts | None = None
        self._cases: dict[Key, HelpCase] = {}
        self._since: dict[tuple[Key, int], int] = {}  # by the hand-over too
        self._turns: dict[Key, tuple[int, str | None]] = {}
        self._sent_at = self._read_at = 0.0
        self.people = People()
        self.read()

    async def look(self) -> None:
        """Read people and places again, once a second; of many people that takes a moment."""
        if time.monotonic() - self._read_at >= EVERY_S:
            await asyncio.to_thread(self.read)

    def read(self) -> None:
        self._read_at = time.monotonic()
        site = self._ingest.site
        if site is None or self._known is None:
            self.people = of_site(site)
        else:
            self.people = self._known.on(local_day(site, self._ingest.clock.now_ms()))

    def close(self) -> None:
        if self._accounts is not None:
            self._accounts.close()

    # -- who may

    def check(self, by: str, press: Press, *, noted: bool = False) -> HelpCase:
        """Whether that account may do something about this call for help now; what is only `noted`
        may be said of one that is solved, too. Raises Refused.
        """
        with self._reader.engine.connect() as tx:
            (case,) = with_steps(tx, [press])
        if press.outcome == "open" and case.solver is not None and not noted:
            raise Refused("no_such_press", f"{case.solver} has solved it", 404)
        if self._has_accounts:
            if (person := self.person(by)) is None:
                raise Refused("no_account", f"the account {by} is not in use", 403, account=by)
            if not self._may(person, case):
                raise Refused("not_yours", "this account does not help that agent", 403)
        return case

    def check_free(self, by: str, case: HelpCase) -> None:
        """Whether nobody else has it. Raises Refused."""
        if case.taker is None or case.taker[0] == by:
            return
        account, name = case.taker
        if account and self._has_accounts and self.person(account) is None:
            return  # was disabled meanwhile, and does not come
        raise Refused("taken_already", f"{name} has it", who=name)

    def check_assignee(self, to: str, case: HelpCase) -> None:
        """Whether it can be handed over to that account. Raises Refused."""
        if case.taker is not None and case.taker[0] == to:
            raise Refused("taken_already", f"{case.taker[1]} has it", who=case.taker[1])
        if not self._has_accounts:
            return
        person = self.person(to)
        if person is None or person is THE_HUB or to.startswith(TOKEN):  # nobody who could come
            raise Refused("no_account", f"no account {to} is in use", 422, account=to)
        if not self._may(person, case):
            raise Refused("not_theirs", f"{to} does not help that agent", account=person.name)

    def check_result(self, result: str | None) -> None:
        """Raises Refused."""
        known = self.people.help_results
        if result is not None and result not in known:
            codes = ", ".join(known)
            raise Refused("no_such_result", f"results are {codes}", 422, allowed=codes)

    @property
    def _has_accounts(self) -> bool:
        return self._data is not None and self._data.accounts.exists()

    def _book(self) -> Accounts:
        assert self._data is not None
        if self._accounts is None:
            self._accounts = Accounts(self._data)
        return self._accounts

    def person(self, account: str) -> Person | None:
        """As whom it acts now; None where it is not in use."""
        if not self._has_accounts:
            return None
        if account.startswith(TOKEN):
            return self._book().tokens.named(account.removeprefix(TOKEN))
        try:
            found = self._book().book.get(account)
        except AccountError:
            return THE_HUB if account == THE_HUB.id else None
        return None if found.disabled else found.person

    def _may(self, person: Person, case: HelpCase) -> bool:
        station = self._ingest.stations.get(case.press.station)
        call = self._call(station, case, since=0)
        site = self._ingest.site
        moment = datetime.fromtimestamp(
            self._ingest.clock.now_ms() / 1000, site.tz if site else None
        )
        return person.helps(call, self.people, moment, case.level)

    # -- what the store has of each

    def heard(self, of: Iterable[Key]) -> None:
        """Something was said of these: what the store has of them is read again."""
        for key in of:
            self._cases.pop(key, None)

    def forget(self) -> None:
        """The same of all."""
        self._cases.clear()

    def _waiting(self) -> list[_Wait]:
        """Those to whom nobody comes yet."""
        open_now = {key_of(press): (station, press) for station, press in self._open()}
        self._cases = {key: case for key, case in self._cases.items() if key in open_now}
        new = [press for key, (_, press) in open_now.items() if key not in self._cases]
        if new:
            with self._reader.engine.connect() as tx:
                self._cases |= {key_of(case.press): case for case in with_steps(tx, new)}
        now, since = self._ingest.clock.now_ms(), {}
        found = []
        for key, (station, press) in open_now.items():
            case = self._cases[key]
            case.press = press
            if case.taker is not None or case.solver is not None:
                continue
            given = case.assigned
            turn = key, given.sequence if given else 0
            began = given.utc if given else press.open_utc
            known = (self._since.get(turn), began, now)
            since[turn] = min(one for one in known if one is not None)
            call = self._call(station, case, press.open_utc or since[turn])
            to = given.assignee if given else None
            found.append(_Wait(call, case, since[turn], to))
        self._since = since
        return found

    def _open(self) -> Iterator[tuple[Station, Press]]:
        """Of each station the newest; an older one whose end was lost waits for nobody."""
        for station in self._ingest.stations.values():
            for press in reversed(station.state.presses):
                if press.kind == "help" and press.outcome == "open":
                    yield station, press
                    break

    def _call(self, station: Station | None, case: HelpCase, since: int) -> HelpCall:
        press = case.press
        contact = contact_of(station, press) if station is not None else None
        named = contact.queue if contact else None
        return HelpCall(
            of=key_of(press),
            since=since,
            agent=press.agent or "",
            topic=press.topic or "",
            queue=self.people.queue(named, contact.start_utc) if contact and named else "",
            held=contact is not None and contact.held_u is not None,
        )

    # -- by the clock

    def escalate(self) -> Recorded | None:
        """Tell of those that wait too long, in one transaction. Raises StoreUnavailable or
        StoreStale; then nothing was told, and it is still due.
        """
        now = self._ingest.clock.now_ms()
        actions: list[SupervisorAction] = []
        announced: list[Key] = []
        for one in self._waiting():
            limits = limits_s(one.call, self.people)
            due = [
                level
                for level, limit in enumerate(limits, 1)
                if level > one.case.level and now - one.since >= limit * 1000
            ]
            if due and len(actions) < _AT_ONCE:
                fields = {"by": RULE, "of": list(one.call.of)}
                announced.append(one.call.of)
                actions.append(
                    SupervisorAction(
                        [("help.escalated", {**fields, "level": level}) for level in due]
                    )
                )
        if not actions:
            return None
        try:
            return self._journal.record(actions)
        finally:
            self.heard(announced)

    def turns(self) -> Frames:
        """What stations that are there are told of those before them, where that has changed; once
        a second at most.
        """
        if time.monotonic() - self._sent_at < EVERY_S:
            return []
        self._sent_at = time.monotonic()
        waiting = self._waiting()
        ordered = in_order((one.call for one in waiting), self.people)
        ahead = before(ordered, self.people)
        frames: Frames = []
        turns = {}
        for one in waiting:
            key = one.call.of
            turn = min(ahead[key], _MOST_AHEAD), one.to
            if not self._ingest.station(key[0]).hello.up:
                continue
            turns[key] = turn
            if self._turns.get(key) != turn:
                frames.append((key[0], self._frame(key, *turn)))
        self._turns = turns
        return frames

    def greeted(self, stations: Iterable[str]) -> None:
        """These may have missed what they were told."""
        again = set(stations)
        self._turns = {key: turn for key, turn in self._turns.items() if key[0] not in again}

    def _frame(self, key: Key, ahead: int, to: str | None) -> bytes:
        body: dict[str, Any] = {"cmd": "turn", "i": 0, "of": key[2], "ahead": ahead}
        if to is not None:
            body["to"] = cut(self.name_of(to))
        return _encode(body)

    def name_of(self, account: str) -> str:
        person = self.person(account)
        return person.name if person else account


def contact_of(station: Station, press: Press) -> Contact | None:
    """The call in which it came, while the station still knows it."""
    state = station.state
    known = [*state.open, *([state.last] if state.last else []), *state.coded_late]
    return next((one for one in known if one.contact == press.contact), None)
