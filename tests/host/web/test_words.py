"""The catalogues: both languages say the same things, in their own words."""

import json
import re
from importlib.resources import files

import pytest
from diadema.words import LANGUAGES, known, section, text

AREAS = sorted(path.name for path in (files("diadema.words") / "es").iterdir())


def _words(language: str, area: str) -> dict[str, str]:
    words: dict[str, str] = json.loads((files("diadema.words") / language / area).read_text())
    return words


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word_with_the_same_places(area: str, language: str) -> None:
    spanish, other = _words("es", area), _words(language, area)
    assert spanish.keys() == other.keys()
    for key, sentence in spanish.items():
        assert re.findall(r"\{(\w+)\}", sentence) == re.findall(r"\{(\w+)\}", other[key]), key
        assert other[key].strip()


def test_nobody_is_called_agente_on_screen() -> None:
    everything = " ".join(" ".join(_words("es", area).values()) for area in AREAS)
    assert not re.search(r"\bagentes?\b", everything, re.IGNORECASE)


def test_a_ring_that_nobody_took_has_one_word() -> None:
    """That of the reports: no contestada; «no atendida» is of a caller, by the switch."""
    for area in AREAS:
        for key, word in _words("es", area).items():
            assert not re.search(r"\bno atendid[ao]s?\b", word, re.IGNORECASE), (area, key)


def test_an_unknown_language_reads_spanish() -> None:
    assert (known("fr"), known(None), known("en-GB")) == ("es", "es", "en")
    assert text("floor.state.ready", "fr") == "disponible"
    assert text("web.port_taken", "en", port=8600).startswith("Port 8600")


def test_an_unknown_area_or_word_is_an_error() -> None:
    with pytest.raises(KeyError):
        section("nowhere")
    with pytest.raises(KeyError):
        text("floor.nothing")


def test_a_place_can_have_any_name() -> None:
    values = {"name": "Aviso", "found": "U+202E"}
    assert text("acting.hidden", "es", **values).startswith("Aviso tiene U+202E")
