"""The rules of acting on agents and stations: what a supervisor may ask, of which station, and how
it is noted. The station itself lets a call and its wrap-up end first.

On whom an account may act: judged by the person on whom an act lands, whatever was asked.

What was answered to acts that name themselves: kept in one transaction with the act itself, so
that asked again, for a day, the hub says the same and does nothing.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import select

from diadema.base.clock import Clock
from diadema.base.idempotency import RETENTION_MS, Once, OtherRequest
from diadema.hub.commanding import Commands, New
from diadema.hub.own_journal import Deed, OwnJournal, Recorded, Refused, Reply
from diadema.hub.pin_resets import PinResets
from diadema.ingest.act_kinds import (
    ANY_ACT,
    ANY_RECORD,
    Acknowledge,
    AnswerFault,
    AnswerHelp,
    Asked,
    Correct,
    EndWrapup,
    ForcePresence,
    Justify,
    LogOut,
    Move,
    Noted,
    ResetPin,
    Schedules,
    SendMessage,
)
from diadema.ingest.core import Ingest
from diadema.site import pins
from diadema.site.context import language_of
from diadema.store import Reader, tables
from diadema.store.attendance import Badges
from diadema.store.rows import Ticket
from diadema.store.station_state import Station
from diadema.words import text


def check_among(asked: Asked, ingest: Ingest) -> None:
    """Raises Refused. Whose a ticket is, it says itself (`check_ticket`)."""
    if asked.among is None or isinstance(asked, AnswerFault | AnswerHelp):
        return
    agents = asked.agents if isinstance(asked, SendMessage) else [getattr(asked, "agent", None)]
    if isinstance(asked, Acknowledge) and asked.station is not None:
        station = ingest.stations.get(asked.station)
        session = station.state.session if station else None
        agents = [session.agent if session else None]
    if not asked.among.issuperset(agents):
        raise _not_yours()


def check_ticket(asked: Asked, station: Station, ticket: Ticket) -> None:
    """Hers who called, or who sits there now. Raises Refused."""
    session = station.state.session
    theirs = {ticket.agent, session.agent if session else None}
    if asked.among is not None and asked.among.isdisjoint(theirs):
        raise _not_yours()


def _not_yours() -> Refused:
    return Refused("not_yours", "this account does not act on that agent", 403)


type Place = tuple[str, int, int]
LIFE_MS = 30_000  # a station answers at once, in a call too; what comes later may hit another
_NAME_BYTES = 32  # of the texts that a station shows beside a change


class Acts:
    def __init__(
        self, ingest: Ingest, commands: Commands, reader: Reader, pins: PinResets
    ) -> None:
        self._ingest = ingest
        self._pins = pins
        self._reader = reader
        self._journal = OwnJournal(ingest, commands)

    def act(
        self, body: dict[str, Any], once: Once | None = None
    ) -> tuple[dict[str, Any], Recorded]:
        """(answer, what follows); the answer is kept where the act names itself. Raises Refused,
        ValidationError, StoreUnavailable, StoreStale; then nothing was done.
        """
        asked: Asked = msgspec.convert(body, ANY_ACT)
        check_among(asked, self._ingest)
        refused: list[dict[str, Any]] = []
        more: dict[str, Any] = {}
        if isinstance(asked, SendMessage):
            deeds, refused = self._message(asked)
        else:
            deeds = [_DEEDS[type(asked)](self, asked)]
        if isinstance(asked, ResetPin):
            more["code"] = pins.random_pin()
            self._pins.prepare(asked.agent, more["code"], self._journal.next_place())

        def answered(of: list[Place], numbers: list[int | None]) -> dict[str, Any]:
            answer: dict[str, Any] = {"of": of[0], "i": numbers[0], **more}
            if isinstance(asked, SendMessage):
                answer["m"] = deeds[0].events[0][1]["m"]
                answer["sent"] = [
                    {"a": deed.events[0][1]["a"], "of": one, "i": i}
                    for deed, one, i in zip(deeds, of, numbers, strict=True)
                ]
                answer["refused"] = refused
            return answer

        done = self._journal.record(deeds, Reply(once, answered) if once else None)
        if isinstance(asked, ResetPin):
            self._pins.take()
        return answered(done.of, done.numbers), done

    def record(
        self, body: dict[str, Any], once: Once | None = None
    ) -> tuple[dict[str, Any], Recorded]:
        """The same for what is only noted."""
        asked = msgspec.convert(body, ANY_RECORD)
        if isinstance(asked, Correct | Justify):
            self._check_mark(asked)
        each = asked.each() if isinstance(asked, Schedules) else [asked]
        plain = [msgspec.to_builtins(one) for one in each]
        reply = Reply(once, lambda of, _: {"of": of[0]}) if once else None
        done = self._journal.record([Deed([(one.pop("k"), one) for one in plain])], reply)
        return {"of": done.of[0]}, done

    # -- of each action

    def _message(self, asked: SendMessage) -> tuple[list[Deed], list[dict[str, Any]]]:
        """One deed a reader; who is at no desk is told back, and stops nobody else's."""
        m = secrets.token_hex(8)
        deeds: list[Deed] = []
        refused: list[dict[str, Any]] = []
        for a in dict.fromkeys(asked.agents):
            try:
                station = self._seated(a)
            except Refused as refusal:
                if len(asked.agents) == 1:
                    raise
                refused.append({"a": a, "error": refusal.error})
                continue
            command: dict[str, Any] = {"m": m, "text": asked.text, "agent": a}
            if asked.sign:
                command["sign"] = 1
            sent = {"by": asked.by, "a": a, "m": m, "text": asked.text, "sign": asked.sign}
            deeds.append(
                Deed(
                    [
                        _acted(asked, "message", a=a, m=m, reason=asked.reason),
                        ("message.sent", sent),
                    ],
                    New(station.station, "text", command),
                )
            )
        if not deeds:
            raise Refused("nobody_there", "none of these agents is logged in")
        return deeds, refused

    def _presence(self, asked: ForcePresence) -> Deed:
        site = self._ingest.site
        allowed = [reason.code for reason in site.reasons] if site else []
        if asked.reason not in allowed:
            codes = ", ".join(allowed)
            raise Refused("no_such_reason", f"reasons are {codes}", 422, allowed=codes)
        station = self._reachable(asked.agent)
        fields = {"to": "not_ready", "reason": asked.reason, "agent": asked.agent}
        fields |= _signed(asked, asked.note)
        order = New(station.station, "presence", fields, life_ms=LIFE_MS)
        return Deed([_acted(asked, "presence", a=asked.agent, reason=asked.reason)], order)

    def _log_out(self, asked: LogOut) -> Deed:
        return self._close(asked, "logout", "supervisor", asked.reason)

    def _move(self, asked: Move) -> Deed:
        site = self._ingest.site
        seats = {one.seat: one.id for one in site.stations} if site else {}
        there = seats.get(asked.seat)
        if there is None:
            raise Refused("no_such_seat", f"no seat {asked.seat}", 422, seat=asked.seat)
        if there == self._seated(asked.agent).station:
            raise Refused("there_already", "she sits there", seat=asked.seat)
        if (other := self._ingest.station(there).state.session) is not None:
            raise Refused(
                "seat_taken", f"{other.agent} sits there", seat=asked.seat, a=other.agent
            )
        word = text("acting.go_to", language_of(site), seat=asked.seat)
        return self._close(asked, "move", "moved", f"{word}: {asked.reason}", seat=asked.seat)

    def _close(
        self, asked: LogOut | Move, action: str, reason: str, told: str, **more: Any
    ) -> Deed:
        station = self._reachable(asked.agent)
        fields = {"agent": asked.agent, "verdict": "close", "reason": reason}
        fields |= _signed(asked, told)
        order = New(station.station, "session", fields, life_ms=LIFE_MS)
        return Deed([_acted(asked, action, a=asked.agent, reason=asked.reason, **more)], order)

    def _end_wrapup(self, asked: EndWrapup) -> Deed:
        station = self._reachable(asked.agent)
        running = [one for one in station.state.open if one.phase == "wrapup"]
        if not running:
            raise Refused("no_wrapup", "she is in no wrap-up", a=asked.agent)
        c = running[0].contact
        fields = {"contact": c, **_signed(asked, None)}
        order = New(station.station, "wrapup", fields, life_ms=LIFE_MS)
        acted = _acted(asked, "wrapup_closed", a=asked.agent, c=c, reason=asked.reason)
        return Deed([acted], order)

    def _pin_reset(self, asked: ResetPin) -> Deed:
        """If she is logged in, she is told at once who did it."""
        site = self._ingest.site
        agent = next((one for one in site.agents if one.id == asked.agent), None) if site else None
        if site is None or agent is None:
            raise Refused("no_such_agent", f"no agent {asked.agent}", 404, a=asked.agent)
        if site.pin == "none" and not agent.code:
            raise Refused("no_pin", "nobody asks for her PIN here", a=asked.agent)
        try:
            station = self._seated(asked.agent)
        except Refused:
            return Deed([_acted(asked, "pin_reset", a=asked.agent, reason=asked.reason)])
        m = secrets.token_hex(8)
        told = text("acting.pin_was_reset", site.language, who=_shown_name(asked))
        acted = _acted(asked, "pin_reset", a=asked.agent, m=m, reason=asked.reason)
        sent = {"by": asked.by, "a": asked.agent, "m": m, "text": told, "sign": False}
        order = New(station.station, "text", {"m": m, "text": told, "agent": asked.agent})
        return Deed([acted, ("message.sent", sent)], order)

    def _help(self, asked: AnswerHelp) -> Deed:
        return self._answer(asked, "help", {"result": asked.result})

    def _fault(self, asked: AnswerFault) -> Deed:
        return self._answer(asked, "fault", {"cause": asked.cause})

    def _answer(
        self, asked: AnswerHelp | AnswerFault, kind: str, told: dict[str, str | None]
    ) -> Deed:
        """Of the ticket of the desk: a station knows its requests by their numbers."""
        ticket = self._ticket(asked, kind)
        fields = {"of": ticket.sequence, "state": asked.state, "by": _shown_name(asked)}
        fields |= {name: value for name, value in told.items() if value is not None}
        of = (ticket.station, ticket.epoch, ticket.sequence)
        code = next(iter(told.values()))
        acted = _acted(
            asked, kind, a=ticket.agent, c=ticket.contact, of=of, state=asked.state, reason=code
        )
        return Deed([acted], New(ticket.station, kind, fields))

    def _ticket(self, asked: AnswerHelp | AnswerFault, kind: str) -> Ticket:
        if asked.of is not None:
            stations = [self._ingest.stations.get(asked.of[0])]
        elif isinstance(asked, AnswerFault) and asked.station is not None:
            stations = [self._ingest.stations.get(asked.station)]
        else:
            stations = [self._seated(asked.agent or "")]
        for station in filter(None, stations):
            for ticket in reversed(station.state.tickets):
                here = ticket.kind == kind and ticket.outcome == "open"
                key = (ticket.station, ticket.epoch, ticket.sequence)
                whose = asked.agent is None or ticket.agent == asked.agent
                if here and whose and (asked.of is None or key == tuple(asked.of)):
                    check_ticket(asked, station, ticket)
                    return ticket
        raise Refused("no_such_ticket", f"no open {kind} there", 404)

    def _note(self, asked: Noted) -> Deed:
        self._check_agent(asked.agent)
        return Deed([_acted(asked, "note", a=asked.agent, c=asked.contact, kind=asked.kind)])

    def _acknowledge(self, asked: Acknowledge) -> Deed:
        acted = _acted(
            asked,
            "acknowledge",
            a=asked.agent,
            target=asked.station,
            rule=asked.rule,
            since=asked.since,
        )
        return Deed([acted])

    # -- where

    def _seated(self, a: str) -> Station:
        """The station where she is logged in. Raises Refused."""
        self._check_agent(a)
        for s in reversed(self._ingest.floor.seats(a)):
            station = self._ingest.station(s)
            if station.state.session is not None and station.state.session.agent == a:
                return station
        raise Refused("not_logged_in", f"{a} is logged in nowhere", a=a)

    def _reachable(self, a: str) -> Station:
        """The same, where it must answer now."""
        station = self._seated(a)
        if station.link == "lost":
            seat = self._ingest.floor.seat_name(station.station)
            raise Refused("link_lost", f"{seat} is not connected", seat=seat)
        return station

    def _check_agent(self, a: str) -> None:
        if a not in self._ingest.floor.agents():
            raise Refused("no_such_agent", f"no agent {a}", 404, a=a)

    def _check_mark(self, asked: Correct | Justify) -> None:
        self._check_agent(asked.agent)
        if isinstance(asked, Correct) and asked.time > self._ingest.clock.now_ms():
            raise Refused("not_yet", "the hour has not come yet", 422)
        if not asked.reason.strip():
            raise Refused("no_reason", "say why", 422)
        if asked.of is None:
            if isinstance(asked, Justify) and asked.day is None:
                raise Refused("no_day", "name the mark or the day", 422)
            return
        s, e, n = asked.of
        row = tables.marks.c
        its = (row.s == s) & (row.e == e) & (row.n == n)
        with self._reader.engine.connect() as tx:
            mark = tx.execute(select(row.a, row.badge, row.utc).where(its)).first()
            if mark is None:
                raise Refused("no_such_mark", "no such mark in the ledger", 404)
            whose = mark.a or Badges(tx).owner(mark.badge, mark.utc)
        if whose != asked.agent:
            raise Refused("not_her_mark", "the mark is of another agent, or of nobody yet", 422)


def _acted(asked: Asked, action: str, **more: Any) -> tuple[str, dict[str, Any]]:
    fields = {"by": asked.by, "who": asked.who or None, "action": action, "note": asked.note}
    return "supervision.acted", fields | more


def _shown_name(asked: Asked) -> str:
    return cut(asked.who or asked.by)


def _signed(asked: Asked, told: str | None) -> dict[str, str]:
    """Who it was, and what for, as the station shows it."""
    fields = {"who": _shown_name(asked)}
    return fields | {"note": cut(told)} if told else fields


def cut(words: str) -> str:
    """As much of it as a station shows; a quote takes two bytes there."""
    words = words.replace('"', "'").replace("\\", "/")
    return words.encode()[:_NAME_BYTES].decode(errors="ignore").strip()


_DEEDS: Mapping[type[Asked], Callable[[Acts, Any], Deed]] = {
    ForcePresence: Acts._presence,
    LogOut: Acts._log_out,
    Move: Acts._move,
    EndWrapup: Acts._end_wrapup,
    ResetPin: Acts._pin_reset,
    AnswerHelp: Acts._help,
    AnswerFault: Acts._fault,
    Noted: Acts._note,
    Acknowledge: Acts._acknowledge,
}


class Answers:
    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    def of(self, once: Once) -> dict[str, Any] | None:
        """Raises Refused where that name was another request's."""
        row = tables.answers.c
        mine = (row.id == once.id) & (row.utc > self._clock.now_ms() - RETENTION_MS)
        with self._reader.engine.connect() as tx:
            kept = tx.execute(select(row.request, row.sealed).where(mine)).first()
        if kept is None:
            return None
        try:
            answer = once.opened(kept.request, kept.sealed)
        except OtherRequest:
            raise Refused("key_used", "this key named another request", 422) from None
        return None if answer is None else msgspec.json.decode(answer, type=dict[str, Any])
