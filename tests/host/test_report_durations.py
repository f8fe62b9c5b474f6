import pytest
from diadema.words.formatting import clock, grouped, percent


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0:00"), (59, "0:59"), (61, "1:01"), (3599, "59:59"), (3600, "1:00:00"),
        (100 * 3600 + 61, "100:01:01"), (-61, "−1:01"), (None, "—"),
    ],
)  # fmt: skip
def test_a_duration_is_written_in_hours_only_when_it_has_one(
    seconds: int | None, written: str
) -> None:
    assert clock(seconds) == written


def test_a_percent_has_one_decimal_after_a_point() -> None:
    assert percent(52.1) == "52.1\u00a0%"
    assert percent(100.0) == "100.0\u00a0%"
    assert percent(-1234.5) == "−1,234.5\u00a0%"
    assert percent(None) == "—"


def test_thousands_stand_apart_by_a_comma() -> None:
    assert [grouped(n) for n in (0, 999, 6821, 1_234_567, -6821)] == [
        "0", "999", "6,821", "1,234,567", "−6,821",
    ]  # fmt: skip
