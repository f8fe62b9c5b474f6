"""A directory that cannot be read is said, and nobody is shown an empty one in its place."""

from pathlib import Path

import httpx
import pytest
from diadema.base.clock import open_clock
from diadema.base.paths import DataDir
from diadema.site.directory.book import Directory
from diadema.web.app import create_app
from diadema.web.settings import Settings
from diadema.web.web_app import WebApp

from tests.support.web_stage import TOKEN

PATHS = [
    ("/api/v1/agents", 503),
    ("/api/v1/agents/a001/page", 503),
    ("/api/v1/people/agents", 409),
]


@pytest.mark.parametrize(("path", "status"), PATHS)
@pytest.mark.parametrize("from_byte", [0, 4096])
async def test_it_says_which_file_and_what_to_do(
    tmp_path: Path, path: str, status: int, from_byte: int
) -> None:
    data = DataDir(tmp_path)
    with Directory(data.directory):
        pass
    whole = data.directory.read_bytes()
    data.directory.write_bytes(whole[:from_byte].ljust(len(whole), b"x"))
    service = WebApp(
        Settings(tmp_path, "nats://127.0.0.1:1", "u", "p", TOKEN), open_clock(None), "b"
    )
    transport = httpx.ASGITransport(create_app(service), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport,
        base_url="http://localhost",
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=300,
    ) as client:
        answer = await client.get(path)
    service.worker.close()
    service.accounts.close()
    assert (answer.status_code, "directory.sqlite3" in answer.text) == (status, True), answer.text
