"""A score in a report: in every format its bounds and of how many calls it is stand there."""

import csv
import io
import json
from datetime import date

import openpyxl
import pytest
from diadema.quality.estimates import (
    AgentFigure,
    Estimate,
    Month,
    Stratum,
    agent_figure,
    proportion,
)
from diadema.report.formats import made_as
from diadema.report.model import Column, Figure, Interval, Section
from diadema.report.tables import agent_cell, estimate_cell
from diadema.report.writing import written
from diadema.words.formatting import interval, score

from tests.support import made_report, read_back

MONTH = (date(2026, 11, 1), date(2026, 11, 30))
KNOWN = Estimate(86.4, 81.2, 91.6, 12, 310)


def plainly(words):
    return words.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("language", "told"),
    [("es", "86.4 (81.2–91.6; n 12 de 310)"), ("en", "86.4 (81.2–91.6; n 12 of 310)")],
)
def test_it_is_written_as_the_centre_reads_it(language, told):
    assert plainly(score(86.4) + interval(81.2, 91.6, 12, 310, language)) == told


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        ((81.2, 91.6, 6821, 27_162), "86.4 (81.2–91.6; n 6,821 de 27,162)"),
        ((None, None, 12, 310), "86.4 (n 12 de 310)"),
        ((81.2, 91.6, 12, None), "86.4 (81.2–91.6; n 12)"),
    ],
)
def test_what_is_not_known_is_left_out(bounds, told):
    assert plainly(score(86.4) + interval(*bounds, "es")) == told


def months(*scores):
    return [Month(*MONTH, [Stratum(scores, 310)])]


def test_of_too_few_calls_the_scores_themselves_stand_there():
    cell = agent_cell(agent_figure(months(900, 755, 1000)), "es")
    assert cell.within == Interval(None, None, 3, 310)
    assert (cell.kind, cell.value) == ("text", "90.0 · 75.5 · 100.0 · muestra insuficiente")
    assert agent_cell(agent_figure(months(900)), "en").value == "90.0 · sample too small"
    assert agent_cell(agent_figure(months()), "es") == Figure(
        "score", None, within=Interval(None, None, 0, 310)
    )


def test_a_figure_that_there_is_has_its_bounds():
    figure = AgentFigure(*MONTH, [864] * 12, 310, KNOWN)
    meant = Figure("score", 86.4, within=Interval(81.2, 91.6, 12, 310))
    assert agent_cell(figure, "es") == estimate_cell(KNOWN) == meant
    assert estimate_cell(None) == Figure("score", None)


def test_a_share_of_a_sample_is_a_percent_of_all():
    cell = estimate_cell(proportion(27, 30, 310), "percent")
    assert cell == Figure("percent", 90.0, within=Interval(74.4, 96.5, 30, 310))
    assert estimate_cell(proportion(0, 0, 310), "percent") == Figure("percent", None)
    column = Column(key="share", word="PECUF", kind="percent")
    made = made_report.report()
    assert plainly(written(column, cell, made)) == "90.0 % (74.4–96.5; n 30 de 310)"


def report(language):
    few = agent_cell(agent_figure(months(900, 755, 1000)), language)
    none = agent_cell(agent_figure(months()), language)
    columns = [
        Column(key="agent", word="asesor", kind="text"),
        Column(key="raw", word="nota", kind="score", interval=True, sampled=True, total="given"),
    ]
    rows = [["A1", estimate_cell(KNOWN)], ["A2", few], ["A3", none]]
    total = [None, estimate_cell(Estimate(87.0, 85.0, 89.0, 48, 1240))]
    section = Section(key="agents", title="Notas", columns=columns, rows=rows, total=total)
    return made_report.report(language=language, sections=[section])


WRITTEN = [
    "86.4 (81.2–91.6; n 12 de 310)",
    "90.0 · 75.5 · 100.0 · muestra insuficiente (n 3 de 310)",
    "— (n 0 de 310)",
    "87.0 (85.0–89.0; n 48 de 1,240)",
]


def test_on_the_screen_and_on_paper():
    made = report("es")
    (rows,) = read_back.screen(made)
    assert [plainly(row[1]) for row in rows] == WRITTEN
    assert read_back.missing_in_pdf(made_as("pdf", made), made) == []
    (rows,) = read_back.screen(report("en"))
    assert plainly(rows[0][1]) == "86.4 (81.2–91.6; n 12 of 310)"
    assert plainly(rows[1][1]) == "90.0 · 75.5 · 100.0 · sample too small (n 3 of 310)"


def test_for_scripts_and_spreadsheets_each_part_is_a_number():
    made = report("es")
    told = json.loads(made_as("json", made))["sections"][0]["rows"]
    assert told[0]["raw"] == {
        "kind": "score", "value": 86.4, "low": 81.2, "high": 91.6, "n": 12, "of": 310,
    }  # fmt: skip
    assert told[2]["raw"] == {
        "kind": "score", "value": None, "low": None, "high": None, "n": 0, "of": 310,
    }  # fmt: skip
    content = made_as("csv", made, "agents").decode("utf-8-sig")
    lines = [*csv.reader(io.StringIO(content), delimiter=";")]
    assert lines[0] == ["asesor", "nota", "desde %", "hasta %", "de cuántos", "de un total de"]
    assert lines[1][1:] == ["86.4", "81.2", "91.6", "12", "310"]
    assert lines[2][1:] == ["90.0 · 75.5 · 100.0 · muestra insuficiente", "", "", "3", "310"]
    assert lines[3][1:] == ["", "", "", "0", "310"]
    assert lines[4][1:] == ["87.0", "85.0", "89.0", "48", "1240"]


def test_in_a_workbook_it_is_a_number_with_its_bounds_behind():
    book = openpyxl.load_workbook(io.BytesIO(made_as("xlsx", report("es"))))
    sheet = book["Notas"]
    head = next(row[0].row for row in sheet.iter_rows() if row[0].value == "asesor")
    cells = [sheet.cell(head + line, 2) for line in (1, 2, 4)]
    assert [one.value for one in cells] == [
        86.4, "90.0 · 75.5 · 100.0 · muestra insuficiente", 87.0,
    ]  # fmt: skip
    assert [plainly(one.number_format) for one in cells] == [
        '0.0" (81.2–91.6; n 12 de 310)"', '@" (n 3 de 310)"', '0.0" (85.0–89.0; n 48 de 1,240)"',
    ]  # fmt: skip
