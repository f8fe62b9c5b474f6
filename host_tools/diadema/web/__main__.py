"""`python -m diadema.web`: started and watched by `diadema hub`.

Ends when its standard input, a pipe from the hub, is closed: no hub, no web.
"""

import argparse
import asyncio
import errno
import gc
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import uvicorn

from diadema.base.clock import open_clock
from diadema.base.errors import DiademaError
from diadema.base.paths import keep_private
from diadema.base.processes import begin_log, on_closed_input, raise_open_files
from diadema.web.connections import (
    Connections,
    loop_with_short_handshakes,
    protocol_of,
)
from diadema.web.guard import LOOPBACK
from diadema.web.settings import Settings
from diadema.words import text

HOST = "127.0.0.1"
_GRACE_S = 4.0
_SEND_BUFFER = 256 * 1024  # a viewer that stalls is noticed within seconds, not megabytes


def main() -> int:
    """Exit code 0 after an orderly end, 2 for what the caller can mend."""
    arguments = _arguments()
    keep_private()
    begin_log(logging.WARNING, "%(asctime)s %(name)s %(message)s")
    logging.getLogger("diadema").setLevel(logging.INFO)
    try:
        if arguments.host not in (HOST, "localhost") and arguments.tls_cert is None:
            raise DiademaError(text("web.address_refused", host=arguments.host))
        settings = replace(
            Settings.read(arguments.data),
            hosts=frozenset(arguments.name),
            certificate=arguments.tls_cert,
        )
        listener = _listen(arguments.host, arguments.port)
        with listener, asyncio.Runner(loop_factory=loop_with_short_handshakes) as runner:
            return runner.run(_serve(settings, arguments, listener))
    except (DiademaError, ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2


async def _serve(
    settings: Settings, arguments: argparse.Namespace, listener: socket.socket
) -> int:
    os.environ.setdefault("NICEGUI_STORAGE_PATH", str(settings.data / "web"))
    gc.disable()  # imports make a quarter of a million objects, and drop hardly any
    from diadema.web.app import create_app  # NiceGUI reads its environment when imported
    from diadema.web.assets import build
    from diadema.web.web_app import WebApp

    gc.freeze()
    gc.enable()
    web_app = WebApp(settings, open_clock(arguments.clock), build())
    config = uvicorn.Config(
        create_app(web_app),
        http=protocol_of(Connections(raise_open_files())),
        log_config=None,  # it says what it says as we do
        log_level="warning",
        access_log=False,
        ws_per_message_deflate=False,
        ws_max_size=1_000_000,
        timeout_graceful_shutdown=1,
        server_header=False,
        proxy_headers=bool(arguments.proxy),  # whoever else sends them is not believed
        forwarded_allow_ips=arguments.proxy,
        ssl_certfile=arguments.tls_cert,
        ssl_keyfile=arguments.tls_key,
    )
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    on_closed_input(lambda: _leave(loop, stop))
    address, port = listener.getsockname()[:2]
    print(f"{'https' if config.is_ssl else 'http'}://{address}:{port}", flush=True)
    await server.serve(sockets=[listener])
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m diadema.web")
    parser.add_argument("--data", type=Path, required=True, help="the hub's data directory")
    parser.add_argument("--port", type=int, default=8600, help="0 takes a free one")
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument(
        "--name", action="append", default=list(LOOPBACK), help="one by which it is asked for"
    )
    parser.add_argument(
        "--proxy", action="append", default=[], help="address of one whose headers are believed"
    )
    parser.add_argument("--clock", type=Path, help="clock file of a simulated run")
    return parser.parse_args()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # what is set here, the accepted connections inherit
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        word = "port_taken" if error.errno != errno.EADDRNOTAVAIL else "not_our_address"
        raise DiademaError(text(f"web.{word}", port=port, host=host)) from error
    listener.listen(128)
    return listener


def _leave(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Nothing may keep a web alive whose hub is gone."""
    loop.call_soon_threadsafe(stop)
    time.sleep(_GRACE_S)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
