"""What is worked out from events: contacts and sessions, one struct each. They are stored as
arrays in the order of their fields: one that comes later goes to the end and has a default.

Times: `_b` and `_u` are the station's boot and its milliseconds, by which everything is measured;
`_utc` is where that lies in UTC milliseconds, null until the boot has an anchor.
"""

from msgspec import Struct

from diadema.wire.letters import IDENTITY, LETTERS

SWITCH, HUB = "PBX-", "HUB-"  # how the id of one begins


class Step(Struct, kw_only=True, array_like=True, gc=False, rename=LETTERS):
    """One step of the protocol, declared by the agent; at `u` of boot `b`. `block`: «en bloque»,
    ticked within 2 s of another one or after the call, so that it says little.
    """

    step: str
    result: str
    how: str
    boot: int
    uptime_ms: int
    method: str | None = None
    block: bool = False


class Listened(Struct, kw_only=True, array_like=True, gc=False):
    """Somebody heard the call, as its agent was told, from `start_u` to `end_u` of that boot (null
    while it goes on). `who` is a name, or `quality`; null where it was erased.
    """

    who: str | None
    boot: int
    start_u: int
    end_u: int | None = None


class Details(Struct, kw_only=True, array_like=True, gc=False):
    """Of a contact what most do not have. Consult time is a part of its hold: `consult_u` while it
    runs, `heard` then area, caller, or both in a conference. `silent_ms`: from the last voice to
    the event that ended it. `author` gave the code that stands in place of the first one.
    """

    campaign: str | None = None
    parent: str | None = None
    reference: str | None = None
    consent: bool | None = None
    consults: int = 0
    consult_ms: int = 0
    consult_u: int | None = None
    heard: str | None = None
    transfer: str | None = None
    target: str | None = None
    completed: bool | None = None
    pauses: int = 0
    paused_ms: int = 0
    paused_u: int | None = None
    disagreements: int = 0
    silent_ms: int = 0
    steps: list[Step] = []
    motive: str | None = None
    motive_version: str | None = None
    playbook: str | None = None
    playbook_version: str | None = None
    author: str | None = None
    fault: bool = False
    listened: list[Listened] = []


class Contact(Struct, kw_only=True, array_like=True, gc=False, rename=LETTERS):
    """One contact of one agent. Key: the event (s, e, n) that began it.

    `phase` is one of `agent_states.WORK`, or closed; `outcome` open, answered, missed or
    not_answered (an outbound call that nobody took). `interrupted`: power was lost in it.
    `estimated`: events of it are missing, or nobody said when it ended. `late`: placed by an
    anchor that came after it, then `uncertainty_ms` is how far its times may be off (large when
    its boot never had an anchor).
    """

    station: str
    epoch: int
    sequence: int
    contact: str
    agent: str
    via: str = "host"
    direction: str = "in"
    queue: str | None = None
    pbx: str | None = None
    phase: str = "offered"
    outcome: str = "open"
    cause: str | None = None
    ended_by: str | None = None
    on_hold: bool = False
    start_b: int = 0
    start_u: int = 0
    start_utc: int | None = None
    answered_u: int | None = None
    answered_utc: int | None = None
    held_u: int | None = None
    end_b: int | None = None
    end_u: int | None = None
    end_utc: int | None = None
    close_b: int | None = None
    close_u: int | None = None
    close_utc: int | None = None
    ring_ms: int | None = None
    dial_ms: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_ms: int = 0
    code: str | None = None
    version: str | None = None
    how: str | None = None
    interrupted: bool = False
    estimated: bool = False
    late: bool = False
    uncertainty_ms: int | None = None
    more: Details | None = None

    def details(self) -> Details:
        """To write there."""
        if self.more is None:
            self.more = Details()
        return self.more

    @property
    def closed(self) -> bool:
        return self.phase == "closed"


class Session(Struct, kw_only=True, array_like=True, rename=LETTERS):
    """One stay of one agent at one station, a table row. Key: the event that opened it. `mark_n`:
    of the same journal, the attendance mark of the tap that opened it. `verdict`: what came of the
    host's look at it: confirmed, closed or kept; null where the host said nothing."""

    station: str
    epoch: int
    sequence: int
    agent: str
    method: str = "badge"
    provisional: bool = False
    open_b: int = 0
    open_u: int = 0
    open_utc: int | None = None
    close_b: int | None = None
    close_u: int | None = None
    close_utc: int | None = None
    reason: str | None = None
    by: str | None = None
    estimated: bool = False
    late: bool = False
    uncertainty_ms: int | None = None
    mark_n: int | None = None
    verdict: str | None = None
    verdict_reason: str | None = None


class Span(Struct, array_like=True, gc=False, rename=LETTERS):
    """What is shown of the agent from `u` on (design §3). `by` and `who` set a presence: agent,
    system or supervisor, and whose name; `c`: the contact that decides the state.
    """

    uptime_ms: int
    state: str
    reason: str | None = None
    by: str | None = None
    who: str | None = None
    contact: str | None = None


class Trail(Struct, kw_only=True, array_like=True, gc=False, rename=LETTERS):
    """A stretch of one session within one boot: `spans` tile [start_u, end_u), the first begins at
    `start_u`. Key: the event that began it. `session`: (s, e, n) of what opened that. The trails
    of a session follow each other without a gap, but for the time between two boots. `over`: the
    session ended with it; only such a one may have taken no time, and then has no spans. Where
    none says so the session goes on, or ended as the first thing heard in another boot.
    """

    station: str
    epoch: int
    sequence: int
    agent: str
    session: tuple[str, int, int]
    boot: int
    start_u: int
    start_utc: int | None = None
    end_u: int
    end_utc: int | None = None
    spans: list[Span]
    over: bool = False
    late: bool = False
    uncertainty_ms: int | None = None


class QueueCall(Struct, kw_only=True, array_like=True, rename=IDENTITY):
    """One call at the switch, a table row. Key: its first event, which came at `start_utc`.

    `outcome` is waiting, answered, abandoned or left. `entered`: it stood in the queue.
    `estimated`: the switch did not tell all of its course. `line`: of the file that told it.
    `ended_by`: agent or caller. `reference`: a keyed hash of the caller. `talk_ms`: of its
    conversation, as the switch measured it. `ring_ms`: at the agent who took it. `transfer`:
    blind or consulted, where the agent handed it over.
    """

    station: str
    epoch: int
    sequence: int
    pbx: str
    queue: str
    start_utc: int
    entered: bool = True
    offers: int = 0
    agent: str | None = None
    connected_utc: int | None = None
    wait_ms: int | None = None
    outcome: str = "waiting"
    cause: str | None = None
    end_utc: int | None = None
    estimated: bool = False
    line: int | None = None
    ended_by: str | None = None
    reference: str | None = None
    talk_ms: int | None = None
    ring_ms: int | None = None
    transfer: str | None = None


class QueueRing(Struct, kw_only=True, array_like=True, rename=IDENTITY):
    """One time that the switch rang an agent who did not take the call, a table row. Key: its
    event, which came when the ringing was over, at `utc`. `withdrawn`: not by the agent.
    """

    station: str
    epoch: int
    sequence: int
    pbx: str
    queue: str
    agent: str
    utc: int
    ring_ms: int | None = None
    withdrawn: bool = False


class Press(Struct, kw_only=True, array_like=True, rename=LETTERS):
    """One call for assistance, a table row. Key: the press, help.requested or fault.reported.

    `kind` is help or fault; `outcome` open, cancelled, resolved or rejected. `wait_ms`: until it
    was accepted. Technical time counts from `technical_…`: the press, or the end of the call `c`
    in which it came. `estimated`: the press itself was not heard. `over_…`: its call ended before
    help came. `answer`: yes or no, whether the help served or the fault is gone.
    `board`, `firmware`: what the station was then.
    """

    station: str
    epoch: int
    sequence: int
    kind: str
    agent: str | None = None
    contact: str | None = None
    topic: str | None = None
    area: str | None = None
    part: str | None = None
    outcome: str = "open"
    open_b: int = 0
    open_u: int = 0
    open_utc: int | None = None
    accepted_by: str | None = None
    accepted_b: int | None = None
    accepted_u: int | None = None
    accepted_utc: int | None = None
    wait_ms: int | None = None
    technical_b: int | None = None
    technical_u: int | None = None
    technical_utc: int | None = None
    technical_ms: int | None = None
    closed_by: str | None = None
    closed_b: int | None = None
    closed_u: int | None = None
    closed_utc: int | None = None
    result: str | None = None
    estimated: bool = False
    late: bool = False
    uncertainty_ms: int | None = None
    over_b: int | None = None
    over_u: int | None = None
    over_utc: int | None = None
    answer: str | None = None
    answer_utc: int | None = None
    board: str | None = None
    firmware: str | None = None


class Ticket(Struct, kw_only=True, rename=LETTERS):
    """A problem, a table row, whose reports the steps name. Key: `ticket`; `s`, `e`, `n`: of the
    event that opened it.

    `state` is open, taken, resolved or closed; `outcome` of a closed one confirmed, unanswered,
    rejected or duplicate (of `other`). `seats`: the first it is known of, one a line. `of_…`: the
    report that it began with. `external`: its number where it is solved. `estimated`: its opening
    was not heard.
    """

    ticket: str
    station: str
    epoch: int
    sequence: int
    by: str
    utc: int
    area: str = ""
    part: str | None = None
    severity: int | None = None
    title: str = ""
    seats: str = ""
    of_s: str | None = None
    of_e: int | None = None
    of_n: int | None = None
    state: str = "open"
    accept_due_utc: int | None = None
    solve_due_utc: int | None = None
    assignee: str | None = None
    taken_by: str | None = None
    taken_utc: int | None = None
    resolved_by: str | None = None
    resolved_utc: int | None = None
    cause: str | None = None
    fix: str | None = None
    reopened: int = 0
    reopened_utc: int | None = None
    outcome: str | None = None
    closed_by: str | None = None
    closed_utc: int | None = None
    reason: str | None = None
    other: str | None = None
    external: str | None = None
    estimated: bool = False
