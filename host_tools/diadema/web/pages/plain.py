"""Pages without NiceGUI and without scripts: forms to come in by, under the strict policy."""

from collections.abc import Mapping
from html import escape

from fastapi import Request
from fastapi.responses import HTMLResponse

from diadema.web.service import Service
from diadema.words import known, section

Words = Mapping[str, str]
_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Diadema</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/fonts.css">
<link rel="stylesheet" href="/static/floor.css">
<link rel="stylesheet" href="/static/plain.css">
<script src="/static/theme.js"></script>
</head>
<body class="plain">
<header class="plain-bar"><a class="plain-brand" href="/"><img src="/static/icon.svg" alt=""
width="22" height="22">Diadema</a><span>{site}</span>
<a href="?{other}" lang="{other_code}" hreflang="{other_code}">{other_name}</a></header>
<main class="plain-main"><h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def language_for(service: Service, request: Request) -> str:
    """As asked for, else the site's: who is nobody yet has no language of his own."""
    from diadema.web.asking import person_of

    asked = request.query_params.get("lang") or person_of(request).language
    return known(asked or service.floor.site.language)


def page(
    service: Service, request: Request, title: str, body: str, status: int = 200
) -> HTMLResponse:
    """`body` is HTML that is escaped already; `title` is not."""
    language = language_for(service, request)
    shell = section("shell", language)
    code = shell["language.other_code"]
    html = _PAGE.format(
        language=language,
        title=escape(title),
        site=escape(service.floor.site.site),
        other=escape(str(request.url.include_query_params(lang=code).query)),
        other_code=code,
        other_name=escape(shell["language.other"]),
        body=body,
    )
    return HTMLResponse(html, status, {"cache-control": "no-store"})


def said(sentence: str | None, kind: str = "alert") -> str:
    """A line above a form: what was wrong, or that it is done (`status`)."""
    return f'<p class="plain-said" role="{kind}">{escape(sentence)}</p>' if sentence else ""


def line(
    words: Words,
    name: str,
    *,
    kind: str = "text",
    value: str = "",
    auto: str = "off",
    hint: bool = False,
) -> str:
    """One labelled input; its label is the word `<name>`, its hint `<name>.hint`."""
    told = f'<small id="{name}-hint">{escape(words[f"{name}.hint"])}</small>' if hint else ""
    described = f' aria-describedby="{name}-hint"' if hint else ""
    return (
        f'<label for="{name}">{escape(words[name])}</label>{told}'
        f'<input id="{name}" name="{name}" type="{kind}" value="{escape(value)}" required '
        f'autocomplete="{auto}" autocapitalize="none" spellcheck="false" maxlength="256"'
        f"{described}>"
    )


def form(action: str, inputs: str, button: str, *, hidden: Mapping[str, str] | None = None) -> str:
    kept = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (hidden or {}).items()
    )
    return (
        f'<form method="post" action="{escape(action)}">{kept}{inputs}'
        f'<button type="submit">{escape(button)}</button></form>'
    )
