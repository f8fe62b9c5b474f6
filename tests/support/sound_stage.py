"""The way of a recording's sound, whole: broker, hub and web over a centre whose calls a switch
recorded, and in the browser's place a client. The web is of this process, with one route more by
which anybody may ask to hear anything: what it lets be heard, the hub lets be heard.
"""

import contextlib
import json

import httpx
from diadema.access.authenticator import csrf
from diadema.base.clock import SharedClock, open_clock
from diadema.ingest.core import Ingest
from diadema.recordings import settings
from diadema.site import description as sites
from diadema.store import open_reader, open_writer, tables
from diadema.web.app import create_app
from diadema.web.floor.feed import HubAbsent, HubSilent, NatsAbsent
from diadema.web.permissions import person_of
from diadema.web.recordings import sound
from diadema.web.settings import Settings
from diadema.web.web_app import WebApp, web_app_of
from fastapi import Request

from tests.support.broker_fixtures import IngestProcess, running_broker, until
from tests.support.informed import inform
from tests.support.monitored import Monitor
from tests.support.recorded_calls import NOW
from tests.support.scripted_station import T0, FixedClock
from tests.support.web_stage import ACCOUNT_PASSWORD, TESTER, headers_of

HEAR = "/api/v1/test/hear"


async def hear(request: Request):
    """Whatever is asked for."""
    asked = await request.json()
    call = tuple(asked["call"])
    web_app = web_app_of(request)
    return await sound.begin(web_app, request, person_of(request), call, asked["purpose"])


class SoundStage:
    """`centre` has its files and its store."""

    def __init__(self, centre, web_app, app, broker, ingest, clock):
        self.centre, self.web_app, self.app = centre, web_app, app
        self.broker, self.ingest, self.clock = broker, ingest, clock

    @property
    def data(self):
        return self.centre.data

    def account(self, name, role, **more):
        self.web_app.accounts.book.add(
            TESTER, name, name.title(), role, password=ACCOUNT_PASSWORD, **more
        )
        return self.enter(name)

    def enter(self, name):
        """A new session; it is a client's headers."""
        secret = self.web_app.accounts.sessions.begin(name, "127.0.0.1")
        return headers_of({"diadema_session": secret, "diadema_csrf": csrf(secret)})

    def client(self, headers):
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://127.0.0.1",
            headers=headers, timeout=300,
        )  # fmt: skip

    async def begin(self, headers, call, purpose="coaching"):
        async with self.client(headers) as client:
            return await client.post(HEAR, json={"call": call, "purpose": purpose})

    async def get(self, headers, address, **more):
        async with self.client(headers) as client:
            return await client.get(address, headers=more)

    async def end(self, headers, listening, **body):
        async with self.client(headers) as client:
            return await client.post(f"/api/v1/listenings/{listening}/end", json=body)

    async def whole(self, headers, told):
        """All of the sound, as a player fetches it, and how many bytes that took."""
        found, size = b"", told["frames"] * told["sides"] * 2
        while len(found) < size:
            wanted = f"bytes={len(found)}-{min(len(found) + 160_000, size) - 1}"
            answer = await self.get(headers, told["sound"], range=wanted)
            assert answer.status_code == 206, answer.text
            found += answer.content
        return found

    def said(self, *kinds):
        """What the hub wrote down, in order."""
        row = tables.events.c
        query = tables.events.select().where(row.k.in_(kinds)).order_by(row.s, row.e, row.n)
        with open_reader(self.data.store) as reader, reader.engine.connect() as tx:
            return [json.loads(one.body) for one in tx.execute(query)]

    async def hub_is_there(self):
        with contextlib.suppress(NatsAbsent, HubAbsent, HubSilent):
            return await self.web_app.feed.request("hub.status", {})

    async def linked(self, count):
        """The hub has found what there is."""
        await until(lambda: len(self.said("recording.linked")) >= count)

    def logs(self):
        return "".join(
            path.read_text(errors="replace") for path in self.data.root.glob("logs/*.log")
        )


def tell(data, say):
    """What the hub's journal has already, as `say` tells it to a `Monitor`."""
    with contextlib.closing(open_writer(data.store)) as writer:
        site = sites.parse(data.site.read_bytes())
        ingest = Ingest(writer, site, FixedClock(NOW))
        return say(Monitor(ingest.take_file))


@contextlib.asynccontextmanager
async def sound_stage(centre, *, informed_ms=T0 - 1, informed=("a001", "a002")):
    """`informed_ms`: when notices were published, and these agents had signed theirs."""
    data = centre.data
    settings.write(data, centre.settings)
    inform(data, informed_ms, informed)
    async with contextlib.AsyncExitStack() as held:
        broker = await held.enter_async_context(running_broker(data.root))
        clock = SharedClock(data.root / "clock", create=True)
        clock.set(NOW, 1)
        ingest = await held.enter_async_context(IngestProcess(broker, data.root / "clock"))
        given = Settings(data.root, broker.url, "host", broker.secrets.host, broker.secrets.api)
        web_app = WebApp(given, open_clock(data.root / "clock"), "b")
        guarded = create_app(web_app)
        app = guarded._app._app
        app.add_api_route(HEAR, hear, methods=["POST"])
        app.router.routes.insert(0, app.router.routes.pop())  # before the pages' own
        await held.enter_async_context(web_app.running())
        stage = SoundStage(centre, web_app, guarded, broker, ingest, clock)
        await until(stage.hub_is_there)
        yield stage
