"""A simulated centre whose queues are an exchange's: real firmware in the VM, hub, bridge, and the
exchange that `asterisk_peer` plays.
"""

import time
from collections import Counter
from contextlib import asynccontextmanager, closing, suppress

from diadema.base import credentials
from diadema.site.description import load
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import begin
from diadema.store import tables
from diadema.switch import settings
from diadema.switch.asterisk.files import NATIONAL
from diadema.switch.settings import Settings
from diadema.wire.ask_hub import ask_hub
from diadema_sim import people
from diadema_sim.centre import open_centre
from sqlalchemy import select

from tests.support.asterisk_peer import SECRET, AsteriskPeer
from tests.support.broker_fixtures import until

AREA = "104"  # the telephone of each area
NUMBER = "999000111"
_ENDS = {
    "COMPLETEAGENT": ("answered", "agent"), "COMPLETECALLER": ("answered", "caller"),
    "BLINDTRANSFER": ("answered", "transfer"), "ABANDON": ("abandoned", None),
    "EXITWITHTIMEOUT": ("timeout", None),
}  # fmt: skip


@asynccontextmanager
async def switched_centre(tmp_path, count=1, *, seed=0, foreign="leave", **more):
    """The centre with `count` stations that are on, and the exchange; telephones 101, 102, …"""
    desks = people.desks(count)
    async with AsteriskPeer.start(seed=seed, **more) as peer:

        def prepare(data):
            _describe(data, desks)
            with credentials.changing(data) as known:
                known.exchange = {"ami": SECRET, "ari": SECRET}
            settings.write(
                data,
                Settings(
                    ami_port=peer.ami_port, ari_port=peer.ari_port, foreign=foreign,
                    allowed=[*NATIONAL],
                ),
            )  # fmt: skip

        async with open_centre(
            desks, name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE,
            start_utc_ms=int(time.time() * 1000), data=tmp_path / "data", prepare=prepare,
        ) as centre:  # fmt: skip
            await centre.switch_on()
            await until(lambda: is_up(centre))
            yield centre, peer


def _describe(data, desks):
    now = int(time.time() * 1000)
    with Directory(data.directory) as book:
        begin(book, load(data.site), now)
        body = KINDS["queues"].read({"code": "ventas", "name": "Ventas"})
        book.apply(
            [Change(kind="queues", code="ventas", body=body)], by="t", reason="t", at_ms=now
        )

        def change(kind, code, **given):
            entry = book.entry(kind, code)
            body = KINDS[kind].read(entry.body | given)
            return Change(kind=kind, code=code, body=body, seen=entry.version)

        wanted = [change("areas", area["code"], number=AREA) for area in people.AREAS]
        for number, desk in enumerate(desks, 101):
            wanted.append(change("agents", desk.person.id, queues=["ventas"]))
            wanted.append(change("seats", desk.seat, extension=f"PJSIP/{number}"))
        book.apply(wanted, by="t", reason="t", at_ms=now)


async def shown(centre):
    return (await ask_hub(centre.data, "hub.switch.shown", {}))["switch"] or {}


async def is_up(centre):
    return (await shown(centre)).get("up")


def told_by_the_log(lines):
    """pbx → (outcome, by whom, agent), as the exchange's own log has each call that is over."""
    agents, calls = {}, {}
    for line in lines:
        _, pbx, _, agent, verb, *_ = line.split("|")
        if verb == "CONNECT":
            agents[pbx] = agent
        elif verb in _ENDS:
            calls[pbx] = (*_ENDS[verb], agents.get(pbx))
    return calls


def told_by_the_store(centre):
    """The same, of what the bridge told."""
    calls = {}
    with closing(centre.reader()) as reader, reader.engine.connect() as tx:
        for row in tx.execute(select(tables.queue_calls)):
            by = (row.transfer and "transfer") or row.ended_by
            outcome = row.outcome if row.outcome != "left" else row.cause
            if row.end_utc is not None:
                calls[row.pbx] = (outcome, by, row.agent)
    return calls


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
