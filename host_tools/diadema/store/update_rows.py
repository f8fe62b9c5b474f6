"""How programs get to stations: what stations tell of it, and the roll-outs."""

from msgspec import Struct

from diadema.wire.letters import LETTERS


class Step(Struct, kw_only=True, frozen=True, rename=LETTERS):
    """A station.update, or the refusal of the command, a table row. `next`: the part that it waits
    for; `utc`: null where the boot had no hour yet.
    """

    station: str
    epoch: int
    sequence: int
    phase: str
    version: str | None
    next: int | None
    reason: str | None
    detail: str | None
    i: int | None
    boot: int
    uptime_ms: int
    utc: int | None


class Seat(Struct, kw_only=True, rename=LETTERS):
    """One station of a roll-out, a table row. `phase` is waiting, sending, trial, good, failed,
    gone (from the site) or passed (over), since `utc`; `part`: the next one it waits for; `e`,
    `n`: up to which event it was heard.
    """

    number: int
    station: str
    stage: int
    phase: str = "waiting"
    reason: str | None = None
    part: int = 1
    utc: int
    epoch: int | None = None
    sequence: int = 0
