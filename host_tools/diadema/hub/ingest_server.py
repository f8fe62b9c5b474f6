"""The ingest's connections: the stream in; acknowledgements, commands and live rows out.

Everything runs in one task loop and the core is synchronous, so each batch and each command is
whole before the next begins. Nothing is acknowledged or shown before it is committed.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from diadema.base.clock import Clock
from diadema.base.credentials import (
    Secrets,
    change_gateway,
    gateway_password,
    is_gateway,
)
from diadema.base.errors import DiademaError
from diadema.base.idempotency import Once
from diadema.base.paths import DataDir
from diadema.hub.actions import Actions, Answers
from diadema.hub.admission import Admission, ViolationWatch
from diadema.hub.broker import fit_stream, is_ours
from diadema.hub.ca_change import CaChange
from diadema.hub.commanding import Commands, Delivery, Frames, New
from diadema.hub.connection import BUCKET, Meta, connect, open_bucket
from diadema.hub.enrolment import Enrolment, ProvisionWindows
from diadema.hub.fault_desk import FaultDesk
from diadema.hub.fault_mail import FaultMail
from diadema.hub.gap_mail import GapMail
from diadema.hub.hearing import Hearing
from diadema.hub.help_desk import HelpDesk
from diadema.hub.inspections import Inspections
from diadema.hub.link_log import LinkLog
from diadema.hub.listening import ListeningDesk
from diadema.hub.marks_board import MarksBoard
from diadema.hub.mosquitto import Mosquitto
from diadema.hub.nats_jwt import Issuer
from diadema.hub.notice_desk import NoticeDesk
from diadema.hub.outbox import EVERY_S, Outbox, Routes
from diadema.hub.own_journal import Recorded, Refused
from diadema.hub.pin_resets import PinResets
from diadema.hub.pipeline import Pipeline, StoreRetry
from diadema.hub.quality_desk import QualityDesk
from diadema.hub.recording_desk import RecordingDesk
from diadema.hub.records_keeper import RecordsKeeper
from diadema.hub.requests import Requests
from diadema.hub.session_checks import SessionChecks
from diadema.hub.site_keeper import SiteKeeper
from diadema.hub.stream import StreamBroken, open_stream
from diadema.hub.switching import Switching
from diadema.hub.system_account import BrokerWatch, disconnect
from diadema.hub.updates import Updates
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Effects, Message, subject_of
from diadema.ingest.proof import Proofs
from diadema.ingest.queues import QueueBoard
from diadema.site.station_keys import StationKeys
from diadema.store import StoreBehind, StoreStale, StoreUnavailable, open_reader
from diadema.wire.ask_hub import STREAM
from diadema.wire.switching import FEED, LISTEN, Listen

BEAT_S = 10.0  # of a word to each station; one that hears none for 30 s asks for it
CONFIRM_S = 15.0  # after the broker came back: a link without a greeting by then is lost
_RETRY_S = 0.2
_FAULTS_EVERY = round(1 / EVERY_S)  # ticks
_RULES_AT_ONCE = 20
_BRIDGE_S = 2.0  # in which it answers
_TROUBLE = (NatsError, OSError, TimeoutError, StreamBroken, StoreBehind)

log = logging.getLogger("diadema.ingest")


class Desk(Protocol):
    """What does the actions of one subject."""

    def act(
        self, body: Mapping[str, Any], once: Once | None = None
    ) -> tuple[dict[str, Any], Recorded]: ...


class IngestServer:
    def __init__(
        self,
        data: DataDir,
        url: str,
        secrets: Secrets,
        keys: StationKeys,
        ingest: Ingest,
        clock: Clock,
        *,
        require_proof: bool = False,
    ) -> None:
        self._url, self._password, self._system = url, secrets.host, secrets.system
        self._data, self._secrets = data, secrets
        self._keys = keys
        self.enrolment = Enrolment(ingest, keys)
        self._admission = Admission(Issuer(bytes.fromhex(secrets.issuer)), self.enrolment, secrets)
        self.mosquitto = Mosquitto(data, secrets.bridge)
        self._watch = ViolationWatch(data.nats / "nats.log")
        self.ingest = ingest
        self.clock = clock
        self.keeper = SiteKeeper(data, secrets, self.enrolment, ingest, clock)
        self.commands = Commands(ingest, self.keeper.maker)
        self._checks = SessionChecks(ingest, secrets.badge_key)
        self.reader = open_reader(data.store)
        self._links = LinkLog(ingest)
        self.answers = Answers(self.reader, clock)
        self._pins = PinResets(data, keys, self.reader, clock)
        self._help_desk = HelpDesk(ingest, self.commands, self.reader, data)
        self.actions = Actions(ingest, self.commands, self.reader, self._pins, self._help_desk)
        self.gap_mail = GapMail(data, lambda: self._help_desk.people)
        self.faults = FaultDesk(
            data, ingest, self.commands, self.reader, lambda: self._help_desk.people
        )
        self.actions.of_ticket = self.faults.follow
        self._fault_mail = FaultMail(data, self.faults)
        self.switching = Switching(data, ingest)
        hearing = Hearing(
            ingest, self.reader, lambda: self._help_desk.people, self._help_desk.person
        )
        self.listening = ListeningDesk(
            ingest, self.commands, self.reader, self.switching, hearing.decide,
            bridge=self._ask_bridge, recorded=self.recorded, send=self.send,
        )  # fmt: skip
        monitors = data, ingest, self.commands, self.reader, hearing
        self._by_clock = (
            quality := QualityDesk(*monitors),
            notices := NoticeDesk(*monitors),
            recordings := RecordingDesk(*monitors),
        )
        self.recordings = recordings
        self.desks: dict[str, Desk] = {  # by how the names of their actions begin
            "ticket": self.faults, "sample": quality, "evaluation": quality, "notice": notices,
            "recording": recordings, "hearing": recordings, "case": recordings,
        }  # fmt: skip
        self.updates = Updates(data, ingest, self.commands, self.enrolment.revoked)
        self.inspections = Inspections(data, ingest, self.commands, self.reader)
        self.records = RecordsKeeper(data, ingest, self.reader, clock)
        self._caught_up = False  # with the stream; before, it may hold what is to be made
        self._marks = MarksBoard(self.reader, clock)
        self._queues = QueueBoard(self.reader, clock, data)
        self._nats: Client | None = None
        self._proofs = ingest.proofs = Proofs(keys, required=require_proof)
        self.windows = ProvisionWindows(ingest, keys, self.enrolment, self._proofs)
        self.commands.giving = self.windows.giving
        self._routes = Routes(ingest, self.windows.giving)
        self.updates.configures = self._routes.configures
        self._outbox = Outbox(self._sealed, self._routes)
        self._meta = Meta(ingest, self.keeper)
        self._pipeline = Pipeline(ingest, self._take_patiently, self._take_effect)
        self._confirm_by: float | None = None
        self.ca_change = CaChange(
            data, secrets, self.mosquitto, ingest.stations, self.enrolment.revoked
        )
        self.commands.unsaid = self.ca_change.unsaid
        self._retry = StoreRetry()
        self._broker = BrokerWatch(url, secrets.system)
        self._ticks = 0

    async def run(self) -> None:
        """Serve until cancelled."""
        self._nats = await connect(self._url, self._password)
        await open_bucket(self._nats)
        self._take_pins()
        await self._retry.do(self.keeper.settle)
        self._marks.read(self.ingest.site)
        self.commands.maker = self.keeper.maker
        self._refresh_mosquitto()
        for subject, answer in Requests(self).answers().items():
            await self._nats.subscribe(subject, cb=answer)
        await self._admission.serve(self._nats)
        beside = [asyncio.create_task(self._tick_for_ever())]
        beside.append(asyncio.create_task(self._broker.run()))
        beside.append(asyncio.create_task(self.gap_mail.run()))
        beside.append(asyncio.create_task(self.listening.run()))
        try:
            while True:
                try:
                    await self._follow()
                except _TROUBLE as error:
                    self._admission.server = ""
                    log.warning("the stream is interrupted: %s", error)
                    await asyncio.sleep(_RETRY_S)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            self.records.close()
            self.recordings.close()
            self._help_desk.close()
            self.faults.close()
            self._by_clock[0].close()
            self.reader.close()
            await self._nats.close()

    # -- the stream

    async def _follow(self) -> None:
        """Take the stream in from where the store stands. Raises one of _TROUBLE."""
        await self._pipeline.settle()
        client = self._client()
        jetstream = client.jetstream(timeout=2)
        info = await jetstream.stream_info(STREAM)
        created, server = str(info.created), str(client._server_info.get("server_id", ""))
        if not is_ours(info.config):
            raise StreamBroken(f"{STREAM} is not kept as it must be; start the hub again")
        await self._fit_stream()
        self._admission.server = server
        first = 1
        self._caught_up = False
        if self.ingest.stream is not None:
            known, sequence, before = self.ingest.stream
            if known == created:
                first = sequence + 1
            else:
                log.warning("the broker has a new stream: taking it from its beginning")
            if before != server:  # another broker process
                await self._retry.do(self.ingest.doubt_links)
                self._confirm_by = None
        if any(station.unconfirmed for station in self.ingest.stations.values()):
            self._confirm_by = self._confirm_by or time.monotonic() + CONFIRM_S
        self._caught_up = info.state.last_seq < first
        self._help_desk.forget()  # the stream may hold what is told of them
        if info.state.first_seq > first:
            log.warning("messages %d to %d are gone from the stream; stations send again what "
                        "was not acknowledged", first, info.state.first_seq - 1)  # fmt: skip
        consumer = await jetstream.add_consumer(
            STREAM,
            ConsumerConfig(  # no filter: for one the broker searches all subjects, each message
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=first,
                ack_policy=AckPolicy.NONE,
                inactive_threshold=60.0,
                mem_storage=True,
                num_replicas=1,
            ),
        )
        reader = await open_stream(self._url, "host", self._password, STREAM, consumer.name)
        self._outbox.way = reader
        try:
            await self._show_all()
            while True:
                messages = await reader.read()
                await self._pipeline.take(messages, created, server)
                if reader.idle:
                    await self._pipeline.settle()
                    self._caught_up = True
                    self._outbox.send_first()
                elif self._outbox.due:
                    self._outbox.send_all()
        finally:
            self._outbox.way = None
            reader.close()

    async def _fit_stream(self) -> None:
        site = self.ingest.site
        await fit_stream(self._client(), len(site.stations) if site else 0)

    async def _take_patiently(
        self, messages: Sequence[Message], created: str, server: str, after: int
    ) -> Effects:
        return await self._retry.do(self.ingest.take, messages, created, server, after)

    async def _take_effect(self, effects: Effects) -> None:
        for alarm in effects.alarms:
            log.warning(alarm)
        for s, i in effects.answered:
            self.commands.answered(s, i)
            if self.windows.giving(s) is not None:  # it has its key now
                hello = self.ingest.station(s).hello
                effects.challenged.add((s, hello.gw, hello.port))
        self._meta.note()
        self._outbox.acks(effects.acks)
        if (fed := self.switching.feed(effects.feed)) is not None:
            await self._client().publish(FEED, fed)
        self.listening.hear_stations(effects.feed)
        self._outbox.rows(effects.rows)
        if effects.greeted:
            self._outbox.send_all()
        over = {*effects.opened, *effects.ended, *effects.greeted}
        unanswered = await self._retry.do(self.commands.withdraw, over, "session")
        self._checks.note({*effects.opened, *unanswered})
        self.inspections.due |= effects.tested
        self._marks.take(effects.marks)
        if effects.placed:
            self._marks.read(self.ingest.site)
        if effects.chosen and self._take_pins():
            await self.use_site()
        await self._greet(effects)
        if frames := self.updates.heard(effects.updates, effects.acks):
            await self.send(frames)

    def _take_pins(self) -> bool:
        """Whether PINs that agents chose are new in the site's description."""
        try:
            if not self._pins.settle():
                return False
            self.keeper.load()
        except (DiademaError, OSError, ValueError) as error:
            log.error("a PIN that was chosen is not in force: %s", error)
            return False
        return True

    async def recorded(self, done: Recorded) -> None:
        """What follows an event of the hub's own. The stream keeps a copy, for a store that is
        restored from a backup; here it comes back as a double.
        """
        for alarm in done.effects.alarms:
            log.warning(alarm)
        for message in done.messages:
            await self._client().publish(message.subject, message.data)
        self._meta.note()
        self._outbox.rows(done.effects.rows)
        await self.send(done.frames)

    async def _ask_proof(self, s: str, gw: str, port: int) -> None:
        question = self._proofs.question(s, gw)
        await self._client().publish(f"diadema.v1.gw-{gw}.{s}.{port}.cmd", question)

    async def _ask_bridge(self, wanted: Listen) -> dict[str, Any]:
        """Raises Refused where it does not answer."""
        body = msgspec.json.encode(wanted)
        try:
            reply = await self._client().request(LISTEN, body, _BRIDGE_S)
        except (NatsError, OSError, TimeoutError) as error:
            raise Refused("no_bridge", "the bridge to the exchange is silent", 503) from error
        answer: dict[str, Any] = msgspec.json.decode(reply.data, type=dict[str, Any])
        return answer

    async def open_window(
        self, s: str, gw: str, at: str, port: int | None, seconds: float
    ) -> None:
        """The station on that port may be given its key. Whoever is there is asked to greet;
        `port` is its number, for one that was not taken.
        """
        self.windows.open(s, gw, at, seconds)
        hello = self.ingest.station(s).hello
        if (hello.gw, hello.at) == (gw, at):
            port = hello.port
        if port is not None:
            to = f"diadema.v1.gw-{gw}.{s}.{port}.cmd"
            await self._client().publish(to, b'{"hello":1}')

    async def new_key(self, s: str) -> str:
        """A key (hex) that nobody was sent, for a station whose flash is written here."""
        if self._keys.sent(s):
            self.enrolment.renew(s)
            await self.use_site()
            await self.disconnect(s)
        self._keys.mark_sent(s)
        key = self._keys.of(s)
        assert key is not None
        return key.hex()

    async def _greet(self, effects: Effects) -> None:
        for who in sorted(effects.challenged):
            await self._ask_proof(*who)
        if renewed := await self._retry.do(self.windows.greeted, effects.greeted):
            await self.use_site()
            for s in renewed:
                await self.disconnect(s)
        for s in effects.greeted:
            if not self.ingest.site or not self.keeper.knows(s):
                log.warning("station %s is not in site.json: it gets no configuration", s)
        if effects.greeted:
            await self._tell(await self._retry.do(self.commands.greeted, effects.greeted))
            await self._tell_marks(effects.greeted, self._marks.whole())
            self._help_desk.greeted(effects.greeted)
        for a, stations in effects.two_seats:
            seats = ", ".join(self.ingest.floor.seat_name(s) for s in stations)
            log.warning("agent %s is logged in at %s", a, seats)

    async def take_log(self, s: str, e: int, bodies: Sequence[bytes], *, live: bool) -> int:
        """Take in what a switch's log tells; gives how far that log is stored. `live`: it is
        followed, so the floor may show what it tells.
        """
        if bodies:
            messages = [Message(0, subject_of(s), body) for body in bodies]
            effects = await self._retry.do(self.ingest.take_file, messages)
            for alarm in effects.alarms:
                log.warning(alarm)
            self._queues.take(effects.queue_calls)
        if live:
            self._queues.hear(s, self.ingest.site, self.ingest.stations)
        station = self.ingest.stations.get(s)
        journal = station.journals.get(e) if station else None
        return journal.position if journal else 0

    async def take_journal(self, s: str, bodies: Sequence[bytes]) -> None:
        """What was read from a station's flash; a double of what it said itself is none."""
        messages = [Message(0, subject_of(s), body) for body in bodies]
        await self._take_effect(await self._retry.do(self.ingest.take_file, messages))

    # -- out

    async def _tell(self, deliveries: Sequence[Delivery]) -> None:
        """One after the other, for each `time` is of the moment at which it is made."""
        for one in deliveries:
            await self.send(self.commands.frames(one))

    async def _tell_marks(self, stations: Iterable[str], frames: Sequence[bytes]) -> None:
        await self.send([(s, frame) for s in stations for frame in frames])

    async def send(self, frames: Frames) -> None:
        if not frames or self._outbox.send_commands(frames):
            return
        client = self._client()
        for s, frame in frames:
            if client.is_connected:  # else the gateways come back too and greet again
                for way in self._routes(s, "cmd", frame):
                    await client.publish(way, self._sealed(s, frame))

    def _sealed(self, s: str, frame: bytes) -> bytes:
        """For the boot of the station's last greeting; in another one it changes nothing."""
        giving, held = self.windows.giving(s) is not None, self._proofs.former.get(s)
        boot = self.ingest.station(s).hello.boot
        return self._keys.seal(s, boot, frame, giving=giving, held=held)

    async def _show_all(self) -> None:
        await self._retry.do(self.ingest.save, (), self.ingest.floor.agents())
        self._outbox.rows(self.ingest.floor.rows)
        self._outbox.meta(self._meta.make())

    # -- by the clock

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            if self._retry.paused:
                continue
            try:
                await self._tick()
            except (StoreUnavailable, StoreStale, *_TROUBLE) as error:
                log.warning("put off: %s", error)
            except Exception:  # a fault of ours in one of them must not stop the others
                log.exception("what is due by the clock failed")

    def _whose_turn(self) -> list[str]:
        """Of the stations that are there, those that hear from us in this interval."""
        turns = max(round(BEAT_S / EVERY_S), 1)
        self._ticks += 1
        there = [one.station for one in self.ingest.stations.values() if one.hello.up]
        return there[self._ticks % turns :: turns]

    async def _tick(self) -> None:
        if self._meta.due:
            self._outbox.meta(self._meta.make())
        self._outbox.repeat(self._whose_turn())
        self._outbox.send_all()
        if self._confirm_by is None:  # else nobody knows yet who is there
            self._links.look_again()
        await self._tell(self.commands.tick())
        await self.send(self._checks.ask(self.commands))
        for s, state in self.switching.due():
            await self.send(self.commands.order(New(s, "telephone", {"state": state}))[1])
        await self.send(self.updates.tick())
        if self.inspections.due and self._caught_up and (made := self.inspections.make()):
            await self.recorded(made)
        await self._help_desk.look()
        if self._caught_up:
            if escalated := self._help_desk.escalate():
                await self.recorded(escalated)
            await self.send(self._help_desk.turns())
        if self._caught_up and self._ticks % _FAULTS_EVERY == 0:
            for _ in range(_RULES_AT_ONCE):
                if (said := self.faults.look()) is None:
                    break
                await self.recorded(said)
            if mailed := self._fault_mail.look():
                await self.recorded(mailed)
            for desk in self._by_clock:
                for _ in range(_RULES_AT_ONCE):
                    if (said := desk.look()) is None:
                        break
                    await self.recorded(said)
        await self.records.look()
        self.switching.look()
        if self._pins.waiting and self._take_pins():
            await self.use_site()
        if news := self._marks.news():
            stations = self.ingest.stations.values()
            await self._tell_marks([one.station for one in stations if one.hello.up], news)
        for violation in self._watch.look():
            log.error("a client sends what it may not: %s", violation)
        if self._confirm_by is not None and time.monotonic() > self._confirm_by:
            self._outbox.rows(self.ingest.settle_links())
            self._meta.note()
            self._confirm_by = None
        if rows := self.ingest.turn_day():
            self._outbox.rows(rows)
            self._meta.note()
        if queues := self._queues.news(self.ingest.site):
            await self._client().publish(f"$KV.{BUCKET}.queues", queues)
        if self.keeper.moment_changed() or await self.ca_change.step(self.ingest.site):
            await self.use_site()

    async def use_site(self) -> None:
        """Put the site in force as the keeper has it, and tell whom it concerns."""
        self.keeper.settle()
        self._marks.read(self.ingest.site)
        await self._show_all()
        await self._tell(self.commands.configure(self.keeper.maker))
        try:
            await self._fit_stream()
        except _TROUBLE as error:  # it is looked at again when the broker is back
            log.warning("the stream keeps its limit: %s", error)
        self._refresh_mosquitto()  # last: it ends connections by an old password

    def _refresh_mosquitto(self) -> None:
        try:
            self.mosquitto.refresh(self.enrolment.passwords())
        except (OSError, DiademaError) as error:  # stations that are in go on
            log.error("mosquitto has old passwords, start the hub again: %s", error)

    async def enrol_gateway(self, name: str, *, renew: bool, revoke: bool) -> dict[str, object]:
        """A gateway's credential as it is now; of an older one the connection ends."""
        if not is_gateway(name):
            detail = "a gateway's name has lower-case letters, digits and -"
            raise Refused("bad_request", detail, 422)
        if renew or revoke:
            change_gateway(self._data, self._secrets, name, revoke=revoke)
            await self.disconnect(f"gw-{name}")
        password = gateway_password(self._secrets, name)
        return {"user": f"gw-{name}", "password": password} | self.keeper.mqtt_address()

    async def disconnect(self, s: str) -> int:
        """End the station's connection by MQTT, if it has one."""
        await self._client().flush()  # or one that we just let in is not there yet
        return await disconnect(self._url, self._system, s)

    @property
    def paused(self) -> bool:
        """The store, or the broker before it, takes nothing just now."""
        return self._retry.paused or self._broker.write_error is not None

    @property
    def publish_violations(self) -> int:
        return self._watch.count

    @property
    def admits(self) -> bool:
        """Whether stations are let in: not before the stream was looked at."""
        return bool(self._admission.server)

    @property
    def refused(self) -> int:
        """Connections by MQTT that were refused."""
        return self._admission.refused

    # -- the broker

    def _client(self) -> Client:
        assert self._nats is not None
        return self._nats
