"""What a journal must say after a boot: kept beside it by its user, compared when it is mounted.

For `bench.py`, in the VM. `check` raises Wrong with what is not as it must be.
"""

import json

from lib.journal import EVENT, SNAPSHOT, Journal

_TAIL = 90  # events read back where not all are


class Wrong(Exception):
    pass


class Truth:
    """What the journal's user knows: accepted events, the one being written, the host's word."""

    def __init__(self):
        self.events = [b""]  # [n]
        self.pending = None
        self.acked = 0  # what the host holds
        self.released = 0  # no less than this may ever be called acknowledged
        self.epoch = None
        self.ended = 0  # starts that kept why they ended

    @property
    def last(self):
        return len(self.events) - 1

    def copy(self):
        other = Truth()
        other.events = self.events[:]
        other.pending = self.pending
        other.acked = self.acked
        other.released = self.released
        other.epoch = self.epoch
        other.ended = self.ended
        return other

    def snapshot(self):
        return b'{"last":%d,"presence":"ready","work":"talking","agent":"a001"}' % self.last


class Mounted:
    """A journal on `nor`, and whether what it says at boot agrees with `truth`."""

    def __init__(self, nor, truth):
        self.truth = truth
        self.state = None
        self.journal = Journal(nor, truth.snapshot)
        self.journal.mount(self._visit)

    def _visit(self, kind, n, payload):
        if kind == SNAPSHOT:
            known = json.loads(payload)["last"]
            if known != n:
                raise Wrong("snapshot of event %d counted as %d" % (known, n))
            if self.state is not None and known != self.state:
                raise Wrong("snapshot at %d follows event %d" % (known, self.state))
            self.state = n
        elif kind == EVENT:
            if self.state is not None and n != self.state + 1:
                raise Wrong("boot sees event %d after %d" % (n, self.state))
            self.state = n

    def check(self, newest_only=False):
        """Every accepted event once, in order, as it was written; then what was being written."""
        journal, truth = self.journal, self.truth
        last = truth.last
        if journal.last != last:
            if truth.pending is None or journal.last != last + 1:
                raise Wrong("last is %d, accepted are %d" % (journal.last, last))
            truth.events.append(truth.pending)  # it got there whole
            last += 1
        truth.pending = None
        if truth.epoch is not None and journal.epoch != truth.epoch:
            raise Wrong("another epoch")
        truth.epoch = journal.epoch
        if self.state is not None and self.state != last:
            raise Wrong("boot knows the state at %d of %d" % (self.state, last))
        if journal.acked > truth.released:
            raise Wrong("acked is %d, the host said %d" % (journal.acked, truth.released))
        first = journal.first
        if first > truth.acked + 1:
            raise Wrong("first is %d, the host holds 1 to %d" % (first, truth.acked))
        if newest_only:
            first = max(first, last - _TAIL)
        self._read(first, last)

    def _read(self, first, last):
        read, events, acked = self.journal.read, self.truth.events, self.truth.acked
        n = first
        while True:
            found = read(n)
            if found is None:
                break
            at, payload = found
            if at != n and n > acked:
                raise Wrong("event %d is gone, next is %d" % (n, at))
            if payload is None:
                n = at
                break
            if at < n or at > last or payload != events[at]:
                raise Wrong("event %d reads as something else (asked for %d)" % (at, n))
            n = at + 1
        if n != last + 1:
            raise Wrong("reading ends before event %d of %d" % (n, last))
