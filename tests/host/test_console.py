"""What a console says when no program of ours speaks, and what people are told then."""

import pytest
from diadema.gateway.console import (
    ENDLESS,
    TEXTS,
    Listener,
    kind_of,
    meaning,
)
from diadema.stations import trouble
from diadema.words import LANGUAGES

LINES = {
    "no_files": b"The filesystem appears to be corrupted. If you had important data\r\n",
    "new_files": b"Performing initial setup\r\n",
    "blank": b"rst:0x10 (RTCWDT_RTC_RESET),boot:0x17 (SPI_FAST_FLASH_BOOT)\r\n"
    b"invalid header: 0xffffffff\r\n",
    "no_app": b"E (92) boot: No bootable app partitions in the partition table\r\n",
    "no_table": b"E (55) boot: load partition table error!\r\n",
    "download": b"boot:0x3 (DOWNLOAD_BOOT(UART0))\r\nwaiting for download\r\n",
    "brownout": b"Brownout detector was triggered\r\n",
    "psram": b"E (216) quad_psram: PSRAM ID read error: 0xffffffff, PSRAM chip not found\r\n",
    "panic": b"Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
    "prompt": b'MicroPython v1.28.0 on 2026-04-06\r\nType "help()" for more information.\r\n>>> ',
}


@pytest.mark.parametrize("kind", TEXTS)
def test_each_text_is_known_however_it_comes(kind: str) -> None:
    assert kind_of(LINES[kind]) == kind
    for size in (1, 7, 1000):
        console = Listener()
        told = [
            console.hear(LINES[kind][at : at + size]) for at in range(0, len(LINES[kind]), size)
        ]
        assert [one for one in told if one] == [kind] and console.kind == kind
        assert console.hear(LINES[kind]) is None  # said once
    for language in LANGUAGES:
        assert meaning(kind, language)
        if kind in ENDLESS:
            (told,) = trouble.start(None, kind, "", "sim", language)
            assert "diadema flash" in told


def test_what_a_station_writes_is_none_of_them() -> None:
    console = Listener()
    assert console.hear(b"Diadema 0.7.0 on sim, DIA-0200000000a1, boot 3\r\n" * 3) is None
    assert console.hear(b"\x00\xff" * 400) is None
    assert console.kind is None and meaning("crashes", "es") is None


def test_the_last_one_counts() -> None:
    console = Listener()
    assert console.hear(LINES["brownout"] + LINES["no_files"]) == "no_files"
    assert console.hear(LINES["panic"]) == "panic"
