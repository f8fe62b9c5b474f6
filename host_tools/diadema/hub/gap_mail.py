"""Tells whoever answers for a playbook by mail what it lacks, as it was noted of a call for help.

The list of these is the store's; a mail is sent at most once, and one that nobody took is said in
the log.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from diadema.base import mail
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.sanitize import visible
from diadema.base.standing import read_standing
from diadema.hub.own_journal import Recorded
from diadema.site.context import language_of, site_of
from diadema.site.directory.people import People
from diadema.wire.long_texts import whole_text
from diadema.words import text
from diadema.words.formatting import NOTHING, local_time

_MOST = 100  # that wait for their turn
log = logging.getLogger("diadema.ingest")

type Event = dict[str, Any]


class GapMail:
    """`people` as they are now. `run` is its task."""

    def __init__(self, data: DataDir, people: Callable[[], People]) -> None:
        self._data = data
        self._people = people
        self._waiting: asyncio.Queue[list[Event]] = asyncio.Queue(_MOST)

    def tell(self, done: Recorded) -> None:
        """What these events say of a playbook, if they do."""
        events: list[Event] = [msgspec.json.decode(one.data) for one in done.messages]
        lacks = [one for one in events if one.get("gap") not in (None, "none")]
        if not lacks or self._address(lacks[0].get("playbook")) is None:
            return
        try:
            self._waiting.put_nowait(events)
        except asyncio.QueueFull:
            log.warning("%d mails about playbooks wait: what %s lacks is in the list alone",
                        _MOST, lacks[0]["playbook"])  # fmt: skip

    async def run(self) -> None:
        """Send for ever, one after the other."""
        while True:
            events = await self._waiting.get()
            try:
                await self._send(events)
            except (DiademaError, OSError) as error:
                log.warning("a gap of a playbook was not mailed, the list has it: %s", error)

    async def _send(self, events: list[Event]) -> None:
        """Raises DiademaError or OSError."""
        gap = next(one for one in events if one.get("gap"))
        address = self._address(gap["playbook"])
        known = mail.load(self._data)
        if address is None or known.server is None or read_standing(self._data).trial:
            return
        to = [mail.listed(self._data, address)]
        letter = await asyncio.to_thread(self._letter, known.server, to, gap, events)
        if refused := await mail.send(self._data, known.server, to, letter):
            log.warning("a gap of a playbook was not mailed to %s", ", ".join(refused))

    def _address(self, playbook: str | None) -> str | None:
        people: People = self._people()
        return people.owner_mails.get(playbook or "")

    def _letter(
        self, server: mail.Server, to: list[str], gap: Event, events: list[Event]
    ) -> bytes:
        """Nobody who asked or was helped is named in it."""
        site, hub = site_of(self._data), self._data.read_hub()
        language = language_of(site)
        parts = [
            (one["text"], one.get("part"), one.get("parts"), one.get("sha256"))
            for one in events
            if one.get("text")
        ]
        values = {
            "playbook": visible(gap["playbook"]),
            "version": visible(str(gap.get("version") or NOTHING)),
            "lack": text(f"help.gap.{gap['gap']}", language),
            "site": site.site if site else "Diadema",
            "when": local_time(gap["t"], site.zone if site else "UTC", "moment"),
            "by": visible(gap["by"]),
            "text": visible((whole_text(parts) if parts else None) or NOTHING),
            "link": f"{hub.web if hub else ''}/ui/help",
        }
        made = mail.message(
            server,
            to,
            text("acting.gap_mail_subject", language, **values),
            text("acting.gap_mail_body", language, **values),
        )
        place = ".".join(str(gap[name]) for name in ("s", "e", "n"))
        made["Message-ID"] = f"<gap.{place}@{server.sender.partition('@')[2]}>"
        return made.as_bytes()
