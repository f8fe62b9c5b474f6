"""What the sequences are made of: gestures, the events that they leave, pictures for the manual.

`DIADEMA_PICTURES=write` takes what the screens show now into `.pictures/agent/`; look at each.
"""

import json
import os
import shlex
from pathlib import Path

from diadema.site.description import Site, parse
from diadema_sim import people
from PIL import Image

from tests.support import pictures
from tests.support.station_bench import SETTLED_MS, STATION, Bench

ROSA = people.desks(1)[0].person
PICTURES = Path(__file__).resolve().parents[2] / ".pictures" / "agent"
SCALE, BORDER = 3, 6
LIT, DARK = (190, 226, 255), (10, 13, 18)


def site(selftest: bool = False) -> Site:
    """Of a bank in Lima, where every login asks for the PIN. With `selftest` the first one
    of a shift tries the station.
    """
    content = people.site(
        people.desks(2), name="Muestra", zone="America/Lima", tree=people.LIMA_TREE, pins=True
    )
    content["selftest"] = selftest
    content["stations"][0]["id"] = STATION
    return parse(json.dumps(content).encode())


async def tap(bench: Bench) -> None:
    """The badge, and the screen takes keys again after it."""
    await bench.station.tap(ROSA.badge)
    await bench.world.sleep(2 * SETTLED_MS)


async def enter(bench: Bench) -> None:
    """Badge and PIN."""
    await tap(bench)
    await type_pin(bench)


async def type_pin(bench: Bench) -> None:
    since = bench.since()
    for digit in ROSA.pin:
        await bench.keys(int(digit))
        await bench.world.sleep(300)
    await bench.event("session.opened", since)
    await bench.world.sleep(2 * SETTLED_MS)


async def be_ready(bench: Bench) -> int:
    """At her desk, and greeted; returns where the events stand."""
    await enter(bench)
    await bench.keys(3)
    await bench.event("presence.changed", to="ready")
    await bench.world.sleep(3000)
    return bench.since()


async def talk(bench: Bench) -> int:
    """In the inbound call C-1; returns where the events stand."""
    await be_ready(bench)
    await bench.ring("C-1")
    await bench.answer("C-1")
    return await settled(bench)


async def settled(bench: Bench) -> int:
    """All that was done is journaled; returns where the events stand."""
    await bench.world.sleep(100)
    await bench.caught_up()
    return bench.since()


async def host(bench: Bench, name: str, **fields: object) -> None:
    """A command of the host, and what changed by it is settled."""
    await bench.host.answer(bench.host.command(name, **fields))
    await bench.world.sleep(2 * SETTLED_MS)


def number_of(bench: Bench, kind: str) -> int:
    """What the host calls the newest event of that kind by."""
    seen = bench.world.witness.events(STATION)
    return next(each.sequence for each in reversed(seen) if each.event["k"] == kind)


async def left(bench: Bench, since: int, script: str) -> None:
    """The events since then are those of `script`, a line each: the kind, and fields that it has;
    none more and none less.
    """
    await settled(bench)
    lines = [shlex.split(line) for line in script.strip().splitlines()]
    events = [seen.event for seen in bench.world.witness.events(STATION)[since:]]
    assert [event["k"] for event in events] == [line[0] for line in lines]
    for event, (kind, *fields) in zip(events, lines, strict=True):
        for field in fields:
            name, _, value = field.partition("=")
            assert str(event.get(name)) == value, f"{kind}: {name} is {event.get(name)!r}"


async def pictured(bench: Bench, name: str) -> None:
    """The screen is the manual's picture of that name."""
    await bench.caught_up()
    await bench.world.sleep(30)
    ram = await bench.station.screen()
    if any(ram[127::128]):  # the firmware moves its picture by a column now and then
        ram = ram[1:] + b"\0"
    path = PICTURES / f"{name}.png"
    if os.environ.get("DIADEMA_PICTURES") == "write":
        PICTURES.mkdir(parents=True, exist_ok=True)
        _draw(ram).save(path, optimize=True)
    kept = Image.open(path).convert("RGB").tobytes() if path.exists() else b""
    if kept != _draw(ram).convert("RGB").tobytes():
        raise AssertionError(
            f"the screen is not as in {path.name}; it shows now:\n{pictures.as_text(ram)}"
        )


def _draw(ram: bytes) -> Image.Image:
    """128×64 dots in a dark frame."""
    lit = Image.new("1", (128, 64))
    lit.putdata([ram[y // 8 * 128 + x] >> y % 8 & 1 for y in range(64) for x in range(128)])
    lit = lit.resize((128 * SCALE, 64 * SCALE), Image.Resampling.NEAREST)
    image = Image.new("P", (lit.width + 2 * BORDER, lit.height + 2 * BORDER))
    image.putpalette((*DARK, *LIT))
    image.paste(1, (BORDER, BORDER), lit)
    return image
