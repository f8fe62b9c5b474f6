"""A journal without room for one byte more, while the host is away: the station serves its people
and its links, and goes on where it was once the host is back.
"""

from pathlib import Path

import msgspec
import pytest

from tests.support import pictures

RING_S = 600
FULL = Path(__file__).parent / "pictures" / "full_journal_detail.txt"


@pytest.fixture
def site(site):
    return msgspec.structs.replace(site, ring_limit_s=RING_S)


def told(bench):
    """How often the console says that the end of the ring has no room."""
    return b"".join(bench.station.console).count(b"contact.missed: ")


async def detail(bench):
    """The line of detail, as it would stand unmoved."""
    ram = await bench.station.screen()
    moved = any(ram[127::128])
    return "\n".join(pictures.as_text(ram[1:] + b"\0" if moved else ram).split("\n")[17:27])


async def test_a_ring_that_cannot_be_ended_on_flash_stops_nothing(desk):
    async with desk(journal_bytes=6 * 4096) as bench:
        await bench.ready()
        bench.host.command("ring", contact="C-1", direction="in")
        await bench.event("contact.offered", c="C-1")
        rang = bench.world.now_ms()
        await bench.caught_up()
        bench.host.answering = False
        before = -1
        while bench.since() > before:
            before = bench.since()
            for _ in range(4):
                await bench.station.unplug()
                await bench.world.sleep(1_100)
                await bench.station.plug()
                await bench.world.sleep(1_100)
        assert bench.world.now_ms() - rang < RING_S * 1000
        full = bench.since()
        await bench.world.sleep_until(rang + RING_S * 1000 + 1_000)
        hellos, discards = len(bench.host.hellos), told(bench)
        assert discards > 0
        await bench.world.sleep(300_000)
        tried = told(bench) - discards
        assert 5 <= tried <= 15
        assert len(bench.host.hellos) > hellos, "its link is served"
        assert await detail(bench) == FULL.read_text()
        await bench.keys(2)
        await bench.world.sleep(4_000)
        assert await detail(bench) == FULL.read_text(), "said for as long as it is so"
        assert bench.since() == full and bench.station.restarts == []
        bench.host.answering = True
        missed = await bench.event("contact.missed", full)
        assert (missed["cause"], missed["ring_ms"]) == ("technical", RING_S * 1000)
        await bench.until(lambda: [e["k"] for e in bench.host.events] == bench.kinds())
        assert [e["n"] for e in bench.host.events] == list(range(1, len(bench.host.events) + 1))
        await bench.world.sleep(5_000)
        since = bench.since()
        bench.host.command("ring", contact="C-2", direction="in")
        await bench.event("contact.offered", since, c="C-2")
        assert "station.lost" not in bench.kinds(since)
