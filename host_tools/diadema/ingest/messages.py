"""What goes into the ingest's core and what comes out: messages of the stream, and effects."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from msgspec import Struct

from diadema.store.rows import QueueCall
from diadema.store.station_memory import Greeting
from diadema.store.update_rows import Step
from diadema.store.writer import AnswerRow, Ended
from diadema.wire.commands import is_host, is_station

PREFIX = "$MQTT.msgs.diadema.v1."  # where the broker keeps what stations and gateways publish
OWN = "$MQTT.msgs.host."  # and what the host side says itself: no MQTT user may publish `host/…`


class Message(Struct, gc=False, frozen=True):
    """One message of the stream. `place`: its sequence there, or the reply subject that ends in
    it (few ask, so it is read from there only then).
    """

    place: int | bytes
    subject: str
    data: bytes

    @property
    def sequence(self) -> int:
        return self.place if isinstance(self.place, int) else place_of(self.place)[0]


class Target(NamedTuple):
    """What a subject is for: `ev`, `st` (a link's greeting), `gw`, `bridge`; else `kind` is
    empty. `gw`: the gateway by whose credential it came.
    """

    kind: str
    name: str
    link: str = ""
    gw: str = ""


@dataclass
class Orders:
    """Commands that are stored in one transaction with the events that tell of them: their rows,
    those that they replace, the stations whose numbers they took, and what was answered.
    """

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    stations: set[str] = field(default_factory=set)
    answers: list[AnswerRow] = field(default_factory=list)  # to who asked


@dataclass
class Effects:
    """What must follow a commit, in this order: acknowledge, answer greetings, show."""

    acks: dict[str, tuple[int, int]] = field(default_factory=dict)  # s: (e, position)
    greeted: dict[str, Greeting] = field(default_factory=dict)
    asked: set[tuple[str, str, int]] = field(default_factory=set)  # s, gw, port: to prove it
    answered: list[tuple[str, int]] = field(default_factory=list)  # s, i
    opened: set[str] = field(default_factory=set)  # stations where a session began
    ended: set[str] = field(default_factory=set)  # and where one ended
    marks: list[tuple[str | None, str | None, str, int | None]] = field(
        default_factory=list
    )  # agent, badge, direction, utc
    chosen: bool = False  # somebody chose a PIN
    tested: bool = False  # a station told of a bench test
    placed: bool = False  # older marks may have got their hour
    rows: dict[str, bytes] = field(default_factory=dict)
    queue_calls: list[QueueCall] = field(default_factory=list)
    updates: list[Step] = field(default_factory=list)
    two_seats: list[tuple[str, list[str]]] = field(default_factory=list)  # agent, stations
    alarms: list[str] = field(default_factory=list)


def place_of(reply: bytes) -> tuple[int, int, int]:
    """A message's number in the stream, its number among those delivered, and how many wait."""
    # $JS.ACK.[domain.account.]stream.consumer.deliveries.sequence.delivered.time.pending[.x]
    words = reply.split(b".")
    at = 5 if len(words) == 9 else 7
    return int(words[at]), int(words[at + 1]), int(words[at + 3])


def subject_of(s: str) -> str:
    """Where the stream keeps the events of `s`."""
    return f"{PREFIX if is_station(s) else OWN}{s}.ev"


def target_of(subject: str) -> Target:
    """Read a subject of the stream."""
    if subject.startswith(OWN):
        match subject.removeprefix(OWN).split("."):
            case [s, "ev"] if is_host(s):
                return Target("ev", s)
        return Target("", subject)
    match subject.removeprefix(PREFIX).split("."):
        case [s, "ev"] if is_station(s):
            return Target("ev", s)
        case [s, "st", "wifi"] if is_station(s):
            return Target("st", s, "wifi")
        case [gateway, s, "ev"] if gateway.startswith("gw-") and is_station(s):
            return Target("ev", s, "usb", gateway.removeprefix("gw-"))
        case [gateway, s, "st"] if gateway.startswith("gw-") and is_station(s):
            return Target("st", s, "usb", gateway.removeprefix("gw-"))
        case [gateway, "st"] if gateway.startswith("gw-"):
            return Target("gw", gateway.removeprefix("gw-"))
        case ["mosquitto", "st"]:
            return Target("bridge", "mosquitto")
    return Target("", subject)
