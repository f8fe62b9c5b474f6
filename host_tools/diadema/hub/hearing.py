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
from diadema.store.assistance import Key
from diadema.store.assistance import key_of as place_of
from diadema.store.contact_rows import key_of
from diadema.store.quality import assigned_calls, cases, notices, signatures
from diadema.store.quality_rows import RecordingAct
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

    def person(self, account: str) -> Person | None:
        """As whom it acts now; None where it is not in use."""
        return self._person(account)

    def people(self) -> People:
        """As they were read last."""
        return self._people()

    def decide(self, ask: Ask, contact: Contact) -> Granted:
        """Of a call that goes on. Raises Refused, whose `error` says why in a word."""
        person = self._known(ask.by)
        wanted = Wanted(source="live", purpose=ask.purpose, mode=ask.mode)
        announced = self._permit(person, contact, wanted, [])
        helps = ask.purpose in SUPERVISING
        return Granted(announced, person.name if helps else QUALITY)

    def check_recording(
        self, by: str, contact: Contact, purpose: str, of: Key | None, acts: list[RecordingAct]
    ) -> None:
        """Of one that is over; `of`: by that assignment and no other one, `acts`: on its
        recording. Raises Refused, as above.
        """
        wanted = Wanted(source="recording", purpose=purpose)
        self._permit(self._known(by), contact, wanted, acts, of)

    def _permit(
        self,
        person: Person,
        contact: Contact,
        wanted: Wanted,
        acts: list[RecordingAct],
        of: Key | None = None,
    ) -> bool:
        """Whether the agent sees it meanwhile."""
        site = self._ingest.site
        with self._reader.engine.connect() as tx:
            assigned = assigned_calls(tx, assignee=person.id, calls=[key_of(contact)])
            grounds = Grounds(
                people=self._people(),
                zone=site.tz if site is not None else ZoneInfo("UTC"),
                now_ms=self._ingest.clock.now_ms(),
                published=published_of(notices(tx)),
                signatures=signatures(tx, agent=contact.agent),
                acts=acts,
                assigned=[one for one in assigned if of in (None, place_of(one.assignment))],
                cases=cases(tx, calls=[key_of(contact)]),
            )
        found = may_hear(person, contact, wanted, grounds)
        if isinstance(found, Barred):
            raise Refused(found.reason, str(found.said), 403)
        return found.announced

    def _known(self, account: str) -> Person:
        """Raises Refused."""
        person = self._person(account)
        if person is None:
            raise Refused("no_account", f"the account {account} is not in use", 403)
        return person
