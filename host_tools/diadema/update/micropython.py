"""A bundle with MicroPython itself: the app of a stock image, for the station's second app
partition. `firmware/interpreter.py` takes it.
"""

from diadema.boards.table import Board
from diadema.image.files import SECTOR
from diadema.image.stock import chip_number, read_stock
from diadema.update.bundle import sign
from diadema.update.errors import UpdateError
from diadema.update.keys import PrivateKey

_ROUND = 256  # bytes: a body's length is a multiple of it
# of `.mpy` files, docs/reference/mpyfiles.rst of MicroPython: 1.23 and every one since loads 6.3
_MPY = "6.3"
_NEWEST = (1, 29)  # of which that is known


def make(board: Board, stock: bytes, key: PrivateKey, made: int, mpy: str | None = None) -> bytes:
    """`mpy`: which `.mpy` files it loads, where that is not known here. Raises ImageError or
    UpdateError.
    """
    taken = read_stock(stock, board.wiring.board.chip)
    if mpy is None:
        if taken.version[:2] > _NEWEST:
            raise UpdateError(
                f"which .mpy files MicroPython {taken.version_text} loads is not known here: say "
                "it with --mpy, as `mpy-cross --version` of that release prints it"
            )
        mpy = _MPY
    room = next(one.size for one in board.partitions if one.name == "ota_1") - SECTOR
    body = taken.app + b"\xff" * (-len(taken.app) % _ROUND)
    if len(body) > room:
        raise UpdateError(
            f"MicroPython's app has {len(taken.app)} bytes, an update of {board.name} has room "
            f"for {room}: take an image built for two app slots (OTA), which the README names"
        )
    return sign(
        body, key, board=board.name, version=taken.version_text, made=made,
        what="micropython", chip=chip_number(taken.app), mpy=mpy,
    )  # fmt: skip
