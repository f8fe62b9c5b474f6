"""What the host side asks the ingest over NATS, and the answers. A refusal is
`{"error", "detail", "status"}`, with the HTTP status that the web gives it.
"""

import asyncio
import logging
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from nats.aio.msg import Msg

from diadema.base.errors import DiademaError, UpdateError, why
from diadema.base.idempotency import HEADER, Once
from diadema.hub.enrolment import LONGEST_S
from diadema.hub.mosquitto import MqttListener
from diadema.hub.own_journal import Refused
from diadema.ingest.decode import BadEvent, decode
from diadema.store import StoreStale, StoreUnavailable, station_state
from diadema.store.rows import SWITCH
from diadema.wire import switching
from diadema.wire.commands import CALLS, is_station
from diadema.wire.letters import EVENT_LIMIT, LETTERS, tag_of
from diadema.words import Sentence

if TYPE_CHECKING:
    from diadema.hub.ingest_server import IngestServer

log = logging.getLogger("diadema.ingest")

_OF_CALLS = {tag_of(call) for call in CALLS}
_BEGIN = ("ring", "dial")
_OF_QUEUES, _EVENTS_AT_ONCE = ("queue.", "recording."), 1000
_NO_SWITCH = {"error": "forbidden", "detail": "no exchange is set up", "status": 403}
_FAULT = "the hub could not do this, by a fault of its own; logs/ingest.log says which"

type Answer = Callable[[Msg], Awaitable[None]]


class _Command(msgspec.Struct, rename=LETTERS):
    """Which command is asked about."""

    station: str = ""
    i: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0

    @property
    def key(self) -> tuple[str, int]:
        return self.station, self.i


class _Log(msgspec.Struct, rename=LETTERS):
    """Events of a switch's log, as JSON each; none: only how far it is stored is asked."""

    station: Annotated[str, msgspec.Meta(pattern=rf"^{SWITCH}[A-Za-z0-9_-]{{1,32}}\Z")]
    epoch: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    events: Annotated[list[str], msgspec.Meta(max_length=_EVENTS_AT_ONCE)] = []
    live: bool = False


class _EndListening(msgspec.Struct):
    listening: str
    by: str


class _Journal(msgspec.Struct, rename=LETTERS):
    """Events of a station's journal, as JSON each, that did not come from the station itself."""

    station: Annotated[str, msgspec.Meta(pattern=r"^DIA-[0-9a-f]{12}\Z")]
    events: list[str]


class _At(msgspec.Struct, rename=LETTERS):
    """A station on a port of a gateway."""

    station: Annotated[str, msgspec.Meta(pattern=r"^DIA-[0-9a-f]{12}\Z")]
    gw: str
    at: str
    port: int | None = None


class _Provision(msgspec.Struct):
    stations: list[_At]
    seconds: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_S)]


class _Update(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`bundle` is in base64; or `path`, on this machine."""

    do: Literal["add", "start", "stop", "resume", "status"]
    path: str | None = None
    bundle: str | None = None
    plan: dict[str, Any] = {}
    number: int = 0
    stop_after: Annotated[int, msgspec.Meta(ge=1)] | None = None
    retry: bool = False


class Requests:
    def __init__(self, server: "IngestServer") -> None:
        self._server = server

    def answers(self) -> dict[str, Answer]:
        """A callback for each subject."""
        return {
            "hub.act": self._named(self._on_act),
            "hub.ca": self._request(self._on_ca),
            switching.CALL: self._request(self._on_call),
            "hub.record": self._named(self._on_record),
            "hub.command": self._named(self._on_command),
            "hub.clock": self._request(self._on_clock),
            "hub.configuration": self._request(self._on_configuration),
            "hub.command.get": self._request(self._on_state),
            "hub.enrol": self._request(self._on_enrol),
            "hub.journal": self._request(self._on_journal),
            "hub.listen": self._request(self._on_listen),
            "hub.mosquitto": self._request(self._on_mosquitto),
            "hub.provision": self._request(self._on_provision),
            switching.QUEUE: self._request(self._on_queue),
            "hub.selftest": self._named(self._on_selftest),
            "hub.site": self._request(self._on_site),
            "hub.status": self._request(self._on_status),
            switching.STATE: self._request(self._on_switch),
            "hub.switch.shown": self._request(self._on_switch_shown),
            "hub.update": self._request(self._on_update),
        }

    def _named(
        self, answer: Callable[[dict[str, Any], Once | None], Awaitable[dict[str, Any]]]
    ) -> Answer:
        """Of a write: what names itself is done once, and answered again as it was."""

        async def on_write(body: dict[str, Any], message: Msg) -> dict[str, Any]:
            once = Once.read((message.headers or {}).get(HEADER))
            stored = self._server.answers.of(once) if once else None
            return stored if stored is not None else await answer(body, once)

        return self._answering(on_write)

    def _request(self, answer: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> Answer:
        return self._answering(lambda body, _: answer(body))

    def _answering(
        self, answer: Callable[[dict[str, Any], Msg], Awaitable[dict[str, Any]]]
    ) -> Answer:
        async def on_request(message: Msg) -> None:
            try:
                body = msgspec.json.decode(message.data or b"{}", type=dict[str, Any])
                reply = await answer(body, message)
            except (StoreUnavailable, StoreStale) as error:
                reply = {"error": "store_unavailable", "detail": str(error), "status": 409}
            except Refused as error:
                reply = {"error": error.error, "detail": str(error), "status": error.status}
                reply |= {"values": error.values}
                if isinstance(error.args[0], Sentence):
                    reply["sentence"] = error.args[0].parts()
            except (DiademaError, msgspec.MsgspecError) as error:
                reply = {"error": "bad_request", "detail": str(error), "status": 422}
                if error.args and isinstance(error.args[0], Sentence):
                    reply["sentence"] = error.args[0].parts()
            except Exception:
                log.exception("a request to %s failed", message.subject)
                reply = {"error": "internal", "detail": _FAULT, "status": 409}
            await message.respond(msgspec.json.encode(reply))

        return on_request

    async def _on_command(self, body: dict[str, Any], once: Once | None) -> dict[str, Any]:
        s = str(body.pop("s", ""))
        there = s in self._server.ingest.stations or self._server.keeper.knows(s)
        if not (there and is_station(s)):
            return {"error": "unknown_station", "detail": f"no station {s} here", "status": 404}
        i, frames = self._server.commands.ask(s, body, once)
        await self._server.send(frames)
        return {"i": i}

    async def _on_call(self, body: dict[str, Any]) -> dict[str, Any]:
        """A command of the bridge's; it may ask for what an exchange says of calls only. What
        begins one is not left waiting for a station that is away: a caller waits for it.
        """
        if not self._server.switching.is_set_up:
            return _NO_SWITCH
        if body.get("cmd") not in _OF_CALLS:
            return {"error": "forbidden", "detail": "no command about a call", "status": 403}
        station = self._server.ingest.stations.get(str(body.get("s")))
        if body["cmd"] in _BEGIN and station is not None and not station.hello.up:
            detail = f"station {station.station} has no link"
            return {"error": "no_link", "detail": detail, "status": 409}
        return await self._on_command(body, None)

    async def _on_switch(self, body: dict[str, Any]) -> dict[str, Any]:
        """How the bridge is; it is told how the floor is. One whose exchange was removed leaves
        the calls to that, where telephones ring by themselves.
        """
        if not self._server.switching.is_set_up:
            return _NO_SWITCH
        report = msgspec.convert(body, switching.Report)
        floor = self._server.switching.take(report)
        self._server.listening.hear_bridge(report)
        built: dict[str, Any] = msgspec.to_builtins(floor)
        return built

    async def _on_listen(self, body: dict[str, Any]) -> dict[str, Any]:
        """An account begins to hear a call at its telephone, ends that, or sees who hears one."""
        listening, do = self._server.listening, body.pop("do", None)
        if do == "begin":
            return await listening.begin(body)
        if do == "end":
            ended = msgspec.convert(body, _EndListening)
            listening.end(ended.listening, ended.by)
        return {"listening": msgspec.to_builtins(listening.shown())}

    async def _on_switch_shown(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"switch": self._server.switching.shown()}

    async def _on_act(self, body: dict[str, Any], once: Once | None) -> dict[str, Any]:
        """A supervisor's action: noted and, where a station is told, sent."""
        subject = str(body.get("action")).partition("_")[0]
        answer, done = self._server.desks.get(subject, self._server.actions).act(body, once)
        await self._server.recorded(done)
        self._server.gap_mail.tell(done)
        if "code" in answer:
            self._server.keeper.load()
            await self._server.use_site()
        return answer

    async def _on_record(self, body: dict[str, Any], once: Once | None) -> dict[str, Any]:
        answer, done = self._server.actions.record(body, once)
        await self._server.recorded(done)
        return answer

    async def _on_state(self, body: dict[str, Any]) -> dict[str, Any]:
        """What became of a command; also asked to see whether we are alive, and take events."""
        reply = self._command_state(body)
        return reply | {"paused": True} if self._server.paused else reply

    def _command_state(self, body: dict[str, Any]) -> dict[str, Any]:
        command = self._server.reader.command(*msgspec.convert(body, _Command).key)
        if command is None:
            return {"error": "unknown_command", "detail": "no such command", "status": 404}
        answer, expires = command["answer"], command["expires_utc"]
        due = expires is not None and expires <= self._server.clock.now_ms()
        return {
            "i": body["i"],
            "answered": msgspec.json.decode(answer) if answer else None,
            "expired": command["status"] == "expired" or (command["status"] == "open" and due),
        }

    async def _on_clock(self, body: dict[str, Any]) -> dict[str, Any]:
        """What is known of one station's clock."""
        station = self._server.ingest.stations.get(str(body.get("s", "")))
        if station is None:
            return {"error": "unknown_station", "detail": "no such station", "status": 404}
        return {**station_state.clock_fields(station.state.clock, self._server.clock.now_ms())}

    async def _on_status(self, _: dict[str, Any]) -> dict[str, Any]:
        known = self._server.ingest.stations.values()
        stations = [one for one in known if one.station.startswith("DIA-")]
        links = [station.link for station in stations]
        clocks = [station.state.clock for station in stations]
        stored = await asyncio.to_thread(
            self._server.reader.status
        )  # counting many takes a moment
        return stored | {
            "paused": self._server.paused,
            "publish_violations": self._server.publish_violations,
            "admits": self._server.admits,
            "refused": self._server.refused,
            "deferred": self._server.ingest.deferred,
            "open_commands": self._server.commands.waiting,
            "clocks": station_state.summary(clocks, self._server.clock.now_ms()),
            "recordings_absent": len(self._server.recordings.following.absent),
            "links": {link: links.count(link) for link in ("up", "late", "lost")},
        }

    async def _on_enrol(self, body: dict[str, Any]) -> dict[str, Any]:
        """A station's credential; `renew` makes another one, `revoke` ends it."""
        s = str(body.get("s", ""))
        renew, revoke = body.get("renew") is True, body.get("revoke") is True
        if s.startswith("gw-"):
            return await self._server.enrol_gateway(s[3:], renew=renew, revoke=revoke)
        of_the_site = self._server.keeper.knows(s)
        if not of_the_site and not (revoke and self._server.enrolment.knows(s)):
            detail = f"{s} is not in site.json: name it there first"
            return {"error": "unknown_station", "detail": detail, "status": 404}
        if renew:
            self._server.enrolment.renew(s)
        elif revoke:
            self._server.enrolment.revoke(s)
        if renew or revoke:
            try:
                await self._server.use_site()
            finally:  # whoever else cannot be told
                await self._server.disconnect(s)
        access = self._server.keeper.access(s)
        return {"s": s, "user": s, "password": None} | access

    async def _on_provision(self, body: dict[str, Any]) -> dict[str, Any]:
        """Stations may be given their keys, each on its port, for so long."""
        request = msgspec.convert(body, _Provision)
        for one in request.stations:
            await self._server.open_window(one.station, one.gw, one.at, one.port, request.seconds)
        return {"seconds": request.seconds}

    async def _on_queue(self, body: dict[str, Any]) -> dict[str, Any]:
        """A switch's log: its events are stored when this answers, each once. Of people it tells
        nothing: who is there is the stations' to say.
        """
        request = msgspec.convert(body, _Log)
        bodies = [one.encode() for one in request.events]
        if not all(_is_of_queues(request.station, one) for one in bodies):
            detail = "a switch tells of its queues and recordings only"
            return {"error": "bad_request", "detail": detail, "status": 422}
        position = await self._server.take_log(
            request.station, request.epoch, bodies, live=request.live
        )
        return {"position": position}

    async def _on_journal(self, body: dict[str, Any]) -> dict[str, Any]:
        """What was read from a station's flash: stored when this answers, each event once."""
        request = msgspec.convert(body, _Journal)
        await self._server.take_journal(request.station, [one.encode() for one in request.events])
        return {"taken": len(request.events)}

    async def _on_selftest(self, body: dict[str, Any], once: Once | None) -> dict[str, Any]:
        """A station's bench test begins; its record is made when it tells how it ended."""
        answer, frames = self._server.inspections.begin(body, once)
        await self._server.send(frames)
        return answer

    async def _on_configuration(self, body: dict[str, Any]) -> dict[str, Any]:
        """What a station should have, for one that has lost it."""
        s, maker = str(body.get("s", "")), self._server.keeper.maker
        if maker is None or not maker.knows(s):
            return {"error": "unknown_station", "detail": f"no seat has {s}", "status": 404}
        key = await self._server.new_key(s)
        maker = self._server.keeper.maker or maker  # it may be another by the key
        config = b64encode(maker.build(s, key)).decode()
        return {"generation": maker.generation, "config": config}

    async def _on_site(self, _: dict[str, Any]) -> dict[str, Any]:
        self._server.keeper.load()
        await self._server.use_site()
        return {"generation": self._server.keeper.generation}

    async def _on_ca(self, _: dict[str, Any]) -> dict[str, Any]:
        """Another CA of the broker comes to the stations, beside the one they hold."""
        self._server.ca_change.begin()
        await self._server.use_site()
        return {"generation": self._server.keeper.generation}

    async def _on_update(self, body: dict[str, Any]) -> dict[str, Any]:
        """New programs: a bundle comes in, a roll-out begins, ends or goes on."""
        request = msgspec.convert(body, _Update)
        updates = self._server.updates
        if request.do == "add":
            found = updates.add(await asyncio.to_thread(_bundle_bytes, request))
            manifest: dict[str, Any] = msgspec.to_builtins(found.manifest)
            return {"sha256": found.sha256, "parts": found.parts, "manifest": manifest}
        if request.do == "start":
            return {"number": updates.start(request.plan).number}
        if request.do == "stop":
            updates.stop(request.number)
        elif request.do == "resume":
            updates.resume(request.number, request.stop_after, request.retry)
        return {"rollouts": updates.summaries()}

    async def _on_mosquitto(self, body: dict[str, Any]) -> dict[str, Any]:
        """Mosquitto as the stations' listener; `remove`: NATS' own again."""
        mosquitto = self._server.mosquitto
        if body.pop("remove", False):
            mosquitto.close()
            conf = None
        else:
            mosquitto.open(msgspec.convert(body, MqttListener))
            conf = str(mosquitto.conf)
        await self._server.use_site()
        return {"conf": conf}


def _is_of_queues(station: str, body: bytes) -> bool:
    try:
        kind, event, _ = decode(body)
    except BadEvent:
        return False
    return kind.startswith(_OF_QUEUES) and event.station == station and len(body) <= EVENT_LIMIT


def _bundle_bytes(request: _Update) -> bytes:
    """Raises UpdateError."""
    try:
        if request.path is not None:
            return Path(request.path).read_bytes()
        return b64decode(request.bundle or "", validate=True)
    except OSError as error:
        raise UpdateError(
            Sentence("errors.cli.cannot_read_file_reason", file=request.path, reason=why(error))
        ) from error
    except ValueError as error:
        raise UpdateError(Sentence("errors.hub.bundle_no_base64_error", error=error)) from error
