"""What is silent, what is sent as zeros and which call a recording is of: pure, for any input."""

from itertools import pairwise

from diadema.recordings import linking, silence
from diadema.recordings.calls import Pauses
from diadema.recordings.decoding import Probed
from diadema.recordings.files import Found
from diadema.recordings.index import File
from diadema.recordings.settings import Named, Names, Settings
from diadema.store.rows import Contact
from hypothesis import given
from hypothesis import strategies as st

FILE_MS = 600_000
TIMES = st.integers(0, FILE_MS)
STRETCHES = st.lists(st.tuples(TIMES, TIMES).map(sorted).map(tuple), max_size=5)

PAUSES = st.lists(  # in the middle, where no end of the file covers for a mistake
    st.integers(200_000, 400_000).map(lambda at: (at, at + 20_000)), min_size=1, max_size=3
)


def length(stretches):
    return sum(last - first for first, last in stretches)


@given(STRETCHES)
def test_a_union_has_each_moment_once(stretches):
    joined = silence.union(stretches)
    assert joined == sorted(joined)
    assert all(one[1] < two[0] for one, two in pairwise(joined))
    assert joined == silence.union([*reversed(stretches), *stretches])
    for first, last in stretches:
        if first < last:
            assert any(a <= first and last <= b for a, b in joined)
    assert length(joined) <= length(stretches)


@given(PAUSES, st.integers(-60_000, 60_000), st.integers(1_100, 5_000), st.integers(0, 2))
def test_wherever_the_recorder_may_have_begun_no_paused_moment_is_sent(
    stretches, offset, uncertain, which
):
    """By the found offset, give or take the uncertainty, and as if it had begun with the call."""
    pauses = Pauses(tuple(stretches), True)
    zeros = silence.union(silence.zeros(pauses, FILE_MS, {offset, 0}, uncertain))
    true = (offset - uncertain, offset + uncertain, 0)[which]
    for first, last in stretches:
        begin, end = max(first - true, 0), min(last - true, FILE_MS)
        if begin < end:
            assert any(a <= begin and end <= b for a, b in zeros)


def test_a_pause_without_an_end_is_silent_to_the_end_of_the_file():
    pauses = Pauses(((5_000, None),), True)
    assert silence.union(silence.zeros(pauses, FILE_MS, {2_000, 0}, 0)) == [(2_000, FILE_MS)]


def test_verdicts():
    def of(stretches, silences, offset=0, uncertain=0, known=True):
        return silence.verdict(Pauses(stretches, known), silences, FILE_MS, offset, uncertain)

    pause = ((10_000, 20_000),)
    assert of((), []) == "none"
    assert of((), [], known=False) == "unknown"
    assert of(pause, [(10_400, 20_300)]) == "respected"
    assert of(pause, [(9_000, 60_000)]) == "respected"
    assert of(pause, [(10_000, 18_500)]) == "not"  # it went on before its end
    assert of(pause, [(7_000, 17_000)], offset=3_000) == "respected"
    assert of(pause, [(10_000, 20_000)], offset=3_000) == "not"
    assert of(pause, [], uncertain=3_001) == "unknown"
    assert of(pause, [], offset=None) == "unknown"
    assert of(((1_000, 4_000),), [], offset=4_000) == "none"  # all of it before the recording
    assert of((*pause, (30_000, 31_000)), [(10_000, 20_000)]) == "not"  # one is not enough


def contact(n, start, seconds, agent="a001", pbx=None):
    return Contact(
        station="DIA-0123456789ab", epoch=7, sequence=n, contact=f"c{n}", agent=agent, pbx=pbx,
        start_utc=start, answered_utc=start + 2_000, end_utc=start + seconds * 1000,
        outcome="answered", phase="closed",
    )  # fmt: skip


def file(id_, start, ms, agent="a001", pbx=""):
    return File(
        id_, Found("/r", f"{id_}", 1, 1, id_), "ready", Named(pbx, agent, start), start,
        Probed(ms * 8, 8000, 1, "WAV PCM_16", f"{id_}", []),
    )  # fmt: skip


CALLS = st.lists(
    st.builds(contact, st.integers(1, 9), st.integers(0, 40).map(lambda s: s * 1000),
              st.integers(4, 12), st.sampled_from(["a001", "a002"]),
              st.sampled_from([None, "1.1", "1.2"])),
    max_size=5, unique_by=lambda one: one.sequence,
)  # fmt: skip
FILES = st.lists(
    st.builds(file, st.integers(1, 9), st.integers(0, 40).map(lambda s: s * 1000),
              st.integers(3, 12).map(lambda s: s * 1000), st.sampled_from(["a001", "a002"]),
              st.sampled_from(["", "1.1", "1.2"])),
    max_size=5, unique_by=lambda one: one.id,
)  # fmt: skip


@given(CALLS, FILES, st.randoms())
def test_the_order_in_which_things_are_found_links_nothing_otherwise(calls, files, random):
    def chosen(calls, files):
        found = linking.choose(calls, files, {}, lambda name, _: name)
        return {calls[at].sequence: fit and (fit.file.id, fit.how) for at, fit in found.items()}

    first = chosen(calls, files)
    random.shuffle(calls)
    random.shuffle(files)
    assert chosen(calls, files) == first


@given(CALLS, FILES)
def test_what_is_linked_by_the_start_is_the_only_one_for_both(calls, files):
    found = linking.choose(calls, files, {}, lambda name, _: name)
    by_start = [fit for fit in found.values() if fit is not None and fit.how == "hour"]
    assert len({fit.file.id for fit in by_start}) == len(by_start)
    for at, fit in found.items():
        if fit is not None and fit.how == "hour":
            alone = [fit.file]
            assert linking.choose([calls[at]], alone, {}, lambda name, _: name)[0] == fit
            for other in files:
                if other.id != fit.file.id and other.named.pbx == "":
                    rival = linking.choose([calls[at]], [other], {}, lambda name, _: name)
                    assert rival.get(0) is None


def test_what_a_name_says():
    names = Names(Settings(pattern="*-{agent}-{date}-{time}-{pbx}"))
    assert names.read("q-600-987654321-101-20261118-140510-1795000000.77.wav") == Named(
        "1795000000.77", "101", 1_795_028_710_000
    )
    assert names.read("q-600-987-101-20261118-140510-lima1-1795000000.77.WAV") == Named(
        "lima1-1795000000.77", "101", 1_795_028_710_000
    )
    for other in ("notes.txt", "q-600-987-101-20261318-140510-1795000000.77.wav", "x-1.2.wav"):
        assert names.read(other) is None
