"""The rules of acting on agents and stations: what a supervisor may ask, of which station, and how
it is noted. The station itself lets a call and its wrap-up end first.

On whom an account may act: judged by the person on whom an act lands, whatever was asked.

What was answered to actions that name themselves: stored in one transaction with the action, so
that asked again, for a day, the hub says the same and does nothing.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from diadema.base.clock import Clock
from diadema.base.idempotency import RETENTION_MS, Once, OtherRequest
from diadema.hub.commanding import Commands, New, cut
from diadema.hub.help_desk import HelpDesk, contact_of
from diadema.hub.own_journal import OwnJournal, Recorded, Refused, Reply, SupervisorAction
from diadema.hub.pin_resets import PinResets
from diadema.ingest.core import Ingest
from diadema.site import pins
from diadema.store import Reader, tables
from diadema.store.attendance import Badges
from diadema.store.host_rows import Act
from diadema.store.loading import contact_of as stored_contact
from diadema.store.rows import Press
from diadema.store.station_state import Station
from diadema.wire.actions import (
    ANY_ACTION,
    ANY_RECORD,
    REPRIMAND,
    Acknowledge,
    ActionRequest,
    Annul,
    AnswerFault,
    AnswerHelp,
    AnswerReprimand,
    AssignHelp,
    Correct,
    EndWrapup,
    ForcePresence,
    Justify,
    LogOut,
    Move,
    Noted,
    NoteHelp,
    ResetPin,
    Schedules,
    SendMessage,
    SkipTest,
    alert_rule,
)
from diadema.wire.commands import ShowText
from diadema.wire.letters import from_columns
from diadema.wire.long_texts import parts_of
from diadema.words import text


def check_among(request: ActionRequest, ingest: Ingest) -> None:
    """Raises Refused. Whose a press is, it says itself (`check_press`)."""
    of_press = isinstance(request, AnswerFault | AnswerHelp | AssignHelp | NoteHelp)
    if request.among is None or of_press:
        return
    agents = (
        request.agents if isinstance(request, SendMessage) else [getattr(request, "agent", None)]
    )
    if isinstance(request, Acknowledge) and request.station is not None:
        station = ingest.stations.get(request.station)
        session = station.state.session if station else None
        agents = [session.agent if session else None]
    if not request.among.issuperset(agents):
        raise not_yours()


def check_press(request: ActionRequest, station: Station, press: Press) -> None:
    """That of the agent who called, or who sits there now. Raises Refused."""
    session = station.state.session
    theirs = {press.agent, session.agent if session else None}
    if request.among is not None and request.among.isdisjoint(theirs):
        raise not_yours()


def not_yours() -> Refused:
    return Refused("not_yours", "this account does not act on that agent", 403)


def seated(ingest: Ingest, agent: str) -> Station:
    """The station where that agent is logged in. Raises Refused."""
    for s in reversed(ingest.floor.seats(agent)):
        station = ingest.station(s)
        if station.state.session is not None and station.state.session.agent == agent:
            return station
    raise Refused("not_logged_in", f"{agent} is logged in nowhere", a=agent)


type Place = tuple[str, int, int]
LIFE_MS = 30_000  # a station answers at once, in a call too; what comes later may hit another


class Actions:
    def __init__(
        self,
        ingest: Ingest,
        commands: Commands,
        reader: Reader,
        pins: PinResets,
        help_desk: HelpDesk | None = None,
    ) -> None:
        self._ingest = ingest
        self._pins = pins
        self._help_desk = help_desk or HelpDesk(ingest, commands, reader)
        self._reader = reader
        self._journal = OwnJournal(ingest, commands)
        # what an answer to a report means for its ticket
        self.of_ticket: Callable[[AnswerFault, Press], Sequence[SupervisorAction]] = lambda *_: ()

    def act(
        self, body: dict[str, Any], once: Once | None = None
    ) -> tuple[dict[str, Any], Recorded]:
        """(answer, what follows); the answer is kept where the act names itself. Raises Refused,
        ValidationError, StoreUnavailable, StoreStale; then nothing was done.
        """
        request: ActionRequest = msgspec.convert(body, ANY_ACTION)
        check_among(request, self._ingest)
        refused: list[dict[str, Any]] = []
        more: dict[str, Any] = {}
        if isinstance(request, SendMessage):
            actions, refused = self._message(request)
        else:
            actions = [_ACTIONS[type(request)](self, request)]
        if isinstance(request, AnswerFault):
            actions += self.of_ticket(request, self._press(request, "fault", request.of))
        if isinstance(request, ResetPin):
            more["code"] = pins.random_pin()
            self._pins.prepare(request.agent, more["code"], self._journal.next_place())

        def answered(of: list[Place], numbers: list[int | None]) -> dict[str, Any]:
            answer: dict[str, Any] = {"of": of[0], "i": numbers[0], **more}
            if isinstance(request, SendMessage):
                answer["m"] = actions[0].events[0][1]["m"]
                answer["sent"] = [
                    {"a": action.events[0][1]["a"], "of": one, "i": i}
                    for action, one, i in zip(actions, of, numbers, strict=True)
                ]
                answer["refused"] = refused
            return answer

        done = self._journal.record(actions, Reply(once, answered) if once else None)
        about = (fields.get("of") for action in actions for _, fields in action.events)
        self._help_desk.heard(tuple(of) for of in about if of)
        if isinstance(request, ResetPin):
            self._pins.take()
        return answered(done.of, done.numbers), done

    def record(
        self, body: dict[str, Any], once: Once | None = None
    ) -> tuple[dict[str, Any], Recorded]:
        """The same for what is only noted."""
        request = msgspec.convert(body, ANY_RECORD)
        if isinstance(request, Correct | Justify):
            self._check_mark(request)
        each = request.each() if isinstance(request, Schedules) else [request]
        plain = [msgspec.to_builtins(one) for one in each]
        reply = Reply(once, lambda of, _: {"of": of[0]}) if once else None
        done = self._journal.record(
            [SupervisorAction([(one.pop("k"), one) for one in plain])], reply
        )
        return {"of": done.of[0]}, done

    # -- of each action

    def _message(
        self, request: SendMessage
    ) -> tuple[list[SupervisorAction], list[dict[str, Any]]]:
        """One action a reader; who is at no desk is told back, and stops nobody else's."""
        m = secrets.token_hex(8)
        actions: list[SupervisorAction] = []
        refused: list[dict[str, Any]] = []
        agents = request.agents if request.of is None else self._helped(request)
        if not agents:
            raise Refused("bad_request", "name the agents, or their request for help", 422)
        for a in dict.fromkeys(agents):
            try:
                station = self._seated(a)
            except Refused as refusal:
                if len(agents) == 1:
                    raise
                refused.append({"a": a, "error": refusal.error})
                continue
            command: dict[str, Any] = {"m": m, "text": request.text, "agent": a}
            if request.sign:
                command["sign"] = 1
            _check_shown(command)
            sent = {"by": request.by, "a": a, "m": m, "text": request.text, "sign": request.sign}
            actions.append(
                SupervisorAction(
                    [
                        _acted(request, "message", a=a, m=m, reason=request.reason, of=request.of),
                        ("message.sent", sent),
                    ],
                    New(station.station, "text", command),
                )
            )
        if not actions:
            raise Refused("nobody_there", "none of these agents is logged in")
        return actions, refused

    def _presence(self, request: ForcePresence) -> SupervisorAction:
        site = self._ingest.site
        allowed = [reason.code for reason in site.reasons] if site else []
        if request.reason not in allowed:
            codes = ", ".join(allowed)
            raise Refused("no_such_reason", f"reasons are {codes}", 422, allowed=codes)
        station = self._reachable(request.agent)
        fields = {"to": "not_ready", "reason": request.reason, "agent": request.agent}
        fields |= _signed(request, request.note)
        order = New(station.station, "presence", fields, life_ms=LIFE_MS)
        return SupervisorAction(
            [_acted(request, "presence", a=request.agent, reason=request.reason)], order
        )

    def _log_out(self, request: LogOut) -> SupervisorAction:
        return self._close(request, "logout", "supervisor", request.reason)

    def _move(self, request: Move) -> SupervisorAction:
        site = self._ingest.site
        seats = {one.seat: one.id for one in site.stations} if site else {}
        there = seats.get(request.seat)
        if there is None:
            raise Refused("no_such_seat", f"no seat {request.seat}", 422, seat=request.seat)
        if there == self._seated(request.agent).station:
            raise Refused("there_already", "she sits there", seat=request.seat)
        if (other := self._ingest.station(there).state.session) is not None:
            raise Refused(
                "seat_taken", f"{other.agent} sits there", seat=request.seat, a=other.agent
            )
        word = text("acting.go_to", self._language, seat=request.seat)
        return self._close(
            request, "move", "moved", f"{word}: {request.reason}", seat=request.seat
        )

    def _close(
        self, request: LogOut | Move, action: str, reason: str, shown: str, **more: Any
    ) -> SupervisorAction:
        station = self._reachable(request.agent)
        fields = {"agent": request.agent, "verdict": "close", "reason": reason}
        fields |= _signed(request, shown)
        order = New(station.station, "session", fields, life_ms=LIFE_MS)
        return SupervisorAction(
            [_acted(request, action, a=request.agent, reason=request.reason, **more)], order
        )

    def _end_wrapup(self, request: EndWrapup) -> SupervisorAction:
        station = self._reachable(request.agent)
        running = [one for one in station.state.open if one.phase == "wrapup"]
        if not running:
            raise Refused("no_wrapup", "she is in no wrap-up", a=request.agent)
        c = running[0].contact
        fields = {"contact": c, **_signed(request, None)}
        order = New(station.station, "wrapup", fields, life_ms=LIFE_MS)
        acted = _acted(request, "wrapup_closed", a=request.agent, c=c, reason=request.reason)
        return SupervisorAction([acted], order)

    def _skip_test(self, request: SkipTest) -> SupervisorAction:
        station = self._reachable(request.agent)
        fields = {"skip": 1, "agent": request.agent}
        order = New(station.station, "selftest", fields, life_ms=LIFE_MS)
        acted = _acted(request, "selftest_skipped", a=request.agent, reason=request.reason)
        return SupervisorAction([acted], order)

    def _pin_reset(self, request: ResetPin) -> SupervisorAction:
        """An agent who is logged in is told at once who did it."""
        site = self._ingest.site
        agent = (
            next((one for one in site.agents if one.id == request.agent), None) if site else None
        )
        if site is None or agent is None:
            raise Refused("no_such_agent", f"no agent {request.agent}", 404, a=request.agent)
        if site.pin == "none" and not agent.code:
            raise Refused("no_pin", "nobody asks for her PIN here", a=request.agent)
        shown = text("acting.pin_was_reset", site.language, who=_shown_name(request))
        fields = {"reason": request.reason}
        return self._with_message(request, "pin_reset", request.agent, shown, fields)

    def _with_message(
        self, request: ActionRequest, action: str, agent: str, shown: str, fields: dict[str, Any]
    ) -> SupervisorAction:
        """An act of which the agent is told at the own station, if logged in at one."""
        try:
            station = self._seated(agent)
        except Refused:
            return SupervisorAction([_acted(request, action, a=agent, **fields)])
        m = secrets.token_hex(8)
        acted = _acted(request, action, a=agent, m=m, **fields)
        sent = {"by": request.by, "a": agent, "m": m, "text": shown, "sign": False}
        order = New(station.station, "text", {"m": m, "text": shown, "agent": agent})
        return SupervisorAction([acted, ("message.sent", sent)], order)

    def _helped(self, request: SendMessage) -> list[str]:
        """Who is told something about the own request for help: that agent, and nobody else."""
        press = self._press(request, "help", request.of)
        self._help_desk.check(request.by, press)
        theirs = [press.agent] if press.agent is not None else []
        if request.agents not in ([], theirs):
            raise not_yours()
        return theirs

    def _help(self, request: AnswerHelp) -> SupervisorAction:
        desk = self._help_desk
        if request.state == "resolved" and request.result is not None and request.of is not None:
            press = self._pressed(request, request.of)
            if desk.check(request.by, press, noted=True).solver is not None:
                desk.check_result(request.result)  # said after it: the station needs no more
                return SupervisorAction([_answered(request, press, "help", request.result)])
        press = self._press(request, "help", request.of)
        case = desk.check(request.by, press)
        if request.state == "accepted":
            desk.check_free(request.by, case)
        desk.check_result(request.result)
        return self._answer(request, press, "help", {"result": request.result})

    def _assign(self, request: AssignHelp) -> SupervisorAction:
        press = self._press(request, "help", request.of)
        self._help_desk.check_assignee(request.to, self._help_desk.check(request.by, press))
        if not request.reason.strip():
            raise Refused("say_why", "say why", 422)
        fields = {"by": request.by, "of": request.of, "to": request.to, "reason": request.reason}
        return SupervisorAction([("help.assigned", fields)])

    def _note_help(self, request: NoteHelp) -> SupervisorAction:
        """What the playbook lacked is an event of its own: a text needs the room of the others."""
        press = self._pressed(request, request.of)
        self._help_desk.check(request.by, press, noted=True)
        common = {"by": request.by, "of": request.of}
        events: list[tuple[str, dict[str, Any]]] = []
        if request.gap is not None:
            playbook, version = request.playbook, request.version
            if playbook is None:
                playbook, version = self._playbook(press)
            gap = {"gap": request.gap, "playbook": playbook, "version": version}
            events.append(("help.noted", common | gap))
        if words := (request.text or "").strip():
            events += [("help.noted", common | part) for part in parts_of(words)]
        if not events:
            raise Refused("nothing_noted", "say what the playbook lacked, or what was learnt", 422)
        return SupervisorAction(events)

    def _pressed(self, request: ActionRequest, of: Place) -> Press:
        """A request for help that may be over. Raises Refused."""
        s, e, n = of
        station, row = self._ingest.stations.get(s), tables.presses.c
        known = station.state.presses if station else []
        found = [one for one in known if (one.kind, one.epoch, one.sequence) == ("help", e, n)]
        if not found:
            its = (row.s == s) & (row.e == e) & (row.n == n) & (row.kind == "help")
            with self._reader.engine.connect() as tx:
                rows = tx.execute(select(tables.presses).where(its)).all()
            found = [from_columns(Press, one._mapping) for one in rows]
        if station is None or not found:
            raise Refused("no_such_press", "no such request for help", 404)
        check_press(request, station, found[0])
        return found[0]

    def _playbook(self, press: Press) -> tuple[str | None, str | None]:
        """That of the call in which it came, and its version, where both are known."""
        if press.contact is None:
            return None, None
        contact = contact_of(self._ingest.station(press.station), press)
        if contact is None:
            with self._reader.engine.connect() as tx:
                of = press.station, press.epoch, press.sequence
                contact = stored_contact(tx, *of, press.contact)
        more = contact.more if contact is not None else None
        return (more.playbook, more.playbook_version) if more is not None else (None, None)

    def _fault(self, request: AnswerFault) -> SupervisorAction:
        press = self._press(request, "fault", request.of)
        return self._answer(request, press, "fault", {"cause": request.cause})

    def _answer(
        self,
        request: AnswerHelp | AnswerFault,
        press: Press,
        kind: str,
        detail: dict[str, str | None],
    ) -> SupervisorAction:
        """Of the press of the desk: a station knows its requests by their numbers."""
        fields = {"of": press.sequence, "state": request.state, "by": _shown_name(request)}
        fields |= {name: value for name, value in detail.items() if value is not None}
        acted = _answered(request, press, kind, next(iter(detail.values())))
        return SupervisorAction([acted], New(press.station, kind, fields))

    def _press(
        self,
        request: AnswerHelp | AnswerFault | AssignHelp | SendMessage,
        kind: str,
        of: Place | None,
    ) -> Press:
        """The open one; of the agent or the station, where it is not named. Raises Refused."""
        agent = request.agent if isinstance(request, AnswerHelp | AnswerFault) else None
        if of is not None:
            stations = [self._ingest.stations.get(of[0])]
        elif isinstance(request, AnswerFault) and request.station is not None:
            stations = [self._ingest.stations.get(request.station)]
        else:
            stations = [self._seated(agent or "")]
        for station in filter(None, stations):
            for press in reversed(station.state.presses):
                here = press.kind == kind and press.outcome == "open"
                key = (press.station, press.epoch, press.sequence)
                whose = agent is None or press.agent == agent
                if here and whose and (of is None or key == tuple(of)):
                    check_press(request, station, press)
                    return press
        raise Refused("no_such_press", f"no open {kind} there", 404)

    def _note(self, request: Noted) -> SupervisorAction:
        """Of a reprimand the station says that there is one, and not what for: others may look."""
        self._check_agent(request.agent)
        fields = {"c": request.contact, "kind": request.kind}
        if request.kind != REPRIMAND:
            return SupervisorAction([_acted(request, "note", a=request.agent, **fields)])
        if not (request.note or "").strip():
            raise Refused("no_note", "a reprimand says what for", 422)
        shown = text("acting.reprimanded", self._language)
        return self._with_message(request, "note", request.agent, shown, fields)

    def _annul(self, request: Annul) -> SupervisorAction:
        act = self._entry(request.of)
        if act.action != "note":
            raise Refused("stays_done", "only what was noted can be annulled", 422)
        if request.own and act.by != request.by:
            raise not_yours()
        if not request.reason.strip():
            raise Refused("say_why", "say why", 422)
        agent = act.agent or ""
        fields = {"of": request.of, "reason": request.reason, "kind": act.kind}
        if act.kind != REPRIMAND:
            return SupervisorAction([_acted(request, "annul", a=agent, **fields)])
        shown = text("acting.reprimand_annulled", self._language)
        return self._with_message(request, "annul", agent, shown, fields)

    def _reply(self, request: AnswerReprimand) -> SupervisorAction:
        act = self._entry(request.of, answered=True)
        if act.action != "note" or act.kind != REPRIMAND or act.agent != request.agent:
            raise Refused("no_such_act", "no reprimand of this agent", 404)
        if not (request.note or "").strip():
            raise Refused("no_reply", "say something", 422)
        return SupervisorAction(
            [_acted(request, "reply", a=act.agent, of=request.of, kind=act.kind)]
        )

    def _entry(self, of: Place, *, answered: bool = False) -> Act:
        """Of the register, not annulled; where it is to be `answered`, not answered. Raises
        Refused.
        """
        found = self._reader.act(*of)
        if found is None:
            raise Refused("no_such_act", "no such entry in the register", 404)
        if found.annulled is not None:
            raise Refused("annulled_already", "it was annulled before")
        if answered and found.reply is not None:
            raise Refused("answered_already", "it was answered before")
        return found.act

    @property
    def _language(self) -> str:
        return self._ingest.site.language if self._ingest.site else "es"

    def _acknowledge(self, request: Acknowledge) -> SupervisorAction:
        acted = _acted(
            request,
            "acknowledge",
            a=request.agent,
            target=request.station,
            rule=alert_rule(request.rule, request.queue),
            since=request.since,
        )
        return SupervisorAction([acted])

    # -- where

    def _seated(self, a: str) -> Station:
        """The station where the agent is logged in. Raises Refused."""
        self._check_agent(a)
        return seated(self._ingest, a)

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

    def _check_mark(self, request: Correct | Justify) -> None:
        self._check_agent(request.agent)
        if isinstance(request, Correct) and request.time > self._ingest.clock.now_ms():
            raise Refused("not_yet", "the hour has not come yet", 422)
        if not request.reason.strip():
            raise Refused("no_reason", "say why", 422)
        if request.of is None:
            if isinstance(request, Justify) and request.day is None:
                raise Refused("no_day", "name the mark or the day", 422)
            return
        s, e, n = request.of
        row = tables.marks.c
        its = (row.s == s) & (row.e == e) & (row.n == n)
        with self._reader.engine.connect() as tx:
            mark = tx.execute(select(row.a, row.badge, row.utc).where(its)).first()
            if mark is None:
                raise Refused("no_such_mark", "no such mark in the ledger", 404)
            whose = mark.a or Badges(tx).owner(mark.badge, mark.utc)
        if whose != request.agent:
            raise Refused("not_her_mark", "the mark is of another agent, or of nobody yet", 422)


def _acted(request: ActionRequest, action: str, **more: Any) -> tuple[str, dict[str, Any]]:
    fields = {"by": request.by, "who": request.who or None, "action": action, "note": request.note}
    return "supervision.acted", fields | more


def _answered(
    request: AnswerHelp | AnswerFault, press: Press, kind: str, code: str | None
) -> tuple[str, dict[str, Any]]:
    of = (press.station, press.epoch, press.sequence)
    its = {"a": press.agent, "c": press.contact, "of": of}
    return _acted(request, kind, **its, state=request.state, reason=code)


def _shown_name(request: ActionRequest) -> str:
    return cut(request.who or request.by)


def _signed(request: ActionRequest, shown: str | None) -> dict[str, str]:
    """Who it was, and what for, as the station shows it."""
    fields = {"who": _shown_name(request)}
    return fields | {"note": cut(shown)} if shown else fields


def _check_shown(text: dict[str, Any]) -> None:
    """Whether a station takes it: letters have up to four bytes. Raises Refused."""
    try:
        msgspec.convert(text, ShowText)
    except msgspec.ValidationError as error:
        raise Refused("text_size", str(error), 422) from error


_ACTIONS: Mapping[type[ActionRequest], Callable[[Actions, Any], SupervisorAction]] = {
    ForcePresence: Actions._presence,
    LogOut: Actions._log_out,
    Move: Actions._move,
    EndWrapup: Actions._end_wrapup,
    SkipTest: Actions._skip_test,
    ResetPin: Actions._pin_reset,
    AnswerHelp: Actions._help,
    AssignHelp: Actions._assign,
    NoteHelp: Actions._note_help,
    AnswerFault: Actions._fault,
    Noted: Actions._note,
    Annul: Actions._annul,
    AnswerReprimand: Actions._reply,
    Acknowledge: Actions._acknowledge,
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
            stored = tx.execute(select(row.request, row.sealed).where(mine)).first()
        if stored is None:
            return None
        try:
            answer = once.opened(stored.request, stored.sealed)
        except OtherRequest:
            raise Refused("key_used", "this key named another request", 422) from None
        return None if answer is None else msgspec.json.decode(answer, type=dict[str, Any])
