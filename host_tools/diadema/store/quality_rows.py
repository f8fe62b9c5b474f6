"""Rows worked out from the events of the monitor's work: one struct a table, one row an event.

Key: the event. `kind` is the end of its name. `call_…`: the contact, by its first event. `of_…`:
the earlier event that it is about. Times in UTC milliseconds by the hub's clock.
"""

from diadema.store.host_rows import HostRow


class DrawStep(HostRow, kw_only=True, frozen=True):
    """planned, drawn or annulled. `excluded`: a JSON list of counts (see `EXCLUSIONS`)."""

    kind: str
    of_s: str | None = None
    of_e: int | None = None
    of_n: int | None = None
    plan: str | None = None
    version: int | None = None
    start_utc: int | None = None
    end_utc: int | None = None
    commitment: str | None = None
    draw: str | None = None
    frame: int | None = None
    frame_hash: str | None = None
    secret: str | None = None
    chosen: int | None = None
    strata: int | None = None
    excluded: str | None = None
    cut_utc: int | None = None
    reason: str | None = None


class Assignment(HostRow, kw_only=True, frozen=True):
    """`assignee`: the account. `of_…`: the assignment in place of which it is."""

    agent: str
    draw: str | None = None
    call_s: str
    call_e: int
    call_n: int
    stratum: str | None = None
    rank: int | None = None
    pool: int | None = None
    assignee: str
    form: str
    version: int
    second: bool = False
    due_utc: int
    of_s: str | None = None
    of_e: int | None = None
    of_n: int | None = None
    reason: str | None = None


class Recording(HostRow, kw_only=True, frozen=True):
    """linked or missing: of one call the last counts."""

    kind: str
    agent: str
    call_s: str
    call_e: int
    call_n: int
    how: str | None = None
    hash: str | None = None
    ms: int | None = None
    rate: int | None = None
    channels: int | None = None
    format: str | None = None
    offset_ms: int | None = None
    pauses: str | None = None
    reason: str | None = None


class RecordingAct(HostRow, kw_only=True, frozen=True):
    """released or held."""

    kind: str
    call_s: str
    call_e: int
    call_n: int
    reason: str
    purpose: str | None = None
    receiver: str | None = None
    hash: str | None = None
    until_utc: int | None = None


class Notice(HostRow, kw_only=True, frozen=True):
    """`side`: for the caller or the agent."""

    notice: str
    side: str
    version: int
    hash: str


class Signature(HostRow, kw_only=True, frozen=True):
    """That an agent was informed. `of_…`: the receipt; `witnesses`: one a line."""

    notice: str
    agent: str
    how: str
    of_s: str | None = None
    of_e: int | None = None
    of_n: int | None = None
    date: str | None = None
    document: str | None = None
    witnesses: str | None = None


class Listening(HostRow, kw_only=True, frozen=True):
    """started, refused or ended: the last one says of which it is the end, and nothing else but
    `heard_ms` and `cause`.
    """

    kind: str
    listening: str | None = None
    agent: str | None = None
    call_s: str | None = None
    call_e: int | None = None
    call_n: int | None = None
    source: str | None = None
    mode: str | None = None
    purpose: str | None = None
    via: str | None = None
    announced: bool | None = None
    of_s: str | None = None
    of_e: int | None = None
    of_n: int | None = None
    heard_ms: int | None = None
    cause: str | None = None
    reason: str | None = None


class Evaluation(HostRow, kw_only=True, frozen=True):
    """As it was submitted. `of_…`: the assignment. `score`, `raw`: tenths of a percent, null when
    nothing applies; `critical_…`: null where there could be no such error.
    """

    evaluation: str
    agent: str
    call_s: str
    call_e: int
    call_n: int
    of_s: str
    of_e: int
    of_n: int
    version: int
    basis: str
    answers: str
    score: int | None = None
    raw: int | None = None
    failed: str
    critical_user: int | None = None
    critical_business: int | None = None
    critical_compliance: int | None = None
    notes: int


class EvaluationNote(HostRow, kw_only=True, frozen=True):
    """A note, or a part of its text."""

    evaluation: str
    item: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    about: str
    text: str
    part: int | None = None
    parts: int | None = None
    sha256: str | None = None


class EvaluationStep(HostRow, kw_only=True, frozen=True):
    """revised, annulled or released. `of_…`: the evaluation."""

    kind: str
    of_s: str
    of_e: int
    of_n: int
    answers: str | None = None
    score: int | None = None
    raw: int | None = None
    failed: str | None = None
    critical_user: int | None = None
    critical_business: int | None = None
    critical_compliance: int | None = None
    cause: str | None = None
    reason: str | None = None


class CaseStep(HostRow, kw_only=True, frozen=True):
    """opened or closed. `of_…`: the evaluation that is opened too; of a closed one, the opened."""

    kind: str
    case_id: str | None = None
    agent: str | None = None
    call_s: str | None = None
    call_e: int | None = None
    call_n: int | None = None
    of_s: str | None = None
    of_e: int | None = None
    of_n: int | None = None
    number: str | None = None
    reason: str
    until_utc: int | None = None
