"""Whoever goes away while a file is made for him leaves nobody behind him waiting for it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from diadema.base.clock import open_clock
from diadema.web.app import create_app
from diadema.web.fleet import api as fleet_api
from diadema.web.people import api as people_api
from diadema.web.reports import api as reports_api
from diadema.web.settings import Settings
from diadema.web.web_app import WebApp

from tests.support.web_stage import TOKEN

ENDLESS = {
    "export": "GET /api/v1/people/export/agents?format=csv",
    "import": "POST /api/v1/people/import/agents",
    "import once": "POST /api/v1/people/import/agents",
    "report": "GET /api/v1/reports/tmo?format=xlsx",
    "figures": "GET /api/v1/reports/tmo",
    "record": "GET /api/v1/stations/DIA-000000000001/inspections/1/1.pdf",
}


def endless(*_: Any, **__: Any) -> None:
    """The work, in the worker's process."""
    time.sleep(3600)


@pytest.fixture
async def served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[WebApp, int]]:
    monkeypatch.setattr(people_api.queries, "table", endless)
    monkeypatch.setattr(people_api.queries, "take_table", endless)
    monkeypatch.setattr(reports_api, "content_of", endless)
    monkeypatch.setattr(fleet_api, "_paper", endless)
    service = WebApp(
        Settings(tmp_path, "nats://127.0.0.1:1", "u", "p", TOKEN), open_clock(None), "b"
    )
    config = uvicorn.Config(create_app(service), port=0, log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield service, server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    await serving


@pytest.mark.parametrize("what", sorted(ENDLESS))
async def test_who_goes_away_leaves_nobody_waiting(served: tuple[WebApp, int], what: str) -> None:
    service, port = served
    head = [
        f"{ENDLESS[what]} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {TOKEN}",
        "Content-Length: 5",
    ]
    if what == "import once":
        head.append("Idempotency-Key: 0123456789abcdef")
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([*head, "", "a;b\r\n"]).encode())
    name = "ask" if what == "figures" else "file"
    async with asyncio.timeout(300):
        while not service.worker._turns[name].locked():
            await asyncio.sleep(0.01)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        run = service.worker.ask if name == "ask" else service.worker.file
        assert await run(int, "7") == 7


async def test_what_was_to_be_changed_is_changed(
    served: tuple[WebApp, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An import that is no rehearsal is ended by its time alone."""
    service, port = served
    done = tmp_path / "done"
    monkeypatch.setattr(people_api.queries, "take_table", taken)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=300,
    ) as client:
        path = "/api/v1/people/import/agents?dry_run=false"
        asked = asyncio.create_task(client.post(path, content=str(done).encode()))
        async with asyncio.timeout(300):
            while not done.exists():
                await asyncio.sleep(0.01)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            Path(f"{done}.gone").touch()
            assert await service.worker.file(int, "7") == 7
    assert done.read_text() == "whole"


def taken(_: Any, __: str, given: bytes, **___: Any) -> dict[str, Any]:
    done = Path(given.decode())
    done.touch()
    while not Path(f"{done}.gone").exists():
        time.sleep(0.01)
    time.sleep(1)  # the web hears meanwhile that the asker has gone
    done.write_text("whole")
    return {}
