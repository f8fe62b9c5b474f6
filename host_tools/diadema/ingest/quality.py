"""Works the monitor's work into rows, one an event: nothing that comes later changes one, so that
no order of events matters. What a station says of such things is kept and never worked in.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import astuple
from sqlalchemy import Table

from diadema.ingest.messages import Changes
from diadema.store import quality_rows, tables
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event
from diadema.wire.letters import tag_of

_NAMES = {  # of columns, where an event calls it otherwise
    "utc_ms": "utc", "to": "assignee", "start": "start_utc", "end": "end_utc", "cut": "cut_utc",
    "due": "due_utc", "until": "until_utc", "commit": "commitment", "case": "case_id",
}  # fmt: skip
_SEVERAL = {  # columns of what an event has in one field
    "of": ("of_s", "of_e", "of_n"),
    "call": ("call_s", "call_e", "call_n"),
    "critical": ("critical_user", "critical_business", "critical_compliance"),
}


def _columns(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": tag_of(type(event)).rpartition(".")[2]}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if value is UNSET or value is None:
            continue
        if name in _SEVERAL:
            found |= zip(_SEVERAL[name], value, strict=True)
        elif name == "excluded":
            found[name] = msgspec.json.encode(value).decode()
        elif name == "witnesses":
            found[name] = "\n".join(value)
        else:
            found[_NAMES.get(name, name)] = value
    return found


_ROWS: Mapping[type[Event], tuple[Table, type[Struct]]] = {
    **dict.fromkeys(
        (ev.SamplePlanned, ev.SampleDrawn, ev.SampleAnnulled),
        (tables.draws, quality_rows.DrawStep),
    ),
    ev.SampleAssigned: (tables.assignments, quality_rows.Assignment),
    **dict.fromkeys(
        (ev.RecordingLinked, ev.RecordingMissing), (tables.recordings, quality_rows.Recording)
    ),
    **dict.fromkeys(
        (ev.RecordingReleased, ev.RecordingHeld),
        (tables.recording_acts, quality_rows.RecordingAct),
    ),
    ev.NoticePublished: (tables.notices, quality_rows.Notice),
    ev.NoticeSigned: (tables.signatures, quality_rows.Signature),
    **dict.fromkeys(
        (ev.ListeningStarted, ev.ListeningEnded, ev.ListeningRefused),
        (tables.listenings, quality_rows.Listening),
    ),
    ev.EvaluationSubmitted: (tables.evaluations, quality_rows.Evaluation),
    ev.EvaluationNoted: (tables.evaluation_notes, quality_rows.EvaluationNote),
    **dict.fromkeys(
        (ev.EvaluationRevised, ev.EvaluationAnnulled, ev.EvaluationReleased),
        (tables.evaluation_steps, quality_rows.EvaluationStep),
    ),
    **dict.fromkeys((ev.CaseOpened, ev.CaseClosed), (tables.cases, quality_rows.CaseStep)),
}


def _worked_in(changes: Changes, state: StationState, event: Event) -> None:
    table, kind = _ROWS[type(event)]
    columns = _columns(event)
    fields = {name: columns[name] for name in kind.__struct_fields__ if name in columns}
    changes.keep(table, astuple(kind(**fields)))


HANDLERS: Mapping[type[Event], Callable[[Changes, StationState, Any], None]] = dict.fromkeys(
    _ROWS, _worked_in
)
