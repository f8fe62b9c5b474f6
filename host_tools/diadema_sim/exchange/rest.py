"""The side that speaks ARI: requests, and the websocket of an application, on one port."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Upgrade
from websockets.server import ServerProtocol

from diadema_sim.exchange.core import NORMAL, Core, Origin
from diadema_sim.exchange.manager import Manager
from diadema_sim.exchange.parts import (
    REASONS,
    Application,
    Bridge,
    Channel,
    caller_id,
    stamp,
)

_REASON_PHRASES = {
    200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
    422: "Unprocessable Entity", 500: "Internal Server Error",
}  # fmt: skip
MODULES = (
    "app_queue", "app_stasis", "res_stasis", "res_ari", "res_ari_channels", "res_ari_bridges",
    "res_ari_events", "res_ari_applications", "res_ari_endpoints", "res_ari_asterisk",
    "res_ari_recordings", "res_ari_device_states", "res_http_websocket", "bridge_simple",
    "bridge_softmix", "bridge_holding", "func_devstate", "res_musiconhold", "chan_pjsip",
    "res_pjsip_header_funcs", "chan_bridge_media", "res_stasis_recording", "app_mixmonitor",
    "app_chanspy", "res_stasis_snoop", "res_stasis_device_state",
)  # fmt: skip


class Failed(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, text: str, key: str = "message") -> None:
        super().__init__(text)
        self.status, self.body = status, {key: text}


@dataclass(frozen=True)
class Account:
    secret: str
    read_only: bool = False


@dataclass
class Recording:
    name: str
    bridge: Bridge
    began: float
    state: str = "recording"

    def json(self, state: str = "") -> dict[str, Any]:
        return {
            "name": self.name,
            "format": "wav",
            "state": state or self.state,
            "target_uri": f"bridge:{self.bridge.id}",
        }


type Query = dict[str, str]


class Rest:
    """`idle_s`: after which a connection that asks for nothing is closed."""

    def __init__(self, core: Core, manager: Manager) -> None:
        self.core, self.manager = core, manager
        self.users: dict[str, Account] = {}
        self.idle_s = 15.0
        self.lag: Callable[[], float] = lambda: 0.0
        self.modules = set(MODULES)
        self.recordings: dict[str, Recording] = {}
        self.done: set[str] = set()  # names of recordings that are files now
        self._writers: set[asyncio.StreamWriter] = set()

    def close(self) -> None:
        for application in self.core.applications.values():
            application.send = None
        for writer in self._writers:
            writer.close()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                async with asyncio.timeout(self.idle_s):
                    head = await reader.readuntil(b"\r\n\r\n")
                    first, *lines = head.decode("latin-1").split("\r\n")
                    method, target, _ = first.split(" ")
                    headers = {
                        name.lower(): value.strip()
                        for name, _, value in (line.partition(":") for line in lines)
                    }
                    body = await reader.readexactly(int(headers.get("content-length") or 0))
                if headers.get("upgrade", "").lower() == "websocket":
                    await self._stream(reader, writer, head, target, headers)
                    return
                status, found = self._request(method, target, headers, body)
                writer.write(_written(status, found))
                await writer.drain()
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _request(self, method: str, target: str, headers: Query, body: bytes) -> tuple[int, Any]:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query, True).items()}
        try:
            user = self._user(headers, query)
            path = parts.path
            if not path.startswith("/ari/"):
                raise Failed(404, "Resource not found")
            names = [unquote(one) for one in path.removeprefix("/ari/").split("/")]
            if user.read_only and method not in ("GET", "OPTIONS"):
                raise Failed(403, "Write access denied")
            if body:
                try:
                    content = json.loads(body)
                except ValueError:
                    raise Failed(400, "Error parsing request body") from None
            else:
                content = {}
            return self._answer(method, names, query, content)
        except Failed as error:
            return error.status, error.body

    def _user(self, headers: Query, query: Query) -> Account:
        kind, _, proof = headers.get("authorization", "").partition(" ")
        text = query.get("api_key", "")
        if kind.lower() == "basic":
            try:
                text = base64.b64decode(proof).decode()
            except ValueError:
                text = ""
        name, _, secret = text.partition(":")
        user = self.users.get(name)
        if user is None or user.secret != secret:
            raise Failed(401, "Authentication required")
        return user

    # -- the websocket

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes,
        target: str, headers: Query,
    ) -> None:  # fmt: skip
        query = {name: values[-1] for name, values in parse_qs(urlsplit(target).query).items()}
        try:
            self._user(headers, query)
        except Failed as error:
            writer.write(_written(error.status, error.body))
            return
        protocol = ServerProtocol(max_size=1 << 20)
        protocol.receive_data(head)
        (request,) = protocol.events_received()
        assert isinstance(request, Upgrade)
        protocol.send_response(protocol.accept(request))
        name = query.get("app", "")
        application = self.core.applications.setdefault(name, Application(name))
        held: list[bytes] = []

        def flush() -> None:
            if not writer.is_closing():
                writer.write(b"".join(held))
            held.clear()

        def send(event: dict[str, Any]) -> None:
            """Some ms later, all in order."""
            protocol.send_text(json.dumps(event, ensure_ascii=False).encode())
            if not held:
                self.core.later(self.lag(), flush)
            held.extend(protocol.data_to_send())

        if application.send is not None:
            self.core.send(application, "ApplicationReplaced")
        for data in protocol.data_to_send():
            writer.write(data)
        application.send = send
        self.core.moved.set()
        try:
            while data := await reader.read(65536):
                protocol.receive_data(data)
                for event in protocol.events_received():
                    if isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                        data = b""
                for piece in protocol.data_to_send():
                    writer.write(piece)
                if not data:
                    break
            await writer.drain()
        finally:
            if application.send is send:
                application.send = None
            self.core.moved.set()

    # -- requests

    def _answer(self, method: str, names: list[str], query: Query, body: Any) -> tuple[int, Any]:
        for pattern, methods in _ROUTES:
            if len(pattern) == len(names) and all(
                one in ("*", name) for one, name in zip(pattern, names, strict=True)
            ):
                act = methods.get(method)
                if act is None:
                    raise Failed(405, "Invalid method")
                given = [name for one, name in zip(pattern, names, strict=True) if one == "*"]
                return act(self, given, query, body)
        raise Failed(404, "Resource not found")

    def _channel(self, name: str) -> Channel:
        channel = self.core.channels.get(name)
        if channel is None:
            raise Failed(404, "Channel not found")
        return channel

    def _ours(self, name: str) -> Channel:
        channel = self._channel(name)
        if not channel.in_stasis:
            raise Failed(409, "Channel not in Stasis application")
        return channel

    def _bridge(self, name: str) -> Bridge:
        bridge = self.core.bridges.get(name)
        if bridge is None:
            raise Failed(404, "Bridge not found")
        return bridge

    # channels

    def _channels(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        return 200, [one.json() for one in self.core.channels.values()]

    def _one_channel(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        return 200, self._channel(given[0]).json()

    def _originate(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        core = self.core
        endpoint, app = query.get("endpoint", ""), query.get("app", "")
        if not endpoint:
            raise Failed(400, "Endpoint must be specified")
        if not app and not query.get("extension"):
            raise Failed(400, "Application or extension must be specified")
        wanted = [query.get("channelId"), query.get("otherChannelId")]
        if any(one in core.channels for one in wanted):
            raise Failed(409, "Channel with given unique ID already exists")
        origin = core.channels.get(query.get("originator", ""))
        if query.get("originator") and origin is None:
            raise Failed(400, "Provided originator channel was not found")
        linked = origin.linked if origin else None
        variables = {str(k): str(v) for k, v in (body.get("variables") or {}).items()}
        technology, _, rest = endpoint.partition("/")
        device = core.devices.get(endpoint)
        two: Channel | None = None
        if technology == "Local":
            exten, _, context = rest.removesuffix("/n").partition("@")
            channel, two = core.new_local(exten, context, wanted[0], wanted[1], linked)
        elif device is not None and device.registered:
            channel = core.new_leg(device, wanted[0], linked)
            channel.number = device.number
        else:
            raise Failed(500, "Allocation failed", "error")
        if query.get("callerId"):
            channel.caller_name, channel.number = caller_id(query["callerId"])
            channel.connected_name, channel.connected = channel.caller_name, channel.number
        channel.app_name, channel.app_data = "AppDial2", "(Outgoing Line)"
        channel.variables |= variables
        channel.originated = bool(app)
        if app:
            application = core.applications.setdefault(app, Application(app))
            for one in (channel, two):
                if one is not None:
                    one.originated = True
                    core.watch(application, one)
        args = [one for one in query.get("appArgs", "").split(",") if one]

        def then(answered: Channel) -> None:
            if not app:
                core.run(answered, query.get("context", "default"), query["extension"])
            elif not core.begin_stasis(answered, app, args):
                core.hang_up(answered, NORMAL, "self")

        seconds = float(query.get("timeout") or 30)
        channel.owner = Origin(core, channel, rest, seconds, then)
        answer = channel.json()
        if two is not None:
            two.connected, two.number = channel.number, channel.number
            if core.extension(channel.context, channel.exten):
                core.dial_event("", channel, None, rest)
            core.soon(lambda: core.run(two, channel.context, channel.exten))
        else:
            core.dial_event("", channel, None, rest)
            auto = "answer-after=0" in variables.get("PJSIP_HEADER(add,Call-Info)", "")
            core.call_device(channel, auto)
        return 200, answer

    def _delete_channel(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        channel = self._channel(given[0])
        reason, code = query.get("reason", ""), query.get("reason_code", "")
        if reason and code:
            raise Failed(400, "The reason and reason_code can't both be specified")
        if reason and reason not in REASONS:
            raise Failed(400, "Invalid reason for hangup reason provided")
        cause = int(code) if code else REASONS.get(reason, NORMAL)
        self.core.soon(lambda: self.core.hang_up(channel, cause, "soft"))
        return 204, None

    def _answer_channel(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        channel = self._ours(given[0])
        self.core.set_state(channel, "Up")
        return 204, None

    def _ring(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        self._ours(given[0]).tone = True
        return 204, None

    def _no_ring(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        self._ours(given[0]).tone = False
        return 204, None

    def _music(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        channel = self._ours(given[0])
        channel.music = True
        self.core.tell("MusicOnHoldStart", "call", {**channel.fields(), "Class": "default"})
        return 204, None

    def _hold(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        """Music over the voice, for one in a bridge."""
        self._ours(given[0]).music = True
        return 204, None

    def _no_music(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        channel = self._ours(given[0])
        channel.music = False
        self.core.tell("MusicOnHoldStop", "call", channel.fields())
        return 204, None

    def _sides(self, query: Query) -> set[str]:
        direction = query.get("direction", "both")
        if direction not in ("in", "out", "both"):
            raise Failed(400, "Invalid direction specified")
        return {"in", "out"} if direction == "both" else {direction}

    def _mute(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        channel = self._ours(given[0])
        channel.muted |= self._sides(query)
        self.core.moved.set()
        return 204, None

    def _unmute(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        channel = self._ours(given[0])
        channel.muted -= self._sides(query)
        self.core.moved.set()
        return 204, None

    def _continue(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        channel = self._ours(given[0])
        context = query.get("context") or channel.context
        exten = query.get("extension") or channel.exten

        def go() -> None:
            if not channel.gone:
                self.core.leave(channel)
                self.core.end_stasis(channel)
                self.core.run(channel, context, exten)

        self.core.soon(go)
        return 204, None

    def _get_variable(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        channel, name = self._channel(given[0]), query.get("variable", "")
        if not name:
            raise Failed(400, "Variable name is required")
        functions = {"CHANNEL(linkedid)": channel.linked, "CHANNEL(name)": channel.name}
        value = functions.get(name, channel.variables.get(name))
        if value is None:
            raise Failed(404, "Provided variable was not found")
        return 200, {"value": value}

    def _set_variable(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        channel = self._ours(given[0])
        channel.variables[query.get("variable", "")] = query.get("value", "")
        return 204, None

    def _snoop(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        target = self._channel(given[0])
        channel = self.core.snoop(target, query.get("snoopId"))
        answer = channel.json()
        args = [one for one in query.get("appArgs", "").split(",") if one]
        if not self.core.begin_stasis(channel, query.get("app", ""), args):
            self.core.hang_up(channel, NORMAL, "self")
        return 200, answer

    # bridges

    def _bridges(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        return 200, [one.json() for one in self.core.bridges.values()]

    def _one_bridge(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        return 200, self._bridge(given[0]).json()

    def _new_bridge(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        kind, bridge_id = query.get("type", "mixing").split(",")[0], query.get("bridgeId")
        if kind not in ("mixing", "holding"):
            text = "Unable to create bridge. Possible duplicate bridge id '(null)'"
            raise Failed(500, text)
        if bridge_id in self.core.bridges:
            raise Failed(409, f"Bridge with id '{bridge_id}' already exists")
        bridge = self.core.new_bridge(bridge_id, query.get("name", ""), kind=kind)
        return 200, bridge.json()

    def _delete_bridge(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        bridge = self._bridge(given[0])
        for channel in [*bridge.channels]:
            self.core.leave(channel)
        for recording in [*self.recordings.values()]:
            if recording.bridge is bridge:
                self._finish(recording)
        del self.core.bridges[bridge.id]
        self.core.publish("BridgeDestroyed", [], bridge, bridge=bridge.json())
        for application in self.core.applications.values():
            if bridge.id in application.bridges:
                application.bridges.remove(bridge.id)
        return 204, None

    def _named(self, query: Query) -> list[str]:
        if not query.get("channel"):
            raise Failed(400, "Missing parameter channel")
        return query["channel"].split(",")

    def _enter(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        bridge = self._bridge(given[0])
        names = self._named(query)
        found = [self.core.channels.get(name) for name in names]
        if None in found:
            raise Failed(400, "Channel not found")
        channels = [one for one in found if one is not None]
        if not all(one.in_stasis for one in channels):
            raise Failed(422, "Channel not in Stasis application")
        for application in self.core.applications.values():
            watched = any(one.id in application.channels for one in channels)
            if watched and bridge.id not in application.bridges:
                application.bridges.append(bridge.id)
        for channel in channels:
            self.core.enter(channel, bridge)
        return 204, None

    def _leave(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        bridge = self._bridge(given[0])
        found = [self.core.channels.get(name) for name in self._named(query)]
        if None in found:
            raise Failed(400, "Channel not found")
        channels = [one for one in found if one is not None]
        if not all(one.in_stasis for one in channels):
            raise Failed(422, "Channel not in Stasis application")
        if not all(one.bridge is bridge for one in channels):
            raise Failed(422, "Channel not in this bridge")
        for channel in channels:
            self.core.leave(channel)
        return 204, None

    # recordings

    def _record(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        bridge = self._bridge(given[0])
        name = query.get("name", "")
        if not name or "/" in name:
            raise Failed(500, "Error parsing request")
        if query.get("format") != "wav":
            raise Failed(422, "specified format is unknown on this system")
        if "chan_bridge_media" not in self.modules:
            raise Failed(500, "Failed to create recording channel")
        if name in self.recordings or name in self.done:
            raise Failed(409, f"Recording '{name}' already exists and can not be overwritten")
        recording = self.recordings[name] = Recording(name, bridge, self.core.clock())
        self.core.publish("RecordingStarted", [], bridge, recording=recording.json())
        return 201, recording.json("queued")

    def live(self, name: str) -> Recording:
        if name not in self.recordings:
            raise Failed(404, "Recording not found")
        return self.recordings[name]

    def _one_recording(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        return 200, self.live(given[0]).json()

    def _stop_recording(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        self._finish(self.live(given[0]))
        return 204, None

    def _finish(self, recording: Recording) -> None:
        del self.recordings[recording.name]
        self.done.add(recording.name)
        found = recording.json("done")
        found["duration"] = int(self.core.clock() - recording.began)
        self.core.publish("RecordingFinished", [], recording.bridge, recording=found)

    # endpoints, applications, and Asterisk itself

    def _endpoints(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        return 200, [one.endpoint() for one in self.core.devices.values()]

    def _endpoint(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        device = self.core.devices.get("/".join(given))
        if device is None:
            raise Failed(404, "Endpoint not found")
        return 200, device.endpoint()

    def _application(self, name: str) -> Application:
        if name not in self.core.applications:
            raise Failed(404, "Application not found")
        return self.core.applications[name]

    def _applications(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        return 200, [one.json() for one in self.core.applications.values()]

    def _one_application(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        return 200, self._application(given[0]).json()

    def _source(self, application: Application, text: str) -> tuple[list[str], str]:
        scheme, _, name = text.partition(":")
        core = self.core
        if scheme == "endpoint":
            there = name in core.devices or name in ("PJSIP", "Local")
            watched = application.endpoints
        elif scheme == "channel":
            there, watched = name in core.channels, application.channels
        elif scheme == "bridge":
            there, watched = name in core.bridges, application.bridges
        elif scheme == "deviceState":
            there, watched = True, application.devices
        else:
            raise Failed(400, "Invalid event source URI scheme")
        if not there:
            raise Failed(422, "Event source does not exist")
        return watched, name

    def _subscribe(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        application = self._application(given[0])
        texts = query.get("eventSource", "").split(",")
        for watched, name in [self._source(application, text) for text in texts]:
            if name not in watched:
                watched.append(name)
        return 200, application.json()

    def _unsubscribe(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        application = self._application(given[0])
        texts = query.get("eventSource", "").split(",")
        for watched, name in [self._source(application, text) for text in texts]:
            if name not in watched:
                raise Failed(409, "Application not subscribed to event source")
            watched.remove(name)
        return 200, application.json()

    def _filter(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        application = self._application(given[0])
        application.allowed = body.get("allowed", [])
        application.disallowed = body.get("disallowed", [])
        return 200, application.json()

    def _info(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        began = stamp(self.manager.started)
        found = {
            "build": {"os": "Linux", "kernel": "6", "machine": "x86_64", "options": "",
                      "date": "2026-11-30 02:29:57 UTC", "user": "root"},
            "system": {"version": "22.11.0-rc1", "entity_id": "02:00:00:00:00:01"},
            "config": {"name": "", "default_language": "en", "setid": {"user": "", "group": ""}},
            "status": {"startup_time": began, "last_reload_time": began},
        }  # fmt: skip
        only = query.get("only", "")
        return 200, {key: value for key, value in found.items() if not only or key in only}

    def _ping(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        now = stamp(self.core.clock())
        return 200, {"ping": "pong", "timestamp": now, "asterisk_id": "02:00:00:00:00:01"}

    def _module(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        name = given[0].removesuffix(".so")
        lacks = name == "func_devstate" and not self.core.has_custom_states
        if lacks or name not in self.modules or not given[0].endswith(".so"):
            raise Failed(404, "Module could not be found in running modules")
        return 200, {"name": f"{name}.so", "description": name, "use_count": 0,
                     "status": "Running", "support_level": "core"}  # fmt: skip

    def _get_global(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        return 200, {"value": self.core.globals.get(query.get("variable", ""), "")}

    def _set_global(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        """What may not be set is not told of."""
        self.manager.set_variable(query.get("variable", ""), query.get("value", ""))
        return 204, None

    def _states(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        names = [one for one in self.core.custom if one.startswith("Stasis:")]
        return 200, [{"name": one, "state": self.core.custom[one]} for one in names]

    def _state(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        return 200, {"name": given[0], "state": self.core.device_state(given[0])}

    def _set_state(self, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        if not given[0].startswith("Stasis:"):
            raise Failed(409, "Uncontrolled device specified")
        self.manager.set_custom(given[0], query.get("deviceState", ""))
        return 204, None


type Act = Callable[[Rest, list[str], Query, Any], tuple[int, Any]]


def _becomes(state: str) -> Act:
    """Of a recording. Again is no error, and no event tells of it."""

    def act(rest: Rest, given: list[str], query: Query, body: Any) -> tuple[int, Any]:
        rest.live(given[0]).state = state
        return 204, None

    return act


_METHODS: dict[str, dict[str, Act]] = {
    "channels": {"GET": Rest._channels, "POST": Rest._originate},
    "channels/*": {"GET": Rest._one_channel, "DELETE": Rest._delete_channel},
    "channels/*/answer": {"POST": Rest._answer_channel},
    "channels/*/ring": {"POST": Rest._ring, "DELETE": Rest._no_ring},
    "channels/*/moh": {"POST": Rest._music, "DELETE": Rest._no_music},
    "channels/*/hold": {"POST": Rest._hold, "DELETE": Rest._no_music},
    "channels/*/mute": {"POST": Rest._mute, "DELETE": Rest._unmute},
    "channels/*/continue": {"POST": Rest._continue},
    "channels/*/variable": {"GET": Rest._get_variable, "POST": Rest._set_variable},
    "channels/*/snoop": {"POST": Rest._snoop},
    "bridges": {"GET": Rest._bridges, "POST": Rest._new_bridge},
    "bridges/*": {"GET": Rest._one_bridge, "DELETE": Rest._delete_bridge},
    "bridges/*/addChannel": {"POST": Rest._enter},
    "bridges/*/removeChannel": {"POST": Rest._leave},
    "bridges/*/record": {"POST": Rest._record},
    "recordings/live/*": {"GET": Rest._one_recording},
    "recordings/live/*/pause": {
        "POST": _becomes("paused"), "DELETE": _becomes("recording")},
    "recordings/live/*/mute": {
        "POST": _becomes("muted"), "DELETE": _becomes("recording")},
    "recordings/live/*/stop": {"POST": Rest._stop_recording},
    "endpoints": {"GET": Rest._endpoints},
    "endpoints/*/*": {"GET": Rest._endpoint},
    "applications": {"GET": Rest._applications},
    "applications/*": {"GET": Rest._one_application},
    "applications/*/subscription": {"POST": Rest._subscribe, "DELETE": Rest._unsubscribe},
    "applications/*/eventFilter": {"PUT": Rest._filter},
    "asterisk/info": {"GET": Rest._info},
    "asterisk/ping": {"GET": Rest._ping},
    "asterisk/modules/*": {"GET": Rest._module},
    "asterisk/variable": {"GET": Rest._get_global, "POST": Rest._set_global},
    "deviceStates": {"GET": Rest._states},
    "deviceStates/*": {"GET": Rest._state, "PUT": Rest._set_state},
}  # fmt: skip
_ROUTES = [(path.split("/"), methods) for path, methods in _METHODS.items()]


def _written(status: int, found: Any) -> bytes:
    body = b"" if found is None else json.dumps(found, ensure_ascii=False).encode()
    lines = [f"HTTP/1.1 {status} {_REASON_PHRASES[status]}", "Server: Asterisk"]
    if status == 401:
        lines.append('WWW-Authenticate: Basic realm="Asterisk REST Interface"')
    if body:
        lines.append("Content-type: application/json")
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body
