"""No number of a caller leaves the bridge: not by what it tells, not by what it says of itself.
Ten thousand of them go through the whole centre in `system/test_switch.py`.
"""

import asyncio
import logging
import random

import pytest
from diadema.base.paths import DataDir

from tests.support.made_up_numbers import Search, make, planted
from tests.support.played_centre import played
from tests.support.skipping_loop import skipping

SPELLED = ["931222333", "+51 931 222 333", "0051931222333", "931-222-333", "(01) 7456123",
           "745-6123"]  # fmt: skip


@pytest.mark.parametrize("how", ["a log", "an address", "json", "a row"])
@pytest.mark.parametrize("number", SPELLED)
def test_a_number_that_got_out_is_found_however_it_is_spelled(tmp_path, number, how):
    digits = "".join(one for one in number if one.isdigit())
    digits = digits if len(digits) == 7 or digits.startswith("01") else digits[-9:]
    planted(tmp_path / "x", number, how)
    assert Search({digits}).file(tmp_path / "x") == {digits}
    assert not Search({"938999000", "7111111", "4711"}).file(tmp_path / "x")


def test_an_extension_is_found_where_it_stands_alone(tmp_path):
    planted(tmp_path / "x", "4711", "json")
    assert Search({"4711"}).file(tmp_path / "x") == {"4711"}


def test_what_the_bridge_tells_and_says_has_no_number(tmp_path, caplog):
    """With its log at its most talkative, whatever goes wrong."""
    caplog.set_level(logging.DEBUG, "diadema")
    data = DataDir(tmp_path / "data")
    data.make()
    rng = random.Random(3)
    numbers = make(400, rng)

    async def run():
        async with played(data, 3) as centre:
            asked = []

            async def command(station, cmd, **fields):
                asked.append((station, cmd, fields))
                return await real(station, cmd, **fields)

            real, centre.command = centre.command, command
            for at, spelled in enumerate(numbers.values()):
                caller = centre.peer.call(
                    rng.choice(["ventas", "soporte", "todos"]), number=spelled
                )
                centre.plans[caller.uniqueid] = rng.choice(
                    [lambda desk: desk.answer(), lambda desk: desk.reject(), lambda desk: None]
                )
                phone = centre.peer.telephone(f"PJSIP/{rng.choice([101, 102, 103])}")
                phone.mode = rng.choice(["auto", "auto", "busy", "silent"])
                await asyncio.sleep(rng.choice([0.1, 2, 6]))
                caller.hang_up()
                if at == 200:
                    await centre.stop_bridge()
                    await asyncio.sleep(1)
                    await centre.start_bridge()
            await centre.settled()
            assert sum(cmd == "ring" for _, cmd, _ in asked) > 100
            return repr(asked) + repr(centre.bridge.report())

    said = skipping(run)
    search = Search(numbers)
    assert not search.text(said)
    assert caplog.records
    assert not search.text("\n".join(caplog.messages))
    for path in data.root.rglob("*"):
        if path.is_file():
            assert not search.file(path), path
