"""`/ui`: the supervisors' pages. NiceGUI makes the shell; what is live or drawn is our modules."""

from fastapi import FastAPI
from nicegui import ui

from diadema.web.assets import STATIC
from diadema.web.pages import (
    accounts,
    agents,
    attendance,
    dispositions,
    fleet,
    floor,
    handling,
    people,
    register,
    reports,
)
from diadema.web.service import Service


def mount(app: FastAPI, service: Service) -> None:
    """Hang NiceGUI's pages on the parent application under /ui."""

    for page in (
        floor,
        agents,
        attendance,
        handling,
        dispositions,
        reports,
        register,
        people,
        fleet,
        accounts,
    ):
        page.mount(app, service)
    ui.run_with(
        app,
        mount_path="/ui",
        title="Diadema",
        favicon=STATIC / "icon.svg",
        dark=None,
        language="es",
        binding_refresh_interval=None,
        reconnect_timeout=60,
        tailwind=False,
        show_welcome_message=False,
    )
