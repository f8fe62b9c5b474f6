"""Papers that agents signed, in from a sheet: each row, what is wrong in which, and none twice."""

import io
from datetime import date

import openpyxl
import pytest
from diadema.quality.informing import Informed
from diadema.quality.signed_sheet import MOST_AGENTS, blank, read_signed
from diadema.site.directory.people import People, Worker
from diadema.site.directory.problems import Wrong
from diadema.site.directory.sheets import read_sheet
from diadema.store.quality_rows import Signature
from diadema.words import LANGUAGES

TODAY = date(2026, 11, 18)
PEOPLE = People(
    workers={
        a: Worker(id=a, name=name)
        for a, name in (("a001", "Rosa Quispe Huamán"), ("a002", "Luis Pari"))
    }
)
HEAD = "Asesor;Nombre;Fecha;Número de documento;Cómo;Testigos\n"
EVENT = {"station": "HUB-main", "epoch": 1, "sequence": 1, "utc": 1, "by": "luz"}


def taken(text, before=(), people=PEOPLE, head=HEAD):
    return read_signed(read_sheet((head + text).encode()), "agent", people, before, TODAY)


def wrong(found):
    return [(one.row, one.column, one.word) for one in found.problems]


def test_good_rows_become_batches_of_one_paper():
    found = taken(
        "a001;Rosa;2026-11-17;RH-9;;\n"
        "a002;Luis;17/11/2026;RH-9;en papel;\n"
        "a002;;2026-11-16;;se negó ante dos testigos;Teo  Paz | Sol Vera\n"
    )
    assert wrong(found) == [] and (found.rows, found.added, found.unchanged) == (3, 3, 0)
    paper, refused = found.batches
    assert (paper.how, paper.date, paper.document, paper.agents) == (
        "paper", "2026-11-17", "RH-9", ("a001", "a002"),
    )  # fmt: skip
    assert (refused.how, refused.witnesses, refused.document) == (
        "refused", ("Teo Paz", "Sol Vera"), None,
    )  # fmt: skip


def test_the_same_again_changes_nothing():
    before = [
        Signature(**EVENT, notice="agent", agent="a001", how="paper", date="2026-11-17",
                  document="RH-9")
    ]  # fmt: skip
    row = "a001;;2026-11-17;RH-9;;\n"
    found = taken(row + row, before)
    assert (found.added, found.unchanged, found.problems) == (0, 2, [])
    found = taken(row + row)
    assert (found.added, found.unchanged) == (1, 1)


@pytest.mark.parametrize(
    ("row", "column", "word"),
    [
        ("x9;;2026-11-17;RH-9;;", "agent", "signed_agent"),
        (";;2026-11-17;RH-9;;", "agent", "missing"),
        ("a001;;;RH-9;;", "date", "missing"),
        ("a001;;30/02/2026;RH-9;;", "date", "date_never"),
        ("a001;;ayer;RH-9;;", "date", "date"),
        ("a001;;2026-11-19;RH-9;;", "date", "signed_future"),
        ("a001;;2026-11-17;;;", "document", "signed_no_document"),
        ("a001;;2026-11-17;" + "9" * 33 + ";;", "document", "too_long"),
        ("a001;;2026-11-17;RH-9;a gritos;", "how", "choice"),
        ("a001;;2026-11-17;RH-9;;Teo Paz|Sol Vera", "witnesses", "signed_witnesses_idle"),
        ("a001;;2026-11-17;;refused;Teo Paz", "witnesses", "signed_two_witnesses"),
        ("a001;;2026-11-17;;refused;Teo Paz|teo paz", "witnesses", "signed_two_witnesses"),
        ("a001;;2026-11-17;;refused;Rosa Quispe Huamán|Sol Vera", "witnesses",
         "signed_own_witness"),
        ("a001;;2026-11-17;RH-9;;;sobra", "", "row_long"),
    ],
)  # fmt: skip
def test_a_row_that_is_wrong_is_told_by_its_number_and_column(row, column, word):
    found = taken(f"a002;;2026-11-17;RH-1;;\n{row}\n")
    assert wrong(found) == [(3, column, word)]
    assert found.added == 1
    for language in LANGUAGES:
        (told,) = found.summary(language)["problems"]
        assert told["row"] == 3 and len(told["detail"]) > 5


def test_dates_that_can_only_be_month_first_put_the_others_in_doubt():
    found = taken("a001;;11/17/2026;RH-9;;\na002;;03/04/2026;RH-9;;\n")
    assert wrong(found) == [(2, "date", "date_month_first"), (3, "date", "date_mixed")]


@pytest.mark.parametrize(
    ("head", "word"),
    [
        ("Asesor;Fecha;Color\n", "columns_unknown"),
        ("Asesor;Número de documento\n", "columns_missing"),
        ("Asesor;Fecha;date\n", "column_twice"),
    ],
)
def test_another_table_is_refused_whole(head, word):
    with pytest.raises(Wrong) as told:
        taken("a001;2026-11-17;x\n", head=head)
    assert [one.word for one in told.value.problems] == [word]


def test_many_agents_of_one_paper_are_several_requests():
    many = [f"b{n:04}" for n in range(MOST_AGENTS + 1)]
    people = People(workers={a: Worker(id=a, name=a) for a in many})
    found = taken("".join(f"{a};;2026-11-17;RH-9;;\n" for a in many), people=people)
    assert [len(one.agents) for one in found.batches] == [MOST_AGENTS, 1]


AGENTS = [
    Informed(agent="a001", name="Rosa Quispe", team="Mañana"),
    Informed(agent="a002", name="=Luis", team="", state="older"),
    Informed(agent="a003", name="Ana", team="", state="informed"),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_sheet_to_fill_out_names_who_has_yet_to_sign_and_comes_back(form, language):
    made = blank(AGENTS, language, form)
    sheet = read_sheet(made)
    assert sheet.header[0] == {"es": "Asesor", "en": "Agent"}[language]
    assert [cells[0] for _, cells in sheet.rows] == ["a001", "a002"]
    if form == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(made))
        page = book.worksheets[0]
        assert page["B3"].value == "=Luis" and page["B3"].data_type == "s"
        page["C2"], page["D2"] = date(2026, 11, 17), "RH-9"
        page.delete_rows(3)
        out = io.BytesIO()
        book.save(out)
        made = out.getvalue()
        found = read_signed(read_sheet(made), "agent", PEOPLE, (), TODAY)
        assert wrong(found) == [] and found.batches[0].date == "2026-11-17"
