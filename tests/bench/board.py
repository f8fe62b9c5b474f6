"""Each board: .mpy that it loads, at once in a call and in all, and the heap that is left.

A call is when most is loaded: the codec, the screen, what measures and what sounds.
"""

import asyncio
import time

from diadema.sim import people
from diadema.sim.at_desk import AtDesk
from diadema.sim.build import board_heap, board_names, choose_boards
from diadema.sim.centre import open_centre
from diadema.sim.demo import SITE, ZONE
from diadema.sim.weight import mpy_bytes
from diadema.sim.world import World

from tests.bench.figure import Figure

_ESP32_FREE = 164_864  # gc.mem_free() at the prompt of the stock image without PSRAM, measured
_AT_ONCE, _IN_ALL = 44 * 1024, 56 * 1024
_FREE = 48 * 1024
_LOOK_MS = 200


async def figures() -> list[Figure]:
    boards = choose_boards(",".join(board_names()))
    async with open_centre(
        people.desks(len(boards)),
        name=SITE,
        zone=ZONE,
        tree=people.LIMA_TREE,
        start_utc_ms=int(time.time() * 1000),
        boards=boards,
    ) as centre:
        await centre.switch_on()
        found = await asyncio.gather(*(_weigh(centre.world, desk) for desk in centre.desks))
        await centre.drain()
    return [figure for board in found for figure in board]


async def _weigh(world: World, desk: AtDesk) -> list[Figure]:
    board = desk.station.board
    await desk.log_in()
    heap = (await desk.station.dump())["heap"]
    await desk.get_ready()
    await desk.station.ask({"do": "listen"})  # its sound runs
    contact = f"bench-{board.name}"
    await desk.ring(contact, queue="Consultas")
    await desk.answer(contact)
    in_call: list[str] = []
    while "lib.voice" not in in_call:
        await world.sleep(_LOOK_MS)
        in_call = (await desk.station.dump())["modules"]
    await desk.hang_up(contact)
    await desk.typify_after(contact, "111")
    ever = (await desk.station.ask({"do": "imported"}))["modules"]
    # words are half as long there, so what firmware and data take is half as much
    free = _ESP32_FREE - (heap["used"] - board_heap(board)) // 2
    name = board.name
    return [
        Figure(f"{name}: .mpy at once, in a call", mpy_bytes(board, in_call), "bytes", _AT_ONCE,
               "budget"),
        Figure(f"{name}: .mpy in all", mpy_bytes(board, ever), "bytes", _IN_ALL, "budget"),
        Figure(f"{name}: free on a bare ESP32, logged in", free, "bytes", _FREE,
               "budget, at least"),
    ]  # fmt: skip
