"""What a hub tells its standby of the stations' stream, as msgpack: the next messages of it."""

from msgspec import Struct

EVERY_MAX_S = 86_400  # between two backups that a standby takes
WAIT_S = 1.0  # how long a hub that has none yet waits for one


class Copied(Struct, array_like=True, frozen=True):
    sequence: int
    subject: str
    headers: dict[str, str] | None
    data: bytes


class Piece(Struct, kw_only=True):
    """`created` names the stream; `last`: of its messages; `most_bytes` it may have. `erased_ms`:
    when something was last erased for good; `now_ms`: the hub's clock, 0 of an older one.
    """

    created: str
    last: int
    most_bytes: int
    erased_ms: int
    messages: list[Copied]
    now_ms: int = 0
