"""The connections of the web: each has some seconds for the head of a request and so many bytes
for it, and an address has so many connections. Whoever says nothing makes room for who does.
"""

import asyncio
from collections import Counter
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65_536
HEAD_S = 10.0
AN_ADDRESS = 256
_RESERVED_FILES = 128  # files for what is no connection


class Connections:
    """Those of one server: all it knows of each is its address, and whether it said anything."""

    def __init__(self, most: int, an_address: int = AN_ADDRESS) -> None:
        self._most = max(most - _RESERVED_FILES, _RESERVED_FILES)
        self._an_address = min(an_address, self._most)
        self._of: Counter[str] = Counter()
        self._silent: dict[BoundedProtocol, None] = {}  # the longest silent first

    def enter(self, one: "BoundedProtocol") -> bool:
        """Whether there is room; a silent one may have had to go."""
        address = one.address
        if self._of[address] >= self._an_address:
            silent = next((each for each in self._silent if each.address == address), None)
        elif self._of.total() >= self._most:
            silent = next(iter(self._silent), None)
        else:
            self._of[address] += 1
            return True
        if silent is None:
            return False
        silent.give_up()
        self._of[address] += 1
        return True

    def leave(self, one: "BoundedProtocol") -> None:
        self._silent.pop(one, None)
        self._of[one.address] -= 1
        if self._of[one.address] <= 0:
            del self._of[one.address]

    def silent(self, one: "BoundedProtocol") -> None:
        """It owes a request, or the rest of its head."""
        self._silent.setdefault(one)

    def spoke(self, one: "BoundedProtocol") -> None:
        self._silent.pop(one, None)


class BoundedProtocol(HttpToolsProtocol):
    """`connections` is set for the server by `protocol_of`."""

    all: Connections

    address = ""
    _inside = False
    _timer: asyncio.TimerHandle | None = None
    _raw = _body = 0  # bytes of this request so far, and of its body

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._inside = self.all.enter(self)
        if self._inside:
            self._wait()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def give_up(self) -> None:
        """It said nothing, and goes."""
        self._leave()
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self._inside:
            return
        self._raw += len(data)
        super().data_received(data)
        # what is no body: the head, and what stands between and after parts of the body
        if self._inside and self._raw - 2 * self._body > HEAD_BYTES:
            self.send_400_response("The head of the request is too long.")

    def handle_websocket_upgrade(self) -> None:
        self._leave()  # its socket is counted as one
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._stop()
        self.all.spoke(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._raw = self._body = 0
        super().on_message_complete()

    def _wait(self) -> None:
        self._stop()
        self.all.silent(self)
        self._timer = self.loop.call_later(HEAD_S, self.give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _leave(self) -> None:
        self._stop()
        if self._inside:
            self._inside = False
            self.all.leave(self)


def protocol_of(connections: Connections) -> type[BoundedProtocol]:
    """What uvicorn makes for each connection of one server."""
    return type("ServedProtocol", (BoundedProtocol,), {"all": connections})


def loop_with_short_handshakes() -> asyncio.AbstractEventLoop:
    """A loop whose servers give a TLS handshake as long as the head of a request."""
    return _Loop()


class _Loop(asyncio.SelectorEventLoop):
    async def create_server(self, *args: Any, **given: Any) -> Any:
        if given.get("ssl") is not None:
            given.setdefault("ssl_handshake_timeout", HEAD_S)
        return await super().create_server(*args, **given)
