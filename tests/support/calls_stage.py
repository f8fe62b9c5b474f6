"""A centre whose calls were recorded, and in which one goes on: the real ingest, and the hub's own
desks of recordings and of listening, over a store that a web reads. Its clock stands.
"""

import asyncio
import json
from contextlib import suppress
from threading import Thread

import msgspec
from diadema.base.clock import SharedClock
from diadema.exchange.queue_log_events import caller_reference
from diadema.hub.commanding import Commands
from diadema.hub.hearing import Hearing
from diadema.hub.help_desk import HelpDesk
from diadema.hub.listening import ListeningDesk
from diadema.hub.own_journal import Refused
from diadema.hub.recording_desk import RecordingDesk
from diadema.ingest.core import Ingest
from diadema.recordings import settings
from diadema.site import description as sites
from diadema.site.directory.book import Directory
from diadema.site.directory.publishing import begin
from diadema.store import open_reader, open_writer
from diadema.wire.switching import Report

from tests.support.informed import inform
from tests.support.listening_bridge import Bridge
from tests.support.monitored import Monitor
from tests.support.recorded_calls import CALLER, NOW, Centre, hum, spoken
from tests.support.reported_day import stored
from tests.support.scripted_station import SITE, T0, Script
from tests.support.targeted import put
from tests.support.web_stage import ACCOUNT_PASSWORD, PASSWORD, TESTER, TOKEN, wait_for

PBX, OTHERS = "1795000000.1", "1795000400.2"
LIVE = "1795.4"  # the call that goes on
PAUSED = (10, 15)  # seconds of the first call
TEAMS = {"a001": "Mañana", "a002": "Tarde", "a003": "Mañana"}
KEYS = {"gateway": "", "badge_key": "0f" * 32, "card_key": "c4" * 16}


class LateBridge(Bridge):
    """That ends what is heard four seconds after it began."""

    def over(self, listening, at=NOW + 4000):
        super().over(listening, at)


class CallsStage:
    """`calls`: keys by name: c1 of a001 has a recording with a pause, c2 of a002 one, c3 of a001
    none. `many`: so many more of a001's, without a recording.
    """

    def __init__(self, folder, many=0, link="https://graba.example/ver?id={pbx}"):
        self.centre = centre = Centre(folder)
        self.clock = SharedClock(folder / "clock", create=True)
        self.clock.set(NOW, 0)
        (folder / "data").mkdir()
        secrets = folder / "data" / "secrets.json"
        secrets.touch(0o600)
        secrets.write_text(json.dumps({"host": PASSWORD, "api": TOKEN, **KEYS}))
        first, second = centre.station(), centre.station("a002")
        self._call(first, "c1", 60_000, 30, PBX, [PAUSED])
        self._call(second, "c2", 400_000, 20, OTHERS)
        self._call(first, "c3", 600_000, 25, "1795000600.3", code="112", queue="soporte")
        for at in range(many):
            self._call(first, f"m{at}", 900_000 + 60_000 * at, 30, f"1795001000.{at + 10}")
        centre.recorded(PBX, 60_000, 90_000).recorded(OTHERS, 400_000, 420_000)
        centre.file(spoken(30, hum(), [PAUSED]), 60_000, PBX)
        centre.file(spoken(20, hum()), 400_000, OTHERS, agent="102")
        self.calls = {"c1": centre.key("c1"), "c2": centre.key("c2", 1), "c3": centre.key("c3")}
        self.live = Script(s="DIA-0123456789ad", agent="a003").boot()
        self.live.clock(NOW - 600_000).login().ready()
        self.live.offer(LIVE, 1000, pbx="1795.1")
        self.live.contact("answered", LIVE, 2000, via="key", ring_ms=2000)
        centre.stations.append(self.live)
        scripts = [one for one in (*centre.stations, centre.switch) if one.bodies]
        self.site = self._site()
        self.data = centre.data = stored(folder / "data", *scripts, site=self.site, now=NOW)
        with Directory(self.data.directory) as book:
            begin(book, sites.load(self.data.site), 1)
        for name in ("Ventas", "Soporte"):
            put(self.data, "queues", code=name.lower(), name=name, switch_names=[name.lower()])
        inform(self.data, T0 - 1000, ["a001", "a002", "a003"])
        settings.write(self.data, msgspec.structs.replace(centre.settings, link=link))
        self._writer, self._reader = open_writer(self.data.store), open_reader(self.data.store)
        self.ingest = Ingest(self._writer, sites.load(self.data.site), self.clock)
        self.ingest.feeds = ("contact.", "command.refused")
        self.ingest.take([self.live.hello_message()], "stream", "server")
        commands = Commands(self.ingest, None)
        desk = HelpDesk(self.ingest, commands, self._reader, self.data)
        self._book = desk
        hearing = Hearing(self.ingest, self._reader, lambda: desk.people, desk.person)
        self.desk = RecordingDesk(self.data, self.ingest, commands, self._reader, hearing)
        self._begin_looking = self.desk._follower.begin
        self.desk._follower.begin = lambda: None
        self.bridge = LateBridge()
        self.listening = ListeningDesk(
            self.ingest, commands, self._reader, self.bridge, hearing.decide,
            bridge=self.bridge.ask, recorded=self._recorded, send=self._send,
        )  # fmt: skip
        self.monitor = Monitor(lambda messages: self.ingest.take_file(messages), s="HUB-monitor")
        self.no_switch = False
        self.asked, self._subscribed, self.frames = [], [], []
        self._stepping = asyncio.Lock()

    def _site(self):
        return SITE | {
            "stations": [*SITE["stations"], {"id": self.live.s, "seat": "A-03"}],
            "agents": [
                {"id": a, "name": name, "short": name[:9], "alias": a.upper(), "team": TEAMS[a],
                 "badges": []}
                for a, name in (("a001", "Rosa Quispe Huamán"), ("a002", "Luis Pari"),
                                ("a003", "Carmen Soto Ríos"))
            ],
        }  # fmt: skip

    def _call(self, script, c, start, seconds, pbx, pauses=(), code="111", queue="ventas"):
        reference = caller_reference(KEYS["badge_key"], CALLER) if c == "c1" else None
        more = {"reference": reference} if reference else {}

        def until(at):
            return start + round(at * 1000) - script.u

        script.offer(c, until(0), pbx=pbx, queue=queue, **more)
        script.contact("answered", c, 2000, via="key", ring_ms=2000)
        for begin_s, end_s in pauses:
            script.contact("recording_paused", c, until(begin_s), via="key")
            script.contact("recording_resumed", c, until(end_s), via="key")
        script.contact("ended", c, until(seconds), by="caller", on_hold=False)
        script.wrapup("started", c, 0)
        script.contact("typified", c, 5000, code=code, version=1, how="agent")
        script.wrapup("ended", c, 0, cause="typified").ready(1000)

    def begin(self, web):
        """People and places, the accounts, and what is found of recordings."""
        add = web.accounts.book.add
        add(
            TESTER,
            "elena",
            "Elena Ríos",
            "supervisor",
            teams=["Mañana"],
            password=ACCOUNT_PASSWORD,
        )
        add(TESTER, "tito", "Tito Paz", "supervisor", teams=["Tarde"], password=ACCOUNT_PASSWORD)
        add(TESTER, "ana", "Ana Torres", "monitor", password=ACCOUNT_PASSWORD)
        self._book.read()
        looking = Thread(target=self.desk._follower.look)
        looking.start()
        wait_for(lambda: not (self.desk._tell() or looking.is_alive()), "a look")

    async def serve(self, hub):
        """As the hub answers."""
        hub.answer = self.answer
        for subject, answer in (("hub.listen", self._listen), ("hub.switch.shown", self._switch)):
            self._subscribed.append(await hub.client.subscribe(subject, cb=answer))
        await hub.client.flush()
        self._book.read()
        for agent, row in self.ingest.floor.rows.items():
            await hub.put_raw(f"agent.{agent}", row)
        await hub.site()

    async def leave(self):
        for one in self._subscribed:
            await one.unsubscribe()
        self._subscribed.clear()
        self.asked.clear()
        self.bridge.__init__()
        self.no_switch = False
        await self.step()
        await self.step(2)

    def answer(self, body):
        try:
            given, _ = self.desk.act(body)
        except Refused as error:
            return {"error": error.error, "status": error.status, "values": error.values}
        return given

    async def _listen(self, message):
        body = msgspec.json.decode(message.data)
        self.asked.append(dict(body))
        do, reply = body.pop("do", None), None
        try:
            if do == "begin":
                reply = await self.listening.begin(body)
            elif do == "end":
                self.listening.end(body["listening"], body["by"])
                await self.step()
            reply = reply or {"listening": msgspec.to_builtins(self.listening.shown())}
        except Refused as error:
            reply = {"error": error.error, "detail": str(error), "status": error.status}
        await message.respond(msgspec.json.encode(reply))

    async def _switch(self, message):
        shown = None if self.no_switch else {"up": self.bridge.is_up, "age_s": 0, "report": None}
        await message.respond(msgspec.json.encode({"switch": shown}))

    async def _recorded(self, done):
        pass

    async def _send(self, frames):
        self.frames += [json.loads(frame) for _, frame in frames]

    async def step(self, seconds=0.0):
        """The desk of listening looks once, so much later, and never twice at once."""
        async with self._stepping:
            before = self.listening._monotonic
            self.listening._monotonic = lambda: before() + seconds
            listeners = [*self.bridge.listeners.values()]
            self.listening.hear_bridge(Report(name="central", up=True, listeners=listeners))
            await self.listening.step()
            self.listening._monotonic = before

    def lift(self):
        """The listener lifts the telephone, and the station tells its agent."""
        for one in self.bridge.listeners.values():
            if one.since_utc_ms is None:
                one.since_utc_ms = NOW

    def confirm(self):
        order = [one for one in self.frames if one["cmd"] == "listened"][-1]
        first = self.live.n + 1
        self.live.contact(
            "listened", LIVE, 500, state=order["state"], who=order["who"], i=order["i"]
        )
        effects = self.ingest.take(self.live.messages(first), "stream", "server")
        self.listening.hear_stations(effects.feed)

    def stray(self, call=LIVE):
        """Somebody spies at the exchange itself."""
        one = self.bridge.listeners
        self.bridge.rings("", call)
        one["stray"] = msgspec.structs.replace(one.pop(""), spyer="SIP/fuera-1", since_utc_ms=NOW)

    def register(self):
        kinds = ("k", "by", "purpose", "mode", "via", "heard_ms", "cause", "reason")
        said = (one.event for one in self._reader.events_of("HUB-main"))
        return [
            {name: one[name] for name in kinds if name in one}
            for one in said
            if one["k"].startswith(("listening.", "recording.rel", "recording.held"))
        ]

    def close(self):
        with suppress(Exception):
            self.desk.close()
        self._reader.close()
        self._writer.close()
