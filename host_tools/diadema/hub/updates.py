"""Brings programs to stations: keeps the bundles, sends their parts, and leads the roll-outs, as
the store has them. What stations answer comes with the events.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from diadema.base.errors import UpdateError
from diadema.base.paths import DataDir, write_whole
from diadema.hub.commanding import Commands, Frames, New
from diadema.ingest.core import Ingest
from diadema.stations.boards.table import NEEDS_IMAGE
from diadema.stations.update import bundle as bundles
from diadema.stations.update import keys
from diadema.stations.update.bundle import Bundle, BusyStations, Sending
from diadema.stations.update.plan import RolloutPlan, StationFacts, facts_of, steps_since
from diadema.stations.update.rollout import Rollout
from diadema.store import tables
from diadema.store.host_rows import Seat, Step
from diadema.store.station_state import Station
from diadema.wire.letters import from_columns
from diadema.words import Sentence

MOST_AT_ONCE = 8  # stations to which parts are on their way
_LIFE_MS = 60_000  # of the first part's command: after that it is begun again
_SHOWN = 20  # roll-outs that are told
_NAMED = 8  # stations, in a refusal
_encode = msgspec.json.encode


@dataclass
class _Way:
    """`b`: the boot that the station was in when it began."""

    number: int
    sending: Sending
    boot: int


class Updates:
    """`revoked`: whether a station's credential is."""

    def __init__(
        self, data: DataDir, ingest: Ingest, commands: Commands, revoked: Callable[[str], bool]
    ) -> None:
        self._data = data
        self._ingest = ingest
        self._commands = commands
        self._revoked = revoked
        self._bundles: dict[str, Bundle] = {}
        self._ways: dict[str, _Way] = {}
        self._rests = BusyStations()
        self.configures: Callable[[str], bool] = lambda _: True  # whether it can be, now
        # up to where stations are heard here; the ingest is ahead of it while it writes
        self._followed = {s: (one.hello.epoch, one.position) for s, one in ingest.stations.items()}
        self.rollouts: dict[int, Rollout] = {}
        with ingest.writer.transaction() as tx:
            for (body,) in tx.execute(select(tables.rollouts.c.body)):
                one = msgspec.json.decode(body, type=Rollout)
                self.rollouts[one.number] = one
            missed: list[Step] = []
            for row in tx.execute(select(tables.rollout_seats)):
                seat = from_columns(Seat, row._mapping)
                if seat.phase != "good":
                    missed += steps_since(tx, seat)
                if seat.phase == "sending":
                    seat.phase = "waiting"
                self.rollouts[seat.number].seats[seat.station] = seat
        self.heard(missed, {})  # stored by an ingest that ended before it could act on it

    # -- asked

    def add(self, data: bytes) -> Bundle:
        """Keep a bundle that stations here would take. Raises UpdateError."""
        found = bundles.read(data)
        if not self._data.update_key.exists():
            raise UpdateError(Sentence("errors.hub.no_key_signs_updates_here"))
        if not found.by(keys.load_public(self._data.update_key)):
            raise UpdateError(Sentence("errors.hub.another_key_signed_than_one"))
        if found.manifest.what and found.manifest.build is None:
            raise UpdateError(Sentence("errors.hub.does_not_say_which_build"))
        try:
            self._data.updates.mkdir(exist_ok=True)
            write_whole(self._file(found.sha256), found.data)
        except OSError as error:
            raise UpdateError(
                Sentence(
                    "errors.hub.cannot_keep_updates_error", updates=self._data.updates, error=error
                )
            ) from error
        self._bundles[found.sha256] = found
        return found

    def start(self, body: Mapping[str, Any]) -> Rollout:
        """Raises UpdateError or ValidationError."""
        found = self._bundle(str(body.get("sha256", "")))
        manifest = found.manifest
        named = {"board": manifest.board, "version": manifest.version, "what": manifest.what,
                 "build": manifest.build}  # fmt: skip
        plan = msgspec.convert({**body, **named, "only": self._named(body)}, RolloutPlan)
        self._none_runs(plan.board)
        facts = self._facts()
        now = self._ingest.clock.now_ms()
        number = max(self.rollouts, default=0) + 1
        rollout = Rollout(number=number, plan=plan, began_utc=now)
        seats = rollout.step(facts, now)
        if all(seat.phase == "passed" for seat in seats):
            raise UpdateError(
                Sentence(
                    "errors.hub.would_no_station_none_of",
                    none_of=self._none_of(plan, facts, seats),
                )
            )
        self._save(rollout, seats)
        self.rollouts[number] = rollout
        return rollout

    def stop(self, number: int) -> Rollout:
        """Nothing is begun any more, and parts on their way are the last; a station that has them
        all goes on by itself.
        """
        rollout = self.rollout(number)
        now = self._ingest.clock.now_ms()
        rollout.stop()
        ours = [s for s, way in self._ways.items() if way.number == number]
        self._save(rollout, [rollout.wait(s, now) for s in ours])
        for s in ours:
            del self._ways[s]
        return rollout

    def resume(self, number: int, stop_after: int | None, retry: bool) -> Rollout:
        rollout = self.rollout(number)
        if rollout.status == "stopped":
            self._none_runs(rollout.plan.board)
        now = self._ingest.clock.now_ms()
        self._save(rollout, rollout.resume(now, stop_after=stop_after, retry=retry))
        return rollout

    def rollout(self, number: int) -> Rollout:
        """Raises UpdateError."""
        if number not in self.rollouts:
            raise UpdateError(Sentence("errors.hub.there_no_roll_out_number", number=number))
        return self.rollouts[number]

    def summaries(self) -> list[dict[str, Any]]:
        """The newest roll-outs, as the web and the shell show them."""
        facts, name = self._facts(), self._ingest.floor.seat_name
        shown = []
        for number in sorted(self.rollouts)[-_SHOWN:]:
            one = self.rollouts[number]
            plain: dict[str, Any] = msgspec.to_builtins(one)
            del plain["held"]
            bundle = self._bundles.get(one.plan.sha256)
            plain["parts"] = bundle.parts if bundle else None
            plain["seats"] = [
                {**msgspec.to_builtins(seat), "seat": name(seat.station),
                 "up": seat.station in facts and facts[seat.station].up,
                 "idle": seat.station in facts and facts[seat.station].idle}
                for seat in one.seats.values()
            ]  # fmt: skip
            plain["seat"] = name(one.at) if one.at else None
            shown.append(plain)
        return shown

    # -- by itself

    def heard(self, steps: Iterable[Step], acks: Mapping[str, tuple[int, int]]) -> Frames:
        """What stations told of updates; the parts that they wait for. `acks`: up to where they
        are heard with it.
        """
        self._followed.update(acks)
        frames: Frames = []
        now = self._ingest.clock.now_ms()
        for step in steps:
            self._rests.heard(step.station, step.reason == "busy", time.monotonic())
            for rollout in self.rollouts.values():
                phase = (
                    rollout.seats[step.station].phase if step.station in rollout.seats else None
                )
                seat = rollout.take(step, now)
                if seat is not None and seat.phase != phase:
                    self._save(rollout, [seat])
            way = self._ways.get(step.station)
            if way is None:
                continue
            if step.phase == "receiving" and step.next and step.i == way.sending.i:
                frames += self._parts(step.station, way.sending.heard(step.next, time.monotonic()))
            elif step.phase != "receiving":
                del self._ways[step.station]
        return frames

    def tick(self) -> Frames:
        """Begin where one can, and send again what was not heard."""
        if not self.rollouts:
            return []
        facts, now, clock = self._facts(), self._ingest.clock.now_ms(), time.monotonic()
        frames: Frames = []
        for s, way in [*self._ways.items()]:
            fact = facts.get(s)
            anew = self._station(s).hello.boot != way.boot  # then it knows nothing of that command
            if fact is None or not fact.idle or anew:
                self._leave(s, now)
            else:
                frames += self._parts(s, way.sending.due(clock))
        for rollout in self.rollouts.values():
            if rollout.status != "running":
                continue
            before = (rollout.status, rollout.stage, rollout.why, rollout.at)
            seats = rollout.step(facts, now)
            if seats or before != (rollout.status, rollout.stage, rollout.why, rollout.at):
                self._save(rollout, seats)
            for seat in rollout.ready(facts):
                there = seat.station in self._ways or self._rests.rests(seat.station, clock)
                # a configuration first: it may bring the key by which an update is checked
                waits = self._commands.waits(seat.station, "config")
                there = there or (waits and self.configures(seat.station))
                if there or len(self._ways) >= MOST_AT_ONCE:
                    continue
                frames += self._begin(rollout, seat.station, now)
        for s in [s for s, way in self._ways.items() if self._over(s, way)]:
            del self._ways[s]
        return frames

    # -- inside

    def _none_runs(self, board: str) -> None:
        """Of two at once, each would bring back what the other took away. Raises UpdateError."""
        for one in self.rollouts.values():
            if one.plan.board == board and one.status == "running":
                raise UpdateError(
                    Sentence(
                        "errors.hub.roll_out_number_version_still",
                        number=one.number,
                        version=one.plan.version,
                        board=board,
                    )
                )

    def _none_of(
        self, plan: RolloutPlan, facts: Mapping[str, StationFacts], passed: Sequence[Seat]
    ) -> Sentence:
        """Why no station would take it: what those have that it could be for."""
        name = self._ingest.floor.seat_name
        if passed:
            return _listed([_passed(name(seat.station), seat, plan) for seat in passed[:_NAMED]])
        if plan.only:
            targets = [facts[s] for s in plan.only]
            return _listed(
                [
                    Sentence("errors.hub.has_it", name=name(one.station), board=one.board,
                             version=one.of(plan))
                    for one in targets
                ]
            )  # fmt: skip
        if any(fact.board == plan.board for fact in facts.values()):
            return Sentence("errors.hub.all_have", version=plan.version)
        return Sentence("errors.hub.none_with_board", board=plan.board)

    def _begin(self, rollout: Rollout, s: str, now: int) -> Frames:
        try:
            found = self._bundle(rollout.plan.sha256)
        except UpdateError:
            rollout.stop("no_bundle")
            self._save(rollout, [])
            return []
        i, frames = self._commands.order(New(s, "update", found.part(1), life_ms=_LIFE_MS))
        sending = Sending(found, i, time.monotonic())
        self._ways[s] = _Way(rollout.number, sending, self._station(s).hello.boot)
        self._save(rollout, [rollout.sending(s, now)])
        return frames + self._parts(s, sending.begin()[1:])

    def _parts(self, s: str, numbers: Iterable[int]) -> Frames:
        sending = self._ways[s].sending
        frames: Frames = []
        for number in numbers:
            body = _encode({"cmd": "update", "i": sending.i, **sending.bundle.part(number)})
            frames.append((s, body))
        return frames

    def _leave(self, s: str, now: int) -> None:
        way = self._ways.pop(s)
        rollout = self.rollouts[way.number]
        if rollout.seats[s].phase == "sending":
            self._save(rollout, [rollout.wait(s, now)])

    def _over(self, s: str, way: _Way) -> bool:
        return self.rollouts[way.number].seats[s].phase != "sending"

    def _named(self, body: Mapping[str, Any]) -> list[str]:
        """Station ids of the seats or stations that were named. Raises UpdateError."""
        site = self._ingest.site
        seats = {one.seat: one.id for one in site.stations} if site else {}
        found, facts = [], self._facts()
        for name in body.get("only") or []:
            s = seats.get(str(name), str(name))
            if s not in facts:
                raise UpdateError(Sentence("errors.hub.no_station_name_site_ever", name=name))
            found.append(s)
        return found

    def _bundle(self, digest: str) -> Bundle:
        """Raises UpdateError."""
        if digest not in self._bundles:
            if len(digest) != 64 or digest.strip("0123456789abcdef"):
                raise UpdateError(Sentence("errors.hub.bundle_named_its_sha_256"))
            try:
                self._bundles[digest] = bundles.read(self._file(digest).read_bytes())
            except OSError as error:
                raise UpdateError(
                    Sentence("errors.hub.bundle_digest_not_here_add", digest=digest[:16])
                ) from error
        return self._bundles[digest]

    def _file(self, digest: str) -> Path:
        return self._data.updates / f"{digest}.bundle"

    def _station(self, s: str) -> Station:
        return self._ingest.stations[s]

    def _facts(self) -> dict[str, StationFacts]:
        """Of the stations that are in force; others were here once, and take nothing."""
        site, known = self._ingest.site, self._ingest.stations
        names = [one.id for one in site.stations] if site else list(known)
        return {
            s: facts_of(known[s], self._followed.get(s, (-1, 0)))
            for s in names
            if s in known and s.startswith("DIA-") and not self._revoked(s)
        }

    def _save(self, rollout: Rollout, seats: Iterable[Seat]) -> None:
        body = msgspec.to_builtins(rollout) | {"seats": {}, "held": {}}
        with self._ingest.changing([]) as tx:
            put = self._ingest.writer.put
            put(tx, tables.rollouts, [(rollout.number, _encode(body))])
            put(tx, tables.rollout_seats, [msgspec.structs.astuple(seat) for seat in seats])


def _passed(name: str, seat: Seat, plan: RolloutPlan) -> Sentence:
    """Why it is passed over, and what to do."""
    if seat.reason in NEEDS_IMAGE:
        return Sentence("errors.hub.passed_image", name=name)
    runs = (seat.reason or "").partition(": ")[2]
    return Sentence("errors.hub.passed_build", name=name, runs=runs, build=plan.build)


def _listed(sentences: Sequence[Sentence]) -> Sentence:
    """As one, since it goes over a wire."""
    first, *others = sentences
    if not others:
        return first
    return Sentence("errors.hub.and_more", first=first, others=_listed(others))
