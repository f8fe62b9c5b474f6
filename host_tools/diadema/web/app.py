"""The application: the FastAPI parent with its parts, behind the one guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from nicegui import core, ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from diadema import __doc__ as about
from diadema.site.directory.problems import Wrong
from diadema.web import api, assets, refusals, standby
from diadema.web.accounts import account, login, provider
from diadema.web.accounts import api as accounts_api
from diadema.web.accounts import page as accounts_page
from diadema.web.actions import api as actions_api
from diadema.web.actions import handover
from diadema.web.actions import page as actions_page
from diadema.web.agents import api as agents_api
from diadema.web.agents import page as agents_page
from diadema.web.attendance import api as attendance_api
from diadema.web.attendance import page as attendance_page
from diadema.web.faults import api as faults_api
from diadema.web.faults import page as faults_page
from diadema.web.fleet import api as fleet_api
from diadema.web.fleet import flasher
from diadema.web.fleet import page as fleet_page
from diadema.web.floor import api as floor_api
from diadema.web.floor import page as floor_page
from diadema.web.floor import stream
from diadema.web.guard import Guard
from diadema.web.help import api as help_api
from diadema.web.help import page as help_page
from diadema.web.once_only import OnceOnly
from diadema.web.people import api as people_api
from diadema.web.people import kinds as people_kinds
from diadema.web.people import page as people_page
from diadema.web.permissions import person_of
from diadema.web.prometheus import Exporter
from diadema.web.quality import api as quality_api
from diadema.web.quality import (
    cases,
    evaluate,
    evaluations,
    pairs,
    samples,
    samples_api,
    scorecards,
    targeted,
)
from diadema.web.quality import desk as quality_desk
from diadema.web.quality import notices as notices_page
from diadema.web.quality import own as own_quality
from diadema.web.recordings import calls, copies, listening, sound
from diadema.web.recordings import hearing as recording_hearing
from diadema.web.reports import api as reports_api
from diadema.web.reports import dispositions, handling
from diadema.web.reports import page as reports_page
from diadema.web.switch import api as switch_api
from diadema.web.switch import page as switch_page
from diadema.web.web_app import WebApp

_ROUTERS = (
    api.router,
    accounts_api.router,
    floor_api.router,
    agents_api.router,
    actions_api.router,
    attendance_api.router,
    reports_api.router,
    people_api.router,
    people_kinds.router,
    fleet_api.router,
    switch_api.router,
    faults_api.router,
    standby.router,
    quality_api.router,
    pairs.api,
    cases.api,
    evaluations.api,
    help_api.router,
    notices_page.router,
    own_quality.router,
    sound.router,
    floor_page.router,
    faults_page.router,
    help_page.router,
    samples.router,
    samples_api.router,
    scorecards.router,
    targeted.router,
    quality_desk.router,
    evaluate.router,
    calls.router,
    copies.router,
    listening.router,
    recording_hearing.router,
    pairs.router,
    cases.router,
    evaluations.router,
    handover.router,
    flasher.router,
    login.router,
    provider.router,
    account.router,
)
_PAGES = (
    agents_page,
    attendance_page,
    handling,
    dispositions,
    reports_page,
    actions_page,
    people_page,
    fleet_page,
    switch_page,
    accounts_page,
    notices_page,
)
_GZIP_LEVEL = 4  # a twentieth larger than 9's, in a third of its time


def create_app(web_app: WebApp) -> ASGIApp:
    """Everything the web serves. Its tasks run as long as the application does."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with web_app.running():
            yield

    app = FastAPI(
        title="Diadema",
        description=about or "",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its page would come from a CDN
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.web_app = web_app
    app.state.exporter = Exporter(web_app)
    api.describe(app)
    refusals.speak(app)
    app.add_exception_handler(Wrong, people_api.on_wrong)

    @app.get("/", include_in_schema=False)
    def root(request: Request) -> RedirectResponse:
        home, query = person_of(request).home, request.url.query
        return RedirectResponse(f"{home}?{query}" if query else home)

    assets.serve(app)  # first: a page needs forty of them
    for router in _ROUTERS:
        app.router.routes += router.routes  # `include_router` makes each of them a second time
    app.add_api_websocket_route("/ws", stream.floor_stream)
    _add_pages(app, web_app)
    once_only = OnceOnly(app, web_app.accounts.answers)
    return Guard(
        once_only,
        web_app.settings.hosts,
        web_app.authenticator,
        lambda: web_app.floor.site.language,
    )


def _add_pages(app: FastAPI, web_app: WebApp) -> None:
    """Add the supervisors' pages under `/ui`: NiceGUI makes the shell, our modules what is live or
    drawn.
    """
    for page in _PAGES:
        page.mount(app, web_app)
    core.app.config.quasar_config["loadingBar"]["skipHijack"] = True  # it has no name for a reader
    ui.run_with(
        app,
        mount_path="/ui",
        title="Diadema",
        favicon=assets.STATIC / "icon.svg",
        dark=None,
        language="es",
        binding_refresh_interval=None,
        reconnect_timeout=60,
        tailwind=False,
        show_welcome_message=False,
        gzip_middleware_factory=partial(GZipMiddleware, compresslevel=_GZIP_LEVEL),
    )
    refusals.speak(core.app)  # in the place of its own pages
