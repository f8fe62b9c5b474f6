"""What people read, in Spanish and English, and how numbers and times are written.

A word is asked for as `area.name`; `floor.state.ready` is in `es/floor.json` under `state.ready`.
Spanish is complete by definition: what another language lacks is taken from it.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("es", "en")
DEFAULT = "es"


@cache
def section(area: str, language: str = DEFAULT) -> Mapping[str, str]:
    """Every word of one area, for a page that carries its own words. Raises KeyError if none."""
    words: dict[str, str] = {}
    for candidate in dict.fromkeys((DEFAULT, known(language))):
        source = files(__name__) / candidate / f"{area}.json"
        if source.is_file():
            words |= json.loads(source.read_text("utf-8"))
    if not words:
        raise KeyError(f"no catalogue es/{area}.json")
    return words


def text(name: str, language: str = DEFAULT, /, **values: object) -> str:
    """One word or sentence, its {places} filled from `values`. Raises KeyError if unknown."""
    area, _, key = name.partition(".")
    return section(area, language)[key].format(**values)


def known(language: str | None) -> str:
    """`language` if there is a catalogue for it (`en-GB` counts as `en`), else Spanish."""
    short = (language or DEFAULT)[:2].lower()
    return short if short in LANGUAGES else DEFAULT
