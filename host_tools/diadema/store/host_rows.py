"""What is worked out from events born at the host, one struct each, a table row each. Key: the
event, but for receipts, whose key is the station's.
"""

from msgspec import Struct


class Act(Struct, kw_only=True, frozen=True):
    """A supervisor's action. `c`: the contact it was about; `command`: the number under which the
    station `target` was told; `of_…`: the ticket.
    """

    s: str
    e: int
    n: int
    utc: int
    by: str
    who: str | None
    action: str
    a: str | None
    c: str | None
    reason: str | None
    note: str | None
    target: str | None
    command: int | None
    of_s: str | None
    of_e: int | None
    of_n: int | None
    m: str | None
    state: str | None
    seat: str | None
    kind: str | None
    rule: str | None
    since_utc: int | None


class Inspection(Struct, kw_only=True, frozen=True):
    """The record of a bench test; `of_…`: the station's own event."""

    s: str
    e: int
    n: int
    utc: int
    by: str
    seat: str | None
    board: str
    firmware: str
    fit: bool
    of_s: str
    of_e: int
    of_n: int
    signature: str


class Correction(Struct, kw_only=True, frozen=True):
    """`kind` is corrected or justified; `of_…`: the mark. `number` and `hash` chain those of one
    hub, as the marks are.
    """

    s: str
    e: int
    n: int
    utc: int
    by: str
    kind: str
    a: str
    of_s: str | None
    of_e: int | None
    of_n: int | None
    direction: str | None
    time_utc: int | None
    day: str | None
    reason: str
    evidence: str | None
    number: int
    hash: str


class Sent(Struct, kw_only=True, frozen=True):
    """A message to one agent."""

    s: str
    e: int
    n: int
    utc: int
    by: str
    m: str
    a: str
    text: str
    sign: bool
    target: str
    command: int


class Choice(Struct, kw_only=True, frozen=True):
    """A PIN that an agent chose at a station, in place of the code that ends at `until_s`."""

    s: str
    e: int
    n: int
    a: str
    until_s: int
    sealed: str
    utc: int | None


class Receipt(Struct, kw_only=True, frozen=True):
    """What a station tells of a message: `answer` is null when it was shown. `utc`: null until
    the boot has an anchor.
    """

    s: str
    e: int
    n: int
    m: str
    a: str | None
    answer: str | None
    how: str | None
    b: int
    u: int
    utc: int | None
