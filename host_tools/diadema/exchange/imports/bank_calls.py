"""One row of the «anonymous bank» log as a call of the switch: checked, in seconds of its day, and
told as events.

The row says how long the caller waited and was served, and that is what counts; the hours beside
it say when. Where they contradict it, the row is impossible: taken as it says, listed, and, where
it is not known when it was served, marked as estimated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from diadema.exchange.imports.bank_file import (
    DAY_S,
    NO_SERVER,
    BadRow,
    Row,
)
from diadema.ingest.decode import decode_known
from diadema.wire.events import (
    EVENT_LIMIT,
    QueueAbandoned,
    QueueConnected,
    QueueEntered,
    QueueEvent,
    QueueLeft,
)

SOURCE = "PBX-anonymous-bank"
COLUMNS = (
    "vru+line", "call_id", "type", "date", "vru_entry", "vru_exit", "q_start", "q_exit", "q_time",
    "outcome", "ser_start", "ser_exit", "ser_time", "server",
)  # fmt: skip
_SLOP_S = 60  # the menu's, the queue's and the agents' clocks differ by some seconds
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class BankCall:
    """Seconds count from `midnight`, the local one of its day. `entered_s` is None for a call that
    never stood in the queue; `served_s` and `talk_s` are of one that was answered.
    """

    line: int
    pbx: str
    queue: str
    midnight: datetime
    cause: str  # completed, abandoned, before_queue, phantom
    ended_s: int
    entered_s: int | None = None
    wait_s: int = 0
    served_s: int = 0
    talk_s: int = 0
    agent: str | None = None
    estimated: bool = False
    odd: tuple[str, ...] = ()  # why the row is impossible

    def utc(self, second: int, zone: ZoneInfo) -> int:
        """Seconds of its day as UTC milliseconds. Parts of a call are counted from its first
        hour, so that a clock change within it changes no length.
        """
        first = self.ended_s if self.entered_s is None else self.entered_s
        local = (self.midnight + timedelta(seconds=first)).replace(tzinfo=zone)
        return int(local.astimezone(UTC).timestamp() + second - first) * 1000


def call_of(row: Row) -> BankCall:
    """Raises BadRow."""
    outcome, day = row.outcome(), row.day()
    menu_start, menu_end = row.time("vru_entry"), row.time("vru_exit")
    queue_start, queue_end = row.time("q_start"), row.time("q_exit")
    served, served_end = row.time("ser_start"), row.time("ser_exit")
    wait, talk = row.whole("q_time"), row.whole("ser_time")
    for column in ("vru+line", "call_id", "type"):
        if not row.cells[column]:
            raise row.bad(column, "anything; each call has one")
    cells = row.cells
    known: dict[str, Any] = {
        "line": row.line,
        "pbx": f"{cells['date']}-{cells['vru+line']}-{cells['call_id']}-{cells['vru_entry']}",
        "queue": cells["type"],
        "midnight": datetime.combine(day, time()),
    }
    menu_end = _near(menu_start, menu_end)
    odd = ["menu_backwards"] if menu_end < menu_start else []
    joined = wait > 0 or (outcome == "HANG" and wait == 0 and queue_start > 0)
    if joined:
        if (queue_end - queue_start - wait) % DAY_S:
            odd.append("wait_differs")
        queue_start = _near(menu_start, queue_start)
        queue_end = queue_start + wait
    if outcome == "PHANTOM":
        return BankCall(**known, cause="phantom", ended_s=menu_end, odd=tuple(odd))
    if outcome == "HANG":
        if not joined:
            return BankCall(**known, cause="before_queue", ended_s=menu_end, odd=tuple(odd))
        return BankCall(
            **known,
            cause="abandoned",
            entered_s=queue_start,
            wait_s=wait,
            ended_s=queue_end,
            odd=tuple(odd),
        )
    if wait < 0:
        raise row.bad("q_time", "the seconds that an answered call waited")
    if talk < 0:
        raise row.bad("ser_time", "the seconds that an answered call was served")
    left = queue_end if wait else menu_end
    estimated = False
    server = row.server()
    if server == NO_SERVER:
        odd.append("no_server")
    if (served_end - served - talk) % DAY_S:
        odd.append("service_differs")
        estimated = True
    if served == served_end == 0 and abs(_near(left, 0) - left) > _SLOP_S:
        odd.append("no_service_time")
        served, estimated = left, True
    served = _near(menu_start, served)
    if served < left - _SLOP_S:
        odd.append("served_while_waiting")
    return BankCall(
        **known,
        cause="completed",
        entered_s=queue_start if wait else served,
        wait_s=wait,
        served_s=served,
        talk_s=talk,
        ended_s=served + talk,
        agent=None if server == NO_SERVER else server,
        estimated=estimated,
        odd=tuple(odd),
    )


def bodies(row: Row, call: BankCall, zone: ZoneInfo, e: int, n: int) -> list[bytes]:
    """Its events, numbered from `n` on. Raises BadRow when the ingest would not take one."""
    found = [_encode(event) for event in _events(call, zone, e, n)]
    if max(map(len, found)) > EVENT_LIMIT:
        why = f": its events would be over {EVENT_LIMIT} bytes. Shorten what names the call."
        raise BadRow(row.path, row.line, why)
    try:
        for body in found:
            decode_known(body)
    except msgspec.ValidationError as error:
        why = f": its events would not be taken: {error}. Mend or remove that line."
        raise BadRow(row.path, row.line, why) from error
    return found


def _events(call: BankCall, zone: ZoneInfo, e: int, n: int) -> Iterator[QueueEvent]:
    ended = call.utc(call.ended_s, zone)
    wait_ms = call.wait_s * 1000

    def common(at: int, t: int) -> dict[str, Any]:
        told: dict[str, Any] = {"s": SOURCE, "e": e, "n": n + at, "b": 0, "u": 0, "t": t}
        return told | {"pbx": call.pbx, "queue": call.queue, "line": call.line}

    if call.entered_s is None:
        yield QueueLeft(**common(0, ended), cause=call.cause)
        return
    yield QueueEntered(**common(0, call.utc(call.entered_s, zone)))
    if call.cause == "abandoned":
        yield QueueAbandoned(**common(1, ended), wait_ms=wait_ms)
        return
    yield QueueConnected(
        **common(1, call.utc(call.served_s, zone)),
        wait_ms=wait_ms,
        agent=call.agent,
        estimated=call.estimated,
    )
    yield QueueLeft(**common(2, ended), cause=call.cause)


def _near(base: int, second: int) -> int:
    """A time of day that lies within half a day of `base`, over midnight if need be."""
    if base - second > DAY_S // 2:
        return second + DAY_S
    return second - DAY_S if second - base > DAY_S // 2 else second
