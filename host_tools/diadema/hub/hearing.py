"""Whether an account may hear a call just now: what accounts, directory and store say of it, put
before the one function that decides.
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from diadema.access.roles import Person
from diadema.hub.listening import QUALITY, Ask, Granted
from diadema.hub.own_journal import Refused
from diadema.ingest.core import Ingest
from diadema.quality.hearing import SUPERVISING, Barred, Grounds, Wanted, may_hear, published_of
from diadema.site.directory.people import People
from diadema.store import Reader
from diadema.store.quality import assigned_calls, notices, signatures
from diadema.store.rows import Contact


class Hearing:
    """`person`: as whom an account acts, None where it is not in use."""

    def __init__(
        self,
        ingest: Ingest,
        reader: Reader,
        people: Callable[[], People],
        person: Callable[[str], Person | None],
    ) -> None:
        self._ingest, self._reader = ingest, reader
        self._people, self._person = people, person

    def decide(self, ask: Ask, contact: Contact) -> Granted:
        """Raises Refused, whose `error` says why in a word."""
        person = self._person(ask.by)
        if person is None:
            raise Refused("no_account", f"the account {ask.by} is not in use", 403)
        wanted = Wanted(source="live", purpose=ask.purpose, mode=ask.mode)
        found = may_hear(person, contact, wanted, self._grounds(person, contact))
        if isinstance(found, Barred):
            raise Refused(found.reason, str(found.said), 403)
        helps = ask.purpose in SUPERVISING
        return Granted(found.announced, person.name if helps else QUALITY)

    def _grounds(self, person: Person, contact: Contact) -> Grounds:
        site = self._ingest.site
        with self._reader.engine.connect() as tx:
            return Grounds(
                people=self._people(),
                zone=site.tz if site is not None else ZoneInfo("UTC"),
                now_ms=self._ingest.clock.now_ms(),
                published=published_of(notices(tx)),
                signatures=signatures(tx, agent=contact.agent),
                assigned=assigned_calls(tx, assignee=person.id, waiting=True),
            )
