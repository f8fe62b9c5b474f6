"""The store's tables. Raw events are append-only; everything below them is worked out from them
or says how far the ingest has come. One writer: the ingest.
"""

from typing import Any, get_args, get_type_hints

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from diadema.store.host_rows import (
    Act,
    Choice,
    Correction,
    HelpStep,
    Inspection,
    Receipt,
    Seat,
    Sent,
    Step,
    TicketStep,
)
from diadema.store.quality_rows import (
    Assignment,
    CaseStep,
    DrawStep,
    Evaluation,
    EvaluationNote,
    EvaluationStep,
    Listening,
    Notice,
    Recording,
    RecordingAct,
    Signature,
)
from diadema.store.record_heads import head_table
from diadema.store.rows import Contact, Details, Press, QueueCall, QueueRing, Session, Ticket

VERSION = 11  # stores of older layouts lack what came since, and get it from the ingest
_FIELDS = Contact.__struct_encode_fields__
_COLUMNS = [f"row ->> {at} AS {name}" for at, name in enumerate(_FIELDS) if name != "more"]
_COLUMNS += [
    f"row ->> '$[{_FIELDS.index('more')}][{at}]' AS {name}"
    for at, name in enumerate(Details.__struct_encode_fields__)
]
CONTACT_FIELDS = f"CREATE VIEW contact_fields AS SELECT {', '.join(_COLUMNS)} FROM contacts"
NO_UTC = "utc IS NULL"
UNTIMED = "hourless = 1"  # SQLite takes the index of these for a query with the same words
LONG_MS = 3_600_000  # few trails are longer
LONG = f"end_utc - start_utc > {LONG_MS}"
metadata = MetaData()


def _text(name: str, **more: Any) -> Column[str]:
    return Column(name, Text, nullable=more.pop("nullable", False), **more)


def _number(name: str, **more: Any) -> Column[int]:
    return Column(name, BigInteger, nullable=more.pop("nullable", False), **more)


def _bytes(name: str, **more: Any) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=more.pop("nullable", False), **more)


def _struct_columns(struct: type[Struct]) -> list[Column[Any]]:
    """A column for each field, under the name that the field is encoded with."""
    kinds = {str: Text, int: BigInteger, bool: Boolean}
    columns: list[Column[Any]] = []
    hints = get_type_hints(struct)
    for field, name in zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True):
        hint = hints[field]
        args = get_args(hint) or (hint,)
        columns.append(Column(name, kinds[args[0]], nullable=type(None) in args))
    return columns


events = Table(
    "events",
    metadata,
    _text("s"),
    _number("e"),
    _number("n"),
    _text("k"),
    _bytes("body"),
    PrimaryKeyConstraint("s", "e", "n"),
)
positions = Table(  # 1…position of each journal is stored, dead-lettered or a recorded loss
    "positions",
    metadata,
    _text("s"),
    _number("e"),
    _number("position"),
    PrimaryKeyConstraint("s", "e"),
)
# `source`: hello (gone from the flash), station (it could not read them) or unreadable (what came
# under them is no event, and dead letters enough are kept)
losses = Table(
    "losses",
    metadata,
    _text("s"),
    _number("e"),
    _number("first"),
    _number("last"),
    _text("source"),
    PrimaryKeyConstraint("s", "e", "first"),
)
conflicts = Table(  # other bytes under the number of a stored event
    "conflicts",
    metadata,
    _text("s"),
    _number("e"),
    _number("n"),
    _bytes("body"),
    PrimaryKeyConstraint("s", "e", "n", "body"),
)
dead_letters = Table(  # what no reader understands; e and n where they could be read
    "dead_letters",
    metadata,
    _text("subject"),
    _bytes("body"),
    _text("s", nullable=True),
    _number("e", nullable=True),
    _number("n", nullable=True),
    _text("reason"),
    _number("sequence"),
    PrimaryKeyConstraint("subject", "body"),
    Index("dead_letters_identity", "s", "e", "n"),
)
untimed = Table(  # events first…last say times that cannot be, and count without one
    "untimed",
    metadata,
    _text("s"),
    _number("e"),
    _number("first"),
    _number("last"),
    PrimaryKeyConstraint("s", "e", "first"),
)
unknown = Table(  # kinds (field '') and fields that a newer station writes
    "unknown",
    metadata,
    _text("k"),
    _text("field"),
    _number("times"),
    PrimaryKeyConstraint("k", "field"),
)
stream = Table(  # how far the broker's stream has been taken in; one row
    "stream",
    metadata,
    _number("id", primary_key=True, autoincrement=False),
    _text("created"),
    _number("sequence"),
    _text("server"),
)
stations = Table(  # what is known of each station between two batches
    "stations",
    metadata,
    _text("s", primary_key=True),
    _bytes("state"),
    _bytes("hello"),
    _number("next_i"),
)
contacts = Table(  # those that are over; `row`: all of one, a JSON array (see `CONTACT_FIELDS`)
    "contacts",
    metadata,
    _text("s"),
    _number("e"),
    _number("n"),
    _text("a"),
    _number("start_utc", nullable=True),
    Column("hourless", Boolean, nullable=False),  # it lacks a time that an anchor may bring
    _text("row"),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("contacts_start", "start_utc"),
    Index("contacts_agent", "a", "start_utc"),
    Index("contacts_hourless", "s", "e", sqlite_where=text(UNTIMED)),
)
trails = Table(  # those that are over; `row`: a JSON array in the order of the struct's fields
    "trails",
    metadata,
    _text("s"),
    _number("e"),
    _number("n"),
    _text("a"),
    _number("start_utc", nullable=True),
    _number("end_utc", nullable=True),
    Column("hourless", Boolean, nullable=False),
    _text("row"),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("trails_start", "start_utc"),
    Index("trails_agent", "a", "start_utc"),
    Index("trails_long", "start_utc", sqlite_where=text(LONG)),
    Index("trails_hourless", "s", "e", sqlite_where=text(UNTIMED)),
)
sessions = Table(
    "sessions",
    metadata,
    *_struct_columns(Session),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("sessions_open", "open_utc"),
    Index("sessions_mark", "s", "e", "mark_n", sqlite_where=text("mark_n IS NOT NULL")),
)
marks = Table(  # the attendance ledger, in the order in which marks came in; `hash` chains them
    "marks",
    metadata,
    _number("number", primary_key=True, autoincrement=False),
    _text("s"),
    _number("e"),
    _number("n"),
    _number("b"),
    _number("u"),
    _number("t", nullable=True),
    _text("a", nullable=True),
    _text("badge", nullable=True),
    _text("direction"),
    _text("method"),
    _text("hash"),  # over all of the row, but for a time that `mark_hours` brings later
    _number("generation"),  # of the configuration that the station had
    _number("utc", nullable=True),
    _number("uncertainty_ms", nullable=True),
    UniqueConstraint("s", "e", "n"),
    Index("marks_utc", "utc"),
    Index("marks_hourless", "s", "e", "b", sqlite_where=text(NO_UTC)),
)
mark_hours = Table(  # of marks that came without one, chained too: number, and of which mark
    "mark_hours",
    metadata,
    _number("number", primary_key=True, autoincrement=False),
    _number("mark"),
    _number("utc"),
    _number("uncertainty_ms", nullable=True),
    _text("hash"),
    UniqueConstraint("mark"),
)
record_heads = head_table(metadata)  # where the audit of the accounts ends
record_entries = Table(  # what was done to the records as a whole: a restore, a rebuild
    "record_entries",
    metadata,
    _number("number", primary_key=True, autoincrement=False),
    _number("utc"),
    _text("what"),
    _text("by"),
    _text("detail"),
    _text("hash"),
)
presses = Table(
    "presses",
    metadata,
    *_struct_columns(Press),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("presses_open", "open_utc"),
    Index("presses_going", "outcome", "kind"),
)
tickets = Table(
    "tickets",
    metadata,
    *_struct_columns(Ticket),
    PrimaryKeyConstraint("ticket"),
    Index("tickets_utc", "utc"),
    Index("tickets_going", "state", sqlite_where=text("state != 'closed'")),
)
ticket_steps = Table(
    "ticket_steps",
    metadata,
    *_struct_columns(TicketStep),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("ticket_steps_ticket", "ticket"),
    Index("ticket_steps_of", "of_s", "of_e", "of_n", sqlite_where=text("of_n IS NOT NULL")),
)
help_steps = Table(
    "help_steps",
    metadata,
    *_struct_columns(HelpStep),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("help_steps_of", "of_s", "of_e", "of_n"),
)
draws = Table(
    "draws",
    metadata,
    *_struct_columns(DrawStep),
    PrimaryKeyConstraint("s", "e", "n"),
)
assignments = Table(
    "assignments",
    metadata,
    *_struct_columns(Assignment),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("assignments_draw", "draw"),
    Index("assignments_assignee", "assignee"),
    Index("assignments_agent", "a"),
    Index("assignments_call", "call_s", "call_e", "call_n"),
    Index("assignments_of", "of_s", "of_e", "of_n", sqlite_where=text("of_n IS NOT NULL")),
)
recordings = Table(
    "recordings",
    metadata,
    *_struct_columns(Recording),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("recordings_call", "call_s", "call_e", "call_n"),
)
recording_acts = Table(
    "recording_acts",
    metadata,
    *_struct_columns(RecordingAct),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("recording_acts_call", "call_s", "call_e", "call_n"),
)
notices = Table(
    "notices",
    metadata,
    *_struct_columns(Notice),
    PrimaryKeyConstraint("s", "e", "n"),
)
signatures = Table(
    "signatures",
    metadata,
    *_struct_columns(Signature),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("signatures_agent", "a"),
)
listenings = Table(
    "listenings",
    metadata,
    *_struct_columns(Listening),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("listenings_agent", "a", "utc"),
    Index("listenings_utc", "utc"),
    Index("listenings_call", "call_s", "call_e", "call_n"),
    Index("listenings_of", "of_s", "of_e", "of_n", sqlite_where=text("of_n IS NOT NULL")),
)
evaluations = Table(
    "evaluations",
    metadata,
    *_struct_columns(Evaluation),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("evaluations_agent", "a", "utc"),
    Index("evaluations_utc", "utc"),
    Index("evaluations_id", "evaluation"),
    Index("evaluations_of", "of_s", "of_e", "of_n"),
)
evaluation_notes = Table(
    "evaluation_notes",
    metadata,
    *_struct_columns(EvaluationNote),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("evaluation_notes_id", "evaluation"),
)
evaluation_steps = Table(
    "evaluation_steps",
    metadata,
    *_struct_columns(EvaluationStep),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("evaluation_steps_of", "of_s", "of_e", "of_n"),
)
cases = Table(  # of human resources
    "cases",
    metadata,
    *_struct_columns(CaseStep),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("cases_agent", "a"),
    Index("cases_call", "call_s", "call_e", "call_n"),
    Index("cases_of", "of_s", "of_e", "of_n", sqlite_where=text("of_n IS NOT NULL")),
)
QUALITY = (
    draws, assignments, recordings, recording_acts, notices, signatures, listenings, evaluations,
    evaluation_notes, evaluation_steps, cases,
)  # fmt: skip
queue_calls = Table(
    "queue_calls",
    metadata,
    *_struct_columns(QueueCall),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("queue_calls_start", "start_utc"),
)
queue_rings = Table(  # at agents who did not take the call
    "queue_rings",
    metadata,
    *_struct_columns(QueueRing),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("queue_rings_utc", "utc"),
)
acts = Table(  # of supervisors
    "acts",
    metadata,
    *_struct_columns(Act),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("acts_utc", "utc"),
    Index("acts_agent", "a", "utc"),
    Index("acts_of", "of_s", "of_e", "of_n", sqlite_where=text("of_n IS NOT NULL")),
)
corrections = Table(  # of attendance: beside the marks, and chained like them
    "corrections",
    metadata,
    *_struct_columns(Correction),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("corrections_mark", "of_s", "of_e", "of_n"),
    Index("corrections_agent", "a"),
)
messages = Table(  # a row a reader
    "messages",
    metadata,
    *_struct_columns(Sent),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("messages_utc", "utc"),
    Index("messages_agent", "a", "utc"),
)
receipts = Table(  # what stations tell of messages
    "receipts",
    metadata,
    *_struct_columns(Receipt),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("receipts_message", "m"),
)
links = Table(  # when each station's link came and went, by the hub's clock
    "links",
    metadata,
    _text("s"),
    _number("utc"),
    Column("up", Boolean, nullable=False),
    PrimaryKeyConstraint("s", "utc"),
)
pin_choices = Table(
    "pin_choices",
    metadata,
    *_struct_columns(Choice),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("pin_choices_agent", "a", "until_s"),
)
badges = Table(  # by its keyed hash: for whom the site ever named it
    "badges",
    metadata,
    _text("badge"),
    _text("agent"),
    _number("from_utc"),
    _number("until_utc", nullable=True),
    PrimaryKeyConstraint("badge", "agent", "from_utc"),
)
anchors = Table(  # at `u` of boot `b` it was `utc`; `jump_ms`: a clock was set since the last one
    "anchors",
    metadata,
    _text("s"),
    _number("e"),
    _number("b"),
    _number("u"),
    _number("utc"),
    _text("source"),
    _number("uncertainty_ms"),
    _number("drift_ppb"),
    _number("drift_error_ppb"),
    _number("jump_ms", nullable=True),
    PrimaryKeyConstraint("s", "e", "b", "u"),
)
commands = Table(  # `status`: open, answered, expired, replaced (`next_i` then goes on for it)
    "commands",
    metadata,
    _text("s"),
    _number("i"),
    _text("cmd"),
    _bytes("body"),
    _number("asked_utc"),
    _number("expires_utc", nullable=True),
    _text("status"),
    _number("next_i", nullable=True),
    _bytes("answer", nullable=True),
    PrimaryKeyConstraint("s", "i"),
    Index("commands_open", "status", "s"),
)
answers = Table(  # to acts that name themselves; sealed by that name, which is not kept
    "answers",
    metadata,
    _text("id", primary_key=True),
    _text("request"),
    _number("utc"),
    _bytes("sealed"),
    Index("answers_utc", "utc"),
)
credentials = Table(  # the stations' for MQTT; `number` grows with each renewal
    "credentials",
    metadata,
    _text("s", primary_key=True),
    _number("number"),
    _bytes("sha256"),
    Column("revoked", Boolean, nullable=False),
)
live = Table(  # the rows of the live floor, as published
    "live",
    metadata,
    _text("a", primary_key=True),
    _bytes("row"),
)
floor = Table(  # when its rows were last counted; one row
    "floor",
    metadata,
    _number("id", primary_key=True, autoincrement=False),
    _number("utc"),
)
generations = Table(  # of the site; each time that its content changed
    "generations",
    metadata,
    _number("generation", primary_key=True, autoincrement=False),
    _text("hash"),
    _number("utc"),
    _text("pin", nullable=True),  # its policy; null in what was kept before there was one
    UniqueConstraint("generation", "hash"),
)
updates = Table(  # what stations tell of new programs
    "updates",
    metadata,
    *_struct_columns(Step),
    PrimaryKeyConstraint("s", "e", "n"),
)
bench_tests = Table(  # what stations tell of them; those asked for here are to be recorded
    "bench_tests",
    metadata,
    _text("s"),
    _number("e"),
    _number("n"),
    _number("i", nullable=True),
    PrimaryKeyConstraint("s", "e", "n"),
)
inspections = Table(
    "inspections",
    metadata,
    *_struct_columns(Inspection),
    PrimaryKeyConstraint("s", "e", "n"),
    Index("inspections_of", "of_s", "of_e", "of_n"),
)
rollouts = Table(  # of new programs; `body`: JSON of the plan and of how it stands
    "rollouts",
    metadata,
    _number("number", primary_key=True, autoincrement=False),
    _bytes("body"),
)
rollout_seats = Table(
    "rollout_seats",
    metadata,
    *_struct_columns(Seat),
    PrimaryKeyConstraint("number", "s"),
)
FED = (contacts, trails, sessions, presses, queue_calls)  # rowid > last is all that changed since
