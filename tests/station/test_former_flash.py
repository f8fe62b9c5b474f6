"""A station whose flash the program of commit 94723356 wrote: today's goes on where it was.

`tests/former/station` has the configuration and the journal of that flash, the power cut in a call
of an agent who is logged in.
"""

from pathlib import Path

from diadema.wire.journal import walk

FORMER = Path(__file__).resolve().parents[1] / "former" / "station"
JOURNAL = bytes.fromhex((FORMER / "journal.hex").read_text())


async def test_journal_and_configuration_are_read(desk):
    written = list(walk(JOURNAL + b"\xff" * (128 * 4096 - len(JOURNAL))).events())
    async with desk() as bench:
        await bench.station.power_cut()
        flash = bench.station.flash
        for sector in range(len(flash.image) // 4096):
            flash.erase(sector * 4096)
            bench.station._walker.erased(sector)
        flash.program(0, JOURNAL)
        config = (FORMER / "config.1").read_bytes()
        (bench.station.folder / "files" / "config.1").write_bytes(config)
        before = len(bench.host.hellos)
        await bench.station.power_on()
        await bench.until(lambda: len(bench.host.hellos) > before)
        hello = bench.host.hellos[-1]
        assert hello["e"] == written[-1].epoch
        await bench.event("station.booted", since=0, b=2)
        found = list(walk(bytes(flash.image)).events())
        assert [event.sequence for event in found] == list(range(1, len(found) + 1))
        assert [event.payload for event in found[: len(written)]] == [
            event.payload for event in written
        ]
        await bench.station.tap(bench.badges[0])
        await bench.event("contact.ended", c="c1")
