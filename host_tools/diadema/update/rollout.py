"""A roll-out in stages: which stations take a program when, and when it stops. The rules alone:
facts and answers come in, and what is to be begun comes out.

A stage begins when every station of the one before is good, or has failed while fewer have failed
than end it, and none of them has had a new fault for a while.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct, field

from diadema.store.update_rows import Seat, Step
from diadema.update.errors import UpdateError

SILENT_MS = 10 * 60_000  # after a restart into the new program, or while parts are sent
_STAGE = re.compile(r"(\d{1,5})(%?)\Z")


class Plan(Struct, kw_only=True, frozen=True):
    """`stages`: how many stations in all have it after each: «2», «25%», «all». `only`: no others
    than these, if any are named.
    """

    sha256: str
    board: str
    version: str
    what: str | None = None  # of the program, or micropython
    stages: list[str]
    stop_after: int = 1
    quiet_ms: int = 0
    only: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.stages or not all(_right(stage) for stage in self.stages):
            raise ValueError("a stage is a number of stations, a share as 25%, or all")
        if self.stop_after < 1:
            raise ValueError("it stops after one failure or more")


class Fact(NamedTuple):
    """What is known of a station now. `idle`: there, and nobody is logged in or in a call. `e`,
    `n`: the last event that is stored of it.
    """

    s: str
    board: str
    version: str
    up: bool
    idle: bool
    fault: str | None = None
    fault_utc: int | None = None
    e: int | None = None
    n: int = 0
    micropython: str = ""

    def has(self, plan: "Plan") -> bool:
        return (self.micropython if plan.what else self.version) == plan.version


class Rollout(Struct, kw_only=True):
    """`stage`: the one that runs, from 0 on, −1 before the first. `why` it stopped, or what it
    waits for: a word, and the station that it is about.
    """

    number: int
    plan: Plan
    began_utc: int
    status: Literal["running", "stopped", "done"] = "running"
    stage: int = -1
    why: str | None = None
    at: str | None = None
    detail: str | None = None
    seats: dict[str, Seat] = field(default_factory=dict)

    @property
    def failed(self) -> list[Seat]:
        return [seat for seat in self.seats.values() if seat.phase == "failed"]

    def step(self, facts: Mapping[str, Fact], now: int) -> list[Seat]:
        """Go on as far as one can; the seats that changed."""
        if self.status != "running":
            return []
        changed = self._gone(facts, now) + self._silent(now)
        self._say(None)
        if len(self.failed) >= self.plan.stop_after:
            self._stop(sorted(self.failed, key=lambda seat: seat.utc)[-1])
            return changed
        if self.stage >= 0:
            changed += self._fill(facts, now)  # in the place of those that left it
            if not self._over(facts, now):
                return changed
        while self.stage + 1 < len(self.plan.stages):
            self.stage += 1
            changed += self._fill(facts, now)
            if not self._over(facts, now):
                return changed
        self.status = "done"
        return changed

    def ready(self, facts: Mapping[str, Fact]) -> list[Seat]:
        """Where it can begin now."""
        if self.status != "running":
            return []
        waiting = (seat for seat in self.seats.values() if seat.phase == "waiting")
        return [seat for seat in waiting if seat.s in facts and facts[seat.s].idle]

    def take(self, step: Step, now: int) -> Seat | None:
        """What a station tells; the seat, when it is about this roll-out and changed."""
        seat = self.seats.get(step.s)
        if seat is None or seat.phase == "good":
            return None
        seat.e, seat.n = step.e, step.n
        mine = step.version in (None, self.plan.version)
        if step.phase == "receiving" and seat.phase == "sending" and step.next:
            seat.part = step.next
            seat.utc = now
        elif step.phase in ("verified", "restarting") and seat.phase in ("sending", "waiting"):
            if mine:  # told late it may be, by a station that we wait for again
                self._put(seat, "trial", now)
        elif step.phase == "refused" and seat.phase == "sending":
            if step.reason == "busy":
                self._put(seat, "waiting", now)
            else:
                self._put(seat, "failed", now, _why(step))
        elif step.phase == "rolled_back" and seat.phase == "trial" and mine:
            self._put(seat, "failed", now, f"rolled_back: {_why(step)}")
        elif step.phase == "good" and step.version == self.plan.version:
            self._put(seat, "good", now)
        else:
            return None
        return seat

    def sending(self, s: str, now: int) -> Seat:
        self._put(self.seats[s], "sending", now)
        return self.seats[s]

    def wait(self, s: str, now: int) -> Seat:
        """It went away, or somebody sat down: it goes on where it was."""
        self._put(self.seats[s], "waiting", now)
        return self.seats[s]

    def stop(self, why: str = "asked") -> None:
        """By a person's word, or another reason that is no station's."""
        if self.status == "running":
            self.status = "stopped"
            self._say(why)

    def resume(
        self, now: int, *, stop_after: int | None = None, retry: bool = False
    ) -> list[Seat]:
        """Go on; `retry`: where it failed too. Raises UpdateError when it would stop at once."""
        if self.status != "stopped":
            raise UpdateError(
                f"roll-out {self.number} is {self.status}: there is nothing to resume"
            )
        most = self.plan.stop_after if stop_after is None else stop_after
        failed = self.failed
        if not retry and len(failed) >= most:
            raise UpdateError(
                f"{len(failed)} stations have failed and it stops at {most}: try them again with "
                f"--retry, or go on without them with --stop-after {len(failed) + 1}"
            )
        if stop_after is not None:
            told: dict[str, Any] = {
                name: getattr(self.plan, name) for name in Plan.__struct_fields__
            }
            self.plan = Plan(**told | {"stop_after": stop_after})
        self.status = "running"
        self._say(None)
        if not retry:
            return []
        for seat in failed:
            self._put(seat, "waiting", now)
        return failed

    # -- inside

    def _fill(self, facts: Mapping[str, Fact], now: int) -> list[Seat]:
        """As many into the stage as it is to have."""
        left = self._left(facts)
        there = [seat for seat in self.seats.values() if seat.phase != "gone"]
        goal = self._goal(self.plan.stages[self.stage], len(there) + len(left))
        chosen = [
            Seat(number=self.number, s=fact.s, stage=self.stage, utc=now, e=fact.e, n=fact.n)
            for fact in left[: max(goal - len(there), 0)]
        ]
        self.seats |= {seat.s: seat for seat in chosen}
        return chosen

    def _left(self, facts: Mapping[str, Fact]) -> list[Fact]:
        """Who could have it and is not in it yet; first those where it could begin at once."""
        plan = self.plan
        found = [
            fact
            for fact in facts.values()
            if fact.board == plan.board and not fact.has(plan)
            if fact.s not in self.seats and (not plan.only or fact.s in plan.only)
        ]
        return sorted(found, key=lambda fact: (not fact.idle, not fact.up, fact.s))

    def _goal(self, stage: str, total: int) -> int:
        if stage == "all":
            return total
        number, percent = _STAGE.match(stage).groups()  # type: ignore[union-attr]
        return math.ceil(total * int(number) / 100) if percent else min(int(number), total)

    def _over(self, facts: Mapping[str, Fact], now: int) -> bool:
        """Whether the stage is; says what it waits for."""
        for seat in self.seats.values():
            if seat.phase not in ("good", "failed", "gone"):
                self._say("busy" if seat.phase == "waiting" else seat.phase, seat.s)
                return False
        if self.stage + 1 == len(self.plan.stages):
            return True
        for seat in self.seats.values():
            fact = facts.get(seat.s)
            if seat.phase != "good" or fact is None:
                continue
            if fact.fault_utc is not None and fact.fault_utc > seat.utc:
                self._say("fault", seat.s, fact.fault)
                return False
            if seat.utc + self.plan.quiet_ms > now:
                self._say("quiet", seat.s)
                return False
        return True

    def _gone(self, facts: Mapping[str, Fact], now: int) -> list[Seat]:
        """Who left the site is left out; who came back to it goes on."""
        changed = []
        for seat in self.seats.values():
            fact = facts.get(seat.s)
            if fact is None and seat.phase in ("waiting", "sending", "trial"):
                self._put(seat, "gone", now)
            elif fact is not None and seat.phase == "gone":
                self._put(seat, "good" if fact.has(self.plan) else "waiting", now)
            else:
                continue
            changed.append(seat)
        return changed

    def _silent(self, now: int) -> list[Seat]:
        late = [
            seat
            for seat in self.seats.values()
            if seat.phase in ("trial", "sending") and seat.utc + SILENT_MS <= now
        ]
        for seat in late:
            self._put(seat, "failed", now, "silent")
        return late

    def _stop(self, seat: Seat) -> None:
        self.status = "stopped"
        self._say("failures", seat.s, seat.reason)

    def _say(self, why: str | None, at: str | None = None, detail: str | None = None) -> None:
        self.why, self.at, self.detail = why, at, detail

    def _put(self, seat: Seat, phase: str, now: int, reason: str | None = None) -> None:
        seat.phase, seat.reason, seat.utc = phase, reason, now


def _right(stage: str) -> bool:
    found = _STAGE.match(stage)
    return stage == "all" or (found is not None and int(found[1]) > 0)


def _why(step: Step) -> str:
    return ": ".join(text for text in (step.reason, step.detail) if text)
