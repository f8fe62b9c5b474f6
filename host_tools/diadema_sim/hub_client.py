"""Asks a running hub, as a telephone exchange would: commands to stations over its REST API.

The address and the token are read again after each failure, because a hub that was started anew
may listen elsewhere.
"""

import asyncio
from types import TracebackType
from typing import Any, Self

import httpx
from diadema.base.credentials import load
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir

_ATTEMPT_S = 6.0
_IDLE_S = 3.0  # of a connection; the hub's web closes one after 5 s


class HubUnreachable(DiademaError):
    """The hub did not take the request; whether the command was sent is not known."""


class HubClient:
    """An async context manager; one for a whole run."""

    def __init__(self, data: DataDir) -> None:
        self._data = data
        self._client: httpx.AsyncClient | None = None
        self._base = ""
        self._token = ""

    async def __aenter__(self) -> Self:
        limits = httpx.Limits(keepalive_expiry=_IDLE_S)
        self._client = httpx.AsyncClient(timeout=None, limits=limits, trust_env=False)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._client
        await self._client.aclose()

    async def command(self, station: str, **body: Any) -> int:
        """One attempt. The number that the command got; raises HubUnreachable."""
        answer = await self._ask("POST", f"/api/v1/stations/{station}/commands", body)
        return int(answer["i"])

    async def status(self) -> dict[str, Any]:
        """The counters of the hub and of its web."""
        return await self._ask("GET", "/api/v1/status", None)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        assert self._client
        try:
            if not self._base:
                self._locate()
            headers = {"Authorization": f"Bearer {self._token}"}
            async with asyncio.timeout(_ATTEMPT_S):
                response = await self._client.request(
                    method, self._base + path, json=body, headers=headers
                )
            if response.status_code >= 500:
                raise HubUnreachable(f"the hub answered {response.status_code} to {path}")
            answer: dict[str, Any] = response.json()
            if response.status_code >= 400:
                raise DiademaError(f"the hub refused {path}: {answer.get('detail', answer)}")
            return answer
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
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
