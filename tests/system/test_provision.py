"""A station from its cable to its configuration: the real firmware on a pty, a real hub."""

import asyncio
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

import pytest
from diadema.base.clock import SystemClock
from diadema.base.errors import ProvisionError
from diadema.base.paths import DataDir
from diadema.cli.main import app
from diadema.gateway.bridge import Gateway
from diadema.hub.enrolment import enrol
from diadema.site.description import load
from diadema.site.directory.publishing import open_directory
from diadema.stations.cable import greeting_on, what_answers, who_is_on
from diadema.stations.fleet import all_stations
from diadema.stations.provision import provision
from diadema.store import open_reader
from diadema_sim import people
from diadema_sim.build import build_firmware, interpreter
from diadema_sim.world import World
from mpremote.transport_serial import SerialTransport
from typer.testing import CliRunner

from tests.support.program_slots import SLOT_BYTES, start_folder

STATION = "DIA-0200000000d1"


@contextlib.asynccontextmanager
async def hub_on(data: DataDir):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "diadema", "hub", "--data", str(data.root), "--port", "0",
        "--mqtt-port", "0", stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(300):
            while data.read_hub() is None:
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


def described(where: DataDir) -> DataDir:
    """A data directory with a site of two other desks in force."""
    where.make()
    site = people.site(
        people.desks(2), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE,
        wifi=people.WIFI,
    )  # fmt: skip
    where.site.write_text(json.dumps(site))
    return where


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return described(DataDir(tmp_path / "data"))


def kinds(data: DataDir, s: str = STATION) -> list[str]:
    reader = open_reader(data.store)
    try:
        return [event.k for event in reader.events_of(s)]
    finally:
        reader.close()


async def test_a_station_gets_its_seat_and_all_that_follows(data: DataDir, tmp_path: Path) -> None:
    ask = {"clock": SystemClock(), "by": "Ana"}
    async with (
        World(tmp_path / "w", start_utc_ms=int(time.time() * 1000)) as world,
        hub_on(data),
    ):
        station = await world.add_station(STATION)
        await station.power_on()
        assert await greeting_on(station.port, 300)
        taken = load(data.site).stations[0].seat
        with pytest.raises(ProvisionError, match="stands at"):
            await provision(data, station.port, taken, **ask)
        with pytest.raises(ProvisionError, match="look at its label"):
            await provision(data, station.port, "B9", station="DIA-0200000000ff", **ask)
        done = await provision(data, station.port, "B9", **ask)
        assert (done.station, done.seat, done.wifi) == (STATION, "B9", people.WIFI["ssid"])
        assert done.site == "Centro de muestra" and done.language == "es"
        told = kinds(data)
        assert "station.config" in told and "station.clock" in told

        words = ["provision", "--port", station.port, "--seat", "B9", "--data", str(data.root)]
        again = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--json"])
        told = json.loads(again.stdout)  # it has all that
        assert (told["generation"], told["state"]) == (done.generation, "selftest_pending")
        said = await asyncio.to_thread(CliRunner().invoke, app, words)
        assert "self-test is still to be done" in said.stdout
        assert kinds(data).count("station.config") == 1

        await asyncio.to_thread(enrol, data, STATION, renew=True)
        await provision(data, station.port, "B9", **ask)  # has another key to bring
        async with asyncio.timeout(300):
            while not isinstance(json.loads(data.keys.read_bytes())[STATION], str):
                await asyncio.sleep(0.05)  # the hub notes that it was shown

        # people and places are kept in the directory meanwhile, and a gateway has the cable
        now = int(time.time() * 1000)
        with open_directory(data, now) as book:
            assert book.entry("seats", "B9").body["station"] == STATION
        bridge = asyncio.create_task(Gateway(data, [station.port], "row").run())
        try:
            async with asyncio.timeout(300):
                while not await held(station.port):
                    await asyncio.sleep(0.05)
            with pytest.raises(ProvisionError, match="--station"):
                await provision(data, station.port, taken, **ask)
            with pytest.raises(ProvisionError, match="take it to"):
                await provision(data, station.port, "C1", station=STATION, **ask)
            moved = await provision(
                data, station.port, taken, station=STATION, replace=True, **ask
            )
        finally:
            bridge.cancel()
            await asyncio.gather(bridge, return_exceptions=True)
        assert moved.generation > done.generation
        assert {one.id: one.seat for one in load(data.site).stations}[STATION] == taken
        with open_directory(data, now) as book:
            assert book.entry("seats", taken).body["station"] == STATION
            assert book.entry("seats", "B9").body is None


async def test_safe_mode_is_told_at_once_and_no_seat_is_taken(
    data: DataDir, tmp_path: Path
) -> None:
    ask = {"clock": SystemClock(), "by": "Ana"}
    vfs = tmp_path / "vfs"
    vfs.mkdir()
    build_firmware(tmp_path / "program")
    start_folder(tmp_path / "program", vfs)
    blank = b"\xff" * SLOT_BYTES
    async with (
        World(tmp_path / "w", start_utc_ms=int(time.time() * 1000), image=vfs) as world,
        hub_on(data),
    ):
        station = await world.add_station(STATION, slots={"slot_a": blank, "slot_b": blank})
        await station.power_on()
        assert await greeting_on(station.port, 300)
        before = data.site.read_bytes()
        told = "is in safe mode: it has no program that starts.*diadema update cable"
        with pytest.raises(ProvisionError, match=told):
            await provision(data, station.port, "B9", **ask)
        bridge = asyncio.create_task(Gateway(data, [station.port], "row").run())
        try:
            async with asyncio.timeout(300):
                while not any(
                    row.station == STATION and row.safe for row in all_stations(data, 0)
                ):
                    await asyncio.sleep(0.05)
            with pytest.raises(ProvisionError, match=told):
                await provision(data, station.port, "B9", station=STATION, **ask)
        finally:
            bridge.cancel()
            await asyncio.gather(bridge, return_exceptions=True)
        assert data.site.read_bytes() == before


async def held(port: str) -> bool:
    import serial

    try:
        serial.Serial(port, exclusive=True).close()
    except serial.SerialException:
        return True
    return False


async def test_without_a_hub_or_a_board_it_says_what_to_do(data: DataDir) -> None:
    ask = {"clock": SystemClock(), "by": "Ana"}
    with pytest.raises(ProvisionError, match="start `diadema hub`"):
        await provision(data, "/dev/ttyNOWHERE0", "A1", **ask)


async def test_a_port_that_does_not_open_is_told_once(
    data: DataDir, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ProvisionError, match="cannot be opened: No such file"):
        await who_is_on(data, "/dev/ttyNOWHERE0", None)
    assert not caplog.records


@contextlib.contextmanager
def prompt_on_a_cable():
    """MicroPython's own prompt; the path that a program opens."""
    ends = [os.openpty(), os.openpty()]
    for _, slave in ends:
        tty.setraw(slave)
    (chip, terminal), (near, far) = ends
    with subprocess.Popen(
        [*interpreter()], stdin=terminal, stdout=terminal, stderr=terminal
    ) as program:
        stop = threading.Event()

        def carry():
            while not stop.is_set():
                for end in select.select([chip, near], [], [], 0.05)[0]:
                    os.write(chip if end == near else near, os.read(end, 4096))

        carrier = threading.Thread(target=carry)
        carrier.start()
        try:
            yield os.ttyname(far)
        finally:
            program.kill()
            stop.set()
            carrier.join()
    for end in (chip, terminal, near, far):
        os.close(end)


def test_a_board_at_micropythons_prompt_is_known_by_it() -> None:
    """By the real mpremote, on the prompt of the real MicroPython."""
    with prompt_on_a_cable() as port:
        said = what_answers(port)
    assert said is not None and "no station's program" in said
    assert "MicroPython 1." in said


def test_what_is_no_station_says_nothing_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chip, terminal = os.openpty()
    tty.setraw(terminal)
    monkeypatch.setattr(  # mpremote waits ten seconds for it
        SerialTransport, "read_until", lambda *_, **__: b"AT+OK"
    )
    assert what_answers(os.ttyname(terminal)) is None
    assert capsys.readouterr().out == ""
    for end in (chip, terminal):
        os.close(end)


def test_a_cable_that_is_pulled_while_it_is_asked_is_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chip, terminal = os.openpty()
    tty.setraw(terminal)

    def pulled(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(SerialTransport, "enter_raw_repl", lambda *_, **__: pulled())
    monkeypatch.setattr("serial.Serial.rts", property(lambda _: False, pulled))
    assert what_answers(os.ttyname(terminal)) is None
    for end in (chip, terminal):
        os.close(end)
