"""What is asked of the hub about recordings, listening and evaluations, and its refusals as
sentences.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fastapi import Request

from diadema.web.api import ask_hub
from diadema.web.refusals import hub_refusal
from diadema.web.web_app import WebApp
from diadema.words import Sentence, section, text

_SAID = (
    "errors.quality.hear", "errors.recordings.refused", "listening.refused", "calls.refused",
    "cases.refused",
)  # fmt: skip


async def ask(
    web_app: WebApp, request: Request, subject: str, body: dict[str, Any]
) -> dict[str, Any]:
    """The hub's answer. Raises HTTPException with why not, in the language of the request."""
    return await ask_hub(web_app, request, subject, body, said)


async def ask_live(
    web_app: WebApp, request: Request, subject: str, body: dict[str, Any]
) -> dict[str, Any]:
    """The same about a call that goes on, of which a word may say something else."""
    return await ask_hub(web_app, request, subject, body, _said_live)


def _said_live(answer: Mapping[str, Any], language: str) -> str:
    own = section("listening", language).get(f"refused.{answer['error']}")
    return own or said(answer, language)


def said(answer: Mapping[str, Any], language: str) -> str:
    if (parts := answer.get("sentence")) is not None:  # as the bridge says it
        with suppress(LookupError, TypeError, ValueError, AttributeError, RecursionError):
            return Sentence.of(parts).say(language)
    found = why(str(answer["error"]), language)
    return found or hub_refusal(answer, language)


def why(word: str, language: str) -> str:
    """The sentence for a word of the register; empty where it is none of these."""
    for prefix in _SAID:
        area, _, name = prefix.partition(".")
        if f"{name}.{word}" in section(area, language):
            return text(f"{prefix}.{word}", language)
    return ""
