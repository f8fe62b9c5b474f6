"""The language of a run of the command line: `--lang`, else the site's, else the locale's.

`say(key, **values)` gives a sentence of the catalogue `commands` in it; other catalogues are asked
for by `text(name, language(), …)`. Help and logs are English.
"""

import json
import os
from contextlib import suppress
from pathlib import Path

from diadema.words import DEFAULT, LANGUAGES, known, said, text

_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # in the order in which they count


class _Run:
    """What is known of the language so far."""

    def __init__(self) -> None:
        self.chosen: str | None = None
        self.sites: list[Path] = []  # the first that can be read counts


_run = _Run()


def begin(chosen: str | None) -> None:
    """A run begins; `chosen` by `--lang`."""
    _run.chosen, _run.sites = chosen, []


def use_site(file: Path) -> None:
    """The run is about that site, if the file is there and right."""
    _run.sites.insert(0, file)


def language() -> str:
    """`es` or `en`."""
    return _run.chosen or _of_site() or _of_locale()


def say(key: str, /, **values: object) -> str:
    """The sentence `key` of the catalogue `commands`, in the language of this run. What can be
    said in it (an error, a `Sentence`) among the values is.
    """
    language_now = language()
    values = {name: said(value, language_now) for name, value in values.items()}
    return text(".".join(("commands", key)), language_now, **values)


def _of_site() -> str | None:
    for file in _run.sites:
        with suppress(OSError, ValueError, AttributeError, TypeError):
            return known(json.loads(file.read_bytes()).get("language", DEFAULT))
    return None


def _of_locale() -> str:
    """What people set for messages: Spanish, or else English."""
    name = next((value for key in _LOCALE if (value := os.environ.get(key))), "")
    return next((one for one in LANGUAGES if name.startswith(one)), "en")
