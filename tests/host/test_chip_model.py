"""The factors of the bench's model of a chip are those of the counts that are kept with them."""

from tests.bench.chip_model import MEASURED, fit, keep, kept

_MOST_OFF = 0.2


def test_the_factors_are_those_of_the_kept_counts():
    known = kept()
    assert fit(known.steps) == known.model
    assert keep(known.steps).off == known.off


def test_what_was_measured_is_met():
    off = kept().off
    assert set(off) == set(MEASURED)
    far = {name: share for name, share in off.items() if abs(share) > _MOST_OFF}
    assert set(far) == {"PBKDF2"}  # which the chip has hardware for: it is in no budget


def test_what_the_chip_reads_of_a_slot_was_counted_apart():
    start = {part.name: part for part in kept().steps["start"]}
    assert abs(start["unique_id"].slot / 7_313 - 1) < 0.01
    light = next(part for part in kept().steps["key"] if part.name == "light")
    assert light.slot == 24
