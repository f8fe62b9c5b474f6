"""Asks a time server once (SNTP, RFC 4330).

The 64 bits that a reply must repeat are random: who did not see our question cannot answer it.
"""

import asyncio
import os
import socket
import struct

from lib.errors import LinkError
from lib.radio import beside
from micropython import const

_FORMAT = const("!BBbbiI4sQ8sQQ")  # RFC 4330 §4
_SIZE = const(48)
_ASK = const(0x23)  # no warning, version 4, client
_SERVER = const(4)
_ANSWER_MS = const(3_000)
_ROOT_MOST_MS = const(1_000)  # RFC 4330 §5: delay and dispersion of a server are below a second
_EPOCH_S = const(2_208_988_800)  # from 1900 to 1970
_ERA_S = 1 << 32  # RFC 4330 §3: without the top bit it is after 7 February 2036


def request(token):
    return struct.pack(_FORMAT, _ASK, 0, 0, 0, 0, 0, bytes(4), 0, bytes(8), 0, 0)[:40] + token


def read(reply, token, sent, u):
    """(UTC ms at `u`, uncertainty ms) of the reply to what went out at `sent`.

    Raises LinkError; its code is foreign for what does not answer our question.
    """
    if len(reply) < _SIZE:
        raise LinkError("sntp: a short reply", "foreign")
    first, stratum, _, _, delay, spread, _, _, origin, came, left = struct.unpack(
        _FORMAT, reply[:_SIZE]
    )
    if origin != token:
        raise LinkError("sntp: no reply to our question", "foreign")
    if first & 7 != _SERVER or first >> 3 & 7 not in (3, 4):
        raise LinkError("sntp: not a server's reply", "protocol")
    root_ms = (delay // 2 + spread) * 1000 >> 16
    if first >> 6 == 3 or not 0 < stratum < 16 or delay < 0 or root_ms > _ROOT_MOST_MS:
        raise LinkError("sntp: the server has no time for us", "refused")
    utc = _ms(left)
    served = utc - _ms(came)
    way = u - sent - served  # there and back
    if not came or not left or served < 0 or way < -1:  # each stamp is cut to its millisecond
        raise LinkError("sntp: impossible times", "protocol")
    way = max(way, 0)
    return utc + way // 2, (way + 1) // 2 + root_ms + 1


def _ms(stamp):
    seconds = stamp >> 32
    if not seconds >> 31:
        seconds += _ERA_S
    return (seconds - _EPOCH_S) * 1000 + ((stamp & 0xFFFFFFFF) * 1000 >> 32)


async def ask(server, now):
    """(UTC ms, u, uncertainty ms) from `server`, host:port. Raises LinkError, OSError."""
    host, _, port = server.rpartition(":")
    kind = socket.SOCK_DGRAM
    found = await beside(socket.getaddrinfo, host, int(port), socket.AF_INET, kind)
    address = found[0][-1]
    token = os.urandom(8)
    sock = socket.socket(socket.AF_INET, kind)
    try:
        sock.setblocking(False)
        sock.connect(address)  # so that no other address is heard
        sent = now()
        sock.send(request(token))
        return await asyncio.wait_for_ms(_answer(sock, token, sent, now), _ANSWER_MS)
    except asyncio.TimeoutError:
        raise LinkError("sntp: no answer", "no_answer") from None
    finally:
        sock.close()


async def _answer(sock, token, sent, now):
    stream = asyncio.StreamReader(sock)
    while True:
        await stream.read(0)  # until there is something; a stream's read would join datagrams
        reply = sock.recv(_SIZE)
        u = now()
        try:
            utc, uncertainty_ms = read(reply, token, sent, u)
            return utc, u, uncertainty_ms
        except LinkError as error:
            if error.code != "foreign":
                raise
