"""A board flashed over a line as slow as 921 600 baud, and again when all is right already.

The line is a TCP relay that paces both ways, the peer the mocked ROM loader and stub: what a real
flash takes to erase and program is not in it. Machine code of this Python stands in for the app,
where DIADEMA_STOCK_IMAGE names no image.
"""

import asyncio
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from diadema.base.paths import DataDir
from diadema.stations.boards.table import load_board
from diadema.stations.flash.chip import BAUD
from diadema.stations.flash.plan import Plan, read_plan
from diadema.stations.flash.work import Job, Outcome
from diadema.stations.image.build import build

from tests.bench.figure import Figure
from tests.support.mock_boards import Board
from tests.support.stock_image import stock_image

_BOARD = "lyrat_v4_3"
_BITS = 10  # a byte on the line: start, eight, stop
_APP = 1_400_000  # bytes of a stock app
_PIECE = 512


class Line:
    """Between a board and whoever opens `port`; no byte passes quicker than the baud rate."""

    def __init__(self, board: Board) -> None:
        self._board = int(board.port.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self.carried = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                host, _ = self._listener.accept()
            except OSError:
                return
            chip = socket.create_connection(("127.0.0.1", self._board))
            for way in ((host, chip), (chip, host)):
                threading.Thread(target=self._carry, args=way, daemon=True).start()

    def _carry(self, come: socket.socket, go: socket.socket) -> None:
        go.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        free_at = time.monotonic()
        try:
            while piece := come.recv(_PIECE):
                free_at = max(free_at, time.monotonic()) + len(piece) * _BITS / BAUD
                time.sleep(max(0.0, free_at - time.monotonic()))
                self.carried += len(piece)
                go.sendall(piece)
            go.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the other side closed

    def close(self) -> None:
        self._listener.close()


async def figures() -> list[Figure]:
    return await asyncio.to_thread(measure)


def measure() -> list[Figure]:
    plan = read_plan(_image())
    limit_s = plan.size * _BITS / BAUD
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder, Board(1) as board:
        line = Line(board)
        whole_s, whole = _flash(plan, Path(folder), line)
        carried = line.carried
        again_s, _ = _flash(plan, Path(folder), line)
        line.close()
    plainly = "the image's bytes at 921 600 baud"
    return [
        Figure("flash, written to a blank board", whole.written, "bytes", plan.size, "the image"),
        Figure("flash, over the cable both ways", carried, "bytes", plan.size, "the image"),
        Figure("flash, a blank board (paced line)", whole_s, "s", limit_s, plainly),
        Figure("flash, all right already", again_s, "s", limit_s, plainly),
    ]


def _flash(plan: Plan, folder: Path, line: Line) -> tuple[float, Outcome]:
    began = time.monotonic()
    done = Job(plan, DataDir(folder)).run(line.port)
    if done.error:
        raise RuntimeError(done.error)
    return time.monotonic() - began, done


def _image() -> bytes:
    named = os.environ.get("DIADEMA_STOCK_IMAGE")
    if named:
        stock = Path(named).read_bytes()
    else:
        stock = stock_image("esp32", extra=Path(sys.executable).read_bytes()[:_APP])
    return build(load_board(_BOARD), stock, "0.0.0").whole()
