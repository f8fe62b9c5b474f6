"""`/wall`: the public board for a large screen. One plain page; what it shows comes by `/ws`."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from diadema.web.service import Service
from diadema.web.templating import render
from diadema.words import known, section

router = APIRouter()


@router.get("/wall", include_in_schema=False)
def wall(request: Request) -> HTMLResponse:
    service: Service = request.app.state.service
    language = known(request.query_params.get("lang") or service.floor.site.language)
    words = section("floor", language)
    page = render("wall.html", language=language, build=service.build, words=words)
    return HTMLResponse(page, headers={"cache-control": "no-cache"})
