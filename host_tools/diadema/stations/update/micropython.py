"""A bundle with MicroPython itself: the app of a stock image, for the station's second app
partition. `firmware/interpreter.py` takes it.
"""

from diadema.base.errors import UpdateError
from diadema.stations.boards.table import Board
from diadema.stations.image.files import SECTOR
from diadema.stations.image.stock import Stock, chip_number, left_of
from diadema.stations.update.bundle import sign
from diadema.stations.update.keys import PrivateKey

_ROUND = 256  # bytes: a body's length is a multiple of it
# of `.mpy` files, docs/reference/mpyfiles.rst of MicroPython: 1.23 and every one since loads 6.3
_MPY = "6.3"
_NEWEST = (1, 29)  # of which that is known


def make_micropython(board: Board, stock: Stock, key: PrivateKey, made: int, mpy: str | None = None) -> bytes:
    """`mpy`: which `.mpy` files it loads, where that is not known here. Raises ImageError or
    UpdateError.
    """
    about = stock.about
    if mpy is None:
        if about.version[:2] > _NEWEST:
            raise UpdateError(
                f"which .mpy files MicroPython {about.version_text} loads is not known here: say "
                "it with --mpy, as `mpy-cross --version` of that release prints it"
            )
        mpy = _MPY
    space_left(board, stock)
    body = stock.app + b"\xff" * (-len(stock.app) % _ROUND)
    return sign(
        body, key, board=board.name, version=about.version_text, made=made,
        what="micropython", chip=chip_number(stock.app), mpy=mpy, build=about.build,
        psram=about.psram,
    )  # fmt: skip


def space_left(board: Board, stock: Stock) -> int:
    """Bytes of the slot that an update with it leaves: its last sector is the update's own. Raises
    ImageError when it does not fit.
    """
    slot = next(one.size for one in board.partitions if one.name == "ota_1")
    return left_of(slot - SECTOR, stock, board, "a slot, without the update's own sector,")
