"""The hour as somebody tells it: checked, anchored and recorded."""

from lib.desk import MARKS_SINCE_S
from micropython import const

# a message's way over the cable, behind another one or an erase, or over Wi-Fi and its broker
_WAY_MS = const(250)
_ANSWER_MS = const(10_000)  # an answer to our hello that took longer is none
_UTC_LOW = const(631_152_000_000)  # 1990, so that old logs can be worked again; 0 is a dead clock
_UTC_HIGH = const(4_100_000_000_000)


def set_time(app, u, details):
    """The host's command."""
    utc, asked = details.get("utc"), details.get("hello_u")
    doubt_ms = _WAY_MS
    if isinstance(utc, int) and isinstance(asked, int) and 0 <= u - asked < _ANSWER_MS:
        half = (u - asked) // 2  # of the way of our hello and its answer
        utc += half
        doubt_ms = half + 1
    if not anchor(app, utc, u, "host", doubt_ms, details["i"]):
        app.host.refuse(u, details, "bad_command", "utc: milliseconds since 1970")


def anchor(app, utc, u, source, uncertainty_ms, number=None):
    """UTC was `utc` at `u`; False, and nothing changes, when that cannot be."""
    if not isinstance(utc, int) or not _UTC_LOW < utc < _UTC_HIGH:
        return False
    late = max(app.last_u - u, 0)  # the event's own u does not go back
    u += late
    utc += late
    app.clock.anchor(utc, u, source, uncertainty_ms)
    date_back(app.desk, u, utc)
    event = {"k": "station.clock", "utc": utc, "source": source}
    event["uncertainty_ms"] = uncertainty_ms
    if number is not None:
        event["i"] = number
    app.record(event, u)
    app.wake()
    return True


def date_back(desk, u, utc):
    """UTC is known: a state entered before this boot gets its true age."""
    for key, second in desk.marks.items():
        if abs(second) == 1:
            desk.marks[key] = second * (utc // 1000 - MARKS_SINCE_S)
    if desk.since == 0 and desk.since_utc is not None and desk.since_utc < utc:
        desk.since = u - (utc - desk.since_utc)
        if desk.work == "idle":
            desk.presence_since = desk.since
