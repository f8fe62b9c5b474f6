"""A store with days of stations and a switch, as a report's tests read it."""

import json

from diadema.base.paths import DataDir
from diadema.exchange.bank_import import import_bank
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.store import open_writer

from tests.support.bank_files import Log
from tests.support.scripted_station import SITE, T0, FixedClock, Script


def stations(folder, days=2, clock=None, site=SITE):
    """Two agents work for some days: calls with hold, missed ones, dialled ones, breaks."""
    data = DataDir(folder)
    data.make()
    data.site.write_text(json.dumps(site))
    clock = clock or FixedClock(T0 + days * 86_400_000)
    writer = open_writer(data.store)
    try:
        ingest = Ingest(writer, sites.parse(json.dumps(site).encode()), clock)
        for k, agent in enumerate(("a001", "a002")):
            script = Script(s=f"DIA-0123456789a{'bc'[k]}", agent=agent)
            for day in range(days):
                worked(script.boot().clock(T0 + day * 86_400_000), f"{agent}-{day}", k)
            ingest.take(script.messages(), "stream", "server")
    finally:
        writer.close()
    return data


def stored(folder, *scripts, site=SITE, now=T0 + 86_400_000):
    """What these stations tell."""
    data = DataDir(folder)
    data.make()
    data.site.write_text(json.dumps(site))
    writer = open_writer(data.store)
    try:
        ingest = Ingest(writer, sites.parse(json.dumps(site).encode()), FixedClock(now))
        for script in scripts:
            ingest.take(script.messages(), "stream", "server")
    finally:
        writer.close()
    return data


def worked(script, name, k):
    script.mark("in").login(mark=True).ready(30_000)
    for call in range(3 + k):
        script.call(f"{name}-{call}", talk=61_500 + 7000 * call, hold=9_400 * (call % 2),
                    wrap=12_300, code="111" if call else "112")  # fmt: skip
        script.ready(20_000)
    script.offer(f"{name}-m", 5000).contact("missed", f"{name}-m", 20_000, cause="no_answer")
    script.presence("ready", "not_ready", "refrigerio")
    script.presence("not_ready", "not_ready", "sshh", after=900_000)
    script.ready(120_000).mark("out", 30_000).logout()


def switch(folder):
    """A month of the switch's calls beside them."""
    log = Log()
    for at, wait, talk in ((0, 0, 40), (30, 20, 900), (61, 21, 2), (500, 3, 4000), (1700, 40, 7)):
        log.agent(8 * 3600 + at, "LUCUMA", wait=wait, talk=talk)
        log.hang(9 * 3600 + at, wait=wait).phantom(9 * 3600 + at, wait=wait)
    import_bank([log.write(folder / "log.tsv")], DataDir(folder), FixedClock(T0))
