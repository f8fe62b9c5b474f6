"""Each definition of people and time has an example in numbers, right in the report and in the
README.
"""

import re
from datetime import date
from pathlib import Path

import pytest
from diadema.directory.people import Planned, Reason
from diadema.figures import away
from diadema.figures.load import Stretch
from diadema.figures.rows import Load
from diadema.figures.stays import Stay
from diadema.metrics import schedule, states
from diadema.report.durations import clock
from diadema.words import text

H = 3600
README = (Path(__file__).parents[2] / "README.md").read_text()
DAY = date(2026, 11, 18)
SHIFT = Planned(day=DAY, shift="M", start_s=0, end_s=8 * H, tolerance_s=600)


def adherence():
    shown = [Stretch(0, 6 * H, "ready"), Stretch(6 * H, 7 * H, "not_ready", "fault")]
    its = schedule.deviations(SHIFT, shown, {})
    return percent(schedule.adherence(*schedule.followed(SHIFT, its)))


def shrinkage():
    reasons = {"refrigerio": Reason(code="refrigerio", label="")}
    lunch = [(4 * H, 5 * H, "refrigerio")]
    shown = [
        Stretch(0, 4 * H, "ready"), Stretch(4 * H, 5 * H, "not_ready", "refrigerio"),
        Stretch(5 * H, 8 * H, "talking"),
    ]  # fmt: skip
    lost = away.lost(shown, away.pauses(shown), [], reasons, 0, 8 * H)
    plan = Planned(day=DAY, shift="M", start_s=0, end_s=8 * H, pauses=lunch)
    lost.unplanned_s = away.owed_s(plan, reasons, 9 * H)
    lost.basis_s += lost.unplanned_s
    return percent(lost.total)


def percent(value):
    return f"{value:g} %"


def minutes(seconds):
    return f"{seconds // 60}:{seconds % 60:02}"


LATE = schedule.lateness(SHIFT, 750)
NIGHT = Stay(day=DAY, entry=22 * H * 1000, exit=30 * H * 1000)
BUSY = Load(talking=165 * 60, dialing=900, ready=H)


@pytest.mark.parametrize(
    ("word", "key", "said"),
    [
        ("Adherencia", "adherence", adherence()),
        ("Conformidad", "conformance", percent(schedule.conformance(6 * H, H, 8 * H))),
        ("Encogimiento", "shrinkage", shrinkage()),
        ("Ocupación", "occupancy", percent(states.occupancy(BUSY))),
        ("Utilización", "utilisation",
         percent(states.utilisation(Load(talking=3 * H, ready=H, not_ready=H)))),
        ("Tardanza", "late_s", minutes(LATE.raw_s)),
        ("Tardanza", "late_whole_s", minutes(LATE.whole_s)),
        ("Permanencia", "outside_s", clock(NIGHT.seconds)),
    ],
)  # fmt: skip
def test_the_example_of_a_definition_is_right(word, key, said):
    line = re.search(rf"^- \*\*{word}\*\*: .*$", README, re.MULTILINE)
    assert line is not None
    exactly = rf"(?<![\d:.]){re.escape(said)}(?![\d:])"
    for told in (
        line[0],
        *(text(f"reports.formula.{key}", language) for language in ("es", "en")),
    ):
        assert re.search(exactly, told), (told, said)
