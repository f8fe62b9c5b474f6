"""Who may hear a call, live or recorded: one decision for every way to its sound, and why not.

Whoever decides here has looked at the person, at the purpose, and at whether caller and agent were
informed when the call began. Nothing else may give any sound.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct

from diadema.site.directory.notices import Notice, Published, Side
from diadema.site.directory.people import People
from diadema.store.contact_rows import key_of
from diadema.store.quality import AssignedCall, OpenedCase, call_of
from diadema.store.quality_rows import Notice as PublishedNotice
from diadema.store.quality_rows import RecordingAct, Signature
from diadema.store.rows import Contact
from diadema.words import Sentence

DRAWN = "evaluation"  # the calls that were drawn, or chosen by a rule, for one's own evaluation
CASE = "case"  # what the lead opened to human resources
SUPERVISING = ("help", "complaint", "coaching", "onboarding")
LEADING = (*SUPERVISING, "calibration", "dispute", "drill")
AHEAD_MS = 600_000
_RANDOM = (DRAWN, "calibration", "dispute")
_DAY_MS = 86_400_000
_WITNESSES = 2

type Source = Literal["live", "recording"]
type Mode = Literal["silent", "whisper", "joined"]


class Listener(Protocol):
    """Who would hear it; `access.roles.Person` is one."""

    @property
    def id(self) -> str: ...

    @property
    def agent(self) -> str | None: ...

    def may(self, *rights: Literal["listen", "evaluate", "quality", "cases"]) -> bool: ...

    def sees(self, agent: str, people: People) -> bool: ...


class Wanted(Struct, frozen=True, kw_only=True):
    """`mode`: of live listening."""

    source: Source
    purpose: str
    mode: Mode = "silent"


class Permit(Struct, frozen=True):
    """`announced`: the station shows it while it lasts; else the agent reads it in the register
    when the call is over.
    """

    announced: bool


class Barred(Struct, frozen=True):
    """`reason`: as the register has it."""

    reason: str

    @property
    def said(self) -> Sentence:
        """Why not, and what to do."""
        return Sentence(f"errors.quality.hear.{self.reason}")


class Grounds(Struct, frozen=True, kw_only=True):
    """What is known of the call and its agent. `signatures`: the agent's; `acts`: on the
    recording; `assigned`: to whom the call was, if to anybody; `cases`: for which it was opened.
    """

    people: People
    zone: ZoneInfo
    now_ms: int
    published: Published
    signatures: Sequence[Signature] = ()
    acts: Sequence[RecordingAct] = ()
    assigned: Sequence[AssignedCall] = ()
    cases: Sequence[OpenedCase] = ()


def most_served_ms(elapsed_ms: int) -> int:
    """How much of a recording can be served at most to one who began so long ago: all of it at the
    greatest speed, and what a player holds in advance and looks for here and there.
    """
    return AHEAD_MS + 2 * elapsed_ms


def published_of(notices: Iterable[PublishedNotice]) -> Published:
    """Since when each text of a notice is published."""
    found: dict[tuple[str, str], int] = {}
    for one in notices:
        key = one.notice, one.hash
        found[key] = min(one.utc, found.get(key, one.utc))
    return found


def may_hear(who: Listener, call: Contact, wanted: Wanted, grounds: Grounds) -> Permit | Barred:
    """Whether this person may hear this call for that purpose, now."""
    mine = _mine(who, call, grounds)
    reason = (
        _of_person(who, call.agent, wanted, grounds.people)
        or (_of_assignment(mine, grounds.now_ms) if wanted.purpose == DRAWN else "")
        or ("no_case" if wanted.purpose == CASE and not _is_opened(call, grounds) else "")
        or not_informed(call, grounds)
        or (_of_form(mine, call, grounds) if wanted.purpose == DRAWN else "")
        or (_of_recording(call, grounds) if wanted.source == "recording" else "")
    )
    if reason:
        return Barred(reason)
    return Permit(wanted.source == "live" and is_announced(wanted, grounds.people))


def not_informed(call: Contact, grounds: Grounds) -> str:
    """Which of both was not informed when the call began, of whoever would hear it; empty: both
    were. A call of which the hour is not known was nobody's to inform.
    """
    if call.start_utc is None:
        return "no_hour"
    if not _in_force("caller", call, grounds):
        return "no_notice"
    return "" if _agent_knows(call, grounds) else "not_informed"


def _of_person(who: Listener, agent: str, wanted: Wanted, people: People) -> str:
    if not who.may("listen", "evaluate", "cases"):
        return "no_right"
    purposes = [DRAWN] if who.may("evaluate") else []
    if who.may("cases") and wanted.source == "recording":
        purposes.append(CASE)
    if who.may("listen"):
        purposes += LEADING if who.may("quality") else SUPERVISING
    if wanted.purpose not in purposes:
        return "purpose"
    if agent in (who.id, who.agent):
        return "oneself"
    if (who.id, agent) in people.conflicts:
        return "conflict"
    if wanted.purpose == DRAWN:
        supervised = people.supervised.get(who.id, ())
        return "own_team" if {*supervised}.intersection(people.teams_of(agent)) else ""
    if not who.sees(agent, people):
        return "other_team"
    silent = wanted.source == "recording" or wanted.mode == "silent"
    return "" if silent or wanted.purpose in SUPERVISING else "mode"


def _mine(who: Listener, call: Contact, grounds: Grounds) -> list[AssignedCall]:
    return [
        one
        for one in grounds.assigned
        if one.assignment.assignee == who.id and call_of(one.assignment) == key_of(call)
    ]


def _of_assignment(mine: Sequence[AssignedCall], now_ms: int) -> str:
    if not mine:
        return "not_assigned"
    waiting = [one for one in mine if one.is_waiting]
    if not waiting:
        return "assignment_over"
    return "" if any(now_ms < one.assignment.due_utc for one in waiting) else "assignment_due"


def _in_force(side: Side, call: Contact, grounds: Grounds) -> list[Notice]:
    """Of its queue or campaign, at each moment at which it may have begun."""
    people, campaign = grounds.people, (call.more.campaign if call.more else None) or ""
    found: list[list[Notice]] = []
    for utc_ms in _hours(call):
        queue = people.queue(call.queue, utc_ms) if call.queue else ""
        day = datetime.fromtimestamp(utc_ms / 1000, grounds.zone).date()
        found.append(
            [
                one
                for one in people.notices.in_force(utc_ms, day, grounds.published)
                if one.side == side and one.is_of(queue, campaign)
            ]
        )
    return [one for one in found[0] if all(one in those for those in found)]


def _hours(call: Contact) -> list[int]:
    """The first and the last at which it may have begun."""
    assert call.start_utc is not None
    doubt = call.uncertainty_ms or 0
    return [call.start_utc - doubt, call.start_utc + doubt] if doubt else [call.start_utc]


def _agent_knows(call: Contact, grounds: Grounds) -> bool:
    codes = {one.code for one in _in_force("agent", call, grounds)}
    first = _hours(call)[0]
    day = datetime.fromtimestamp(first / 1000, grounds.zone).date().isoformat()
    return any(
        one.agent == call.agent and one.notice in codes and informs(one, first, day)
        for one in grounds.signatures
    )


def informs(one: Signature, first_ms: int, day: str) -> bool:
    """Whether it was signed by then, or refused before witnesses."""
    if one.how == "badge":
        return one.utc <= first_ms
    if one.date is None or one.date > day:
        return False
    if one.how == "paper":
        return bool(one.document)
    witnesses = {name.strip() for name in (one.witnesses or "").split("\n")}
    return one.how == "refused" and len(witnesses - {""}) >= _WITNESSES


def _of_form(mine: Sequence[AssignedCall], call: Contact, grounds: Grounds) -> str:
    """Where the agent alone tells the caller, the form has to ask whether that was done."""
    if any(one.spoken == "recording" for one in _in_force("caller", call, grounds)):
        return ""
    for one in mine:
        form = grounds.people.scorecard(one.assignment.form, one.assignment.version)
        items = form.items if form else ()
        if any(item.checks == "recording_notice" and item.kind != "normal" for item in items):
            return ""
    return "form_without_notice"


def _of_recording(call: Contact, grounds: Grounds) -> str:
    if is_held(grounds.acts, grounds.now_ms) or _is_opened(call, grounds):
        return ""
    people, begun = grounds.people, call.start_utc or 0
    queue = people.queue(call.queue, begun) if call.queue else ""
    retention_ms = people.retention_days(queue) * _DAY_MS
    return "expired" if grounds.now_ms >= begun + retention_ms else ""


def _is_opened(call: Contact, grounds: Grounds) -> bool:
    return any(one.is_open(grounds.now_ms) and one.call == key_of(call) for one in grounds.cases)


def is_held(acts: Iterable[RecordingAct], now_ms: int) -> bool:
    """Whether a recording is kept beyond its time, by what was said of it last."""
    held = [one for one in acts if one.kind == "held"]
    return bool(held) and (held[-1].until_utc is None or now_ms < held[-1].until_utc)


def is_announced(wanted: Wanted, people: People) -> bool:
    """Whom the agent hears, the agent sees."""
    policy = people.announce_random if wanted.purpose in _RANDOM else people.announce
    return wanted.mode != "silent" or policy == "station"
