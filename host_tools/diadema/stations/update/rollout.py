"""A roll-out in stages: which stations take a program when, and when it stops. The rules alone:
facts and answers come in, and what is to be begun comes out.

A station that cannot have it, because it needs another image first or runs another build of
MicroPython, is passed over, which is no failure.

A stage begins when every station of the one before is good, or has failed while fewer have failed
than end it, and none of them has had a new fault for a while. What holds it for too long ends it,
so that a person is asked; when it goes on, it waits for those stations no more, or at its end.

A station that went back because its power went has not failed: it is offered the program again, as
often as a plug is pulled by hand. One that takes the power away each time has.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

from diadema.base.errors import UpdateError
from diadema.stations.boards.table import NEEDS_IMAGE
from diadema.stations.update.plan import RolloutPlan, StationFacts
from diadema.store.host_rows import Seat, Step
from diadema.words import Sentence

SILENT_MS = 10 * 60_000  # after a restart into the new program, or while parts are sent
_OUT = ("gone", "passed")  # phases of those that it is not for
_HOUR_MS = 60 * 60_000
_CUTS = 3  # trials that one station may lose so; a program has several starts in each
# for how long a station may hold a stage: without a link, as over a weekend; never free, as in a
# week of three shifts; with a fault since it is good
_HELD_MS = {"away": 72 * _HOUR_MS, "busy": 168 * _HOUR_MS, "fault": _HOUR_MS}


class Rollout(Struct, kw_only=True):
    """`stage`: the one that runs, from 0 on, −1 before the first. `why` it stopped, or what it
    waits for: a word, and the station that it is about. `held`: since when stations hold the
    stage, by why; it is not kept, and counts anew after a restart. `cuts`: by station, trials that
    lost their power.
    """

    number: int
    plan: RolloutPlan
    began_utc: int
    status: Literal["running", "stopped", "done"] = "running"
    stage: int = -1
    why: str | None = None
    at: str | None = None
    detail: str | None = None
    seats: dict[str, Seat] = field(default_factory=dict)
    held: dict[str, dict[str, int]] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> list[Seat]:
        return [seat for seat in self.seats.values() if seat.phase == "failed"]

    def step(self, facts: Mapping[str, StationFacts], now: int) -> list[Seat]:
        """Go on as far as one can; the seats that changed."""
        if self.status != "running":
            return []
        changed = self._gone(facts, now) + self._pass_over(facts, now) + self._silent(now)
        self._say(None)
        if len(self.failed) >= self.plan.stop_after:
            last = sorted(self.failed, key=lambda seat: seat.utc)[-1]
            self._stop("failures", last.station, last.reason)
            return changed
        if too_long := self._held_too_long(facts, now):
            return changed + too_long
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

    def ready(self, facts: Mapping[str, StationFacts]) -> list[Seat]:
        """The seats where the update can begin now."""
        if self.status != "running":
            return []
        waiting = (seat for seat in self._begun() if seat.phase == "waiting")
        return [seat for seat in waiting if seat.station in facts and facts[seat.station].idle]

    def take(self, step: Step, now: int) -> Seat | None:
        """Takes in what a station reports; gives the seat, when that is of this roll-out and
        changed it.
        """
        seat = self.seats.get(step.station)
        if seat is None or seat.phase == "good":
            return None
        seat.epoch, seat.sequence = step.epoch, step.sequence
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
            if step.reason in NEEDS_IMAGE:
                self._put(seat, "passed", now, step.reason)
            else:
                self._rolled_back(seat, step, now)
        elif step.phase == "good" and step.version == self.plan.version:
            self._put(seat, "good", now)
        else:
            return None
        return seat

    def sending(self, s: str, now: int) -> Seat:
        self._put(self.seats[s], "sending", now)
        return self.seats[s]

    def wait(self, s: str, now: int) -> Seat:
        """The station went away, or somebody sat down: the update goes on later where it was."""
        self._put(self.seats[s], "waiting", now)
        return self.seats[s]

    def stop(self, why: str = "asked") -> None:
        """Stops it at a person's request, or for another reason that is no station's."""
        if self.status == "running":
            self._stop(why)

    def resume(
        self, now: int, *, stop_after: int | None = None, retry: bool = False
    ) -> list[Seat]:
        """Go on; `retry`: where it failed too. Raises UpdateError when it would stop at once."""
        if self.status != "stopped":
            raise UpdateError(
                Sentence(
                    "errors.stations.roll_out_number_status_there",
                    number=self.number,
                    status=self.status,
                )
            )
        most = self.plan.stop_after if stop_after is None else stop_after
        failed = self.failed
        if not retry and len(failed) >= most:
            raise UpdateError(
                Sentence(
                    "errors.stations.count_stations_have_failed_stops",
                    count=len(failed),
                    most=most,
                    count2=len(failed) + 1,
                )
            )
        if stop_after is not None:
            fields: dict[str, Any] = {
                name: getattr(self.plan, name) for name in RolloutPlan.__struct_fields__
            }
            self.plan = RolloutPlan(**fields | {"stop_after": stop_after})
        self.status = "running"
        self.held = {}
        self._say(None)
        if not retry:
            return []
        for seat in failed:
            self._put(seat, "waiting", now)
        return failed

    # -- inside

    def _rolled_back(self, seat: Seat, step: Step, now: int) -> None:
        if step.reason == "power":
            self.cuts[seat.station] = self.cuts.get(seat.station, 0) + 1
            if self.cuts[seat.station] <= _CUTS:
                self._put(seat, "waiting", now, step.reason)
                return
        self._put(seat, "failed", now, f"rolled_back: {_why(step)}")

    def _fill(self, facts: Mapping[str, StationFacts], now: int) -> list[Seat]:
        """As many into the stage as it is to have."""
        left = self._left(facts)
        there = [seat for seat in self.seats.values() if seat.phase not in _OUT]
        goal = self.plan.goal(self.stage, len(there) + len(left))
        have = sum(seat.stage <= self.stage for seat in there)
        chosen = [
            Seat(
                number=self.number,
                station=fact.station,
                stage=self.stage,
                utc=now,
                epoch=fact.epoch,
                sequence=fact.sequence,
            )
            for fact in left[: max(goal - have, 0)]
        ]
        self.seats |= {seat.station: seat for seat in chosen}
        return chosen

    def _left(self, facts: Mapping[str, StationFacts]) -> list[StationFacts]:
        """Who could have it and is not in it yet; first those where it could begin at once."""
        found = [fact for fact in facts.values() if self._is_new(fact)]
        return sorted(found, key=lambda fact: (not fact.idle, not fact.up, fact.station))

    def _is_new(self, fact: StationFacts) -> bool:
        """Whether it could have it, and is not in it yet."""
        plan = self.plan
        meant_for_it = fact.board == plan.board and (not plan.only or fact.station in plan.only)
        return meant_for_it and not fact.has(plan) and fact.station not in self.seats

    def _over(self, facts: Mapping[str, StationFacts], now: int) -> bool:
        """Whether the stage is; says what it waits for."""
        for seat in self._begun():
            if seat.phase == "waiting":
                self._say("busy" if facts[seat.station].up else "away", seat.station)
                return False
            if seat.phase in ("sending", "trial"):
                self._say(seat.phase, seat.station)
                return False
        if self.stage + 1 == len(self.plan.stages):
            return True
        for seat in self.seats.values():
            if seat.phase != "good" or seat.station not in facts:
                continue
            if fault := self._fault(seat, facts):
                self._say("fault", seat.station, fault)
                return False
            if seat.utc + self.plan.quiet_ms > now:
                self._say("quiet", seat.station)
                return False
        return True

    def _begun(self) -> list[Seat]:
        """Of the stages so far."""
        return [seat for seat in self.seats.values() if seat.stage <= self.stage]

    def _fault(self, seat: Seat, facts: Mapping[str, StationFacts]) -> str | None:
        """A new one, since it is good."""
        fact = facts.get(seat.station)
        if seat.phase != "good" or fact is None or (fact.fault_utc or 0) <= seat.utc:
            return None
        return fact.fault

    def _held_too_long(self, facts: Mapping[str, StationFacts], now: int) -> list[Seat]:
        """Those for which it stops; after that they hold it no more."""
        found: dict[str, list[str]] = {why: [] for why in _HELD_MS}
        last = len(self.plan.stages) - 1
        for seat in self._begun():
            if seat.phase in ("waiting", "sending"):
                found["busy"].append(seat.station)
            if seat.phase == "waiting" and not facts[seat.station].up:
                found["away"].append(seat.station)
            if self.stage < last and self._fault(seat, facts):
                found["fault"].append(seat.station)
        for why, limit in _HELD_MS.items():
            since = self.held.get(why, {})
            self.held[why] = {s: since.get(s, now) for s in found[why]}
            late = [self.seats[s] for s, utc in self.held[why].items() if utc + limit <= now]
            if not late:
                continue
            self._stop(why, late[0].station, self._fault(late[0], facts))
            for seat in late:
                if seat.phase == "good":
                    seat.utc = now  # what was there before is no new fault
                else:
                    seat.stage = last
            return late
        return []

    def _gone(self, facts: Mapping[str, StationFacts], now: int) -> list[Seat]:
        """Who left the site is left out; who came back to it goes on."""
        changed = []
        for seat in self.seats.values():
            fact = facts.get(seat.station)
            if fact is None and seat.phase in ("waiting", "sending", "trial"):
                self._put(seat, "gone", now)
            elif fact is not None and seat.phase == "gone":
                self._put(seat, "good" if fact.has(self.plan) else "waiting", now)
            else:
                continue
            changed.append(seat)
        return changed

    def _pass_over(self, facts: Mapping[str, StationFacts], now: int) -> list[Seat]:
        """Who cannot have it; who has the right image since then is for the last stage, but for
        one that told of it in its trial: what it runs again may not know of PSRAM.
        """
        changed = []
        last = len(self.plan.stages) - 1
        for fact in facts.values():
            why, seat = fact.unfit(self.plan), self.seats.get(fact.station)
            if why and self._is_new(fact):
                seat = Seat(
                    number=self.number,
                    station=fact.station,
                    stage=last,
                    utc=now,
                    epoch=fact.epoch,
                    sequence=fact.sequence,
                )
                self.seats[fact.station] = seat
                self._put(seat, "passed", now, why)
            elif why and seat and seat.phase == "waiting":
                self._put(seat, "passed", now, why)
            elif (
                not why
                and seat
                and seat.phase == "passed"
                and (fact.psram or seat.reason not in NEEDS_IMAGE)
            ):
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

    def _stop(self, why: str, at: str | None = None, detail: str | None = None) -> None:
        self.status = "stopped"
        self._say(why, at, detail)

    def _say(self, why: str | None, at: str | None = None, detail: str | None = None) -> None:
        self.why, self.at, self.detail = why, at, detail

    def _put(self, seat: Seat, phase: str, now: int, reason: str | None = None) -> None:
        seat.phase, seat.reason, seat.utc = phase, reason, now


def _why(step: Step) -> str:
    return ": ".join(text for text in (step.reason, step.detail) if text)
