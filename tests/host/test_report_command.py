"""`diadema report`: each span, kind and format from the shell, and what it says to wrong ones."""

import csv
import io
import json
import sys

import openpyxl
import pytest
from diadema.cli import main

from tests.support import made_report, reported_day
from tests.support.scripted_station import T0

NOW = T0 + 2 * 86_400_000


pytestmark = pytest.mark.usefixtures("site_language")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return reported_day.stations(tmp_path_factory.mktemp("data"))


@pytest.fixture
def report(monkeypatch, capfdbinary, data):
    def call(*arguments, root=data.root):
        given = ["diadema", "report", *map(str, arguments), "--data", str(root)]
        monkeypatch.setattr(sys, "argv", given)
        try:
            main.main()
        except SystemExit as end:
            code = end.code or 0
        else:
            code = 0
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return call


def test_the_same_totals_in_every_format(report, tmp_path):
    span = ("month", "--month", "2026-11", "--kind", "tmo")
    code, out, _ = report(*span, "--json")
    told = json.loads(out)
    its = next(one for one in told["sections"] if one["section"] == "aht_agents")
    assert code == 0 and its["total"]["n"] == 14
    assert told["cut_off"]["position"] > 0 and told["span"]["zone"] == "America/Lima"

    code, out, _ = report(*span, "--format", "csv", "--table", "aht_agents")
    *_, last = csv.reader(io.StringIO(out.decode("utf-8-sig")), delimiter=";")
    hours, minutes, seconds = map(int, last[5].split(":"))
    assert 3600 * hours + 60 * minutes + seconds == its["total"]["talk_s"]

    path = tmp_path / "tmo.xlsx"
    code, out, err = report(*span, "-o", path)
    assert (code, out) == (0, b"") and str(path) in err
    book = openpyxl.load_workbook(path, data_only=True)
    row = next(row for row in book["TMO por asesor"].iter_rows() if row[0].value == "total")
    assert row[3].value == 14
    assert made_report.in_seconds(row[5].value) == its["total"]["talk_s"]

    path = tmp_path / "tmo.pdf"
    assert report(*span, "--format", "pdf", "-o", path)[0] == 0
    assert path.read_bytes().startswith(b"%PDF-")

    code, out, _ = report(*span)
    shown = out.decode()
    assert code == 0 and "TMO por asesor" in shown and "evento" in shown


def test_day_and_week_and_whose(report):
    _, out, _ = report("day", "--day", "2026-11-18", "--kind", "llamadas", "--json",
                          "--agent", "a001")  # fmt: skip
    told = json.loads(out)
    assert (told["span"]["grain"], told["span"]["first"]) == ("day", "2026-11-18")
    assert told["scope"] == {"of": "agent", "code": "a001", "name": "Rosa Quispe Huamán (a001)"}
    _, out, _ = report("week", "--week", "2026-W47", "--kind", "llamadas", "--json")
    told = json.loads(out)
    assert (told["span"]["first"], told["span"]["last"]) == ("2026-11-16", "2026-11-22")
    handled = next(row for row in told["sections"][0]["rows"] if row["figure"] == "atenciones")
    assert handled["value"] == {"kind": "count", "value": 14}


def test_without_a_kind_a_month_is_that_of_the_switch(report):
    code, out, _ = report("month", "--month", "2026-11", "--json")
    assert code == 0 and json.loads(out)["report"] == "month"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["day"], "--kind"),
        (["day", "--kind", "todo"], "tipificacion"),
        (["day", "--kind", "tmo", "--day", "25/11/2026"], "2026-11-25"),
        (["day", "--kind", "tmo", "--day", "2026-02-30"], "2026-02-30"),
        (["week", "--kind", "tmo", "--week", "2026-W60"], "2026-W60"),
        (["week", "--kind", "tmo", "--week", "٢٠٢٦-W10"], "W48"),
        (["month", "--kind", "tmo", "--month", "2026-13"], "2026-13"),
        (["month", "--kind", "tmo", "--team", "Noche"], "Mañana"),
        (["month", "--kind", "tmo", "--agent", "a777"], "a777"),
        (["month", "--kind", "tmo", "--team", "Mañana", "--queue", "q"], "--agent"),
        (["month", "--kind", "tmo", "--format", "doc"], "xlsx"),
        (["month", "--kind", "tmo", "-o", "x.doc"], "xlsx"),
        (["month", "--kind", "tmo", "--format", "csv", "--table", "nada"], "aht_agents"),
        (["month", "--kind", "tmo", "--format", "pdf", "--table", "summary"], "csv"),
        (["month", "--kind", "tmo", "-o", "/nowhere/at/all.pdf"], "/nowhere"),
        (["month", "--format", "pdf"], "--kind"),
        (["schedule", "add", "a b", "--kind", "tmo"], "name"),
        (["schedule", "add", "a", "--kind", "tmo", "--at", "24:00"], "at"),
        (["schedule", "add", "a", "--kind", "tmo", "--every", "hour"], "every"),
        (["schedule", "add", "a", "--kind", "nada"], "tipificacion"),
        (["schedule", "add", "a", "--kind", "tmo", "--format", "doc"], "form"),
        (["schedule", "remove", "nunca"], "nunca"),
    ],
)
def test_what_is_wrong_is_said_and_ends_with_two(report, given, said):
    code, out, err = report(*given)
    assert (code, out) == (2, b"") and said in err and "Traceback" not in err


def test_a_queue_that_nobody_knows_is_said(report):
    code, out, err = report("month", "--month", "2026-11", "--kind", "tmo", "--queue", "nunca")
    assert (code, out) == (2, b"") and "'nunca'" in err and "Traceback" not in err


def test_without_a_store_it_says_so(report, tmp_path):
    code, _, err = report("day", "--kind", "tmo", root=tmp_path)
    assert code == 2 and "Traceback" not in err


def test_schedules_are_ordered_listed_and_taken_away(report, tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "es_PE.UTF-8")
    order = ("schedule", "add", "diario", "--kind", "llamadas", "--at", "06:30")
    assert report(*order, "--format", "pdf", root=tmp_path)[0] == 0
    code, _, err = report(*order, root=tmp_path)
    assert code == 2 and "diario" in err
    told = json.loads(report("schedule", "list", "--json", root=tmp_path)[1])
    (one,) = told["schedules"]
    assert (one["kind"], one["at"], one["form"]) == ("llamadas", "06:30", "pdf")
    assert one["next"].endswith("06:30:00") and told["runs"] == []
    shown = report("schedule", "list", root=tmp_path)[1].decode()
    assert "Llamadas" in shown and "06:30" in shown
    assert report("schedule", "remove", "diario", root=tmp_path)[0] == 0
    assert b"No hay reportes programados" in report("schedule", "list", root=tmp_path)[1]
