"""What of `quality.blind` a page or a route leaves out for whoever asks."""

import asyncio

from diadema.access.roles import Person
from diadema.quality.blind import hidden
from diadema.store.assistance import Key
from diadema.web.web_app import WebApp


async def hidden_from(web_app: WebApp, person: Person) -> frozenset[Key]:
    """The calls that this person, who evaluates them blindly, may not find. Raises
    DiademaError.
    """
    if not person.may("evaluate"):
        return frozenset()
    return await asyncio.to_thread(hidden, web_app.data, person, web_app.pace.now_ms())
