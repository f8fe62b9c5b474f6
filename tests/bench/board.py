"""Each board: what is loaded and held in a session and in a call, in a chip's bytes.

An estimate: `chip_bytes.py` has what it was calibrated with.
"""

import asyncio
import time

from diadema_sim import people
from diadema_sim.agent import Agent
from diadema_sim.build import board_heap, board_names, choose_boards
from diadema_sim.centre import open_centre
from diadema_sim.demo import SITE, ZONE

from tests.bench.figure import Figure
from tests.support.firmware_weight import chip_bytes, mpy_bytes

_LOADED = 400 * 1024


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
        found = await asyncio.gather(*(_weigh(desk) for desk in centre.agents))
        await centre.drain()
    return [figure for board in found for figure in board]


async def _weigh(desk: Agent) -> list[Figure]:
    board = desk.station.board
    await desk.log_in()
    loaded, in_session = await _held(desk)
    await desk.get_ready()
    await desk.station.ask({"do": "listen"})  # its sound runs
    contact = f"bench-{board.name}"
    await desk.ring(contact, queue="Consultas")
    await desk.answer(contact)
    _, in_call = await _held(desk)
    await desk.hang_up(contact)
    await desk.typify_after(contact, "111")
    name = board.name
    return [
        Figure(f"{name}: .mpy loaded", loaded, "bytes"),
        Figure(f"{name}: held on a chip, logged in", in_session, "bytes", _LOADED, "budget"),
        Figure(f"{name}: held on a chip, in a call", in_call, "bytes", _LOADED, "budget"),
    ]


async def _held(desk: Agent) -> tuple[int, float]:
    """(bytes of .mpy that are loaded, what Python holds on a chip)."""
    board = desk.station.board
    dump = await desk.station.dump()
    loaded = mpy_bytes(board, dump["modules"])
    return loaded, chip_bytes(dump["heap"]["used"] - board_heap(board), loaded)
