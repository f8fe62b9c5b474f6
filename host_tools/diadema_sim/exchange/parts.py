"""What an Asterisk is made of, and how AMI and ARI write it down."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

type Fields = dict[str, str]
type Speaks = Literal["", "whisper", "joined"]

STATES = {"Down": 0, "Ring": 4, "Ringing": 5, "Up": 6}
DEVICE_STATES = (
    "UNKNOWN", "NOT_INUSE", "INUSE", "BUSY", "INVALID", "UNAVAILABLE", "RINGING", "RINGINUSE",
    "ONHOLD",
)  # fmt: skip
CAUSES = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    3: "No route to destination",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    21: "Call Rejected",
    26: "Answered elsewhere",
    34: "Circuit/channel congestion",
    38: "Network out of order",
}
REASONS = {  # of a DELETE
    "normal": 16, "busy": 17, "congestion": 34, "no_answer": 19, "timeout": 102, "rejected": 21,
    "unallocated": 1, "normal_unspecified": 31, "number_incomplete": 28, "codec_mismatch": 58,
    "interworking": 127, "failure": 38, "answered_elsewhere": 26,
}  # fmt: skip
LONGEST_NAME = 79  # bytes of a member's name and of a pause's reason


class Watcher(Protocol):
    """Whoever is told of a channel: what called it, or what it runs."""

    def ringing(self, channel: "Channel") -> None: ...
    def answered(self, channel: "Channel") -> None: ...
    def ended(self, channel: "Channel", cause: int, how: str) -> Callable[[], None] | None:
        """`how`: remote (the far end), refused, soft (ARI), asked (AMI), half (the Local's other
        half went), self (Asterisk). What is returned is done after the channel is gone.
        """


@dataclass(eq=False)
class Channel:
    id: str
    name: str
    linked: str
    created: float
    state: str = "Down"
    number: str = ""
    caller_name: str = ""
    connected: str = ""
    connected_name: str = ""
    context: str = ""
    exten: str = "s"
    priority: int = 1
    app_name: str = ""
    app_data: str = ""
    half: "Channel | None" = None
    device: "Device | None" = None
    in_stasis: bool = False
    originated: bool = False  # by ARI: the application hears of it to its end
    bridge: "Bridge | None" = None
    music: bool = False
    tone: bool = False
    muted: set[str] = field(default_factory=set)
    variables: dict[str, str] = field(default_factory=dict)
    owner: Watcher | None = None
    runs: Watcher | None = None
    monitor: int | None = None  # times that its MixMonitor was muted; None without one
    spied: "Channel | None" = None
    speaks: Speaks = ""  # who hears whoever spies
    gone: bool = False

    def fields(self, prefix: str = "") -> Fields:
        """As AMI writes it."""
        found = {
            "Channel": self.name,
            "ChannelState": str(STATES[self.state]),
            "ChannelStateDesc": self.state,
            "CallerIDNum": self.number or "<unknown>",
            "CallerIDName": self.caller_name or "<unknown>",
            "ConnectedLineNum": self.connected or "<unknown>",
            "ConnectedLineName": self.connected_name or "<unknown>",
            "Language": "en",
            "AccountCode": "",
            "Context": self.context,
            "Exten": self.exten,
            "Priority": str(self.priority),
            "Uniqueid": self.id,
            "Linkedid": self.linked,
        }
        return {f"{prefix}{name}": value for name, value in found.items()}

    def json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "protocol_id": "",
            "caller": {"name": self.caller_name, "number": self.number},
            "connected": {"name": self.connected_name, "number": self.connected},
            "accountcode": "",
            "dialplan": {
                "context": self.context,
                "exten": self.exten,
                "priority": self.priority,
                "app_name": self.app_name,
                "app_data": self.app_data,
            },
            "creationtime": stamp(self.created),
            "language": "en",
        }


@dataclass(eq=False)
class Bridge:
    id: str
    name: str
    created: float
    kind: str = "mixing"
    stasis: bool = True
    channels: list[Channel] = field(default_factory=list)

    @property
    def technology(self) -> str:
        if self.kind == "holding":
            return "holding_bridge"
        return "softmix" if len(self.channels) > 2 else "simple_bridge"

    def json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "technology": self.technology,
            "bridge_type": self.kind,
            "bridge_class": "stasis" if self.stasis else "basic",
            "creator": "Stasis" if self.stasis else "",
            "name": self.name,
            "channels": [one.id for one in self.channels],
            "creationtime": stamp(self.created),
            "video_mode": "talker" if self.stasis else "none",
        }

    def fields(self) -> Fields:
        return {
            "BridgeUniqueid": self.id,
            "BridgeType": "stasis" if self.stasis else "basic",
            "BridgeTechnology": self.technology,
            "BridgeCreator": "Stasis" if self.stasis else "<unknown>",
            "BridgeName": self.name or "<unknown>",
            "BridgeNumChannels": str(len(self.channels)),
            "BridgeVideoSourceMode": "talker" if self.stasis else "none",
        }


@dataclass(eq=False)
class Device:
    """A telephone, or the trunk: `mode` is what it does with a call.

    auto: answers one that asks for it by header, rings at any other; always: answers any; ring:
    until its user does something; busy: refuses; silent: is registered and says nothing.
    """

    name: str
    mode: str = "auto"
    registered: bool = True
    channels: list[Channel] = field(default_factory=list)
    last_state: str = ""  # that was told

    @property
    def number(self) -> str:
        return self.name.partition("/")[2]

    @property
    def state(self) -> str:
        if not self.registered:
            return "UNAVAILABLE"
        ringing = any(one.state == "Ringing" for one in self.channels)
        if any(one.state in ("Up", "Ring") for one in self.channels):
            return "RINGINUSE" if ringing else "INUSE"
        return "RINGING" if ringing else "NOT_INUSE"

    def endpoint(self) -> dict[str, Any]:
        technology, _, resource = self.name.partition("/")
        return {
            "technology": technology,
            "resource": resource,
            "state": "online" if self.registered else "offline",
            "channel_ids": [one.id for one in self.channels],
        }


@dataclass(eq=False)
class Member:
    queue: str
    interface: str
    name: str
    state_interface: str
    penalty: int = 0
    paused: bool = False
    reason: str = ""
    dynamic: bool = True
    ringinuse: bool = False
    login: int = 0
    last_pause: int = 0
    last_call: int = 0
    calls: int = 0
    in_call: bool = False
    status: int = 1  # as the queue saw it last

    def fields(self) -> Fields:
        """As its events have it; in a list some are named otherwise."""
        return {
            "Queue": self.queue,
            "MemberName": self.name,
            "Interface": self.interface,
            "StateInterface": self.state_interface,
            "Membership": "dynamic" if self.dynamic else "static",
            "Penalty": str(self.penalty),
            "CallsTaken": str(self.calls),
            "LastCall": str(self.last_call),
            "LastPause": str(self.last_pause),
            "LoginTime": str(self.login),
            "InCall": str(int(self.in_call)),
            "Status": str(self.status),
            "Paused": str(int(self.paused)),
            "PausedReason": cut(self.reason),
            "Ringinuse": str(int(self.ringinuse)),
            "Wrapuptime": "0",
        }

    def listed(self) -> Fields:
        found = self.fields()
        del found["Ringinuse"]
        names = {"MemberName": "Name", "Interface": "Location"}
        return {names.get(name, name): value for name, value in found.items()}


@dataclass(eq=False)
class Application:
    """Of Stasis; it keeps what it subscribed to when its websocket is gone."""

    name: str
    send: Callable[[dict[str, Any]], None] | None = None
    channels: list[str] = field(default_factory=list)
    bridges: list[str] = field(default_factory=list)
    endpoints: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    allowed: list[dict[str, str]] = field(default_factory=list)
    disallowed: list[dict[str, str]] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "channel_ids": self.channels,
            "bridge_ids": self.bridges,
            "endpoint_ids": sorted(self.endpoints),
            "device_names": sorted(self.devices),
            "events_allowed": self.allowed,
            "events_disallowed": self.disallowed,
        }

    def wants(self, kind: str) -> bool:
        if any(one.get("type") == kind for one in self.disallowed):
            return False
        return not self.allowed or any(one.get("type") == kind for one in self.allowed)


@dataclass(frozen=True)
class User:
    """Of the manager interface. `hears`: what its `eventfilter` lets through."""

    secret: str
    classes: frozenset[str]
    hears: Callable[[Fields], bool] = lambda _: True


_BRIDGE_HEARS = {
    "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentCalled", "AgentConnect",
    "AgentComplete", "AgentRingNoAnswer", "QueueMemberAdded", "QueueMemberRemoved",
    "QueueMemberPause", "QueueMemberPenalty", "QueueMemberRinginuse", "HangupRequest", "Hangup",
    "BlindTransfer", "AttendedTransfer", "MixMonitorStart", "MixMonitorStop", "MixMonitorMute",
    "ChanSpyStart", "ChanSpyStop", "DeviceStateChange",
}  # fmt: skip


def bridge_hears(event: Fields) -> bool:
    """What the bridge's own manager.conf lets through."""
    kind = event["Event"]
    if kind == "DeviceStateChange":
        return event["Device"].startswith(("PJSIP/", "Custom:diadema-"))
    if kind == "Hangup":
        return not event["Channel"].startswith("Local/")
    return kind in _BRIDGE_HEARS


def message(fields: Fields) -> bytes:
    return ("".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n").encode(
        errors="surrogateescape"
    )


def cut(text: str) -> str:
    """To what a name may have, in the middle of a character too."""
    return text.encode()[:LONGEST_NAME].decode(errors="surrogateescape")


def stamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def caller_id(text: str) -> tuple[str, str]:
    """`Ana <101>` → its name and its number; either may be missing."""
    found = re.fullmatch(r"\s*\"?(.*?)\"?\s*<(.*)>\s*", text)
    if found:
        return found[1], found[2]
    return ("", text) if text.isdigit() else (text, "")


type Clock = Callable[[], float]
