"""Calls that the coordinator assigns by a rule's list, and those that take the place of one which
cannot be evaluated.
"""

from typing import Any

from diadema.base.paths import DataDir
from diadema.hub.hearing import Hearing
from diadema.hub.own_journal import SupervisorAction
from diadema.hub.quality_refusals import NOT_YOURS, refused
from diadema.ingest.core import Ingest
from diadema.quality.hearing import Grounds, not_informed, published_of
from diadema.quality.kept_draws import frame_rows, short_stratum, stored_draw, strata_of
from diadema.quality.sampling import replacement
from diadema.quality.targeted import RULES
from diadema.site.context import tz_of
from diadema.store import Reader, contact_rows, tables
from diadema.store.assistance import Key, key_of
from diadema.store.quality import (
    AssignedCall,
    assigned_call,
    assigned_calls,
    call_of,
    draws,
    notices,
    signatures,
)
from diadema.store.rows import Contact
from diadema.wire.quality_actions import AssignCall, ReplaceCall


class Assigning:
    def __init__(self, data: DataDir, ingest: Ingest, reader: Reader, hearing: Hearing) -> None:
        self._data, self._ingest, self._reader, self._hearing = data, ingest, reader, hearing

    def assign(self, request: AssignCall) -> list[SupervisorAction]:
        """A call that a rule names, to one monitor. Raises Refused."""
        if request.why not in RULES:
            raise refused("no_such_rule", 422, rules=", ".join(RULES))
        contact = self.contact(request.call)
        if contact is None or contact.outcome != "answered":
            raise refused("no_such_call", 404)
        self._check_may(request.to, contact)
        people = self._hearing.people()
        form = people.scorecard(request.form)
        if form is None:
            raise refused("form_unpublished", 422, form=request.form)
        if request.due <= self._ingest.clock.now_ms():
            raise refused("due_before_now", 422)
        with self._reader.engine.connect() as tx:
            its = assigned_calls(tx, calls=[request.call])
        if any(one.is_waiting and one.assignment.assignee == request.to for one in its):
            raise refused("assigned_before", 409)
        fields = {
            "by": request.by, "a": contact.agent, "call": request.call, "to": request.to,
            "form": form.code, "version": form.version, "due": request.due, "reason": request.why,
        }  # fmt: skip
        return [SupervisorAction([("sample.assigned", fields)])]

    def replace(self, request: ReplaceCall) -> list[SupervisorAction]:
        """The next of the same order takes the place of a call, for all who were to evaluate it.
        Raises Refused or DiademaError.
        """
        with self._reader.engine.connect() as tx:
            one = assigned_call(tx, request.of)
            if one is None:
                raise refused("no_such_assignment", 404)
            row = one.assignment
            person = self._hearing.person(request.by)
            leads = person is not None and person.may("quality")
            if row.assignee != request.by and not leads:
                raise refused(NOT_YOURS, 403)
            if not one.is_waiting:
                raise refused("assignment_over")
            if row.draw is None:
                raise refused("not_of_a_draw")
            if row.due_utc <= self._ingest.clock.now_ms():
                raise refused("assignment_due")
            same = [
                other
                for other in assigned_calls(tx, draws=[row.draw], calls=[call_of(row)])
                if not other.replaced
            ]
            if any(other.submitted is not None for other in same):
                raise refused("not_replaceable")
            (draw,) = draws(tx, ids=[row.draw])
        events = self._replaced(request, row.draw, same, draw.drawn.secret if draw.drawn else None)
        return [SupervisorAction([event]) for event in events]

    def _replaced(
        self, request: ReplaceCall, draw: str, same: list[AssignedCall], secret: str | None
    ) -> list[tuple[str, dict[str, Any]]]:
        """For each who has it: the same next call."""
        row = same[0].assignment
        stored = stored_draw(self._data, draw)
        whole = [
            stratum
            for stratum in (strata_of(stored, row.agent) if stored else ())
            if short_stratum(stratum) == row.stratum
        ]
        if stored is None or not whole or not secret:
            raise refused("draw_not_kept")
        with self._reader.engine.connect() as tx:
            used = [
                one.assignment.rank or 0
                for one in assigned_calls(tx, draws=[draw], agent=row.agent)
                if one.assignment.stratum == row.stratum
            ]
        drawn = [
            one.rank for one in stored.listed if (one.agent, one.stratum) == (row.agent, whole[0])
        ]
        after = max([*used, *drawn])
        found = replacement(
            frame_rows(self._data, draw), bytes.fromhex(secret), row.agent, whole[0], after
        )
        if found is None:
            raise refused("nobody_left", 409, size=row.pool or 0)
        return [
            (
                "sample.assigned",
                {
                    "by": request.by, "a": row.agent, "draw": draw, "call": found.key,
                    "stratum": row.stratum, "rank": found.rank, "pool": row.pool,
                    "to": one.assignment.assignee, "form": row.form, "version": row.version,
                    "second": True if one.assignment.second else None,
                    "due": one.assignment.due_utc, "of": key_of(one.assignment),
                    "reason": request.why,
                },
            )
            for one in same
        ]  # fmt: skip

    def contact(self, key: Key) -> Contact | None:
        """One that is over."""
        row = tables.contacts.c
        with self._reader.engine.connect() as tx:
            its = (row.s == key[0]), (row.e == key[1]), (row.n == key[2])
            return next(contact_rows.ended(tx, *its), None)

    def _check_may(self, account: str, contact: Contact) -> None:
        """Raises Refused where that account may not evaluate that call, or nobody may hear it."""
        person = self._hearing.person(account)
        if person is None or not person.may("evaluate"):
            raise refused("no_monitor", 422, account=account)
        people = self._hearing.people()
        agent = contact.agent
        supervised = {*people.supervised.get(account, ())}
        is_barred = (
            agent in (person.id, person.agent)
            or (account, agent) in people.conflicts
            or bool(supervised.intersection(people.teams_of(agent)))
        )
        if is_barred:
            raise refused("monitor_barred", 409, account=account)
        with self._reader.engine.connect() as tx:
            grounds = Grounds(
                people=people, zone=tz_of(self._ingest.site),
                now_ms=self._ingest.clock.now_ms(), published=published_of(notices(tx)),
                signatures=signatures(tx, agent=agent),
            )  # fmt: skip
        if why := not_informed(contact, grounds):
            raise refused(f"hear.{why}", 409)
