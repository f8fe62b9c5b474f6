"""A viewer that cannot keep up is let go; the others do not notice."""

import asyncio
import base64
import os
import socket

import httpx

from tests.support.web_stage import BEARER, Hub, Web, headers_of
from tests.support.web_viewer import viewing

AGENTS = 200
SETTLED = 'diadema_web_given_up_total{scope="full"} 1'


def open_and_never_read(web: Web) -> socket.socket:
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.connect(("127.0.0.1", web.port))
    key = base64.b64encode(os.urandom(16)).decode()
    stalled.sendall(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nUpgrade: websocket\r\n"
        f"Cookie: {headers_of(web.cookies)['Cookie']}\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return stalled


async def test_a_stalled_viewer_is_let_go(own_hub: Hub, own_web: Web) -> None:
    metrics = f"{own_web.url}/metrics"

    async def change_all(round_number: int) -> None:
        long = f"{round_number}:" + "x" * 1500
        for k in range(AGENTS):
            await own_hub.put(a=f"a{k:03d}", state="talking", queue=long)

    await change_all(0)
    with open_and_never_read(own_web):
        async with viewing(own_web) as viewer, httpx.AsyncClient(timeout=300) as client:
            for number in range(1, 200):
                await change_all(number)
                await viewer.until(a="a199", queue=f"{number}:" + "x" * 1500)
                if SETTLED in (await asyncio.wait_for(client.get(metrics), 60)).text:
                    break
            else:
                raise AssertionError("the stalled viewer was never let go")
            counts = (await client.get(f"{own_web.url}/api/v1/status", headers=BEARER)).json()
            assert counts["viewers"]["full"] == 1
