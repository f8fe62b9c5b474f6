"""Pages without NiceGUI, under the strict policy: forms, and lists for technicians."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from diadema.web.service import Service
from diadema.web.templating import render
from diadema.words import known, section


def language_for(service: Service, request: Request) -> str:
    """The language in the address, else the user's, else the site's."""
    from diadema.web.asking import person_of

    wanted = request.query_params.get("lang") or person_of(request).language
    return known(wanted or service.floor.site.language)


def page(
    service: Service,
    request: Request,
    template: str,
    title: str,
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """A template that extends `plain.html`; `values` are those of its own block."""
    language = language_for(service, request)
    shell = section("shell", language)
    code = shell["language.other_code"]
    html = render(
        template,
        language=language,
        title=title,
        site=service.floor.site.site,
        other_query=request.url.include_query_params(lang=code).query,
        other_code=code,
        other_name=shell["language.other"],
        **values,
    )
    return HTMLResponse(html, status, {"cache-control": "no-store"})
