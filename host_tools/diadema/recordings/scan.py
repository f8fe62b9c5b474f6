"""Looks through the folders, probes what is new, and links it to contacts. What an earlier look
found stays as it was unless a file or what is known of a call has changed.
"""

from collections.abc import Iterable
from contextlib import suppress

from msgspec import Struct, field

from diadema.recordings import calls, files, linking
from diadema.recordings.decoding import Decoders, Unfit
from diadema.recordings.files import Found
from diadema.recordings.index import (
    COPY,
    DELETED,
    GONE,
    READY,
    WRITING,
    File,
    Index,
    Key,
    Link,
    Recorded,
)
from diadema.recordings.settings import DAY_MS, Names, Settings
from diadema.site.directory.people import People, whose
from diadema.store import Reader
from diadema.store.rows import Contact

SETTLED_MS = 15_000  # what was written to later than this may still be
_MISSING_MS = 3_600_000  # after a call's end its recording is there, or missing
_LATE_MS = 2 * DAY_MS  # for so long stations may bring contacts, and recorders files
_LONGEST_MS = 4 * 3_600_000  # a call waits and talks for less before its last agent takes it
_COARSE_NS = 2_000_000_000  # a file system's clock may be as coarse as that


class Scanned(Struct):
    """What changed, in the order of its contacts: each link, and each contact without one with
    why. `absent`: folders that cannot be read.
    """

    linked: list[Link] = field(default_factory=list)
    missing: list[Link] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


class Scan:
    """One look. Raises DiademaError for an index or a store that cannot be read."""

    def __init__(
        self,
        settings: Settings,
        index: Index,
        reader: Reader,
        people: People,
        decoders: Decoders,
        now_utc: int,
    ) -> None:
        self._settings, self._index, self._reader = settings, index, reader
        self._decoders = decoders
        self._people, self._now = people, now_utc
        self._names = Names(settings)
        self._fresh: list[File] = []
        self._done = Scanned()

    def run(self, whole: bool = True) -> Scanned:
        """`whole`: what was never linked is tried again, however long it is there."""
        for root in self._settings.folders:
            try:
                self._look(root, "")
            except OSError:
                self._done.absent.append(root)
        calls.hear_switch(self._reader.engine, self._index)
        orphans = "state = ? AND id NOT IN (SELECT file FROM links WHERE file IS NOT NULL)"
        since = 0 if whole else self._now - _LATE_MS
        waiting = self._index.files(f"{orphans} AND start_utc >= ?", READY, since)
        for day in sorted({one.start_utc // DAY_MS for one in [*waiting, *self._fresh]}):
            self._link(day * DAY_MS, (day + 1) * DAY_MS)
        self._find_missing()
        return self._done

    # -- files

    def _look(self, root: str, folder: str) -> None:
        known = self._index.folder_time(root, folder)
        changed_ns = files.changed_ns(root, folder)
        if known == changed_ns:
            below = self._index.folders_in(root, folder)
        else:
            changed_ns, found, below = files.listed(root, folder)
            settled = self._judge(root, folder, found)
            quiet = changed_ns < self._now * 1_000_000 - _COARSE_NS
            self._index.note_folder(root, folder, changed_ns if settled and quiet else 0)
        for one in below:
            with suppress(FileNotFoundError):
                self._look(root, one)

    def _judge(self, root: str, folder: str, found: list[Found]) -> bool:
        """Whether none of them is still being written."""
        known = self._index.in_folder(root, folder)
        settled = True
        for one in found:
            file = known.pop(one.path, None) or self._new(one)
            if file is None:
                continue
            if file.found != one or file.state == GONE:
                self._index.changed(file.id, one, WRITING)
            elif file.state != WRITING:
                continue
            if one.mtime_ns > (self._now - SETTLED_MS) * 1_000_000:
                settled = False
                continue
            self._probe(file.id)
        for file in known.values():
            if file.state not in (GONE, DELETED) and self._index.file(file.id) == file:
                self._index.changed(file.id, file.found, GONE)
        return settled

    def _new(self, found: Found) -> File | None:
        """None for one that is none of the recordings, and for one that only lies elsewhere now:
        a recording is what its first name said.
        """
        its = (found.inode, found.size, found.mtime_ns)
        where = "inode = ? AND size = ? AND mtime_ns = ? AND state != ?"
        for file in self._index.files(where, *its, DELETED):
            if not files.still_there(file.found):
                state = READY if file.state == GONE and file.probed is not None else file.state
                self._index.changed(file.id, found, state)
                return None
        named = self._names.read(found.name)
        if named is None:
            return None
        self._index.add(found, named)
        return self._index.files("root = ? AND path = ?", found.root, found.path)[0]

    def _probe(self, id_: int) -> None:
        file = self._index.file(id_)
        assert file is not None
        try:
            with files.opened(file.found.root, file.found.path) as descriptor:
                probed, wave = self._decoders.probe(descriptor)
        except OSError:
            return  # gone since, or a link by now
        except Unfit as error:
            self._index.judged(file, error.reason, None)
            return
        twins = self._index.files("hash = ? AND id != ? AND state != ?", probed.hash, id_, DELETED)
        for twin in twins:
            if not files.still_there(twin.found):  # copied elsewhere and deleted, or renamed so
                self._index.drop(id_)
                self._index.changed(twin.id, file.found, READY)
                return
        state = COPY if any(twin.named != file.named for twin in twins) else READY
        self._index.judged(file, state, probed)
        self._index.keep_wave(id_, wave)
        if state == READY:
            self._fresh += self._index.files("id = ?", id_)

    # -- links

    def _link(self, start_utc: int, end_utc: int) -> None:
        """All contacts that a recording of these times may be of, by all recordings that may be
        theirs: so each is compared with whatever else would fit.
        """
        near = self._index.between(start_utc - _LONGEST_MS, end_utc + _LONGEST_MS)
        contacts = calls.begun(self._reader.engine, start_utc - _MISSING_MS, end_utc + _LONGEST_MS)
        chosen = linking.choose(contacts, near, self._recorded(near), self._agent_of)
        inside = {one.id for one in near if start_utc <= one.start_utc < end_utc}
        for at, fit in chosen.items():
            contact = contacts[at]
            if fit is None:
                self._note(_without(contact, "ambiguous"))
            elif fit.file.id in inside and fit.file.state == READY:
                self._note(self._linked(contact, fit))

    def _linked(self, contact: Contact, fit: linking.Fit) -> Link:
        with self._reader.engine.connect() as connection:
            paused = calls.pauses(connection, contact)
            uncertain = calls.uncertainty_ms(connection, contact)
        return linking.link(contact, fit, uncertain, paused)

    def _note(self, link: Link) -> None:
        if self._index.link(link.call) != link:
            self._index.note_link(link, self._now)
            (self._done.missing if link.reason else self._done.linked).append(link)

    def _recorded(self, near: Iterable[File]) -> dict[str, list[Recorded]]:
        ids = {one.named.pbx for one in near if one.named.pbx}
        return {pbx: its for pbx in ids if (its := self._index.recorded(pbx))}

    def _agent_of(self, name: str, utc_ms: int | None) -> str:
        """Whoever the switch calls so at that moment."""
        if name in self._people.workers:
            return name
        return whose(self._people.aliases.get(name, []), utc_ms)

    def _find_missing(self) -> None:
        """Nothing is missing from before the first recording, and none while a folder is away."""
        first = self._index.first_utc()
        if first is None or self._done.absent:
            return
        first -= linking.AROUND_MS
        looked = self._index.looked()
        since = first if looked is None else max(looked - _LATE_MS, first)
        until = self._now - _MISSING_MS
        for contact in calls.begun(self._reader.engine, since, until):
            if (contact.close_utc or self._now) < until and self._index.link(
                _key(contact)
            ) is None:
                self._note(_without(contact, "no_file" if contact.pbx else "no_call_id"))
        self._index.note_looked(until)


def _key(contact: Contact) -> Key:
    return contact.station, contact.epoch, contact.sequence


def _without(contact: Contact, reason: str) -> Link:
    return Link(call=_key(contact), agent=contact.agent, reason=reason)
