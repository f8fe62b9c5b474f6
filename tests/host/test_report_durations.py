import io

import openpyxl
import pytest
from diadema.report.formats import as_csv, as_xlsx
from diadema.report.writing import written
from diadema.words.formatting import clock, grouped, long_clock, percent

from tests.support import made_report


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


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0:00:00"), (26, "0:00:26"), (3600, "1:00:00"), (-61, "−0:01:01"), (None, "—")],
)
def test_working_time_is_always_written_in_hours(seconds: int | None, written: str) -> None:
    assert long_clock(seconds) == written


@pytest.mark.parametrize(
    ("kind", "told"), [("asistencia", "0:01:41"), ("adherencia", "0:01:41"), ("tmo", "1:41")]
)
def test_a_table_with_hours_of_the_day_has_no_minutes_that_look_like_hours(
    kind: str, told: str
) -> None:
    report = made_report.report()
    report.kind = kind
    section = report.section("agents")
    place = section.at("talk_s")
    assert written(section.columns[place], section.rows[0][place], report) == told


def test_what_a_spreadsheet_opens_has_hours_in_every_duration_and_target() -> None:
    report = made_report.report()
    lines = as_csv.content(report, "agents").decode("utf-8-sig").splitlines()
    assert ";0:01:41;" in lines[1]
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx.content(report))).worksheets[1]
    words = [str(cell.value) for row in sheet.iter_rows() for cell in row]
    assert any("≤\u00a00:05:00" in one for one in words)


def test_a_percent_has_one_decimal_after_a_point() -> None:
    assert percent(52.1) == "52.1 %"
    assert percent(100.0) == "100.0 %"
    assert percent(-1234.5) == "−1,234.5 %"
    assert percent(None) == "—"


def test_thousands_stand_apart_by_a_comma() -> None:
    assert [grouped(n) for n in (0, 999, 6821, 1_234_567, -6821)] == [
        "0", "999", "6,821", "1,234,567", "−6,821",
    ]  # fmt: skip
