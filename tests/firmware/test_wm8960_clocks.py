"""The WM8960's PLL by its formula, against the table that its datasheet prints."""

import pytest
from drivers.wm8960 import pll

# MCLK and SYSCLK in MHz, prescaler, N, K: table 45 of the datasheet; K may be one less, as rounded
TABLE_45 = [
    (12, 11.2896, 1, 7, 0x86C226), (12, 12.288, 1, 8, 0x3126E8),
    (13, 11.2896, 1, 6, 0xF28BD4), (13, 12.288, 1, 7, 0x8FD525),
    (14.4, 11.2896, 1, 6, 0x45A1CA), (14.4, 12.288, 1, 6, 0xD3A06E),
    (19.2, 11.2896, 2, 9, 0x6872AF), (19.2, 12.288, 2, 10, 0x3D70A3),
    (24, 11.2896, 2, 7, 0x86C226), (24, 12.288, 2, 8, 0x3126E8),
    (26, 11.2896, 2, 6, 0xF28BD4), (26, 12.288, 2, 7, 0x8FD525),
]  # fmt: skip


@pytest.mark.parametrize(("mclk", "sysclk", "prescaler", "whole", "k"), TABLE_45)
def test_pll_as_in_the_datasheet(
    mclk: float, sysclk: float, prescaler: int, whole: int, k: int
) -> None:
    found = pll(round(mclk * 1e6), round(sysclk * 1e6))
    assert found[:2] == (prescaler, whole)
    assert found[2] == pytest.approx(k, abs=1)


def test_an_oscillator_that_the_pll_cannot_use() -> None:
    for mclk_hz in (1_000_000, 50_000_000):
        with pytest.raises(ValueError, match="mclk_hz"):
            pll(mclk_hz, 12_288_000)
