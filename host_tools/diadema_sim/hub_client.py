"""Asks a running hub, as a telephone exchange would: commands to stations over its REST API.

The address and the token are read again after each failure, because a hub that was started anew
may listen elsewhere.
"""

from types import TracebackType
from typing import Any, Self

import aiohttp
from diadema.base.credentials import load
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir

_ATTEMPT = aiohttp.ClientTimeout(total=6)


class HubUnreachable(DiademaError):
    """The hub did not take the request; whether the command was sent is not known."""


class HubClient:
    """An async context manager; one for a whole run."""

    def __init__(self, data: DataDir) -> None:
        self._data = data
        self._session: aiohttp.ClientSession | None = None
        self._base = ""
        self._token = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_ATTEMPT)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session
        await self._session.close()

    async def command(self, station: str, **body: Any) -> int:
        """One attempt. The number that the command got; raises HubUnreachable."""
        answer = await self._ask("POST", f"/api/v1/stations/{station}/commands", body)
        return int(answer["i"])

    async def status(self) -> dict[str, Any]:
        """The counters of the hub and of its web."""
        return await self._ask("GET", "/api/v1/status", None)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        assert self._session
        try:
            if not self._base:
                self._locate()
            headers = {"Authorization": f"Bearer {self._token}"}
            url = self._base + path
            async with self._session.request(method, url, json=body, headers=headers) as response:
                if response.status >= 500:
                    raise HubUnreachable(f"the hub answered {response.status} to {path}")
                answer: dict[str, Any] = await response.json()
                if response.status >= 400:
                    raise DiademaError(f"the hub refused {path}: {answer.get('detail', answer)}")
                return answer
        except (aiohttp.ClientError, TimeoutError) as error:
            self._base = ""
            raise HubUnreachable(f"the hub does not answer: {error}") from error
        except HubUnreachable:
            self._base = ""
            raise

    def _locate(self) -> None:
        hub = self._data.read_hub()
        if hub is None:
            raise HubUnreachable(f"no hub runs on {self._data.root}")
        self._base, self._token = hub.web.rstrip("/"), load(self._data).api
