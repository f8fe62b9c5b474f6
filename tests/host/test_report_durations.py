import pytest
from diadema.words.formatting import clock, percent


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


def test_a_percent_has_one_decimal_and_the_mark_of_its_language() -> None:
    assert percent(52.1) == "52,1 %"
    assert percent(52.1, "en") == "52.1 %"
    assert percent(100.0) == "100,0 %"
    assert percent(None) == "—"
