"""What a request to the pages is, before anything knows who sent it: public, of the pages, from
this machine; and how one is refused.
"""

import ipaddress
from urllib.parse import parse_qs

from msgspec import Struct, field
from starlette.types import Scope

from diadema.access.roles import Person

NOBODY = Person(id="", name="", role="nobody")
SAFE = {"GET", "HEAD", "OPTIONS"}
_PUBLIC = ("/wall", "/static/")


class Refusal(Struct, kw_only=True, frozen=True):
    """`word` of the catalogue `web`; `location`: where a page goes instead."""

    status: int
    word: str = ""
    location: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    again: bool = False  # the same page asked for by ourselves, so that its cookies come along


def is_ui(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == "/ui" or path.startswith("/ui/")


def floor_scope(query: bytes) -> str:
    """Which view a socket asks for: `wall` only if it says just that, else `full`."""
    return "wall" if parse_qs(query.decode("latin-1")).get("scope") == ["wall"] else "full"


def is_public(scope: Scope) -> bool:
    """What anyone may see: the wall, its files and its stream."""
    path: str = scope["path"]
    if scope["type"] == "websocket":
        return path == "/ws" and floor_scope(scope["query_string"]) == "wall"
    return path == _PUBLIC[0] or path.startswith(_PUBLIC[1])


def is_local(scope: Scope) -> bool:
    """Whether it comes from this machine."""
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
