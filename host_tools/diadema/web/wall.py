"""`/wall`: the public board for a large screen. One plain page; what it shows comes by `/ws`."""

import json
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from diadema.web.service import Service
from diadema.words import known, section

router = APIRouter()

_PAGE = """<!doctype html>
<html lang="{language}" data-build="{build}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/fonts.css">
<link rel="stylesheet" href="/static/floor.css">
<link rel="stylesheet" href="/static/wall.css">
<script src="/static/theme.js"></script>
<script type="module" src="/static/wall.js"></script>
</head>
<body class="wall">
<header class="bar">
<h1 data-site>{title}</h1>
<p class="bar-clock" data-clock></p>
<button type="button" class="quiet" data-theme-button></button>
</header>
<main id="floor" class="floor" data-mode="wall"></main>
<script type="application/json" id="words">{words}</script>
</body>
</html>
"""


@router.get("/wall", include_in_schema=False)
def wall(request: Request) -> HTMLResponse:
    service: Service = request.app.state.service
    language = known(request.query_params.get("lang") or service.floor.site.language)
    words = section("floor", language)
    page = _PAGE.format(
        language=language,
        build=service.build,
        title=escape(words["wall_title"]),
        words=json.dumps(dict(words), ensure_ascii=False).replace("<", "\\u003c"),
    )
    return HTMLResponse(page, headers={"cache-control": "no-cache"})
