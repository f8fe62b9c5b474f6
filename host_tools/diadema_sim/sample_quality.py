"""The monitor's work of a demo's past: notices, a scorecard, weekly draws, and evaluations, of the
last draw of half. The hub's own desk does it, with its clock in that past, on a store on which no
hub runs; the recordings are two tones in turn.
"""

import hashlib
import math
import os
import random
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import msgspec
from diadema.access import Accounts
from diadema.access.book import random_password
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands
from diadema.hub.hearing import Hearing
from diadema.hub.help_desk import HelpDesk
from diadema.hub.own_journal import ME, OwnJournal, SupervisorAction
from diadema.hub.quality_desk import QualityDesk
from diadema.ingest.core import Ingest
from diadema.quality.pairs import OVER, seen_calls
from diadema.quality.periods import draw_ms, period_of
from diadema.quality.scoring import NOT_APPLICABLE, OPTIONS, has_error
from diadema.site.description import load
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.freezing import Freezable, fresh
from diadema.site.directory.kinds import KINDS, Body
from diadema.site.directory.quality_of import notice_bytes
from diadema.site.directory.scorecard_template import template
from diadema.site.directory.scorecards import Item, Scorecard
from diadema.site.directory.tables import NOTICE, SCORECARD, Frozen, frozen
from diadema.store import contact_rows, open_reader, open_writer, tables
from diadema.store.assistance import key_of
from diadema.store.quality import AssignedCall, assigned_calls, call_of, draws, notices
from diadema.store.rows import Contact
from sqlalchemy import func, insert, select

from diadema_sim import people
from diadema_sim import sample_assistance as assistance
from diadema_sim.sample_assistance import LEAD, MONITOR, OTHER_MONITOR

MONITORS = (MONITOR, OTHER_MONITOR)
FORM, PLAN = "atencion", "semanal"
RECORDED = 6  # calls of the last draw that have a recording, the shortest ones
_A_DAY = 6  # evaluations of one monitor
_NOTICES: tuple[Body, ...] = (
    {
        "code": "grabacion", "name": "Grabación de llamadas", "side": "caller",
        "text": "Su llamada se graba y puede ser escuchada para mejorar la atención.",
    },
    {
        "code": "escucha", "name": "Escucha de sus llamadas", "side": "agent",
        "text": "Sus llamadas se graban y algunas se escuchan para evaluar la calidad. "
        "En «Mi calidad» verá quién escuchó cuáles.",
    },
)  # fmt: skip
_PLAN: Body = {
    "code": PLAN, "name": "Muestra semanal", "scorecard": FORM, "period": "week", "per_agent": 2,
    "monitors": [one.account for one in MONITORS], "plan_days": 9, "twice_share": 20,
    "twice_least": 12, "least_talk_s": 30,
}  # fmt: skip
_ADVICE = {
    "informacion": "Dio el plazo de memoria; está en el instructivo.",
    "procedimiento": "Se saltó el segundo paso y tuvo que volver.",
    "identidad": "Dio el saldo antes de validar la identidad.",
}
_USUAL_ADVICE = "Dejó hablar poco a quien llamaba."
_RIGHT_CODE = 0.88  # of the calls: the agent's code is the right one
_TONES_HZ, _RATE, _TURN_S = (440, 330), 8000, 4
_MINUTE_MS = 60_000
_BEFORE_MS = 40 * 86_400_000


def changes() -> list[Change]:
    """What the directory has of it."""
    made = [_change("notices", row) for row in _NOTICES]
    return [*made, *template(FORM, "es"), _change("sample_plans", _PLAN)]


def publish(book: Directory, at_ms: int) -> None:
    """Freezes scorecard and notices, as publishing does, before that past."""
    kinds: tuple[tuple[Freezable, str], ...] = (("scorecards", SCORECARD), ("notices", NOTICE))
    for kind, prefix in kinds:
        for one in fresh(book, kind):
            row = Frozen(
                catalogue=prefix + one.code, version=one.version, at_ms=at_ms - _BEFORE_MS,
                by=LEAD.account, hash=one.hash, body=one.body,
            )  # fmt: skip
            with book.writing() as tx:
                tx.execute(insert(frozen), msgspec.structs.asdict(row))


def _change(kind: str, given: Body) -> Change:
    body = KINDS[kind].read(given)
    return Change(kind=kind, code=KINDS[kind].code(body), body=body)


class _Clock:
    def __init__(self) -> None:
        self.at_ms = 0

    def now_ms(self) -> int:
        return self.at_ms


def play(data: DataDir, zone: ZoneInfo, first: date, today: date, agents: Sequence[str]) -> None:
    """What was done from the first day until the midnight before today. Weeks that a cache brought
    drawn stay as they are.
    """
    with Room(data) as room:
        with room.reader.engine.connect() as tx:
            known = bool(notices(tx))
        if not known:
            room.inform(_ms(first, time(7), zone), agents)
        last = _last_drawn(today, zone)
        for n in range((today - first).days):
            day = first + timedelta(n)
            for moment in (time(0), time(3)):
                room.go_to(_ms(day, moment, zone))
            room.release(_ms(day, time(9, 30), zone))
            room.evaluate(_ms(day, time(10), zone), halves=day > last)


def record(data: DataDir, folder: Path) -> None:
    """The sound of some calls of the last draw, if there is one."""
    with Room(data) as room:
        room.record(folder)


def lines_for_another(data: DataDir) -> list[bytes]:
    """What the hub of that past has said, for one that lives now, which has no part in the period
    that runs: it makes its own commitment to it.
    """
    with open_reader(data.store) as reader:
        events = [one.event for one in reader.events_of(ME)]
        with reader.engine.connect() as tx:
            its = draws(tx)
    drawn = {one.planned.commitment for one in its if one.planned and one.drawn}
    wanted = [one for one in events if one.get("commit") in (None, *drawn)]
    numbers = {(one["e"], one["n"]): n for n, one in enumerate(wanted, 1)}

    def numbered(value: Any) -> Any:
        match value:
            case [str(s), int(e), int(n)] if s == ME:
                return [s, e, numbers[e, n]]
            case list():
                return [numbered(one) for one in value]
        return value

    return [
        msgspec.json.encode({key: numbered(its) for key, its in one.items()} | {"n": n})
        for n, one in enumerate(wanted, 1)
    ]


def _last_drawn(today: date, zone: ZoneInfo) -> date:
    """The day of the last draw before that midnight."""
    midnight = _ms(today, time(), zone)
    period = period_of("week", today, zone)
    while draw_ms(period, zone) >= midnight:
        start = datetime.fromtimestamp(period.start_ms / 1000, zone).date()
        period = period_of("week", start - timedelta(1), zone)
    return datetime.fromtimestamp(draw_ms(period, zone) / 1000, zone).date() - timedelta(1)


def _ms(day: date, at: time, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, at, zone).timestamp() * 1000)


class Room:
    """A hub's desk of quality on a store at rest."""

    def __init__(self, data: DataDir) -> None:
        self._data, self._clock = data, _Clock()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        data, stack = self._data, self._stack
        with closing(Accounts(data)) as accounts:
            assistance.hire(accounts, random_password())
        writer = stack.enter_context(closing(open_writer(data.store)))
        self.reader = stack.enter_context(open_reader(data.store))
        ingest = Ingest(writer, load(data.site), self._clock)
        commands = Commands(ingest, None)
        self._journal = OwnJournal(ingest, commands)
        self._help = stack.enter_context(closing(HelpDesk(ingest, commands, self.reader, data)))
        hearing = Hearing(ingest, self.reader, lambda: self._help.people, self._help.person)
        desk = QualityDesk(data, ingest, commands, self.reader, hearing)
        self._desk = stack.enter_context(closing(desk))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def inform(self, at_ms: int, agents: Sequence[str]) -> None:
        """Publish the notices and the scorecard, and have the agents sign."""
        self._clock.at_ms = at_ms
        zone = ZoneInfo(load(self._data.site).zone)
        day = datetime.fromtimestamp(at_ms / 1000, zone).date()
        by = {"by": LEAD.account}
        for row in _NOTICES:
            body = KINDS["notices"].read(row)
            digest = hashlib.sha256(notice_bytes(body)).hexdigest()
            said = {"notice": row["code"], "side": row["side"], "version": 1, "hash": digest}
            self._say("notice.published", **by, **said)
        with Directory(self._data.directory) as book:
            for one in book.frozen(SCORECARD):
                said = {"catalogue": one.catalogue, "version": one.version, "hash": one.hash}
                self._say("catalogue.published", **by, **said)
        for number, agent in enumerate(agents, 1):
            paper = {"notice": "escucha", "a": agent, "how": "paper", "date": day.isoformat()}
            self._say("notice.signed", **by, **paper, document=f"RH-{number:03}")

    def _say(self, kind: str, **fields: object) -> tuple[str, int, int]:
        done = self._journal.record([SupervisorAction([(kind, dict(fields))])])
        return done.of[0]

    def go_to(self, at_ms: int) -> None:
        """What the clock has to say by then."""
        self._clock.at_ms = at_ms
        self._help.read()
        self._desk.draws.forget()
        while self._desk.look() is not None or self._desk.draws.is_busy:
            self._desk.draws.wait(60)

    def evaluate(self, at_ms: int, *, halves: bool) -> None:
        """A morning of the monitors', then of the coordinator's. `halves`: of what is left they do
        half, and nothing is decided.
        """
        for monitor in MONITORS:
            with self.reader.engine.connect() as tx:
                waiting = assigned_calls(tx, assignee=monitor.account, waiting=True)
                contacts = contact_rows.of_keys(tx, [call_of(one.assignment) for one in waiting])
            due = [one for one in waiting if one.assignment.utc <= at_ms < one.assignment.due_utc]
            if halves:
                due = [one for one in due if one.assignment.sequence // 2 % 2]
            at = at_ms
            for one in due[:_A_DAY]:
                at = self._evaluated(one, contacts[call_of(one.assignment)], at)
        if not halves:
            self._decide(at_ms + 5 * 3_600_000)

    def _evaluated(self, one: AssignedCall, call: Contact, at_ms: int) -> int:
        """Heard, then handed in; when that is done."""
        row, chance = one.assignment, _chance(one)
        length_ms = max((call.end_utc or 0) - (call.answered_utc or 0), 1000)
        heard_ms = int(length_ms * chance.uniform(0.85, 1.25))
        self._clock.at_ms = at_ms
        started = self._say(
            "listening.started", by=row.assignee, listening=f"{chance.getrandbits(48):012x}",
            a=row.agent, call=call_of(row), source="recording", purpose="evaluation",
            via="browser", announced=False,
        )  # fmt: skip
        self._clock.at_ms = at_ms + heard_ms
        self._say(
            "listening.ended", by=row.assignee, of=started, heard_ms=heard_ms, cause="submitted"
        )
        form = self._help.people.scorecard(row.form, row.version)
        assert form is not None
        answers = _answers(form, one, self._help.people.teams_of(row.agent))
        self._clock.at_ms += 2 * _MINUTE_MS
        self._desk.act(
            {
                "action": "evaluation_submitted", "by": row.assignee, "of": key_of(row),
                "answers": answers, "right_code": _right_code(call, chance),
                "notes": list(_notes(form, answers, length_ms)),
            }
        )  # fmt: skip
        return self._clock.at_ms + 3 * _MINUTE_MS

    def _decide(self, at_ms: int) -> None:
        """What two see otherwise, but for the newest one, which waits."""
        self._clock.at_ms = at_ms
        with self.reader.engine.connect() as tx:
            its = seen_calls(tx, self._help.people, at_ms)
        differ = [(one, one.first_said, one.second_said) for one in its if one.state == "differs"]
        for seen, first, second in differ[:-1]:
            assert first is not None and second is not None
            if max(first.submitted.utc, second.submitted.utc) > at_ms:
                continue
            stands = first.submitted.answers if seen.call[2] % 3 else second.submitted.answers
            self._desk.act(
                {
                    "action": "evaluation_revised", "by": LEAD.account,
                    "of": key_of(first.submitted), "answers": stands, "cause": "pair",
                    "reason": "Lo que se oye en la grabación",
                }
            )  # fmt: skip

    def release(self, at_ms: int) -> None:
        """To agents whose shift began since."""
        self._clock.at_ms = at_ms
        row = tables.sessions.c
        with self.reader.engine.connect() as tx:
            for seen in seen_calls(tx, self._help.people, at_ms):
                stands = seen.stands
                if seen.state not in OVER or stands is None or stands.released_utc is not None:
                    continue
                its = row.a == seen.first.assignment.agent, row.open_utc < at_ms
                newest = tx.execute(select(func.max(row.open_utc)).where(*its)).scalar()
                if newest is not None and newest > (seen.ready_utc or at_ms):
                    self._say("evaluation.released", by="rule:sample", of=key_of(stands.submitted))

    def record(self, folder: Path) -> None:
        """Files as the switch would leave them, of some calls of the last draw."""
        with self.reader.engine.connect() as tx:
            given = [one for one in assigned_calls(tx) if one.assignment.draw is not None]
            if not given:
                return
            newest = [
                call_of(one.assignment)
                for one in given
                if one.assignment.draw == given[-1].assignment.draw
            ]
            calls = contact_rows.of_keys(tx, newest).values()
        zone = ZoneInfo(load(self._data.site).zone)
        folder.mkdir(exist_ok=True)
        for call in sorted(calls, key=lambda one: one.talk_ms)[:RECORDED]:
            assert call.answered_utc is not None and call.end_utc is not None
            at = datetime.fromtimestamp(call.answered_utc / 1000, zone)
            path = folder / f"entrante-{at:%Y%m%d-%H%M%S}-{call.pbx}.wav"
            _write_tones(path, call.end_utc - call.answered_utc)
            os.utime(path, ns=(call.end_utc * 1_000_000,) * 2)


def _write_tones(path: Path, ms: int) -> None:
    """One side, then the other, as two people who take turns."""
    sides = [_tone(hz) for hz in _TONES_HZ]
    turns = -(-ms // (1000 * _TURN_S))
    sound = b"".join(sides[n % 2] for n in range(turns))[: ms * _RATE // 1000]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(_RATE)
        file.writeframes(sound)


def _tone(hz: int) -> bytes:
    """A turn of it, with a pause at its end."""
    spoken = range(_TURN_S * _RATE * 3 // 4)
    loud = bytes(round(128 + 40 * math.sin(2 * math.pi * hz * at / _RATE)) for at in spoken)
    return loud + bytes([128]) * (_TURN_S * _RATE - len(loud))


def _chance(one: AssignedCall) -> random.Random:
    return random.Random(f"{call_of(one.assignment)} {one.assignment.assignee}")


def _answers(form: Scorecard, one: AssignedCall, teams: Sequence[str]) -> str:
    """What two hear of one call is mostly the same."""
    row = one.assignment
    call, own = random.Random(f"{call_of(row)}"), _chance(one)
    skill = 0.8 + random.Random(row.agent).random() * 0.18
    return "".join(_answer(item, call, own, skill) for item in form.items)


def _answer(item: Item, call: random.Random, own: random.Random, skill: float) -> str:
    options = OPTIONS[item.scale]
    drawn, applies = call.random(), call.random()
    if own.random() < 0.07:  # heard otherwise
        drawn = own.random()
    if item.na and applies < 0.15:
        return NOT_APPLICABLE
    return options[-1] if drawn < skill else options[-2]


def _notes(form: Scorecard, answers: str, length_ms: int) -> Iterator[Body]:
    """Where the form wants one."""
    for number, (item, answer) in enumerate(zip(form.items, answers, strict=True), 1):
        if item.comment == "below_full" and has_error(item, answer):
            yield {
                "item": item.code, "about": "improve", "from_ms": length_ms * number // 20,
                "text": _ADVICE.get(item.code, _USUAL_ADVICE),
            }  # fmt: skip


def _right_code(call: Contact, chance: random.Random) -> str:
    codes = sorted({code for its in people.LIMA_CODES.values() for code in its})
    if call.code in codes and chance.random() < _RIGHT_CODE:
        return str(call.code)
    return chance.choice(codes)
