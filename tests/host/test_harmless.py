"""Hostile text does nothing in a spreadsheet or on a page, and nothing of it is lost."""

import pytest
from diadema.base.sanitize import (
    cell,
    file_name,
    from_cell,
    hidden,
    stripped,
    visible,
)
from hypothesis import given
from hypothesis import strategies as st

FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\n+1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text(text):
    assert cell(text).startswith("'")


@pytest.mark.parametrize(
    "text", ["", "Rosa", "<script>alert(1)</script>", "a=b", "O'Higgins", "'"]
)
def test_other_text_stays(text):
    assert cell(text) == text


def test_what_turns_the_text_around_is_seen():
    name = "Ana\u202eisoR\u2069 \u200fB"
    assert hidden(name) == ["U+202E", "U+2069", "U+200F"]
    assert visible(name) == "Ana⟨U+202E⟩isoR⟨U+2069⟩ ⟨U+200F⟩B"
    assert stripped(name) == "AnaisoR B"


def test_line_ends_are_welcome_in_notes_only():
    assert hidden("uno\ndos\x07", lines=True) == ["U+0007"]
    assert hidden("uno\ndos") == ["U+000A"]
    assert visible("uno\ndos\x00", lines=True) == "uno\ndos⟨U+0000⟩"


def test_names_of_the_world_stay():
    for name in ("José Ñahui", "Ольга", "李娜", "مريم", "O\u2019Brien", "Ana\u00a0Luz"):
        assert visible(name) == stripped(name) == name
        assert hidden(name) == []


@given(st.text(st.characters(exclude_categories=[])))
def test_a_files_name_is_no_path(text):
    told = file_name(text)
    assert not {*told} & {*'/\\:*?"<>|'} and hidden(told) == []


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_a_cell_comes_back_as_it_was(text):
    assert from_cell(cell(text)) == text


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_in_it_is_a_formula_or_hidden(text):
    told = cell(text)
    assert not told.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert hidden(told, lines=True) == []
    told.encode()
    assert visible(stripped(text)) == stripped(text)
