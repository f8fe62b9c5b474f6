"""A simulated centre whose queues are an exchange's: real firmware in the VM, hub, bridge, and the
exchange that `asterisk_peer` plays.
"""

import time
from collections import Counter
from contextlib import asynccontextmanager, closing, suppress

from diadema.site.directory.book import Change
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import open_directory
from diadema.switch import settings
from diadema.switch.settings import Settings
from diadema.wire.ask_hub import ask_hub
from diadema_sim import people
from diadema_sim.centre import open_centre
from diadema_sim.exchange.agreement import calls_of_log as told_by_the_log
from diadema_sim.exchange.agreement import calls_of_store
from diadema_sim.exchange.connecting import connect

from tests.support.asterisk_peer import AsteriskPeer
from tests.support.broker_fixtures import until

AREA = "104"  # the telephone of each area
NUMBER = "999000111"


@asynccontextmanager
async def switched_centre(tmp_path, count=1, *, seed=0, foreign="leave", **more):
    """The centre with `count` stations that are on, and the exchange; telephones 101, 102, …"""
    desks = people.desks(count)
    async with AsteriskPeer.start(seed=seed, **more) as peer:

        def prepare(data):
            _describe(data, peer, desks)
            ports = Settings(ami_port=peer.ami_port, ari_port=peer.ari_port, foreign=foreign)
            settings.write(data, ports)

        async with open_centre(
            desks, name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE,
            start_utc_ms=int(time.time() * 1000), data=tmp_path / "data", prepare=prepare,
        ) as centre:  # fmt: skip
            await centre.switch_on()
            await until(lambda: is_up(centre))
            yield centre, peer


def _describe(data, peer, desks):
    now = int(time.time() * 1000)
    with open_directory(data, now) as book:
        body = KINDS["queues"].read({"code": "ventas", "name": "Ventas"})
        queue = Change(kind="queues", code="ventas", body=body)
        book.apply([queue], by="t", reason="t", at_ms=now)
    connect(
        data, peer, queues={desk.person.id: ["ventas"] for desk in desks},
        seats={desk.seat: f"PJSIP/{number}" for number, desk in enumerate(desks, 101)},
        areas={area["code"]: AREA for area in people.AREAS}, at_ms=now,
    )  # fmt: skip


async def shown(centre):
    return (await ask_hub(centre.data, "hub.switch.shown", {}))["switch"] or {}


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


def pauses(lines):
    """How often each reason stands in the exchange's log."""
    found = (line.split("|") for line in lines)
    return Counter(words[5] for words in found if words[4] == "PAUSE")
