"""An Asterisk that is only asked, not called: it answers what set-up asks over AMI and ARI, as a
real 22 did, and rings telephones as a test says. It runs in a thread of its own, so that a command
can be typed beside it.
"""

import asyncio
import contextlib
import hashlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import BasicAuth, WSMsgType, web

SECRET = "clave-de-la-prueba"
CHALLENGE = "158423"
CLASSES = {
    "QueueAdd": "agent", "Setvar": "call", "CoreSettings": "reporting", "Originate": "originate",
    "Command": "command", "UpdateConfig": "config", "ModuleCheck": "system",
}  # fmt: skip
WITHOUT = {  # what an allowed user is told who says no more than the action
    "QueueAdd": "'Queue' not specified.", "Setvar": "No variable specified",
    "Originate": "Channel not specified", "Command": "No command provided",
    "UpdateConfig": "Filename not specified", "ModuleCheck": "Module not loaded",
}  # fmt: skip
MODULES = (
    "app_queue", "app_stasis", "res_stasis", "res_ari", "res_ari_channels", "res_ari_bridges",
    "res_ari_events", "res_ari_applications", "res_ari_endpoints", "res_ari_asterisk",
    "res_http_websocket", "bridge_simple", "bridge_softmix", "bridge_holding", "func_devstate",
    "chan_pjsip", "res_pjsip_header_funcs", "res_musiconhold", "app_mixmonitor",
)  # fmt: skip
GOOD_QUEUE = {"strategy": "rrmemory", "timeout": "25", "ringinuse": "no", "setinterfacevar": "yes"}


@dataclass
class Asterisk:
    """As it is; a test changes what is to be wrong. `phones`: what each does when it is called:
    auto, ring, busy, gone (registered no more), or a cause of Q.850.
    """

    version: str = "22.11.0"
    classes: set[str] = field(default_factory=lambda: {"agent", "call", "reporting"})
    read_only: bool = False
    secrets: dict[str, str] = field(default_factory=lambda: {"ami": SECRET, "ari": SECRET})
    logged_in: threading.Event = field(default_factory=threading.Event)
    queues: dict[str, dict[str, str]] = field(default_factory=lambda: {"ventas": {**GOOD_QUEUE}})
    members: list[dict[str, str]] = field(default_factory=list)
    modules: set[str] = field(default_factory=lambda: set(MODULES))
    phones: dict[str, str] = field(default_factory=lambda: {"PJSIP/101": "auto"})
    offset: str = "-0500"
    slow_s: int = 0  # its clock is behind by
    values: dict[str, str] = field(
        default_factory=lambda: {
            "AST_CONFIG(manager.conf,general,enabled)": "yes",
            "AST_CONFIG(queues.conf,general,log_membername_as_agent)": "yes",
            "DIALPLAN_EXISTS(diadema,diadema-prueba,1)": "1",
        }
    )
    asked: list[str] = field(default_factory=list)  # actions, and requests of ARI
    headers: dict[str, str] = field(default_factory=dict)  # of the last call
    ami_port: int = 0
    ari_port: int = 0
    _sockets: dict[str, web.WebSocketResponse] = field(default_factory=dict)

    # -- AMI

    async def on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in text.strip().split("\r\n"))
                for answer in self.answers(action):
                    answer = {**answer, "ActionID": action["ActionID"]}
                    lines = "".join(f"{name}: {value}\r\n" for name, value in answer.items())
                    writer.write(f"{lines}\r\n".encode())
        writer.close()

    def answers(self, action: dict[str, str]) -> Iterator[dict[str, str]]:
        name = action["Action"]
        self.asked.append(name)
        needs = CLASSES.get(name)
        if name == "Challenge":
            yield {"Response": "Success", "Challenge": CHALLENGE}
        elif name == "Login":
            right = hashlib.md5((CHALLENGE + self.secrets["ami"]).encode()).hexdigest()
            wrong = {"Response": "Error", "Message": "Authentication failed"}
            yield {"Response": "Success"} if action["Key"] == right else wrong
            self.logged_in.set()
        elif needs is not None and needs not in self.classes:
            yield {"Response": "Error", "Message": "Permission denied"}
        elif name == "CoreSettings":
            yield {"Response": "Success", "AsteriskVersion": self.version}
        elif name == "Getvar":
            yield {"Response": "Success", "Value": self.value(action["Variable"])}
        elif name == "QueueStatus":
            yield {"Response": "Success", "EventList": "start"}
            yield from ({"Event": "QueueParams", "Queue": one} for one in self.queues)
            yield from ({"Event": "QueueMember", **one} for one in self.members)
            yield {"Event": "QueueStatusComplete", "EventList": "Complete"}
        else:
            yield {"Response": "Error", "Message": WITHOUT[name]}

    def value(self, function: str) -> str:
        if function == "STRFTIME(,,%s %z)":
            return f"{int(time.time()) - self.slow_s} {self.offset}"
        head = "AST_CONFIG(queues.conf,"
        if function.startswith(head) and function not in self.values:
            queue, name, *_ = function.removeprefix(head).rstrip(")").split(",")
            return self.queues.get(queue, {}).get(name, "")
        return self.values.get(function, "")

    # -- ARI

    async def on_request(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/ari/")
        self.asked.append(f"{request.method} {path}")
        given = BasicAuth.decode(request.headers["Authorization"])
        if given.password != self.secrets["ari"]:
            return web.json_response({"message": "Authentication required"}, status=401)
        if path == "events":
            return await self.events(request)
        if request.method != "GET" and self.read_only:
            return web.json_response({"message": "Write access denied"}, status=403)
        match request.method, path.split("/"):
            case "GET", ["asterisk", "info"]:
                return web.json_response({"system": {"version": self.version}})
            case "GET", ["asterisk", "modules"]:
                return web.json_response(
                    [{"name": f"{one}.so", "status": "Running"} for one in self.modules]
                )
            case "GET", ["endpoints"]:
                return web.json_response([self.endpoint(one) for one in self.phones])
            case "GET", ["endpoints", *name]:
                if "/".join(name) in self.phones:
                    return web.json_response(self.endpoint("/".join(name)))
            case "POST", ["channels"]:
                return await self.ring(request)
        return web.json_response({"message": "Channel not found"}, status=404)

    def endpoint(self, phone: str) -> dict[str, str]:
        technology, _, resource = phone.partition("/")
        state = "offline" if self.phones[phone] == "away" else "online"
        return {"technology": technology, "resource": resource, "state": state}

    async def events(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets[request.query["app"]] = socket
        async for message in socket:
            if message.type is WSMsgType.CLOSE:
                break
        return socket

    async def ring(self, request: web.Request) -> web.Response:
        query = request.query
        does = self.phones[query["endpoint"]]
        self.headers = (await request.json())["variables"]
        if does == "gone":
            return web.json_response({"error": "Allocation failed"}, status=500)
        channel = {"id": query["channelId"], "name": f"{query['endpoint']}-1"}
        socket = self._sockets[query["app"]]
        event = {"type": "ChannelStateChange", "channel": channel | {"state": "Ringing"}}
        await socket.send_json(event)
        if does == "auto":
            args = query["appArgs"].split(",")
            await socket.send_json({"type": "StasisStart", "args": args, "channel": channel})
        else:
            cause = {"busy": 17, "ring": 19}.get(does)
            cause = int(does) if cause is None else cause
            event = {"type": "ChannelDestroyed", "cause": cause, "channel": channel}
            await socket.send_json(event)
        return web.json_response(channel)


@contextmanager
def answering(tls: ssl.SSLContext | None = None) -> Iterator[Asterisk]:
    """One that answers on ports of this machine."""
    its, up, loop = Asterisk(), threading.Event(), asyncio.new_event_loop()

    async def begin() -> None:
        server = await asyncio.start_server(its.on_client, "127.0.0.1", 0, ssl=tls)
        its.ami_port = server.sockets[0].getsockname()[1]
        app = web.Application()
        app.router.add_route("*", "/ari/{path:.*}", its.on_request)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        its.ari_port = runner.addresses[0][1]
        up.set()
        await ended.wait()
        server.close()
        await runner.cleanup()

    ended = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(begin()), daemon=True)
    thread.start()
    assert up.wait(60)
    try:
        yield its
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def typed(its: Asterisk) -> list[str]:
    """The options of `diadema switch setup asterisk` that lead to it."""
    return ["--ami-port", str(its.ami_port), "--ari-port", str(its.ari_port)]


def site_with_phones(root, *, areas=(("soporte", "700"),), **described):
    """A data directory whose two seats have a queue, telephones and areas; gives it."""
    from diadema.base.paths import DataDir
    from diadema.site import description as sites
    from diadema.site.directory.book import Change, Directory
    from diadema.site.directory.kinds import KINDS
    from diadema.site.directory.publishing import begin

    from tests.support.scripted_station import SITE

    data = DataDir(root)
    data.make()
    data.site.write_text(json.dumps(SITE | described))
    entries = [
        ("queues", {"code": "ventas", "name": "Ventas"}),
        *(("areas", {"code": code, "label": code.title(), "number": number, "consulted": True})
          for code, number in areas),
        *(("seats", {"code": one["seat"], "station": one["id"], "extension": f"PJSIP/10{n}",
                     "phone": "auto_answer"})
          for n, one in enumerate(SITE["stations"], 1)),
    ]  # fmt: skip
    with Directory(data.directory) as book:
        begin(book, sites.load(data.site), 1)
        for kind, given in entries:
            body = KINDS[kind].read({name: value for name, value in given.items() if value})
            change = Change(kind=kind, code=KINDS[kind].code(body), body=body)
            book.apply([change], by="Ana", reason="prueba", at_ms=2)
    return data
