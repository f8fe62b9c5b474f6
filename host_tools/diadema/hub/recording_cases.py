"""What the quality lead opens to a case of human resources, and closes again: when it may be."""

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from diadema.access.roles import Person
from diadema.hub.own_journal import Refused
from diadema.quality.blind import hidden_in
from diadema.site.directory.people import People
from diadema.store.assistance import Key, key_of
from diadema.store.quality import RecordedCall, call_of, cases, evaluations
from diadema.store.rows import Contact
from diadema.wire.quality_actions import CloseCase, OpenCase

LONGEST_MS = 366 * 86_400_000  # that one is open

type Said = tuple[str, Mapping[str, Any]]  # an event: its kind and fields


def opened(
    tx: Connection,
    lead: Person,
    people: People,
    now_ms: int,
    request: OpenCase,
    contact: Contact,
    known: RecordedCall,
) -> Said:
    """The event of a call that is over. Raises Refused."""
    _check_seen(tx, lead, people, now_ms, request.call, contact.agent)
    number, reason = _written(request.number, "no_number"), _written(request.reason, "no_reason")
    if not now_ms < request.until <= now_ms + LONGEST_MS:
        raise Refused("bad_until", "until is past, or more than a year off", 422)
    if request.of is not None:
        _check_released(tx, request.of, request.call, contact.agent)
    elif known.recording is None or known.recording.kind != "linked":
        raise Refused("nothing_to_open", "neither a recording nor a released evaluation", 409)
    for one in cases(tx, calls=[request.call]):
        if one.opened.number == number and one.is_open(now_ms):
            raise Refused("open_already", f"the call is open to {number} already", 409)
    fields = {
        "case": secrets.token_hex(6), "a": contact.agent, "call": request.call,
        "number": number, "reason": reason, "until": request.until,
    }  # fmt: skip
    return "case.opened", fields | ({"of": request.of} if request.of is not None else {})


def closed(tx: Connection, lead: Person, people: People, now_ms: int, request: CloseCase) -> Said:
    """Raises Refused."""
    one = next((one for one in cases(tx) if key_of(one.opened) == request.of), None)
    if one is None:
        raise Refused("no_such_case", "no such case", 404)
    _check_seen(tx, lead, people, now_ms, one.call, one.opened.agent or "")
    if not one.is_open(now_ms):
        raise Refused("case_over", "it is closed already, or its end has come", 409)
    return "case.closed", {"of": request.of, "reason": _written(request.reason, "no_reason")}


def _check_seen(
    tx: Connection, lead: Person, people: People, now_ms: int, call: Key, agent: str
) -> None:
    """Whoever evaluates it blindly is not told that there is such a call. Raises Refused."""
    if call in hidden_in(tx, lead, now_ms):
        raise Refused("no_call", "no such call", 404)
    if not lead.sees(agent, people):
        raise Refused("other_team", "an agent of another team", 403)


def _check_released(tx: Connection, of: Key, call: Key, agent: str) -> None:
    """Raises Refused."""
    for one in evaluations(tx, agents=[agent]):
        is_its = key_of(one.submitted) == of and call_of(one.submitted) == call
        if is_its and one.released_utc is not None and one.annulled is None:
            return
    raise Refused("not_released", "no released evaluation of this call", 409)


def _written(text: str, word: str) -> str:
    """Raises Refused where there is nothing but spaces."""
    if not (said := text.strip()):
        raise Refused(word, "it has to be written", 422)
    return said
