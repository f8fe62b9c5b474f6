"""What a coordinator says of evaluations and is shown for it: what the page of one evaluation and
the page of two have in common.
"""

from typing import Annotated, Any

import msgspec
from fastapi import Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from diadema.access.roles import Person
from diadema.quality.call_marks import CallMarks, call_marks
from diadema.site.directory.people import People
from diadema.site.directory.scorecards import Scorecard
from diadema.store.assistance import Key
from diadema.store.quality import recordings
from diadema.store.rows import Contact
from diadema.web.actions.api import signed
from diadema.web.actions.models import Reason
from diadema.web.permissions import need
from diadema.web.quality.api import Code
from diadema.web.quality.sheet import (
    disposition_of,
    given,
    in_order,
    outcome_of,
    recording_of,
    wrong_answers,
)
from diadema.web.recordings.asking import ask
from diadema.web.web_app import WebApp
from diadema.words import section, text

AGAIN = "calibration"  # for what the coordinator hears a call
_OF_THE_PAGES = (
    "kind.", "fail.", "option.", "comment.go", "about.", "code.", "listen", "play", "pause",
    "back5", "forward5", "speed", "position", "wave", "marks", "buffering", "sound.", "mark.",
    "step.", "weight", "pair.", "score", "blind", "cause.", "evaluation.", "basis.",
)  # fmt: skip

Lead = Annotated[Person, Depends(need("quality"))]


class Decision(BaseModel):
    """`answers`: by the item's code, of each item; `right_code`: where the form asks for one."""

    model_config = ConfigDict(extra="forbid")
    answers: dict[Code, Annotated[str, Field(pattern=r"^[0-5-]$")]]
    right_code: Code | None = None
    reason: Reason


def page_words(language: str) -> dict[str, str]:
    """What the modules of both pages say."""
    words = section("quality", language)
    return {key: said for key, said in words.items() if key.startswith(_OF_THE_PAGES)}


def call_shown(
    tx: Connection, people: People, form: Scorecard, call: Key, contact: Contact | None
) -> dict[str, Any]:
    """Of the call: what happened in it, whether there is a recording, and, where the form asks for
    a code, which its agent gave and which there are.
    """
    marks = call_marks(tx, contact) if contact is not None else CallMarks()
    asks = disposition_of(form) is not None
    code = contact.code if contact is not None else None
    return {
        "agent_code": msgspec.to_builtins(given(people, code)) if asks else None,
        "codes": [msgspec.to_builtins(given(people, one)) for one in people.codes] if asks else [],
        "marks": msgspec.to_builtins(marks.marks),
        "recording": recording_of(recordings(tx, [call]).get(call)),
    }


def check(form: Scorecard, said: Decision, people: People, language: str) -> None:
    """Raises HTTPException where the form does not take these answers, or this code."""
    names = {item.code: item.text for item in form.items}
    if wrong := wrong_answers(form, said.answers):
        items = ", ".join(names.get(code, code) for code in wrong)
        raise HTTPException(422, text("quality.wrong_answer", language, items=items))
    if missing := outcome_of(form, said.answers, []).missing:
        items = ", ".join(names[code] for code in missing)
        raise HTTPException(422, text("quality.missing", language, items=items))
    if said.right_code is not None and (
        disposition_of(form) is None or said.right_code not in people.codes
    ):
        raise HTTPException(422, text("quality.no_code", language))


async def revise(
    web_app: WebApp,
    request: Request,
    person: Person,
    of: Key,
    form: Scorecard,
    said: Decision,
    cause: str,
) -> dict[str, Any]:
    """Of that evaluation.submitted; `said` has been checked. Raises HTTPException."""
    action: dict[str, Any] = {
        "action": "evaluation_revised",
        "of": of,
        "answers": in_order(form, said.answers),
        "cause": cause,
        "reason": said.reason,
    }
    action |= {"right_code": said.right_code} if said.right_code is not None else {}
    done = await ask(web_app, request, "hub.act", action | signed(person))
    return {"of": done.get("of")}


async def annul(
    web_app: WebApp, request: Request, person: Person, of: Key, reason: str
) -> dict[str, Any]:
    """That evaluation.submitted. Raises HTTPException."""
    action = {"action": "evaluation_annulled", "of": of, "reason": reason}
    done = await ask(web_app, request, "hub.act", action | signed(person))
    web_app.audit(person, "quality.annul")
    return {"of": done.get("of")}
