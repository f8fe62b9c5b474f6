"""Which letters are drawn as they are, and what stands for the others."""

from lib.font import LETTERS, drawable


def test_what_has_a_glyph_stays():
    for text in ("", "Consultas 24x7", "Ñañez, Iñigo · «¿qué?» ▲△×", " ".join(LETTERS)):
        assert drawable(text) == text


def test_each_other_letter_is_a_question_mark():
    for text, shown in (
        ("日本", "??"),
        ("añ日o", "añ?o"),
        ("é\u0301", "é?"),
        ("\U0001f600 hola ß", "? hola ?"),
        ("Привет ñ", "?????? ñ"),
    ):
        assert drawable(text) == shown
        assert len(drawable(text)) == len(text)
