"""What each board loads of the firmware, in bytes of .mpy as its image has them, and what is left
of a bare ESP32's heap; nothing stays that was needed for a moment only.

The heap is what the budgets are for. The bytes are a ratchet: the design's 44 and 56 KiB, which
the bench prints, were set before the agent's day was there.
"""

import pytest
from diadema.sim.build import SimBoard, board_heap, board_names
from diadema.sim.weight import mpy_bytes, native_modules
from test_wifi import PASSWORD, SSID, air, authority, begin, server  # noqa: F401 - two fixtures

BOARDS = [SimBoard(name) for name in board_names()]
AT_ONCE = 59 * 1024  # on the cable
IN_ALL = 86 * 1024
ESP32_FREE = 164_864  # gc.mem_free() at the prompt of the stock image without PSRAM, measured
FREE = 48 * 1024
SETTLED_MS = 400  # a screen that changed by itself takes no soft key before
WIFI = 7 * 1024  # radio, TLS and broker on top of both, on a board that has PSRAM
ORDERS = 1536  # and what only an explicit order loads

# fmt: off
SELDOM = {
    f"lib.{name}"
    for name in (
        "start", "journal_start", "config_store", "config_check", "hour", "report", "orders",
        "ramflash", "message", "words_es_more", "asked", "time_server", "sntp", "pin",
        "do_call", "do_codes", "do_dial", "do_disagree", "do_help", "do_menu", "do_message",
        "do_new_pin", "do_pin", "do_quiet", "do_selftest", "do_session", "do_settings",
        "do_transfer", "updating", "bench", "journal_check", "words_es_bench", "improv",
        "kept_wifi",
    )
} | {f"drivers.{name}_setup" for name in ("es8388", "es8311", "wm8960")} | {
    "drivers.i2s_mclk", "drivers.i2s_tone",
}
# fmt: on


class Loaded:
    """The compiled modules in memory now, and all that were since the start."""

    def __init__(self, board: SimBoard, now: list[str], ever: list[str], used: int) -> None:
        self.now = {name for name in now if "." in name}
        self.ever = set(ever)
        self.at_once, self.in_all = (mpy_bytes(board, names) for names in (self.now, self.ever))
        # words are half as long on the chip, so firmware and data take half as much
        self.free = ESP32_FREE - (used - board_heap(board)) // 2


@pytest.fixture
def loaded():
    async def look(bench) -> Loaded:
        dump = await bench.station.dump()
        ever = await bench.station.ask({"do": "imported"})
        used = dump["heap"]["used"]
        found = Loaded(bench.station.board, dump["modules"], ever["modules"], used)
        assert found.now < found.ever
        assert {"lib.app", "lib.journal", "drivers.usb_serial"} < found.now
        assert found.now.isdisjoint(SELDOM)
        assert {"lib.start", "lib.journal_start", "lib.config_store", "lib.hour"} < found.ever
        assert native_modules() == {"lib.samples"}
        assert native_modules().isdisjoint(found.ever - found.now)
        return found

    return look


async def call(bench, loaded=None):
    """A whole one: answered, heard, held, resumed, ended, typified. What is loaded in it, the most
    of the day, when asked for.
    """
    await bench.station.ask({"do": "listen"})
    await bench.log_in()
    await bench.ring("C-1")
    await bench.keys(1)
    await bench.world.sleep(3000)
    most = await loaded(bench) if loaded else None
    await bench.keys(4, 4, 1, 3, 3, 3)
    await bench.event("wrapup.ended", cause="typified")
    await bench.station.ask({"do": "hush"})
    await bench.world.sleep(1000)
    return most


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
async def test_on_the_cable(desk, loaded, board):
    async with desk(board) as bench:
        most = await call(bench, loaded)
        assert "lib.voice" in most.now
        found = await loaded(bench)
        assert most.at_once <= AT_ONCE
        assert found.in_all <= IN_ALL
        assert min(most.free, found.free) >= FREE
        assert not [name for name in found.ever if name in ("lib.mqtt", "lib.links", "lib.orders")]
        assert "lib.words_en" not in found.ever  # the language that is not in use


async def test_a_text_stays_as_long_as_it_is_shown(desk, loaded):
    async with desk() as bench:
        await call(bench)
        before = await loaded(bench)
        shown = await bench.host.answer(bench.host.command("text", m="m1", text="Reunión a las 9"))
        assert shown["k"] == "message.shown"
        await bench.world.sleep(SETTLED_MS)
        await bench.keys(6)
        await bench.event("message.acknowledged")
        after = await loaded(bench)
        assert after.ever - before.ever == {"lib.message", "lib.do_message"}
        assert after.at_once == before.at_once
        assert after.in_all <= IN_ALL


async def test_over_wifi_then_another_configuration_and_a_format(
    desk,
    loaded,
    site,
    server,  # noqa: F811
):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD})
        assert (await host.answer(host.with_wifi()))["k"] == "station.config"
        await bench.until(lambda: any(hello.get("way") for hello in host.hellos))
        await call(bench)
        found = await loaded(bench)
        assert found.at_once <= AT_ONCE + WIFI
        assert found.in_all <= IN_ALL + WIFI
        assert (await host.answer(host.with_wifi("another")))["k"] == "station.config"
        number = host.command("format_journal", confirm=bench.station.id)
        assert (await host.answer(number))["k"] == "station.fault_cleared"
        again = await loaded(bench)
        assert again.at_once == found.at_once
        assert again.in_all <= found.in_all + ORDERS
        await host.shut()
