"""What goes on behind the pages survives its own faults, and says what they were."""

import asyncio
import logging
from pathlib import Path

import pytest
from diadema.base.clock import SystemClock
from diadema.web.prometheus import Exporter
from diadema.web.settings import Settings
from diadema.web.web_app import WebApp


@pytest.fixture
def service(tmp_path: Path) -> WebApp:
    settings = Settings(
        data=tmp_path, nats_url="nats://127.0.0.1:1", user="", password="", token="t" * 32
    )
    return WebApp(settings, SystemClock(), "test")


async def test_a_part_that_fails_begins_again_and_is_logged(
    service: WebApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries, looked = [], asyncio.Event()
    monkeypatch.setattr("diadema.web.web_app._FIRST_S", 0.0)

    async def rolling() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise ValueError("year 287396 is out of range")
        looked.set()

    monkeypatch.setattr(service.rolling, "run", rolling)
    with caplog.at_level(logging.ERROR):
        async with service.running():
            await asyncio.wait_for(looked.wait(), 60)
    assert len(tries) == 4
    (told,) = [one for one in caplog.records if "rolling" in one.getMessage()]
    assert told.exc_info and "287396" in str(told.exc_info[1])
    assert "diadema_web_failures_total 3" in await Exporter(service).text()
