"""The bridge as a process: one data directory, one exchange, until it is ended."""

import asyncio
import logging
import os
from collections.abc import Callable

from diadema.base import credentials
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.locks import locked
from diadema.base.paths import DataDir
from diadema.exchange.queue_log_events import caller_reference
from diadema.site.directory.people_of import CachedPeople, day_at
from diadema.switch import settings as stored_settings
from diadema.switch.asterisk.exchange import Asterisk
from diadema.switch.bridge import Bridge
from diadema.switch.dialing import Guard
from diadema.switch.exchange import Exchange, Hear, Known
from diadema.switch.hub_link import HubAway, HubLink
from diadema.switch.journal import Journal
from diadema.switch.names import Names
from diadema.switch.settings import Settings
from diadema.wire.switching import BEAT_S
from diadema.words import Sentence

_KINDS: dict[str, Callable[[Settings, credentials.Secrets, Hear, Clock, Known], Exchange]] = {
    "asterisk": Asterisk
}
_BATCH = 200  # events of one request
_LOCK_S = 10.0  # the bridge of a hub that was killed needs a moment to end
_RETRY_S = 0.5

log = logging.getLogger("diadema.switch")


async def run(data: DataDir, clock: Clock, *, url: str | None = None) -> None:
    """Until cancelled. `url` of NATS; without it that of the hub which runs on the directory.
    Raises DiademaError where no exchange is set up, or another bridge runs.
    """
    settings = stored_settings.read(data)
    if settings is None:
        raise DiademaError(Sentence("errors.switch.not_set_up", path=data.switch))
    secrets = credentials.load(data)
    with locked(data.switch_lock, wait_s=_LOCK_S):
        journal = Journal(data.switch_journal, settings.name)
        try:
            await _serve(data, clock, settings, secrets, journal, url)
        finally:
            journal.close()


async def _serve(
    data: DataDir,
    clock: Clock,
    settings: Settings,
    secrets: credentials.Secrets,
    journal: Journal,
    url: str | None,
) -> None:
    people = CachedPeople(data)
    bridge = Bridge(
        lambda: Names(people.on(day_at(data, clock.now_ms()))),
        journal,
        clock,
        puts_right=settings.foreign == "put_right",
        guard=Guard(settings.allowed, settings.hourly, clock.now_ms, journal),
        reference=lambda number: caller_reference(secrets.badge_key, number),
        listeners=settings.listeners,
    )
    link = HubLink(
        lambda: _url_of(data, url),
        secrets.switch,
        bridge.station_said,
        bridge.floor,
        bridge.report,
        bridge.hub_lost,
        bridge.dial,
        bridge.listen,
    )
    bridge.join(exchange_of(settings, secrets, bridge.hear, clock, journal.known()), link)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(link.run(BEAT_S))
            tasks.create_task(bridge.exchange.run())
            tasks.create_task(_send(bridge, journal, link))
    finally:
        await bridge.close()


def exchange_of(
    settings: Settings, secrets: credentials.Secrets, hear: Hear, clock: Clock, known: Known
) -> Exchange:
    """Of the kind that the settings name."""
    return _KINDS[settings.kind](settings, secrets, hear, clock, known)


def _url_of(data: DataDir, given: str | None) -> str | None:
    hub = data.read_hub()
    return hub.nats if hub is not None else given or os.environ.get("DIADEMA_NATS")


async def _send(bridge: Bridge, journal: Journal, link: HubLink) -> None:
    """What the exchange told, until the hub has stored it."""
    while True:
        bridge.unsent.clear()
        try:
            while bodies := journal.unsent(_BATCH):
                journal.stored(await link.tell(journal.station, journal.epoch, bodies))
        except HubAway as error:
            log.debug("%s", error)
            await asyncio.sleep(_RETRY_S)
            continue
        except DiademaError as error:
            bridge.trouble(error)
            await asyncio.sleep(_RETRY_S)
            continue
        await bridge.unsent.wait()
