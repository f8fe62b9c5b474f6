"""What may stand in a field, however people and spreadsheets write it."""

from datetime import date, datetime, time

import pytest
from diadema.site.directory.fields import ITEMS, Field, wrong_document, wrong_ruc
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.problems import Wrong
from diadema.words import LANGUAGES, section
from hypothesis import given
from hypothesis import strategies as st


def read(raw, type_="text", **more):
    return Field(name="value", type=type_, **more).read(raw)


@pytest.mark.parametrize(
    ("type_", "raw", "value"),
    [
        ("code", " e001 ", "e001"),
        ("text", "Man\u0303ana", "Mañana"),
        ("code", 12.0, "12"),
        ("bool", "Sí", True),
        ("bool", "no", None),
        ("bool", 1.0, True),
        ("int", "1800", 1800),
        ("int", 30.0, 30),
        ("decimal", "80,5", 80.5),
        ("time", "8:05", "08:05"),
        ("time", 0.25, "06:00"),
        ("time", time(23, 30), "23:30"),
        ("date", "31/12/2026", "2026-12-31"),
        ("date", "2026-12-31", "2026-12-31"),
        ("date", datetime(2026, 12, 31), "2026-12-31"),
        ("date", date(2026, 12, 31), "2026-12-31"),
        ("date", 46387, "2026-12-31"),
        ("date", "46387", "2026-12-31"),
        ("ruc", "20100070970", "20100070970"),
        ("document", "12.345.678", "12345678"),
    ],
)
def test_read(type_, raw, value):
    assert read(raw, type_) == value


@pytest.mark.parametrize(
    ("type_", "raw", "word"),
    [
        ("text", date(2026, 12, 1), "date_for_text"),
        ("text", 1.5, "number_for_text"),
        ("document", "2.01E+10", "digits_lost"),
        ("document", 2.01e17, "digits_lost"),
        ("text", "JosÃ©", "mojibake"),
        ("text", "Ana\u202e", "hidden"),
        ("text", "x" * 65, "too_long"),
        ("code", "año", "code"),
        ("date", "12/31/2026", "date_month_first"),
        ("date", "30/02/2026", "date_never"),
        ("date", "1/2/26", "date_short_year"),
        ("date", "mañana", "date"),
        ("date", True, "date"),
        ("time", "25:00", "time"),
        ("int", "1,5", "whole"),
        ("int", "nan", "number"),
        ("bool", "quizás", "bool"),
        ("ruc", "20100070971", "ruc_digit"),
        ("ruc", "30100070970", "ruc_start"),
        ("ruc", "2010007097", "ruc_length"),
    ],
)
def test_refused(type_, raw, word):
    with pytest.raises(Wrong) as error:
        read(raw, type_)
    assert [one.word for one in error.value.problems] == [word]
    for language in ("es", "en"):
        assert error.value.problems[0].say(language)


def test_a_list_in_one_cell_is_longer_than_one_of_its_items():
    badges = KINDS["agents"].field("badges")
    many = [f"iso14443a:{n:014X}" for n in range(20)]
    assert badges.read(badges.show(many, "es")) == many
    with pytest.raises(Wrong):
        badges.read(f"iso14443a:{'A' * badges.most}")


def test_lists():
    badges = KINDS["agents"].field("badges")
    assert badges.read("iso14443a:04a1b2c3 | iso14443a:04A1B2C4") == [
        "iso14443a:04A1B2C3",
        "iso14443a:04A1B2C4",
    ]
    pauses = KINDS["shifts"].field("pauses")
    assert pauses.read("9:00-9:15 break; 13:00 - 13:45 refrigerio") == [
        "09:00-09:15 break",
        "13:00-13:45 refrigerio",
    ]
    teams = KINDS["supervisors"].field("teams")
    assert teams.read("Mañana, lunes | Tarde") == ["Mañana, lunes", "Tarde"]


def test_a_choice_is_known_by_any_of_its_names():
    absence = KINDS["roster"].field("absence")
    for text in ("medical_rest", "Descanso médico", "DESCANSO MEDICO", "Medical rest"):
        assert absence.read(text) == "medical_rest"


@pytest.mark.parametrize(
    ("kind", "number", "word"),
    [
        ("DNI", "01234567", None),
        ("DNI", "1234567", "dni_short"),
        ("DNI", "123456789", "document_dni"),
        ("CE", "001234567", None),
        ("CE", "12", "document_ce"),
        ("PASAPORTE", "AB123456", None),
        ("PASAPORTE", "A/1", "document_pasaporte"),
    ],
)
def test_documents(kind, number, word):
    assert wrong_document(kind, number) == word


@given(st.integers(min_value=0, max_value=10**8 - 1), st.sampled_from(["10", "20"]))
def test_one_last_digit_fits_each_ruc(body, start):
    ten = f"{start}{body:08}"
    assert sum(wrong_ruc(f"{ten}{digit}") is None for digit in range(10)) == 1


_ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.datetimes(), st.times(),
    st.timedeltas(), st.lists(st.text(), max_size=3),
)  # fmt: skip


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_whatever_is_given_is_read_or_refused_with_words(name, data):
    kind = KINDS[name]
    given_ = {field.name: data.draw(_ANYTHING) for field in kind.fields}
    try:
        body = kind.read(given_)
    except Wrong as error:
        for problem in error.problems:
            assert problem.whole("es") and problem.whole("en")
    else:
        assert kind.read(body) == body


STEPS_SAID = ["Saludo *", "identidad", "Informacion", "doubts", "cierre", "need*"]
STEPS_KEPT = ["greeting*", "identity", "information", "doubts", "closing", "need*"]


@pytest.mark.parametrize(
    ("shape", "said", "kept"),
    [
        ("step", STEPS_SAID, STEPS_KEPT),
        ("step", STEPS_KEPT, STEPS_KEPT),
        ("weekday", ["Lun", "mié", "sab", "DOM"], ["mon", "wed", "sat", "sun"]),
        ("weekday", ["mon", "Tue"], ["mon", "tue"]),
    ],
)
def test_steps_and_days_are_read_in_either_language(shape, said, kept):
    field = Field(name="value", many=True, shape=shape)
    assert field.read(said) == kept
    assert field.read(" | ".join(said)) == kept


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["steps", "call_days"])
def test_steps_and_days_are_written_in_the_language_of_the_table(name, language):
    field = KINDS["campaigns"].field(name)
    items = [*ITEMS[field.shape]]
    shown = field.show(items, language)
    assert field.read(shown) == items
    assert (shown == " | ".join(items)) == (language == "en")
    hint = section("people", language)[f"hint.{name}"]
    assert hint.split(";")[0].split(", ") == shown.split(" | ")  # what the form tells to write


def test_a_step_written_in_no_language_is_refused_with_all_that_there_are():
    with pytest.raises(Wrong) as wrong:
        KINDS["campaigns"].field("steps").read("saludos")
    assert wrong.value.problems[0].say("es") == (
        "«saludos» no es un paso: saludo, identidad, necesidad, información, dudas, cierre;"
        " con * se marca solo"
    )


PATTERNED = [
    field
    for kind in KINDS.values()
    for field in kind.fields
    if field.pattern and field.type == "text"
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", PATTERNED, ids=lambda field: field.name)
def test_a_form_that_is_wanted_is_told_in_words(field, language):
    with pytest.raises(Wrong) as wrong:
        field.read("ñ ñ")
    said = wrong.value.problems[0].say(language)
    assert "ñ ñ" in said and section("people", language)[f"hint.{field.name}"] in said
    assert not set("[]{}\\") & set(said)
