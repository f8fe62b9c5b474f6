"""What is done at the host: supervisors' actions, corrections of attendance, messages, and what
was published (`s` is HUB-…). Such an event has no boot: `b` and `u` are 0, `t` is the hub's clock.
"""

from typing import Annotated

from msgspec import UNSET, Meta

from diadema.wire.events.common import (
    Count,
    Direction,
    Event,
    Maybe,
    Of,
    Station,
    Utc,
    Version,
    words,
)

type By = Annotated[str, Meta(min_length=1, max_length=32, description="the account or the rule")]
type Sha256 = Annotated[str, Meta(min_length=64, max_length=64)]
type Pause = tuple[Utc, Utc, str]  # from, to, reason


class HostEvent(Event, kw_only=True, gc=False):
    t: Utc
    by: By


class SupervisionActed(HostEvent, tag="supervision.acted", kw_only=True, gc=False):
    """`a`: on whom. `target` was told by its command number `command`, whose answer is the result.
    `of`: the ticket; `m`: the message; `state`: what a ticket became; `kind`: of a note; `rule`
    and `since`: the alert. `who`: the name that the station shows.
    """

    action: Annotated[
        str,
        words(
            "message", "presence", "logout", "move", "help", "fault", "wrapup_closed", "note",
            "acknowledge", "pin_reset",
        ),
    ]  # fmt: skip
    who: Maybe[str] = UNSET
    reason: Maybe[str] = UNSET
    note: Maybe[str] = UNSET
    target: Maybe[Station] = UNSET
    command: Maybe[Count] = UNSET
    of: Maybe[Of] = UNSET
    m: Maybe[str] = UNSET
    state: Maybe[str] = UNSET
    seat: Maybe[str] = UNSET
    kind: Maybe[
        Annotated[
            str,
            words(
                "orientacion", "llamada_atencion", "retro_posicion", "cambio_pausa",
                "novedad_turno",
            ),
        ]
    ] = UNSET  # fmt: skip
    rule: Maybe[str] = UNSET
    since: Maybe[Utc] = UNSET


class AttendanceCorrected(HostEvent, tag="attendance.corrected", kw_only=True, gc=False):
    """What should have been marked. `of`: the mark, which stays as it is; none for one that she
    did not make. `time`: the hour that counts instead.
    """

    a: str
    direction: Direction
    time: Utc
    reason: str
    of: Maybe[Of] = UNSET
    evidence: Maybe[str] = UNSET


class AttendanceJustified(HostEvent, tag="attendance.justified", kw_only=True, gc=False):
    """Why she was late or away; no hour changes. `day`: of the shift, where there is no mark.
    `time`: a moment of the exception to her shift that is meant, and no lateness is.
    """

    a: str
    reason: str
    of: Maybe[Of] = UNSET
    day: Maybe[str] = UNSET
    time: Maybe[Utc] = UNSET
    evidence: Maybe[str] = UNSET


class MessageSent(HostEvent, tag="message.sent", kw_only=True, gc=False):
    """One event a reader; those of one message have the same `m`."""

    a: str
    m: str
    text: str
    target: Station
    command: Count
    sign: bool = False


class SchedulePublished(HostEvent, tag="schedule.published", kw_only=True, gc=False):
    """One agent's day. `absence`: permission, vacation, medical rest."""

    a: str
    day: str
    version: Version
    shift: Maybe[str] = UNSET
    start: Maybe[Utc] = UNSET
    end: Maybe[Utc] = UNSET
    pauses: Maybe[list[Pause]] = UNSET
    absence: Maybe[str] = UNSET


class StationInspected(HostEvent, tag="station.inspected", kw_only=True, gc=False):
    """A bench test, once each. `of`: the station.selftest, which has the checks; `signature`: the
    hub's over both (`diadema.stations.selftest.record`).
    """

    of: Of
    board: str
    firmware: str
    fit: bool
    signature: str
    seat: Maybe[str] = UNSET


class CataloguePublished(HostEvent, tag="catalogue.published", kw_only=True, gc=False):
    catalogue: str
    version: Version
    hash: Sha256
