"""Fixtures of the pages of quality: one stage a module, the web over it, and who is logged in."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
from diadema.base.paths import DataDir

from tests.support.evaluation_stage import EvaluationStage, api, connected, serve
from tests.support.web_stage import Hub, Nats, Web


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EvaluationStage]:
    made = EvaluationStage(DataDir(tmp_path_factory.mktemp("quality")), calls=14)
    yield made
    made.close()


@pytest.fixture(scope="module")
def quality_web(stage: EvaluationStage, nats_server: Nats) -> Iterator[Web]:
    web = serve(stage, nats_server.url)
    yield web
    web.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def ana(
    stage: EvaluationStage, hub: Hub, quality_web: Web
) -> AsyncIterator[httpx.AsyncClient]:
    """A monitor."""
    hub.answer = stage.answer
    async with api(quality_web, "ana") as client:
        await connected(client)
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def luz(
    stage: EvaluationStage, hub: Hub, quality_web: Web
) -> AsyncIterator[httpx.AsyncClient]:
    """The coordinator."""
    hub.answer = stage.answer
    async with api(quality_web, "luz") as client:
        await connected(client)
        yield client
