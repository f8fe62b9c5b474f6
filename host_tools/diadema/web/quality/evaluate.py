"""`/ui/quality/evaluate/{Q}`: one call, its form and its player. A plain page, without NiceGUI,
which our own module makes live; it says nothing of whose call it is.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from diadema.access.roles import Person
from diadema.web.assets import modules_of
from diadema.web.guard import language_of
from diadema.web.permissions import need
from diadema.web.quality.api import Q, plain_sheet
from diadema.web.shell import plain_page
from diadema.web.web_app import web_app_of
from diadema.words import section

PATH = "/ui/quality/evaluate/{q}"
router = APIRouter()
_MODULES = modules_of("evaluate.js")
_OF_THE_PAGE = (
    "kind.", "fail.", "option.", "comment", "about.", "code.", "score", "submit", "saved",
    "saving", "unsaved", "listen", "replace", "play", "pause", "back5", "forward5", "speed",
    "position", "wave", "marks", "side.", "buffering", "sound.", "mark.", "step.", "guide",
    "weight", "final.", "cause.", "indicator", "how.", "steps.", "yes", "no", "keys", "blind",
    "back", "over.",
)  # fmt: skip


@router.get(PATH, include_in_schema=False)
async def evaluate_page(
    q: Q, request: Request, person: Annotated[Person, Depends(need("evaluate"))]
) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    words = section("quality", language)
    try:
        sheet = await plain_sheet(web_app, request, person, q)
    except HTTPException as error:
        title = words["title"]
        return plain_page(
            web_app, request, "quality_gone.html", title, error.status_code,
            said=error.detail, words=words,
        )  # fmt: skip
    task = sheet["task"]
    title = words["call"].format(number=task["number"], of=task["of"])
    options = {
        "sheet": sheet,
        "language": language,
        "words": {key: said for key, said in words.items() if key.startswith(_OF_THE_PAGE)},
    }
    return plain_page(
        web_app, request, "evaluate.html", title, options=options, modules=_MODULES, words=words
    )
