"""The instruments of the torture bench: they must do the harm that they say, and see it."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from diadema.base.errors import DiademaError
from diadema.wire.journal import SECTOR
from diadema_sim.build import build_firmware, compile_mpy, on_vm, station_tree
from diadema_sim.cable import Noise
from diadema_sim.flash import CutPlan, FlashCut, NorFlash
from diadema_sim.station_user import NoResponse
from diadema_sim.torture import campaigns, journal
from diadema_sim.torture.journal import day
from diadema_sim.torture.runner import Outcome, Plan


@pytest.fixture
def flash(tmp_path: Path):
    flash = NorFlash(tmp_path / "flash.bin", 4 * SECTOR)
    yield flash
    flash.close()


def test_a_cut_leaves_a_prefix_and_one_byte_half_programmed(flash, tmp_path):
    data = bytes(range(1, 101))
    flash.program(0, b"\x00" * 8)
    flash.plan = CutPlan(40, random.Random(1))
    with pytest.raises(FlashCut):
        flash.program(100, data)
    assert flash.image[100:140] == data[:40]
    assert flash.image[140] & data[40] == data[40]
    assert flash.image[141:200] == b"\xff" * 59
    assert (tmp_path / "flash.bin").read_bytes() == flash.image
    flash.program(200, data)  # the plan is spent
    assert flash.image[200:300] == data
    assert flash.violations == []


def test_a_cut_erase_leaves_no_bit_cleared_that_was_set_and_is_not_to_be_trusted(flash):
    old = random.Random(2).randbytes(SECTOR)
    flash.program(SECTOR, old)
    flash.plan = CutPlan(10_000, random.Random(3))
    with pytest.raises(FlashCut):
        flash.erase(SECTOR)
    left = flash.image[SECTOR : 2 * SECTOR]
    assert left not in (old, b"\xff" * SECTOR)
    assert all(new & was == was for new, was in zip(left, old, strict=True))
    flash.program(SECTOR, b"\x00")
    assert len(flash.violations) == 1
    flash.erase(SECTOR)
    flash.program(SECTOR, b"\x00")
    assert len(flash.violations) == 1


def test_a_program_that_would_set_bits_is_told(flash):
    flash.program(0, b"\x0f")
    flash.program(0, b"\xf0")
    assert flash.image[0] == 0
    assert flash.violations == ["program at 0: sets bits that are cleared"]


async def test_noise_does_all_of_its_harm_and_lets_most_lines_pass(monkeypatch):
    monkeypatch.setattr(Noise, "LATE_S", 0.01)
    noise = Noise(random.Random(4))
    sent = [b"line %04d" % number for number in range(2000)]
    arrived: list[bytes] = []
    everything = b"\n".join(sent) + b"\n"
    for at in range(0, len(everything), 100):
        noise.carry("up", everything[at : at + 100], arrived.append)
    expected = len(sent) - noise.counts["lost_frames"]
    async with asyncio.timeout(300):
        while len(arrived) < expected - 1:  # the last one may still be overtaken
            await asyncio.sleep(0)
    assert set(noise.counts) == {
        "lost_frames", "damaged_frames", "doubled_frames", "late_frames", "reordered_frames"
    }  # fmt: skip
    whole = b"".join(arrived).split(b"\n")
    assert 1500 < sum(line in whole for line in sent) < 2000
    assert whole != sorted(whole)


def test_campaigns_are_chosen_by_name():
    assert campaigns.chosen("all") == list(campaigns.CAMPAIGNS)
    assert campaigns.chosen("power,journal") == ["journal", "power"]
    with pytest.raises(DiademaError, match="no campaign 'nap'"):
        campaigns.chosen("nap")


async def test_a_campaign_that_ends_early_is_a_failure_and_takes_no_other_with_it(monkeypatch):
    async def broken(plan):
        raise NoResponse("A-01 and its hub did not find each other")

    async def sound(plan):
        return Outcome("sound", {"gestures": 3})

    monkeypatch.setattr(campaigns, "CAMPAIGNS", {"broken": broken, "sound": sound})
    summary = await campaigns.run(["broken", "sound"], Plan(7))
    assert [(row["campaign"], row["lost"]) for row in summary["rows"]] == [
        ("broken", 1), ("sound", 0),
    ]  # fmt: skip
    (failure,) = summary["failures"]
    assert "did not find each other" in failure["what"]
    assert failure["repeat"] == "diadema torture --campaign broken --seed 7"


def test_a_failure_that_names_no_number_counts_as_a_loss():
    outcome = Outcome("journal")
    outcome.fail("0.1.2", "it did not start")
    outcome.fail("", "3 twice", doubled=3)
    assert (outcome.lost, outcome.doubled) == (1, 3)
    assert [failure["only"] for failure in outcome.failures] == ["0.1.2", ""]


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[str, str], Path]:
    """`broken(old, new)`: the firmware with this change of its journal, compiled."""

    def build(old: str, new: str) -> Path:
        folder = tmp_path / "firmware"
        build_firmware(folder)
        source = (station_tree() / "firmware" / "lib" / "journal.py").read_text()
        assert source.count(old) == 1
        changed = tmp_path / "journal.py"
        changed.write_text(source.replace(old, new))
        compile_mpy(changed, folder / "lib" / "journal.mpy", "lib/journal.py")
        return folder

    return build


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('crc32(view[:end]) == struct.unpack_from("<I", view, end)[0]', "True"),
        # says yes, and commits the record with the next one
        (
            "            if self._put(EVENT, n, payload):\n",
            "            owed, self.owed = getattr(self, 'owed', None), bytes(payload)\n"
            "            if owed is None or self._put(EVENT, n - 1, owed):\n",
        ),
        ("        return free\n", "        return self.sectors\n"),
    ],
    ids=["the CRC is not checked", "yes before the commit", "what waits is overwritten"],
)
async def test_a_broken_journal_is_found_and_the_failure_can_be_repeated(
    broken, tmp_path, old, new
):
    folder = broken(old, new)
    script = tmp_path / "day"
    script.write_bytes(b"\n".join(day(7, 40, link="late")))
    options = {"firmware": str(folder), "sectors": 4, "seed": 7, "share": 0.05}
    *failures, did = await journal.in_vm(script, options)
    assert failures and did["operations"]
    first = failures[0]
    if first["cut"] != "-":
        options |= {"operation": first["operation"], "cut": first["cut"]}
    again, *_ = await journal.in_vm(script, options)
    assert again == first


async def test_the_same_seed_cuts_at_the_same_points(tmp_path):
    build_firmware(tmp_path / "firmware")
    script = tmp_path / "day"
    script.write_bytes(b"\n".join(day(7, 40, link="late")))
    options = {"firmware": str(tmp_path / "firmware"), "sectors": 4, "seed": 7, "share": 0.05}
    once = await journal.in_vm(script, options)
    assert once == await journal.in_vm(script, options)
    assert once != await journal.in_vm(script, options | {"seed": 8})


async def test_a_day_of_the_journals_campaign_can_be_run_alone():
    outcome = await journal.run(Plan(seed=3, share=0.01, only="0"))
    assert outcome.failures == []
    assert outcome.counts["cut_points"] > 500


def test_what_the_interpreter_cannot_take_is_said():
    with pytest.raises(DiademaError, match="255 bytes"):
        on_vm("1m", "start.py", "é" * 128)
