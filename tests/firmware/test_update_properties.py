"""No bundle but the one that was signed ever becomes a program that may run, however its bytes and
its parts were changed on the way.
"""

import slots
from hypothesis import given, settings
from hypothesis import strategies as st
from slots import Slot, choose
from update import Intake, UpdateError

from tests.support.nor import Nor
from tests.support.slot_bench import BODY, KEY, body_of, bundle, manifest, parts, seal, sign

LINE = manifest()
SIGNATURE = sign(LINE)
BUNDLE = bundle(LINE, SIGNATURE)
OLDER_LINE = manifest(made=900)
OTHERS = [
    bundle(OLDER_LINE, sign(OLDER_LINE)),  # a good one of before, replayed
    bundle(LINE, pow(7, 65537, 1 << 3000).to_bytes(384, "big")),
    bundle(LINE.replace(b'"sim"', b'"son"'), SIGNATURE),
    bundle(LINE, SIGNATURE, BODY[:-256]),
    bundle(manifest(BODY[::-1]), SIGNATURE, BODY[::-1]),
]
FIELDS = {"made": 9_000, "version": "9", "micropython": "1.1", "length": 256, "sha256": "00" * 32}


def send(commands):
    """The station that had these parts: its running slot, and the one that took them."""
    running = seal(Nor(4))
    slot = Slot(Nor(4), "slot_b")
    targets = {None: (slot, running.sequence + 1, None)}
    taking = Intake(targets, "sim", KEY)
    for command in commands:
        try:
            taking.add(command)
        except UpdateError:
            targets[None] = (Slot(slot.flash, "slot_b"), running.sequence + 1, None)
            taking = Intake(targets, "sim", KEY)
    return running, Slot(slot.flash, "slot_b")


def never_runs(commands):
    running, slot = send(commands)
    assert choose([running, slot])[0] is running


def test_what_was_signed_runs():
    running, slot = send(parts(BUNDLE))
    assert choose([running, slot]) == (slot, True, None) and body_of(slot) == BODY


@given(st.integers(0, len(BUNDLE) * 8 - 1))
@settings(deadline=None, max_examples=150)
def test_any_bit_flipped(bit):
    wrong = bytearray(BUNDLE)
    wrong[bit // 8] ^= 1 << bit % 8
    running, slot = send(parts(bytes(wrong)))
    # base64 has bits that say nothing: only what was signed, whole, may have come of it
    assert choose([running, slot])[0] is running or body_of(slot) == BODY


@given(st.integers(0, len(BUNDLE) - 1))
@settings(deadline=None, max_examples=60)
def test_any_length_but_the_whole(size):
    never_runs(parts(BUNDLE[:size]))


@given(st.binary(min_size=1, max_size=600))
@settings(deadline=None, max_examples=40)
def test_more_than_the_whole(more):
    never_runs(parts(BUNDLE + more))


@given(st.sampled_from(OTHERS))
def test_anothers_or_an_older_one(other):
    never_runs(parts(other))


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.none(), min_size=1))
@settings(deadline=None, max_examples=40)
def test_another_manifest_under_the_old_signature(keys):
    never_runs(parts(bundle(manifest(**{key: FIELDS[key] for key in keys}), SIGNATURE)))


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_parts_lost_doubled_and_mixed_with_anothers(data):
    ours, theirs = parts(BUNDLE), parts(bundle(LINE, SIGNATURE, BODY[::-1]))
    sent = []
    for at, part in enumerate(ours):
        how = data.draw(st.sampled_from(["", "", "", "", "lost", "twice", "other", "again"]))
        if how == "other":
            part = dict(theirs[at], sha256=part["sha256"])
        sent += {"lost": [], "twice": [part, part], "again": [*ours[: at + 1]]}.get(how, [part])
    running, slot = send(sent)
    assert choose([running, slot])[0] is running or body_of(slot) == BODY
    assert not slot.has(slots.GOOD)
