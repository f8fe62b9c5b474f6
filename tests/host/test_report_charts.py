"""A report's charts are its tables seen: on a page, on paper and in a workbook the same figures,
of so many, with a gap where nothing is known, and in no colour of a state's. What is set beside
the span before is what the report of that span says.
"""

import base64
import io
import json
import math
import re
import shutil
import subprocess
import zipfile
import zlib
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pytest
from diadema.base.paths import DataDir
from diadema.figures.read import read
from diadema.report.compared import change, points
from diadema.report.drawing import axes, scale
from diadema.report.formats import made_as
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Chart, Column, Scope, Section, Target, plain
from diadema.report.palette import DARK, HEAT, INK, LIGHT, SERIES
from diadema.report.period import around, period
from diadema.web.assets import STATIC
from diadema.web.reports.drawn import pictures
from diadema.web.reports.html import page_of
from diadema.words import text

from tests.support import made_report, reported_day
from tests.support.queue_logs import QueueLog, T
from tests.support.scripted_station import T0
from tests.support.sections import rows
from tests.support.targeted import bring_stations, centre, put
from tests.support.whole_centre import DAY, STARTS, Place, by_chance

FOLLOWED = [kind for kind, its in KINDS.items() if its.trend]
FLOOR = Scope()
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_APART, _GRAPHIC, _TEXT = 0.1, 3.0, 4.5  # in Oklab; WCAG 1.4.11 and 1.4.3


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Days of a centre with stations and a switch that have everything in them, and targets."""
    made = Place(tmp_path_factory.mktemp("rich"), *STARTS[3]).pass_on()
    return made.live(by_chance(0, 500), 3, 9 * DAY)


def of(place, kind, grain="month", day=0, scope=FLOOR):
    return make(place.data, kind, around(grain, place.day + timedelta(day)), scope, place.now)


@pytest.fixture(scope="module")
def reports(place):
    return [of(place, kind, grain) for kind in KINDS for grain in ("day", "month")]


def charts(report):
    return [(section, chart) for section in report.sections for chart in section.drawn()]


# --- what is drawn


def test_where_looking_beats_reading_there_is_a_picture(reports):
    drawn = {(report.kind, section.key) for report in reports for section, _ in charts(report)}
    assert drawn >= {
        ("intradia", "intraday"), ("llamadas", "calls_halves"), ("llamadas", "calls_days"),
        ("servicio", "service_halves"), ("servicio", "service_days"), ("tmo", "aht_halves"),
        ("tmo", "aht_days"), ("tmo", "load_halves"), ("tipificacion", "pareto"),
        ("consolidado", "flags"),
    }  # fmt: skip
    maps = {section.key for report in reports for section in report.sections if section.heat}
    assert maps == {"calls_map", "service_map", "intraday_map"}


def test_each_chart_has_its_title_its_units_and_of_how_many_it_is(reports):
    for report in reports:
        for section, chart in charts(report):
            assert chart.title and isinstance(chart.n, int), (report.kind, chart)
            its = axes(section, chart, report)
            assert all(axis.word for axis in its) and len(its) <= 2
            for axis in its:
                highest = max(
                    (v for c in axis.columns for v in section.values(c.key, chart.most)
                     if v is not None), default=0,
                )  # fmt: skip
                assert axis.top >= highest and axis.top % axis.step == 0


@pytest.mark.parametrize(
    ("kind", "most", "expected"),
    [("count", 0, (1, 1)), ("count", 7, (8, 2)), ("count", 13_706, (15_000, 5000)),
     ("percent", 40.0, (100, 20)), ("percent", 112.5, (150, 50)), ("score", 86.4, (100, 20)),
     ("seconds", 290, (300, 60)),
     ("seconds", 301, (360, 120)), ("seconds", 400_000, (400_000, 100_000))],
)  # fmt: skip
def test_an_axis_ends_at_a_figure_that_people_count_in(kind, most, expected):
    top, step = scale(kind, most)
    assert top >= most
    assert (top, step) == expected


# --- the colours


def oklab(colour):
    r, g, b = map(linear, (colour[1:3], colour[3:5], colour[5:7]))
    cones = (
        (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3),
        (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3),
        (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3),
    )
    rows = (
        (0.2104542553, 0.793617785, -0.0040720468),
        (1.9779984951, -2.428592205, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.808675766),
    )
    return [math.sumprod(row, cones) for row in rows]


def linear(part):
    value = int(part, 16) / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    r, g, b = map(linear, (colour[1:3], colour[3:5], colour[5:7]))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.fixture(scope="module")
def style():
    """Of a light and of a dark page: the states' colours, and the ground of a card."""
    css = (STATIC / "floor.css").read_text()
    found = {"light": [], "dark": []}
    for line in css.splitlines():
        if line.startswith(('[data-state="', '[data-total="', '[data-theme="dark"] ')):
            theme = "dark" if line.startswith("[data-theme") else "light"
            found[theme] += re.findall(r"--c: (#[0-9a-f]{6})", line)
    cards = re.findall(r"--card: (#[0-9a-f]{6})", css)
    assert len(found["light"]) == len(found["dark"]) >= 10 and len(cards) == 2
    return [(found["light"], cards[0], LIGHT), (found["dark"], cards[1], DARK)]


def test_no_chart_has_a_colour_of_a_state(style):
    for states, card, colours in style:
        for colour in colours:
            near = min(states, key=lambda one: math.dist(oklab(one), oklab(colour)))
            assert math.dist(oklab(near), oklab(colour)) >= _APART, (colour, near)
            others = [one for one in colours if one != colour]
            assert min(math.dist(oklab(one), oklab(colour)) for one in others) >= _APART
            assert contrast(colour, card) >= _GRAPHIC, colour
    assert len(SERIES) == len({*LIGHT}) == len({*DARK})
    assert all(contrast(INK, ground) >= _TEXT for ground in HEAT)


# --- the screen


def test_the_page_draws_the_tables_own_cells(reports):
    for report in reports:
        drawn = pictures(report)
        assert len(drawn) == len(charts(report))
        for picture, (section, chart) in zip(drawn, charts(report), strict=True):
            series = [one for one in picture.options["series"] if "markLine" not in one]
            keys = [*chart.bars, *chart.lines]
            assert [one["data"] for one in series] == [section.values(k, chart.most) for k in keys]
            assert [one["name"] for one in series] == [section.column(k).word for k in keys]
            assert len(picture.options["xAxis"]["data"]) == len(series[0]["data"])
            assert picture.note.startswith("n = ") and picture.table == section.key
            looks = [(one.get("symbol"), str(one.get("itemStyle"))) for one in series]
            assert len({*looks}) == len(series), "each has a shape beside its colour"


def test_what_is_aimed_at_stands_in_the_chart(tmp_path):
    data = centre(tmp_path, QueueLog().call(0, "1.1", wait=5).abandon(60, "1.2", wait=40))
    put(data, "targets", metric="service_level", value=80, threshold_s=20)
    report = make(data, "servicio", around("day", date(2026, 11, 18)), FLOOR, T0 + DAY)
    (picture,) = [one for one in pictures(report) if one.table == "service_halves"]
    (line,) = [one for one in picture.options["series"] if "markLine" in one]
    assert [one["yAxis"] for one in line["markLine"]["data"]] == [80]
    assert "meta" in line["name"], "its words stand in the legend, where they touch no figure"
    assert line["data"] == [] and line["markLine"]["label"] == {"show": False}
    book = openpyxl.load_workbook(io.BytesIO(made_as("xlsx", report)))
    aims = [cell.value for row in book.worksheets[0].iter_rows(min_col=20) for cell in row]
    assert 0.8 in aims and any("meta" in str(one) for one in aims)


def test_what_is_not_known_is_a_gap(tmp_path):
    """A switch alone that tells of no rings: nobody knows how often it rang."""
    reported_day.switch(tmp_path)
    report = make(DataDir(tmp_path), "llamadas", around("month", date(1999, 2, 1)), FLOOR, T0)
    section = report.section("calls_halves")
    assert set(section.values("missed")) == {None}
    for picture in pictures(report):
        for series in picture.options["series"]:
            assert series.get("connectNulls") is not True and "areaStyle" not in series
    picture = next(one for one in pictures(report) if one.table == "calls_halves")
    known = {one["name"]: one["data"] for one in picture.options["series"]}
    assert set(known[section.column("missed").word]) == {None}
    assert set(known[section.column("answered").word]) != {None}
    for chart in native(made_as("xlsx", report)):
        assert {one.get("val") for one in chart.iter(f"{_CHART}dispBlanksAs")} <= {"gap"}
    nothing = make(DataDir(tmp_path), "llamadas", around("month", date(1999, 1, 1)), FLOOR, T0)
    assert charts(nothing) == [] and native(made_as("xlsx", nothing)) == []


# --- a workbook


def native(content):
    """The charts of a workbook, as they are written in it."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = [name for name in book.namelist() if re.match(r"xl/charts/chart\d+\.xml", name)]
        names.sort(key=lambda name: int(re.search(r"\d+", name)[0]))
        return [ElementTree.fromstring(book.read(name)) for name in names]


def cells(book, reference):
    sheet, _, area = reference.rpartition("!")
    found = book[sheet.strip("'").replace("''", "'")][area.replace("$", "")]
    return [row[0].value for row in found] if isinstance(found, tuple) else [found.value]


def in_kind(column, value):
    if value in (None, "") or column.kind not in ("seconds", "percent"):
        return None if value == "" else value
    return made_report.in_seconds(value) if column.kind == "seconds" else round(1000 * value) / 10


def test_a_workbook_has_each_chart_over_the_right_cells(reports):
    for report in reports:
        content = made_as("xlsx", report)
        made, book = native(content), openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        if not charts(report):
            assert made == [] and text("reports.charts", "es") not in book.sheetnames
            continue
        assert book.sheetnames[0] == text("reports.charts", "es")
        assert len(made) == len(charts(report)), report.kind
        for chart, (section, its) in zip(made, charts(report), strict=True):
            series = {}
            for one in chart.iter(f"{_CHART}ser"):
                name = one.findtext(f"{_CHART}tx/{_CHART}v") or one.findtext(f".//{_CHART}v")
                series[name] = one.findtext(f"{_CHART}val//{_CHART}f")
            for key in (*its.bars, *its.lines):
                column = section.column(key)
                values = [in_kind(column, v) for v in cells(book, series[column.word])]
                assert values == section.values(key, its.most), (report.kind, key)
            assert its.title in "".join(chart.itertext())
            words = "".join(chart.itertext())
            assert all(axis.word in words for axis in axes(section, its, report))


# --- paper


def drawn_on(content):
    """What the pages of a PDF are drawn with."""
    found = []
    for body in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            plain_body = (
                base64.a85decode(body.strip(), adobe=False)
                if b"~>" not in body
                else (base64.a85decode(b"<~" + body.strip(), adobe=True))
            )
            found.append(zlib.decompress(plain_body).decode("latin-1"))
        except (ValueError, zlib.error):
            continue
    return "".join(found)


def strokes(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    return " ".join(f"{one:.6f}".lstrip("0").rstrip("0").rstrip(".") or "0" for one in parts)


def test_paper_has_each_chart_with_its_title_and_n(reports, tmp_path):
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("the program pdftotext is missing (Debian: apt install poppler-utils)")
    for report in reports:
        path = tmp_path / "report.pdf"
        path.write_bytes(made_as("pdf", report))
        done = subprocess.run([program, "-layout", path, "-"], check=True, capture_output=True)
        printed = done.stdout.decode()
        for section, chart in charts(report):
            assert chart.title.split(",")[0] in printed
            assert all(axis.word in printed for axis in axes(section, chart, report))
        if charts(report):
            assert "n = " in printed and f"{strokes(LIGHT[0])} rg" in drawn_on(path.read_bytes())


def lines_of(values):
    """How many strokes and marks a line of these values has on paper."""
    section = Section(
        key="x", title="x",
        columns=[Column(key="hour", word="Hora", kind="text"),
                 Column(key="y", word="TMO", kind="seconds", target=Target(60, at_most=True))],
        rows=[[f"{k:02}:00", value] for k, value in enumerate(values)],
        charts=[Chart(title="TMO", x="hour", lines=["y"], n=3)],
    )  # fmt: skip
    report = made_report.report(owing=False, sections=[section])
    drawn = drawn_on(made_as("pdf", report)).partition(f"{strokes(LIGHT[0])} RG")[2]
    body = drawn.partition(f"{strokes(INK)} RG")[0]
    return len(re.findall(r" l S", body)), body.count(" c ")


def test_on_paper_too_what_is_not_known_is_a_gap():
    whole, known = lines_of([60, 70, 80, 90])[0], lines_of([60, None, 80, 90])[0]
    assert whole == 3 and known == 1


# --- beside the span before


@pytest.mark.parametrize("scope", [FLOOR, Scope(of="team", code="Norte"),
                                   Scope(of="agent", code="a001"),
                                   Scope(of="queue", code="soporte")])  # fmt: skip
@pytest.mark.parametrize("kind", FOLLOWED)
def test_before_is_what_the_report_of_the_span_before_says(place, kind, scope):
    compared, days = of(place, kind, "day", 1, scope), 0
    stated = {
        row["figure"]: row for row in rows(of(place, kind, "day", 0, scope).section("summary"))
    }
    now = {row["figure"]: row for row in rows(compared.section("summary"))}
    for row in rows(compared.section("compared")):
        before = stated.get(row["figure"])
        assert (row["value"], row["n"], row["target"]) == tuple(
            now[row["figure"]][key] for key in ("value", "n", "target")
        )
        if before is not None:
            days += 1
            assert (row["before"], row["n_before"]) == (before["value"], before["n"]), row
    assert days


@pytest.mark.parametrize("kind", FOLLOWED)
def test_each_row_of_a_trend_is_what_that_span_s_report_says(place, kind):
    for grain, back, before in (("day", 2, 2), ("month", 31, 1)):
        trend = of(place, kind, grain, back).section("trend")
        its, keys = rows(trend), [column.key for column in trend.columns[2:]]
        last = around(grain, place.day + timedelta(back))
        spans = [last.word] if before else []
        for _ in range(before):
            last = last.before
            spans.insert(0, last.word)
        assert keys and [row["span"] for row in its] == spans, "none before there was anything"
        for row in its:
            span = period(grain, row["span"])
            report = make(place.data, kind, span, FLOOR, place.now)
            told = {one["figure"]: one for one in rows(report.section("summary"))}
            for key in keys:
                said = told.get(text(f"reports.col.{key}", "es"), {"value": None})
                assert row[key] == said["value"], (row, key)
        assert {key for chart in trend.charts for key in chart.lines} == {*keys}


def test_of_a_span_before_all_there_is_nothing_known(place):
    for kind in FOLLOWED:
        for grain in ("day", "month"):
            assert not {"compared", "trend"} & {s.key for s in of(place, kind, grain).sections}


def test_changes_are_as_the_note_says():
    assert change(210, 200) == 5.0 and points(75.0, 70.0) == 5.0
    assert change(190, 200) == -5.0 and change(3, 0) is None and change(None, 3) is None
    assert points(33.3, 66.7) == -33.4 and points(None, 5.0) is None
    assert "de 200 a 210 atenciones, 5 %" in text("reports.note.compared", "es", span="x")


def test_sums_of_all_together_are_those_of_each(tmp_path):
    """Also while contacts and sessions go on, and when the roll-ups are there already."""
    for seed in range(4):
        made = Place(tmp_path / str(seed), *STARTS[3]).live(by_chance(seed, 300), 3, 0)
        last = made.day + timedelta(4)
        for now in (made.now, made.now + DAY):
            asked = made.data, made.day, last, now
            for _ in range(2):
                together, each = read(*asked, together=True), read(*asked)
                for one, other in zip(together.days, each.days, strict=True):
                    assert one.total() == other.total(), (seed, one.day)
                assert together.queue() == each.queue()


# --- by weekday and hour, and beside the plan


def test_a_map_has_the_mean_of_the_days_that_have_begun(tmp_path):
    log, n = QueueLog(), 0
    for day, calls in ((0, 3), (7, 2), (1, 1)):  # two Wednesdays, a Thursday
        for k in range(calls):
            n += 1
            log.call(day * 86_400 + 60 * k, f"1.{n}", wait=5)
    now = (T + 8 * 86_400) * 1000
    report = make(
        centre(tmp_path, log), "servicio", around("month", date(2026, 11, 1)), FLOOR, now
    )
    section = report.section("service_map")
    (row,) = rows(section)
    assert row["hour"] == "06:00"
    assert row["wed"] == 3, "5 calls on two Wednesdays are 2.5"
    assert row["thu"] == 1 and row["mon"] is None, "nobody told of a Monday"
    assert section.column("wed").word == "Mié (2)" and section.column("mon").word == "Lun (0)"
    assert [plain(cell) for cell in section.total[1:]] == [None, None, 3, 1, None, None, None]
    assert 'style="--dark: 100%"' in page_of(report).html
    book = openpyxl.load_workbook(io.BytesIO(made_as("xlsx", report)))
    sheet = next(one for one in book.worksheets if one["A1"].value.endswith(section.title))
    (scaled,) = sheet.conditional_formatting
    (rule,) = scaled.rules
    colours = [one.rgb[-6:].lower() for one in rule.colorScale.color]
    assert colours == [one[1:] for one in HEAT]


def test_planned_and_present_agents_stand_beside_each_other(tmp_path):
    from tests.host.test_report_adherence import Desk, at

    data = centre(tmp_path)
    put(data, "shifts", code="M", name="Mañana", start="06:00", end="08:00")
    for agent in ("a001", "a002"):
        put(data, "roster", agent=agent, day="2026-11-18", shift="M")
    put(data, "roster", agent="a001", day="2026-11-19", absence="vacation")
    desk = Desk(1, at(6, 10))
    desk.until(at(7, 5)).call("c1", 60_000)
    desk.until(at(7, 20)).logout()
    bring_stations(data, desk.script)
    report = make(data, "intradia", around("day", date(2026, 11, 18)), FLOOR, at(7, 40) * 1000)
    found = {
        row["hour"]: (row["planned_agents"], row["present"])
        for row in rows(report.section("intraday"))
    }
    assert found == {"06:00": (2, 1), "06:30": (2, 1), "07:00": (2, 1), "07:30": (2, 0)}
    chart = next(one for one in report.section("intraday").drawn() if "planned_agents" in one.bars)
    assert chart.lines == ["present"]
    desk.until(at(6, 10) + 86_400).script.login(0)
    bring_stations(data, desk.script)
    later = make(data, "intradia", around("day", date(2026, 11, 19)), FLOOR, T0 + 2 * DAY)
    assert all(row["planned_agents"] is None for row in rows(later.section("intraday")))


def test_a_queue_has_no_agents_of_its_own_to_plan(place):
    section = of(place, "intradia", "day", 0, Scope(of="queue", code="soporte")).section(
        "intraday"
    )
    assert set(section.values("planned_agents")) == {None}
    assert not any("planned_agents" in chart.bars for chart in section.drawn())


def test_a_chart_says_no_more_than_json_does(reports):
    """Nothing is worked out for a picture alone."""
    for report in reports:
        told = {one["section"]: one for one in json.loads(made_as("json", report))["sections"]}
        for section, chart in charts(report):
            for key in (*chart.bars, *chart.lines):
                cells_of = [row[key] for row in told[section.key]["rows"]]
                shown = section.values(key)
                assert [c["value"] if isinstance(c, dict) else c for c in cells_of] == shown


def test_every_place_of_the_palette_is_one_place():
    """No other file has a colour of a chart written in it."""
    root = Path(__file__).parents[2] / "host_tools" / "diadema"
    spots = [
        path for path in root.rglob("*")
        if path.suffix in (".py", ".js", ".css", ".html") and path.name != "palette.py"
        and any(one in path.read_text("utf-8").lower() for one in {*LIGHT, *DARK})
    ]  # fmt: skip
    assert spots == []
