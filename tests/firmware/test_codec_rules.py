"""What a codec's reference forbids, its model refuses, so no driver's test passes with it."""

from typing import Any

import pytest

from tests.support import micropython_names
from tests.support.codec_bench import Bench, model

# what is said of a write, and what leads to it: (register, value) pairs, or ms that pass
ES8388 = {
    "an output before VMID is charged": [(0x00, 0x17), 99, (0x04, 0x10)],
    "clocks or formats change while the converters run": [(0x02, 0x00), (0x0D, 0x02)],
    "the state machines start with other clocks and no reset": [(0x0D, 0x02), (0x02, 0x00)],
}
ES8311 = {
    "a divider changes as a converter runs": [
        (0x00, 0x80), (0x01, 0x3F), (0x0D, 0x01), (0x12, 0x00), (0x02, 0x40)
    ],
}  # fmt: skip
WM8960 = {
    "VREF before VMID is charged": [(0x19, 0x80), 99, (0x19, 0xC0)],
    "the PLL is chosen before it has locked": [(0x1A, 0x001), 249, (0x04, 0x001)],
    "the pin ADCLRC changes while an ADC runs": [(0x19, 0x80), 100, (0x19, 0xCC), (0x09, 0x40)],
    "a divider changes while a converter runs": [(0x1A, 0x100), (0x04, 0x0D8)],
    "the PLL is switched while it is the clock": [
        (0x1A, 0x001), 250, (0x04, 0x001), (0x1A, 0x000)
    ],
    "the PLL's figures change while it runs": [(0x1A, 0x001), (0x34, 0x038)],
}  # fmt: skip


def play(chip: Any, steps: list[Any], ninth_bit: bool) -> None:
    for step in steps:
        if isinstance(step, int):
            micropython_names.slept_ms += step
            continue
        register, value = step
        if ninth_bit:
            register, value = register << 1 | value >> 8, value & 0xFF
        chip.write(bytes((register, value)))


CHIPS = {"ES8388": ES8388, "ES8311": ES8311, "WM8960": WM8960}
CASES = [(name, said, steps) for name in CHIPS for said, steps in CHIPS[name].items()]


@pytest.mark.parametrize(("name", "said", "steps"), CASES)
def test_a_forbidden_write_is_refused(name: str, said: str, steps: list[Any]) -> None:
    chip = getattr(model(name.lower()), name)(*([None] if name == "ES8311" else []))
    play(chip, steps[:-1], name == "WM8960")
    with pytest.raises(model("levels").ForbiddenError, match=said):
        play(chip, steps[-1:], name == "WM8960")


def test_the_same_is_taken_once_it_may() -> None:
    chip = model("wm8960").WM8960()
    steps: list[Any] = [(0x19, 0x80), (0x1A, 0x001), (0x09, 0x40), 250, (0x04, 0x0DD)]
    play(chip, [*steps, (0x19, 0x0FE)], True)
    assert chip.registers[0x04] == 0x0DD
    chip = model("es8388").ES8388()
    play(chip, [(0x00, 0x17), (0x02, 0xF0), (0x0D, 0x02), 100, (0x02, 0x00), (0x04, 0x30)], False)
    assert chip.registers[0x04] == 0x30


def test_the_wm8960_wakes_from_standby_without_a_wait() -> None:
    """The PLL goes on meanwhile; off, it has to lock again."""
    codec = Bench("wm8960").codec
    for state, slept_ms in (("standby", 0), ("off", 250)):
        codec.power(state)
        before = micropython_names.slept_ms
        codec.power("on")
        assert micropython_names.slept_ms - before == slept_ms
