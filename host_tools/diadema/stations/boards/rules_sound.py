"""Rules about what comes out of a board's sockets. Each yields what is wrong, if anything, and
what to do about it.
"""

import math
from collections.abc import Iterator

from diadema.stations.boards.sound import (
    CALLER_DB_SPL,
    MOST_DB_SPL,
    MOST_UNCLIPPED_DB_SPL,
    Loudness,
    loudness,
)
from diadema.stations.boards.table import Board


def output_limited(board: Board) -> Iterator[str]:
    """Acoustic shock: the worst signal that the codec lets out, a clipped one on every path at
    once, must stay below 102 dB SPL at the ear drum (Communications Alliance G616) in each socket
    that a head can be in, and below 118 when its clipper is missing (ITU-T P.360).
    """
    if "codec" in board.parts and "limit_db" not in board.parts["codec"][4]:
        yield "codec: it has no limit_db: a loud noise on the line would reach the ear whole"
        return
    for socket in _heard(board):
        for level, most, without in (
            (socket.loudest, MOST_DB_SPL, ""),
            (socket.unclipped, MOST_UNCLIPPED_DB_SPL, " without its clipper"),
        ):
            if level > most:
                mend = "put more resistance before it"
                if socket.caller is not None:
                    by = math.ceil(socket.allowed - most)
                    mend = f"lower limit_db by {by}, or see the clipper of hardware/acoustics.md"
                yield (
                    f"{socket.socket}: up to {level:.0f} dB SPL at the ear drum{without}, more "
                    f"than {most}: {mend}"
                )


def caller_heard(board: Board) -> Iterator[str]:
    """A limit that lets no voice through is turned up or soldered past: at full volume a caller
    is heard with 70 dB SPL or more.
    """
    for socket in _heard(board):
        if socket.caller is not None and socket.caller < CALLER_DB_SPL:
            yield (
                f"{socket.socket}: a caller is heard with {socket.caller:.0f} dB SPL at full "
                f"volume, less than {CALLER_DB_SPL}: take the pad_ohms that hardware/headsets.csv "
                "has for the headset, or raise limit_db, which caller_db follows"
            )


def sockets_wired(board: Board) -> Iterator[str]:
    """Of each socket it is known whether a head can be in it, and if not, why not."""
    for socket in board.wiring.sockets:
        if not socket.head and socket.contacts and not socket.why:
            yield f"{socket.ref}: no head can be in it, and why is not said: say why"
        if socket.clipper_v_peak and not socket.each_ohms:
            yield f"{socket.ref}: a clipper needs resistance before it: give each_ohms"
    if "codec" in board.parts and not any(
        socket.head and socket.limited and socket.contacts for socket in board.wiring.sockets
    ):
        yield "sockets: the headset's is missing: describe it"


def _heard(board: Board) -> list[Loudness]:
    """The sockets that a head can be in."""
    return [socket for socket in loudness(board) if socket.head]
