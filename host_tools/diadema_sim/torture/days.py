"""Scripted days for the journal's campaign: what a station's app asks of its journal, in order.

A line is `A event` (append), `L event` (append of low value), `K lag` (the host acknowledges all
but so many), `I` (idle: erase ahead), `B` (restart), `W n` (the host was restored from a backup).
"""

import json
import random
from collections.abc import Iterator
from typing import Any

_AGENT = "a001"


class _Station:
    """Numbers and clock of the events, compact as the firmware writes them."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.boot = 1
        self.u = 0

    def line(self, kind: str, *, low_value: bool = False, **fields: Any) -> bytes:
        self.u += self.chance.randrange(50, 90_000)
        event = {"k": kind, **fields, "b": self.boot, "u": self.u, "t": 1_770_037_200_000 + self.u}
        return (b"L " if low_value else b"A ") + json.dumps(event, separators=(",", ":")).encode()

    def restart(self) -> Iterator[bytes]:
        self.boot += 1
        self.u = 0
        yield b"B"
        yield self.line("station.booted", cause="power_on", firmware="0.1.0", board="sim", torn=0)


def day(
    seed: int, contacts: int, *, link: str = "up", rewinds: bool = False, restarts: float = 0.1
) -> list[bytes]:
    """`link`: "up" (acknowledged every few events), "late" (in large steps), "none".

    `restarts`: how often the power goes, a contact.
    """
    chance = random.Random(f"{seed} day")
    station = _Station(chance)
    lines = [*station.restart(), station.line("session.opened", a=_AGENT, method="badge")]
    for number in range(contacts):
        for line in _contact(station, number):
            lines.append(line)
            if link == "up" and chance.random() < 0.4:
                lines.append(b"K %d" % chance.choice((0, 0, 1, 3)))
            elif link == "late" and chance.random() < 0.02:
                lines.append(b"K %d" % chance.randrange(40))
        if chance.random() < 0.7:
            lines.append(b"I")
        if number % 9 == 8:
            lines.append(station.line("station.health", low_value=True, heap=91_000, journal=3))
        if chance.random() < restarts:
            lines += station.restart()
        if rewinds and chance.random() < 0.1:
            lines.append(b"W %d" % chance.randrange(60))
    return lines


def _contact(station: _Station, number: int) -> Iterator[bytes]:
    chance = station.chance
    contact: dict[str, Any] = {"a": _AGENT, "c": f"c{number:05}"}
    queue = chance.choice(("Banca", "Inglés", "Bolsa", "Digital", "Prospectos y otros más"))
    yield station.line(
        "contact.offered", **contact, via="host", direction="in", queue=queue,
        pbx=f"{chance.getrandbits(40):x}", i=number + 3,
    )  # fmt: skip
    if chance.random() < 0.1:
        yield station.line("contact.missed", **contact, cause="no_answer", ring_ms=20_000)
        return
    yield station.line("contact.answered", **contact, via="key", ring_ms=chance.randrange(9000))
    if chance.random() < 0.2:
        yield station.line("contact.muted", **contact, via="key")
        yield station.line("contact.unmuted", **contact, via="key")
    if chance.random() < 0.2:
        yield station.line("contact.held", **contact, via="key")
        yield station.line("contact.resumed", **contact, via="key")
    yield station.line("contact.ended", **contact, by="caller", on_hold=False)
    yield station.line("wrapup.started", **contact)
    yield station.line("contact.typified", **contact, code="211", version=1, how="agent")
    yield station.line("wrapup.ended", **contact, cause="typified")
