"""The journal under any use, cuts of power included, beside a list that keeps the truth; and the
host's own reader of the same flash must tell the same.
"""

import random

from diadema.wire.journal import walk
from hypothesis import given, settings
from hypothesis import strategies as st
from lib import journal, journal_start
from lib.errors import JournalFull
from lib.journal import Journal

from tests.support.examples import examples
from tests.support.nor import Nor, PowerCut

steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(2, 448)),
        st.tuples(st.just("append"), st.integers(100, 200)),
        st.tuples(st.just("many"), st.integers(5, 40)),
        st.tuples(st.just("ack"), st.integers(0, 40)),
        st.tuples(st.just("idle"), st.just(0)),
        st.tuples(st.just("boot"), st.just(0)),
        st.tuples(st.just("cut"), st.integers(0, 6000)),
    ),
    max_size=40,
)


def test_both_halves_have_one_layout() -> None:
    ours, theirs = vars(journal), vars(journal_start)
    shared = {name for name in ours if name in theirs and name.strip("_").isupper()}
    assert {"_HEADER", "_SECTOR", "_ACK", "EVENT"} < shared
    assert {name: ours[name] for name in shared} == {name: theirs[name] for name in shared}


class Bench:
    def __init__(self, sectors: int) -> None:
        self.nor = Nor(sectors)
        self.truth: dict[int, bytes] = {}
        self.acked = 0
        self.random = random.Random(1)
        self.boot()

    def boot(self, budget: int | None = None) -> None:
        self.nor = Nor(
            image=self.nor.image, budget=budget, erased_part=self.random.randrange(4096)
        )
        self.journal = Journal(self.nor, lambda: b'{"s":%d}' % len(self.truth))
        self.journal.mount()

    def append(self, size: int) -> None:
        n = self.journal.last + 1
        payload = bytes(self.random.randrange(256) for _ in range(size))
        try:
            assert self.journal.append(payload) == n
        except JournalFull:
            assert self.journal.free == 0
            return
        except PowerCut:
            self.truth[n] = payload  # if it got there whole, it must be this
            raise
        self.truth[n] = payload

    def run(self, name: str, amount: int) -> None:
        match name:
            case "append":
                self.append(amount)
            case "many":
                for _ in range(amount):
                    self.append(120)
            case "ack":
                self.acked = max(self.acked, self.journal.last - amount)
                self.journal.ack(self.acked)
            case "idle":
                self.journal.erase_ahead()
            case "boot" | "cut":
                self.boot(amount if name == "cut" else None)

    def step(self, name: str, amount: int) -> None:
        before = self.journal.last
        try:
            self.run(name, amount)
        except PowerCut:
            self.boot()
            # only the event that was being written may be missing
            assert self.journal.last >= max(before, len(self.truth) - 1)
            for n in list(self.truth):
                if n > self.journal.last:
                    assert n == self.journal.last + 1
                    del self.truth[n]
        self.check()

    def check(self) -> None:
        journal = self.journal
        assert journal.last == len(self.truth)
        assert journal.acked <= self.acked
        assert journal.first <= self.acked + 1
        n = journal.first
        while (found := journal.read(n)) is not None:
            assert found == (n, self.truth[n])
            n += 1
        assert n == journal.last + 1

    def check_host(self) -> None:
        events = list(walk(self.nor.image).events())
        numbers = [event.sequence for event in events]
        assert numbers == sorted(set(numbers))
        assert not numbers or numbers[-1] == self.journal.last
        kept = {
            event.sequence: event.payload
            for event in events
            if event.sequence >= self.journal.first
        }
        assert kept == {n: p for n, p in self.truth.items() if n >= self.journal.first}
        assert all(event.epoch == self.journal.epoch for event in events)


@given(sectors=st.integers(4, 7), script=steps)
@settings(max_examples=examples(150), deadline=None)
def test_any_use_and_any_cuts(sectors: int, script: list[tuple[str, int]]) -> None:
    bench = Bench(sectors)
    for name, amount in script:
        bench.step(name, amount)
    bench.boot()
    bench.check()
    bench.check_host()
