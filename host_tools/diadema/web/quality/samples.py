"""`/ui/quality/samples`: plans and what they ask of the monitors; of each period its commitment,
what was drawn, how far that is, and how anybody checks it. The commitment prints as a page of its
own, so that it can be handed over before the calls exist.
"""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from diadema.base.sanitize import visible
from diadema.web.guard import language_of
from diadema.web.quality.samples_api import (
    Lead,
    PeriodPath,
    PlanPath,
    find,
    none_such,
    read_all,
    view_of,
)
from diadema.web.quality.samples_read import SetUp
from diadema.web.quality.samples_view import PATH, is_short
from diadema.web.shell import plain_page
from diadema.web.web_app import web_app_of
from diadema.words import section

router = APIRouter()

_DRAWS, _ANNULMENTS = "/api/v1/quality/samples/draws", "/api/v1/quality/samples/annulments"
_OPEN_PERIODS = ("open", "to_draw", "no_secret")  # of which no draw was made


@router.get(PATH, include_in_schema=False)
async def samples_page(request: Request, person: Lead) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    web_app.audit(person, "quality.samples")
    found = await read_all(web_app, request, person)
    view, words = await view_of(web_app, request, found.blind), section("samples", language)
    return plain_page(
        web_app,
        request,
        "samples.html",
        words["title"],
        words=words,
        steps=_steps(found.set_up, language),
        plans=[view.plan(one) for one in found.plans],
        edit=_in_people("sample_plans", language),
        exclusions=_in_people("sample_exclusions", language),
        conflicts=_in_people("conflicts", language),
        targeted=f"/ui/quality/targeted?lang={language}",
    )


def _steps(set_up: SetUp, language: str) -> list[dict[str, Any]]:
    """What comes first, while anything of it is missing."""
    words = section("samples", language)
    made = (
        ("notices", set_up.notices, f"/ui/quality/notices?lang={language}"),
        ("scorecard", set_up.scorecard, f"/ui/quality/scorecards?lang={language}"),
        ("plan", set_up.plan, _in_people("sample_plans", language)),
    )
    if all(done for _, done, _ in made):
        return []
    first = next(name for name, done, _ in made if not done)
    return [
        {
            "name": words[f"first.{name}"],
            "what": words[f"first.{name}.what"],
            "link": link,
            "done": done,
            "next": name == first,
        }
        for name, done, link in made
    ]


def _in_people(kind: str, language: str, search: str = "") -> str:
    query = {"kind": kind, "lang": language} | ({"q": search} if search else {})
    return f"/ui/people?{urlencode(query)}"


@router.get(f"{PATH}/{{plan}}", include_in_schema=False)
async def plan_page(request: Request, person: Lead, plan: PlanPath) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    web_app.audit(person, "quality.samples")
    found = await read_all(web_app, request, person, plan)
    if not found.plans:
        raise none_such(request, plan)
    (its,) = found.plans
    view, words = await view_of(web_app, request, found.blind), section("samples", language)
    return plain_page(
        web_app,
        request,
        "sample_plan.html",
        visible(its.plan.label if its.plan else its.code),
        words=words,
        plan=view.plan(its),
        settings=view.settings(its.plan) if its.plan else [],
        load_notes=view.load_notes(its.load) if its.load else [],
        is_short=bool(its.load and is_short(its.load)),
        edit=_in_people("sample_plans", language, its.code),
        form=f"/ui/quality/scorecards/{its.plan.scorecard}?lang={language}" if its.plan else "",
        back=f"{PATH}?lang={language}",
    )


@router.get(f"{PATH}/{{plan}}/{{period}}", include_in_schema=False)
async def period_page(
    request: Request, person: Lead, plan: PlanPath, period: PeriodPath
) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    web_app.audit(person, "quality.samples")
    found = await read_all(web_app, request, person, plan)
    its, one = find(request, found, plan, period)
    view, words = await view_of(web_app, request, found.blind), section("samples", language)
    said = view.period(its, one)
    return plain_page(
        web_app,
        request,
        "sample.html",
        words["title.period"].format(plan=said["plan"], period=said["word"]),
        words=words,
        period=said,
        may_annul_plan=one.state in _OPEN_PERIODS,
        draws=_DRAWS,
        annulments=_ANNULMENTS,
        back=f"{PATH}/{plan}?lang={language}",
        paper=f"{PATH}/{plan}/{period}/commitment?lang={language}",
    )


@router.get(f"{PATH}/{{plan}}/{{period}}/commitment", include_in_schema=False)
async def commitment_page(
    request: Request, person: Lead, plan: PlanPath, period: PeriodPath
) -> HTMLResponse:
    """«Compromiso»: for paper, to be kept by whoever will check the draw."""
    web_app, language = web_app_of(request), language_of(request)
    found = await read_all(web_app, request, person, plan)
    its, one = find(request, found, plan, period)
    view, words = await view_of(web_app, request, found.blind), section("samples", language)
    return plain_page(
        web_app,
        request,
        "commitment.html",
        words["commit"],
        words=words,
        period=view.period(its, one),
        settings=view.settings(its.plan) if its.plan else [],
        back=f"{PATH}/{plan}/{period}?lang={language}",
    )
