"""The report of monitors: for whom it is, what it warns of, and that all its formats say the same;
so do the tables of what was confirmed, in the reports of protocol and codes.
"""

import shutil
from datetime import date

import pytest
from diadema.access.roles import RIGHTS, Person
from diadema.hub import doctor
from diadema.report.context import NotYours
from diadema.report.formats import made_as
from diadema.report.make import make
from diadema.report.model import Scope, plain
from diadema.report.period import around
from diadema.words import said

from tests.host.test_second_opinion_monitors import Twin, noted, troubled
from tests.support import read_back
from tests.support.evaluated_month import DAY_MS, LAST, Month, at, evaluated_month, week
from tests.support.scripted_station import FixedClock

SPAN = around("month", LAST)
LATER = date(2026, 12, 1)


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    return troubled(tmp_path_factory.mktemp("month") / "data", 3)


def made(month, kind="monitores", span=SPAN, **more):
    return make(month.data, kind, span, Scope(), month.now_ms, **more)


def rows(report, key):
    section = report.section(key)
    return [
        dict(zip((c.key for c in section.columns), map(plain, row), strict=True))
        for row in section.rows
    ]


def test_it_is_the_coordinators_alone(month):
    for role in RIGHTS:
        person = Person(id="p", name="P", role=role, agent="a001" if role == "agent" else None)
        if "quality" in RIGHTS[role]:
            assert made(month, person=person).kind == "monitores"
        else:
            with pytest.raises(NotYours):
                made(month, person=person)


@pytest.mark.parametrize("kind", ["monitores", "protocolo", "tipificacion"])
def test_each_cell_is_read_back_from_every_format(month, kind):
    paper = made(month, kind)
    meant = read_back.cells(paper)
    assert all(meant)
    labelled = [
        [*cells[:-1], [(section.label or "total", None), *cells[-1][1:]]]
        if section.total is not None and section.rows else cells
        for section, cells in zip(paper.sections, meant, strict=True)
    ]  # fmt: skip
    assert read_back.from_json(paper) == meant
    labelled = [
        [[(None if value == "" else value, within) for value, within in row] for row in its]
        for its in labelled
    ]
    assert read_back.from_csv(paper) == labelled
    assert read_back.from_xlsx(paper) == labelled
    assert read_back.from_screen(paper) == labelled
    if shutil.which("pdftotext") is None:
        pytest.skip("the program pdftotext is missing (Debian: apt install poppler-utils)")
    assert read_back.missing_in_pdf(made_as("pdf", paper), paper) == []


def test_a_bias_below_zero_reads_as_one(month):
    report = made(month)
    section = report.section("bias")
    words = {row[0].plain if hasattr(row[0], "plain") else row[0] for row in section.rows}
    assert words == {"mara", "nilo"}
    shown = [
        row[section.at("bias")] for row in read_back.screen(report)[report.sections.index(section)]
    ]
    assert any(one.startswith("−") or "(−" in one for one in shown)
    assert all("--" not in one and "–−" not in one for one in shown)


def pairs(month, at_ms, scores, start):
    """So many calls that both evaluate, the first always higher."""
    best = month.best(month.given[0])
    for n, items in enumerate(scores, start):
        one = next(its for its in month.given[n:] if not its.second)
        given = month.assign(
            [Twin(one, "mara", False), Twin(one, "nilo", True)], at_ms, f"{n:012x}"
        )
        worse = month.best(one, **dict.fromkeys(items, "0"))
        month.submit((given[0], best), (given[1], worse))


LOWER = (("trato",), ("trato", "dominio"), ("escucha",), ("dominio",), ("trato", "escucha"))


def test_two_months_of_one_bias_are_an_alert(tmp_path):
    month = Month(tmp_path / "data", agents=4, calls=6)
    for number in range(2):
        month.draw(week(number))
    for place, start in enumerate((at(LAST) - 40 * DAY_MS, at(LAST) - 9 * DAY_MS)):
        pairs(month, start, LOWER, 3 + 6 * place)
    report = made(month)
    alerts = {(one["monitor"], one["month"]): one["alert"] for one in rows(report, "bias")}
    told = "desvío dos meses seguidos"
    assert alerts == {
        ("mara", "2026-10"): None, ("mara", "2026-11"): told,
        ("nilo", "2026-10"): None, ("nilo", "2026-11"): told,
    }  # fmt: skip
    notes = report.section("summary").notes
    assert notes[0] == "Aviso: el desvío de mara deja fuera el 0 en 2026-10 y en 2026-11."
    found = [said(one.said, "es") for one in doctor.examine(month.data, FixedClock(at(LATER)))]
    assert sum(f"el desvío de {one} deja fuera el 0 en 2026-11" in " ".join(found)
               for one in ("mara", "nilo")) == 2  # fmt: skip
    sooner = doctor.examine(month.data, FixedClock(at(LAST)))
    assert not any("el desvío de" in said(one.said, "es") for one in sooner)
    earlier = made(month, span=around("month", SPAN.before.last))
    assert {one["alert"] for one in rows(earlier, "bias")} == {None}


def test_agreement_of_few_calls_is_counts_alone(tmp_path):
    month = evaluated_month(tmp_path / "data", agents=6, calls=4)
    few = rows(made(month), "agreement")
    assert few and all(0 < one["pairs"] < 10 for one in few)
    assert {one[key] for one in few for key in ("agreement", "ac1", "alpha", "alert")} == {None}


def test_a_code_counts_as_right_by_what_was_named_last(tmp_path):
    month = Month(tmp_path / "data", agents=4, calls=6)
    _, _, given = month.draw(week(0))
    firsts = [one for one in given if not one.second]
    month.submit(*((one, month.best(one)) for one in firsts))
    month.say(noted(month, firsts[0], "211"))
    month.say(noted(month, firsts[0], "111"))
    report = made(month, "tipificacion")
    total = report.section("codes_confirmed")
    counted = sum(one["judged_calls"] for one in rows(report, "codes_confirmed"))
    confused = rows(report, "codes_confused")
    assert counted + sum(one["code"] is None for one in confused) == 1
    assert {one["right_code"] for one in confused} <= {"111"} and total.notes
