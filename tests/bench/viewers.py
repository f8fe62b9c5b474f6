"""People who look at a hub's pages, without a browser."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from diadema.access import Accounts
from diadema.access.authenticator import csrf
from diadema.access.roles import Person
from diadema.base.paths import DataDir, Hub
from websockets.asyncio.client import connect

_TESTER = Person(id="bench", name="Bench", role="service")


def session(data: DataDir) -> dict[str, str]:
    """Cookies of an administrator's session."""
    accounts = Accounts(data)
    try:
        accounts.book.add(_TESTER, "bench", "Bench", "admin", password="una frase de prueba")
        secret = accounts.sessions.begin("bench", "127.0.0.1")
    finally:
        accounts.close()
    return {"diadema_session": secret, "diadema_csrf": csrf(secret)}


@contextlib.asynccontextmanager
async def looking(hub: Hub, cookies: dict[str, str], count: int) -> AsyncIterator[None]:
    told = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers = {"Cookie": told, "Origin": hub.web}

    async def look() -> None:
        url = hub.web.replace("http", "ws", 1) + "/ws"
        async with connect(url, compression=None, additional_headers=headers) as socket:
            async for _ in socket:
                pass

    tasks = [asyncio.create_task(look()) for _ in range(count)]
    await asyncio.sleep(1.0)  # each has its snapshot
    try:
        yield
        if gone := [task for task in tasks if task.done()]:
            raise SystemExit(f"{len(gone)} viewers were let go: {gone[0].exception()!r}")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
