"""What a codec's reference forbids, its model refuses: no driver's test passes with such a write."""

from typing import Any

import micropython_names
import pytest
from codec_bench import Bench, model

# (register, value) pairs, or ms to wait, up to the write that is forbidden, and what is said of it
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


def play(chip: Any, steps: list[Any]) -> None:
    for step in steps:
        if isinstance(step, int):
            micropython_names.slept_ms += step
        else:
            register, value = step
            chip.write(bytes((register << 1 | value >> 8, value & 0xFF)))


@pytest.mark.parametrize("said", WM8960)
def test_the_wm8960_refuses(said: str) -> None:
    chip = model("wm8960").WM8960()
    *before, last = WM8960[said]
    play(chip, before)
    with pytest.raises(model("levels").ForbiddenError, match=said):
        play(chip, [last])


def test_the_wm8960_takes_the_same_once_it_may() -> None:
    chip = model("wm8960").WM8960()
    play(chip, [(0x19, 0x80), (0x1A, 0x001), (0x09, 0x40), 250, (0x04, 0x0DD), (0x19, 0x0FE)])
    assert chip.registers[0x04] == 0x0DD


def test_the_wm8960_wakes_from_standby_without_a_wait() -> None:
    """The PLL goes on meanwhile; off, it has to lock again."""
    codec = Bench("wm8960").codec
    for state, slept_ms in (("standby", 0), ("off", 350)):
        codec.power(state)
        before = micropython_names.slept_ms
        codec.power("on")
        assert micropython_names.slept_ms - before == slept_ms
