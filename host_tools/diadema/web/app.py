"""The application: the FastAPI parent with its parts, behind the one guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp

from diadema import __doc__ as about
from diadema.site.directory.problems import Wrong
from diadema.web import (
    acting,
    agent_api,
    alert_api,
    api,
    assets,
    audit_api,
    flasher,
    handover,
    inspection_api,
    ledger_api,
    people_api,
    refusals,
    reports_api,
    stream,
    ui,
    wall,
)
from diadema.web.asking import person_of
from diadema.web.guard import Guard
from diadema.web.once_only import OnceOnly
from diadema.web.pages import account, login, setup
from diadema.web.service import Service

_ROUTERS = (
    api.router,
    api.metrics_router,
    ledger_api.router,
    audit_api.router,
    acting.router,
    agent_api.router,
    reports_api.router,
    alert_api.router,
    inspection_api.router,
    handover.router,
    flasher.router,
    people_api.router,
    wall.router,
    login.router,
    setup.router,
    account.router,
)


def create_app(service: Service) -> ASGIApp:
    """Everything the web serves. The service's tasks run as long as the application does."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="Diadema",
        description=about or "",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its page would come from a CDN
        redoc_url=None,
        lifespan=lifespan,
        responses=api.RESPONSES,
    )
    app.state.service = service
    api.describe(app)
    refusals.speak(app)
    app.add_exception_handler(Wrong, people_api.on_wrong)

    @app.get("/", include_in_schema=False)
    def root(request: Request) -> RedirectResponse:
        home, query = person_of(request).home, request.url.query
        return RedirectResponse(f"{home}?{query}" if query else home)

    for router in _ROUTERS:
        app.include_router(router)
    app.add_api_websocket_route("/ws", stream.floor_stream)
    assets.serve(app)
    ui.mount(app, service)
    once_only = OnceOnly(app, service.accounts.answers)
    return Guard(once_only, service.settings.hosts, service.door)
