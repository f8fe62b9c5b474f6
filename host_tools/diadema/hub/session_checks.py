"""Whether the sessions that stations opened hold: roster, badge, method, lock-out, other seats.

A station decides alone, and by what it has; the host looks at it again and says so. It judges what
is open now: only when all is heard of every station that it concerns, never while one of them
still tells of hours ago.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from diadema.hub.commanding import Commands, Frames
from diadema.ingest.core import Ingest
from diadema.site.badges import badge_hash, is_secure
from diadema.site.description import Agent, Site
from diadema.site.station_config import at_simulated, local_day
from diadema.store import tables
from diadema.store.rows import Session
from diadema.store.station_state import Station
from diadema.wire.commands import is_simulated

type Verdict = tuple[str, str | None]  # confirm or close, and why

TRIES = 5  # wrong PINs in a row before a lock-out, as a station has it
LOCKS_S = (30, 60, 120, 300, 900)  # after the last of them, and after each one more


class SessionChecks:
    """`note` what changed; `due` tells what to say of it, at each call until `forget`."""

    def __init__(self, ingest: Ingest, badge_key: str) -> None:
        self._ingest = ingest
        self._key = bytes.fromhex(badge_key)
        self._due: dict[str, bool] = {}  # station: whether all of its session is to be looked at
        for station in ingest.stations.values():
            session = station.state.session
            if session is not None:
                self._due[station.station] = session.provisional and session.verdict is None

    def note(self, opened: Iterable[str]) -> None:
        """Sessions were opened at these stations."""
        for s in opened:
            self._due[s] = True

    def due(self) -> list[tuple[str, dict[str, Any]]]:
        """(station, `session` command) for what can be judged now; call `forget` for each then."""
        site, ready = self._ingest.site, self._ready()
        if site is None or not ready:
            return []
        found = []
        with self._ingest.changing([]) as tx:
            for session, here in ready:
                verdict = self._judge(tx, site, session, here)
                if verdict is None:
                    self.forget(session.station)
                    continue
                word, reason = verdict
                command = {"cmd": "session", "agent": session.agent, "verdict": word}
                found.append((session.station, command | ({"reason": reason} if reason else {})))
        return found

    def ask(self, commands: Commands) -> Frames:
        """Have what is due asked; gives what is to be sent."""
        frames: Frames = []
        for s, command in self.due():
            frames += commands.ask(s, command)[1]
            self.forget(s)
        return frames

    def forget(self, s: str) -> None:
        self._due.pop(s, None)

    # -- inside

    def _ready(self) -> list[tuple[Session, list[Station]]]:
        """Sessions of which all is heard, each with the stations where its agent is logged in."""
        ready = []
        for s in [*self._due]:
            station = self._ingest.station(s)
            session = station.state.session
            if session is None:
                self.forget(s)
            elif _heard(station):
                here = self._seats(session.agent)
                if self._due[s]:  # an older one may have to end for it
                    for other in here:
                        self._due.setdefault(other.station, False)
                if all(map(_heard, here)):
                    ready.append((session, here))
        return ready

    def _seats(self, a: str) -> list[Station]:
        """Every station where the agent is logged in."""
        stations = [self._ingest.station(s) for s in self._ingest.floor.seats(a)]
        return [one for one in stations if one.state.session and one.state.session.agent == a]

    def _judge(
        self, tx: Connection, site: Site, session: Session, here: list[Station]
    ) -> Verdict | None:
        if session.verdict in ("closed", "kept"):
            return None  # it was told
        wrong = None
        if self._due.get(session.station) and not session.estimated:
            wrong = self._wrong(tx, site, session)
        wrong = wrong or _seated_twice(site, session, here)
        if wrong is not None:
            return "close", wrong
        if session.provisional and session.verdict is None:
            return "confirm", None
        return None

    def _wrong(self, tx: Connection, site: Site, session: Session) -> str | None:
        """Why the session should not have been opened."""
        agent = next((one for one in site.agents if one.id == session.agent), None)
        if agent is None:
            return "not_in_roster"
        if is_simulated(session.station):
            agent = at_simulated(site, agent, self._key)
        opened = session.open_utc or 0
        badge = _badge_of(tx, session)
        valid = agent.badges_on(local_day(site, opened))
        if badge is not None and badge not in (badge_hash(self._key, one) for one in valid):
            return "unknown_badge"
        if not _allowed(site, agent, session.method, valid):
            return "pin_required"
        if self._locked(session.agent, session.station, opened):
            return "locked"
        return None

    def _locked(self, a: str, s: str, utc: int) -> bool:
        """By wrong PINs at other stations, which this one could not know of."""
        wrong = [
            one.state.wrong_pins[a]
            for one in self._ingest.stations.values()
            if one.station != s and a in one.state.wrong_pins
        ]
        tries = sum(count for count, _ in wrong)
        last = max((at for _, at in wrong if at is not None and at <= utc), default=None)
        if last is None or tries < TRIES:
            return False
        return utc - last < LOCKS_S[min(tries - TRIES, len(LOCKS_S) - 1)] * 1000


def _heard(station: Station) -> bool:
    """All that the station had to tell is in."""
    hello, journal = station.hello, station.journals.get(station.hello.epoch)
    if not hello.up or station.unconfirmed or journal is None:
        return False
    session = station.state.session
    placed = session is None or session.open_utc is not None
    return placed and journal.position >= hello.last


def _badge_of(tx: Connection, session: Session) -> str | None:
    """Of the tap, where it was also a mark."""
    if session.mark_n is None:
        return None
    row = tables.marks.c
    its = (row.s == session.station) & (row.e == session.epoch) & (row.n == session.mark_n)
    return tx.execute(select(row.badge).where(its)).scalar()


def _allowed(site: Site, agent: Agent, method: str, badges: list[str]) -> bool:
    """By the site's policy and by what the agent has."""
    if method == "badge_secure":
        return any(map(is_secure, badges)) and site.pin != "always"
    if method == "code_pin":
        return bool(agent.code)
    return method != "badge" or site.pin == "none"


def _seated_twice(site: Site, session: Session, here: list[Station]) -> str | None:
    """Why this one of several sessions of the agent must end."""
    others = [
        other
        for one in here
        if (other := one.state.session) is not None and other is not session
        if other.verdict != "closed"
    ]
    if site.multi_login == "move" and any(_order(one) > _order(session) for one in others):
        return "moved"
    if site.multi_login == "deny" and any(_order(one) < _order(session) for one in others):
        return "at_other_seat"
    return None


def _order(session: Session) -> tuple[int, str]:
    return session.open_utc or 0, session.station
