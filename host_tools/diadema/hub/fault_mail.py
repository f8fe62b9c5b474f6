"""Tells an area by mail that a ticket of its own was taken or given to somebody, each time once.

What came of it is a note of the ticket, so that people see a mail that was refused, and that a hub
which was killed knows what is sent. It goes out beside the hub's own loop, one after another.
"""

import asyncio
import logging
from typing import NamedTuple

from diadema.base import mail
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.sanitize import visible
from diadema.base.standing import read_standing
from diadema.hub.fault_book import Taken
from diadema.hub.fault_desk import FaultDesk
from diadema.hub.own_journal import Recorded
from diadema.site.context import language_of, site_of
from diadema.words import said, text
from diadema.words.formatting import NOTHING, local_time

RULE = "rule:mail"

log = logging.getLogger("diadema.ingest")


class _Sending(NamedTuple):
    taken: Taken
    task: asyncio.Task[str | None]


class FaultMail:
    def __init__(self, data: DataDir, desk: FaultDesk) -> None:
        self._data = data
        self._desk = desk
        self._sending: _Sending | None = None
        self._left: set[tuple[str, int, int]] = set()  # not to be sent, as nobody set up any

    def look(self) -> Recorded | None:
        """What came of one; the next one begins. Raises StoreUnavailable or StoreStale; then it
        waits to be told.
        """
        if self._sending is None:
            for taken in self._desk.untold(RULE):
                if taken.key not in self._left:
                    task = asyncio.create_task(asyncio.to_thread(self._send, taken))
                    self._sending = _Sending(taken, task)
                    break
            return None
        taken, task = self._sending
        if not task.done():
            return None
        outcome = task.result()
        noted = None if outcome is None else self._desk.note(taken.ticket, RULE, outcome)
        self._left.add(taken.key)
        self._sending = None
        return noted

    def _send(self, taken: Taken) -> str | None:
        """What to say of it; None where nothing is to be sent."""
        language = language_of(site_of(self._data))
        to = visible(taken.to)
        try:
            standing = read_standing(self._data)
            known = mail.load(self._data)
            if standing.trial or taken.utc <= standing.in_force_ms or known.server is None:
                return None
            address = mail.listed(self._data, taken.to)
            letter = self._letter(known.server, address, taken)
            asyncio.run(mail.send(self._data, known.server, [address], letter))
        except (DiademaError, OSError) as error:
            log.warning("the area of ticket %s was not told: %s", taken.ticket, error)
            return text("acting.ticket_not_mailed", language, to=to, reason=said(error, language))
        return text("acting.ticket_mailed", language, to=to)

    def _letter(self, server: mail.Server, to: str, taken: Taken) -> bytes:
        """Known by the same name when it is sent again, after a cut before its note."""
        site, hub = site_of(self._data), self._data.read_hub()
        language = language_of(site)
        values = {
            "title": visible(taken.title),
            "severity": taken.severity or NOTHING,
            "site": site.site if site else "Diadema",
            "seats": visible(", ".join(taken.seats)) or NOTHING,
            "since": local_time(taken.since_utc, site.zone if site else "UTC", "moment"),
            "external": visible(taken.external) or NOTHING,
            "text": "\n\n".join(visible(one, lines=True) for one in taken.texts) or NOTHING,
            "link": f"{hub.web if hub else ''}{taken.page}?ticket={taken.ticket}",
        }
        made = mail.message(
            server,
            [to],
            text("acting.ticket_mail_subject", language, **values),
            text("acting.ticket_mail_body", language, **values),
        )
        _, e, n = taken.key
        made["Message-ID"] = f"<{taken.ticket}.{e}.{n}@{server.sender.partition('@')[2]}>"
        return made.as_bytes()
