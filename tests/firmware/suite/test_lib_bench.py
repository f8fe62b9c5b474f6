"""The technician's test without hardware: who may begin it, what it tells, and what it finds in
flash; the whole of it is in tests/station.
"""

import asyncio
import random

from lib.bench import Bench as Tried
from lib.bench import whole
from lib.canvas import Canvas
from lib.journal_check import sound
from lib.words_en import WORDS as EN
from lib.words_es import WORDS as ES

from tests.firmware.suite.test_lib_app import ROSA, Bench
from tests.firmware.suite.test_lib_journal import mounted, payload
from tests.support.nor import SECTOR, Nor, PowerCut
from tests.support.slot_bench import seal

NAMES = (  # noqa: SIM905
    "badge_reader codec screen lights journal config keys headset microphone firmware clock link"
).split()
BOOTED = b'{"k":"station.booted","cause":"power_on"}'


def within(check):
    """Run `check` where tasks may begin; none of them comes to its first step."""

    async def run():
        check()

    asyncio.run(run())


def test_only_where_nobody_works():
    def check():
        bench = Bench()
        (refused,) = bench.command("selftest", bench=2)
        assert (refused["reason"], refused["detail"]) == ("bad_command", "bench: 1")
        assert bench.app.bench is None
        assert bench.command("selftest", bench=1) == []
        test = bench.app.bench
        assert bench.command("selftest", number=2, bench=1) == []  # said again: no other one
        assert bench.app.bench is test
        (refused,) = bench.command("selftest", number=3, bench=1)
        assert (refused["k"], refused["reason"]) == ("command.refused", "busy")
        bench = Bench()
        bench.step("badge", ROSA)
        (refused,) = bench.command("selftest", bench=1)
        assert (refused["command"], refused["reason"]) == ("selftest", "busy")
        assert bench.app.bench is None

    within(check)


def test_what_is_done_at_the_station_is_the_tests():
    def check():
        bench = Bench()
        bench.command("selftest", bench=1)
        for name in ("key6", "long5", "bad_read", "badge", "key3"):
            assert bench.step(name, ROSA if name == "badge" else None) == []
        assert not bench.app.desk.open
        bench.app.bench._wanted = 3
        assert bench.app.bench._key()

    within(check)


def told(failed):
    """The event of a test in which everything there is failed, or was left out."""
    bench = Bench()
    app = bench.app
    app.clock.anchor(1_770_037_200_000, 0)
    test = Tried(app, 9_007_199_254_740_991)
    others = ("flash", "badge_uid", "badge_secure")
    for name in tuple(NAMES[:9]) + others:
        test._checks[name] = "failed" if failed else "skipped"
    before = app.journal.last
    test._tell("left" if failed else None)
    (event,) = bench.since(before)
    return event, test


def test_the_longest_result_fits_a_frame():
    # else it would not be in the journal
    for failed in (True, False):
        event, _ = told(failed)
        assert event["k"] == "station.selftest" and event["bench"]
    assert event["checks"]["keys"] == "skipped"


def test_who_left_is_told_beside_what_failed():
    event, test = told(True)
    assert (event["fit"], event["reason"]) == (False, "left")
    assert test._failed[0] == "bench_left" and "codec" in test._failed


def test_every_step_and_every_verdict_has_its_words():
    steps = "keys lights screen headset_out headset_in microphone wait uid secure em wiegand"
    for step in steps.split():
        assert "bench_" + step + "_how" in ES
    for words in (ES, EN):
        for check in NAMES:
            assert check in words
    canvas = Canvas()
    small = ("bench_other", "bench_left", "bench_crash")
    for key, word in list(ES.items()) + list(EN.items()):
        if key[:6] == "bench_":
            measure = canvas.width if key[-4:] == "_how" or key in small else canvas.title_width
            assert measure(word.replace("%d", "6")) <= 127, key


def test_no_update_comes_in_meanwhile():
    class Program:
        intake = None

    def check():
        bench = Bench()
        bench.command("selftest", bench=1)
        bench.app.program = Program()
        (refused,) = bench.command("update", number=2, part=1, parts=1, sha256="", data="")
        assert (refused["phase"], refused["reason"]) == ("refused", "busy")

    within(check)


def test_a_program_is_what_its_trailer_says():
    flash = Nor(4)
    slot = seal(flash)
    assert asyncio.run(whole(slot))
    flash.image[5_000] ^= 0x10
    assert not asyncio.run(whole(slot))
    flash.image[5_000] ^= 0x10
    assert asyncio.run(whole(slot))
    flash.image[3 * SECTOR + 20] ^= 1  # of the hash itself
    assert not asyncio.run(whole(slot))


def after_cuts(seed):
    """A journal that lost its power again and again, each time told by the boot."""
    random.seed(seed)
    nor = Nor(5)
    for _ in range(25):
        try:
            nor.budget = nor.spent + random.randint(20, 6_000)
            nor._erased_part = random.randint(0, SECTOR)
            journal = mounted(nor)
            journal.append(BOOTED)
            while True:
                n = journal.append(payload(journal.last + 1, random.randint(60, 300)))
                journal.ack(n - random.randint(0, 3))
                if random.randint(0, 3) == 0:
                    journal.erase_ahead()
        except PowerCut:
            pass
    nor.budget = None
    journal = mounted(nor)
    journal.append(BOOTED)
    return journal, nor


def test_what_cuts_of_power_leave_is_sound():
    for seed in range(12):
        journal, _ = after_cuts(seed)
        assert asyncio.run(sound(journal)), seed


def records(journal):
    """(index, offset, length) of the whole ones, but for the sector that is erased next."""
    found = []
    for sequence in range(journal._sequence + 2 - journal.sectors, journal._sequence + 1):
        index, offset = (sequence - 1) % journal.sectors, 32
        record = journal.record(index, offset)
        while record:
            if record[3] and record[0] == 0x45:
                booted = BOOTED in bytes(journal._view[8 : 8 + record[2]])
                found.append((index, offset, record[2], booted))
            offset += record[2] + 12
            record = journal.record(index, offset)
    return found


def test_what_the_flash_lost_is_found():
    journal, nor = after_cuts(3)
    found = records(journal)
    lost = 0
    for (index, offset, length, _), after in zip(found, found[1:]):  # noqa: B905, RUF007
        if after[3]:  # a boot came after it: a cut may have torn it
            continue
        at = index * SECTOR + offset + 8 + length // 2
        old, nor.image[at] = nor.image[at], nor.image[at] & 0x55 & ~1
        if nor.image[at] != old:
            assert not asyncio.run(sound(journal)), (index, offset)
            lost += 1
        nor.image[at] = old
    assert lost > 20
    assert asyncio.run(sound(journal))


def test_a_sector_without_its_header_is_torn():
    journal, nor = after_cuts(4)
    index = (journal._sequence - 2) % journal.sectors
    old, nor.image[index * SECTOR + 9] = nor.image[index * SECTOR + 9], 0
    assert not asyncio.run(sound(journal))
    nor.image[index * SECTOR + 9] = old
    assert asyncio.run(sound(journal))
    journal.bad[index] = 0
    assert not asyncio.run(sound(journal))
