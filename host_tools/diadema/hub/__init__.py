"""The hub: starts the broker, the ingest and the web on one data directory, and keeps them up.

`async with Hub(...) as hub` for programs; `diadema hub` for people.
"""

from diadema.hub.child import PageDoor
from diadema.hub.hub import Hub

__all__ = ["Hub", "PageDoor"]
