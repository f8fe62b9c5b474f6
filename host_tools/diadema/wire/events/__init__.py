"""Every kind of event that this version writes, at stations and at the host; tagged by `k`.

The published schema comes from here. What a newer station adds is not refused: the ingest sets
unknown kinds and fields apart, stores and counts them, and any word passes where words stand.
"""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

from diadema.wire.events.assistance import *  # noqa: F403
from diadema.wire.events.contact import *  # noqa: F403
from diadema.wire.events.people import *  # noqa: F403
from diadema.wire.events.quality import *  # noqa: F403
from diadema.wire.events.queue import *  # noqa: F403
from diadema.wire.events.station import *  # noqa: F403
from diadema.wire.letters import *  # noqa: F403
from diadema.wire.letters import Event


def _tagged(base: type[Event]) -> Iterator[tuple[str, type[Event]]]:
    for kind in base.__subclasses__():
        tag = kind.__struct_config__.tag
        if isinstance(tag, str) and tag != kind.__name__:  # else a base of kinds
            yield tag, kind
        yield from _tagged(kind)


KINDS: dict[str, type[Event]] = dict(_tagged(Event))
ANY_EVENT: Any = reduce(or_, KINDS.values())
