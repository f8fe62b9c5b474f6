"""What goes into the ingest's core and what comes out: messages of the stream, and effects."""

from dataclasses import dataclass, field
from typing import NamedTuple

from diadema.commands import Hello, is_station

PREFIX = "$MQTT.msgs.diadema.v1."  # where the broker keeps what stations and gateways publish


class Message(NamedTuple):
    """One message of the stream."""

    sequence: int
    subject: str
    data: bytes


class Target(NamedTuple):
    """What a subject is for: `ev`, `st` (a link's greeting), `gw`, `bridge`; else `kind` is
    empty.
    """

    kind: str
    name: str
    link: str = ""


@dataclass
class Effects:
    """What must follow a commit, in this order: acknowledge, answer greetings, show."""

    acks: dict[str, tuple[int, int]] = field(default_factory=dict)  # s: (e, position)
    greeted: dict[str, Hello] = field(default_factory=dict)
    answered: list[tuple[str, int]] = field(default_factory=list)  # s, i
    rows: dict[str, bytes] = field(default_factory=dict)
    two_seats: list[tuple[str, list[str]]] = field(default_factory=list)  # agent, stations
    alarms: list[str] = field(default_factory=list)


def target_of(subject: str) -> Target:
    """Read a subject of the stream."""
    match subject.removeprefix(PREFIX).split("."):
        case [s, "ev"] if is_station(s):
            return Target("ev", s)
        case [s, "st", "usb" | "wifi" as link] if is_station(s):
            return Target("st", s, link)
        case [gateway, "st"] if gateway.startswith("gw-"):
            return Target("gw", gateway.removeprefix("gw-"))
        case ["mosquitto", "st"]:
            return Target("bridge", "mosquitto")
    return Target("", subject)
