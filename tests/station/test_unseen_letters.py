"""Texts in letters that no font here has: however many come, the station keeps none of them."""

import json
import re

import pytest
from diadema_sim.build import build_firmware

ROUNDS = 6

_TOLD = """
def _told():
    import console
    import gc
    import wire

    def told(command):
        console._own.qstr_info()
        gc.collect()
        return {"held": gc.mem_alloc()}

    wire.on("held", told)


_told()

"""


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("letters")
    build_firmware(folder)
    main = folder / "main.py"
    main.write_text(_TOLD + main.read_text())
    return folder


async def held(bench) -> tuple[int, int]:
    """(names, bytes) that the station holds."""
    await bench.world.sleep(5_000)
    answer = await bench.station.ask({"do": "held"})
    await bench.world.sleep(100)
    told = re.findall(rb"n_qstr=([0-9]+)", b"".join(bench.station.console))
    return int(told[-1]), answer["held"]


def unseen(turn: int, count: int) -> str:
    """Letters of three bytes in UTF-8 that were in no turn before, with spaces between words."""
    first = 0x4E00 + turn * 400
    letters = [chr(first + at) for at in range(count)]
    return " ".join("".join(letters[at : at + 5]) for at in range(0, count, 5))


async def texts(bench, turn):
    number = bench.host.command("text", m=f"m{turn}", text=unseen(turn, 80))
    await bench.event("message.shown", i=number)
    await bench.world.sleep(1_000)
    await bench.keys(6)
    await bench.world.sleep(1_000)


async def rings(bench, turn):
    contact, queue = f"C-{turn}", unseen(turn, 15)
    bench.host.command("ring", contact=contact, direction="in", queue=queue)
    await bench.event("contact.offered", c=contact)
    await bench.world.sleep(1_000)
    bench.host.command("withdraw", contact=contact, cause="caller_gave_up")
    await bench.event("contact.missed", c=contact)
    await bench.world.sleep(1_000)


async def configurations(bench, turn):
    """Names, reasons and codes of another alphabet, all of them looked at."""
    content = json.loads(bench.host.configuration())
    content["generation"] = turn + 2
    content["agents"][0][1] = unseen(turn, 10)
    content["reasons"][0][1] = unseen(turn, 10)
    content["tree"]["nodes"][0][1] = unseen(turn, 10)
    number = bench.host.configure(json.dumps(content).encode())
    assert (await bench.host.answer(number))["k"] == "station.config"
    await bench.world.sleep(1_000)
    since = bench.since()
    await bench.keys(3)
    await bench.world.sleep(1_000)
    await bench.keys(3)
    await bench.event("presence.changed", since, to="not_ready")
    await bench.world.sleep(1_000)
    await bench.keys(3)
    await bench.event("presence.changed", since, to="ready")
    contact = f"C-{turn}"
    bench.host.command("ring", contact=contact, direction="in")
    await bench.event("contact.offered", c=contact)
    await bench.answer(contact)
    await bench.keys(1)
    await bench.event("wrapup.ended", c=contact, cause="timeout")
    await bench.world.sleep(1_000)


@pytest.mark.parametrize("what", [texts, rings, configurations])
async def test_letters_that_nobody_can_draw_leave_nothing(desk, what):
    async with desk() as bench:
        await bench.ready()
        for turn in range(5):
            await what(bench, turn)
        names, size = await held(bench)
        for turn in range(5, 5 + ROUNDS):
            await what(bench, turn)
        more, grown = await held(bench)
        assert more - names <= 2, "not one for each letter"
        assert grown - size < 2_000
