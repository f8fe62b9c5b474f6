"""The stage: one test's trouble must not be that of all who come after it."""

import pytest

from tests.support.web_stage import Hub, Web
from tests.support.web_viewer import viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_a_failed_clearing_left_is_cleared_the_next_time(
    web: Web, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hub.put(a="a001")

    async def refuse(_: str) -> None:
        raise TimeoutError

    async with viewing(web) as viewer:
        await viewer.until(a="a001")
        with monkeypatch.context() as patched, pytest.raises(TimeoutError):
            patched.setattr(hub.bucket, "delete", refuse)
            await hub.clear()
        await hub.clear()
        while viewer.rows:
            await viewer.take()
