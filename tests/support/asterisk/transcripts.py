"""What was recorded of a real Asterisk, trimmed to what decides, and how it is played again.

A transcript is a list of rows. What was done: `ami>` an action, `ari>` a request, `hand` somebody
at a telephone or a console; what came: `ami<` and `ari<` answers, `event` of AMI, `ws` of the
application, `log` a line of queue_log. Callers are c1, c2 …, offers o1 … (the queue's half) and
l1 … (the half in the application), as they came; other Uniqueids are `?`.

Not compared: durations in seconds, for a replay waits for nothing; what AgentComplete says of
both legs, of which the real one leaves out either now and then; a telephone's RINGING, which it
leaves out when the answer is quick, and the trunk's state; the cause with which a far end asks to
hang up; what is said of one channel before or after another, and `Dial` before or after the
channel's own (but of all that AMI says of one caller in a queue the order holds); the dialplan's
half of a Local that we called; events that the bridge's own filter keeps away.
"""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diadema_sim.exchange.parts import Fields, bridge_hears

FOLDER = Path(__file__).with_name("transcripts")
LIMIT_S = 300.0

type Row = list[Any]

_EVENTS = {
    "QueueCallerJoin": "Queue Channel CallerIDNum Uniqueid Linkedid Position Count",
    "QueueCallerLeave": "Queue Uniqueid Position Count",
    "QueueCallerAbandon": "Queue Uniqueid Position OriginalPosition",
    "AgentCalled": "Queue Uniqueid Linkedid DestChannel DestUniqueid Interface MemberName",
    "AgentConnect": "Queue Uniqueid DestUniqueid MemberName",
    "AgentComplete": "Queue MemberName Reason",
    "AgentRingNoAnswer": "Queue Uniqueid DestUniqueid MemberName",
    "QueueMemberAdded": "Queue MemberName Interface StateInterface Membership Penalty Status"
    " Paused PausedReason",
    "QueueMemberRemoved": "Queue MemberName Interface",
    "QueueMemberPause": "Queue MemberName Paused PausedReason",
    "QueueMemberPenalty": "Queue MemberName Penalty",
    "QueueMemberRinginuse": "Queue MemberName Ringinuse",
    "HangupRequest": "Channel Uniqueid Cause",
    "Hangup": "Channel Uniqueid Linkedid Cause",
    "BlindTransfer": "Result TransfererUniqueid TransfereeUniqueid Context Extension",
    "MixMonitorStart": "Uniqueid Linkedid",
    "MixMonitorStop": "Uniqueid Linkedid",
    "MixMonitorMute": "Uniqueid Linkedid Direction State",
    "ChanSpyStart": "SpyerUniqueid SpyeeUniqueid SpyeeLinkedid",
    "ChanSpyStop": "SpyerUniqueid SpyeeUniqueid SpyeeLinkedid",
    "DeviceStateChange": "Device State",
}
_LISTED = {
    "QueueMember": "Queue Name Location StateInterface Membership Penalty Status Paused"
    " PausedReason",
    "QueueEntry": "Queue Position Uniqueid CallerIDNum",
}
_KINDS = {
    "StasisStart", "StasisEnd", "ChannelDestroyed", "ChannelLeftBridge", "ChannelEnteredBridge",
    "Dial", "ChannelStateChange", "ChannelHangupRequest", "BridgeDestroyed", "RecordingStarted",
    "RecordingFinished", "ApplicationReplaced", "ChannelHold", "ChannelUnhold",
}  # fmt: skip
_SECONDS = {  # fields of a log line, after its verb
    "CONNECT": (0, 2), "COMPLETEAGENT": (0, 1), "COMPLETECALLER": (0, 1), "ABANDON": (2,),
    "RINGNOANSWER": (0,), "RINGCANCELED": (0,), "EXITWITHTIMEOUT": (2,), "BLINDTRANSFER": (2, 3),
}  # fmt: skip
_OUR_LEG = re.compile(
    r"PJSIP/(?!troncal)|Snoop/|Local/[^;]*@diadema-[0-9a-f]{8};2"
    r"|Local/[^;]*@(diadema-(areas|salida)|telefonos)-[0-9a-f]{8};1"
)
_UNIQUE = re.compile(r"(?<![\d.])\d{10}\.\d+")
_NUMBERED = re.compile(r"-[0-9a-f]{8}(?![0-9a-f-])")


def picked(fields: Fields, names: str) -> Fields:
    return {name: fields[name] for name in names.split() if name in fields}


def event_row(event: Fields) -> Row | None:
    """None for what is not compared."""
    names = _EVENTS.get(event["Event"])
    if names is None or not bridge_hears(event):
        return None
    device = event.get("Device", "")
    quick = device.startswith("PJSIP/") and event["State"] in ("RINGING", "UNAVAILABLE")
    if quick or device.startswith("PJSIP/troncal"):
        return None
    found = picked(event, names)
    if event["Event"] == "HangupRequest" and event["Channel"].startswith("PJSIP/"):
        found.pop("Cause", None)
    return ["event", {"Event": event["Event"], **found}]


def ws_row(event: dict[str, Any]) -> Row | None:
    if event["type"] not in _KINDS or "caller" in event:
        return None
    channel = event.get("channel") or event.get("peer") or {}
    if channel and not _OUR_LEG.match(channel["name"]):
        return None
    found = {"type": event["type"]}
    if channel:
        found |= {"channel": channel["id"], "state": channel["state"]}
        if event["type"] == "StasisStart":
            found["name"] = channel["name"]
    for name in ("args", "cause", "soft", "dialstatus", "tech_cause"):
        if name in event:
            found[name] = event[name]
    if event["type"] == "Dial":
        del found["state"]
    if "bridge" in event:
        found["bridge"] = event["bridge"]["id"]
    if "recording" in event:
        found["recording"] = event["recording"]["name"]
    return ["ws", found]


def log_row(line: str) -> Row | None:
    _, call, queue, agent, verb, *fields = line.split("|")
    if verb == "QUEUESTART":
        return None
    for place in _SECONDS.get(verb, ()):
        fields[place] = "s"
    return ["log", "|".join([call, queue, agent, verb, *fields])]


def answer_row(fields: Fields, listed: list[Fields]) -> Row:
    """Of an action, with what decides of the list that came with it."""
    rows = [
        {"Event": one["Event"], **picked(one, _LISTED[one["Event"]])}
        for one in listed
        if one.get("Event") in _LISTED
    ]
    found = picked(fields, "Response Message Value")
    return ["ami<", found, sorted(rows, key=lambda one: sorted(one.items()))]


def reply_row(status: int, body: Any) -> Row:
    """Of a request."""
    found = {}
    if isinstance(body, dict):
        names = ("message", "error", "value", "state", "technology", "channels")
        found = {name: body[name] for name in names if name in body}
    if "channels" in found:
        found["channels"] = sorted(found["channels"])
    return ["ari<", status, found]


class Names:
    """The names that a run gave, and those of the transcript, both ways."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self._counts = {"c": 0, "o": 0}

    def learn(self, row: Row) -> None:
        """From a row as it came."""
        if row[0] == "event" and row[1]["Event"] == "QueueCallerJoin":
            number = self._new("c", row[1]["Uniqueid"])
            if number:
                self.known[row[1]["Channel"]] = f"C{number}"
        elif row[0] == "event" and row[1]["Event"] == "AgentCalled":
            number = self._new("o", row[1]["DestUniqueid"])
            if number:
                self.known[row[1]["DestChannel"].removesuffix(";1")] = f"L{number}"
        elif row[0] == "ws" and row[1]["type"] == "StasisStart":
            base, _, half = row[1]["name"].partition(";")
            if half == "2" and base in self.known:
                self.known.setdefault(row[1]["channel"], self.known[base].lower())

    def _new(self, kind: str, name: str) -> int:
        if name in self.known:
            return 0
        self._counts[kind] += 1
        self.known[name] = f"{kind}{self._counts[kind]}"
        return self._counts[kind]

    def said(self, value: Any) -> Any:
        """In the names of the transcript."""
        if isinstance(value, str):
            for name in sorted(self.known, key=len, reverse=True):
                value = re.sub(rf"(?<![\d.]){re.escape(name)}(?!\d)", self.known[name], value)
            return _NUMBERED.sub("-?", _UNIQUE.sub("?", value))
        if isinstance(value, list):
            return [self.said(one) for one in value]
        if isinstance(value, dict):
            return {name: self.said(one) for name, one in value.items()}
        return value

    def meant(self, value: Any) -> Any:
        """In the names of this run."""
        if isinstance(value, str):
            for name, said in self.known.items():
                value = re.sub(rf"(?<![A-Za-z0-9]){said}(?![A-Za-z0-9])", name, value)
            return value
        if isinstance(value, list):
            return [self.meant(one) for one in value]
        if isinstance(value, dict):
            return {name: self.meant(one) for name, one in value.items()}
        return value


def without_echoes(rows: list[Row]) -> list[Row]:
    """An application that subscribed to an endpoint hears of its channels more than once."""
    last: dict[str, Row] = {}
    found = []
    for row in rows:
        if row[0] == "ws":
            key = str(row[1].get("channel"))
            if last.get(key) == row:
                continue
            last[key] = row
        found.append(row)
    return found


def sorted_out(rows: list[Row]) -> dict[str, list[Row]]:
    """By what has an order of its own."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row[0] == "ws":
            kind = "dial" if row[1]["type"] == "Dial" else "ws"
            found[f"{kind} {row[1].get('channel', row[1].get('bridge'))}"].append(row)
        elif row[0] == "event":
            event = row[1]
            alone = event["Event"] in ("Hangup", "DeviceStateChange") or (
                event["Event"] == "HangupRequest" and not event["Uniqueid"].startswith("c")
            )
            key = event.get("Device", event.get("Channel"))
            if not alone:
                key = event.get("Uniqueid", event.get("TransfereeUniqueid"))
                key = key or event.get("SpyeeUniqueid", "members")
                if event["Event"] == "AgentComplete":
                    key = f"the end with {event['MemberName']}"
            found[f"event {key}"].append(row)
        elif row[0] in ("ami<", "ari<", "log"):
            found[row[0]].append(row)
    return dict(found)


def read(name: str) -> list[Row]:
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


class Came:
    """The rows of this run, in the order in which they came."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.names = Names()
        self._more = asyncio.Event()

    def add(self, row: Row | None) -> None:
        if row is None:
            return
        self.rows.append(row)
        for one in [row, *self.rows]:  # a leg may be told of before its offer
            self.names.learn(one)
        self._more.set()

    def count(self, of: str) -> int:
        return sum(row[0] == of for row in without_echoes(self.rows))

    async def until(self, true: Callable[[], bool], limit_s: float) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                while not true():
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            return False
        return True
