"""What people read, in Spanish and English, and how numbers and times are written.

A word is asked for as `area.name`; `floor.state.ready` is in `es/floor.json` under `state.ready`.
Spanish is complete by definition: what another language lacks is taken from it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Protocol, Self, runtime_checkable

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


@runtime_checkable
class Sayable(Protocol):
    """A sentence, or an error that has one."""

    def say(self, language: str) -> str: ...


class Sentence:
    """What is said where it is read, in the language of whoever reads it. `str` gives its English,
    as logs have it. A value may be a sentence too, or an error.
    """

    def __init__(self, name: str, /, **values: object) -> None:
        """`name`: as `text` has it."""
        self.name, self.values = name, values

    def __str__(self) -> str:
        return self.say("en")

    def say(self, language: str) -> str:
        values = {name: said(value, language) for name, value in self.values.items()}
        return text(self.name, language, **values)

    def parts(self) -> list[Any]:
        """For a wire: `of` makes the sentence again. What is neither a number nor a sentence goes
        as its text.
        """
        values = {name: _part(value) for name, value in self.values.items()}
        return [self.name, values]

    @classmethod
    def of(cls, parts: list[Any]) -> Self:
        name, values = parts
        return cls(
            name,
            **{key: cls.of(one) if isinstance(one, list) else one for key, one in values.items()},
        )


class Later:
    """What a function of the language says, where more than one sentence makes it."""

    def __init__(self, make: Callable[[str], str]) -> None:
        self.say = make

    def __str__(self) -> str:
        return self.say("en")


class Listed:
    """Sentences, one after the other."""

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self.sentences = [*sentences]

    def __str__(self) -> str:
        return self.say("en")

    def say(self, language: str) -> str:
        return ", ".join(one.say(language) for one in self.sentences)


def said(value: object, language: str) -> object:
    """In that language what can be said in it; anything else as it is."""
    return value.say(language) if isinstance(value, Sayable) else value


def _part(value: object) -> Any:
    if isinstance(value, Exception) and len(value.args) == 1:
        value = value.args[0]
    if isinstance(value, Sentence):
        return value.parts()
    return value if isinstance(value, int | float) else str(value)


def known(language: str | None) -> str:
    """`language` if there is a catalogue for it (`en-GB` counts as `en`), else Spanish."""
    short = (language or DEFAULT)[:2].lower()
    return short if short in LANGUAGES else DEFAULT
