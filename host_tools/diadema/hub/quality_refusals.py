"""How the desk of quality refuses: in a word for programs, and a sentence that says what to do."""

from typing import Any

from diadema.hub.own_journal import Refused
from diadema.words import Sentence

NOT_YOURS = "not_your_call"


def refused(word: str, status: int = 409, /, **values: Any) -> Refused:
    """Its sentence is `errors.quality.WORD`."""
    return Refused(word, Sentence(f"errors.quality.{word}", **values), status, **values)


def check_said(words: str) -> None:
    """Raises Refused where somebody should say why, and does not."""
    if not words.strip():
        raise refused("say_why", 422)
