"""Rows worked out from events born at the host, and of how programs get to stations (updates,
roll-outs): one struct a table. Key: the event, but for receipts, whose key is the station's.
"""

from msgspec import Struct

from diadema.wire.letters import LETTERS


class HostRow(Struct, kw_only=True, frozen=True, rename=LETTERS):
    """What every row of an event of the host has."""

    station: str
    epoch: int
    sequence: int
    utc: int
    by: str


class Act(HostRow, kw_only=True, frozen=True):
    """A supervisor's action. `c`: the contact it was about; `command`: the number under which the
    station `target` was told; `of_…`: the press.
    """

    who: str | None
    action: str
    agent: str | None
    contact: str | None
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


class HelpStep(HostRow, kw_only=True, frozen=True):
    """What the host did about a call for help: `kind` is assigned, escalated or noted; `of_…`: the
    press.
    """

    kind: str
    of_s: str
    of_e: int
    of_n: int
    assignee: str | None = None
    reason: str | None = None
    level: int | None = None
    gap: str | None = None
    playbook: str | None = None
    version: str | None = None
    text: str | None = None
    part: int | None = None
    parts: int | None = None
    sha256: str | None = None


class TicketStep(HostRow, kw_only=True, frozen=True):
    """One event of a ticket: `kind` is the end of its name; `of_…`: the report that it adopts."""

    kind: str
    ticket: str
    of_s: str | None = None
    of_e: int | None = None
    of_n: int | None = None
    assignee: str | None = None
    area: str | None = None
    severity: int | None = None
    due_utc: int | None = None
    reason: str | None = None
    text: str | None = None
    part: int | None = None
    parts: int | None = None
    sha256: str | None = None
    cause: str | None = None
    fix: str | None = None
    outcome: str | None = None
    external: str | None = None


class Inspection(HostRow, kw_only=True, frozen=True):
    """The record of a bench test; `of_…`: the station's own event."""

    seat: str | None
    board: str
    firmware: str
    fit: bool
    of_s: str
    of_e: int
    of_n: int
    signature: str


class Correction(HostRow, kw_only=True, frozen=True):
    """`kind` is corrected or justified; `of_…`: the mark. `number` and `hash` chain those of one
    hub, as the marks are.
    """

    kind: str
    agent: str
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


class Sent(HostRow, kw_only=True, frozen=True):
    """A message to one agent."""

    m: str
    agent: str
    text: str
    sign: bool
    target: str
    command: int


class Choice(Struct, kw_only=True, frozen=True, rename=LETTERS):
    """A PIN that an agent chose at a station, in place of the code that ends at `until_s`."""

    station: str
    epoch: int
    sequence: int
    agent: str
    until_s: int
    sealed: str
    utc: int | None


class Receipt(Struct, kw_only=True, frozen=True, rename=LETTERS):
    """What a station tells of a message: `answer` is null when it was shown. `utc`: null until
    the boot has an anchor.
    """

    station: str
    epoch: int
    sequence: int
    m: str
    agent: str | None
    answer: str | None
    how: str | None
    boot: int
    uptime_ms: int
    utc: int | None


class Step(Struct, kw_only=True, frozen=True, rename=LETTERS):
    """A station.update, or the refusal of the command, a table row. `next`: the part that it waits
    for; `utc`: null where the boot had no time yet.
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
