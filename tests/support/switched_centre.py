"""A simulated centre whose queues are an exchange's: real firmware in the VM, hub, bridge, and the
exchange that `asterisk_peer` plays.
"""

import asyncio
import time
from collections import Counter
from contextlib import asynccontextmanager, closing, suppress

from diadema.base.errors import DiademaError
from diadema.cli.main import app
from diadema.site.directory.book import Change
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import open_directory
from diadema.switch.asterisk.files import NATIONAL
from diadema.switch.settings import Settings
from diadema.wire.ask_hub import ask_hub
from diadema_sim import people
from diadema_sim.centre import open_centre
from diadema_sim.exchange.agreement import calls_of_log as told_by_the_log
from diadema_sim.exchange.agreement import calls_of_store
from diadema_sim.exchange.connecting import connect
from typer.testing import CliRunner

from tests.support.asterisk_peer import SECRET, AsteriskPeer
from tests.support.broker_fixtures import until

AREA = "104"  # the telephone of each area
NUMBER = "999000111"


@asynccontextmanager
async def switched_centre(tmp_path, count=1, *, seed=0, foreign="leave", **more):
    """The centre with `count` stations that are on, and the exchange; telephones 101, 102, …"""
    async with AsteriskPeer.start(seed=seed, **more) as peer:
        plug_in(peer, count)
        async with centre_of(tmp_path, way_to(peer, foreign=foreign), count) as centre:
            yield centre, peer


@asynccontextmanager
async def centre_of(tmp_path, way, count, prepare=lambda data, agents: None):
    """Of an exchange that is there: `way`, the settings of the bridge to it. `prepare` what it
    has before it runs.
    """
    desks = people.desks(count)

    def made(data):
        describe(data, way, [(one.person.id, one.seat) for one in desks])
        prepare(data, [one.person.id for one in desks])

    async with open_centre(
        desks, name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE,
        start_utc_ms=int(time.time() * 1000), data=tmp_path / "data", prepare=made,
    ) as centre:  # fmt: skip
        await centre.switch_on()
        await until(lambda: is_up(centre))
        yield centre


def plug_in(peer, count):
    """The telephones of so many seats."""
    for number in range(101, 101 + count):
        peer.telephone(f"PJSIP/{number}")


def way_to(peer, **more):
    more.setdefault("allowed", [*NATIONAL])
    return Settings(ami_port=peer.ami_port, ari_port=peer.ari_port, **more)


def describe(data, way, seated, queues=("ventas",)):
    """Into the directory: who sits where, each in all `queues`; telephones 101, 102, …"""
    now = int(time.time() * 1000)
    with open_directory(data, now) as book:
        bodies = [KINDS["queues"].read({"code": one, "name": one.title()}) for one in queues]
        made = [Change(kind="queues", code=body["code"], body=body) for body in bodies]
        book.apply(made, by="t", reason="t", at_ms=now)
        areas = {one.code: AREA for one in book.entries("areas")}
    connect(
        data, way, SECRET, queues={agent: queues for agent, _ in seated},
        seats={seat: f"PJSIP/{number}" for number, (_, seat) in enumerate(seated, 101)},
        areas=areas, at_ms=now,
    )  # fmt: skip


async def shown(centre):
    """As the hub says, which may be busy."""

    async def answer():
        with suppress(DiademaError):
            return await ask_hub(centre.data, "hub.switch.shown", {})

    return (await until(answer))["switch"] or {}


async def is_up(centre):
    return (await shown(centre)).get("up")


def told_by_the_store(centre):
    """The same as `told_by_the_log`, of what the bridge told."""
    with closing(centre.reader()) as reader:
        return calls_of_store(reader)


async def settled(centre, peer):
    """Until the store has what the log has; what it has then."""

    def same():
        return told_by_the_store(centre) == told_by_the_log(peer.queue_log())

    with suppress(TimeoutError):
        await until(same, 30)
    return told_by_the_store(centre)


async def imported(centre, log):
    """What `diadema import queue-log` says of the exchange's own log."""
    words = ["import", "queue-log", str(log), "--name", "central", "--data", str(centre.data.root)]
    done = await asyncio.to_thread(CliRunner().invoke, app, words, env={"DIADEMA_LANG": "es"})
    assert done.exit_code == 0, done.output
    return done.output


def pauses(lines):
    """How often each reason stands in the exchange's log, but for the log-in's own, which may be
    over before the exchange is told of it.
    """
    found = (line.split("|") for line in lines)
    return Counter(words[5] for words in found if words[4] == "PAUSE" and words[5] != "login")
