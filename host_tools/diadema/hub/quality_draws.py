"""Samples by the clock: a plan's period is committed to when it begins, and drawn when it is over.

A draw takes seconds, in a thread; what it found is kept on the disk before the first event says of
it, so that a hub which was killed in the middle goes on where it was, and nothing is said twice.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.hub.own_journal import OwnJournal, Recorded, Refused, SupervisorAction
from diadema.hub.quality_drawn import (
    Writing,
    assigned_event,
    count_all,
    drawn_event,
    make_stored,
)
from diadema.hub.quality_refusals import check_said, refused
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Effects
from diadema.quality.commitments import prepare, secret_of
from diadema.quality.drawing import Wanted
from diadema.quality.kept_draws import StoredDraw, draw_id, stored_draw
from diadema.quality.periods import draw_ms, period_at, period_named, period_of
from diadema.quality.sample_plans import Plans, PlanVersion
from diadema.quality.sampling import check_over, commitment
from diadema.site.context import tz_of
from diadema.store import Reader
from diadema.store.assistance import key_of
from diadema.store.quality import Draw, assigned_calls, draws
from diadema.wire.quality_actions import AnnulSample, DrawSample

RULE = "rule:sample"  # no account is called so
AT_ONCE = 200  # events in one transaction
AGAIN_S = 600.0  # after which the clock tries again what could not be drawn or committed to
READ_S = 60.0  # in which what others said is read
LATE_EVERY_MS = 3_600_000  # in which it is looked whether contacts came after their draw
_LATE_MS = 35 * 86_400_000  # since its draw; after that nobody waits for a station
_RESUMED_MS = 90 * 86_400_000
_FAILED_S = 30.0  # in which whoever asked for it comes back for the reason
_NOTHING = Recorded([], [], [], Effects(), [])

log = logging.getLogger("diadema.ingest")


class _Job(Struct):
    """What the thread does: a draw for `by`, or without `wanted` the count of what came later."""

    future: "Future[StoredDraw] | Future[None]"
    by: str = RULE
    wanted: Wanted | None = None


class Draws:
    def __init__(
        self,
        data: DataDir,
        ingest: Ingest,
        journal: OwnJournal,
        reader: Reader,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data, self._ingest, self._journal, self._reader = data, ingest, journal, reader
        self._monotonic = monotonic
        self._plans = Plans(data)
        self._thread = ThreadPoolExecutor(1, "samples")
        self._job: _Job | None = None
        self._writing: Writing | None = None
        self._known: list[Draw] = []
        self._read_at: float | None = None
        self._resumed = False
        self._again: dict[str, float] = {}  # by draw or plan: when it is tried again
        self._failed: dict[str, tuple[str, float, DiademaError]] = {}  # by draw: for whom, when
        self._counted_ms = ingest.clock.now_ms()

    def close(self) -> None:
        """What it is at is kept, and goes on when a hub begins again."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    @property
    def is_busy(self) -> bool:
        return self._job is not None or self._writing is not None

    def wait(self, seconds: float) -> None:
        """Until the thread has done what it is at."""
        if self._job is not None:
            with suppress(DiademaError):  # `look` says it
                self._job.future.result(seconds)

    # -- by the clock

    def look(self) -> Recorded | None:
        """What is next. Raises StoreUnavailable or StoreStale; then nothing was said."""
        self._read()
        self._collect()
        if not self._resumed:
            self._resume()
        if self._writing is not None:
            try:
                return self._write(self._writing)
            except Refused as error:  # for ever: it is not to stop what else is due
                self._put_off(self._writing.stored.sample.draw, error)
                self._writing = None
        if (committed := self._commit()) is not None:
            return committed
        if self._job is None:
            self._begin_due()
        now_ms = self._now()
        if self._job is None and abs(now_ms - self._counted_ms) >= LATE_EVERY_MS:
            self._counted_ms = now_ms
            self._job = _Job(self._thread.submit(count_all, self._data, self._wanting_count()))
        return None

    def _read(self) -> None:
        now = self._monotonic()
        if self._read_at is None or now - self._read_at >= READ_S:
            with self._reader.engine.connect() as tx:
                self._known = draws(tx)
            self._read_at = now

    def _said(self, done: Recorded) -> Recorded:
        self._read_at = None
        return done

    def _commit(self) -> Recorded | None:
        """To the running period of a plan that has no commitment to it."""
        if self._ingest.site is None:
            return None
        now_ms, zone = self._now(), self._zone
        today = datetime.fromtimestamp(now_ms / 1000, zone).date()
        known = {
            (one.planned.plan, one.planned.start_utc, one.planned.end_utc)
            for one in self._known
            if one.planned is not None
        }
        for code, its in self._plans_now().items():
            period = period_of(its.plan.period, today, zone)
            word = f"{code} {period.word}"
            if (code, period.start_ms, period.end_ms) in known or self._waits(word):
                continue
            try:
                secret = prepare(self._data, code, period.word)
            except DiademaError as error:
                self._put_off(word, error)
                continue
            fields = {
                "by": RULE, "plan": code, "version": its.version, "start": period.start_ms,
                "end": period.end_ms, "commit": commitment(secret),
            }  # fmt: skip
            return self._said(
                self._journal.record([SupervisorAction([("sample.planned", fields)])])
            )
        return None

    def _begin_due(self) -> None:
        """The first draw that is due, in the thread."""
        now_ms = self._now()
        for one in self._known:
            if one.drawn is not None or one.annulled is not None or one.planned is None:
                continue
            wanted = self._wanted(one)
            if now_ms >= draw_ms(wanted.period, self._zone) and not self._waits(wanted.id):
                self._begin(wanted, RULE)
                return

    def _begin(self, wanted: Wanted, by: str) -> None:
        work = self._thread.submit(make_stored, self._data, wanted, self._now(), by == RULE)
        self._job = _Job(work, by, wanted)

    def _collect(self) -> None:
        job = self._job
        if job is None or not job.future.done():
            return
        self._job = None
        try:
            stored = job.future.result()
        except DiademaError as error:
            if job.wanted is not None and job.by != RULE:
                self._failed[job.wanted.id] = job.by, self._monotonic(), error
            else:
                self._put_off(job.wanted.id if job.wanted else "late", error)
            return
        if stored is not None and job.wanted is not None:
            planned = self._planned(job.wanted.commit)
            if planned is not None and planned.annulled is None:
                self._writing = self._left_of(stored, planned, job.by)

    def _write(self, writing: Writing) -> Recorded:
        """The next events of a draw."""
        stored, at = writing.stored, writing.at
        actions = [] if writing.said else [SupervisorAction([drawn_event(writing)])]
        end = at + AT_ONCE - len(actions)
        some = writing.calls[at:end]
        actions += [SupervisorAction([assigned_event(stored, writing.by, one)]) for one in some]
        done = self._journal.record(actions)
        writing.said, writing.at = True, end
        if end >= len(writing.calls):
            self._writing = None
        return self._said(done)

    def _resume(self) -> None:
        """A draw whose events a hub that was killed did not come to the end of. `_read` has
        everything that it said.
        """
        self._resumed = True
        since = self._now() - _RESUMED_MS
        for one in self._known:
            step = one.drawn
            if step is None or step.draw is None or one.annulled is not None or step.utc < since:
                continue
            try:
                stored = stored_draw(self._data, step.draw)
            except DiademaError as error:
                log.error("a draw cannot be gone on with: %s", error)
                continue
            if stored is None:
                continue
            writing = self._left_of(stored, one, step.by)
            if writing is not None and writing.calls:
                self._writing, self._resumed = writing, False
                return

    def _left_of(self, stored: StoredDraw, planned: Draw, by: str) -> Writing | None:
        """What of it is not said yet; None where that is nothing."""
        assert planned.planned is not None
        draw = stored.sample.draw
        with self._reader.engine.connect() as tx:
            said = bool(draws(tx, ids=[draw]))
            rows = [one.assignment for one in assigned_calls(tx, draws=[draw])]
        there = {
            (row.call_s, row.call_e, row.call_n, row.assignee) for row in rows if row.of_n is None
        }
        calls = [one for one in stored.calls if (*one.key, one.to) not in there]
        if said and not calls:
            return None
        return Writing(stored, key_of(planned.planned), by, said, calls)

    def _wanting_count(self) -> Sequence[Wanted]:
        """The periods whose draw may get later contacts, and had no other for them."""
        since = self._now() - _LATE_MS
        drawn: dict[str, int] = {}
        wanted: list[Wanted] = []
        for one in self._known:
            if one.drawn is None or one.planned is None or one.annulled is not None:
                continue
            commit = one.planned.commitment or ""
            drawn[commit] = drawn.get(commit, 0) + 1
            if one.drawn.utc >= since:
                wanted.append(self._wanted(one))
        return [one for one in wanted if drawn[one.commit] == 1]

    # -- asked

    def draw(self, request: DrawSample) -> tuple[dict[str, Any], Recorded]:
        """Begin it, or say how it goes: whoever asked asks again until it is refused as drawn
        before, which then is by them. Raises Refused or DiademaError.
        """
        self._read_at = None
        self._read()
        self._collect()
        period = period_named(request.period, self._zone)
        its = [
            one
            for one in self._known
            if one.planned is not None
            and one.planned.plan == request.plan
            and (one.planned.start_utc, one.planned.end_utc) == (period.start_ms, period.end_ms)
        ]
        values = {"plan": request.plan, "period": request.period}
        if not its or its[0].planned is None:
            if request.plan in self._plans_now():
                raise refused("not_committed", 409, **values)
            raise refused("no_plan", 404, plan=request.plan)
        wanted = self._wanted(its[0], late=request.late)
        self._check_failed(wanted, request.by)
        if its[0].annulled is not None:
            raise refused("sample_annulled", 409, **values)
        answer = {"of": key_of(its[0].planned), "draw": wanted.id, "drawing": True}
        if self._is_at(wanted, request.by):
            return answer, _NOTHING
        of_late = draw_id(wanted.commit, late=True)
        drawn = [one.drawn.draw for one in its if one.drawn is not None]
        before = [one for one in drawn if (one == of_late) == request.late]
        if before:
            raise refused("drawn_before", 409, draw=before[0], **values)
        if request.late and not drawn:
            raise refused("no_first", 409, **values)
        if (plan := self._plans_now().get(request.plan)) is not None:
            check_over(plan.plan, wanted.period, self._now())
        secret_of(self._data, request.plan, wanted.period.word, wanted.commit)
        self._begin(wanted, request.by)
        return answer, _NOTHING

    def _is_at(self, wanted: Wanted, by: str) -> bool:
        """Whether that is being drawn for them; raises Refused where it, or another, is for
        somebody else.
        """
        at = [(one.wanted.id, one.by) for one in (self._job,) if one and one.wanted]
        at += [(one.stored.sample.draw, one.by) for one in (self._writing,) if one]
        if (wanted.id, by) in at:
            return True
        if at or self._job is not None:
            raise refused("sample_drawing", 409, by=at[0][1] if at else RULE)
        return False

    def _check_failed(self, wanted: Wanted, by: str) -> None:
        """Raises what kept the draw from being made, for whoever asked for it, once."""
        now = self._monotonic()
        self._failed = {
            draw: its for draw, its in self._failed.items() if now - its[1] < _FAILED_S
        }
        found = self._failed.get(wanted.id)
        if found is not None and found[0] == by:
            del self._failed[wanted.id]
            raise found[2]

    def annul(self, request: AnnulSample) -> list[SupervisorAction]:
        """Raises Refused."""
        check_said(request.reason)
        self._read_at = None
        self._read()
        found = [
            (step, one)
            for one in self._known
            for step in (one.drawn, one.planned)
            if step is not None and key_of(step) == request.of
        ]
        if not found:
            raise refused("no_such_sample", 404)
        step, one = found[0]
        if one.annulled is not None:
            raise refused("annulled_before")
        if step.kind == "planned" and one.drawn is not None:
            raise refused("annul_the_draw", 409, draw=one.drawn.draw)
        at = [job.wanted.commit for job in (self._job,) if job and job.wanted]
        at += [writing.stored.sample.commit for writing in (self._writing,) if writing]
        if one.planned is not None and one.planned.commitment in at:
            raise refused("sample_drawing", 409, by=RULE)
        fields = {"by": request.by, "of": request.of, "reason": request.reason}
        return [SupervisorAction([("sample.annulled", fields)])]

    def forget(self) -> None:
        """Something was said of a sample: what is known of them is read again."""
        self._read_at = None

    # -- what is there

    def _wanted(self, one: Draw, *, late: bool = False) -> Wanted:
        step = one.planned
        assert step is not None
        period = period_at(step.start_utc or 0, step.end_utc or 0, self._zone, step.utc)
        return Wanted(
            plan=step.plan or "", version=step.version or 0, period=period,
            commit=step.commitment or "", late=late,
        )  # fmt: skip

    def _planned(self, commit: str) -> Draw | None:
        its = (one for one in self._known if one.planned and one.planned.commitment == commit)
        return next(its, None)

    def _plans_now(self) -> dict[str, PlanVersion]:
        try:
            return self._plans.now()
        except DiademaError as error:
            if not self._waits("directory"):
                self._put_off("directory", error)
            return {}

    def _waits(self, word: str) -> bool:
        return self._monotonic() < self._again.get(word, 0.0)

    def _put_off(self, word: str, error: DiademaError) -> None:
        log.error("a sample is put off (%s): %s", word, error)
        self._again[word] = self._monotonic() + AGAIN_S

    def _now(self) -> int:
        return self._ingest.clock.now_ms()

    @property
    def _zone(self) -> ZoneInfo:
        return tz_of(self._ingest.site)
