"""The process: ends with its hub, and says what is wrong when it cannot start."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from diadema.base.clock import SharedClock

from tests.support.web_stage import PASSWORD, TOKEN, Hub, Nats, Web
from tests.support.web_viewer import viewing


def run(*arguments: str, data: Path, nats: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin"} | ({"DIADEMA_NATS": nats} if nats else {})
    command = [sys.executable, "-m", "diadema.web", "--data", str(data), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def write_secrets(data: Path) -> None:
    (data / "secrets.json").write_text(json.dumps({"host": PASSWORD, "api": TOKEN}))


def test_it_ends_when_the_hubs_pipe_closes(own_web: Web) -> None:
    assert own_web.close_input() == 0


async def test_it_ends_with_viewers_still_there(own_hub: Hub, own_web: Web) -> None:
    async with viewing(own_web):
        assert own_web.close_input() == 0


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run("--port", port, data=tmp_path, nats="nats://127.0.0.1:1")
    assert ended.returncode == 2
    assert port in ended.stderr and "--port" in ended.stderr


def test_another_address_is_refused(tmp_path: Path) -> None:
    ended = run("--host", "0.0.0.0", data=tmp_path, nats="nats://127.0.0.1:1")
    assert ended.returncode == 2
    assert "--tls-cert" in ended.stderr


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    (tmp_path / "cert").touch()
    given = ("--host", "192.0.2.1", "--tls-cert", str(tmp_path / "cert"))
    ended = run("--port", "0", *given, data=tmp_path, nats="nats://127.0.0.1:1")
    assert ended.returncode == 2
    assert "192.0.2.1" in ended.stderr and "--host" in ended.stderr


@pytest.mark.parametrize("nats", [None, "nats://127.0.0.1:1"])
def test_what_the_hub_should_have_written_is_named(tmp_path: Path, nats: str | None) -> None:
    ended = run("--port", "0", data=tmp_path, nats=nats)
    assert ended.returncode == 2
    assert ("secrets.json" if nats else "hub.json") in ended.stderr


def test_a_file_that_is_no_clock_is_refused(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    (tmp_path / "clock").write_bytes(b"x" * 64)
    clock = str(tmp_path / "clock")
    ended = run("--port", "0", "--clock", clock, data=tmp_path, nats="nats://127.0.0.1:1")
    assert ended.returncode == 2
    assert "--clock" in ended.stderr


async def test_a_simulated_clock_and_its_speed_reach_the_viewer(
    own_nats: Nats, own_hub: Hub, tmp_path: Path
) -> None:
    clock = SharedClock(tmp_path / "clock", create=True)
    start = 918_000_000_000
    clock.set(start, 60)
    web = Web(tmp_path, own_nats.url, tmp_path / "clock")
    web.start()
    try:
        async with viewing(web) as viewer:
            while not 55 < (message := await viewer.take()).get("speed", 1) < 65:
                pass
            assert start < message["now"] < start + 120_000 * 60
            assert message["now"] < time.time() * 1000 - 1e9
    finally:
        web.kill()
